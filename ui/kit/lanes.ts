import { type Micros, qualityOf } from "@lineshaft/contract/api";
import type { Series } from "./series.ts";
import { type StateClass, stateClassOf, stateStyles } from "./states.ts";
import type { TimeRange } from "./time-axis.ts";

/** One rectangle of a lane, in pixels. */
export interface LaneBlock {
  x: number;
  width: number;
  text: string;
  /** null: a word without a known meaning, drawn in a shade of grey of its own. */
  state: StateClass | null;
  quality: "good" | "uncertain" | "bad";
  /** Rows that share this block because they are narrower than a pixel. */
  merged: number;
}

/** How much a row wants to be seen; what shares a pixel is drawn as the greatest. */
function weight(text: string, status: number): number {
  if (qualityOf(status) === "bad") return stateStyles.unknown.severity;
  const state = stateClassOf(text);
  return state === null ? 1 : stateStyles[state].severity;
}

/**
 * The rectangles of a lane over `widthPx`. Each value holds until the next; the last one until `untilUs`, as nothing is
 * known beyond. Rows below a pixel are merged into the worst of them.
 */
export function laneBlocks(series: Series, range: TimeRange, widthPx: number, untilUs: Micros): LaneBlock[] {
  const perPixel = (range.toUs - range.fromUs) / Math.max(1, widthPx);
  const blocks: LaneBlock[] = [];
  const first = Math.max(0, series.indexAt(range.fromUs + 1) - 1);
  const text = series.text ?? [];
  // The open block: its left edge, and the worst row seen since within one pixel.
  let left = -1;
  let shown = -1;
  let merged = 0;
  const close = (right: number): void => {
    if (shown < 0 || right <= left) return;
    const label = text[shown] ?? "";
    const quality = qualityOf(series.status[shown]);
    const last = blocks[blocks.length - 1];
    if (
      last !== undefined &&
      last.text === label &&
      last.quality === quality &&
      Math.abs(last.x + last.width - left) < 0.01
    ) {
      last.width = right - last.x;
      last.merged += merged;
      return;
    }
    blocks.push({ x: left, width: right - left, text: label, state: stateClassOf(label), quality, merged });
  };
  for (let i = first; i < series.rows; i++) {
    const start = series.time[i];
    if (start >= range.toUs || start >= untilUs) break;
    const x = Math.max(0, (start - range.fromUs) / perPixel);
    if (shown >= 0 && x - left < 1) {
      merged++;
      // The newest row wins among equals, as it is the one that goes on.
      if (weight(text[i] ?? "", series.status[i]) >= weight(text[shown] ?? "", series.status[shown])) shown = i;
      else if (i + 1 < series.rows && (series.time[i + 1] - range.fromUs) / perPixel - left >= 1) {
        // The worst keeps its pixel; what goes on afterwards gets a block of its own.
        close(left + 1);
        left += 1;
        shown = i;
        merged = 1;
      }
      continue;
    }
    close(x);
    left = x;
    shown = i;
    merged = 1;
  }
  close(Math.min(widthPx, (Math.min(untilUs, range.toUs) - range.fromUs) / perPixel));
  return blocks;
}

/** A steady shade (0 to `shades` − 1) for a word, so that the same word always looks the same. */
export function shadeOf(text: string, shades: number): number {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  return (hash >>> 0) % shades;
}
