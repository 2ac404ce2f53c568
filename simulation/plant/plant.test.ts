import { type Columns, type Micros, parseTimeUs, secondUs, valueAt, valueTypeAt } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import {
  type BottlingLine,
  conveyorBottles,
  firstSerial,
  lineKinds,
  machineryState,
  PlantLine,
  shiftAt,
  shiftUs,
} from "./index.ts";

const [bottling, parts] = lineKinds;
// Twenty minutes into a shift: everything runs, and little has to be played first.
const start = parseTimeUs("2026-11-22T05:20:00Z") as Micros;

type Row = [address: string, time: Micros, value: unknown, type: string];
function rowsOf(line: PlantLine, columns: Columns): Row[] {
  return Array.from({ length: columns.rows }, (_, i) => [
    line.signals[columns.tag[i]].address,
    columns.time[i],
    valueAt(columns, i),
    valueTypeAt(columns, i),
  ]);
}

function play(kind: (typeof lineKinds)[number], seed: number, fromUs: Micros, seconds: number): Row[] {
  const line = new PlantLine(kind, seed, fromUs);
  return rowsOf(line, line.advance(fromUs + seconds * secondUs));
}

describe("the plant is a function of seed and instant", () => {
  it.each(lineKinds.map((kind) => [kind.connection, kind] as const))("%s: same seed, same rows", (_, kind) => {
    const once = play(kind, 7, start, 600);
    expect(once.length).toBeGreaterThan(900);
    expect(play(kind, 7, start, 600)).toEqual(once);
    expect(play(kind, 8, start, 600)).not.toEqual(once);
  });

  it.each(lineKinds.map((kind) => [kind.connection, kind] as const))(
    "%s: after a restart it goes on as if it had never stopped",
    (_, kind) => {
      const later = start + 300 * secondUs;
      const through = play(kind, 7, start, 600).filter(([, time]) => time >= later + secondUs);
      const restarted = play(kind, 7, later, 300).filter(([, time]) => time >= later + secondUs);
      expect(restarted).toEqual(through);
    },
  );

  it("two runs that meet at any instant miss no scan and repeat none", () => {
    for (const meet of [0, 1, 196_000, 197_500, 199_999]) {
      const first = new PlantLine(bottling, 3, start);
      const second = new PlantLine(bottling, 3, start + meet);
      const times = [...first.advance(start + meet).time, ...second.advance(start + secondUs).time];
      expect(new Set(times).size).toBe(new Set(new PlantLine(bottling, 3, start).advance(start + secondUs).time).size);
    }
  });

  it("steps of any size give the same rows", () => {
    const line = new PlantLine(bottling, 3, start);
    const rows: Row[] = [];
    for (let at = start; at < start + 60 * secondUs; at += 370_000) rows.push(...rowsOf(line, line.advance(at)));
    rows.push(...rowsOf(line, line.advance(start + 60 * secondUs)));
    expect(rows).toEqual(play(bottling, 3, start, 60));
  });

  it("times of a signal ascend strictly, also over the change of shift", () => {
    const boundary = 5 * 3600 * secondUs + shiftAt(start) * shiftUs;
    for (const kind of lineKinds) {
      const last = new Map<string, number>();
      const rows = play(kind, 1, boundary - 30 * secondUs, 60);
      const wrong = rows.filter(([address, time]) => {
        const before = last.get(address) ?? 0;
        last.set(address, time);
        return time <= before;
      });
      expect(wrong).toEqual([]);
      expect(rows.length).toBeGreaterThan(100);
    }
  });
});

describe("bottling line", () => {
  it("counts bottles only while executing, and bottles between machines stay on the conveyor", () => {
    const line = new PlantLine(bottling, 11, start);
    const model = line.model as BottlingLine;
    const wrong: string[] = [];
    let before = model.stations.map((s) => s.processed);
    for (let at = start; at < start + 2 * 3600 * secondUs; at += 200_000) {
      line.advance(at);
      for (const [i, { unit, processed }] of model.stations.entries())
        if (processed !== before[i] && unit.state !== "execute") wrong.push(`station ${i} counts in ${unit.state}`);
      before = model.stations.map((s) => s.processed);
      for (const [i, on] of model.conveyors.entries()) {
        const up = model.stations[i];
        const between = up.processed - up.rejected - model.stations[i + 1].processed;
        if (on !== between || on < 0 || on > conveyorBottles[i]) wrong.push(`conveyor ${i} holds ${on} of ${between}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(before[3]).toBeGreaterThan(10_000);
  });

  it("a whole shift shows micro stops, a breakdown somewhere, starving, blocking and changeovers", () => {
    const seen = new Set<unknown>();
    for (const seed of [1, 2])
      for (const [address, , value] of play(bottling, seed, start, 7 * 3600))
        if (address.endsWith("StateName")) seen.add(value);
    expect([...seen]).toEqual(
      expect.arrayContaining(["stopped", "execute", "held", "suspended", "aborted", "complete", "starting"]),
    );
  });

  it("process values depend on the state: no torque without execution", () => {
    let state = "";
    const wrong = play(bottling, 5, start, 1800).filter(([address, , value]) => {
      if (address === "Capper1.Status.StateName") state = String(value);
      return address === "Capper1.PV.ClosingTorque" && state !== "" && Number(value) > 100 !== (state === "execute");
    });
    expect(wrong).toEqual([]);
    expect(state).not.toBe("");
  });

  it("analogs have a resolution of 0.1", () => {
    const analogs = play(bottling, 5, start, 60).filter(
      ([address, , value]) => address.includes(".PV.") && typeof value === "number",
    );
    expect(analogs.length).toBeGreaterThan(1_000);
    expect(analogs.filter(([, , value]) => value !== Number(Number(value).toFixed(1)))).toEqual([]);
  });
});

describe("parts line", () => {
  it("serial numbers are exact beyond 2^53 and rise by one with each part", () => {
    const serials = play(parts, 5, start, 1800)
      .filter(([address]) => address === "Press1.SerialNumber")
      .map(([, , value, type]) => {
        expect(type).toBe("int64");
        return value as bigint;
      });
    expect(serials.length).toBeGreaterThan(300);
    for (const [i, serial] of serials.entries()) {
      expect(serial).toBeGreaterThan(firstSerial);
      if (i > 0) expect(serial - serials[i - 1]).toBe(1n);
    }
  });

  it("each part has one pulse", () => {
    const rows = play(parts, 5, start, 3600);
    const pulses = rows.filter(([address, , value]) => address === "Press1.StrokePulse" && value === true).length;
    const counts = rows.filter(([address]) => address === "Press1.PartCount").map(([, , value]) => value as number);
    expect(pulses).toBeGreaterThan(100);
    expect(Math.abs(pulses - (counts[counts.length - 1] - counts[0]))).toBeLessThanOrEqual(2);
  });

  it("order numbers stay text with their leading zeros", () => {
    const order = play(parts, 5, start, 1).find(([address]) => address === "Press1.OrderNumber");
    expect(order?.[2]).toMatch(/^PP000\d{7}$/);
    expect(order?.[3]).toBe("string");
  });

  it.each([
    ["execute", "Executing", "Processing"],
    ["held", "NotExecuting", "Processing"],
    ["aborted", "OutOfService", "Maintenance"],
    ["complete", "NotExecuting", "Setup"],
  ] as const)("PackML %s is %s in mode %s", (state, itemState, operationMode) => {
    expect(machineryState(state)).toEqual({ itemState, operationMode });
  });
});
