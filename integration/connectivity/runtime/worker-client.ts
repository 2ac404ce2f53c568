import { Worker } from "node:worker_threads";
import { ColumnsError, decodeColumns } from "@lineshaft/contract/api";
import type { CheckStep, Clock, ConnectorContext, ConnectorSink } from "@lineshaft/contract/ports";
import type { LiveConnector } from "./managed-connection.ts";
import {
  type AskName,
  type Asks,
  type CallName,
  type Calls,
  type Credit,
  type FromWorker,
  type Making,
  place,
  type StreamName,
  type ToWorker,
  type WorkerData,
} from "./messages.ts";
import { fromPlain, toPlain } from "./plain-error.ts";
import { ConnectorCrash } from "./retry.ts";

/** The worker is stuck when its heart has stopped for so long; while a library is being loaded, six times as long. */
const hungAfterMs = 5000;
const looks = 10;

export interface WorkerOptions {
  clock: Clock;
  /** Module that exports `connectorKinds`. */
  kinds: URL;
  hungAfterMs?: number;
  log(text: string): void;
}

export interface RemoteSpec extends Making {
  credit: Credit;
  log: ConnectorContext["log"];
  wire(direction: "in" | "out", bytes: Uint8Array, note?: string): void;
}

interface Pending {
  key: number;
  item(value: unknown): void;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

interface Remote {
  spec: RemoteSpec;
  sink: ConnectorSink | null;
  /** The list of names that its connector keeps. */
  names: string[];
  watching: boolean;
  topping: boolean;
}

/** One worker for all connectors that may block or crash; started on first use, and again after it had to be stopped. */
export class ConnectorWorker {
  readonly #options: WorkerOptions;
  #worker: Worker | null = null;
  #marks = new Int32Array(new SharedArrayBuffer(16));
  #pending = new Map<number, Pending>();
  #remotes = new Map<number, Remote>();
  #calls = 0;
  #keys = 0;
  #over = new AbortController();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** A connector in the worker, as if it were here. */
  async open(spec: RemoteSpec): Promise<LiveConnector & { watch(on: boolean): void }> {
    const key = ++this.#keys;
    const remote: Remote = { spec, sink: null, names: [], watching: false, topping: false };
    this.#remotes.set(key, remote);
    await this.#call(key, "open", { ...makingOf(spec), credit: spec.credit });
    const call = <K extends CallName>(name: K, argument: Calls[K][0], signal?: AbortSignal): Promise<Calls[K][1]> =>
      this.#call(key, name, argument, signal);
    return {
      connect: async (signal) => void (await call("connect", null, signal)),
      async read(bindings, resumeFrom, sink, signal): Promise<never> {
        remote.sink = sink;
        await call("read", { bindings, resumeFrom }, signal);
        throw new ConnectorCrash("culprit", "Its read returned, which it never may.");
      },
      close: async () => {
        await call("close", null);
        this.#remotes.delete(key);
      },
      diagnose: () => call("diagnose", null),
      browse: (address, signal) => this.#stream(key, "browse", { address }, signal),
      watch: (on) => {
        remote.watching = on;
        this.#post({ wire: on, key });
      },
    };
  }

  /** A check of a configuration, in the worker like what it tries. */
  async *check(spec: RemoteSpec, signal: AbortSignal): AsyncGenerator<CheckStep> {
    const key = ++this.#keys;
    this.#remotes.set(key, { spec, sink: null, names: [], watching: false, topping: false });
    try {
      yield* this.#stream(key, "check", makingOf(spec), signal);
    } finally {
      this.#remotes.delete(key);
    }
  }

  async close(): Promise<void> {
    this.#over.abort();
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  #started(): Worker {
    if (this.#worker !== null) return this.#worker;
    const { clock, kinds } = this.#options;
    const shared = new SharedArrayBuffer(16);
    const data: WorkerData = { kinds: kinds.href, nowUs: clock.nowUs(), shared };
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { name: "connectors", workerData: data });
    this.#marks = new Int32Array(shared);
    this.#worker = worker;
    worker.on("message", (message: FromWorker) => this.#receive(message));
    worker.on("error", (error) => this.#gone(worker, this.#executing(), "culprit", String(error)));
    worker.on("exit", () => this.#gone(worker, this.#executing(), "culprit", "The worker was ended from inside."));
    void this.#watchHeart(worker);
    return worker;
  }

  /** Looks ten times within the limit, so that a pause of this thread itself is not taken for one of the worker. */
  async #watchHeart(worker: Worker): Promise<void> {
    const limitMs = this.#options.hungAfterMs ?? hungAfterMs;
    let beats = -1;
    let still = 0;
    while (this.#worker === worker) {
      await this.#options.clock.sleep(limitMs / looks, this.#over.signal).catch(() => undefined);
      if (this.#worker !== worker) return;
      const now = Atomics.load(this.#marks, place.beats);
      still = now === beats ? still + 1 : 0;
      beats = now;
      const patience = Atomics.load(this.#marks, place.loading) > 0 || now === 0 ? looks * 6 : looks;
      if (still >= patience) {
        this.#gone(worker, this.#executing(), "hung", `Its worker gave no sign of life for ${limitMs} ms.`);
        return;
      }
      this.#post({ nowUs: this.#options.clock.nowUs() });
    }
  }

  #executing(): number {
    return Atomics.load(this.#marks, place.executing);
  }

  /** The worker is over: every call under way fails, the culprit's with the reason. */
  #gone(worker: Worker, culprit: number, part: "culprit" | "hung", message: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    void worker.terminate();
    const kind = this.#remotes.get(culprit)?.spec.kind ?? "unknown";
    this.#options.log(
      `The worker of the connectors was stopped (${message}); executing was a connector of kind "${kind}".`,
    );
    for (const pending of this.#pending.values())
      pending.reject(
        pending.key === culprit ? new ConnectorCrash(part, message) : new ConnectorCrash("innocent", message),
      );
    this.#pending.clear();
    this.#remotes.clear();
  }

  /** A call that answers item by item; whoever stops listening ends it. */
  async *#stream<K extends StreamName>(
    key: number,
    name: K,
    argument: Calls[K][0],
    signal: AbortSignal,
  ): AsyncGenerator<Calls[K][1]> {
    const left = new AbortController();
    const items: Calls[K][1][] = [];
    let over = false;
    let wake = (): void => undefined;
    const done = this.#call(key, name, argument, AbortSignal.any([signal, left.signal]), (item) => {
      items.push(item as Calls[K][1]);
      wake();
    }).finally(() => {
      over = true;
      wake();
    });
    done.catch(() => undefined);
    try {
      for (;;) {
        for (const item of items.splice(0)) yield item;
        if (over && items.length === 0) break;
        if (items.length > 0) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      await done;
    } finally {
      left.abort();
    }
  }

  #call<K extends CallName>(
    key: number,
    name: K,
    argument: Calls[K][0],
    signal?: AbortSignal,
    item: (value: unknown) => void = () => undefined,
  ): Promise<Calls[K][1]> {
    return new Promise<Calls[K][1]>((resolve, reject) => {
      if (!this.#remotes.has(key)) {
        if (name === "close") resolve(null as Calls[K][1]);
        else reject(new ConnectorCrash("innocent", "The worker was stopped."));
        return;
      }
      const call = ++this.#calls;
      const abort = (): void => this.#post({ abort: call, message: String(signal?.reason) });
      const settle = (): void => signal?.removeEventListener("abort", abort);
      this.#pending.set(call, {
        key,
        item,
        resolve: (value) => {
          settle();
          resolve(value as Calls[K][1]);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      this.#started().postMessage({ call, key, name, argument } satisfies ToWorker);
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    });
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if ("done" in message) {
      const pending = this.#pending.get(message.done);
      this.#pending.delete(message.done);
      if (message.error === undefined) pending?.resolve(message.value);
      else pending?.reject(fromPlain(message.error));
    } else if ("item" in message) this.#pending.get(message.item)?.item(message.value);
    else if ("crashed" in message) this.#crashed(message.crashed, message.message);
    else if ("ask" in message) void this.#answer(message.ask, message.key, message.name, message.argument);
    else if ("log" in message) this.#remotes.get(message.key)?.spec.log(message.log.event, message.log.text);
    else {
      const { direction, bytes, note } = message.wire;
      this.#remotes.get(message.key)?.spec.wire(direction, bytes, note);
    }
  }

  /** An uncaught exception: the connector that it belongs to has failed; when nobody knows whose it is, the worker is not trusted any more. */
  #crashed(key: number, message: string): void {
    if (!this.#remotes.has(key)) {
      if (key === 0 && this.#worker !== null) this.#gone(this.#worker, 0, "culprit", message);
      return;
    }
    for (const [call, pending] of this.#pending) {
      if (pending.key !== key) continue;
      this.#pending.delete(call);
      pending.reject(new ConnectorCrash("culprit", message));
    }
  }

  async #answer(ask: number, key: number, name: AskName, argument: unknown): Promise<void> {
    const remote = this.#remotes.get(key);
    const worker = this.#worker;
    const sink = remote?.sink;
    if (remote === undefined || sink === undefined || sink === null) return;
    const reply = (value: unknown, error?: unknown): void => {
      if (this.#worker !== worker) return;
      const credit = ceiling(sink);
      const plain = error === undefined ? {} : { error: toPlain(error) };
      this.#post({ answer: ask, key, value, ...plain, credit });
      if (sink.credit().rows === 0) this.#topUp(key, remote, sink);
    };
    await put(remote, sink, name, argument).then(
      (value) => reply(value ?? null),
      (error: unknown) => {
        // What passed the worker's own check and still cannot be decoded comes from memory that nobody should trust.
        if (error instanceof ColumnsError) this.#crashed(key, error.message);
        reply(null, error);
      },
    );
  }

  /** Tells the worker when there is credit again that no verdict of its own brings. */
  #topUp(key: number, remote: Remote, sink: ConnectorSink): void {
    if (remote.topping) return;
    remote.topping = true;
    sink
      .ready(this.#over.signal)
      .then(() => this.#post({ credit: ceiling(sink), key }))
      .catch(() => undefined)
      .finally(() => {
        remote.topping = false;
      });
  }
}

const makingOf = ({ kind, config, stateDir, kindDir, secrets }: RemoteSpec): Making => ({
  kind,
  config,
  stateDir,
  kindDir,
  secrets,
});

/** What may be in flight in all: the worker knows best how much of it is. */
function ceiling(sink: ConnectorSink & { inFlight?: Credit }): Credit {
  const { rows, bytes } = sink.credit();
  return { rows: rows + (sink.inFlight?.rows ?? 0), bytes: bytes + (sink.inFlight?.bytes ?? 0) };
}

async function put(remote: Remote, sink: ConnectorSink, name: AskName, argument: unknown): Promise<unknown> {
  switch (name) {
    case "offer": {
      const { head, columns: bytes, kept } = argument as Asks["offer"][0];
      const { columns, names } = decodeColumns(bytes);
      if (kept === undefined) return sink.offer({ ...head, columns, names: names ?? [] });
      if (kept.from === 0) remote.names = [];
      for (const name of kept.names) remote.names.push(name);
      return sink.offer({ ...head, columns, names: remote.names });
    }
    case "reject":
      return sink.reject(argument as Asks["reject"][0]);
    case "gap":
      return sink.gap(argument as Asks["gap"][0]);
    case "stale": {
      const { names, status, atUs } = argument as Asks["stale"][0];
      return sink.stale(names, status, atUs);
    }
  }
}
