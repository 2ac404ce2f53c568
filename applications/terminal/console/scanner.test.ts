import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readScan, WedgeScanner } from "./scanner.ts";

/** Keys with a pause before each, and what came of them. */
function play(...keys: [key: string, pauseMs: number][]): string[] {
  const scanner = new WedgeScanner();
  let now = 1000;
  return keys.flatMap(([key, pauseMs]) => {
    now += pauseMs;
    return scanner.key(key, now) ?? [];
  });
}
const fast = (text: string): [string, number][] => [...text].map((key) => [key, 8]);

describe("a scanner that plays keyboard", () => {
  it("is known by its speed and its Enter", () => {
    expect(play(...fast("4711/0010"), ["Enter", 8])).toEqual(["4711/0010"]);
    expect(play(...fast("A"), ["Shift", 2], ...fast("B-7"), ["Enter", 12])).toEqual(["AB-7"]);
    expect(play(...fast("4711"), ["Enter", 8], ...fast("4712"), ["Enter", 8])).toEqual(["4711", "4712"]);
  });

  it("is not confused with somebody typing, before or between", () => {
    expect(play(["4", 0], ["7", 140], ["1", 130], ["1", 120], ["Enter", 200])).toEqual([]);
    expect(
      play(["x", 0], ["y", 300], ...fast("4711").map(([k], i): [string, number] => [k, i === 0 ? 900 : 8]), [
        "Enter",
        8,
      ]),
    ).toEqual(["4711"]);
    expect(play(...fast("4711"), ["Enter", 400])).toEqual([]);
    expect(play(["Enter", 0], ["1", 5], ["2", 5], ["Enter", 5])).toEqual([]);
  });

  it("takes no more than a code has", () => {
    expect(play(...fast("9".repeat(129)), ["Enter", 8])).toEqual([]);
    expect(play(...fast("9".repeat(128)), ["Enter", 8])).toEqual(["9".repeat(128)]);
  });

  it("any code comes out as it went in, whatever was typed before", () => {
    const code = fc.string({ minLength: 3, maxLength: 60, unit: fc.constantFrom(..."0123456789ABCxyz-/.") });
    fc.assert(
      fc.property(code, fc.array(fc.constantFrom(..."abc1")), (text, typed) => {
        const before = typed.map((key): [string, number] => [key, 200]);
        const [[first], ...rest] = fast(text);
        expect(play(...before, [first, 200], ...rest, ["Enter", 8])).toEqual([text]);
      }),
    );
  });
});

describe("what a code says", () => {
  it.each([
    ["4711", { what: "order", order: "4711", operation: null }],
    ["4711/0010", { what: "order", order: "4711", operation: "0010" }],
    ["]C14711/0010", { what: "order", order: "4711", operation: "0010" }],
    [" 4711 ", { what: "order", order: "4711", operation: null }],
    ["4711/", { what: "order", order: "4711", operation: null }],
    ["badge:0815", { what: "badge", badge: "0815" }],
    ["BADGE-0815", { what: "badge", badge: "0815" }],
  ])("%s", (code, scan) => expect(readScan(code)).toEqual(scan));
});
