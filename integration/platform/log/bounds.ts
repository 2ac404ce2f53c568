import { type Micros, ProblemError } from "@lineshaft/contract/api";
import { type Clock, type Disk, type Lsn, recordType } from "@lineshaft/contract/ports";
import type { LogEventSink } from "./events.ts";
import type { Settings } from "./options.ts";
import { planRetention } from "./retention.ts";
import { lsnBefore, type Segment } from "./segment.ts";
import { judgeSpace } from "./space.ts";

const hourMs = 3_600_000;
const spaceCheckMs = 1_000;
const retentionCheckMs = 60_000;

/** Records that sources cause. They wait at a bound; what the platform itself must say may still be written. */
const fromSources: ReadonlySet<number> = new Set([recordType.points, recordType.tagRegistered, recordType.rejected]);

/** What the bounds look at, and what they change when segments go. */
export interface BoundedLog {
  /** Oldest first; the last may be in use. */
  readonly segments: Segment[];
  bytes: number;
  droppedLsn: Lsn;
  readonly durableLsn: Lsn;
  /** There is space again: prepare for writing. */
  takeUp(): Promise<void>;
}

interface Surroundings {
  dir: string;
  disk: Disk;
  clock: Clock;
  settings: Settings;
  emit: LogEventSink;
  crashPoint: ((name: string) => void) | undefined;
}

/** Keeps the log within its window, its bytes and the disk's space, and says when nothing more may be taken. */
export class Bounds {
  readonly #log: BoundedLog;
  readonly #around: Surroundings;
  readonly #stop = new AbortController();
  readonly #pins = new Map<string, Lsn>();
  /** Consumers that have not said yet what they need. */
  readonly #awaited: Set<string>;
  /** Why nothing is taken for now: a write found no space, the disk is nearly full, or a pin holds the oldest at the byte bound. */
  #full: "space" | "watermark" | "bound" | null = null;
  #lowReported = false;
  #spaceCheckedMs = -Infinity;
  #probing: Promise<void> | null = null;
  #retainedMs: number;
  #retaining: Promise<void> | null = null;
  /** Records up to `lsn` are older than a clock jump at `sinceMs`; their age by the wall clock is not believed. */
  #doubtful: { lsn: Lsn; sinceMs: number } | null = null;
  #doubtfulDroppedMs = -Infinity;

  constructor(log: BoundedLog, around: Surroundings) {
    this.#log = log;
    this.#around = around;
    this.#awaited = new Set(around.settings.pinnedBy);
    this.#retainedMs = around.clock.monotonicMs();
  }

  get full(): boolean {
    return this.#full !== null;
  }

  /** Null: a record of this type may be written. */
  refusal(type: number): ProblemError | null {
    return this.#full === "space" || (this.#full !== null && fromSources.has(type)) ? this.#problem() : null;
  }

  /** A write found no space: nothing is taken until there is some again, which is looked for from now on. */
  turnFull(cause: unknown): ProblemError {
    this.#full = "space";
    const problem = this.#problem(cause);
    this.#around.emit({ code: "disk_full", text: `${problem.message} Nothing is accepted until there is space.` });
    this.#probing ??= this.#probe();
    return problem;
  }

  /** After a commit: looks at the space every second, at the window every minute and whenever a segment was closed. */
  async keepHouse(segmentClosed: boolean): Promise<void> {
    const nowMs = this.#around.clock.monotonicMs();
    if (nowMs - this.#spaceCheckedMs >= spaceCheckMs) await this.checkSpace();
    if (segmentClosed || nowMs - this.#retainedMs >= retentionCheckMs) this.retain();
  }

  pin(name: string, lsn: Lsn): void {
    this.#pins.set(name, lsn);
    const last = this.#awaited.delete(name) && this.#awaited.size === 0;
    if (last || this.#full === "bound") this.retain();
  }

  unpin(name: string): void {
    this.#pins.delete(name);
    if (this.#full === "bound") this.retain();
  }

  /** The wall clock has jumped (or may have): what is in the log now is not as old as it seems (F15). */
  doubtAge(): void {
    if (this.#log.segments.length === 0) return;
    this.#doubtful = { lsn: this.#log.durableLsn, sinceMs: this.#around.clock.monotonicMs() };
  }

  retain(): void {
    if (this.#stop.signal.aborted || this.#awaited.size > 0) return;
    this.#retaining ??= this.#dropOld().finally(() => {
      this.#retaining = null;
    });
  }

  async checkSpace(): Promise<void> {
    const { clock, disk, dir, settings, emit } = this.#around;
    this.#spaceCheckedMs = clock.monotonicMs();
    const space = await disk.space(dir).catch(() => null);
    if (space === null || this.#stop.signal.aborted) return;
    const short = this.#full === "space" || this.#full === "watermark";
    const verdict = judgeSpace(space, settings.space, short);
    const free = `${Math.round(space.freeBytes / 1e6)} of ${Math.round(space.totalBytes / 1e6)} MB are free`;
    if (verdict === "ok") this.#lowReported = false;
    else if (!this.#lowReported) {
      this.#lowReported = true;
      emit({ code: "disk_low", text: `The disk of ${dir} is getting full: ${free}.`, ...space });
    }
    if (verdict === "refuse" && !short) {
      this.#full = "watermark";
      emit({ code: "disk_full", text: `The disk of ${dir} is nearly full (${free}). Sources are refused.` });
      this.#probing ??= this.#probe();
    } else if (verdict !== "refuse" && short) {
      this.#full = null;
      emit({ code: "disk_recovered", text: `The disk of ${dir} has space again (${free}).` });
      await this.#log.takeUp();
    }
  }

  /** Ends what runs by itself. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#retaining;
    await this.#probing;
  }

  #problem(cause?: unknown): ProblemError {
    const { dir, settings } = this.#around;
    const why = {
      space: `The disk of ${dir} is full.`,
      watermark: `The disk of ${dir} is nearly full; the rest is kept for finishing what is stored.`,
      bound: `The log holds its ${settings.maxBytes} bytes and a consumer still needs the oldest.`,
    };
    return new ProblemError("disk_full", why[this.#full ?? "space"], { cause, retryAfterSeconds: 5 });
  }

  async #probe(): Promise<void> {
    while (this.#full === "space" || this.#full === "watermark") {
      try {
        await this.#around.clock.sleep(this.#around.settings.probeMs, this.#stop.signal);
      } catch {
        break;
      }
      await this.checkSpace();
    }
    this.#probing = null;
  }

  async #dropOld(): Promise<void> {
    const { clock, disk, settings, emit, crashPoint } = this.#around;
    const { segments } = this.#log;
    const nowMs = clock.monotonicMs();
    this.#retainedMs = nowMs;
    if (this.#doubtful !== null && nowMs - this.#doubtful.sinceMs > settings.windowMs) this.#doubtful = null;
    const plan = planRetention({
      nowUs: clock.nowUs(),
      segments,
      totalBytes: this.#log.bytes,
      windowMs: settings.windowMs,
      maxBytes: settings.maxBytes,
      pinnedLsn: Math.min(Infinity, ...this.#pins.values()),
      doubtfulLsn: this.#doubtful?.lsn ?? 0,
      mayDropDoubtful: nowMs - this.#doubtfulDroppedMs >= hourMs,
    });
    if (plan.droppedDoubtful) this.#doubtfulDroppedMs = nowMs;
    if (plan.drop > 0) crashPoint?.("K6");
    const dropped = segments.splice(0, plan.drop);
    for (const segment of dropped) this.#log.bytes -= segment.bytes;
    if (dropped.length > 0) this.#log.droppedLsn = Math.max(this.#log.droppedLsn, lsnBefore(segments[0]));
    for (const segment of dropped) {
      // A file that cannot be removed is found again at the next start.
      await disk.remove(segment.path).catch(() => {});
      emit({ code: "segment_dropped", text: `${segment.name} left the window.`, name: segment.name });
    }
    if (plan.blocked && this.#full === null) {
      this.#full = "bound";
      emit({ code: "disk_full", text: `${this.#problem().message} Sources are refused.` });
    } else if (!plan.blocked && this.#full === "bound") {
      this.#full = null;
      emit({ code: "disk_recovered", text: "The log is below its bound again." });
    }
  }
}

/** True when the newest record is so old that either the machine was off or the clock is wrong. */
export const isSuspiciousGap = (nowUs: Micros, lastUs: Micros): boolean => nowUs - lastUs > hourMs * 1000;
