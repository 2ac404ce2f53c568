import { type Micros, ProblemError } from "@lineshaft/contract/api";
import {
  type Clock,
  decodePointsHeader,
  decodeVerdict,
  encodeVerdict,
  type Frame,
  type History,
  type Log,
  type LogReader,
  type Lsn,
  recordType,
  type VerdictRecord,
} from "@lineshaft/contract/ports";

/** How much is handed over at once: large enough for one message to carry many rows, small enough for steady memory. */
const portionBytes = 4 * 1024 * 1024;
/** History closes its runs inside `apply`, so it is called this often even when nothing comes. */
const idleMs = 1000;
/** A verdict that did not fit on the disk is tried again after this. */
const fullDiskMs = 1000;
/** So often it is looked whether history has lost records. */
const mendMs = 500;
/** So much of the log may wait for history to have verified copies, before history is asked to hurry. */
const pinnedBytesMax = 2 * 1024 ** 3;

/**
 * Feeds history from the log: frames in, verdicts on suspect rows out and into the log, one portion at a time, so that the next
 * portion is as large as the last one was slow. The log is pinned behind what history has in verified files. Beside it, records that history has lost with a
 * damaged file are read from the log once more.
 */
export class HistoryFeeder {
  readonly #log: Log;
  readonly #history: History;
  readonly #clock: Clock;
  readonly #onMissing: (fromLsn: Lsn, toLsn: Lsn) => void;
  readonly #pinnedBytesMax: number;
  readonly #stop = new AbortController();
  #running: Promise<unknown> | null = null;
  /** History was asked to verify up to here, and has not done so yet. */
  #protectedTo: Lsn = 0;
  #appliedTime: Micros | null = null;
  #tenantOf = new Map<Lsn, number>();

  /**
   * `logBytesMax`: where the log refuses sources; history hurries long before. `onMissing`: records that history never had and the log has no
   * more (its directory was lost, or restored from an old backup).
   */
  constructor(parts: {
    log: Log;
    history: History;
    clock: Clock;
    logBytesMax?: number;
    onMissing?: (fromLsn: Lsn, toLsn: Lsn) => void;
  }) {
    this.#log = parts.log;
    this.#history = parts.history;
    this.#clock = parts.clock;
    this.#onMissing = parts.onMissing ?? (() => undefined);
    this.#pinnedBytesMax = Math.min(pinnedBytesMax, (parts.logBytesMax ?? Number.POSITIVE_INFINITY) / 4);
    this.#pin();
  }

  /** recordedTime of the last record that history has; null before the first portion. */
  get appliedTime(): Micros | null {
    return this.#appliedTime;
  }

  /** Runs until `stop`; rejects when log or history fails for good. */
  run(onError: (error: unknown) => void): void {
    const watched = (work: Promise<void>): Promise<void> =>
      work.catch((error: unknown) => {
        if (!this.#stop.signal.aborted) onError(error);
      });
    this.#running = Promise.all([watched(this.#loop()), watched(this.#mend())]);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("The feeder is stopping."));
    await this.#running;
  }

  async #loop(): Promise<void> {
    const from = this.#firstToApply();
    const logged = await this.#verdictsLogged(from);
    const reader = this.#log.reader(from);
    try {
      while (!this.#stop.signal.aborted) {
        const frames = await nextOrIdle(reader, this.#stop.signal, this.#clock);
        for (const frame of frames) if (frame.type === recordType.points) this.#tenantOf.set(frame.lsn, frame.tenant);
        const verdicts = await this.#history.apply(frames);
        // Durable before the next call: see the History port.
        await Promise.all(
          verdicts
            .filter((verdict) => !logged.delete(verdict.batchLsn))
            .map((verdict) => this.#record(this.#tenantOf.get(verdict.batchLsn) ?? 1, verdict)),
        );
        this.#tenantOf.clear();
        if (frames.length > 0) this.#appliedTime = frames[frames.length - 1].recordedTime;
        this.#pin();
        await this.#hurry();
      }
    } finally {
      reader.close();
    }
  }

  /** A full disk delays a verdict, and with it everything behind; history takes no more meanwhile. */
  async #record(tenant: number, verdict: VerdictRecord): Promise<void> {
    const payload = encodeVerdict(verdict);
    for (;;) {
      try {
        await this.#log.append({ tenant, partition: 0, type: recordType.verdict, payload }).durable;
        return;
      } catch (error) {
        if (!(error instanceof ProblemError && (error.code === "disk_full" || error.code === "overloaded")))
          throw error;
        await this.#clock.sleep(fullDiskMs, this.#stop.signal);
      }
    }
  }

  /** Looks for lost records beside the loop, which may be waiting for them. */
  async #mend(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      for (const range of this.#history.status.needs) await this.#rebuild(range);
      await this.#clock.sleep(mendMs, this.#stop.signal);
    }
  }

  /** Gives a range of records to history again, and the verdicts on them: those stand somewhere behind. */
  async #rebuild(range: { fromLsn: Lsn; toLsn: Lsn }): Promise<void> {
    const { firstLsn, durableLsn, quarantined } = this.#log.status;
    const rotten = quarantined.some(({ fromLsn, toLsn }) => fromLsn <= range.toLsn && toLsn >= range.fromLsn);
    let complete = firstLsn <= range.fromLsn && !rotten;
    const unjudged = new Set<Lsn>();
    const wanted = (frame: Frame): boolean => {
      if (frame.type === recordType.verdict) return unjudged.delete(decodeVerdict(frame.payload).batchLsn);
      if (frame.type !== recordType.points || frame.lsn > range.toLsn) return false;
      if (decodePointsHeader(frame.payload).suspect.length > 0) unjudged.add(frame.lsn);
      return true;
    };
    const reader = this.#log.reader(Math.max(firstLsn, range.fromLsn));
    try {
      while (reader.position <= durableLsn && (reader.position <= range.toLsn || unjudged.size > 0)) {
        const frames = await reader.next(portionBytes, this.#stop.signal);
        await this.#history.rebuild(range, frames.filter(wanted), "more");
      }
    } catch (error) {
      // Retention was faster: what it took, nobody has.
      if (!(error instanceof ProblemError && error.code === "cursor_expired")) throw error;
      complete = false;
    } finally {
      reader.close();
    }
    await this.#history.rebuild(range, [], complete ? "complete" : "incomplete");
  }

  /** History verifies at its own pace, until so much of the log waits for it that the log's bound comes near. */
  async #hurry(): Promise<void> {
    const { bytes, firstLsn, durableLsn } = this.#log.status;
    const { verifiedLsn, appliedLsn } = this.#history.status;
    const waiting = (bytes * (durableLsn - verifiedLsn)) / Math.max(1, durableLsn - firstLsn + 1);
    if (waiting <= this.#pinnedBytesMax || verifiedLsn < this.#protectedTo || verifiedLsn >= appliedLsn) return;
    this.#protectedTo = appliedLsn;
    await this.#history.protect();
  }

  /** Verdicts in the log on batches that history will judge again, because it had them in memory only. */
  async #verdictsLogged(from: Lsn): Promise<Set<Lsn>> {
    const end = this.#log.status.durableLsn;
    const found = new Set<Lsn>();
    const reader = this.#log.reader(from);
    try {
      while (reader.position <= end) {
        for (const frame of await reader.next(portionBytes, this.#stop.signal)) {
          if (frame.type !== recordType.verdict) continue;
          const { batchLsn } = decodeVerdict(frame.payload);
          if (batchLsn >= from) found.add(batchLsn);
        }
      }
    } finally {
      reader.close();
    }
    return found;
  }

  /** What history is missing that the log has no more is lost, which is no reason not to take the rest. */
  #firstToApply(): Lsn {
    const next = this.#history.status.appliedLsn + 1;
    const { firstLsn } = this.#log.status;
    if (next < firstLsn) this.#onMissing(next, firstLsn - 1);
    return Math.max(next, firstLsn);
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
