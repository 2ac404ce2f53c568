// Hot path: `#batchOf` runs once a Publish response.
import { ColumnsBuilder, type Micros } from "@lineshaft/contract/api";
import type { Clock, ConnectorBatch, ConnectorSink } from "@lineshaft/contract/ports";
import type { NotificationMessage } from "node-opcua-client";
import { dataTypeName, decode, timeOf, type WireDataValue } from "./decode.ts";
import { type Feed, type FeedMessage, SubscriptionGone } from "./feed.ts";
import type { Item, ItemTable } from "./items.ts";
import { orAborted } from "./link.ts";
import type { Undecodable } from "./tolerance.ts";

/** DataValue info bits: type DataValue with Overflow set (Part 4, 7.39.1): the server's queue was too short and dropped what was between. */
const overflowBits = 0x480;
const extensionObject = 22;
/** Of a message that cannot be decoded so much is kept. */
const payloadMax = 65_536;
/** Overflows of this time become one gap record. */
const overflowMergeMs = 1_000;

/** The sink did not take an offer: not the peer's fault. */
export class SinkFailure extends Error {
  override name = "SinkFailure";
}

/** What a reader has counted; kept by the connector over all its reads. */
export interface Counters {
  rows: number;
  bad: number;
  overflows: number;
  gaps: number;
  filledRows: number;
}

export interface ReaderOptions {
  feed: Feed;
  items: ItemTable;
  sink: ConnectorSink;
  clock: Clock;
  counters: Counters;
  /** Gives structures of the server's own types their fields, in place. */
  resolve(values: WireDataValue[]): Promise<void>;
  /** Messages are missing: whoever can fills the gap, or records it. */
  onLoss(count: number): Promise<void>;
  /** All that the server had queued is offered. */
  onCaughtUp(): Promise<void>;
}

/** Brings a feed's messages to the sink: one offer a message, in order, within the credit, several in flight. */
export class Reader {
  readonly #options: ReaderOptions;
  #failed: Promise<never>;
  #fail: (error: unknown) => void = () => {};
  #overflow: { fromUs: number; toUs: number; addresses: Set<string>; sinceMs: number } | null = null;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => {});
  }

  /** Until the signal or a failure of feed or sink. */
  async run(signal: AbortSignal): Promise<never> {
    return Promise.race([this.#loop(signal), this.#failed]);
  }

  async #loop(signal: AbortSignal): Promise<never> {
    const { feed, onLoss, onCaughtUp } = this.#options;
    for (;;) {
      await this.#credit(signal);
      const next = await feed.next(signal);
      if (next.kind === "loss") {
        await onLoss(next.count);
        continue;
      }
      if (next.kind === "caughtUp") {
        await onCaughtUp();
        continue;
      }
      let batch: ConnectorBatch | null;
      try {
        const structures = structuresOf(next.message);
        if (structures.length > 0) await orAborted(signal, this.#options.resolve(structures));
        signal.throwIfAborted();
        await this.#rejectUndecodable(next.message);
        batch = this.#batchOf(next);
        await this.#tellOverflow();
      } catch (error) {
        feed.returned(next.sequence);
        throw error;
      }
      if (batch === null) feed.settle(next.sequence);
      else this.#offer(batch, next.sequence);
    }
  }

  async #credit(signal: AbortSignal): Promise<void> {
    const { sink } = this.#options;
    for (;;) {
      const { rows, bytes } = sink.credit();
      if (rows > 0 && bytes > 0) return;
      await orAborted(signal, sink.ready(signal));
    }
  }

  #offer(batch: ConnectorBatch, sequence: number): void {
    const { feed, sink } = this.#options;
    sink.offer(batch).then(
      // A refusal is a verdict as well: the rows are kept as rejected, and would be refused again.
      () => feed.settle(sequence),
      (error: unknown) => {
        feed.returned(sequence);
        this.#fail(new SinkFailure("offer", { cause: error }));
      },
    );
  }

  /** Offers rows that did not come in a message, each at its own time or all at `atUs`; resolves when they are durable. */
  async offerRows(
    rows: readonly { item: Item; data: WireDataValue }[],
    signal: AbortSignal,
    atUs?: Micros,
  ): Promise<void> {
    if (rows.length === 0) return;
    await this.#credit(signal);
    const batch = new Batch(rows.length);
    for (const { item, data } of rows) this.#add(batch, item, data, atUs);
    // Without a cursor: these are older than what a cursor would claim.
    await this.#offerNow(batch, signal);
  }

  /** Tags that the server refuses to watch have a bad row each, so that nobody waits for them. */
  async offerRefusals(items: readonly Item[], signal: AbortSignal): Promise<void> {
    const refused = items.filter((item) => item.refusal !== 0);
    if (refused.length === 0) return;
    await this.#credit(signal);
    const batch = new Batch(refused.length);
    const nowUs = this.#options.clock.nowUs();
    for (const item of refused) batch.add(item, nowUs, null, item.refusal);
    this.#options.counters.bad += refused.length;
    await this.#offerNow(batch, signal);
  }

  async #offerNow(batch: Batch, signal: AbortSignal): Promise<void> {
    const offer = this.#options.sink.offer(batch.build(null)).catch((error: unknown) => {
      throw new SinkFailure("offer", { cause: error });
    });
    await orAborted(signal, offer);
  }

  #batchOf({ message, completeUs }: FeedMessage): ConnectorBatch | null {
    const notifications = message.notificationData ?? [];
    let capacity = 0;
    for (const notification of notifications) capacity += changesOf(notification)?.length ?? 0;
    const batch = new Batch(capacity);
    for (const notification of notifications) {
      const changes = changesOf(notification);
      if (changes === null) {
        const status = (notification as { status?: { isBad(): boolean; toString(): string } } | null)?.status;
        // GoodSubscriptionTransferred was meant for our former session, and comes to the new one by Republish.
        if (status?.isBad()) throw new SubscriptionGone(`StatusChangeNotification ${status}`);
        continue;
      }
      for (const change of changes) {
        const item = this.#options.items.at(change.clientHandle);
        // Unbound since it was sent: nobody wants it.
        if (item !== undefined) this.#add(batch, item, change.value);
      }
    }
    if (batch.rows === 0) return null;
    return batch.build(completeUs === null ? null : String(completeUs));
  }

  /** What cannot be told apart is kept as it came; how many changes it held is not known, so it is a gap as well. */
  async #rejectUndecodable(message: NotificationMessage): Promise<void> {
    for (const notification of message.notificationData ?? []) {
      const { undecodable } = (notification ?? {}) as Undecodable;
      if (undecodable === undefined) continue;
      const { sink, clock, items, counters } = this.#options;
      const payload = undecodable.bytes.subarray(0, payloadMax);
      await sink.reject({ code: "opcua_message_invalid", detail: undecodable.reason, payload });
      counters.gaps += 1;
      // Its changes are newer than what came before.
      const nowUs = clock.nowUs();
      let fromUs = 0;
      for (const { lastUs } of items.all()) if (lastUs > fromUs) fromUs = lastUs;
      if (fromUs === 0 || fromUs > nowUs) fromUs = nowUs;
      await sink.gap({ fromUs, toUs: nowUs, points: null, reason: "A notification could not be decoded." });
    }
  }

  #add(batch: Batch, item: Item, data: WireDataValue, atUs?: Micros): void {
    const { counters } = this.#options;
    const time = atUs ?? timeOf(data);
    const { value, type, fault } = decode(data.value, item.options.indexRange !== undefined);
    const status = fault === 0 ? data.statusCode.value >>> 0 : fault;
    if ((status & overflowBits) === overflowBits) this.#noteOverflow(item, time);
    if (status >>> 31 === 1) counters.bad += 1;
    counters.rows += 1;
    if (time > item.lastUs || Number.isNaN(item.lastUs)) item.lastUs = time;
    if (item.dataType === undefined && data.value && data.value.dataType !== 0) {
      item.dataType = dataTypeName(data.value);
      item.told = false;
    }
    batch.add(item, time, value, status, type);
  }

  #noteOverflow(item: Item, time: Micros): void {
    this.#options.counters.overflows += 1;
    this.#overflow ??= { fromUs: Infinity, toUs: 0, addresses: new Set(), sinceMs: this.#options.clock.monotonicMs() };
    const fromUs = Number.isNaN(item.lastUs) ? time : item.lastUs;
    if (fromUs < this.#overflow.fromUs) this.#overflow.fromUs = fromUs;
    if (time > this.#overflow.toUs) this.#overflow.toUs = time;
    if (this.#overflow.addresses.size < 10) this.#overflow.addresses.add(item.address);
  }

  async #tellOverflow(): Promise<void> {
    const found = this.#overflow;
    if (found === null || this.#options.clock.monotonicMs() - found.sinceMs < overflowMergeMs) return;
    await this.flush();
  }

  /** Tells what was gathered for a common gap record. */
  async flush(): Promise<void> {
    const found = this.#overflow;
    if (found === null || !Number.isFinite(found.fromUs)) return;
    this.#overflow = null;
    this.#options.counters.gaps += 1;
    await this.#options.sink.gap({
      fromUs: found.fromUs,
      toUs: found.toUs,
      points: null,
      reason: `The server's queue overflowed for ${[...found.addresses].join(", ")}.`,
    });
  }
}

/** DataChangeNotification's rows; null for another notification. */
function changesOf(notification: unknown): { clientHandle: number; value: WireDataValue }[] | null {
  const items = (notification as { monitoredItems?: unknown } | null)?.monitoredItems;
  return Array.isArray(items) ? (items as { clientHandle: number; value: WireDataValue }[]) : null;
}

function structuresOf(message: NotificationMessage): WireDataValue[] {
  const found: WireDataValue[] = [];
  for (const notification of message.notificationData ?? []) {
    for (const { value } of changesOf(notification) ?? [])
      if (value.value?.dataType === extensionObject) found.push(value);
  }
  return found;
}

/** Rows with their names, each named once. */
class Batch {
  readonly #columns: ColumnsBuilder;
  readonly #names: string[] = [];
  readonly #indexes = new Map<number, number>();
  #properties: Map<string, { unit?: string; description?: string; dataType?: string }> | undefined;

  constructor(capacity: number) {
    this.#columns = new ColumnsBuilder(Math.max(capacity, 1));
  }

  get rows(): number {
    return this.#columns.rows;
  }

  add(item: Item, time: Micros, value: Parameters<ColumnsBuilder["add"]>[2], status: number, type?: "int64"): void {
    let index = this.#indexes.get(item.handle);
    if (index === undefined) {
      index = this.#names.push(item.address) - 1;
      this.#indexes.set(item.handle, index);
      if (!item.told) this.#tell(item);
    }
    this.#columns.add(index, time, value, status, 0, type);
  }

  #tell(item: Item): void {
    item.told = true;
    const { unit, description, dataType } = item;
    this.#properties ??= new Map();
    this.#properties.set(item.address, { unit, description, dataType });
  }

  build(sourceCursor: string | null): ConnectorBatch {
    return {
      names: this.#names,
      columns: this.#columns.build(),
      ordinalsGiven: false,
      sourceCursor,
      ...(this.#properties === undefined ? {} : { properties: this.#properties }),
    };
  }
}
