import {
  ColumnsError,
  type IngestQuery,
  type IngestReceipt,
  type Principal,
  type ProblemCode,
  ProblemError,
} from "@lineshaft/contract/api";
import type { Clock, Sink, SourceBatch } from "@lineshaft/contract/ports";
import type { RequestBody } from "./body.ts";
import { type DecodedPoints, decodePointsBody } from "./points-body.ts";
import type { Services } from "./services.ts";

/** Refusals of a whole body that are kept as a rejected item. The rest are mistakes in the request around it. */
const keptCodes: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  "json_invalid",
  "json_encoding",
  "json_too_deep",
  "json_duplicate_key",
  "reserved_key",
  "columns_invalid",
  "request_invalid",
  "too_many_rows",
  "body_too_large",
  "decompressed_too_large",
]);
const keptBytes = 64 * 1024;

/**
 * One batch over HTTP: decoded, offered, answered once its verdict is durable. A body that cannot be decoded is kept as one
 * rejected item before the refusal is answered: nothing is lost silently.
 */
export async function ingest(
  { sink, connections }: Pick<Services, "sink" | "connections">,
  gate: IngestGate,
  principal: Principal,
  connection: string,
  query: IngestQuery,
  raw: RequestBody | null,
): Promise<IngestReceipt> {
  connections.authorizeIngest(principal, connection);
  let points: DecodedPoints;
  try {
    if (raw === null) throw new ProblemError("json_invalid", "The body is empty.");
    points = decodePointsBody(raw.mediaType, raw.bytes);
  } catch (error) {
    if (!(error instanceof ProblemError) || !keptCodes.has(error.code)) throw error;
    const payload = raw?.kept?.subarray(0, keptBytes) ?? null;
    await sink.reject(principal.tenant, { connection, code: error.code, detail: error.message, payload, points: 1 });
    throw error;
  }
  const batch: SourceBatch = {
    connection,
    generation: query.generation ?? 0,
    sequence: query.sequence ?? null,
    mode: query.mode ?? "append",
    sourceCursor: query.sourceCursor ?? null,
    ...points,
  };
  const offer = await gate.offer(principal.tenant, batch);
  if (offer.kind === "rejected") throw new ProblemError(offer.code, offer.detail);
  const { lsn, offered, accepted, suspect, duplicates, rejected, faults } = offer;
  return { ack: "durable", lsn, offered, accepted, suspect, duplicates, rejected, faults: faults.slice(0, 100) };
}

/**
 * Holds batches back while the sink has no credit. They wait in the order they came; beyond the bound they are answered
 * `overloaded`, so that memory is what the credit says plus the bound.
 */
export class IngestGate {
  readonly #sink: Sink;
  readonly #clock: Clock;
  readonly #waitingMax: number;
  #waiting = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(sink: Sink, clock: Clock, waitingMax: number) {
    this.#sink = sink;
    this.#clock = clock;
    this.#waitingMax = waitingMax;
  }

  async offer(tenant: number, batch: SourceBatch): ReturnType<Sink["offer"]> {
    if (this.#waiting > 0 || !this.#hasCredit()) await this.#wait();
    try {
      return await this.#sink.offer(tenant, batch);
    } catch (error) {
      if (error instanceof ColumnsError) throw new ProblemError("columns_invalid", error.message, { cause: error });
      throw error;
    }
  }

  #hasCredit(): boolean {
    const { rows, bytes } = this.#sink.credit();
    return rows > 0 && bytes > 0;
  }

  async #wait(): Promise<void> {
    if (this.#waiting >= this.#waitingMax) {
      throw new ProblemError("overloaded", `${this.#waiting} batches wait already.`, { retryAfterSeconds: 1 });
    }
    this.#waiting++;
    // Each waits for the one before it, then for credit: first come, first served.
    const before = this.#turn;
    let leave = (): void => {};
    this.#turn = new Promise((resolve) => {
      leave = resolve;
    });
    try {
      await before;
      while (!this.#hasCredit()) await this.#clock.sleep(2);
    } finally {
      this.#waiting--;
      leave();
    }
  }
}
