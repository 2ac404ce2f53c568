import type { WorkItem } from "@lineshaft/contract/api";
import { expect, test } from "vitest";
import { inPortions, Portion } from "./portion.ts";

const item = {} as WorkItem;

test("work comes in portions of some milliseconds, until there is enough or no more", async () => {
  let left = 50;
  const portions: number[] = [];
  /** Each item takes a millisecond to find. */
  const take = (most: number): Portion => {
    let now = 0;
    const portion = new Portion(most, () => now);
    while (left > 0 && !portion.full) {
      portion.items.push(item);
      left--;
      now++;
    }
    portions.push(portion.items.length);
    return portion;
  };
  expect((await inPortions(20, take)).length).toBe(20);
  expect(Math.max(...portions)).toBeLessThan(10);
  expect((await inPortions(100, take)).length).toBe(30);
  expect(await inPortions(100, take)).toEqual([]);
});

test("what is slow to find is found", () => {
  let now = 0;
  const portion = new Portion(5, () => now);
  now = 1000;
  expect([portion.full, portion.more]).toEqual([false, false]);
  portion.items.push(item);
  expect([portion.full, portion.more]).toEqual([true, true]);
});
