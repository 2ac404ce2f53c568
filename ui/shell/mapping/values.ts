import {
  type JsonValue,
  type Micros,
  type PointSeries,
  qualityOf,
  type Value,
  valueFromJson,
} from "@lineshaft/contract/api";

/** Raw values as people type and read them: numbers and true/false stand for themselves, all else is text; quotes make text of anything. */

type TableValue = number | boolean | string;

const number = /^[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?$/i;

/** Null: there is nothing, or a number beyond all numbers. */
export function parseNumber(text: string): number | null {
  const trimmed = text.trim();
  if (!number.test(trimmed)) return null;
  const value = Number(trimmed.replace(",", "."));
  return Number.isFinite(value) ? value : null;
}

/** Null: there is nothing. */
export function parseValue(text: string): TableValue | null {
  const trimmed = text.trim();
  if (/^".+"$/s.test(trimmed)) return trimmed.slice(1, -1);
  if (trimmed === "true" || trimmed === "false") return trimmed === "true";
  return parseNumber(trimmed) ?? (trimmed === "" ? null : trimmed);
}

export function valueInput(value: TableValue): string {
  const text = String(value);
  return parseValue(text) === value ? text : `"${text}"`;
}

/** What a table can name of a value as it came; null: it is none that a row could have. */
export function tableValue(value: Value): TableValue | null {
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  return typeof value === "boolean" || typeof value === "string" ? value : null;
}

/** A value that was recorded, how often, and when last. */
export interface Seen {
  value: TableValue;
  count: number;
  lastUs: Micros;
}

export interface Recording {
  /** The most frequent first. */
  values: Seen[];
  /** Different values beyond those listed. */
  others: number;
  /** Points that tell no state: bad quality, or no value. */
  bad: number;
  points: number;
  /** There were more points than were read. */
  more: boolean;
}

/** Different values of a recording; beyond `most` only that there are more. */
export function recordingOf(series: PointSeries, most: number): Recording {
  const seen = new Map<string, Seen>();
  let bad = 0;
  for (let i = 0; i < series.rows; i++) {
    const raw = valueFromJson(series.value[i] as JsonValue);
    const value = raw === undefined ? null : tableValue(raw);
    if (value === null || qualityOf(series.status?.[i] ?? 0) === "bad") {
      bad++;
      continue;
    }
    const key = `${typeof value} ${value}`;
    const known = seen.get(key);
    if (known === undefined) seen.set(key, { value, count: 1, lastUs: series.time[i] });
    else {
      known.count++;
      known.lastUs = Math.max(known.lastUs, series.time[i]);
    }
  }
  const values = [...seen.values()].sort((a, b) => b.count - a.count || b.lastUs - a.lastUs);
  return {
    values: values.slice(0, most),
    others: Math.max(0, values.length - most),
    bad,
    points: series.rows,
    more: series.cursor !== null,
  };
}
