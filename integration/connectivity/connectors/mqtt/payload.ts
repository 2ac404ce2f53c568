import { type Micros, type ProblemCode, parseTimeUs, type Value } from "@lineshaft/contract/api";
import type { TemplateConfig } from "./config.ts";

/** One value of a payload. `name` is null for a bare scalar; `time` is NaN without a source time. */
export interface PayloadValue {
  name: string | null;
  time: Micros;
  value: Value;
  status: number;
}

/** A payload that cannot be read as its template says. */
export class PayloadError extends Error {
  override name = "PayloadError";
  readonly code: ProblemCode;

  constructor(code: ProblemCode, message: string) {
    super(message);
    this.code = code;
  }
}

export const payloadLimits = { depth: 32, values: 10_000, arrayElements: 1000, textBytes: 65_536 } as const;
/** OPC UA Part 4: the value does not have the declared type; the last usable value, of unknown age. */
export const statusBadTypeMismatch = 0x80740000;
export const statusLastUsable = 0x40900000;
const statusBad = 0x80000000;

type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };
type Declared = "any" | "number" | "boolean" | "text";
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

export function readPayload(template: TemplateConfig, payload: Uint8Array): PayloadValue[] {
  const text = textOf(payload);
  if (template.payload === "scalar") return [typed(null, NaN, scalar(text, template.type), template.type, 0)];
  const json = parseJson(text);
  return template.payload === "columns" ? columns(template, json) : byPath(template, json);
}

function textOf(payload: Uint8Array): string {
  try {
    return utf8.decode(payload);
  } catch {
    throw new PayloadError("mqtt_payload_invalid", "The payload is not UTF-8 text.");
  }
}

const numeric = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const boolean = /^(true|false|on|off)$/i;

/** A bare value as machines write it. Text that looks like nothing else stays text. */
function scalar(text: string, type: Declared): Value {
  const trimmed = text.trim();
  if (type === "text") return text;
  if (numeric.test(trimmed))
    return type === "boolean" && /^[01]$/.test(trimmed) ? trimmed === "1" : exactNumber(trimmed);
  if (/^(true|false)$/i.test(trimmed) || (type === "boolean" && boolean.test(trimmed)))
    return /^(true|on)$/i.test(trimmed);
  if (trimmed === "null") return null;
  if (/^[+-]?(nan|inf(inity)?)$/i.test(trimmed)) {
    if (/nan/i.test(trimmed)) return NaN;
    return trimmed.startsWith("-") ? -Infinity : Infinity;
  }
  // JSON text, as some gateways send it.
  if (trimmed.length >= 2 && trimmed.startsWith('"') && trimmed.endsWith('"')) {
    try {
      return String(JSON.parse(trimmed));
    } catch {
      return text;
    }
  }
  return text;
}

/** Whole numbers beyond ±2^53 stay exact up to int64; beyond it a number is only near. */
function exactNumber(text: string): number | bigint {
  const number = Number(text);
  if (Number.isSafeInteger(number) || !/^[+-]?\d+$/.test(text)) return number;
  const exact = BigInt(text.replace(/^\+/, ""));
  return BigInt.asIntN(64, exact) === exact ? exact : number;
}

function parseJson(text: string): Json {
  let depth = 0;
  let quoted = false;
  // Before parsing: Node takes a million levels without complaint, and walking them does not.
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === 92) i++;
      else if (c === 34) quoted = false;
    } else if (c === 34) quoted = true;
    else if (c === 91 || c === 123) {
      if (++depth > payloadLimits.depth)
        throw new PayloadError("json_too_deep", `The JSON is nested more than ${payloadLimits.depth} levels.`);
    } else if (c === 93 || c === 125) depth--;
  }
  try {
    // Only beyond ±2^53 a number must be looked at one by one, which is slow; a time in microseconds is far below.
    if (!/\d{17}|9\d{15}/.test(text)) return JSON.parse(text) as Json;
    return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) =>
      typeof value === "number" && context?.source !== undefined ? exactNumber(context.source) : value,
    ) as Json;
  } catch (error) {
    throw new PayloadError(
      "mqtt_payload_invalid",
      `The payload is not JSON: ${(error as Error).message.slice(0, 200)}`,
    );
  }
}

const steps = (path: string): string[] => path.split(/\.|\[|\]\.?/).filter((step) => step !== "");

/** What stands at a path; undefined when there is nothing. Own properties only. */
function at(json: Json, path: string): Json | undefined {
  let here: Json | undefined = json;
  for (const step of steps(path)) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<string, Json>)[step];
  }
  return here;
}

function byPath(template: TemplateConfig, json: Json): PayloadValue[] {
  const time = template.timePath === undefined ? NaN : timeOf(at(json, template.timePath), template);
  const status = template.quality === undefined ? 0 : statusOf(at(json, template.quality.path), template.quality.style);
  const out: PayloadValue[] = [];
  if (template.values.length === 0) {
    const skip = new Set([template.timePath, template.quality?.path]);
    leaves(json, "", (name, value) => {
      if (!skip.has(name)) out.push(typed(name === "" ? null : name, time, value, "any", status));
    });
    return out;
  }
  for (const { path, name, type } of template.values) {
    const value = at(json, path);
    // A message with only what has changed is normal; one with none of it is not.
    if (value === undefined) continue;
    if (typeof value !== "object" || value === null) out.push(typed(name ?? path, time, value, type, status));
    else leaves(value, name ?? path, (leaf, inner) => out.push(typed(leaf, time, inner, type, status)));
  }
  if (out.length === 0) {
    const wanted = template.values
      .map(({ path }) => path)
      .slice(0, 5)
      .join(", ");
    throw new PayloadError("mqtt_value_missing", `The payload has none of: ${wanted}.`);
  }
  return out;
}

/** Every scalar below, with its path. */
function leaves(json: Json, path: string, found: (path: string, value: Value) => void): void {
  let count = 0;
  const visit = (value: Json, here: string): void => {
    if (typeof value !== "object" || value === null) {
      if (++count > payloadLimits.values)
        throw new PayloadError("too_many_rows", `More than ${payloadLimits.values} values in one message.`);
      found(here, value);
    } else if (Array.isArray(value)) {
      if (value.length > payloadLimits.arrayElements)
        throw new PayloadError(
          "too_many_rows",
          `The array "${here}" has more than ${payloadLimits.arrayElements} elements.`,
        );
      for (let i = 0; i < value.length; i++) visit(value[i], `${here}[${i}]`);
    } else {
      for (const [key, inner] of Object.entries(value)) visit(inner, here === "" ? key : `${here}.${key}`);
    }
  };
  visit(json, path);
}

/** `{"t":[…],"a":[…],"b":[…]}`, or the same as an array of rows' objects turned on its side. One time for all is taken too. */
function columns(template: TemplateConfig, json: Json): PayloadValue[] {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new PayloadError("mqtt_payload_invalid", "A columnar payload is an object of arrays.");
  const times = template.timePath === undefined ? undefined : at(json, template.timePath);
  const wanted =
    template.values.length > 0
      ? template.values
      : Object.keys(json)
          .filter((key) => key !== template.timePath && Array.isArray(json[key]))
          .map((path) => ({ path, name: path, type: "any" as const }));
  const out: PayloadValue[] = [];
  for (const { path, name, type } of wanted) {
    const column = at(json, path);
    if (column === undefined) continue;
    if (!Array.isArray(column)) throw new PayloadError("mqtt_payload_invalid", `"${path}" is not an array.`);
    if (Array.isArray(times) && times.length !== column.length)
      throw new PayloadError(
        "mqtt_payload_invalid",
        `"${path}" has ${column.length} entries, the times ${times.length}.`,
      );
    if (out.length + column.length > payloadLimits.values)
      throw new PayloadError("too_many_rows", `More than ${payloadLimits.values} values in one message.`);
    column.forEach((value, i) => {
      const time = times === undefined ? NaN : timeOf(Array.isArray(times) ? times[i] : times, template);
      out.push(typed(name ?? path, time, value, type, 0));
    });
  }
  if (out.length === 0) throw new PayloadError("mqtt_value_missing", "The payload has none of the columns.");
  return out;
}

/** A value against what was declared: what does not fit is bad, and not bent until it fits. */
function typed(name: string | null, time: Micros, value: Json | Value, type: Declared, status: number): PayloadValue {
  const scalarValue = typeof value === "object" && value !== null ? undefined : value;
  const fits =
    scalarValue !== undefined &&
    (type === "any" ||
      scalarValue === null ||
      (type === "number" && (typeof scalarValue === "number" || typeof scalarValue === "bigint")) ||
      (type === "boolean" && typeof scalarValue === "boolean") ||
      (type === "text" && typeof scalarValue === "string"));
  if (!fits) return { name, time, value: null, status: statusBadTypeMismatch };
  if (
    typeof scalarValue === "string" &&
    scalarValue.length > payloadLimits.textBytes / 4 &&
    Buffer.byteLength(scalarValue) > payloadLimits.textBytes
  )
    throw new PayloadError("value_too_large", `A text has more than ${payloadLimits.textBytes} bytes.`);
  return { name, time, value: scalarValue, status };
}

const unitUs = { s: 1e6, ms: 1e3, us: 1, ns: 1e-3 } as const;

function timeOf(value: Json | undefined, template: TemplateConfig): Micros {
  if (value === undefined || value === null)
    throw new PayloadError("mqtt_value_missing", `The payload has no time at "${template.timePath}".`);
  if (typeof value === "number" || typeof value === "bigint") {
    const number = Number(value);
    // Seconds until the year 5138, milliseconds until then, and so on: no overlap for any plant.
    const size = Math.abs(number);
    const unit =
      template.timeUnit === "auto"
        ? size < 1e11
          ? "s"
          : size < 1e14
            ? "ms"
            : size < 1e17
              ? "us"
              : "ns"
        : template.timeUnit;
    const time = Math.round(number * unitUs[unit]);
    if (Number.isSafeInteger(time)) return time;
  } else if (typeof value === "string") {
    const time = parseTimeUs(value);
    if (time !== null) return time;
  }
  throw new PayloadError(
    "time_invalid",
    `"${String(value).slice(0, 60)}" is no time: a number since 1970, or RFC 3339 with a zone.`,
  );
}

function statusOf(value: Json | undefined, style: NonNullable<TemplateConfig["quality"]>["style"]): number {
  if (value === undefined || value === null) return 0;
  if (style === "good") return value === true || /^(true|good|ok)$/i.test(String(value)) ? 0 : statusBad;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number > 0xffffffff) return statusBad;
  if (style === "statusCode") return number;
  // OPC DA: the two bits of the quality field.
  const quality = (number >> 6) & 3;
  return quality === 3 ? 0 : quality === 1 ? 0x40000000 : statusBad;
}
