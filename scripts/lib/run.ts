import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./overlay.ts";

export interface Ran {
  code: number;
  /** Standard output and error, in the order in which they came. */
  output: string;
}

/** Runs a program under this Node, or a script of a package, and collects what it prints; `live` shows it too. */
export function runNode(
  args: string[],
  options: { live?: boolean; env?: Record<string, string>; cwd?: string } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const parts: Buffer[] = [];
    const collect = (chunk: Buffer): void => {
      parts.push(chunk);
      if (options.live) process.stdout.write(chunk);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", (error) => resolve({ code: 1, output: error.message }));
    child.on("close", (code) => resolve({ code: code ?? 1, output: Buffer.concat(parts).toString() }));
  });
}

/** The script behind a package's command, so that it runs without a shell on every system. */
export function bin(packageName: string, command = packageName): string {
  const manifest = join(root, "node_modules", packageName, "package.json");
  const { bin: bins } = JSON.parse(readFileSync(manifest, "utf8")) as { bin: string | Record<string, string> };
  return join(dirname(manifest), typeof bins === "string" ? bins : bins[command]);
}

export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
  /** Full names of the skipped tests, with their file. */
  skippedNames: string[];
  /** Files with a failure, from the root of the repository, and what failed in them. */
  red: Map<string, string[]>;
  /** Tests that were red and then green: each is a defect of the test or of the product. */
  flaky: string[];
}

export const noTests = (): TestCounts => ({
  ...{ passed: 0, failed: 0, skipped: 0, skippedNames: [], red: new Map(), flaky: [] },
});

/** Runs vitest and reads its numbers from the JSON report. A run that left no report counts as one failure. */
export async function runTests(
  args: string[],
  options: { live?: boolean; env?: Record<string, string>; report: string },
): Promise<Ran & { counts: TestCounts }> {
  const report = join(root, "node_modules", ".cache", options.report);
  const ran = await runNode(
    [bin("vitest"), "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...args],
    { live: options.live, env: { NO_COLOR: "1", ...options.env } },
  );
  const counts = existsSync(report) ? readCounts(report) : null;
  if (counts === null) return { ...ran, code: ran.code || 1, counts: { ...noTests(), failed: 1 } };
  // A file that fails to load has no tests to fail, yet the run is red.
  if (ran.code !== 0 && counts.failed === 0) counts.failed = 1;
  return { ...ran, counts };
}

/** So many files may be judged once more; when more are red, something is broken. */
const againMost = 3;

/**
 * Tests of whole systems judge time, on a machine that others may use as well. Files with a red test run once more, all of them, by themselves: what is red again is red, what is
 * green the second time counts as passed and is named.
 */
export async function runTestsTwice(
  args: string[],
  options: { live?: boolean; env?: Record<string, string>; report: string },
): Promise<Ran & { counts: TestCounts }> {
  const first = await runTests(args, options);
  const { counts } = first;
  const files = [...counts.red];
  if (files.length === 0 || files.length > againMost) return first;
  // A property that failed once has found something: its seed must not be lost.
  if (!options.live) console.log(first.output.trimEnd());
  console.log(`\n── once more, by itself: ${files.map(([file]) => file).join(", ")}`);
  const report = options.report.replace(".json", "-again.json");
  const again = await runTests([...files.map(([file]) => file), "--no-file-parallelism"], { ...options, report });
  const green = files.filter(([file]) => again.code === 0 || !again.counts.red.has(file));
  for (const [file, names] of green) {
    // A file that fails beside its tests has no names.
    counts.flaky.push(...(names.length === 0 ? [file] : names.map((name) => `${file}: ${name}`)));
    counts.failed -= Math.max(1, names.length);
    counts.passed += names.length;
  }
  return { ...first, code: green.length === files.length ? 0 : 1, counts };
}

function readCounts(report: string): TestCounts {
  const { testResults } = JSON.parse(readFileSync(report, "utf8")) as {
    testResults: { name: string; status: string; assertionResults: { status: string; fullName: string }[] }[];
  };
  const counts = noTests();
  for (const file of testResults) {
    const failed = file.assertionResults.filter(({ status }) => status === "failed");
    if (file.status === "failed")
      counts.red.set(
        file.name.slice(root.length + 1),
        failed.map(({ fullName }) => fullName),
      );
    for (const test of file.assertionResults) {
      if (test.status === "passed") counts.passed++;
      else if (test.status === "failed") counts.failed++;
      else {
        counts.skipped++;
        counts.skippedNames.push(`${file.name.slice(root.length + 1)}: ${test.fullName}`);
      }
    }
  }
  return counts;
}
