import { type Cell, defaultOeePolicy, minuteUs, stateCode } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { cellsOf } from "./cells.ts";
import { placeLateScrap, scrapSourcesOf } from "./late-scrap.ts";
import {
  always,
  broken,
  context,
  estimated,
  facts,
  idle,
  min,
  order,
  pri,
  running,
  shift,
  standing,
  sums,
  uncertain,
  unknown,
} from "./testing.ts";

const window = (from: number, to: number) => ({ from: min(from), to: min(to) });
const cells = (f: Parameters<typeof facts>, c: Parameters<typeof context>, from = f[0], to = f[1]) =>
  cellsOf({ equipment: 7, facts: facts(...f), context: context(...c) }, window(from, to));
const stops = (all: Cell[]) =>
  all
    .flatMap((cell) => cell.stops)
    .map(({ reason, timeClass, us, count }) => [reason, timeClass, us / minuteUs, count]);

const plan = { shifts: [shift("s", 0, 120, [[60, 75]])], executions: [order("A", 0, 120)], idealCycles: [pri(60)] };

describe("cells", () => {
  it("time by class: shift, break, order, state; every minute once", () => {
    const all = cells(
      [
        -30,
        150,
        [
          [-30, standing],
          [0, running],
          [40, standing],
          [50, running],
        ],
        [[9, 10, 5]],
      ],
      [plan],
    );
    expect(sums(all)).toEqual({
      minutes: { apt: 155 - 10 - 5 + 0, adet: 10, notPlanned: 30 },
      pq: { known: 5 },
      gq: 5,
      sq: 0,
    });
  });

  it("production outside planned time extends the plan, or stays out with its counts; orders keep those", () => {
    const f: Parameters<typeof facts> = [
      0,
      150,
      [
        [0, running],
        [130, standing],
      ],
      [
        [61, 65, 4],
        [121, 125, 3],
        [131, 135, 2],
      ],
    ];
    expect(sums(cells(f, [plan]))).toMatchObject({
      minutes: { apt: 130, notPlanned: 20 },
      pq: { known: 7, outside: 2 },
    });
    const out = cells(f, [plan, { outsidePlan: "exclude" }]);
    expect(sums(out)).toMatchObject({ minutes: { apt: 105, break: 15, notPlanned: 30 }, pq: { outside: 9 } });
    expect(sums(out.filter((cell) => cell.order === "A")).pq).toEqual({ outside: 4 });
  });

  it("unknown time is neither stopped nor running, and what was counted across it stays with the order", () => {
    const all = cells(
      [
        0,
        120,
        [
          [0, running],
          [20, unknown],
          [40, running],
        ],
        [
          [19, 20, 3],
          [20, 40, 8, "good", estimated],
          [41, 42, 1],
        ],
      ],
      [plan],
    );
    expect(sums(all)).toMatchObject({ minutes: { apt: 85 + 15, unknown: 20 }, pq: { known: 4, unknown: 8 } });
    expect(all.reduce((sum, cell) => sum + cell.countUnknownUs, 0)).toBe(0);
  });

  it("unknown time without a surviving counter, and an uncertain count, are not covered", () => {
    const uncovered = (counts: Parameters<typeof facts>[3]) =>
      cells(
        [
          0,
          120,
          [
            [0, running],
            [20, unknown],
            [40, running],
          ],
          counts,
        ],
        [plan],
      ).reduce((s, c) => s + c.countUnknownUs, 0) / minuteUs;
    expect(uncovered([])).toBe(20);
    expect(uncovered([[20, 30, 8, "good", estimated]])).toBe(10);
    expect(uncovered([[10, 40, 8, "good", estimated | uncertain]])).toBe(30);
  });

  it("estimated counts lie in the time in which the machine produced or may have: (i − ½)/N", () => {
    // 40 running minutes of 60: [0,20) and [40,60). Four pieces at 5, 15, 25, 35 running minutes.
    const all = cells(
      [
        0,
        60,
        [
          [0, running],
          [20, standing],
          [40, running],
        ],
        [[0, 60, 4, "good", estimated]],
      ],
      [{ ...plan, shifts: [] }],
    );
    const by = Object.fromEntries(all.map((cell) => [(cell.gridUs - min(0)) / minuteUs, cell.quantities.known.pq]));
    expect(by).toEqual({ 0: 2, 15: 0, 30: 1, 45: 1 });
    expect(all.reduce((sum, cell) => sum + cell.estimatedPq, 0)).toBe(4);
    const half = cells([0, 60, [[0, running]], [[0, 60, 1.5, "good", estimated]]], [{ ...plan, shifts: [] }]);
    expect(half.map((cell) => cell.quantities.known.pq)).toEqual([0.375, 0.375, 0.375, 0.375]);
  });

  it("a kilogram has no pieces: what is continuous lies evenly, by what holds as the count is complete", () => {
    const of = (fromUs: number, toUs: number) => {
      const counting = {
        fromUs,
        toUs,
        counts: "units" as const,
        quantities: "sum" as const,
        unitsPerCount: 1,
        unit: "kg",
      };
      const all = cells(
        [0, 60, [[0, running]], [[0, 60, 2, "good", estimated]]],
        [{ shifts: [shift("s", 0, 60)], counting: [{ ...counting, continuous: true }] }],
      );
      return [...all].sort((a, b) => a.gridUs - b.gridUs).map((cell) => cell.quantities.known.pq);
    };
    expect(of(min(50), min(60)).slice(0, 3)).toEqual([0.5, 0.5, 0.5]);
    expect(of(min(60), min(90))).toEqual([1, 0, 1, 0]);
  });

  it("a count at the edge belongs to the period that ends there", () => {
    const all = cells(
      [
        0,
        120,
        [
          [0, running],
          [30, standing],
        ],
        [
          [29, 30, 1],
          [119, 120, 1],
          [-1, 0, 9],
        ],
      ],
      [plan],
    );
    expect(all.filter((c) => c.quantities.known.pq > 0).map((c) => (c.gridUs - min(0)) / minuteUs)).toEqual([15, 105]);
  });

  it("micro stops are judged by the whole stop, over breaks, orders and reasons; their planned seconds count", () => {
    // Stands 56–78, across the break 60–75: 22 minutes, of which 7 are planned.
    const f: Parameters<typeof facts> = [
      0,
      120,
      [
        [0, running],
        [56, standing],
        [78, running],
        [100, standing],
        [104, running],
      ],
    ];
    const micro = (microStopUs: number, more = {}) =>
      cells(f, [{ ...plan, ...more }, { microStopUs }]).reduce((sum, cell) => sum + cell.microStopUs, 0) / minuteUs;
    expect(micro(10 * minuteUs)).toBe(4);
    expect(micro(22 * minuteUs)).toBe(4);
    expect(micro(22 * minuteUs + 1)).toBe(11);
    expect(micro(22 * minuteUs, { executions: [order("A", 0, 76), order("B", 76, 120)] })).toBe(4);
    expect(micro(0)).toBe(0);
    // The window sees only its end; the facts see the whole.
    const late = cellsOf(
      { equipment: 7, facts: facts(...f), context: context(plan, { microStopUs: 10 * minuteUs }) },
      window(76, 90),
    );
    expect(late.reduce((sum, cell) => sum + cell.microStopUs, 0)).toBe(0);
  });

  it("an unknown piece cuts a stop", () => {
    const all = cells(
      [
        0,
        60,
        [
          [0, standing],
          [4, unknown],
          [5, standing],
          [9, running],
        ],
      ],
      [plan, { microStopUs: 5 * minuteUs }],
    );
    expect(all.reduce((sum, cell) => sum + cell.microStopUs, 0) / minuteUs).toBe(8);
  });

  it("reasons: booked over the machine's own; a planned one leaves the plan, but not where parts are made", () => {
    const all = cells(
      [
        0,
        60,
        [
          [0, running],
          [10, broken],
          [30, running],
        ],
      ],
      [{ ...plan, reasons: [{ fromUs: min(5), toUs: min(20), reason: 7_400_000 }] }],
    );
    expect(sums(all).minutes).toEqual({ apt: 40, plannedMaintenance: 10, adet: 10 });
    expect(stops(all)).toEqual([
      [7_400_000, "plannedMaintenance", 5, 1],
      [7_400_000, "plannedMaintenance", 5, 0],
      [7_100_000, "adet", 10, 1],
    ]);
  });

  it("a stop counts once for each reason, whatever grid, break, order or window cuts it", () => {
    const f: Parameters<typeof facts> = [
      0,
      120,
      [
        [0, running],
        [10, broken],
        [100, running],
      ],
    ];
    const all = cells(f, [plan]);
    expect(all.flatMap((cell) => cell.stops).reduce((sum, stop) => sum + stop.count, 0)).toBe(1);
    const later = cells(f, [plan], 45, 120);
    expect(later.flatMap((cell) => cell.stops).reduce((sum, stop) => sum + stop.count, 0)).toBe(0);
    expect(later).toEqual(all.filter((cell) => cell.gridUs >= min(45)));
  });

  it("orders at once share time to the last µs and the count by their output", () => {
    const three = ["A", "B", "C"].map((name) => order(name, 0, 60));
    const all = cells(
      [0, 60, [[0, running]], [[0, 10, 9]]],
      [{ ...plan, shifts: [shift("s", 0, 60)], executions: three }],
    );
    expect(sums(all).minutes).toEqual({ apt: 60 });
    for (const name of ["A", "B", "C"]) {
      const own = all.filter((cell) => cell.order === name);
      expect(own.reduce((sum, cell) => sum + cell.timeUs.apt, 0)).toBe(20 * minuteUs);
      expect(sums(own).gq).toBe(3);
    }
    const odd = cellsOf(
      { equipment: 7, facts: facts(0, 60, [[0, running]]), context: context({ executions: three }) },
      { from: min(0), to: min(0) + 100 },
    );
    expect(odd.map((cell) => cell.timeUs.apt)).toEqual([33, 34, 33]);
  });

  it("a family mould: cycles make cavities of each order; a blocked cavity makes none from its date on", () => {
    const executions = [order("A", 0, 60, { cavities: 2 }), order("B", 0, 60, { cavities: 2, material: "N" })];
    const all = cells(
      [0, 60, [[0, running]], Array.from({ length: 60 }, (_, i) => [i, i + 1, 1])],
      [
        {
          shifts: [shift("s", 0, 60)],
          executions,
          counting: [{ ...always, counts: "cycles", quantities: "sum", unitsPerCount: 1, unit: "1" }],
          blockedCavities: [{ fromUs: min(30), toUs: min(60), order: "B", cavities: 1 }],
          idealCycles: [pri(60, "M", 4), pri(60, "N", 4)],
        },
      ],
    );
    const of = (name: string) => sums(all.filter((cell) => cell.order === name));
    expect([of("A").gq, of("B").gq]).toEqual([120, 90]);
    // Ideal time is per cycle: a full hour of cycles with every cavity is an hour.
    const ideal = all.reduce((sum, cell) => sum + cell.quantities.known.pq * cell.priUs!, 0) / minuteUs;
    expect(ideal).toBe(60 - 30 / 4);
  });

  it.each([
    [
      "sum",
      [
        ["good", 8],
        ["scrap", 2],
        ["rework", 1],
      ],
      [11, 8, 2, 1],
    ],
    [
      "totalAndScrap",
      [
        ["total", 10],
        ["scrap", 2],
        ["good", 99],
      ],
      [10, 8, 2, 0],
    ],
    [
      "totalAndGood",
      [
        ["total", 10],
        ["good", 8],
        ["scrap", 99],
        ["rework", 1],
      ],
      [10, 8, 1, 1],
    ],
    // Rejects that come after their parts.
    ["totalAndScrap", [["scrap", 2]], [0, -2, 2, 0]],
  ] as const)("counters that mean %s: %j", (quantities, counts, [pq, gq, sq, rq]) => {
    const all = cells(
      [0, 15, [[0, running]], counts.map(([kind, n]) => [0, 5, n, kind])],
      [
        {
          shifts: [shift("s", 0, 15)],
          counting: [{ ...always, counts: "units", quantities, unitsPerCount: 1, unit: "1" }],
        },
      ],
    );
    expect(all[0].quantities.known).toEqual({ pq, gq, sq, rq });
  });

  it("the ideal cycle at the time of the count, by material, else the equipment's", () => {
    const idealCycles = [{ ...pri(60), toUs: min(20) }, { ...pri(50), fromUs: min(20) }, { ...pri(10, null) }];
    const all = cells(
      [
        0,
        30,
        [[0, running]],
        [
          [0, 5, 1],
          [19, 20, 1],
          [20, 21, 1],
        ],
      ],
      [{ ...plan, idealCycles, executions: [order("A", 0, 25)] }],
    );
    expect(all.map((cell) => [cell.priUs! / 1e6, cell.quantities.known.pq, cell.timeUs.apt / minuteUs]).sort()).toEqual(
      [
        [10, 0, 5],
        [50, 1, 5],
        [60, 1, 15],
        [60, 1, 5],
      ],
    );
  });

  it("only productive time enters KPIs", () => {
    const all = cells(
      [
        0,
        60,
        [[0, running]],
        [
          [0, 10, 1],
          [0, 40, 1],
        ],
      ],
      [{ ...plan, lifecycle: [{ fromUs: min(0), toUs: min(30), state: "commissioning" }] }],
    );
    expect(sums(all)).toMatchObject({ minutes: { apt: 30, notPlanned: 30 }, pq: { known: 1, outside: 1 } });
  });

  it("a policy that changes cuts cells, not sums; time without an order leaves with its counts", () => {
    const policies = [
      { ...always, toUs: min(30), policy: defaultOeePolicy },
      { ...always, fromUs: min(30), policy: { ...defaultOeePolicy, version: "2", noOrder: "notBusy" as const } },
    ];
    const all = cells(
      [
        0,
        60,
        [[0, idle]],
        [
          [0, 20, 1],
          [30, 40, 1],
        ],
      ],
      [{ shifts: [shift("s", 0, 60)], policies }],
    );
    expect(sums(all)).toMatchObject({ minutes: { adot: 60 }, pq: { known: 1, outside: 1 } });
    expect(new Set(all.map((cell) => cell.policy))).toEqual(new Set(["default-1", "2"]));
  });

  it("without any facts planned time is unknown, not stopped", () => {
    expect(sums(cells([0, 120, []], [plan])).minutes).toEqual({ unknown: 105, break: 15 });
  });

  it("outside of shifts the production day is the date of the site", () => {
    const all = cellsOf(
      { equipment: 7, facts: facts(1000, 1440, []), context: context({ timeZone: "Asia/Kathmandu" }) },
      window(1080, 1110),
    );
    expect(all.map((cell) => cell.productionDay)).toEqual(["2026-11-26", "2026-11-27"]);
  });
});

describe("a machine that tells its material and has no order", () => {
  it("has cells of their own for each, also where neither has an ideal cycle", () => {
    const f = facts(
      0,
      10,
      [[0, running]],
      [0, 2, 4, 6, 8].map((at) => [at, at + 1, 1]),
    );
    const materials = [
      { material: "M", unit: "1", fromUs: min(0), toUs: min(5) },
      { material: "N", unit: "kg", fromUs: min(5), toUs: min(10) },
    ];
    const input = { equipment: 7, facts: f, context: context({ shifts: [shift("s", 0, 120)], materials }) };
    const made = cellsOf(input, window(0, 10)).map((cell) => [cell.material, cell.unit, sums([cell]).pq]);
    expect(made).toEqual([
      ["M", "1", { known: 3 }],
      ["N", "kg", { known: 2 }],
    ]);
  });
});

describe("set-up", () => {
  it("booked, it makes AUST of any state in planned time, unknown included", () => {
    const setUps = [{ fromUs: min(50), toUs: min(130), order: null, by: "booked" as const }];
    const all = cells(
      [
        0,
        150,
        [
          [0, running],
          [80, unknown],
          [90, standing],
        ],
      ],
      [{ ...plan, setUps }],
    );
    expect(sums(all).minutes).toEqual({ apt: 50 + 15, aust: 10 + 45, notPlanned: 30 });
  });
});

describe("late scrap", () => {
  const f = facts(
    0,
    120,
    [
      [0, running],
      [30, standing],
      [40, running],
      [50, stateCode("NotExecuting", "None")],
    ],
    [[0, 10, 20]],
  );
  const executions = [order("A", 0, 60), order("B", 60, 120)];
  const booking = { order: "A", operation: "10", quantity: 3, bookedUs: min(100) };

  it("goes to the time of production if that is known, else to the order's last producing interval, marked", () => {
    const { placed, unplaced } = placeLateScrap(scrapSourcesOf(f), executions, [
      { ...booking, madeUs: { fromUs: min(5), toUs: min(5) } },
      { ...booking, madeUs: null },
      { ...booking, order: "B", madeUs: null },
    ]);
    expect(placed.map(({ fromUs, toUs, assigned }) => [fromUs, toUs, assigned])).toEqual([
      [min(5), min(5), false],
      [min(40), min(50), true],
    ]);
    expect(unplaced.map(({ order: name }) => name)).toEqual(["B"]);
    const all = cellsOf(
      { equipment: 7, facts: f, context: context({ ...plan, executions, lateScrap: placed }) },
      window(0, 120),
    );
    const at = Object.fromEntries(all.map((cell) => [(cell.gridUs - min(0)) / minuteUs, cell]));
    expect(at[0].quantities.known).toEqual({ pq: 20, gq: 17, sq: 3, rq: 0 });
    // Rejects come after their parts: less than nothing was good in that quarter, and it says so.
    const later = [at[30], at[45]].map((cell) => [cell.quantities.known.gq, cell.assignedSq]);
    expect(later).toEqual([
      [-2, 2],
      [-1, 1],
    ]);
  });
});
