import type { Micros } from "@lineshaft/contract/api";

/** Between RFC 3339 with a zone, as configurations have it, and the browser's field for a local date and time. */

const two = (n: number): string => String(n).padStart(2, "0");

export function toLocalTime(text: string | undefined): string {
  if (text === undefined) return "";
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return "";
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** With the zone that the place has at that instant; undefined: nothing was entered. */
export function fromLocalTime(text: string): string | undefined {
  const at = new Date(text);
  if (text === "" || Number.isNaN(at.getTime())) return undefined;
  const minutes = -at.getTimezoneOffset();
  const size = Math.abs(minutes);
  const zone = `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  return `${text.length === 16 ? `${text}:00` : text}${zone}`;
}

/** For the browser's field of a local date and time, which knows no smaller part than a second. */
export const localOfMicros = (at: Micros | null): string =>
  at === null ? "" : toLocalTime(new Date(at / 1000).toISOString());

/** null: nothing was entered. */
export function microsOf(local: string): Micros | null {
  const text = fromLocalTime(local);
  return text === undefined ? null : new Date(text).getTime() * 1000;
}
