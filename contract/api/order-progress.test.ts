import { describe, expect, it } from "vitest";
import type { Order } from "./master-data.ts";
import { type OrderState, orderState, type Run } from "./order-progress.ts";

type Operation = Order["operations"][number];
const now = 100;
const order = (more: Partial<Operation> = {}): Order => ({
  ...{ material: "M", unit: "1", quantity: 5 },
  operations: [{ id: "10", name: null, executions: [], ...more }],
});
const at = (equipmentId: number, fromUs: number, toUs: number | null) => ({ equipmentId, fromUs, toUs });
const told = (fromUs: number, toUs: number | null, more: Partial<Run> = {}): Run => ({
  ...{ ...at(1, fromUs, toUs), operation: "10" },
  ...more,
});
const planned = [at(1, 50, null)];

describe("the state of an order that its machine tells", () => {
  it.each<[string, OrderState, Order, Run[], boolean]>([
    ["nobody says anything of", "open", order(), [], false],
    ["is meant for a machine", "planned", order({ planned }), [], false],
    ["the machine tells", "running", order({ planned }), [told(60, null)], false],
    ["the machine tells, though all is made", "running", order(), [told(60, null)], true],
    ["the machine told when it fell silent", "running", order(), [told(60, 90, { unheard: true })], true],
    ["the machine left short", "interrupted", order({ planned }), [told(60, 90)], false],
    ["the machine left when all was made", "finished", order({ planned }), [told(60, 90)], true],
    ["people booked and left when all was made", "interrupted", order({ executions: [at(1, 60, 90)] }), [], true],
    ["people finished short", "finished", order({ finished: [{ equipmentId: 1, atUs: 95 }] }), [told(60, 90)], false],
    [
      "people finished at one of its two machines",
      "interrupted",
      order({ finished: [{ equipmentId: 1, atUs: 95 }] }),
      [told(60, 90), told(60, 92, { equipmentId: 2 })],
      false,
    ],
    [
      "the machine tells again after people finished it",
      "running",
      order({ finished: [{ equipmentId: 1, atUs: 95 }] }),
      [told(60, 90), told(97, null)],
      true,
    ],
    ["is booked elsewhere beside it", "running", order({ executions: [at(2, 60, null)] }), [told(60, 90)], false],
  ])("%s: %s", (_, state, item, runs, ranOut) => {
    expect(orderState(item, runs, now, ranOut)).toBe(state);
  });
});
