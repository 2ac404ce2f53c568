import type { Micros } from "@lineshaft/contract/api";

/** A value, whole µs, that holds from an instant to the next; 0 before the first. The ideal cycle of an equipment, by the order in work, comes like this. */
export class Steps {
  static readonly none = new Steps([], []);
  readonly from: Float64Array;
  readonly value: Float64Array;
  #hint = 0;

  constructor(from: ArrayLike<number>, value: ArrayLike<number>) {
    this.from = Float64Array.from(from);
    this.value = Float64Array.from(value, Math.round);
  }

  at(t: Micros): number {
    const { from } = this;
    const n = from.length;
    if (n === 0 || t < from[0]) return 0;
    let i = this.#hint;
    if (!(t >= from[i] && (i + 1 >= n || t < from[i + 1]))) {
      let low = 0;
      let high = n;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (from[middle] <= t) low = middle + 1;
        else high = middle;
      }
      i = low - 1;
      this.#hint = i;
    }
    return this.value[i];
  }

  get greatest(): number {
    return this.value.reduce((most, value) => Math.max(most, value), 0);
  }
}

/** Where two step functions differ; the last range may reach to Infinity. */
export function stepsDifference(old: Steps, next: Steps): { from: Micros; to: Micros }[] {
  const bounds = [...new Set([...old.from, ...next.from])].sort((a, b) => a - b);
  const ranges: { from: Micros; to: Micros }[] = [];
  for (let i = 0; i < bounds.length; i++) {
    if (old.at(bounds[i]) === next.at(bounds[i])) continue;
    const to = bounds[i + 1] ?? Number.POSITIVE_INFINITY;
    const last = ranges.at(-1);
    if (last !== undefined && last.to === bounds[i]) last.to = to;
    else ranges.push({ from: bounds[i], to });
  }
  return ranges;
}
