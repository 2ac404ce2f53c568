// Hot path: one call per value. Puts the values of many messages into few batches, and tells each message when its values are durable.
import { ColumnsBuilder, type Micros, type ProblemCode, type RowFault, type Value } from "@lineshaft/contract/api";
import type { ConnectorBatch, ConnectorSink } from "@lineshaft/contract/ports";

/** An address and its place among the names; kept by the codec with whatever else it knows of a tag. */
export interface RowSlot {
  address: string;
  /** The batch that held it last; −1 at first. */
  batch: number;
  /** Which list of names `index` belongs to; −1 at first. */
  list: number;
  index: number;
}

interface Batch {
  id: number;
  names: readonly string[];
  rows: ColumnsBuilder;
  faults: RowFault[];
  samples: { tag: string | null; time: Micros | null; value: unknown }[];
  properties: Map<string, { unit?: string; description?: string; dataType?: string }>;
  settled: Promise<void>;
  settle(outcome: Promise<void>): void;
}

const rowsMax = 5000;
/** Names that come and go must not pile up: then a new list is begun. */
const namesMax = 200_000;
let batches = 0;
let lists = 0;

/**
 * What comes within one turn of the event loop goes into one offer, within the sink's credit. Offers leave in order; several may be under way. While the sink
 * has no credit, messages wait for their verdict, and their source with them.
 */
export class Batcher {
  readonly #sink: ConnectorSink;
  readonly #signal: AbortSignal;
  #batch: Batch | null = null;
  #turn: Promise<void> = Promise.resolve();
  #last: Promise<void> = Promise.resolve();
  /** Batches closed since the last `settled`, which may hold a part of the message under way. */
  #cutOff: Promise<void>[] = [];
  /** Kept over the batches, so that everybody behind looks a name up once. */
  #names: string[] = [];
  #list = lists++;
  /** Rows of the batch before: this one will be about as large. */
  #expected = 64;

  constructor(sink: ConnectorSink, signal: AbortSignal) {
    this.#sink = sink;
    this.#signal = signal;
  }

  add(slot: RowSlot, time: Micros, value: Value, status: number, integer: boolean): void {
    let batch = this.#batch ?? this.#open();
    if (batch.rows.rows >= rowsMax) {
      this.cut();
      batch = this.#open();
    }
    slot.batch = batch.id;
    if (slot.list !== this.#list) {
      slot.list = this.#list;
      slot.index = this.#names.push(slot.address) - 1;
    }
    batch.rows.add(slot.index, time, value, status, 0, integer ? "int64" : undefined);
  }

  /** A value that cannot be a row; kept as a rejected item. */
  fault(tag: string | null, time: Micros | null, value: unknown, code: ProblemCode, detail: string): void {
    const batch = this.#batch ?? this.#open();
    batch.faults.push({ row: batch.rows.rows, code, detail });
    batch.samples.push({ tag, time, value });
  }

  describe(slot: RowSlot, properties: { unit?: string; description?: string; dataType?: string }): void {
    const batch = this.#batch ?? this.#open();
    batch.properties.set(slot.address, properties);
  }

  /** Is this tag in the open batch already? */
  holds(slot: RowSlot): boolean {
    return this.#batch !== null && slot.batch === this.#batch.id;
  }

  /** Resolves when everything added so far is durable or refused for good; rejects when it was not taken. */
  settled(): Promise<void> {
    const last = this.#batch?.settled ?? this.#last;
    if (this.#cutOff.length === 0) return last;
    // The message lies in several batches.
    const parts = [...this.#cutOff.splice(0), last];
    return Promise.all(parts).then(() => undefined);
  }

  /** Closes the open batch; what follows goes into another. */
  cut(): void {
    if (this.#batch !== null) this.#cutOff.push(this.#batch.settled);
    this.#close();
  }

  #close(): void {
    const batch = this.#batch;
    if (batch === null) return;
    this.#batch = null;
    this.#expected = batch.rows.rows;
    this.#last = batch.settled;
    // The next batch waits until this one is offered, not until it is durable. When it cannot be offered, the next cannot either: order is kept.
    const offered = this.#turn.then(() => this.#offer(batch));
    this.#turn = offered.then(() => undefined);
    this.#turn.catch(() => undefined);
    batch.settle(offered.then(({ verdict }) => verdict));
  }

  #open(): Batch {
    let settle: Batch["settle"] = () => {};
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    // Without a listener of its own a batch that fails between two messages would end the process.
    settled.catch(() => undefined);
    if (this.#names.length >= namesMax) {
      this.#names = [];
      this.#list = lists++;
    }
    const batch: Batch = {
      id: batches++,
      names: this.#names,
      rows: new ColumnsBuilder(Math.max(64, this.#expected)),
      faults: [],
      samples: [],
      properties: new Map(),
      settled,
      settle,
    };
    this.#batch = batch;
    setImmediate(() => {
      if (this.#batch === batch) this.#close();
    });
    return batch;
  }

  /** Resolves when the batch is offered; its verdict comes later. */
  async #offer(batch: Batch): Promise<{ verdict: Promise<void> }> {
    while (this.#sink.credit().rows === 0) await this.#sink.ready(this.#signal);
    this.#signal.throwIfAborted();
    const { names, faults, samples, properties } = batch;
    const offered: ConnectorBatch = {
      names,
      namesKept: true,
      columns: batch.rows.build(),
      ordinalsGiven: false,
      ...(properties.size > 0 ? { properties } : {}),
      ...(faults.length > 0 ? { faults, faultSamples: samples } : {}),
    };
    const verdict = this.#sink.offer(offered).then(() => undefined);
    verdict.catch(() => undefined);
    return { verdict };
  }
}
