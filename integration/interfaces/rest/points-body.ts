// Hot path: long and imperative on purpose. Bodies of an ingest request, in their three forms, to columns. What is wrong with
// one row becomes a fault of that row; what is wrong with the body as a whole is thrown.
import {
  type Columns,
  ColumnsError,
  columnsMediaType,
  decodeColumns,
  type ExactColumn,
  ingestLimits,
  ProblemError,
  parseTimeUs,
  type RowFault,
  selectRows,
  type Value,
  valueFromJson,
  valueTypeCode,
  valueTypes,
} from "@lineshaft/contract/api";
import type { SourceBatch } from "@lineshaft/contract/ports";
import { isCleanText, parseJson } from "./json.ts";

export type DecodedPoints = Pick<SourceBatch, "names" | "columns" | "ordinalsGiven" | "faults" | "faultSamples">;

/** Oldest time that the contract knows, µs. */
const oldestUs = -8_640_000_000_000_000;
const uint32Max = 0xffffffff;

/** Decodes by media type. Throws ProblemError with the code that says what is wrong with the body as a whole. */
export function decodePointsBody(mediaType: string, body: Uint8Array): DecodedPoints {
  if (mediaType === columnsMediaType) return decodeBinary(body);
  if (mediaType === "application/json") return decodeJson(body);
  throw new ProblemError("media_type_unsupported", `"${mediaType.slice(0, 80)}" bodies cannot be read as points.`);
}

// ── binary ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function decodeBinary(body: Uint8Array): DecodedPoints {
  if (body.length >= 8) {
    // Before anything is sized by it.
    const rows = new DataView(body.buffer, body.byteOffset, body.byteLength).getUint32(4, true);
    if (rows > ingestLimits.rows && body.length >= 20 * rows) throw tooManyRows(rows);
  }
  let block: ReturnType<typeof decodeColumns>;
  try {
    block = decodeColumns(body);
  } catch (error) {
    if (!(error instanceof ColumnsError)) throw error;
    throw new ProblemError("columns_invalid", error.message, { cause: error });
  }
  const { columns, names } = block;
  if (columns.originalTime !== null)
    throw new ProblemError(
      "columns_invalid",
      "originalTime is set by the server; a source sends its own time as time.",
    );
  const bad = new Faults();
  checkTimes(columns, bad, names);
  if (columns.type !== null) checkIntegers(columns, columns.type, bad, names);
  if (columns.exact !== null) checkExact(columns, columns.exact, bad, names);
  return { names, columns: bad.without(columns), ordinalsGiven: columns.ordinal !== null, ...bad.result() };
}

function checkTimes({ rows, time, tag, value }: Columns, bad: Faults, names: string[] | null): void {
  for (let i = 0; i < rows; i++) {
    const t = time[i];
    // NaN: the source gave no time, which is allowed.
    if (!Number.isNaN(t) && !isTime(t))
      bad.add(i, "time_invalid", `${t} is not a time in whole µs since 1970.`, nameOf(names, tag[i]), null, value[i]);
  }
}

/** An int64 without an exact value stands in the float column and must be whole and within ±2^53 there. */
function checkIntegers(
  { rows, time, tag, value, exact }: Columns,
  type: Uint8Array,
  bad: Faults,
  names: string[] | null,
) {
  let at = 0;
  for (let i = 0; i < rows; i++) {
    if (type[i] !== valueTypeCode.int64 || Number.isSafeInteger(value[i])) continue;
    while (exact !== null && exact.row[at] < i) at++;
    if (exact !== null && exact.row[at] === i) continue;
    const detail = `${value[i]} cannot be an int64 without its exact value.`;
    bad.add(i, "number_out_of_range", detail, nameOf(names, tag[i]), finite(time[i]), value[i]);
  }
}

function checkExact({ time, tag }: Columns, exact: ExactColumn, bad: Faults, names: string[] | null): void {
  for (let k = 0; k < exact.row.length; k++) {
    const value = exact.value[k];
    if (typeof value === "bigint") continue;
    const size = sizeOf(value);
    const i = exact.row[k];
    const fault = sizeFault(size) ?? (typeof value === "string" && value.includes("\0") ? nulFault : null);
    if (fault !== null) bad.add(i, fault.code, fault.detail, nameOf(names, tag[i]), finite(time[i]), value);
  }
}

// ── JSON ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function decodeJson(body: Uint8Array): DecodedPoints {
  const { value: json, escapes } = parseJson(body);
  if (Array.isArray(json)) return decodeRows(json, escapes);
  if (json !== null && typeof json === "object") {
    const object = json as Record<string, unknown>;
    if (Array.isArray(object.points)) return decodeRows(object.points, escapes);
    if (Array.isArray(object.value) && Array.isArray(object.time)) return decodeColumnar(object, escapes);
    if ("tag" in object && !("points" in object)) return decodeRows([object], escapes);
  }
  throw new ProblemError(
    "request_invalid",
    'The body is neither {"points": […]}, a point, an array of points nor columns with tag, time and value.',
  );
}

const pointKeys = new Set(["tag", "time", "value", "status", "ordinal"]);

function decodeRows(rows: unknown[], escapes: boolean): DecodedPoints {
  if (rows.length > ingestLimits.rows) throw tooManyRows(rows.length);
  const names: string[] = [];
  const indexes = new Map<string, number>();
  const out = new Rows(rows.length);
  const bad = new Faults();
  let ordinalsGiven = false;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (row === null || typeof row !== "object" || Array.isArray(row)) {
      bad.add(i, "request_invalid", "A point is an object with tag, time and value.", null, null, row);
      continue;
    }
    const { tag, time, value, status, ordinal } = row as Record<string, unknown>;
    const name = typeof tag === "string" ? tag : null;
    const t = time === undefined ? NaN : readTime(time);
    const refuse = (code: string, detail: string): void => bad.add(i, code, detail, name, finite(t ?? NaN), value);
    const stranger = Object.keys(row).find((key) => !pointKeys.has(key));
    if (stranger !== undefined) refuse("request_invalid", `A point has no field "${stranger.slice(0, 80)}".`);
    else if (name === null) refuse("name_invalid", "The point names no tag, or not as text.");
    else if (t === null)
      refuse("time_invalid", `${show(time)} is neither µs since 1970 nor RFC 3339 text with a zone.`);
    else if (!isOptionalInteger(status, uint32Max)) refuse("status_invalid", `${show(status)} is not a StatusCode.`);
    else if (!isOptionalInteger(ordinal, 65_535)) refuse("request_invalid", `${show(ordinal)} is not an ordinal.`);
    else {
      const read = readValue(value, undefined, escapes);
      if (isFault(read)) refuse(read.code, read.detail);
      else {
        let index = indexes.get(name);
        if (index === undefined) {
          index = names.push(name) - 1;
          indexes.set(name, index);
        }
        if (ordinal !== undefined) ordinalsGiven = true;
        out.add(index, t, read.value, (status as number) ?? 0, (ordinal as number) ?? 0, false);
      }
    }
  }
  return { names, columns: out.build(), ordinalsGiven, ...bad.result() };
}

const columnKeys = new Set(["names", "tag", "timeBase", "time", "value", "status", "ordinal", "type"]);

function decodeColumnar(body: Record<string, unknown>, escapes: boolean): DecodedPoints {
  const stranger = Object.keys(body).find((key) => !columnKeys.has(key));
  if (stranger !== undefined) throw malformed(`There is no column "${stranger.slice(0, 80)}".`);
  const times = body.time as unknown[];
  const values = body.value as unknown[];
  const n = values.length;
  if (n > ingestLimits.rows) throw tooManyRows(n);
  const column = (key: string): unknown[] | null => {
    const cells = body[key];
    if (cells === undefined) return null;
    if (!Array.isArray(cells)) throw malformed(`${key} is not an array.`);
    if (cells.length !== n) throw malformed(`${key} has ${cells.length} rows, value has ${n}.`);
    return cells as unknown[];
  };
  column("time");
  const oneTag = typeof body.tag === "number" ? body.tag : null;
  const tags = oneTag === null ? column("tag") : null;
  if (oneTag === null && tags === null) throw malformed("There is no column tag.");
  const status = column("status");
  const ordinal = column("ordinal");
  const type = column("type");
  const names = readNames(body.names);
  const base = body.timeBase ?? 0;
  if (!isTime(base)) throw malformed("timeBase is not a time in whole µs since 1970.");
  const tagMax = names === null ? 0x7fffffff : names.length - 1;
  const tagMin = names === null ? 1 : 0;

  const out = new Rows(n);
  const bad = new Faults();
  for (let i = 0; i < n; i++) {
    const tag = oneTag ?? tags![i];
    const rawTime = times[i];
    const t = typeof rawTime === "number" ? base + rawTime : rawTime === null ? NaN : undefined;
    const value = values[i];
    const refuse = (code: string, detail: string): void =>
      bad.add(i, code, detail, nameOf(names, tag), finite(t ?? NaN), value);
    if (typeof tag !== "number" || !Number.isInteger(tag) || tag < tagMin || tag > tagMax) {
      refuse("tag_unknown", names === null ? `${show(tag)} is no raw tag id.` : `${show(tag)} is no index into names.`);
    } else if (t === undefined || (!Number.isNaN(t) && !isTime(t))) {
      refuse("time_invalid", `${show(rawTime)} is not a time in whole µs.`);
    } else if (status !== null && !isInteger(status[i], uint32Max)) {
      refuse("status_invalid", `${show(status[i])} is not a StatusCode.`);
    } else if (ordinal !== null && !isInteger(ordinal[i], 65_535)) {
      refuse("request_invalid", `${show(ordinal[i])} is not an ordinal.`);
    } else if (typeof value === "number" && type === null && Number.isFinite(value)) {
      out.addDouble(
        tag,
        t,
        value,
        status === null ? 0 : (status[i] as number),
        ordinal === null ? 0 : (ordinal[i] as number),
      );
    } else {
      const read = readValue(value, type === null ? undefined : type[i], escapes);
      if (isFault(read)) refuse(read.code, read.detail);
      else
        out.add(
          tag,
          t,
          read.value,
          status === null ? 0 : (status[i] as number),
          ordinal === null ? 0 : (ordinal[i] as number),
          type?.[i] === valueTypeCode.int64,
        );
    }
  }
  return { names, columns: out.build(), ordinalsGiven: ordinal !== null, ...bad.result() };
}

function readNames(names: unknown): string[] | null {
  if (names === undefined) return null;
  if (!Array.isArray(names) || names.length > ingestLimits.rows || names.some((name) => typeof name !== "string"))
    throw malformed(`names is not an array of at most ${ingestLimits.rows} texts.`);
  return names as string[];
}

// ── cells ───────────────────────────────────────────────────────────────────────────────────────────────────────────

interface CellFault {
  code: string;
  detail: string;
}
type Cell = CellFault | { value: Value };

const isFault = (cell: Cell): cell is CellFault => "code" in cell;
const nulFault: CellFault = { code: "json_encoding", detail: "The text holds NUL; send it as bytes." };

/** `type` is the row's entry in the type column: then the value must be of that type. */
function readValue(json: unknown, type: unknown, escapes: boolean): Cell {
  if (json === undefined) return { code: "value_invalid", detail: "The point has no value." };
  const value = valueFromJson(json);
  if (value === undefined) {
    const only = json !== null && typeof json === "object" && Object.keys(json).length === 1;
    const digits = only ? (json as { int64?: unknown }).int64 : undefined;
    return typeof digits === "string" && /^-?\d+$/.test(digits)
      ? { code: "number_out_of_range", detail: `${digits.slice(0, 40)} lies beyond a 64-bit integer.` }
      : { code: "value_invalid", detail: `${show(json)} is no value.` };
  }
  if (typeof json === "number" && !Number.isFinite(json))
    return { code: "number_out_of_range", detail: "The number lies beyond a 64-bit float." };
  if (typeof value === "string" || value instanceof Uint8Array) {
    const fault = sizeFault(sizeOf(value));
    if (fault !== null) return fault;
    if (escapes && typeof value === "string" && !isCleanText(value))
      return value.isWellFormed() ? nulFault : { code: "json_encoding", detail: "The text holds a lone surrogate." };
  }
  if (type === undefined || fits(value, type)) return { value };
  const wanted = typeof type === "number" ? valueTypes[type] : undefined;
  return wanted === undefined
    ? { code: "value_invalid", detail: `${show(type)} is no value type; 0 to 5 exist.` }
    : { code: "value_invalid", detail: `${show(json)} is no ${wanted}, as the type column says.` };
}

function fits(value: Value, type: unknown): boolean {
  switch (type) {
    case valueTypeCode.double:
      return typeof value === "number";
    case valueTypeCode.int64:
      return typeof value === "bigint" || Number.isSafeInteger(value);
    case valueTypeCode.boolean:
      return typeof value === "boolean";
    case valueTypeCode.string:
      return typeof value === "string";
    case valueTypeCode.bytes:
      return value instanceof Uint8Array;
    case valueTypeCode.null:
      return value === null;
    default:
      return false;
  }
}

/** µs, or null when it is no time. */
function readTime(json: unknown): number | null {
  if (typeof json !== "number" && typeof json !== "string") return null;
  const time = parseTimeUs(json);
  return time !== null && time >= oldestUs ? time : null;
}

const isTime = (t: unknown): t is number => Number.isSafeInteger(t) && (t as number) >= oldestUs;
const isInteger = (x: unknown, max: number): boolean =>
  Number.isInteger(x) && (x as number) >= 0 && (x as number) <= max;
const isOptionalInteger = (x: unknown, max: number): boolean => x === undefined || isInteger(x, max);
const finite = (t: number): number | null => (Number.isFinite(t) ? t : null);

function sizeOf(value: string | Uint8Array): number {
  if (typeof value !== "string") return value.length;
  return value.length * 3 <= ingestLimits.valueBytes ? value.length : Buffer.byteLength(value);
}

function sizeFault(bytes: number): CellFault | null {
  if (bytes <= ingestLimits.valueBytes) return null;
  return {
    code: "value_too_large",
    detail: `The value has ${bytes} bytes; at most ${ingestLimits.valueBytes} are kept.`,
  };
}

/** A piece of what was sent, short enough for a message. */
function show(json: unknown): string {
  if (json === undefined) return "nothing";
  const text = JSON.stringify(json);
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}

function nameOf(names: string[] | null, tag: unknown): string | null {
  if (typeof tag !== "number") return null;
  return names === null ? String(tag) : (names[tag] ?? null);
}

const tooManyRows = (rows: number): ProblemError =>
  new ProblemError("too_many_rows", `The batch has ${rows} rows; at most ${ingestLimits.rows} are taken.`);
const malformed = (detail: string): ProblemError => new ProblemError("columns_invalid", detail);

// ── faults and rows out ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Rows that are refused, each once, with what they held. */
class Faults {
  readonly #faults: RowFault[] = [];
  readonly #samples: SourceBatch["faultSamples"] = [];
  readonly #rows = new Set<number>();

  add(row: number, code: string, detail: string, tag: string | null, time: number | null, value: unknown): void {
    if (this.#rows.has(row)) return;
    this.#rows.add(row);
    this.#faults.push({ row, code, detail });
    this.#samples.push({ tag: tag === null ? null : tag.slice(0, 200), time, value });
  }

  without(columns: Columns): Columns {
    if (this.#rows.size === 0) return columns;
    const rows: number[] = [];
    for (let i = 0; i < columns.rows; i++) if (!this.#rows.has(i)) rows.push(i);
    return selectRows(columns, rows);
  }

  result(): { faults: RowFault[]; faultSamples: SourceBatch["faultSamples"] } {
    return { faults: this.#faults, faultSamples: this.#samples };
  }
}

/** Columns of known capacity; the optional ones come into being with the first row that needs them. */
class Rows {
  #n = 0;
  readonly #tag: Int32Array;
  readonly #time: Float64Array;
  readonly #value: Float64Array;
  #status: Uint32Array | null = null;
  #ordinal: Uint16Array | null = null;
  #type: Uint8Array | null = null;
  #exact: ExactColumn | null = null;

  constructor(capacity: number) {
    this.#tag = new Int32Array(capacity);
    this.#time = new Float64Array(capacity);
    this.#value = new Float64Array(capacity);
  }

  addDouble(tag: number, time: number, value: number, status: number, ordinal: number): void {
    const i = this.#n++;
    this.#tag[i] = tag;
    this.#time[i] = time;
    this.#value[i] = value;
    if (status !== 0) {
      this.#status ??= new Uint32Array(this.#tag.length);
      this.#status[i] = status;
    }
    if (ordinal !== 0) {
      this.#ordinal ??= new Uint16Array(this.#tag.length);
      this.#ordinal[i] = ordinal;
    }
  }

  add(tag: number, time: number, value: Value, status: number, ordinal: number, int64: boolean): void {
    const i = this.#n;
    this.addDouble(tag, time, typeof value === "number" ? value : NaN, status, ordinal);
    if (typeof value === "number" && !int64) return;
    this.#type ??= new Uint8Array(this.#tag.length);
    if (typeof value === "number") {
      this.#type[i] = valueTypeCode.int64;
    } else if (typeof value === "boolean") {
      this.#type[i] = valueTypeCode.boolean;
      this.#value[i] = value ? 1 : 0;
    } else if (value === null) {
      this.#type[i] = valueTypeCode.null;
    } else if (typeof value === "bigint") {
      this.#type[i] = valueTypeCode.int64;
      this.#value[i] = Number(value);
      if (!Number.isSafeInteger(this.#value[i])) this.#setExact(i, value);
    } else {
      this.#type[i] = typeof value === "string" ? valueTypeCode.string : valueTypeCode.bytes;
      this.#setExact(i, value);
    }
  }

  build(): Columns {
    const n = this.#n;
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

  #setExact(row: number, value: bigint | string | Uint8Array): void {
    this.#exact ??= { row: [], value: [] };
    this.#exact.row.push(row);
    this.#exact.value.push(value);
  }
}
