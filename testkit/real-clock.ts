import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "@lineshaft/contract/ports";

/** The machine's own clock, for tests with real sockets. */
export const realClock: Clock = {
  nowUs: () => Date.now() * 1000,
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal });
  },
};
