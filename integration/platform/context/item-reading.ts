import type {
  BlockedCavities,
  Dated,
  MasterDataItem,
  MasterDataKind,
  PhysicalAsset,
  Principal,
  Recorded,
} from "@lineshaft/contract/api";
import type { MasterData, MasterDataQuery } from "@lineshaft/contract/ports";

/** Reading master data for a context. */

export interface MasterDataReference {
  entity: MasterDataKind;
  id: string;
  revision: number;
}

const forever = Number.MAX_SAFE_INTEGER;

/** Every page of a list. */
export function everyPage<K extends MasterDataKind>(
  data: MasterData,
  p: Principal,
  kind: K,
  q: MasterDataQuery,
): Recorded<MasterDataItem<K>>[] {
  const items: Recorded<MasterDataItem<K>>[] = [];
  let cursor: string | undefined;
  do {
    const page = data.list(p, kind, { ...q, limit: 1000, cursor });
    items.push(...page.items);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}

export function remembering<T>(find: (id: string) => T): (id: string) => T {
  const known = new Map<string, T>();
  return (id) => {
    if (!known.has(id)) known.set(id, find(id));
    return known.get(id) as T;
  };
}

export const mountsOn = ({ mounts }: PhysicalAsset, equipmentId: number): Dated[] =>
  mounts
    .filter((mount) => mount.equipmentId === equipmentId)
    .map(({ fromUs, toUs }) => ({ fromUs, toUs: toUs ?? forever }));

/** The blocked cavities of a tool while it is mounted. */
export function blockedWhile({ blockedCavities }: PhysicalAsset, mount: Dated): BlockedCavities[] {
  return blockedCavities
    .map(({ order, cavities, fromUs, toUs }) => ({
      order,
      cavities,
      fromUs: Math.max(fromUs, mount.fromUs),
      toUs: Math.min(toUs ?? forever, mount.toUs),
    }))
    .filter(({ fromUs, toUs }) => fromUs < toUs);
}
