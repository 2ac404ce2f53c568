import { decodeColumns, encodeColumns, type Micros, type Value, valueAt } from "@lineshaft/contract/api";
import type { ConnectorBatch, ConnectorSink, Offer } from "@lineshaft/contract/ports";

export interface SeenRow {
  tag: string;
  time: Micros;
  value: Value;
  status: number;
}

/** A sink that keeps what it is offered, holds its verdicts back when told, and notes each breach of the sink's contract. */
export class RecordingSink implements ConnectorSink {
  readonly rows: SeenRow[] = [];
  readonly batches: ConnectorBatch[] = [];
  readonly rejected: Parameters<ConnectorSink["reject"]>[0][] = [];
  readonly gaps: Parameters<ConnectorSink["gap"]>[0][] = [];
  readonly staled: { names: readonly string[] | "all"; status: number; atUs: Micros }[] = [];
  /** What was not as the port says, one sentence each. */
  readonly breaches: string[] = [];
  /** Offers made while the credit was spent. */
  overdrafts = 0;
  readonly #creditRows: number;
  #inFlightRows = 0;
  #lsn = 0;
  #holding = false;
  #held: (() => void)[] = [];
  #waiting: (() => void)[] = [];

  constructor(creditRows = 100_000) {
    this.#creditRows = creditRows;
  }

  /** Verdicts are given only after `release`. */
  hold(): void {
    this.#holding = true;
  }

  release(): void {
    this.#holding = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  credit(): { rows: number; bytes: number } {
    const rows = Math.max(0, this.#creditRows - this.#inFlightRows);
    return { rows, bytes: rows * 64 };
  }

  ready(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.credit().rows > 0) return resolve();
      this.#waiting.push(resolve);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  async offer(batch: ConnectorBatch): Promise<Offer> {
    if (this.credit().rows === 0) this.overdrafts++;
    this.batches.push(batch);
    this.#examine(batch);
    const offered = batch.columns.rows + (batch.faults?.length ?? 0);
    this.#inFlightRows += offered;
    const lsn = ++this.#lsn;
    if (this.#holding) await new Promise<void>((resolve) => this.#held.push(resolve));
    else await Promise.resolve();
    this.#inFlightRows -= offered;
    for (const wake of this.#waiting.splice(0)) wake();
    const accepted = batch.columns.rows;
    const rejected = batch.faults?.length ?? 0;
    return { kind: "durable", lsn, offered, accepted, suspect: 0, duplicates: 0, rejected, faults: [] };
  }

  async reject(item: Parameters<ConnectorSink["reject"]>[0]): Promise<void> {
    this.rejected.push(item);
  }

  async gap(gap: Parameters<ConnectorSink["gap"]>[0]): Promise<void> {
    this.gaps.push(gap);
  }

  async stale(names: readonly string[] | "all", status: number, atUs: Micros): Promise<void> {
    this.staled.push({ names, status, atUs });
  }

  /** Checks the shape with the encoder and decoder that the batch will meet on its way, and keeps the rows. */
  #examine({ names, columns, faults, faultSamples }: ConnectorBatch): void {
    const { rows, exact, ...each } = columns;
    for (const [name, column] of Object.entries(each)) {
      if (column !== null && column.length !== rows)
        this.#breach(`The column "${name}" has ${column.length} entries in a batch of ${rows} rows.`);
    }
    if ((faults?.length ?? 0) !== (faultSamples?.length ?? 0))
      this.#breach(`There are ${faults?.length ?? 0} faults and ${faultSamples?.length ?? 0} samples of them.`);
    try {
      decodeColumns(encodeColumns(columns, names));
    } catch (error) {
      this.#breach((error as Error).message);
    }
    for (let i = 0; i < rows; i++) {
      const tag = names[columns.tag[i]];
      const status = columns.status === null ? 0 : columns.status[i];
      this.rows.push({ tag, time: columns.time[i], value: valueAt(columns, i), status });
    }
  }

  #breach(text: string): void {
    if (this.breaches.length < 20) this.breaches.push(text);
  }
}
