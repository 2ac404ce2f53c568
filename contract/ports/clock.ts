import type { Micros } from "../api/index.ts";

/** Time as a parameter. Nothing below the host reads the clock by itself. */
export interface Clock {
  /** Wall clock, µs since 1970 UTC. May jump. */
  nowUs(): Micros;
  /** Monotonic milliseconds, for durations. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
