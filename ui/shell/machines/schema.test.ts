import { describe, expect, it } from "vitest";
import { faultOf, fieldsOf, isSound, labelOf, type Schema, shapeOf, variantOf, withField } from "./schema.ts";

const secret = { type: "string", description: "Password; a reference to a secret, never the secret itself." };
const identity: Schema = {
  default: { kind: "anonymous" },
  anyOf: [
    { type: "object", title: "Anonymous", properties: { kind: { const: "anonymous" } } },
    {
      type: "object",
      title: "User",
      required: ["kind", "userName", "password"],
      properties: { kind: { const: "user" }, userName: { type: "string" }, password: secret },
    },
  ],
};
const schema: Schema = {
  type: "object",
  required: ["host", "port", "identity"],
  properties: {
    host: { type: "string", maxLength: 5, pattern: "^[a-z]+$" },
    port: { type: "integer", minimum: 1, maximum: 65_535, default: 502 },
    periodMs: { type: "integer", minimum: 10, default: 1000 },
    identity,
    neverRead: { type: "array", items: { type: "string", pattern: "^holding:" } },
  },
};

describe("the form of a connector's schema", () => {
  it.each<[Schema, string]>([
    [{ type: "string" }, "text"],
    [{ type: "string", maxLength: 100_000 }, "longText"],
    [secret, "secret"],
    [{ enum: ["a", "b"] }, "choice"],
    [{ anyOf: [{ const: 0 }, { const: 1 }] }, "choice"],
    [identity, "variants"],
    [{ type: "boolean" }, "yesNo"],
    [{ type: "array", items: { type: "string" } }, "texts"],
    [{ type: "array", items: { type: "object" } }, "list"],
    [{ type: "object" }, "group"],
  ])("asks for %j as %s", (field, shape) => expect(shapeOf(field)).toBe(shape));

  it("puts first what must be given and what people look for", () => {
    const { first, more } = fieldsOf(schema);
    expect(first.map(({ name, required }) => [name, required])).toEqual([
      ["host", true],
      ["port", false],
      ["identity", false],
    ]);
    expect(more.map(({ name }) => name)).toEqual(["periodMs", "neverRead"]);
  });

  it.each([
    ["keepAliveMs", "Keep alive", "ms"],
    ["endpointUrl", "Endpoint URL", null],
    ["unitId", "Unit id", null],
    ["historyHours", "History", "h"],
  ])("calls %s %s", (name, text, unit) => expect(labelOf(name)).toEqual({ text, unit }));

  it.each<[string, unknown, string | null]>([
    ["host", undefined, "missing"],
    ["host", "Plc", "pattern"],
    ["host", "abcdef", "tooLong"],
    ["port", undefined, null],
    ["port", 1.5, "notWhole"],
    ["port", 0, "tooSmall"],
    ["port", 70_000, "tooGreat"],
    ["port", Number.NaN, "notANumber"],
    ["host", "plc", null],
  ])("%s %j: %s", (name, value, code) => {
    expect(faultOf(schema.properties?.[name] ?? {}, value, name === "host")?.code ?? null).toBe(code);
  });

  it("is sound when all of it is, down to variants and lists", () => {
    expect(isSound(schema, { host: "plc" })).toBe(true);
    expect(isSound(schema, {})).toBe(false);
    expect(isSound(schema, { host: "plc", identity: { kind: "user", userName: "reader" } })).toBe(false);
    expect(isSound(schema, { host: "plc", neverRead: ["coil:1"] })).toBe(false);
    expect(variantOf(identity, { kind: "user" })?.title).toBe("User");
  });

  it("leaves out what is taken back, and keeps the order", () => {
    expect(withField({ a: 1, b: 2 }, "a", 3)).toEqual({ a: 3, b: 2 });
    expect(Object.keys(withField({ a: 1, b: 2 }, "a", 3))).toEqual(["a", "b"]);
    expect(withField({ a: 1 }, "a", "")).toEqual({});
  });
});
