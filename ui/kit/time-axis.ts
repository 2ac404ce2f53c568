import { dayOf, dayUs, hourUs, instantOf, localOf, type Micros, minuteUs, secondUs } from "@lineshaft/contract/api";
import type { Format } from "./format.ts";

/** Half-open [from, to), µs. The one time range that every lane of a page shares. */
export interface TimeRange {
  fromUs: Micros;
  toUs: Micros;
}

/** Shorter than a millisecond nothing on a floor is told apart; longer than 20 years nothing is kept. */
export const shortestUs = 1_000;
export const longestUs = 20 * 365 * dayUs;

export const spanOf = (range: TimeRange): number => range.toUs - range.fromUs;
export const timeToX = (range: TimeRange, us: Micros, left: number, width: number): number =>
  left + ((us - range.fromUs) / spanOf(range)) * width;
export const xToTime = (range: TimeRange, x: number, left: number, width: number): Micros =>
  Math.round(range.fromUs + ((x - left) / width) * spanOf(range));

/** Zooms by `factor` (> 1: out) and keeps the instant `atUs` under the pointer where it is. */
export function zoom(range: TimeRange, atUs: Micros, factor: number): TimeRange {
  const span = Math.min(longestUs, Math.max(shortestUs, spanOf(range) * factor));
  const share = (atUs - range.fromUs) / spanOf(range);
  const fromUs = Math.round(atUs - share * span);
  return { fromUs, toUs: fromUs + Math.round(span) };
}

export function pan(range: TimeRange, byUs: number): TimeRange {
  const by = Math.round(byUs);
  return { fromUs: range.fromUs + by, toUs: range.toUs + by };
}

/** Bucket widths that stand still while the view slides: each divides the next natural unit. The minute and the hour are answered from roll-ups. */
const bucketLadder: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((ms) => ms * 1000),
  ...[1, 2, 5, 10, 15, 30].map((s) => s * secondUs),
  ...[1, 2, 5, 10, 15, 30].map((m) => m * minuteUs),
  ...[1, 2, 4, 8, 12].map((h) => h * hourUs),
  ...[1, 2, 7, 14, 28].map((d) => d * dayUs),
];

/** The narrowest bucket that is at least `pixels` wide on a chart of `widthPx`. */
export function bucketFor(spanUs: number, widthPx: number, pixels = 2): number {
  const least = (spanUs / Math.max(1, widthPx)) * pixels;
  return bucketLadder.find((width) => width >= least) ?? bucketLadder[bucketLadder.length - 1];
}

export interface TimeTick {
  us: Micros;
  label: string;
  /** A new day (or month, year): drawn stronger, and it carries the date. */
  major: boolean;
}

type Step =
  | { unit: "fixed"; us: number }
  | { unit: "hour"; count: number }
  | { unit: "day"; count: number }
  | { unit: "month"; count: number };

const fixed = (us: number): [number, Step] => [us, { unit: "fixed", us }];
const steps: readonly [number, Step][] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((ms) => fixed(ms * 1000)),
  ...[1, 2, 5, 10, 15, 30].map((s) => fixed(s * secondUs)),
  ...[1, 2, 5, 10, 15, 30].map((m) => fixed(m * minuteUs)),
  ...[1, 2, 3, 6, 12].map((count): [number, Step] => [count * hourUs, { unit: "hour", count }]),
  ...[1, 2, 7, 14].map((count): [number, Step] => [count * dayUs, { unit: "day", count }]),
  ...[1, 3, 6, 12, 24, 60].map((count): [number, Step] => [count * 30.5 * dayUs, { unit: "month", count }]),
];

/**
 * Tick marks at natural instants of the format's zone, at most one per `pixelsPerTick`. Days have 23 to 25 hours where
 * the clock changes: hours are counted from local midnight, and an hour that comes twice is marked once.
 */
export function timeTicks(range: TimeRange, widthPx: number, format: Format, pixelsPerTick = 92): TimeTick[] {
  const least = (spanOf(range) / Math.max(1, widthPx)) * pixelsPerTick;
  const step = (steps.find(([us]) => us >= least) ?? steps[steps.length - 1])[1];
  const marks = step.unit === "fixed" ? fixedMarks(range, step.us) : calendarMarks(range, step, format.zone);
  return marks.map((us) => ({ us, ...labelOf(us, step, format) }));
}

function fixedMarks(range: TimeRange, stepUs: number): Micros[] {
  const marks: Micros[] = [];
  for (let us = Math.ceil(range.fromUs / stepUs) * stepUs; us < range.toUs; us += stepUs) marks.push(us);
  return marks;
}

function calendarMarks(range: TimeRange, step: Exclude<Step, { unit: "fixed" }>, zone: string | undefined): Micros[] {
  const marks: Micros[] = [];
  // Counted on the wall: a date whose UTC fields are what the clock there shows.
  const date = new Date((dayOf(wallOf(range.fromUs, zone)) * dayUs) / 1000);
  if (step.unit === "month") date.setUTCMonth(Math.floor(date.getUTCMonth() / step.count) * step.count, 1);
  // Multiples of days count from a Monday, so that week marks are Mondays.
  if (step.unit === "day" && step.count >= 7) date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  let last = -Infinity;
  for (let guard = 0; guard < 2000 && last < range.toUs; guard++) {
    const us = instantOfWall(date, zone);
    if (us >= range.fromUs && us < range.toUs && us > last) marks.push(us);
    last = us;
    if (step.unit === "hour") date.setUTCHours(date.getUTCHours() + step.count);
    else if (step.unit === "day") date.setUTCDate(date.getUTCDate() + step.count);
    else date.setUTCMonth(date.getUTCMonth() + step.count);
  }
  return marks;
}

/** What the clock on the wall shows; without a zone on the viewer's. */
function wallOf(us: Micros, zone: string | undefined): Micros {
  return zone === undefined ? us - new Date(us / 1000).getTimezoneOffset() * minuteUs : localOf(zone, us);
}

function instantOfWall(wall: Date, zone: string | undefined): Micros {
  if (zone !== undefined) return instantOf(zone, wall.getTime() * 1000).at;
  const [year, month, day] = [wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate()];
  return new Date(year, month, day, wall.getUTCHours()).getTime() * 1000;
}

function labelOf(us: Micros, step: Step, format: Format): { label: string; major: boolean } {
  const wall = new Date(wallOf(us, format.zone) / 1000);
  const midnight = wall.getUTCHours() === 0 && wall.getUTCMinutes() === 0 && us % minuteUs === 0;
  if (step.unit === "month") {
    const newYear = wall.getUTCMonth() === 0;
    return { label: format.part(us, step.count >= 12 ? "year" : "month"), major: newYear };
  }
  if (step.unit === "day") return { label: format.part(us, "day"), major: wall.getUTCDate() === 1 };
  if (midnight) return { label: format.part(us, "day"), major: true };
  if (step.unit === "hour" || step.us >= minuteUs) return { label: format.part(us, "min"), major: false };
  return { label: format.part(us, step.us >= secondUs ? "s" : "ms"), major: false };
}
