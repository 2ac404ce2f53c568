/**
 * `npm run check`: everything that can be judged in under a minute. `--only <step>` runs one step (again and again while
 * mending), `--fix` lets the formatter write.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { cruise } from "./lib/cruise.ts";
import { root } from "./lib/overlay.ts";
import { bin, noTests, type Ran, runNode, runTests, runTestsTwice, type TestCounts } from "./lib/run.ts";
import { untidy } from "./lib/tidy.ts";

interface Step {
  name: string;
  what: string;
  run(): Promise<Ran & { note?: string }>;
}

export interface CheckOutcome {
  ok: boolean;
  counts: TestCounts;
}

/**
 * Tests beside their sources; those of the whole system, and those with real processes or peers, belong to `npm test`. They share their modules: a process for each of two
 * hundred files costs more than the tests.
 */
export const fastTests = [
  "--exclude",
  "tests/**",
  "--exclude",
  "**/*.system.test.ts",
  "--passWithNoTests",
  "--no-isolate",
];

function steps({ fix = false, twice = false }: CheckOptions, counts: (of: TestCounts) => void): Step[] {
  return [
    {
      name: "tests",
      what: "the tests beside the sources",
      async run() {
        const ran = await (twice ? runTestsTwice : runTests)(fastTests, { report: "check-tests.json" });
        counts(ran.counts);
        const { passed, failed, skipped } = ran.counts;
        return { ...ran, note: `${passed} passed, ${failed} failed, ${skipped} skipped` };
      },
    },
    {
      name: "format",
      what: "format and lint (biome)",
      run: () => runNode([bin("@biomejs/biome", "biome"), "check", "--error-on-warnings", ...(fix ? ["--write"] : [])]),
    },
    // The native compiler takes a third of the time; `typescript` itself is what the other tools read sources with.
    { name: "types", what: "types (tsc)", run: () => runNode([bin("typescript-native", "tsc"), "-p", root]) },
    {
      name: "docs",
      what: "generated references are fresh",
      run: () => runNode(["scripts/docs.ts", "--check"]),
    },
    { name: "dead", what: "nothing unused (knip)", run: () => runNode([bin("knip"), "--no-progress"]) },
    {
      name: "imports",
      what: "the wall (dependency-cruiser)",
      async run() {
        const { modules, violations } = cruise(root);
        const lines = violations.map((v) => `${v.rule}: ${v.from} → ${v.to}\n    ${v.comment}`);
        return { code: lines.length === 0 ? 0 : 1, output: lines.join("\n"), note: `${modules} modules` };
      },
    },
    {
      name: "tidy",
      what: "no unfinished work, machine paths, overlong files",
      async run() {
        const found = untidy();
        return { code: found.length === 0 ? 0 : 1, output: found.join("\n") };
      },
    },
  ];
}

interface CheckOptions {
  only?: string;
  fix?: boolean;
  /** A few red test files are judged once more by themselves. */
  twice?: boolean;
}

/** Runs the steps, the longest first, as many at a time as there are cores; prints a line as each ends and what failed last. */
export async function check(options: CheckOptions = {}): Promise<CheckOutcome> {
  let counts = noTests();
  const all = steps(options, (of) => {
    counts = of;
  });
  const chosen = options.only === undefined ? all : all.filter((step) => step.name === options.only);
  if (chosen.length === 0) {
    console.error(`There is no step "${options.only}"; there are ${all.map((step) => step.name).join(", ")}.`);
    return { ok: false, counts };
  }
  const began = performance.now();
  const failures: { step: Step; output: string }[] = [];
  const waiting = [...chosen];
  const worker = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const start = performance.now();
      const { code, output, note } = await attempt(step);
      if (code !== 0) failures.push({ step, output });
      row(code === 0 ? "ok" : "FAILED", step.name, performance.now() - start, note ?? step.what);
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
  row(failures.length === 0 ? "ok" : "FAILED", "check", performance.now() - began, "");
  for (const { step, output } of failures) {
    console.log(
      `\n── ${step.name}: ${step.what} ── again with: npm run check -- --only ${step.name}\n${output.trimEnd()}`,
    );
  }
  return { ok: failures.length === 0, counts };
}

async function attempt(step: Step): Promise<Ran & { note?: string }> {
  try {
    return await step.run();
  } catch (error) {
    return { code: 1, output: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function row(state: string, name: string, ms: number, note: string): void {
  console.log(`${state.padEnd(7)} ${name.padEnd(8)} ${(ms / 1000).toFixed(1).padStart(6)} s  ${note}`.trimEnd());
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { only: { type: "string" }, fix: { type: "boolean" } } });
  const { ok } = await check(values);
  process.exitCode = ok ? 0 : 1;
}
