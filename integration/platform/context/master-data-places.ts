import type { MasterDataItem, MasterDataKind, Micros } from "@lineshaft/contract/api";

type AnyItem = MasterDataItem<MasterDataKind>;

/** The equipment that an item names, each once. */
export function placesOf(kind: MasterDataKind, item: AnyItem): number[] {
  const parts = partsOf(kind, item).flatMap((part) => (part.equipmentId === undefined ? [] : [part.equipmentId]));
  return [...new Set(parts)];
}

/** The range in which an item holds somewhere; null: without bound, or it is of no time. */
export function validityOf(kind: MasterDataKind, item: AnyItem): { fromUs: Micros | null; toUs: Micros | null } {
  const parts = partsOf(kind, item);
  const [starts, ends] = [parts.map(({ fromUs }) => fromUs), parts.map(({ toUs }) => toUs)];
  const bounded = (times: (Micros | null | undefined)[]): times is Micros[] =>
    times.length > 0 && times.every((time) => typeof time === "number");
  return {
    fromUs: bounded(starts) ? Math.min(...starts) : null,
    toUs: bounded(ends) ? Math.max(...ends) : null,
  };
}

/** The same, each time that it is named, and where in the item. */
export function namedPlaces(kind: MasterDataKind, item: AnyItem): { equipmentId: number; path: string }[] {
  return partsOf(kind, item).flatMap(({ equipmentId, at }) =>
    equipmentId === undefined ? [] : [{ equipmentId, path: `${at}/equipmentId` }],
  );
}

interface Part {
  equipmentId?: number;
  fromUs?: Micros;
  toUs?: Micros | null;
  /** JSON pointer. */
  at: string;
}

/** Those parts of an item that hold somewhere at some time. */
function partsOf(kind: MasterDataKind, item: AnyItem): Part[] {
  switch (kind) {
    case "order":
      return (item as MasterDataItem<"order">).operations.flatMap(({ executions, planned = [] }, i) => [
        ...executions.map((execution, j) => ({ ...execution, at: `/operations/${i}/executions/${j}` })),
        ...planned.map((plan, j) => ({ ...plan, at: `/operations/${i}/planned/${j}` })),
      ]);
    case "booking": {
      const { equipmentId, atUs } = item as MasterDataItem<"booking">;
      return [{ equipmentId, fromUs: atUs, toUs: atUs + 1, at: "" }];
    }
    case "physicalAsset":
      return (item as MasterDataItem<"physicalAsset">).mounts.map((mount, i) => ({ ...mount, at: `/mounts/${i}` }));
    default:
      return [{ ...(item as Omit<Part, "at">), at: "" }];
  }
}
