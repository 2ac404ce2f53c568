import type { Micros } from "@lineshaft/contract/api";
import {
  type Clock,
  decodeVerdict,
  encodeVerdict,
  type Frame,
  type History,
  type Log,
  type LogReader,
  type Lsn,
  recordType,
} from "@lineshaft/contract/ports";

/** How much is handed over at once: large enough for one message to carry many rows, small enough for steady memory. */
const portionBytes = 4 * 1024 * 1024;
/** History closes its runs inside `apply`, so it is called this often even when nothing comes. */
const idleMs = 1000;

/**
 * Feeds history from the log: frames in, verdicts on suspect rows out and into the log, one portion at a time, so that the next
 * portion is as large as the last one was slow. The log is pinned behind what history has in verified files.
 */
export class HistoryFeeder {
  readonly #log: Log;
  readonly #history: History;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;
  #appliedTime: Micros | null = null;
  #tenantOf = new Map<Lsn, number>();

  constructor(parts: { log: Log; history: History; clock: Clock }) {
    this.#log = parts.log;
    this.#history = parts.history;
    this.#clock = parts.clock;
    this.#pin();
  }

  /** recordedTime of the last record that history has; null before the first portion. */
  get appliedTime(): Micros | null {
    return this.#appliedTime;
  }

  /** Runs until `stop`; rejects when log or history fails for good. */
  run(onError: (error: unknown) => void): void {
    this.#running = this.#loop().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) onError(error);
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("The feeder is stopping."));
    await this.#running;
  }

  async #loop(): Promise<void> {
    const logged = await this.#verdictsLogged();
    const reader = this.#log.reader(this.#history.status.appliedLsn + 1);
    try {
      while (!this.#stop.signal.aborted) {
        const frames = await nextOrIdle(reader, this.#stop.signal, this.#clock);
        for (const frame of frames) if (frame.type === recordType.points) this.#tenantOf.set(frame.lsn, frame.tenant);
        const verdicts = await this.#history.apply(frames);
        // Durable before the next call: see the History port.
        await Promise.all(
          verdicts
            .filter((verdict) => !logged.delete(verdict.batchLsn))
            .map((verdict) => {
              const tenant = this.#tenantOf.get(verdict.batchLsn) ?? 1;
              const payload = encodeVerdict(verdict);
              return this.#log.append({ tenant, partition: 0, type: recordType.verdict, payload }).durable;
            }),
        );
        this.#tenantOf.clear();
        if (frames.length > 0) this.#appliedTime = frames[frames.length - 1].recordedTime;
        this.#pin();
      }
    } finally {
      reader.close();
    }
  }

  /** Verdicts in the log on batches that history will judge again, because it had them in memory only. */
  async #verdictsLogged(): Promise<Set<Lsn>> {
    const applied = this.#history.status.appliedLsn;
    const end = this.#log.status.durableLsn;
    const found = new Set<Lsn>();
    const reader = this.#log.reader(applied + 1);
    try {
      while (reader.position <= end) {
        for (const frame of await reader.next(portionBytes, this.#stop.signal)) {
          if (frame.type !== recordType.verdict) continue;
          const { batchLsn } = decodeVerdict(frame.payload);
          if (batchLsn > applied) found.add(batchLsn);
        }
      }
    } finally {
      reader.close();
    }
    return found;
  }

  #pin(): void {
    this.#log.pin("history", this.#history.status.verifiedLsn + 1);
  }
}

/** The next portion, or none after `idleMs`. A reader whose `next` was aborted has not moved. */
async function nextOrIdle(reader: LogReader, stop: AbortSignal, clock: Clock): Promise<Frame[]> {
  const idle = new AbortController();
  const signal = AbortSignal.any([stop, idle.signal]);
  const timer = clock.sleep(idleMs, signal).then(
    () => idle.abort(),
    () => undefined,
  );
  try {
    return await reader.next(portionBytes, signal);
  } catch (error) {
    if (idle.signal.aborted && !stop.aborted) return [];
    throw error;
  } finally {
    idle.abort();
    await timer;
  }
}
