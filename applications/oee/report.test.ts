import { type Cell, minuteUs, type Result, type StopTime } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { compute } from "./compute.ts";
import { type ShiftReportInput, shiftReport } from "./report.ts";
import { cell, item, published, span, view } from "./testing.ts";

const place = (id: number, path: string, level: ShiftReportInput["equipment"][number]["level"], parentId: number) => ({
  ...{ id, path, level, parentId, name: path },
  lifecycle: "productive" as const,
});
// A site with a line of two machines, and one that stands alone.
const equipment = [
  place(1, "site", "site", 0),
  place(2, "site/line 2", "workCenter", 1),
  place(3, "site/line 2/filler", "workUnit", 2),
  place(4, "site/line 2/packer", "workUnit", 2),
  place(5, "site/line 10", "workUnit", 1),
];

const own = (equipmentId: number, cells: Cell[], level: "workUnit" | "line" = "workUnit"): Result => {
  const mine = cells.map((each) => ({ ...each, equipment: equipmentId }));
  return published(equipmentId, compute(view(mine, { item: item(equipmentId, "shift", "s", level) })));
};
const sum = (equipmentId: number, below: Result[]): Result =>
  published(equipmentId, compute(view([], { item: item(equipmentId, "shift", "s", "above"), cells: null, below })));

const stop = (reason: number, minutes: number, count: number): StopTime => ({
  ...{ reason, timeClass: "adet", micro: false, count },
  us: minutes * minuteUs,
});
const filler = own(3, [cell({ apt: 400, adet: 80 }, { good: 24_000 }, { stops: [stop(7_100_000, 80, 2)] })]);
const packer = own(4, [cell({ apt: 440, adet: 40 }, { good: 23_000 }, { stops: [stop(4_100_000, 40, 9)] })]);
const line = own(
  2,
  [cell({ apt: 400, adet: 80 }, { good: 23_000, scrap: 100 }, { stops: [stop(3_000_000, 80, 5)] })],
  "line",
);
const alone = own(5, [
  cell(
    { apt: 240, adet: 240 },
    { good: 40 },
    { material: "N", unit: "kg", order: "B", priUs: 60e6, stops: [stop(3_000_000, 240, 1)] },
  ),
  cell({ apt: 0 }, { good: 2 }, { material: "P", unit: "kg", order: null, priUs: null }),
]);
const site = sum(1, [line, alone]);

describe("the report of a shift", () => {
  const report = shiftReport({ results: [alone, packer, site, filler, line], equipment });

  it("stands in the order of the tree, each with its own numbers", () => {
    expect(report).toMatchObject({ ...span, state: "final" });
    expect(report?.rows.map(({ path, oeeIndex }) => [path, oeeIndex])).toEqual([
      ["site", null],
      ["site/line 2", 23_000 / 28_800],
      ["site/line 2/filler", 24_000 / 28_800],
      ["site/line 2/packer", 23_000 / 28_800],
      ["site/line 10", null],
    ]);
    expect(report?.rows[0].availability).toBe(640 / 960);
  });

  it("counts nothing twice: the site is what its line and its machine are, whatever stands below", () => {
    expect(report?.whole.waterfall.losses).toContainEqual({ step: "otherStops", us: 320 * minuteUs });
    expect(report?.whole.pareto.map(({ reason, us }) => [reason, us / minuteUs])).toEqual([[3_000_000, 320]]);
    expect(report?.whole.coverage).toBe(1);
    expect(report?.quantities).toEqual([
      { unit: "1", pq: 23_100, gq: 23_000, sq: 100, rq: 0 },
      { unit: "kg", pq: 42, gq: 42, sq: 0, rq: 0 },
    ]);
    // Without the site the line and the machine are the whole.
    const parts = shiftReport({ results: [alone, packer, filler, line], equipment });
    expect([parts?.quantities, parts?.whole.kpis.availability, parts?.whole.waterfall, parts?.whole.pareto]).toEqual([
      report?.quantities,
      report?.whole.kpis.availability,
      report?.whole.waterfall,
      report?.whole.pareto,
    ]);
  });

  it("is of one place and what stands below it, where one is named", () => {
    const own = shiftReport({ placeId: 2, results: [alone, packer, site, filler, line], equipment });
    expect(own?.rows.map(({ path }) => path)).toEqual(["site/line 2", "site/line 2/filler", "site/line 2/packer"]);
    expect(own?.whole.kpis.oeeIndex).toBe(23_000 / 28_800);
    expect(shiftReport({ placeId: 9, results: [site], equipment })).toBeNull();
  });

  it("names stops by what most of their time was lost to, and notes that are not told with one", () => {
    const part = (from: number, to: number, reason: number) => ({
      ...{ fromUs: from * minuteUs, toUs: to * minuteUs, reason, timeClass: "adet" as const },
    });
    const long = {
      ...{ equipmentId: 3, fromUs: 0, toUs: 50 * minuteUs, micro: false, us: 50 * minuteUs },
      ...{ parts: [part(0, 10, 3_000_000), part(10, 40, 7_100_000), part(40, 50, 3_000_000)], comments: ["Belt"] },
    };
    const note = (equipmentId: number, minute: number, text: string) => ({
      ...{ id: text, revision: 1, changedUs: 0 },
      item: {
        equipmentId,
        kind: "comment" as const,
        anchorUs: minute * minuteUs,
        fromUs: 0,
        toUs: 0,
        reason: null,
        text,
      },
    });
    const notes = [note(3, 20, "Belt"), note(4, 20, "Handed over"), note(3, 70, "Oil"), note(99, 20, "Elsewhere")];
    const told = shiftReport({
      results: [filler, packer],
      equipment,
      stops: [long, { ...long, equipmentId: 99 }],
      notes,
    });
    expect(told?.stops).toEqual([
      {
        ...{ equipmentId: 3, path: "site/line 2/filler", fromUs: 0, toUs: 50 * minuteUs, us: 50 * minuteUs },
        ...{ reason: 7_100_000, comments: ["Belt"] },
      },
    ]);
    expect(told?.notes.map(({ path, text }) => [path, text])).toEqual([
      ["site/line 2/packer", "Handed over"],
      ["site/line 2/filler", "Oil"],
    ]);
  });

  it("tells scrap by material, and what was changed after it was final", () => {
    expect(report?.scrap).toEqual([{ material: "M", unit: "1", pq: 23_100, gq: 23_000, sq: 100, rq: 0 }]);
    const cause = { ...line.cause, text: "Order A was booked later" };
    const again = shiftReport({ results: [{ ...line, revision: 2, cause }, filler, packer], equipment });
    expect(again?.corrections).toMatchObject([{ path: "site/line 2", revision: 2, cause: "Order A was booked later" }]);
    expect(report?.corrections).toEqual([]);
  });

  it("lists what the orders made, and how far they are", () => {
    const operations = [{ id: "10", name: null, executions: [] }];
    const order = {
      ...{ id: "A", revision: 1, changedUs: 0 },
      item: { material: "M", unit: "1", quantity: 46_000, operations },
    };
    const whole = compute(
      view([cell({ apt: 60 }, { good: 23_000 })], { item: item(1, "order", "A", "workUnit"), order }),
    );
    const orders = [1, 2].map((id): Result => ({ ...published(id, whole), period: "order", key: "A" }));
    const told = shiftReport({ results: [alone, packer, site, filler, line], equipment, orders });
    expect(told?.orders).toEqual([
      {
        ...{ order: "A", operation: "10", material: "M", unit: "1" },
        pq: 23_100,
        gq: 23_000,
        sq: 100,
        rq: 0,
        progress: { ordered: 46_000, yield: 23_000 },
      },
      { ...{ order: "B", operation: "10", material: "N", unit: "kg" }, pq: 40, gq: 40, sq: 0, rq: 0, progress: null },
    ]);
  });

  it("says what is missing", () => {
    expect(report?.missing).toEqual([{ kind: "idealCycle", equipmentId: 5, material: "P", unit: "kg", quantity: 2 }]);
    const gap = own(4, [cell({ apt: 60, unknown: 60 }, { good: 4000 }, { countUnknownUs: 30 * minuteUs })]);
    const results: Result[] = [
      { ...gap, state: "provisional", stale: true, revision: 0 },
      { ...filler, detail: "of another application" },
    ];
    const poor = shiftReport({ results, equipment });
    expect(poor?.state).toBe("provisional");
    expect(poor?.missing).toEqual([
      { kind: "unreadable", equipmentId: 3 },
      { kind: "result", equipmentId: 5 },
      { kind: "provisional", equipmentId: 4 },
      { kind: "stale", equipmentId: 4 },
      { kind: "state", equipmentId: 4, coverage: 0.5 },
      { kind: "counts", equipmentId: 4, coverage: 0.75 },
      { kind: "idealCycleTooLong", equipmentId: 4, material: "M", unit: "1" },
    ]);
  });

  it("of nothing there is none", () => {
    expect(shiftReport({ results: [], equipment })).toBeNull();
  });
});
