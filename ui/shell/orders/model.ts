import {
  type MasterDataItem,
  type Micros,
  type OrderProgress,
  type OrderRun,
  type OrderState,
  orderState,
  type Recorded,
  ranOut,
} from "@lineshaft/contract/api";

export type Order = MasterDataItem<"order">;
export type RecordedOrder = Recorded<Order>;
export type Operation = Order["operations"][number];
export type Execution = Operation["executions"][number];

export interface Placed {
  operation: number;
  execution: number;
  of: Operation;
  on: Execution;
}

export const placedOf = (order: Order): Placed[] =>
  order.operations.flatMap((of, operation) => of.executions.map((on, execution) => ({ operation, execution, of, on })));

export const runsAt = ({ fromUs, toUs }: Execution, at: Micros): boolean =>
  fromUs <= at && (toUs === null || toUs > at);

/** An order with what the server told last of how far it is; null: not yet. */
export interface OrderView {
  order: RecordedOrder;
  progress: OrderProgress | null;
}

/** What machines tell of it. Where people have changed the order since, their word is shown at once; machines' words hold on. */
export const toldOf = (progress: OrderProgress | null): OrderRun[] =>
  progress?.runs.filter(({ by }) => by === "identifier") ?? [];

/** Its state at an instant: what people did a moment ago counts, though nobody has asked the server since. */
export const stateOf = (order: Order, nowUs: Micros, progress: OrderProgress | null = null): OrderState =>
  orderState(order, toldOf(progress), nowUs, ranOut(order, progress?.made ?? null));

/** From the first start to the last end; null: no end is known, or no start. */
export function spanOfOrder(
  order: Order,
  progress: OrderProgress | null = null,
): { fromUs: Micros | null; toUs: Micros | null } {
  const run = [...placedOf(order).map(({ on }) => on), ...toldOf(progress)];
  // What has begun says more than what was planned.
  const all = run.length > 0 ? run : order.operations.flatMap(({ planned = [] }) => planned);
  if (all.length === 0) return { fromUs: null, toUs: null };
  const open = all.some((each) => each.toUs === null || ("unheard" in each && each.unheard));
  return {
    fromUs: Math.min(...all.map(({ fromUs }) => fromUs)),
    toUs: open ? null : Math.max(...all.map(({ toUs }) => toUs as Micros)),
  };
}

export const machinesOf = (order: Order, progress: OrderProgress | null = null): number[] => [
  ...new Set(
    [
      ...toldOf(progress),
      ...order.operations.flatMap(({ executions, planned = [] }) => [...executions, ...planned]),
    ].map(({ equipmentId }) => equipmentId),
  ),
];

const withOperation = (order: Order, index: number, change: (operation: Operation) => Operation): Order => ({
  ...order,
  operations: order.operations.map((one, i) => (i === index ? change(one) : one)),
});

/** Begins an operation on a machine; an execution that was entered for later on the same machine is taken up instead of running beside it. */
export function started(order: Order, operation: number, equipmentId: number, at: Micros): Order {
  return withOperation(order, operation, ({ finished, ...one }) => {
    const ahead = one.executions.findIndex((each) => each.equipmentId === equipmentId && each.fromUs > at);
    const begun: Execution =
      ahead < 0 ? { equipmentId, fromUs: at, toUs: null } : { ...one.executions[ahead], fromUs: at, toUs: null };
    const others = one.executions.filter((_one, i) => i !== ahead);
    const elsewhere = (finished ?? []).filter((each) => each.equipmentId !== equipmentId);
    return {
      ...one,
      executions: [...others, begun].sort((a, b) => a.fromUs - b.fromUs),
      ...(elsewhere.length === 0 ? {} : { finished: elsewhere }),
    };
  });
}

/** Ends what runs at an instant, on one machine or everywhere. What began at that very instant was nothing. */
export function interrupted(order: Order, at: Micros, equipmentId: number | null = null): Order {
  return {
    ...order,
    operations: order.operations.map((one) => ({
      ...one,
      executions: one.executions.flatMap((each): Execution[] => {
        if (!runsAt(each, at) || (equipmentId !== null && each.equipmentId !== equipmentId)) return [each];
        return each.fromUs === at ? [] : [{ ...each, toUs: at }];
      }),
    })),
  };
}

/** Ends it for good: what runs ends, what was entered for later is dropped, and each operation says where no more of it is made. */
export function finished(order: Order, at: Micros): Order {
  const ended = interrupted(order, at);
  return {
    ...ended,
    operations: ended.operations.map((one) => {
      const executions = one.executions.filter(({ fromUs }) => fromUs <= at);
      const places = [...executions, ...(one.planned ?? [])].map(({ equipmentId }) => equipmentId);
      const known = one.finished ?? [];
      const more = [...new Set(places)].filter((place) => !known.some(({ equipmentId }) => equipmentId === place));
      return { ...one, executions, finished: [...known, ...more.map((equipmentId) => ({ equipmentId, atUs: at }))] };
    }),
  };
}

/** Bars that overlap on one machine go into lanes; each into the first that is free. */
export function lanesOf<B extends { fromUs: Micros; toUs: Micros }>(bars: readonly B[]): { bar: B; lane: number }[] {
  const ends: Micros[] = [];
  return [...bars]
    .sort((a, b) => a.fromUs - b.fromUs)
    .map((bar) => {
      const free = ends.findIndex((end) => end <= bar.fromUs);
      const lane = free < 0 ? ends.length : free;
      ends[lane] = bar.toUs;
      return { bar, lane };
    });
}

/** The next unused `0010`, `0020` … of an order. */
export function nextOperationId(operations: readonly { id: string }[]): string {
  const numbers = operations.map(({ id }) => Number(id)).filter(Number.isInteger);
  return String((Math.floor(Math.max(0, ...numbers) / 10) + 1) * 10).padStart(4, "0");
}

/** So many orders are named in one question; and their ids stand in the address, which is kept short. */
const namedMost = { orders: 100, address: 4_000 };

/** So many ids at once as fit into an address. */
export function portions(ids: readonly string[], most = namedMost.address): string[][] {
  const all: string[][] = [];
  let length = 0;
  for (const id of ids) {
    const more = encodeURIComponent(id).length + "&order=".length;
    const last = all.at(-1);
    if (last === undefined || last.length >= namedMost.orders || length + more > most) {
      all.push([id]);
      length = more;
    } else {
      last.push(id);
      length += more;
    }
  }
  return all;
}
