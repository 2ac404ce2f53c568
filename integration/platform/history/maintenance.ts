// What history does by itself, one job after the other: rebuild, copy, compact, retire, scrub.
import { join } from "node:path";
import { dayUs, type Micros } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";
import { compact } from "./compact.ts";
import { restoreCopy, verifyCopy, writeCopy } from "./copies.ts";
import type { Duck } from "./duck.ts";
import { type StoredFile, temporarySuffix } from "./file-name.ts";
import type { Files } from "./files.ts";
import type { HistoryEvent, HistoryLimits } from "./messages.ts";
import { planJob } from "./plan.ts";
import type { Quarantined } from "./quarantine.ts";
import type { Gathering } from "./rebuild.ts";
import { planRetirement } from "./retired.ts";
import { freeBytes, isNoSpace } from "./space.ts";
import { DamagedFile, isDamage, verify } from "./trailer.ts";
import { writeRun } from "./write.ts";

/** A run that no compaction has taken by then gets a copy of its own, so that the log need not wait for it. */
const runCopyAfterMs = 10 * 60_000;
/** Retention removes one day in so long, whatever the wall clock says. */
const retireEveryMs = 3_600_000;
const scrubEveryMs = 12 * 3_600_000;
/** A scrub reads no faster, unless it could not come round in time. */
const scrubBytesPerMs = 8 * 1024;
const spaceRetryMs = 5_000;
const failureRetryMs = 60_000;

const restoring = "Restoring a file";
const rebuilding = "Rebuilding a run";

export interface StoreHooks {
  event(event: HistoryEvent): void;
  /** Test hook: may kill the process. */
  crashPoint(name: string): Promise<void>;
}

interface Owner {
  readonly limits: HistoryLimits;
  readonly duck: Duck;
  readonly files: Files;
  readonly hooks: StoreHooks;
  /** The newest recordedTime, or at least the newest point. */
  newestTime(): Micros;
}

export class Maintenance {
  readonly #owner: Owner;
  readonly #stop = new AbortController();
  #chain: Promise<unknown> = Promise.resolve();
  #running = false;
  #again = false;
  /** Stops the compaction that runs; null: none does. */
  #compaction: AbortController | null = null;
  /** Monotonic time, and the wall clock, as last told; null before that. */
  #nowMs = 0;
  #nowUs: Micros | null = null;
  #pausedUntilMs = 0;
  #spaceIsShort = false;
  /** A job that failed for another reason than space rests until then; the others go on. */
  readonly #restsUntilMs = new Map<string, number>();
  #retireFromMs: number | null = null;
  #scrubFromMs = 0;
  #urgentLsn: Lsn = 0;
  readonly #gatherings = new Map<Lsn, Gathering>();
  readonly #firstSeenMs = new WeakMap<StoredFile, number>();
  readonly #checkedMs = new WeakMap<StoredFile, number>();
  #sleepers: { untilMs: number; wake: () => void }[] = [];

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  get state(): "ready" | "compacting" | "rebuilding" {
    if (this.#owner.files.quarantine.notes.some((note) => note.rebuild !== "impossible")) return "rebuilding";
    return this.#compaction !== null ? "compacting" : "ready";
  }

  get stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Looks for work; called whenever something may have come. */
  kick(): void {
    this.#again = true;
    // A compaction may take minutes, and can be done later; for lost rows people and judgement are waiting.
    if (this.#hasToRebuild) this.#compaction?.abort();
    if (this.#running) return;
    this.#running = true;
    void this.#inTurn(async () => {
      try {
        while (this.#again) {
          this.#again = false;
          while (await this.#step(false));
        }
      } finally {
        this.#running = false;
      }
    });
  }

  /** Compacts whatever can be compacted, and does all the rest, now. */
  everything(): Promise<void> {
    return this.#inTurn(async () => {
      while (await this.#step(true));
    });
  }

  tick(nowMs: number, nowUs: Micros | null): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    this.#nowUs = nowUs ?? this.#nowUs;
    this.#retireFromMs ??= nowMs + retireEveryMs;
    const due = this.#sleepers.filter((sleeper) => sleeper.untilMs <= this.#nowMs);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.untilMs > this.#nowMs);
    for (const { wake } of due) wake();
    this.kick();
  }

  /** The log wants to drop what stands in runs up to here. */
  protect(lsn: Lsn): void {
    this.#urgentLsn = Math.max(this.#urgentLsn, lsn);
    this.kick();
  }

  /** Waits a while for space; ends at once when history closes. */
  async waitForSpace(error: unknown): Promise<void> {
    this.#noSpace(error);
    if (this.stopped) return;
    await new Promise<void>((resolve) => this.#sleepers.push({ untilMs: this.#nowMs + spaceRetryMs, wake: resolve }));
  }

  /** Something could be written again. */
  spaceFound(): void {
    if (!this.#spaceIsShort) return;
    this.#spaceIsShort = false;
    this.#pausedUntilMs = 0;
    this.#owner.hooks.event({ type: "spaceFound" });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    for (const { wake } of this.#sleepers.splice(0)) wake();
    await this.#chain;
  }

  /** The rows of lost records; `gathering` is looked at when it is complete. */
  gather(start: (note: Quarantined) => Gathering, fromLsn: Lsn): Gathering | null {
    const note = this.#owner.files.quarantine.notes.find((n) => n.rebuild === "fromLog" && n.lsnFrom === fromLsn);
    if (note === undefined) {
      this.#gatherings.delete(fromLsn);
      return null;
    }
    const gathering = this.#gatherings.get(fromLsn) ?? start(note);
    this.#gatherings.set(fromLsn, gathering);
    return gathering;
  }

  /** Lost records that only the log can give back. */
  get needs(): { fromLsn: Lsn; toLsn: Lsn }[] {
    return this.#owner.files.quarantine.notes
      .filter(
        ({ rebuild, lsnFrom }) =>
          rebuild === "fromLog" && (this.#gatherings.get(lsnFrom)?.state ?? "gathering") === "gathering",
      )
      .map(({ lsnFrom, lsnTo }) => ({ fromLsn: lsnFrom, toLsn: lsnTo }));
  }

  /** Names of those files (and copies, if asked for) that are damaged; they are out of service now. */
  async verify(files: readonly StoredFile[], copies: boolean): Promise<string[]> {
    const damaged: string[] = [];
    for (const file of files) {
      if (this.stopped) break;
      const detail = await damageOf(() => verify(join(this.#owner.files.dir, file.name)));
      if (detail !== null) {
        if (await this.#setAside(file, detail)) damaged.push(file.name);
        continue;
      }
      this.#checkedMs.set(file, this.#nowMs);
      const copy = copies ? this.#owner.files.copyOf(file) : null;
      if (copy === null || (await damageOf(() => verifyCopy(copy))) === null) continue;
      if (!this.#owner.files.isValid(file)) continue;
      await this.#owner.files.dropCopy(file);
      damaged.push(`copies/${file.name}`);
    }
    if (damaged.length > 0) this.kick();
    return damaged;
  }

  /** A read of these files failed. True: some of them went out of service, by now or before, so it is worth another try. */
  async examine(files: readonly StoredFile[]): Promise<boolean> {
    const gone = (): boolean => files.some((file) => !this.#owner.files.isValid(file));
    if (!gone()) await this.verify(files, false);
    return gone();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#chain.then(work);
    this.#chain = result.catch(() => undefined);
    return result;
  }

  /** True when something was done. Rebuilding first: readers and judgement wait for it. */
  async #step(force: boolean): Promise<boolean> {
    const jobs: [string, () => Promise<boolean>][] = [
      [restoring, () => this.#restore()],
      [rebuilding, () => this.#rebuild()],
      ["Copying a file", () => this.#copy()],
      ["Compaction", () => this.#compact(force)],
      ["Retention", () => this.#retire()],
      ["Scrubbing", () => this.#scrub()],
    ];
    for (const [what, job] of jobs) {
      if (this.stopped) return false;
      if (this.#rests(what)) continue;
      try {
        if (await job()) return true;
      } catch (error) {
        if (this.stopped) return false;
        if (isNoSpace(error)) this.#noSpace(error);
        else {
          this.#restsUntilMs.set(what, this.#nowMs + failureRetryMs);
          this.#owner.hooks.event({ type: "maintenanceFailed", what, detail: String(error) });
        }
      }
    }
    return false;
  }

  get #hasToRebuild(): boolean {
    if (this.#paused || this.#rests(restoring) || this.#rests(rebuilding)) return false;
    if (this.#owner.files.quarantine.next("fromCopy") !== undefined) return true;
    return [...this.#gatherings.values()].some(({ state }) => state !== "gathering");
  }

  #noSpace(error: unknown): void {
    this.#pausedUntilMs = this.#nowMs + spaceRetryMs;
    if (this.#spaceIsShort) return;
    this.#spaceIsShort = true;
    this.#owner.hooks.event({ type: "spaceShort", detail: String(error) });
  }

  #rests(job: string): boolean {
    return this.#nowMs < (this.#restsUntilMs.get(job) ?? 0);
  }

  get #paused(): boolean {
    return this.#nowMs < this.#pausedUntilMs;
  }

  async #restore(): Promise<boolean> {
    const { files, hooks } = this.#owner;
    const note = files.quarantine.next("fromCopy");
    if (note === undefined || this.#paused) return false;
    const temporary = join(files.dir, note.file + temporarySuffix);
    try {
      const meta = await restoreCopy(files.copyPathOf(note), temporary);
      await hooks.crashPoint("K8");
      await files.giveBack(note, temporary, meta);
      hooks.event({ type: "rebuilt", file: note.file, rows: meta.rows });
    } catch (error) {
      if (!isDamage(error)) throw error;
      await files.copyIsLost(note, (error as Error).message);
    }
    this.spaceFound();
    return true;
  }

  async #rebuild(): Promise<boolean> {
    const { files, hooks } = this.#owner;
    const gathering = [...this.#gatherings.values()].find(({ state }) => state !== "gathering");
    if (gathering === undefined || this.#paused) return false;
    const { head, fromLsn } = gathering;
    const note = files.quarantine.notes.find((n) => n.lsnFrom === fromLsn && n.rebuild === "fromLog");
    if (note !== undefined) {
      const same = note.rows === null ? gathering.state === "complete" : note.rows === head.rows;
      // Said before the rows come back: they are not all.
      if (!same) await files.quarantine.giveUp(note, `The log gave back ${head.rows} of its points.`);
      if (same || head.rows > 0)
        await writeRun(this.#owner, head, { supersedes: [note.file], switched: () => undefined });
      if (same) await files.quarantine.heal(note);
      hooks.event({ type: "rebuilt", file: note.file, rows: head.rows });
    }
    this.#gatherings.delete(fromLsn);
    head.release();
    this.spaceFound();
    return true;
  }

  async #copy(): Promise<boolean> {
    const { files } = this.#owner;
    if (this.#paused) return false;
    const file = files.all.find((candidate) => files.copyOf(candidate) === null && this.#wantsCopy(candidate));
    if (file === undefined) return false;
    const path = join(files.dir, file.name);
    try {
      await files.addCopy(file, await writeCopy(path, files.temporaryCopyPath(file.name)));
    } catch (error) {
      if (!isDamage(error)) throw error;
      if (!(await this.examine([file]))) throw error;
    }
    this.spaceFound();
    return true;
  }

  /** Runs soon go into parts, and the log has them: a copy of each would be work for nothing. */
  #wantsCopy(file: StoredFile): boolean {
    if (file.kind !== "run" || file.lsnTo <= this.#urgentLsn) return true;
    const seenMs = this.#firstSeenMs.get(file) ?? this.#nowMs;
    this.#firstSeenMs.set(file, seenMs);
    return this.#nowMs - seenMs >= runCopyAfterMs;
  }

  async #compact(force: boolean): Promise<boolean> {
    const { files, hooks, limits } = this.#owner;
    if (this.#paused) return false;
    const job = planJob(files.all, this.#owner.newestTime(), { runsPerMerge: limits.runsPerMerge, force });
    if (job === null) return false;
    const needed = job.inputs.reduce((sum, file) => sum + file.bytes, 0) * 1.5;
    if ((await freeBytes(files.dir)) < needed) {
      this.#noSpace(`A compaction of ${job.inputs.length} files needs up to ${Math.ceil(needed)} bytes.`);
      return false;
    }
    const started = performance.now();
    const compaction = new AbortController();
    this.#compaction = compaction;
    try {
      const signal = AbortSignal.any([this.#stop.signal, compaction.signal]);
      const outputs = await compact(this.#owner, job, signal);
      const rows = outputs.reduce((sum, file) => sum + file.meta.rows, 0);
      const ms = performance.now() - started;
      hooks.event({ type: "compacted", inputs: job.inputs.length, outputs: outputs.length, rows, ms });
      this.spaceFound();
      return true;
    } catch (error) {
      if (this.stopped || isNoSpace(error)) throw error;
      if (compaction.signal.aborted) return true;
      if (await this.examine(job.inputs)) return true;
      throw error;
    } finally {
      this.#compaction = null;
    }
  }

  async #retire(): Promise<boolean> {
    const { files, limits, hooks } = this.#owner;
    if (limits.keepDays === 0 || this.#nowUs === null || this.#nowMs < (this.#retireFromMs ?? 0)) return false;
    const plan = planRetirement(files.all, this.#nowUs - limits.keepDays * dayUs);
    if (plan === null) return false;
    this.#retireFromMs = this.#nowMs + retireEveryMs;
    await files.retire(plan.files, plan.beforeUs);
    for (const { name, fromUs, toUs } of plan.files) hooks.event({ type: "retired", file: name, fromUs, toUs });
    return true;
  }

  /** One file at a time, the longest unchecked first; then a pause as long as its bytes are worth. */
  async #scrub(): Promise<boolean> {
    const { files } = this.#owner;
    if (this.#nowMs < this.#scrubFromMs) return false;
    let next: StoredFile | null = null;
    let oldest = this.#nowMs - scrubEveryMs;
    for (const file of files.all) {
      const checked = this.#checkedMs.get(file) ?? Number.NEGATIVE_INFINITY;
      if (checked > oldest) continue;
      oldest = checked;
      next = file;
    }
    if (next === null) return false;
    const rate = Math.max(scrubBytesPerMs, files.bytes / scrubEveryMs);
    this.#scrubFromMs = this.#nowMs + next.bytes / rate;
    await this.verify([next], true);
    return true;
  }

  async #setAside(file: StoredFile, detail: string): Promise<boolean> {
    const { files, hooks } = this.#owner;
    if (!(await files.quarantineFile(file, detail))) return false;
    hooks.event({ type: "quarantined", file: file.name, fromUs: file.fromUs, toUs: file.toUs, detail });
    return true;
  }
}

/** What is wrong with a file; null: nothing, or nothing that is its own fault. */
async function damageOf(check: () => Promise<unknown>): Promise<string | null> {
  try {
    await check();
    return null;
  } catch (error) {
    if (!isDamage(error)) return null;
    return error instanceof DamagedFile ? error.message : `It cannot be read: ${String(error)}`;
  }
}
