import { describe, expect, it } from "vitest";
import { kpisOf } from "../kpis.ts";
import { addSums, sumsOf } from "../sums.ts";
import { cell } from "../testing.ts";
import { factorsOver } from "./oee-data.ts";

/** The values of a published period of these cells: what the compute of the application makes. */
function published(cells: ReturnType<typeof cell>[]) {
  const sums = sumsOf(cells, new Map());
  const kpis = kpisOf(sums);
  const { oeeIndex, availability, effectiveness, qualityRatio } = kpis;
  return {
    sums,
    values: { oeeIndex, availability, effectiveness, qualityRatio, plannedBusyTimeKnownUs: sums.pbtKnownUs },
  };
}

describe("ratios over several published periods", () => {
  const first = published([cell({ apt: 10, adet: 5 }, { good: 300 })]);
  const second = published([cell({ apt: 15 }, { good: 600, scrap: 100 })]);
  const down = published([cell({ adet: 15 }, {})]);

  it("are those of the sums, also where a factor of one of them is not defined", () => {
    for (const periods of [[first, second], [first, down], [second, down, first], [down]]) {
      const exact = kpisOf(addSums(periods.map(({ sums }) => sums)));
      const { oeeIndex, availability, effectiveness, qualityRatio } = exact;
      const found = factorsOver(periods.map(({ values }) => values));
      for (const [name, value] of Object.entries({ oeeIndex, availability, effectiveness, qualityRatio }))
        if (value === null) expect([name, found[name as keyof typeof found]]).toEqual([name, null]);
        else expect(found[name as keyof typeof found], name).toBeCloseTo(value, 12);
    }
  });

  it("are unknown where a part has no ideal cycle, and where nothing was planned", () => {
    const missing = { ...first.values, oeeIndex: null, effectiveness: null, qualityRatio: null };
    expect(factorsOver([missing, second.values])).toMatchObject({ oeeIndex: null, effectiveness: null });
    expect(factorsOver([missing, second.values]).availability).toBeCloseTo(25 / 30, 12);
    expect(factorsOver([])).toEqual({ oeeIndex: null, availability: null, effectiveness: null, qualityRatio: null });
  });
});
