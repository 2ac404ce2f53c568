import fc from "fast-check";
import { Value as Schema } from "typebox/value";
import { describe, expect, it } from "vitest";
import { type TemplateConfig, TemplateSchema } from "./config.ts";
import { Learner } from "./learn.ts";
import { PayloadError, readPayload } from "./payload.ts";
import { readTemplate } from "./template.ts";

const template = (change: Record<string, unknown> = {}): TemplateConfig =>
  Schema.Parse(TemplateSchema, Schema.Default(TemplateSchema, { topic: "a/{b}", ...change })) as TemplateConfig;
const read = (payload: string, change: Record<string, unknown> = {}): unknown[] =>
  readPayload(template(change), Buffer.from(payload)).map(({ name, time, value, status }) =>
    Number.isNaN(time) ? [name, value, status] : [name, value, status, time],
  );
const code = (payload: string | Uint8Array, change: Record<string, unknown> = {}): string => {
  try {
    readPayload(template(change), Buffer.from(payload));
    return "accepted";
  } catch (error) {
    expect(error).toBeInstanceOf(PayloadError);
    return (error as PayloadError).code;
  }
};

describe("scalars", () => {
  const cases: [string, string, unknown][] = [
    ["21.5", "any", 21.5],
    [" -3\n", "any", -3],
    ["+7", "any", 7],
    [".5", "any", 0.5],
    ["1e3", "any", 1000],
    ["9007199254740993", "any", 9007199254740993n],
    ["true", "any", true],
    ["FALSE", "any", false],
    ["on", "any", "on"],
    ["on", "boolean", true],
    ["0", "boolean", false],
    ["null", "any", null],
    ["NaN", "any", Number.NaN],
    ["-Infinity", "any", Number.NEGATIVE_INFINITY],
    ['"quoted"', "any", "quoted"],
    ["Läuft", "any", "Läuft"],
    ["42", "text", "42"],
    ["0x10", "any", "0x10"],
  ];
  for (const [payload, type, value] of cases)
    it(`${payload} as ${type}`, () => expect(read(payload, { type })).toEqual([[null, value, 0]]));

  it("what does not fit the declared type is bad, not bent", () => {
    expect(read("hot", { type: "number" })).toEqual([[null, null, 0x80740000]]);
    expect(read("2", { type: "boolean" })).toEqual([[null, null, 0x80740000]]);
  });
});

describe("JSON", () => {
  const json = { payload: "json" };
  it("{value, timestamp}", () => {
    const change = { ...json, timePath: "timestamp", values: [{ path: "value", name: "v" }] };
    expect(read('{"value":1.5,"timestamp":1795000000000}', change)).toEqual([["v", 1.5, 0, 1795000000000000]]);
    expect(read('{"value":1.5,"timestamp":1795000000}', change)).toEqual([["v", 1.5, 0, 1795000000000000]]);
    expect(read('{"value":1.5,"timestamp":"2026-11-22T06:00:00.000001Z"}', change)).toEqual([
      ["v", 1.5, 0, 1795327200000001],
    ]);
    expect(code('{"value":1.5,"timestamp":"yesterday"}', change)).toBe("time_invalid");
    expect(code('{"value":1.5}', change)).toBe("mqtt_value_missing");
  });

  it("by path, partly present, and everything when no path is given", () => {
    const values = [{ path: "data.temps[1]" }, { path: "data.name", type: "text" }, { path: "gone" }];
    const payload = '{"data":{"temps":[1,2],"name":"x","big":9007199254740993},"n":null}';
    expect(read(payload, { ...json, values })).toEqual([
      ["data.temps[1]", 2, 0],
      ["data.name", "x", 0],
    ]);
    expect(read(payload, json)).toEqual([
      ["data.temps[0]", 1, 0],
      ["data.temps[1]", 2, 0],
      ["data.name", "x", 0],
      ["data.big", 9007199254740993n, 0],
      ["n", null, 0],
    ]);
    expect(read("[1,true]", json)).toEqual([
      ["[0]", 1, 0],
      ["[1]", true, 0],
    ]);
    expect(code("{}", { ...json, values })).toBe("mqtt_value_missing");
  });

  it("quality in the three forms that are seen", () => {
    const q = (style: string, quality: unknown): unknown =>
      (
        read(JSON.stringify({ v: 1, quality }), {
          ...json,
          values: [{ path: "v" }],
          quality: { path: "quality", style },
        })[0] as unknown[]
      )[2];
    expect([q("statusCode", 0), q("statusCode", 0x80310000)]).toEqual([0, 0x80310000]);
    expect([q("opcDa", 192), q("opcDa", 64), q("opcDa", 0)]).toEqual([0, 0x40000000, 0x80000000]);
    expect([q("good", "GOOD"), q("good", true), q("good", "bad"), q("good", null)]).toEqual([0, 0, 0x80000000, 0]);
  });

  it("columns", () => {
    const change = { payload: "columns", timePath: "t", timeUnit: "ms" };
    expect(read('{"t":[1,2],"v":[10,20],"w":[true,"x"]}', change)).toEqual([
      ["v", 10, 0, 1000],
      ["v", 20, 0, 2000],
      ["w", true, 0, 1000],
      ["w", "x", 0, 2000],
    ]);
    expect(code('{"t":[1],"v":[10,20]}', change)).toBe("mqtt_payload_invalid");
    expect(code('{"t":[1]}', change)).toBe("mqtt_value_missing");
  });

  it("hostile payloads", () => {
    expect(code("[".repeat(100_000), json)).toBe("json_too_deep");
    expect(code("{", json)).toBe("mqtt_payload_invalid");
    expect(code(Uint8Array.of(0xc3, 0x28), json)).toBe("mqtt_payload_invalid");
    expect(code(JSON.stringify(Array.from({ length: 2000 }, () => 1)), json)).toBe("too_many_rows");
    expect(code(JSON.stringify({ v: "x".repeat(70_000) }), json)).toBe("value_too_large");
    expect(
      read('{"__proto__":{"polluted":1},"constructor":2}', {
        ...json,
        values: [{ path: "constructor" }, { path: "polluted" }],
      }),
    ).toEqual([["constructor", 2, 0]]);
    expect(code('{"v":1}', { ...json, values: [{ path: "toString" }] })).toBe("mqtt_value_missing");
  });

  it("any bytes: values or its own error", () => {
    const shapes = fc.constantFrom(
      {},
      json,
      { payload: "columns" },
      { ...json, timePath: "t", values: [{ path: "v" }] },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.json().map((text) => new Uint8Array(Buffer.from(text))),
        ),
        shapes,
        (payload, shape) => {
          code(payload, shape);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("templates", () => {
  const match = (change: Record<string, unknown>, topic: string): string | null | undefined => {
    const ready = readTemplate(template(change));
    return typeof ready === "string" ? undefined : ready.match(topic);
  };
  it("levels become the tag", () => {
    expect(match({ topic: "plant/{line}/{machine}/t" }, "plant/1/press/t")).toBe("plant/1/press/t");
    const tag = { topic: "plant/{line}/{machine}/t", tag: "{machine}@{line}" };
    expect(match(tag, "plant/1/press/t")).toBe("press@1");
    expect(match(tag, "plant/1/press/u")).toBeNull();
    expect(match(tag, "plant/1/press/t/x")).toBeNull();
    expect(match({ topic: "x/{rest...}", tag: "{rest}" }, "x/a/b")).toBe("a/b");
    expect(match({ topic: "x/{rest...}" }, "x")).toBeNull();
  });
  it("faults are said", () => {
    for (const topic of ["a/+", "a/#", "a/{b}c", "{a}/{a}", "{a...}/b", "$SYS/{a}"])
      expect(typeof readTemplate(template({ topic })), topic).toBe("string");
    expect(readTemplate(template({ topic: "a/{b}", tag: "{c}" }))).toMatch(/\{c\}/);
  });
});

describe("learning", () => {
  it("proposes templates from what is published", () => {
    const learner = new Learner();
    for (const machine of ["press", "oven"]) {
      learner.observe(`plant/1/${machine}/temp`, Buffer.from("21.5"));
      learner.observe(`plant/2/${machine}/temp`, Buffer.from("22"));
      learner.observe(`plant/1/${machine}/state`, Buffer.from('{"value":3,"timestamp":1795000000000}'));
    }
    learner.observe("plant/1/log", Buffer.from('{"t":[1,2],"v":[3,4]}'));
    expect(learner.proposals()).toMatchObject([
      { topic: "plant/{level2}/{level3}/temp", payload: "scalar", topics: 4 },
      {
        topic: "plant/1/{level3}/state",
        payload: "json",
        timePath: "timestamp",
        values: [{ path: "value" }],
        topics: 2,
      },
      { topic: "plant/1/log", payload: "columns", timePath: "t", values: [{ path: "v" }] },
    ]);
    for (const { topic, payload, values, timePath } of learner.proposals()) {
      expect(
        typeof readTemplate(template({ topic, payload, values, ...(timePath === undefined ? {} : { timePath }) })),
      ).toBe("object");
    }
  });
});
