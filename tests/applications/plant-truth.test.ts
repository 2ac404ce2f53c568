import { describe, expect, it } from "vitest";
import { FaultMenu } from "../../simulation/fault-menu.ts";
import { Disturbances } from "../../simulation/protocols/disturbance.ts";
import { truthCampaign } from "./truth/campaign.ts";
import { type MenuFault, menu } from "./truth/faults.ts";

const all = Object.keys(menu) as MenuFault[];
const long = process.env.LINESHAFT_LONG === "1";
const seeds = long ? 5_000 : 200;
/** What the fault is called where faults are numbered. */
const numbers: Partial<Record<MenuFault, string>> = {
  cut: "F26",
  plcDownload: "F22",
  duplicate: "F19",
  reorder: "F20",
  delay: "F20",
  burst: "F24",
  rebirth: "F21",
  dropBirth: "F21",
  freeze: "F23",
  skew: "F16",
  counterReset: "F22",
  counterRollover: "F22",
};

describe("eight plant-hours of eight machines come out true", { timeout: 6 * 3_600_000 }, () => {
  it("where nothing goes wrong", () => {
    expect(truthCampaign(1, () => [])).toBeNull();
  });

  it("whatever the demo plant's fault menu offers: none of it is missing here", () => {
    const office = { machines: [], bookLate: () => undefined, moveShift: () => null };
    const parts = { speakers: new Map(), disturbances: new Disturbances(() => 0), nowMs: () => 0, office };
    const { faults } = new FaultMenu(parts).show().body as { faults: { fault: string }[] };
    expect(faults.map(({ fault }) => fault).sort()).toEqual([...all].sort());
  });

  it.each(all.map((fault) => [[numbers[fault], menu[fault]].filter(Boolean).join(": "), fault] as const))(
    "%s",
    (_, fault) => {
      expect(truthCampaign(1, () => [fault])).toBeNull();
    },
  );

  it(`whatever happens at once, over ${seeds} seeds; OEE, times and counts are the true ones, and those from scratch`, () => {
    for (let seed = 1000; seed < 1000 + seeds; seed++)
      expect(
        truthCampaign(seed, (_, chance) => all.filter(() => chance.may(0.4))),
        `seed ${seed}`,
      ).toBeNull();
  });
});
