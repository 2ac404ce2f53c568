/** What to count on a signal that is on or off. */
export interface PulseOptions {
  edge: "rising" | "falling" | "both";
  /** A new level counts once it has lasted this long. */
  debounceMs: number;
}

/**
 * Counts edges between polls. The count begins at 0 with the instance and is never stored: after a restart it is a counter that was reset, which
 * its readers know how to handle, while a stored one could come back a few pulses too low, which nobody could tell from a repeat. It does not
 * roll over: a float64 counts exactly to 2^53, 285 years of a million pulses a second.
 */
export class PulseCounter {
  readonly #options: PulseOptions;
  /** The level that counts; null before the first sample. */
  #level: boolean | null = null;
  #otherSinceMs: number | null = null;
  count = 0;

  constructor(options: PulseOptions) {
    this.#options = options;
  }

  /** One sample; samples come in order. After an outage a changed level is one edge: at least that one happened. */
  sample(level: boolean, atMs: number): void {
    this.#level ??= level;
    if (level === this.#level) {
      this.#otherSinceMs = null;
      return;
    }
    this.#otherSinceMs ??= atMs;
    if (atMs - this.#otherSinceMs < this.#options.debounceMs) return;
    this.#level = level;
    this.#otherSinceMs = null;
    if (this.#options.edge === "both" || (this.#options.edge === "rising") === level) this.count++;
  }
}
