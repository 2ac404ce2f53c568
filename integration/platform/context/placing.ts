import { type Counting, incrementFlags, type MachineFacts, type Micros } from "@lineshaft/contract/api";
import { RunningClock, stateSpans } from "./states.ts";

/**
 * Counts in time (RULES 12). A count stamped t belongs to the period with from < t ≤ to. An estimated one is spread: unit i of n lies at quantile
 * (i − ½)/n of the time in (source, t] in which the machine produced or may have; continuous quantities lie there evenly.
 */
export interface PlacedCount {
  source: Micros;
  t: Micros;
  n: number;
  /** Index into `countKinds`; whatever else its maker wants to know it by. */
  kind: number;
  estimated: boolean;
  /** It is of something without pieces, or not a whole number of them. */
  continuous: boolean;
  uncertain: boolean;
  /** How much of it lies at or before `x`. */
  until(x: Micros): number;
}

/** The increments of a machine, each with its place. `counting` tells, at the time of each, whether it counts pieces. */
export function placeCounts(facts: MachineFacts, counting: readonly Counting[]): PlacedCount[] {
  const continuousAt = (at: Micros): boolean =>
    counting.some((each) => each.continuous === true && each.fromUs < at && at <= each.toUs);
  const { source, t, n, kind, flags, count } = facts.increments;
  const clock = new RunningClock(stateSpans(facts));
  const placed: PlacedCount[] = [];
  for (let i = 0; i < count; i++) {
    const estimated = (flags[i] & incrementFlags.estimated) !== 0;
    const uncertain = (flags[i] & incrementFlags.uncertain) !== 0;
    const continuous = !Number.isInteger(n[i]) || continuousAt(t[i]);
    const count = { source: source[i], t: t[i], n: n[i], kind: kind[i], estimated, continuous, uncertain };
    placed.push(place(count, clock));
  }
  return placed;
}

export function place(count: Omit<PlacedCount, "until">, clock: Pick<RunningClock, "at">): PlacedCount {
  const { source, t, n } = count;
  if (!count.estimated || t <= source) return { ...count, until: (x) => (x >= t ? n : 0) };
  const start = clock.at(source);
  const running = clock.at(t) - start;
  // If it never ran, the whole interval is as likely.
  const length = running === 0 ? t - source : running;
  const at = (x: Micros): Micros => (running === 0 ? x - source : clock.at(x) - start);
  const until = (x: Micros): number => {
    if (x <= source) return 0;
    if (x >= t) return n;
    return count.continuous ? (n * at(x)) / length : unitsUntil(at(x), length, n);
  };
  return { ...count, until };
}

/** A count that is no range begins just before its instant: that belongs to the piece that ends there. */
export function startOf(count: PlacedCount): Micros {
  return count.estimated || count.uncertain ? Math.min(count.source, count.t - 1) : count.t - 1;
}

/** How many of the places (i − ½)·length/n are ≤ at, exactly. */
function unitsUntil(at: number, length: number, n: number): number {
  const twice = 2 * at * n + length;
  if (twice <= Number.MAX_SAFE_INTEGER && Number.isSafeInteger(at)) return Math.floor(twice / (2 * length));
  const exact = (2n * BigInt(Math.floor(at)) * BigInt(n) + BigInt(length)) / (2n * BigInt(length));
  return Number(exact);
}
