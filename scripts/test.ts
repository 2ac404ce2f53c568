/**
 * `npm test`: everything. The check, the tests of the whole system, the separation step, the OpenAPI lint. Ends with one line
 * `N passed, N failed, N skipped`. With CI=true a skipped test is a failure. `--long` adds what takes hours.
 */
import { parseArgs } from "node:util";
import { check, fastTests } from "./check.ts";
import { lintOpenApi } from "./lib/openapi.ts";
import { preparePeers } from "./lib/peers.ts";
import { noTests, runTests, runTestsTwice, type TestCounts } from "./lib/run.ts";
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
async function system(args: string[], report: string, env: Record<string, string> | undefined) {
  const { code, counts } = await runTestsTwice(args, { report, live: true, env });
  return { ok: code === 0, counts };
}

/** One part of the run: its heading, what it says of itself, and its result into the total. */
async function part(
  title: string,
  run: () => Promise<{ ok: boolean; counts?: TestCounts; output?: string }>,
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
    total.flaky.push(...counts.flaky);
  }
  // A part that is red without a failed test (a type error, say) counts as one, so that the last line never looks green.
  if (!ok && (counts?.failed ?? 0) === 0) total.failed++;
  red ||= !ok;
  console.log(`${ok ? "ok" : "FAILED"}: ${title} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}

preparePeers();
await part("check", () => check({ twice: true }));
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

if (total.flaky.length > 0)
  console.log(`\nred, and green when run once more; each of them wants mending:\n  ${total.flaky.join("\n  ")}`);
if (total.skippedNames.length > 0) console.log(`\nskipped:\n  ${total.skippedNames.join("\n  ")}`);
if (process.env.CI === "true" && total.skipped > 0) {
  console.log("In CI a skipped test is a failure: what is not tested is not known to work.");
  red = true;
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = red ? 1 : 0;
