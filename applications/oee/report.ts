import type { Equipment, Micros, Quantities, Result } from "@lineshaft/contract/api";
import { type OeeDetail, readDetail } from "./detail.ts";
import { type KpiHint, kpisOf } from "./kpis.ts";
import { type LossStep, paretoOf, waterfallOf } from "./losses.ts";
import { addSums, type Sums } from "./sums.ts";

/** What the report is made of: the results of one shift, and the equipment that it speaks of. */
export interface ShiftReportInput {
  /** Newest results of the period `shift` with one key: machines, lines, whatever stands above them. */
  results: readonly Result[];
  equipment: readonly Pick<Equipment, "id" | "parentId" | "path" | "level" | "lifecycle">[];
  /** Newest results of the period `order` of the same equipment: how far the orders are. */
  orders?: readonly Result[];
}

/** One line of the table: an equipment with its numbers, unrounded. */
export interface ReportRow {
  equipmentId: number;
  path: string;
  level: Equipment["level"];
  availability: number | null;
  effectiveness: number | null;
  qualityRatio: number | null;
  oeeIndex: number | null;
  coverage: number | null;
  plannedBusyTimeUs: Micros;
  quantities: UnitQuantities[];
  hints: KpiHint[];
  state: Result["state"];
  revision: number;
}

export interface UnitQuantities extends Quantities {
  unit: string;
}

export interface ReportStop {
  equipmentId: number;
  path: string;
  /** null: several of a list that was cut. */
  reason: number | null;
  us: Micros;
  count: number;
}

export interface ReportOrder extends Quantities {
  order: string;
  operation: string | null;
  material: string | null;
  unit: string;
  /** Of the whole order, in all its time; null: nothing is known of it. */
  progress: { ordered: number; yield: number } | null;
}

/** What keeps the numbers from being whole, machine by machine. */
export type Missing =
  | { kind: "result" | "unreadable" | "provisional" | "stale"; equipmentId: number }
  /** How much of the expected data there is. */
  | { kind: "state" | "counts"; equipmentId: number; coverage: number }
  | { kind: "idealCycle"; equipmentId: number; material: string | null; unit: string; quantity: number }
  | { kind: "idealCycleTooLong"; equipmentId: number; material: string | null; unit: string }
  | { kind: "scrapUnplaced"; equipmentId: number; quantity: number };

export interface ShiftReport {
  fromUs: Micros;
  toUs: Micros;
  state: Result["state"];
  /** In the order of the tree. */
  rows: ReportRow[];
  /** Where planned busy time of the whole went, and its share of it. */
  losses: { step: LossStep; us: Micros; share: number }[];
  /** Stops of machines, the longest and the most frequent ones. */
  longestStops: ReportStop[];
  mostFrequentStops: ReportStop[];
  orders: ReportOrder[];
  quantities: UnitQuantities[];
  missing: Missing[];
}

interface Known {
  result: Result;
  place: ShiftReportInput["equipment"][number];
  detail: OeeDetail;
}

const stopsShown = 10;

/** The report of a shift, from its results alone. null: there is no result. */
export function shiftReport({ results, equipment, orders = [] }: ShiftReportInput): ShiftReport | null {
  if (results.length === 0) return null;
  const places = new Map(equipment.map((place) => [place.id, place]));
  const known = results
    .flatMap((result): Known[] => {
      const place = places.get(result.equipmentId);
      const detail = readDetail(result.detail);
      return place === undefined || detail === null ? [] : [{ result, place, detail }];
    })
    .sort((a, b) => comparePaths(a.place.path, b.place.path));
  const ids = new Set(known.map(({ place }) => place.id));
  // The whole is what nothing else in the report contains; so nothing counts twice.
  const whole = addSums(known.filter(({ place }) => !containedIn(place, places, ids)).map(({ detail }) => detail.sums));
  const parents = new Set(known.map(({ place }) => place.parentId));
  const machines = known.filter(({ place }) => !parents.has(place.id));
  return {
    fromUs: Math.min(...results.map(({ fromUs }) => fromUs)),
    toUs: Math.max(...results.map(({ toUs }) => toUs)),
    state: results.some(({ state }) => state === "provisional") ? "provisional" : "final",
    rows: known.map(rowOf),
    losses: lossesOf(whole),
    ...stopsOf(machines),
    orders: ordersOf(
      known.filter(({ place }) => !containedIn(place, places, ids)),
      orders,
      places,
    ),
    quantities: quantitiesOf(whole),
    missing: [...missingResults(results, equipment, ids), ...machines.flatMap(missingOf)],
  };
}

function containedIn(
  { parentId }: Known["place"],
  places: ReadonlyMap<number, Known["place"]>,
  ids: ReadonlySet<number>,
): boolean {
  for (let at = parentId; at !== null; at = places.get(at)?.parentId ?? null) if (ids.has(at)) return true;
  return false;
}

/** Parents before what stands below them. */
function comparePaths(a: string, b: string): number {
  const [x, y] = [a.split("/"), b.split("/")];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const order = collator.compare(x[i], y[i]);
    if (order !== 0) return order;
  }
  return x.length - y.length;
}
const collator = new Intl.Collator("en", { numeric: true });

function rowOf({ result, place, detail }: Known): ReportRow {
  const { availability = null, effectiveness = null, qualityRatio = null, oeeIndex = null } = result.values;
  return {
    equipmentId: place.id,
    path: place.path,
    level: place.level,
    ...{ availability, effectiveness, qualityRatio, oeeIndex },
    coverage: result.coverage,
    plannedBusyTimeUs: detail.sums.pbtUs,
    quantities: quantitiesOf(detail.sums),
    hints: detail.hints,
    state: result.state,
    revision: result.revision,
  };
}

function quantitiesOf(sums: Sums): UnitQuantities[] {
  const units = new Map<string, UnitQuantities>();
  for (const { unit, all } of sums.materials) {
    const sum = units.get(unit) ?? { unit, pq: 0, gq: 0, sq: 0, rq: 0 };
    addTo(sum, all);
    units.set(unit, sum);
  }
  const made = [...units.values()].filter(({ pq, gq, sq, rq }) => pq !== 0 || gq !== 0 || sq !== 0 || rq !== 0);
  return made.sort((a, b) => collator.compare(a.unit, b.unit));
}

function addTo(sum: Quantities, of: Quantities): void {
  for (const name of ["pq", "gq", "sq", "rq"] as const) sum[name] += of[name];
}

function lossesOf(sums: Sums): ShiftReport["losses"] {
  const { losses, plannedBusyUs } = waterfallOf(sums);
  const outside: readonly LossStep[] = ["notPlanned", "break", "plannedMaintenance", "noOrderNotBusy"];
  return losses
    .filter(({ step, us }) => us !== 0 && !outside.includes(step))
    .map((loss) => ({ ...loss, share: plannedBusyUs > 0 ? loss.us / plannedBusyUs : 0 }));
}

function stopsOf(machines: readonly Known[]): Pick<ShiftReport, "longestStops" | "mostFrequentStops"> {
  const stops = machines.flatMap(({ place: { id, path }, detail }) =>
    paretoOf(detail.sums).map(({ reason, us, count }): ReportStop => ({ equipmentId: id, path, reason, us, count })),
  );
  const first = (measure: "us" | "count", other: "us" | "count") =>
    [...stops].sort((a, b) => b[measure] - a[measure] || b[other] - a[other]).slice(0, stopsShown);
  return { longestStops: first("us", "count"), mostFrequentStops: first("count", "us") };
}

/** What the orders made in the shift; and how far they are, from the result of the order that contains the others. */
function ordersOf(
  tops: readonly Known[],
  results: readonly Result[],
  places: ReadonlyMap<number, Known["place"]>,
): ReportOrder[] {
  const progress = new Map<string, NonNullable<ReportOrder["progress"]>>();
  const ofOrder = results.filter(({ period }) => period === "order");
  for (const group of Map.groupBy(ofOrder, ({ key }) => key).values()) {
    const ids = new Set(group.map(({ equipmentId }) => equipmentId));
    for (const { key, equipmentId, detail } of group) {
      const place = places.get(equipmentId);
      const own = readDetail(detail)?.progress;
      if (own == null || (place !== undefined && containedIn(place, places, ids))) continue;
      const sum = progress.get(key);
      progress.set(key, { ordered: own.ordered, yield: own.yield + (sum?.yield ?? 0) });
    }
  }
  const orders = new Map<string, ReportOrder>();
  for (const { detail } of tops) {
    for (const { order, operation, material, unit, ...made } of detail.orders) {
      const key = JSON.stringify([order, operation, material, unit]);
      const none = { pq: 0, gq: 0, sq: 0, rq: 0 };
      const sum = orders.get(key) ?? {
        ...{ order, operation, material, unit },
        ...none,
        progress: progress.get(order) ?? null,
      };
      addTo(sum, made);
      orders.set(key, sum);
    }
  }
  const list = [...orders.values()];
  return list.sort(
    (a, b) => collator.compare(a.order, b.order) || collator.compare(a.operation ?? "", b.operation ?? ""),
  );
}

function missingResults(
  results: readonly Result[],
  equipment: ShiftReportInput["equipment"],
  readable: ReadonlySet<number>,
): Missing[] {
  const there = new Set(results.map(({ equipmentId }) => equipmentId));
  return equipment.flatMap(({ id, level, lifecycle }): Missing[] => {
    if (there.has(id)) return readable.has(id) ? [] : [{ kind: "unreadable", equipmentId: id }];
    return level === "workUnit" && lifecycle === "productive" ? [{ kind: "result", equipmentId: id }] : [];
  });
}

function missingOf({ result, place: { id }, detail }: Known): Missing[] {
  const { stateCoverage, countCoverage } = kpisOf(detail.sums);
  const missing: Missing[] = [];
  if (result.state === "provisional") missing.push({ kind: "provisional", equipmentId: id });
  if (result.stale) missing.push({ kind: "stale", equipmentId: id });
  if (stateCoverage !== null && stateCoverage < 1)
    missing.push({ kind: "state", equipmentId: id, coverage: stateCoverage });
  if (countCoverage !== null && countCoverage < 1)
    missing.push({ kind: "counts", equipmentId: id, coverage: countCoverage });
  missing.push(...detail.missingIdealCycles.map((each): Missing => ({ kind: "idealCycle", ...each })));
  missing.push(...detail.fasterThanIdeal.map((each): Missing => ({ kind: "idealCycleTooLong", ...each })));
  if (detail.unplacedScrap > 0)
    missing.push({ kind: "scrapUnplaced", equipmentId: id, quantity: detail.unplacedScrap });
  return missing;
}
