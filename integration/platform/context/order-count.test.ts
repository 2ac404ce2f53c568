import { hourUs, minuteUs } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { afterPlanned, type Counted, nothingCounted, timeLeft, windowsOf } from "./order-count.ts";
import { min, shift } from "./testing.ts";

describe("planned time ahead", () => {
  const shifts = [shift("late", 480, 960, [[600, 630]]), shift("early", 0, 480, [[120, 150]])];
  it.each([
    ["before a break", 60, 30, 90],
    ["over a break", 60, 90, 180],
    ["begun in a break", 130, 10, 160],
    ["over the change of shift and the next break", 400, 240, 670],
    ["begun before the first shift", -60, 30, 30],
  ])("%s", (_, from, minutes, expected) => {
    expect(afterPlanned(shifts, min(from), minutes * minuteUs)).toBe(min(expected));
  });

  it("is not told beyond the last shift that is known; without shifts every time is as good", () => {
    expect(afterPlanned(shifts, min(900), 2 * hourUs)).toBeNull();
    expect(afterPlanned(null, min(900), 2 * hourUs)).toBe(min(1020));
  });
});

describe("the time that is left", () => {
  const counted = (more: Partial<Counted>): Counted => ({ ...nothingCounted(), ...more });
  it("is by the pace of all machines together, reworked pieces too", () => {
    const one = counted({ good: 9, rework: 1, busyUs: 10 * minuteUs });
    expect(timeLeft(10, [one])).toEqual({ us: 10 * minuteUs, by: "pace" });
    expect(timeLeft(30, [one, counted({ good: 20, busyUs: 10 * minuteUs })])).toEqual({
      us: 10 * minuteUs,
      by: "pace",
    });
  });
  it("is by the ideal cycle while too little was made; nobody's guess without one", () => {
    const begun = counted({ good: 2, busyUs: 10 * minuteUs, idealUs: minuteUs });
    expect(timeLeft(30, [begun])).toEqual({ us: 30 * minuteUs, by: "idealCycle" });
    expect(timeLeft(30, [counted({ good: 2, busyUs: 10 * minuteUs })])).toBeNull();
    expect(timeLeft(30, [])).toBeNull();
  });
});

describe("windows of cells", () => {
  it("are whole, and joined where they share one", () => {
    const ranges = [
      { fromUs: 31, toUs: 39 },
      { fromUs: 3, toUs: 8 },
      { fromUs: 9, toUs: 12 },
      { fromUs: 20, toUs: 20 },
    ];
    expect(windowsOf(ranges, 10)).toEqual([
      { fromUs: 0, toUs: 20 },
      { fromUs: 30, toUs: 40 },
    ]);
  });
});
