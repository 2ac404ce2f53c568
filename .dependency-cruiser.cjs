// The wall: who may import whom (DESIGN: "The tree"). Each rule here is proved to bite by tests/wall.test.ts, which plants one
// violation of each and expects exactly that rule to fire.

const folders = "(contract|client|integration|applications|ui|simulation|testkit|host|tests|bench|scripts)";
const anywhere = `^${folders}/`;
/** What tests beside the sources share: fixtures, `testing.ts`, a folder `test/`. */
const testSupport = "(\\.fixture\\.tsx?$|/testing\\.ts$|/test/)";
/** Tests beside the sources obey the wall too, but may use the testkit and development dependencies. */
const tests = `(\\.test\\.tsx?$|${testSupport}|^(tests|bench|scripts|testkit)/)`;
const npm = ["npm", "npm-dev", "npm-optional", "npm-peer", "npm-bundled", "npm-no-pkg", "npm-unknown"];

/** Within the repository, files under `from` import from `allowed` only. The ports and the testkit have rules of their own. */
const only = (name, from, allowed, comment) => ({
  name,
  severity: "error",
  comment,
  from: { path: from },
  to: { path: anywhere, pathNot: [...allowed, "^testkit/", "^contract/ports/"] },
});

module.exports = {
  forbidden: [
    // ── the layers ──────────────────────────────────────────────────────────────────────────────────────────────────
    only("contract-stands-alone", "^contract/", ["^contract/"], "The contract is the ground: it knows nobody."),
    {
      name: "contract-typebox-only",
      severity: "error",
      comment:
        "The contract has no I/O and no state: types, schemas and pure helpers, with typebox as its only library.",
      from: { path: "^contract/", pathNot: tests },
      to: { dependencyTypes: [...npm, "core"], pathNot: "node_modules/typebox/" },
    },
    {
      name: "api-knows-no-ports",
      severity: "error",
      comment: "contract/api is public; contract/ports is not, so nothing of it may leak into the api.",
      from: { path: "^contract/api/" },
      to: { path: "^contract/ports/" },
    },
    {
      name: "ports-are-internal",
      severity: "error",
      comment:
        "Ports join the platform's own layers. Applications and clients live on contract/api, like any stranger.",
      from: { path: anywhere, pathNot: "^(contract|integration|host|testkit|tests|bench)/" },
      to: { path: "^contract/ports/" },
    },
    only(
      "client-on-the-api",
      "^client/",
      ["^client/", "^contract/api/"],
      "The SDK that everybody uses sees nothing that a stranger does not see.",
    ),
    only(
      "platform-on-the-contract",
      "^integration/platform/",
      ["^integration/platform/", "^contract/"],
      "Layers of the platform meet in contract/ports; host/ wires them.",
    ),
    only(
      "interfaces-on-the-contract",
      "^integration/interfaces/",
      ["^integration/interfaces/", "^contract/"],
      "Layers of the platform meet in contract/ports; host/ wires them.",
    ),
    only(
      "governance-on-the-contract",
      "^integration/governance/",
      ["^integration/governance/", "^contract/"],
      "Layers of the platform meet in contract/ports; host/ wires them.",
    ),
    only(
      "connectivity-on-the-contract",
      "^integration/connectivity/(?!connectors/)",
      ["^integration/connectivity/", "^contract/"],
      "The OT zone knows addresses and values: no equipment, no orders, no users.",
    ),
    only(
      "connectors-on-the-kit",
      "^integration/connectivity/connectors/([^/]+)/",
      ["^integration/connectivity/connectors/$1/", "^integration/connectivity/kit/", "^contract/"],
      "A connector is a codec and its session: the contract, the kit and its own protocol library.",
    ),
    only(
      "applications-are-consumers",
      "^applications/([^/]+)/",
      ["^applications/$1/", "^contract/api/", "^client/", "^ui/kit/"],
      "Our applications have no privilege that a stranger's has not, and know nothing of one another.",
    ),
    only(
      "kit-below-shell",
      "^ui/kit/",
      ["^ui/kit/", "^contract/api/", "^client/"],
      "The design system serves the shell and the applications; it knows neither.",
    ),
    only(
      "ui-on-the-client",
      "^ui/(?!kit/)",
      ["^ui/", "^contract/api/", "^client/"],
      "The console is a client like any other. Pages of applications come in when it is built: shell/contributions.ts names no application.",
    ),
    only(
      "simulation-is-outside",
      "^simulation/",
      ["^simulation/", "^contract/api/", "^client/", "^ui/kit/"],
      "The demo plant reaches the platform through its real front doors only.",
    ),
    only("testkit-on-the-contract", "^testkit/", ["^contract/"], "The testkit serves every layer, so it knows none."),
    only(
      "host-composes",
      "^host/",
      ["^host/", "^contract/", "^client/", "^integration/"],
      "The host wires the platform. It finds applications by configuration and starts the demo plant as a process.",
    ),
    {
      name: "no-testkit-in-product",
      severity: "error",
      comment: "Fake clocks and failing disks must not ship.",
      from: { path: anywhere, pathNot: tests },
      to: { path: "^testkit/" },
    },
    {
      name: "no-import-of-tests",
      severity: "error",
      comment: "A test file is imported by nobody; what two tests share is no test.",
      from: {},
      to: { path: "\\.test\\.tsx?$" },
    },
    {
      name: "no-test-support-in-product",
      severity: "error",
      comment: "What only tests need must not ship.",
      from: { path: anywhere, pathNot: tests },
      to: { path: testSupport },
    },
    {
      name: "through-the-exports",
      severity: "error",
      comment: "Across packages import by package name, so that the `exports` in package.json decide what is public.",
      from: { path: `^(contract|client|ui|simulation|testkit|host|integration/[^/]+|applications/[^/]+)/` },
      to: {
        path: `^(contract|client|ui|simulation|testkit|host|integration/[^/]+|applications/[^/]+)/`,
        pathNot: "^$1/",
        // Relative paths only: a package name that resolves to a workspace is not "local".
        dependencyTypes: ["local"],
        dependencyTypesNot: ["aliased-workspace"],
      },
    },
    // ── hygiene ─────────────────────────────────────────────────────────────────────────────────────────────────────
    {
      name: "not-to-unresolvable",
      severity: "error",
      comment: "What cannot be resolved cannot be judged.",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "no-circular",
      severity: "error",
      comment: "A cycle is one module in two files. Type-only imports may point back: they are gone at run time.",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-deprecated",
      severity: "error",
      comment: "The package's own maintainers say not to use it.",
      from: {},
      to: { dependencyTypes: ["deprecated"] },
    },
    {
      name: "no-deprecated-core",
      severity: "error",
      comment: "Parts of Node that are on their way out.",
      from: {},
      to: { dependencyTypes: ["core"], path: "^(node:)?(punycode|domain|constants|sys|_stream_wrap|_linklist)$" },
    },
    {
      name: "no-dev-dependencies",
      severity: "error",
      comment: "An installed product has no development dependencies.",
      from: { path: anywhere, pathNot: tests },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "declared-dependencies",
      severity: "error",
      comment: "Each workspace names in its own package.json what it imports.",
      from: { path: anywhere, pathNot: tests },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)dist/" },
    // Type imports count: a type from across the wall is a hole in it.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    // Workspaces are followed through `exports` to their real files, contract/api/… and not node_modules/@lineshaft/….
    preserveSymlinks: false,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".mjs", ".js", ".cjs", ".json", ".d.ts"],
      mainFields: ["module", "main", "types", "typings"],
    },
  },
};
