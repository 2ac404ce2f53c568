import { existsSync, readFileSync } from "node:fs";
import { round, Samples } from "./stats.ts";

/** How long the main thread of a server was busy at a stretch, ms: `busy` what it computed, `delay` how long others waited, which on a shared machine is more. */
export interface Stalls {
  busyMaxMs: number;
  busyP99Ms: number;
  delayMaxMs: number;
  delayP99Ms: number;
}

/** What the meter noted between two instants, in ms since 1970. */
export function stallsBetween(file: string, fromMs: number, toMs: number): Stalls {
  const busy = new Samples();
  const delay = new Samples();
  const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  for (const line of lines) {
    const [at, ...pairs] = JSON.parse(line) as number[];
    // A line tells of the second before it.
    if (at < fromMs || at > toMs + 1000) continue;
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      delay.add(pairs[i]);
      busy.add(pairs[i + 1]);
    }
  }
  return {
    busyMaxMs: round(busy.max),
    busyP99Ms: round(busy.percentile(99)),
    delayMaxMs: round(delay.max),
    delayP99Ms: round(delay.percentile(99)),
  };
}
