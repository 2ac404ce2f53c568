import type { OrderProgress, OrderRun } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { type Bar, barsByMachine, nextBar } from "./bars.ts";
import { type Order, type OrderView, portions } from "./model.ts";

const now = 100;
const range = { fromUs: 0, toUs: 320 };
const operation = (more: Partial<Order["operations"][number]>): Order["operations"][number] => ({
  ...{ id: "10", name: null, executions: [] },
  ...more,
});
const run = (equipmentId: number, fromUs: number, toUs: number | null, more: Partial<OrderRun> = {}): OrderRun => ({
  ...{ equipmentId, operation: "10", fromUs, toUs, by: "identifier", unheard: false },
  ...more,
});
const view = (id: string, of: Partial<Order["operations"][number]>, more: Partial<OrderProgress> = {}): OrderView => {
  const item: Order = { material: "M", unit: "1", quantity: 10, operations: [operation(of)] };
  const none = { sinceUs: null, made: null, partly: false, remaining: null, expectedEndUs: null, expectedBy: null };
  return {
    order: { id, revision: 1, changedUs: 0, item },
    progress: { order: id, revision: 1, state: "open", runs: [], ...none, ...more },
  };
};
const brief = (bars: readonly Bar[] = []) =>
  bars.map(({ id, state, fromUs, toUs, told }) => [id, state, fromUs, toUs, told]);

describe("bars of the board", () => {
  it("what machines tell stands like what people book, and its plan is gone", () => {
    const planned = [{ equipmentId: 1, fromUs: 40, toUs: null }];
    const views = [
      view("A", { planned }, { runs: [run(1, 10, 60)], made: { good: 7, scrap: 3, rework: 0 } }),
      view("B", { planned }, { runs: [run(1, 60, null)], expectedEndUs: 180, made: { good: 4, scrap: 0, rework: 1 } }),
      view("C", { planned: [{ equipmentId: 1, fromUs: 200, toUs: 260 }] }),
      view("D", { executions: [{ equipmentId: 2, fromUs: 20, toUs: 90 }] }),
    ];
    const bars = barsByMachine(views, range, now);
    expect(brief(bars.get(1))).toEqual([
      ["A", "finished", 10, 60, true],
      ["B", "running", 60, 180, true],
      ["C", "planned", 200, 260, false],
    ]);
    expect(bars.get(1)?.[1]).toMatchObject({ share: 0.5, expectedUs: 180, open: true });
    expect(brief(bars.get(2))).toEqual([["D", "interrupted", 20, 90, false]]);
  });

  it("an order whose machine fell silent runs on as unknown, up to now", () => {
    const bars = barsByMachine([view("A", {}, { runs: [run(1, 10, 60, { unheard: true })] })], range, now);
    expect(bars.get(1)).toMatchObject([{ state: "running", toUs: now, unheardUs: 60, share: null }]);
  });

  it("what stands outside of the range is not drawn", () => {
    const bars = barsByMachine(
      [view("A", {}, { runs: [run(1, 0, 50)] }), view("B", { planned: [{ equipmentId: 1, fromUs: 400, toUs: null }] })],
      { fromUs: 50, toUs: 300 },
      now,
    );
    expect(bars.size).toBe(0);
  });
});

describe("the arrow keys", () => {
  const bar = (fromUs: number, toUs: number) => ({ fromUs, toUs }) as Bar;
  const rows = [[bar(0, 10), bar(20, 30)], [], [bar(0, 5), bar(12, 18), bar(29, 40)]];
  it.each([
    ["ArrowRight", { row: 0, bar: 0 }, { row: 0, bar: 1 }],
    ["ArrowRight", { row: 0, bar: 1 }, null],
    ["ArrowLeft", { row: 2, bar: 2 }, { row: 2, bar: 1 }],
    ["ArrowDown", { row: 0, bar: 1 }, { row: 2, bar: 2 }],
    ["ArrowDown", { row: 0, bar: 0 }, { row: 2, bar: 0 }],
    ["ArrowUp", { row: 2, bar: 1 }, { row: 0, bar: 0 }],
    ["ArrowUp", { row: 0, bar: 0 }, null],
  ] as const)("%s from %j", (key, at, to) => {
    expect(nextBar(rows, at, key)).toEqual(to);
  });
});

describe("questions of progress", () => {
  it("name so many orders as fit into an address, and none twice", () => {
    const ids = Array.from({ length: 250 }, (_, i) => `Ö ${i}`);
    const all = portions(ids);
    expect(all.flat()).toEqual(ids);
    expect(Math.max(...all.map(({ length }) => length))).toBeLessThanOrEqual(100);
    const long = portions(["x".repeat(128), "y".repeat(128), "z"], 200);
    expect(long.map(({ length }) => length)).toEqual([1, 2]);
  });
});
