import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ConnectionSpec, DeliveryClass, Proposals, WireRecord } from "@lineshaft/contract/api";
import {
  type BrowseItem,
  type CertificateStore,
  type CheckStep,
  type Clock,
  ConnectionError,
  type ConnectionHealth,
  type ConnectionTarget,
  type ConnectorContext,
  type ConnectorType,
  type Sink,
} from "@lineshaft/contract/ports";
import { Value } from "typebox/value";
import { type ConnectionFigures, type ConnectionParts, ManagedConnection } from "./managed-connection.ts";
import { Secrecy, secretName } from "./secrecy.ts";
import type { Standing } from "./standing.ts";
import { browseOnce, learnOnce, type Trial } from "./trial.ts";
import { WireTap } from "./wire.ts";
import { ConnectorWorker, type RemoteSpec } from "./worker-client.ts";

/** The supervised connections. Start with `retry.ts` (the one loop), then `managed-connection.ts`. */
export { daysLeft } from "./certificates.ts";
export type { ConnectionFigures } from "./managed-connection.ts";
export { reconcile } from "./reconcile.ts";
export { type ReplayedRow, replayCapture } from "./replay.ts";
export type { Standing } from "./standing.ts";
export { captureLine, openWireView } from "./wire.ts";

export interface ConnectivityOptions {
  tenant: number;
  sink: Sink;
  clock: Clock;
  /** 0 … 1, for the jitter of pauses. */
  random(): number;
  kinds: Record<string, () => Promise<ConnectorType>>;
  /** The module whose `connectorKinds` the worker loads; default: this workspace's own list. */
  kindsModule?: URL;
  /** A secret by its name; null: there is none. */
  secret(name: string): string | null;
  /** Each connection has a folder of its own in it. */
  stateDir: string;
  /** The last durable position of a connection's source. */
  sourceCursor(connection: string): string | null;
  /** What stood of it when this process began; null: it never spoke. Asked at its first start. */
  standing?(connection: string): Standing | null;
  onHealth(connection: string, health: ConnectionHealth): void;
  log(level: "info" | "warning", connection: string | null, text: string): void;
  /** What the host shares with a connection on this thread, e.g. its place at the embedded broker. */
  shared?(connection: string, key: string): object | null;
  silentAfterMs?: number;
  /** What one connection may have in flight. */
  credit?: { rows: number; bytes: number };
  hungAfterMs?: number;
}

export interface ConnectionStatus {
  spec: ConnectionSpec;
  health: ConnectionHealth;
  figures: ConnectionFigures;
  delivery: DeliveryClass;
}

export interface Connectivity {
  /** Runs it from now on, whatever happens. Throws ConnectionError "misconfigured" for an unknown kind or a running name. */
  start(spec: ConnectionSpec): Promise<void>;
  stop(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  /** Other tags are read on the same connection; a changed configuration restarts it. */
  update(spec: ConnectionSpec): Promise<void>;
  list(): ConnectionStatus[];
  get(name: string): ConnectionStatus | null;
  diagnose(name: string): Promise<Record<string, unknown> | null>;
  check(kind: string, config: Record<string, unknown>, signal: AbortSignal): AsyncIterable<CheckStep>;
  /** One level below an address. Throws ConnectionError, for a connection that is away its own failure. */
  browse(target: ConnectionTarget, address: string, signal: AbortSignal): AsyncIterable<BrowseItem>;
  /** Looks at live traffic beside what runs, and proposes what to read. Throws ConnectionError. */
  propose(
    target: ConnectionTarget,
    look: { filters: readonly string[]; seconds: number },
    signal: AbortSignal,
  ): Promise<Proposals>;
  /** Null where the kind has none. */
  certificates(kind: string): Promise<CertificateStore | null>;
  /** Traffic from now on, secrets overwritten; the answer ends it. */
  tap(name: string, listener: (record: WireRecord) => void): () => void;
  /** The newest traffic of a connection that somebody listens to. */
  recentTraffic(name: string): readonly WireRecord[];
  close(): Promise<void>;
}

interface Entry {
  connection: ManagedConnection;
  tap: WireTap;
  watch(on: boolean): void;
}

export function openConnectivity(options: ConnectivityOptions): Connectivity {
  const { clock, kinds, log } = options;
  const kindsModule = options.kindsModule ?? new URL("../index.ts", import.meta.url);
  const entries = new Map<string, Entry>();
  const begun = new Set<string>();
  const taps = new Map<string, WireTap>();
  const shared = new Map<string, object>();
  const over = new AbortController();
  const worker = new ConnectorWorker({
    clock,
    kinds: kindsModule,
    hungAfterMs: options.hungAfterMs,
    log: (text) => log("warning", null, text),
  });
  // A number that no earlier process has used, and one more for each connection that is started.
  let generation = Math.floor(clock.nowUs() / 1_000_000) >>> 0;

  const load = async (kind: string): Promise<ConnectorType> => {
    if (!Object.hasOwn(kinds, kind)) {
      const hint = `Known are ${Object.keys(kinds).sort().join(", ")}.`;
      throw new ConnectionError("misconfigured", `There is no kind of connection "${kind}".`, hint);
    }
    return await kinds[kind]();
  };
  const secretsOf = (secrecy: Secrecy) => (reference: string) =>
    secrecy.remember(options.secret(secretName(reference)));
  const contextOf = (name: string, kind: string, secrecy: Secrecy, tap: WireTap | null): ConnectorContext => ({
    clock,
    secret: secretsOf(secrecy),
    stateDir: folder(options.stateDir, name),
    kindDir: folder(options.stateDir, kindFolder(kind)),
    share<T extends object>(key: string, make: () => T): T {
      const given = options.shared?.(name, key) ?? null;
      if (given !== null) return given as T;
      const there = shared.get(key) ?? make();
      shared.set(key, there);
      return there as T;
    },
    get wire() {
      return tap?.watched === true ? record(tap, secrecy) : undefined;
    },
    log: (event, text) => log(event, name, secrecy.text(text)),
  });
  const record =
    (tap: WireTap, secrecy: Secrecy) =>
    (dir: "in" | "out", bytes: Uint8Array, note?: string): void =>
      tap.add({
        t: clock.nowUs(),
        dir,
        b64: Buffer.from(secrecy.bytes(bytes)).toString("base64"),
        ...(note === undefined ? {} : { note }),
      });

  const entry = (name: string): Entry => {
    const found = entries.get(name);
    if (found === undefined)
      throw new ConnectionError(
        "misconfigured",
        `There is no connection "${name}".`,
        "List them to see which there are.",
      );
    return found;
  };

  const remoteSpec = (
    name: string,
    kind: string,
    config: unknown,
    secrecy: Secrecy,
    tap: WireTap | null,
  ): RemoteSpec => ({
    kind,
    config,
    stateDir: folder(options.stateDir, name),
    kindDir: folder(options.stateDir, kindFolder(kind)),
    secrets: Object.fromEntries(candidates(config).flatMap((ref) => withSecret(ref, secretsOf(secrecy)(ref)))),
    credit: { rows: 1, bytes: 1 },
    log: (event, text) => log(event, name, secrecy.text(text)),
    wire: tap === null ? () => undefined : record(tap, secrecy),
  });

  /** Something that is tried beside what runs, on the configuration of a connection or on one that is not saved. */
  async function trial(target: ConnectionTarget, secrecy: Secrecy): Promise<Trial> {
    const { kind, config: written } = "connection" in target ? entry(target.connection).connection.spec : target;
    const type = await load(kind);
    const open: Trial["open"] = async (config) =>
      type.thread === "main"
        ? type.create(config, contextOf(trialFolder, kind, secrecy, null))
        : worker.open(remoteSpec(trialFolder, kind, config, secrecy, null));
    return { type, config: parse(type, written), open, clock };
  }

  /** Secrets of the configuration stay out of what goes wrong with it. */
  const clean = (error: unknown, secrecy: Secrecy): unknown => {
    if (!(error instanceof ConnectionError)) return error;
    const [message, hint, technical] = [error.message, error.hint, error.technical].map((text) => secrecy.text(text));
    return new ConnectionError(error.fault, message, hint, technical);
  };

  async function start(spec: ConnectionSpec): Promise<void> {
    const { name } = spec;
    const type = await load(spec.kind);
    if (entries.has(name))
      throw new ConnectionError("misconfigured", `There is a connection "${name}" already.`, "Update it instead.");
    const secrecy = new Secrecy();
    // Whoever looks goes on looking over a restart.
    const tap = taps.get(name) ?? new WireTap();
    taps.set(name, tap);
    let watch = (_: boolean): void => undefined;
    const open: ConnectionParts["open"] = async ({ config: written }, credit) => {
      const config = parse(type, written);
      if (type.thread === "main") return type.create(config, contextOf(name, spec.kind, secrecy, tap));
      const remote = await worker.open({ ...remoteSpec(name, spec.kind, config, secrecy, tap), credit });
      watch = (on) => remote.watch(on);
      if (tap.watched) remote.watch(true);
      return remote;
    };
    generation = (generation + 1) >>> 0;
    const standing = begun.has(name) ? null : (options.standing?.(name) ?? null);
    begun.add(name);
    const connection = new ManagedConnection(spec, {
      tenant: options.tenant,
      sink: options.sink,
      clock,
      random: options.random,
      generation,
      credit: options.credit,
      silentAfterMs: options.silentAfterMs ?? 60_000,
      sourceCursor: options.sourceCursor(name),
      standing,
      secrecy,
      delivery: (written) => type.delivery(Value.Default(type.config, structuredClone(written))),
      open,
      onHealth: (health) => options.onHealth(name, health),
      log: (level, text) => log(level, name, secrecy.text(text)),
    });
    entries.set(name, { connection, tap, watch: (on) => watch(on) });
    connection.start();
  }

  async function stop(name: string): Promise<void> {
    const { connection, tap } = entry(name);
    entries.delete(name);
    if (!tap.watched) taps.delete(name);
    await connection.stop();
  }

  const status = ({ connection }: Entry): ConnectionStatus => ({
    spec: connection.spec,
    health: connection.health,
    figures: connection.figures(),
    delivery: connection.delivery(),
  });

  void (async () => {
    while (!over.signal.aborted) {
      await clock.sleep(1000, over.signal).catch(() => undefined);
      for (const { connection } of entries.values()) connection.tick();
    }
  })();

  return {
    start,
    stop,
    async restart(name) {
      const { spec } = entry(name).connection;
      await stop(name);
      await start(spec);
    },
    async update(spec) {
      const { connection } = entry(spec.name);
      const same =
        spec.kind === connection.spec.kind && JSON.stringify(spec.config) === JSON.stringify(connection.spec.config);
      const { state } = connection.health;
      if (same && state !== "parked" && state !== "waiting") return connection.rebind(spec);
      await stop(spec.name);
      await start(spec);
    },
    list: () => [...entries.values()].map(status),
    get: (name) => (entries.has(name) ? status(entry(name)) : null),
    diagnose: async (name) => (await entries.get(name)?.connection.diagnose()) ?? null,
    async *check(kind, written, signal) {
      const step = "Read the configuration";
      const secrecy = new Secrecy();
      try {
        const { type, config } = await trial({ kind, config: written }, secrecy);
        yield { step, ok: true, detail: "It is complete and within its bounds." };
        const steps =
          type.thread === "main"
            ? type.check(config, contextOf(trialFolder, kind, secrecy, null), signal)
            : worker.check(remoteSpec(trialFolder, kind, config, secrecy, null), signal);
        for await (const found of steps) yield secrecy.value(found) as CheckStep;
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error;
        yield secrecy.value({ step, ok: false, detail: error.message, hint: error.hint }) as CheckStep;
      }
    },
    async *browse(target, address, signal) {
      const secrecy = new Secrecy();
      try {
        if ("connection" in target) yield* entry(target.connection).connection.browse(address, signal);
        else yield* browseOnce(await trial(target, secrecy), address, signal);
      } catch (error) {
        throw clean(error, secrecy);
      }
    },
    async propose(target, look, signal) {
      const secrecy = new Secrecy();
      const unique = Math.floor(options.random() * 0xffff_ffff).toString(36);
      try {
        return await learnOnce(await trial(target, secrecy), { ...look, unique }, signal);
      } catch (error) {
        throw clean(error, secrecy);
      }
    },
    certificates: async (kind) => (await load(kind)).certificates?.(folder(options.stateDir, kindFolder(kind))) ?? null,
    tap(name, listener) {
      const { tap, watch } = entry(name);
      const end = tap.listen(listener);
      watch(true);
      return () => {
        end();
        if (tap.watched) return;
        if (entries.has(name)) entry(name).watch(false);
        else taps.delete(name);
      };
    },
    recentTraffic: (name) => entry(name).tap.recent(),
    async close() {
      over.abort();
      await Promise.all([...entries.keys()].map(stop));
      await worker.close();
    },
  };
}

/** Defaults filled in and checked. */
function parse(type: ConnectorType, written: Record<string, unknown>): unknown {
  const config = Value.Default(type.config, structuredClone(written));
  const [error] = Value.Errors(type.config, config);
  if (error === undefined) return config;
  const where = error.instancePath === "" ? "The configuration" : `"${error.instancePath.slice(1)}"`;
  throw new ConnectionError(
    "misconfigured",
    `${where} ${error.message}.`,
    "Correct the configuration.",
    JSON.stringify(error.params),
  );
}

/** All texts in a configuration: any of them may be a reference to a secret. */
function candidates(part: unknown): string[] {
  if (typeof part === "string") return [part];
  if (typeof part !== "object" || part === null) return [];
  return Object.values(part).flatMap(candidates);
}

/** Both spellings that a connector may ask with. */
function withSecret(reference: string, secret: string | null): [string, string][] {
  if (secret === null) return [];
  return [
    [reference, secret],
    [secretName(reference), secret],
  ];
}

/** No connection can be called so: their names begin with a letter or a digit. */
const trialFolder = ".trial";
const kindFolder = (kind: string): string => join(".kinds", kind);

function folder(stateDir: string, name: string): string {
  const dir = join(stateDir, name);
  mkdirSync(dir, { recursive: true });
  return dir;
}
