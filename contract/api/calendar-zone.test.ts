import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  dayOf,
  formatDay,
  formatLocal,
  instantOf,
  isTimeZone,
  localOf,
  parseDay,
  zoneOffsetUs,
} from "./calendar-zone.ts";
import { dayUs, formatTimeUs, hourUs, minuteUs, parseTimeUs } from "./time.ts";

const at = (text: string) => parseTimeUs(text)!;
/** A time on the wall, in the form that needs no zone. */
const wall = (text: string) => at(`${text}:00Z`);

describe("time zones", () => {
  it.each([
    ["Europe/Berlin", "2026-01-15T12:00:00Z", 60],
    ["Europe/Berlin", "2026-07-15T12:00:00Z", 120],
    ["America/St_Johns", "2026-01-15T12:00:00Z", -210],
    ["America/St_Johns", "2026-07-15T12:00:00Z", -150],
    ["Asia/Kathmandu", "2026-01-15T12:00:00Z", 345],
    ["Asia/Kathmandu", "1985-01-15T12:00:00Z", 330],
    ["Australia/Lord_Howe", "2026-01-15T12:00:00Z", 660],
    ["Australia/Lord_Howe", "2026-07-15T12:00:00Z", 630],
    ["UTC", "2026-07-15T12:00:00Z", 0],
  ])("%s at %s is %i min ahead", (zone, time, minutes) => {
    expect(zoneOffsetUs(zone, at(time)) / minuteUs).toBe(minutes);
  });

  it.each([
    ["Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59:00Z", "exact"],
    ["Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00:00Z", "movedForward"],
    ["Europe/Berlin", "2026-03-29T02:59", "2026-03-29T01:00:00Z", "movedForward"],
    ["Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00:00Z", "exact"],
    ["Europe/Berlin", "2026-10-25T01:59", "2026-10-24T23:59:00Z", "exact"],
    ["Europe/Berlin", "2026-10-25T02:00", "2026-10-25T00:00:00Z", "firstOfTwo"],
    ["Europe/Berlin", "2026-10-25T02:59", "2026-10-25T00:59:00Z", "firstOfTwo"],
    ["Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00:00Z", "exact"],
    ["America/St_Johns", "2026-03-08T02:30", "2026-03-08T05:30:00Z", "movedForward"],
    ["America/St_Johns", "2026-11-01T01:30", "2026-11-01T04:00:00Z", "firstOfTwo"],
    // Until 2011 Newfoundland changed one minute after midnight.
    ["America/St_Johns", "2010-03-14T00:30", "2010-03-14T03:31:00Z", "movedForward"],
    ["America/St_Johns", "2010-03-14T00:00", "2010-03-14T03:30:00Z", "exact"],
    // Lord Howe moves by half an hour.
    ["Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30:00Z", "movedForward"],
    ["Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45:00Z", "firstOfTwo"],
    // Nepal moved by a quarter once, at midnight.
    ["Asia/Kathmandu", "1986-01-01T00:10", "1985-12-31T18:30:00Z", "movedForward"],
    ["Asia/Kathmandu", "2026-01-01T00:00", "2025-12-31T18:15:00Z", "exact"],
  ])("%s %s is %s (%s)", (zone, local, utc, rule) => {
    const { at: instant, rule: by } = instantOf(zone, wall(local));
    expect([formatTimeUs(instant), by]).toEqual([utc.replace("Z", ".000000Z"), rule]);
  });

  it("local times keep their order, and an exact one comes back", () => {
    const zones = ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca"];
    const changes = ["2026-03-29", "2026-10-25", "2010-03-14", "2026-04-05", "2026-10-04", "1986-01-01", "2026-02-15"];
    const local = fc
      .tuple(fc.constantFrom(...changes), fc.integer({ min: -26 * 60, max: 50 * 60 }))
      .map(([day, minute]) => wall(`${day}T00:00`) + minute * minuteUs);
    fc.assert(
      fc.property(fc.constantFrom(...zones), local, fc.integer({ min: 1, max: 180 }), (zone, a, later) => {
        const first = instantOf(zone, a);
        const second = instantOf(zone, a + later * minuteUs);
        expect(second.at).toBeGreaterThanOrEqual(first.at);
        if (first.rule !== "movedForward") expect(localOf(zone, first.at)).toBe(a);
        else expect(localOf(zone, first.at) - a).toBeLessThanOrEqual(hourUs);
      }),
      { seed: 18, numRuns: 400 },
    );
  });

  it("knows names from numbers and nonsense", () => {
    for (const zone of ["Europe/Berlin", "UTC", "Etc/GMT+5"]) expect(isTimeZone(zone)).toBe(true);
    for (const zone of ["+02:00", "Europe/Bärlin", "Mars/Phobos", "../../etc", "", "x".repeat(99)])
      expect(isTimeZone(zone)).toBe(false);
  });
});

describe("days", () => {
  it.each([
    ["1970-01-01", 0],
    ["1969-12-31", -1],
    ["2000-02-29", 11_016],
    ["2026-11-26", 20_783],
  ])("%s is day %i", (text, day) => {
    expect(parseDay(text)).toBe(day);
    expect(formatDay(day)).toBe(text);
  });

  it("there is no 29th of February 2026, no month 13, no text", () => {
    for (const text of ["2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "26-04-30", "today"])
      expect(parseDay(text)).toBeNull();
  });

  it("a local time reads like a clock", () => {
    expect(formatLocal(wall("2026-03-29T02:05"))).toBe("2026-03-29T02:05");
    expect(dayOf(-1)).toBe(-1);
    expect(dayOf(dayUs)).toBe(1);
  });
});
