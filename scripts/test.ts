/**
 * `npm test`: everything. The check, the tests of the whole system, the separation step, the OpenAPI lint. Ends with one line
 * `N passed, N failed, N skipped`. With CI=true a skipped test is a failure. `--long` adds what takes hours.
 */
import { parseArgs } from "node:util";
import { check, fastTests } from "./check.ts";
import { lintOpenApi } from "./lib/openapi.ts";
import { preparePeers } from "./lib/peers.ts";
import { noTests, runTests } from "./lib/run.ts";
import { separation } from "./separation.ts";

/** Tests that judge time as a person would, or need both cores: browsers, the demo plant, a stranger's first minute, floods. */
const alone = [
  "**/tests/console.test*",
  "**/tests/console-machines.test*",
  "**/tests/console-orders*",
  "**/tests/console-mapping*",
  "**/tests/applications/console*",
  "**/tests/demo*",
  "**/tests/fresh-clone*",
  "**/tests/tag-flood*",
  "**/opcua/faults.system*",
];

const { values } = parseArgs({ options: { long: { type: "boolean", default: false } } });
const total = noTests();
let red = false;
/** So many files may be judged once more; when more are red, something is broken. */
const againMost = 3;
/** Tests that were red and then green: each is a defect of the test or of the product. */
const flaky: string[] = [];

/**
 * Tests of whole systems judge time, on a machine that others may use as well. Files with a red test run once more, all of them, by themselves: what is red again is red, what is
 * green the second time is named at the end of the run.
 */
async function system(args: string[], report: string, env: Record<string, string> | undefined) {
  const first = await runTests(args, { report, live: true, env });
  const { red: files } = first.counts;
  if (files.size === 0 || files.size > againMost) return { ok: first.code === 0, counts: first.counts };
  console.log(`\n── once more, by itself: ${[...files.keys()].join(", ")}`);
  const again = await runTests([...files.keys(), "--no-file-parallelism"], {
    report: report.replace(".json", "-again.json"),
    live: true,
    env,
  });
  const green = [...files].filter(([file]) => again.code === 0 || !again.counts.red.has(file));
  for (const [file, names] of green) {
    // A file that fails beside its tests has no names.
    const what = names.length === 0 ? [file] : names.map((name) => `${file}: ${name}`);
    flaky.push(...what);
    first.counts.failed -= Math.max(1, names.length);
    first.counts.passed += names.length;
  }
  return { ok: green.length === files.size, counts: first.counts };
}

/** One part of the run: its heading, what it says of itself, and its result into the total. */
async function part(
  title: string,
  run: () => Promise<{ ok: boolean; counts?: ReturnType<typeof noTests>; output?: string }>,
): Promise<void> {
  console.log(`\n══ ${title}`);
  const start = performance.now();
  const { ok, counts, output } = await run().catch((error: Error) => ({
    ok: false,
    counts: undefined,
    output: error.stack ?? error.message,
  }));
  if (output !== undefined && (!ok || output !== "")) console.log(output.trimEnd());
  if (counts) {
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
    total.skippedNames.push(...counts.skippedNames);
  }
  // A part that is red without a failed test (a type error, say) counts as one, so that the last line never looks green.
  if (!ok && (counts?.failed ?? 0) === 0) total.failed++;
  red ||= !ok;
  console.log(`${ok ? "ok" : "FAILED"}: ${title} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}

preparePeers();
await part("check", () => check());
const env = values.long ? { LINESHAFT_LONG: "1" } : undefined;
await part("the whole system, what bears company", async () => {
  const left = alone.flatMap((file) => ["--exclude", file]);
  return system(["tests/", ".system.test.", "--maxWorkers=2", ...left], "system-tests.json", env);
});
await part("the whole system, one after the other", () =>
  system(
    [...alone.map((file) => file.replace("**/", "").replaceAll("*", "")), "--no-file-parallelism"],
    "system-tests-alone.json",
    env,
  ),
);
if (values.long) {
  await part("the tests beside the sources, with long repetitions", async () => {
    const ran = await runTests(["--exclude", "tests/**", "--no-file-parallelism"], {
      report: "long-tests.json",
      live: true,
      env: { LINESHAFT_LONG: "1" },
    });
    return { ok: ran.code === 0, counts: ran.counts };
  });
}
await part("separation: the platform without applications/", async () => {
  const { ok, output } = await separation(fastTests);
  return { ok, output };
});
await part("OpenAPI lint", async () => {
  const { code, output } = await lintOpenApi();
  return { ok: code === 0, output: code === 0 ? "" : output };
});

if (flaky.length > 0)
  console.log(`\nred, and green when run once more; each of them wants mending:\n  ${flaky.join("\n  ")}`);
if (total.skippedNames.length > 0) console.log(`\nskipped:\n  ${total.skippedNames.join("\n  ")}`);
if (process.env.CI === "true" && total.skipped > 0) {
  console.log("In CI a skipped test is a failure: what is not tested is not known to work.");
  red = true;
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = red ? 1 : 0;
