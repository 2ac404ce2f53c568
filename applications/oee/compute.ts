import type { ComputedResult, View } from "@lineshaft/client";
import type { Cell } from "@lineshaft/contract/api";
import { orderYield } from "./aggregate.ts";
import { boundDetail, type OeeDetail, readDetail } from "./detail.ts";
import { evidenceOf } from "./evidence.ts";
import { bestDemonstrated } from "./ideal-cycle.ts";
import { type Kpis, kpisOf } from "./kpis.ts";
import { type LossStep, lossSteps, waterfallOf } from "./losses.ts";
import { type Reliability, reliabilityOf } from "./reliability.ts";
import { addSums, type Sums, sumsOf } from "./sums.ts";

/** Changes whenever the same inputs give other numbers; the platform then makes all results dirty. */
export const ruleVersion = "oee-1";

/**
 * The OEE of a key, from nothing but what `view` holds: a work unit and a line from their cells, what stands above from the sums of the results directly below. The same
 * call for live, correction and dry run.
 */
export function compute(view: View): ComputedResult {
  const said = view.item.level === "above" ? fromBelow(view) : fromCells(view);
  const kpis = kpisOf(said.sums);
  const detail: OeeDetail = {
    ...said,
    hints: kpis.hints,
    reliability: inputsOf(reliabilityOf(said.sums)),
    topLosses: topLosses(said.sums),
  };
  return {
    values: valuesOf(said.sums, kpis, detail),
    coverage: coverageOf(kpis),
    detail: boundDetail(detail),
    evidence: evidenceOf(view, said.sums),
  };
}

type Said = Omit<OeeDetail, "hints" | "reliability" | "topLosses">;

/** The cells of the view are those of the key, and no others. */
function fromCells({ cells, order, item }: View): Said {
  const { equipmentId } = item;
  if (cells === null) throw new Error(`Equipment ${equipmentId} is computed from cells, and none were given.`);
  const own = cells.cells;
  const policies = new Map(cells.policies.map((policy) => [policy.version, policy]));
  const sums = sumsOf(own, policies, cells.reasons);
  const { missingIdealCycles } = kpisOf(sums);
  const fasterThanIdeal = sums.materials
    .filter(({ aptUs, priPqUs }) => aptUs > 0 && priPqUs > aptUs)
    .map(({ material, unit }) => ({ equipmentId, material, unit }));
  const wanting = new Set(
    [...missingIdealCycles, ...fasterThanIdeal].map(({ material, unit }) => `${unit} ${material}`),
  );
  return {
    sums,
    missingIdealCycles: missingIdealCycles.map((missing) => ({ equipmentId, ...missing })),
    fasterThanIdeal,
    proposals: bestDemonstrated(own)
      .filter(({ material, unit }) => wanting.has(`${unit} ${material}`))
      .map(({ equipment: equipmentId, ...best }) => ({ equipmentId, ...best })),
    orders: ordersOf(own),
    progress: order === null ? null : progressOf(own, item, order),
    policies: [...new Set(own.map(({ policy }) => policy))].sort(),
    without: [],
    unplacedScrap: cells.unplacedScrap,
    cut: 0,
  };
}

function ordersOf(cells: readonly Cell[]): OeeDetail["orders"] {
  const orders = new Map<string, OeeDetail["orders"][number]>();
  for (const { order, operation, material, unit, quantities, timeUs } of cells) {
    if (order === null) continue;
    const made = { order, operation, material, unit, pq: 0, gq: 0, sq: 0, rq: 0, aptUs: timeUs.apt };
    for (const place of Object.values(quantities))
      for (const name of ["pq", "gq", "sq", "rq"] as const) made[name] += place[name];
    addOrder(orders, made);
  }
  return [...orders.values()];
}

function addOrder(to: Map<string, OeeDetail["orders"][number]>, of: OeeDetail["orders"][number]): void {
  const key = JSON.stringify([of.order, of.operation, of.material, of.unit]);
  const same = to.get(key);
  if (same === undefined) to.set(key, { ...of });
  else for (const name of ["pq", "gq", "sq", "rq", "aptUs"] as const) same[name] += of[name];
}

/** The progress of an order is the yield of its last operation (RULES 9); that of an operation is its own. */
function progressOf(
  cells: readonly Cell[],
  { period, key }: View["item"],
  { id, item }: NonNullable<View["order"]>,
): OeeDetail["progress"] {
  const operation = period === "operation" ? key.slice(id.length + 1) : (item.operations.at(-1)?.id ?? null);
  return { operation, unit: item.unit, ordered: item.quantity, ...orderYield(cells, id, operation) };
}

function fromBelow({ below }: View): Said {
  const details = below.map(({ equipmentId, detail }) => ({ equipmentId, detail: readDetail(detail) }));
  const known = details.flatMap(({ detail }) => (detail === null ? [] : [detail]));
  const orders = new Map<string, OeeDetail["orders"][number]>();
  for (const detail of known) for (const order of detail.orders) addOrder(orders, order);
  return {
    sums: addSums(known.map(({ sums }) => sums)),
    missingIdealCycles: known.flatMap((detail) => detail.missingIdealCycles),
    fasterThanIdeal: known.flatMap((detail) => detail.fasterThanIdeal),
    proposals: known.flatMap((detail) => detail.proposals),
    orders: [...orders.values()],
    progress: known.map(({ progress }) => progress).reduce(addProgress, null),
    policies: [...new Set(known.flatMap(({ policies }) => policies))].sort(),
    without: [
      ...details.flatMap(({ equipmentId, detail }) => (detail === null ? [equipmentId] : [])),
      ...known.flatMap(({ without }) => without),
    ],
    unplacedScrap: known.reduce((sum, { unplacedScrap }) => sum + unplacedScrap, 0),
    cut: known.reduce((sum, { cut }) => sum + cut, 0),
  };
}

/** What each machine yielded of the last operation adds up; what was ordered was ordered once. */
function addProgress(a: OeeDetail["progress"], b: OeeDetail["progress"]): OeeDetail["progress"] {
  if (a === null || b === null) return a ?? b;
  return { ...a, gq: a.gq + b.gq, yield: a.yield + b.yield };
}

const inputsOf = ({ failureEvents, repairUs, operatingUs }: Reliability) => ({ failureEvents, repairUs, operatingUs });

/** Steps of the waterfall below planned busy time. */
const busyLosses: readonly LossStep[] = lossSteps.slice(lossSteps.indexOf("unknown"));

function topLosses(sums: Sums): OeeDetail["topLosses"] {
  return waterfallOf(sums)
    .losses.filter(({ step, us }) => us > 0 && busyLosses.includes(step))
    .sort((a, b) => b.us - a.us);
}

/** Of the expected data: what has neither state nor counts is not there. */
function coverageOf({ stateCoverage, countCoverage }: Kpis): number | null {
  if (stateCoverage === null || countCoverage === null) return null;
  return Math.min(1, Math.max(0, Math.min(stateCoverage, countCoverage)));
}

/** The numbers of a result. Quantities are all that was made, and within one unit only: pieces and kilograms are not added. */
function valuesOf(sums: Sums, kpis: Kpis, { reliability, progress }: OeeDetail): Record<string, number | null> {
  const { missingIdealCycles, fasterThanIdeal, hints, availabilityBounds, ...ratios } = kpis;
  const { failureEvents, repairUs, operatingUs } = reliability;
  const made = sums.materials.filter(({ all }) => all.pq !== 0 || all.gq !== 0 || all.sq !== 0 || all.rq !== 0);
  const oneUnit = new Set(made.map(({ unit }) => unit)).size === 1;
  const quantity = (name: "pq" | "gq" | "sq" | "rq") =>
    made.length === 0 ? 0 : oneUnit ? made.reduce((sum, { all }) => sum + all[name], 0) : null;
  const { apt, aust, adet, adot, unknown } = sums.timeUs;
  return {
    ...ratios,
    availabilityLowerBound: availabilityBounds?.lower ?? null,
    availabilityUpperBound: availabilityBounds?.upper ?? null,
    plannedBusyTimeUs: sums.pbtUs,
    plannedBusyTimeKnownUs: sums.pbtKnownUs,
    actualProductionTimeUs: apt,
    actualUnitSetupTimeUs: aust,
    actualUnitDelayTimeUs: adet,
    actualUnitDownTimeWithoutOrderUs: adot,
    unknownTimeUs: unknown,
    producedQuantity: quantity("pq"),
    goodQuantity: quantity("gq"),
    scrapQuantity: quantity("sq"),
    reworkQuantity: quantity("rq"),
    failureEvents,
    meanTimeBetweenFailuresUs: failureEvents > 0 ? operatingUs / failureEvents : null,
    meanTimeToRepairUs: failureEvents > 0 ? repairUs / failureEvents : null,
    orderYield: progress?.yield ?? null,
    orderProgress: progress !== null && progress.ordered > 0 ? progress.yield / progress.ordered : null,
  };
}
