import {
  dayUs,
  formatDay,
  formatLocal,
  instantOf,
  type LocalTimeRule,
  localOf,
  type Micros,
  minuteUs,
  parseDay,
  parseTimeUs,
  secondUs,
} from "@lineshaft/contract/api";
import type { SheetCell } from "../../configuration/workbook/number.ts";

/** What a table writes numbers with: `either` in cells of a workbook that hold text. */
export type Decimal = "point" | "comma" | "either";

/** A cell's number as plain decimal text with all its digits; null: it is none, or could mean two. */
export function readNumber(cell: SheetCell, decimal: Decimal): string | null {
  if (cell.date !== undefined) return null;
  if (cell.number !== undefined) return /^-?\d+(\.\d+)?$/.test(cell.text) ? cell.text : decimalText(cell.number);
  const text = cell.text.trim().replace(/^[−–]/, "-");
  if (!/^[+-]?(\d|[.,]\d)/.test(text)) return null;
  const grouped = /^[+-]?\d{1,3}([.,])\d{3}$/.exec(text)?.[1];
  // 1.234 is a thousand to one and a little more than one to another.
  if (grouped !== undefined && (decimal === "either" || grouped !== (decimal === "comma" ? "," : "."))) return null;
  const plain = text.replace(/[\u0020\u00a0\u202f'](?=\d{3})/g, "");
  const lastMark = Math.max(plain.lastIndexOf(","), plain.lastIndexOf("."));
  const mark = lastMark < 0 ? "." : plain[lastMark];
  const other = mark === "." ? "," : ".";
  const whole = plain.slice(0, Math.max(0, lastMark < 0 ? plain.length : lastMark));
  if (whole.includes(mark)) return null;
  if (whole.includes(other) && !/^[+-]?\d{1,3}([.,]\d{3})+$/.test(whole)) return null;
  const found = lastMark < 0 ? plain : `${whole.replaceAll(other, "")}.${plain.slice(lastMark + 1)}`;
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(found) ? found.replace(/^\+/, "").replace(/^(-?)\./, "$10.") : null;
}

/** A number without an exponent, exactly. */
export function decimalText(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text;
  return shifted(`${match[1]}${match[2]}${match[3] === undefined ? "" : `.${match[3]}`}`, Number(match[4]));
}

/** Decimal text times a power of ten, by its digits. */
export function shifted(text: string, places: number): string {
  const sign = text.startsWith("-") ? "-" : "";
  const [whole, fraction = ""] = text.slice(sign.length).split(".");
  const digits = whole + fraction;
  const point = whole.length + places;
  const padded = point <= 0 ? "0".repeat(1 - point) + digits : digits.padEnd(point, "0");
  const at = Math.max(1, point);
  const tail = padded.slice(at).replace(/0+$/, "");
  const front = padded.slice(0, at).replace(/^0+(?=\d)/, "");
  return `${sign}${front}${tail === "" ? "" : `.${tail}`}`;
}

const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?)?$/;
const german = /^(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[,]?[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?)?(?: Uhr)?$/;

/** A time of a cell: with a zone of its own, or local in `zone`. null: it is none. */
export function readTime(cell: SheetCell, zone: string): { at: Micros; rule: LocalTimeRule } | null {
  if (cell.date !== undefined) return localTime(Math.round(cell.date * 86_400) * secondUs - excelEpochUs, zone);
  const text = cell.text.trim();
  const exact = /^\d+$/.test(text) && text.length < 15 ? null : parseTimeUs(text);
  if (exact !== null) return { at: exact, rule: "exact" };
  const german_ = german.exec(text);
  const parts =
    iso.exec(text) ?? (german_ === null ? null : [text, german_[3], german_[2], german_[1], ...german_.slice(4)]);
  if (parts === null) return null;
  const two = (part: string): string => part.padStart(2, "0");
  const day = parseDay(`${parts[1]}-${two(parts[2] as string)}-${two(parts[3] as string)}`);
  const [hour, minute, second] = [parts[4], parts[5], parts[6]].map((part) => Number(part ?? 0));
  if (day === null || hour > 24 || minute > 59 || second > 59 || (hour === 24 && minute + second > 0)) return null;
  const fraction = Number((parts[7] ?? "").padEnd(6, "0"));
  return localTime(day * dayUs + (hour * 60 + minute) * minuteUs + second * secondUs + fraction, zone);
}

/** A date of a cell, e.g. 2026-11-26; null: it is none, or has a time. */
export function readDay(cell: SheetCell): string | null {
  const found = readTime(cell, "UTC");
  return found === null || found.at % dayUs !== 0 ? null : formatDay(found.at / dayUs);
}

/** A time on the clock, e.g. 06:00; spreadsheets hold it as a part of a day. null: it is none. */
export function readClock(cell: SheetCell): string | null {
  const minutes = cell.date === undefined ? minutesOf(cell.text.trim()) : Math.round((cell.date % 1) * 1440);
  if (minutes === null || minutes >= 1440) return null;
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

function minutesOf(text: string): number | null {
  const parts = /^(\d{1,2}):([0-5]\d)(?::00)?(?: Uhr)?$/.exec(text);
  return parts === null ? null : Number(parts[1]) * 60 + Number(parts[2]);
}

/** From 1899-12-30 to 1970-01-01. */
const excelEpochUs = 25_569 * dayUs;

const localTime = (local: Micros, zone: string): { at: Micros; rule: LocalTimeRule } => instantOf(zone, local);

/** Local, as far as that says which instant is meant; with its offset in the hour that the clock shows twice. */
export function timeText(at: Micros, zone: string): string {
  const local = localOf(zone, at);
  const rest = ((local % minuteUs) + minuteUs) % minuteUs;
  const [second, fraction] = [Math.floor(rest / secondUs), rest % secondUs];
  const two = (n: number): string => String(n).padStart(2, "0");
  const tail = `${rest === 0 ? "" : `:${two(second)}`}${fraction === 0 ? "" : `.${String(fraction).padStart(6, "0")}`}`;
  const text = `${formatLocal(local).replace("T", " ")}${tail}`;
  if (instantOf(zone, local).at === at) return text;
  const minutes = Math.round((local - at) / minuteUs);
  // An offset of seconds, of long ago, has no place in RFC 3339.
  if (local - at !== minutes * minuteUs) return String(at);
  const size = Math.abs(minutes);
  const offset = `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  return `${text}${rest === 0 ? ":00" : ""}${offset}`.replace(" ", "T");
}
