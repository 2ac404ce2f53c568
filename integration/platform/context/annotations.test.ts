import type { Annotation } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { bindAnnotations, reasonsInForce } from "./annotations.ts";

const note = (anchorUs: number, fromUs: number, toUs: number, more: Partial<Annotation> = {}): Annotation => ({
  equipmentId: 1,
  kind: "reason",
  anchorUs,
  fromUs,
  toUs,
  reason: 7,
  text: "",
  ...more,
});
const intervals = [
  { from: 0, to: 100 },
  { from: 100, to: 130 },
  { from: 200, to: 300 },
];

describe("annotations", () => {
  it.each([
    ["the interval that holds its anchor, wherever its ends went", note(50, 90, 180), 0],
    ["an anchor at an end belongs to what begins there", note(100, 0, 100), 1],
    ["half of it covered", note(150, 115, 145), 1],
    ["less than half", note(150, 116, 146), null],
    ["no interval at all", note(400, 390, 410), null],
    ["an instant in a hole", note(150, 150, 150), null],
  ])("bind to %s", (_, annotation, index) => {
    const { bound, orphaned } = bindAnnotations([annotation], intervals);
    expect(bound.map(({ interval }) => intervals.indexOf(interval))).toEqual(index === null ? [] : [index]);
    expect(orphaned).toEqual(index === null ? [annotation] : []);
  });

  it("a reason holds for its interval, a split for its part, a comment for nothing; the later wins", () => {
    const { bound } = bindAnnotations(
      [
        note(50, 40, 60, { reason: 1 }),
        note(50, 40, 60, { kind: "split", reason: 2 }),
        note(50, 0, 100, { kind: "comment", reason: null, text: "!" }),
        note(250, 190, 220, { kind: "split", reason: 3 }),
        note(45, 45, 50, { kind: "split", reason: 4 }),
      ],
      intervals,
    );
    expect(reasonsInForce(bound).map(({ fromUs, toUs, reason }) => [fromUs, toUs, reason])).toEqual([
      [0, 40, 1],
      [40, 45, 2],
      [45, 50, 4],
      [50, 60, 2],
      [60, 100, 1],
      [200, 220, 3],
    ]);
  });
});
