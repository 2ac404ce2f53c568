import type { Micros } from "@lineshaft/contract/api";

const keptUs = 30_000_000;
const rowsMax = 50_000;

export interface TailPoint {
  tag: number;
  time: Micros;
  value: number;
  status: number;
  text: string;
}

/** The newest points of a trend as the stream brought them: what history does not answer yet. Bounded in time and in rows. */
export class TrendTail {
  #points: TailPoint[] = [];
  /** Complete from here on; Infinity while nothing is followed. */
  sinceUs: Micros = Infinity;

  /** Forgets everything and begins now. */
  begin(nowUs: Micros): void {
    this.#points = [];
    this.sinceUs = nowUs;
  }

  add(point: TailPoint): void {
    this.#points.push(point);
  }

  /** Lets go of what history has by now. */
  trim(nowUs: Micros): void {
    if (this.#points.length <= rowsMax && (this.#points[0]?.time ?? Infinity) >= nowUs - 2 * keptUs) return;
    const since = nowUs - keptUs;
    this.#points = this.#points.filter((point) => point.time >= since).slice(-rowsMax / 2);
    const first = this.#points.length >= rowsMax / 2 ? this.#points[0].time : 0;
    this.sinceUs = Math.max(this.sinceUs, since, first);
  }

  *from(us: Micros): Iterable<TailPoint> {
    for (const point of this.#points) if (point.time >= us) yield point;
  }
}
