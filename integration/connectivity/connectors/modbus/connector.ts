import {
  ConnectionError,
  type Connector,
  type ConnectorContext,
  type ConnectorSink,
  type TagBinding,
} from "@lineshaft/contract/ports";
import { groupByPeriod, orAborted, Poller, type PollGroup, type PollPace } from "../../kit/poller.ts";
import { AddressError, type AddressRange, parseRange, type Table } from "./address.ts";
import { type Bound, type BoundTag, bind } from "./bindings.ts";
import type { ModbusConfig } from "./config.ts";
import { SessionFigures } from "./figures.ts";
import { GroupReader } from "./group-reader.ts";
import { Outlet } from "./outlet.ts";
import { type PlanLimits, TableKnowledge } from "./plan.ts";
import { PulseCounter, type PulseOptions } from "./pulse.ts";
import { PollRows } from "./rows.ts";
import { ModbusSession } from "./session.ts";
import { exceptionName, status } from "./status.ts";
import { Units } from "./units.ts";

/** Refused addresses that a diagnosis names; it counts the others. */
const namedInDiagnosis = 50;
/** Refused addresses that get a line in the log. */
const toldRefused = 20;

/** What `read` works with until it ends; kept for the diagnosis. */
interface Reading {
  bound: Bound;
  readers: Map<string, GroupReader>;
  poller: Poller;
}

/**
 * One connection to a device or gateway. What it has learnt about the device, its pulse counters and the instant of the last poll outlive the
 * session: they belong to the instance.
 */
export class ModbusConnector implements Connector {
  readonly #config: ModbusConfig;
  readonly #context: ConnectorContext;
  readonly #figures = new SessionFigures();
  readonly #knowledge = new Map<string, TableKnowledge>();
  readonly #units: Units;
  readonly #outlet: Outlet;
  /** Addresses that the device refuses, with its reason; each is told once. */
  readonly #refused = new Map<string, string>();
  #counters = new Map<string, PulseCounter>();
  #session: ModbusSession | null = null;
  #reading: Reading | null = null;
  /** Ends the running read. */
  #stop: AbortController | null = null;
  #neverRead: AddressRange[] = [];
  /** No poll has been completed since the last connect. */
  #resumed = false;

  constructor(config: ModbusConfig, context: ConnectorContext) {
    this.#config = config;
    this.#context = context;
    const { clock } = context;
    this.#outlet = new Outlet({ clock, log: context.log });
    this.#units = new Units({
      clock,
      // One more than ends a connection: where there is but one unit, it is the connection that is lost.
      timeouts: config.timeoutsUntilLost + 1,
      onChange: (unit, answers) =>
        answers
          ? context.log("info", `Unit ${unit} answers again.`)
          : context.log("warning", `Unit ${unit} does not answer; it is asked more rarely.`),
    });
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.close();
    const { host, port, connectTimeoutMs, timeoutMs, inFlight, timeoutsUntilLost, violationsUntilError } = this.#config;
    const [probe] = parseRanges(this.#config.probe === "" ? [] : [this.#config.probe]);
    this.#neverRead = parseRanges(this.#config.neverRead);
    // The device may have been reconfigured: what was refused together is tried together again.
    for (const knowledge of this.#knowledge.values()) knowledge.forgetCuts();
    const { clock } = this.#context;
    const limits = { connectTimeoutMs, timeoutMs, inFlight, timeoutsUntilLost, violationsUntilError };
    const options = { host, port, ...limits, clock, figures: this.#figures, wire: () => this.#context.wire };
    const session = await ModbusSession.open(options, signal);
    try {
      if (probe !== undefined) await this.#probe(session, probe, signal);
    } catch (error) {
      session.close();
      throw error;
    }
    this.#session = session;
    this.#resumed = true;
    this.#units.resume();
    void session.ended.then((error) => {
      if (this.#session !== session) return;
      this.#session = null;
      this.#stop?.abort(error);
    });
  }

  /** Some accept a connection only to close it, or nobody is behind the port; one answer of any kind tells that a device is there. */
  async #probe(session: ModbusSession, { unit, table, from, to }: AddressRange, signal: AbortSignal): Promise<void> {
    const id = unit ?? this.#config.unitId;
    const answer = await orAborted(session.read(id, table, from, to - from + 1), signal);
    const { host, port } = this.#config;
    if (answer.kind === "timeout") {
      const hint = "Check the unit id, and whether the device has a free connection; or choose another probe.";
      throw new ConnectionError(
        "unreachable",
        `${host}:${port} takes the connection, but unit ${id} does not answer.`,
        hint,
        "time-out",
      );
    }
    if (answer.kind === "violation") {
      const hint = "Check that port and device speak Modbus TCP, and not RTU over TCP.";
      throw new ConnectionError(
        "protocol",
        `${host}:${port} does not answer as Modbus TCP asks.`,
        hint,
        `wrong ${answer.violation}`,
      );
    }
  }

  async read(
    bindings: readonly TagBinding[],
    _resumeFrom: string | null,
    sink: ConnectorSink,
    signal: AbortSignal,
  ): Promise<never> {
    const session = this.#session;
    if (session === null)
      throw new ConnectionError("lost", "The device is not connected.", "It is connected again by itself.");
    signal.throwIfAborted();
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#stop = stop;
    try {
      this.#reading = this.#prepare(bind(bindings, this.#config), session, sink);
      return await this.#reading.poller.run(stop.signal);
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#stop = null;
    }
  }

  #prepare(bound: Bound, session: ModbusSession, sink: ConnectorSink): Reading {
    const { clock } = this.#context;
    this.#keepCounters(bound);
    const readers = new Map<string, GroupReader>();
    const groups: PollGroup[] = [];
    for (const [periodMs, tags] of groupByPeriod(bound.tags, (tag) => tag.periodMs)) {
      const rows = new PollRows(
        tags.map(({ rule }) => rule),
        (rule) => this.#counters.get(counterKey(bound.names[rule.name], rule.count)) ?? null,
      );
      const reader = this.#reader(bound, tags, rows, session);
      const name = `${periodMs} ms`;
      readers.set(name, reader);
      const poll = async (stop: AbortSignal): Promise<void> => {
        await reader.poll(stop);
        await this.#deliver(bound, rows, periodMs, sink, stop);
      };
      groups.push({ name, periodMs, phaseMs: phaseOf(this.#config, periodMs), poll });
    }
    if (bound.unusable.length > 0) groups.push(this.#unusable(bound, sink));
    const poller = new Poller({ clock, groups, onPace: (pace) => this.#tellPace(pace) });
    return { bound, readers, poller };
  }

  #reader(bound: Bound, tags: readonly BoundTag[], rows: PollRows, session: ModbusSession): GroupReader {
    return new GroupReader({
      targets: tags.map(({ target }) => target),
      rows,
      session,
      units: this.#units,
      knowledge: (unit, table) => this.#knowledgeOf(unit, table),
      limits: (table) => this.#limits(table),
      inFlight: this.#config.inFlight,
      clock: this.#context.clock,
      onRefused: (tag, exception) => this.#noteRefused(bound.names[tags[tag].rule.name], exception),
    });
  }

  /** What a poll brought, all at one instant: when its last answer had come. */
  async #deliver(
    bound: Bound,
    rows: PollRows,
    periodMs: number,
    sink: ConnectorSink,
    stop: AbortSignal,
  ): Promise<void> {
    const atUs = this.#context.clock.nowUs();
    const { lastPollUs } = this.#outlet;
    if (this.#resumed && lastPollUs !== null && atUs - lastPollUs > 1.5 * periodMs * 1000)
      this.#outlet.missed({ fromUs: lastPollUs, toUs: atUs, points: null, reason: "not polled while disconnected" });
    this.#resumed = false;
    await this.#outlet.put(bound.names, rows.take(atUs), { atUs, periodMs }, sink, stop, () => rows.forget());
  }

  /** Addresses that cannot be meant are bad from the start, and at each heartbeat. */
  #unusable({ names, unusable }: Bound, sink: ConnectorSink): PollGroup {
    const { clock } = this.#context;
    const periodMs = this.#config.heartbeatMs;
    const rules = unusable.map(({ name }) => ({ name, heartbeatMs: 0, count: null }));
    const rows = new PollRows(rules, () => null);
    for (const { name, why } of unusable) this.#tellRefused(names[name], why);
    const poll = async (stop: AbortSignal): Promise<void> => {
      rows.begin(clock.monotonicMs());
      for (let i = 0; i < rules.length; i++) rows.bad(i, status.badConfigurationError);
      const atUs = clock.nowUs();
      await this.#outlet.put(names, rows.take(atUs), { atUs, periodMs }, sink, stop, () => {});
    };
    return { name: "unusable addresses", periodMs, poll };
  }

  #noteRefused(address: string, exception: number | null): void {
    if (exception !== null) this.#tellRefused(address, exceptionName(exception));
    else if (this.#refused.delete(address)) this.#context.log("info", `${address} can be read again.`);
  }

  /** Once an address; a device that refuses thousands gets a line for the first of them. */
  #tellRefused(address: string, why: string): void {
    if (this.#refused.has(address)) return;
    this.#refused.set(address, why);
    if (this.#refused.size <= toldRefused) this.#context.log("warning", `${address} cannot be read: ${why}`);
    if (this.#refused.size === toldRefused)
      this.#context.log("warning", "Further addresses that cannot be read stand in the diagnosis.");
  }

  #tellPace({ name, actualMs, stretched }: PollPace): void {
    if (stretched)
      this.#context.log(
        "warning",
        `The device is too slow for the period of ${name}: a poll takes ${Math.round(actualMs ?? 0)} ms.`,
      );
    else this.#context.log("info", `The period of ${name} is kept again.`);
  }

  #knowledgeOf(unit: number, table: Table): TableKnowledge {
    const key = `${unit}/${table}`;
    const known = this.#knowledge.get(key);
    if (known !== undefined) return known;
    const fresh = new TableKnowledge();
    for (const range of this.#neverRead)
      if (range.table === table && (range.unit ?? unit) === unit) fresh.forbid(range.from, range.to);
    this.#knowledge.set(key, fresh);
    return fresh;
  }

  #limits(table: Table): PlanLimits {
    const { maxRegisters, maxCoils, maxGapRegisters, maxGapCoils } = this.#config;
    const bits = table === "coil" || table === "discrete";
    // A value longer than the device's own limit is asked for as it is, and refused by the device.
    return { max: bits ? maxCoils : maxRegisters, gap: bits ? maxGapCoils : maxGapRegisters };
  }

  /** Counters of tags that are still bound stay; the others go, so that there are never more than tags. */
  #keepCounters({ names, tags }: Bound): void {
    const kept = new Map<string, PulseCounter>();
    for (const { rule } of tags) {
      const key = counterKey(names[rule.name], rule.count);
      if (rule.count !== null) kept.set(key, this.#counters.get(key) ?? new PulseCounter(rule.count));
    }
    this.#counters = kept;
    const bound = new Set(names);
    for (const address of this.#refused.keys()) if (!bound.has(address)) this.#refused.delete(address);
  }

  async close(): Promise<void> {
    // `ended` follows and ends a running read as lost.
    this.#session?.close();
    await this.#session?.ended;
  }

  diagnose(): Record<string, unknown> {
    const { host, port } = this.#config;
    const { readers, poller, bound } = this.#reading ?? {
      readers: new Map<string, GroupReader>(),
      poller: null,
      bound: null,
    };
    const { lastPollUs, offeredRows, lostRows, rejectedBatches } = this.#outlet;
    return {
      host,
      port,
      connected: this.#session !== null,
      ...this.#figures.toJSON(),
      tags: bound?.names.length ?? 0,
      plan: Object.fromEntries([...readers].map(([name, reader]) => [name, reader.plan()])),
      paces: poller?.paces() ?? [],
      silentUnits: this.#units.silent(),
      refused: Object.fromEntries([...this.#refused].slice(0, namedInDiagnosis)),
      refusedCount: this.#refused.size,
      delivery: { lastPollUs, offeredRows, lostRows, rejectedBatches },
    };
  }
}

function parseRanges(texts: readonly string[]): AddressRange[] {
  try {
    return texts.map(parseRange);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    const hint = "Correct the range in the configuration of the connection.";
    throw new ConnectionError("misconfigured", error.message, hint, "", { cause: error });
  }
}

/** Another edge or debounce is another counter. */
function counterKey(name: string, count: PulseOptions | null): string {
  return `${count?.edge} ${count?.debounceMs} ${name}`;
}

/** A fixed place in the period for each device, so that many do not answer in the same millisecond. */
function phaseOf({ host, port, unitId }: ModbusConfig, periodMs: number): number {
  let hash = 0x811c9dc5; // FNV-1a
  for (const char of `${host}:${port}/${unitId}`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
  return hash % periodMs;
}
