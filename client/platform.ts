import {
  type BucketQuery,
  type Columns,
  columnsMediaType,
  decodeColumns,
  type FactLot,
  type FactRecord,
  type FactToRecord,
  type FactUnit,
  type IngestReceipt,
  type LastValue,
  type RawQuery,
  type RawTag,
  type RouteName,
  type RouteQuery,
  type RouteResponse,
  type Session,
  type StreamEvent,
  type StreamRequest,
} from "@lineshaft/contract/api";
import { type BackOff, defaultBackOff } from "./back-off.ts";
import { type CallOptions, call, pathOf, send } from "./call.ts";
import { type FollowOptions, follow } from "./follow.ts";
import type { NamedColumns, PointInput } from "./points.ts";
import type { Transport } from "./transport.ts";
import { Writer, type WriterOptions } from "./writer.ts";

/**
 * Lineshaft as a program sees it. Everything goes through the public API with the caller's own credential; errors are
 * ProblemError with the server's code, or UnreachableError.
 */
export class Platform {
  readonly #transport: Transport;
  readonly #backOff: BackOff;
  readonly #closed = new AbortController();
  readonly #writers = new Map<string, Writer>();

  constructor(transport: Transport, backOff: BackOff = defaultBackOff) {
    this.#transport = transport;
    this.#backOff = backOff;
  }

  /** Any operation of the REST API by its name in the route table. Not repeated by itself. */
  call<N extends RouteName>(
    name: N,
    ...[options]: object extends CallOptions<N> ? [options?: CallOptions<N>] : [options: CallOptions<N>]
  ): Promise<RouteResponse<N>> {
    return call(this.#transport, name, (options ?? {}) as CallOptions<N>);
  }

  /** Who we are for the server. */
  session(): Promise<Session> {
    return this.call("getSession");
  }

  /**
   * Sends points of one connection and resolves when they are durable. Repeated until the server has decided, without the points
   * being stored twice; rows that it refuses are named in the receipt.
   */
  ingest(connection: string, points: readonly PointInput[] | NamedColumns): Promise<IngestReceipt> {
    return this.writer(connection).write(points);
  }

  /** The writer of a connection, for steady flows. `options` count at the first call. */
  writer(connection: string, options: WriterOptions = {}): Writer {
    let writer = this.#writers.get(connection);
    if (writer === undefined) {
      writer = new Writer(this.#transport, connection, {
        ...options,
        backOff: this.#backOff,
        closed: this.#closed.signal,
      });
      this.#writers.set(connection, writer);
    }
    return writer;
  }

  /** Follows the event stream: from a cursor, from a time on (history first, then live), or from now. Resumes by itself. */
  subscribe(request: StreamRequest = {}, options: FollowOptions = {}): AsyncGenerator<StreamEvent, void, void> {
    const signals = [this.#closed.signal, ...(options.signal === undefined ? [] : [options.signal])];
    return follow(this.#transport, request, this.#backOff, { ...options, signal: AbortSignal.any(signals) });
  }

  /** All raw tags that match, page by page. */
  async *tags(
    query: { connection?: string; equipmentId?: number; search?: string } = {},
  ): AsyncGenerator<RawTag, void, void> {
    for (let cursor: string | undefined; ; ) {
      const page = await this.call("listTags", { query: { ...query, limit: 1000, cursor } });
      yield* page.items;
      if (page.cursor === null) return;
      cursor = page.cursor;
    }
  }

  async values(tags: number[]): Promise<LastValue[]> {
    const { items } = await this.call("lastValues", { query: { tag: tags } });
    return items;
  }

  /** Recorded points in portions of at most `limit` rows, by tag, time and ordinal; exact, in columns. */
  async *history(query: RawQuery, signal?: AbortSignal): AsyncGenerator<Columns, void, void> {
    for (let cursor = query.cursor; ; ) {
      const path = pathOf("rawHistory", { query: { ...query, cursor } });
      const response = await send(this.#transport, {
        method: "GET",
        path,
        headers: { accept: columnsMediaType },
        signal,
      });
      const { columns } = decodeColumns(await response.bytes());
      if (columns.rows > 0) yield columns;
      const next = response.header("lineshaft-cursor");
      if (next === null) return;
      cursor = next;
    }
  }

  buckets(query: BucketQuery): Promise<RouteResponse<"bucketHistory">> {
    return this.call("bucketHistory", { query });
  }

  /**
   * Records, corrects or retracts facts of units, lots, tests, maintenance and energy; resolves when they are durable. Repeating a call is harmless; what is refused is named by its index.
   */
  recordFacts(items: readonly FactToRecord[]): Promise<RouteResponse<"recordFacts">> {
    return this.call("recordFacts", { body: { items: [...items] } });
  }

  /** All recorded facts that match, page by page, by when they were done. */
  async *recordedFacts(
    query: Omit<RouteQuery<"listFacts">, "limit" | "cursor"> = {},
  ): AsyncGenerator<FactRecord, void, void> {
    for (let cursor: string | undefined; ; ) {
      const page = await this.call("listFacts", { query: { ...query, limit: 1000, cursor } });
      yield* page.items;
      if (page.cursor === null) return;
      cursor = page.cursor;
    }
  }

  /** A unit by its serial number, with its tests and genealogy; `asOf`: as it was known then. */
  unit(serial: string, asOf?: string): Promise<FactUnit> {
    return this.call("getUnit", { params: { serial }, query: { asOf } });
  }

  /** A lot: where it was produced and used, with its tests and genealogy; `asOf`: as it was known then. */
  lot(lot: string, asOf?: string): Promise<FactLot> {
    return this.call("getLot", { params: { lot }, query: { asOf } });
  }

  /** Ends streams and writers. What is not durable by then is rejected; call it after waiting for the receipts. */
  close(): void {
    this.#closed.abort(new DOMException("The platform was closed.", "AbortError"));
  }
}
