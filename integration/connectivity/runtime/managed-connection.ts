import {
  type ConnectionSpec,
  type DeliveryClass,
  type Micros,
  statusBadNoCommunication,
} from "@lineshaft/contract/api";
import {
  type Clock,
  ConnectionError,
  type ConnectionHealth,
  type Connector,
  type RestsOn,
  type Sink,
} from "@lineshaft/contract/ports";
import { CertificateWatch, restsOn } from "./certificates.ts";
import { ConnectionSink, connectionCredit } from "./connection-sink.ts";
import { LastRows } from "./last-rows.ts";
import { OpenGap } from "./open-gap.ts";
import { orTooLong } from "./patience.ts";
import { cannotBrowse } from "./plain-error.ts";
import { RateMeter } from "./rate-meter.ts";
import { BindingsChanged, ConnectorCrash, type Failure, type Keepable, keepConnected } from "./retry.ts";
import type { Secrecy } from "./secrecy.ts";
import type { Standing } from "./standing.ts";

export interface ConnectionFigures {
  rowsPerSecond: number;
  rows: number;
  rejected: number;
  reconnects: number;
  inFlightRows: number;
  /** Our time less the newest source time of the last batch. */
  lagUs: Micros | null;
  /** Of the tags whose class says how often they are fetched; null: none does. */
  expectedRowsPerSecond: number | null;
  certificates: readonly RestsOn[];
  lastDataUs: Micros | null;
  /** The last batch with a good value in it. */
  lastGoodAtUs: Micros | null;
}

/** A connector here, or in the worker, where its state can only be asked for. */
export type LiveConnector = Omit<Connector, "diagnose"> & {
  diagnose(): Record<string, unknown> | Promise<Record<string, unknown>>;
};

/** What a connection needs of the runtime around it. */
export interface ConnectionParts {
  tenant: number;
  sink: Sink;
  clock: Clock;
  random(): number;
  generation: number;
  credit?: { rows: number; bytes: number };
  silentAfterMs: number;
  /** The last durable position from before this process. */
  sourceCursor: string | null;
  /** null: it never spoke, or this process has started it before. */
  standing: Standing | null;
  secrecy: Secrecy;
  /** By the configuration as it is written, its defaults filled in. */
  delivery(config: ConnectionSpec["config"]): DeliveryClass;
  /** A live instance, here or in the worker. Throws ConnectionError "misconfigured". */
  open(spec: ConnectionSpec, credit: { rows: number; bytes: number }): Promise<LiveConnector>;
  onHealth(health: ConnectionHealth): void;
  log(level: "info" | "warning", text: string): void;
}

/** A certificate ends on a day, not at a minute. */
const certificatesEveryMs = 600_000;

/** How long a connector may take to end its read after an abort, and then to close, before it is left behind: a stop ends within what the host waits. */
const stopMs = 1_500;

/** One supervised connection: its connector, its sink, its health. All retry is in `retry.ts`. */
export class ManagedConnection implements Keepable {
  readonly clock: Clock;
  readonly #parts: ConnectionParts;
  #spec: ConnectionSpec;
  #sink: ConnectionSink;
  #connector: LiveConnector | null = null;
  #health: ConnectionHealth = { state: "stopped" };
  #stop = new AbortController();
  /** Outlasts `#stop`: the values are still marked stale. */
  #life = new AbortController();
  #last = new LastRows();
  #events: ReadonlySet<string>;
  #running: Promise<void> = Promise.resolve();
  /** Ends the read under way; null between reads. */
  #endRead: ((reason: unknown) => void) | null = null;
  #cursor: string | null;
  #rate = new RateMeter();
  #figures = { rows: 0, rejected: 0, reconnects: 0 };
  #newestUs: Micros | null = null;
  #lastDataUs: Micros | null = null;
  #lastGoodAtUs: Micros | null = null;
  /** Since when the connection is away; told once, until it is back. */
  #lostUs: Micros | null = null;
  #gap = new OpenGap();
  #watch = new CertificateWatch();
  /** When the certificates are looked at next. */
  #lookAtMs = -Infinity;

  constructor(spec: ConnectionSpec, parts: ConnectionParts) {
    this.#spec = spec;
    this.#parts = parts;
    this.clock = parts.clock;
    this.#cursor = parts.sourceCursor;
    this.#events = eventsOf(spec);
    this.#sink = this.#newSink();
  }

  get spec(): ConnectionSpec {
    return this.#spec;
  }

  get health(): ConnectionHealth {
    return this.#health;
  }

  random(): number {
    return this.#parts.random();
  }

  start(): void {
    this.#stop = new AbortController();
    this.#life = new AbortController();
    this.#sink = this.#newSink();
    if (this.#parts.standing !== null) this.#takeUp(this.#parts.standing);
    this.#running = keepConnected(this, this.#stop.signal);
  }

  async stop(): Promise<void> {
    const wasLive = this.#endRead !== null;
    this.#stop.abort(new ConnectionError("lost", "The connection was stopped.", "Start it again."));
    await this.#within(this.#running);
    const connector = this.#connector;
    this.#connector = null;
    // Together: neither a connector that does not close nor a sink that is stalled takes the other's time.
    await Promise.all([
      this.#within(connector?.close() ?? Promise.resolve()),
      wasLive ? this.#within(this.#markStale("all", this.clock.nowUs())) : null,
    ]);
    this.#life.abort(this.#stop.signal.reason);
    this.#become({ state: "stopped" });
  }

  /** Other tags are read on the same connection; anything else needs a restart. */
  rebind(spec: ConnectionSpec): void {
    const kept = new Set(spec.tags.map(({ address }) => address));
    const gone = this.#spec.tags.map(({ address }) => address).filter((address) => !kept.has(address));
    this.#spec = spec;
    this.#events = eventsOf(spec);
    void this.#markStale(gone, this.clock.nowUs()).catch(() => undefined);
    this.#endRead?.(new BindingsChanged("The bindings have changed."));
  }

  // ── for the loop in retry.ts ──────────────────────────────────────────────────────────────────────────────────────
  async connect(signal: AbortSignal): Promise<void> {
    if (this.#health.state !== "waiting") this.#become({ state: "connecting", since: this.clock.nowUs() });
    this.#connector ??= await this.#parts.open(this.#spec, this.#sink.credit());
    await this.#connector.connect(signal);
    this.#lookAtMs = -Infinity;
    this.#become({ state: "connecting", since: this.clock.nowUs() });
    if (this.#lostUs !== null) {
      this.#figures.reconnects++;
      this.#parts.log("info", "restored");
      this.#lostUs = null;
    }
  }

  async read(signal: AbortSignal): Promise<never> {
    const connector = this.#connector as LiveConnector;
    const abort = new AbortController();
    const over = new AbortController();
    this.#endRead = (reason) => abort.abort(reason);
    const stop = (): void => abort.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      const reading = connector.read(this.#spec.tags, this.#cursor, this.#sink, abort.signal);
      const ended = new Promise<never>((_, reject) => {
        abort.signal.addEventListener("abort", () => {
          // It has its second to end by itself; then we go on without it.
          const crash = new ConnectorCrash("culprit", "It does not end its read.");
          this.clock.sleep(stopMs, over.signal).then(
            () => reject(crash),
            () => undefined,
          );
        });
      });
      await Promise.race([reading, ended]);
      throw new ConnectorCrash("culprit", "Its read returned, which it never may.");
    } catch (error) {
      throw abort.signal.aborted && error !== abort.signal.reason && !(error instanceof ConnectorCrash)
        ? abort.signal.reason
        : error;
    } finally {
      over.abort();
      signal.removeEventListener("abort", stop);
      this.#endRead = null;
    }
  }

  waiting(failure: Failure, pauseMs: number | null, was: { wasConnected: boolean; crashed: boolean }): void {
    const now = this.clock.nowUs();
    this.#lost(failure, now, was.wasConnected);
    if (was.crashed) this.#discard();
    const retryAt = pauseMs === null ? null : now + Math.round(pauseMs * 1000);
    const since = this.#health.state === "waiting" ? this.#health.since : now;
    this.#become({ state: "waiting", since, retryAt, ...this.#clean(failure) });
  }

  parked(failure: Failure): void {
    const now = this.clock.nowUs();
    this.#lost(failure, now, true);
    this.#discard();
    const { message, hint, technical } = this.#clean(failure);
    this.#become({ state: "parked", since: now, message, hint, technical });
  }

  // ── health and figures ────────────────────────────────────────────────────────────────────────────────────────────
  /** Called once a second: a certificate nears its end; connected, but nothing has come for longer than expected. */
  tick(): void {
    const { state } = this.#health;
    if (this.#endRead !== null && this.clock.monotonicMs() >= this.#lookAtMs) void this.#lookAtCertificates();
    if ((state !== "flowing" && state !== "connecting") || this.#endRead === null) return;
    const now = this.clock.nowUs();
    const last = state === "flowing" ? (this.#lastDataUs ?? now) : (this.#health as { since: Micros }).since;
    if (now - last > this.#parts.silentAfterMs * 1000) this.#become({ state: "silent", since: now });
  }

  figures(): ConnectionFigures {
    return {
      ...this.#figures,
      rowsPerSecond: this.#rate.perSecond(this.clock.monotonicMs()),
      inFlightRows: this.#sink.inFlight.rows,
      expectedRowsPerSecond: expectedOf(this.#spec),
      certificates: this.#watch.certificates,
      lagUs: this.#newestUs === null || this.#lastDataUs === null ? null : this.#lastDataUs - this.#newestUs,
      lastDataUs: this.#lastDataUs,
      lastGoodAtUs: this.#lastGoodAtUs,
    };
  }

  delivery(): DeliveryClass {
    return this.#parts.delivery(this.#spec.config);
  }

  /** For support and the console; never a secret. */
  async diagnose(): Promise<Record<string, unknown>> {
    let own: Record<string, unknown> = {};
    try {
      own = (await this.#connector?.diagnose()) ?? {};
    } catch (error) {
      own = { failed: String(error) };
    }
    const { name, kind, tags } = this.#spec;
    const figures = this.figures();
    return this.#parts.secrecy.value({
      name,
      kind,
      tags: tags.length,
      health: this.#health,
      figures,
      connector: own,
    }) as Record<string, unknown>;
  }

  /** Throws what keeps the connection away. */
  async *browse(address: string, signal: AbortSignal) {
    const connector = this.#connector;
    if (this.#endRead === null || connector === null) {
      if (this.#health.state === "waiting") {
        const { fault, message, hint, technical } = this.#health;
        throw new ConnectionError(fault, message, hint, technical);
      }
      throw new ConnectionError("lost", "The connection is not up.", "Wait until it is, or start it again.");
    }
    if (connector.browse === undefined) throw cannotBrowse(this.#spec.kind);
    yield* connector.browse(address, signal);
  }

  /** The connector knows what it rests on; what nears its end is logged once at each threshold, and stands in the health. */
  async #lookAtCertificates(): Promise<void> {
    this.#lookAtMs = this.clock.monotonicMs() + certificatesEveryMs;
    let rest: RestsOn[];
    try {
      rest = restsOn((await this.#connector?.diagnose()) ?? {});
    } catch {
      return; // It is on its way out; the next connection is looked at again.
    }
    const now = this.clock.nowUs();
    for (const sentence of this.#watch.follow(rest, now)) this.#parts.log("warning", sentence);
    const { state } = this.#health;
    if ((state === "flowing" || state === "silent") && !sameTexts(this.#health.warnings, this.#watch.warnings(now)))
      this.#become(this.#health);
  }

  #newSink(): ConnectionSink {
    const { tenant, sink, random, generation, credit } = this.#parts;
    return new ConnectionSink({
      connection: this.#spec.name,
      tenant,
      sink,
      clock: this.clock,
      random,
      generation,
      credit: credit ?? connectionCredit,
      last: this.#last,
      stands: (name) => !this.#events.has(name),
      fail: (crash) => this.#endRead?.(crash),
      arrived: (rows, newestUs, good) => this.#arrived(rows, newestUs, good),
      settled: (verdict, cursor) => {
        if (verdict.kind === "durable" && cursor !== null) this.#cursor = cursor;
      },
      rejected: (points) => {
        this.#figures.rejected += points;
      },
      delayed: (detail) => this.#parts.log("warning", `waiting for the platform: ${detail}`),
      signal: this.#life.signal,
    });
  }

  #arrived(rows: number, newestUs: Micros, good: boolean): void {
    const now = this.clock.nowUs();
    this.#figures.rows += rows;
    this.#rate.add(this.clock.monotonicMs(), rows);
    this.#lastDataUs = now;
    if (Number.isFinite(newestUs)) this.#newestUs = newestUs;
    if (good) this.#lastGoodAtUs = now;
    this.#gap.end(now, this.#sink);
    if (this.#health.state === "connecting" || this.#health.state === "silent")
      this.#become({ state: "flowing", since: now });
  }

  /**
   * An earlier process may have been killed: what it left looks live until the source confirms it. Marked at the last proof of life, so that
   * whatever is read or filled in from then on is newer. Without effect after an orderly stop, but for the gap.
   */
  #takeUp({ names, columns, heardUs }: Standing): void {
    this.#last.note(names, columns);
    void this.#markStale("all", heardUs).catch(() => undefined);
    if (this.#losesNothing()) return;
    this.#gap.begin(heardUs, "The server was not running.", this.#sink);
  }

  /** A source that repeats what was not acknowledged, or can be asked again. */
  #losesNothing(): boolean {
    return ["acknowledged", "resumable"].includes(this.delivery());
  }

  #lost(failure: Failure, now: Micros, wasConnected: boolean): void {
    if (this.#lostUs !== null || !wasConnected) return;
    this.#lostUs = now;
    this.#parts.log("warning", `lost: ${this.#clean(failure).message}`);
    void this.#markStale("all", now).catch(() => undefined);
    if (this.#losesNothing()) return;
    this.#gap.begin(this.#lastDataUs ?? now, `The connection was lost: ${this.#clean(failure).message}`, this.#sink);
  }

  async #markStale(names: readonly string[] | "all", atUs: Micros): Promise<void> {
    await this.#sink.stale(names, statusBadNoCommunication, atUs);
  }

  /** A crashed instance is not used again. */
  #discard(): void {
    const old = this.#connector;
    this.#connector = null;
    void this.#within(old?.close() ?? Promise.resolve()).catch(() => undefined);
  }

  #clean(failure: Failure): Failure {
    return this.#parts.secrecy.value(failure) as Failure;
  }

  readonly #within = (work: Promise<unknown>): Promise<void> => orTooLong(work, this.clock, stopMs);

  #become(to: ConnectionHealth): void {
    const health = { ...to };
    if (health.state === "flowing" || health.state === "silent") {
      const warnings = this.#watch.warnings(this.clock.nowUs());
      health.warnings = warnings.length > 0 ? warnings : undefined;
    }
    this.#health = health;
    this.#parts.onHealth(health);
  }
}

const eventsOf = (spec: ConnectionSpec): ReadonlySet<string> =>
  new Set(spec.tags.filter(({ behaviour }) => behaviour === "event").map(({ address }) => address));

const sameTexts = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.length === b.length && a.every((text, i) => text === b[i]);

/** Values a second that the tags' classes promise; those that come on change or by themselves promise none. */
function expectedOf({ tags }: ConnectionSpec): number | null {
  const sampled = tags.flatMap((tag) => (tag.class === undefined || tag.class.samplingMs <= 0 ? [] : [tag.class]));
  if (sampled.length === 0) return null;
  return sampled.reduce((sum, { samplingMs }) => sum + 1000 / samplingMs, 0);
}
