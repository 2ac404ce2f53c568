import {
  type Columns,
  columnsMediaType,
  encodeColumns,
  type IngestReceipt,
  ProblemError,
  type RouteResponse,
} from "@lineshaft/contract/api";
import { type BackOff, pauseMs, sleep } from "./back-off.ts";
import { call, isTemporary, pathOf, send, UnreachableError } from "./call.ts";
import { type NamedColumns, type PointInput, toNamedColumns } from "./points.ts";
import type { Transport } from "./transport.ts";

export interface WriterOptions {
  /** Requests under way at once. Default 4. */
  inFlight?: number;
  /** Rows accepted and not yet durable; `offer` waits above it. Default 200,000. */
  queuedRows?: number;
  /** `correct`: the source owns its history and may replace values. */
  mode?: "append" | "correct";
  /** Number of this source session; default random. With it the server knows a batch that it gets twice. */
  generation?: number;
}

interface Job {
  readonly sequence: number;
  readonly batch: NamedColumns;
  readonly sourceCursor: string | undefined;
  readonly settle: { resolve(receipt: IngestReceipt): void; reject(error: unknown): void };
}

const attemptMs = 30_000;
const idsKeptMs = 30_000;
/** A fault inside the server may come back for ever with the same batch; then it must not hold up the others. */
const internalAttempts = 5;
const addressesPerCall = 20_000;

/**
 * Sends the points of one connection: in order, some requests at a time, again and again with the same sequence number until the server has said
 * durable or no. Names become ids once. What is queued is bounded: `offer` waits for room.
 */
export class Writer {
  readonly #transport: Transport;
  readonly #connection: string;
  readonly #backOff: BackOff;
  readonly #closed: AbortSignal;
  readonly #inFlightMax: number;
  readonly #rowsMax: number;
  readonly #mode: "append" | "correct";
  readonly #generation: number;
  readonly #queue: Job[] = [];
  readonly #ids = new Map<string, number>();
  #idsUsedMs = 0;
  #sequence = 0;
  #rows = 0;
  #inFlight = 0;
  #failures = 0;
  #waitingForRoom: (() => void)[] = [];

  constructor(
    transport: Transport,
    connection: string,
    options: WriterOptions & { backOff: BackOff; closed: AbortSignal },
  ) {
    this.#transport = transport;
    this.#connection = connection;
    this.#backOff = options.backOff;
    this.#closed = options.closed;
    this.#inFlightMax = options.inFlight ?? 4;
    this.#rowsMax = options.queuedRows ?? 200_000;
    this.#mode = options.mode ?? "append";
    this.#generation = options.generation ?? Math.floor(Math.random() * 0xffffffff);
    options.closed.addEventListener("abort", () => this.#fail(options.closed.reason));
  }

  /** Rows accepted and not yet durable. */
  get pendingRows(): number {
    return this.#rows;
  }

  /**
   * Takes a batch as soon as there is room. Resolves with the promise of its receipt, which rejects with ProblemError when the server refuses the whole
   * batch for good.
   */
  async offer(
    points: readonly PointInput[] | NamedColumns,
    sourceCursor?: string,
  ): Promise<{ receipt: Promise<IngestReceipt> }> {
    const batch = "columns" in points ? points : toNamedColumns(points);
    // Checked again after each wake-up: others wait for the same room. One batch of any size always fits alone.
    while (this.#rows > 0 && this.#rows + batch.columns.rows > this.#rowsMax) {
      await new Promise<void>((resolve) => this.#waitingForRoom.push(resolve));
      this.#closed.throwIfAborted();
    }
    this.#closed.throwIfAborted();
    this.#rows += batch.columns.rows;
    const receipt = new Promise<IngestReceipt>((resolve, reject) => {
      this.#queue.push({ sequence: this.#sequence++, batch, sourceCursor, settle: { resolve, reject } });
    });
    // The caller may look at it later or never; a refusal must not end the process meanwhile.
    receipt.catch(() => {});
    this.#pump();
    return { receipt };
  }

  /** Offers and waits until the batch is durable. */
  async write(points: readonly PointInput[] | NamedColumns, sourceCursor?: string): Promise<IngestReceipt> {
    const { receipt } = await this.offer(points, sourceCursor);
    return receipt;
  }

  #pump(): void {
    while (this.#inFlight < this.#inFlightMax) {
      // After a failure one request feels its way, before the rest follows.
      if (this.#failures > 0 && this.#inFlight > 0) return;
      const job = this.#queue.shift();
      if (job === undefined) return;
      this.#inFlight++;
      void this.#run(job);
    }
  }

  async #run(job: Job): Promise<void> {
    try {
      job.settle.resolve(await this.#untilDecided(job));
    } catch (error) {
      job.settle.reject(error);
    } finally {
      this.#inFlight--;
      this.#rows -= job.batch.columns.rows;
      for (const wake of this.#waitingForRoom.splice(0)) wake();
      this.#pump();
    }
  }

  async #untilDecided(job: Job): Promise<IngestReceipt> {
    let internal = 0;
    for (;;) {
      this.#closed.throwIfAborted();
      try {
        const receipt = await this.#send(job);
        this.#failures = 0;
        return receipt;
      } catch (error) {
        if (this.#closed.aborted) throw this.#closed.reason;
        if (error instanceof ProblemError && error.code === "internal" && ++internal >= internalAttempts) throw error;
        if (!isTemporary(error)) throw error;
        this.#failures++;
        // The server may come back restored from a backup, with other ids.
        if (error instanceof UnreachableError) this.#ids.clear();
        const after = error instanceof ProblemError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
        await sleep(Math.max(after, pauseMs(this.#backOff, this.#failures)), this.#closed).catch(() => {});
      }
    }
  }

  async #send({ sequence, batch, sourceCursor }: Job): Promise<IngestReceipt> {
    const signal = AbortSignal.any([this.#closed, AbortSignal.timeout(attemptMs)]);
    const columns = await this.#withIds(batch, signal).catch((error: unknown) => {
      throw signal.aborted && !this.#closed.aborted ? new UnreachableError("No answer in time.") : error;
    });
    const query = {
      generation: this.#generation,
      sequence,
      sourceCursor,
      ...(this.#mode === "append" ? {} : { mode: this.#mode }),
    };
    const request = {
      method: "POST",
      path: pathOf("ingest", { params: { connection: this.#connection }, query }),
      headers: { "content-type": columnsMediaType, accept: "application/json" },
      body: columns === null ? encodeColumns(batch.columns, batch.names) : encodeColumns(columns),
      signal,
    };
    try {
      const response = await send(this.#transport, request);
      return JSON.parse(new TextDecoder().decode(await response.bytes())) as IngestReceipt;
    } catch (error) {
      if (signal.aborted && !this.#closed.aborted) throw new UnreachableError("No answer in time.", { cause: error });
      throw error instanceof ProblemError ? error : new UnreachableError("The answer broke off.", { cause: error });
    }
  }

  /** The batch with raw tag ids; null when the server refuses one of its names: then the names travel, so that it keeps the refused rows. */
  async #withIds({ names, columns }: NamedColumns, signal: AbortSignal): Promise<Columns | null> {
    const now = performance.now();
    if (now - this.#idsUsedMs > idsKeptMs) this.#ids.clear();
    this.#idsUsedMs = now;
    const unknown = names.filter((name) => !this.#ids.has(name));
    for (let at = 0; at < unknown.length; at += addressesPerCall)
      await this.#resolve(unknown.slice(at, at + addressesPerCall), signal);
    const ids = new Int32Array(names.length);
    for (let i = 0; i < names.length; i++) {
      const id = this.#ids.get(names[i]);
      if (id === undefined) return null;
      ids[i] = id;
    }
    return { ...columns, tag: columns.tag.map((index) => ids[index]) };
  }

  async #resolve(addresses: string[], signal: AbortSignal): Promise<void> {
    const params = { connection: this.#connection };
    // Names that the schema would refuse go with the batch, where they are refused row by row and kept.
    const sound = addresses.filter((address) => address.length > 0 && address.length <= 512);
    if (sound.length === 0) return;
    const options = { params, body: { addresses: sound }, signal };
    const { ids }: RouteResponse<"resolveTags"> = await call(this.#transport, "resolveTags", options);
    for (let i = 0; i < sound.length; i++) {
      const id = ids[i];
      if (id !== null) this.#ids.set(sound[i], id);
    }
  }

  #fail(reason: unknown): void {
    for (const job of this.#queue.splice(0)) {
      job.settle.reject(reason);
      this.#rows -= job.batch.columns.rows;
    }
    for (const wake of this.#waitingForRoom.splice(0)) wake();
  }
}
