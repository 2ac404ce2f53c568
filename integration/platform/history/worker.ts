import { parentPort, workerData } from "node:worker_threads";
import { type Columns, ProblemError } from "@lineshaft/contract/api";
import {
  type CallName,
  type Calls,
  type HistoryEvent,
  type HistoryLimits,
  notOpen,
  type Reply,
  type Request,
} from "./messages.ts";
import { readBuckets, readExtent, readRaw, scan } from "./query.ts";
import { Store } from "./store.ts";

/** The worker: sole owner of the history directory. Requests in, replies out; everything else is in `Store` and `query.ts`. */
const port = parentPort;
if (port === null) throw new Error("This is a worker; openHistory in index.ts starts it.");
const { dir, limits, crashPoints } = workerData as { dir: string; limits: HistoryLimits; crashPoints: boolean };

const post = (reply: Reply, transfer: ArrayBuffer[] = []): void => port.postMessage(reply, transfer);

let crashes = 0;
const crashWaiting = new Map<number, () => void>();

const described = (error: unknown): { name: string; message: string; code?: string } => {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { name, message, ...(error instanceof ProblemError ? { code: error.code } : {}) };
};

const opening = Store.open(dir, limits, {
  event: (event: HistoryEvent) => post({ event, status: store.status }),
  crashPoint: (point) => {
    if (!crashPoints) return Promise.resolve();
    const crash = ++crashes;
    post({ crash, point });
    return new Promise((passed) => crashWaiting.set(crash, passed));
  },
});
// Said with its code: whoever starts the server is told what to do.
opening.catch((error: unknown) => {
  post({ id: 0, error: described(error), status: notOpen });
  port.close();
});
const store = await opening;

const running = new Map<number, AbortController>();
/** Reads under way: DuckDB must not be taken from under them. */
const reads = new Set<Promise<unknown>>();
const reading = <T>(read: Promise<T>): Promise<T> => {
  const settled = read.catch(() => undefined).finally(() => reads.delete(settled));
  reads.add(settled);
  return read;
};
const scans = new Map<number, { chunks: AsyncGenerator<Columns>; stop: AbortController }>();
let scansOpened = 0;

const handlers: { [K in CallName]: (argument: Calls[K][0], signal: AbortSignal) => Promise<Calls[K][1]> } = {
  apply: ({ batch, nowMs }) => store.apply(batch, nowMs),
  flush: async () => {
    await store.flush();
    return null;
  },
  protect: async () => {
    await store.protect();
    return null;
  },
  rebuild: ({ fromLsn, batch, portion }) => {
    store.rebuild(fromLsn, batch, portion);
    return Promise.resolve(null);
  },
  raw: (query, signal) => reading(readRaw(store, query, signal)),
  buckets: (query, signal) => reading(readBuckets(store, query, signal)),
  scanOpen: (query) => {
    const stop = new AbortController();
    scans.set(++scansOpened, { chunks: scan(store, query, stop.signal), stop });
    return Promise.resolve(scansOpened);
  },
  scanNext: async (id, signal) => {
    const open = scans.get(id);
    if (open === undefined) return null;
    signal.addEventListener("abort", () => open.stop.abort(signal.reason));
    const { value, done } = await reading(open.chunks.next());
    if (done) scans.delete(id);
    return done ? null : value;
  },
  scanClose: async (id) => {
    const open = scans.get(id);
    scans.delete(id);
    open?.stop.abort(new Error("The scan was closed."));
    if (open !== undefined) await reading(open.chunks.return(undefined)).catch(() => undefined);
    return null;
  },
  extent: () => Promise.resolve(readExtent(store)),
  scrub: () => store.scrub(),
  compact: async () => {
    await store.compact();
    return null;
  },
  close: async () => {
    const closing = new Error("History is closing.");
    for (const stop of running.values()) stop.abort(closing);
    for (const { chunks, stop } of scans.values()) {
      stop.abort(closing);
      void reading(chunks.return(undefined)).catch(() => undefined);
    }
    await Promise.all(reads);
    await store.close();
    return null;
  },
};

port.on("message", (request: Request) => {
  if ("tick" in request) store.maintenance.tick(request.tick, request.nowUs);
  else if ("abort" in request) running.get(request.abort)?.abort(new Error("aborted"));
  else if ("crashPassed" in request) {
    crashWaiting.get(request.crashPassed)?.();
    crashWaiting.delete(request.crashPassed);
  } else void handle(request);
});

async function handle(request: Extract<Request, { call: CallName }>): Promise<void> {
  const { id, call, argument } = request;
  const stop = new AbortController();
  running.set(id, stop);
  try {
    const handler = handlers[call] as (argument: unknown, signal: AbortSignal) => Promise<unknown>;
    const value = await handler(argument, stop.signal);
    post({ id, value, status: store.status }, buffersOf(value));
  } catch (error) {
    post({ id, error: described(error), status: store.status });
  } finally {
    running.delete(id);
    if (call === "close") port?.close();
  }
}

/** The buffers of typed arrays in an answer: handed over, not copied. */
function buffersOf(value: unknown, found = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength) found.add(value.buffer);
  } else if (Array.isArray(value)) {
    if (value.length < 10_000) for (const item of value) buffersOf(item, found);
  } else if (typeof value === "object" && value !== null) {
    for (const item of Object.values(value)) buffersOf(item, found);
  }
  return [...found];
}

post({ id: 0, value: null, status: store.status });
