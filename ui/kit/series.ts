// Hot path: live points are folded in here. One tag's data for one view of the chart.
import { type Micros, qualityOf } from "@lineshaft/contract/api";

/** How a tag is drawn: a line between points, a value held until the next one, or a lane of rectangles. */
export type SeriesShape = "line" | "step" | "lane";

/** `raw`: one row a point. `bucket`: one row a bucket of `bucketUs`, stamped with the bucket's start. */
export type SeriesGrain = "raw" | "bucket";

export interface SeriesRows {
  time: ArrayLike<number>;
  /** The point's value, or the bucket's average; NaN = nothing to draw (bad quality, no number). */
  value: ArrayLike<number>;
  min?: ArrayLike<number>;
  max?: ArrayLike<number>;
  status?: ArrayLike<number>;
  /** Points in the bucket that count in the average. */
  good?: ArrayLike<number>;
  /** What a lane shows, row by row. */
  text?: readonly string[];
}

/** Rows kept of one tag at most; the oldest go first. With 2 pixels a bucket no screen shows more. */
export const seriesRowsMax = 200_000;

/** Growing columns of one tag in time order. */
export class Series {
  readonly grain: SeriesGrain;
  readonly bucketUs: number;
  rows = 0;
  time = new Float64Array(256);
  value = new Float64Array(256);
  min = new Float64Array(0);
  max = new Float64Array(0);
  status = new Uint32Array(256);
  good = new Float64Array(0);
  text: string[] | null;

  constructor(grain: SeriesGrain, bucketUs: number, withText = false) {
    this.grain = grain;
    this.bucketUs = bucketUs;
    this.text = withText ? [] : null;
    if (grain === "bucket") {
      this.min = new Float64Array(256);
      this.max = new Float64Array(256);
      this.good = new Float64Array(256);
    }
  }

  static from(grain: SeriesGrain, bucketUs: number, rows: SeriesRows): Series {
    const series = new Series(grain, bucketUs, rows.text !== undefined);
    const n = Math.min(rows.time.length, seriesRowsMax);
    for (let i = 0; i < n; i++) {
      const row = series.#insertAt(series.rows, rows.time[i]);
      series.value[row] = rows.value[i];
      series.status[row] = rows.status?.[i] ?? 0;
      if (grain === "bucket") {
        series.min[row] = rows.min?.[i] ?? rows.value[i];
        series.max[row] = rows.max?.[i] ?? rows.value[i];
        series.good[row] = rows.good?.[i] ?? 1;
      }
      if (series.text !== null) series.text[row] = rows.text?.[i] ?? "";
    }
    return series;
  }

  /** Adds a live point, wherever in time it belongs. A repeat of a raw point changes nothing. */
  add(time: Micros, value: number, status: number, text = ""): void {
    if (this.grain === "bucket") this.#fold(Math.floor(time / this.bucketUs) * this.bucketUs, value, status, text);
    else this.#insert(time, value, status, text);
  }

  /** First row with time ≥ `us`. */
  indexAt(us: Micros): number {
    let low = 0;
    let high = this.rows;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.time[middle] < us) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The row that speaks for the instant `us`: the bucket that holds it, the point held at it, or the nearest point of a line. −1: none. */
  rowFor(us: Micros, shape: SeriesShape): number {
    const after = this.indexAt(us + 1);
    if (this.grain === "bucket") return after > 0 && us < this.time[after - 1] + this.bucketUs ? after - 1 : -1;
    if (shape !== "line" || after === this.rows) return after - 1;
    if (after === 0) return 0;
    return us - this.time[after - 1] <= this.time[after] - us ? after - 1 : after;
  }

  /** Drops rows before `us`, but keeps one, so that what was held at the left edge stays known. */
  dropBefore(us: Micros): void {
    const drop = this.indexAt(us) - 1;
    if (drop < 256) return;
    this.#remove(drop);
  }

  #remove(drop: number): void {
    for (const column of [this.time, this.value, this.status, this.min, this.max, this.good])
      if (column.length > 0) column.copyWithin(0, drop, this.rows);
    this.text?.splice(0, drop);
    this.rows -= drop;
  }

  #insert(time: Micros, value: number, status: number, text: string): void {
    let row = this.rows;
    if (row > 0 && time <= this.time[row - 1]) {
      row = this.indexAt(time);
      for (let i = row; i < this.rows && this.time[i] === time; i++)
        if (Object.is(this.value[i], value) && (this.text === null || this.text[i] === text)) return;
      while (row < this.rows && this.time[row] === time) row++;
    }
    row = this.#insertAt(row, time, text);
    this.value[row] = value;
    this.status[row] = status;
  }

  #fold(start: Micros, value: number, status: number, text: string): void {
    let row = this.rows - 1;
    if (row < 0 || this.time[row] !== start) {
      row = this.indexAt(start);
      if (row === this.rows || this.time[row] !== start) {
        row = this.#insertAt(row, start, text);
        this.value[row] = NaN;
        this.min[row] = NaN;
        this.max[row] = NaN;
        this.good[row] = 0;
        this.status[row] = status;
      }
    }
    if (this.text !== null) this.text[row] = text;
    if (status >>> 30 > this.status[row] >>> 30) this.status[row] = status;
    if (Number.isNaN(value) || qualityOf(status) === "bad") return;
    const good = this.good[row];
    this.value[row] = good === 0 ? value : (this.value[row] * good + value) / (good + 1);
    this.min[row] = good === 0 ? value : Math.min(this.min[row], value);
    this.max[row] = good === 0 ? value : Math.max(this.max[row], value);
    this.good[row] = good + 1;
  }

  #insertAt(row: number, time: Micros, text = ""): number {
    let at = row;
    if (this.rows >= seriesRowsMax) {
      const drop = seriesRowsMax >>> 3;
      this.#remove(drop);
      at = Math.max(0, at - drop);
    }
    if (this.rows === this.time.length) this.#grow();
    if (at < this.rows)
      for (const column of [this.time, this.value, this.status, this.min, this.max, this.good])
        if (column.length > 0) column.copyWithin(at + 1, at, this.rows);
    if (this.text !== null) {
      if (at === this.text.length) this.text.push(text);
      else this.text.splice(at, 0, text);
    }
    this.time[at] = time;
    this.rows++;
    return at;
  }

  #grow(): void {
    const capacity = this.time.length * 2;
    const longer = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const next = new Float64Array(old.length === 0 ? 0 : capacity);
      next.set(old);
      return next;
    };
    this.time = longer(this.time);
    this.value = longer(this.value);
    this.min = longer(this.min);
    this.max = longer(this.max);
    this.good = longer(this.good);
    const status = new Uint32Array(capacity);
    status.set(this.status);
    this.status = status;
  }
}

/**
 * Above this distance two neighbours are not joined: nothing was recorded between them, and a line would claim otherwise.
 * Twenty times the usual distance, so that values sent on change still make a line.
 */
export function breakUs(series: Series, from: number, to: number): number {
  if (series.grain === "bucket") return Math.max(series.bucketUs * 20, 60_000_000);
  const n = to - from;
  if (n < 3) return Infinity;
  const sample: number[] = [];
  const stride = Math.max(1, Math.floor(n / 64));
  for (let i = from + 1; i < to; i += stride) sample.push(series.time[i] - series.time[i - 1]);
  sample.sort((a, b) => a - b);
  return Math.max(20 * sample[sample.length >>> 1], 60_000_000);
}

/** Least and greatest value drawn between two instants; `min > max` when there is none. */
export function extent(series: Series, fromUs: Micros, toUs: Micros): { min: number; max: number } {
  let min = Infinity;
  let max = -Infinity;
  const low = series.grain === "bucket" ? series.min : series.value;
  const high = series.grain === "bucket" ? series.max : series.value;
  const end = Math.min(series.rows, series.indexAt(toUs) + 1);
  for (let i = Math.max(0, series.indexAt(fromUs) - 1); i < end; i++) {
    if (low[i] < min) min = low[i];
    if (high[i] > max) max = high[i];
  }
  return { min, max };
}
