import type { Columns, Micros } from "@lineshaft/contract/api";
import type { Clock, ConnectorSink } from "@lineshaft/contract/ports";
import { orAborted } from "../../kit/poller.ts";

/** What a row takes at most on its way, texts apart: tag, time, value, status, type. */
const bytesPerRow = 32;
const recheckMs = 20;

/** Data that are known to be missing, until the gap is on record. */
interface Missing {
  fromUs: Micros;
  toUs: Micros;
  points: number | null;
  reason: string;
}

export interface OutletOptions {
  clock: Clock;
  log(event: "info" | "warning", text: string): void;
}

/**
 * The way from polls to the sink of one connection: offers within the credit, and puts on record what is missing. It holds the rows of the polls
 * that are waiting and one gap, no queue.
 */
export class Outlet {
  readonly #options: OutletOptions;
  #missing: Missing | null = null;
  #rejectedTold = false;
  /** When the last complete poll was offered; null before the first. */
  lastPollUs: Micros | null = null;
  offeredRows = 0;
  lostRows = 0;
  rejectedBatches = 0;

  constructor(options: OutletOptions) {
    this.#options = options;
  }

  /** These data are missing; they are put on record with the next rows. */
  missed(gap: Missing): void {
    const now = this.#missing;
    if (now === null) this.#missing = gap;
    else {
      now.fromUs = Math.min(now.fromUs, gap.fromUs);
      now.toUs = Math.max(now.toUs, gap.toUs);
      now.points = now.points === null || gap.points === null ? null : now.points + gap.points;
      if (!now.reason.includes(gap.reason)) now.reason = `${now.reason}; ${gap.reason}`.slice(0, 300);
    }
  }

  /** Offers the rows of one poll; resolves when they are on their way, not when they are durable. `onLost` runs when they did not arrive. */
  async put(
    names: readonly string[],
    columns: Columns,
    { atUs, periodMs }: { atUs: Micros; periodMs: number },
    sink: ConnectorSink,
    signal: AbortSignal,
    onLost: () => void,
  ): Promise<void> {
    await this.#record(sink, signal);
    const { clock } = this.#options;
    const begunMs = clock.monotonicMs();
    for (let from = 0; from < columns.rows; ) {
      signal.throwIfAborted();
      const credit = sink.credit();
      const room = Math.min(credit.rows, Math.floor(credit.bytes / bytesPerRow));
      if (credit.rows <= 0 || credit.bytes <= 0) {
        await orAborted(sink.ready(signal), signal);
        // A sink may be ready for rows while its bytes are still spent.
        if (sink.credit().bytes <= 0) await clock.sleep(recheckMs, signal);
        continue;
      }
      const to = Math.min(columns.rows, from + Math.max(1, room));
      this.#offer(names, from === 0 && to === columns.rows ? columns : part(columns, from, to), sink, onLost);
      from = to;
    }
    const waitedMs = clock.monotonicMs() - begunMs;
    if (waitedMs > periodMs) {
      const reason = "not polled while the platform took nothing";
      this.missed({ fromUs: atUs, toUs: clock.nowUs(), points: null, reason });
    }
    this.lastPollUs = atUs;
  }

  #offer(names: readonly string[], columns: Columns, sink: ConnectorSink, onLost: () => void): void {
    this.offeredRows += columns.rows;
    sink.offer({ names, columns, ordinalsGiven: false }).then(
      (verdict) => {
        if (verdict.kind !== "rejected") return;
        this.rejectedBatches++;
        if (this.#rejectedTold) return;
        this.#rejectedTold = true;
        this.#options.log("warning", `The platform rejected values: ${verdict.detail}`);
      },
      (error: unknown) => {
        this.lostRows += columns.rows;
        const atUs = columns.time[0];
        const reason = `the platform took nothing (${error instanceof Error ? error.message : String(error)})`;
        this.missed({ fromUs: atUs, toUs: atUs, points: columns.rows, reason });
        onLost();
      },
    );
  }

  async #record(sink: ConnectorSink, signal: AbortSignal): Promise<void> {
    const gap = this.#missing;
    if (gap === null) return;
    this.#missing = null;
    try {
      await orAborted(sink.gap(gap), signal);
    } catch {
      // Kept until the sink takes it; an abort may have come after it was taken, and a gap told twice harms nobody.
      this.missed(gap);
    }
  }
}

function part(columns: Columns, from: number, to: number): Columns {
  const { exact, status } = columns;
  const within = exact === null ? [] : exact.row.flatMap((row, i) => (row >= from && row < to ? [i] : []));
  return {
    rows: to - from,
    tag: columns.tag.subarray(from, to),
    time: columns.time.subarray(from, to),
    value: columns.value.subarray(from, to),
    status: status === null ? null : status.subarray(from, to),
    type: columns.type === null ? null : columns.type.subarray(from, to),
    ordinal: null,
    originalTime: null,
    exact:
      exact === null || within.length === 0
        ? null
        : { row: within.map((i) => exact.row[i] - from), value: within.map((i) => exact.value[i]) },
  };
}
