import type { ProblemError } from "@lineshaft/contract/api";
import type { Clock, Frame, Log, LogReader, LogStatus, Lsn, NewRecord } from "@lineshaft/contract/ports";

/** The Log port in memory: durable at once; `failWith` makes the next appends fail. For tests of what stands above. */
export class MemoryLog implements Log {
  readonly frames: Frame[] = [];
  #clock: Clock;
  #next: Lsn = 1;
  #durable: Lsn = 0;
  #generation = 1;
  #lastTime = 0;
  #waiting: (() => void)[] = [];
  failWith: ProblemError | null = null;
  readonly pins = new Map<string, Lsn>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get status(): LogStatus {
    return {
      state: "writable",
      generation: this.#generation,
      firstLsn: 1,
      durableLsn: this.#durable,
      bytes: 0,
      segments: 1,
      commitP50Ms: 0,
      commitP99Ms: 0,
      quarantined: [],
    };
  }

  append(record: NewRecord): { lsn: Lsn; recordedTime: number; durable: Promise<void> } {
    const lsn = this.#next++;
    this.#lastTime = Math.max(this.#lastTime, this.#clock.nowUs());
    const recordedTime = this.#lastTime;
    if (this.failWith !== null) return { lsn, recordedTime, durable: Promise.reject(this.failWith) };
    const frame: Frame = { ...record, lsn, generation: this.#generation, recordedTime };
    const durable = Promise.resolve().then(() => {
      this.frames.push(frame);
      this.#durable = lsn;
      for (const wake of this.#waiting.splice(0)) wake();
    });
    return { lsn, recordedTime, durable };
  }

  reader(from: Lsn): LogReader {
    let position = from;
    const wait = (signal?: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        this.#waiting.push(resolve);
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    const pending = (): Frame[] => this.frames.filter((frame) => frame.lsn >= position);
    return {
      get position() {
        return position;
      },
      async next(maxBytes, signal) {
        signal?.throwIfAborted();
        while (pending().length === 0) await wait(signal);
        const taken: Frame[] = [];
        let bytes = 0;
        for (const frame of pending()) {
          if (taken.length > 0 && bytes + frame.payload.length > maxBytes) break;
          taken.push(frame);
          bytes += frame.payload.length;
        }
        position = taken[taken.length - 1].lsn + 1;
        return taken;
      },
      close() {},
    };
  }

  lsnAt(time: number): Promise<Lsn> {
    return Promise.resolve(this.frames.find((frame) => frame.recordedTime >= time)?.lsn ?? this.#durable + 1);
  }

  pin(name: string, lsn: Lsn): void {
    this.pins.set(name, lsn);
  }

  unpin(name: string): void {
    this.pins.delete(name);
  }

  newGeneration(): Promise<void> {
    this.#generation++;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
