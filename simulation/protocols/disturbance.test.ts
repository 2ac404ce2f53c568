import { type Columns, secondUs, valueAt } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { lineKinds, PlantLine } from "../plant/index.ts";
import { Disturbances } from "./disturbance.ts";
import { startUs } from "./test/rig.ts";

const [bottling] = lineKinds;

type Shown = [address: string, time: number, value: unknown];
const rowsOf = (columns: Columns, signals: readonly { address: string }[]): Shown[] =>
  Array.from({ length: columns.rows }, (_, i) => [
    signals[columns.tag[i]].address,
    columns.time[i],
    valueAt(columns, i),
  ]);
const of = (rows: readonly Shown[], address: string): Shown[] => rows.filter(([a]) => a === address);
const pressure = "Filler1.PV.BowlPressure";
const count = "Filler1.Admin.ProdProcessedCount";
const byTime = (rows: readonly Shown[]): Shown[] => rows.toSorted((a, b) => a[1] - b[1] || a[0].localeCompare(b[0]));

function rig() {
  let now = 0;
  const disturbances = new Disturbances(() => now);
  const line = new PlantLine(bottling, 1, startUs);
  const truthful = new PlantLine(bottling, 1, startUs);
  let until = startUs;
  /** One more second of the line, as it is and as it should be. */
  const second = () => {
    until += secondUs;
    now += 1000;
    const right = truthful.advance(until);
    const columns = line.advance(until);
    const applied = disturbances.apply(columns, line.signals);
    return { columns, applied, shown: rowsOf(applied, line.signals), right: rowsOf(right, truthful.signals) };
  };
  const seconds = (n: number) => {
    const all = Array.from({ length: n }, second);
    return { shown: all.flatMap(({ shown }) => shown), right: all.flatMap(({ right }) => right) };
  };
  return { disturbances, second, seconds };
}

describe("faults in values", () => {
  it("nothing is touched while nothing is wrong", () => {
    const { columns, applied } = rig().second();
    expect(applied).toBe(columns);
  });

  it("F16: a skewed clock is wrong for its machine only, and only as long as ordered", () => {
    const { disturbances, second } = rig();
    disturbances.begin("Filler1", "skew", 1_500, { skewSeconds: -5 });
    const { shown, right } = second();
    expect(shown).toEqual(
      right.map(([address, time, value]) => [
        address,
        address.startsWith("Filler1.") ? time - 5 * secondUs : time,
        value,
      ]),
    );
    const later = second();
    expect(later.shown).toEqual(later.right);
  });

  it("F23: a frozen machine goes on sending, always the same, and thaws", () => {
    const { disturbances, second, seconds } = rig();
    second();
    disturbances.begin("Filler1", "freeze", 5_500);
    const { shown: frozen } = seconds(5);
    expect(of(frozen, pressure)).toHaveLength(25);
    expect(new Set(of(frozen, pressure).map(([, , value]) => value)).size).toBe(1);
    expect(new Set(of(frozen, "Capper1.PV.ClosingTorque").map(([, , v]) => v)).size).toBeGreaterThan(5);
    const later = second();
    expect(later.shown).toEqual(later.right);
  });

  it("F20: delayed values come late, all of them, as they were", () => {
    const { disturbances, seconds } = rig();
    disturbances.begin("Filler1", "delay", 5_500, { delaySeconds: 3 });
    const early = seconds(3);
    expect(of(early.shown, pressure)).toEqual([]);
    expect(of(early.shown, "Capper1.PV.ClosingTorque")).toHaveLength(15);
    const late = seconds(2);
    expect(of(late.shown, pressure)).toEqual(of(early.right, pressure).slice(0, 10));
    const after = seconds(1);
    expect(of([...late.shown, ...after.shown], pressure)).toEqual(
      of([...early.right, ...late.right, ...after.right], pressure),
    );
  });

  it("F20: of two scans the later comes first, and none is lost", () => {
    const { disturbances, seconds } = rig();
    disturbances.begin("Filler1", "reorder", 4_500);
    const { shown, right } = seconds(6);
    const [got, expected] = [of(shown, pressure), of(right, pressure)];
    expect(got.slice(0, 4)).toEqual([expected[1], expected[0], expected[3], expected[2]]);
    expect(byTime(shown)).toEqual(byTime(right));
    expect(of(shown, "Capper1.PV.ClosingTorque")).toEqual(of(right, "Capper1.PV.ClosingTorque"));
  });

  it("F24: a burst brings ten readings for one, in order of time, no two neighbours alike", () => {
    const { disturbances, seconds } = rig();
    disturbances.begin("Filler1", "burst", 2_500);
    const { shown, right } = seconds(2);
    const got = of(shown, pressure);
    expect(got).toHaveLength(10 * of(right, pressure).length);
    expect(got).toEqual(byTime(got));
    expect(new Set(got.map(([, time]) => time)).size).toBe(got.length);
    for (let i = 1; i < 10; i++) expect(got[i][2]).not.toBe(got[i - 1][2]);
    expect(of(shown, count)).toEqual(of(right, count));
  });

  it("F22: a reset counter shows 0 at its next count and counts on from there", () => {
    const { disturbances, seconds } = rig();
    disturbances.begin("Filler1", "counterReset", 0);
    const { shown, right } = seconds(5);
    const first = Number(of(right, count)[0][2]);
    expect(first).toBeGreaterThan(100);
    expect(of(shown, count).map(([, , v]) => v)).toEqual(of(right, count).map(([, , v]) => Number(v) - first));
    expect(of(shown, "Capper1.Admin.ProdProcessedCount")).toEqual(of(right, "Capper1.Admin.ProdProcessedCount"));
  });

  it("F22: a counter rolls over at a round number and loses no count", () => {
    const { disturbances, seconds } = rig();
    disturbances.begin("Filler1", "counterRollover", 0);
    const { shown, right } = seconds(5);
    const [got, expected] = [of(shown, count), of(right, count)].map((rows) => rows.map(([, , v]) => Number(v)));
    const at = got.findIndex((value, i) => value !== expected[i]);
    expect(at).toBeGreaterThan(0);
    const limit = expected[at] - got[at];
    expect(limit % 10).toBe(0);
    expect(got.slice(at)).toEqual(expected.slice(at).map((value) => value - limit));
    expect(got[at]).toBeLessThan(got[at - 1]);
  });

  it("F22: after a download the machine was silent, shows what changed meanwhile, and counts from 0", () => {
    const { disturbances, seconds } = rig();
    disturbances.begin("Filler1", "plcDownload", 3_500);
    expect(seconds(3).shown.filter(([address]) => address.startsWith("Filler1."))).toEqual([]);
    const { shown, right } = seconds(2);
    expect(of(shown, pressure)).toEqual(of(right, pressure));
    // States are sent at a change only: the last one was before, and is told now.
    expect(of(shown, "Filler1.Status.StateCurrent")).toHaveLength(1);
    expect(Number(of(shown, count)[0][2])).toBeLessThan(100);
  });
});
