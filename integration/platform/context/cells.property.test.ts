import {
  type Cell,
  type EquipmentContext,
  gridUs,
  type MachineFacts,
  minuteUs,
  quantityPlaces,
  secondUs,
  timeClasses,
} from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellsOf } from "./cells.ts";
import { contextDifference, dirtyResults, dirtyWindows } from "./context-diff.ts";
import { difference, oracle, said } from "./oracle.fixture.ts";
import { randomContext, randomFacts, spanMinutes, withSetUps } from "./random.fixture.ts";
import { setUpsFromOrderChange } from "./set-up.ts";
import { day0, min } from "./testing.ts";

/** More by `npm run test:long`: a fault in a thousandth of all plants is a fault. */
const numRuns = (few: number): number => (process.env.LINESHAFT_LONG === "1" ? few * 100 : few);

const equipment = 7;
const whole = { from: day0, to: min(spanMinutes) };
const ready = (facts: MachineFacts, context: EquipmentContext): EquipmentContext => ({
  ...context,
  setUps: [...context.setUps, ...setUpsFromOrderChange(facts, context)],
});
const cellsIn = (facts: MachineFacts, context: EquipmentContext, window = whole) =>
  cellsOf({ equipment, facts, context }, window);

describe("cells against an oracle that looks at every second", { timeout: 120_000 }, () => {
  it("agree in every class, quantity and ideal time, by grid, shift and order", () => {
    fc.assert(
      fc.property(randomFacts, randomContext, (facts, raw) => {
        const context = withSetUps(facts, raw);
        expect(difference(said(cellsIn(facts, context)), oracle(facts, context, whole.from, whole.to))).toBeNull();
      }),
      { seed: 1, numRuns: 10 },
    );
  });
});

describe("properties of cells", () => {
  const sumOf = (cells: readonly Cell[]) =>
    timeClasses.map((name) => cells.reduce((sum, cell) => sum + cell.timeUs[name], 0));

  it("time classes partition the calendar, to the µs", () => {
    fc.assert(
      fc.property(randomFacts, randomContext, fc.nat(gridUs), fc.nat(gridUs), (facts, raw, a, b) => {
        const window = { from: day0 + a, to: min(spanMinutes) - b };
        const cells = cellsIn(facts, ready(facts, raw), window);
        expect(sumOf(cells).reduce((sum, us) => sum + us, 0)).toBe(window.to - window.from);
        for (const cell of cells) {
          const unplanned = cell.stops.filter(({ timeClass }) => timeClass === "adet");
          expect(unplanned.reduce((sum, { us }) => sum + us, 0)).toBe(cell.timeUs.adet);
          expect(cell.microStopUs).toBe(unplanned.filter(({ micro }) => micro).reduce((sum, { us }) => sum + us, 0));
        }
      }),
      { seed: 5, numRuns: numRuns(40) },
    );
  });

  it("a window cut at grid lines has the cells of the whole", () => {
    fc.assert(
      fc.property(randomFacts, randomContext, fc.integer({ min: 1, max: spanMinutes / 15 - 1 }), (facts, raw, grid) => {
        const context = ready(facts, raw);
        const cut = day0 + grid * gridUs;
        const parts = [
          ...cellsIn(facts, context, { from: whole.from, to: cut }),
          ...cellsIn(facts, context, { from: cut, to: whole.to }),
        ];
        expect(parts).toEqual(cellsIn(facts, context));
      }),
      { seed: 6, numRuns: numRuns(60) },
    );
  });
});

describe("what a change of context makes dirty", () => {
  const edit = fc.tuple(
    randomContext,
    fc.constantFrom<(keyof EquipmentContext)[]>(
      ["shifts"],
      ["executions"],
      ["reasons"],
      ["setUps"],
      ["idealCycles"],
      ["counting"],
      ["blockedCavities"],
      ["policies"],
      ["lifecycle"],
      ["shifts", "executions", "policies"],
    ),
  );

  it("cells anew in the dirty windows and the old ones elsewhere are the cells from scratch", () => {
    fc.assert(
      fc.property(randomFacts, randomContext, edit, (facts, raw, [other, keys]) => {
        const changed = { ...raw, ...Object.fromEntries(keys.map((key) => [key, other[key]])) } as EquipmentContext;
        const [old, next] = [ready(facts, raw), ready(facts, changed)];
        const before = cellsIn(facts, old);
        const windows = dirtyWindows(contextDifference(old, next), facts);
        const inside = (cell: Cell) => windows.some(({ from, to }) => cell.gridUs >= from && cell.gridUs < to);
        const anew = windows.flatMap((window) => cellsIn(facts, next, window));
        const all = [...before.filter((cell) => !inside(cell)), ...anew];
        const fromScratch = cellsIn(facts, next);
        const byKey = (cells: Cell[]) => cells.map((cell) => JSON.stringify(cell)).sort();
        expect(byKey(all)).toEqual(byKey(fromScratch));
      }),
      { seed: 8, numRuns: numRuns(60) },
    );
  });

  it("nothing changed, nothing dirty", () => {
    fc.assert(
      fc.property(randomFacts, randomContext, (facts, context) => {
        expect(contextDifference(context, structuredClone(context))).toEqual([]);
        expect(dirtyResults(cellsIn(facts, context), cellsIn(facts, context), () => [1])).toEqual([]);
      }),
      { seed: 9, numRuns: numRuns(10) },
    );
  });

  it("results are dirty under their old and their new keys, and so is all above", () => {
    const [facts] = fc.sample(randomFacts, { seed: 3, numRuns: 1 });
    const [base] = fc.sample(randomContext, { seed: 3, numRuns: 1 });
    const run = (name: string) => ({
      ...base,
      executions: [
        { fromUs: day0, toUs: day0 + 20 * minuteUs, order: name, operation: "10", material: "M", unit: "1", share: 1 },
      ],
    });
    const keys = dirtyResults(cellsIn(facts, run("A")), cellsIn(facts, run("B")), () => [2, 1]);
    const orders = keys.filter(({ kind }) => kind === "order").map(({ equipment: of, of: name }) => `${of} ${name}`);
    expect(orders.sort()).toEqual(["1 A", "1 B", "2 A", "2 B", "7 A", "7 B"]);
    expect(keys.some(({ kind, equipment: of }) => kind === "productionDay" && of === 1)).toBe(true);
  });
});

describe("set-up that runs from the order change", () => {
  it("ends with the n-th good unit, wherever counts are spread", () => {
    fc.assert(
      fc.property(randomFacts, fc.integer({ min: 1, max: 5 }), fc.nat(60), (facts, parts, start) => {
        const [base] = fc.sample(randomContext, { seed: 4, numRuns: 1 });
        const policy = { ...base.policies[0].policy, setUp: "firstGoodPart" as const, setUpParts: parts };
        const fromUs = day0 + start * minuteUs;
        const context: EquipmentContext = {
          ...base,
          shifts: [
            {
              id: "s",
              calendar: "c",
              name: "s",
              crew: null,
              productionDay: "2026-11-26",
              fromUs: day0,
              toUs: whole.to,
              breaks: [],
              resolved: [],
            },
          ],
          executions: [{ fromUs, toUs: whole.to, order: "A", operation: null, material: null, unit: "1", share: 1 }],
          setUps: [],
          counting: [],
          lifecycle: [],
          policies: [{ fromUs: day0 - secondUs, toUs: whole.to, policy }],
        };
        const [setUp] = setUpsFromOrderChange(facts, context);
        // The least range that holds enough good units, tried second by second.
        const goodUntil = (us: number) =>
          us <= fromUs
            ? 0
            : cellsIn(facts, context, { from: fromUs, to: us }).reduce(
                (sum, cell) => sum + quantityPlaces.reduce((s, place) => s + cell.quantities[place].gq, 0),
                0,
              );
        const end = setUp?.toUs ?? whole.to;
        if (end < whole.to) expect(goodUntil(end)).toBeGreaterThanOrEqual(parts - 1e-6);
        expect(goodUntil(end - 1)).toBeLessThan(parts);
      }),
      { seed: 10, numRuns: numRuns(40) },
    );
  });
});
