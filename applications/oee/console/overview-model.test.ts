import {
  type BriefResult,
  type Equipment,
  type EquipmentNow,
  secondUs,
  startingReasons,
} from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { boardOf, columnsFor, lateness, worstOf } from "./andon-model.ts";
import { serverNowUs } from "./now-feed.ts";
import { filtered, filterOf } from "./overview-filter.tsx";
import { countStates, lineHeadline, tileOf } from "./overview-model.ts";
import { sitesOf } from "./plant.ts";

const reasons = new Map(startingReasons.map((reason) => [reason.number, reason]));
const place = (id: number, level: Equipment["level"], parentId: number | null, path: string): Equipment => ({
  ...{ id, level, parentId, path, lifecycle: "productive", revision: 1, changedUs: 0 },
  name: path.split("/").at(-1) ?? "",
});
const press = place(4, "workUnit", 3, "S/Line/Press");
const at = 1000 * secondUs;
const result = (values: BriefResult["values"], over: Partial<BriefResult> = {}): BriefResult => ({
  ...{ state: "provisional", revision: 0, coverage: 1, publishedUs: 0, stale: false, cause: "Time goes on." },
  values,
  ...over,
});
const now = (over: Partial<EquipmentNow> = {}, itemState: "Executing" | "NotExecuting" | null = "Executing") => ({
  atUs: at,
  item: {
    ...{ equipmentId: 4, level: "workUnit", path: "S/Line/Press", timeZone: "UTC", watermarkUs: at - 3 * secondUs },
    state: { itemState, operationMode: null, reason: 0, given: false, sinceUs: at - 60 * secondUs },
    ...{ plan: "shift", shift: null, order: null, worksByOrder: false, shiftResult: null, orderResult: null },
    ...{ targets: {}, alarms: { active: 0, worst: [] } },
    ...over,
  } as EquipmentNow,
});
const order = { order: "A", operation: "10", material: null, unit: "1", quantity: 500, fromUs: 0 };
const standing = (over: Partial<EquipmentNow>, reason = 0) => {
  const read = now(over, "NotExecuting");
  return {
    ...read,
    item: { ...read.item, state: { ...(read.item.state as object), reason } as EquipmentNow["state"] },
  };
};

describe("a machine as a tile says it", () => {
  it.each([
    ["executing", now()],
    ["unknown", now({}, null)],
    ["notExecuting", standing({})],
    ["fault", standing({}, 7_000_000)],
    ["noOrder", standing({ plan: "break" })],
    ["noOrder", standing({ plan: "noShift" })],
    ["noOrder", standing({ worksByOrder: true })],
    ["notExecuting", standing({ worksByOrder: true, order })],
  ] as const)("%s", (state, read) => {
    const known = [...reasons.values()].find(({ loss }) => loss === "breakdown")?.number ?? 0;
    const asked = read.item.state?.reason === 7_000_000 ? standing({}, known) : read;
    expect(tileOf(press, asked, reasons)).toMatchObject({ state, ageUs: "fresh", sinceUs: at - 60 * secondUs });
  });

  it("is unknown since its last proof of life, and never heard of without any", () => {
    expect(tileOf(press, now({ watermarkUs: at - 25 * secondUs }), reasons)).toMatchObject({
      ...{ state: "unknown", ageUs: 25 * secondUs, sinceUs: at - 25 * secondUs },
    });
    expect(tileOf(press, now({ watermarkUs: null, state: null }), reasons)).toMatchObject({ ageUs: null });
    expect(tileOf(press, undefined, reasons)).toMatchObject({ state: "unknown", ageUs: null });
  });

  it("what an order has made is what is published of it, and not zero before that", () => {
    expect(tileOf(press, now({ order }), reasons).order).toMatchObject({ made: null, quantity: 500 });
    const told = now({ order, orderResult: result({ goodQuantity: 150 }) });
    expect(tileOf(press, told, reasons).order).toMatchObject({ made: 150 });
  });
});

describe("an OEE beyond what there was time for", () => {
  const tile = (oeeIndex: number, minutes: number) => {
    const values = { oeeIndex, plannedBusyTimeKnownUs: minutes * 60 * secondUs };
    return tileOf(press, now({ shiftResult: result(values) }), reasons).oee;
  };
  it("is not shouted while little is known of the shift, and is told later", () => {
    expect(tile(2.68, 3)).toBeNull();
    expect(tile(0.9, 3)).toBe(0.9);
    expect(tile(1.3, 90)).toBe(1.3);
  });
});

describe("a line", () => {
  it("speaks by its own result; before there is one by its machines, weighed by their planned busy time", () => {
    const of = (oeeIndex: number, plannedBusyTimeKnownUs: number) =>
      now({ shiftResult: result({ oeeIndex, plannedBusyTimeKnownUs }) });
    expect(lineHeadline(of(0.9, 1), [of(0.5, 1)])).toMatchObject({ oee: 0.9 });
    expect(lineHeadline(undefined, [of(0.5, 100), of(0.8, 300), undefined])?.oee).toBeCloseTo(0.725, 12);
    expect(lineHeadline(undefined, [undefined])).toBeNull();
  });

  it("on the wall stands in as many columns as it takes to be read from afar", () => {
    const columns = [1, 9, 10, 22, 25, 60].map((machines) => columnsFor(machines, false));
    expect(columns).toEqual([1, 1, 2, 2, 3, 4]);
    expect([14, 15, 50].map((machines) => columnsFor(machines, true))).toEqual([1, 2, 3]);
  });

  it("is as bad as its worst machine, and a board says when it is late", () => {
    const view = { items: new Map([[4, standing({}, 0)]]), atUs: at, readMs: 500, error: null };
    const board = boardOf({ equipment: press, machines: [press], output: 4 }, view, reasons);
    expect(worstOf(board.tiles)).toBe("notExecuting");
    expect(countStates(board.tiles)).toEqual([{ state: "notExecuting", n: 1 }]);
    const late = (ms: number, error: unknown = null) => lateness({ ...view, error }, view.readMs + ms);
    expect(late(16_000)).toBeNull();
    expect(late(21_000)).toBe(21 * secondUs);
    expect(late(1000, new Error("away"))).toBe(secondUs);
    expect(lateness({ ...view, atUs: null }, 0)).toBeNull();
    // A screen whose clock is wrong is not late by that.
    expect(serverNowUs(view, view.readMs + 1000)).toBe(at + secondUs);
  });
});

describe("what of the plant is shown", () => {
  const equipment = [
    place(1, "enterprise", null, ""),
    place(2, "site", 1, "S"),
    place(3, "workCenter", 2, "S/Line"),
    press,
    place(5, "workUnit", 3, "S/Line/Oven"),
    place(6, "workCenter", 2, "S/Line B"),
    place(7, "workUnit", 6, "S/Line B/Oven"),
  ];
  const plant = { equipment, sites: sitesOf(equipment), reasons };
  const shown = (query: string) =>
    filtered(plant.sites, plant, filterOf(new URLSearchParams(query))).flatMap(({ lines }) =>
      lines.flatMap(({ machines }) => machines.map(({ path }) => path)),
    );

  it("stands in the address: words, a place, states", () => {
    expect(shown("")).toHaveLength(3);
    expect(shown("q=oven")).toEqual(["S/Line/Oven", "S/Line B/Oven"]);
    expect(shown("q=b%20OV")).toEqual(["S/Line B/Oven"]);
    expect(shown("at=3")).toEqual(["S/Line/Oven", "S/Line/Press"]);
    expect(shown("q=nothing")).toEqual([]);
    expect([...filterOf(new URLSearchParams("state=fault,unknown,whatever")).states]).toEqual(["fault", "unknown"]);
  });
});
