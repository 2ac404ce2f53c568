import type { SystemStatus } from "@lineshaft/contract/api";
import { expect, test } from "vitest";
import { createMetrics, metricsTable } from "./metrics.ts";

const status: SystemStatus = {
  version: "1.2.3",
  demo: false,
  startedUs: 1_795_000_000_500_000,
  nowUs: 1_795_000_001_000_000,
  state: "ready",
  sums: { offered: 10, stored: 4, duplicates: 3, rejected: 2, dropped: 1, pending: 0, balanced: true },
  rates: { offeredPerSecond: 0, storedPerSecond: 0, batchesPerSecond: 0 },
  log: {
    generation: 1,
    firstLsn: 5,
    durableLsn: 99,
    bytes: 1e12,
    segments: 2,
    commitP50Ms: 1.5,
    commitP99Ms: 12,
    quarantined: 0,
  },
  history: {
    appliedLsn: 98,
    lagRecords: 1,
    lagSeconds: 0.25,
    rows: 7,
    files: 1,
    bytes: 8,
    quarantined: 0,
    state: "ready",
  },
  results: { applications: 1, waiting: 12, windows: 4 },
  facts: { appliedLsn: 97, lagRecords: 2, bindings: 5, repairing: 1, mappingErrors: 3 },
  disk: { freeBytes: 1, totalBytes: 2, usedByDataBytes: 3, hoursLeft: null },
  process: { rssBytes: 4, cpuSeconds: 5.5, loopLagMs: 2 },
  mqtt: { port: 1883, tls: false, clients: 9, received: 10, unclaimed: 11, refused: 12, cut: 13 },
  streams: 6,
  tags: 7,
  connections: 8,
  events: [],
};

async function lines(metrics = createMetrics()): Promise<string[]> {
  metrics.collect(() => status);
  return (await metrics.text()).split("\n");
}

test("figures of the status appear in base units", async () => {
  const text = await lines();
  for (const line of [
    'lineshaft_ingest_points_total{result="offered"} 10',
    'lineshaft_ingest_points_total{result="dropped"} 1',
    "lineshaft_pending_points 0",
    "lineshaft_sums_balanced 1",
    'lineshaft_state{state="ready"} 1',
    'lineshaft_state{state="diskFull"} 0',
    'lineshaft_log_commit_seconds{quantile="0.99"} 0.012',
    "lineshaft_log_bytes 1000000000000",
    "lineshaft_log_durable_lsn 99",
    "lineshaft_history_lag_seconds 0.25",
    "lineshaft_facts_lag_records 2",
    "lineshaft_results_waiting 12",
    "lineshaft_results_dirty_ranges 4",
    "lineshaft_mapping_errors 3",
    "process_start_time_seconds 1795000000.5",
    "lineshaft_event_loop_lag_seconds 0.002",
    'lineshaft_info{version="1.2.3"} 1',
    "lineshaft_mqtt_clients 9",
    'lineshaft_mqtt_messages_total{result="unclaimed"} 11',
    'lineshaft_mqtt_refused_total{result="cut"} 13',
  ])
    expect(text).toContain(line);
  expect(text.some((line) => line.startsWith("lineshaft_disk_left_seconds "))).toBe(false);
});

test("the text names every metric of the table once, and nothing else", async () => {
  const metrics = createMetrics();
  metrics.request("listTags", 200);
  metrics.dropped("spool", "queueFull", 1, 5);
  const text = await lines(metrics);
  const helped = text.filter((line) => line.startsWith("# HELP ")).map((line) => line.split(" ")[2]);
  expect(helped).toEqual(metricsTable.map((metric) => metric.name));
  const sampled = new Set(text.filter((l) => l !== "" && !l.startsWith("#")).map((l) => l.split(/[ {]/)[0]));
  expect([...sampled].filter((name) => !helped.includes(name))).toEqual([]);
});

test.each(metricsTable)("$name follows Prometheus naming and is described", (metric) => {
  expect(metric.name).toMatch(/^(lineshaft|process)_[a-z0-9_]+$/);
  expect(metric.name.endsWith("_total")).toBe(metric.type === "counter");
  expect(metric.help).toMatch(/^[A-Z1].*\.$/);
  if (metric.unit === "seconds" || metric.unit === "bytes")
    expect(metric.name.replace(/_total$/, "")).toMatch(new RegExp(`_${metric.unit}$`));
  expect(Object.keys(metric.labels ?? {})).not.toContain("tag");
});

test("counters by label are bounded, and labels are escaped", async () => {
  const metrics = createMetrics();
  metrics.request('a"b\\c\nd', 200);
  for (let i = 0; i < 5000; i++) metrics.request(`route${i}`, 200);
  metrics.request('a"b\\c\nd', 200);
  metrics.dropped("spool", "queueFull", 1, 5);
  metrics.dropped("spool", "queueFull", 1, 6);
  const text = await lines(metrics);
  expect(text).toContain('lineshaft_http_requests_total{route="a\\"b\\\\c\\nd",status="200"} 2');
  expect(text).toContain('lineshaft_http_requests_total{route="other",status="200"} 4001');
  expect(text).toContain('lineshaft_dropped_total{stage="spool",reason="queueFull",tenant="1"} 11');
  expect(text.filter((line) => line.startsWith("lineshaft_http_requests_total{"))).toHaveLength(1001);
});
