import { minuteUs, type OrderExecution } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { type LineTopology, lineCells } from "./line.ts";
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
  unknown,
} from "./testing.ts";

const [filler, labeller, packer, line] = [1, 2, 3, 10];
const window = { from: min(0), to: min(120) };
const topology: LineTopology = {
  ...always,
  constraint: filler,
  constraintOf: {},
  output: packer,
  // The packer counts crates of twenty bottles; the line's unit is the bottle.
  unitsPerCount: { [filler]: 1, [labeller]: 1, [packer]: 20 },
};
const members = new Map([
  [
    filler,
    {
      facts: facts(
        0,
        120,
        [
          [0, running],
          [30, standing],
          [45, running],
        ],
        [
          [0, 10, 500],
          [9, 10, 7, "scrap"],
        ],
      ),
      context: context({ idealCycles: [pri(2)] }),
    },
  ],
  [
    labeller,
    {
      facts: facts(
        0,
        120,
        [
          [0, running],
          [90, standing],
        ],
        [
          [50, 51, 3, "scrap"],
          [50, 52, 2, "rework"],
        ],
      ),
      context: context({ idealCycles: [pri(3)] }),
    },
  ],
  [
    packer,
    {
      facts: facts(
        0,
        120,
        [[0, standing]],
        [
          [0, 20, 10],
          [59, 60, 1, "scrap"],
        ],
      ),
      context: context({ idealCycles: [pri(99)] }),
    },
  ],
]);
const lineContext = (executions: OrderExecution[]) => context({ shifts: [shift("s", 0, 120)], executions });
const cells = (topologies: LineTopology[], executions = [order("A", 0, 120)], of = members) =>
  lineCells({ equipment: line, topology: topologies, context: lineContext(executions), members: of }, window);

describe("a line", () => {
  it("has the time and the ideal cycle of its constraint, its own output, and all rejects along it, in its unit", () => {
    const all = cells([topology]);
    const { minutes, pq, gq, sq } = sums(all);
    expect(minutes).toEqual({ apt: 105, adet: 15 });
    expect({ pq, gq, sq }).toEqual({ pq: { known: 200 + 20 + 7 + 3 + 2 }, gq: 200, sq: 20 + 7 + 3 });
    expect(new Set(all.map((cell) => cell.priUs))).toEqual(new Set([2e6]));
    expect(new Set(all.map((cell) => cell.equipment))).toEqual(new Set([line]));
  });

  it("changes its constraint with time", () => {
    const changed = cells([
      { ...topology, toUs: min(40) },
      { ...topology, fromUs: min(40), constraint: labeller },
    ]);
    expect(sums(changed).minutes).toEqual({ apt: 30 + 50, adet: 10 + 30 });
    const pris = changed.map((cell) => [(cell.gridUs - min(0)) / minuteUs, cell.priUs! / 1e6]);
    expect(new Map(pris as [number, number][]).get(45)).toBe(3);
    expect(pris.filter(([grid]) => grid === 30)).toEqual([
      [30, 2],
      [30, 3],
    ]);
  });

  it("changes its constraint with the material", () => {
    const executions = [order("A", 0, 60), order("B", 60, 120, { material: "N" })];
    const all = cells([{ ...topology, constraintOf: { N: labeller } }], executions);
    expect(sums(all.filter((cell) => cell.order === "A")).minutes).toEqual({ apt: 45, adet: 15 });
    expect(sums(all.filter((cell) => cell.order === "B")).minutes).toEqual({ apt: 30, adet: 30 });
  });

  it("of orders that run at once the one that began first says by its material what limits it, in whatever order they were booked", () => {
    const [a, b] = [order("B", 0, 60), order("A", 20, 120, { material: "N" })];
    const of = { ...topology, constraintOf: { N: labeller } };
    // The filler stands from 30 to 45, the labeller from 90.
    const [first, second] = [cells([of], [a, b]), cells([of], [b, a])];
    expect(sums(first).minutes).toEqual({ apt: 45 + 30, adet: 15 + 30 });
    expect(second).toEqual(first);
    // Of those that began together the number says it.
    const together = [order("B", 0, 120), order("A", 0, 120, { material: "N" })];
    expect(sums(cells([of], together)).minutes).toEqual({ apt: 90, adet: 30 });
    expect(cells([of], together.toReversed())).toEqual(cells([of], together));
  });

  it("what was counted while its constraint was unknown is known to the order only", () => {
    const blind = new Map(members).set(filler, {
      facts: facts(0, 120, [
        [0, running],
        [15, unknown],
        [30, running],
      ]),
      context: context({ idealCycles: [pri(2)] }),
    });
    expect(sums(cells([topology], undefined, blind)).pq).toEqual({ unknown: 200, known: 20 + 5 });
  });

  it("is unknown while its output is, unless a counter went on over that time", () => {
    const unseen = (counts: Count[]) =>
      new Map(members).set(packer, {
        facts: facts(
          0,
          120,
          [
            [0, running],
            [20, unknown],
            [60, running],
          ],
          counts,
        ),
        context: context(),
      });
    const lost = sums(cells([topology], undefined, unseen([[0, 10, 10]])));
    expect(lost.minutes).toEqual({ apt: 20 + 60, unknown: 40 });
    expect(lost.pq).toEqual({ known: 200 + 7, unknown: 3 + 2 });
    const bridged = sums(cells([topology], undefined, unseen([[18, 62, 10, "good", estimated]])));
    expect(bridged.minutes).toEqual({ apt: 105, adet: 15 });
  });

  it("estimated counts are spread over the running time of the machine that counted them", () => {
    const spread = new Map(members).set(packer, {
      facts: facts(
        0,
        120,
        [
          [0, standing],
          [60, running],
        ],
        [[0, 120, 4, "good", estimated]],
      ),
      context: context(),
    });
    const output = cells([topology], undefined, spread).filter((cell) => cell.quantities.known.gq > 0);
    expect(output.map((cell) => [(cell.gridUs - min(0)) / minuteUs, cell.quantities.known.gq])).toEqual([
      [60, 20],
      [75, 20],
      [90, 20],
      [105, 20],
    ]);
  });
});
