import {
  ColumnsBuilder,
  calendarTemplate,
  dayUs,
  defaultOeePolicy,
  type EquipmentContext,
  hourUs,
  type MachineFacts,
  minuteUs,
  parseTimeUs,
} from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { by, kpisOf, type Policies, reliabilityOf, sumsBy, sumsOf, waterfallOf } from "../../applications/oee/index.ts";
import { cellsOf, shiftOccurrences } from "../../integration/platform/context/index.ts";
import { oracle } from "../../integration/platform/context/oracle.fixture.ts";
import {
  randomContext,
  randomFacts,
  spanMinutes,
  withSetUps,
} from "../../integration/platform/context/random.fixture.ts";
import {
  context,
  day0,
  facts,
  min,
  order,
  pri,
  running,
  shift,
  standing,
  unknown,
} from "../../integration/platform/context/testing.ts";
import { compileMapping, Derivation, machineFacts, Rules } from "../../integration/platform/derivation/index.ts";

/** From facts and context through cells to KPIs: the whole arithmetic, against published figures and against brute force. */

const policiesOf = (of: EquipmentContext): Policies =>
  new Map(of.policies.map(({ policy }) => [policy.version, policy]));
const kpis = (of: MachineFacts, under: EquipmentContext, window: { from: number; to: number }) =>
  kpisOf(sumsOf(cellsOf({ equipment: 1, facts: of, context: under }, window), policiesOf(under)));

describe("from facts to KPIs", () => {
  it("published: 480 min shift, 60 break, 47 down, 1.0 s, 19,271 made, 423 rejects", () => {
    const made = facts(
      0,
      480,
      [
        [0, running],
        [100, standing],
        [147, running],
      ],
      [
        [0, 240, 10_000 - 423],
        [0, 239, 423, "scrap"],
        [240, 480, 9271],
      ],
    );
    const plan = context(
      {
        shifts: [
          shift("s", 0, 480, [
            [180, 210],
            [360, 390],
          ]),
        ],
        executions: [order("A", 0, 480)],
        idealCycles: [pri(1)],
      },
      { outsidePlan: "exclude" },
    );
    const { availability, effectiveness, qualityRatio, oeeIndex } = kpis(made, plan, { from: min(0), to: min(480) });
    expect([availability, effectiveness, qualityRatio, oeeIndex].map((x) => Math.round(x! * 1e6) / 1e6)).toEqual([
      0.888095, 0.861081, 0.97805, 0.747937,
    ]);
  });

  it("published: 480 planned, 420 run, 1 min, 400 made, 380 good", () => {
    const made = facts(
      0,
      480,
      [
        [0, running],
        [420, standing],
      ],
      [
        [0, 420, 380],
        [0, 420, 20, "scrap"],
      ],
    );
    const plan = context({ shifts: [shift("s", 0, 480)], executions: [order("A", 0, 480)], idealCycles: [pri(60)] });
    expect(kpis(made, plan, { from: min(0), to: min(480) }).oeeIndex).toBeCloseTo(0.791667, 6);
  });

  it("a state that is open at the end of the window counts until there", () => {
    const made = facts(0, 480, [
      [0, running],
      [30, standing],
    ]);
    const plan = context({ shifts: [shift("s", 0, 480)], executions: [order("A", 0, 480)], idealCycles: [pri(60)] });
    expect(kpis(made, plan, { from: min(0), to: min(60) }).availability).toBe(0.5);
    expect(kpis(made, plan, { from: min(0), to: min(120) }).availability).toBe(0.25);
  });

  it("an order over a shift change, and a shift over midnight: each minute and each piece once", () => {
    const late = shift("late", 1320 - 480, 1320);
    const night = { ...shift("night", 1320, 1800), productionDay: "2026-11-27" };
    const made = facts(
      0,
      2000,
      [[0, running]],
      Array.from({ length: 19 }, (_, i) => [100 * i, 100 * (i + 1), 10]),
    );
    const plan = context(
      { shifts: [late, night], executions: [order("A", 1000, 1700)], idealCycles: [pri(60)] },
      { outsidePlan: "exclude" },
    );
    const cells = cellsOf({ equipment: 1, facts: made, context: plan }, { from: min(0), to: min(2000) });
    const shifts = sumsBy(cells, by.shift);
    expect([shifts.get("late")!.pbtUs, shifts.get("night")!.pbtUs]).toEqual([480 * minuteUs, 480 * minuteUs]);
    const orders = sumsBy(cells, by.order).get("A")!;
    expect([orders.timeUs.apt, orders.materials[0].all.gq]).toEqual([700 * minuteUs, 70]);
    expect(sumsBy(cells, by.productionDay).get("2026-11-27")!.pbtUs).toBe(480 * minuteUs);
  });

  it.each([
    ["2026-03-29", 23],
    ["2026-10-25", 25],
    ["2026-11-26", 24],
  ])("F18: the production day %s has %i hours of planned and unplanned time, and OEE knows it", (day, hours) => {
    const start = parseTimeUs(`${day}T00:00:00Z`)! - dayUs;
    const made: MachineFacts = { ...facts(0, 1, []), from: start, to: start + 3 * dayUs };
    made.states = { count: 1, t: Float64Array.of(start), code: Int32Array.of(running) };
    const shifts = shiftOccurrences(calendarTemplate("fourCrews", "c"), start, start + 3 * dayUs);
    const plan = context({
      timeZone: "Europe/Berlin",
      shifts,
      policies: [{ fromUs: start, toUs: start + 4 * dayUs, policy: { ...defaultOeePolicy, outsidePlan: "exclude" } }],
    });
    const cells = cellsOf({ equipment: 1, facts: made, context: plan }, { from: start, to: start + 3 * dayUs });
    const sums = sumsBy(cells, by.productionDay).get(day)!;
    expect([sums.pbtUs / hourUs, sums.timeUs.break / hourUs]).toEqual([hours - 1.5, 1.5]);
    expect(waterfallOf(sums).calendarUs).toBe(hours * hourUs);
    const localHours = sumsBy(
      cells.filter((cell) => cell.productionDay === day),
      by.hour("Europe/Berlin"),
    );
    expect(localHours.size).toBe(hours);
    expect(new Set([...localHours.values()].map(({ timeUs }) => timeUs.apt + timeUs.break))).toEqual(new Set([hourUs]));
  });

  it("a gap that a surviving counter bridged: headline without it, OEE by count with it", () => {
    const made = facts(
      0,
      120,
      [
        [0, running],
        [60, unknown],
        [90, running],
      ],
      [
        [0, 60, 30],
        [60, 90, 15, "good", 2],
        [90, 120, 15],
      ],
    );
    const plan = context({ shifts: [shift("s", 0, 120)], executions: [order("A", 0, 120)], idealCycles: [pri(60)] });
    expect(kpis(made, plan, { from: min(0), to: min(120) })).toMatchObject({
      availability: 1,
      effectiveness: 0.5,
      oeeIndex: 0.5,
      oeeByCount: 0.5,
      stateCoverage: 0.75,
      countCoverage: 1,
      availabilityBounds: { lower: 0.75, upper: 1 },
    });
  });
});

describe("from raw points to KPIs", () => {
  const [stateTag, goodTag, scrapTag] = [1, 2, 3];
  const forever = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

  /** A machine with a state tag and two 16-bit counters, as its points come in. */
  function machine(points: [tag: number, minute: number, value: number][], untilMinute: number): MachineFacts {
    const derivation = new Derivation();
    const states = [
      { value: 0, itemState: "OutOfService" as const, cause: 7_100_000 },
      { value: 1, itemState: "Executing" as const },
    ];
    const state = new Rules([{ ...forever, rule: compileMapping({ states }) }]);
    const counter = new Rules([
      { ...forever, rule: compileMapping({ counter: { width: "uint16", maxPerSecond: 2 } }) },
    ]);
    const add = (id: number, role: "itemState" | "counter", counts: "good" | "scrap" | null, rules: Rules) =>
      derivation.add({ id, equipment: 1, role, channels: [{ tag: id, connection: 1, counts }], rules }, "none");
    add(stateTag, "itemState", null, state);
    add(goodTag, "counter", "good", counter);
    add(scrapTag, "counter", "scrap", counter);
    const columns = new ColumnsBuilder();
    for (const [tag, minute, value] of points) columns.add(tag, min(minute), value);
    derivation.apply(columns.build());
    derivation.tick(min(untilMinute));
    return machineFacts(derivation.bindingsOf(1), min(0), min(untilMinute));
  }

  it("published: 0.747937, from a state tag and two counters, one of which begins anew in the shift", () => {
    const runs = (minute: number) => (minute >= 0 && minute < 100) || minute >= 147;
    const points: [number, number, number][] = [
      [stateTag, 0, 1],
      [stateTag, 100, 0],
      [stateTag, 147, 1],
    ];
    let [good, scrap] = [60_000, 10];
    points.push([goodTag, -1, good], [scrapTag, -1, scrap]);
    // 433 running minutes, breaks included; what was made in breaks stays out of the KPIs here, so nothing is.
    const pauses = [
      [180, 210],
      [360, 390],
    ];
    const minutes = Array.from({ length: 480 }, (_, i) => i).filter(
      (i) => runs(i) && !pauses.some(([a, b]) => i >= a && i < b),
    );
    const share = (total: number, i: number) =>
      Math.floor((total * (i + 1)) / minutes.length) - Math.floor((total * i) / minutes.length);
    for (const [i, minute] of minutes.entries()) {
      good = (good + share(19_271 - 423, i)) % 65_536;
      scrap += share(423, i);
      points.push([goodTag, minute + 1, good], [scrapTag, minute + 1, scrap]);
    }
    const made = machine(points, 481);
    const plan = context(
      {
        shifts: [
          shift("s", 0, 480, [
            [180, 210],
            [360, 390],
          ]),
        ],
        executions: [order("A", 0, 480)],
        idealCycles: [pri(1)],
      },
      { outsidePlan: "exclude" },
    );
    const cells = cellsOf({ equipment: 1, facts: made, context: plan }, { from: min(0), to: min(480) });
    const sums = sumsOf(cells, policiesOf(plan));
    expect(kpisOf(sums).oeeIndex).toBeCloseTo(0.747937, 6);
    expect(sums.materials[0].all).toEqual({ pq: 19_271, gq: 18_848, sq: 423, rq: 0 });
    expect(reliabilityOf(sums)).toMatchObject({ failureEvents: 1, mttrUs: 47 * minuteUs });
  });
});

describe("KPIs against an oracle that looks at every second", { timeout: 300_000 }, () => {
  it("agree to a millionth, for the whole and for each shift and order", () => {
    let compared = 0;
    fc.assert(
      fc.property(randomFacts, randomContext, (of, raw) => {
        const always = { fromUs: day0, toUs: min(spanMinutes), material: null, cycleUs: 20e6, unitsPerCycle: 1 };
        const under = withSetUps(of, {
          ...raw,
          idealCycles: [always, ...raw.idealCycles.filter(({ material }) => material !== null)],
        });
        const window = { from: day0, to: min(spanMinutes) };
        const cells = cellsOf({ equipment: 1, facts: of, context: under }, window);
        const seconds = oracle(of, under, window.from, window.to);
        const parts: [string, string | null, typeof cells][] = [["", null, cells]];
        for (const name of ["s0", "s1"]) parts.push(["shift", name, cells.filter(({ shift: of }) => of === name)]);
        for (const name of ["A", "B"]) parts.push(["order", name, cells.filter(({ order: of }) => of === name)]);
        for (const [kind, name, own] of parts) {
          const sum = (what: string) =>
            [...seconds].reduce((total, [key, amount]) => {
              const [, inShift, inOrder, is] = key.split("|");
              const mine = kind === "" || (kind === "shift" ? inShift : inOrder) === name;
              return mine && is === what ? total + amount : total;
            }, 0);
          const [pbt, pbtKnown, apt] = [sum("kpi PBT"), sum("kpi PBT'"), sum("kpi APT")];
          const [priPq, priGq] = [sum("priPq known"), sum("kpi priGq known")];
          const expected = {
            availability: pbtKnown > 0 ? apt / pbtKnown : null,
            effectiveness: apt > 0 ? priPq / apt : null,
            qualityRatio: priPq > 0 ? priGq / priPq : null,
            oeeIndex: pbtKnown > 0 ? priGq / pbtKnown : null,
            stateCoverage: pbt > 0 ? pbtKnown / pbt : null,
          };
          const found = kpisOf(sumsOf(own, policiesOf(under)));
          for (const [kpi, value] of Object.entries(expected)) {
            const actual = found[kpi as keyof typeof expected];
            if (value === null || actual === null) expect(actual, kpi).toBe(value);
            else
              expect(Math.abs(actual - value), `${kpi} ${actual} ${value}`).toBeLessThanOrEqual(
                1e-6 * Math.max(1, Math.abs(value)),
              );
            compared++;
          }
        }
      }),
      { seed: 747_937, numRuns: process.env.LINESHAFT_LONG === "1" ? 2000 : 60 },
    );
    expect(compared).toBeGreaterThan(1000);
  });
});
