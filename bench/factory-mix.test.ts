import { type Columns, decodeColumns, qualityOf, valueAt, valueTypeAt } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { FactoryMix, jitterMaxUs, kindOf, rowsPerBatch, tagsPerMachine } from "./factory-mix.ts";

const ids = Array.from({ length: 2 * rowsPerBatch }, (_, i) => i + 1);
const noonUs = Date.UTC(2026, 10, 22, 12) * 1000;

/** Frames of consecutive scans of one batch, decoded by the contract's own reader. */
function scans(mix: FactoryMix, batch: number, count: number, first = 0): Columns[] {
  return Array.from({ length: count }, (_, i) => {
    const frame = mix.newFrame();
    mix.fill(frame, batch, first + i, noonUs + i * 1e6);
    return decodeColumns(frame.body).columns;
  });
}

const column = (frames: Columns[], row: number): number[] => frames.map(({ value }) => value[row]);

describe("factory mix", () => {
  const mix = new FactoryMix(ids);
  const frames = scans(mix, 1, 2_000);

  it("is 40 % states, 20 % counters, 40 % analogs, with the types they have on the wire", () => {
    const seen = { state: 0, counter: 0, analog: 0 };
    for (let i = 0; i < rowsPerBatch; i++) {
      const kind = kindOf(i % tagsPerMachine);
      seen[kind]++;
      expect(valueTypeAt(frames[0], i)).toBe(kind === "analog" ? "double" : "int64");
    }
    expect(seen).toEqual({ state: 400, counter: 200, analog: 400 });
    expect(frames[0].tag[0]).toBe(rowsPerBatch + 1);
    expect(qualityOf(frames[0].status?.[0] ?? 0)).toBe("good");
  });

  it("states stay for about 60 scans", () => {
    let changes = 0;
    for (let machine = 0; machine < 100; machine++) {
      const values = column(frames, machine * tagsPerMachine);
      for (let i = 1; i < values.length; i++) if (values[i] !== values[i - 1]) changes++;
    }
    // 17 of 18 drawn states are another one.
    const dwell = (100 * 2_000) / changes;
    expect(dwell).toBeGreaterThan(50);
    expect(dwell).toBeLessThan(80);
  });

  it("counters never fall, also when the values begin to repeat", () => {
    const long = scans(new FactoryMix(ids), 0, 5_000);
    for (const row of [4, 5, 504, 505]) {
      const values = column(long, row);
      for (let i = 1; i < values.length; i++) expect(values[i] - values[i - 1]).toBeGreaterThanOrEqual(0);
      expect(values[4_999]).toBeGreaterThan(values[0]);
    }
  });

  it("analogs have a resolution of 0.1 and noise in nearly every scan", () => {
    const values = column(frames, 6);
    for (const value of values) expect(value).toBe(Number(value.toFixed(1)));
    expect(values.filter((value, i) => i > 0 && value !== values[i - 1]).length).toBeGreaterThan(1_600);
  });

  it("machines are read up to 4 ms before the scan, all tags of one together; the first exactly at it", () => {
    const [{ time }] = frames;
    expect(time[0]).toBe(noonUs);
    const instants = new Set<number>();
    for (let i = 0; i < rowsPerBatch; i++) {
      expect(time[i]).toBe(time[i - (i % tagsPerMachine)]);
      expect(noonUs - time[i]).toBeGreaterThanOrEqual(0);
      expect(noonUs - time[i]).toBeLessThanOrEqual(jitterMaxUs);
      instants.add(time[i]);
    }
    expect(instants.size).toBeGreaterThan(80);
  });

  it("follows from its seed", () => {
    const values = (seed: number): number[] => [...scans(new FactoryMix(ids, seed), 0, 1, 77)[0].value];
    expect(values(1)).toEqual(values(1));
    expect(values(2)).not.toEqual(values(1));
  });

  it("says the same as columnar JSON", () => {
    const frame = mix.newFrame();
    mix.fill(frame, 0, 9, noonUs);
    const columns = decodeColumns(frame.body).columns;
    const json = JSON.parse(FactoryMix.json(frame)) as {
      tag: number[];
      timeBase: number;
      time: number[];
      value: number[];
    };
    expect(json.tag).toEqual([...columns.tag]);
    expect(json.time.map((t) => t + json.timeBase)).toEqual([...columns.time]);
    expect(json.value).toEqual(Array.from({ length: rowsPerBatch }, (_, i) => valueAt(columns, i)));
  });
});
