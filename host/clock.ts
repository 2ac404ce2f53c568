import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "@lineshaft/contract/ports";

/** The machine's own clock: the one place of the server that reads it. */
export const systemClock: Clock = {
  nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000) + drift(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal });
  },
};

/**
 * performance.now() gives microseconds but never follows a corrected wall clock; Date.now() follows it but counts milliseconds. So the fine clock is
 * used, moved by whatever the two differ beyond a few milliseconds.
 */
let offsetUs = 0;
function drift(): number {
  const coarseUs = Date.now() * 1000;
  const fineUs = (performance.timeOrigin + performance.now()) * 1000 + offsetUs;
  if (Math.abs(coarseUs - fineUs) > 5000) offsetUs += Math.round(coarseUs - fineUs);
  return offsetUs;
}
