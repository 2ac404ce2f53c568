import { dayUs, hourUs, type Micros, minuteUs, secondUs } from "./time.ts";

/**
 * Local time of IANA zones, by the tables of the ICU that the runtime brings (`process.versions.tz`), which keep past rules as they were.
 * A *local* time is what a clock on the wall shows, counted in µs as if the zone were UTC. A *day* is a civil date as a count of days since 1970-01-01.
 */

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  // A plant has a handful of zones; requests may name any.
  if (formats.size >= 64) formats.clear();
  formats.set(zone, made);
  return made;
}

/** Does the runtime know this IANA name? Bare offsets are no zones: they know no summer time. */
export function isTimeZone(zone: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]{1,63}$/.test(zone)) return false;
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** Offsets that hold for the whole of a stretch of time, by zone and stretch: the formatter takes a thousand times as long. */
const offsets = new Map<string, Map<number, Micros>>();
const stretchUs = 6 * hourUs;
const stretchesMax = 20_000;

/** How much the wall clock is ahead of UTC. Throws RangeError for a zone that is none. */
export function zoneOffsetUs(zone: string, at: Micros): Micros {
  const stretch = Math.floor(at / stretchUs);
  let known = offsets.get(zone);
  const offset = known?.get(stretch);
  if (offset !== undefined) return offset;
  const from = offsetAt(zone, stretch * stretchUs);
  // No clock changes twice within hours.
  if (from !== offsetAt(zone, (stretch + 1) * stretchUs)) return offsetAt(zone, at);
  if (known === undefined || known.size >= stretchesMax) {
    if (offsets.size >= 64) offsets.clear();
    known = new Map();
    offsets.set(zone, known);
  }
  known.set(stretch, from);
  return from;
}

function offsetAt(zone: string, at: Micros): Micros {
  const text = formatOf(zone).format(Math.floor(at / 1000));
  const match = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
  if (match?.[1] === undefined) return 0;
  const size = (Number(match[2]) * 60 + Number(match[3])) * minuteUs + Number(match[4] ?? 0) * secondUs;
  return match[1] === "-" ? -size : size;
}

/**
 * How a local time came to be an instant. `firstOfTwo`: the clock showed it twice, the first counts. `movedForward`: the clock jumped over it, the instant of
 * the jump counts. Both keep order, so shifts that follow each other on the wall follow each other in time.
 */
export const localTimeRules = ["exact", "firstOfTwo", "movedForward"] as const;
export type LocalTimeRule = (typeof localTimeRules)[number];

export function instantOf(zone: string, local: Micros): { at: Micros; rule: LocalTimeRule } {
  const before = zoneOffsetUs(zone, local - dayUs);
  const after = zoneOffsetUs(zone, local + dayUs);
  const showing = [...new Set([before, after])]
    .map((offset) => local - offset)
    .filter((at) => zoneOffsetUs(zone, at) === local - at);
  if (showing.length > 0) return { at: Math.min(...showing), rule: showing.length > 1 ? "firstOfTwo" : "exact" };
  return { at: jumpBetween(zone, local - dayUs - before, local + dayUs - after), rule: "movedForward" };
}

/** The first instant in (a, b] with the offset that b has. */
function jumpBetween(zone: string, a: Micros, b: Micros): Micros {
  const target = zoneOffsetUs(zone, b);
  // Jumps fall on whole seconds.
  let low = Math.floor(a / secondUs);
  let high = Math.ceil(b / secondUs);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (zoneOffsetUs(zone, middle * secondUs) === target) high = middle;
    else low = middle;
  }
  return high * secondUs;
}

/** What the wall clock shows at an instant. */
export const localOf = (zone: string, at: Micros): Micros => at + zoneOffsetUs(zone, at);

/** The civil day of a local time. */
export const dayOf = (local: Micros): number => Math.floor(local / dayUs);

/** `YYYY-MM-DD` to its day; null when there is no such date. */
export function parseDay(text: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  // Years begin in March, so that the leap day is the last of its year.
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const yearOfEra = y - era * 400;
  const days =
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
  return formatDay(days) === text ? days : null;
}

/** A day as `YYYY-MM-DD`. */
export function formatDay(day: number): string {
  // biome-ignore lint/style/noRestrictedGlobals: a pure conversion, reads no clock
  return new Date(day * (dayUs / 1000)).toISOString().slice(0, 10);
}

/** A local time as `YYYY-MM-DDTHH:MM`. */
export function formatLocal(local: Micros): string {
  const minute = Math.floor((local - dayOf(local) * dayUs) / minuteUs);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${formatDay(dayOf(local))}T${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}
