import { type Static, Type } from "typebox";
import type { Order } from "./master-data.ts";
import { type Micros, MicrosSchema } from "./time.ts";

/** How far orders are: where they run and ran, by people's word and by machines' own, what was made, what is left, and when it will be done. */

const closed = { additionalProperties: false } as const;
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);

export const orderStates = ["running", "interrupted", "planned", "finished", "open"] as const;
/** `open`: no machine yet. An order keeps no state of its own; it follows from where and when it is executed, planned and finished. */
export type OrderState = (typeof orderStates)[number];

/** So many orders are told in one answer, or named in one question, at most. */
export const orderProgressMax = 200;

export const OrderRunSchema = Type.Object({
  equipmentId: Type.Integer(),
  operation: orNull(Type.String()),
  fromUs: MicrosSchema,
  toUs: Type.Union([MicrosSchema, Type.Null()], { description: "null: until further notice." }),
  by: Type.Enum(["booking", "identifier"], {
    description: "booking: people or an ERP said so. identifier: the machine told it.",
  }),
  unheard: Type.Boolean({
    description: "The machine told it and is silent since `toUs`: whether it goes on, nobody knows.",
  }),
});
export type OrderRun = Static<typeof OrderRunSchema>;

export const OrderProgressSchema = Type.Object(
  {
    order: Type.String(),
    revision: Type.Integer({ description: "Of the order that this was made of." }),
    state: Type.Enum([...orderStates]),
    runs: Type.Array(OrderRunSchema, { description: "By their beginning; those on equipment that you may see." }),
    sinceUs: Type.Unsafe<number | null>({ ...orNull(MicrosSchema), description: "Since when it runs; null: nowhere." }),
    made: orNull(
      Type.Object(
        { good: Type.Number(), scrap: Type.Number(), rework: Type.Number() },
        { description: "By its last operation, in the order's unit; null: nothing was counted there." },
      ),
    ),
    partly: Type.Boolean({ description: "Not all of its time, or not every machine of it, was counted." }),
    remaining: Type.Unsafe<number | null>({
      ...orNull(Type.Number()),
      description: "Ordered, less what is good or reworked; never below 0. null: nothing was counted.",
    }),
    expectedEndUs: Type.Unsafe<number | null>({
      ...orNull(MicrosSchema),
      description: "In planned time, at the pace so far; null: it does not run, or nobody can tell.",
    }),
    expectedBy: orNull(
      Type.Enum(["pace", "idealCycle"], { description: "idealCycle: too little was made yet to know its pace." }),
    ),
  },
  { $id: "OrderProgress" },
);
export type OrderProgress = Static<typeof OrderProgressSchema>;

/** Where and when an order runs, as far as its state follows from it. */
export type Run = Pick<OrderRun, "equipmentId" | "operation" | "fromUs" | "toUs"> & { unheard?: boolean };

/**
 * What people booked and what machines tell stand side by side. Running: somewhere it is executed now, or its machine fell silent while it was. Finished: people said so of its last operation wherever that
 * was or is meant to be executed; or its machine told it, has moved on, and made as many pieces as were ordered (`ranOut`), good or not. Interrupted: it ran, and neither holds. See adr/0015.
 */
export function orderState(order: Order, told: readonly Run[], nowUs: Micros, ranOut: boolean): OrderState {
  const booked = order.operations.flatMap(({ executions }) => executions);
  const covers = ({ fromUs, toUs }: Pick<Run, "fromUs" | "toUs">): boolean =>
    fromUs <= nowUs && (toUs === null || toUs > nowUs);
  if (booked.some(covers) || told.some((run) => covers(run) || (run.unheard === true && run.fromUs <= nowUs)))
    return "running";
  if (saidFinished(order, told, nowUs) || (ranOut && told.length > 0)) return "finished";
  if ([...booked, ...told].some(({ fromUs }) => fromUs <= nowUs)) return "interrupted";
  const placed = booked.length > 0 || order.operations.some(({ planned = [] }) => planned.length > 0);
  return placed ? "planned" : "open";
}

/** As many pieces were made as were ordered, good or not: a machine counts to a number, and whether that suffices, people decide. */
export const ranOut = ({ quantity }: Pick<Order, "quantity">, made: OrderProgress["made"]): boolean =>
  made !== null && quantity > 0 && made.good + made.scrap + made.rework >= quantity;

/** No more of it is made: its last operation is finished wherever it was or is meant to be executed. */
function saidFinished(order: Order, told: readonly Run[], nowUs: Micros): boolean {
  const last = order.operations.at(-1);
  const ended = (last?.finished ?? []).filter(({ atUs }) => atUs <= nowUs).map(({ equipmentId }) => equipmentId);
  const here = told.filter(({ operation }) => operation === last?.id);
  const places = [...(last?.executions ?? []), ...(last?.planned ?? []), ...here];
  return ended.length > 0 && places.every(({ equipmentId }) => ended.includes(equipmentId));
}

export const orderProgressRoutes = {
  listOrderProgress: {
    method: "GET",
    path: "/order-progress",
    summary:
      "How far orders are: state, where they run, by booking or by the machine's own word, what was made, what is left, and the expected end",
    permission: "read",
    query: Type.Object(
      {
        order: Type.Optional(
          Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
            maxItems: orderProgressMax,
            description: "Only these; those that may not be seen, or are not there, are left out.",
          }),
        ),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: orderProgressMax, description: "Default 100." })),
        cursor: Type.Optional(Type.String({ maxLength: 512 })),
      },
      closed,
    ),
    response: Type.Object({
      atUs: Type.Unsafe<number>({ ...MicrosSchema, description: "The server's time of this answer." }),
      items: Type.Array(OrderProgressSchema, { description: "By id." }),
      cursor: orNull(Type.String()),
    }),
  },
} as const;
