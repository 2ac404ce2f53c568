// The engine of history, in its worker: who owns head, files and DuckDB, and in what order things happen.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Micros, selectRows } from "@lineshaft/contract/api";
import {
  decodePoints,
  type HistoryStatus,
  type Lsn,
  type PointsRecord,
  recordType,
  type VerdictRecord,
} from "@lineshaft/contract/ports";
import { Duck } from "./duck.ts";
import type { StoredFile } from "./file-name.ts";
import { Files } from "./files.ts";
import { ChunkPool, exactBytesOf, Head } from "./head.ts";
import type { Judgement } from "./judge.ts";
import { Maintenance, type StoreHooks } from "./maintenance.ts";
import type { FrameBatch, HistoryLimits, RebuildPortion } from "./messages.ts";
import { Gathering, lateUs } from "./rebuild.ts";
import { RollupReader } from "./rollup.ts";
import { isNoSpace } from "./space.ts";
import { type Asked, askedOf, filesAsked, StoredInstants } from "./suspects.ts";
import { writeRun } from "./write.ts";

/** A look-up is begun anew when a compaction or damage took a file away from under it. */
const lookUpsMax = 20;

export class Store {
  readonly limits: HistoryLimits;
  readonly duck: Duck;
  readonly files: Files;
  readonly hooks: StoreHooks;
  readonly maintenance: Maintenance;
  /** Indexes of a hundred thousand tags in forty files. */
  readonly rollups = new RollupReader(32 * 1024 * 1024);
  readonly #pool: ChunkPool;
  #active: Head;
  /** Closed heads that are being written, oldest first: at most one, then `apply` waits. */
  #closing: Head[] = [];
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown = null;
  #turn: Promise<unknown> = Promise.resolve();
  #recordedTime: Micros | null = null;

  private constructor(limits: HistoryLimits, duck: Duck, files: Files, hooks: StoreHooks) {
    this.limits = limits;
    this.duck = duck;
    this.files = files;
    this.hooks = hooks;
    this.maintenance = new Maintenance(this);
    this.#pool = new ChunkPool(limits.headRows);
    this.#active = new Head(this.#pool, files.persistedLsn + 1);
    this.maintenance.kick();
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
    const { notes } = this.files.quarantine;
    const rowsOf = (parts: readonly { rows: number }[]): number => parts.reduce((sum, { rows }) => sum + rows, 0);
    return {
      state: this.#failure === null ? this.maintenance.state : "unavailable",
      appliedLsn: this.appliedLsn,
      persistedLsn: this.files.persistedLsn,
      verifiedLsn: this.files.verifiedLsn,
      frozenBeforeUs: this.files.frozenBeforeUs,
      rows: rowsOf(files.map((file) => file.meta)) + rowsOf(this.heads),
      files: files.length,
      bytes: this.files.bytes,
      quarantined: notes.map(({ file, fromUs, toUs, detail, rebuild }) => ({ file, fromUs, toUs, detail, rebuild })),
      needs: this.maintenance.needs,
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
    this.maintenance.tick(nowMs, null);
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
      this.#checkUsable();
    });
  }

  /** See the port. */
  async protect(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#active.lsnTo >= this.#active.lsnFrom) await this.#closeHead();
    });
    this.maintenance.protect(this.appliedLsn);
  }

  /** See the port. Not in turn: `apply` may be waiting for these rows. */
  rebuild(fromLsn: Lsn, batch: FrameBatch, portion: RebuildPortion): void {
    const gathering = this.maintenance.gather((note) => new Gathering(this.#pool, fromLsn, note.lsnTo), fromLsn);
    if (gathering === null || gathering.state !== "gathering") return;
    gathering.add(batch);
    if (portion === "more") return;
    gathering.end(portion === "complete");
    this.maintenance.kick();
  }

  /** See `Sources` in query.ts. */
  examine(files: readonly StoredFile[]): Promise<boolean> {
    return this.maintenance.examine(files);
  }

  async scrub(): Promise<{ files: number; damaged: string[] }> {
    const files = this.files.all;
    return { files: files.length, damaged: await this.maintenance.verify(files, true) };
  }

  /** Closes what is in memory and compacts until nothing is left to do. */
  async compact(): Promise<void> {
    await this.flush();
    await this.maintenance.everything();
  }

  newestTime(): Micros {
    if (this.#recordedTime !== null) return this.#recordedTime;
    return this.files.all.reduce((newest, file) => Math.max(newest, file.meta.toUs), 0);
  }

  async close(): Promise<void> {
    const maintained = this.maintenance.close();
    // Whoever waits for a rebuild waits in vain.
    await this.files.quarantine.close();
    await this.#turn;
    await this.#writing;
    await maintained;
    this.duck.close();
  }

  #checkUsable(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#closing.length > 0) throw new Error("History was closed before there was space for a run.");
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
    this.#checkUsable();
    const head = this.#active;
    this.#active = new Head(this.#pool, head.lsnTo + 1);
    this.#closing.push(head);
    this.#writing = this.#writeRun(head);
  }

  async #writeRun(head: Head): Promise<void> {
    const switched = (): void => {
      this.#closing = this.#closing.filter((other) => other !== head);
    };
    while (!this.maintenance.stopped) {
      try {
        await writeRun(this, head, { supersedes: [], switched });
        head.release();
        this.maintenance.spaceFound();
        this.maintenance.kick();
        return;
      } catch (error) {
        // The rows stay readable in memory and in the log; a restart applies them again.
        if (isNoSpace(error)) await this.maintenance.waitForSpace(error);
        else {
          this.#failure = error;
          this.hooks.event({ type: "unavailable", detail: `A run could not be written: ${String(error)}` });
          return;
        }
      }
    }
  }

  async #applyFrames(batch: FrameBatch, nowMs: number): Promise<VerdictRecord[]> {
    const records = decodeFrames(batch, this.appliedLsn, (lsn, error) =>
      this.hooks.event({ type: "frameUnreadable", lsn, detail: String(error) }),
    );
    const asked = askedOf(records);
    const stored = asked === null ? null : await this.#lookUp(asked);
    try {
      const verdicts: VerdictRecord[] = [];
      for (const { lsn, recordedTime, record } of records) {
        this.#active.beginFrame(lsn);
        this.#recordedTime = Math.max(this.#recordedTime ?? recordedTime, recordedTime);
        // Records without points age too: the log must not wait for a point to come.
        this.#active.openedMs ??= nowMs;
        if (record === null) continue;
        const verdict = this.#applyPoints(lsn, recordedTime, record, stored);
        if (verdict !== null) verdicts.push(verdict);
      }
      return verdicts;
    } finally {
      stored?.close();
    }
  }

  /** What stands at the instants of suspect rows. A lost file is waited for: without its rows, repeats would pass for news. */
  async #lookUp(asked: Asked): Promise<StoredInstants> {
    const { quarantine } = this.files;
    for (let attempt = 1; ; attempt++) {
      while (quarantine.notes.some((note) => note.rebuild !== "impossible" && concerns(note, asked))) {
        if (this.maintenance.stopped) throw new Error("History was closed before a damaged file was rebuilt.");
        await quarantine.change;
      }
      const files = filesAsked(this.files, asked);
      try {
        return await StoredInstants.load(this, asked);
      } catch (error) {
        if (this.maintenance.stopped || attempt === lookUpsMax) throw error;
        if (!(await this.examine(files))) throw error;
      }
    }
  }

  #applyPoints(
    lsn: Lsn,
    recordedTime: number,
    record: PointsRecord,
    stored: StoredInstants | null,
  ): VerdictRecord | null {
    const { columns, suspect } = record;
    const exact = exactBytesOf(columns);
    const judged = suspect.length === 0 || stored === null ? null : stored.judge(record, exact);
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

/** May the lost file hold rows at the instants that are asked for? */
function concerns(lost: { fromUs: Micros; toUs: Micros }, { times, originals }: Asked): boolean {
  return originals.tag.length > 0 || (lost.fromUs <= times.toUs && lost.toUs >= times.fromUs);
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
    if (batch.bytes[k] > 0 && batch.type[k] === recordType.points) {
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
