import { describe, expect, it } from "vitest";
import { formatTimeUs, parseTimeUs } from "./time.ts";

describe("times", () => {
  it.each([
    ["1970-01-01T00:00:00Z", 0],
    ["2026-11-22T06:00:00.123456Z", 1_795_327_200_123_456],
    ["2026-11-22T06:00:00.1+01:00", 1_795_323_600_100_000],
    ["2026-11-22t06:00:00.1234569z", 1_795_327_200_123_456],
    ["-1", -1],
    ["1795327200123456", 1_795_327_200_123_456],
  ])("%s", (text, us) => expect(parseTimeUs(text)).toBe(us));

  it.each(["2026-11-22T06:00:00", "2026-13-01T00:00:00Z", "yesterday", "", "1.5", "1e6", "99999999999999999"])(
    "%j is no time",
    (text) => expect(parseTimeUs(text)).toBeNull(),
  );

  it("formats to the microsecond, also before 1970", () => {
    expect(formatTimeUs(1)).toBe("1970-01-01T00:00:00.000001Z");
    expect(formatTimeUs(-1)).toBe("1969-12-31T23:59:59.999999Z");
    expect(parseTimeUs(formatTimeUs(1_795_327_200_123_456))).toBe(1_795_327_200_123_456);
  });
});
