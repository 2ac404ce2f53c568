import type { Equipment } from "@lineshaft/contract/api";
import { type Loaded, type PageContext, useLoaded } from "@lineshaft/ui/kit";
import { useRef } from "react";
import { flowsAt, type Site, sitesOf } from "./plant.ts";
import { readEquipment, readTopologies } from "./source.ts";

export interface Plant {
  equipment: readonly Equipment[];
  sites: readonly Site[];
}

const everyMs = 60_000;

/** Names and places of machines; read again every minute. */
export function usePlant({ platform, nowUs }: PageContext): Loaded<Plant> {
  return useLoaded<Plant>(
    "plant",
    async (signal) => {
      const [equipment, topologies] = await Promise.all([
        readEquipment(platform, signal),
        readTopologies(platform, signal),
      ]);
      return { equipment, sites: sitesOf(equipment, flowsAt(topologies, nowUs())) };
    },
    everyMs,
  );
}

/** What was read last, also while something else is being read: a view that moves does not go blank. */
export function useKept<T>(identity: string, data: T | null): T | null {
  const kept = useRef<{ identity: string; data: T } | null>(null);
  if (data !== null) kept.current = { identity, data };
  return kept.current?.identity === identity ? kept.current.data : null;
}
