import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, sourceFiles } from "./overlay.ts";

/** A line that should not be in the repository. The patterns are put together so that this file does not match itself. */
const unwanted: { pattern: RegExp; why: string; only?: RegExp }[] = [
  { pattern: new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X"].join("|")})\\b`), why: "unfinished work" },
  { pattern: new RegExp(`@ts-(${"ig" + "nore"}|${"no" + "check"})`), why: "a silenced type check" },
  {
    pattern: new RegExp(
      `(^|[\\s"'\`(=:])/(${["wo" + "rk", "ro" + "ot", "ho" + "me", "Us" + "ers", "opt/no" + "de"].join("|")})[/\\d]`,
    ),
    why: "a path of one machine",
  },
  {
    pattern: new RegExp(
      `${"regis" + "try"}\\.(npmjs|yarnpkg)|npm\\.pkg\\.|${"arti" + "factory"}\\.|"resolved": "https?:`,
    ),
    why: "the name of a package registry",
  },
];

const textFile = /\.(ts|tsx|mjs|cjs|js|json|md|yml|yaml|css|html|service|sh|py)$|(^|\/)(LICENSE|NOTICE|run)$/;
// Conformance suites are tests, though they lie in the testkit.
const codeFile = /(?<!\.test|\.fixture|-contract|\/test\/[^/]+)\.(ts|tsx|mjs|cjs)$/;
const longestFile = 400;

/** Everything untidy, one line each; empty when all is well. */
export function untidy(
  files = sourceFiles(),
  read = (file: string) => readFileSync(join(root, file), "utf8"),
): string[] {
  const found: string[] = [];
  for (const file of files) {
    if (!textFile.test(file)) continue;
    const lines = read(file).split("\n");
    if (codeFile.test(file) && lines.length > longestFile + 1 && !/hot path/i.test(lines[0])) {
      found.push(
        `${file}: ${lines.length - 1} lines; split it where a reader would, or say in line 1 that it is a hot path`,
      );
    }
    for (const [index, line] of lines.entries()) {
      for (const { pattern, why } of unwanted) {
        if (pattern.test(line)) found.push(`${file}:${index + 1}: ${why}: ${line.trim().slice(0, 120)}`);
      }
    }
  }
  return found;
}
