import { AsyncLocalStorage, createHook } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { encodeColumns } from "@lineshaft/contract/api";
import type { Clock, Connector, ConnectorContext, ConnectorSink, ConnectorType } from "@lineshaft/contract/ports";
import { flawOf } from "./flaw.ts";
import {
  type AskName,
  type Asks,
  beatMs,
  type CallName,
  type Credit,
  type FromWorker,
  type KeptNames,
  type Making,
  place,
  type ToWorker,
  type WorkerData,
} from "./messages.ts";
import { cannotBrowse, fromPlain, tooMany, toPlain } from "./plain-error.ts";

/** The worker that connectors run in. It only carries calls, offers and verdicts; what to do about failures is decided on the main thread. */
const port = parentPort;
if (port === null) throw new Error("This is a worker; worker-client.ts starts it.");
const { kinds: kindsUrl, nowUs, shared } = workerData as WorkerData;
const marks = new Int32Array(shared);

const post = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

// ── who is executing ──────────────────────────────────────────────────────────────────────────────────────────────
// Whatever a connector starts (timers, sockets, promises) belongs to it. The mark lies in shared memory, so that the main thread can read it while
// this thread is stuck in a loop.
const owner = new AsyncLocalStorage<number>();
createHook({
  before() {
    marks[place.executing] = owner.getStore() ?? 0;
  },
}).enable();
setInterval(() => Atomics.add(marks, place.beats, 1), beatMs);
const crashed = (error: unknown): void => {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  post({ crashed: owner.getStore() ?? 0, message });
};
process.on("uncaughtException", crashed);
process.on("unhandledRejection", crashed);

// ── the clock: told once a second, so that it follows the platform's ──────────────────────────────────────────────
let baseUs = nowUs;
let baseMs = performance.now();
const clock: Clock = {
  nowUs: () => Math.round(baseUs + (performance.now() - baseMs) * 1000),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal });
  },
};

// ── connectors ────────────────────────────────────────────────────────────────────────────────────────────────────
interface Live {
  key: number;
  kind: string;
  connector: Connector;
  watched: boolean;
  granted: Credit;
  inFlight: Credit;
  waiting: (() => void)[];
  /** The list of names that the main thread knows, and how far. */
  names: { list: readonly string[]; told: number };
}

const live = new Map<number, Live>();
const sharedObjects = new Map<string, object>();
const loadedKinds = new Set<string>();
const calls = new Map<number, AbortController>();
const asks = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
let asked = 0;

function ask<K extends AskName>(
  key: number,
  name: K,
  argument: Asks[K][0],
  transfer: ArrayBuffer[] = [],
): Promise<Asks[K][1]> {
  return new Promise<Asks[K][1]>((resolve, reject) => {
    const id = ++asked;
    asks.set(id, { resolve: resolve as (value: unknown) => void, reject });
    post({ ask: id, key, name, argument }, transfer);
  });
}

function sinkOf(entry: Live): ConnectorSink {
  const { key, inFlight } = entry;
  const credit = (): Credit => ({
    rows: Math.max(0, entry.granted.rows - inFlight.rows),
    bytes: Math.max(0, entry.granted.bytes - inFlight.bytes),
  });
  return {
    credit,
    async ready(signal) {
      while (credit().rows === 0 || credit().bytes === 0) {
        signal.throwIfAborted();
        await new Promise<void>((resolve, reject) => {
          const stop = (): void => reject(signal.reason);
          signal.addEventListener("abort", stop, { once: true });
          entry.waiting.push(() => {
            signal.removeEventListener("abort", stop);
            resolve();
          });
        });
      }
    },
    async offer(batch) {
      const flaw = flawOf(batch);
      if (flaw !== null) {
        await ask(key, "reject", { code: "columns_invalid", detail: flaw, payload: null });
        post({ crashed: key, message: flaw });
        throw new Error(flaw);
      }
      const { columns, names, ...head } = batch;
      // Copied once into one buffer: a connector may keep views into its own, and the main thread checks what it decodes.
      const bytes = encodeColumns(columns, head.namesKept ? null : names);
      const kept = head.namesKept ? tell(entry, names) : undefined;
      const rows = columns.rows + (head.faults?.length ?? 0);
      const size = bytes.length;
      inFlight.rows += rows;
      inFlight.bytes += size;
      try {
        return await ask(key, "offer", { head, columns: bytes, kept }, [bytes.buffer as ArrayBuffer]);
      } finally {
        inFlight.rows -= rows;
        inFlight.bytes -= size;
        for (const wake of entry.waiting.splice(0)) wake();
      }
    },
    reject: async (item) => void (await ask(key, "reject", item)),
    gap: async (gap) => void (await ask(key, "gap", gap)),
    stale: async (names, status, atUs) => void (await ask(key, "stale", { names, status, atUs })),
  };
}

/** What the main thread does not know yet of a list that is kept. */
function tell(entry: Live, list: readonly string[]): KeptNames {
  if (entry.names.list !== list) entry.names = { list, told: 0 };
  const from = entry.names.told;
  entry.names.told = list.length;
  return { from, names: list.slice(from) };
}

function contextOf(key: number, { stateDir, kindDir, secrets }: Making): ConnectorContext {
  return {
    clock,
    secret: (reference) => secrets[reference] ?? null,
    stateDir,
    kindDir,
    share<T extends object>(name: string, make: () => T): T {
      const there = sharedObjects.get(name) ?? owner.exit(make);
      sharedObjects.set(name, there);
      return there as T;
    },
    get wire() {
      if (live.get(key)?.watched !== true) return undefined;
      return (direction: "in" | "out", bytes: Uint8Array, note?: string) =>
        post({ key, wire: { direction, bytes: new Uint8Array(bytes), note } });
    },
    log: (event, text) => post({ key, log: { event, text } }),
  };
}

const { connectorKinds } = (await import(kindsUrl)) as { connectorKinds: Record<string, () => Promise<ConnectorType>> };

/** Children of one node that are passed on; that there are more is said. */
const itemsMax = 100_000;

/** A library is loaded with the first use of its kind, which may take seconds in one piece. */
async function loading<T>(kind: string, work: () => Promise<T>): Promise<T> {
  if (loadedKinds.has(kind)) return work();
  loadedKinds.add(kind);
  Atomics.add(marks, place.loading, 1);
  return work().finally(() => Atomics.sub(marks, place.loading, 1));
}

async function perform(
  key: number,
  name: CallName,
  argument: unknown,
  signal: AbortSignal,
  emit: (item: unknown) => void,
): Promise<unknown> {
  if (name === "open") {
    const making = argument as Making & { credit: Credit };
    const { kind, config, credit } = making;
    const type = await connectorKinds[kind]();
    const connector = type.create(config, contextOf(key, making));
    live.set(key, {
      key,
      kind,
      connector,
      watched: false,
      granted: credit,
      inFlight: { rows: 0, bytes: 0 },
      waiting: [],
      names: { list: [], told: 0 },
    });
    return null;
  }
  if (name === "check") {
    const making = argument as Making;
    const type = await connectorKinds[making.kind]();
    return loading(making.kind, async () => {
      for await (const step of type.check(making.config, contextOf(key, making), signal)) emit(step);
      return null;
    });
  }
  const entry = live.get(key);
  if (entry === undefined) {
    if (name === "close") return null;
    throw new Error("This connector is gone.");
  }
  const { connector, kind } = entry;
  switch (name) {
    case "connect":
      return loading(kind, () => connector.connect(signal));
    case "read": {
      const { bindings, resumeFrom } = argument as Parameters<typeof read>[1];
      return read(entry, { bindings, resumeFrom }, signal);
    }
    case "close":
      live.delete(key);
      return void (await connector.close());
    case "diagnose":
      return connector.diagnose();
    case "browse": {
      if (connector.browse === undefined) throw cannotBrowse(kind);
      let found = 0;
      for await (const item of connector.browse((argument as { address: string }).address, signal)) {
        if (++found > itemsMax) throw tooMany(itemsMax);
        emit(item);
      }
      return null;
    }
  }
}

function read(
  entry: Live,
  { bindings, resumeFrom }: { bindings: Parameters<Connector["read"]>[0]; resumeFrom: string | null },
  signal: AbortSignal,
): Promise<never> {
  return entry.connector.read(bindings, resumeFrom, sinkOf(entry), signal);
}

port.on("message", (message: ToWorker) => {
  if ("call" in message) {
    const { call, key, name, argument } = message;
    const abort = new AbortController();
    calls.set(call, abort);
    owner.run(key, () => {
      marks[place.executing] = key;
      perform(key, name, argument, abort.signal, (value) => post({ item: call, value }))
        .then(
          (value) => post({ done: call, value: value ?? null }),
          (error: unknown) => post({ done: call, value: null, error: toPlain(error) }),
        )
        .finally(() => calls.delete(call));
    });
  } else if ("abort" in message) calls.get(message.abort)?.abort(new Error(message.message));
  else if ("answer" in message) {
    const entry = live.get(message.key);
    if (entry !== undefined) entry.granted = message.credit;
    const waiting = asks.get(message.answer);
    asks.delete(message.answer);
    if (message.error === undefined) waiting?.resolve(message.value);
    else waiting?.reject(fromPlain(message.error));
  } else if ("credit" in message) {
    const entry = live.get(message.key);
    if (entry === undefined) return;
    entry.granted = message.credit;
    for (const wake of entry.waiting.splice(0)) wake();
  } else if ("wire" in message) {
    const entry = live.get(message.key);
    if (entry !== undefined) entry.watched = message.wire;
  } else {
    baseUs = message.nowUs;
    baseMs = performance.now();
  }
});
