import Schema from "typebox/schema";
import { describe, expect, it } from "vitest";
import { ownReasons, type Reason, ReasonSchema, reasonTreeFaults, startingReasons } from "./context-reasons.ts";
import { causeOf, stateCode } from "./facts.ts";
import { timeClassOf } from "./time-class.ts";

const byName = (en: string): Reason => startingReasons.find((reason) => reason.name.en === en)!;

describe("the starting vocabulary of reasons", () => {
  it("is a tree whose every node is well formed, in German and English", () => {
    expect(reasonTreeFaults(startingReasons)).toEqual([]);
    for (const reason of startingReasons) expect(Schema.Check(ReasonSchema, reason), reason.name.en).toBe(true);
    expect(new Set(startingReasons.map((reason) => reason.name.de)).size).toBe(startingReasons.length);
    for (const number of Object.values(ownReasons)) expect(startingReasons.some((r) => r.number === number)).toBe(true);
  });

  it("leaves room for a plant's own reasons, and fits into a state's cause", () => {
    const numbers = startingReasons.map((reason) => reason.number);
    for (let i = 1; i < numbers.length; i++) expect(numbers[i] - numbers[i - 1]).toBeGreaterThanOrEqual(100_000);
    for (const number of numbers) expect(causeOf(stateCode("NotExecuting", "Processing", number))).toBe(number);
  });

  it.each([
    ["Producing at full speed", true, "apt"],
    ["Inlet starved", true, "adet"],
    ["Changeover", true, "aust"],
    ["Equipment failure", true, "adet"],
    ["Preventive maintenance", true, "plannedMaintenance"],
    ["Break", true, "break"],
    ["No shift", false, "notPlanned"],
    ["No order", false, "adot"],
    ["Unknown", true, "unknown"],
  ] as const)("%s comes to %s → %s", (name, order, expected) => {
    const { itemState, operationMode, planned } = byName(name);
    const at = { plan: "busy", setUp: "none", outsidePlan: "extend" } as const;
    expect(timeClassOf({ itemState, operationMode, order, plannedReason: planned, ...at })).toBe(expected);
  });

  it("a ring, an unknown parent and a number used twice are found", () => {
    const reason = (number: number, parent: number | null): Reason => ({ ...startingReasons[0], number, parent });
    const codes = (...reasons: Reason[]) => reasonTreeFaults(reasons).map((fault) => [fault.number, fault.code]);
    expect(codes(reason(1, 2), reason(2, 3), reason(3, 1), reason(4, 1))).toEqual([
      [1, "reason_circular"],
      [2, "reason_circular"],
      [3, "reason_circular"],
    ]);
    expect(codes(reason(1, 1))).toEqual([[1, "reason_circular"]]);
    expect(codes(reason(1, 9))).toEqual([[1, "reference_unknown"]]);
    expect(codes(reason(1, null), reason(1, null))).toEqual([[1, "key_duplicate"]]);
  });
});
