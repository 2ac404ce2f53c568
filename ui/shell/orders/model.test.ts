import { describe, expect, it } from "vitest";
import { pastOf, touchedByOrder } from "../master-data/effect.ts";
import { finished, interrupted, lanesOf, nextOperationId, type Order, spanOfOrder, started, stateOf } from "./model.ts";

const run = (equipmentId: number, fromUs: number, toUs: number | null) => ({ equipmentId, fromUs, toUs });
const order = (...executions: ReturnType<typeof run>[]): Order => ({
  material: "M",
  unit: "1",
  quantity: 5,
  operations: [{ id: "0010", name: null, executions }],
});
const planned = (of: Order): Order => ({
  ...of,
  operations: of.operations.map((one) => ({ ...one, planned: [{ equipmentId: 3, fromUs: 20, toUs: 30 }] })),
});
const executionsOf = (of: Order) => of.operations.flatMap(({ executions }) => executions);

describe("an order", () => {
  it.each([
    ["open", order()],
    ["planned", order(run(1, 20, null))],
    ["running", order(run(1, 5, 10), run(2, 8, null))],
    ["interrupted", order(run(1, 5, 10), run(1, 20, 30))],
    ["finished", finished(order(run(1, 5, null)), 10)],
    ["running", finished(order(run(1, 5, null)), 15)],
    ["planned", planned(order())],
    ["interrupted", planned(order(run(1, 5, 10)))],
  ] as const)("is %s", (state, of) => {
    expect(stateOf(of, 12)).toBe(state);
  });

  it("is started, taking up a plan for the same machine; interrupted; finished, with no plan left", () => {
    expect(executionsOf(started(order(run(1, 20, 30), run(2, 25, 30)), 0, 1, 12))).toEqual([
      run(1, 12, null),
      run(2, 25, 30),
    ]);
    expect(executionsOf(started(order(run(1, 0, 5)), 0, 1, 12))).toEqual([run(1, 0, 5), run(1, 12, null)]);
    const resumed = started(finished(order(run(1, 0, null), run(2, 0, null)), 9), 0, 1, 12);
    expect(resumed.operations[0].finished).toEqual([{ equipmentId: 2, atUs: 9 }]);
    expect(executionsOf(interrupted(order(run(1, 0, null), run(2, 0, null)), 12, 1))).toEqual([
      run(1, 0, 12),
      run(2, 0, null),
    ]);
    expect(executionsOf(interrupted(order(run(1, 12, null)), 12))).toEqual([]);
    expect(finished(order(run(1, 0, null), run(1, 20, 30)), 12)).toMatchObject({
      operations: [{ executions: [run(1, 0, 12)], finished: [{ equipmentId: 1, atUs: 12 }] }],
    });
  });

  it("has a span, and the next number for an operation", () => {
    expect(spanOfOrder(order(run(1, 5, 10), run(2, 2, 8)))).toEqual({ fromUs: 2, toUs: 10 });
    expect(spanOfOrder(order(run(1, 5, null)))).toEqual({ fromUs: 5, toUs: null });
    expect(nextOperationId([{ id: "0010" }, { id: "0035" }, { id: "x" }])).toBe("0040");
  });

  it("puts what overlaps into lanes", () => {
    const bars = [run(1, 0, 10), run(1, 5, 20), run(1, 10, 15)].map(({ fromUs, toUs }) => ({
      fromUs,
      toUs: toUs as number,
    }));
    expect(lanesOf(bars).map(({ lane }) => lane)).toEqual([0, 1, 0]);
  });
});

describe("what a change of an order touches", () => {
  it("is where it says something else of a machine, joined; not its quantity", () => {
    const before = order(run(1, 0, 10));
    expect(touchedByOrder(before, { ...before, quantity: 9 })).toEqual([]);
    expect(touchedByOrder(before, order(run(1, 0, 20)))).toEqual([{ equipmentId: 1, fromUs: 10, toUs: 20 }]);
    expect(touchedByOrder(before, order(run(1, 5, null)))).toEqual([
      { equipmentId: 1, fromUs: 0, toUs: 5 },
      { equipmentId: 1, fromUs: 10, toUs: null },
    ]);
    expect(touchedByOrder(before, { ...before, material: "N" })).toEqual([{ equipmentId: 1, fromUs: 0, toUs: 10 }]);
    expect(touchedByOrder(null, order(run(2, 0, 5), run(2, 5, 8)))).toEqual([{ equipmentId: 2, fromUs: 0, toUs: 8 }]);
    expect(touchedByOrder(before, null)).toEqual([{ equipmentId: 1, fromUs: 0, toUs: 10 }]);
  });

  it("is past as far as it has been", () => {
    const touched = [
      { equipmentId: 1, fromUs: 0, toUs: 5 },
      { equipmentId: 1, fromUs: 10, toUs: null },
      { equipmentId: 2, fromUs: 20, toUs: null },
    ];
    expect(pastOf(touched, 12)).toBe(7);
  });
});
