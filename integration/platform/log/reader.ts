import { ProblemError } from "@lineshaft/contract/api";
import type { Disk, DiskFile, Frame, LogReader, Lsn } from "@lineshaft/contract/ports";
import type { Quarantine } from "./quarantine.ts";
import { SegmentScanner } from "./scan.ts";
import { lsnBefore, type Segment, seek } from "./segment.ts";
import type { MemoryTail, TailCursor } from "./tail.ts";

/** What a reader sees of the log. */
export interface ReadView {
  readonly disk: Disk;
  readonly tail: MemoryTail;
  readonly quarantine: Quarantine;
  /** Ascending; the last one may still grow. */
  readonly segments: readonly Segment[];
  readonly durableLsn: Lsn;
  /** Retention has dropped everything up to here. */
  readonly droppedLsn: Lsn;
  /** Calls `wake` once, when durableLsn has grown or the log was closed; the returned function takes that back. */
  onChange(wake: () => void): () => void;
  readonly closed: boolean;
}

const readBytes = 1024 * 1024;
const readBytesMax = 8 * 1024 * 1024;

/** Throws `cursor_expired` when records from `from` on have been dropped. */
export function checkNotExpired(view: ReadView, from: Lsn): void {
  if (from > view.droppedLsn) return;
  throw new ProblemError(
    "cursor_expired",
    `Record ${from} is no longer kept; the log begins after record ${view.droppedLsn}.`,
  );
}

/** One consumer's way through the log: old records from the segment files, new ones from memory. */
export class SegmentReader implements LogReader {
  #position: Lsn;
  #tail: TailCursor | null = null;
  #disk: { segment: Segment; file: DiskFile; scanner: SegmentScanner } | null = null;
  /** Read from the disk in one go, handed out in pages. */
  #block: Frame[] = [];
  #state: "open" | "reading" | "closed" = "open";
  #wake: (() => void) | null = null;
  readonly #view: ReadView;

  constructor(view: ReadView, from: Lsn) {
    this.#view = view;
    this.#position = Math.max(1, from);
  }

  get position(): Lsn {
    return this.#position;
  }

  async next(maxBytes: number, signal?: AbortSignal): Promise<Frame[]> {
    if (this.#state !== "open") throw new Error(`The log reader is ${this.#state}; one next() at a time.`);
    this.#state = "reading";
    try {
      for (;;) {
        signal?.throwIfAborted();
        if (this.#view.closed || this.#isClosed())
          throw new ProblemError("shutting_down", "The log or its reader was closed.");
        checkNotExpired(this.#view, this.#position);
        if (this.#position > this.#view.durableLsn) {
          await this.#change(signal);
          continue;
        }
        if (this.#block.length === 0) {
          const frames = this.#fromTail(maxBytes);
          if (frames !== null) return this.#passed(frames);
          this.#block = await this.#fromDisk(maxBytes);
          if (this.#block.length === 0) continue;
        }
        return this.#passed(this.#block.splice(0, pageLength(this.#block, maxBytes)));
      }
    } finally {
      // close() may have come meanwhile.
      if (this.#isClosed()) await this.#closeFile();
      else this.#state = "open";
    }
  }

  close(): void {
    const busy = this.#state === "reading";
    this.#state = "closed";
    this.#wake?.();
    if (!busy) void this.#closeFile();
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  async #change(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const takeBack = this.#view.onChange(resolve);
    const abort = (): void => reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#wake = resolve;
    try {
      await promise;
    } finally {
      this.#wake = null;
      takeBack();
      signal?.removeEventListener("abort", abort);
    }
  }

  #passed(frames: Frame[]): Frame[] {
    this.#position = frames[frames.length - 1].lsn + 1;
    return frames;
  }

  #fromTail(maxBytes: number): Frame[] | null {
    this.#tail ??= this.#view.tail.locate(this.#position);
    if (this.#tail === null) return null;
    const frames = this.#view.tail.read(this.#tail, maxBytes);
    if (frames === null || frames.length === 0) {
      this.#tail = null;
      return null;
    }
    if (this.#disk !== null) void this.#closeFile();
    return frames;
  }

  /** May return nothing after having moved on; the caller looks again. */
  async #fromDisk(maxBytes: number): Promise<Frame[]> {
    this.#disk ??= await this.#open();
    const open = this.#disk;
    if (open === null) return [];
    const { scanner, segment } = open;
    const block = await scanner.next(Math.min(Math.max(maxBytes, readBytes), readBytesMax));
    if (block === null) {
      await this.#leave(open);
      return [];
    }
    if (block.damage !== null) {
      const { damage } = block;
      const next = this.#after(segment);
      const lastLost = damage.tail ? (next === undefined ? segment.lastLsn : lsnBefore(next)) : damage.toLsn;
      // Bytes between two neighbours are no record.
      if (lastLost >= damage.fromLsn) await this.#view.quarantine.add(segment, damage, lastLost, "rot");
      if (damage.tail) this.#position = Math.max(this.#position, lastLost + 1);
    }
    const first = block.frames.findIndex((f) => f.lsn >= this.#position);
    return first < 0 ? [] : first === 0 ? block.frames : block.frames.slice(first);
  }

  async #open(): Promise<{ segment: Segment; file: DiskFile; scanner: SegmentScanner } | null> {
    const { segments } = this.#view;
    const segment = segments.findLast((s) => s.firstLsn <= this.#position) ?? segments[0];
    let file: DiskFile;
    try {
      file = await this.#view.disk.open(segment.path, "read");
    } catch (error) {
      // Retention may have taken it between two looks; the caller's check tells.
      if ((error as NodeJS.ErrnoException).code === "ENOENT" && !this.#view.segments.includes(segment)) return null;
      throw error;
    }
    const start = seek(segment, (entry) => entry.lsn <= this.#position);
    return { segment, file, scanner: new SegmentScanner(file, segment.salt, () => segment.bytes, start) };
  }

  /** All of the segment has been read: on to the next, over burnt numbers and lost records. */
  async #leave({ segment, scanner }: { segment: Segment; scanner: SegmentScanner }): Promise<void> {
    const next = this.#after(segment);
    if (next === undefined) {
      this.#position = Math.max(this.#position, segment.lastLsn + 1);
      return;
    }
    await this.#closeFile();
    if (next.previousLsn !== null && next.previousLsn >= this.#position)
      this.#view.quarantine.addMissing(scanner.lastLsn + 1, next.previousLsn, next);
    this.#position = Math.max(this.#position, next.firstLsn);
  }

  #after(segment: Segment): Segment | undefined {
    return this.#view.segments.find((s) => s.firstLsn > segment.firstLsn);
  }

  async #closeFile(): Promise<void> {
    const file = this.#disk?.file;
    this.#disk = null;
    // It was only read from.
    await file?.close().catch(() => {});
  }
}

/** How many of the frames make about `maxBytes`; at least one. */
function pageLength(frames: Frame[], maxBytes: number): number {
  let bytes = 0;
  let count = 0;
  while (count < frames.length && bytes < maxBytes) bytes += frames[count++].payload.length;
  return Math.max(1, count);
}
