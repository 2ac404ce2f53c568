import { monitorEventLoopDelay } from "node:perf_hooks";
import type { SystemStatus } from "@lineshaft/contract/api";
import type { Clock, Disk, History, Log } from "@lineshaft/contract/ports";
import type { FactsFollower } from "@lineshaft/platform/derivation";
import type { SumLedger, TagDirectory } from "@lineshaft/platform/ingest";
import type { ResultService } from "@lineshaft/platform/results";
import type { Views } from "@lineshaft/platform/values";

interface Parts {
  version: string;
  demo: boolean;
  dataDir: string;
  clock: Clock;
  disk: Disk;
  log: Log;
  history: History;
  views: Views;
  sums: SumLedger;
  directory: TagDirectory;
  streams: () => number;
  facts: FactsFollower;
  results: ResultService;
  mqtt: () => SystemStatus["mqtt"];
  historyTime: () => number | null;
}

const eventsKept = 50;
const tickMs = 1000;
const rateSeconds = 5;
/** After a start sources tell what they have kept: that is no growth to reckon with. */
const catchUpMs = 10 * 60_000;
const growthLeastMs = 20 * 60_000;

/** What the system page, /readyz and the metrics are made of; samples rates once a second. */
export class SystemMonitor {
  readonly #p: Parts;
  readonly #startedUs: number;
  readonly #startedMs: number;
  readonly #loop = monitorEventLoopDelay({ resolution: 10 });
  #events: SystemStatus["events"] = [];
  #samples: { ms: number; offered: number; stored: number; lsn: number }[] = [];
  #space = { freeBytes: 0, totalBytes: 0 };
  /** (time, used bytes) once a minute for an hour, when what sources had kept has had time to come: growth, and so the hours that are left. */
  #growth: { ms: number; bytes: number }[] = [];
  #loopSinceMs = 0;
  #stopping = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: Parts) {
    this.#p = parts;
    this.#startedUs = parts.clock.nowUs();
    this.#startedMs = parts.clock.monotonicMs();
    this.#loop.enable();
  }

  start(): void {
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), tickMs);
    this.#timer.unref();
  }

  stop(): void {
    this.#stopping = true;
    this.#loop.disable();
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** A notable event, told on the system page; the newest fifty are kept. */
  note(code: string, text: string): void {
    this.#events.unshift({ time: this.#p.clock.nowUs(), code, text });
    this.#events.length = Math.min(this.#events.length, eventsKept);
  }

  ready(): { ready: boolean; reasons: string[] } {
    const reasons: string[] = [];
    const { log, history } = this.#p;
    if (this.#stopping) reasons.push("The server is stopping.");
    if (log.status.state === "failed") reasons.push("A sync of the log failed; restart after checking the disk.");
    if (log.status.state === "diskFull") reasons.push("The disk is full.");
    if (history.status.state === "unavailable") reasons.push("History cannot be read.");
    return { ready: reasons.length === 0, reasons };
  }

  status(): SystemStatus {
    const { log, history, views, clock } = this.#p;
    const l = log.status;
    const h = history.status;
    const used = l.bytes + h.bytes;
    const historyTime = this.#p.historyTime();
    const behind = Math.max(0, l.durableLsn - h.appliedLsn);
    const memory = process.memoryUsage.rss();
    const cpu = process.cpuUsage();
    return {
      version: this.#p.version,
      demo: this.#p.demo,
      startedUs: this.#startedUs,
      nowUs: clock.nowUs(),
      state: this.#state(),
      sums: this.#p.sums.total(),
      rates: this.#rates(),
      log: {
        generation: l.generation,
        firstLsn: l.firstLsn,
        durableLsn: l.durableLsn,
        bytes: l.bytes,
        segments: l.segments,
        commitP50Ms: l.commitP50Ms,
        commitP99Ms: l.commitP99Ms,
        quarantined: l.quarantined.length,
      },
      history: {
        appliedLsn: h.appliedLsn,
        lagRecords: behind,
        lagSeconds: behind === 0 || historyTime === null ? 0 : Math.max(0, (views.newestReceived - historyTime) / 1e6),
        rows: h.rows,
        files: h.files,
        bytes: h.bytes,
        quarantined: h.quarantined.length,
        state: h.state,
      },
      facts: {
        ...this.#p.facts.status,
        appliedLsn: this.#p.facts.appliedLsn,
        lagRecords: Math.max(0, l.durableLsn - this.#p.facts.appliedLsn),
      },
      results: this.#p.results.status,
      disk: { ...this.#space, usedByDataBytes: used, hoursLeft: this.#hoursLeft() },
      process: {
        rssBytes: memory,
        cpuSeconds: (cpu.user + cpu.system) / 1e6,
        loopLagMs: Math.max(0, this.#loop.percentile(99) / 1e6 - 10),
      },
      mqtt: this.#p.mqtt(),
      streams: this.#p.streams(),
      tags: this.#p.directory.tagCount,
      connections: [...this.#p.directory.connections].length,
      events: this.#events,
    };
  }

  #state(): SystemStatus["state"] {
    if (this.#stopping) return "stopping";
    const { state } = this.#p.log.status;
    return state === "diskFull" ? "diskFull" : state === "failed" ? "readOnly" : "ready";
  }

  #sample(): void {
    const sums = this.#p.sums.total();
    const ms = this.#p.clock.monotonicMs();
    this.#samples.push({ ms, offered: sums.offered, stored: sums.stored, lsn: this.#p.log.status.durableLsn });
    if (this.#samples.length > rateSeconds + 1) this.#samples.shift();
    this.#p.disk.space(this.#p.dataDir).then(
      (space) => {
        this.#space = space;
      },
      () => undefined, // The figure stays as it was; a disk that cannot even tell its size shows in other ways.
    );
    const last = this.#growth[this.#growth.length - 1];
    if (ms - this.#loopSinceMs >= 60_000) {
      this.#loop.reset();
      this.#loopSinceMs = ms;
    }
    if (ms - this.#startedMs < catchUpMs || (last !== undefined && ms - last.ms < 60_000)) return;
    this.#growth.push({ ms, bytes: this.#p.log.status.bytes + this.#p.history.status.bytes });
    if (this.#growth.length > 60) this.#growth.shift();
  }

  #rates(): SystemStatus["rates"] {
    const first = this.#samples[0];
    const last = this.#samples[this.#samples.length - 1];
    const seconds = first === undefined ? 0 : (last.ms - first.ms) / 1000;
    const per = (n: number): number => (seconds > 0 ? n / seconds : 0);
    return {
      offeredPerSecond: per((last?.offered ?? 0) - (first?.offered ?? 0)),
      storedPerSecond: per((last?.stored ?? 0) - (first?.stored ?? 0)),
      batchesPerSecond: per((last?.lsn ?? 0) - (first?.lsn ?? 0)),
    };
  }

  #hoursLeft(): number | null {
    const first = this.#growth[0];
    const last = this.#growth[this.#growth.length - 1];
    if (first === undefined || last.ms - first.ms < growthLeastMs) return null;
    const perHour = ((last.bytes - first.bytes) / (last.ms - first.ms)) * 3_600_000;
    return perHour > 0 ? this.#space.freeBytes / perHour : null;
  }
}
