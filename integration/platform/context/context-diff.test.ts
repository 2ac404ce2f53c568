import {
  type Cell,
  defaultOeePolicy,
  type EquipmentContext,
  type MachineFacts,
  minuteUs,
} from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellsOf } from "./cells.ts";
import { contextDifference, dirtyWindows } from "./context-diff.ts";
import { randomContext, randomFacts, spanMinutes } from "./random.fixture.ts";
import { always, context, day0, estimated, facts, min, order, running, shift, standing } from "./testing.ts";

const whole = { from: day0, to: min(spanMinutes) };
const byKey = (cells: Cell[]) => cells.map((cell) => JSON.stringify(cell)).sort();

/** Cells anew where it is dirty, the old ones elsewhere; and all from scratch. */
function both(of: MachineFacts, old: EquipmentContext, next: EquipmentContext): [string[], string[], number] {
  const cells = (under: EquipmentContext, window = whole) =>
    cellsOf({ equipment: 7, facts: of, context: under }, window);
  const windows = dirtyWindows(contextDifference(old, next), of);
  const kept = cells(old).filter((cell) => !windows.some(({ from, to }) => cell.gridUs >= from && cell.gridUs < to));
  const anew = windows.flatMap((window) => cells(next, window));
  const dirty = windows.reduce((sum, { from, to }) => sum + to - from, 0) / minuteUs;
  return [byKey([...kept, ...anew]), byKey(cells(next)), dirty];
}

describe("an isolated change of context", () => {
  const dimensions = [
    "shifts",
    "executions",
    "reasons",
    "setUps",
    "idealCycles",
    "counting",
    "blockedCavities",
    "lifecycle",
  ] as const;
  const edit = fc.record({
    dimension: fc.constantFrom(...dimensions),
    index: fc.nat(3),
    action: fc.constantFrom("remove" as const, "earlier" as const, "later" as const, "longer" as const),
    minutes: fc.integer({ min: 1, max: 10 }),
  });

  function edited(
    of: EquipmentContext,
    {
      dimension,
      index,
      action,
      minutes,
    }: { dimension: (typeof dimensions)[number]; index: number; action: string; minutes: number },
  ): EquipmentContext {
    const items = of[dimension] as { fromUs: number; toUs: number }[];
    const by = minutes * minuteUs;
    const changed = items.flatMap((item, i) => {
      if (i !== index % Math.max(items.length, 1)) return [item];
      if (action === "remove") return [];
      if (action === "longer") return [{ ...item, toUs: item.toUs + by }];
      const shiftBy = action === "later" ? by : -by;
      return [{ ...item, fromUs: item.fromUs + shiftBy, toUs: item.toUs + shiftBy }];
    });
    return { ...of, [dimension]: changed };
  }

  it("makes dirty what it changes, and little more", () => {
    fc.assert(
      fc.property(randomFacts, randomContext, edit, (of, base, change) => {
        const [mixed, scratch, dirty] = both(of, base, edited(base, change));
        expect(mixed).toEqual(scratch);
        expect(dirty).toBeLessThanOrEqual(spanMinutes);
      }),
      { seed: 17, numRuns: process.env.LINESHAFT_LONG === "1" ? 10_000 : 100 },
    );
  });

  const plan = { shifts: [shift("s", 0, 90)], executions: [order("A", 0, 90)] };

  it("of a reason reaches to the end of its stop: the reason may count later in it now", () => {
    const of = facts(0, 90, [
      [0, standing],
      [75, running],
    ]);
    const reason = (from: number, to: number, number: number) => ({ fromUs: min(from), toUs: min(to), reason: number });
    const rest = [reason(20, 40, 4_100_000), reason(40, 60, 7_100_000)];
    const [mixed, scratch, dirty] = both(
      of,
      context({ ...plan, reasons: [reason(0, 20, 7_100_000), ...rest] }),
      context({ ...plan, reasons: [reason(0, 20, 4_200_000), ...rest] }),
    );
    expect(mixed).toEqual(scratch);
    expect(dirty).toBe(75);
  });

  it("of a micro-stop threshold reaches beyond the policy's end: a stop is judged where it began", () => {
    const of = facts(0, 90, [
      [0, running],
      [29, standing],
      [47, running],
    ]);
    const policies = (microStopUs: number) => [
      { ...always, toUs: min(30), policy: { ...defaultOeePolicy, microStopUs } },
      { ...always, fromUs: min(30), policy: { ...defaultOeePolicy, version: "2" } },
    ];
    const [mixed, scratch] = both(
      of,
      context({ ...plan, policies: policies(20 * minuteUs) }),
      context({ ...plan, policies: policies(0) }),
    );
    expect(mixed).toEqual(scratch);
  });

  it("of late scrap at the edge of a cell belongs to the cell that ends there", () => {
    const of = facts(0, 90, [[0, running]], [[0, 10, 50]]);
    const late = (at: number) => [
      { fromUs: min(at), toUs: min(at), order: "A", operation: "10", quantity: 1, assigned: false },
    ];
    const [mixed, scratch, dirty] = both(
      of,
      context({ ...plan, lateScrap: late(30) }),
      context({ ...plan, lateScrap: late(60) }),
    );
    expect(mixed).toEqual(scratch);
    expect(dirty).toBeLessThanOrEqual(60);
  });

  it("of what counters mean reaches back over the estimated counts that it decides", () => {
    const of = facts(0, 90, [[0, running]], [[0, 60, 4, "good", estimated]]);
    const counting = (from: number, to: number) => [
      {
        fromUs: min(from),
        toUs: min(to),
        counts: "units" as const,
        quantities: "sum" as const,
        unitsPerCount: 1,
        unit: "kg",
        continuous: true,
      },
    ];
    const [mixed, scratch, dirty] = both(of, context(plan), context({ ...plan, counting: counting(55, 70) }));
    expect(mixed).toEqual(scratch);
    expect(dirty).toBe(75);
  });

  it("of what a reason means reaches everywhere; of its name nowhere", () => {
    const base = context(plan);
    const renamed = base.reasonTree.map((reason) => ({ ...reason, name: { en: "x", de: "y" } }));
    expect(contextDifference(base, { ...base, reasonTree: renamed })).toEqual([]);
    const planned = base.reasonTree.map((reason) => ({ ...reason, planned: "break" as const }));
    expect(contextDifference(base, { ...base, reasonTree: planned })).toEqual([{ from: -Infinity, to: Infinity }]);
    expect(contextDifference(base, { ...base, shifts: [shift("s", 0, 80)] }, "shifts")).toEqual([
      { from: min(80), to: min(90) },
    ]);
    expect(contextDifference(base, { ...base, shifts: [shift("s", 0, 80)] }, "idealCycles")).toEqual([]);
  });
});
