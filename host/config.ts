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
  "memory-mib": { text: "Resident memory at which load is shed, in MiB", default: "2000" },
  "tag-quota": { text: "Tags that one connection may bring by itself", default: "200000" },
  "rate-quota": { text: "Datapoints a second that one connection may send; 0 is unbounded", default: "0" },
  "mqtt-port": { text: "TCP port of the embedded MQTT broker; 0 takes a free one, off: there is none", default: "off" },
  "mqtt-host": { text: "Address that the broker listens on", default: "127.0.0.1" },
  "mqtt-topics": {
    text: "Topics a key may use, comma-separated; {scope}, {group} (a:b), {tenant} and {key} are put in",
    default: "{scope}/#,spBv1.0/{group}/#",
  },
  "mqtt-tls-cert": { text: "File with the broker's certificate chain, PEM; none: MQTT without TLS", default: "none" },
  "mqtt-tls-key": { text: "File with its private key, PEM", default: "none" },
  "mqtt-tls-ca": { text: "File with the authorities of client certificates, PEM", default: "none" },
  "mqtt-client-cert": {
    text: "Client certificates: optional (one instead of a key) or required; needs --mqtt-tls-ca",
    default: "optional",
  },
  "mqtt-plain": { text: "MQTT without TLS: on loopback only, or anywhere", default: "loopback" },
  applications: { text: "Applications to start, comma-separated folders, or none", default: "line-monitor,oee" },
} as const;

export type SettingName = keyof typeof settings;
const demoDefaults: Partial<Record<SettingName, string>> = { data: "demo-data", "mqtt-port": "0" };

export interface MqttSettings {
  host: string;
  port: number;
  /** Filters with {scope}, {group}, {tenant} and {key}. */
  topics: string[];
  tls: {
    certificate: string;
    key: string;
    authorities?: string;
    clientCertificate: "none" | "optional" | "required";
  } | null;
}

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
  /** null: no embedded broker. */
  mqtt: MqttSettings | null;
}

/** A host as a URL spells it. */
export const hostInUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host);

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
    const fallback = (command === "demo" ? demoDefaults[name] : undefined) ?? settings[name].default;
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
    mqtt: text("mqtt-port") === "off" ? null : readMqtt(text, number("mqtt-port", 0, 65535)),
    applications: applications === "none" ? [] : applications.split(",").filter((name) => name !== ""),
  };
}

const isOneOf = <T extends string>(text: string, known: readonly T[]): text is T =>
  (known as readonly string[]).includes(text);

function readMqtt(text: (name: SettingName) => string, port: number): MqttSettings {
  const given = (name: SettingName): string | null => (text(name) === "none" ? null : text(name));
  const host = text("mqtt-host");
  const topics = text("mqtt-topics").split(",");
  const [certificate, key, authorities] = [given("mqtt-tls-cert"), given("mqtt-tls-key"), given("mqtt-tls-ca")];
  const clientCertificate = text("mqtt-client-cert");
  if (!isOneOf(clientCertificate, ["optional", "required"]))
    throw new UsageError(`--mqtt-client-cert is "${clientCertificate}"; optional or required is expected.`);
  if (certificate !== null && key !== null) {
    if (authorities === null && clientCertificate === "required")
      throw new UsageError("--mqtt-client-cert required needs --mqtt-tls-ca: who may have issued them?");
    const clients = authorities === null ? { clientCertificate: "none" as const } : { authorities, clientCertificate };
    return { host, port, topics, tls: { certificate, key, ...clients } };
  }
  if ((certificate ?? key ?? authorities) !== null)
    throw new UsageError("MQTT over TLS needs both --mqtt-tls-cert and --mqtt-tls-key.");
  const plain = text("mqtt-plain");
  if (!isOneOf(plain, ["loopback", "anywhere"]))
    throw new UsageError(`--mqtt-plain is "${plain}"; loopback or anywhere is expected.`);
  if (plain === "loopback" && !/^(127\.|::1$|localhost$)/.test(host))
    throw new UsageError(
      `MQTT without TLS on ${host} would send keys in the clear. Give --mqtt-tls-cert and --mqtt-tls-key, or --mqtt-plain anywhere if the network is trusted.`,
    );
  return { host, port, topics, tls: null };
}
