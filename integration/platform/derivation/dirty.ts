import { incrementFlags, type Micros } from "@lineshaft/contract/api";
import type { FactsCause, FactsKind, Lsn } from "@lineshaft/contract/ports";
import type { Binding } from "./binding.ts";
import type { ChangedRange } from "./difference.ts";
import { type Increments, lowerBound } from "./segment.ts";

/** Why something changed, and the newest record that had a part in it. */
export interface Because {
  cause: FactsCause;
  lsn: Lsn;
}

/** Facts of an equipment that changed, both ends included. */
export interface DirtyRange extends Because {
  equipment: number;
  what: FactsKind;
  from: Micros;
  to: Micros;
}

/**
 * What changed facts make wrong beyond themselves. A changed state changes which stops are micro stops, up to the threshold on both sides; and where the
 * pieces of an estimated increment lie follows from the producing time in its source interval, so a change within makes all of the interval dirty.
 */
export function mergeRanges(
  equipment: number,
  bindings: readonly Binding[],
  changes: readonly ChangedRange[],
  microStopUs: number,
  because: Because,
): DirtyRange[] {
  const { cause, lsn } = because;
  const what = "production";
  const ranges: DirtyRange[] = [];
  for (const { from, to, what: changed } of changes) {
    if (changed === "count") {
      ranges.push({ equipment, what, from, to, cause, lsn });
      continue;
    }
    ranges.push({ equipment, what, from: from - microStopUs, to: to + microStopUs, cause, lsn });
    for (const binding of bindings)
      for (const spread of estimatedOver(binding, from, to)) ranges.push({ equipment, what, ...spread, cause, lsn });
  }
  return ranges.length === 1 ? ranges : united(ranges);
}

/** Changed alarms or identifiers: nothing around them rests on them. */
export const namedRanges = (of: Omit<DirtyRange, "from" | "to">, changes: readonly ChangedRange[]): DirtyRange[] =>
  united(changes.map(({ from, to }) => ({ ...of, from, to })));

/** Source intervals of the estimated increments that meet [from, to]. */
function* estimatedOver({ track }: Binding, from: Micros, to: Micros): Generator<{ from: Micros; to: Micros }> {
  if (track.kind !== "counter") return;
  // An increment is emitted at its time or later, so none is in an hour before; ascending, so the first that begins behind `to` ends it.
  for (const { increments } of track.emittedFrom(from)) {
    if (increments === null || increments.n === 0) continue;
    yield* estimatedIn(increments, from, to);
    if (increments.source[0] > to) return;
  }
}

function* estimatedIn(
  { n, source, t, flags }: Increments,
  from: Micros,
  to: Micros,
): Generator<{ from: Micros; to: Micros }> {
  for (let i = lowerBound(t, n, from); i < n && source[i] <= to; i++)
    if ((flags[i] & incrementFlags.estimated) !== 0) yield { from: source[i], to: t[i] };
}

function united(ranges: DirtyRange[]): DirtyRange[] {
  ranges.sort((a, b) => a.from - b.from);
  const result: DirtyRange[] = [];
  for (const range of ranges) {
    const last = result.at(-1);
    if (last !== undefined && range.from <= last.to) last.to = Math.max(last.to, range.to);
    else result.push(range);
  }
  return result;
}
