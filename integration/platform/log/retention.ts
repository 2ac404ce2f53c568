import type { Micros } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";
import type { Segment } from "./segment.ts";

export interface RetentionState {
  nowUs: Micros;
  /** All segments, oldest first; the last is in use and never dropped. */
  segments: readonly Pick<Segment, "bytes" | "firstLsn" | "lastTime" | "firstTime">[];
  totalBytes: number;
  windowMs: number;
  maxBytes: number;
  /** Smallest pinned LSN; Infinity: none. */
  pinnedLsn: Lsn;
  /** Records up to here are older than a clock jump: their age by the wall clock is not believed. */
  doubtfulLsn: Lsn;
  /** May one segment of doubtful age go now? At most one an hour may. */
  mayDropDoubtful: boolean;
}

export interface RetentionPlan {
  /** How many of the oldest segments to drop. */
  drop: number;
  /** True when the drop includes the hour's one segment of doubtful age. */
  droppedDoubtful: boolean;
  /** The byte bound is passed and a pin holds what should go: sources must wait. */
  blocked: boolean;
}

/** Which whole segments may go. A pin is never passed. */
export function planRetention(state: RetentionState): RetentionPlan {
  let { totalBytes } = state;
  let drop = 0;
  let droppedDoubtful = false;
  for (; drop < state.segments.length - 1; drop++) {
    const segment = state.segments[drop];
    const next = state.segments[drop + 1];
    const tooMuch = totalBytes > state.maxBytes;
    // The next segment's first record is not older than this one's last.
    const expired = state.nowUs - next.firstTime > state.windowMs * 1000;
    if (!tooMuch && !expired) return { drop, droppedDoubtful, blocked: false };
    if (state.pinnedLsn < next.firstLsn) return { drop, droppedDoubtful, blocked: tooMuch };
    if (!tooMuch && segment.firstLsn <= state.doubtfulLsn) {
      if (!state.mayDropDoubtful || droppedDoubtful) return { drop, droppedDoubtful, blocked: false };
      droppedDoubtful = true;
    }
    totalBytes -= segment.bytes;
  }
  return { drop, droppedDoubtful, blocked: false };
}
