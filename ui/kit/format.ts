import type { Micros, Value } from "@lineshaft/contract/api";

/** Everything that turns numbers and times into text, by locale. Made once a locale; pure apart from `Intl`'s own zone data. */
export interface Format {
  readonly locale: string;
  readonly zone: string | undefined;
  integer(n: number | bigint): string;
  /** At most `digits` decimals, none added. */
  number(n: number, digits?: number): string;
  /** Exactly `digits` decimals, so that columns stand still. */
  fixed(n: number, digits: number): string;
  percent(share: number): string;
  bytes(n: number): string;
  /** Points a second, or a minute or hour where that reads better. */
  rate(perSecond: number): string;
  /** A length of time in its one or two largest units. */
  duration(us: number): string;
  /** 14:03:22 */
  time(us: Micros): string;
  /** 22 Nov 14:03:22 */
  dateTime(us: Micros): string;
  /** With milliseconds or microseconds where there are any, and the year. */
  exact(us: Micros): string;
  date(us: Micros): string;
  /** Short name of the zone at that instant, e.g. CET. */
  zoneName(us: Micros): string;
  part(us: Micros, unit: "ms" | "s" | "min" | "day" | "month" | "year"): string;
}

const unitsOfTime: readonly [number, string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

export function makeFormat(locale: string, zone?: string): Format {
  const at = (us: Micros): Date => new Date(us / 1000);
  const cache = new Map<number, Intl.NumberFormat>();
  const decimals = (least: number, most: number): Intl.NumberFormat => {
    const key = least * 100 + most;
    let found = cache.get(key);
    if (found === undefined) {
      found = new Intl.NumberFormat(locale, { minimumFractionDigits: least, maximumFractionDigits: most });
      cache.set(key, found);
    }
    return found;
  };
  const clock = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
    new Intl.DateTimeFormat(locale, {
      hourCycle: "h23",
      ...options,
      ...(zone === undefined ? {} : { timeZone: zone }),
    });
  const hms = clock({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const hm = clock({ hour: "2-digit", minute: "2-digit" });
  const dayMonth = clock({ day: "2-digit", month: "short" });
  const fullDate = clock({ day: "2-digit", month: "short", year: "numeric" });
  const monthYear = clock({ month: "short", year: "numeric" });
  const year = clock({ year: "numeric" });
  const zoneOf = clock({ timeZoneName: "short" });
  const separator = decimals(1, 1).format(0.1).charAt(1);
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });

  const fraction = (us: Micros): string => {
    const micros = ((us % 1_000_000) + 1_000_000) % 1_000_000;
    if (micros === 0) return "";
    const digits = String(micros).padStart(6, "0");
    return separator + (digits.endsWith("000") ? digits.slice(0, 3) : digits);
  };

  const format: Format = {
    locale,
    zone,
    integer: (n) => decimals(0, 0).format(n),
    number: (n, digits = 3) => decimals(0, digits).format(n),
    fixed: (n, digits) => decimals(digits, digits).format(n),
    percent: (share) => percent.format(share),
    bytes(n) {
      const names = ["B", "kB", "MB", "GB", "TB"];
      let scaled = n;
      let at = 0;
      while (scaled >= 1000 && at < names.length - 1) {
        scaled /= 1000;
        at++;
      }
      return `${decimals(0, at === 0 || scaled >= 100 ? 0 : 1).format(scaled)} ${names[at]}`;
    },
    rate(perSecond) {
      if (perSecond === 0) return "0/s";
      // Two figures tell enough of a rate, and a third would never stand still.
      const short = (n: number): string => decimals(n >= 9.95 ? 0 : 1, n >= 9.95 ? 0 : 1).format(n);
      if (perSecond >= 0.5) return `${short(perSecond)}/s`;
      if (perSecond * 60 >= 0.5) return `${short(perSecond * 60)}/min`;
      return `${short(perSecond * 3600)}/h`;
    },
    duration(us) {
      const seconds = us / 1_000_000;
      if (us === 0) return "0 s";
      if (seconds < 1) return `${decimals(0, 0).format(Math.round(seconds * 1000))} ms`;
      if (seconds < 10) return `${decimals(0, 1).format(seconds)} s`;
      let rest = Math.round(seconds);
      const parts: string[] = [];
      for (const [size, name] of unitsOfTime) {
        const count = Math.floor(rest / size);
        if (count === 0 && parts.length === 0) continue;
        if (count === 0) break;
        parts.push(`${decimals(0, 0).format(count)} ${name}`);
        rest -= count * size;
        if (parts.length === 2) break;
      }
      return parts.join(" ");
    },
    time: (us) => hms.format(at(us)),
    dateTime: (us) => `${dayMonth.format(at(us))} ${hms.format(at(us))}`,
    exact: (us) => `${fullDate.format(at(us))} ${hms.format(at(us))}${fraction(us)}`,
    date: (us) => fullDate.format(at(us)),
    zoneName: (us) => zoneOf.formatToParts(at(us)).find((p) => p.type === "timeZoneName")?.value ?? "",
    part(us, unit) {
      if (unit === "ms") return hms.format(at(us)) + fraction(us);
      if (unit === "s") return hms.format(at(us));
      if (unit === "min") return hm.format(at(us));
      if (unit === "day") return dayMonth.format(at(us));
      return (unit === "month" ? monthYear : year).format(at(us));
    },
  };
  return format;
}

/** The age of a value, in words as short as they go: one unit, no decimals, so that a column of ages is calm. */
export function ageText(us: number, format: Format): string {
  const seconds = Math.max(0, Math.floor(us / 1_000_000));
  for (const [size, name] of unitsOfTime) {
    if (seconds >= size) return `${format.integer(Math.floor(seconds / size))} ${name}`;
  }
  return "0 s";
}

/** Decimals (0 to `most`) that show `n` without loss at that precision; what lies beyond is measuring noise to the eye. */
export function decimalsOf(n: number, most = 3): number {
  if (!Number.isFinite(n)) return 0;
  const size = Math.abs(n);
  const useful = size >= 1000 ? Math.min(most, 1) : most;
  for (let digits = 0; digits < useful; digits++) {
    const scaled = n * 10 ** digits;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * Math.max(1, size)) return digits;
  }
  return useful;
}

/** A value as people read it; `digits` fixes the decimals of a double. Exact for int64, cut for long text and bytes. */
export function valueText(value: Value, format: Format, digits?: number): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "bigint") return format.integer(value);
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return hexOf(value.subarray(0, 16)) + (value.length > 16 ? " …" : "");
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e15 || size < 1e-4)) return value.toExponential(4).replace("-", "−");
  return digits === undefined ? format.number(value, decimalsOf(value, 6)) : format.fixed(value, digits);
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** Bytes as a classic dump: offset, 16 bytes, printable characters. */
export function hexDump(bytes: Uint8Array, limit = 4096): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, limit); at += 16) {
    const row = bytes.subarray(at, at + 16);
    const text = Array.from(row, (b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : "·")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hexOf(row).padEnd(47)}  ${text}`);
  }
  return lines.join("\n");
}

/** Rows for the clipboard: tabs between cells, no tab or line break inside one. */
export function toTsv(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => cells.map((cell) => cell.replace(/[\t\r\n]+/g, " ")).join("\t")).join("\n");
}

/** UCUM codes as people write them on a machine. Others stand as they are. */
const unitSigns: Readonly<Record<string, string>> = {
  Cel: "°C",
  "[degF]": "°F",
  "1": "",
  um: "µm",
  us: "µs",
  Ohm: "Ω",
  deg: "°",
  m2: "m²",
  m3: "m³",
  "m3/h": "m³/h",
  "mm/s2": "mm/s²",
  "m/s2": "m/s²",
  "kW.h": "kWh",
  "1/min": "1/min",
};

export function unitText(ucum: string | null): string {
  // What stands in braces is an annotation: to UCUM a number, to people the thing that is counted. A full stop multiplies.
  return ucum === null ? "" : (unitSigns[ucum] ?? ucum.replace(/[{}]/g, "").replaceAll(".", "·"));
}

/** The StatusCodes that are met daily (OPC UA Part 6, Annex A.2); any other stands as a number. */
const statusNames: Readonly<Record<number, string>> = {
  0: "Good",
  1073741824: "Uncertain",
  2147483648: "Bad",
  2150694912: "Bad_NoCommunication",
  2156658688: "Bad_SensorFailure",
  2156593152: "Bad_DeviceFailure",
  2156527616: "Bad_NotConnected",
  2156724224: "Bad_OutOfService",
  1083179008: "Uncertain_LastUsableValue",
  1083375616: "Uncertain_SensorNotAccurate",
  1083441152: "Uncertain_EngineeringUnitsExceeded",
  1083506688: "Uncertain_SubNormal",
};

/** A StatusCode with its name where it is a common one, always with its number. */
export function formatStatus(status: number): string {
  const hex = `0x${(status >>> 0).toString(16).toUpperCase().padStart(8, "0")}`;
  const name = statusNames[(status & 0xffff0000) >>> 0];
  return name === undefined ? hex : `${name} (${hex})`;
}
