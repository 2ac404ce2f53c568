// Hot path: append and commit. The writer of the log: group commit, fail-stop, disk-full, retention.
import { type Micros, ProblemError } from "@lineshaft/contract/api";
import {
  type Clock,
  type Disk,
  type DiskFile,
  encodeJson,
  type Log,
  type LogReader,
  type LogStatus,
  type Lsn,
  type NewRecord,
  recordType,
} from "@lineshaft/contract/ports";
import type { LogEventSink } from "./events.ts";
import { payloadBytesMax } from "./frame.ts";
import { LatencyHistogram } from "./histogram.ts";
import type { LogOptions, Settings } from "./options.ts";
import { checkNotExpired, type ReadView, SegmentReader } from "./reader.ts";
import { type Recovered, writeClosed } from "./recovery.ts";
import { planRetention } from "./retention.ts";
import { SegmentScanner } from "./scan.ts";
import { emptySegment, lsnBefore, noteFrame, type Segment, seek, withFile } from "./segment.ts";
import { isFull, judgeSpace } from "./space.ts";
import { RecordClock } from "./stamp.ts";
import { MemoryTail } from "./tail.ts";

/** Records that are committed together. */
interface Group {
  records: number;
  bytes: number;
  firstLsn: Lsn;
  firstTime: Micros;
  lastLsn: Lsn;
  lastTime: Micros;
  previousLsn: Lsn;
  generation: number;
  durable: PromiseWithResolvers<void>;
}

const hourMs = 3_600_000;
const scanBytes = 1024 * 1024;

/** Records that sources cause. They wait at a bound; what the platform itself must say may still be written. */
const fromSources: ReadonlySet<number> = new Set([recordType.points, recordType.tagRegistered, recordType.rejected]);

export class SegmentLog implements Log, ReadView {
  readonly disk: Disk;
  readonly tail: MemoryTail;
  readonly quarantine: Recovered["quarantine"];
  readonly segments: Segment[];
  durableLsn: Lsn;
  droppedLsn: Lsn;

  readonly #dir: string;
  readonly #clock: Clock;
  readonly #settings: Settings;
  readonly #emit: LogEventSink;
  readonly #crash: LogOptions["crashPoint"];
  readonly #stamp: RecordClock;
  readonly #latency = new LatencyHistogram();
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();
  readonly #pins = new Map<string, Lsn>();

  #state: "writable" | "failed" | "closed" = "writable";
  /** Why nothing is accepted for now: the disk said so, it is nearly full, or the byte bound is held by a pin. */
  #full: "space" | "watermark" | "bound" | null = null;
  #generation: number;
  #generationDue = false;
  #nextLsn: Lsn;
  #numberedFrom: Lsn;
  /** Left over from earlier runs; they go as soon as this run's first segment stands. */
  #empty: Segment[];
  #lastAppended: Lsn;
  #pending: Group | null = null;
  #committing: Promise<void> | null = null;
  #inFlight: { sinceMs: number; records: number; bytes: number; reported: boolean } | null = null;
  #active: { segment: Segment; file: DiskFile; sinceMs: number } | null = null;
  #bytes = 0;
  #lowReported = false;
  #slowReportedMs = -Infinity;
  #spaceCheckedMs = -Infinity;
  #retainedMs: number;
  #retaining: Promise<void> | null = null;
  #probing: Promise<void> | null = null;
  #doubtful: { lsn: Lsn; sinceMs: number } | null = null;
  #doubtfulDroppedMs = -Infinity;

  constructor(options: LogOptions, settings: Settings, emit: LogEventSink, found: Recovered) {
    this.disk = options.disk;
    this.quarantine = found.quarantine;
    this.segments = found.segments;
    this.durableLsn = found.durableLsn;
    const first = found.segments[0];
    this.droppedLsn = first === undefined ? 0 : lsnBefore(first);
    this.#dir = options.dir;
    this.#clock = options.clock;
    this.#settings = settings;
    this.#emit = emit;
    this.#crash = options.crashPoint;
    this.tail = new MemoryTail(settings.tailBytes);
    this.#generation = found.generation;
    this.#lastAppended = found.durableLsn;
    this.#empty = found.empty;
    // Numbers that were handed out before a crash but never reached the disk are not given again. There were fewer than `burnt` above
    // the last durable record and above the segment that each run creates before it hands out any.
    const known = Math.max(found.durableLsn, found.namedLsn);
    this.#nextLsn = known === 0 ? 1 : (found.closedAt ?? known + settings.burnt) + 1;
    this.#numberedFrom = this.#nextLsn;
    for (const segment of found.segments) this.#bytes += segment.bytes;
    const nowMs = this.#clock.monotonicMs();
    this.#retainedMs = nowMs;
    // Older than an hour: was the machine off, or is the clock wrong? Until the window has passed, age is not believed.
    if (this.#clock.nowUs() - found.lastTime > hourMs * 1000) this.#doubt(nowMs);
    this.#stamp = new RecordClock(this.#clock, found.lastTime, settings.clockJumpMs, (fromUs, toUs) => {
      const seconds = ((toUs - fromUs) / 1e6).toFixed(1);
      const text = `The wall clock jumped by ${seconds} s. The order of records is not affected.`;
      this.#doubt(this.#clock.monotonicMs());
      emit({ code: "clock_jump", text, fromUs, toUs });
    });
    if (found.failure !== null) this.#fail("making the newest segment durable", found.failure);
  }

  /** Called once after construction: the first record of a fresh log, and the bounds. */
  async start(): Promise<void> {
    this.#generationDue = this.#generation === 0;
    if (this.#state === "writable") await this.#takeUp();
    await this.#checkSpace();
    this.#retain();
  }

  get closed(): boolean {
    return this.#state === "closed";
  }

  get status(): LogStatus {
    return {
      state: this.#state === "writable" && this.#full !== null ? "diskFull" : this.#state,
      generation: this.#generation,
      firstLsn: this.segments[0]?.firstLsn ?? this.droppedLsn + 1,
      durableLsn: this.durableLsn,
      bytes: this.#bytes,
      segments: this.segments.length,
      commitP50Ms: this.#latency.quantile(0.5),
      commitP99Ms: this.#latency.quantile(0.99),
      quarantined: this.quarantine.items,
    };
  }

  append(record: NewRecord): { lsn: Lsn; recordedTime: Micros; durable: Promise<void> } {
    const { length } = record.payload;
    if (length > payloadBytesMax) throw new RangeError(`A record has at most ${payloadBytesMax} bytes, not ${length}.`);
    const recordedTime = this.#stamp.next();
    const refusal = this.#refusal(record);
    if (refusal !== null) return { lsn: 0, recordedTime, durable: Promise.reject(refusal) };
    this.#watchCommit();

    const lsn = this.#nextLsn++;
    this.#pending ??= {
      records: 0,
      bytes: 0,
      firstLsn: lsn,
      firstTime: recordedTime,
      lastLsn: lsn,
      lastTime: recordedTime,
      previousLsn: this.#lastAppended,
      generation: this.#generation,
      durable: Promise.withResolvers(),
    };
    const group = this.#pending;
    const { tenant, partition, type, payload } = record;
    group.bytes += this.tail.append(
      { tenant, partition, type, payload, lsn, generation: this.#generation, recordedTime },
      this.#settings.salt,
      this.#lastAppended,
    );
    group.records++;
    group.lastLsn = lsn;
    group.lastTime = recordedTime;
    this.#lastAppended = lsn;
    this.#committing ??= this.#commitAll();
    return { lsn, recordedTime, durable: group.durable.promise };
  }

  reader(from: Lsn): LogReader {
    checkNotExpired(this, from === 0 ? 1 : from);
    return new SegmentReader(this, from);
  }

  onChange(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  async lsnAt(time: Micros): Promise<Lsn> {
    const segments = [...this.segments];
    for (let i = 0; i < segments.length; i++) {
      const segment = segments[i];
      const next = segments[i + 1];
      // Within a generation a segment's last record is not newer than the next one's first.
      const newest =
        segment.lastTime !== 0 ? segment.lastTime : next?.generation === segment.generation ? next.firstTime : Infinity;
      if (newest < time) continue;
      const lsn = await withFile(this.disk, segment.path, (file) => this.#firstAt(file, segment, time)).catch(
        (error) => {
          // Retention took it meanwhile.
          if (!this.segments.includes(segment)) return null;
          throw error;
        },
      );
      if (lsn !== null) return lsn;
    }
    return this.durableLsn + 1;
  }

  pin(name: string, lsn: Lsn): void {
    this.#pins.set(name, lsn);
    if (this.#full === "bound") this.#retain();
  }

  unpin(name: string): void {
    this.#pins.delete(name);
    if (this.#full === "bound") this.#retain();
  }

  async newGeneration(): Promise<void> {
    // A segment holds one generation, so what is under way goes first.
    while (this.#committing !== null) await this.#committing;
    const before = this.#active;
    this.#active = null;
    this.#stamp.restart();
    this.#generationDue = true;
    // Its record is appended before anything else can be.
    const started = this.#startGeneration();
    await before?.file.close();
    await started;
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    const failed = this.#state === "failed";
    const last = this.#committing;
    this.#state = "closed";
    this.#stop.abort();
    await last;
    await this.#retaining;
    await this.#probing;
    const unused = this.#active?.segment.bytes === 0 ? this.#active.segment.path : null;
    await this.#closeActive().catch(() => {});
    this.#wakeReaders();
    if (failed) return;
    try {
      await writeClosed(this.disk, this.#dir, { lastLsn: this.#nextLsn - 1, durableLsn: this.durableLsn });
      // Until then its name was what vouched for the numbers.
      if (unused !== null) await this.disk.remove(unused);
    } catch {
      // Without the hint the numbers jump at the next start.
    }
  }

  // ── appending ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #refusal(record: NewRecord): ProblemError | null {
    if (this.#state === "closed") return new ProblemError("shutting_down", "The log is closed.");
    if (this.#state === "failed") return unavailable();
    if (this.#full === "space" || (this.#full !== null && fromSources.has(record.type))) return this.#fullProblem();
    const { pendingRecordsMax, pendingBytesMax } = this.#settings;
    const waiting = this.#pending;
    if (waiting !== null && (waiting.records >= pendingRecordsMax || waiting.bytes >= pendingBytesMax))
      return new ProblemError("overloaded", `${waiting.records} records wait for the disk; no more are taken.`, {
        retryAfterSeconds: 1,
      });
    // A restart must be able to tell how many numbers were given. Only a disk that says it has space and then has none leads here.
    const unwritten = this.#nextLsn - Math.max(this.durableLsn, this.#numberedFrom);
    if (unwritten >= this.#settings.burnt / 2 && this.#committing !== null)
      return new ProblemError("overloaded", "One record at a time until the disk takes them again.", {
        retryAfterSeconds: 1,
      });
    if (unwritten >= this.#settings.burnt - 1) {
      this.#fail("numbering", new Error("too many records in a row could not be written"));
      return unavailable();
    }
    return null;
  }

  #fullProblem(): ProblemError {
    const why = {
      space: `The disk of ${this.#dir} is full.`,
      watermark: `The disk of ${this.#dir} is nearly full; the rest is kept for finishing what is stored.`,
      bound: `The log holds its ${this.#settings.maxBytes} bytes and a consumer still needs the oldest.`,
    } as const;
    return new ProblemError("disk_full", why[this.#full ?? "space"], { retryAfterSeconds: 5 });
  }

  // ── commit ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #commitAll(): Promise<void> {
    // One turn of the microtask queue, so that what is appended together is committed together.
    await null;
    for (let group = this.#pending; group !== null; group = this.#pending) {
      this.#pending = null;
      await this.#commit(group);
    }
    this.#committing = null;
  }

  async #commit(group: Group): Promise<void> {
    const sinceMs = this.#clock.monotonicMs();
    this.#inFlight = { sinceMs, records: group.records, bytes: group.bytes, reported: false };
    const parts = this.tail.take(this.durableLsn);
    let step: "write" | "sync" = "write";
    let written: { segment: Segment; file: DiskFile };
    try {
      written = await this.#place(group);
      await written.file.write(written.segment.bytes, parts);
      this.#crash?.("K2");
      step = "sync";
      await written.file.sync();
    } catch (error) {
      this.#inFlight = null;
      if (step === "write" && isFull(error)) await this.#turnFull(group, error);
      else this.#fail(step === "sync" ? "syncing" : "writing", error, group);
      return;
    }
    this.#crash?.("K3");
    this.#note(written.segment, group);
    this.tail.commit();
    this.#latency.add(this.#clock.monotonicMs() - sinceMs);
    this.#watchCommit();
    this.#inFlight = null;
    group.durable.resolve();
    if (this.#crash) {
      // Only when a crash is planned: let the acknowledgement leave first.
      await new Promise((resolve) => setImmediate(resolve));
      this.#crash("K4");
    }
    this.#wakeReaders();
    await this.#keepHouse();
  }

  #note(segment: Segment, group: Group): void {
    if (segment.bytes === 0) {
      segment.generation = group.generation;
      segment.previousLsn = group.previousLsn;
      this.segments.push(segment);
    }
    noteFrame(segment, { lsn: group.firstLsn, recordedTime: group.firstTime }, segment.bytes);
    segment.lastLsn = group.lastLsn;
    segment.lastTime = group.lastTime;
    segment.bytes += group.bytes;
    this.#bytes += group.bytes;
    this.durableLsn = group.lastLsn;
  }

  /** The file and segment for the group: the one in use, or a new one when that is full or old. */
  async #place(group: Group): Promise<{ segment: Segment; file: DiskFile }> {
    if (this.#active !== null) {
      const { segment, sinceMs } = this.#active;
      const tooLarge = segment.bytes > 0 && segment.bytes + group.bytes > this.#settings.segmentBytes;
      // Retention drops whole segments: under little load one must not grow for ever.
      const tooOld = segment.bytes > 0 && this.#clock.monotonicMs() - sinceMs > this.#settings.windowMs / 8;
      if (!tooLarge && !tooOld) return this.#active;
      await this.#closeActive();
      this.#crash?.("K5");
      this.#retainedMs = -Infinity;
    }
    return this.#begin(group.firstLsn);
  }

  /** A new segment, its name durable. */
  async #begin(firstLsn: Lsn): Promise<{ segment: Segment; file: DiskFile }> {
    const segment = emptySegment(this.#dir, firstLsn, this.#settings.salt);
    const file = await this.disk.open(segment.path, "create");
    this.#active = { segment, file, sinceMs: this.#clock.monotonicMs() };
    try {
      await this.disk.syncDir(this.#dir);
    } catch (error) {
      // A directory that cannot be synced is a failed sync, whatever the code says.
      throw Object.assign(new Error(`Syncing ${this.#dir} failed.`, { cause: error }), { code: "EIO" });
    }
    return this.#active;
  }

  /** What must be on the disk before numbers are handed out: the first segment of this run. Without space it is tried again later. */
  async #takeUp(): Promise<void> {
    try {
      if (this.#active === null) await this.#begin(this.#nextLsn);
      for (const segment of this.#empty.splice(0)) await this.disk.remove(segment.path).catch(() => {});
      if (this.#generationDue) await this.#startGeneration();
    } catch (error) {
      if (!isFull(error)) return this.#fail("starting a segment", error);
      this.#full = "space";
      this.#emit({
        code: "disk_full",
        text: `The disk of ${this.#dir} is full. Nothing is accepted until there is space.`,
      });
      this.#startProbing();
    }
  }

  async #closeActive(): Promise<void> {
    const active = this.#active;
    this.#active = null;
    await active?.file.close();
  }

  /** A slow disk is told once while it lasts, also while the commit is still in flight (F10). */
  #watchCommit(): void {
    const commit = this.#inFlight;
    if (commit === null || commit.reported) return;
    const nowMs = this.#clock.monotonicMs();
    const ms = nowMs - commit.sinceMs;
    if (ms < this.#settings.slowCommitMs) return;
    commit.reported = true;
    if (nowMs - this.#slowReportedMs < 60_000) return;
    this.#slowReportedMs = nowMs;
    const text = `A commit of ${commit.records} records (${commit.bytes} bytes) has taken ${Math.round(ms)} ms; the disk is slow.`;
    this.#emit({ code: "slow_commit", text, ms });
  }

  #wakeReaders(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  // ── when the disk fails ────────────────────────────────────────────────────────────────────────────────────────────

  /** The writer is dead for good: what reached the disk is unknown, and asking again would not tell (FAULTS 1.2). */
  #fail(what: string, cause: unknown, group?: Group): void {
    this.#state = "failed";
    const problem = unavailable(cause);
    group?.durable.reject(problem);
    this.#pending?.durable.reject(problem);
    this.#pending = null;
    this.tail.discard();
    void this.#closeActive().catch(() => {});
    const text = `${what[0].toUpperCase()}${what.slice(1)} failed (${String((cause as Error)?.message)}). Nothing more is acknowledged until a restart; reading goes on.`;
    this.#emit({ code: "storage_failed", text });
  }

  /** Nothing of the group is kept. The numbers stay burnt. */
  async #turnFull(group: Group, cause: unknown): Promise<void> {
    this.#full = "space";
    const problem = new ProblemError("disk_full", `The disk of ${this.#dir} is full.`, { cause, retryAfterSeconds: 5 });
    const { segment, file } = this.#active ?? {};
    try {
      // Half a group behind the last record would come back as records after a crash, though they were refused.
      await file?.truncate(segment?.bytes ?? 0);
      await file?.sync();
    } catch (error) {
      this.#fail("taking back a write", error, group);
      return;
    }
    group.durable.reject(problem);
    this.#pending?.durable.reject(problem);
    this.#pending = null;
    this.tail.discard();
    this.#lastAppended = this.durableLsn;
    this.#emit({ code: "disk_full", text: `${problem.message} Nothing is accepted until there is space.` });
    this.#startProbing();
  }

  #startProbing(): void {
    this.#probing ??= this.#probe();
  }

  async #probe(): Promise<void> {
    while (this.#state === "writable" && (this.#full === "space" || this.#full === "watermark")) {
      try {
        await this.#clock.sleep(this.#settings.probeMs, this.#stop.signal);
      } catch {
        break;
      }
      await this.#checkSpace();
    }
    this.#probing = null;
  }

  async #checkSpace(): Promise<void> {
    this.#spaceCheckedMs = this.#clock.monotonicMs();
    const space = await this.disk.space(this.#dir).catch(() => null);
    if (space === null || this.#state !== "writable") return;
    const verdict = judgeSpace(space, this.#settings.space, this.#full === "space" || this.#full === "watermark");
    const free = `${Math.round(space.freeBytes / 1e6)} of ${Math.round(space.totalBytes / 1e6)} MB are free`;
    if (verdict === "refuse" && this.#full !== "space" && this.#full !== "watermark") {
      this.#full = "watermark";
      this.#emit({
        code: "disk_full",
        text: `The disk of ${this.#dir} is nearly full (${free}). Sources are refused.`,
      });
      this.#startProbing();
    } else if (verdict !== "refuse" && (this.#full === "space" || this.#full === "watermark")) {
      this.#full = null;
      this.#emit({ code: "disk_recovered", text: `The disk of ${this.#dir} has space again (${free}).` });
      await this.#takeUp();
    }
    if (verdict === "ok") this.#lowReported = false;
    else if (!this.#lowReported) {
      this.#lowReported = true;
      this.#emit({ code: "disk_low", text: `The disk of ${this.#dir} is getting full: ${free}.`, ...space });
    }
  }

  // ── generations, retention, time ───────────────────────────────────────────────────────────────────────────────────

  async #startGeneration(): Promise<void> {
    this.#generation++;
    this.#generationDue = false;
    const payload = encodeJson({ generation: this.#generation });
    const { durable } = this.append({ tenant: 0, partition: 0, type: recordType.generationStarted, payload });
    try {
      await durable;
    } catch (error) {
      // On a full disk the record comes first when there is space again.
      if (!(error instanceof ProblemError) || error.code !== "disk_full") throw error;
      this.#generation--;
      this.#generationDue = true;
    }
  }

  async #keepHouse(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#spaceCheckedMs >= 1_000) await this.#checkSpace();
    if (nowMs - this.#retainedMs >= 60_000) this.#retain();
  }

  #doubt(nowMs: number): void {
    if (this.segments.length > 0) this.#doubtful = { lsn: this.durableLsn, sinceMs: nowMs };
  }

  #retain(): void {
    this.#retaining ??= this.#dropOld().finally(() => {
      this.#retaining = null;
    });
  }

  async #dropOld(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    this.#retainedMs = nowMs;
    const { windowMs, maxBytes } = this.#settings;
    if (this.#doubtful !== null && nowMs - this.#doubtful.sinceMs > windowMs) this.#doubtful = null;
    const plan = planRetention({
      nowUs: this.#clock.nowUs(),
      segments: this.segments,
      totalBytes: this.#bytes,
      windowMs,
      maxBytes,
      pinnedLsn: Math.min(Infinity, ...this.#pins.values()),
      doubtfulLsn: this.#doubtful?.lsn ?? 0,
      mayDropDoubtful: nowMs - this.#doubtfulDroppedMs >= hourMs,
    });
    if (plan.droppedDoubtful) this.#doubtfulDroppedMs = nowMs;
    if (plan.drop > 0) this.#crash?.("K6");
    for (const segment of this.segments.splice(0, plan.drop)) {
      this.droppedLsn = Math.max(this.droppedLsn, lsnBefore(this.segments[0]));
      this.#bytes -= segment.bytes;
      const text = `${segment.name} left the window.`;
      // A file that cannot be removed is found again at the next start.
      await this.disk.remove(segment.path).catch(() => {});
      this.#emit({ code: "segment_dropped", text, name: segment.name, toLsn: this.droppedLsn });
    }
    if (plan.blocked && this.#full === null) {
      this.#full = "bound";
      this.#emit({ code: "disk_full", text: `${this.#fullProblem().message} Sources are refused.` });
    } else if (!plan.blocked && this.#full === "bound") {
      this.#full = null;
      this.#emit({ code: "disk_recovered", text: "The log is below its bound again." });
    }
  }

  async #firstAt(file: DiskFile, segment: Segment, time: Micros): Promise<Lsn | null> {
    const start = seek(segment, (entry) => entry.time < time);
    const scanner = new SegmentScanner(file, segment.salt, () => segment.bytes, start);
    for (let block = await scanner.next(scanBytes); block !== null; block = await scanner.next(scanBytes)) {
      const frame = block.frames.find((f) => f.recordedTime >= time);
      if (frame !== undefined) return frame.lsn;
    }
    return null;
  }
}

const unavailable = (cause?: unknown): ProblemError =>
  new ProblemError("storage_unavailable", "The log could not be written, so nothing is acknowledged.", { cause });
