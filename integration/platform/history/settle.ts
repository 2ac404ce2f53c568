import type { Lsn } from "@lineshaft/contract/ports";
import type { StoredFile } from "./file-name.ts";

/**
 * Which of the files found hold the truth. A compaction renames all its outputs before it removes the first input. So where all inputs are
 * still there and an output is missing, it did not finish: its outputs are obsolete. Otherwise it did, and inputs that are left are obsolete.
 * `elsewhere`: names of files known to exist though not among `found`.
 */
export function settle(
  found: readonly StoredFile[],
  elsewhere: ReadonlySet<string>,
): { valid: StoredFile[]; obsolete: StoredFile[] } {
  const present = new Set([...found.map((file) => file.name), ...elsewhere]);
  const obsolete = new Set<string>();
  // Younger compactions first: an output that was itself compacted away counts as finished through its own successor.
  for (const file of [...found].sort((a, b) => b.serial - a.serial)) {
    const { supersedes, outputs } = file.meta;
    if (supersedes.length === 0) continue;
    const finished = outputs.every((name) => present.has(name)) || !supersedes.every((name) => present.has(name));
    if (finished) for (const name of supersedes) obsolete.add(name);
    else obsolete.add(file.name);
  }
  return {
    valid: found.filter((file) => !obsolete.has(file.name)),
    obsolete: found.filter((file) => obsolete.has(file.name)),
  };
}

/** Ranges of LSNs (ends included) as few ranges, ascending. Ranges that touch become one. */
export function unite(ranges: readonly [Lsn, Lsn][]): [Lsn, Lsn][] {
  const united: [Lsn, Lsn][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = united[united.length - 1];
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else united.push([from, to]);
  }
  return united;
}

/** What the ranges leave out of 1 … `end`. Heads follow one another without a gap, so a file that stood there is gone. */
export function holes(ranges: readonly [Lsn, Lsn][], end: Lsn): [Lsn, Lsn][] {
  const found: [Lsn, Lsn][] = [];
  let next = 1;
  for (const [from, to] of unite(ranges)) {
    if (from > next) found.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= end) found.push([next, end]);
  return found;
}
