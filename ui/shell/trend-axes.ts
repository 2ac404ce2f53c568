import type { RawTag } from "@lineshaft/contract/api";
import {
  extent,
  niceRange,
  type Series,
  type SeriesShape,
  steadyRange,
  type TimeRange,
  unitText,
  type ValueRange,
} from "../kit/index.ts";
import type { TrendLane, TrendPane } from "../kit/trend-paint.ts";
import { shortPlace, tagName } from "./directory.ts";

export interface DrawnTag {
  tag: RawTag;
  data: Series;
  shape: SeriesShape;
  colour: number;
}

/** Puts tags into panes (one a unit) and lanes, and remembers the value axes so that they do not jump while live. */
export class TrendAxes {
  readonly #ranges = new Map<string, ValueRange>();
  #refit = true;

  /** The axes may shrink again, once. */
  refit(): void {
    this.#refit = true;
  }

  arrange(tags: readonly DrawnTag[], range: TimeRange): { panes: TrendPane[]; lanes: TrendLane[] } {
    const panes = new Map<string, TrendPane & { lines: TrendPane["lines"][number][] }>();
    const lanes: TrendLane[] = [];
    // Ten machines have ten tags of the same name: then the place belongs to it.
    const several = new Set(tags.map(({ tag }) => tag.equipmentId ?? tag.connection)).size > 1;
    for (const { tag, data, shape, colour } of tags) {
      const name = several ? `${tagName(tag)} · ${shortPlace(tag, 1)}` : tagName(tag);
      if (shape === "lane") {
        lanes.push({ id: tag.id, label: name, data });
        continue;
      }
      // Values without a unit have nothing in common: each gets an axis of its own.
      const key = tag.unit === null ? `tag ${tag.id}` : `unit ${tag.unit}`;
      const pane = panes.get(key) ?? { title: "", axis: { min: 0, max: 1 }, lines: [] };
      const unit = unitText(tag.unit);
      pane.title = pane.lines.length > 0 ? unit : unit === "" ? name : `${name} · ${unit}`;
      panes.set(key, pane);
      pane.lines.push({ id: tag.id, colour, shape, data });
    }
    for (const [key, pane] of panes) pane.axis = this.#axis(key, pane, range);
    this.#refit = false;
    return { panes: [...panes.values()], lanes };
  }

  #axis(key: string, pane: TrendPane, range: TimeRange): ValueRange {
    let min = Infinity;
    let max = -Infinity;
    for (const { data } of pane.lines) {
      const found = extent(data, range.fromUs, range.toUs);
      min = Math.min(min, found.min);
      max = Math.max(max, found.max);
    }
    const before = this.#refit ? null : (this.#ranges.get(key) ?? null);
    const axis = min <= max && before === null ? niceRange(min, max) : steadyRange(before, min, max);
    if (min <= max) this.#ranges.set(key, axis);
    return axis;
  }
}
