// Hot path: one loop over typed arrays, no allocation per row.
import { type Columns, type Micros, selectRows, statusUncertainTime } from "@lineshaft/contract/api";

/** Source times outside are kept beside our own time, quality Uncertain. */
export interface ClockBounds {
  earliestUs: Micros;
  /** How far a source's clock may run ahead of receivedTime. */
  leadUs: Micros;
}

export const defaultClockBounds: ClockBounds = { earliestUs: 946_684_800_000_000, leadUs: 300_000_000 };

/**
 * Knows the newest sourceTime of each raw tag and tells which rows of a batch are newer (accepted) and which must be
 * judged by History (suspect).
 */
export class Classifier {
  #newest = new Float64Array(1024).fill(-Infinity);
  // The running batch's last instant and occurrence count by tag; valid where #serial matches.
  #instant = new Float64Array(1024);
  #occurrence = new Uint16Array(1024);
  #suspected = new Uint8Array(1024);
  #serial = new Int32Array(1024);
  #running = 0;
  readonly #bounds: ClockBounds;

  constructor(bounds: ClockBounds = defaultClockBounds) {
    this.#bounds = bounds;
  }

  /** The newest accepted time of a tag, e.g. from the last values at start-up. */
  seed(tag: number, time: Micros): void {
    this.#reserve(tag + 1);
    if (time > this.#newest[tag]) this.#newest[tag] = time;
  }

  /**
   * Fills in times and ordinals of a batch whose `tag` holds raw tag ids below `tagBound`, in place where it can, and
   * gives the ascending indexes of its suspect rows.
   */
  classify(
    columns: Columns,
    receivedTime: Micros,
    tagBound: number,
    options: { ordinalsGiven: boolean; judgeAll: boolean },
  ): { columns: Columns; suspect: Uint32Array } {
    this.#reserve(tagBound);
    this.#running = this.#running === 0x7fffffff ? 1 : this.#running + 1;
    const n = columns.rows;
    const { tag } = columns;
    let time = columns.time;
    let status = columns.status;
    let ordinal = options.ordinalsGiven ? columns.ordinal : null;
    let originalTime: Float64Array | null = null;
    const latest = receivedTime + this.#bounds.leadUs;
    const earliest = this.#bounds.earliestUs;
    const newest = this.#newest;
    const serial = this.#running;
    let suspects: number[] | null = null;
    let unordered = false;

    for (let i = 0; i < n; i++) {
      const id = tag[i];
      let t = time[i];
      let judge = options.judgeAll;
      let displaced = false;
      if (!(t >= earliest && t <= latest)) {
        if (time === columns.time) time = columns.time.slice();
        if (!Number.isNaN(t)) {
          originalTime ??= new Float64Array(n).fill(NaN);
          originalTime[i] = t;
          status ??= new Uint32Array(n);
          if (status === columns.status) status = columns.status.slice();
          if (status[i] >>> 30 === 0) status[i] = statusUncertainTime;
          // Our time says nothing about repeats of such a row: History compares the source's own time.
          judge = true;
          displaced = true;
        }
        t = receivedTime;
        time[i] = t;
      }
      if (this.#serial[id] === serial) {
        if (t === this.#instant[id]) {
          const k = ++this.#occurrence[id];
          if (!options.ordinalsGiven) {
            ordinal ??= new Uint16Array(n);
            ordinal[i] = k;
          }
          // Of one instant in one message all rows share the first one's fate.
          if (judge || this.#suspected[id] === 1) suspects = push(suspects, i);
          continue;
        }
        if (t < this.#instant[id]) unordered = true;
      }
      this.#serial[id] = serial;
      this.#instant[id] = t;
      this.#occurrence[id] = 0;
      const newer = t > newest[id];
      if (newer && !displaced) newest[id] = t;
      if (newer && !judge) {
        this.#suspected[id] = 0;
      } else {
        this.#suspected[id] = 1;
        suspects = push(suspects, i);
      }
    }
    if (unordered && !options.ordinalsGiven) ordinal = countOrdinals(tag, time, n);
    return {
      columns: { ...columns, time, status, ordinal, originalTime },
      suspect: suspects === null ? noSuspects : Uint32Array.from(suspects),
    };
  }

  #reserve(bound: number): void {
    if (bound <= this.#newest.length) return;
    const capacity = Math.max(bound, this.#newest.length * 2);
    const newest = new Float64Array(capacity).fill(-Infinity);
    newest.set(this.#newest);
    this.#newest = newest;
    const instant = new Float64Array(capacity);
    instant.set(this.#instant);
    this.#instant = instant;
    const occurrence = new Uint16Array(capacity);
    occurrence.set(this.#occurrence);
    this.#occurrence = occurrence;
    const suspected = new Uint8Array(capacity);
    suspected.set(this.#suspected);
    this.#suspected = suspected;
    const serial = new Int32Array(capacity);
    serial.set(this.#serial);
    this.#serial = serial;
  }
}

const noSuspects = new Uint32Array(0);

function push(list: number[] | null, row: number): number[] {
  if (list === null) return [row];
  list.push(row);
  return list;
}

/** Occurrence counts where a tag's times jump back and forth within one batch. */
function countOrdinals(tag: Int32Array, time: Float64Array, rows: number): Uint16Array | null {
  const seen = new Map<string, number>();
  const ordinal = new Uint16Array(rows);
  let any = false;
  for (let i = 0; i < rows; i++) {
    const key = `${tag[i]}@${time[i]}`;
    const k = seen.get(key) ?? 0;
    seen.set(key, k + 1);
    if (k > 0) any = true;
    ordinal[i] = k;
  }
  return any ? ordinal : null;
}

/** The rows whose index is not in `dropped` (any order, no repeats). */
export function withoutRows(columns: Columns, dropped: readonly number[]): Columns {
  const gone = new Set(dropped);
  const kept: number[] = [];
  for (let i = 0; i < columns.rows; i++) if (!gone.has(i)) kept.push(i);
  return selectRows(columns, kept);
}
