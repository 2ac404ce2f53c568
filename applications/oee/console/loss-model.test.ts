import { type MachineStop, minuteUs, startingReasons, type TimeClass } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { lossSteps, waterfallOf } from "../losses.ts";
import { sumsOf } from "../sums.ts";
import { cell } from "../testing.ts";
import { chosenOf, stepOf, stopsOfLoss, stopsWanted } from "./loss-model.ts";

const losses = new Map(startingReasons.map(({ number, loss }) => [number, loss]));
const part = (from: number, to: number, timeClass: TimeClass, reason: number | null) => ({
  ...{ fromUs: from * minuteUs, toUs: to * minuteUs, timeClass, reason },
});
const stop = (fromMinute: number, micro: boolean, parts: MachineStop["parts"]): MachineStop => ({
  ...{ equipmentId: 1, fromUs: fromMinute * minuteUs, toUs: null, micro, us: 0, parts, comments: [] },
});

describe("a loss, looked into", () => {
  it("is what the address says, and nothing where it says nothing that is known", () => {
    const of = (query: string) => chosenOf(new URLSearchParams(query));
    expect([of("loss=breakdown"), of("reason=7100000"), of("loss=all"), of("")]).toEqual([
      { step: "breakdown" },
      { reason: 7_100_000 },
      null,
      null,
    ]);
  });

  it("has the stops that the waterfall counts in it, each once, the longest first", () => {
    const long = stop(0, false, [part(0, 5, "adet", 7_100_000), part(5, 8, "break", 7_100_000), part(8, 9, "adot", 3)]);
    const longer = stop(20, false, [part(20, 40, "adet", 7_100_000)]);
    const micro = stop(50, true, [part(50, 51, "adet", 7_100_000)]);
    const found = stopsOfLoss([long, longer, long, micro], { step: "breakdown" }, startingReasons);
    expect(found.map(({ fromUs, us }) => [fromUs / minuteUs, us / minuteUs])).toEqual([
      [20, 20],
      [0, 5],
    ]);
    expect(stopsOfLoss([long, micro], { step: "idlingAndMinorStops" }, startingReasons)).toMatchObject([
      { fromUs: 50 * minuteUs, reason: 7_100_000 },
    ]);
  });

  it("puts each class and reason where the waterfall puts it, and asks for what it then finds", () => {
    for (const { number: reason } of startingReasons)
      for (const [timeClass, micro] of [
        ["adet", false],
        ["adet", true],
        ["aust", false],
        ["adot", false],
      ] as const) {
        const time = { reason, timeClass, micro, us: minuteUs, count: 1 };
        const cells = [cell({ [timeClass]: 1 }, {}, { stops: [time], microStopUs: micro ? minuteUs : 0 })];
        const lost = waterfallOf(sumsOf(cells, new Map())).losses.find(({ us }) => us === minuteUs)?.step;
        expect(stepOf({ timeClass, reason }, micro, losses)).toBe(lost);
        const asked = stopsWanted({ step: lost ?? "unknown" }, startingReasons).some(
          (q) =>
            (q.timeClass?.includes(timeClass) ?? true) &&
            (q.reason?.includes(reason) ?? true) &&
            (q.micro === undefined || (q.micro === "only") === micro),
        );
        expect(asked, `${timeClass} ${reason} ${micro} in ${lost}`).toBe(true);
      }
    // Speed, quality and what is not planned have no stops.
    const without = lossSteps.filter((step) => stopsWanted({ step }, startingReasons).length === 0);
    expect(without).toEqual(["notPlanned", "break", "reducedSpeed", "processDefects", "startUpYield"]);
  });
});
