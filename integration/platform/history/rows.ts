// Hot path: imperative on purpose. How history holds stored rows in memory, their total order, and exact values as bytes.
import { type Columns, type ExactColumn, type ExactValue, valueTypeCode } from "@lineshaft/contract/api";

/** The row replaces all rows of its (tag, time, ordinal) that have a smaller LSN. */
export const flagCorrection = 1;
/** The value is −0. */
export const flagNegativeZero = 8;

/** Which columns of a block differ from their default anywhere; columns that do not are neither stored nor read. */
export interface Presence {
  ordinal: boolean;
  status: boolean;
  type: boolean;
  flag: boolean;
  lsn: boolean;
  orig: boolean;
  exact: boolean;
}

export const nothingPresent: Presence = {
  ordinal: false,
  status: false,
  type: false,
  flag: false,
  lsn: false,
  orig: false,
  exact: false,
};

export function presentInEither(a: Presence, b: Presence): Presence {
  return {
    ordinal: a.ordinal || b.ordinal,
    status: a.status || b.status,
    type: a.type || b.type,
    flag: a.flag || b.flag,
    lsn: a.lsn || b.lsn,
    orig: a.orig || b.orig,
    exact: a.exact || b.exact,
  };
}

/**
 * Stored rows as columns; null columns hold the default. Beside the contract's columns stand `flag` and `lsn` (0: on time, so it
 * counts as known at its own time). `exact` holds bytes in an order-preserving form, see `encodeExact`.
 */
export interface Rows {
  n: number;
  tag: Int32Array;
  time: Float64Array;
  value: Float64Array;
  ordinal: Uint16Array | null;
  status: Uint32Array | null;
  type: Uint8Array | null;
  flag: Uint8Array | null;
  lsn: Float64Array | null;
  orig: Float64Array | null;
  exact: Map<number, Uint8Array> | null;
}

export function newRows(capacity: number, p: Presence): Rows {
  return {
    n: 0,
    tag: new Int32Array(capacity),
    time: new Float64Array(capacity),
    value: new Float64Array(capacity),
    ordinal: p.ordinal ? new Uint16Array(capacity) : null,
    status: p.status ? new Uint32Array(capacity) : null,
    type: p.type ? new Uint8Array(capacity) : null,
    flag: p.flag ? new Uint8Array(capacity) : null,
    lsn: p.lsn ? new Float64Array(capacity) : null,
    orig: p.orig ? new Float64Array(capacity).fill(NaN) : null,
    exact: p.exact ? new Map() : null,
  };
}

/** Appends `from[start, end)` to `to`, growing it when it is full. Columns that `to` has not are dropped. */
export function appendRows(to: Rows, from: Rows, start: number, end: number): void {
  const n = end - start;
  const at = to.n;
  reserveRows(to, at + n);
  if (n < 16) {
    for (let i = 0; i < n; i++) {
      to.tag[at + i] = from.tag[start + i];
      to.time[at + i] = from.time[start + i];
      to.value[at + i] = from.value[start + i];
    }
  } else {
    to.tag.set(from.tag.subarray(start, end), at);
    to.time.set(from.time.subarray(start, end), at);
    to.value.set(from.value.subarray(start, end), at);
  }
  copyColumn(to.ordinal, from.ordinal, start, end, at, 0);
  copyColumn(to.status, from.status, start, end, at, 0);
  copyColumn(to.type, from.type, start, end, at, 0);
  copyColumn(to.flag, from.flag, start, end, at, 0);
  copyColumn(to.lsn, from.lsn, start, end, at, 0);
  copyColumn(to.orig, from.orig, start, end, at, NaN);
  if (to.exact !== null && from.exact !== null) {
    for (let i = start; i < end; i++) {
      const bytes = from.exact.get(i);
      if (bytes !== undefined) to.exact.set(at + i - start, bytes);
    }
  }
  to.n = at + n;
}

interface NumberColumn {
  [i: number]: number;
  fill(value: number, start: number, end: number): unknown;
}

function copyColumn(
  to: NumberColumn | null,
  from: NumberColumn | null,
  start: number,
  end: number,
  at: number,
  otherwise: number,
): void {
  if (to === null) return;
  if (from === null) {
    if (end - start === 1) to[at] = otherwise;
    else to.fill(otherwise, at, at + end - start);
  } else for (let i = start; i < end; i++) to[at + i - start] = from[i];
}

/** Makes room for so many rows in all, at least doubling when it has to grow. */
export function reserveRows(rows: Rows, needed: number): void {
  if (needed <= rows.tag.length) return;
  const capacity = Math.max(needed, rows.tag.length * 2, 256);
  const grown = <T extends { length: number; set(from: T): void }>(make: { new (n: number): T }, old: T): T => {
    const next = new make(capacity);
    next.set(old);
    return next;
  };
  rows.tag = grown(Int32Array, rows.tag);
  rows.time = grown(Float64Array, rows.time);
  rows.value = grown(Float64Array, rows.value);
  if (rows.ordinal !== null) rows.ordinal = grown(Uint16Array, rows.ordinal);
  if (rows.status !== null) rows.status = grown(Uint32Array, rows.status);
  if (rows.type !== null) rows.type = grown(Uint8Array, rows.type);
  if (rows.flag !== null) rows.flag = grown(Uint8Array, rows.flag);
  if (rows.lsn !== null) rows.lsn = grown(Float64Array, rows.lsn);
  if (rows.orig !== null) {
    const old = rows.orig.length;
    rows.orig = grown(Float64Array, rows.orig).fill(NaN, old);
  }
}

/** Back to empty, to be filled again. */
export function clearRows(rows: Rows): void {
  rows.n = 0;
  rows.exact?.clear();
}

/** −1, 0 or 1 by (tag, time, ordinal): the identity of a point. */
export function compareIdentity(a: Rows, i: number, b: Rows, j: number): number {
  return (
    a.tag[i] - b.tag[j] ||
    a.time[i] - b.time[j] ||
    (a.ordinal === null ? 0 : a.ordinal[i]) - (b.ordinal === null ? 0 : b.ordinal[j])
  );
}

/** Numbers ascending, −0 before 0, NaN last: as DuckDB sorts, with its ties decided. */
export function compareNumbers(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return a !== 0 || Object.is(a, b) ? 0 : Object.is(a, -0) ? -1 : 1;
  return Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : -1;
}

/** The order in which rows are stored and served: (tag, time, ordinal, value), ties by type, exact value, status, LSN. */
export function compareRows(a: Rows, i: number, b: Rows, j: number): number {
  return compareIdentity(a, i, b, j) || compareContent(a, i, b, j);
}

function compareContent(a: Rows, i: number, b: Rows, j: number): number {
  return (
    compareNumbers(a.value[i], b.value[j]) ||
    (a.type === null ? 0 : a.type[i]) - (b.type === null ? 0 : b.type[j]) ||
    compareBytes(a.exact?.get(i), b.exact?.get(j)) ||
    (a.status === null ? 0 : a.status[i]) - (b.status === null ? 0 : b.status[j]) ||
    (a.lsn === null ? 0 : a.lsn[i]) - (b.lsn === null ? 0 : b.lsn[j])
  );
}

/** The order of a scan: (time, tag, ordinal, value, …). */
export function compareByTime(a: Rows, i: number, b: Rows, j: number): number {
  return a.time[i] - b.time[j] || compareRows(a, i, b, j);
}

export type Compare = (a: Rows, i: number, b: Rows, j: number) => number;

export function compareBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): number {
  if (a === undefined) return b === undefined ? 0 : -1;
  return b === undefined ? 1 : Buffer.compare(a, b);
}

/** The rows of `rows` in the given order of indexes. */
export function pickRows(rows: Rows, order: ArrayLike<number>): Rows {
  const to = newRows(order.length, presenceOf(rows));
  for (let k = 0; k < order.length; k++) appendRows(to, rows, order[k], order[k] + 1);
  return to;
}

export function presenceOf(rows: Rows): Presence {
  return {
    ordinal: rows.ordinal !== null,
    status: rows.status !== null,
    type: rows.type !== null,
    flag: rows.flag !== null,
    lsn: rows.lsn !== null,
    orig: rows.orig !== null,
    exact: rows.exact !== null,
  };
}

// ── exact values ─────────────────────────────────────────────────────────────────────────────────────────────────────
const encoder = new TextEncoder();
// A leading U+FEFF belongs to the value.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const signBit = 1n << 63n;

/**
 * Text as UTF-8; bytes, and int64 big-endian with its sign bit turned, as the UTF-8 of the characters U+0000 to U+00FF: DuckDB's strings take
 * nothing else, and comparing the stored form compares the values.
 */
export function encodeExact(value: ExactValue): Uint8Array {
  if (typeof value === "string") return encoder.encode(value);
  if (typeof value !== "bigint") return Buffer.from(Buffer.from(value).toString("latin1"), "utf8");
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value) ^ signBit);
  return Buffer.from(bytes.toString("latin1"), "utf8");
}

export function decodeExact(stored: Uint8Array, type: number): ExactValue {
  if (type === valueTypeCode.string) return decoder.decode(stored);
  const bytes = Buffer.from(decoder.decode(stored), "latin1");
  if (type === valueTypeCode.bytes) return new Uint8Array(bytes);
  return BigInt.asIntN(64, bytes.readBigUInt64BE() ^ signBit);
}

/** Rows as the contract's columns, in arrays of exactly their length. */
export function toColumns(rows: Rows): Columns {
  const n = rows.n;
  return {
    rows: n,
    tag: rows.tag.slice(0, n),
    time: rows.time.slice(0, n),
    value: rows.value.slice(0, n),
    status: sliceUnlessAll(rows.status, n, 0),
    type: sliceUnlessAll(rows.type, n, 0),
    ordinal: sliceUnlessAll(rows.ordinal, n, 0),
    originalTime: sliceUnlessAll(rows.orig, n, NaN),
    exact: toExactColumn(rows, n),
  };
}

function sliceUnlessAll<T extends { [i: number]: number; slice(start: number, end: number): T }>(
  column: T | null,
  n: number,
  otherwise: number,
): T | null {
  if (column === null) return null;
  for (let i = 0; i < n; i++) if (!Object.is(column[i], otherwise)) return column.slice(0, n);
  return null;
}

function toExactColumn(rows: Rows, n: number): ExactColumn | null {
  if (rows.exact === null || rows.exact.size === 0) return null;
  const exact: ExactColumn = { row: [], value: [] };
  for (const [row, bytes] of [...rows.exact].sort((a, b) => a[0] - b[0])) {
    if (row >= n) continue;
    exact.row.push(row);
    exact.value.push(decodeExact(bytes, rows.type === null ? 0 : rows.type[row]));
  }
  return exact.row.length === 0 ? null : exact;
}
