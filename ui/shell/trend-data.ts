// Reads what a trend shows of history: buckets where there is much, the raw points where there are few enough to be drawn.
import {
  type BucketSeries,
  type Gap,
  type JsonValue,
  type Micros,
  type PointSeries,
  qualityOf,
  type Value,
  valueFromJson,
  type Warning,
} from "@lineshaft/contract/api";
import { bucketFor, Series, type SeriesShape, spanOf, type TimeRange } from "../kit/index.ts";
import { call } from "./platform.ts";

const laneRowsMax = 20_000;
const laneLookBackUs = 24 * 3_600_000_000;

interface TrendRequest {
  range: TimeRange;
  /** Pixels: decides the buckets. */
  width: number;
  /** Points from here on are asked of the stream, not of history. */
  cutoffUs: Micros;
  shapeOf(tag: number): SeriesShape;
}

interface TrendData {
  series: Map<number, Series>;
  gaps: readonly Gap[];
  warnings: readonly Warning[];
  bucketUs: number;
  /** History was read from here … */
  fromUs: Micros;
  /** … to here; the view wants up to `wantedToUs`. */
  toUs: Micros;
  wantedToUs: Micros;
}

/** A value as a line draws it; NaN where it is none. */
export const asNumber = (value: Value | undefined): number =>
  typeof value === "number"
    ? value
    : typeof value === "bigint"
      ? Number(value)
      : typeof value === "boolean"
        ? Number(value)
        : NaN;
/** A value as a lane writes it. */
export const asText = (value: Value | undefined): string =>
  value === undefined || value === null ? "" : value instanceof Uint8Array ? `${value.length} B` : String(value);

/** A quarter of the range more on both sides, so that a short pan needs nothing new. */
export async function readTrend(tags: readonly number[], request: TrendRequest): Promise<TrendData> {
  const { range, width, cutoffUs, shapeOf } = request;
  const span = spanOf(range);
  const bucketUs = bucketFor(span, width);
  const fromUs = Math.floor((range.fromUs - span / 4) / bucketUs) * bucketUs;
  const wantedToUs = range.toUs + span / 4;
  const toUs = Math.floor(Math.min(wantedToUs, cutoffUs));
  const query = { tag: [...tags], from: fromUs, to: Math.max(fromUs + 1000, toUs) };
  const [buckets, gaps] = await Promise.all([
    call("bucketHistory", { query: { ...query, bucketUs } }),
    call("listGaps", { query: { limit: 500 } }),
  ]);
  const counts = new Map<number, number>();
  buckets.tag.forEach((tag, i) => {
    counts.set(tag, (counts.get(tag) ?? 0) + buckets.count[i]);
  });
  const fewEnough = (tag: number): boolean =>
    (counts.get(tag) ?? 0) <= (shapeOf(tag) === "lane" ? laneRowsMax : width * 1.5);
  const rawTags = tags.filter((tag) => fewEnough(tag) && (counts.get(tag) ?? 0) > 0);
  const heldTags = tags.filter((tag) => shapeOf(tag) !== "line");
  const [raw, before] = await Promise.all([
    rawTags.length === 0
      ? null
      : call("rawHistory", {
          query: { ...query, tag: rawTags, limit: rawTags.reduce((sum, tag) => sum + (counts.get(tag) ?? 0), 1000) },
        }),
    heldTags.length === 0
      ? null
      : call("bucketHistory", { query: { tag: heldTags, from: fromUs - laneLookBackUs, to: fromUs, buckets: 1 } }),
  ]);
  const series = new Map<number, Series>();
  for (const tag of tags) {
    const lane = shapeOf(tag) === "lane";
    const found = fewEnough(tag) ? rawSeries(tag, raw, lane) : bucketSeries(tag, buckets, bucketUs, lane);
    const held = before?.tag.indexOf(tag) ?? -1;
    if (before !== null && held >= 0 && found.grain === "raw") {
      const value = valueFromJson(before.last[held]);
      found.add(fromUs - 1, asNumber(value), 0, lane ? asText(value) : "");
    }
    series.set(tag, found);
  }
  const warnings = [...buckets.warnings, ...(raw?.warnings ?? [])];
  return { series, gaps: gaps.items, warnings, bucketUs, fromUs, toUs, wantedToUs };
}

function rawSeries(tag: number, raw: PointSeries | null, lane: boolean): Series {
  const series = new Series("raw", 0, lane);
  if (raw === null) return series;
  for (let i = 0; i < raw.rows; i++) {
    if (raw.tag[i] !== tag) continue;
    const status = raw.status?.[i] ?? 0;
    const value = valueFromJson(raw.value[i] as JsonValue);
    series.add(raw.time[i], qualityOf(status) === "bad" ? NaN : asNumber(value), status, lane ? asText(value) : "");
  }
  return series;
}

function bucketSeries(tag: number, buckets: BucketSeries, bucketUs: number, lane: boolean): Series {
  const rows: number[] = [];
  for (let i = 0; i < buckets.tag.length; i++) if (buckets.tag[i] === tag) rows.push(i);
  return Series.from("bucket", bucketUs, {
    time: rows.map((i) => buckets.time[i]),
    value: rows.map((i) => buckets.avg[i] ?? NaN),
    min: rows.map((i) => buckets.min[i] ?? NaN),
    max: rows.map((i) => buckets.max[i] ?? NaN),
    // A bucket with one bad point among good ones still has an average: it is drawn as uncertain, not as a gap.
    status: rows.map((i) => buckets.status[i]),
    good: rows.map((i) => buckets.good[i]),
    ...(lane ? { text: rows.map((i) => asText(valueFromJson(buckets.last[i] as JsonValue))) } : {}),
  });
}
