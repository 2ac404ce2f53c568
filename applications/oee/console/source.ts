import {
  type Annotation,
  type Cells,
  dayUs,
  type Equipment,
  type MachineFactsBody,
  type Micros,
  type Order,
  type Reason,
  type Recorded,
  type ShiftOccurrence,
} from "@lineshaft/contract/api";
import type { PagePlatform, TimeRange } from "@lineshaft/ui/kit";
import { type Kpis, kpisOf, type Sums, sumsOf } from "../index.ts";

/** Everything that the pages read, in one place: the public API, nothing else. */

const pageSize = 1000;
const itemsMax = 20_000;

async function everyPage<T>(
  read: (cursor: string | undefined) => Promise<{ items: T[]; cursor: string | null }>,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    items.push(...page.items);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined && items.length < itemsMax);
  return items;
}

export const readEquipment = (platform: PagePlatform, signal?: AbortSignal): Promise<Equipment[]> =>
  everyPage((cursor) => platform.call("listEquipment", { query: { limit: pageSize, cursor }, signal }));

/** What the platform says of one machine in a range. */
export interface MachineData {
  range: TimeRange;
  facts: MachineFactsBody;
  cells: Cells;
  reasons: ReadonlyMap<number, Reason>;
  shifts: ShiftOccurrence[];
  orders: Recorded<Order>[];
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
  const [facts, cells, { items: shifts }, orders, annotations] = await Promise.all([
    platform.call("machineFacts", { params, query, signal }),
    platform.call("listCells", { params, query, signal }),
    platform.call("listShifts", { query: { equipmentId, ...query }, signal }),
    everyPage((cursor) => platform.call("listOrders", { query: { ...said, cursor }, signal })),
    everyPage((cursor) => platform.call("listAnnotations", { query: { ...said, cursor }, signal })),
  ]);
  const reasons = new Map(cells.reasons.map((reason) => [reason.number, reason]));
  return { range: { fromUs: from, toUs: to }, facts, cells, reasons, shifts, orders, annotations };
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
}

const policiesOf = ({ policies }: Cells) => new Map(policies.map((policy) => [policy.version, policy]));

export function numbersOf(cells: Cells): Numbers {
  return numbersFrom(sumsOf(cells.cells, policiesOf(cells)), cells, cells.fromUs, cells.toUs);
}

function numbersFrom(
  sums: Sums,
  cells: Pick<Cells, "finalBeforeUs" | "repairing">,
  fromUs: Micros,
  toUs: Micros,
): Numbers {
  const final = !cells.repairing && cells.finalBeforeUs !== null && cells.finalBeforeUs >= toUs;
  const state = final ? "final" : "provisional";
  return { fromUs, toUs, sums, kpis: kpisOf(sums), state, revision: null, cause: null, changedUs: null };
}

export const shiftAt = (shifts: readonly ShiftOccurrence[], us: Micros): ShiftOccurrence | undefined =>
  shifts.find(({ fromUs, toUs }) => fromUs <= us && us < toUs);
