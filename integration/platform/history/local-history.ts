import { Worker } from "node:worker_threads";
import { type Columns, type Micros, type ProblemCode, ProblemError, queryLimits } from "@lineshaft/contract/api";
import {
  type BucketColumns,
  type Clock,
  type Frame,
  type History,
  type HistoryStatus,
  type Lsn,
  type PointsAnswer,
  recordType,
  type VerdictRecord,
} from "@lineshaft/contract/ports";
import {
  type BucketQuery,
  type CallName,
  type Calls,
  defaultLimits,
  type HistoryEvent,
  type HistoryLimits,
  notOpen,
  packFrames,
  type RawQuery,
  type RebuildPortion,
  type Reply,
  type Request,
  type ScanQuery,
} from "./messages.ts";

export interface HistoryOptions {
  /** Its own directory; made when it is not there. */
  dir: string;
  clock: Clock;
  onEvent?: (event: HistoryEvent) => void;
  /** Test hook, called at K7 (while a file is written) and K8 (before a finished file gets its name). */
  crashPoint?: (name: string) => void;
  limits?: Partial<HistoryLimits>;
}

/** Opens history and its worker. Frames after `status.appliedLsn` are expected next. */
export async function openHistory(options: HistoryOptions): Promise<LocalHistory> {
  const history = new LocalHistory(options);
  await history.opened;
  return history;
}

/** The worker has no clock: it is told the time so often. */
const tickMs = 1000;

interface Pending {
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** The face of history on the main thread: it copies frames into one buffer, passes calls on and keeps the last status. */
export class LocalHistory implements History {
  readonly opened: Promise<void>;
  readonly #clock: Clock;
  readonly #onEvent: (event: HistoryEvent) => void;
  readonly #crashPoint: ((name: string) => void) | undefined;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #stop = new AbortController();
  #calls = 0;
  #gone: Error | null = null;
  #status = notOpen;

  constructor(options: HistoryOptions) {
    this.#clock = options.clock;
    this.#onEvent = options.onEvent ?? (() => undefined);
    this.#crashPoint = options.crashPoint;
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), {
      name: "history",
      workerData: {
        dir: options.dir,
        limits: { ...defaultLimits, ...options.limits },
        crashPoints: options.crashPoint !== undefined,
      },
    });
    this.opened = new Promise((resolve, reject) => {
      this.#pending.set(0, { resolve: () => resolve(), reject });
    });
    this.#worker.on("message", (reply: Reply) => this.#receive(reply));
    this.#worker.on("error", (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on("exit", () => this.#fail(new Error("The history worker has ended.")));
    void this.#tick();
  }

  get status(): HistoryStatus {
    return this.#status;
  }

  apply(frames: Frame[]): Promise<VerdictRecord[]> {
    const batch = packFrames(frames, [recordType.points]);
    return this.#call("apply", { batch, nowMs: this.#clock.monotonicMs() }, undefined, [
      batch.payload.buffer as ArrayBuffer,
    ]);
  }

  async flush(): Promise<void> {
    await this.#call("flush", null);
  }

  async protect(): Promise<void> {
    await this.#call("protect", null);
  }

  async rebuild(range: { fromLsn: Lsn }, frames: Frame[], portion: RebuildPortion): Promise<void> {
    const batch = packFrames(frames, [recordType.points, recordType.verdict]);
    await this.#call("rebuild", { fromLsn: range.fromLsn, batch, portion }, undefined, [
      batch.payload.buffer as ArrayBuffer,
    ]);
  }

  raw(query: RawQuery, signal?: AbortSignal): Promise<PointsAnswer> {
    return this.#timed("raw", query, signal);
  }

  buckets(query: BucketQuery, signal?: AbortSignal): Promise<BucketColumns> {
    return this.#timed("buckets", query, signal);
  }

  async *scan(query: ScanQuery, signal?: AbortSignal): AsyncGenerator<Columns> {
    const id = await this.#call("scanOpen", query, signal);
    let ended = false;
    try {
      // One chunk is fetched ahead while the reader works on the last.
      let ahead = this.#call("scanNext", id, signal);
      for (;;) {
        const chunk = await ahead;
        if (chunk === null) {
          ended = true;
          return;
        }
        ahead = this.#call("scanNext", id, signal);
        ahead.catch(() => undefined);
        yield chunk;
      }
    } finally {
      if (!ended && this.#gone === null) await this.#call("scanClose", id);
    }
  }

  extent(): Promise<{ fromUs: Micros; toUs: Micros } | null> {
    return this.#call("extent", null);
  }

  scrub(): Promise<{ files: number; damaged: string[] }> {
    return this.#call("scrub", null);
  }

  /** Compacts now whatever can be compacted. It happens by itself; tests and people in a hurry call it. */
  async compact(): Promise<void> {
    await this.#call("compact", null);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    if (this.#gone !== null) return;
    const ended = new Promise((resolve) => this.#worker.once("exit", resolve));
    await this.#call("close", null);
    await ended;
  }

  async #tick(): Promise<void> {
    try {
      for (;;) {
        await this.#clock.sleep(tickMs, this.#stop.signal);
        this.#worker.postMessage({ tick: this.#clock.monotonicMs(), nowUs: this.#clock.nowUs() } satisfies Request);
      }
    } catch {
      // Closed.
    }
  }

  /** A query that takes longer than the contract allows is given up. */
  async #timed<K extends "raw" | "buckets">(call: K, query: Calls[K][0], signal?: AbortSignal): Promise<Calls[K][1]> {
    const tooLong = new AbortController();
    const done = new AbortController();
    this.#clock.sleep(queryLimits.seconds * 1000, done.signal).then(
      () => tooLong.abort(new ProblemError("query_timeout", `The query was stopped after ${queryLimits.seconds} s.`)),
      () => undefined,
    );
    try {
      return await this.#call(
        call,
        query,
        signal === undefined ? tooLong.signal : AbortSignal.any([signal, tooLong.signal]),
      );
    } finally {
      done.abort();
    }
  }

  #call<K extends CallName>(
    call: K,
    argument: Calls[K][0],
    signal?: AbortSignal,
    transfer: ArrayBuffer[] = [],
  ): Promise<Calls[K][1]> {
    return new Promise<Calls[K][1]>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#gone !== null) return reject(new ProblemError("history_unavailable", this.#gone.message));
      const id = ++this.#calls;
      const abort = (): void => {
        this.#worker.postMessage({ abort: id });
        if (this.#pending.delete(id)) reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      const settle = (): void => signal?.removeEventListener("abort", abort);
      this.#pending.set(id, {
        resolve: (value) => {
          settle();
          resolve(value as Calls[K][1]);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      this.#worker.postMessage({ id, call, argument }, transfer);
    });
  }

  #receive(reply: Reply): void {
    if ("crash" in reply) {
      this.#crashPoint?.(reply.point);
      this.#worker.postMessage({ crashPassed: reply.crash });
      return;
    }
    this.#status = reply.status;
    if ("event" in reply) {
      this.#onEvent(reply.event);
      return;
    }
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ("error" in reply) {
      const { code, message } = reply.error;
      pending?.reject(code === undefined ? new Error(message) : new ProblemError(code as ProblemCode, message));
    } else pending?.resolve(reply.value);
  }

  #fail(error: Error): void {
    this.#gone ??= error;
    this.#stop.abort();
    this.#status = { ...this.#status, state: "unavailable" };
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}
