import { Type } from "typebox";

/**
 * The data type of one value. Stored beside it row by row, so that a source may change its type and nothing is coerced.
 * The numbers are part of the binary format.
 */
export const valueTypes = ["double", "int64", "boolean", "string", "bytes", "null"] as const;
export type ValueType = (typeof valueTypes)[number];
export const valueTypeCode = { double: 0, int64: 1, boolean: 2, string: 3, bytes: 4, null: 5 } as const;

/** A value as programs see it. int64 beyond ±2^53 is a bigint; nothing is rounded. An unsigned integer from 2^63 on, which int64 does not have, is text: its decimal digits. */
export type Value = number | bigint | boolean | string | Uint8Array | null;
/** What does not fit into a float64 column without loss. */
export type ExactValue = bigint | string | Uint8Array;

/**
 * A value in JSON. Numbers, booleans, text and null stand for themselves; an integer token of any size within int64 is
 * kept exactly. What JSON cannot say is written as an object: `{"double":"NaN"}` (also Infinity, -Infinity, -0),
 * `{"int64":"9007199254740993"}`, `{"bytes":"base64"}`.
 */
export const JsonValueSchema = Type.Union(
  [
    Type.Number(),
    Type.Boolean(),
    Type.String(),
    Type.Null(),
    Type.Object({ double: Type.Enum(["NaN", "Infinity", "-Infinity", "-0"]) }, { additionalProperties: false }),
    Type.Object({ int64: Type.String({ pattern: "^-?[0-9]{1,19}$" }) }, { additionalProperties: false }),
    Type.Object({ bytes: Type.String({ contentEncoding: "base64" }) }, { additionalProperties: false }),
  ],
  { description: "A value; objects stand for what JSON numbers cannot say (NaN, ±Infinity, −0, large int64, bytes)." },
);
export type JsonValue =
  | number
  | boolean
  | string
  | null
  | { double: "NaN" | "Infinity" | "-Infinity" | "-0" }
  | { int64: string }
  | { bytes: string };

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** JSON form to value; `undefined` when it is no value (wrong shape, beyond int64). A bigint is accepted as itself. */
export function valueFromJson(json: unknown): Value | undefined {
  switch (typeof json) {
    case "number":
    case "boolean":
    case "string":
      return json;
    case "bigint":
      return json >= int64Min && json <= int64Max ? json : undefined;
    case "object": {
      if (json === null) return null;
      if (json instanceof Uint8Array) return json;
      const keys = Object.keys(json);
      if (keys.length !== 1) return undefined;
      const text = (json as Record<string, unknown>)[keys[0]];
      if (typeof text !== "string") return undefined;
      if (keys[0] === "double") return ["NaN", "Infinity", "-Infinity", "-0"].includes(text) ? Number(text) : undefined;
      if (keys[0] === "int64") return /^-?\d{1,19}$/.test(text) ? valueFromJson(BigInt(text)) : undefined;
      if (keys[0] === "bytes") return /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? base64ToBytes(text) : undefined;
      return undefined;
    }
    default:
      return undefined;
  }
}

/** Value to its JSON form; exact for every value. */
export function valueToJson(value: Value): JsonValue {
  if (typeof value === "number") {
    if (Number.isNaN(value)) return { double: "NaN" };
    if (value === Infinity) return { double: "Infinity" };
    if (value === -Infinity) return { double: "-Infinity" };
    return Object.is(value, -0) ? { double: "-0" } : value;
  }
  if (typeof value === "bigint") return { int64: value.toString() };
  if (value instanceof Uint8Array) return { bytes: bytesToBase64(value) };
  return value;
}

function base64ToBytes(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

function bytesToBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
