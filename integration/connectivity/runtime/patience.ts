import type { Clock } from "@lineshaft/contract/ports";

/** Waits for work to end, one way or the other, but no longer than this. */
export async function orTooLong(work: Promise<unknown>, clock: Clock, ms: number): Promise<void> {
  const done = new AbortController();
  const late = clock.sleep(ms, done.signal).catch(() => undefined);
  await Promise.race([work.catch(() => undefined), late]);
  done.abort();
}
