import type { Micros } from "@lineshaft/contract/api";
import { type StateClass, stateStyles } from "./states.ts";
import { type TimeRange, timeToX } from "./time-axis.ts";

/** What holds in [fromUs, toUs): a state, an order, a shift, a break. */
export interface LaneItem {
  /** Unique in its lane. */
  key: string;
  fromUs: Micros;
  toUs: Micros;
  label: string;
  /** null: something without a state, drawn in grey. */
  state: StateClass | null;
  /** Somebody said something of it. */
  marked?: boolean;
}

/** One rectangle on the screen, in pixels. */
export interface LaneRect {
  x: number;
  width: number;
  item: LaneItem;
  /** Items narrower than a pixel that share this rectangle; 1 for an item of its own. */
  items: number;
}

const severityOf = ({ state }: LaneItem): number => (state === null ? -1 : stateStyles[state].severity);

/**
 * The rectangles of a lane. What is at least a pixel wide stands as it is; of what is narrower each pixel shows the worst, and shows it above the wide ones
 * too, so that a breakdown of a second is seen in a view of a month.
 */
export function laneRects(items: readonly LaneItem[], range: TimeRange, left: number, width: number): LaneRect[] {
  const wide: LaneRect[] = [];
  const slivers = new Map<number, LaneRect>();
  for (const item of items) {
    const from = Math.max(left, timeToX(range, item.fromUs, left, width));
    const to = Math.min(left + width, timeToX(range, item.toUs, left, width));
    if (to <= from) continue;
    if (to - from >= 1) {
      wide.push({ x: from, width: to - from, item, items: 1 });
      continue;
    }
    const pixel = Math.min(Math.floor(from), left + width - 1);
    const there = slivers.get(pixel);
    if (there === undefined) slivers.set(pixel, { x: pixel, width: 1, item, items: 1 });
    else {
      there.items++;
      if (severityOf(item) > severityOf(there.item)) there.item = item;
    }
  }
  return [...wide, ...joined([...slivers.values()])];
}

/** Neighbouring pixels of one state are one rectangle; it speaks for the item that began it. */
function joined(slivers: readonly LaneRect[]): LaneRect[] {
  const rects: LaneRect[] = [];
  for (const sliver of [...slivers].sort((a, b) => a.x - b.x)) {
    const last = rects[rects.length - 1];
    if (last !== undefined && last.x + last.width === sliver.x && last.item.state === sliver.item.state) {
      last.width++;
      last.items += sliver.items;
    } else rects.push({ ...sliver });
  }
  return rects;
}

/** The item that holds at an instant. Items are in order and do not overlap. */
export function itemAt<T extends { fromUs: Micros; toUs: Micros }>(items: readonly T[], us: Micros): T | undefined {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (items[middle].toUs <= us) low = middle + 1;
    else high = middle;
  }
  const found = items[low];
  return found !== undefined && found.fromUs <= us ? found : undefined;
}
