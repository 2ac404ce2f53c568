import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Role } from "@lineshaft/contract/api";
import type { ConnectionRow, DemoPlant } from "@lineshaft/contract/ports";
import { createMetrics, createRateLimiter, openIdentity } from "@lineshaft/governance";
import { createHttpServer } from "@lineshaft/interfaces/rest";
import { cellSource, createMasterDataTransfer, nowSource, stopSource, workSource } from "@lineshaft/platform/context";
import { HistoryFeeder } from "@lineshaft/platform/feeder";
import { openHistory } from "@lineshaft/platform/history";
import {
  createConnectionService,
  defaultClockBounds,
  Ingest,
  SumLedger,
  TagDirectory,
} from "@lineshaft/platform/ingest";
import { openLedger } from "@lineshaft/platform/ledger";
import { lockDataDir, nodeDisk, openLog } from "@lineshaft/platform/log";
import { openRegistry } from "@lineshaft/platform/registry";
import { createEventSource } from "@lineshaft/platform/replay";
import { loadSnapshot, Views } from "@lineshaft/platform/values";
import pino from "pino";
import { systemClock } from "./clock.ts";
import { type Config, hostInUrl } from "./config.ts";
import { configurationService, loadKinds } from "./configuration.ts";
import { runConnectivity } from "./connectivity.ts";
import { LogConsumer, registrationsFrom, registryConsumer } from "./consumers.ts";
import { crashPointFrom } from "./crash-point.ts";
import { factRecordsOf } from "./fact-records.ts";
import { factsOf } from "./facts.ts";
import { HealthLog } from "./health-log.ts";
import { historyNote } from "./history-events.ts";
import { loadShedder } from "./load-shedder.ts";
import { openMqttBroker } from "./mqtt-broker.ts";
import { noteTypeChanges } from "./note-types.ts";
import { openFilesMax } from "./open-files.ts";
import { RegistryOutbox } from "./outbox.ts";
import { periodic } from "./periodic.ts";
import { resultsOf } from "./results.ts";
import { standingOf } from "./standing.ts";
import { SystemMonitor } from "./system-status.ts";
import { toldFactsOf } from "./told-facts.ts";
import { viewSaver } from "./view-saver.ts";

export const version = "0.1.0";
/** How long a stop may take before it is cut short; a kill must be as good, bar the drain. */
const drainMs = 5000;

export interface RunningServer {
  url: string;
  port: number;
  /** Where the embedded broker listens; null: it is not switched on. */
  mqttUrl: string | null;
  /** Shown once, at the first start on a data directory. */
  adminSecret: string | null;
  /** Creates an API key with the system's own rights, e.g. for the demo and for applications. */
  createKey(name: string, role: Role): string;
  log: pino.Logger;
  stop(): Promise<void>;
}

/** Composes the platform: opens what is on disk, catches the views up with the log, then opens the doors. */
export async function startServer(config: Config, consoleDir?: string, plant?: DemoPlant): Promise<RunningServer> {
  const log = pino({ level: process.env.LINESHAFT_LOG_LEVEL ?? "info" }, pino.destination(2));
  const clock = systemClock;
  const crashPoint = crashPointFrom(process.env.LINESHAFT_CRASH);
  const { dataDir } = config;
  mkdirSync(dataDir, { recursive: true });
  const lock = lockDataDir(dataDir);
  const disk = nodeDisk();
  let monitor: SystemMonitor | null = null;
  const early: [string, string][] = [];
  const lost: string[] = [];
  const note = (event: { code: string; text: string }): void => {
    log.warn({ code: event.code }, event.text);
    if (event.code === "frame_quarantined" || event.code === "records_missing") lost.push(event.text);
    if (monitor === null) early.push([event.code, event.text]);
    else monitor.note(event.code, event.text);
  };

  const stream = await openLog({
    dir: join(dataDir, "log"),
    disk,
    clock,
    segmentBytes: config.segmentBytes,
    retention: {
      windowMs: config.logWindowMs,
      maxBytes: config.logBytesMax,
      pinnedBy: ["registry", "views", "history", "facts", "factRecords", "toldFacts", "results"],
    },
    onEvent: note,
    crashPoint,
  });
  // What a start reads again of the log, for a sync less often.
  const syncEveryMs = 3 * config.snapshotMs;
  const registry = openRegistry({
    path: join(dataDir, "registry.sqlite"),
    clock,
    advanceEveryMs: syncEveryMs,
    crashPoint,
  });
  const directory = new TagDirectory();
  const scopeOf = (tenant: number, name: string): string | null => directory.connection(tenant, name)?.scope ?? null;
  const ledger = openLedger({ path: join(dataDir, "ledger.sqlite"), clock, connectionScope: scopeOf, syncEveryMs });
  const history = await openHistory({
    dir: join(dataDir, "history"),
    clock,
    onEvent: (event) => {
      const told = historyNote(event);
      if (told !== null) note(told);
      else log.debug(event, "history");
    },
    crashPoint,
    limits: { headMs: config.runMs, keepDays: config.historyDays },
  });

  // The registry first: views and ingest need its names.
  const names = registryConsumer({ log: stream, registry, ledger, clock }, (tenant, record) => {
    // Renaming or moving equipment moves the scopes of the connections below it.
    if (record.entity === "connection") directory.updateConnection(tenant, record.after as unknown as ConnectionRow);
  });
  await names.catchUp(stream);
  for (const row of registry.allConnections()) directory.addConnection(row.tenant, row);
  for (const tag of registry.allTags()) {
    const connection = directory.connectionById(tag.connectionId);
    if (connection !== undefined) directory.addTag(connection, tag.id, tag.address);
  }
  for await (const { tenant, record } of registrationsFrom(stream, names.applied + 1))
    directory.addRegistered(tenant, record);

  const snapshotDir = join(dataDir, "views");
  const { newest: snapshot, oldestLsn } = await loadSnapshot(disk, snapshotDir, stream.status.generation);
  const sums =
    snapshot === null ? new SumLedger() : SumLedger.from(snapshot.sums as Parameters<typeof SumLedger.from>[0]);
  for (const c of snapshot?.connections ?? []) {
    const connection = directory.connectionById(c.id);
    if (connection === undefined) continue;
    connection.durable = c.durable;
    connection.lastBatchUs = c.lastBatchUs;
  }
  let starting = true;
  const views = new Views(
    {
      sums,
      received: (record) => {
        directory.batchDurable(record, starting);
        if (starting) directory.reserveTags(record.tagBound);
      },
    },
    snapshot,
  );
  const viewer = new LogConsumer(
    stream,
    clock,
    Math.max(views.appliedLsn + 1, stream.status.firstLsn),
    (frames) => void views.apply(frames),
  );
  stream.pin("views", oldestLsn + 1);
  await viewer.catchUp(stream);
  starting = false;

  const limiter =
    config.ratePerSecond === 0
      ? null
      : createRateLimiter({ clock, ratePerSecond: config.ratePerSecond, burst: config.ratePerSecond * 2 });
  const admit =
    limiter === null ? undefined : (connectionId: number, rows: number) => limiter.take(String(connectionId), rows);
  let stopping = false;
  const ingest = new Ingest({
    log: stream,
    clock,
    directory,
    sums,
    shed: loadShedder(config.memoryBytesMax, () => stopping),
    crashPoint,
    tagQuota: config.tagQuota,
    namesVisible: (lsn) => names.until(lsn),
    noteUnits: async (tenant, connectionId, units) => {
      await registry.settled();
      registry.noteUnits(tenant, connectionId, units);
    },
    frozenBefore: () => history.status.frozenBeforeUs,
    admit,
  });
  for (let tag = 1; tag < directory.tagBound; tag++) ingest.classifier.seed(tag, views.values.timeOf(tag));

  const feeder = new HistoryFeeder({
    log: stream,
    history,
    clock,
    logBytesMax: config.logBytesMax,
    onMissing: (from, to) => {
      const reason = `History never had records ${from} to ${to}, and the log has them no more.`;
      note({ code: "records_missing", text: reason });
      missing(reason);
    },
  });
  /** What is gone is a gap like any other: those who follow the stream must know. */
  const missing = (reason: string): void =>
    void ingest
      .gap(1, { connection: null, fromUs: clock.nowUs(), toUs: null, points: null, reason })
      .catch(fail("Recording a gap"));
  const outbox = new RegistryOutbox({ registry, log: stream });
  const identity = openIdentity({
    registry,
    clock,
    random: randomBytes,
    adminSecret: process.env.LINESHAFT_ADMIN_SECRET,
  });
  // The demo prints a login that ends with the process instead.
  const adminSecret = config.command === "up" ? identity.ensureAdmin() : null;
  const events = createEventSource({
    log: stream,
    history,
    appliedTime: () => feeder.appliedTime,
    leadUs: defaultClockBounds.leadUs,
  });
  const derived = factsOf({
    log: stream,
    history,
    registry,
    ledger,
    directory,
    clock,
    registryApplied: async (lsn) => {
      await names.until(lsn);
      await registry.settled();
    },
    sink: ingest,
    ...{ dataDir, note, saveEveryMs: config.snapshotMs },
    healthOf: (tenant, name) => connectivity.status(tenant, name)?.health.state ?? null,
  });
  const recorded = await factRecordsOf({
    ...{ dataDir, log: stream, registry, clock, syncEveryMs, onEvent: note, crashPoint },
  });
  const told = toldFactsOf({ dataDir, log: stream, clock, flushEveryMs: syncEveryMs, onEvent: note });
  const published = resultsOf({ dataDir, log: stream, registry, derived, recorded, clock, syncEveryMs, onEvent: note });
  const broker =
    config.mqtt === null
      ? null
      : openMqttBroker({
          settings: config.mqtt,
          registry,
          identity,
          clock,
          scopeOf,
          openFilesMax: openFilesMax(),
          audit: (event) => log[event.event === "refused" || event.event === "cut" ? "warn" : "debug"](event, "MQTT"),
        });
  const healths = new HealthLog({
    log: stream,
    connectionOf: (tenant, name) => directory.connection(tenant, name) ?? null,
    onError: (error) => log.debug({ err: error }, "A change of a connection's health was not recorded"),
  });
  const connectivity = await runConnectivity({
    registry,
    sink: ingest,
    clock,
    dataDir,
    shared: (tenant, name, key) => broker?.shared(tenant, name, key) ?? null,
    followed: (wanted) => broker?.followed(wanted),
    sourceCursor: (tenant, name) => directory.connection(tenant, name)?.durable?.sourceCursor ?? null,
    standing: (tenant, name) => standingOf(directory.connection(tenant, name), views.values),
    onHealth: (tenant, name, health) => healths.note(tenant, name, health),
    log: (level, text) => log[level === "info" ? "info" : "warn"](text),
  });
  const connections = createConnectionService({
    running: (tenant, name) => connectivity.status(tenant, name),
    directory,
    ingest,
    registry,
    sums,
    clock,
    registryApplied: (lsn) => names.until(lsn),
  });
  const metrics = createMetrics();
  let streams = () => 0;
  const watch = new SystemMonitor({
    version,
    demo: config.command === "demo",
    dataDir,
    clock,
    disk,
    log: stream,
    history,
    views,
    sums,
    directory,
    mqtt: () => broker?.status() ?? null,
    streams: () => streams(),
    facts: derived.facts,
    results: published.results,
    historyTime: () => feeder.appliedTime,
  });
  monitor = watch;
  for (const [code, text] of early) watch.note(code, text);
  metrics.collect(() => watch.status());

  const cells = cellSource({ facts: derived.facts, registry, clock, production: recorded.records.production });
  const http = await createHttpServer(
    {
      sink: ingest,
      history,
      registry,
      lastValues: views.values,
      facts: derived.facts,
      ...{ factRecords: recorded.records, toldFacts: told.told },
      ...{ results: published.results, cells },
      stops: stopSource({ registry, cells }),
      work: workSource({ facts: derived.facts, registry, clock, cells }),
      now: nowSource({ facts: derived.facts, registry, clock, results: published.results }),
      ledger,
      identity,
      events,
      connections,
      connectivity,
      configuration: configurationService(registry, directory, await loadKinds()),
      masterDataTransfer: createMasterDataTransfer(registry),
      outbox,
      system: { status: () => watch.status(), metrics: () => metrics.text(), ready: () => watch.ready() },
      clock,
      demoPlant: plant,
    },
    { consoleDir, demo: config.command === "demo", log },
  );
  streams = () => http.streamCount;

  const fail = (what: string) => (error: unknown) => {
    log.error({ err: error }, `${what} failed`);
    watch.note("internal", `${what} failed: ${(error as Error).message}`);
  };
  for (const reason of lost) missing(reason);
  feeder.run(fail("Feeding history"));
  names.run(fail("The registry's view of the log"));
  viewer.run(fail("The views"));
  derived.run(fail("Deriving facts"));
  recorded.run(fail("The records of facts"));
  told.run(fail("What was told of facts"));
  published.run(fail("The results of applications"));
  watch.start();
  const snapshots = periodic(
    config.snapshotMs,
    viewSaver({ disk, dir: snapshotDir, log: stream, views, sums, directory }, snapshot?.appliedLsn ?? 0),
    fail("Saving the views"),
  );
  const drains = periodic(
    1000,
    async () => {
      await registry.settled();
      noteTypeChanges(views.values.typeChanges.take(clock.monotonicMs()), registry, directory);
      await outbox.drain();
    },
    fail("Publishing registry changes"),
  );

  connectivity.start();
  await http.listen({ port: config.port, host: config.host });
  const { port } = http.server.address() as AddressInfo;
  const mqttUrl = (await broker?.listen(connectivity)) ?? null;
  return {
    url: `http://${hostInUrl(config.host)}:${port}`,
    port,
    mqttUrl,
    adminSecret,
    log,
    createKey: (name, role) => identity.createSystemKey(name, role),
    stop: async () => {
      const forced = setTimeout(() => process.exit(1), drainMs);
      forced.unref();
      // While batches are still taken: the tags of what ends are marked stale.
      await connectivity.stop();
      await broker?.stop();
      stopping = true;
      watch.stop();
      await http.close();
      await drains.stop();
      await snapshots.stop();
      await published.stop();
      await recorded.stop();
      await told.stop();
      await derived.stop();
      await feeder.stop();
      await viewer.stop();
      await names.stop();
      await history.close();
      await stream.close();
      registry.close();
      ledger.close();
      lock.release();
      clearTimeout(forced);
    },
  };
}
