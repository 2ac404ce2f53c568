import type { Micros } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";

/** What an operator should know about the log. Each is told once when it begins, not once a record. */
export type LogEvent =
  /** An unfinished write was cut off at `lastLsn`; nothing shows that any of it had been acknowledged. */
  | { code: "torn_tail"; text: string; lastLsn: Lsn; bytes: number }
  /** Rot: these records are lost, the rest is served. */
  | { code: "frame_quarantined"; text: string; fromLsn: Lsn; toLsn: Lsn; segment: string }
  /** Records are gone without a trace of their bytes (a segment file is missing). */
  | { code: "records_missing"; text: string; fromLsn: Lsn; toLsn: Lsn }
  /** A file that is no segment; left alone. */
  | { code: "orphan_found"; text: string; name: string }
  | { code: "storage_failed"; text: string }
  | { code: "disk_full"; text: string }
  | { code: "disk_low"; text: string; freeBytes: number; totalBytes: number }
  | { code: "disk_recovered"; text: string }
  | { code: "slow_commit"; text: string; ms: number }
  /** The wall clock moved against the monotonic one. */
  | { code: "clock_jump"; text: string; fromUs: Micros; toUs: Micros }
  | { code: "segment_dropped"; text: string; name: string };

export type LogEventSink = (event: LogEvent) => void;
