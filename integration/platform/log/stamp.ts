import type { Micros } from "@lineshaft/contract/api";
import type { Clock } from "@lineshaft/contract/ports";

/** Stamps records: never backwards within a generation, however the wall clock jumps (F15). */
export class RecordClock {
  #last: Micros;
  #wallUs: Micros;
  #monotonicMs: number;
  readonly #clock: Clock;
  readonly #jumpUs: number;
  readonly #onJump: (fromUs: Micros, toUs: Micros) => void;

  constructor(clock: Clock, last: Micros, jumpMs: number, onJump: (fromUs: Micros, toUs: Micros) => void) {
    this.#clock = clock;
    this.#last = last;
    this.#jumpUs = jumpMs * 1000;
    this.#onJump = onJump;
    this.#wallUs = clock.nowUs();
    this.#monotonicMs = clock.monotonicMs();
  }

  next(): Micros {
    const nowUs = this.#clock.nowUs();
    const monotonicMs = this.#clock.monotonicMs();
    const expectedUs = this.#wallUs + (monotonicMs - this.#monotonicMs) * 1000;
    this.#wallUs = nowUs;
    this.#monotonicMs = monotonicMs;
    if (Math.abs(nowUs - expectedUs) > this.#jumpUs) this.#onJump(Math.round(expectedUs), nowUs);
    this.#last = Math.max(this.#last, nowUs);
    return this.#last;
  }

  /** A new generation may begin at an earlier time. */
  restart(): void {
    this.#last = 0;
  }
}
