import type { ComputedResult, View } from "@lineshaft/client";
import { type Cell, defaultOeePolicy, minuteUs, type Result } from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compute } from "./compute.ts";
import { type OeeDetail, readDetail } from "./detail.ts";
import { by, cutSums, kpisOf, reliabilityOf, sumsOf, waterfallOf } from "./index.ts";
import { anyCell, cell, item, policy, published, span, view } from "./testing.ts";

const above = (below: Result[]): View =>
  view([], {
    item: item(9, "shift", "s", "above"),
    equipment: { id: 9, path: "site", level: "site" },
    cells: null,
    below,
  });
const site = (...machines: Cell[][]): ComputedResult =>
  compute(
    above(
      machines.map((cells, i) => {
        const own = cells.map((each) => ({ ...each, equipment: i + 1 }));
        return published(i + 1, compute(view(own, { item: item(i + 1, "shift", "s", "workUnit") })));
      }),
    ),
  );
const detailOf = ({ detail }: ComputedResult): OeeDetail => {
  const read = readDetail(JSON.parse(JSON.stringify(detail)));
  if (read === null) throw new Error("The detail does not fit its schema.");
  return read;
};

describe("published figures", () => {
  it("0.747937 and 0.791667, with the terms they come from", () => {
    const a = compute(view([cell({ break: 60, adet: 47, apt: 373 }, { good: 19_271 - 423, scrap: 423 })]));
    expect(a.values.oeeIndex).toBeCloseTo(0.747937, 6);
    expect(a.values).toMatchObject({ producedQuantity: 19_271, goodQuantity: 18_848, scrapQuantity: 423 });
    expect(a.coverage).toBe(1);
    const terms = new Map(a.evidence.map(({ term, value, ref }) => [term, { value, ref }]));
    const cells = { kind: "cells", equipmentId: 1, ...span };
    expect(terms.get("PBT'")).toEqual({ value: 420 * minuteUs, ref: cells });
    expect(terms.get("APT")).toEqual({ value: 373 * minuteUs, ref: cells });
    expect(terms.get("PRI·GQ")).toEqual({ value: 18_848e6, ref: cells });
    expect(terms.get("SQ")).toEqual({ value: 423, ref: { ...cells, kind: "facts" } });
    expect(18_848e6 / (420 * minuteUs)).toBeCloseTo(a.values.oeeIndex as number, 12);

    const b = compute(view([cell({ adet: 60, apt: 420 }, { good: 380, scrap: 20 }, { priUs: 60e6 })]));
    expect(b.values.oeeIndex).toBeCloseTo(0.791667, 6);
  });

  it("the site of both is of their sums, not of their percentages", () => {
    const whole = site(
      [cell({ break: 60, adet: 47, apt: 373 }, { good: 19_271 - 423, scrap: 423 })],
      [cell({ adet: 60, apt: 420 }, { good: 380, scrap: 20 }, { priUs: 60e6 })],
    );
    expect(whole.values.oeeIndex).toBeCloseTo((18_848 + 380 * 60) / (420 * 60 + 480 * 60), 12);
    const refs = whole.evidence.filter(({ term }) => term === "PRI·GQ below");
    expect(refs.map(({ value, ref }) => [value, ref?.kind === "results" ? ref.equipmentId : null])).toEqual([
      [380 * 60e6, 2],
      [18_848e6, 1],
    ]);
  });
});

describe("edges", () => {
  it("nothing planned: nothing is defined, no coverage either, and OEE of a day down is 0", () => {
    const free = compute(view([cell({ notPlanned: 480 })]));
    expect(free.values).toMatchObject({ availability: null, oeeIndex: null, plannedBusyTimeUs: 0, goodQuantity: 0 });
    expect(free.coverage).toBeNull();
    expect(compute(view([])).values.oeeIndex).toBeNull();
    expect(compute(view([cell({ adet: 480 })])).values).toMatchObject({ oeeIndex: 0, effectiveness: null });
  });

  it("faster than ideal is shown and proposed, not clipped and not applied", () => {
    const { values, detail } = compute(view([cell({ apt: 60 }, { good: 4000 })]));
    expect(values.effectiveness).toBeCloseTo(4000 / 3600, 12);
    expect(values.oeeIndex).toBeGreaterThan(1);
    expect(detail).toMatchObject({
      hints: ["effectivenessAboveOne"],
      fasterThanIdeal: [{ equipmentId: 1, material: "M", unit: "1" }],
      proposals: [{ equipmentId: 1, material: "M", quantity: 4000, priUs: 900_000 }],
    });
  });

  it("a missing ideal cycle is named with its machine, also by the site; availability stays", () => {
    const without = cell({ apt: 60, adet: 60 }, { good: 120 }, { material: "N", unit: "kg", priUs: null });
    const whole = site([cell({ apt: 60 }, { good: 3600 })], [without]);
    expect(whole.values).toMatchObject({ availability: 2 / 3, effectiveness: null, oeeIndex: null });
    expect(detailOf(whole)).toMatchObject({
      hints: ["idealCycleMissing"],
      missingIdealCycles: [{ equipmentId: 2, material: "N", unit: "kg", quantity: 120 }],
      proposals: [{ equipmentId: 2, material: "N", priUs: 30e6 }],
    });
  });

  it("a family mould: two orders at once, full speed each and together", () => {
    const halves = ["A", "B"].map((order) =>
      cell({ apt: 30 }, { good: 120 }, { order, material: order, priUs: 15e6, unitsPerCycle: 4 }),
    );
    expect(compute(view(halves)).values.oeeIndex).toBe(1);
    for (const half of halves) expect(compute(view([half])).values.oeeIndex).toBe(1);
    expect(detailOf(compute(view(halves))).orders).toMatchObject([
      { order: "A", gq: 120, aptUs: 30 * minuteUs },
      { order: "B", gq: 120, aptUs: 30 * minuteUs },
    ]);
  });

  it("pieces and kilograms in one area: each in its unit, never added; OEE over ideal time", () => {
    const whole = site(
      [cell({ apt: 60 }, { good: 1800 })],
      [cell({ apt: 60 }, { good: 40, scrap: 2 }, { material: "N", unit: "kg", priUs: 60e6 })],
    );
    expect(whole.values).toMatchObject({ goodQuantity: null, throughputPerHour: null, oeeIndex: (1800 + 2400) / 7200 });
    const units = whole.evidence.filter(({ term }) => term === "PQ").map(({ unit, value }) => [unit, value]);
    expect(units).toEqual([
      ["1", 1800],
      ["kg", 42],
    ]);
  });

  it("set-up quantity inside or outside; the order has it either way", () => {
    const inside = policy({ setUpQuantity: "inside" });
    const made = { good: 1000, setUpGood: 100, setUpScrap: 50 };
    const out = compute(view([cell({ apt: 60, aust: 10 }, made)]));
    const within = compute(view([cell({ apt: 60, aust: 10 }, made, { policy: inside.version })], {}, [inside]));
    expect([out.values.qualityRatio, within.values.qualityRatio]).toEqual([1, 1100 / 1150]);
    expect([out.values.producedQuantity, within.values.producedQuantity]).toEqual([1150, 1150]);
    expect(detailOf(within).policies).toEqual([inside.version]);
  });

  it("late scrap that was put by rule, and rejects after their parts, are flagged and not clipped", () => {
    const { values, detail } = compute(view([cell({ apt: 15 }, { good: -2, scrap: 5 }, { assignedSq: 2 })]));
    expect(values.oeeIndex).toBeLessThan(0);
    expect(detail).toMatchObject({ hints: ["goodNegative", "scrapAssigned"] });
    expect(detailOf(site([cell({ apt: 15 }, { good: -2, scrap: 5 }, { assignedSq: 2 })])).hints).toContain(
      "goodNegative",
    );
  });

  it("a line: time and ideal cycle of whatever its constraint was, in one result", () => {
    const line = view([
      cell({ apt: 60 }, { good: 3600 }, { equipment: 5 }),
      cell({ apt: 30, adet: 30 }, { good: 900, scrap: 90 }, { equipment: 5, priUs: 2e6, gridUs: 60 * minuteUs }),
    ]);
    expect(compute({ ...line, item: { ...line.item, level: "line" } }).values.oeeIndex).toBe((3600 + 1800) / 7200);
  });

  it("what has no readable result below is named, and the rest adds up", () => {
    const good = published(1, compute(view([cell({ apt: 60 }, { good: 3600 })])));
    const whole = compute(above([good, { ...good, equipmentId: 2, detail: { of: "another version" } }]));
    expect(whole.values.oeeIndex).toBe(1);
    expect(detailOf(whole).without).toEqual([2]);
  });

  it("coverage is the lesser of state and counts", () => {
    const gap = cell({ apt: 60, unknown: 60 }, { good: 60 }, { countUnknownUs: 90 * minuteUs });
    expect(compute(view([gap])).coverage).toBe(0.25);
  });
});

describe("orders", () => {
  const order = (quantity: number): View["order"] => {
    const operations = ["10", "20"].map((id) => ({ id, name: null, executions: [] }));
    return { id: "A", revision: 3, changedUs: 0, item: { material: "M", unit: "1", quantity, operations } };
  };

  it("progress is the yield of the last operation, good and reworked, over all machines", () => {
    const first = view([cell({ apt: 60 }, { good: 500 })], { order: order(400) });
    const last = (good: number, rework: number) =>
      view([cell({ apt: 60 }, { good, rework }, { operation: "20" })], { order: order(400) });
    expect(compute(first).values).toMatchObject({ orderYield: 0, orderProgress: 0 });
    const parts = [first, last(100, 5), last(90, 5)].map((each, i) => published(i + 1, compute(each)));
    expect(compute(above(parts)).values).toMatchObject({ orderYield: 200, orderProgress: 0.5 });
    expect(detailOf(compute(above(parts))).progress).toEqual({
      ...{ operation: "20", unit: "1", ordered: 400, gq: 190 },
      yield: 200,
    });
  });

  it("an operation's is its own", () => {
    const own = item(1, "operation", "A/10", "workUnit");
    const { values } = compute(view([cell({ apt: 60 }, { good: 100 })], { item: own, order: order(400) }));
    expect(values).toMatchObject({ orderYield: 100, orderProgress: 0.25 });
  });

  it("master data that were used are named in the evidence", () => {
    const masterData = [{ entity: "order", id: "A", revision: 3 }];
    const { evidence } = compute(view([cell({ apt: 60 }, { good: 1 })], { masterData }));
    expect(evidence.at(-1)?.ref).toEqual({ kind: "masterData", entity: "order", id: "A", revision: 3 });
  });
});

describe("bounds", () => {
  it("a detail has at most 64 KiB, whatever was made; no ratio changes by what is cut", () => {
    const name = (i: number) => `${"日本".repeat(60)}${i}`;
    const stops = Array.from({ length: 300 }, (_, i) => ({
      ...{ reason: 5_000_000 + i, timeClass: "adet" as const, micro: false },
      us: (1 + i) * 1e6,
      count: 1,
    }));
    const cells = Array.from({ length: 500 }, (_, i) =>
      cell(
        { apt: 60, adet: 10 },
        { good: i, scrap: 1 },
        { material: name(i), order: name(i), unit: i % 3 === 0 ? "kg" : "1", stops, priUs: i === 450 ? null : 1e6 + i },
      ),
    );
    const masterData = cells.map((_, i) => ({ entity: "order", id: name(i), revision: i }));
    const { detail, values, evidence } = compute(view(cells, { masterData }));
    expect(Buffer.byteLength(JSON.stringify(detail))).toBeLessThanOrEqual(65_536);
    expect(evidence.length).toBeLessThanOrEqual(200);
    const { sums, missingIdealCycles, cut } = detailOf({ detail } as ComputedResult);
    expect(cut).toBeGreaterThan(0);
    expect(missingIdealCycles).toMatchObject([{ material: name(450) }]);
    // Whatever is cut, what has no ideal cycle keeps its name.
    expect(sums.materials.find(({ withoutPri }) => withoutPri > 0)?.material).toBe(name(450));
    expect(kpisOf(sums).availability).toBe(values.availability);
    const all = sumsOf(cells);
    expect(waterfallOf(sums)).toEqual(waterfallOf(all));
    expect(reliabilityOf(sums)).toEqual(reliabilityOf(all));
    const made = (of: typeof sums) => of.materials.reduce((sum, material) => sum + material.all.gq, 0);
    expect(made(sums)).toBe(made(all));
    // Cut again where it is added up above.
    expect(cutSums(sums, { materials: 2, stops: 2 }).materials.reduce((n, m) => n + (m.together ?? 1), 0)).toBe(500);
  });
});

describe("properties", () => {
  const plant = fc.array(fc.array(anyCell, { maxLength: 8 }), { minLength: 1, maxLength: 5 });

  it("a site is the sum of what stands below it, and A·E·Q = Σ PRI·GQ / PBT'", () => {
    fc.assert(
      fc.property(plant, (machines) => {
        const parts = machines.map((list, i) => {
          const cells = list.map((each) => ({ ...each.cell, equipment: i + 1 }));
          return published(
            i + 1,
            compute(
              view(
                cells,
                {},
                list.map((each) => each.used),
              ),
            ),
          );
        });
        const whole = compute(above(parts));
        const { sums } = detailOf(whole);
        for (const name of ["plannedBusyTimeUs", "actualProductionTimeUs", "unknownTimeUs"])
          expect(whole.values[name]).toBe(parts.reduce((sum, { values }) => sum + (values[name] as number), 0));
        const { availability: a, effectiveness: e, qualityRatio: q, oeeIndex } = whole.values;
        if (a !== null && e !== null && q !== null) expect(a * e * q).toBeCloseTo(sums.priGqUs / sums.pbtKnownUs, 9);
        if (sums.pbtKnownUs > 0) expect(oeeIndex).toBeCloseTo(sums.priGqUs / sums.pbtKnownUs, 12);
        const cells = machines.flat();
        const direct = sumsOf(
          cells.map((each) => each.cell),
          new Map([...cells.map((each) => each.used), defaultOeePolicy].map((p) => [p.version, p])),
        );
        expect(sums.timeUs).toEqual(direct.timeUs);
        expect(sums.priGqUs).toBeCloseTo(direct.priGqUs, 3);
      }),
      { seed: 300, numRuns: 100 },
    );
  });

  it("hours, shifts and orders of the same period have equal sums in each class", () => {
    fc.assert(
      fc.property(fc.array(anyCell, { maxLength: 12 }), (list) => {
        const used = list.map((each) => each.used);
        const sumsFor = (key: (cell: Cell) => unknown) => {
          const heads = new Map<unknown, Cell[]>();
          for (const each of list) heads.set(key(each.cell), [...(heads.get(key(each.cell)) ?? []), each.cell]);
          const parts = [...heads.values()].map((cells, i) => published(i + 1, compute(view(cells, {}, used))));
          return detailOf(compute(above(parts))).sums;
        };
        const whole = sumsFor(() => "all");
        for (const key of [by.hour("Asia/Kathmandu"), by.shift, by.order]) {
          const { timeUs, pbtUs, aptUs, priGqUs } = sumsFor(key);
          expect({ timeUs, pbtUs, aptUs }).toEqual({ timeUs: whole.timeUs, pbtUs: whole.pbtUs, aptUs: whole.aptUs });
          expect(priGqUs).toBeCloseTo(whole.priGqUs, 3);
        }
      }),
      { seed: 301, numRuns: 60 },
    );
  });
});
