import type { Micros } from "@lineshaft/contract/api";
import type { Span } from "./known.ts";

/** The first instant with so much running time behind it. */
export function placeAt(runs: readonly Span[], running: Micros): Micros {
  let left = running;
  for (const { fromUs, toUs } of runs) {
    if (left <= toUs - fromUs) return fromUs + left;
    left -= toUs - fromUs;
  }
  return runs[runs.length - 1].toUs;
}

export const holds = ({ fromUs, toUs }: Span, at: Micros): boolean => fromUs <= at && at < toUs;

/** What of a list holds at ascending instants. */
export function cursor<T extends Span>(spans: readonly T[]): (at: Micros) => T | null {
  let i = 0;
  return (at) => {
    while (i < spans.length && spans[i].toUs <= at) i++;
    return i < spans.length && spans[i].fromUs <= at ? spans[i] : null;
  };
}

/** Index of the first span that ends behind `t`. */
export function firstBehind(spans: readonly Span[], t: Micros): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle].toUs <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the stretch with from < t ≤ to. */
export function endingAt(stretches: readonly Span[], t: Micros): number {
  return stretches.length > 0 && t > stretches[0].fromUs ? firstBehind(stretches, t - 1) : stretches.length;
}
