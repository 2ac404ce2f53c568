// Rows of a lost file once more, from the records that brought them.
import type { Lsn, PointsRecord, VerdictRecord } from "@lineshaft/contract/ports";
import { decodePoints, decodeVerdict, recordType } from "@lineshaft/contract/ports";
import { type ChunkPool, exactBytesOf, Head } from "./head.ts";
import type { FrameBatch } from "./messages.ts";

/** A row that came later than this after its sourceTime keeps its LSN, so that `asOf` is exact for it (DESIGN §7). */
export const lateUs = 60_000_000;

/**
 * Gathers the rows of a range of records. Nothing is judged again: what became of suspect rows stands in the verdict records, which may lie
 * beyond the range. Records may come again, e.g. after the caller was interrupted.
 */
export class Gathering {
  readonly head: Head;
  readonly fromLsn: Lsn;
  readonly toLsn: Lsn;
  state: "gathering" | "complete" | "incomplete" = "gathering";
  readonly #awaiting = new Map<Lsn, true>();
  #last: Lsn;

  constructor(pool: ChunkPool, fromLsn: Lsn, toLsn: Lsn) {
    this.fromLsn = fromLsn;
    this.toLsn = toLsn;
    this.#last = fromLsn - 1;
    this.head = new Head(pool, fromLsn);
  }

  add(batch: FrameBatch): void {
    for (let k = 0; k < batch.lsn.length; k++) {
      if (batch.bytes[k] === 0) continue;
      const payload = batch.payload.subarray(batch.offset[k], batch.offset[k] + batch.bytes[k]);
      if (batch.type[k] === recordType.verdict) this.#addVerdict(decodeVerdict(payload));
      else if (batch.lsn[k] > this.#last && batch.lsn[k] <= this.toLsn)
        this.#addPoints(batch.lsn[k], batch.recordedTime[k], payload);
    }
  }

  /** No more records come. */
  end(complete: boolean): void {
    this.head.lsnTo = this.toLsn;
    this.state = complete && this.#awaiting.size === 0 ? "complete" : "incomplete";
  }

  #addPoints(lsn: Lsn, recordedTime: number, payload: Uint8Array): void {
    this.#last = lsn;
    let record: PointsRecord;
    try {
      record = decodePoints(payload);
    } catch {
      return; // As when it was applied: it was told then.
    }
    const { columns, suspect } = record;
    if (suspect.length > 0) this.#awaiting.set(lsn, true);
    const exact = exactBytesOf(columns);
    this.head.beginFrame(lsn);
    let next = 0;
    for (let i = 0; i < columns.rows; i++) {
      if (suspect[next] === i) next++;
      else this.head.add(columns, i, columns.time[i] < recordedTime - lateUs, false, exact?.get(i));
    }
  }

  #addVerdict({ batchLsn, columns, corrected }: VerdictRecord): void {
    // A second verdict on the same batch says the same.
    if (!this.#awaiting.delete(batchLsn)) return;
    const exact = exactBytesOf(columns);
    const corrections = new Set(corrected);
    this.head.beginFrame(batchLsn);
    for (let i = 0; i < columns.rows; i++) this.head.add(columns, i, true, corrections.has(i), exact?.get(i));
  }
}
