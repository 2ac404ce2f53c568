import type { Clock } from "@lineshaft/contract/ports";

const firstPauseMs = 5000;
const longestPauseMs = 60_000;

export interface UnitsOptions {
  clock: Clock;
  /** So many time-outs in a row until a unit is left alone for a while. */
  timeouts: number;
  /** Told once when a unit falls silent, and once when it answers again. */
  onChange(unit: number, answers: boolean): void;
}

/**
 * Which units behind one address answer. A silent one costs a time-out at each poll, which the others would have to wait for; so it is asked ever
 * more rarely, up to once a minute. At most 256 entries.
 */
export class Units {
  readonly #options: UnitsOptions;
  readonly #silent = new Map<number, { timeouts: number; pauseMs: number; pausedUntilMs: number }>();

  constructor(options: UnitsOptions) {
    this.#options = options;
  }

  isPaused(unit: number): boolean {
    const silence = this.#silent.get(unit);
    return silence !== undefined && this.#options.clock.monotonicMs() < silence.pausedUntilMs;
  }

  note(unit: number, answer: "data" | "exception" | "violation" | "timeout"): void {
    const silence = this.#silent.get(unit);
    if (answer !== "timeout") {
      if (silence === undefined) return;
      this.#silent.delete(unit);
      if (silence.pauseMs > 0) this.#options.onChange(unit, true);
      return;
    }
    const { clock, timeouts, onChange } = this.#options;
    const now = silence ?? { timeouts: 0, pauseMs: 0, pausedUntilMs: 0 };
    this.#silent.set(unit, now);
    if (++now.timeouts < timeouts) return;
    if (now.pauseMs === 0) onChange(unit, false);
    now.pauseMs = Math.min(longestPauseMs, now.pauseMs === 0 ? firstPauseMs : 2 * now.pauseMs);
    now.pausedUntilMs = clock.monotonicMs() + now.pauseMs;
  }

  /** A new connection: every unit is asked again at once. */
  resume(): void {
    for (const silence of this.#silent.values()) {
      silence.timeouts = 0;
      silence.pausedUntilMs = 0;
    }
  }

  silent(): number[] {
    return [...this.#silent].filter(([, { pauseMs }]) => pauseMs > 0).map(([unit]) => unit);
  }
}
