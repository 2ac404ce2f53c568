import {
  type Booking,
  type BookingIntent,
  type MasterDataItem,
  type MasterDataKind,
  type NewBooking,
  type Recorded,
  startingReasons,
} from "@lineshaft/contract/api";
import type { Shelf } from "./book.ts";
import { masterDataRules, type Others } from "./master-data-rules.ts";
import { min } from "./testing.ts";

type Kept = Recorded<MasterDataItem<MasterDataKind>> & { removed: boolean };

/** Master data in memory, for the rules of bookings. */
export function memoryShelf(nowMinute = 1000): Shelf & {
  items<K extends MasterDataKind>(kind: K): Map<string, MasterDataItem<K>>;
  writes: number;
} {
  const kept = new Map<string, Kept>();
  let revision = 0;
  const others: Others = {
    equipmentVisible: (id) => id < 10,
    calendar: () => null,
    assignments: () => [],
    topologies: () => [],
    reasons: () => [...startingReasons],
    lookUp: () => null,
    identifierRules: () => [],
  };
  const current = <K extends MasterDataKind>(kind: K): Recorded<MasterDataItem<K>>[] =>
    [...kept]
      .filter(([key, each]) => key.startsWith(`${kind}/`) && !each.removed)
      .map(([, each]) => each as unknown as Recorded<MasterDataItem<K>>);
  const write = <K extends MasterDataKind>(kind: K, id: string, item: MasterDataItem<K>, removed: boolean) => {
    const recorded = { id, revision: ++revision, changedUs: min(nowMinute), item: structuredClone(item), removed };
    kept.set(`${kind}/${id}`, recorded);
    return recorded as unknown as Recorded<MasterDataItem<K>>;
  };
  return {
    nowUs: min(nowMinute),
    level: (id) => (id === 9 ? "site" : "workUnit"),
    find: (kind, id) => current(kind).find((each) => each.id === id) ?? null,
    wasRemoved: (kind, id) => kept.get(`${kind}/${id}`)?.removed ?? false,
    list: (kind, equipmentId, fromUs) =>
      current(kind).filter(({ item }) =>
        kind !== "booking"
          ? JSON.stringify(item).includes(`"equipmentId":${equipmentId}`)
          : (item as Booking).equipmentId === equipmentId && (item as Booking).atUs >= fromUs,
      ),
    check: (kind, id, item) => masterDataRules[kind](item, id, others),
    put: (kind, id, item) => write(kind, id, item, false),
    remove: (kind, { id, item }) => void write(kind, id, item, true),
    items: (kind) => new Map(current(kind).map(({ id, item }) => [id, item])),
    get writes() {
      return revision;
    },
  };
}

export const orderOf = (...operations: string[]): MasterDataItem<"order"> => ({
  material: "M",
  unit: "1",
  quantity: 500,
  operations: operations.map((id) => ({ id, name: null, executions: [] })),
});

export const booking = (id: string, minute: number, intent: BookingIntent): NewBooking => ({
  id,
  atUs: min(minute),
  intent,
});
