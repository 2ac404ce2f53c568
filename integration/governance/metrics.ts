import type { SystemStatus } from "@lineshaft/contract/api";

/**
 * One row a metric; the docs page is generated from this. Prometheus base units and naming: seconds, bytes, `_total` for counters. Labels
 * have few values by their nature; a tag's or a user's name never is one.
 *
 * Written as text by ourselves rather than through prom-client: nearly every figure is read from the system's status at scrape time, counters
 * included, which prom-client's counters cannot take over, and what remains is this table and sixty lines.
 */
export interface Metric {
  name: string;
  type: "counter" | "gauge" | "summary";
  help: string;
  /** Label names with what they hold. */
  labels?: Readonly<Record<string, string>>;
  unit?: "seconds" | "bytes" | "datapoints" | "records" | "rows";
}

const table = {
  info: {
    name: "lineshaft_info",
    type: "gauge",
    help: "Always 1; the version is a label.",
    labels: { version: "version" },
  },
  state: {
    name: "lineshaft_state",
    type: "gauge",
    help: "1 for the state the server is in, 0 for the others.",
    labels: { state: "starting, ready, readOnly, diskFull, stopping" },
  },
  points: {
    name: "lineshaft_ingest_points_total",
    type: "counter",
    unit: "datapoints",
    help: "Datapoints since the data directory was made: offered = stored + duplicates + rejected + dropped + lineshaft_pending_points.",
    labels: { result: "offered, stored, duplicates, rejected, dropped" },
  },
  pending: {
    name: "lineshaft_pending_points",
    type: "gauge",
    unit: "datapoints",
    help: "Datapoints that are durable and acknowledged, but not yet judged to be new or repeated.",
  },
  balanced: { name: "lineshaft_sums_balanced", type: "gauge", help: "1 while the sum rule holds." },
  dropped: {
    name: "lineshaft_dropped_total",
    type: "counter",
    unit: "datapoints",
    help: "Datapoints lost since the process started, each with a gap record in the stream.",
    labels: { stage: "part of the platform", reason: "code of the loss", tenant: "tenant number" },
  },
  logCommit: {
    name: "lineshaft_log_commit_seconds",
    type: "summary",
    unit: "seconds",
    help: "Time from a group commit's start until it is synced, over the last commits.",
    labels: { quantile: "0.5, 0.99" },
  },
  logBytes: { name: "lineshaft_log_bytes", type: "gauge", unit: "bytes", help: "Size of the log on disk." },
  logSegments: { name: "lineshaft_log_segments", type: "gauge", help: "Segment files of the log." },
  logFirst: { name: "lineshaft_log_first_lsn", type: "gauge", help: "Oldest position the log still has." },
  logDurable: { name: "lineshaft_log_durable_lsn", type: "gauge", help: "Newest position that is synced." },
  logGeneration: {
    name: "lineshaft_log_generation",
    type: "gauge",
    help: "Generation of the log; a restore starts a new one.",
  },
  logQuarantined: {
    name: "lineshaft_log_quarantined",
    type: "gauge",
    help: "Damaged ranges of the log that were set aside.",
  },
  historyApplied: {
    name: "lineshaft_history_applied_lsn",
    type: "gauge",
    help: "Position up to which history has taken the log over.",
  },
  historyLagRecords: {
    name: "lineshaft_history_lag_records",
    type: "gauge",
    unit: "records",
    help: "Durable records that history has not yet applied.",
  },
  historyLag: {
    name: "lineshaft_history_lag_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Age of the oldest record that history has not yet applied.",
  },
  historyRows: { name: "lineshaft_history_rows", type: "gauge", unit: "rows", help: "Datapoints in history." },
  historyFiles: { name: "lineshaft_history_files", type: "gauge", help: "Files of history." },
  historyBytes: { name: "lineshaft_history_bytes", type: "gauge", unit: "bytes", help: "Size of history on disk." },
  historyQuarantined: {
    name: "lineshaft_history_quarantined",
    type: "gauge",
    help: "Damaged files of history that were set aside.",
  },
  factsLag: {
    name: "lineshaft_facts_lag_records",
    type: "gauge",
    unit: "records",
    help: "Durable records that facts do not know yet.",
  },
  factsBindings: { name: "lineshaft_facts_bindings", type: "gauge", help: "Tags that tell a state or a count." },
  factsRepairing: {
    name: "lineshaft_facts_repairing",
    type: "gauge",
    help: "Of these, such as are being derived again because something in the past has changed.",
  },
  mappingErrors: {
    name: "lineshaft_mapping_errors",
    type: "gauge",
    help: "Values in the time that facts are kept that their mapping says nothing of; GET /api/v1/facts/mapping-errors tells the tags.",
  },
  resultsWaiting: {
    name: "lineshaft_results_waiting",
    type: "gauge",
    help: "Results of applications that wait to be computed, or are being computed.",
  },
  resultsWindows: {
    name: "lineshaft_results_dirty_ranges",
    type: "gauge",
    help: "Ranges of time that are dirty and not taken apart into results yet.",
  },
  streams: { name: "lineshaft_streams_open", type: "gauge", help: "Event streams that are open." },
  tags: { name: "lineshaft_tags", type: "gauge", help: "Raw tags known." },
  connections: { name: "lineshaft_connections", type: "gauge", help: "Connections known." },
  mqttClients: {
    name: "lineshaft_mqtt_clients",
    type: "gauge",
    help: "Connections at the embedded broker; absent, as the next two, while it is switched off.",
  },
  mqttMessages: {
    name: "lineshaft_mqtt_messages_total",
    type: "counter",
    help: "Messages that clients of the broker were allowed to publish since the process started, and of these such as no connection reads.",
    labels: { result: "received, unclaimed" },
  },
  mqttRefused: {
    name: "lineshaft_mqtt_refused_total",
    type: "counter",
    help: "Sign-ins, messages and subscriptions that the broker refused, and clients that it cut off.",
    labels: { result: "refused, cut" },
  },
  requests: {
    name: "lineshaft_http_requests_total",
    type: "counter",
    help: "HTTP requests answered since the process started.",
    labels: { route: "name of the operation, other for the rest", status: "HTTP status" },
  },
  diskFree: { name: "lineshaft_disk_free_bytes", type: "gauge", unit: "bytes", help: "Free space where the data lie." },
  diskTotal: {
    name: "lineshaft_disk_total_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Size of the disk where the data lie.",
  },
  diskUsed: { name: "lineshaft_disk_used_bytes", type: "gauge", unit: "bytes", help: "Size of the data directory." },
  diskLeft: {
    name: "lineshaft_disk_left_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Time until the disk is full at the growth of the last hour; absent while it is not known.",
  },
  loopLag: {
    name: "lineshaft_event_loop_lag_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Delay of the main thread, 99th percentile.",
  },
  memory: { name: "process_resident_memory_bytes", type: "gauge", unit: "bytes", help: "Memory of the process." },
  cpu: { name: "process_cpu_seconds_total", type: "counter", unit: "seconds", help: "CPU time, user and system." },
  started: {
    name: "process_start_time_seconds",
    type: "gauge",
    unit: "seconds",
    help: "When the process started, in seconds since 1970.",
  },
} as const satisfies Record<string, Metric>;

type MetricKey = keyof typeof table;
type Sample = [labels: Readonly<Record<string, string | number>>, value: number];

/** Every metric there is. */
export const metricsTable: readonly Metric[] = Object.values(table);

export interface Metrics {
  readonly table: readonly Metric[];
  /** Where the figures come from; asked at each scrape. */
  collect(source: () => SystemStatus): void;
  /** Counts one answered request. `route` is an operation's name, never a path. */
  request(route: string, status: number): void;
  /** Counts lost datapoints; the gap record is the caller's. */
  dropped(stage: string, reason: string, tenant: number, points: number): void;
  /** Prometheus text format 0.0.4. */
  text(): Promise<string>;
}

/** Label sets a counter keeps; what comes beyond is counted under `other`. */
const maxSeries = 1000;

export function createMetrics(): Metrics {
  let source: (() => SystemStatus) | null = null;
  const requests = new SeriesCounter();
  const dropped = new SeriesCounter();
  return {
    table: metricsTable,
    collect: (from) => {
      source = from;
    },
    request: (route, status) => requests.add({ route, status }, { route: "other", status }, 1),
    dropped: (stage, reason, tenant, points) =>
      dropped.add({ stage, reason, tenant }, { stage: "other", reason: "other", tenant: "other" }, points),
    text: async () => {
      const samples = source === null ? {} : statusSamples(source());
      return format({ ...samples, requests: requests.samples(), dropped: dropped.samples() });
    },
  };
}

class SeriesCounter {
  readonly #series = new Map<string, Sample>();

  add(labels: Sample[0], beyond: Sample[0], amount: number): void {
    const key = Object.values(labels).join("\n");
    const known = this.#series.get(key);
    if (known !== undefined) known[1] += amount;
    else if (this.#series.size < maxSeries || labels === beyond) this.#series.set(key, [labels, amount]);
    else this.add(beyond, beyond, amount);
  }

  samples(): Sample[] {
    return [...this.#series.values()];
  }
}

function statusSamples(s: SystemStatus): Partial<Record<MetricKey, Sample[]>> {
  const one = (value: number): Sample[] => [[{}, value]];
  const { offered, stored, duplicates, rejected, dropped } = s.sums;
  const states: SystemStatus["state"][] = ["starting", "ready", "readOnly", "diskFull", "stopping"];
  return {
    info: [[{ version: s.version }, 1]],
    state: states.map((state) => [{ state }, state === s.state ? 1 : 0]),
    points: Object.entries({ offered, stored, duplicates, rejected, dropped }).map(([result, n]) => [{ result }, n]),
    pending: one(s.sums.pending),
    balanced: one(s.sums.balanced ? 1 : 0),
    logCommit: [
      [{ quantile: 0.5 }, s.log.commitP50Ms / 1000],
      [{ quantile: 0.99 }, s.log.commitP99Ms / 1000],
    ],
    logBytes: one(s.log.bytes),
    logSegments: one(s.log.segments),
    logFirst: one(s.log.firstLsn),
    logDurable: one(s.log.durableLsn),
    logGeneration: one(s.log.generation),
    logQuarantined: one(s.log.quarantined),
    historyApplied: one(s.history.appliedLsn),
    historyLagRecords: one(s.history.lagRecords),
    historyLag: one(s.history.lagSeconds),
    historyRows: one(s.history.rows),
    historyFiles: one(s.history.files),
    historyBytes: one(s.history.bytes),
    historyQuarantined: one(s.history.quarantined),
    factsLag: one(s.facts.lagRecords),
    factsBindings: one(s.facts.bindings),
    factsRepairing: one(s.facts.repairing),
    mappingErrors: one(s.facts.mappingErrors),
    resultsWaiting: one(s.results.waiting),
    resultsWindows: one(s.results.windows),
    streams: one(s.streams),
    tags: one(s.tags),
    connections: one(s.connections),
    ...(s.mqtt === null ? {} : mqttSamples(s.mqtt)),
    diskFree: one(s.disk.freeBytes),
    diskTotal: one(s.disk.totalBytes),
    diskUsed: one(s.disk.usedByDataBytes),
    diskLeft: s.disk.hoursLeft === null ? [] : one(s.disk.hoursLeft * 3600),
    loopLag: one(s.process.loopLagMs / 1000),
    memory: one(s.process.rssBytes),
    cpu: one(s.process.cpuSeconds),
    started: one(s.startedUs / 1e6),
  };
}

function format(samples: Partial<Record<MetricKey, Sample[]>>): string {
  const lines: string[] = [];
  for (const [key, metric] of Object.entries(table) as [MetricKey, Metric][]) {
    lines.push(`# HELP ${metric.name} ${metric.help}`, `# TYPE ${metric.name} ${metric.type}`);
    for (const [labels, value] of samples[key] ?? []) lines.push(`${metric.name}${formatLabels(labels)} ${value}`);
  }
  return `${lines.join("\n")}\n`;
}

function formatLabels(labels: Sample[0]): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(String(value))}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function mqttSamples(m: NonNullable<SystemStatus["mqtt"]>): Partial<Record<MetricKey, Sample[]>> {
  return {
    mqttClients: [[{}, m.clients]],
    mqttMessages: [
      [{ result: "received" }, m.received],
      [{ result: "unclaimed" }, m.unclaimed],
    ],
    mqttRefused: [
      [{ result: "refused" }, m.refused],
      [{ result: "cut" }, m.cut],
    ],
  };
}
