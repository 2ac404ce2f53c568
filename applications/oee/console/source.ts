import {
  type Annotation,
  type Cells,
  dayUs,
  type Equipment,
  type Executions,
  gridUs,
  type LineTopologyItem,
  type MachineFactsBody,
  type Micros,
  type Reason,
  type Recorded,
  type ShiftOccurrence,
} from "@lineshaft/contract/api";
import type { PagePlatform, TimeRange } from "@lineshaft/ui/kit";
import { by, sumsBy } from "../aggregate.ts";
import { everyPage as readPages } from "../every-page.ts";
import { type Kpis, kpisOf } from "../kpis.ts";
import { type Sums, sumsOf } from "../sums.ts";

/** Everything that the pages read, in one place: the public API, nothing else. */

const pageSize = 1000;
const itemsMax = 20_000;

/** More than a page can show is not read. */
const everyPage: typeof readPages = (read) => readPages(read, itemsMax);

export const readEquipment = (platform: PagePlatform, signal?: AbortSignal): Promise<Equipment[]> =>
  everyPage((cursor) => platform.call("listEquipment", { query: { limit: pageSize, cursor }, signal }));

export const readTopologies = (platform: PagePlatform, signal?: AbortSignal): Promise<Recorded<LineTopologyItem>[]> =>
  everyPage((cursor) => platform.call("listLineTopologies", { query: { limit: pageSize, cursor }, signal }));

/** A plant's own reasons, beside or in place of those it started with. */
export const readReasons = (platform: PagePlatform, signal?: AbortSignal): Promise<Recorded<Reason>[]> =>
  everyPage((cursor) => platform.call("listReasons", { query: { limit: pageSize, cursor }, signal }));

/** What the platform says of one machine in a range. */
export interface MachineData {
  range: TimeRange;
  facts: MachineFactsBody;
  cells: Cells;
  reasons: ReadonlyMap<number, Reason>;
  shifts: ShiftOccurrence[];
  executions: Executions["executions"];
  annotations: Recorded<Annotation>[];
}

/** At most so much of the past is read for one view: what cells are given for at once. */
export const longestViewUs = 31 * dayUs;

export async function readMachine(
  platform: PagePlatform,
  equipmentId: number,
  range: TimeRange,
  signal?: AbortSignal,
): Promise<MachineData> {
  const from = Math.round(Math.max(range.fromUs, range.toUs - longestViewUs + dayUs / 24));
  const to = Math.round(range.toUs);
  const params = { id: equipmentId };
  const query = { from, to };
  const said = { equipmentId, from, to, limit: pageSize };
  const [facts, cells, { items: shifts }, { executions }, annotations] = await Promise.all([
    platform.call("machineFacts", { params, query, signal }),
    platform.call("listCells", { params, query, signal }),
    platform.call("listShifts", { query: { equipmentId, ...query }, signal }),
    platform.call("listExecutions", { params, query, signal }),
    everyPage((cursor) => platform.call("listAnnotations", { query: { ...said, cursor }, signal })),
  ]);
  const reasons = new Map(cells.reasons.map((reason) => [reason.number, reason]));
  return { range: { fromUs: from, toUs: to }, facts, cells, reasons, shifts, executions, annotations };
}

/** A number with what a reader needs to know of it. */
export interface Numbers {
  fromUs: Micros;
  toUs: Micros;
  sums: Sums;
  kpis: Kpis;
  state: "provisional" | "final";
  /** 0 while provisional, 1 the first final one; more are corrections. null: it is calculated here, from cells. */
  revision: number | null;
  cause: string | null;
  changedUs: Micros | null;
  /** Something that it rests on has changed, and it is not calculated again yet. */
  stale: boolean;
}

const policiesOf = ({ policies }: Cells) => new Map(policies.map((policy) => [policy.version, policy]));

export function numbersOf(cells: Cells): Numbers {
  return numbersFrom(sumsOf(cells.cells, policiesOf(cells), cells.reasons), cells, cells.fromUs, cells.toUs);
}

function numbersFrom(
  sums: Sums,
  cells: Pick<Cells, "finalBeforeUs" | "repairing">,
  fromUs: Micros,
  toUs: Micros,
): Numbers {
  const final = !cells.repairing && cells.finalBeforeUs !== null && cells.finalBeforeUs >= toUs;
  const state = final ? "final" : "provisional";
  return { fromUs, toUs, sums, kpis: kpisOf(sums), state, revision: null, cause: null, changedUs: null, stale: false };
}

/** The same by shift; what lies outside of every shift is left out. */
export function numbersByShift(cells: Cells, shifts: readonly ShiftOccurrence[]): Map<string, Numbers> {
  const known = new Map(shifts.map((shift) => [shift.id, shift]));
  const numbers = new Map<string, Numbers>();
  for (const [id, sums] of sumsBy(cells.cells, by.shift, policiesOf(cells), cells.reasons)) {
    const shift = id === null ? undefined : known.get(id);
    if (shift !== undefined) numbers.set(shift.id, numbersFrom(sums, cells, shift.fromUs, shift.toUs));
  }
  return numbers;
}

/** Runs at most `atOnce` readings at a time: a plant of a thousand machines is asked in turn. */
export async function eachOf<T, R>(items: readonly T[], read: (item: T) => Promise<R>, atOnce = 6): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      results[at] = await read(items[at]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  return results;
}

export const shiftAt = (shifts: readonly ShiftOccurrence[], us: Micros): ShiftOccurrence | undefined =>
  shifts.find(({ fromUs, toUs }) => fromUs <= us && us < toUs);

/** By hour of the site, or by production day: in order of time. */
export function numbersBy(cells: Cells, period: "hour" | "productionDay"): Numbers[] {
  const groups =
    period === "hour"
      ? sumsBy<number | string>(cells.cells, by.hour(cells.timeZone), policiesOf(cells), cells.reasons)
      : sumsBy<number | string>(cells.cells, by.productionDay, policiesOf(cells), cells.reasons);
  const extents = new Map<number | string, TimeRange>();
  const keyOf = period === "hour" ? by.hour(cells.timeZone) : by.productionDay;
  for (const cell of cells.cells) {
    const known = extents.get(keyOf(cell));
    const toUs = cell.gridUs + gridUs;
    if (known === undefined) extents.set(keyOf(cell), { fromUs: cell.gridUs, toUs });
    else {
      known.fromUs = Math.min(known.fromUs, cell.gridUs);
      known.toUs = Math.max(known.toUs, toUs);
    }
  }
  return [...groups]
    .map(([key, sums]) => {
      const { fromUs, toUs } = extents.get(key) as TimeRange;
      // An hour begins when it begins, also where less than all of it was asked for.
      return numbersFrom(sums, cells, typeof key === "number" ? key : fromUs, toUs);
    })
    .sort((a, b) => a.fromUs - b.fromUs);
}

/** The cells of a range: quarters of an hour that begin in it. */
export function cellsIn({ cells }: MachineData, range: TimeRange): Cells {
  const fromUs = Math.floor(range.fromUs / gridUs) * gridUs;
  const toUs = Math.min(cells.toUs, Math.ceil(range.toUs / gridUs) * gridUs);
  return {
    ...cells,
    fromUs,
    toUs: Math.max(fromUs, toUs),
    cells: cells.cells.filter((cell) => cell.gridUs >= fromUs && cell.gridUs < toUs),
  };
}
