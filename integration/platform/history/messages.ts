import type { Columns, Micros } from "@lineshaft/contract/api";
import type {
  BucketColumns,
  Frame,
  HistoryStatus,
  Lsn,
  PointsAnswer,
  RecordTypeCode,
  VerdictRecord,
} from "@lineshaft/contract/ports";

/** Frames as they travel to the worker: one transferred buffer for all payloads. */
export interface FrameBatch {
  lsn: Float64Array;
  recordedTime: Float64Array;
  type: Uint8Array;
  /** Where a payload lies in `payload` (8-byte aligned); 0 bytes for records that are of no interest here. */
  offset: Float64Array;
  bytes: Float64Array;
  payload: Uint8Array;
}

export interface HistoryLimits {
  /** A head closes at so many rows … */
  headRows: number;
  /** … or at this age, whichever comes first … */
  headMs: number;
  /** … or with so many bytes of text and other exact values. */
  headExactBytes: number;
  /** What DuckDB may take; beyond it spills to disk. */
  memoryMb: number;
  threads: number;
  /** Files held open for reading. */
  openFiles: number;
  /** So many runs are merged at once. */
  runsPerMerge: number;
  /** Raw points older than this go, a day at a time; 0 keeps all. */
  keepDays: number;
}

export type RebuildPortion = "more" | "complete" | "incomplete";

export const defaultLimits: HistoryLimits = {
  headRows: 4_000_000,
  headMs: 60_000,
  headExactBytes: 64 * 1024 * 1024,
  memoryMb: 192,
  threads: 2,
  openFiles: 128,
  runsPerMerge: 8,
  keepDays: 0,
};

/** Before it is open, and when opening failed. */
export const notOpen: HistoryStatus = {
  state: "unavailable",
  appliedLsn: 0,
  persistedLsn: 0,
  verifiedLsn: 0,
  frozenBeforeUs: null,
  rows: 0,
  files: 0,
  bytes: 0,
  quarantined: [],
  needs: [],
};

/** What the host may want to tell people. */
export type HistoryEvent =
  | { type: "runClosed"; file: string; rows: number; bytes: number; ms: number }
  | { type: "compacted"; inputs: number; outputs: number; rows: number; ms: number }
  | { type: "maintenanceFailed"; what: string; detail: string }
  | { type: "quarantined"; file: string; fromUs: Micros; toUs: Micros; detail: string }
  | { type: "rebuilt"; file: string; rows: number }
  | { type: "retired"; file: string; fromUs: Micros; toUs: Micros }
  /** A write did not fit on the disk; it is tried again until there is space. */
  | { type: "spaceShort"; detail: string }
  | { type: "spaceFound" }
  | { type: "frameUnreadable"; lsn: Lsn; detail: string }
  | { type: "unavailable"; detail: string };

export interface RawQuery {
  tags: number[];
  fromUs: Micros;
  toUs: Micros;
  limit: number;
  asOf?: Lsn;
  after?: { tag: number; time: Micros; ordinal: number };
}

export interface BucketQuery {
  tags: number[];
  fromUs: Micros;
  toUs: Micros;
  bucketUs: number;
  originUs?: Micros;
}

export interface ScanQuery {
  tags: number[] | null;
  fromUs: Micros;
  toUs: Micros;
  asOf: Lsn;
  chunkRows: number;
}

/** Calls to the worker: name → argument and answer. */
export interface Calls {
  apply: [{ batch: FrameBatch; nowMs: number }, VerdictRecord[]];
  flush: [null, null];
  protect: [null, null];
  rebuild: [{ fromLsn: Lsn; batch: FrameBatch; portion: RebuildPortion }, null];
  raw: [RawQuery, PointsAnswer];
  buckets: [BucketQuery, BucketColumns];
  scanOpen: [ScanQuery, number];
  scanNext: [number, Columns | null];
  scanClose: [number, null];
  extent: [null, { fromUs: Micros; toUs: Micros } | null];
  scrub: [null, { files: number; damaged: string[] }];
  compact: [null, null];
  close: [null, null];
}

export type CallName = keyof Calls;
export type Request =
  | { [K in CallName]: { id: number; call: K; argument: Calls[K][0] } }[CallName]
  /** The caller is no longer interested. */
  | { abort: number }
  | { crashPassed: number }
  /** The time, monotonic and by the wall clock: once a second. */
  | { tick: number; nowUs: Micros };

export type Reply =
  | { id: number; value: unknown; status: HistoryStatus }
  | { id: number; error: { name: string; message: string; code?: string }; status: HistoryStatus }
  | { event: HistoryEvent; status: HistoryStatus }
  | { crash: number; point: string };

/** All frames in one message, with the payloads of these types: they are views into buffers that others use too, so they are copied once. */
export function packFrames(frames: readonly Frame[], types: readonly RecordTypeCode[]): FrameBatch {
  const n = frames.length;
  const batch = {
    lsn: new Float64Array(n),
    recordedTime: new Float64Array(n),
    type: new Uint8Array(n),
    offset: new Float64Array(n),
    bytes: new Float64Array(n),
  };
  let total = 0;
  for (let k = 0; k < n; k++) {
    const { lsn, recordedTime, type, payload } = frames[k];
    batch.lsn[k] = lsn;
    batch.recordedTime[k] = recordedTime;
    batch.type[k] = type;
    if (!types.includes(type)) continue;
    batch.offset[k] = total;
    batch.bytes[k] = payload.length;
    total += (payload.length + 7) & ~7;
  }
  const payload = new Uint8Array(total);
  for (let k = 0; k < n; k++) if (batch.bytes[k] > 0) payload.set(frames[k].payload, batch.offset[k]);
  return { ...batch, payload };
}
