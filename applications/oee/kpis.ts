import { hourUs, type Quantities } from "@lineshaft/contract/api";
import type { MaterialSums, Sums } from "./sums.ts";

/** What a reader should know of a number before acting on it. */
export const kpiHints = [
  /** More was made than the ideal cycle allows: it is too long. Shown, not clipped. */
  "effectivenessAboveOne",
  "idealCycleMissing",
  /** Rejects came after their parts: less than nothing was good here. */
  "goodNegative",
  /** Fewer than three cycles: chance, not performance. */
  "fewCycles",
  "countsEstimated",
  "scrapAssigned",
  "stateUnknown",
  "countsUnknown",
] as const;
export type KpiHint = (typeof kpiHints)[number];

/** KPIs by their names in ISO 22400-2, unrounded. null: not defined here, because a denominator is 0 or an ideal cycle is missing. */
export interface Kpis {
  availability: number | null;
  effectiveness: number | null;
  qualityRatio: number | null;
  oeeIndex: number | null;
  netEquipmentEffectivenessIndex: number | null;
  /** OEE over all planned busy time by what surviving counters counted across unknown time. */
  oeeByCount: number | null;
  /** Availability if all unknown time was stopped, and if all of it ran. */
  availabilityBounds: { lower: number; upper: number } | null;
  /** Of the planned busy time: how much has a known state, and how much has counts. */
  stateCoverage: number | null;
  countCoverage: number | null;
  utilizationEfficiency: number | null;
  allocationEfficiency: number | null;
  technicalEfficiency: number | null;
  setupRatio: number | null;
  productionProcessRatio: number | null;
  /** Within one unit only: goods of several units are not added. */
  throughputPerHour: number | null;
  scrapRatio: number | null;
  reworkRatio: number | null;
  goodRatio: number | null;
  /** What was made without an ideal cycle. `material` null: without an order. */
  missingIdealCycles: { material: string | null; unit: string; quantity: number }[];
  /** Materials that were made faster than ideal. */
  fasterThanIdeal: (string | null)[];
  hints: KpiHint[];
}

const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

export function kpisOf(sums: Sums): Kpis {
  const { pbtUs, pbtKnownUs, aptUs, priPqUs, priGqUs } = sums;
  const { apt, aust, adet, adot, unknown } = sums.timeUs;
  const missing = sums.materials.filter(({ withoutPri }) => withoutPri > 0);
  const valued = missing.length === 0;
  const valuedAll = !sums.materials.some(({ withoutPriAll }) => withoutPriAll > 0);
  const availability = ratio(aptUs, pbtKnownUs);
  const effectiveness = valued ? ratio(priPqUs, aptUs) : null;
  const qualityRatio = valued ? ratio(priGqUs, priPqUs) : null;
  const oeeIndex = valued ? ratio(priGqUs, pbtKnownUs) : null;
  assertIdentity(availability, effectiveness, qualityRatio, oeeIndex);
  const one = oneUnit(sums.materials);
  const [aupt, aubt, aoet] = [apt + aust, apt + aust + adet, apt + aust + adet + adot];
  const fasterThanIdeal = sums.materials
    .filter((m) => m.aptUs > 0 && m.priPqUs > m.aptUs)
    .map(({ material }) => material);
  return {
    availability,
    effectiveness,
    qualityRatio,
    oeeIndex,
    netEquipmentEffectivenessIndex:
      effectiveness === null || qualityRatio === null || pbtKnownUs === 0
        ? null
        : ((aptUs + aust) / pbtKnownUs) * effectiveness * qualityRatio,
    oeeByCount: valuedAll && sums.countUnknownUs === 0 ? ratio(sums.priGqAllUs, pbtUs) : null,
    availabilityBounds: pbtUs > 0 ? { lower: aptUs / pbtUs, upper: (aptUs + unknown) / pbtUs } : null,
    stateCoverage: ratio(pbtKnownUs, pbtUs),
    countCoverage: pbtUs > 0 ? 1 - sums.countUnknownUs / pbtUs : null,
    utilizationEfficiency: ratio(apt, aubt),
    allocationEfficiency: ratio(aubt, pbtUs),
    technicalEfficiency: ratio(apt, apt + adet),
    setupRatio: ratio(aust, aupt),
    productionProcessRatio: ratio(apt, aoet),
    throughputPerHour: one === null ? null : ratio(one.pq, aoet / hourUs),
    scrapRatio: one === null ? null : ratio(one.sq, one.pq),
    reworkRatio: one === null ? null : ratio(one.rq, one.pq),
    goodRatio: one === null ? null : ratio(one.gq, one.pq),
    missingIdealCycles: missing.map(({ material, unit, withoutPri }) => ({ material, unit, quantity: withoutPri })),
    fasterThanIdeal,
    hints: hintsOf(sums, { effectiveness, valued }),
  };
}

/** The three factors multiply to OEE wherever they exist; else the arithmetic is wrong. */
function assertIdentity(a: number | null, e: number | null, q: number | null, oee: number | null): void {
  if (a === null || e === null || q === null || oee === null) return;
  if (Math.abs(a * e * q - oee) > 1e-9 * Math.max(1, Math.abs(oee)))
    throw new Error(`A·E·Q = ${a * e * q} is not OEE = ${oee}.`);
}

function oneUnit(materials: readonly MaterialSums[]): Quantities | null {
  const made = materials.filter(({ headline }) => headline.pq !== 0 || headline.gq !== 0);
  if (new Set(made.map(({ unit }) => unit)).size !== 1) return null;
  const sum = (name: keyof Quantities) => made.reduce((total, { headline }) => total + headline[name], 0);
  return { pq: sum("pq"), gq: sum("gq"), sq: sum("sq"), rq: sum("rq") };
}

function hintsOf(sums: Sums, { effectiveness, valued }: { effectiveness: number | null; valued: boolean }): KpiHint[] {
  const is: Record<KpiHint, boolean> = {
    effectivenessAboveOne: effectiveness !== null && effectiveness > 1,
    idealCycleMissing: !valued,
    goodNegative: sums.materials.some(({ headline }) => headline.gq < 0),
    fewCycles: sums.pbtKnownUs > 0 && valued && sums.cycles < 3,
    countsEstimated: sums.estimatedPq > 0,
    scrapAssigned: sums.assignedSq > 0,
    stateUnknown: sums.timeUs.unknown > 0,
    countsUnknown: sums.countUnknownUs > 0,
  };
  return kpiHints.filter((hint) => is[hint]);
}
