import type { Columns, Micros, Warning } from "../api/index.ts";
import type { Frame, Lsn } from "./log.ts";
import type { VerdictRecord } from "./records.ts";

export interface HistoryStatus {
  state: "ready" | "compacting" | "rebuilding" | "unavailable";
  /** All records up to here are applied (they may still lie in the in-memory head). */
  appliedLsn: Lsn;
  /** All records up to here are in synced files: the log may drop them once they are also verified copies. */
  persistedLsn: Lsn;
  /** All records up to here are in files of which a second, verified copy exists: the log is pinned behind it. */
  verifiedLsn: Lsn;
  /** Points before this were removed by retention, so nothing there can be changed; null: nothing was removed. */
  frozenBeforeUs: Micros | null;
  rows: number;
  files: number;
  /** Everything that the files take, copies included. */
  bytes: number;
  /** Files out of service, and from where their rows come back. */
  quarantined: {
    file: string;
    fromUs: Micros;
    toUs: Micros;
    detail: string;
    rebuild: "fromCopy" | "fromLog" | "impossible";
  }[];
  /** Records whose rows only the log can give back: the caller reads them again and calls `rebuild`. */
  needs: { fromLsn: Lsn; toLsn: Lsn }[];
}

export interface PointsAnswer {
  columns: Columns;
  warnings: Warning[];
  /** True when `limit` cut the answer. */
  more: boolean;
}

/** Aggregates by tag, then bucket; empty buckets left out. Booleans count as 0/1. */
export interface BucketColumns {
  rows: number;
  bucketUs: number;
  tag: Int32Array;
  /** Start of the bucket. */
  time: Float64Array;
  /** NaN where the bucket holds no number of good or uncertain quality. */
  min: Float64Array;
  max: Float64Array;
  avg: Float64Array;
  /** The row with the greatest (time, ordinal), as columns: one row a bucket. */
  last: Columns;
  count: Float64Array;
  good: Float64Array;
  /** Worst StatusCode (greatest as unsigned). */
  status: Uint32Array;
  warnings: Warning[];
}

/**
 * What machines produced. An implementation passes `historyContract` of the testkit. Points are a set: identity is (raw tag,
 * sourceTime, ordinal); applying the same frames again, in whatever portions, changes nothing.
 *
 * Judgement of a suspect row: an equal value among the tag's rows of that instant that came from other batches is a repeat (each stored row
 * absorbs at most one row of a batch); another value is a further point — or, in `correct` mode and with an equal (tag, time, ordinal), a correction, which
 * replaces. Rows with `originalTime` are compared by (tag, originalTime, value). Rows of one instant read back by (ordinal, value).
 */
export interface History {
  readonly status: HistoryStatus;
  /**
   * Applies committed frames in LSN order (record types it does not keep, verdicts included, only advance `appliedLsn`; frames ≤ `appliedLsn` are
   * skipped). Resolves when readers see them, with one verdict for each frame that had suspect rows. Judgement is a function of the log's prefix alone:
   * after a restart the same frames get the same verdicts (the caller leaves out those that the log already has).
   * The caller makes the verdicts durable in the log before it calls `apply` or `flush` again, and calls `apply([])` at least once a second: so runs are
   * closed only inside `apply` and `flush`, cover only frames of earlier calls, and no verdict is lost by a crash in between.
   */
  apply(frames: Frame[]): Promise<VerdictRecord[]>;
  /** Closes the head into a synced file now. */
  flush(): Promise<void>;
  /**
   * The log needs its space: what is applied now shall be in verified copies soon, so `verifiedLsn` reaches it by itself. Without this call it follows at
   * history's own pace. The caller's verdicts must be durable, as for `flush`.
   */
  protect(): Promise<void>;
  /**
   * Gives back records of a range in `status.needs`, in LSN order, in portions: its points frames and the verdicts on their batches, which may stand beyond it. Nothing is
   * judged again. `complete`: that was all. `incomplete`: the log has no more; what came is served, and the damage stays named. May run beside `apply`, which may be waiting for
   * these rows: nothing is judged against a file that is being rebuilt.
   */
  rebuild(
    range: { fromLsn: Lsn; toLsn: Lsn },
    frames: Frame[],
    portion: "more" | "complete" | "incomplete",
  ): Promise<void>;
  /** from ≤ sourceTime < to, by (tag, time, ordinal). `asOf`: only what was known at that LSN, exact for late rows. */
  raw(
    query: {
      tags: number[];
      fromUs: Micros;
      toUs: Micros;
      limit: number;
      asOf?: Lsn;
      after?: { tag: number; time: Micros; ordinal: number };
    },
    signal?: AbortSignal,
  ): Promise<PointsAnswer>;
  /** Buckets aligned to `originUs` (default 0 = 1970 UTC). */
  buckets(
    query: { tags: number[]; fromUs: Micros; toUs: Micros; bucketUs: number; originUs?: Micros },
    signal?: AbortSignal,
  ): Promise<BucketColumns>;
  /**
   * For replay and export: rows with from ≤ sourceTime < to that were known at `asOf` (all late rows with LSN > asOf left out), in
   * chunks of about `chunkRows` that ascend by sourceTime from chunk to chunk (within a chunk by time, tag, ordinal); no instant is split over two chunks. `tags` null = all.
   */
  scan(
    query: { tags: number[] | null; fromUs: Micros; toUs: Micros; asOf: Lsn; chunkRows: number },
    signal?: AbortSignal,
  ): AsyncIterable<Columns>;
  /** Oldest and newest sourceTime kept; null when empty. */
  extent(): Promise<{ fromUs: Micros; toUs: Micros } | null>;
  /** Reads every file and copy and compares checksums; what is damaged is set aside and rebuilt. It also happens by itself, each file at least once a day. */
  scrub(): Promise<{ files: number; damaged: string[] }>;
  close(): Promise<void>;
}
