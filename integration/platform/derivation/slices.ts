/** So long one piece of work may keep the main thread to itself, ms. */
const sliceMs = 6;

/**
 * Long work in slices, so that who waits for the main thread waits for one of them and not for all. Where a slice is over, everything that has come in meanwhile is
 * served first: sockets, commits of the log, timers.
 */
export class Slices {
  readonly #nowMs: () => number;
  readonly #turn: () => Promise<void>;
  #sinceMs = Number.NEGATIVE_INFINITY;

  /** `turn` resolves when the others had theirs. */
  constructor(nowMs: () => number, turn: () => Promise<void> = immediate) {
    this.#nowMs = nowMs;
    this.#turn = turn;
  }

  get over(): boolean {
    return this.#nowMs() - this.#sinceMs >= sliceMs;
  }

  /** Between two parts of the work, each of which is short. Resolves at once while the slice lasts. */
  async pause(): Promise<void> {
    if (!this.over) return;
    await this.#turn();
    this.#sinceMs = this.#nowMs();
  }
}

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
