import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const folders = [
  "contract",
  "client",
  "integration",
  "applications",
  "ui",
  "simulation",
  "testkit",
  "host",
  "tests",
  "bench",
  "scripts",
];

export interface CruiseResult {
  modules: number;
  /** Every module read, by path relative to the root. */
  sources: string[];
  violations: { rule: string; from: string; to: string; comment: string }[];
}

/**
 * Judges all imports of the tree at `dir` by its own .dependency-cruiser.cjs. Throws when no module was read: under a TypeScript that
 * it does not know, dependency-cruiser reads nothing and is content.
 */
export function cruise(dir: string): CruiseResult {
  const run = spawnSync(
    process.execPath,
    [
      join(dir, "node_modules", "dependency-cruiser", "bin", "dependency-cruiser.mjs"),
      ...["--config", ".dependency-cruiser.cjs", "--output-type", "json"],
      ...folders.filter((folder) => existsSync(join(dir, folder))),
    ],
    { cwd: dir, encoding: "utf8", maxBuffer: 1 << 28 },
  );
  if (!run.stdout.startsWith("{")) throw new Error(`dependency-cruiser gave no answer: ${run.stderr || run.stdout}`);
  const { modules, summary } = JSON.parse(run.stdout) as {
    modules: { source: string; coreModule?: boolean }[];
    summary: {
      totalCruised: number;
      violations: { from: string; to: string; rule: { name: string }; comment?: string }[];
    };
  };
  const sources = modules.map((module) => module.source);
  if (!sources.some((source) => source.startsWith("contract/api/"))) {
    throw new Error("dependency-cruiser read no module of ours: is this TypeScript newer than it understands?");
  }
  return {
    modules: summary.totalCruised,
    sources,
    violations: summary.violations.map((v) => ({
      rule: v.rule.name,
      from: v.from,
      to: v.to,
      comment: v.comment ?? "",
    })),
  };
}
