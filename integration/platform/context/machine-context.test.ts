import type { MasterDataItem, MasterDataKind, Principal } from "@lineshaft/contract/api";
import type { MasterData } from "@lineshaft/contract/ports";
import { describe, expect, it } from "vitest";
import { MachineContext } from "./machine-context.ts";

const principal: Principal = { id: "t", kind: "system", name: "t", tenant: 1, role: "admin", scopes: [""] };

const cycle = (material: string | null, cycleUs: number, fromUs = 0, toUs: number | null = null) =>
  ({ equipmentId: 1, material, cycleUs, unitsPerCycle: 1, fromUs, toUs }) satisfies MasterDataItem<"idealCycleTime">;
const order = (material: string | null, ...executions: [equipmentId: number, fromUs: number, toUs: number | null][]) =>
  ({
    ...{ material, unit: "1", quantity: 1 },
    operations: [
      {
        ...{ id: "10", name: null },
        executions: executions.map(([equipmentId, fromUs, toUs]) => ({ equipmentId, fromUs, toUs })),
      },
    ],
  }) satisfies MasterDataItem<"order">;

/** What is kept, in pages of one. */
function contextOf(items: [MasterDataKind, string, object][]): MachineContext {
  const list = (_: Principal, wanted: MasterDataKind, { cursor = "0" }: { cursor?: string }) => {
    const all = items.filter(([kind]) => kind === wanted);
    const at = Number(cursor);
    const page = all.slice(at, at + 1).map(([, id, item]) => ({ id, revision: 5, changedUs: 0, item }));
    return { items: page, cursor: at + 1 < all.length ? String(at + 1) : null };
  };
  return new MachineContext({ data: { list } as unknown as MasterData, principal, sinceUs: 0 });
}

describe("ideal cycles of a machine", () => {
  it("follow the material in work, else what holds for whatever is made, else none", () => {
    const context = contextOf([
      ["idealCycleTime", "m", cycle("M", 30)],
      ["idealCycleTime", "any", cycle(null, 10, 0, 60)],
      ["order", "A", order("M", [1, 20, 40], [2, 0, 50])],
      ["order", "B", order("N", [1, 40, 50])],
    ]);
    expect(context.idealCycles(1)).toEqual({ from: [0, 20, 40, 60], us: [10, 30, 10, 0] });
    expect(context.idealCycles(2)).toEqual({ from: [], us: [] });
  });

  it("are the longest of orders that run at once, and the newest of cycles that overlap", () => {
    const context = contextOf([
      ["idealCycleTime", "1", cycle("M", 30)],
      ["idealCycleTime", "2", cycle("M", 35, 12)],
      ["idealCycleTime", "3", cycle("N", 20)],
      ["order", "A", order("M", [1, 10, 30])],
      ["order", "B", order("N", [1, 0, 20])],
    ]);
    expect(context.idealCycles(1)).toEqual({ from: [0, 10, 12, 30], us: [20, 30, 35, 0] });
  });

  it("change with what the log tells, for the equipment named before and now; what is known changes nothing", () => {
    const context = contextOf([
      ["idealCycleTime", "m", cycle("M", 30)],
      ["order", "A", order("M", [1, 0, 10])],
      ["policyAssignment", "p", { policy: { microStopUs: 7 } }],
    ]);
    expect(context.microStopUs).toBe(7);
    const moved = order("M", [2, 0, 10]);
    expect(context.changed({ kind: "order", id: "A", revision: 5, item: moved })).toEqual([]);
    expect(context.changed({ kind: "order", id: "A", revision: 6, item: moved })).toEqual([1, 2]);
    expect(context.idealCycles(1)).toEqual({ from: [], us: [] });
    expect(context.changed({ kind: "order", id: "C", revision: 7, item: order("M", [1, 3, null]) })).toEqual([1]);
    expect(context.idealCycles(1)).toEqual({ from: [3], us: [30] });
    expect(context.changed({ kind: "order", id: "C", revision: 8, item: {}, removed: true })).toEqual([1]);
    expect(context.idealCycles(1)).toEqual({ from: [], us: [] });
    expect(context.changed({ kind: "reason", id: "1", revision: 9, item: {} })).toEqual([]);
  });
});
