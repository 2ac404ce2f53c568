const slots = 10;

/** Rows a second over the last ten whole seconds. */
export class RateMeter {
  #counts = new Float64Array(slots);
  #second = 0;

  add(nowMs: number, rows: number): void {
    this.#roll(nowMs);
    this.#counts[this.#second % slots] += rows;
  }

  perSecond(nowMs: number): number {
    this.#roll(nowMs);
    // The running second is not over, so it does not count.
    const sum = this.#counts.reduce((total, count) => total + count, 0) - this.#counts[this.#second % slots];
    return sum / (slots - 1);
  }

  #roll(nowMs: number): void {
    const now = Math.floor(nowMs / 1000);
    for (let second = Math.max(this.#second + 1, now - slots + 1); second <= now; second++)
      this.#counts[second % slots] = 0;
    this.#second = Math.max(this.#second, now);
  }
}
