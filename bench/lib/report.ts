import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { root } from "./server.ts";

/** One bench: what it measures, what it must and should reach, and how it is run. */
export interface Bench {
  name: string;
  /** One sentence for `--list`. */
  about: string;
  unit: string;
  /** The figure must be at least (`higher`) or at most (`lower`) this; null: a figure for information. */
  better: "higher" | "lower";
  floor: number | null;
  target: number | null;
  run(context: BenchContext): Promise<BenchResult>;
}

export interface BenchContext {
  /** Five seconds of everything: shows that it works, measures nothing. */
  quick: boolean;
  /** How long the measured phase lasts. */
  seconds: number;
  /** A temporary directory of this run, on the disk that is measured. */
  dir: string;
  /** Data that later runs may use again. */
  cacheDir: string;
  /** Where CPU profiles of the server go; null: none wanted. */
  profileDir: string | null;
  say(text: string): void;
}

export interface BenchResult {
  value: number;
  /** Whatever explains the value. */
  [detail: string]: unknown;
}

export interface Line extends BenchResult {
  name: string;
  unit: string;
}

export function machine(): { cpu: string; cores: number; memoryGiB: number; node: string; commit: string } {
  let commit = "unknown";
  try {
    commit = execFileSync("git", ["rev-parse", "--short=12", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
  } catch {
    // Not a clone: an archive has no commit.
  }
  const [first] = cpus();
  return {
    cpu: first.model.trim(),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    commit,
  };
}

/** The target of a run: a bench whose target depends on this disk says it with its result. */
function targetOf(bench: Bench, line: Line): number | null {
  return typeof line.target === "number" ? line.target : bench.target;
}

/** How a value stands against floor and target. */
export function verdict(bench: Bench, line: Line): "target" | "floor" | "missed" | "" {
  const target = targetOf(bench, line);
  if (bench.floor === null || target === null) return "";
  const reaches = (limit: number): boolean => (bench.better === "higher" ? line.value >= limit : line.value <= limit);
  return reaches(target) ? "target" : reaches(bench.floor) ? "floor" : "missed";
}

const number = (value: number | null): string => (value === null ? "–" : value.toLocaleString("en-GB"));

/** The results page: machine, one table, each bench's own JSON line, and where the time goes in those that missed their target. */
export function resultsPage(
  benches: readonly Bench[],
  lines: readonly Line[],
  profiles: readonly { name: string; text: readonly string[] }[],
  when: Date,
  quick: boolean,
): string {
  const { cpu, cores, memoryGiB, node, commit } = machine();
  const byName = new Map(lines.map((line) => [line.name, line]));
  const rows = benches.flatMap((bench) => {
    const line = byName.get(bench.name);
    if (!line) return [];
    const stands = { target: "target reached", floor: "floor reached", missed: "**missed**", "": "" };
    const reached = stands[verdict(bench, line)];
    return [
      `| \`${bench.name}\` | ${bench.unit} | ${number(bench.floor)} | ${number(targetOf(bench, line))} | ${number(line.value)} | ${reached} |`,
    ];
  });
  return [
    "# Results of the benches",
    "",
    "Written by `npm run bench -- all`; what each bench does is told at the head of its file in `bench/`.",
    "Generator, consumer and server share this machine; every acknowledged point was synced to disk first.",
    ...(quick ? ["", "**A quick run: it shows that the benches work; its figures mean nothing.**"] : []),
    "",
    `- Machine: ${cores} × ${cpu}, ${memoryGiB} GiB`,
    `- Node ${node}, commit ${commit}, ${when.toISOString()}`,
    "",
    "| bench | unit | floor | target | value | |",
    "|---|---|--:|--:|--:|---|",
    ...rows,
    "",
    "## Details",
    "",
    "```json",
    ...lines.map((line) => JSON.stringify(line)),
    "```",
    "",
    ...(profiles.length === 0 ? [] : ["## Where the time goes, where a target was missed", ""]),
    ...profiles.flatMap(({ name, text }) => [
      `\`${name}\`: self time by thread and function, in a run of its own under the profiler.`,
      "",
      "```text",
      ...text,
      "```",
      "",
    ]),
  ].join("\n");
}
