// The engine of history, in its worker: who owns head, files and DuckDB, and in what order things happen.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Micros, selectRows } from "@lineshaft/contract/api";
import {
  decodePoints,
  type HistoryStatus,
  type Lsn,
  type PointsRecord,
  type VerdictRecord,
} from "@lineshaft/contract/ports";
import { compact } from "./compact.ts";
import { Duck } from "./duck.ts";
import { Files, type StoredFile } from "./files.ts";
import { ChunkPool, exactBytesOf, Head } from "./head.ts";
import type { Judgement } from "./judge.ts";
import type { FrameBatch, HistoryEvent, HistoryLimits } from "./messages.ts";
import { planJob } from "./plan.ts";
import { RollupReader } from "./rollup.ts";
import { StoredInstants } from "./suspects.ts";
import { verify } from "./trailer.ts";
import { writeRun } from "./write.ts";

/** A row that came later than this after its sourceTime keeps its LSN, so that `asOf` is exact for it (DESIGN §7). */
export const lateUs = 60_000_000;

export interface StoreHooks {
  event(event: HistoryEvent): void;
  /** Test hook: may kill the process. */
  crashPoint(name: string): Promise<void>;
}

export class Store {
  readonly limits: HistoryLimits;
  readonly duck: Duck;
  readonly files: Files;
  readonly hooks: StoreHooks;
  /** Indexes of a hundred thousand tags in forty files. */
  readonly rollups = new RollupReader(32 * 1024 * 1024);
  readonly #pool: ChunkPool;
  #active: Head;
  /** Closed heads that are being written, oldest first: at most one, then `apply` waits. */
  #closing: Head[] = [];
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown = null;
  #turn: Promise<unknown> = Promise.resolve();
  #state: HistoryStatus["state"] = "ready";
  #recordedTime: Micros | null = null;
  #maintenance: Promise<void> = Promise.resolve();
  #maintaining = false;
  readonly #stop = new AbortController();

  private constructor(limits: HistoryLimits, duck: Duck, files: Files, hooks: StoreHooks) {
    this.limits = limits;
    this.duck = duck;
    this.files = files;
    this.hooks = hooks;
    this.#pool = new ChunkPool(limits.headRows);
    this.#active = new Head(this.#pool, files.persistedLsn + 1);
  }

  static async open(dir: string, limits: HistoryLimits, hooks: StoreHooks): Promise<Store> {
    await mkdir(dir, { recursive: true });
    const duck = await Duck.open(join(dir, "spill"), limits);
    const files = await Files.open(dir, duck, limits.openFiles);
    return new Store(limits, duck, files, hooks);
  }

  get appliedLsn(): Lsn {
    return this.#active.lsnTo;
  }

  get heads(): Head[] {
    return [...this.#closing, this.#active];
  }

  get status(): HistoryStatus {
    const files = this.files.all;
    const sum = (of: (x: (typeof files)[number]) => number): number =>
      files.reduce((total, file) => total + of(file), 0);
    return {
      state: this.#failure === null ? this.#state : "unavailable",
      appliedLsn: this.appliedLsn,
      persistedLsn: this.files.persistedLsn,
      verifiedLsn: this.files.persistedLsn,
      rows: sum((file) => file.meta.rows) + this.heads.reduce((total, head) => total + head.rows, 0),
      files: files.length,
      bytes: sum((file) => file.bytes),
      quarantined: this.files.quarantined.map(({ file, fromUs, toUs, detail }) => ({ file, fromUs, toUs, detail })),
    };
  }

  /** One at a time, in the order of the calls. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** `nowMs`: monotonic time of the call, for the age of the head. */
  apply(batch: FrameBatch, nowMs: number): Promise<VerdictRecord[]> {
    return this.#inTurn(async () => {
      if (this.#failure !== null) throw this.#failure;
      // A run closes only here, before this call's frames: it covers frames whose verdicts are in the log (see the port).
      if (this.#headIsDue(nowMs)) await this.#closeHead();
      return this.#applyFrames(batch, nowMs);
    });
  }

  /** Closes the head, if anything is in it, and waits until it is a file. */
  flush(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#active.lsnTo >= this.#active.lsnFrom) await this.#closeHead();
      await this.#writing;
      if (this.#failure !== null) throw this.#failure;
    });
  }

  /** See `Sources` in query.ts. */
  async examine(files: readonly StoredFile[], _error: unknown): Promise<boolean> {
    return (await this.#verify(files)).length > 0;
  }

  async scrub(): Promise<{ files: number; damaged: string[] }> {
    const files = this.files.all;
    return { files: files.length, damaged: await this.#verify(files) };
  }

  /** Names of the files that are damaged; they are in quarantine now. */
  async #verify(files: readonly StoredFile[]): Promise<string[]> {
    const damaged: string[] = [];
    for (const file of files) {
      try {
        await verify(join(this.files.dir, file.name));
      } catch (error) {
        if (!this.files.all.includes(file)) continue;
        const detail = error instanceof Error ? error.message : String(error);
        await this.files.quarantine(file, detail);
        damaged.push(file.name);
        this.hooks.event({ type: "quarantined", file: file.name, fromUs: file.fromUs, toUs: file.toUs, detail });
      }
    }
    return damaged;
  }

  /** Closes what is in memory and compacts until nothing is left to do. */
  async compact(): Promise<void> {
    await this.flush();
    await this.#maintenance;
    while (await this.#compactOnce(true));
  }

  /** In the background, one job after the other, while there is something to do. */
  #maintain(): void {
    if (this.#maintaining) return;
    this.#maintaining = true;
    this.#maintenance = this.#maintenance.then(async () => {
      try {
        while (!this.#stop.signal.aborted && (await this.#compactOnce(false)));
      } finally {
        this.#maintaining = false;
      }
    });
  }

  /** True when it did something. */
  async #compactOnce(force: boolean): Promise<boolean> {
    const job = planJob(this.files.all, this.#newestTime(), { runsPerMerge: this.limits.runsPerMerge, force });
    if (job === null || this.#stop.signal.aborted) return false;
    const started = performance.now();
    this.#state = "compacting";
    try {
      const outputs = await compact(this, job, this.#stop.signal);
      const rows = outputs.reduce((sum, file) => sum + file.meta.rows, 0);
      const ms = performance.now() - started;
      this.hooks.event({ type: "compacted", inputs: job.inputs.length, outputs: outputs.length, rows, ms });
      return true;
    } catch (error) {
      if (this.#stop.signal.aborted) return false;
      const damaged = await this.#verify(job.inputs);
      if (damaged.length === 0) this.hooks.event({ type: "compactionFailed", detail: String(error) });
      return damaged.length > 0;
    } finally {
      this.#state = "ready";
    }
  }

  /** The newest recordedTime, or at least the newest point. */
  #newestTime(): Micros {
    if (this.#recordedTime !== null) return this.#recordedTime;
    return this.files.all.reduce((newest, file) => Math.max(newest, file.meta.toUs), 0);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#turn;
    await this.#writing;
    await this.#maintenance;
    this.duck.close();
  }

  #headIsDue(nowMs: number): boolean {
    const head = this.#active;
    if (head.openedMs === null) return false;
    return (
      head.rows >= this.limits.headRows ||
      head.exactBytes >= this.limits.headExactBytes ||
      nowMs - head.openedMs >= this.limits.headMs
    );
  }

  async #closeHead(): Promise<void> {
    // Back-pressure: with one head being written and one full, the caller waits.
    await this.#writing;
    if (this.#failure !== null) throw this.#failure;
    const head = this.#active;
    this.#active = new Head(this.#pool, head.lsnTo + 1);
    this.#closing.push(head);
    this.#writing = this.#writeRun(head);
  }

  async #writeRun(head: Head): Promise<void> {
    try {
      await writeRun(this, head);
      this.#closing = this.#closing.filter((other) => other !== head);
      head.release();
      this.#maintain();
    } catch (error) {
      // The rows stay readable in memory and in the log; a restart applies them again.
      this.#failure = error;
      this.hooks.event({ type: "unavailable", detail: `A run could not be written: ${String(error)}` });
    }
  }

  async #applyFrames(batch: FrameBatch, nowMs: number): Promise<VerdictRecord[]> {
    const records = decodeFrames(batch, this.appliedLsn, (lsn, error) =>
      this.hooks.event({ type: "frameUnreadable", lsn, detail: String(error) }),
    );
    const stored = await StoredInstants.load(this, records);
    const verdicts: VerdictRecord[] = [];
    for (const { lsn, recordedTime, record } of records) {
      this.#active.beginFrame(lsn);
      this.#recordedTime = Math.max(this.#recordedTime ?? recordedTime, recordedTime);
      if (record === null) continue;
      this.#active.openedMs ??= nowMs;
      const verdict = this.#applyPoints(lsn, recordedTime, record, stored);
      if (verdict !== null) verdicts.push(verdict);
    }
    return verdicts;
  }

  #applyPoints(lsn: Lsn, recordedTime: number, record: PointsRecord, stored: StoredInstants): VerdictRecord | null {
    const { columns, suspect } = record;
    const exact = exactBytesOf(columns);
    const judged = suspect.length === 0 ? null : stored.judge(record, exact);
    const onTimeFrom = recordedTime - lateUs;
    let next = 0;
    for (let i = 0; i < columns.rows; i++) {
      let known = columns.time[i] < onTimeFrom;
      let correction = false;
      if (judged !== null && suspect[next] === i) {
        const judgement = judged[next++];
        if (judgement === "repeat") continue;
        known = true;
        correction = judgement === "correction";
      }
      this.#active.add(columns, i, known, correction, exact?.get(i));
    }
    return judged === null ? null : verdictOf(lsn, record, judged);
  }
}

function verdictOf(lsn: Lsn, record: PointsRecord, judged: Judgement[]): VerdictRecord {
  const kept: number[] = [];
  const corrected: number[] = [];
  judged.forEach((judgement, k) => {
    if (judgement === "repeat") return;
    if (judgement === "correction") corrected.push(kept.length);
    kept.push(record.suspect[k]);
  });
  return {
    batchLsn: lsn,
    connectionId: record.connectionId,
    new: kept.length - corrected.length,
    repeats: judged.length - kept.length,
    corrections: corrected.length,
    corrected,
    columns: selectRows(record.columns, kept),
  };
}

export interface DecodedFrame {
  lsn: Lsn;
  recordedTime: number;
  /** null: a record that history does not keep. */
  record: PointsRecord | null;
}

function decodeFrames(
  batch: FrameBatch,
  appliedLsn: Lsn,
  unreadable: (lsn: Lsn, error: unknown) => void,
): DecodedFrame[] {
  const frames: DecodedFrame[] = [];
  for (let k = 0; k < batch.lsn.length; k++) {
    const lsn = batch.lsn[k];
    if (lsn <= appliedLsn) continue;
    let record: PointsRecord | null = null;
    if (batch.bytes[k] > 0) {
      try {
        record = decodePoints(batch.payload.subarray(batch.offset[k], batch.offset[k] + batch.bytes[k]));
      } catch (error) {
        // Its checksum was right, so it was written so: no retry will mend it, and the stream must go on.
        unreadable(lsn, error);
      }
    }
    frames.push({ lsn, recordedTime: batch.recordedTime[k], record });
  }
  return frames;
}
