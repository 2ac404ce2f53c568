// Hot path. Rows and roll-ups into buckets.
import { type Micros, valueTypeCode } from "@lineshaft/contract/api";
import { appendRows, clearRows, compareRows, newRows, type Presence, type Rows, reserveRows } from "./rows.ts";

/** One cell of aggregates a row: what is added up from points, kept in roll-up tables, and answered. */
export interface Cells {
  n: number;
  tag: Int32Array;
  /** Start of the bucket. */
  time: Float64Array;
  /** NaN while `numbers` is 0. */
  min: Float64Array;
  max: Float64Array;
  sum: Float64Array;
  /** Rows in min, max and sum: numbers and booleans of good or uncertain quality. */
  numbers: Float64Array;
  count: Float64Array;
  good: Float64Array;
  /** Greatest StatusCode as unsigned. */
  worst: Uint32Array;
  /** The last row of each bucket, at the same index. */
  last: Rows;
}

export function newCells(capacity: number, presence: Presence): Cells {
  return {
    n: 0,
    tag: new Int32Array(capacity),
    time: new Float64Array(capacity),
    min: new Float64Array(capacity),
    max: new Float64Array(capacity),
    sum: new Float64Array(capacity),
    numbers: new Float64Array(capacity),
    count: new Float64Array(capacity),
    good: new Float64Array(capacity),
    worst: new Uint32Array(capacity),
    last: newRows(capacity, presence),
  };
}

export function clearCells(cells: Cells): void {
  cells.n = 0;
  clearRows(cells.last);
}

/** Makes room for so many cells in all. */
export function reserveCells(cells: Cells, needed: number): void {
  if (needed <= cells.tag.length) return;
  const capacity = Math.max(256, cells.tag.length * 2, needed);
  const grown = <T extends { set(from: T): void }>(make: { new (n: number): T }, old: T): T => {
    const next = new make(capacity);
    next.set(old);
    return next;
  };
  cells.tag = grown(Int32Array, cells.tag);
  cells.time = grown(Float64Array, cells.time);
  cells.min = grown(Float64Array, cells.min);
  cells.max = grown(Float64Array, cells.max);
  cells.sum = grown(Float64Array, cells.sum);
  cells.numbers = grown(Float64Array, cells.numbers);
  cells.count = grown(Float64Array, cells.count);
  cells.good = grown(Float64Array, cells.good);
  cells.worst = grown(Uint32Array, cells.worst);
  reserveRows(cells.last, capacity);
}

/** Opens an empty cell at the end. */
function openCell(cells: Cells, tag: number, time: Micros): number {
  reserveCells(cells, cells.n + 1);
  const at = cells.n++;
  cells.tag[at] = tag;
  cells.time[at] = time;
  cells.min[at] = Number.NaN;
  cells.max[at] = Number.NaN;
  cells.sum[at] = 0;
  cells.numbers[at] = 0;
  cells.count[at] = 0;
  cells.good[at] = 0;
  cells.worst[at] = 0;
  return at;
}

/** Is the row a number for min, max and avg? Booleans are; text, null, NaN and Bad quality are not. */
function isNumber(rows: Rows, i: number): boolean {
  if (rows.status !== null && rows.status[i] >>> 31 === 1) return false;
  if (Number.isNaN(rows.value[i])) return false;
  return rows.type === null || rows.type[i] <= valueTypeCode.boolean;
}

/** Adds rows [start, end), all of one bucket, to the cell. They need not come after what it holds. */
function addToCell(cells: Cells, at: number, rows: Rows, start: number, end: number): void {
  let min = cells.min[at];
  let max = cells.max[at];
  let sum = 0;
  let numbers = 0;
  let good = 0;
  let worst = cells.worst[at];
  const { value, status } = rows;
  for (let i = start; i < end; i++) {
    if (status === null || status[i] >>> 30 === 0) good++;
    if (status !== null && status[i] > worst) worst = status[i];
    if (!isNumber(rows, i)) continue;
    const v = value[i];
    if (!(v >= min)) min = v;
    if (!(v <= max)) max = v;
    sum += v;
    numbers++;
  }
  cells.min[at] = min;
  cells.max[at] = max;
  cells.sum[at] += sum;
  cells.numbers[at] += numbers;
  cells.count[at] += end - start;
  cells.good[at] += good;
  cells.worst[at] = worst;
  setLast(cells, at, rows, end - 1);
}

function setLast(cells: Cells, at: number, rows: Rows, i: number): void {
  const { last } = cells;
  if (at === last.n) {
    appendRows(last, rows, i, i + 1);
    return;
  }
  if (compareRows(rows, i, last, at) <= 0) return;
  const n = last.n;
  last.n = at;
  last.exact?.delete(at);
  appendRows(last, rows, i, i + 1);
  last.n = n;
}

/**
 * Cells from rows that come in storage order: each bucket is finished before the next one of its tag begins. `full` is called when
 * so many cells are finished, to take them away.
 */
export class CellWriter {
  readonly cells: Cells;
  readonly #widthUs: number;
  #tag = -1;
  #until = Number.NEGATIVE_INFINITY;
  #from = Number.POSITIVE_INFINITY;

  constructor(widthUs: number, presence: Presence, capacity: number) {
    this.#widthUs = widthUs;
    this.cells = newCells(capacity, presence);
  }

  add(rows: Rows, start: number, end: number): void {
    const { tag, time } = rows;
    for (let i = start; i < end; ) {
      if (tag[i] !== this.#tag || time[i] >= this.#until || time[i] < this.#from) {
        this.#tag = tag[i];
        this.#from = Math.floor(time[i] / this.#widthUs) * this.#widthUs;
        this.#until = this.#from + this.#widthUs;
        openCell(this.cells, this.#tag, this.#from);
      }
      let j = i + 1;
      while (j < end && tag[j] === this.#tag && time[j] < this.#until) j++;
      addToCell(this.cells, this.cells.n - 1, rows, i, j);
      i = j;
    }
  }

  /** Cells that no further row can change: all but the last one. */
  get finished(): number {
    return Math.max(0, this.cells.n - 1);
  }

  /** Forgets the finished cells; the open one moves to the front. */
  takeFinished(): void {
    const { cells } = this;
    const from = cells.n - 1;
    for (const column of [
      cells.tag,
      cells.time,
      cells.min,
      cells.max,
      cells.sum,
      cells.numbers,
      cells.count,
      cells.good,
      cells.worst,
    ])
      column[0] = column[from];
    const { last } = cells;
    const row = newRows(1, {
      ordinal: last.ordinal !== null,
      status: last.status !== null,
      type: last.type !== null,
      flag: last.flag !== null,
      lsn: last.lsn !== null,
      orig: last.orig !== null,
      exact: last.exact !== null,
    });
    appendRows(row, last, from, from + 1);
    clearRows(last);
    appendRows(last, row, 0, 1);
    cells.n = 1;
  }
}

/** Buckets of any width and origin over a range, from sources in any order. */
export class Buckets {
  readonly cells: Cells;
  readonly #widthUs: number;
  readonly #originUs: Micros;
  readonly #firstBucket: number;
  readonly #bucketsPerTag: number;
  readonly #tagIndex: Map<number, number>;
  /** Cell of (tag index, bucket) + 1; 0 where there is none yet. */
  readonly #slots: Int32Array;
  #tag = -1;
  #base = 0;

  constructor(
    range: { tags: readonly number[]; fromUs: Micros; toUs: Micros; bucketUs: number; originUs: Micros },
    presence: Presence,
  ) {
    this.#widthUs = range.bucketUs;
    this.#originUs = range.originUs;
    this.#firstBucket = Math.floor((range.fromUs - range.originUs) / range.bucketUs);
    this.#bucketsPerTag = Math.floor((range.toUs - range.originUs) / range.bucketUs) - this.#firstBucket + 1;
    this.#tagIndex = new Map(range.tags.map((tag, i) => [tag, i]));
    this.#slots = new Int32Array(range.tags.length * this.#bucketsPerTag);
    this.cells = newCells(Math.min(this.#slots.length, 1024), presence);
  }

  #find(tag: number, time: Micros): number {
    if (tag !== this.#tag) {
      this.#tag = tag;
      this.#base = (this.#tagIndex.get(tag) ?? 0) * this.#bucketsPerTag - this.#firstBucket;
    }
    const bucket = Math.floor((time - this.#originUs) / this.#widthUs);
    const slot = this.#base + bucket;
    const cell = this.#slots[slot];
    if (cell > 0) return cell - 1;
    const opened = openCell(this.cells, tag, this.#originUs + bucket * this.#widthUs);
    this.#slots[slot] = opened + 1;
    return opened;
  }

  addRows(rows: Rows, start: number, end: number): void {
    for (let i = start; i < end; ) {
      const tag = rows.tag[i];
      const cell = this.#find(tag, rows.time[i]);
      const from = this.cells.time[cell];
      const until = from + this.#widthUs;
      let j = i + 1;
      while (j < end && rows.tag[j] === tag && rows.time[j] < until && rows.time[j] >= from) j++;
      addToCell(this.cells, cell, rows, i, j);
      i = j;
    }
  }

  addCells(other: Cells): void {
    const { cells } = this;
    for (let i = 0; i < other.n; i++) {
      const at = this.#find(other.tag[i], other.time[i]);
      if (other.numbers[i] > 0) {
        if (!(other.min[i] >= cells.min[at])) cells.min[at] = other.min[i];
        if (!(other.max[i] <= cells.max[at])) cells.max[at] = other.max[i];
        cells.sum[at] += other.sum[i];
        cells.numbers[at] += other.numbers[i];
      }
      cells.count[at] += other.count[i];
      cells.good[at] += other.good[i];
      if (other.worst[i] > cells.worst[at]) cells.worst[at] = other.worst[i];
      setLast(cells, at, other.last, i);
    }
  }

  /** Indexes of the cells by (tag, time). `tags` ascended, so the slots are in that order. */
  order(): Uint32Array {
    const order = new Uint32Array(this.cells.n);
    let n = 0;
    for (const cell of this.#slots) if (cell > 0) order[n++] = cell - 1;
    return order;
  }
}
