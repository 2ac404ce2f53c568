import type { OeePolicy, OrderExecution } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { cellsOf } from "./cells.ts";
import { setUpsFromOrderChange } from "./set-up.ts";
import {
  always,
  type Count,
  context,
  estimated,
  facts,
  min,
  order,
  pri,
  running,
  shift,
  standing,
  sums,
} from "./testing.ts";

describe("set-up from the order change", () => {
  const policy = { setUp: "firstGoodPart", setUpParts: 2 } as const;
  const plan = { shifts: [shift("s", 0, 480)], idealCycles: [pri(60)] };
  const f = facts(
    0,
    120,
    [
      [0, standing],
      [30, running],
    ],
    [
      [30, 35, 1, "scrap"],
      [35, 36, 1],
      [36, 40, 1],
      [80, 82, 5],
    ],
  );
  const executions = [order("A", 0, 60), order("A", 65, 80), order("B", 80, 120)];

  it("runs to the n-th good part; a pause without an order is no change", () => {
    const setUps = setUpsFromOrderChange(f, context({ executions }, policy));
    expect(setUps).toEqual([
      { fromUs: min(0), toUs: min(40), order: "A", by: "orderChange" },
      { fromUs: min(80), toUs: min(82), order: "B", by: "orderChange" },
    ]);
    const all = cellsOf(
      { equipment: 7, facts: f, context: context({ ...plan, executions, setUps }, policy) },
      { from: min(0), to: min(120) },
    );
    expect(sums(all)).toMatchObject({ minutes: { aust: 42, apt: 78 }, pq: { setUp: 8 } });
  });

  it("is one where another order ran last before a pause, though it had run before that", () => {
    const taken = [order("A", 0, 20), order("B", 20, 40), order("A", 60, 120)];
    const made = facts(
      0,
      120,
      [[0, running]],
      [
        [0, 5, 2],
        [20, 25, 2],
        [60, 65, 2],
      ],
    );
    const starts = (executions: OrderExecution[]) =>
      setUpsFromOrderChange(made, context({ executions }, policy)).map(({ fromUs }) => (fromUs - min(0)) / 60e6);
    expect(starts(taken)).toEqual([0, 20, 60]);
    expect(starts(taken.filter(({ order: id }) => id === "A"))).toEqual([0]);
  });

  it("lasts until the end of what is known while the part has not come", () => {
    const open = setUpsFromOrderChange(facts(0, 30, [[0, standing]]), context({ executions }, policy));
    expect(open).toEqual([{ fromUs: min(0), toUs: min(30), order: "A", by: "orderChange" }]);
    expect(setUpsFromOrderChange(f, context({ executions }))).toEqual([]);
  });

  /** When the set-up of the one order, or of the first, ends. */
  function endsAt(
    counts: Count[],
    of: Partial<OeePolicy> = {},
    more: Parameters<typeof context>[0] = {},
    orders: OrderExecution[] = [order("A", 0, 120)],
  ): number | undefined {
    const made = facts(0, 120, [[0, running]], counts);
    const [setUp] = setUpsFromOrderChange(made, context({ executions: orders, ...more }, { ...policy, ...of }));
    return setUp && (setUp.toUs - min(0)) / 60e6;
  }
  const counting = (quantities: "sum" | "totalAndScrap", more: object = {}) => ({
    counting: [
      { ...always, counts: "units" as const, quantities, unitsPerCount: 1, continuous: false, unit: "1", ...more },
    ],
  });

  it.each<[string, ReturnType<typeof endsAt>, number]>([
    ["sampled: at the place of the part", endsAt([[0, 40, 4, "good", estimated]]), 15],
    [
      "sampled: where the order ends before its part is told, too",
      endsAt([[0, 40, 4, "good", estimated]], {}, {}, [order("A", 0, 16)]),
      15,
    ],
    [
      "total less scrap: a part that is taken back at its instant is none",
      endsAt(
        [
          [0, 10, 2, "total", estimated],
          [0, 10, 2, "scrap", estimated],
          [20, 30, 2, "total", estimated],
        ],
        { setUpParts: 1 },
        counting("totalAndScrap"),
      ),
      22.5,
    ],
    [
      "total less scrap: the first of the instants at which there were so many, though one is taken back later",
      endsAt(
        [
          [0, 20, 2, "total", estimated],
          [0, 20, 1, "scrap", estimated],
          [30, 40, 1, "total", estimated],
        ],
        { setUpParts: 1 },
        counting("totalAndScrap"),
      ),
      5,
    ],
    [
      "kilograms: as soon as there are so many, over the running time",
      endsAt([[0, 40, 8, "good", estimated]], { setUpParts: 3 }, counting("sum", { continuous: true })),
      15,
    ],
    [
      "of orders that share their parts, when the shares make so many",
      endsAt(
        [0, 1, 2, 3, 4].map((i) => [i, i + 1, 1]),
        {},
        {},
        [order("A", 0, 120), order("B", 0, 120)],
      ),
      4,
    ],
    [
      "of a mould, by its parts and not by its cycles; a blocked cavity makes none",
      endsAt(
        [0, 10, 20, 30].map((i) => [i, i + 10, 1]),
        { setUpParts: 5 },
        {
          ...counting("sum", { counts: "cycles" }),
          blockedCavities: [{ order: "A", cavities: 1, fromUs: min(15), toUs: min(60) }],
        },
        [order("A", 0, 120, { cavities: 2 })],
      ),
      40,
    ],
  ])("%s", (_, found, expected) => {
    expect(found).toBe(expected);
  });
});
