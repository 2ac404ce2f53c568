import {
  type BriefResult,
  type Equipment,
  type EquipmentNow,
  hourUs,
  isProducing,
  type Micros,
  type Reason,
  secondUs,
} from "@lineshaft/contract/api";
import { type StateClass, stateStyles } from "@lineshaft/ui/kit";
import type { Read } from "./now-feed.ts";
import { stateOf } from "./timeline.ts";

/** Younger than this what is known last is taken for now: derivation is a few seconds behind by design. */
const freshUs = 20 * secondUs;

/** A published number, as far as a tile or a row shows it. */
export interface Headline {
  oee: number | null;
  coverage: number | null;
  bounds: { lower: number; upper: number } | null;
  state: "provisional" | "final";
  revision: number | null;
  cause: string | null;
  changedUs: Micros | null;
  stale: boolean;
}

/** One machine as a tile says it. */
export interface Tile {
  equipment: Equipment;
  state: StateClass;
  reason: number;
  sinceUs: Micros | null;
  /** `made` null: nothing is published of it yet. */
  order: { order: string; material: string | null; made: number | null; quantity: number; unit: string } | null;
  oee: number | null;
  alarms: EquipmentNow["alarms"];
  /** How old the newest proof of life was when it was read; "fresh" when that is now, null: nothing was ever heard. */
  ageUs: number | "fresh" | null;
}

const none: EquipmentNow["alarms"] = { active: 0, worst: [] };

export type Reasons = ReadonlyMap<number, Reason>;

/** `read` undefined: it is not told (any more). */
export function tileOf(equipment: Equipment, read: Read | undefined, reasons: Reasons): Tile {
  if (read === undefined)
    return { equipment, state: "unknown", reason: 0, sinceUs: null, order: null, oee: null, alarms: none, ageUs: null };
  const { item, atUs } = read;
  const { watermarkUs, order } = item;
  const ageUs = watermarkUs === null ? null : Math.max(0, atUs - watermarkUs);
  const fresh = ageUs !== null && ageUs < freshUs;
  return {
    equipment,
    ...stateNow(item, fresh, reasons),
    sinceUs: fresh ? (item.state?.sinceUs ?? null) : watermarkUs,
    order: order === null ? null : { ...order, made: item.orderResult?.values.goodQuantity ?? null },
    oee: item.shiftResult === null ? null : headlineOf(item.shiftResult).oee,
    alarms: item.alarms,
    ageUs: fresh ? "fresh" : ageUs,
  };
}

function stateNow(
  { state, plan, order, worksByOrder }: EquipmentNow,
  fresh: boolean,
  reasons: Reasons,
): { state: StateClass; reason: number } {
  const itemState = fresh ? (state?.itemState ?? null) : null;
  const mode = state?.operationMode ?? null;
  const reason = itemState !== null && !isProducing(itemState, mode) ? (state?.reason ?? 0) : 0;
  const planned = { busy: plan === "noCalendar" || plan === "shift", order: !worksByOrder || order !== null };
  return { state: stateOf({ itemState, mode }, reasons.get(reason), planned), reason };
}

export const headlineOf = (result: BriefResult): Headline => ({
  oee: isChance(result.values) ? null : (result.values.oeeIndex ?? null),
  coverage: result.values.stateCoverage ?? null,
  bounds: boundsOf(result.values),
  state: result.state,
  revision: result.revision,
  cause: result.cause,
  changedUs: result.publishedUs,
  stale: result.stale,
});

/**
 * Of a machine that was first heard a moment ago the end of one long cycle makes more than there was time for. The number is right for what is known, and stands on the OEE page with its hints;
 * a board would only mislead by it.
 */
const isChance = ({ oeeIndex, plannedBusyTimeKnownUs }: BriefResult["values"]): boolean =>
  (oeeIndex ?? 0) > 1.2 && (plannedBusyTimeKnownUs ?? 0) < hourUs;

function boundsOf({ availabilityLowerBound: lower, availabilityUpperBound: upper }: BriefResult["values"]) {
  return lower == null || upper == null ? null : { lower, upper };
}

/**
 * A line in the shift of now. What is published of a line may be behind its machines; until it says something, they do: OEE is valuable time over planned busy time,
 * so theirs add up exactly by their planned busy times.
 */
export function lineHeadline(line: Read | undefined, machines: readonly (Read | undefined)[]): Headline | null {
  const own = line?.item.shiftResult ?? null;
  if (own !== null && own.values.oeeIndex != null) return headlineOf(own);
  const results = machines.flatMap((machine) => machine?.item.shiftResult ?? []);
  const valued = results.flatMap(({ values: { oeeIndex, plannedBusyTimeKnownUs: us } }) =>
    oeeIndex == null || us == null ? [] : [{ oee: oeeIndex, us }],
  );
  const us = valued.reduce((sum, each) => sum + each.us, 0);
  if (us <= 0) return own === null ? null : headlineOf(own);
  return {
    oee: valued.reduce((sum, each) => sum + each.oee * each.us, 0) / us,
    ...{ coverage: null, bounds: null, revision: null, cause: null, changedUs: null },
    state: "provisional",
    stale: results.some(({ stale }) => stale),
  };
}

/** The shift of now, of the first that has one. */
export const shiftOf = (reads: readonly (Read | undefined)[]): EquipmentNow["shift"] =>
  reads.find((read) => read !== undefined && read.item.shift !== null)?.item.shift ?? null;

/** How many machines are in which state, the worst first. */
export function countStates(tiles: readonly Tile[]): { state: StateClass; n: number }[] {
  const counts = new Map<StateClass, number>();
  for (const { state } of tiles) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts]
    .map(([state, n]) => ({ state, n }))
    .sort((a, b) => stateStyles[b.state].severity - stateStyles[a.state].severity);
}
