// The state of one trend view, outside React: range, live following, data of each tag.
import { type Columns, type Micros, qualityOf, type RawTag, valueAt, type Warning } from "@lineshaft/contract/api";
import { bucketFor, Series, type SeriesShape, seriesColours, spanOf, type TimeRange, zoom } from "../kit/index.ts";
import type { TrendScene } from "../kit/trend-paint.ts";
import { live, nowUs, watch } from "./feed.ts";
import { call } from "./platform.ts";
import { type DrawnTag, TrendAxes } from "./trend-axes.ts";
import { asNumber, asText, readTrend } from "./trend-data.ts";
import type { Reading, TrendState } from "./trend-reading.ts";
import { type TailPoint, TrendTail } from "./trend-tail.ts";

/** Tags in one view; beyond that nobody tells the lines apart. */
export const trendTagsMax = 24;
/** History answers a moment after the log; points younger than this come from the stream. */
const historySettlesUs = 3_000_000;
const reloadLiveMs = 30_000;
const reloadFirstMs = 5_000;

export class TrendModel {
  range: TimeRange;
  /** Following now. */
  live: boolean;
  /** When following was stopped by touching history; null while following or never followed. */
  stoppedUs: Micros | null = null;
  cursor: { us: Micros; pinned: boolean } | null = null;
  state: TrendState = { loading: false, error: null, warnings: [] };
  #tags: readonly RawTag[] = [];
  readonly #shapes = new Map<number, SeriesShape>();
  #series = new Map<number, Series>();
  readonly #axes = new TrendAxes();
  #gaps: (TimeRange & { connection: string | null })[] = [];
  #loaded: { range: TimeRange; bucketUs: number } | null = null;
  #refit = true;
  /** Somebody else moves the range. */
  #led = false;
  #width = 1000;
  readonly #tail = new TrendTail();
  #loadTurn = 0;
  #loadTimer = 0;
  #frame = 0;
  #lastPaintMs = 0;
  #liveReload = 0;
  #stopWatch: () => void = () => {};
  readonly #paints = new Set<() => void>();
  readonly #listeners = new Set<() => void>();
  #version = 0;
  #lastTellMs = 0;
  #tellTimer = 0;

  constructor(range: TimeRange, following: boolean) {
    this.range = range;
    this.live = following;
  }

  /** For React: changes at most a few times a second. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  version = (): number => this.#version;

  /** For the chart: at each change. */
  onPaint = (paint: () => void): (() => void) => {
    this.#paints.add(paint);
    return () => this.#paints.delete(paint);
  };

  get bucketUs(): number | null {
    for (const series of this.#series.values()) if (series.grain === "bucket") return series.bucketUs;
    return null;
  }

  start(): void {
    this.#frame = requestAnimationFrame(this.#tick);
    this.#load();
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#loadTimer);
    clearTimeout(this.#liveReload);
    clearTimeout(this.#tellTimer);
    this.#loadTurn++;
    this.#stopWatch();
    this.#stopWatch = () => {};
  }

  setTags(tags: readonly RawTag[]): void {
    const before = this.#tags.map((tag) => tag.id).join();
    this.#tags = tags;
    if (tags.map((tag) => tag.id).join() === before) {
      this.#changed();
      return;
    }
    for (const id of this.#series.keys()) if (!tags.some((tag) => tag.id === id)) this.#series.delete(id);
    const stop = this.#stopWatch;
    this.#tail.begin(nowUs());
    const wanted = new Set(tags.map((tag) => tag.id));
    this.#stopWatch = tags.length === 0 ? () => {} : watch(wanted, (event) => this.#receive(event.columns, wanted));
    stop();
    this.#refit = true;
    this.#loaded = null;
    this.#load();
  }

  setWidth(px: number): void {
    this.#width = px;
    this.#loadSoon();
  }

  /** By hand: dragging into history stops following; zooming while live keeps its end at now. */
  move(range: TimeRange, how: "pan" | "zoom"): void {
    if (how === "zoom") {
      this.#refit = true;
      if (this.live) {
        const now = nowUs();
        range = zoom(this.range, now, spanOf(range) / spanOf(this.range));
      }
    } else if (this.live) {
      this.live = false;
      this.stoppedUs = nowUs();
    }
    this.range = range;
    this.#loadSoon();
    this.#changed(true);
  }

  /** The range of a page around it; while `following`, that page moves it on. */
  lead(range: TimeRange, following: boolean): void {
    const zoomed = Math.abs(spanOf(range) - spanOf(this.range)) > 1;
    const moved = !following || zoomed || following !== this.live;
    this.#led = true;
    this.live = following;
    this.range = range;
    if (zoomed) this.#refit = true;
    if (moved) this.#loadSoon();
    this.#changed();
  }

  /** A range chosen as such. */
  show(range: TimeRange): void {
    this.live = false;
    this.stoppedUs = null;
    this.range = range;
    this.#refit = true;
    this.#load();
    this.#changed(true);
  }

  follow(spanUs = spanOf(this.range)): void {
    this.live = true;
    this.stoppedUs = null;
    const now = nowUs();
    this.range = { fromUs: now - spanUs, toUs: now };
    this.#refit = true;
    this.#load();
    this.#changed(true);
  }

  unfollow(): void {
    this.live = false;
    this.stoppedUs = nowUs();
    this.#changed(true);
  }

  fit(): void {
    this.#refit = true;
    this.#changed(true);
  }

  setCursor(us: Micros | null, pinned: boolean): void {
    this.cursor = us === null ? null : { us, pinned };
    this.#changed(true);
  }

  /** Is anything known within the range shown? */
  get hasData(): boolean {
    const { fromUs, toUs } = this.range;
    for (const series of this.#series.values()) {
      const from = series.grain === "bucket" ? fromUs - series.bucketUs : fromUs;
      if (series.indexAt(toUs) > series.indexAt(from)) return true;
      // A held value counts as known.
      if (series.grain === "raw" && series.indexAt(from) > 0 && fromUs < nowUs()) return true;
    }
    return false;
  }

  shapeOf(tag: number): SeriesShape {
    return this.#shapes.get(tag) ?? "line";
  }

  /** Index of a line's colour. Lanes need none, so that eight lines are told apart. */
  colourOf(tag: number): number {
    const lines = this.#tags.filter(({ id }) => this.shapeOf(id) !== "lane");
    return (
      Math.max(
        0,
        lines.findIndex(({ id }) => id === tag),
      ) % seriesColours
    );
  }

  /** What the tag was at that instant, as drawn; without an instant what it is now, which no mean of a bucket says. */
  reading(tag: number, us: Micros | null): Reading | null {
    if (us === null) return this.#newest(tag);
    const series = this.#series.get(tag);
    if (series === undefined) return null;
    const row = series.rowFor(us, this.shapeOf(tag));
    const bucket = series.grain === "bucket";
    if (row < 0) return { time: null, value: NaN, text: null, min: null, max: null, status: 0, bucketUs: null };
    return {
      time: series.time[row],
      value: series.value[row],
      text: series.text?.[row] ?? null,
      min: bucket ? series.min[row] : null,
      max: bucket ? series.max[row] : null,
      status: series.status[row],
      bucketUs: bucket ? series.bucketUs : null,
    };
  }

  #newest(tag: number): Reading | null {
    const value = live.get(tag);
    if (value === null) return this.reading(tag, nowUs());
    const { time, status } = value;
    const lane = this.shapeOf(tag) === "lane";
    return {
      time,
      value: qualityOf(status) === "bad" ? NaN : asNumber(value.value),
      text: lane ? asText(value.value) : null,
      min: null,
      max: null,
      status,
      bucketUs: null,
    };
  }

  scene = (): TrendScene => {
    if (this.#refit) this.#axes.refit();
    if (this.#loaded !== null) this.#refit = false;
    const shown = new Set(this.#tags.map((tag) => tag.connection));
    return {
      range: this.range,
      ...this.#axes.arrange(
        this.#tags.map((tag) => this.#drawn(tag)),
        this.range,
      ),
      gaps: this.#gaps.filter(({ connection }) => connection === null || shown.has(connection)),
      untilUs: nowUs(),
    };
  };

  #drawn(tag: RawTag): DrawnTag {
    const data = this.#series.get(tag.id) ?? empty;
    return { tag, data, shape: this.shapeOf(tag.id), colour: this.colourOf(tag.id) };
  }

  readonly #tick = (ms: number): void => {
    this.#frame = requestAnimationFrame(this.#tick);
    if (!this.live || this.#led) return;
    // Once a pixel of time, not once a frame: a day's view moves every minute.
    const pixelMs = spanOf(this.range) / this.#width / 1000;
    if (ms - this.#lastPaintMs < Math.min(500, Math.max(33, pixelMs))) return;
    this.#lastPaintMs = ms;
    const now = nowUs();
    this.range = { fromUs: now - spanOf(this.range), toUs: now };
    this.#changed();
  };

  #receive(columns: Columns, wanted: ReadonlySet<number>): void {
    for (let row = 0; row < columns.rows; row++) {
      const tag = columns.tag[row];
      if (!wanted.has(tag)) continue;
      const status = columns.status === null ? 0 : columns.status[row];
      const lane = this.#shapes.get(tag) === "lane";
      const number = columns.value[row];
      const point: TailPoint = {
        tag,
        time: columns.time[row],
        value: qualityOf(status) === "bad" ? NaN : number,
        status,
        text: lane ? asText(valueAt(columns, row)) : "",
      };
      this.#tail.add(point);
      const series = this.#series.get(tag);
      if (series !== undefined && this.#covers(point.time)) series.add(point.time, point.value, status, point.text);
    }
    this.#tail.trim(nowUs());
    if (!this.live) this.#changed();
  }

  /** Is the instant one that the loaded data continue into? A view of yesterday takes no live points. */
  #covers(us: Micros): boolean {
    return this.#loaded !== null && us >= this.#loaded.range.fromUs && (this.live || us < this.#loaded.range.toUs);
  }

  #loadSoon(): void {
    clearTimeout(this.#loadTimer);
    this.#loadTimer = window.setTimeout(() => {
      const { range } = this;
      const bucketUs = bucketFor(spanOf(range), this.#width);
      const now = nowUs();
      const enough =
        this.#loaded !== null &&
        this.#loaded.bucketUs === bucketUs &&
        this.#loaded.range.fromUs <= range.fromUs &&
        this.#loaded.range.toUs >= Math.min(range.toUs, now - historySettlesUs);
      if (!enough) this.#load();
      else this.#changed();
    }, 120);
  }

  #load(): void {
    clearTimeout(this.#liveReload);
    const turn = ++this.#loadTurn;
    if (this.#tags.length === 0) {
      this.state = { loading: false, error: null, warnings: [] };
      this.#changed(true);
      return;
    }
    this.state = { ...this.state, loading: true };
    this.#changed(true);
    this.#read(turn)
      .then((warnings) => {
        if (turn !== this.#loadTurn) return;
        this.state = { loading: false, error: null, warnings };
      })
      .catch((error: unknown) => {
        if (turn === this.#loadTurn) this.state = { ...this.state, loading: false, error };
      })
      .finally(() => {
        if (turn !== this.#loadTurn) return;
        this.#changed(true);
        // History settles behind the log; a quiet second reading joins it with what the stream brought.
        const young = nowUs() - this.#tail.sinceUs < 10_000_000;
        if (this.live)
          this.#liveReload = window.setTimeout(
            () => !document.hidden && this.#load(),
            young ? reloadFirstMs : reloadLiveMs,
          );
      });
  }

  async #read(turn: number): Promise<readonly Warning[]> {
    const tags = this.#tags.map((tag) => tag.id);
    const now = nowUs();
    const cutoff = Math.max(this.#tail.sinceUs, now - historySettlesUs);
    await this.#learnShapes(tags);
    const found = await readTrend(tags, {
      range: this.range,
      width: this.#width,
      cutoffUs: cutoff,
      shapeOf: (tag) => this.shapeOf(tag),
    });
    if (turn !== this.#loadTurn) return [];
    // What came since the cut-off comes from the stream; what lies before it, from history only.
    if (found.wantedToUs >= cutoff)
      for (const point of this.#tail.from(found.toUs))
        found.series.get(point.tag)?.add(point.time, point.value, point.status, point.text);
    this.#series = found.series;
    this.#gaps = found.gaps.map((gap) => ({
      fromUs: gap.fromUs,
      toUs: gap.toUs ?? now,
      connection: gap.connection,
    }));
    this.#loaded = { range: { fromUs: found.fromUs, toUs: found.wantedToUs }, bucketUs: found.bucketUs };
    return found.warnings;
  }

  async #learnShapes(tags: readonly number[]): Promise<void> {
    const unknown = tags.filter((tag) => !this.#shapes.has(tag));
    if (unknown.length === 0) return;
    const { items } = await call("lastValues", { query: { tag: unknown } });
    live.applyLast(items);
    for (const { tag, type, time } of items) {
      if (time === null) continue;
      const shape: SeriesShape = type === "double" ? "line" : type === "int64" ? "step" : "lane";
      this.#shapes.set(tag, shape);
    }
  }

  /** Repaints now; tells React soon, or with `atOnce` in this frame. */
  #changed(atOnce = false): void {
    for (const paint of this.#paints) paint();
    if (this.#tellTimer !== 0) return;
    const wait = atOnce ? 16 : Math.max(16, this.#lastTellMs + 250 - performance.now());
    this.#tellTimer = window.setTimeout(() => {
      this.#tellTimer = 0;
      this.#lastTellMs = performance.now();
      this.#version++;
      for (const listener of this.#listeners) listener();
    }, wait);
  }
}

const empty = new Series("raw", 0);
