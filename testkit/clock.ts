import type { Clock } from "@lineshaft/contract/ports";

/** A clock that moves only when told; sleepers wake in order as it passes them. */
export class FakeClock implements Clock {
  #nowUs: number;
  #monotonicMs = 0;
  #sleepers: { at: number; wake: () => void }[] = [];

  constructor(startUs = 1_795_000_000_000_000) {
    this.#nowUs = startUs;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { at: this.#monotonicMs + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((s) => s !== sleeper);
        reject(signal.reason);
      });
    });
  }

  /** Moves wall and monotonic time together. */
  advanceMs(ms: number): void {
    this.#nowUs += ms * 1000;
    this.#monotonicMs += ms;
    const due = this.#sleepers.filter((s) => s.at <= this.#monotonicMs).sort((a, b) => a.at - b.at);
    this.#sleepers = this.#sleepers.filter((s) => s.at > this.#monotonicMs);
    for (const sleeper of due) sleeper.wake();
  }

  /** The wall clock jumps; durations do not notice (F15). */
  jumpUs(us: number): void {
    this.#nowUs += us;
  }
}
