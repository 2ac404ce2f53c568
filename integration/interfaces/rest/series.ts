// Hot path: columns to JSON text, piece by piece.
import { type Columns, type Value, valueAt, valueToJson, valueTypeCode, type Warning } from "@lineshaft/contract/api";
import type { BucketColumns } from "@lineshaft/contract/ports";

const pieceRows = 4096;

/** Rows [from, to) of the value column as JSON array items, without brackets. */
function valuesJson(columns: Columns, from: number, to: number): string {
  if (columns.type === null && plain(columns.value, from, to)) return columns.value.subarray(from, to).join(",");
  const parts = new Array<string>(to - from);
  for (let i = from; i < to; i++) parts[i - from] = JSON.stringify(valueToJson(cell(columns, i)));
  return parts.join(",");
}

function cell(columns: Columns, row: number): Value {
  return columns.type === null || columns.type[row] === valueTypeCode.double
    ? columns.value[row]
    : valueAt(columns, row);
}

/** Only numbers that stand for themselves in JSON: no NaN, no infinities, no −0. */
function plain(value: Float64Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const v = value[i];
    if (v - v !== 0 || (v === 0 && 1 / v < 0)) return false;
  }
  return true;
}

/**
 * The columns of a small set of points as the inside of a JSON object; for stream events. There `type` is the event's, so the
 * rows' types are called `valueType`.
 */
export function pointsJson(columns: Columns): string {
  const n = columns.rows;
  let text = `"tag":[${columns.tag.join(",")}],"time":[${columns.time.join(",")}],"value":[${valuesJson(columns, 0, n)}]`;
  for (const [key, column] of optionalColumns(columns))
    text += `,"${key === "type" ? "valueType" : key}":[${joinNulls(column)}]`;
  return text;
}

function optionalColumns(columns: Columns): [string, Uint32Array | Uint16Array | Uint8Array | (number | null)[]][] {
  const all: [string, Uint32Array | Uint16Array | Uint8Array | (number | null)[] | null][] = [
    ["status", used(columns.status)],
    ["ordinal", used(columns.ordinal)],
    ["type", used(columns.type)],
    ["originalTime", columns.originalTime === null ? null : originalTimes(columns.originalTime)],
  ];
  return all.filter((entry): entry is [string, Uint32Array] => entry[1] !== null);
}

/** A column of zeros only says nothing. */
function used<T extends Uint32Array | Uint16Array | Uint8Array>(column: T | null): T | null {
  return column?.some((x) => x !== 0) ? column : null;
}

function originalTimes(column: Float64Array): (number | null)[] | null {
  return column.some((t) => !Number.isNaN(t)) ? Array.from(column, (t) => (Number.isNaN(t) ? null : t)) : null;
}

/** A `PointSeries` in pieces of some thousand rows, so that five million points never stand in one text. */
export function* pointSeriesJson(columns: Columns, cursor: string | null, warnings: Warning[]): Generator<string> {
  const n = columns.rows;
  yield `{"rows":${n},"tag":[`;
  yield* pieces(n, (from, to) => columns.tag.subarray(from, to).join(","));
  yield '],"time":[';
  yield* pieces(n, (from, to) => columns.time.subarray(from, to).join(","));
  yield '],"value":[';
  yield* pieces(n, (from, to) => valuesJson(columns, from, to));
  for (const [key, column] of optionalColumns(columns)) {
    yield `],"${key}":[`;
    yield* pieces(n, (from, to) => joinNulls(column.slice(from, to)));
  }
  yield `],"cursor":${JSON.stringify(cursor)},"warnings":${JSON.stringify(warnings)}}`;
}

// Array.prototype.join writes null as nothing.
function joinNulls(part: { join(by: string): string } | (number | null)[]): string {
  return Array.isArray(part) ? part.map((x) => (x === null ? "null" : x)).join(",") : part.join(",");
}

/** A `BucketSeries` in pieces. */
export function* bucketSeriesJson(buckets: BucketColumns): Generator<string> {
  const n = buckets.rows;
  yield `{"bucketUs":${buckets.bucketUs}`;
  const columns: [string, Int32Array | Float64Array | Uint32Array, boolean][] = [
    ["tag", buckets.tag, false],
    ["time", buckets.time, false],
    ["min", buckets.min, true],
    ["max", buckets.max, true],
    ["avg", buckets.avg, true],
    ["count", buckets.count, false],
    ["good", buckets.good, false],
    ["status", buckets.status, false],
  ];
  for (const [key, column, nullable] of columns) {
    yield `,"${key}":[`;
    yield* pieces(n, (from, to) => (nullable ? numbersOrNull(column, from, to) : column.subarray(from, to).join(",")));
    yield "]";
  }
  yield ',"last":[';
  yield* pieces(n, (from, to) => valuesJson(buckets.last, from, to));
  yield `],"warnings":${JSON.stringify(buckets.warnings)}}`;
}

function numbersOrNull(column: Int32Array | Float64Array | Uint32Array, from: number, to: number): string {
  const parts = new Array<string>(to - from);
  for (let i = from; i < to; i++) parts[i - from] = Number.isFinite(column[i]) ? String(column[i]) : "null";
  return parts.join(",");
}

function* pieces(rows: number, text: (from: number, to: number) => string): Generator<string> {
  for (let from = 0; from < rows; from += pieceRows) {
    const piece = text(from, Math.min(rows, from + pieceRows));
    yield from === 0 ? piece : `,${piece}`;
  }
}
