import { hourUs } from "@lineshaft/contract/api";
import { expect, it } from "vitest";
import { encodeSegment } from "./checkpoint.ts";
import { OpenSegment } from "./segment.ts";

it("an open hour that was lent reads as it was then, whatever comes behind it, in the next hour too", () => {
  const open = new OpenSegment(7);
  open.hour = 0;
  const emit = (from: number, n: number): void => {
    for (let i = 0; i < n; i++) {
      open.transition(from + i, i % 5);
      open.increment(from + i - 1, from + i, i, 1, 2);
    }
  };
  emit(10, 20);
  const then = encodeSegment(open);
  const lent = open.lend();
  emit(30, 5);
  expect(encodeSegment(lent)).toEqual(then);
  open.close();
  open.hour = hourUs;
  open.start.fill(3);
  emit(hourUs + 5, 40);
  expect(encodeSegment(lent)).toEqual(then);
});
