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
import { type BoundedLog, Bounds, isSuspiciousGap } from "./bounds.ts";
import type { LogEventSink } from "./events.ts";
import { payloadBytesMax } from "./frame.ts";
import { LatencyHistogram } from "./histogram.ts";
import type { LogOptions, Settings } from "./options.ts";
import { checkNotExpired, type ReadView, SegmentReader } from "./reader.ts";
import { type Recovered, writeClosed } from "./recovery.ts";
import { SegmentScanner } from "./scan.ts";
import { emptySegment, lsnBefore, noteFrame, type Segment, seek, withFile } from "./segment.ts";
import { isFull } from "./space.ts";
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

const scanBytes = 1024 * 1024;

export class SegmentLog implements Log, ReadView, BoundedLog {
  readonly disk: Disk;
  readonly tail: MemoryTail;
  readonly quarantine: Recovered["quarantine"];
  readonly segments: Segment[];
  durableLsn: Lsn;
  droppedLsn: Lsn;
  bytes = 0;

  readonly #dir: string;
  readonly #clock: Clock;
  readonly #settings: Settings;
  readonly #emit: LogEventSink;
  readonly #crash: LogOptions["crashPoint"];
  readonly #stamp: RecordClock;
  readonly #latency = new LatencyHistogram();
  readonly #waiting = new Set<() => void>();
  readonly #bounds: Bounds;

  #state: "writable" | "failed" | "closing" | "closed" = "writable";
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
  #slowReportedMs = -Infinity;
  #segmentClosed = false;
  #closing: Promise<void> | null = null;

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
    for (const segment of found.segments) this.bytes += segment.bytes;
    const { dir, disk, clock, crashPoint } = options;
    this.#bounds = new Bounds(this, { dir, disk, clock, settings, emit, crashPoint });
    // Was the machine off, or is the clock wrong? Until the window has passed, age is not believed.
    if (isSuspiciousGap(clock.nowUs(), found.lastTime)) this.#bounds.doubtAge();
    this.#stamp = new RecordClock(clock, found.lastTime, settings.clockJumpMs, (fromUs, toUs) => {
      const seconds = ((toUs - fromUs) / 1e6).toFixed(1);
      this.#bounds.doubtAge();
      const text = `The wall clock jumped by ${seconds} s. The order of records is not affected.`;
      emit({ code: "clock_jump", text, fromUs, toUs });
    });
    if (found.failure !== null) this.#fail("making the newest segment durable", found.failure);
  }

  /** Called once after construction: the first record of a fresh log, and the bounds. */
  async start(): Promise<void> {
    this.#generationDue = this.#generation === 0;
    await this.takeUp();
    await this.#bounds.checkSpace();
    this.#bounds.retain();
  }

  get closed(): boolean {
    return this.#state === "closed";
  }

  get status(): LogStatus {
    return {
      state: this.#shownState(),
      generation: this.#generation,
      firstLsn: this.segments[0]?.firstLsn ?? this.droppedLsn + 1,
      durableLsn: this.durableLsn,
      bytes: this.bytes,
      segments: this.segments.length,
      commitP50Ms: this.#latency.quantile(0.5),
      commitP99Ms: this.#latency.quantile(0.99),
      quarantined: this.quarantine.items,
    };
  }

  #shownState(): LogStatus["state"] {
    if (this.#state === "closing") return "closed";
    return this.#state === "writable" && this.#bounds.full ? "diskFull" : this.#state;
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
    this.#bounds.pin(name, lsn);
  }

  unpin(name: string): void {
    this.#bounds.unpin(name);
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

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#state === "writable") this.#state = "closing";
    await this.#committing;
    const orderly = this.#state === "closing";
    this.#state = "closed";
    await this.#bounds.stop();
    const unused = this.#active?.segment.bytes === 0 ? this.#active.segment.path : null;
    await this.#closeActive().catch(() => {});
    this.#wakeReaders();
    if (!orderly) return;
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
    if (this.#state === "failed") return unavailable();
    if (this.#state !== "writable") return new ProblemError("shutting_down", "The log is closed.");
    const full = this.#bounds.refusal(record.type);
    if (full !== null) return full;
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
    const closed = this.#segmentClosed;
    this.#segmentClosed = false;
    await this.#bounds.keepHouse(closed);
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
    this.bytes += group.bytes;
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
      this.#segmentClosed = true;
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
  async takeUp(): Promise<void> {
    if (this.#state !== "writable") return;
    try {
      if (this.#active === null) await this.#begin(this.#nextLsn);
      for (const segment of this.#empty.splice(0)) await this.disk.remove(segment.path).catch(() => {});
      if (this.#generationDue) await this.#startGeneration();
    } catch (error) {
      if (!isFull(error)) return this.#fail("starting a segment", error);
      this.#bounds.turnFull(error);
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
    const { segment, file } = this.#active ?? {};
    try {
      // Half a group behind the last record would come back as records after a crash, though they were refused.
      await file?.truncate(segment?.bytes ?? 0);
      await file?.sync();
    } catch (error) {
      this.#fail("taking back a write", error, group);
      return;
    }
    const problem = this.#bounds.turnFull(cause);
    group.durable.reject(problem);
    this.#pending?.durable.reject(problem);
    this.#pending = null;
    this.tail.discard();
    this.#lastAppended = this.durableLsn;
  }

  // ── generations, time ───────────────────────────────────────────────────────────────────────────────────

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
