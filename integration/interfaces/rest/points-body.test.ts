import {
  type Columns,
  columnsMediaType,
  encodeColumns,
  ingestLimits,
  ProblemError,
  valueAt,
  valueTypeAt,
  valueTypeCode,
} from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DecodedPoints, decodePointsBody } from "./points-body.ts";

const json = (text: string): DecodedPoints => decodePointsBody("application/json", Buffer.from(text));
const one = (value: string): DecodedPoints => json(`{"tag":"a","time":1,"value":${value}}`);
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
  return "none";
};
const columnsOf = (rows: number, more: Partial<Columns> = {}): Columns => ({
  rows,
  tag: new Int32Array(rows),
  time: new Float64Array(rows).fill(5),
  value: new Float64Array(rows),
  status: null,
  type: null,
  ordinal: null,
  originalTime: null,
  exact: null,
  ...more,
});
const binary = (columns: Columns, names: string[] | null = ["a"]): DecodedPoints =>
  decodePointsBody(columnsMediaType, encodeColumns(columns, names));

describe("JSON rows", () => {
  it.each([
    ["1.5", 1.5, "double"],
    ["-0", -0, "double"],
    ["5e-324", 5e-324, "double"],
    ["1e308", 1e308, "double"],
    ["9007199254740993", 9007199254740993n, "int64"],
    ["-9223372036854775808", -(2n ** 63n), "int64"],
    ['{"int64":"7"}', 7, "int64"],
    ['{"double":"NaN"}', NaN, "double"],
    ['{"double":"-Infinity"}', -Infinity, "double"],
    ["true", true, "boolean"],
    ["null", null, "null"],
    ['"NaN"', "NaN", "string"],
    ['""', "", "string"],
    ['"quoted \\" 🏭"', 'quoted " 🏭', "string"],
    ['{"bytes":"AAH/"}', Uint8Array.from([0, 1, 255]), "bytes"],
  ])("F23, A39: keeps %s exactly", (text, value, type) => {
    const { columns, faults } = one(text);
    expect(faults).toEqual([]);
    expect(valueAt(columns, 0)).toStrictEqual(value);
    expect(valueTypeAt(columns, 0)).toBe(type);
  });

  it.each(
    [
      ["1e999", "number_out_of_range"],
      ["-1e999", "number_out_of_range"],
      ["9223372036854775808", "number_out_of_range"],
      ["1".repeat(400), "number_out_of_range"],
      ['{"int64":"x"}', "value_invalid"],
      ['{"double":"1"}', "value_invalid"],
      ['{"double":"NaN","int64":"1"}', "value_invalid"],
      ["{}", "value_invalid"],
      ["[1]", "value_invalid"],
      ['"a\\u0000b"', "json_encoding"],
      ['"\\ud800"', "json_encoding"],
      [`"${"x".repeat(ingestLimits.valueBytes + 1)}"`, "value_too_large"],
      [`"${"ä".repeat(ingestLimits.valueBytes / 2 + 1)}"`, "value_too_large"],
    ].map(([text, code]) => [text.slice(0, 40), code, text]),
  )("A39: refuses the value %s as %s, the rest is taken", (_, code, text) => {
    const { columns, faults, faultSamples } = json(
      `[{"tag":"a","value":1},{"tag":"b","time":7,"value":${text}},{"tag":"c","value":2}]`,
    );
    expect(faults).toMatchObject([{ row: 1, code }]);
    expect(faultSamples).toMatchObject([{ tag: "b", time: 7 }]);
    expect([...columns.value]).toEqual([1, 2]);
  });

  it.each([
    ["no object", "5", "request_invalid"],
    ["a list", "[1,2]", "request_invalid"],
    ["no tag", '{"value":1}', "name_invalid"],
    ["a number as tag", '{"tag":5,"value":1}', "name_invalid"],
    ["no value", '{"tag":"a"}', "value_invalid"],
    ["a time without zone", '{"tag":"a","value":1,"time":"2026-11-22T06:00:00"}', "time_invalid"],
    ["a broken time", '{"tag":"a","value":1,"time":1.5}', "time_invalid"],
    ["a time beyond 2^53", '{"tag":"a","value":1,"time":9007199254740993}', "time_invalid"],
    ["a time before all time", '{"tag":"a","value":1,"time":-9000000000000000}', "time_invalid"],
    ["null as time", '{"tag":"a","value":1,"time":null}', "time_invalid"],
    ["a negative status", '{"tag":"a","value":1,"status":-1}', "status_invalid"],
    ["a status in text", '{"tag":"a","value":1,"status":"Good"}', "status_invalid"],
    ["an ordinal beyond 16 bits", '{"tag":"a","value":1,"ordinal":65536}', "request_invalid"],
    ["a field that we do not know", '{"tag":"a","value":1,"unit":"Cel"}', "request_invalid"],
  ])("refuses a row with %s and takes the rest", (_, row, code) => {
    const { columns, faults, names } = json(`{"points":[{"tag":"x","value":1},${row},{"tag":"x","value":2}]}`);
    expect(faults).toMatchObject([{ row: 1, code }]);
    expect([...columns.value]).toEqual([1, 2]);
    expect(names).toEqual(["x"]);
  });

  it("reads times as µs and as RFC 3339, from 1970 to 2100, and leaves a missing one open", () => {
    const times = ["0", "-1", '"1970-01-01T00:00:00Z"', '"2100-01-01T00:00:00.000001+01:00"', "4102444800000000"];
    const { columns, faults } = json(
      `[${times.map((t) => `{"tag":"a","value":1,"time":${t}}`)},{"tag":"a","value":1}]`,
    );
    expect(faults).toEqual([]);
    expect([...columns.time]).toEqual([0, -1, 0, 4102441200000001, 4102444800000000, NaN]);
  });

  it("A30: keeps any name as it is; the platform below judges it", () => {
    const names = ["'; DROP TABLE t;--", '"', "$1", "🏭", "\u202eabc", "x".repeat(10_000), "a\0b"];
    expect(json(JSON.stringify(names.map((tag) => ({ tag, value: 1 })))).names).toEqual(names);
  });

  it("takes ordinals from the source when it gives any", () => {
    expect(json('[{"tag":"a","value":1}]').ordinalsGiven).toBe(false);
    const { columns, ordinalsGiven } = json('[{"tag":"a","value":1},{"tag":"a","value":2,"ordinal":1}]');
    expect(ordinalsGiven).toBe(true);
    expect([...(columns.ordinal ?? [])]).toEqual([0, 1]);
  });

  it("refuses bodies that are no points at all, and too many", () => {
    for (const body of ["5", "null", '"x"', "{}", '{"points":5}', '{"values":[1]}'])
      expect(codeOf(() => json(body))).toBe("request_invalid");
    const point = '{"tag":"a","value":1}';
    expect(codeOf(() => json(`[${Array(ingestLimits.rows + 1).fill(point)}]`))).toBe("too_many_rows");
  });
});

describe("columnar JSON", () => {
  it("reads names, base time, status, ordinal and type", () => {
    const body = {
      names: ["a", "b"],
      tag: [0, 1, 1],
      timeBase: 1_000_000,
      time: [0, 1, null],
      value: [1, true, { bytes: "AA==" }],
      status: [0, 0x80000000, 0],
      ordinal: [0, 0, 2],
      type: [1, 2, 4],
    };
    const { columns, names, ordinalsGiven, faults } = json(JSON.stringify(body));
    expect(faults).toEqual([]);
    expect(names).toEqual(["a", "b"]);
    expect(ordinalsGiven).toBe(true);
    expect([...columns.time]).toEqual([1_000_000, 1_000_001, NaN]);
    expect([...(columns.status ?? [])]).toEqual([0, 0x80000000, 0]);
    expect([...(columns.type ?? [])]).toEqual([valueTypeCode.int64, valueTypeCode.boolean, valueTypeCode.bytes]);
    expect(valueAt(columns, 2)).toEqual(Uint8Array.from([0]));
  });

  it("reads one tag id for all rows", () => {
    const { columns, names } = json('{"tag":7,"time":[1,2],"value":[1,2.5]}');
    expect(names).toBeNull();
    expect([...columns.tag]).toEqual([7, 7]);
  });

  it.each([
    ["columns of different length", '{"tag":[1],"time":[1,2],"value":[1,2]}'],
    ["no tags", '{"time":[1],"value":[1]}'],
    ["a column that is none", '{"tag":1,"time":[1],"value":[1],"status":5}'],
    ["an unknown column", '{"tag":1,"time":[1],"value":[1],"quality":[1]}'],
    ["a broken base", '{"tag":1,"timeBase":1.5,"time":[1],"value":[1]}'],
    ["names that are no texts", '{"names":[1],"tag":[0],"time":[1],"value":[1]}'],
  ])("refuses %s as a whole", (_, body) => {
    expect(codeOf(() => json(body))).toBe("columns_invalid");
  });

  it.each([
    ["a tag beyond the names", { tag: [0, 5, 0] }, "tag_unknown"],
    ["a tag that is no number", { tag: [0, "a", 0] }, "tag_unknown"],
    ["a fraction as time", { time: [1, 1.5, 2] }, "time_invalid"],
    ["a text as time", { time: [1, "2026-11-22T06:00:00Z", 2] }, "time_invalid"],
    ["a broken status", { status: [0, 1.5, 0] }, "status_invalid"],
    ["an unknown type", { type: [0, 9, 0] }, "value_invalid"],
    ["a boolean for a number", { type: [0, 0, 0], value: [1, true, 3] }, "value_invalid"],
    ["a fraction for an int64", { type: [1, 1, 1], value: [1, 1.5, 3] }, "value_invalid"],
    ["no value", { value: [1, {}, 3] }, "value_invalid"],
  ])("refuses a row with %s and takes the rest", (_, change, code) => {
    const { columns, faults } = json(
      JSON.stringify({ names: ["a"], tag: [0, 0, 0], time: [1, 2, 3], value: [1, 2, 3], ...change }),
    );
    expect(faults).toMatchObject([{ row: 1, code }]);
    expect(columns.rows).toBe(2);
  });
});

describe("binary columns", () => {
  it("reads in place when the bytes are aligned, and copies when they are not", () => {
    const frame = encodeColumns(columnsOf(3, { value: Float64Array.of(1, 2, 3) }), ["a"]);
    const aligned = decodePointsBody(columnsMediaType, frame);
    expect(aligned.columns.value.buffer).toBe(frame.buffer);
    const shifted = new Uint8Array(frame.length + 1);
    shifted.set(frame, 1);
    expect([...decodePointsBody(columnsMediaType, shifted.subarray(1)).columns.value]).toEqual([1, 2, 3]);
  });

  it("refuses every truncation", () => {
    const columns = columnsOf(2, { type: Uint8Array.of(3, 0), exact: { row: [0], value: ["text"] } });
    const frame = encodeColumns(columns, ["a", "b"]);
    for (let length = 0; length < frame.length; length++)
      expect(codeOf(() => decodePointsBody(columnsMediaType, frame.slice(0, length)))).toBe("columns_invalid");
  });

  it("refuses rows with broken times, lossy integers and over-long texts one by one", () => {
    const time = Float64Array.of(1, 1.5, Infinity, NaN, 5, 6, 7);
    const type = Uint8Array.of(0, 0, 0, 0, 1, 3, 3);
    const value = Float64Array.of(1, 2, 3, 4, 2 ** 60, NaN, NaN);
    const exact = { row: [5, 6], value: ["x".repeat(ingestLimits.valueBytes + 1), "a\0"] };
    const { columns, faults } = binary(columnsOf(7, { time, type, value, exact }));
    expect(faults.map(({ row, code }) => [row, code]).sort()).toEqual([
      [1, "time_invalid"],
      [2, "time_invalid"],
      [4, "number_out_of_range"],
      [5, "value_too_large"],
      [6, "json_encoding"],
    ]);
    expect([...columns.value]).toEqual([1, 4]);
  });

  it("refuses the server's own column and too many rows", () => {
    expect(codeOf(() => binary(columnsOf(1, { originalTime: Float64Array.of(1) })))).toBe("columns_invalid");
    expect(codeOf(() => binary(columnsOf(ingestLimits.rows + 1)))).toBe("too_many_rows");
  });

  it("fuzz: any bytes and any damage end in columns or in an own error", () => {
    const base = encodeColumns(
      columnsOf(4, { type: Uint8Array.of(3, 1, 0, 2), exact: { row: [0, 1], value: ["ab", 2n ** 60n] } }),
      ["a", "b"],
    );
    const damaged = fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 6 }).map((edits) => {
      const bytes = base.slice();
      for (const [at, byte] of edits) bytes[at] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        const code = codeOf(() => decodePointsBody(columnsMediaType, bytes));
        expect(["none", "columns_invalid", "too_many_rows"]).toContain(code);
      }),
      { numRuns: 3000 },
    );
  });
});

it("fuzz: JSON of about the right shape loses no row: taken + refused = sent", () => {
  const cell = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom(1, 5, "a", 1.5, -1, null));
  const row = fc.record({ tag: cell, time: cell, value: cell, status: cell, ordinal: cell }, { requiredKeys: [] });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), (points) => {
      const body = JSON.stringify({ points });
      const code = codeOf(() => json(body));
      if (code !== "none") {
        expect(["reserved_key", "json_encoding"]).toContain(code);
        return;
      }
      const { columns, faults, faultSamples } = json(body);
      expect(columns.rows + faults.length).toBe(points.length);
      expect(faultSamples.length).toBe(faults.length);
    }),
    { numRuns: 500 },
  );
});

it("refuses other media types", () => {
  expect(codeOf(() => decodePointsBody("text/csv", Buffer.from("a")))).toBe("media_type_unsupported");
});
