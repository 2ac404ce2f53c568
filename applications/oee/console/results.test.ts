import type { Result } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { sumsOf } from "../sums.ts";
import { cell } from "../testing.ts";
import { numbersOfResult, together } from "./results.ts";

const result = (over: Partial<Result>, good = 300): Result => ({
  ...{ application: "oee", ruleVersion: "1", equipmentId: 3, period: "hour", key: "0", fromUs: 0, toUs: 10 },
  ...{ state: "final", revision: 1, values: {}, coverage: 1, basisLsn: 1, lsn: 2, publishedUs: 5, stale: false },
  cause: { kind: "first", text: "Never before.", lsn: null, registryRevision: null, actor: null },
  detail: { sums: sumsOf([cell({ apt: 10 }, { good })]) },
  ...over,
});

describe("published results as numbers", () => {
  it("keep their revision and its cause; what another version published is not guessed at", () => {
    const cause = {
      kind: "context",
      text: "Order A ended earlier.",
      lsn: 7,
      registryRevision: 2,
      actor: null,
    } as const;
    const numbers = numbersOfResult(result({ revision: 2, cause }));
    expect(numbers).toMatchObject({ state: "final", revision: 2, cause: "Order A ended earlier.", changedUs: 5 });
    expect(numbers?.kpis.oeeIndex).toBeCloseTo(0.5, 12);
    expect(numbersOfResult(result({ detail: null }))).toBeNull();
    expect(numbersOfResult(result({ detail: { sums: {} } }))).toBeNull();
  });

  it("of one period after the other are sums of both, as sure as the least sure, with the newest correction", () => {
    const of = (over: Partial<Result>, good: number) => {
      const numbers = numbersOfResult(result(over, good));
      if (numbers === null) throw new Error("There are sums.");
      return numbers;
    };
    const both = together([
      of({ revision: 3, publishedUs: 9 }, 300),
      of({ fromUs: 10, toUs: 20, state: "provisional" }, 600),
    ]);
    expect(both).toMatchObject({ fromUs: 0, toUs: 20, state: "provisional", revision: 3, changedUs: 9 });
    expect(both?.kpis.oeeIndex).toBeCloseTo(0.75, 12);
    expect(together([])).toBeNull();
  });
});
