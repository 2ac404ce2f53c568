import { describe, expect, it, test } from "vitest";
import { type AlarmOptions, alarmCode, alarmMeaning, exactText } from "./mapping-alarm.ts";

describe("an alarm tag", () => {
  const limits: AlarmOptions = {
    severity: 300,
    text: { en: "Temperature" },
    rows: [
      { from: 90, to: 100, severity: 600 },
      { from: 100, code: "HH", severity: 950, text: { en: "Far too hot", de: "Viel zu heiß" }, cause: 7 },
    ],
    otherwise: "none",
  };
  it.each<[AlarmOptions, number | bigint | boolean | string, string | null]>([
    [{}, true, "1"],
    [{}, false, null],
    [{}, 0, null],
    [{}, -0, null],
    [{}, "", null],
    [{}, 17, "17"],
    [{}, "E-Stop", "E-Stop"],
    [{}, 2n ** 60n + 1n, "1152921504606846977"],
    [{ code: "guard" }, 4, "guard"],
    [{ code: "guard" }, 0, null],
    // Closed is the alarm.
    [{ rows: [{ value: true, active: false }, { value: 0 }] }, false, "0"],
    [{ rows: [{ value: true, active: false }, { value: 0 }] }, true, null],
    [{ rows: [{ value: 17, code: "jam" }] }, "17", "jam"],
    [{ rows: [{ value: "", code: "none told" }] }, "", "none told"],
    [{ rows: [{ value: 17 }], otherwise: "none" }, 18, null],
    [limits, 89.9, null],
    [limits, 90, "90..100"],
    [limits, 100, "HH"],
    [limits, "hot", null],
    [limits, "", null],
  ])("by %j tells of %s: %s", (options, value, code) => {
    expect(alarmCode(options, exactText(value))).toBe(code);
  });

  it("says of itself what its row says, and where that is silent what stands beside the rows", () => {
    expect(alarmMeaning(limits, "90..100")).toEqual({ severity: 600, text: { en: "Temperature" }, cause: 0 });
    expect(alarmMeaning(limits, "HH")).toEqual({
      ...{ severity: 950, text: { en: "Far too hot", de: "Viel zu heiß" }, cause: 7 },
    });
    expect(alarmMeaning({}, "17")).toEqual({ severity: 500, text: null, cause: 0 });
  });
});

test("a value is its shortest text, and int64 is exact", () => {
  expect([4711, "00417", 0.1, 9_007_199_254_740_993n, true, -0].map(exactText)).toEqual([
    ...["4711", "00417", "0.1", "9007199254740993", "1", "0"],
  ]);
});
