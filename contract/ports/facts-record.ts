// Hot path. The payload of a record of facts: what changed at machines, as columns over all of them.
import type { Micros } from "../api/index.ts";
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
    /** 0 states, 1 counts. */
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
}

/** Rows of a record while it is written. */
export interface FactsRows {
  ranges: { equipment: number; from: Micros; to: Micros; what: 0 | 1; cause: FactsCause; lsn: number }[];
  states: { equipment: number; time: Micros; code: number }[];
  counts: { equipment: number; source: Micros; time: Micros; value: number; kind: number; flags: number }[];
}

// Layout: three u32 lengths and four reserved bytes, then the columns by falling width: float64, int32, uint8.
const headerBytes = 16;
const wide = ["ranges.from", "ranges.to", "ranges.lsn", "states.time", "counts.source", "counts.time", "counts.value"];
const middle = ["ranges.equipment", "states.equipment", "states.code", "counts.equipment"];
const narrow = ["ranges.what", "ranges.cause", "counts.kind", "counts.flags"];

type Table = keyof FactsChangedRecord;
type Columns = Record<string, Float64Array | Int32Array | Uint8Array>;

export function encodeFacts(rows: FactsRows): Uint8Array {
  const lengths = [rows.ranges.length, rows.states.length, rows.counts.length];
  const { bytes, columns } = layout(lengths, null);
  const tables: Record<Table, readonly Record<string, unknown>[]> = rows;
  for (const [name, column] of Object.entries(columns)) {
    const [table, field] = name.split(".") as [Table, string];
    for (const [i, row] of tables[table].entries())
      column[i] = field === "cause" ? factsCauses.indexOf(row.cause as FactsCause) : (row[field] as number);
  }
  return bytes;
}

export function decodeFacts(payload: Uint8Array): FactsChangedRecord {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const lengths = [0, 4, 8].map((at) => view.getUint32(at, true));
  const { columns } = layout(lengths, payload);
  const record = Object.fromEntries(
    (["ranges", "states", "counts"] as const).map((table, i) => [table, { n: lengths[i] }]),
  );
  for (const [name, column] of Object.entries(columns)) {
    const [table, field] = name.split(".");
    Object.assign(record[table], { [field]: column });
  }
  return record as unknown as FactsChangedRecord;
}

/** The columns where they lie in `bytes`, or in new ones. Payloads of the log are 8-byte aligned. */
function layout(lengths: readonly number[], payload: Uint8Array | null): { bytes: Uint8Array; columns: Columns } {
  const rowsOf = (name: string): number => lengths[["ranges", "states", "counts"].indexOf(name.split(".")[0])];
  const all = [
    ...wide.map((name) => ({ name, make: Float64Array })),
    ...middle.map((name) => ({ name, make: Int32Array })),
    ...narrow.map((name) => ({ name, make: Uint8Array })),
  ];
  const size = all.reduce((sum, { name, make }) => sum + make.BYTES_PER_ELEMENT * rowsOf(name), headerBytes);
  if (payload !== null && payload.length < size) throw new RangeError("A record of facts is shorter than it says.");
  const bytes = payload ?? new Uint8Array(size);
  if (payload === null) new Uint32Array(bytes.buffer, 0, 3).set(lengths);
  const columns: Columns = {};
  let at = bytes.byteOffset + headerBytes;
  for (const { name, make } of all) {
    columns[name] = new make(bytes.buffer as ArrayBuffer, at, rowsOf(name));
    at += make.BYTES_PER_ELEMENT * rowsOf(name);
  }
  return { bytes, columns };
}
