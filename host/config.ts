import { parseArgs } from "node:util";

/** Settings of one server process. Each has a flag and an environment variable of the same name (LINESHAFT_PORT …). */
export const settings = {
  data: { text: "Data directory", default: "data" },
  host: { text: "Address to listen on; anything but loopback should stand behind TLS", default: "127.0.0.1" },
  port: { text: "TCP port; 0 takes a free one", default: "8750" },
  "log-hours": { text: "How long the log reaches back at least, in hours", default: "24" },
  "log-gib": { text: "Bound of the log on disk, in GiB", default: "20" },
  "segment-mib": { text: "Size of one log segment, in MiB; retention drops whole segments", default: "64" },
  "run-seconds": {
    text: "How long history gathers points in memory before it writes a run, in seconds",
    default: "60",
  },
  "snapshot-seconds": {
    text: "How often last values and sums are saved, in seconds; a start reads the log from there",
    default: "10",
  },
  "history-days": { text: "How long raw points are kept, in days; 0 keeps all", default: "0" },
  "memory-mib": { text: "Resident memory at which load is shed, in MiB", default: "1500" },
  "tag-quota": { text: "Tags that one connection may bring by itself", default: "200000" },
  "rate-quota": { text: "Datapoints a second that one connection may send; 0 is unbounded", default: "0" },
  applications: { text: "Applications to start, comma-separated folders, or none", default: "line-monitor" },
} as const;

export type SettingName = keyof typeof settings;

export interface Config {
  command: "up" | "demo";
  dataDir: string;
  host: string;
  port: number;
  logWindowMs: number;
  logBytesMax: number;
  segmentBytes: number;
  runMs: number;
  snapshotMs: number;
  historyDays: number;
  memoryBytesMax: number;
  tagQuota: number;
  ratePerSecond: number;
  applications: string[];
}

export class UsageError extends Error {
  override name = "UsageError";
}

/** Flags over environment over defaults, checked; a wrong one is named with what is expected. */
export function readConfig(command: "up" | "demo", args: string[], env: Record<string, string | undefined>): Config {
  const options = Object.fromEntries(Object.keys(settings).map((name) => [name, { type: "string" as const }]));
  let flags: Record<string, string | boolean | undefined>;
  try {
    flags = parseArgs({ args, options, strict: true }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const text = (name: SettingName): string => {
    const fallback = command === "demo" && name === "data" ? "demo-data" : settings[name].default;
    return String(flags[name] ?? env[`LINESHAFT_${name.toUpperCase().replaceAll("-", "_")}`] ?? fallback);
  };
  const number = (name: SettingName, min: number, max: number): number => {
    const value = Number(text(name));
    if (Number.isFinite(value) && value >= min && value <= max) return value;
    throw new UsageError(`--${name} is "${text(name)}"; a number from ${min} to ${max} is expected.`);
  };
  const applications = text("applications");
  return {
    command,
    dataDir: text("data"),
    host: text("host"),
    port: number("port", 0, 65535),
    logWindowMs: number("log-hours", 0.001, 24 * 365) * 3_600_000,
    logBytesMax: number("log-gib", 0.05, 100_000) * 2 ** 30,
    segmentBytes: number("segment-mib", 0.05, 4096) * 2 ** 20,
    runMs: number("run-seconds", 0.1, 3600) * 1000,
    snapshotMs: number("snapshot-seconds", 0.1, 3600) * 1000,
    historyDays: number("history-days", 0, 36_500),
    memoryBytesMax: number("memory-mib", 100, 1_000_000) * 2 ** 20,
    tagQuota: number("tag-quota", 1, 10_000_000),
    ratePerSecond: number("rate-quota", 0, 1e9),
    applications: applications === "none" ? [] : applications.split(",").filter((name) => name !== ""),
  };
}
