import type { MasterDataItem, Micros, Recorded } from "@lineshaft/contract/api";

export type Order = MasterDataItem<"order">;
export type RecordedOrder = Recorded<Order>;
export type Operation = Order["operations"][number];
export type Execution = Operation["executions"][number];

export const orderStates = ["running", "interrupted", "planned", "finished", "open"] as const;
/** `open`: no machine yet. Orders keep no state of their own but the end; the rest follows from where and when they are executed. */
export type OrderState = (typeof orderStates)[number];

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

export function stateOf(order: Order, nowUs: Micros): OrderState {
  if (order.completedUs !== undefined && order.completedUs <= nowUs) return "finished";
  const all = placedOf(order).map(({ on }) => on);
  if (all.some((one) => runsAt(one, nowUs))) return "running";
  if (all.some(({ fromUs }) => fromUs <= nowUs)) return "interrupted";
  return all.length > 0 ? "planned" : "open";
}

/** From the first start to the last end; null: no end is known, or no start. */
export function spanOfOrder(order: Order): { fromUs: Micros | null; toUs: Micros | null } {
  const all = placedOf(order).map(({ on }) => on);
  if (all.length === 0) return { fromUs: null, toUs: null };
  const open = all.some(({ toUs }) => toUs === null);
  return {
    fromUs: Math.min(...all.map(({ fromUs }) => fromUs)),
    toUs: open ? null : Math.max(...all.map(({ toUs }) => toUs as Micros)),
  };
}

export const machinesOf = (order: Order): number[] => [...new Set(placedOf(order).map(({ on }) => on.equipmentId))];

const withOperation = (order: Order, index: number, change: (operation: Operation) => Operation): Order => ({
  ...order,
  operations: order.operations.map((one, i) => (i === index ? change(one) : one)),
});

/** Begins an operation on a machine; a plan for later on the same machine is taken up instead of running beside it. */
export function started(order: Order, operation: number, equipmentId: number, at: Micros): Order {
  const { completedUs: _, ...rest } = order;
  return withOperation(rest, operation, (one) => {
    const planned = one.executions.findIndex((each) => each.equipmentId === equipmentId && each.fromUs > at);
    const begun: Execution =
      planned < 0 ? { equipmentId, fromUs: at, toUs: null } : { ...one.executions[planned], fromUs: at, toUs: null };
    const others = one.executions.filter((_one, i) => i !== planned);
    return { ...one, executions: [...others, begun].sort((a, b) => a.fromUs - b.fromUs) };
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

/** Ends it for good: what runs ends, what is planned for later is dropped. */
export function finished(order: Order, at: Micros): Order {
  const ended = interrupted(order, at);
  return {
    ...ended,
    completedUs: at,
    operations: ended.operations.map((one) => ({
      ...one,
      executions: one.executions.filter(({ fromUs }) => fromUs <= at),
    })),
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
