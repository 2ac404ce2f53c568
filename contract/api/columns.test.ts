import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Columns,
  ColumnsBuilder,
  ColumnsError,
  decodeColumns,
  encodeColumns,
  selectRows,
  valueAt,
} from "./columns.ts";
import { decodePointsFrame, encodePointsFrame } from "./stream.ts";
import { type Value, valueFromJson, valueToJson } from "./value.ts";

const anyValue: fc.Arbitrary<Value> = fc.oneof(
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.string({ unit: "grapheme" }),
  fc.uint8Array(),
  fc.constantFrom(NaN, -0, Infinity, 2n ** 53n + 1n, 5e-324, "", "🏭\"';--"),
);
const anyRow = fc.record({
  tag: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  time: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  value: anyValue,
  status: fc.constantFrom(0, 0x40000000, 0x80310000, 0xffffffff),
  ordinal: fc.integer({ min: 0, max: 3 }),
});

function build(rows: { tag: number; time: number; value: Value; status: number; ordinal: number }[]): Columns {
  const builder = new ColumnsBuilder(1);
  for (const r of rows) builder.add(r.tag, r.time, r.value, r.status, r.ordinal);
  return builder.build();
}

const rowAt = (c: Columns, i: number) => [c.tag[i], c.time[i], valueAt(c, i), c.status?.[i] ?? 0, c.ordinal?.[i] ?? 0];
/** A bigint within ±2^53 comes back as the number it equals; its type column still says int64. */
const asRead = (v: Value): Value => (typeof v === "bigint" && Number.isSafeInteger(Number(v)) ? Number(v) : v);

describe("columns", () => {
  it("come back from bytes exactly, at any alignment, with names and a prefix", () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 30 }), fc.integer({ min: 0, max: 7 }), (rows, shift) => {
        const columns = build(rows);
        const encoded = encodeColumns(columns, null, 16).subarray(16);
        const moved = new Uint8Array(encoded.length + 8).subarray(shift, shift + encoded.length);
        moved.set(encoded);
        const { columns: back, names } = decodeColumns(moved);
        expect(names).toBeNull();
        expect(back.rows).toBe(rows.length);
        expect(rows.map((_, i) => rowAt(back, i))).toEqual(
          rows.map((r) => [r.tag, r.time, asRead(r.value), r.status, r.ordinal]),
        );
      }),
    );
  });

  it("carry names", () => {
    const builder = new ColumnsBuilder();
    builder.add(1, 5, "x");
    builder.add(0, 6, 1.5);
    const { columns, names } = decodeColumns(encodeColumns(builder.build(), ["temperature", "état 🏭"]));
    expect(names).toEqual(["temperature", "état 🏭"]);
    expect([...columns.tag]).toEqual([1, 0]);
    builder.add(2, 6, 1.5);
    expect(() => decodeColumns(encodeColumns(builder.build(), ["a", "b"]))).toThrow(/name 2/);
  });

  it("never throw anything but their own error, whatever the bytes; every truncation is noticed", () => {
    const columns = build([
      { tag: 1, time: 2, value: "text", status: 0, ordinal: 0 },
      { tag: 1, time: 3, value: 2n ** 60n, status: 1, ordinal: 1 },
    ]);
    const good = encodeColumns(columns, null);
    for (let n = 0; n < good.length; n++) expect(() => decodeColumns(good.slice(0, n))).toThrow(ColumnsError);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), (edits) => {
        const bytes = good.slice();
        for (const [at, byte] of edits) bytes[at] = byte;
        try {
          const { columns: back } = decodeColumns(bytes);
          for (let i = 0; i < back.rows; i++) valueAt(back, i);
        } catch (error) {
          expect(error).toBeInstanceOf(ColumnsError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("selectRows keeps values, exact ones too", () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 20 }), fc.func(fc.boolean()), (rows, keep) => {
        const columns = build(rows);
        const kept = rows.flatMap((_, i) => (keep(i) ? [i] : []));
        const picked = selectRows(columns, kept);
        expect(kept.map((_, i) => rowAt(picked, i))).toEqual(kept.map((row) => rowAt(columns, row)));
      }),
    );
  });

  it("stand in stream frames", () => {
    const block = encodeColumns(build([{ tag: 3, time: 9, value: -0, status: 0, ordinal: 0 }]));
    const header = {
      type: "points.recorded",
      lsn: 4,
      cursor: "é",
      recordedTime: 9,
      connectionId: 1,
      late: false,
      corrected: [],
    } as const;
    const event = decodePointsFrame(encodePointsFrame({ ...header, corrected: [] }, block));
    expect(event).toMatchObject({ lsn: 4, cursor: "é" });
    expect(Object.is(valueAt(event.columns, 0), -0)).toBe(true);
  });

  it("values come back from JSON exactly", () => {
    fc.assert(
      fc.property(anyValue, (v) => {
        expect(valueFromJson(JSON.parse(JSON.stringify(valueToJson(v))))).toEqual(v);
      }),
    );
    expect(valueFromJson({ int64: "9223372036854775808" })).toBeUndefined();
    expect(valueFromJson({ a: 1 })).toBeUndefined();
    expect(valueFromJson([1])).toBeUndefined();
  });
});
