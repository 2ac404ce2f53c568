import { describe, expect, it } from "vitest";
import { type Bench, resultsPage, verdict } from "./report.ts";

const bench = (better: Bench["better"], floor: number | null, target: number | null): Bench => ({
  name: "b",
  about: "",
  unit: "u",
  better,
  floor,
  target,
  run: () => Promise.reject(new Error("not run")),
});
const line = (value: number, more: object = {}) => ({ name: "b", unit: "u", value, ...more });

describe("verdict", () => {
  it.each([
    [bench("higher", 10, 20), line(20), "target"],
    [bench("higher", 10, 20), line(19), "floor"],
    [bench("higher", 10, 20), line(9), "missed"],
    [bench("lower", 10, 2), line(2), "target"],
    [bench("lower", 10, 2), line(3), "floor"],
    [bench("lower", 10, 2), line(11), "missed"],
    [bench("lower", 10, null), line(5, { target: 6 }), "target"],
    [bench("lower", null, null), line(5), ""],
  ] as const)("%#", (b, l, expected) => {
    expect(verdict(b, l)).toBe(expected);
  });
});

describe("results page", () => {
  it("has a row for each bench that ran, with floor, target and value", () => {
    const page = resultsPage(
      [bench("higher", 10, 20), { ...bench("lower", 1, 1), name: "other" }],
      [line(12_345)],
      [{ name: "b", text: ["main: busy 5 ms"] }],
      new Date(0),
      false,
    );
    expect(page).toContain("| `b` | u | 10 | 20 | 12,345 | target reached |");
    expect(page).not.toContain("other");
    expect(page).toContain("main: busy 5 ms");
    expect(page).toContain('{"name":"b","unit":"u","value":12345}');
  });

  it("a quick run says that its figures mean nothing", () => {
    expect(resultsPage([], [], [], new Date(0), true)).toContain("figures mean nothing");
  });
});
