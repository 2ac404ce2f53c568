import type { Annotation, Equipment, MachineStop, Micros, Quantities, Recorded, Result } from "@lineshaft/contract/api";
import { type OeeDetail, readDetail } from "./detail.ts";
import { type KpiHint, type Kpis, kpisOf } from "./kpis.ts";
import { type ParetoBar, paretoOf, type Waterfall, waterfallOf } from "./losses.ts";
import { addSums, type MaterialSums, type Sums } from "./sums.ts";

/** What the report is made of: the results of one shift, what stood, and the equipment that it speaks of. */
export interface ShiftReportInput {
  /** What the report is of: it, and what stands below. Default: all equipment. */
  placeId?: number;
  /** Newest results of the period `shift`, one of each equipment: machines, lines, whatever stands above them. */
  results: readonly Result[];
  equipment: readonly Pick<Equipment, "id" | "parentId" | "name" | "path" | "level" | "lifecycle">[];
  /** Newest results of the period `order` of the same equipment: how far the orders are. */
  orders?: readonly Result[];
  /** Stops over the threshold, the longest first. */
  stops?: readonly MachineStop[];
  /** What people wrote in the time of the shift. */
  notes?: readonly Recorded<Annotation>[];
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

/** A stop over the threshold, with the reason that holds for most of it. */
export interface ReportStop {
  equipmentId: number;
  path: string;
  fromUs: Micros;
  /** null: it lasts. */
  toUs: Micros | null;
  /** Of it, what lies in planned time of the shift. */
  us: Micros;
  reason: number | null;
  comments: string[];
}

/** What somebody wrote of a time that is no stop of the list. */
export interface ReportNote {
  equipmentId: number;
  path: string;
  atUs: Micros;
  text: string;
}

/** What of a material was not good. `material` null: without an order. */
export interface ReportScrap extends Quantities {
  material: string | null;
  unit: string;
}

/** A number that has been changed after it was final. */
export interface ReportCorrection {
  equipmentId: number;
  path: string;
  revision: number;
  cause: string;
  publishedUs: Micros;
}

/** The place as a whole. */
export interface ReportWhole {
  sums: Sums;
  kpis: Kpis;
  waterfall: Waterfall;
  /** Standing time inside the planned busy time by reason, the longest first. */
  pareto: ParetoBar[];
  /** How much of the expected data it rests on. */
  coverage: number | null;
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
  /** final: all data of all parts are in. */
  state: Result["state"];
  /** Something it rests on has changed, and it is not calculated again yet. */
  stale: boolean;
  whole: ReportWhole;
  /** In the order of the tree, the place first. */
  rows: ReportRow[];
  stops: ReportStop[];
  orders: ReportOrder[];
  scrap: ReportScrap[];
  quantities: UnitQuantities[];
  notes: ReportNote[];
  corrections: ReportCorrection[];
  missing: Missing[];
}

interface Known {
  result: Result;
  place: ShiftReportInput["equipment"][number];
  detail: OeeDetail;
}

/** The report of a shift, from its results alone. null: there is no result. */
export function shiftReport(input: ShiftReportInput): ShiftReport | null {
  const { orders = [], stops = [], notes = [] } = input;
  const equipment = equipmentOf(input);
  const places = new Map(equipment.map((place) => [place.id, place]));
  const results = input.results.filter(({ equipmentId }) => places.has(equipmentId));
  if (results.length === 0) return null;
  const known = results
    .flatMap((result): Known[] => {
      const place = places.get(result.equipmentId);
      const detail = readDetail(result.detail);
      return place === undefined || detail === null ? [] : [{ result, place, detail }];
    })
    .sort((a, b) => comparePaths(a.place.path, b.place.path));
  const ids = new Set(known.map(({ place }) => place.id));
  // The whole is what nothing else in the report contains; so nothing counts twice.
  const tops = known.filter(({ place }) => !containedIn(place, places, ids));
  const sums = addSums(tops.map(({ detail }) => detail.sums));
  const kpis = kpisOf(sums);
  const parents = new Set(known.map(({ place }) => place.parentId));
  const machines = known.filter(({ place }) => !parents.has(place.id));
  const told = stops.flatMap((stop) => stopOf(stop, places));
  return {
    fromUs: Math.min(...results.map(({ fromUs }) => fromUs)),
    toUs: Math.max(...results.map(({ toUs }) => toUs)),
    state: results.some(({ state }) => state === "provisional") ? "provisional" : "final",
    stale: tops.some(({ result }) => result.stale),
    whole: {
      ...{ sums, kpis, waterfall: waterfallOf(sums), pareto: paretoOf(sums) },
      coverage: leastOf(tops.map(({ result }) => result.coverage)),
    },
    rows: known.map(rowOf),
    stops: told,
    orders: ordersOf(tops, orders, places),
    scrap: scrapOf(sums),
    quantities: quantitiesOf(sums),
    notes: notesOf(notes, told, places),
    corrections: known.flatMap(correctionOf),
    missing: [...missingResults(results, equipment, ids), ...machines.flatMap(missingOf)],
  };
}

/** The place with all below it. */
function equipmentOf({ placeId, equipment }: ShiftReportInput): ShiftReportInput["equipment"] {
  const place = equipment.find(({ id }) => id === placeId);
  if (place === undefined) return placeId === undefined ? equipment : [];
  return equipment.filter(({ id, path }) => id === placeId || place.path === "" || path.startsWith(`${place.path}/`));
}

/** As sure as the least sure; null where one cannot say. */
function leastOf(coverages: readonly (number | null)[]): number | null {
  return coverages.reduce((a, b) => (a === null || b === null ? null : Math.min(a, b)), 1);
}

function stopOf(
  { equipmentId, fromUs, toUs, us, parts, comments }: MachineStop,
  places: ReadonlyMap<number, Known["place"]>,
): ReportStop[] {
  const place = places.get(equipmentId);
  if (place === undefined) return [];
  const byReason = new Map<number | null, Micros>();
  for (const part of parts) byReason.set(part.reason, (byReason.get(part.reason) ?? 0) + part.toUs - part.fromUs);
  const [[reason] = [null]] = [...byReason].sort(([, a], [, b]) => b - a);
  return [{ equipmentId, path: place.path, fromUs, toUs, us, reason, comments }];
}

function notesOf(
  notes: readonly Recorded<Annotation>[],
  stops: readonly ReportStop[],
  places: ReadonlyMap<number, Known["place"]>,
): ReportNote[] {
  const toldWithStop = ({ equipmentId, anchorUs }: Annotation): boolean =>
    stops.some(
      (stop) =>
        stop.equipmentId === equipmentId && stop.fromUs <= anchorUs && (stop.toUs === null || anchorUs < stop.toUs),
    );
  return notes
    .flatMap(({ item }): ReportNote[] => {
      const place = places.get(item.equipmentId);
      if (place === undefined || item.text.trim() === "" || toldWithStop(item)) return [];
      return [{ equipmentId: item.equipmentId, path: place.path, atUs: item.anchorUs, text: item.text }];
    })
    .sort((a, b) => a.atUs - b.atUs);
}

const correctionOf = ({ result, place }: Known): ReportCorrection[] =>
  result.revision <= 1
    ? []
    : [
        {
          ...{ equipmentId: place.id, path: place.path, revision: result.revision },
          ...{ cause: result.cause.text, publishedUs: result.publishedUs },
        },
      ];

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

/** What was scrap or had to be worked again, the most of it first. */
function scrapOf({ materials }: Sums): ReportScrap[] {
  const notGood = ({ all }: MaterialSums): number => all.sq + all.rq;
  return materials
    .filter((each) => notGood(each) !== 0)
    .sort((a, b) => notGood(b) - notGood(a))
    .map(({ material, unit, all }) => ({ material, unit, ...all }));
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
  const list = [...orders.values()].filter(({ pq, gq, sq, rq }) => pq !== 0 || gq !== 0 || sq !== 0 || rq !== 0);
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

/** Less is missing than a reader would see. */
const nearlyAll = 0.9995;

function missingOf({ result, place: { id }, detail }: Known): Missing[] {
  const { stateCoverage, countCoverage } = kpisOf(detail.sums);
  const missing: Missing[] = [];
  if (result.state === "provisional") missing.push({ kind: "provisional", equipmentId: id });
  if (result.stale) missing.push({ kind: "stale", equipmentId: id });
  if (stateCoverage !== null && stateCoverage < nearlyAll)
    missing.push({ kind: "state", equipmentId: id, coverage: stateCoverage });
  if (countCoverage !== null && countCoverage < nearlyAll)
    missing.push({ kind: "counts", equipmentId: id, coverage: countCoverage });
  missing.push(...detail.missingIdealCycles.map((each): Missing => ({ kind: "idealCycle", ...each })));
  missing.push(...detail.fasterThanIdeal.map((each): Missing => ({ kind: "idealCycleTooLong", ...each })));
  if (detail.unplacedScrap > 0)
    missing.push({ kind: "scrapUnplaced", equipmentId: id, quantity: detail.unplacedScrap });
  return missing;
}
