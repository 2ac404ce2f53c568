import { Type } from "typebox";

/**
 * Time in µs since 1970-01-01T00:00:00Z, an integer held in a float64 (exact until the year 2255).
 * Every field of this kind ends in `Us` or is called `time`.
 */
export type Micros = number;

export const MicrosSchema = Type.Number({
  description: "Time in µs since 1970-01-01T00:00:00Z (an integer).",
  minimum: -8_640_000_000_000_000,
  maximum: 9_007_199_254_740_991,
  multipleOf: 1,
});

/** What requests accept as a time: µs since 1970 as a number, or RFC 3339 text with an explicit zone. */
export const TimeInputSchema = Type.Union([MicrosSchema, Type.String({ maxLength: 40 })], {
  description: "µs since 1970 UTC as an integer, or RFC 3339 text with a zone, e.g. 2026-11-22T06:00:00.123456Z.",
});

export const secondUs = 1_000_000;
export const minuteUs = 60 * secondUs;
export const hourUs = 60 * minuteUs;
export const dayUs = 24 * hourUs;

const rfc3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * RFC 3339 text, or µs as a number or as decimal text, to µs. `null` when it is neither: a time without a zone is
 * not a point in time. Digits beyond the microsecond are cut off.
 */
export function parseTimeUs(input: string | number): Micros | null {
  if (typeof input === "number") return Number.isSafeInteger(input) ? input : null;
  if (/^-?\d{1,16}$/.test(input)) return Number(input);
  const match = rfc3339.exec(input);
  if (!match) return null;
  // biome-ignore lint/style/noRestrictedGlobals: a pure conversion, reads no clock
  const wholeMs = Date.parse(`${match[1]}T${match[2]}${match[4].toUpperCase()}`);
  if (Number.isNaN(wholeMs)) return null;
  return wholeMs * 1000 + Number((match[3] ?? "").padEnd(6, "0").slice(0, 6));
}

/** µs to RFC 3339 UTC text with microseconds, e.g. `2026-11-22T06:00:00.000001Z`. */
export function formatTimeUs(timeUs: Micros): string {
  const second = Math.floor(timeUs / secondUs);
  const fraction = String(timeUs - second * secondUs).padStart(6, "0");
  // biome-ignore lint/style/noRestrictedGlobals: a pure conversion, reads no clock
  return `${new Date(second * 1000).toISOString().slice(0, -5)}.${fraction}Z`;
}
