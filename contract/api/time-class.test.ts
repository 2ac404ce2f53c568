import { describe, expect, it } from "vitest";
import { type ItemState, itemStates, type OperationMode, operationModes } from "./facts.ts";
import {
  outsidePlanRules,
  planConditions,
  plannedClasses,
  setUpConditions,
  type TimeClass,
  type TimeClassInput,
  timeClasses,
  timeClassOf,
  timeClassTable,
} from "./time-class.ts";

const PM = "plannedMaintenance";
type Row = [state: ItemState | null, mode: OperationMode | null, withOrder: TimeClass, without: TimeClass];

/** Planned busy time, nothing booked. `*` marks rows that OPC 40001-1, Annex C.2 gives; the others complete it (adr/0009). */
const table: Row[] = [
  ["Executing", "Processing", "apt", "apt"], // *
  ["Executing", "None", "apt", "apt"],
  ["Executing", null, "apt", "apt"],
  ["Executing", "Setup", "aust", "aust"], // *
  ["Executing", "Maintenance", "adet", PM],
  ["NotExecuting", "Processing", "adet", "adot"], // * with an order
  ["NotExecuting", "None", "adet", "adot"], // *
  ["NotExecuting", null, "adet", "adot"], // * with an order
  ["NotExecuting", "Setup", "aust", "aust"],
  ["NotExecuting", "Maintenance", "adet", PM], // *
  ["OutOfService", "Processing", "adet", "adet"], // *
  ["OutOfService", "None", "adet", "adot"], // * without an order
  ["OutOfService", null, "adet", "adot"],
  ["OutOfService", "Setup", "adet", "adot"],
  ["OutOfService", "Maintenance", "adet", PM], // * without an order
  ["NotAvailable", "Processing", "adet", "adet"], // *
  ["NotAvailable", "None", "adet", "adot"], // * without an order
  ["NotAvailable", null, "adet", "adot"],
  ["NotAvailable", "Setup", "aust", "aust"],
  ["NotAvailable", "Maintenance", "adet", PM], // * without an order
  [null, "Processing", "unknown", "unknown"],
  [null, "None", "unknown", "unknown"],
  [null, null, "unknown", "unknown"],
  [null, "Setup", "unknown", "unknown"],
  [null, "Maintenance", "unknown", "unknown"],
];

const planned: Omit<TimeClassInput, "itemState" | "operationMode" | "order"> = {
  plan: "busy",
  plannedReason: null,
  setUp: "none",
  outsidePlan: "extend",
};

describe("time classes", () => {
  it.each(table)("%s × %s: %s with an order, %s without", (itemState, operationMode, withOrder, without) => {
    const of = (order: boolean) => timeClassOf({ ...planned, itemState, operationMode, order });
    expect([of(true), of(false)]).toEqual([withOrder, without]);
  });

  it("the table is whole, and is what is shown", () => {
    expect(table).toHaveLength((itemStates.length + 1) * (operationModes.length + 1));
    const expected = new Map(table.map(([state, mode, ...rest]) => [`${state} ${mode}`, rest]));
    for (const row of timeClassTable()) {
      expect(expected.get(`${row.itemState} ${row.operationMode}`)![row.order ? 0 : 1]).toBe(row.timeClass);
    }
    expect(timeClassTable()).toHaveLength(50);
  });

  it("every row of the whole domain: bookings and the calendar over the table", () => {
    let rows = 0;
    for (const [itemState, operationMode, withOrder, without] of table)
      for (const order of [true, false])
        for (const plan of planConditions)
          for (const plannedReason of [null, ...plannedClasses])
            for (const setUp of setUpConditions)
              for (const outsidePlan of outsidePlanRules) {
                const base = order ? withOrder : without;
                const at = { itemState, operationMode, order, plan, plannedReason, setUp, outsidePlan };
                expect(timeClassOf(at), JSON.stringify(at)).toBe(over(base, at));
                rows++;
              }
    expect(rows).toBe(25 * 2 * 3 * 4 * 3 * 2);
  });

  /** What the calendar and bookings make of a row of the table, said another way round: from the weakest word to the strongest. */
  function over(base: TimeClass, at: TimeClassInput): TimeClass {
    const producing = base === "apt";
    let timeClass = base;
    if (at.setUp === "running" && at.itemState !== null) timeClass = "aust";
    if (at.setUp === "booked") timeClass = "aust";
    if (at.plannedReason !== null && !producing) timeClass = at.plannedReason;
    if (at.plan === "break") timeClass = producing && at.outsidePlan === "extend" ? "apt" : "break";
    if (at.plan === "noShift") timeClass = producing && at.outsidePlan === "extend" ? "apt" : "notPlanned";
    return timeClass;
  }

  it("every class occurs", () => {
    const seen = new Set<string>();
    for (const [itemState, operationMode] of table)
      for (const order of [true, false])
        for (const plan of planConditions) seen.add(timeClassOf({ ...planned, itemState, operationMode, order, plan }));
    expect([...seen].sort()).toEqual([...timeClasses].sort());
  });
});
