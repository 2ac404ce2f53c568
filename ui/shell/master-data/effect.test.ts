import { expect, it } from "vitest";
import { touchedByRange } from "./effect.ts";

it("an item that moves touches where it was and where it is, each stretch once", () => {
  const at = (equipmentId: number, fromUs: number, toUs: number | null) => ({ equipmentId, fromUs, toUs });
  expect(touchedByRange(at(1, 10, 20), at(1, 15, 30))).toEqual([at(1, 10, 30)]);
  expect(touchedByRange(at(1, 10, null), at(1, 15, 30))).toEqual([at(1, 10, null)]);
  expect(touchedByRange(at(1, 10, 20), at(1, 25, 30))).toEqual([at(1, 10, 20), at(1, 25, 30)]);
  expect(touchedByRange(at(1, 10, 20), at(2, 10, 20))).toEqual([at(1, 10, 20), at(2, 10, 20)]);
  expect(touchedByRange(null, at(1, 10, 20))).toEqual([at(1, 10, 20)]);
  expect(touchedByRange(at(1, 10, 20), null)).toEqual([at(1, 10, 20)]);
});
