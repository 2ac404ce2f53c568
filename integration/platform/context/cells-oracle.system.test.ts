import type { EquipmentContext, MachineFacts } from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellsOf } from "./cells.ts";
import { difference, type OracleRule, oracle, oracleRules, said } from "./oracle.fixture.ts";
import { randomContext, randomFacts, spanMinutes, withSetUps } from "./random.fixture.ts";
import { day0, min } from "./testing.ts";

const window = { from: day0, to: min(spanMinutes) };
const answer = (facts: MachineFacts, context: EquipmentContext) =>
  said(cellsOf({ equipment: 7, facts, context }, window));
/** More by `npm run test:long`: a fault in a thousandth of all plants is a fault. */
const numRuns = process.env.LINESHAFT_LONG === "1" ? 5000 : 200;
const timeout = numRuns * 1500;

describe("cells against an oracle that looks at every second", { timeout }, () => {
  it("agree in every class, quantity and ideal time, by grid, shift and order", () => {
    fc.assert(
      fc.property(randomFacts, randomContext, (facts, raw) => {
        const context = withSetUps(facts, raw);
        expect(difference(answer(facts, context), oracle(facts, context, window.from, window.to))).toBeNull();
      }),
      { seed: 2026, numRuns },
    );
  });

  const samples = fc.sample(fc.tuple(randomFacts, randomContext), { seed: 11, numRuns: 40 });
  const answers = samples.map(([facts, context]) => answer(facts, context));
  it.each(oracleRules)("without the rule of %s they would not", (off: OracleRule) => {
    const differs = samples.some(
      ([facts, context], i) => difference(answers[i], oracle(facts, context, window.from, window.to, off)) !== null,
    );
    expect(differs).toBe(true);
  });
});
