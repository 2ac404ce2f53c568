import type { Micros } from "@lineshaft/contract/api";
import { type PageContext, useLoaded } from "@lineshaft/ui/kit";

/** What is called world class, until somebody sets a target. */
export const usualTarget = 0.85;

/** So far below its target a number asks for attention; a little below it is an ordinary day. */
const farBelow = 0.8;

export const isLow = (share: number | null, target: number | null): boolean =>
  share !== null && target !== null && share < target * farBelow;

const everyMs = 60_000;

/** The OEE that an equipment should reach, by master data of its own or of what it stands below; `atUs`: then, default now. */
export function useTarget({ platform }: PageContext, equipmentId: number, atUs?: Micros): number {
  const { data } = useLoaded(
    `target ${equipmentId} ${atUs ?? "now"}`,
    async (signal) => {
      const query = { equipmentId: [equipmentId], ...(atUs === undefined ? {} : { at: Math.round(atUs) }) };
      const { items } = await platform.call("listTargetsInForce", { query, signal });
      return items[0]?.targets.oeeIndex ?? null;
    },
    everyMs,
  );
  return data ?? usualTarget;
}

/** A target of an equipment from now on; what it was before stays. */
export async function setTarget({ platform, nowUs }: PageContext, equipmentId: number, value: number): Promise<void> {
  const fromUs = Math.round(nowUs());
  const body = { equipmentId, kpi: "oeeIndex", value, fromUs, toUs: null };
  await platform.call("putKpiTarget", { params: { id: `oee-${equipmentId}-${fromUs}` }, body });
}
