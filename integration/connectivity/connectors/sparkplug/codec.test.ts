import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dataType } from "./data-type.ts";
import { PayloadDecoder, SparkplugError } from "./decode.ts";
import { encodePayload, type MetricInput, type PayloadInput } from "./encode.ts";
import { metricFlag, SparkplugPayload, type Template } from "./payload.ts";
import { type ReadValue, readValue } from "./value.ts";

const decoder = new PayloadDecoder();
const decode = (bytes: Uint8Array): SparkplugPayload => decoder.decode(bytes, new SparkplugPayload());

function read(payload: SparkplugPayload, row: number, type?: number): ReadValue {
  const m = payload.metrics;
  const out: ReadValue = { value: null, integer: false, fault: null };
  readValue(out, type ?? m.type[row], m.field[row], m.number[row], m.lo[row], m.hi[row], m.object[row]);
  return out;
}
const through = (metric: MetricInput): ReadValue => read(decode(encodePayload({ metrics: [metric] })), 0);
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const fails = (input: Uint8Array): string => {
  try {
    decode(input);
    return "accepted";
  } catch (error) {
    expect(error).toBeInstanceOf(SparkplugError);
    return (error as SparkplugError).code;
  }
};

/** Metrics in templates in metrics …, written from the innermost outwards. */
function deep(levels: number): Uint8Array {
  const out = Buffer.alloc(levels * 12);
  let at = out.length;
  const prefix = (...key: number[]): void => {
    const length: number[] = [];
    let rest = out.length - at;
    for (; rest >= 128; rest >>>= 7) length.push((rest & 127) | 128);
    for (const byte of [...key, ...length, rest].reverse()) out[--at] = byte;
  };
  for (let i = 0; i < levels; i++) {
    prefix(0x12);
    prefix(0x92, 0x01);
  }
  prefix(0x12);
  return out.subarray(at);
}

describe("the wire, byte by byte (A48)", () => {
  it("reads a payload written by hand", () => {
    // timestamp 1000; metric { name "T", alias 5, timestamp 999, datatype 9 (Float), float 1.5 }; seq 7
    const payload = decode(bytes("08 e807 12 0f 0a0154 1005 18e707 2009 65 0000c03f 18 07"));
    expect(payload).toMatchObject({ timeMs: 1000, seq: 7 });
    const { metrics: m } = payload;
    expect([m.count, m.name[0], m.alias[0], m.timeMs[0], m.type[0]]).toEqual([1, "T", 5, 999, dataType.float]);
    expect(read(payload, 0).value).toBe(1.5);
  });

  const bad: [string, string, string][] = [
    ["a varint of 11 bytes", "08 ffffffffffffffffffff01", "spb_payload_invalid"],
    ["a length of 2 GB", "12 ffffffff07", "spb_payload_invalid"],
    ["a group", "0b 0c", "spb_payload_invalid"],
    ["field 0", "00 01", "spb_payload_invalid"],
    ["text that is not UTF-8", "12 04 0a02 c328", "spb_payload_invalid"],
    ["a sequence number of 256", "18 8002", "spb_payload_invalid"],
    ["an alias of 2^63", "12 0b 10 80808080808080808001", "spb_payload_invalid"],
    ["a float cut short", "12 03 65 0000", "spb_payload_invalid"],
  ];
  for (const [what, hex, code] of bad) it(`${what} → ${code}`, () => expect(fails(bytes(hex))).toBe(code));

  it("unknown fields are skipped, however large", () => {
    const large = Buffer.concat([bytes("9a06 80ade204"), Buffer.alloc(10_000_000), bytes("18 03")]);
    expect(decode(large).seq).toBe(3);
  });

  it("nesting and counts end at their limits", () => {
    let template: MetricInput = { name: "m", type: dataType.int32, value: 1 };
    for (let i = 0; i < 20; i++)
      template = { name: "t", type: dataType.template, value: { definition: false, members: [template] } };
    expect(fails(encodePayload({ metrics: [template] }))).toBe("spb_limits");
    // A million empty metrics take two bytes each.
    expect(fails(Buffer.alloc(2_000_000, bytes("12 00")))).toBe("spb_limits");
    expect(fails(encodePayload({ metrics: [{ name: "x".repeat(3000) }] }))).toBe("spb_limits");
    expect(fails(deep(50_000))).toBe("spb_limits");
  });
});

describe("data types", () => {
  const t = dataType;
  const cases: [keyof typeof dataType, MetricInput["value"], unknown][] = [
    ["int8", -1, -1],
    ["int8", -128, -128],
    ["int8", 127, 127],
    ["int16", -32768, -32768],
    ["int32", -1, -1],
    ["int32", -2147483648, -2147483648],
    ["int64", -1n, -1],
    ["int64", 9007199254740993n, 9007199254740993n],
    ["int64", -9223372036854775808n, -9223372036854775808n],
    ["uint8", 255, 255],
    ["uint16", 65535, 65535],
    ["uint32", 4294967295, 4294967295],
    ["uint64", 9007199254740993n, 9007199254740993n],
    ["uint64", 18446744073709551615n, "18446744073709551615"],
    ["float", 1.5, 1.5],
    ["double", -0, -0],
    ["double", Number.NaN, Number.NaN],
    ["double", Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ["boolean", true, true],
    ["boolean", false, false],
    ["string", "Grüße 🏭", "Grüße 🏭"],
    ["string", "", ""],
    ["dateTime", 1795000000000, 1795000000000],
    ["text", "a\nb", "a\nb"],
    ["uuid", "6f2c", "6f2c"],
    ["bytes", bytes("00ff"), bytes("00ff")],
    ["file", bytes("25504446"), bytes("25504446")],
    ["int8Array", bytes("ff7f"), "[-1,127]"],
    ["int16Array", bytes("00800100"), "[-32768,1]"],
    ["int32Array", bytes("ffffffff"), "[-1]"],
    ["int64Array", bytes("0100000000002000"), "[9007199254740993]"],
    ["uint8Array", bytes("ff"), "[255]"],
    ["uint16Array", bytes("ffff"), "[65535]"],
    ["uint32Array", bytes("ffffffff"), "[4294967295]"],
    ["uint64Array", bytes("ffffffffffffffff"), "[18446744073709551615]"],
    ["floatArray", bytes("0000c03f 0000c07f"), '[1.5,{"double":"NaN"}]'],
    ["doubleArray", bytes("000000000000f83f"), "[1.5]"],
    // 12 booleans, from the highest bit on: the specification's own example pattern.
    ["booleanArray", bytes("0c000000 3450"), JSON.stringify([0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 1].map((b) => b === 1))],
    ["stringArray", bytes("4142 00 4300"), '["AB","C"]'],
    ["dateTimeArray", bytes("e803000000000000"), "[1000]"],
  ];
  for (const [name, value, expected] of cases) {
    it(`${name} ${String(value)}`, () => {
      expect(through({ name: "m", type: t[name], value })).toMatchObject({ value: expected, fault: null });
    });
  }

  it("every one of the 34 types is read or is named as what has no value of its own", () => {
    const seen = new Set<string>([
      ...cases.map(([name]) => name),
      "unknown",
      "dataSet",
      "template",
      "propertySet",
      "propertySetList",
    ]);
    expect([...seen].sort()).toEqual(Object.keys(dataType).sort());
    expect(Object.keys(dataType)).toHaveLength(35);
  });

  it("signed integers in short and in sign-extended two's complement are the same", () => {
    for (const [type, short, extended] of [
      [t.int8, "ff01", "ffffffff0f"],
      [t.int16, "ffff03", "ffffffff0f"],
      [t.int8, "ff01", "ffffffffffffffffff01"],
    ] as const) {
      for (const hex of [short, extended]) {
        const metric = bytes(`20 0${type} 50 ${hex}`);
        expect(read(decode(Buffer.concat([bytes("12"), Uint8Array.of(metric.length), metric])), 0).value, hex).toBe(-1);
      }
    }
  });

  it("values outside their type are faults, not clipped", () => {
    const wire = (value: number): SparkplugPayload =>
      decode(encodePayload({ metrics: [{ name: "m", type: t.uint32, value }] }));
    expect(read(wire(200), 0, t.int8)).toMatchObject({ value: -56, fault: null });
    expect(read(wire(300), 0, t.int8).fault).toMatch(/8-bit/);
    expect(read(wire(256), 0, t.uint8).fault).toMatch(/8-bit/);
    expect(read(wire(70_000), 0, t.int16).fault).toMatch(/16-bit/);
    expect(read(wire(1), 0, t.string).fault).toMatch(/does not travel/);
    expect(read(wire(1), 0, 77).fault).toMatch(/not known/);
    expect(through({ name: "m", type: t.int16Array, value: bytes("00") }).fault).toMatch(/array/);
    expect(through({ name: "m", type: t.booleanArray, value: bytes("ff000000 00") }).fault).toMatch(/array/);
    expect(through({ name: "m", type: t.stringArray, value: bytes("41") }).fault).toMatch(/array/);
  });

  it("data sets become exact JSON; their shape is checked", () => {
    const value = {
      columns: ["id", "t"],
      types: [t.int64, t.double],
      rows: [
        [9007199254740993n, 1.5],
        [-1n, Number.NaN],
      ],
    };
    expect(through({ name: "m", type: t.dataSet, value }).value).toBe(
      '{"columns":["id","t"],"types":[4,10],"rows":[[9007199254740993,1.5],[-1,{"double":"NaN"}]]}',
    );
    expect(fails(encodePayload({ metrics: [{ value: { ...value, types: [t.int64], rows: [[1n]] } }] }))).toBe(
      "spb_payload_invalid",
    );
    expect(fails(encodePayload({ metrics: [{ value: { ...value, rows: [[1n]] } }] }))).toBe("spb_payload_invalid");
  });

  it("flags, properties and templates", () => {
    const payload = decode(
      encodePayload({
        metrics: [
          {
            name: "a",
            type: t.double,
            value: null,
            historical: true,
            transient: true,
            properties: { engUnit: { type: t.string, value: "Cel" }, Quality: { type: t.int32, value: 192 } },
          },
          {
            name: "b",
            type: t.template,
            value: {
              definition: true,
              version: "1",
              members: [{ name: "x", type: t.int32 }],
              parameters: [{ name: "p", type: t.double, value: 2 }],
            },
          },
        ],
      }),
    );
    const { metrics: m } = payload;
    expect(m.flags[0]).toBe(metricFlag.historical | metricFlag.transient | metricFlag.null);
    expect(m.properties[0]?.get("engUnit")).toMatchObject({ type: t.string, cell: { text: "Cel" } });
    expect(m.properties[0]?.get("Quality")).toMatchObject({ cell: { number: 192 } });
    const template = m.object[1] as Template;
    expect(template).toMatchObject({ definition: true, version: "1", reference: null });
    expect(template.members.name).toEqual(["x"]);
    expect(template.parameters).toMatchObject([{ name: "p", type: t.double, cell: { number: 2 } }]);
  });
});

describe("anything at all", () => {
  const scalar = fc.oneof(
    fc.record({ type: fc.constant(dataType.double), value: fc.double() }),
    fc.record({ type: fc.constant(dataType.int32), value: fc.integer() }),
    fc.record({ type: fc.constant(dataType.int64), value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) }),
    fc.record({ type: fc.constant(dataType.string), value: fc.string({ unit: "binary" }) }),
    fc.record({ type: fc.constant(dataType.bytes), value: fc.uint8Array() }),
    fc.record({ type: fc.constant(dataType.boolean), value: fc.boolean() }),
  );
  const metric = fc
    .record({ name: fc.string(), alias: fc.nat(), timeMs: fc.nat(), typed: scalar })
    .map(({ typed, ...rest }): MetricInput => ({ ...rest, ...typed }));
  const payload: fc.Arbitrary<PayloadInput> = fc.record({
    timeMs: fc.nat(),
    seq: fc.nat(255),
    metrics: fc.array(metric, { maxLength: 5 }),
  });

  it("what is written is read again", () => {
    fc.assert(
      fc.property(payload, (input) => {
        const out = decode(encodePayload(input));
        expect(out.seq).toBe(input.seq);
        expect(out.metrics.count).toBe(input.metrics!.length);
        input.metrics!.forEach((m, i) => {
          expect([out.metrics.name[i], out.metrics.alias[i], out.metrics.timeMs[i]]).toEqual([
            m.name,
            m.alias,
            m.timeMs,
          ]);
          const { value } = read(out, i);
          expect(typeof value === "number" && typeof m.value === "bigint" ? BigInt(value) : value).toEqual(m.value);
        });
      }),
      { numRuns: 200 },
    );
  });

  it("A28: cut at each byte, a payload is refused or read, and nothing else happens", () => {
    const whole = encodePayload({
      timeMs: 1000,
      seq: 1,
      metrics: [
        {
          name: "a",
          alias: 1,
          timeMs: 1,
          type: dataType.double,
          value: 1.5,
          properties: { engUnit: { type: 12, value: "mm" } },
        },
        { name: "b", type: dataType.dataSet, value: { columns: ["x"], types: [10], rows: [[1]] } },
        {
          name: "c",
          type: dataType.template,
          value: { definition: false, reference: "t", members: [{ name: "m", type: 3, value: -1 }] },
        },
      ],
    });
    for (let i = 0; i < whole.length; i++) {
      const outcome = fails(whole.subarray(0, i));
      expect(["accepted", "spb_payload_invalid"]).toContain(outcome);
    }
  });

  it("random and mutated bytes: only its own error, in bounded time and memory", () => {
    const mutated = fc
      .tuple(payload, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }))
      .map(([input, changes]) => {
        const out = encodePayload(input);
        for (const [at, byte] of changes) if (out.length > 0) out[at % out.length] = byte;
        return out;
      });
    const begin = performance.now();
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (input) => {
        const outcome = fails(input);
        expect(["accepted", "spb_payload_invalid", "spb_limits"]).toContain(outcome);
        if (outcome !== "accepted") return;
        const out = decode(input);
        // Two bytes make a metric: the columns never hold more than that.
        expect(out.metrics.count).toBeLessThanOrEqual(input.length / 2);
        for (let i = 0; i < out.metrics.count; i++)
          for (const type of [out.metrics.type[i], 32, 33, 16]) read(out, i, type);
      }),
      { numRuns: 800 },
    );
    expect(performance.now() - begin).toBeLessThan(10_000);
  });
});
