import { type Equipment, type Reason, startingReasons } from "@lineshaft/contract/api";
import { type Loaded, type PageContext, useLoaded } from "@lineshaft/ui/kit";
import { useRef } from "react";
import { flowsAt, type Site, sitesOf } from "./plant.ts";
import { readEquipment, readReasons, readTopologies } from "./source.ts";

export interface Plant {
  equipment: readonly Equipment[];
  sites: readonly Site[];
  reasons: ReadonlyMap<number, Reason>;
}

const everyMs = 60_000;
/** Of whom, and what was read last: whoever goes from page to page sees the names at once. */
let kept: { who: string; plant: Plant } | null = null;

/** Names and places of machines, and what reasons are called; read again every minute. */
export function usePlant({ platform, session, nowUs }: PageContext): Loaded<Plant> {
  const loaded = useLoaded<Plant>(
    "plant",
    async (signal) => {
      const [equipment, topologies, own] = await Promise.all([
        readEquipment(platform, signal),
        readTopologies(platform, signal),
        readReasons(platform, signal),
      ]);
      const reasons = new Map([...startingReasons, ...own.map(({ item }) => item)].map((one) => [one.number, one]));
      const plant = { equipment, sites: sitesOf(equipment, flowsAt(topologies, nowUs())), reasons };
      kept = { who: session.name, plant };
      return plant;
    },
    everyMs,
  );
  const data = loaded.data ?? (kept?.who === session.name ? kept.plant : null);
  return { ...loaded, data };
}

/** What was read last, also while something else is being read: a view that moves does not go blank. */
export function useKept<T>(identity: string, data: T | null): T | null {
  const kept = useRef<{ identity: string; data: T } | null>(null);
  if (data !== null) kept.current = { identity, data };
  return kept.current?.identity === identity ? kept.current.data : null;
}
