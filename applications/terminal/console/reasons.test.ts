import type { Reason } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { reasonTree, scrapReasons, stopReasons } from "./reasons.ts";

const own = (number: number, parent: number): Reason => ({
  number,
  parent,
  name: { en: `r${number}`, de: `r${number}` },
  itemState: "OutOfService",
  operationMode: "Processing",
  planned: null,
  loss: null,
});

describe("the reasons that a terminal offers", () => {
  it("leaves of the groups that explain a stop, a plant's own below or in the place of the starting ones", () => {
    const tree = reasonTree([own(7_100_001, 7_100_000), own(7_100_002, 7_100_000), { ...own(4_300_000, 4_000_000) }]);
    const groups = stopReasons(tree);
    expect(groups.map(({ group }) => group.name.en)).toEqual(["Material", "Set-up", "Organisation", "Technical"]);
    // Who has finer reasons chooses among these.
    expect(groups[3].reasons.map(({ number }) => number).slice(0, 3)).toEqual([7_100_001, 7_100_002, 7_200_000]);
    expect(groups[0].reasons.find(({ number }) => number === 4_300_000)?.name.en).toBe("r4300000");
    const offered = groups.flatMap(({ reasons }) => reasons.map(({ number }) => number));
    for (const unsaid of [3_000_000, 3_100_000, 6_400_000, 1_100_000, 8_100_000]) expect(offered).not.toContain(unsaid);
  });

  it("those of quality for scrap", () => {
    expect(scrapReasons(reasonTree([])).map(({ reasons }) => reasons.length)).toEqual([5]);
  });
});
