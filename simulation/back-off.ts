/** Seams to time and chance, so that tests need not wait. */
export interface Waiting {
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
}

const firstMs = 200;
const longestMs = 10_000;

/** Exponential back-off with full jitter: sources that lost the same server do not come back in step. */
export function backOffMs(attempt: number, random: number): number {
  return 50 + random * Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 10));
}
