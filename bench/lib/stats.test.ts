import { describe, expect, it } from "vitest";
import { Samples } from "./stats.ts";

describe("Samples", () => {
  it.each([
    [[], 50, 0],
    [[7], 99, 7],
    [[3, 1, 2], 50, 2],
    [[1, 2, 3, 4], 50, 2],
    [Array.from({ length: 100 }, (_, i) => 100 - i), 99, 99],
    [Array.from({ length: 100 }, (_, i) => 100 - i), 100, 100],
    [Array.from({ length: 3_000 }, (_, i) => i), 0, 0],
  ])("nearest rank of %j", (values, p, expected) => {
    const samples = new Samples();
    for (const value of values) samples.add(value);
    expect(samples.percentile(p)).toBe(expected);
  });

  it("may be asked in between", () => {
    const samples = new Samples();
    for (const value of [5, 1]) samples.add(value);
    expect(samples.percentile(50)).toBe(1);
    samples.add(0);
    expect(samples.percentile(50)).toBe(1);
    expect(samples.percentile(1)).toBe(0);
  });

  it("beyond its bound it is a fair sample, and the greatest value is still known", () => {
    let x = 1;
    const random = (): number => {
      x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
      return x / 4_294_967_296;
    };
    const samples = new Samples(2_000, random);
    for (let i = 1; i <= 100_000; i++) samples.add(i);
    expect(samples.count).toBe(100_000);
    expect(samples.max).toBe(100_000);
    expect(samples.percentile(50)).toBeGreaterThan(45_000);
    expect(samples.percentile(50)).toBeLessThan(55_000);
  });
});
