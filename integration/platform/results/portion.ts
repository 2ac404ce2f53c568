import type { WorkItem } from "@lineshaft/contract/api";

/** Nobody shall wait longer for the main thread because somebody takes work. */
const portionMs = 6;

/** Work that is given out at once: as much as was asked for, or what comes together in a few milliseconds. */
export class Portion {
  readonly items: WorkItem[] = [];
  /** It ended because of its time, and there may be more. */
  more = false;
  readonly #limit: number;
  readonly #nowMs: () => number;
  readonly #endMs: number;

  constructor(limit: number, nowMs: () => number) {
    this.#limit = limit;
    this.#nowMs = nowMs;
    this.#endMs = nowMs() + portionMs;
  }

  get full(): boolean {
    if (this.items.length >= this.#limit) return true;
    this.more ||= this.items.length > 0 && this.#nowMs() >= this.#endMs;
    return this.more;
  }
}

/** Portions until there is enough or no more is to be had; whoever waits for something else is served in between. */
export async function inPortions(limit: number, take: (most: number) => Portion): Promise<WorkItem[]> {
  const items: WorkItem[] = [];
  for (;;) {
    const portion = take(limit - items.length);
    items.push(...portion.items);
    if (!portion.more || items.length >= limit) return items;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
