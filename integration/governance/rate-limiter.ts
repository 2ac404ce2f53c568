import type { Clock } from "@lineshaft/contract/ports";

/** Token buckets by key (a connection, an API key, an address). Memory is bounded; a bucket that was forgotten starts full. */
export interface RateLimiter {
  /** Takes `amount` and returns 0, or takes nothing and returns the seconds until it is worth asking again. */
  take(key: string, amount: number): number;
  /** The same answer without taking. */
  wait(key: string, amount: number): number;
}

export interface RateLimit {
  clock: Pick<Clock, "monotonicMs">;
  /** How fast a bucket refills. */
  ratePerSecond: number;
  /** How much it holds. A single amount beyond it is admitted from a full bucket, and paid back before the next. */
  burst: number;
  /** Buckets kept; the one unused for longest goes first. Default 10,000. */
  maxKeys?: number;
}

export function createRateLimiter({ clock, ratePerSecond, burst, maxKeys = 10_000 }: RateLimit): RateLimiter {
  const buckets = new Map<string, { tokens: number; atMs: number }>();

  const filled = (key: string): { tokens: number; atMs: number } => {
    const nowMs = clock.monotonicMs();
    const known = buckets.get(key);
    const bucket = known ?? { tokens: burst, atMs: nowMs };
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * ratePerSecond);
    bucket.atMs = nowMs;
    return bucket;
  };
  const missing = (bucket: { tokens: number }, amount: number): number =>
    Math.max(0, Math.min(amount, burst) - bucket.tokens) / ratePerSecond;

  return {
    wait: (key, amount) => missing(filled(key), amount),
    take: (key, amount) => {
      const bucket = filled(key);
      // Deleted and set again, so that the map's order is the order of last use.
      buckets.delete(key);
      buckets.set(key, bucket);
      if (buckets.size > maxKeys) buckets.delete(buckets.keys().next().value as string);
      const seconds = missing(bucket, amount);
      if (seconds === 0) bucket.tokens -= amount;
      return seconds;
    },
  };
}
