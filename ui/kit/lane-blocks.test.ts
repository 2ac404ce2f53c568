import { describe, expect, it } from "vitest";
import { itemAt, type LaneItem, laneRects } from "./lane-blocks.ts";
import type { StateClass } from "./states.ts";

const item = (fromUs: number, toUs: number, state: StateClass): LaneItem => ({
  key: String(fromUs),
  fromUs,
  toUs,
  label: "",
  state,
});
/** 1,000 µs on 100 pixels. */
const range = { fromUs: 0, toUs: 1000 };
const drawn = (items: LaneItem[]) =>
  laneRects(items, range, 0, 100).map(({ x, width, item: { state }, items: many }) => [x, width, state, many]);

describe("rectangles of a lane", () => {
  it("what is wide stands as it is, cut at the edges", () => {
    expect(drawn([item(-50, 300, "executing"), item(300, 1200, "setup")])).toEqual([
      [0, 30, "executing", 1],
      [30, 70, "setup", 1],
    ]);
  });

  it("below a pixel the worst is shown, above what is wide too, and it does not hide how many there were", () => {
    const items = [
      item(0, 500, "executing"),
      item(500, 502, "notExecuting"),
      item(502, 504, "fault"),
      item(504, 507, "setup"),
      item(507, 1000, "executing"),
    ];
    expect(drawn(items)).toEqual([
      [0, 50, "executing", 1],
      [50.7, 49.3, "executing", 1],
      [50, 1, "fault", 3],
    ]);
  });

  it("neighbouring pixels of one state are one rectangle", () => {
    const flicker = Array.from({ length: 40 }, (_, i) => item(i * 5, i * 5 + 5, i % 2 ? "fault" : "executing"));
    expect(drawn(flicker)).toEqual([[0, 20, "fault", 40]]);
  });

  it("finds what holds at an instant, and nothing in a hole", () => {
    const items = [item(0, 10, "executing"), item(20, 30, "fault")];
    expect(itemAt(items, 0)?.state).toBe("executing");
    expect(itemAt(items, 10)).toBeUndefined();
    expect(itemAt(items, 29)?.state).toBe("fault");
    expect(itemAt(items, 30)).toBeUndefined();
  });
});
