import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Meaning, nowUs, OneMachine, secondUs } from "./follower.fixture.ts";
import type { FactsFollower } from "./follower.ts";
import type { CyclesOfMachines } from "./follower-parts.ts";

const pulse: Meaning = {
  ...{ property: "good", kind: "pulse", counts: "good" },
  mapping: { pulse: { stopAfterCycles: 3, idealCycleMs: 20_000 } },
};
const program: Meaning = { property: "program", kind: "identifier", mapping: {} };

/** Whose cycles are those of what it tells: a piece of `slow` takes 100 s. */
function told(of: () => FactsFollower): CyclesOfMachines {
  return {
    idealCycles: (id) => {
      const moves = of().identifiers(id, 0, nowUs + 10_000 * secondUs);
      return { from: moves.map(({ t }) => t), us: moves.map(({ value }) => (value === "slow" ? 100 * secondUs : 0)) };
    },
    changed: () => [],
    microStopUs: 0,
  };
}

/** Nothing earlier is expected any more than now. */
const alive = { aliveUs: () => nowUs };

async function both(points: readonly (readonly [tag: number, second: number, value: number | string])[]) {
  let live: FactsFollower | null = null;
  const machine = new OneMachine([pulse, program], { ...alive, machines: told(() => live as FactsFollower) });
  live = machine.facts;
  await live.begin(0);
  for (const [tag, second, value] of points) await machine.point(tag, second, value);
  let fresh: FactsFollower | null = null;
  fresh = machine.again({ ...alive, machines: told(() => fresh as FactsFollower) });
  await fresh.begin(1_000_000);
  for (const facts of [live, fresh]) facts.tick();
  return { live: machine.states(-1000, 0, live), fresh: machine.states(-1000, 0, fresh) };
}

describe("a machine that tells what it makes and whose stops are told by an ideal cycle", () => {
  it("has its stops told by the cycle of what it tells, also where that comes late", async () => {
    const pulses = [-900, -880, -700, -500].map((second) => [1, second, 1] as const);
    const { live } = await both([...pulses, [2, -890, "slow"], [2, -690, "fast"]]);
    // After the pulses at −880 and −700, which are of the slow one, 300 s may pass.
    expect(live.filter(([second]) => second < -500)).toEqual([
      [-1000, expect.any(Number)],
      [-900, 4],
    ]);
  });

  it("whatever comes in which order: the same as if all had been known from the start", async () => {
    const point = fc.oneof(
      fc.tuple(fc.constant(1), fc.integer({ min: -95, max: -5 }), fc.constant<number | string>(1)),
      fc.tuple(fc.constant(2), fc.integer({ min: -95, max: -5 }), fc.constantFrom<number | string>("slow", "fast", "")),
    );
    const points = fc.uniqueArray(point, { minLength: 2, maxLength: 25, selector: ([tag, at]) => `${tag} ${at}` });
    await fc.assert(
      fc.asyncProperty(points, async (some) => {
        const { live, fresh } = await both(some.map(([tag, at, value]) => [tag, 10 * at, value] as const));
        expect(live).toEqual(fresh);
        const { live: inOrder } = await both(
          [...some].sort((a, b) => a[1] - b[1]).map(([tag, at, value]) => [tag, 10 * at, value] as const),
        );
        expect(live).toEqual(inOrder);
      }),
      { seed: 3, numRuns: 60 },
    );
  });
});
