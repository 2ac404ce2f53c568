import {
  type Cell,
  defaultOeePolicy,
  hourUs,
  minuteUs,
  type OeePolicy,
  parseTimeUs,
  type StopTime,
  startingReasons,
} from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bestDemonstrated,
  by,
  kpisOf,
  orderYield,
  paretoOf,
  quantitiesOf,
  reliabilityOf,
  sumsBy,
  sumsOf,
  waterfallOf,
} from "./index.ts";
import { anyCell, cell, policy } from "./testing.ts";

const under = (...policies: OeePolicy[]) => new Map(policies.map((each) => [each.version, each]));
const kpis = (cells: Cell[], ...policies: OeePolicy[]) => kpisOf(sumsOf(cells, under(...policies)));

describe("published figures", () => {
  it("480 min shift, 60 break, 47 down, 1.0 s, 19,271 made, 423 rejects", () => {
    const all = kpis([cell({ break: 60, adet: 47, apt: 373 }, { good: 19_271 - 423, scrap: 423 })]);
    expect(all.availability).toBeCloseTo(0.888095, 6);
    expect(all.effectiveness).toBeCloseTo(0.861081, 6);
    expect(all.qualityRatio).toBeCloseTo(0.97805, 6);
    expect(all.oeeIndex).toBeCloseTo(0.747937, 6);
    expect(all.hints).toEqual([]);
  });

  it("480 planned, 420 run, 1 min, 400 made, 380 good: multiplied unrounded", () => {
    const all = kpis([cell({ adet: 60, apt: 420 }, { good: 380, scrap: 20 }, { priUs: 60e6 })]);
    expect(all.oeeIndex).toBeCloseTo(0.791667, 6);
    expect(all).toMatchObject({ availability: 0.875, effectiveness: 400 / 420, qualityRatio: 0.95 });
  });
});

describe("edges", () => {
  it("a denominator of 0 gives null, never 0 or 1", () => {
    const nothing = kpis([]);
    for (const [name, value] of Object.entries(nothing)) if (!Array.isArray(value)) expect(value, name).toBeNull();
    const free = kpis([cell({ notPlanned: 60, break: 10, plannedMaintenance: 5 })]);
    expect(free).toMatchObject({ availability: null, oeeIndex: null, stateCoverage: null, availabilityBounds: null });
  });

  it("a shift that was down all day has OEE 0; its effectiveness is not defined", () => {
    expect(kpis([cell({ adet: 480 })])).toMatchObject({
      availability: 0,
      effectiveness: null,
      qualityRatio: null,
      oeeIndex: 0,
    });
  });

  it("produced, but nothing good", () => {
    expect(kpis([cell({ apt: 60 }, { scrap: 1800 })])).toMatchObject({
      effectiveness: 0.5,
      qualityRatio: 0,
      oeeIndex: 0,
    });
  });

  it("effectiveness above one is shown, not clipped, with the material whose ideal cycle is too long", () => {
    const all = kpis([cell({ apt: 60 }, { good: 4000 }), cell({ apt: 60 }, { good: 60 }, { material: "N" })]);
    expect(all.effectiveness).toBeCloseTo(4060 / 7200, 9);
    expect(all.fasterThanIdeal).toEqual(["M"]);
    const fast = kpis([cell({ apt: 60 }, { good: 4000 })]);
    expect(fast.effectiveness).toBeCloseTo(4000 / 3600, 9);
    expect(fast.oeeIndex).toBeGreaterThan(1);
    expect(fast.hints).toContain("effectivenessAboveOne");
  });

  it("without an ideal cycle availability stays; what is missing is named", () => {
    const all = kpis([
      cell({ apt: 30, adet: 30 }, { good: 10 }),
      cell({ apt: 60 }, { good: 5, scrap: 1 }, { material: "N", unit: "kg", priUs: null }),
    ]);
    expect(all).toMatchObject({
      availability: 0.75,
      effectiveness: null,
      qualityRatio: null,
      oeeIndex: null,
      oeeByCount: null,
    });
    expect(all.missingIdealCycles).toEqual([{ material: "N", unit: "kg", quantity: 6 }]);
    expect(all.hints).toContain("idealCycleMissing");
    // Nothing made, nothing missing.
    expect(kpis([cell({ adet: 60 }, {}, { priUs: null })]).oeeIndex).toBe(0);
  });

  it("a bare good ratio within one unit only; quality weighs by ideal time", () => {
    const two = [
      cell({ apt: 60 }, { good: 50, scrap: 50 }),
      cell({ apt: 60 }, { good: 100 }, { material: "N", priUs: 9e6 }),
    ];
    expect(kpis(two)).toMatchObject({ goodRatio: 0.75, qualityRatio: 0.95 });
    expect(kpis([two[0], { ...two[1], unit: "kg" }])).toMatchObject({
      goodRatio: null,
      throughputPerHour: null,
      qualityRatio: 0.95,
    });
    expect(kpis([two[0]])).toMatchObject({
      goodRatio: 0.5,
      qualityRatio: 0.5,
      scrapRatio: 0.5,
      throughputPerHour: 100,
    });
  });

  it("unknown time is left out, bounded, and bridged by what was counted", () => {
    const all = kpis([cell({ apt: 60, adet: 30, unknown: 30 }, { good: 1800, unknown: 900 })]);
    expect(all).toMatchObject({ availability: 60 / 90, stateCoverage: 0.75, countCoverage: 1, oeeIndex: 1800 / 5400 });
    expect(all.availabilityBounds).toEqual({ lower: 0.5, upper: 0.75 });
    expect(all.oeeByCount).toBeCloseTo(2700 / 7200, 9);
    expect(all.hints).toEqual(["stateUnknown"]);
    const lost = kpis([cell({ apt: 60, unknown: 60 }, { good: 1800 }, { countUnknownUs: 60 * minuteUs })]);
    expect(lost).toMatchObject({ oeeByCount: null, countCoverage: 0.5 });
    expect(kpis([cell({ unknown: 60 }, { unknown: 1800 })])).toMatchObject({
      availability: null,
      oeeIndex: null,
      oeeByCount: 0.5,
    });
  });

  it("rejects that come after their parts are flagged, not clipped; few cycles too; scrap put by rule too", () => {
    const all = kpis([cell({ apt: 15 }, { good: -2, scrap: 2 }, { assignedSq: 2, estimatedPq: 1 })]);
    expect(all.hints).toEqual(["goodNegative", "fewCycles", "countsEstimated", "scrapAssigned"]);
    expect(all.oeeIndex).toBeLessThan(0);
    expect(kpis([cell({ apt: 15 }, { good: 16 }, { unitsPerCycle: 8 })]).hints).toEqual(["fewCycles"]);
    expect(kpis([cell({ apt: 15 }, { good: 24 }, { unitsPerCycle: 8 })]).hints).toEqual([]);
  });

  it("a family mould: ideal time is per cycle, however the orders share it", () => {
    // One hour, 60 cycles of 60 s, two cavities of each order of four: full speed.
    const halves = ["A", "B"].map((order) =>
      cell({ apt: 30 }, { good: 120 }, { order, material: order, priUs: 15e6, unitsPerCycle: 4 }),
    );
    expect(kpis(halves).oeeIndex).toBe(1);
    for (const sums of sumsBy(halves, by.order).values()) expect(kpisOf(sums).oeeIndex).toBe(1);
  });

  it("parts outside planned time and in set-up are the order's, not the headline's", () => {
    const made = { good: 100, setUpGood: 10, setUpScrap: 5, outside: 50 };
    const sums = sumsOf([cell({ apt: 60, aust: 10 }, made)]);
    expect(sums.materials[0]).toMatchObject({ headline: { pq: 100 }, all: { pq: 165, gq: 160, sq: 5 } });
    const inside = policy({ setUpQuantity: "inside" });
    expect(
      sumsOf([cell({ apt: 60, aust: 10 }, made, { policy: inside.version })], under(inside)).materials[0].headline.pq,
    ).toBe(115);
  });

  it("the other ratios of ISO 22400-2", () => {
    const all = kpis([cell({ apt: 60, aust: 20, adet: 30, adot: 10 }, { good: 1800 })]);
    expect(all).toMatchObject({
      utilizationEfficiency: 60 / 110,
      allocationEfficiency: 110 / 120,
      technicalEfficiency: 60 / 90,
      setupRatio: 0.25,
      productionProcessRatio: 0.5,
      netEquipmentEffectivenessIndex: (80 / 120) * 0.5,
    });
  });
});

describe("policies", () => {
  const stops: StopTime[] = [{ reason: 3_100_000, timeClass: "adet", micro: true, us: 6 * minuteUs, count: 4 }];
  const shift = (more: Partial<Cell>) =>
    cell({ apt: 60, adet: 20, adot: 40 }, { good: 1800 }, { microStopUs: 6 * minuteUs, stops, ...more });

  it("micro stops move between availability and effectiveness; OEE stays", () => {
    const to = policy({ microStopTo: "effectiveness" });
    const [a, e] = [kpis([shift({})]), kpis([shift({ policy: to.version })], to)];
    expect([a.availability, e.availability]).toEqual([60 / 120, 66 / 120]);
    expect(a.oeeIndex).toBe(e.oeeIndex);
  });

  it("time without an order stays in the planned busy time, or not", () => {
    const out = policy({ noOrder: "notBusy" });
    expect([kpis([shift({})]).availability, kpis([shift({ policy: out.version })], out).availability]).toEqual([
      0.5, 0.75,
    ]);
  });

  it("are dated: cells of two versions add up, each under its own", () => {
    const out = policy({ noOrder: "notBusy" });
    const both = sumsOf([shift({}), shift({ policy: out.version })], under(out));
    expect([both.pbtUs, both.noOrderOutUs]).toEqual([200 * minuteUs, 40 * minuteUs]);
    expect(() => sumsOf([shift({ policy: "gone" })])).toThrow(/"gone"/);
  });
});

describe("losses", () => {
  const stops: StopTime[] = [
    { reason: 7_100_000, timeClass: "adet", micro: false, us: 20 * minuteUs, count: 2 },
    { reason: 4_100_000, timeClass: "adet", micro: false, us: 5 * minuteUs, count: 1 },
    { reason: 3_000_000, timeClass: "adet", micro: false, us: 4 * minuteUs, count: 1 },
    { reason: 3_100_000, timeClass: "adet", micro: true, us: 1 * minuteUs, count: 3 },
    { reason: 5_400_000, timeClass: "aust", micro: false, us: 10 * minuteUs, count: 1 },
    { reason: 7_400_000, timeClass: "plannedMaintenance", micro: false, us: 15 * minuteUs, count: 1 },
  ];
  const inside = policy({ setUpQuantity: "inside" });
  const day = cell(
    { notPlanned: 480, break: 30, plannedMaintenance: 15, unknown: 7, adet: 30, aust: 10, adot: 8, apt: 140 },
    { good: 6000, scrap: 600, setUpGood: 2, setUpScrap: 40 },
    { stops, microStopUs: minuteUs, policy: inside.version },
  );
  const sums = sumsOf([day], under(inside));

  it("from calendar time to valuable time, exactly", () => {
    const fall = waterfallOf(sums);
    expect(Object.fromEntries(fall.losses.map(({ step, us }) => [step, us / 1e6]))).toEqual({
      notPlanned: 28_800,
      break: 1800,
      plannedMaintenance: 900,
      noOrderNotBusy: 0,
      unknown: 420,
      breakdown: 1200,
      setUpAndAdjustment: 600,
      noOrder: 480,
      otherStops: 240,
      idlingAndMinorStops: 360,
      reducedSpeed: 8400 - 6642,
      processDefects: 600,
      startUpYield: 40,
    });
    expect(fall.valuableUs! / fall.knownBusyUs).toBeCloseTo(kpisOf(sums).oeeIndex!, 12);
  });

  it("judges stops by the reasons it is given, else as the sums tell", () => {
    const all = [...startingReasons, { ...startingReasons[0], number: 4_100_000, loss: "breakdown" as const }];
    const breakdown = (fall: ReturnType<typeof waterfallOf>) =>
      fall.losses.find(({ step }) => step === "breakdown")?.us;
    expect([breakdown(waterfallOf(sums)), breakdown(waterfallOf(sums, all))]).toEqual([20 * minuteUs, 25 * minuteUs]);
  });

  it("without an ideal cycle it ends at production time", () => {
    const fall = waterfallOf(sumsOf([{ ...day, priUs: null }], under(inside)));
    expect(fall.losses.at(-1)!.step).toBe("idlingAndMinorStops");
    expect([fall.netProductionUs, fall.valuableUs]).toEqual([null, null]);
    expect(fall.losses.reduce((left, { us }) => left - us, fall.calendarUs)).toBe(fall.productionUs);
  });

  it("Pareto in time and in count, at any level of the tree", () => {
    expect(paretoOf(sums).map(({ reason, us, count }) => [reason, us / minuteUs, count])).toEqual([
      [7_100_000, 20, 2],
      [5_400_000, 10, 1],
      [4_100_000, 5, 1],
      [3_000_000, 4, 1],
      [3_100_000, 1, 3],
    ]);
    expect(paretoOf(sums, { by: "count" })[0]).toMatchObject({ reason: 3_100_000, share: 3 / 8, cumulative: 3 / 8 });
    expect(paretoOf(sums, { level: 0 }).map(({ reason, us }) => [reason, us / minuteUs])).toEqual([
      [7_000_000, 20],
      [5_000_000, 10],
      [3_000_000, 5],
      [4_000_000, 5],
    ]);
    expect(paretoOf(sums).at(-1)!.cumulative).toBeCloseTo(1, 12);
  });

  it("a micro stop is a minor stop, whatever reason it bears, and no fault", () => {
    const micro: StopTime = { reason: 7_100_000, timeClass: "adet", micro: true, us: 2 * minuteUs, count: 4 };
    const short = sumsOf([cell({ apt: 58, adet: 2 }, {}, { stops: [micro], microStopUs: 2 * minuteUs })]);
    const lost = new Map(waterfallOf(short).losses.map(({ step, us }) => [step, us]));
    expect([lost.get("idlingAndMinorStops"), lost.get("breakdown")]).toEqual([2 * minuteUs, 0]);
    expect(reliabilityOf(short).failureEvents).toBe(0);
  });

  it("MTBF and MTTR from fault intervals", () => {
    expect(reliabilityOf(sums)).toEqual({
      failureEvents: 2,
      repairUs: 20 * minuteUs,
      operatingUs: 140 * minuteUs,
      mtbfUs: 70 * minuteUs,
      mttrUs: 10 * minuteUs,
      iso22400: { mttfUs: (140 / 3) * minuteUs, mttrUs: (20 / 3) * minuteUs, mtbfUs: (160 / 3) * minuteUs },
    });
    expect(reliabilityOf(sumsOf([cell({ apt: 60 })]))).toMatchObject({ failureEvents: 0, mtbfUs: null, mttrUs: null });
  });
});

describe("aggregation", () => {
  it("is from sums, never from averaged percentages", () => {
    const [good, bad] = [cell({ apt: 60 }, { good: 3600 }), cell({ adet: 180 }, {}, { shift: "t" })];
    const shifts = [...sumsBy([good, bad], by.shift).values()].map((sums) => kpisOf(sums).oeeIndex);
    expect(shifts).toEqual([1, 0]);
    expect(kpis([good, bad]).oeeIndex).toBe(0.25);
  });

  it("an hour of the site: Kathmandu's begin at quarters of UTC, and Berlin has an hour twice in October", () => {
    const at = (text: string) => cell({ apt: 15 }, {}, { gridUs: parseTimeUs(text)! });
    const hour = by.hour("Asia/Kathmandu");
    expect(hour(at("2026-11-26T06:30:00Z"))).toBe(parseTimeUs("2026-11-26T06:15:00Z"));
    expect(hour(at("2026-11-26T06:00:00Z"))).toBe(parseTimeUs("2026-11-26T05:15:00Z"));
    const night = Array.from({ length: 8 }, (_, i) => at(new Date(Date.UTC(2026, 9, 25, 0, 15 * i)).toISOString()));
    const hours = sumsBy(night, by.hour("Europe/Berlin"));
    expect([...hours.values()].map((sums) => sums.timeUs.apt)).toEqual([hourUs, hourUs]);
  });

  it("site and area add work units; a day of 23 or 25 hours adds up like any other", () => {
    const cells = [1, 2, 3].map((equipment) => cell({ apt: 10 * equipment }, { good: equipment }, { equipment }));
    const areas = sumsBy(
      cells,
      by.above(
        new Map([
          [1, 10],
          [2, 10],
          [3, 20],
        ]),
      ),
    );
    expect([...areas].map(([area, sums]) => [area, sums.timeUs.apt / minuteUs])).toEqual([
      [10, 30],
      [20, 30],
    ]);
    const long = Array.from({ length: 100 }, () => cell({ apt: 15 }));
    expect(sumsBy(long, by.productionDay).get("2026-11-26")!.pbtUs).toBe(25 * hourUs);
  });

  it("a site with pieces and kilograms: each in its unit, together where materials tell how", () => {
    const sums = sumsOf([
      cell({ apt: 60 }, { good: 100 }),
      cell({ apt: 60 }, { good: 40, scrap: 2 }, { material: "N", unit: "kg" }),
    ]);
    const told = quantitiesOf(sums, "kg", new Map([["M", { kg: 0.25 }]]));
    expect(told.byUnit.get("kg")).toEqual({ pq: 42, gq: 40, sq: 2, rq: 0 });
    expect(told.inUnit).toEqual({ pq: 67, gq: 65, sq: 2, rq: 0 });
    expect(quantitiesOf(sums, "kg", new Map())).toMatchObject({
      inUnit: null,
      missing: [{ material: "M", unit: "1" }],
    });
    expect(kpisOf(sums).oeeIndex).not.toBeNull();
  });

  it("an order over a shift change and over several machines; its yield is that of its last operation", () => {
    const cells = [
      cell({ apt: 60 }, { good: 100 }, { shift: "early" }),
      cell({ apt: 30 }, { good: 40 }, { shift: "late", equipment: 2 }),
      cell({ apt: 30 }, { good: 120, rework: 5 }, { operation: "20", equipment: 3 }),
    ];
    const order = sumsBy(cells, by.order).get("A")!;
    expect(order.timeUs.apt).toBe(120 * minuteUs);
    expect(sumsBy(cells, by.operation).get("A/10")!.materials[0].all.gq).toBe(140);
    expect(orderYield(cells, "A", "20")).toEqual({ gq: 120, yield: 125 });
  });

  it("an ideal cycle that is missing gets a proposal: the best that was demonstrated", () => {
    const hour = (i: number, good: number, more: Partial<Cell> = {}) =>
      cell({ apt: 60 }, { good }, { gridUs: i * hourUs, priUs: null, ...more });
    const cells = [
      hour(0, 100),
      hour(1, 120),
      hour(2, 400, { estimatedPq: 1 }),
      hour(3, 900, { timeUs: cell({ apt: 5 }).timeUs }),
      hour(4, 2),
    ];
    expect(bestDemonstrated(cells)).toEqual([
      { equipment: 1, material: "M", unit: "1", priUs: 30e6, hourUs: hourUs, quantity: 120 },
    ]);
  });
});

describe("properties", () => {
  const anyCells = fc.array(anyCell, { maxLength: 12 }).map((list) => ({
    cells: list.map((each) => each.cell),
    policies: under(defaultOeePolicy, ...list.map((each) => each.used)),
  }));

  it("hours, shifts and orders have equal sums in each class", () => {
    fc.assert(
      fc.property(anyCells, ({ cells, policies }) => {
        const whole = sumsOf(cells, policies);
        for (const key of [by.hour("Asia/Kathmandu"), by.shift, by.order, by.productionDay] as ((
          c: Cell,
        ) => unknown)[]) {
          const parts = [...sumsBy(cells, key, policies).values()];
          const sum = (of: (part: typeof whole) => number) => parts.reduce((total, part) => total + of(part), 0);
          for (const name of Object.keys(whole.timeUs) as (keyof typeof whole.timeUs)[])
            expect(sum((part) => part.timeUs[name])).toBe(whole.timeUs[name]);
          expect(sum((part) => part.pbtUs)).toBe(whole.pbtUs);
          expect(sum((part) => part.aptUs)).toBe(whole.aptUs);
          expect(sum((part) => part.priGqUs)).toBeCloseTo(whole.priGqUs, 3);
        }
      }),
      { seed: 22400, numRuns: 100 },
    );
  });

  it("A·E·Q = Σ PRI·GQ / PBT', whatever the policies, and the waterfall adds up to the µs", () => {
    fc.assert(
      fc.property(anyCells, ({ cells, policies }) => {
        const sums = sumsOf(cells, policies);
        const { availability: a, effectiveness: e, qualityRatio: q, oeeIndex } = kpisOf(sums);
        if (a !== null && e !== null && q !== null) expect(a * e * q).toBeCloseTo(sums.priGqUs / sums.pbtKnownUs, 9);
        if (sums.pbtKnownUs > 0) expect(oeeIndex).toBeCloseTo(sums.priGqUs / sums.pbtKnownUs, 12);
        const fall = waterfallOf(sums);
        expect(fall.losses.reduce((left, { us }) => left - us, fall.calendarUs)).toBe(fall.valuableUs);
        const until = (last: string) =>
          fall.losses
            .slice(0, fall.losses.findIndex(({ step }) => step === last) + 1)
            .reduce((left, { us }) => left - us, fall.calendarUs);
        expect(until("noOrderNotBusy")).toBe(fall.plannedBusyUs);
        expect(until("unknown")).toBe(fall.knownBusyUs);
        expect(until("idlingAndMinorStops")).toBe(fall.productionUs);
        expect(until("reducedSpeed")).toBe(fall.netProductionUs);
      }),
      { seed: 40001, numRuns: 200 },
    );
  });
});
