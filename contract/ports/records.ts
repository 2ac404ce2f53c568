// Hot path. The payloads of log records: points in bytes, the rest in JSON.
import {
  type Application,
  type Cause,
  type Columns,
  type ColumnsBlock,
  ColumnsError,
  decodeColumns,
  encodeColumns,
  type JsonValue,
  type Micros,
  type ResultInput,
} from "../api/index.ts";
import type { Lsn } from "./log.ts";

/** Tells how points came in; stands before their columns in a `points` record. `columns.tag` holds raw tag ids. */
export interface PointsRecord {
  connectionId: number;
  /** The source's session and its running number; 0/0 where the source has none. */
  generation: number;
  sequence: number;
  mode: "append" | "correct";
  receivedTime: Micros;
  /** Where the source stood after this batch; handed back to it on connect. */
  sourceCursor: string | null;
  /** Ascending row indexes whose sourceTime is not newer than the newest of their tag: History judges them. */
  suspect: Uint32Array;
  columns: Columns;
}

// Layout: header 48 bytes (connection u32, generation u32, sequence u32, mode u32, receivedTime f64, suspect count u32, cursor bytes u32,
// reserved 16), suspect u32[], cursor UTF-8, padded to 8, then the columnar block.
const headerBytes = 48;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodePoints(record: PointsRecord): Uint8Array {
  const cursor = record.sourceCursor === null ? null : encoder.encode(record.sourceCursor);
  const cursorBytes = cursor?.length ?? 0;
  const prefix = (headerBytes + 4 * record.suspect.length + cursorBytes + 7) & ~7;
  const out = encodeColumns(record.columns, null, prefix);
  const u32 = new Uint32Array(out.buffer, 0, 12);
  u32[0] = record.connectionId;
  u32[1] = record.generation;
  u32[2] = record.sequence;
  u32[3] = record.mode === "correct" ? 1 : 0;
  new Float64Array(out.buffer, 16, 1)[0] = record.receivedTime;
  u32[6] = record.suspect.length;
  u32[7] = cursor === null ? 0xffffffff : cursorBytes;
  new Uint32Array(out.buffer, headerBytes, record.suspect.length).set(record.suspect);
  if (cursor !== null) out.set(cursor, headerBytes + 4 * record.suspect.length);
  return out;
}

/** Header and suspects of a points record, and where its columnar block begins, without touching the columns. */
export function decodePointsHeader(payload: Uint8Array): Omit<PointsRecord, "columns"> & { blockOffset: number } {
  if (payload.length < headerBytes) throw new ColumnsError("A points record is shorter than its header.");
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const suspects = view.getUint32(24, true);
  const rawCursor = view.getUint32(28, true);
  const cursorBytes = rawCursor === 0xffffffff ? 0 : rawCursor;
  const blockOffset = Math.ceil((headerBytes + 4 * suspects + cursorBytes) / 8) * 8;
  if (blockOffset > payload.length) throw new ColumnsError("A points record is shorter than its header says.");
  const suspect = new Uint32Array(suspects);
  for (let i = 0; i < suspects; i++) suspect[i] = view.getUint32(headerBytes + 4 * i, true);
  const cursorAt = headerBytes + 4 * suspects;
  return {
    connectionId: view.getUint32(0, true),
    generation: view.getUint32(4, true),
    sequence: view.getUint32(8, true),
    mode: view.getUint32(12, true) === 1 ? "correct" : "append",
    receivedTime: view.getFloat64(16, true),
    sourceCursor: rawCursor === 0xffffffff ? null : decoder.decode(payload.subarray(cursorAt, cursorAt + cursorBytes)),
    suspect,
    blockOffset,
  };
}

export function decodePoints(payload: Uint8Array): PointsRecord {
  const { blockOffset, ...header } = decodePointsHeader(payload);
  const block: ColumnsBlock = decodeColumns(payload.subarray(blockOffset));
  return { ...header, columns: block.columns };
}

/**
 * History's judgement of the suspect rows of one points record. It carries the rows that turned out to be new or corrections, so that every
 * consumer sees each stored point exactly once: accepted rows with their batch, the others here.
 */
export interface VerdictRecord {
  batchLsn: Lsn;
  connectionId: number;
  new: number;
  repeats: number;
  corrections: number;
  /** Indexes into `columns` of the rows that are corrections; the rest are new points. */
  corrected: number[];
  columns: Columns;
}

/** u32 length of the JSON header, the header, padding to 8, the columnar block. */
export function encodeVerdict({ columns, ...header }: VerdictRecord): Uint8Array {
  const json = encoder.encode(JSON.stringify(header));
  const prefix = (4 + json.length + 7) & ~7;
  const out = encodeColumns(columns, null, prefix);
  new DataView(out.buffer).setUint32(0, json.length, true);
  out.set(json, 4);
  return out;
}

export function decodeVerdict(payload: Uint8Array): VerdictRecord {
  const length = new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(0, true);
  const header = JSON.parse(decoder.decode(payload.subarray(4, 4 + length))) as Omit<VerdictRecord, "columns">;
  return { ...header, columns: decodeColumns(payload.subarray((4 + length + 7) & ~7)).columns };
}

/** New raw tags; stands in the log before the first points that use them. */
export interface TagRegisteredRecord {
  connectionId: number;
  connection: string;
  kind: string;
  /** True when this record also brings the connection itself into being. */
  newConnection: boolean;
  scope: string;
  ids: number[];
  addresses: string[];
}

export interface RejectedRecord {
  connectionId: number | null;
  connection: string | null;
  code: string;
  detail: string;
  points: number;
  sample: { tag: string | null; time: Micros | null; value: JsonValue | null; detail?: string }[];
  /** base64 of at most 64 KiB of what was sent; null where the sample says all. */
  payload: string | null;
  payloadBytes: number;
}

export interface GapRecord {
  connectionId: number | null;
  connection: string | null;
  fromUs: Micros;
  toUs: Micros | null;
  /** Datapoints lost, where known; enters the sum rule as `dropped`. */
  points: number | null;
  reason: string;
}

export interface RegistryChangedRecord {
  revision: number;
  entity: "equipment" | "tag" | "connection" | "key" | "model" | "binding" | "masterData" | "sourceUnit" | "sourceType";
  /**
   * A tag that is declared before its first value has no number yet: it is `<connection id>/<address>`. Master data: `<kind>/<id>`. Units and types that a source told:
   * the connection's number.
   */
  id: number | string;
  actor: string;
  /** The item after the change; with `removed: true` when it is gone. */
  after: Record<string, unknown>;
}

/** A change of a connection's health; not each attempt to reach it. */
export interface ConnectionChangedRecord {
  connectionId: number;
  connection: string;
  scope: string;
  /** `ConnectionHealth` without `retryAt`. */
  health: Record<string, unknown>;
}

export interface ApplicationRegisteredRecord extends Application {
  application: string;
}

/** Results that an application has published. Each says where its equipment stood then: by that it is decided who may see it. */
export interface ResultPublishedRecord {
  application: string;
  ruleVersion: string;
  items: (ResultInput & {
    path: string;
    fromUs: Micros;
    toUs: Micros;
    state: "provisional" | "final";
    revision: number;
    cause: Cause;
  })[];
}

export interface ClockJumpedRecord {
  fromUs: Micros;
  toUs: Micros;
}

export function encodeJson(record: object): Uint8Array {
  return encoder.encode(JSON.stringify(record));
}

export function decodeJson<T>(payload: Uint8Array): T {
  return JSON.parse(decoder.decode(payload)) as T;
}
