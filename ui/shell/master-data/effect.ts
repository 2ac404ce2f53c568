import type { MasterDataItem, Micros } from "@lineshaft/contract/api";

/** A stretch of time on an equipment in which something is another than before. */
export interface Touched {
  equipmentId: number;
  fromUs: Micros;
  /** null: until further notice. */
  toUs: Micros | null;
}

type Order = MasterDataItem<"order">;
interface Said {
  equipmentId: number;
  fromUs: Micros;
  toUs: Micros | null;
  says: string;
}

/** What an order says of machines: everything about it that a number rests on, execution by execution. */
function saidBy(order: Order | null): Said[] {
  if (order === null) return [];
  const { material, unit, operations } = order;
  return operations.flatMap(({ id, executions }) =>
    executions.map(({ equipmentId, fromUs, toUs, ...rest }) => ({
      equipmentId,
      fromUs,
      toUs,
      says: JSON.stringify([material, unit, id, rest]),
    })),
  );
}

/** Where a change of an order makes another of what machines made: by machine, joined, in order. A longer quantity or a name touches nothing. */
export function touchedByOrder(before: Order | null, after: Order | null): Touched[] {
  const [old, next] = [saidBy(before), saidBy(after)];
  const machines = [...new Set([...old, ...next].map(({ equipmentId }) => equipmentId))];
  return machines.flatMap((equipmentId) => {
    const [a, b] = [old, next].map((list) => list.filter((one) => one.equipmentId === equipmentId));
    const edges = [...new Set([...a, ...b].flatMap(({ fromUs, toUs }) => [fromUs, toUs ?? Infinity]))].sort(
      (x, y) => x - y,
    );
    const touched: Touched[] = [];
    for (let i = 0; i + 1 < edges.length; i++) {
      const [from, to] = [edges[i], edges[i + 1]];
      if (sayingsAt(a, from) === sayingsAt(b, from)) continue;
      const last = touched.at(-1);
      const toUs = to === Infinity ? null : to;
      if (last !== undefined && last.toUs === from) last.toUs = toUs;
      else touched.push({ equipmentId, fromUs: from, toUs });
    }
    return touched;
  });
}

const sayingsAt = (said: readonly Said[], at: Micros): string =>
  said
    .filter(({ fromUs, toUs }) => fromUs <= at && (toUs === null || toUs > at))
    .map(({ says }) => says)
    .sort()
    .join("\n");

/** Everything where an item of one equipment and one range said something, or says something now. */
export function touchedByRange(before: Touched | null, after: Touched | null): Touched[] {
  const [old, next] = [before, after].map((one) =>
    one === null ? null : { equipmentId: one.equipmentId, fromUs: one.fromUs, toUs: one.toUs },
  );
  if (old === null || next === null) return [old, next].filter((one) => one !== null);
  const apart = (one: Touched, other: Touched): boolean => one.toUs !== null && one.toUs < other.fromUs;
  if (old.equipmentId !== next.equipmentId || apart(old, next) || apart(next, old)) return [old, next];
  const toUs = old.toUs === null || next.toUs === null ? null : Math.max(old.toUs, next.toUs);
  return [{ equipmentId: next.equipmentId, fromUs: Math.min(old.fromUs, next.fromUs), toUs }];
}

/** How much of it has been already: that is computed again. */
export function pastOf(touched: readonly Touched[], nowUs: Micros): Micros {
  return touched.reduce((sum, { fromUs, toUs }) => sum + Math.max(0, Math.min(toUs ?? nowUs, nowUs) - fromUs), 0);
}
