import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CruiseResult, cruise } from "../scripts/lib/cruise.ts";
import { type Overlay, overlay, root } from "../scripts/lib/overlay.ts";

// One planted file a rule; what it imports, and the rule that must fire on it, alone. Neutral targets are planted beside.
const planted: Record<string, { file: string; text: string }> = {
  "contract-stands-alone": { file: "contract/api/planted.ts", text: 'import "@lineshaft/platform/planted";' },
  "contract-typebox-only": { file: "contract/api/planted-io.ts", text: 'import "node:fs";' },
  "api-knows-no-ports": {
    file: "contract/api/planted-ports.ts",
    text: 'import type {} from "../ports/planted-target.ts";',
  },
  "ports-are-internal": {
    file: "applications/planted/ports.ts",
    text: 'import type { Log } from "@lineshaft/contract/ports"; export type L = Log;',
  },
  "client-on-the-api": { file: "client/planted.ts", text: 'import "@lineshaft/platform/planted";' },
  "platform-on-the-contract": {
    file: "integration/platform/planted-wall.ts",
    text: 'import "@lineshaft/governance/planted";',
  },
  "interfaces-on-the-contract": {
    file: "integration/interfaces/planted-wall.ts",
    text: 'import "@lineshaft/platform/planted";',
  },
  "governance-on-the-contract": {
    file: "integration/governance/planted-wall.ts",
    text: 'import "@lineshaft/platform/planted";',
  },
  "connectivity-on-the-contract": {
    file: "integration/connectivity/runtime/planted.ts",
    text: 'import "@lineshaft/platform/planted";',
  },
  "connectors-on-the-kit": {
    file: "integration/connectivity/connectors/planted/index.ts",
    text: 'import "../neighbour/index.ts";',
  },
  "applications-are-consumers": {
    file: "applications/planted/index.ts",
    text: 'import "@lineshaft/planted-neighbour";',
  },
  "kit-below-shell": { file: "ui/kit/planted.ts", text: 'import "../shell/planted-target.ts";' },
  "ui-on-the-client": { file: "ui/shell/planted.ts", text: 'import "@lineshaft/platform/planted";' },
  "simulation-is-outside": { file: "simulation/planted.ts", text: 'import "@lineshaft/platform/planted";' },
  "testkit-on-the-contract": { file: "testkit/planted.ts", text: 'import "@lineshaft/platform/planted";' },
  "host-composes": { file: "host/planted.ts", text: 'import "@lineshaft/planted-neighbour";' },
  "no-testkit-in-product": { file: "host/planted-testkit.ts", text: 'import "@lineshaft/testkit";' },
  "no-import-of-tests": { file: "scripts/planted.ts", text: 'import "./planted-target.test.ts";' },
  "no-test-support-in-product": { file: "host/planted-support.ts", text: 'import "./planted.fixture.ts";' },
  "through-the-exports": { file: "host/planted-reach.ts", text: 'import "../client/planted-target.ts";' },
  "not-to-unresolvable": { file: "host/planted-nowhere.ts", text: 'import "./nowhere.ts";' },
  "no-circular": { file: "host/planted-cycle.ts", text: 'import "./planted-cycle.ts";' },
  "no-deprecated": { file: "tests/planted.ts", text: 'import "planted-deprecated";' },
  "no-deprecated-core": { file: "host/planted-core.ts", text: 'import "node:punycode";' },
  "no-dev-dependencies": { file: "applications/planted/dev.ts", text: 'import "planted-dev";' },
  "declared-dependencies": { file: "client/planted-undeclared.ts", text: 'import "fastify";' },
};

const neutral: Record<string, string> = {
  "contract/ports/planted-target.ts": "export {};",
  "client/planted-target.ts": "export {};",
  "integration/platform/planted-target.ts": "export {};",
  "integration/governance/planted-target.ts": "export {};",
  "integration/connectivity/connectors/neighbour/index.ts": "export {};",
  "applications/planted-neighbour/index.ts": "export {};",
  "applications/planted-neighbour/package.json": JSON.stringify({
    name: "@lineshaft/planted-neighbour",
    exports: { ".": "./index.ts" },
  }),
  "applications/planted/package.json": JSON.stringify({
    name: "@lineshaft/planted",
    devDependencies: { "planted-dev": "1" },
  }),
  "ui/shell/planted-target.ts": "export {};",
  "scripts/planted-target.test.ts": "export {};",
  "host/planted.fixture.ts": "export {};",
  "node_modules/planted-deprecated/package.json": JSON.stringify({ name: "planted-deprecated", deprecated: "no more" }),
  "node_modules/planted-deprecated/index.js": "",
  "node_modules/planted-dev/package.json": JSON.stringify({ name: "planted-dev" }),
  "node_modules/planted-dev/index.js": "",
};

const configuredRules: string[] = createRequire(import.meta.url)("../.dependency-cruiser.cjs").forbidden.map(
  (rule: { name: string }) => rule.name,
);

describe("the wall", () => {
  let copy: Overlay;
  let result: CruiseResult;

  beforeAll(() => {
    copy = overlay();
    const write = (file: string, text: string): void => {
      mkdirSync(dirname(join(copy.dir, file)), { recursive: true });
      writeFileSync(join(copy.dir, file), text);
    };
    for (const [file, text] of Object.entries(neutral)) write(file, text);
    for (const { file, text } of Object.values(planted)) write(file, `${text}\n`);
    // Exports of the planted targets, so that they are reached by package name like everything else.
    for (const layer of ["platform", "governance"]) {
      const file = `integration/${layer}/package.json`;
      const manifest = JSON.parse(readText(copy.dir, file));
      manifest.exports["./planted"] = "./planted-target.ts";
      write(file, JSON.stringify(manifest));
    }
    linkNeighbour(copy.dir);
    result = cruise(copy.dir);
  });
  afterAll(() => copy?.remove());

  test("every configured rule has a planted violation", () => {
    expect(Object.keys(planted).sort()).toEqual([...configuredRules].sort());
  });

  test.each(Object.entries(planted))("%s fires on its planted violation, and nothing else does", (rule, { file }) => {
    const fired = result.violations.filter((v) => v.from === file).map((v) => v.rule);
    expect(fired).toEqual([rule]);
  });

  test("the tree itself is clean, and was really read", () => {
    const clean = cruise(root);
    expect(clean.violations).toEqual([]);
    expect(clean.modules).toBeGreaterThan(50);
    // Cross-package imports end at real files: were they not followed, no rule could bite.
    expect(clean.sources).toContain("contract/api/index.ts");
    expect(clean.sources.filter((source) => source.includes("node_modules/@lineshaft/"))).toEqual([]);
  });
});

function readText(dir: string, file: string): string {
  return readFileSync(join(dir, file), "utf8");
}

function linkNeighbour(dir: string): void {
  symlinkSync("../../applications/planted-neighbour", join(dir, "node_modules/@lineshaft/planted-neighbour"));
}
