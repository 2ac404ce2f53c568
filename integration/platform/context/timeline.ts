import type { Dated, Micros } from "@lineshaft/contract/api";

/** Dated items, asked in ascending time: what holds at `t`. */
export class Timeline<T extends Dated> {
  readonly #items: readonly T[];
  #next = 0;
  #active: T[] = [];

  constructor(items: readonly T[]) {
    this.#items = items.filter((item) => item.fromUs < item.toUs).sort((a, b) => a.fromUs - b.fromUs);
  }

  /** All that hold at `t`, in the order of their beginning. Each call's `t` is not before the last one's. */
  at(t: Micros): readonly T[] {
    const items = this.#items;
    let changed = false;
    while (this.#next < items.length && items[this.#next].fromUs <= t) {
      if (!changed) this.#active = [...this.#active];
      this.#active.push(items[this.#next++]);
      changed = true;
    }
    if (this.#active.some((item) => item.toUs <= t)) this.#active = this.#active.filter((item) => item.toUs > t);
    return this.#active;
  }

  /** The one that holds at `t`, of several the one that began last; null: none. */
  one(t: Micros): T | null {
    return this.at(t).at(-1) ?? null;
  }
}

/** Adds the ends of `items` that lie inside (from, to). */
export function cutsOf(items: readonly Dated[], from: Micros, to: Micros, into: Micros[]): void {
  for (const { fromUs, toUs } of items) {
    if (fromUs > from && fromUs < to) into.push(fromUs);
    if (toUs > from && toUs < to) into.push(toUs);
  }
}

/** Ascending, each once. */
export function sorted(times: Micros[]): Float64Array {
  const all = Float64Array.from(times).sort();
  let kept = 0;
  for (let i = 0; i < all.length; i++) if (i === 0 || all[i] !== all[kept - 1]) all[kept++] = all[i];
  return all.subarray(0, kept);
}

/** Dated items as layers, each over those before it: what is left of them, in order and apart. */
export function layered<T extends Dated>(items: readonly T[]): T[] {
  let top: T[] = [];
  for (const item of items) {
    if (item.fromUs >= item.toUs) continue;
    const below = top.flatMap((each) => [
      { ...each, toUs: Math.min(each.toUs, item.fromUs) },
      { ...each, fromUs: Math.max(each.fromUs, item.toUs) },
    ]);
    top = [...below.filter(({ fromUs, toUs }) => fromUs < toUs), item];
  }
  return top.sort((a, b) => a.fromUs - b.fromUs);
}
