import { dayUs, hourUs, type ResultPeriod } from "@lineshaft/contract/api";
import { describe, expect, test } from "vitest";
import { type KeyContext, keysIn } from "./keys.ts";

const us = (text: string): number => Date.parse(text) * 1000;
const context = (more: Partial<KeyContext> = {}): KeyContext => ({
  timeZone: "UTC",
  shifts: [],
  executions: [],
  ...more,
});
const keys = (from: string, to: string, of: KeyContext, ...periods: ResultPeriod[]) =>
  keysIn({ fromUs: us(from), toUs: us(to) }, of, new Set(periods));
const shift = (day: string, from: string, to: string, name = "N") => ({
  ...{ id: `c/${day}/${name}`, calendar: "c", name, crew: null, productionDay: day },
  ...{ fromUs: us(from), toUs: us(to), breaks: [], resolved: [] },
});

describe("keys of a window", () => {
  test("an instant between two hours belongs to both: a count at the end of an hour is its", () => {
    const found = keys("2026-11-26T10:00:00Z", "2026-11-26T10:00:00Z", context(), "hour");
    expect(found.map(({ fromUs }) => fromUs)).toEqual([us("2026-11-26T09:00:00Z"), us("2026-11-26T10:00:00Z")]);
  });

  test("hours are local, also where the zone is half an hour off", () => {
    const found = keys("2026-11-26T10:10:00Z", "2026-11-26T10:20:00Z", context({ timeZone: "Asia/Kolkata" }), "hour");
    expect(found).toEqual([
      {
        ...{ period: "hour", key: String(us("2026-11-26T09:30:00Z")) },
        ...{ fromUs: us("2026-11-26T09:30:00Z"), toUs: us("2026-11-26T10:30:00Z") },
      },
    ]);
  });

  test("the day that the clock is put back has 25 hours, without gap or overlap", () => {
    const found = keys(
      "2026-10-24T22:00:00.001Z",
      "2026-10-25T22:59:59Z",
      context({ timeZone: "Europe/Berlin" }),
      "hour",
    );
    expect(found).toHaveLength(25);
    for (const [i, { fromUs }] of found.entries()) if (i > 0) expect(fromUs).toBe(found[i - 1].toUs);
  });

  test("a production day is its shifts and what lies outside of shifts on its date", () => {
    const night = shift("2026-11-26", "2026-11-25T22:00:00Z", "2026-11-26T06:00:00Z");
    const found = keys(
      "2026-11-25T23:00:00Z",
      "2026-11-25T23:00:00Z",
      context({ shifts: [night] }),
      "productionDay",
      "shift",
    );
    expect(found.map(({ period, key, fromUs, toUs }) => [period, key, fromUs, toUs])).toEqual([
      ["productionDay", "2026-11-25", us("2026-11-25T00:00:00Z"), us("2026-11-26T00:00:00Z")],
      ["productionDay", "2026-11-26", us("2026-11-25T22:00:00Z"), us("2026-11-27T00:00:00Z")],
      ["shift", "c/2026-11-26/N", night.fromUs, night.toUs],
    ]);
  });

  test("an order is all its executions on the equipment, an operation its own", () => {
    const at = us("2026-11-26T00:00:00Z");
    const executions = [
      { order: "4711", operation: "10", fromUs: at, toUs: at + hourUs },
      { order: "4711", operation: "20", fromUs: at + 2 * hourUs, toUs: Number.POSITIVE_INFINITY },
      { order: "other", operation: "10", fromUs: at + dayUs, toUs: at + 2 * dayUs },
    ];
    const found = keys("2026-11-26T03:00:00Z", "2026-11-26T04:00:00Z", context({ executions }), "order", "operation");
    expect(found).toEqual([
      { period: "order", key: "4711", fromUs: at, toUs: Number.POSITIVE_INFINITY },
      { period: "operation", key: "4711/20", fromUs: at + 2 * hourUs, toUs: Number.POSITIVE_INFINITY },
    ]);
  });
});
