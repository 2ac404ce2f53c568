import type { Micros } from "@lineshaft/contract/api";
import type { Increments, Segment, Transitions } from "./segment.ts";

/** What a repair changed, both ends included. */
export interface ChangedRange {
  from: Micros;
  to: Micros;
  /** A changed state moves estimated counts and micro stops around it; a changed count, alarm or identifier only itself. */
  what: "state" | "count" | "name";
}

type Facts = Pick<Segment, "transitions" | "increments">;

/**
 * The difference of two sets of facts of one binding over the same hours, by merging: both ascend by time. A changed transition changes the state until
 * the next one, `after*` being the first transition behind the compared hours.
 */
export function factsDifference(
  old: readonly Facts[],
  next: readonly Facts[],
  afterOld: Micros,
  afterNext: Micros,
  what: "state" | "name" = "state",
): ChangedRange[] {
  const ranges: ChangedRange[] = [];
  diffTransitions(joinTransitions(old), joinTransitions(next), afterOld, afterNext, what, ranges);
  diffIncrements(joinIncrements(old), joinIncrements(next), ranges);
  return ranges;
}

function diffTransitions(
  old: Transitions,
  next: Transitions,
  afterOld: Micros,
  afterNext: Micros,
  what: "state" | "name",
  into: ChangedRange[],
): void {
  let i = 0;
  let j = 0;
  const gone = (): void => {
    add(into, old.t[i], i + 1 < old.n ? old.t[i + 1] : afterOld, what);
    i++;
  };
  const come = (): void => {
    add(into, next.t[j], j + 1 < next.n ? next.t[j + 1] : afterNext, what);
    j++;
  };
  while (i < old.n && j < next.n) {
    if (old.t[i] === next.t[j] && old.code[i] === next.code[j]) {
      i++;
      j++;
    } else if (old.t[i] <= next.t[j]) gone();
    else come();
  }
  while (i < old.n) gone();
  while (j < next.n) come();
}

function diffIncrements(old: Increments, next: Increments, into: ChangedRange[]): void {
  let i = 0;
  let j = 0;
  while (i < old.n || j < next.n) {
    if (i < old.n && j < next.n && sameIncrement(old, i, next, j)) {
      i++;
      j++;
    } else if (j >= next.n || (i < old.n && old.t[i] <= next.t[j])) {
      add(into, old.source[i], old.t[i], "count");
      i++;
    } else {
      add(into, next.source[j], next.t[j], "count");
      j++;
    }
  }
}

const sameIncrement = (a: Increments, i: number, b: Increments, j: number): boolean =>
  a.t[i] === b.t[j] &&
  a.source[i] === b.source[j] &&
  a.value[i] === b.value[j] &&
  a.flags[i] === b.flags[j] &&
  a.channel[i] === b.channel[j];

function add(into: ChangedRange[], from: Micros, to: Micros, what: ChangedRange["what"]): void {
  const last = into.at(-1);
  if (last !== undefined && last.what === what && from >= last.from && from <= last.to) last.to = Math.max(last.to, to);
  else into.push({ from, to, what });
}

function joinTransitions(facts: readonly Facts[]): Transitions {
  const parts = facts.flatMap(({ transitions }) => (transitions === null || transitions.n === 0 ? [] : [transitions]));
  const n = parts.reduce((sum, part) => sum + part.n, 0);
  const joined: Transitions = { n, t: new Float64Array(n), code: new Float64Array(n) };
  let at = 0;
  for (const part of parts) {
    joined.t.set(part.t.subarray(0, part.n), at);
    joined.code.set(part.code.subarray(0, part.n), at);
    at += part.n;
  }
  return joined;
}

function joinIncrements(facts: readonly Facts[]): Increments {
  const parts = facts.flatMap(({ increments }) => (increments === null || increments.n === 0 ? [] : [increments]));
  const n = parts.reduce((sum, part) => sum + part.n, 0);
  const joined: Increments = {
    n,
    source: new Float64Array(n),
    t: new Float64Array(n),
    value: new Float64Array(n),
    flags: new Uint8Array(n),
    channel: new Uint8Array(n),
  };
  let at = 0;
  for (const part of parts) {
    joined.source.set(part.source.subarray(0, part.n), at);
    joined.t.set(part.t.subarray(0, part.n), at);
    joined.value.set(part.value.subarray(0, part.n), at);
    joined.flags.set(part.flags.subarray(0, part.n), at);
    joined.channel.set(part.channel.subarray(0, part.n), at);
    at += part.n;
  }
  return joined;
}
