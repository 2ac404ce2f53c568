import type { SystemStatus } from "@lineshaft/contract/api";
import { useSyncExternalStore } from "react";
import { learnClock } from "./feed.ts";
import { call } from "./platform.ts";

/** One sample every two seconds, five minutes of them: what the sparklines show. */
const everyMs = 2_000;
const samplesMax = 150;

export interface Sample {
  offered: number;
  stored: number;
  lagSeconds: number;
  commitP99Ms: number;
  rssBytes: number;
}

export interface Health {
  status: SystemStatus | null;
  samples: readonly Sample[];
  error: unknown;
}

let health: Health = { status: null, samples: [], error: null };
const listeners = new Set<() => void>();

function set(next: Health): void {
  health = next;
  for (const listener of listeners) listener();
}

async function read(): Promise<void> {
  try {
    const status = await call("getSystem");
    learnClock(status.nowUs);
    const sample: Sample = {
      offered: status.rates.offeredPerSecond,
      stored: status.rates.storedPerSecond,
      lagSeconds: status.history.lagSeconds,
      commitP99Ms: status.log.commitP99Ms,
      rssBytes: status.process.rssBytes,
    };
    set({ status, samples: [...health.samples.slice(1 - samplesMax), sample], error: null });
  } catch (error) {
    set({ ...health, error });
  }
}

/** Reads the system's state every two seconds while the page is visible. Returns how to stop. */
export function startHealth(): () => void {
  void read();
  const timer = setInterval(() => {
    if (!document.hidden) void read();
  }, everyMs);
  return () => clearInterval(timer);
}

export function useHealth(): Health {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => health,
  );
}

/** Below this many hours the disk asks for attention. */
export const diskHoursLow = 48;
/** Above this the history is behind. */
export const lagSecondsHigh = 10;

export type Worry = "away" | "state" | "sums" | "lag" | "disk" | "history" | "quarantine";

/** What asks for attention, worst first; empty when all is well. */
export function worriesOf({ status, error }: Pick<Health, "status" | "error">): Worry[] {
  if (error !== null) return ["away"];
  if (status === null) return [];
  const worries: Worry[] = [];
  if (status.state !== "ready" && status.state !== "starting") worries.push("state");
  if (!status.sums.balanced) worries.push("sums");
  if (status.history.state === "unavailable" || status.history.state === "rebuilding") worries.push("history");
  if (status.log.quarantined + status.history.quarantined > 0) worries.push("quarantine");
  if (status.history.lagSeconds > lagSecondsHigh) worries.push("lag");
  if (status.disk.hoursLeft !== null && status.disk.hoursLeft < diskHoursLow) worries.push("disk");
  return worries;
}
