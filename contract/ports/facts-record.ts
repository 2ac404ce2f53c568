// Hot path. The payload of a record of facts: what changed at machines, as columns over all of them.
import type { AlarmTransition, IdentifierTransition, Micros } from "../api/index.ts";
import type { FactsCause } from "./services.ts";

export const factsCauses: readonly FactsCause[] = ["points", "late", "corrected", "gap", "mapping", "idealCycle"];

/**
 * Facts of machines that are final now, or are others than was told. `ranges` says of which machine and time: what was told before with from ≤ time ≤ to is replaced by the rows that
 * follow. The first state of a range holds at its `from`.
 */
export interface FactsChangedRecord {
  ranges: {
    n: number;
    equipment: Int32Array;
    from: Float64Array;
    to: Float64Array;
    /** Index into `factsWhats`. */
    what: Uint8Array;
    /** Index into `factsCauses`. */
    cause: Uint8Array;
    /** The record that brought it about. */
    lsn: Float64Array;
  };
  /** By range, then time. */
  states: { n: number; equipment: Int32Array; time: Float64Array; code: Int32Array };
  counts: {
    n: number;
    equipment: Int32Array;
    source: Float64Array;
    time: Float64Array;
    value: Float64Array;
    /** Index into `countKinds`. */
    kind: Uint8Array;
    flags: Uint8Array;
  };
  /** Rare, and mostly text. By range, then time; of each alarm tag and identifier the first of a range says what holds at its `from`. */
  alarms: AlarmRow[];
  identifiers: IdentifierRow[];
}

/** What a range of a record is of, by its number. */
export const factsWhats = ["states", "counts", "alarms", "identifiers"] as const;
export type FactsWhat = (typeof factsWhats)[number];

type AlarmRow = AlarmTransition & { equipment: number };
type IdentifierRow = IdentifierTransition & { equipment: number };

/** Rows of a record while it is written. */
export interface FactsRows {
  ranges: { equipment: number; from: Micros; to: Micros; what: FactsWhat; cause: FactsCause; lsn: number }[];
  states: { equipment: number; time: Micros; code: number }[];
  counts: { equipment: number; source: Micros; time: Micros; value: number; kind: number; flags: number }[];
  alarms: AlarmRow[];
  identifiers: IdentifierRow[];
}

// Layout: three u32 lengths and the bytes of the text at the end, then the columns by falling width: float64, int32, uint8; then alarms and identifiers in JSON, if there are any.
const headerBytes = 16;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const wide = ["ranges.from", "ranges.to", "ranges.lsn", "states.time", "counts.source", "counts.time", "counts.value"];
const middle = ["ranges.equipment", "states.equipment", "states.code", "counts.equipment"];
const narrow = ["ranges.what", "ranges.cause", "counts.kind", "counts.flags"];

type Table = "ranges" | "states" | "counts";
type Columns = Record<string, Float64Array | Int32Array | Uint8Array>;

export function encodeFacts(rows: FactsRows): Uint8Array {
  const lengths = [rows.ranges.length, rows.states.length, rows.counts.length];
  const { alarms, identifiers } = rows;
  const text = alarms.length + identifiers.length === 0 ? "" : JSON.stringify({ alarms, identifiers });
  const tail = encoder.encode(text);
  const { bytes, columns, end } = layout(lengths, tail.length, null);
  bytes.set(tail, end);
  const tables: Record<Table, readonly Record<string, unknown>[]> = rows;
  for (const [name, column] of Object.entries(columns)) {
    const [table, field] = name.split(".") as [Table, string];
    for (const [i, row] of tables[table].entries()) column[i] = numberOf(field, row[field]);
  }
  return bytes;
}

function numberOf(field: string, value: unknown): number {
  if (field === "cause") return factsCauses.indexOf(value as FactsCause);
  return field === "what" ? factsWhats.indexOf(value as FactsWhat) : (value as number);
}

export function decodeFacts(payload: Uint8Array): FactsChangedRecord {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const lengths = [0, 4, 8].map((at) => view.getUint32(at, true));
  const tailBytes = view.getUint32(12, true);
  const { columns, end } = layout(lengths, tailBytes, payload);
  const record = Object.fromEntries(
    (["ranges", "states", "counts"] as const).map((table, i) => [table, { n: lengths[i] }]),
  );
  for (const [name, column] of Object.entries(columns)) {
    const [table, field] = name.split(".");
    Object.assign(record[table], { [field]: column });
  }
  const text = decoder.decode(payload.subarray(end, end + tailBytes));
  const values = text === "" ? { alarms: [], identifiers: [] } : (JSON.parse(text) as object);
  return { ...record, ...values } as unknown as FactsChangedRecord;
}

/** The columns where they lie in `bytes`, or in new ones. Payloads of the log are 8-byte aligned. */
function layout(
  lengths: readonly number[],
  tailBytes: number,
  payload: Uint8Array | null,
): { bytes: Uint8Array; columns: Columns; end: number } {
  const rowsOf = (name: string): number => lengths[["ranges", "states", "counts"].indexOf(name.split(".")[0])];
  const all = [
    ...wide.map((name) => ({ name, make: Float64Array })),
    ...middle.map((name) => ({ name, make: Int32Array })),
    ...narrow.map((name) => ({ name, make: Uint8Array })),
  ];
  const end = all.reduce((sum, { name, make }) => sum + make.BYTES_PER_ELEMENT * rowsOf(name), headerBytes);
  const size = end + tailBytes;
  if (payload !== null && payload.length < size) throw new RangeError("A record of facts is shorter than it says.");
  const bytes = payload ?? new Uint8Array(size);
  if (payload === null) new Uint32Array(bytes.buffer, 0, 4).set([...lengths, tailBytes]);
  const columns: Columns = {};
  let at = bytes.byteOffset + headerBytes;
  for (const { name, make } of all) {
    columns[name] = new make(bytes.buffer as ArrayBuffer, at, rowsOf(name));
    at += make.BYTES_PER_ELEMENT * rowsOf(name);
  }
  return { bytes, columns, end };
}
