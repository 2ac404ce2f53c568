// Hot path: long and imperative on purpose. The one columnar shape of a batch, in memory and as bytes. The same bytes are
// the HTTP ingest body, the log's payload, the worker hand-over and the event stream's frame, so that a point is
// encoded once in its life.
import type { Micros } from "./time.ts";
import { type ExactValue, type Value, type ValueType, valueTypeCode, valueTypes } from "./value.ts";

/** Values that a float64 cannot hold, by ascending row. */
export interface ExactColumn {
  row: number[];
  value: ExactValue[];
}

/**
 * A batch of points as columns; all columns have `rows` entries. An absent (null) column means the default for each row.
 * `value` holds the number (booleans as 0/1, int64 rounded where it is beyond ±2^53, NaN for text and bytes); what
 * that loses is in `exact`.
 */
export interface Columns {
  rows: number;
  /** Raw tag id, or index into `names` where names travel with the batch. */
  tag: Int32Array;
  /** sourceTime in µs. */
  time: Float64Array;
  value: Float64Array;
  /** OPC UA StatusCode; null = all Good. */
  status: Uint32Array | null;
  /** `valueTypeCode`; null = all double. */
  type: Uint8Array | null;
  /** k-th occurrence of the tag at that instant in source order; null = all 0. */
  ordinal: Uint16Array | null;
  /** The source's own time where it lay beyond the clock bounds and `time` is ours; NaN elsewhere; null = nowhere. */
  originalTime: Float64Array | null;
  exact: ExactColumn | null;
}

export class ColumnsError extends Error {
  override name = "ColumnsError";
}

/** The value of one row, exact. */
export function valueAt(columns: Columns, row: number): Value {
  switch (columns.type === null ? 0 : columns.type[row]) {
    case valueTypeCode.boolean:
      return columns.value[row] !== 0;
    case valueTypeCode.null:
      return null;
    case valueTypeCode.int64:
      return exactAt(columns.exact, row) ?? columns.value[row];
    case valueTypeCode.string:
    case valueTypeCode.bytes: {
      const exact = exactAt(columns.exact, row);
      if (exact === undefined) throw new ColumnsError(`Row ${row} is text or bytes but has no exact value.`);
      return exact;
    }
    default:
      return columns.value[row];
  }
}

function exactAt(exact: ExactColumn | null, row: number): ExactValue | undefined {
  if (exact === null) return undefined;
  let low = 0;
  let high = exact.row.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    if (exact.row[middle] === row) return exact.value[middle];
    if (exact.row[middle] < row) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

export function valueTypeAt(columns: Columns, row: number): ValueType {
  return valueTypes[columns.type === null ? 0 : columns.type[row]];
}

/** Collects rows of plain values into columns; grows as needed. For edges, not for the hot path. */
export class ColumnsBuilder {
  #rows = 0;
  #tag: Int32Array;
  #time: Float64Array;
  #value: Float64Array;
  #status: Uint32Array | null = null;
  #type: Uint8Array | null = null;
  #ordinal: Uint16Array | null = null;
  #exact: ExactColumn | null = null;

  constructor(capacity = 256) {
    this.#tag = new Int32Array(capacity);
    this.#time = new Float64Array(capacity);
    this.#value = new Float64Array(capacity);
  }

  get rows(): number {
    return this.#rows;
  }

  /** `type` is needed only to say int64 for a number within ±2^53; other types follow from the value. */
  add(tag: number, time: Micros, value: Value, status = 0, ordinal = 0, type?: "int64"): void {
    const row = this.#rows;
    if (row === this.#tag.length) this.#grow();
    this.#rows = row + 1;
    this.#tag[row] = tag;
    this.#time[row] = time;
    if (status !== 0) {
      this.#status ??= new Uint32Array(this.#tag.length);
      this.#status[row] = status;
    }
    if (ordinal !== 0) {
      this.#ordinal ??= new Uint16Array(this.#tag.length);
      this.#ordinal[row] = ordinal;
    }
    if (typeof value === "number") {
      this.#value[row] = value;
      if (type === "int64") this.#setType(row, valueTypeCode.int64);
    } else if (typeof value === "boolean") {
      this.#value[row] = value ? 1 : 0;
      this.#setType(row, valueTypeCode.boolean);
    } else if (value === null) {
      this.#value[row] = NaN;
      this.#setType(row, valueTypeCode.null);
    } else if (typeof value === "bigint") {
      this.#value[row] = Number(value);
      this.#setType(row, valueTypeCode.int64);
      if (!Number.isSafeInteger(this.#value[row])) this.#setExact(row, value);
    } else {
      this.#value[row] = NaN;
      this.#setType(row, typeof value === "string" ? valueTypeCode.string : valueTypeCode.bytes);
      this.#setExact(row, value);
    }
  }

  build(): Columns {
    const n = this.#rows;
    return {
      rows: n,
      tag: this.#tag.subarray(0, n),
      time: this.#time.subarray(0, n),
      value: this.#value.subarray(0, n),
      status: this.#status?.subarray(0, n) ?? null,
      type: this.#type?.subarray(0, n) ?? null,
      ordinal: this.#ordinal?.subarray(0, n) ?? null,
      originalTime: null,
      exact: this.#exact,
    };
  }

  #setType(row: number, code: number): void {
    this.#type ??= new Uint8Array(this.#tag.length);
    this.#type[row] = code;
  }

  #setExact(row: number, value: ExactValue): void {
    this.#exact ??= { row: [], value: [] };
    this.#exact.row.push(row);
    this.#exact.value.push(value);
  }

  #grow(): void {
    const capacity = Math.max(16, this.#tag.length * 2);
    const grow = <T extends { set(a: T): void }>(make: { new (n: number): T }, old: T): T => {
      const next = new make(capacity);
      next.set(old);
      return next;
    };
    this.#tag = grow(Int32Array, this.#tag);
    this.#time = grow(Float64Array, this.#time);
    this.#value = grow(Float64Array, this.#value);
    if (this.#status) this.#status = grow(Uint32Array, this.#status);
    if (this.#type) this.#type = grow(Uint8Array, this.#type);
    if (this.#ordinal) this.#ordinal = grow(Uint16Array, this.#ordinal);
  }
}

/** The rows of `columns` at the given ascending indexes, as new columns. */
export function selectRows(columns: Columns, rows: ArrayLike<number>): Columns {
  const n = rows.length;
  const pick = <T extends { [i: number]: number }>(make: { new (n: number): T }, from: T | null): T | null => {
    if (from === null) return null;
    const to = new make(n);
    for (let i = 0; i < n; i++) to[i] = from[rows[i]];
    return to;
  };
  let exact: ExactColumn | null = null;
  if (columns.exact !== null) {
    exact = { row: [], value: [] };
    let at = 0;
    for (let i = 0; i < n; i++) {
      while (at < columns.exact.row.length && columns.exact.row[at] < rows[i]) at++;
      if (columns.exact.row[at] === rows[i]) {
        exact.row.push(i);
        exact.value.push(columns.exact.value[at]);
      }
    }
    if (exact.row.length === 0) exact = null;
  }
  return {
    rows: n,
    tag: pick(Int32Array, columns.tag) as Int32Array,
    time: pick(Float64Array, columns.time) as Float64Array,
    value: pick(Float64Array, columns.value) as Float64Array,
    status: pick(Uint32Array, columns.status),
    type: pick(Uint8Array, columns.type),
    ordinal: pick(Uint16Array, columns.ordinal),
    originalTime: pick(Float64Array, columns.originalTime),
    exact,
  };
}

// ── bytes ───────────────────────────────────────────────────────────────────────────────────────────────────────────
// Little-endian. Header of 32 bytes: magic "LSC1", rows u32, flags u32, exact count u32, exact bytes u32, names count u32,
// names bytes u32, reserved u32. Then, in this order and each padded to 8 bytes: time f64, value f64, originalTime f64?,
// tag i32, status u32?, ordinal u16?, type u8?, exact (row u32[m], end offset u32[m], bytes), names (end offset u32[k], UTF-8).

const magic = 0x3143534c; // "LSC1"
const headerBytes = 32;
const hasStatus = 1;
const hasType = 2;
const hasOrdinal = 4;
const hasOriginal = 8;

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
const encoder = new TextEncoder();
// `ignoreBOM`: a leading U+FEFF is part of a text and is kept.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
// In arithmetic, not in bits: sums of untrusted u32 may pass 2^31.
const pad8 = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** Media type of the binary columnar frame. */
export const columnsMediaType = "application/vnd.lineshaft.columns";

export interface ColumnsBlock {
  columns: Columns;
  /** Names that `columns.tag` indexes; null where it holds raw tag ids. */
  names: string[] | null;
}

interface Plan {
  flags: number;
  exact: Uint8Array[];
  exactBytes: number;
  names: Uint8Array[];
  namesBytes: number;
  total: number;
}

function plan(columns: Columns, names: readonly string[] | null): Plan {
  const n = columns.rows;
  const exact = columns.exact === null ? [] : columns.exact.value.map(exactToBytes);
  const exactBytes = exact.reduce((sum, b) => sum + b.length, 0);
  const nameBytes = names === null ? [] : names.map((name) => encoder.encode(name));
  const namesBytes = nameBytes.reduce((sum, b) => sum + b.length, 0);
  let total = headerBytes + 16 * n + pad8(4 * n);
  let flags = 0;
  if (columns.originalTime !== null) {
    flags |= hasOriginal;
    total += 8 * n;
  }
  if (columns.status !== null) {
    flags |= hasStatus;
    total += pad8(4 * n);
  }
  if (columns.ordinal !== null) {
    flags |= hasOrdinal;
    total += pad8(2 * n);
  }
  if (columns.type !== null) {
    flags |= hasType;
    total += pad8(n);
  }
  if (exact.length > 0) total += pad8(8 * exact.length + exactBytes);
  if (nameBytes.length > 0) total += pad8(4 * nameBytes.length + namesBytes);
  return { flags, exact, exactBytes, names: nameBytes, namesBytes, total };
}

/**
 * Columns as bytes, into a new buffer with `prefixBytes` (a multiple of 8) free before them. With `names`, `columns.tag`
 * indexes the names.
 */
export function encodeColumns(columns: Columns, names: readonly string[] | null = null, prefixBytes = 0): Uint8Array {
  if (!littleEndian) throw new ColumnsError("Only little-endian machines are supported.");
  const p = plan(columns, names);
  const n = columns.rows;
  const out = new Uint8Array(prefixBytes + p.total);
  const header = new Uint32Array(out.buffer, prefixBytes, 8);
  header[0] = magic;
  header[1] = n;
  header[2] = p.flags;
  header[3] = p.exact.length;
  header[4] = p.exactBytes;
  header[5] = p.names.length;
  header[6] = p.namesBytes;
  let at = prefixBytes + headerBytes;
  const put = (column: Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array): void => {
    out.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
    at += pad8(column.byteLength);
  };
  put(columns.time);
  put(columns.value);
  if (columns.originalTime !== null) put(columns.originalTime);
  put(columns.tag);
  if (columns.status !== null) put(columns.status);
  if (columns.ordinal !== null) put(columns.ordinal);
  if (columns.type !== null) put(columns.type);
  if (p.exact.length > 0) {
    put(Uint32Array.from(columns.exact!.row));
    at += -pad8(4 * p.exact.length) + 4 * p.exact.length;
    at = putBytes(out, at, p.exact, p.exactBytes, 4 * p.exact.length);
  }
  if (p.names.length > 0) putBytes(out, at, p.names, p.namesBytes, 0);
  return out;
}

function putBytes(out: Uint8Array, start: number, parts: Uint8Array[], bytes: number, before: number): number {
  const ends = new DataView(out.buffer, out.byteOffset + start, 4 * parts.length);
  let at = start + 4 * parts.length;
  let end = 0;
  for (let i = 0; i < parts.length; i++) {
    out.set(parts[i], at);
    at += parts[i].length;
    end += parts[i].length;
    ends.setUint32(4 * i, end, true);
  }
  return start - before + pad8(before + 4 * parts.length + bytes);
}

/**
 * Bytes to columns, checked: every length, row index, type and name. Views into `bytes` where they are 8-byte aligned,
 * else a copy is made first. Throws `ColumnsError` with what is wrong; never reads outside.
 */
export function decodeColumns(input: Uint8Array): ColumnsBlock {
  if (input.length < headerBytes)
    throw new ColumnsError(`A columnar frame has at least ${headerBytes} bytes; these are ${input.length}.`);
  const bytes = input.byteOffset % 8 === 0 ? input : new Uint8Array(input);
  const { buffer, byteOffset } = bytes;
  const header = new Uint32Array(buffer, byteOffset, 8);
  if (header[0] !== magic) throw new ColumnsError('A columnar frame begins with the bytes "LSC1".');
  const [, n, flags, exactCount, exactBytes, nameCount, namesBytes] = header;
  if ((flags & ~15) !== 0) throw new ColumnsError(`Unknown flags 0x${flags.toString(16)}; this version knows 0x0f.`);
  let needed = headerBytes + 16 * n + pad8(4 * n);
  if (flags & hasOriginal) needed += 8 * n;
  if (flags & hasStatus) needed += pad8(4 * n);
  if (flags & hasOrdinal) needed += pad8(2 * n);
  if (flags & hasType) needed += pad8(n);
  if (exactCount > 0) needed += pad8(8 * exactCount + exactBytes);
  if (nameCount > 0) needed += pad8(4 * nameCount + namesBytes);
  if (needed !== bytes.length)
    throw new ColumnsError(`The header announces ${needed} bytes; the frame has ${bytes.length}.`);
  let at = byteOffset + headerBytes;
  const take = <T>(make: { new (b: ArrayBufferLike, o: number, n: number): T; BYTES_PER_ELEMENT: number }): T => {
    const column = new make(buffer, at, n);
    at += pad8(n * make.BYTES_PER_ELEMENT);
    return column;
  };
  const time = take(Float64Array);
  const value = take(Float64Array);
  const originalTime = flags & hasOriginal ? take(Float64Array) : null;
  const tag = take(Int32Array);
  const status = flags & hasStatus ? take(Uint32Array) : null;
  const ordinal = flags & hasOrdinal ? take(Uint16Array) : null;
  const type = flags & hasType ? take(Uint8Array) : null;
  let exact: ExactColumn | null = null;
  if (exactCount > 0) {
    const row = Array.from(new Uint32Array(buffer, at, exactCount));
    const parts = splitParts(bytes, at - byteOffset + 4 * exactCount, exactCount, exactBytes, "exact value");
    exact = { row, value: [] };
    for (let i = 0; i < exactCount; i++) {
      if (row[i] >= n || (i > 0 && row[i] <= row[i - 1]))
        throw new ColumnsError("Exact rows must ascend and lie within the frame.");
      exact.value.push(exactFromBytes(parts[i], type === null ? 0 : type[row[i]], row[i]));
    }
    at += pad8(8 * exactCount + exactBytes);
  }
  const columns: Columns = { rows: n, tag, time, value, status, type, ordinal, originalTime, exact };
  if (type !== null) checkTypes(columns, type);
  const names =
    nameCount > 0
      ? splitParts(bytes, at - byteOffset, nameCount, namesBytes, "name").map((b) => decodeText(b, "name"))
      : null;
  if (names !== null) {
    for (let i = 0; i < n; i++) {
      if (tag[i] < 0 || tag[i] >= nameCount)
        throw new ColumnsError(`Row ${i} refers to name ${tag[i]}; there are ${nameCount} names.`);
    }
  }
  return { columns, names };
}

function checkTypes(columns: Columns, type: Uint8Array): void {
  let needed = 0;
  for (let i = 0; i < columns.rows; i++) {
    if (type[i] > valueTypeCode.null) throw new ColumnsError(`Row ${i} has value type ${type[i]}; 0 to 5 exist.`);
    if (type[i] === valueTypeCode.string || type[i] === valueTypeCode.bytes) {
      needed++;
      if (exactAt(columns.exact, i) === undefined)
        throw new ColumnsError(`Row ${i} is text or bytes but has no exact value.`);
    }
  }
  if (columns.exact !== null && needed > columns.exact.row.length) throw new ColumnsError("Exact values are missing.");
}

function splitParts(bytes: Uint8Array, start: number, count: number, total: number, what: string): Uint8Array[] {
  const ends = new DataView(bytes.buffer, bytes.byteOffset + start, 4 * count);
  const base = start + 4 * count;
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let i = 0; i < count; i++) {
    const end = ends.getUint32(4 * i, true);
    if (end < from || end > total) throw new ColumnsError(`The end of ${what} ${i} lies outside the frame.`);
    parts.push(bytes.subarray(base + from, base + end));
    from = end;
  }
  if (from !== total) throw new ColumnsError(`Bytes are left over after the last ${what}.`);
  return parts;
}

function exactToBytes(value: ExactValue): Uint8Array {
  if (typeof value === "string") return encoder.encode(value);
  if (typeof value === "bigint") return new Uint8Array(new BigInt64Array([value]).buffer);
  return value;
}

function exactFromBytes(bytes: Uint8Array, type: number, row: number): ExactValue {
  if (type === valueTypeCode.string) return decodeText(bytes, `text of row ${row}`);
  if (type === valueTypeCode.bytes) return bytes;
  if (type !== valueTypeCode.int64 || bytes.length !== 8)
    throw new ColumnsError(`Row ${row} has an exact value that fits no type.`);
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true);
}

function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new ColumnsError(`The ${what} is not UTF-8.`);
  }
}
