import type { IdentifierTransition, MasterDataItem, MasterDataKind, Principal } from "@lineshaft/contract/api";
import type { MasterData } from "@lineshaft/contract/ports";
import { describe, expect, it } from "vitest";
import { MachineContext } from "./machine-context.ts";

const site = 9;
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
function contextOf(
  items: [MasterDataKind, string, object][],
  identifiers: (equipmentId: number) => IdentifierTransition[] = () => [],
): MachineContext {
  const list = (_: Principal, wanted: MasterDataKind, { cursor = "0" }: { cursor?: string }) => {
    const all = items.filter(([kind]) => kind === wanted);
    const at = Number(cursor);
    const page = all.slice(at, at + 1).map(([, id, item]) => ({ id, revision: 5, changedUs: 0, item }));
    return { items: page, cursor: at + 1 < all.length ? String(at + 1) : null };
  };
  const find = (_: Principal, wanted: MasterDataKind, id: string) => {
    const found = items.find(([kind, own]) => kind === wanted && own === id);
    return found === undefined ? null : { id, revision: 5, changedUs: 0, item: found[2] };
  };
  const machines = { identifiers, upwards: (equipmentId: number) => [equipmentId, site] };
  return new MachineContext({ data: { list, find } as unknown as MasterData, principal, sinceUs: 0, machines });
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

  const rule = (more: Partial<MasterDataItem<"identifierRule">> = {}) =>
    ({
      ...{ equipmentId: site, dimension: "order", property: "p", prefix: null, padTo: null, none: null, lookUp: null },
      ...{ fromUs: 0, toUs: null },
      ...more,
    }) satisfies MasterDataItem<"identifierRule">;
  const tells = (...values: [t: number, value: string | null][]): IdentifierTransition[] =>
    values.map(([t, value]) => ({ property: "p", t, value }));

  it("follow the order that the machine tells, where nothing else was booked", () => {
    const context = contextOf(
      [
        ["idealCycleTime", "m", cycle("M", 30)],
        ["idealCycleTime", "n", cycle("N", 50)],
        ["idealCycleTime", "any", cycle(null, 10)],
        ["order", "A", order("M")],
        ["order", "B", order("N", [1, 30, 40])],
        ["identifierRule", "r", rule()],
      ],
      (id) => (id === 1 ? tells([0, null], [20, "A"], [60, ""]) : []),
    );
    expect(context.idealCycles(1)).toEqual({ from: [0, 20, 30, 40, 60], us: [10, 30, 50, 30, 10] });
    // What the machine names is heard of, though the order says nothing of the machine.
    expect(context.changed({ kind: "order", id: "A", revision: 6, item: order("N") })).toEqual([1]);
    expect(context.idealCycles(1)).toEqual({ from: [0, 20, 60], us: [10, 50, 10] });
    expect(context.changed({ kind: "order", id: "C", revision: 6, item: order("N") })).toEqual([]);
  });

  it("follow the material that the machine tells, by the look-up and the rule of the time", () => {
    const row = (value: string, id: string, fromUs = 0) => ({ value, id, fromUs, toUs: null });
    const table = { dimension: "material", rows: [row("7", "M")] } satisfies MasterDataItem<"lookUp">;
    const context = contextOf(
      [
        ["idealCycleTime", "m", cycle("M", 30)],
        ["idealCycleTime", "n", cycle("N", 50)],
        ["order", "A", order(null, [1, 40, 50])],
        ["order", "B", order("N", [1, 50, 60])],
        ["lookUp", "recipes", table],
        ["identifierRule", "r", rule({ dimension: "material", lookUp: "recipes" })],
      ],
      () => tells([10, "7"], [70, "8"]),
    );
    expect(context.idealCycles(1)).toEqual({ from: [10, 50, 60, 70], us: [30, 50, 30, 0] });
    const both = { ...table, rows: [row("7", "M"), row("8", "N")] };
    expect(context.changed({ kind: "lookUp", id: "recipes", revision: 6, item: both })).toEqual([1]);
    expect(context.idealCycles(1)).toEqual({ from: [10, 50, 60, 70], us: [30, 50, 30, 50] });
    const ended = rule({ dimension: "material", lookUp: "recipes", toUs: 20 });
    expect(context.changed({ kind: "identifierRule", id: "r", revision: 7, item: ended })).toEqual([1]);
    expect(context.idealCycles(1)).toEqual({ from: [10, 20, 50, 60], us: [30, 0, 50, 0] });
    expect(context.changed({ kind: "lookUp", id: "other", revision: 8, item: table })).toEqual([]);
  });
});
