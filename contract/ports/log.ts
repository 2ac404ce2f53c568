import type { Micros } from "../api/index.ts";

/** Position in the log: 1, 2, 3 … one a record. LSNs burnt by a failed sync are never given again. */
export type Lsn = number;

/** What a frame's payload is. The numbers are part of the format. */
export const recordType = {
  /** `encodePoints` in records.ts; all others are JSON in UTF-8, unless they say something else. */
  points: 1,
  verdict: 2,
  tagRegistered: 3,
  rejected: 4,
  gap: 5,
  registryChanged: 6,
  connectionChanged: 7,
  clockJumped: 8,
  /** First record of each generation. */
  generationStarted: 9,
  applicationRegistered: 10,
  resultPublished: 11,
  /** `encodeFacts` in facts-record.ts. */
  factsChanged: 12,
  factRecorded: 13,
} as const;
export type RecordTypeCode = (typeof recordType)[keyof typeof recordType];

export interface NewRecord {
  tenant: number;
  partition: number;
  type: RecordTypeCode;
  payload: Uint8Array;
}

export interface Frame extends NewRecord {
  lsn: Lsn;
  generation: number;
  /** Wall clock at append, monotone within a generation. */
  recordedTime: Micros;
}

export interface LogStatus {
  state: "writable" | "diskFull" | "failed" | "closed";
  generation: number;
  firstLsn: Lsn;
  durableLsn: Lsn;
  bytes: number;
  segments: number;
  commitP50Ms: number;
  commitP99Ms: number;
  quarantined: { fromLsn: Lsn; toLsn: Lsn; segment: string; detail: string }[];
}

/**
 * The one durable stream. An implementation passes `logContract` of the testkit.
 *
 * - `append` resolves when the record is durable (its bytes are synced), in order; it rejects with ProblemError
 *   `disk_full` (nothing written, try later) or `storage_unavailable` (a sync failed: the writer is dead for good).
 * - A refusal that is known at once (full, dead, `overloaded`: too much waits, `shutting_down`) gives LSN 0 and a rejected `durable`.
 *   At a bound only what sources cause is refused (points, tagRegistered, rejected); the platform may go on until the disk is full.
 * - Group commit is self-clocking: one commit in flight, what arrives meanwhile is the next one.
 * - Readers see committed frames only, in LSN order, without gap except burnt or quarantined ones.
 */
export interface Log {
  readonly status: LogStatus;
  /** The LSN is given synchronously, so that the caller can order its own state by it. */
  append(record: NewRecord): { lsn: Lsn; recordedTime: Micros; durable: Promise<void> };
  /** From the first record with LSN ≥ `from`. Throws ProblemError `cursor_expired` when the window has passed it. */
  reader(from: Lsn): LogReader;
  /** First LSN whose recordedTime is ≥ `time`; durableLsn + 1 when there is none. */
  lsnAt(time: Micros): Promise<Lsn>;
  /** A named consumer pins the log from `lsn` on: retention never passes it. Lives in memory; set it again after a start. */
  pin(name: string, lsn: Lsn): void;
  unpin(name: string): void;
  /** Start a new generation (after a restore). */
  newGeneration(): Promise<void>;
  close(): Promise<void>;
}

export interface LogReader {
  /** LSN of the next frame that will be delivered. */
  readonly position: Lsn;
  /**
   * At least one frame, at most about `maxBytes` of payload; waits for the first. Rejects with the signal's reason when aborted, with
   * `cursor_expired` when retention has overtaken an unpinned reader. Payloads are 8-byte aligned and must not be changed.
   */
  next(maxBytes: number, signal?: AbortSignal): Promise<Frame[]>;
  close(): void;
}
