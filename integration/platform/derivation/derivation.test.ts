import { describe, expect, it } from "vitest";
import * as engine from "./index.ts";
import { campaign, finality } from "./test/campaign.ts";
import { fixedChecks } from "./test/checks.ts";

const long = process.env.LINESHAFT_LONG === "1";
const seeds = long ? 20_000 : 25;

/** The first seed that fails, with what is wrong; a seed replays. */
function failing(check: (of: typeof engine, seed: number) => string | null, from: number): string | null {
  for (let seed = from; seed < from + seeds; seed++) {
    const wrong = check(engine, seed);
    if (wrong !== null) return `seed ${seed}: ${wrong}`;
  }
  return null;
}

describe("derivation", () => {
  it("comes to the same facts in any order of arrival, after any edit, and they are what the rules say", () => {
    expect(failing(campaign, 1)).toBeNull();
  });

  it("changes nothing that was final while everything comes in its order", () => {
    expect(failing(finality, 1)).toBeNull();
  });

  it("forgets what no longer matters, holds for proofs of life, and remembers what was known of gaps", () => {
    expect(fixedChecks(engine)).toBeNull();
  });
});
