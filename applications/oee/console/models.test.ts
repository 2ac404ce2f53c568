import {
  type Cells,
  type DemoTruth,
  defaultOeePolicy,
  type Equipment,
  gridUs,
  hourUs,
  minuteUs,
  startingReasons,
} from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { waterfallOf } from "../losses.ts";
import { cell } from "../testing.ts";
import { cellsFrom, compare, comparedRange, heardFrom } from "./demo-model.ts";
import { waterfallRows } from "./oee-model.ts";
import { machinesBelow, pathTo, sitesOf } from "./plant.ts";
import { moved, openingOf, queryOf, readingOf, viewOf } from "./range.ts";
import { numbersBy, numbersByShift, numbersOf } from "./source.ts";

const place = (id: number, level: Equipment["level"], parentId: number | null, path: string): Equipment => ({
  ...{ id, level, parentId, path, lifecycle: "productive", revision: 1, changedUs: 0 },
  name: path.split("/").at(-1) ?? "",
});
const plant = [
  place(1, "enterprise", null, ""),
  place(2, "site", 1, "S"),
  place(3, "workCenter", 2, "S/Line"),
  place(4, "workUnit", 3, "S/Line/Press 10"),
  place(5, "workUnit", 3, "S/Line/Press 2"),
  place(6, "workUnit", 2, "S/Alone"),
  { ...place(7, "workUnit", 3, "S/Line/Old"), lifecycle: "retired" as const },
];

describe("the plant as rows of machines", () => {
  it("by name as people count, without what is retired; what stands under no line stands under its site", () => {
    const [site] = sitesOf(plant);
    expect(site.lines.map(({ equipment, machines }) => [equipment.name, machines.map(({ name }) => name)])).toEqual([
      ["S", ["Alone"]],
      ["Line", ["Press 2", "Press 10"]],
    ]);
    expect(machinesBelow(2, { equipment: plant, sites: [site] }).map(({ id }) => id)).toEqual([6, 5, 4]);
    expect(machinesBelow(5, { equipment: plant, sites: [site] }).map(({ id }) => id)).toEqual([5]);
    expect(pathTo(5, plant).map(({ name }) => name)).toEqual(["S", "Line", "Press 2"]);
  });

  it("in flow order where it is known, with the constraint", () => {
    const [site] = sitesOf(plant, [{ lineId: 3, machines: [4, 5], constraint: 5, output: 4 }]);
    expect(site.lines[1]).toMatchObject({ constraint: 5, output: 4, machines: [{ id: 4 }, { id: 5 }] });
  });

  it("a key that is limited to a line sees it as a site of its own", () => {
    const [site] = sitesOf(plant.filter(({ id }) => id >= 3 && id <= 5));
    expect(site.equipment.id).toBe(3);
  });
});

describe("the one time range", () => {
  it("stands in the address, and an address that says nothing follows now", () => {
    const now = 100 * hourUs;
    expect(viewOf(new URLSearchParams("from=5&to=9"), now)).toEqual({
      range: { fromUs: 5, toUs: 9 },
      following: false,
    });
    expect(viewOf(new URLSearchParams("from=9&to=5"), now)).toEqual({
      range: { fromUs: 92 * hourUs, toUs: now },
      following: true,
    });
    const view = viewOf(new URLSearchParams("live=3600"), now);
    expect(view).toEqual({ range: { fromUs: 99 * hourUs, toUs: now }, following: true });
    expect(queryOf(view)).toEqual({ live: 3600, from: null, to: null });
  });

  it("opens on what is known: the part of the last hours that has data, or the hours before a machine fell silent", () => {
    const now = 100 * hourUs;
    const view = viewOf(new URLSearchParams(), now);
    const known = (...ranges: [number, number][]) =>
      ranges.map(([from, to]) => ({ fromUs: from * hourUs, toUs: to * hourUs }));
    expect(openingOf(view, known([91, 99], [99, 100]), now, now)).toBeNull();
    expect(openingOf(view, known([93, 94], [98, 100]), now, now)).toBeNull();
    expect(openingOf(view, known([98, 100]), now, now)).toEqual({
      following: true,
      range: { fromUs: now - 2.2 * hourUs, toUs: now },
    });
    expect(openingOf(view, known([99.99, 100]), now, now)?.range.fromUs).toBe(now - 0.5 * hourUs);
    expect(openingOf(view, [], 60 * hourUs, now)).toEqual({
      following: false,
      range: { fromUs: 53 * hourUs, toUs: 61 * hourUs },
    });
    expect(openingOf(view, [], null, now)).toBeNull();
  });

  it("dragging stops following; zooming while following keeps its end at now", () => {
    const now = 100 * hourUs;
    const view = viewOf(new URLSearchParams("live=3600"), now);
    expect(moved(view, { fromUs: 1, toUs: 2 }, "pan", now)).toEqual({
      following: false,
      range: { fromUs: 1, toUs: 2 },
    });
    const wider = { fromUs: now - 2 * hourUs, toUs: now + hourUs };
    expect(moved(view, wider, "zoom", now)).toEqual({
      following: true,
      range: { fromUs: now - 3 * hourUs, toUs: now },
    });
  });

  it("what is read holds what is shown and stands still while that moves by little", () => {
    const range = { fromUs: 50 * hourUs, toUs: 58 * hourUs };
    const reading = readingOf(range);
    expect(reading.fromUs).toBeLessThanOrEqual(range.fromUs);
    expect(reading.toUs).toBeGreaterThanOrEqual(range.toUs);
    expect(readingOf({ fromUs: range.fromUs + 1, toUs: range.toUs + 1 })).toEqual(reading);
  });
});

const cells = (list: Cells["cells"], over: Partial<Cells> = {}): Cells => ({
  ...{ fromUs: 0, toUs: hourUs, cells: list, timeZone: "Etc/UTC", policies: [defaultOeePolicy] },
  ...{
    reasons: [...startingReasons],
    masterData: [],
    orphanedAnnotations: [],
    unplacedScrap: 0,
    finalBeforeUs: hourUs,
    repairing: false,
  },
  ...over,
});

describe("numbers", () => {
  const stop = { reason: 3_000_000, timeClass: "adet", micro: false, us: 5 * minuteUs, count: 1 } as const;
  const first = cell({ apt: 10, adet: 5 }, { good: 300 }, { stops: [stop] });
  const second = cell({ apt: 15 }, { good: 600, scrap: 100 }, { gridUs, shift: "t" });

  it("are final when all is in, provisional before and while the past is worked over", () => {
    expect(numbersOf(cells([first])).state).toBe("final");
    expect(numbersOf(cells([first], { finalBeforeUs: hourUs - 1 })).state).toBe("provisional");
    expect(numbersOf(cells([first], { repairing: true })).state).toBe("provisional");
  });

  it("by shift and by hour", () => {
    const shift = { id: "t", calendar: "c", name: "Late", crew: null, productionDay: "", breaks: [], resolved: [] };
    const all = cells([first, second]);
    const byShift = numbersByShift(all, [{ ...shift, fromUs: 0, toUs: hourUs }]);
    expect([...byShift.keys()]).toEqual(["t"]);
    expect(byShift.get("t")?.kpis.availability).toBe(1);
    const [hour] = numbersBy(all, "hour");
    expect(hour).toMatchObject({ fromUs: 0, toUs: 2 * gridUs });
  });

  it("the waterfall hangs together: each loss begins where the next level ends", () => {
    const { sums } = numbersOf(cells([first, second]));
    const rows = waterfallRows(waterfallOf(sums));
    let left = 30 * minuteUs;
    for (const row of rows) {
      if (row.kind === "level") expect([row.level, row.us]).toEqual([row.level, left]);
      else {
        left -= row.us;
        expect(row.fromUs).toBe(Math.min(left, left + row.us));
      }
    }
    expect(rows.at(-1)).toEqual({ kind: "level", level: "valuable", us: 900e6 });
  });
});

describe("computed beside true", () => {
  const truth = (over: Partial<DemoTruth["oee"]["all"]>): DemoTruth => {
    const times = { aptUs: 0, austUs: 0, adetUs: 0, adotUs: 0, unknownUs: 0, pbtUs: 15 * minuteUs };
    const all = {
      ...times,
      good: 300,
      scrap: 0,
      rework: 0,
      produced: 300,
      ...{ availability: 2 / 3, effectiveness: 0.5 },
    };
    return {
      ...{ equipment: "", fromUs: 0, toUs: gridUs, resolutionUs: 1e6, counts: {} },
      oee: { all: { ...all, qualityRatio: 1, oee: 1 / 3, ...over }, hours: [] },
    };
  };
  const numbers = numbersOf(cells([cell({ apt: 10, adet: 5 }, { good: 300 })]));

  it("marks what is further apart than the protocol excuses, and an unknown beside a number", () => {
    const of = (told: DemoTruth) => compare(plant[3], numbers, told).pairs;
    expect(Object.values(of(truth({}))).some(({ differs }) => differs)).toBe(false);
    expect(of(truth({ oee: 1 / 3 + 0.001 })).oee.differs).toBe(false);
    expect(of(truth({ oee: 1 / 3 + 0.002 })).oee.differs).toBe(true);
    expect(of(truth({ oee: null })).oee.differs).toBe(true);
    expect(of(truth({ good: 302 })).good.differs).toBe(false);
    expect(of(truth({ good: 303 })).good.differs).toBe(true);
    const coarse = { ...truth({ oee: 1 / 3 + 0.02 }), resolutionUs: minuteUs };
    expect(compare(plant[3], numbers, coarse).pairs.oee.differs).toBe(false);
  });

  it("compares whole quarters, as far as everything of them is in", () => {
    const shift = { id: "t", calendar: "c", name: "", crew: null, productionDay: "", breaks: [], resolved: [] };
    const on = { ...shift, fromUs: hourUs, toUs: 9 * hourUs };
    expect(comparedRange(on, 2 * hourUs + 10e6)).toEqual({ fromUs: hourUs, toUs: 2 * hourUs - gridUs });
    expect(comparedRange(on, hourUs + minuteUs)).toBeNull();
    expect(comparedRange(undefined, 3 * hourUs + minuteUs)).toEqual({ fromUs: hourUs, toUs: 3 * hourUs });
  });

  it("begins with the first quarter in which the machine was heard throughout; later silence stays in", () => {
    const quarter = (i: number, unknown: number) => {
      const made = cell({ adet: 1 }, {}, { gridUs: i * gridUs });
      return { ...made, timeUs: { ...made.timeUs, unknown } };
    };
    const range = { fromUs: 0, toUs: 4 * gridUs };
    const all = { cells: [quarter(0, gridUs), quarter(1, 5e6), quarter(2, 0), quarter(3, 9e6)] };
    expect(heardFrom(all, range)).toBe(2 * gridUs);
    expect(heardFrom({ cells: all.cells.slice(0, 2) }, { fromUs: 0, toUs: 2 * gridUs })).toBeNull();
    // It stands in a break: that is known of machines that nobody has heard too.
    const pause = cell({ break: 900 }, {}, { gridUs: 0 });
    expect(heardFrom({ cells: [pause, ...all.cells.slice(1)] }, range)).toBe(2 * gridUs);
    const left = cellsFrom({ ...all, fromUs: 0 } as Parameters<typeof cellsFrom>[0], 2 * gridUs);
    expect(left.cells).toEqual(all.cells.slice(2));
  });
});
