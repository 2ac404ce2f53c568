import type { MasterDataItem } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { type IdentifiedWork, identifiedWork, type Resolving } from "./identified-work.ts";
import type { ToldIdentifier } from "./identifiers.ts";

const press = 1;
const oven = 2;

type Operation = MasterDataItem<"order">["operations"][number];
const operation = (id: string, more: Partial<Operation> = {}): Operation => ({
  ...{ id, name: null, executions: [] },
  ...more,
});
const order = (...operations: Operation[]): MasterDataItem<"order"> => ({
  ...{ material: "M", unit: "kg", quantity: 5, operations },
});
const told = (
  dimension: ToldIdentifier["dimension"],
  fromUs: number,
  toUs: number,
  id: string | null,
): ToldIdentifier => ({ dimension, property: "p", fromUs, toUs, value: id ?? "?", id });

function work(
  all: ToldIdentifier[],
  more: Partial<Resolving> & { orders?: Record<string, MasterDataItem<"order">> } = {},
) {
  const { orders = {}, ...rest } = more;
  return identifiedWork(all, {
    ...{ equipmentId: press, order: (id) => orders[id] ?? null, material: () => null, asset: () => null },
    ...{ booked: [], mounted: [] },
    ...rest,
  });
}
const executions = (found: IdentifiedWork): unknown[] =>
  found.executions.map((each) => [each.fromUs, each.toUs, each.order, each.operation]);
const faults = (found: IdentifiedWork): unknown[] =>
  found.faults.map((each) => [each.code, each.value, each.fromUs, each.toUs]);

describe("work that a machine tells", () => {
  it("is an execution of the order with its material and unit, and says who told it", () => {
    const found = work([told("order", 10, 20, "A")], { orders: { A: order(operation("10")) } });
    expect(found.executions).toEqual([
      { fromUs: 10, toUs: 20, order: "A", operation: "10", material: "M", unit: "kg", share: 1, by: "identifier" },
    ]);
    expect(found.faults).toEqual([]);
  });

  it("is the operation that is meant for the machine, unless the machine tells another", () => {
    const planned = [{ equipmentId: press, fromUs: 0, toUs: null }];
    const orders = { A: order(operation("10"), operation("20", { planned }), operation("30", { planned })) };
    expect(executions(work([told("order", 10, 20, "A")], { orders }))).toEqual([[10, 20, "A", "20"]]);
    const with30 = [told("order", 10, 20, "A"), told("operation", 15, 18, "30"), told("operation", 18, 40, "99")];
    const found = work(with30, { orders });
    expect(executions(found)).toEqual([
      [10, 15, "A", "20"],
      [15, 18, "A", "30"],
      [18, 20, "A", null],
    ]);
    expect(faults(found)).toEqual([["operationUnknown", "99", 18, 20]]);
    const elsewhere = { A: order(operation("10"), operation("20")) };
    expect(executions(work([told("order", 10, 20, "A")], { orders: elsewhere }))).toEqual([[10, 20, "A", null]]);
  });

  it("gives way to what was booked, for its time", () => {
    const orders = { A: order(operation("10")) };
    const booked = [
      { order: "B", fromUs: 12, toUs: 14 },
      { order: "B", fromUs: 18, toUs: 99 },
    ];
    expect(executions(work([told("order", 10, 20, "A")], { orders, booked }))).toEqual([
      [10, 12, "A", "10"],
      [14, 18, "A", "10"],
    ]);
  });

  it("ends where people ended the order, until the machine tells it anew", () => {
    const orders = { A: order(operation("10")) };
    const booked = [{ order: "A", fromUs: 5, toUs: 14 }];
    const all = [told("order", 10, 20, "A"), told("order", 30, 40, "A")];
    expect(executions(work(all, { orders, booked }))).toEqual([[30, 40, "A", "10"]]);
    expect(executions(work(all, { orders, booked: [{ ...booked[0], order: "B" }] }))).toEqual([
      [14, 20, "A", "10"],
      [30, 40, "A", "10"],
    ]);
  });

  it("ends where the order is finished at this machine", () => {
    const finished = [
      { equipmentId: oven, atUs: 11 },
      { equipmentId: press, atUs: 15 },
    ];
    const orders = { A: order(operation("10", { finished })) };
    expect(executions(work([told("order", 10, 20, "A"), told("order", 30, 40, "A")], { orders }))).toEqual([
      [10, 15, "A", "10"],
    ]);
  });

  it("is named where nobody knows it, and is no work", () => {
    const all = [
      told("order", 0, 5, null),
      told("order", 10, 20, "B"),
      told("material", 0, 9, "X"),
      told("tool", 3, 4, "T"),
    ];
    const found = work(all);
    expect(executions(found)).toEqual([]);
    expect(faults(found)).toEqual([
      ["lookUpMissing", "?", 0, 5],
      ["orderUnknown", "B", 10, 20],
      ["materialUnknown", "X", 0, 9],
      ["toolUnknown", "T", 3, 4],
    ]);
    expect(found.materials).toEqual([{ fromUs: 0, toUs: 9, material: "X", unit: null }]);
  });

  it("mounts a tool, but where people said what is mounted", () => {
    const asset = { name: "Mould", serialNumber: null, manufacturer: null, mounts: [], blockedCavities: [] };
    const { tools } = work([told("tool", 0, 10, "T")], { asset: () => asset, mounted: [{ fromUs: 4, toUs: 6 }] });
    expect(tools.map(({ id, fromUs, toUs }) => [id, fromUs, toUs])).toEqual([
      ["T", 0, 4],
      ["T", 6, 10],
    ]);
  });
});
