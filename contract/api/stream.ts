import { type Static, Type } from "typebox";
import { type Columns, ColumnsError, decodeColumns } from "./columns.ts";
import type { CountKind, ItemState, OperationMode } from "./facts.ts";
import type { AlarmColumnsSchema, IdentifierColumnsSchema } from "./facts-values.ts";
import type { Micros } from "./time.ts";
import { TimeInputSchema } from "./time.ts";
import type { JsonValue } from "./value.ts";

/** Kinds of records that the event stream serves. */
export const eventTypes = [
  "points.recorded",
  "tag.registered",
  "item.rejected",
  "gap.recorded",
  "registry.changed",
  "connection.changed",
  "clock.jumped",
  "facts.changed",
  "fact.recorded",
  "result.published",
] as const;
export type EventType = (typeof eventTypes)[number];

/**
 * What a stream delivers. Sent as the query of the SSE request, or as the first WebSocket message `{"subscribe": {…}}`.
 * Start: `cursor` (resume), else `from` (a time: history first, then live without gap or repeat), else now.
 */
export const StreamRequestSchema = Type.Object(
  {
    types: Type.Optional(Type.Array(Type.Enum([...eventTypes]), { description: "Default: all." })),
    tags: Type.Optional(Type.Array(Type.Integer({ minimum: 1 }), { maxItems: 100_000 })),
    connections: Type.Optional(Type.Array(Type.String({ maxLength: 128 }), { maxItems: 1000 })),
    equipment: Type.Optional(
      Type.String({
        maxLength: 1024,
        description: "Path: tags assigned to equipment at or below it, and facts of it.",
      }),
    ),
    cursor: Type.Optional(Type.String({ maxLength: 512 })),
    from: Type.Optional(TimeInputSchema),
    format: Type.Optional(
      Type.Enum(["json", "columns"], { description: "`columns`: binary frames for points (WebSocket only)." }),
    ),
  },
  { $id: "StreamRequest", additionalProperties: false },
);
export type StreamRequest = Static<typeof StreamRequestSchema>;

interface EventBase {
  /** Position in the log; null for points that come out of history during a replay. */
  lsn: number | null;
  /** Resume after this event by giving it back. Opaque. */
  cursor: string;
  /** When it was recorded. */
  recordedTime: Micros;
}

/**
 * Points that are now stored. Each stored point comes exactly once: rows newer than the newest of their tag with their batch (`late` false), the others
 * after History has judged them to be new and no repeat (`late` true).
 */
export interface PointsRecorded extends EventBase {
  type: "points.recorded";
  /** Connection id; 0 when rows of several connections stand together (replay from history). */
  connectionId: number;
  late: boolean;
  /** Rows of `columns` that replace an earlier value at the same (tag, time, ordinal). Ascending. */
  corrected: number[];
  columns: Columns;
}

/**
 * A `points.recorded` event in JSON: its columns stand beside the header, as in `PointSeries`, except that the rows' types are called
 * `valueType`, since `type` is the event's: `{"type":"points.recorded","lsn":7,"cursor":"…","recordedTime":…,"connectionId":1,"late":false,
 * "corrected":[],"tag":[…],"time":[…],"value":[…]}`, with `status`, `ordinal` and `valueType` only where they say something.
 */
export interface PointsRecordedJson extends Omit<PointsRecorded, "columns"> {
  tag: number[];
  time: Micros[];
  value: JsonValue[];
  status?: number[];
  ordinal?: number[];
  valueType?: number[];
}

/**
 * Every other event: `data` is a JSON object by type. Of `connection.changed` it is `{connectionId, connection, scope, health}`: the health of a connection
 * that the platform runs itself has changed (`ConnectionHealth` without `retryAt`; attempts in between are no news). Of `result.published` it is
 * `{application, ruleVersion, items}`: results as in `Result`, with the path of their equipment and without `detail`; read that when it is needed.
 * Of `fact.recorded` it is `FactRecordedData`: facts that systems have recorded, corrected or retracted.
 */
export interface OtherEvent extends EventBase {
  type: Exclude<EventType, "points.recorded">;
  data: Record<string, unknown>;
}

/**
 * `data` of `facts.changed`: facts of machines that have become final, each once, and such as turned out to be others. What was told of a machine with fromUs ≤ time ≤ toUs is
 * replaced by the rows of that machine in the range: take away, put in. The first state of a range holds at its `fromUs`.
 */
export interface FactsChangedData {
  ranges: {
    equipmentId: number;
    what: "states" | "counts" | "alarms" | "identifiers";
    fromUs: Micros;
    toUs: Micros;
    /** `points`: they have become final. The others changed what was told. */
    cause: "points" | "late" | "corrected" | "gap" | "mapping" | "idealCycle";
    /** The record that brought it about; of several the newest. */
    lsn: number;
  }[];
  states: {
    equipmentId: number[];
    time: Micros[];
    itemState: (ItemState | null)[];
    operationMode: (OperationMode | null)[];
    cause: number[];
  };
  /** `n` raw units completed in (source, time]. */
  counts: {
    equipmentId: number[];
    source: Micros[];
    time: Micros[];
    n: number[];
    kind: CountKind[];
    flags: number[];
  };
  /** Of each alarm tag, and of each identifier property, the first of a range says what holds at its `fromUs`. */
  alarms: Static<typeof AlarmColumnsSchema> & { equipmentId: number[] };
  identifiers: Static<typeof IdentifierColumnsSchema> & { equipmentId: number[] };
}

export type StreamEvent = PointsRecorded | OtherEvent;

// Binary frame: magic "LSE1", header length u32, header JSON (`PointsHeader`), padded to 8 bytes, then
// the columnar block.
const magic = 0x3145534c; // "LSE1"
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export type PointsHeader = Omit<PointsRecorded, "columns">;

/** `block` is an encoded columnar block; it is copied once into the frame. */
export function encodePointsFrame(header: PointsHeader, block: Uint8Array): Uint8Array {
  const json = encoder.encode(JSON.stringify(header));
  const start = (8 + json.length + 7) & ~7;
  const out = new Uint8Array(start + block.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, json.length, true);
  out.set(json, 8);
  out.set(block, start);
  return out;
}

export function decodePointsFrame(bytes: Uint8Array): PointsRecorded {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8 || view.getUint32(0, true) !== magic)
    throw new ColumnsError('A stream frame begins with the bytes "LSE1".');
  const length = view.getUint32(4, true);
  const start = Math.ceil((8 + length) / 8) * 8;
  if (start > bytes.length) throw new ColumnsError("The stream frame is shorter than its header says.");
  const header = JSON.parse(decoder.decode(bytes.subarray(8, 8 + length))) as PointsHeader;
  const { columns } = decodeColumns(bytes.subarray(start));
  return { ...header, columns };
}
