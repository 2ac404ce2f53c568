import type { MasterDataItem, Micros, Principal, Recorded } from "@lineshaft/contract/api";
import type { Lsn, MasterData } from "@lineshaft/contract/ports";
import type { LineTopology } from "./line.ts";

type Item = Recorded<MasterDataItem<"lineTopology">>;

/** How a line stood in [fromUs, toUs) by what was known at `asOf`; empty: the equipment is no line. Oldest first. */
export function topologiesOf(
  data: MasterData,
  p: Principal,
  equipmentId: number,
  range: { fromUs?: Micros; toUs?: Micros; asOf?: Lsn } = {},
): Item[] {
  const { items } = data.list(p, "lineTopology", { equipmentId, ...range, limit: 1000 });
  return items.filter(({ item }) => item.equipmentId === equipmentId).sort((a, b) => a.item.fromUs - b.item.fromUs);
}

/** Every machine along a line, as it stands or stood. */
export const membersOf = (items: readonly Item[]): number[] =>
  [...new Set(items.flatMap(({ item }) => item.members.map(({ equipmentId }) => equipmentId)))].sort((a, b) => a - b);

export function asTopology({ item }: Item): LineTopology {
  return {
    fromUs: item.fromUs,
    toUs: item.toUs ?? Number.MAX_SAFE_INTEGER,
    constraint: item.constraint,
    constraintOf: Object.fromEntries(item.constraintOf.map(({ material, equipmentId }) => [material, equipmentId])),
    output: item.output,
    unitsPerCount: Object.fromEntries(
      item.members.map(({ equipmentId, unitsPerCount }) => [equipmentId, unitsPerCount]),
    ),
  };
}
