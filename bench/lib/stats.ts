/** Samples of a duration or a rate, kept whole up to a bound and as a fair sample beyond it. */
export class Samples {
  count = 0;
  max = 0;
  #kept: Float64Array;
  #sorted = false;
  readonly #bound: number;
  readonly #random: () => number;

  constructor(bound = 1_000_000, random: () => number = Math.random) {
    this.#bound = bound;
    this.#random = random;
    this.#kept = new Float64Array(Math.min(bound, 1_024));
  }

  add(value: number): void {
    if (value > this.max) this.max = value;
    const n = this.count++;
    this.#sorted = false;
    if (n < this.#bound) {
      if (n === this.#kept.length) {
        const grown = new Float64Array(Math.min(this.#bound, n * 2));
        grown.set(this.#kept);
        this.#kept = grown;
      }
      this.#kept[n] = value;
      return;
    }
    // Reservoir sampling (Vitter's algorithm R): each value stays with equal chance.
    const at = Math.floor(this.#random() * this.count);
    if (at < this.#bound) this.#kept[at] = value;
  }

  /** Nearest-rank percentile; 0 when there is no sample. */
  percentile(p: number): number {
    const n = Math.min(this.count, this.#bound);
    if (n === 0) return 0;
    if (!this.#sorted) this.#kept.subarray(0, n).sort();
    this.#sorted = true;
    return this.#kept[Math.min(n - 1, Math.max(0, Math.ceil((p / 100) * n) - 1))];
  }

  /** For a report: rounded to two digits after the point. */
  summary(): { count: number; p50: number; p99: number; max: number } {
    return {
      count: this.count,
      p50: round(this.percentile(50)),
      p99: round(this.percentile(99)),
      max: round(this.max),
    };
  }

  /** All kept values, for handing over to another process. */
  values(): number[] {
    return Array.from(this.#kept.subarray(0, Math.min(this.count, this.#bound)));
  }
}

export function round(value: number, digits = 2): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Microseconds of wall clock that run evenly and agree between processes: the monotonic clock plus an offset that one process gives to all. */
export class SharedClock {
  readonly offsetUs: number;

  constructor(offsetUs = Date.now() * 1000 - monotonicUs()) {
    this.offsetUs = offsetUs;
  }

  nowUs(): number {
    return Math.floor(monotonicUs() + this.offsetUs);
  }
}

/** CLOCK_MONOTONIC in µs: the same for all processes of a machine. */
function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
