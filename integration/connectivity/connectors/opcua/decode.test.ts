import type { Value } from "@lineshaft/contract/api";
import {
  coerceNodeId,
  DataType,
  DataValue,
  LocalizedText,
  QualifiedName,
  StatusCodes,
  Variant,
  VariantArrayType,
} from "node-opcua-client";
import { describe, expect, test } from "vitest";
import { type DecodedValue, dataTypeName, decode, timeOf, type WireDataValue, type WireVariant } from "./decode.ts";

const BadEncodingLimitsExceeded = 0x80080000;
const scalar = (dataType: DataType, value: unknown): DecodedValue =>
  decode(new Variant({ dataType, value, arrayType: VariantArrayType.Scalar }) as unknown as WireVariant);
const array = (dataType: DataType, value: unknown, dimensions?: number[]): Value =>
  decode(
    new Variant({
      dataType,
      value,
      arrayType: dimensions ? VariantArrayType.Matrix : VariantArrayType.Array,
      dimensions,
    }) as unknown as WireVariant,
  ).value;

describe("Values of OPC UA's built-in types", () => {
  const uuid = "72962B91-FA75-4AE6-8D28-B404DC7DAF63";
  const int64 = "int64";
  // biome-ignore format: a table
  test.each<[string, DataType, unknown, Value, "int64"?]>([
    ["Boolean", DataType.Boolean, true, true],
    ["SByte", DataType.SByte, -128, -128, int64],
    ["Byte", DataType.Byte, 255, 255, int64],
    ["Int16", DataType.Int16, -32768, -32768, int64],
    ["UInt16", DataType.UInt16, 65535, 65535, int64],
    ["Int32", DataType.Int32, -2147483648, -2147483648, int64],
    ["UInt32", DataType.UInt32, 4294967295, 4294967295, int64],
    ["Int64 at its least", DataType.Int64, [0x80000000, 0], -(2n ** 63n), int64],
    ["Int64 −1", DataType.Int64, [0xffffffff, 0xffffffff], -1n, int64],
    ["Int64 2^53 + 1", DataType.Int64, [0x00200000, 1], 2n ** 53n + 1n, int64],
    ["UInt64 within int64", DataType.UInt64, [0x7fffffff, 0xffffffff], 2n ** 63n - 1n, int64],
    ["UInt64 beyond int64", DataType.UInt64, [0xffffffff, 0xffffffff], "18446744073709551615"],
    ["Float", DataType.Float, Math.fround(0.1), 0.10000000149011612],
    ["Double −0", DataType.Double, -0, -0],
    ["Double NaN", DataType.Double, NaN, NaN],
    ["String", DataType.String, "Zürich ☃", "Zürich ☃"],
    ["String null", DataType.String, null, null],
    ["Guid", DataType.Guid, uuid, uuid],
    ["ByteString", DataType.ByteString, Buffer.from([1, 2]), new Uint8Array([1, 2])],
    ["StatusCode", DataType.StatusCode, StatusCodes.BadTimeout, 0x800a0000, int64],
    ["QualifiedName", DataType.QualifiedName, new QualifiedName({ namespaceIndex: 3, name: "Speed" }), "3:Speed"],
    ["LocalizedText", DataType.LocalizedText, new LocalizedText({ locale: "de", text: "Läuft" }), "Läuft"],
    ["NodeId", DataType.NodeId, coerceNodeId("ns=2;s=Press"), "ns=2;s=Press"],
    ["Null", DataType.Null, null, null],
  ])("%s", (_, dataType, given, value, type) => {
    const decoded = scalar(dataType, given);
    expect(decoded.value).toEqual(value);
    expect(decoded.type).toBe(type);
    expect(decoded.fault).toBe(0);
  });

  test("DateTime is µs since 1970; no time is no value", () => {
    const date = Object.assign(new Date(1_700_000_000_123), { picoseconds: 456_700_000 });
    expect(decode({ dataType: 13, arrayType: 0, value: date })).toEqual({
      value: 1_700_000_000_123_456,
      type: "int64",
      fault: 0,
    });
    expect(decode({ dataType: 13, arrayType: 0, value: new Date("1601-01-01T00:00:00Z") }).value).toBe(null);
  });

  test("a Variant that the wire carries comes out as it went in", () => {
    const variant = new Variant({ dataType: DataType.Double, value: 1 / 3 });
    expect(decode(variant as unknown as WireVariant).value).toBe(1 / 3);
    expect(dataTypeName(variant as unknown as WireVariant)).toBe("Double");
  });
});

describe("Arrays and structures are JSON text", () => {
  test("arrays, typed and of text; matrices by their dimensions", () => {
    expect(array(DataType.Double, new Float64Array([1, 2.5]))).toBe("[1,2.5]");
    expect(array(DataType.String, ["a", null, 'b"'])).toBe('["a",null,"b\\""]');
    expect(array(DataType.Int32, new Int32Array([1, 2, 3, 4, 5, 6]), [2, 3])).toBe("[[1,2,3],[4,5,6]]");
    expect(array(DataType.Int64, [[0x00200000, 1]])).toBe("[9007199254740993]");
    expect(array(DataType.Double, new Float64Array([NaN, -0]))).toBe('[{"double":"NaN"},{"double":"-0"}]');
  });

  test("one element that was asked for by its index is that element", () => {
    const one = new Variant({
      dataType: DataType.Double,
      value: new Float64Array([7]),
      arrayType: VariantArrayType.Array,
    });
    expect(decode(one as unknown as WireVariant, true)).toEqual({ value: 7, fault: 0 });
    expect(decode(one as unknown as WireVariant).value).toBe("[7]");
  });

  test("a structure's fields by their names and with their types", () => {
    const structure = {
      schema: {
        fields: [
          { name: "count", fieldType: "UInt64" },
          { name: "at", fieldType: "DateTime" },
        ],
      },
      count: [0x00200000, 1],
      at: new Date(1_000),
      label: new LocalizedText({ text: "hi" }),
      parts: [{ ok: true }],
    };
    expect(decode({ dataType: 22, arrayType: 0, value: structure }).value).toBe(
      '{"count":9007199254740993,"at":1000000,"label":"hi","parts":[{"ok":true}]}',
    );
  });

  test("nesting and size have bounds: a lying server costs a bad value, not our memory (A42)", () => {
    let deep: object = {};
    for (let i = 0; i < 10_000; i++) deep = { deep };
    expect(decode({ dataType: 22, arrayType: 0, value: deep })).toEqual({
      value: null,
      fault: BadEncodingLimitsExceeded,
    });
    const wide = { dataType: 12, arrayType: 1, value: new Array(2_000).fill("x".repeat(1_000)) };
    expect(decode(wide)).toEqual({ value: null, fault: BadEncodingLimitsExceeded });
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(decode({ dataType: 22, arrayType: 0, value: cycle }).fault).toBe(BadEncodingLimitsExceeded);
  });
});

describe("Times", () => {
  const at = (source: Date | null, server: Date | null): WireDataValue =>
    Object.assign(new DataValue({ value: { dataType: DataType.Double, value: 1 } }), {
      sourceTimestamp: source,
      sourcePicoseconds: 1_999_900,
      serverTimestamp: server,
      serverPicoseconds: 0,
    }) as unknown as WireDataValue;

  test("the source's first, then the server's, then none", () => {
    expect(timeOf(at(new Date(5), new Date(9)))).toBe(5_001);
    expect(timeOf(at(null, new Date(9)))).toBe(9_000);
    expect(timeOf(at(new Date("1601-01-01T00:00:00Z"), null))).toBe(NaN);
  });
});
