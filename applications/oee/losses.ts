import { type Micros, type Reason, startingReasons } from "@lineshaft/contract/api";
import type { Sums } from "./sums.ts";

/** From calendar time down to valuable time: what is taken away, step by step, and what is left at each level. */
export const lossSteps = [
  "notPlanned",
  "break",
  "plannedMaintenance",
  "noOrderNotBusy",
  "unknown",
  "breakdown",
  "setUpAndAdjustment",
  "noOrder",
  "otherStops",
  "idlingAndMinorStops",
  "reducedSpeed",
  "processDefects",
  "startUpYield",
] as const;
export type LossStep = (typeof lossSteps)[number];

export interface Waterfall {
  calendarUs: Micros;
  /** In the order of `lossSteps`. Reduced speed is negative where more was made than ideal. Without an ideal cycle it ends before. */
  losses: { step: LossStep; us: Micros }[];
  plannedBusyUs: Micros;
  knownBusyUs: Micros;
  productionUs: Micros;
  /** Σ PRI·PQ and Σ PRI·GQ to the µs; null: an ideal cycle is missing. */
  netProductionUs: Micros | null;
  valuableUs: Micros | null;
}

/**
 * Every µs of the calendar is lost to one step or is valuable: the steps and the rest add up exactly, in integers. The loss of a stop is
 * that of its reason in `reasons`; without them what the sums say.
 */
export function waterfallOf(sums: Sums, reasons?: readonly Reason[]): Waterfall {
  const { apt, aust, adot, unknown, notPlanned, plannedMaintenance } = sums.timeUs;
  const calendarUs = Object.values(sums.timeUs).reduce((sum, us) => sum + us, 0);
  const delay = { breakdown: 0, setUpAndAdjustment: 0, idlingAndMinorStops: 0, otherStops: 0 };
  const losses = new Map(reasons?.map(({ number, loss }) => [number, loss]));
  for (const { reason, loss: told, timeClass, micro, us } of sums.stops) {
    const loss = reason === null ? told : (losses.get(reason) ?? told);
    if (timeClass === "adet") delay[micro ? "idlingAndMinorStops" : (loss ?? "otherStops")] += us;
  }
  const us: Record<LossStep, Micros> = {
    notPlanned,
    break: sums.timeUs.break,
    plannedMaintenance,
    noOrderNotBusy: sums.noOrderOutUs,
    unknown,
    breakdown: delay.breakdown,
    setUpAndAdjustment: aust + delay.setUpAndAdjustment,
    noOrder: adot - sums.noOrderOutUs,
    otherStops: delay.otherStops,
    idlingAndMinorStops: delay.idlingAndMinorStops,
    reducedSpeed: 0,
    processDefects: 0,
    startUpYield: 0,
  };
  const valued = !sums.materials.some(({ withoutPri }) => withoutPri > 0);
  const net = Math.round(sums.priPqUs);
  const valuable = Math.round(sums.priGqUs);
  us.reducedSpeed = apt - net;
  us.startUpYield = Math.round(sums.startUpPriPqUs - sums.startUpPriGqUs);
  us.processDefects = net - valuable - us.startUpYield;
  const steps = valued ? lossSteps : lossSteps.slice(0, lossSteps.indexOf("reducedSpeed"));
  return {
    calendarUs,
    losses: steps.map((step) => ({ step, us: us[step] })),
    plannedBusyUs: sums.pbtUs,
    knownBusyUs: sums.pbtKnownUs,
    productionUs: apt,
    netProductionUs: valued ? net : null,
    valuableUs: valued ? valuable : null,
  };
}

export interface ParetoBar {
  /** null: several reasons of a list that was cut. */
  reason: number | null;
  us: Micros;
  count: number;
  /** Of all, and of all up to here. */
  share: number;
  cumulative: number;
}

/**
 * Standing time inside the planned busy time by reason, the longest (or most frequent) first. `level`: reasons so many steps below the root are taken
 * together with all below them; 0 are the roots.
 */
export function paretoOf(
  sums: Sums,
  options: { by?: "time" | "count"; level?: number; reasons?: readonly Reason[] } = {},
): ParetoBar[] {
  const { by = "time", level, reasons = startingReasons } = options;
  const parents = new Map(reasons.map(({ number, parent }) => [number, parent]));
  const bars = new Map<number | null, { us: Micros; count: number }>();
  for (const stop of sums.stops) {
    if (stop.timeClass !== "adet" && stop.timeClass !== "adot" && stop.timeClass !== "aust") continue;
    const reason = level === undefined || stop.reason === null ? stop.reason : atLevel(stop.reason, level, parents);
    const bar = bars.get(reason) ?? { us: 0, count: 0 };
    bars.set(reason, { us: bar.us + stop.us, count: bar.count + stop.count });
  }
  const measure = by === "time" ? "us" : "count";
  const all = [...bars.values()].reduce((sum, bar) => sum + bar[measure], 0);
  let cumulative = 0;
  return [...bars]
    .sort(([a, x], [b, y]) => y[measure] - x[measure] || (a ?? 0) - (b ?? 0))
    .map(([reason, bar]) => {
      cumulative += bar[measure];
      const of = (part: number) => (all > 0 ? part / all : 0);
      return { reason, ...bar, share: of(bar[measure]), cumulative: of(cumulative) };
    });
}

function atLevel(reason: number, level: number, parents: ReadonlyMap<number, number | null>): number {
  const path: number[] = [];
  for (let at: number | null = reason; at !== null && path.length < 64; at = parents.get(at) ?? null) path.unshift(at);
  return path[Math.min(level, path.length - 1)];
}
