// Hot path: paints the whole strip chart, at 60 frames a second while it is dragged. No allocation per point.
import { type Micros, qualityOf } from "@lineshaft/contract/api";
import type { Format } from "./format.ts";
import { laneBlocks, shadeOf } from "./lanes.ts";
import { breakUs, type Series, type SeriesShape } from "./series.ts";
import { stateStyles } from "./states.ts";
import { type TimeRange, timeTicks, timeToX } from "./time-axis.ts";
import { type ValueRange, valueTicks } from "./value-axis.ts";

export interface TrendLine {
  id: number;
  /** Index into the palette's series colours. */
  colour: number;
  shape: SeriesShape;
  data: Series;
}

/** One value axis and the lines that share it: one unit. */
export interface TrendPane {
  /** The unit, after the name where the pane holds one line only. */
  title: string;
  axis: ValueRange;
  lines: readonly TrendLine[];
}

export interface TrendLane {
  id: number;
  label: string;
  data: Series;
}

export interface TrendScene {
  range: TimeRange;
  panes: readonly TrendPane[];
  lanes: readonly TrendLane[];
  /** Known gaps: shaded through all panes. */
  gaps: readonly TimeRange[];
  /** Nothing is known after this instant (now). */
  untilUs: Micros;
}

/** Resolved colours; a canvas cannot read custom properties by itself. */
export interface Palette {
  surface: string;
  sunken: string;
  ink: string;
  ink2: string;
  ink3: string;
  rule: string;
  ruleStrong: string;
  alarm: string;
  accent: string;
  series: readonly string[];
  states: Readonly<Record<string, string>>;
  shades: readonly string[];
  font: string;
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface TrendLayout {
  plot: Box;
  panes: readonly Box[];
  lanes: readonly Box[];
  axisTop: number;
}

/** Room beside the plot: for the value axis, and for half a label of the time axis. Whatever shares a time axis keeps it. */
export const gutter = 68;
export const rightEdge = 14;
const axisHeight = 30;
const paneGap = 24;
const topEdge = 24;
const laneHeight = 20;
const laneLabel = 17;
/** Low enough that six panes and the time axis below them fit on a screen. */
export const paneHeightLeast = 56;

export function heightNeeded(panes: number, lanes: number): number {
  return axisHeight + topEdge + panes * (paneHeightLeast + paneGap) + lanes * (laneHeight + laneLabel);
}

export function layoutOf(width: number, height: number, panes: number, lanes: number): TrendLayout {
  const plotWidth = Math.max(20, width - gutter - rightEdge);
  const box = (top: number, tall: number): Box => ({ left: gutter, top, width: plotWidth, height: tall });
  const axisTop = height - axisHeight;
  const lanesTall = lanes * (laneHeight + laneLabel) + (lanes > 0 && panes > 0 ? 4 : 0);
  const each = panes === 0 ? 0 : (axisTop - topEdge - lanesTall - (panes - 1) * paneGap) / panes;
  const paneBoxes = Array.from({ length: panes }, (_, i) => box(topEdge + i * (each + paneGap), each));
  const lanesTop = topEdge + (panes === 0 ? 0 : panes * each + (panes - 1) * paneGap + 4);
  const laneBoxes = Array.from({ length: lanes }, (_, i) =>
    box(lanesTop + i * (laneHeight + laneLabel) + laneLabel, laneHeight),
  );
  return { plot: box(topEdge, Math.max(0, axisTop - topEdge)), panes: paneBoxes, lanes: laneBoxes, axisTop };
}

type Context = CanvasRenderingContext2D;

export function paintTrend(
  context: Context,
  scene: TrendScene,
  layout: TrendLayout,
  palette: Palette,
  format: Format,
): void {
  const { plot } = layout;
  context.clearRect(0, 0, plot.left + plot.width + rightEdge, layout.axisTop + axisHeight);
  context.lineJoin = "round";
  paintFuture(context, scene, plot, palette);
  paintGaps(context, scene, plot, palette);
  paintTimeAxis(context, scene.range, layout, palette, format);
  scene.panes.forEach((pane, i) => {
    paintPane(context, scene, pane, layout.panes[i], palette, format);
  });
  scene.lanes.forEach((lane, i) => {
    paintLane(context, scene, lane, layout.lanes[i], palette);
  });
}

/** What lies ahead is shaded, so that emptiness there is not taken for missing data. */
function paintFuture(context: Context, scene: TrendScene, plot: Box, palette: Palette): void {
  const from = Math.max(plot.left, timeToX(scene.range, scene.untilUs, plot.left, plot.width));
  const width = plot.left + plot.width - from;
  if (width < 2) return;
  context.fillStyle = palette.sunken;
  context.fillRect(from, plot.top, width, plot.height);
}

function paintGaps(context: Context, scene: TrendScene, plot: Box, palette: Palette): void {
  for (const gap of scene.gaps) {
    const from = Math.max(plot.left, timeToX(scene.range, gap.fromUs, plot.left, plot.width));
    const to = Math.min(plot.left + plot.width, timeToX(scene.range, gap.toUs, plot.left, plot.width));
    if (to <= from) continue;
    hatch(context, from, plot.top, Math.max(1, to - from), plot.height, palette.rule);
  }
}

function paintTimeAxis(
  context: Context,
  range: TimeRange,
  layout: TrendLayout,
  palette: Palette,
  format: Format,
): void {
  const { plot, axisTop } = layout;
  context.font = palette.font;
  context.textBaseline = "middle";
  context.textAlign = "center";
  for (const tick of timeTicks(range, plot.width, format)) {
    const x = Math.round(timeToX(range, tick.us, plot.left, plot.width)) + 0.5;
    context.strokeStyle = tick.major ? palette.ruleStrong : palette.rule;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, plot.top);
    context.lineTo(x, axisTop + 5);
    context.stroke();
    if (x < plot.left + 16 || x > plot.left + plot.width - 12) continue;
    context.fillStyle = tick.major ? palette.ink : palette.ink2;
    context.fillText(tick.label, x, axisTop + 16);
  }
  context.fillStyle = palette.ink3;
  context.textAlign = "left";
  context.fillText(format.zoneName(range.toUs), 10, axisTop + 16);
  context.strokeStyle = palette.ruleStrong;
  context.beginPath();
  context.moveTo(plot.left, axisTop + 0.5);
  context.lineTo(plot.left + plot.width, axisTop + 0.5);
  context.stroke();
}

export const valueToY = (axis: ValueRange, value: number, box: Box): number =>
  box.top + box.height - ((value - axis.min) / (axis.max - axis.min)) * box.height;

function paintPane(
  context: Context,
  scene: TrendScene,
  pane: TrendPane,
  box: Box,
  palette: Palette,
  format: Format,
): void {
  context.font = palette.font;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of valueTicks(pane.axis, box.height)) {
    const y = Math.round(valueToY(pane.axis, tick.value, box)) + 0.5;
    context.strokeStyle = palette.rule;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(box.left, y);
    context.lineTo(box.left + box.width, y);
    context.stroke();
    context.fillStyle = palette.ink2;
    context.fillText(format.fixed(tick.value, tick.digits), box.left - 9, y);
  }
  context.save();
  context.beginPath();
  context.rect(box.left, box.top - 1, box.width, box.height + 2);
  context.clip();
  for (const line of pane.lines) paintLine(context, scene, line, pane.axis, box, palette);
  context.restore();
  if (pane.title !== "") {
    context.textAlign = "left";
    context.fillStyle = palette.ink2;
    context.fillText(fitted(context, pane.title, box.width), box.left, box.top - 11);
  }
}

function paintLine(
  context: Context,
  scene: TrendScene,
  line: TrendLine,
  axis: ValueRange,
  box: Box,
  palette: Palette,
): void {
  const { data, shape } = line;
  const from = Math.max(0, data.indexAt(scene.range.fromUs) - 1);
  const to = Math.min(data.rows, data.indexAt(scene.range.toUs) + 1);
  if (from >= to) return;
  const perUs = box.width / (scene.range.toUs - scene.range.fromUs);
  const shift = data.grain === "bucket" ? data.bucketUs / 2 : 0;
  const x0 = box.left - (scene.range.fromUs - shift) * perUs;
  const scale = box.height / (axis.max - axis.min);
  const y0 = box.top + box.height + axis.min * scale;
  const colour = palette.series[line.colour % palette.series.length];
  // A value that is held until the next has no gaps of its own.
  const apart = shape === "step" ? Infinity : breakUs(data, from, to);

  if (data.grain === "bucket") {
    context.fillStyle = colour;
    context.globalAlpha = 0.2;
    paintBand(context, data, from, to, apart, x0, perUs, y0, scale);
    context.globalAlpha = 1;
  }

  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  const dashed = new Path2D();
  let anyDashed = false;
  let joined = false;
  let lastX = 0;
  let lastY = 0;
  context.beginPath();
  for (let i = from; i < to; i++) {
    const value = data.value[i];
    if (Number.isNaN(value)) {
      joined = false;
      continue;
    }
    const x = x0 + data.time[i] * perUs;
    const y = y0 - value * scale;
    if (joined && data.time[i] - data.time[i - 1] > apart) joined = false;
    if (!joined) context.moveTo(x, y);
    else if (data.status[i] >>> 30 === 0 && data.status[i - 1] >>> 30 === 0) {
      if (shape === "step") context.lineTo(x, lastY);
      context.lineTo(x, y);
    } else {
      dashed.moveTo(lastX, lastY);
      if (shape === "step") dashed.lineTo(x, lastY);
      dashed.lineTo(x, y);
      anyDashed = true;
      context.moveTo(x, y);
    }
    joined = true;
    lastX = x;
    lastY = y;
  }
  if (joined && shape === "step" && to === data.rows) {
    const until = box.left + (scene.untilUs - scene.range.fromUs) * perUs;
    if (until > lastX) context.lineTo(until, lastY);
  }
  context.stroke();
  if (anyDashed) {
    context.setLineDash([5, 4]);
    context.stroke(dashed);
    context.setLineDash([]);
  }
  // Dots only where they stand apart: a few points crowded into a corner are a smear.
  if (data.grain === "raw" && to - from < 2 + ((data.time[to - 1] - data.time[from]) * perUs) / 7)
    paintDots(context, data, from, to, x0, perUs, y0, scale, colour);
  paintBad(context, scene, data, from, to, perUs, box, palette);
}

function paintBand(
  context: Context,
  data: Series,
  from: number,
  to: number,
  apart: number,
  x0: number,
  perUs: number,
  y0: number,
  scale: number,
): void {
  for (let start = from; start < to; ) {
    if (Number.isNaN(data.value[start])) {
      start++;
      continue;
    }
    let end = start + 1;
    while (end < to && !Number.isNaN(data.value[end]) && data.time[end] - data.time[end - 1] <= apart) end++;
    context.beginPath();
    for (let i = start; i < end; i++) context.lineTo(x0 + data.time[i] * perUs, y0 - data.max[i] * scale - 0.5);
    for (let i = end - 1; i >= start; i--) context.lineTo(x0 + data.time[i] * perUs, y0 - data.min[i] * scale + 0.5);
    context.fill();
    start = end;
  }
}

function paintDots(
  context: Context,
  data: Series,
  from: number,
  to: number,
  x0: number,
  perUs: number,
  y0: number,
  scale: number,
  colour: string,
): void {
  context.fillStyle = colour;
  context.beginPath();
  for (let i = from; i < to; i++) {
    if (Number.isNaN(data.value[i])) continue;
    const x = x0 + data.time[i] * perUs;
    const y = y0 - data.value[i] * scale;
    context.moveTo(x + 2.25, y);
    context.arc(x, y, 2.25, 0, 7);
  }
  context.fill();
}

/** Where the quality is bad, a red line stands at the foot of the pane: the curve has a gap there and this says why. */
function paintBad(
  context: Context,
  scene: TrendScene,
  data: Series,
  from: number,
  to: number,
  perUs: number,
  box: Box,
  palette: Palette,
): void {
  context.fillStyle = palette.alarm;
  for (let i = from; i < to; i++) {
    if (qualityOf(data.status[i]) !== "bad") continue;
    const start = data.time[i];
    const end = data.grain === "bucket" ? start + data.bucketUs : i + 1 < data.rows ? data.time[i + 1] : scene.untilUs;
    const x = box.left + (start - scene.range.fromUs) * perUs;
    context.fillRect(x, box.top + box.height - 3, Math.max(2, (end - start) * perUs), 3);
  }
}

function paintLane(context: Context, scene: TrendScene, lane: TrendLane, box: Box, palette: Palette): void {
  context.font = palette.font;
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.fillStyle = palette.ink2;
  context.fillText(fitted(context, lane.label, box.width), box.left, box.top - 8);
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, box.width, box.height);
  context.clip();
  for (const block of laneBlocks(lane.data, scene.range, box.width, scene.untilUs)) {
    const x = box.left + block.x;
    // Nothing to say is drawn as nothing.
    if (block.text === "" && block.quality === "good") {
      context.fillStyle = palette.rule;
      context.fillRect(x, box.top + box.height / 2, block.width, 1);
      continue;
    }
    const style = block.state === null ? null : stateStyles[block.state];
    if (block.quality === "bad") {
      context.fillStyle = palette.surface;
      context.fillRect(x, box.top, block.width, box.height);
      hatch(context, x, box.top, block.width, box.height, palette.alarm);
      continue;
    }
    context.fillStyle =
      style === null ? palette.shades[shadeOf(block.text, palette.shades.length)] : palette.states[style.colour];
    context.fillRect(x, box.top, Math.max(1, block.width - (block.width > 4 ? 1 : 0)), box.height);
    if (style !== null) pattern(context, style.pattern, x, box.top, block.width, box.height, palette);
    if (block.quality === "uncertain") hatch(context, x, box.top, block.width, box.height, palette.ruleStrong);
    // A word on a block of many short rows would be a claim too much: at most one row in eight pixels.
    if (block.width > 34 && block.merged * 8 < block.width) {
      context.fillStyle = block.state === "fault" ? palette.surface : palette.ink;
      context.fillText(fitted(context, block.text, block.width - 10), x + 6, box.top + box.height / 2 + 0.5);
    }
  }
  context.restore();
}

function fitted(context: Context, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let cut = text.slice(0, 60);
  while (cut.length > 1 && context.measureText(`${cut}…`).width > width) cut = cut.slice(0, -1);
  return cut.length > 1 ? `${cut}…` : "";
}

function pattern(
  context: Context,
  kind: string,
  x: number,
  y: number,
  width: number,
  height: number,
  palette: Palette,
): void {
  if (kind === "plain" || width < 6) return;
  if (kind === "hatched" || kind === "rising") {
    hatch(context, x, y, width, height, palette.ruleStrong);
    return;
  }
  context.fillStyle = palette.ruleStrong;
  if (kind === "dots") for (let at = x + 4; at < x + width - 2; at += 8) context.fillRect(at, y + height - 5, 2, 2);
  else for (let at = x + 4; at < x + width - 4; at += 12) context.fillRect(at, y + height - 4, 6, 1);
}

function hatch(context: Context, x: number, y: number, width: number, height: number, colour: string): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  // Lines stand at fixed places of the canvas, so that they do not crawl as the block grows; far fewer than pixels.
  for (let at = Math.floor((x - height) / 6) * 6; at < x + width; at += 6) {
    context.moveTo(at, y + height);
    context.lineTo(at + height, y);
  }
  context.stroke();
  context.restore();
}

/** The cursor lies on a canvas of its own, so that moving the pointer repaints a line and not the chart. */
export function paintCursor(
  context: Context,
  scene: TrendScene,
  layout: TrendLayout,
  cursorUs: Micros | null,
  pinned: boolean,
  palette: Palette,
  format: Format,
): void {
  const { plot, axisTop } = layout;
  context.clearRect(0, 0, plot.left + plot.width + rightEdge, axisTop + axisHeight);
  if (cursorUs === null || cursorUs < scene.range.fromUs || cursorUs > scene.range.toUs) return;
  const x = Math.round(timeToX(scene.range, cursorUs, plot.left, plot.width)) + 0.5;
  context.strokeStyle = pinned ? palette.accent : palette.ink2;
  context.lineWidth = 1;
  if (!pinned) context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(x, plot.top);
  context.lineTo(x, axisTop);
  context.stroke();
  context.setLineDash([]);
  scene.panes.forEach((pane, i) => {
    for (const line of pane.lines) {
      const row = line.data.rowFor(cursorUs, line.shape);
      if (row < 0 || Number.isNaN(line.data.value[row])) continue;
      const y = valueToY(pane.axis, line.data.value[row], layout.panes[i]);
      const at = line.shape === "line" && line.data.grain === "raw" ? line.data.time[row] : cursorUs;
      const dotX = Math.max(
        plot.left,
        Math.min(plot.left + plot.width, timeToX(scene.range, at, plot.left, plot.width)),
      );
      context.fillStyle = palette.surface;
      context.strokeStyle = palette.series[line.colour % palette.series.length];
      context.lineWidth = 2;
      context.beginPath();
      context.arc(dotX, y, 3.5, 0, 7);
      context.fill();
      context.stroke();
    }
  });
  const label =
    scene.range.toUs - scene.range.fromUs < 120_000_000 ? format.part(cursorUs, "ms") : format.dateTime(cursorUs);
  context.font = palette.font;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const half = context.measureText(label).width / 2 + 6;
  const centre = Math.max(plot.left + half, Math.min(plot.left + plot.width - half, x));
  context.fillStyle = pinned ? palette.accent : palette.ink;
  context.fillRect(centre - half, axisTop + 6, half * 2, 20);
  context.fillStyle = palette.surface;
  context.fillText(label, centre, axisTop + 16.5);
}
