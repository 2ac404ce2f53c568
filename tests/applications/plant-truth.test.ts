import { describe, expect, it } from "vitest";
import { truthCampaign } from "./truth/campaign.ts";
import { type MenuFault, menu } from "./truth/faults.ts";

const all = Object.keys(menu) as MenuFault[];
const long = process.env.LINESHAFT_LONG === "1";
const seeds = long ? 5_000 : 200;

describe("eight plant-hours of eight machines come out true", { timeout: 6 * 3_600_000 }, () => {
  it("where nothing goes wrong", () => {
    for (let seed = 1; seed <= 1; seed++)
      expect(
        truthCampaign(seed, () => []),
        `seed ${seed}`,
      ).toBeNull();
  });

  it.each(all)("%s", (fault) => {
    for (let seed = 1; seed <= 1; seed++)
      expect(
        truthCampaign(seed, () => [fault]),
        `seed ${seed}`,
      ).toBeNull();
  });

  it(`whatever happens at once, over ${seeds} seeds`, () => {
    for (let seed = 1000; seed < 1000 + seeds; seed++)
      expect(
        truthCampaign(seed, (_, chance) => all.filter(() => chance.may(0.4))),
        `seed ${seed}`,
      ).toBeNull();
  });
});
