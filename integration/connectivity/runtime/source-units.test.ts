import { FakeClock } from "@lineshaft/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SourceUnits } from "./source-units.ts";

describe("units that come with the data", () => {
  let clock: FakeClock;
  let over: AbortController;
  let put: Record<string, string>[];
  let failures: Error[];
  let units: SourceUnits;
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const note = async (said: Record<string, string | undefined>): Promise<void> => {
    units.note(new Map(Object.entries(said).map(([name, unit]) => [name, { unit }])));
    await turn();
  };
  const second = async (): Promise<void> => {
    clock.advanceMs(1000);
    await turn();
  };

  beforeEach(() => {
    clock = new FakeClock();
    over = new AbortController();
    put = [];
    failures = [];
    const keep = async (news: ReadonlyMap<string, string>): Promise<void> => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      put.push(Object.fromEntries(news));
    };
    units = new SourceUnits({ clock, put: keep, signal: over.signal });
  });
  afterEach(() => over.abort());

  test("are told once, and again only where they are others", async () => {
    await note({ a: "bar", b: " °C ", c: undefined });
    await second();
    for (let n = 0; n < 3; n++) {
      await note({ a: "bar", b: "°C" });
      await second();
    }
    expect(put).toEqual([{ a: "bar", b: "°C" }]);
    await note({ a: "kPa", b: "°C" });
    expect(put[1]).toEqual({ a: "kPa" });
  });

  test("F30: what flickers is told at most once a second, with what it is by then", async () => {
    await note({ a: "bar" });
    for (const unit of ["kPa", "mbar", "Pa"]) await note({ a: unit });
    await note({ b: "m" });
    expect(put).toEqual([{ a: "bar" }]);
    await second();
    expect(put[1]).toEqual({ a: "Pa", b: "m" });
    await note({ a: "bar" });
    await note({ a: "Pa" });
    await second();
    await second();
    expect(put).toHaveLength(2);
  });

  test("are tried again when they could not be kept", async () => {
    failures.push(new Error("The disk is full."));
    await note({ a: "bar", b: "m" });
    await note({ a: "kPa" });
    await second();
    expect(put).toEqual([{ a: "kPa", b: "m" }]);
  });

  test("a text that is no line, or longer than a unit can be, is none", async () => {
    await note({ a: "", b: "  ", c: "x".repeat(65), d: "bar\u0007", e: "\u202ebar" });
    expect(put).toEqual([]);
  });
});
