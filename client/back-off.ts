export interface BackOff {
  /** First pause, ms. */
  firstMs: number;
  /** Longest pause, ms. */
  maxMs: number;
}

export const defaultBackOff: BackOff = { firstMs: 200, maxMs: 10_000 };

/** Pause before attempt number `failures` + 1: doubling, with jitter so that many clients do not come back at once. */
export function pauseMs({ firstMs, maxMs }: BackOff, failures: number, random: () => number = Math.random): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 20)) * (0.5 + random() / 2);
}

/** Resolves after `ms`; rejects with the signal's reason when it is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
