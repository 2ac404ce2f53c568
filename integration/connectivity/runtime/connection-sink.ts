import type { Columns, Micros, ProblemCode } from "@lineshaft/contract/api";
import type { Clock, ConnectorBatch, ConnectorSink, Offer, Sink, SourceBatch } from "@lineshaft/contract/ports";
import { flawOf } from "./flaw.ts";
import type { LastRows } from "./last-rows.ts";
import { ConnectorCrash, offerUntilTaken } from "./retry.ts";
import { SourceUnits } from "./source-units.ts";

/** What one connection may have in flight; the sink's own credit is the other bound. */
export const connectionCredit = { rows: 100_000, bytes: 16 * 1024 * 1024 } as const;

export interface SinkParts {
  connection: string;
  tenant: number;
  sink: Sink;
  clock: Clock;
  random(): number;
  /** The runtime's own session number, for sources without one. */
  generation: number;
  credit: { rows: number; bytes: number };
  last: LastRows;
  /** Is there a value that stands between rows? */
  stands(name: string): boolean;
  /** The connector broke the contract: it must not go on. */
  fail(crash: ConnectorCrash): void;
  /** A batch has been taken in. */
  arrived(rows: number, newestUs: Micros, good: boolean): void;
  settled(verdict: Offer, sourceCursor: string | null): void;
  rejected(points: number): void;
  /** The platform takes nothing at the moment. */
  delayed(detail: string): void;
  signal: AbortSignal;
}

/** The sink as one connection sees it: stamps, counts, bounds what is in flight, and waits where the platform cannot take anything. */
export class ConnectionSink implements ConnectorSink {
  readonly #parts: SinkParts;
  readonly #units: SourceUnits;
  #sequence = 0;
  /** The source numbers its batches itself; ours would be mistaken for its own. */
  #numbered = false;
  #rows = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];
  /** Done when the newest delayed offer is: later ones keep behind it. */
  #delayed: Promise<void> | null = null;
  #answered: Promise<unknown> = Promise.resolve();

  constructor(parts: SinkParts) {
    this.#parts = parts;
    const { connection, tenant, sink, clock, signal } = parts;
    const put = async (units: ReadonlyMap<string, string>): Promise<void> => sink.units?.(tenant, connection, units);
    this.#units = new SourceUnits({ clock, put, signal });
  }

  get inFlight(): { rows: number; bytes: number } {
    return { rows: this.#rows, bytes: this.#bytes };
  }

  credit(): { rows: number; bytes: number } {
    const all = this.#parts.sink.credit();
    const { rows, bytes } = this.#parts.credit;
    return {
      rows: Math.max(0, Math.min(rows - this.#rows, all.rows)),
      bytes: Math.max(0, Math.min(bytes - this.#bytes, all.bytes)),
    };
  }

  async ready(signal: AbortSignal): Promise<void> {
    for (let left = this.credit(); left.rows === 0 || left.bytes === 0; left = this.credit()) {
      signal.throwIfAborted();
      const { rows, bytes } = this.#parts.credit;
      // What others have in flight ends without our hearing of it.
      if (this.#rows < rows && this.#bytes < bytes) await this.#parts.clock.sleep(20, signal);
      else await this.#nextVerdict(signal);
    }
  }

  async offer(batch: ConnectorBatch): Promise<Offer> {
    const flaw = flawOf(batch);
    if (flaw !== null) {
      const crash = new ConnectorCrash("culprit", flaw);
      this.#parts.fail(crash);
      await this.#reject("columns_invalid", flaw, null, batch.columns.rows);
      throw crash;
    }
    const { newestUs, good } = this.#parts.last.note(batch.names, batch.columns, batch.namesKept ?? false);
    this.#parts.arrived(batch.columns.rows + (batch.faults?.length ?? 0), newestUs, good);
    const verdict = await this.#take(this.#stamp(batch));
    if (verdict.kind === "rejected") {
      await this.#reject(verdict.code, verdict.detail, null, batch.columns.rows);
    } else {
      this.#parts.rejected(verdict.rejected);
      // Only now has each name its tag.
      if (batch.properties !== undefined) this.#units.note(batch.properties);
    }
    this.#parts.settled(verdict, batch.sourceCursor ?? null);
    return verdict;
  }

  reject(item: { code: ProblemCode; detail: string; payload: Uint8Array | null }): Promise<void> {
    return this.#reject(item.code, item.detail, item.payload, 1);
  }

  async gap(gap: Parameters<ConnectorSink["gap"]>[0]): Promise<void> {
    const { connection, tenant, sink } = this.#parts;
    await this.#untilTaken(() => sink.gap(tenant, { connection, ...gap }));
  }

  async stale(which: readonly string[] | "all", status: number, atUs: Micros): Promise<void> {
    const { names, columns } = this.#parts.last.stale(which, status, atUs, this.#parts.stands);
    if (names.length === 0) return;
    const batch = this.#stamp({ names, columns, ordinalsGiven: false });
    await this.#take(batch);
  }

  #stamp(batch: ConnectorBatch): SourceBatch {
    const { names, namesKept, columns, ordinalsGiven, sourceCursor, faults, faultSamples } = batch;
    if (batch.generation !== undefined || batch.sequence !== undefined) this.#numbered = true;
    return {
      connection: this.#parts.connection,
      generation: batch.generation ?? this.#parts.generation,
      sequence: this.#numbered ? (batch.sequence ?? null) : this.#sequence++,
      mode: "append",
      sourceCursor: sourceCursor ?? null,
      names,
      namesKept,
      columns,
      ordinalsGiven,
      faults: faults ?? [],
      faultSamples: faultSamples ?? [],
    };
  }

  /** Puts the batch into flight; the verdicts come in the order of the calls. */
  async #take(batch: SourceBatch): Promise<Offer> {
    const rows = batch.columns.rows + batch.faults.length;
    const bytes = bytesOf(batch.columns);
    this.#rows += rows;
    this.#bytes += bytes;
    const before = this.#answered;
    const verdict = this.#inTurn(() => this.#parts.sink.offer(this.#parts.tenant, batch));
    this.#answered = verdict.catch(() => undefined);
    try {
      const answer = await verdict;
      await before;
      return answer;
    } finally {
      this.#rows -= rows;
      this.#bytes -= bytes;
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }

  /** Offers at once; while an earlier offer is delayed, only behind it. */
  async #inTurn(offer: () => Promise<Offer>): Promise<Offer> {
    const { clock, random, delayed, signal } = this.#parts;
    let turn = this.#delayed;
    let own: Promise<void> | null = null;
    let through = (): void => undefined;
    const wait = (detail: string): void => {
      if (own !== null) return;
      delayed(detail);
      turn = this.#delayed;
      own = new Promise((resolve) => {
        through = resolve;
      });
      this.#delayed = own;
    };
    try {
      return await offerUntilTaken(
        () => (turn === null ? offer() : turn.then(offer)),
        { clock, random, delayed: wait },
        signal,
      );
    } finally {
      through();
      if (this.#delayed === own) this.#delayed = null;
    }
  }

  async #reject(code: ProblemCode, detail: string, payload: Uint8Array | null, points: number): Promise<void> {
    const { connection, tenant, sink } = this.#parts;
    this.#parts.rejected(points);
    await this.#untilTaken(() => sink.reject(tenant, { connection, code, detail, payload, points }));
  }

  async #untilTaken(put: () => Promise<number>): Promise<void> {
    const empty = { offered: 0, accepted: 0, suspect: 0, duplicates: 0, rejected: 0, faults: [] };
    await this.#inTurn(async () => ({ kind: "durable", lsn: await put(), ...empty }));
  }

  #nextVerdict(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(signal.reason);
      signal.addEventListener("abort", stop, { once: true });
      this.#waiting.push(() => {
        signal.removeEventListener("abort", stop);
        resolve();
      });
    });
  }
}

function bytesOf({ rows, exact }: Columns): number {
  let bytes = rows * 32;
  for (const value of exact?.value ?? []) bytes += typeof value === "bigint" ? 8 : value.length;
  return bytes;
}
