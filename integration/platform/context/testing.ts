import {
  type Cell,
  type CountKind,
  countKinds,
  defaultOeePolicy,
  type EquipmentContext,
  incrementFlags,
  type MachineFacts,
  minuteUs,
  type OeePolicy,
  type OrderExecution,
  type QuantityPlace,
  quantityPlaces,
  type ShiftOccurrence,
  startingReasons,
  stateCode,
  type TimeClass,
  timeClasses,
} from "@lineshaft/contract/api";
import { addQuantities } from "./quantities.ts";

/** Facts and contexts for tests, in minutes from an instant on the grid. */
export const day0 = 20_783 * 86_400_000_000;
export const min = (minutes: number): number => day0 + Math.round(minutes * minuteUs);

export const running = stateCode("Executing", "Processing");
export const standing = stateCode("NotExecuting", "Processing");
export const broken = stateCode("OutOfService", "Processing", 7_100_000);
export const idle = stateCode("NotExecuting", "None");
export const unknown = 0;

export type Count = [source: number, t: number, n: number, kind?: CountKind, flags?: number];
export const estimated = incrementFlags.estimated;
export const uncertain = incrementFlags.uncertain;

/** States from minutes on, counts in (source, t] minutes. */
export function facts(
  from: number,
  to: number,
  states: [minute: number, code: number][],
  counts: Count[] = [],
): MachineFacts {
  return {
    from: min(from),
    to: min(to),
    states: {
      count: states.length,
      t: Float64Array.from(states.map(([minute]) => min(minute))),
      code: Int32Array.from(states.map(([, code]) => code)),
    },
    increments: {
      count: counts.length,
      source: Float64Array.from(counts.map(([source]) => min(source))),
      t: Float64Array.from(counts.map(([, t]) => min(t))),
      n: Float64Array.from(counts.map(([, , n]) => n)),
      kind: Uint8Array.from(counts.map(([, , , kind = "good"]) => countKinds.indexOf(kind))),
      flags: Uint8Array.from(counts.map(([, , , , flags = 0]) => flags)),
    },
  };
}

export function shift(
  id: string,
  from: number,
  to: number,
  breaks: [from: number, to: number][] = [],
): ShiftOccurrence {
  return {
    id,
    calendar: "c",
    name: id,
    crew: null,
    productionDay: "2026-11-26",
    fromUs: min(from),
    toUs: min(to),
    breaks: breaks.map(([a, b]) => ({ name: null, fromUs: min(a), toUs: min(b) })),
    resolved: [],
  };
}

export function order(name: string, from: number, to: number, more: Partial<OrderExecution> = {}): OrderExecution {
  return {
    order: name,
    operation: "10",
    material: "M",
    unit: "1",
    share: 1,
    fromUs: min(from),
    toUs: min(to),
    ...more,
  };
}

export const always = { fromUs: min(-10_000), toUs: min(10_000) };

export function context(more: Partial<EquipmentContext> = {}, policy: Partial<OeePolicy> = {}): EquipmentContext {
  return {
    timeZone: "UTC",
    lifecycle: [],
    shifts: [],
    executions: [],
    reasons: [],
    reasonTree: startingReasons,
    setUps: [],
    idealCycles: [],
    counting: [],
    blockedCavities: [],
    lateScrap: [],
    materials: [],
    policies: [{ ...always, policy: { ...defaultOeePolicy, ...policy } }],
    ...more,
  };
}

export const pri = (seconds: number, material: string | null = "M", unitsPerCycle = 1) => ({
  ...always,
  material,
  cycleUs: seconds * 1e6,
  unitsPerCycle,
});

/** Sums of cells: minutes by class (without zeros), quantities by place. */
export function sums(cells: readonly Cell[]): {
  minutes: Partial<Record<TimeClass, number>>;
  pq: Partial<Record<QuantityPlace, number>>;
  gq: number;
  sq: number;
} {
  const us = new Map<TimeClass, number>();
  const all = { pq: 0, gq: 0, sq: 0, rq: 0 };
  const pq: Partial<Record<QuantityPlace, number>> = {};
  for (const cell of cells) {
    for (const name of timeClasses) us.set(name, (us.get(name) ?? 0) + cell.timeUs[name]);
    for (const place of quantityPlaces) {
      addQuantities(all, cell.quantities[place]);
      if (cell.quantities[place].pq !== 0) pq[place] = (pq[place] ?? 0) + cell.quantities[place].pq;
    }
  }
  const minutes = Object.fromEntries([...us].filter(([, sum]) => sum > 0).map(([name, sum]) => [name, sum / minuteUs]));
  return { minutes, pq, gq: all.gq, sq: all.sq };
}
