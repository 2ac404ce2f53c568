import { afterAll, describe, expect, it } from "vitest";
import * as engine from "./index.ts";
import { faultOf } from "./test/checks.ts";
import { Garden, mutants } from "./test/mutants.ts";

/** With one rule off, so many plants must be enough to see it. */
const seedsMax = 400;
const garden = new Garden();
afterAll(() => garden.remove());

describe("the campaign", () => {
  it("is green for the engine as it is", () => {
    for (let seed = 1000; seed < 1100; seed++) expect(faultOf(engine, seed), `seed ${seed}`).toBeNull();
  }, 120_000);

  it.each(mutants.map((mutant) => [mutant.rule, mutant] as const))(
    "goes red without: %s",
    (_, mutant) => {
      const broken = garden.plant(mutant);
      let seed = 1;
      while (seed <= seedsMax && faultOf(broken, seed) === null) seed++;
      expect(seed, "no seed shows it").toBeLessThanOrEqual(seedsMax);
    },
    120_000,
  );
});
