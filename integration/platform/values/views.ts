import type { Micros } from "@lineshaft/contract/api";
import {
  decodeJson,
  decodePoints,
  decodeVerdict,
  type Frame,
  type GapRecord,
  type Lsn,
  type RejectedRecord,
  recordType,
} from "@lineshaft/contract/ports";
import { LastValueTable } from "./last-values.ts";

/** What the views tell ingest's own state, which lives beside them on the main thread. */
export interface ViewTargets {
  sums: {
    points(connectionId: number, rows: number, suspect: number): void;
    judged(connectionId: number, stored: number, repeats: number): void;
    rejected(connectionId: number | null, points: number): void;
    dropped(connectionId: number | null, points: number): void;
  };
  /** A batch is durable. */
  received(record: {
    connectionId: number;
    generation: number;
    sequence: number;
    sourceCursor: string | null;
    receivedTime: Micros;
    tagBound: number;
  }): void;
}

const none = new Uint32Array(0);

/**
 * The views that live on the main thread: last values, sums, positions of sources. A log consumer like any other; at start it begins at
 * the snapshot's LSN, and what it has after record n is a function of the records up to n.
 */
export class Views {
  readonly values: LastValueTable;
  readonly #targets: ViewTargets;
  #appliedLsn: Lsn;
  /** Batches whose suspect rows are not judged yet. */
  readonly unjudged: Set<Lsn>;
  /** Newest valid source time of all tags that came in, for the system page's data age. */
  #newestReceived: Micros = 0;

  constructor(targets: ViewTargets, from: { values: LastValueTable; appliedLsn: Lsn; unjudged: Lsn[] } | null) {
    this.#targets = targets;
    this.values = from?.values ?? new LastValueTable();
    this.#appliedLsn = from?.appliedLsn ?? 0;
    this.unjudged = new Set(from?.unjudged);
  }

  get appliedLsn(): Lsn {
    return this.#appliedLsn;
  }

  get newestReceived(): Micros {
    return this.#newestReceived;
  }

  apply(frames: Frame[]): void {
    for (const frame of frames) {
      if (frame.lsn > this.#appliedLsn) this.#applyOne(frame);
      this.#appliedLsn = Math.max(this.#appliedLsn, frame.lsn);
    }
  }

  #applyOne(frame: Frame): void {
    const { sums } = this.#targets;
    switch (frame.type) {
      case recordType.points: {
        const record = decodePoints(frame.payload);
        const { columns, suspect } = record;
        this.values.apply(columns, frame.lsn, record.receivedTime, suspect, false);
        sums.points(record.connectionId, columns.rows, suspect.length);
        if (suspect.length > 0) this.unjudged.add(frame.lsn);
        let tagBound = 0;
        for (let i = 0; i < columns.rows; i++) if (columns.tag[i] >= tagBound) tagBound = columns.tag[i] + 1;
        this.#newestReceived = record.receivedTime;
        this.#targets.received({ ...record, tagBound });
        break;
      }
      case recordType.verdict: {
        const verdict = decodeVerdict(frame.payload);
        // A second verdict on the same batch (it was on its way when the process was killed) says the same and does not count.
        if (!this.unjudged.delete(verdict.batchLsn)) break;
        this.values.apply(verdict.columns, frame.lsn, frame.recordedTime, none, verdict.corrections > 0);
        sums.judged(verdict.connectionId, verdict.new + verdict.corrections, verdict.repeats);
        break;
      }
      case recordType.rejected: {
        const record = decodeJson<RejectedRecord>(frame.payload);
        sums.rejected(record.connectionId, record.points);
        break;
      }
      case recordType.gap: {
        const record = decodeJson<GapRecord>(frame.payload);
        if (record.points !== null) sums.dropped(record.connectionId, record.points);
        break;
      }
    }
  }
}
