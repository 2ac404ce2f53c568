import { ProblemError } from "@lineshaft/contract/api";

/** Refuses new batches while memory is short (80 % of the bound) or the server stops. */
export function loadShedder(bytesMax: number, stopping: () => boolean): () => ProblemError | null {
  let checkedMs = 0;
  let high = false;
  return () => {
    if (stopping()) return new ProblemError("shutting_down", "The server is stopping.", { retryAfterSeconds: 2 });
    const now = performance.now();
    if (now - checkedMs > 250) {
      checkedMs = now;
      high = process.memoryUsage.rss() > 0.8 * bytesMax;
    }
    return high ? new ProblemError("overloaded", "Memory is short; load is shed.", { retryAfterSeconds: 2 }) : null;
  };
}
