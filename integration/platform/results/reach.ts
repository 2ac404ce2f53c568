import { hourUs, incrementFlags, type MachineFacts, type Micros } from "@lineshaft/contract/api";
import { stateSpans, stopsOf } from "../context/index.ts";

export interface Range {
  fromUs: Micros;
  toUs: Micros;
}

/** Stops and estimated counts that reach further are judged by what is seen of them. */
const aroundUs = 12 * hourUs;

/**
 * How far a change in a range reaches: over the stops that touch it, since a reason stands for the whole of a stop and a stop is micro by its whole length, and over the counts whose
 * places were estimated across its ends.
 */
export function reachOf(range: Range, read: (fromUs: Micros, toUs: Micros) => MachineFacts): Range {
  const { fromUs, toUs } = range;
  // Only the ends matter: what lies between is in the range anyway.
  const left = Number.isFinite(fromUs) ? touching(fromUs, read(fromUs - aroundUs, fromUs + 1)) : range;
  const right = Number.isFinite(toUs) ? touching(toUs, read(toUs - 1, toUs + aroundUs)) : range;
  return { fromUs: Math.min(fromUs, left.fromUs), toUs: Math.max(toUs, right.toUs) };
}

/** The hull of the stops and estimated counts that touch an instant. */
function touching(at: Micros, facts: MachineFacts): Range {
  let [fromUs, toUs] = [at, at];
  const reach = (from: Micros, to: Micros): void => {
    if (from > at || to < at) return;
    fromUs = Math.min(fromUs, from);
    toUs = Math.max(toUs, to);
  };
  for (const stop of stopsOf(stateSpans(facts))) reach(stop.from, stop.to);
  const { increments } = facts;
  for (let i = 0; i < increments.count; i++)
    if ((increments.flags[i] & incrementFlags.estimated) !== 0) reach(increments.source[i], increments.t[i]);
  return { fromUs, toUs };
}
