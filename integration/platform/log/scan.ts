// Hot path. Frames out of a segment file in big sequential reads, every byte checked, damage stepped over and named.
import { ProblemError } from "@lineshaft/contract/api";
import type { DiskFile, Frame, Lsn } from "@lineshaft/contract/ports";
import {
  crcHolds,
  frameBytes,
  frameHeaderBytes,
  frameVersion,
  lsnAt,
  payloadBytesMax,
  peekLength,
  readFrame,
  readLinks,
} from "./frame.ts";

/** A stretch of a segment that holds no valid frame. */
export interface Damage {
  fromOffset: number;
  toOffset: number;
  fromLsn: Lsn;
  /** Last LSN that must have stood here; below `fromLsn` when the frames on both sides are neighbours. */
  toLsn: Lsn;
  /** True when no valid frame follows up to the end of the file. */
  tail: boolean;
}

export interface Block {
  frames: Frame[];
  /** Where each frame begins in the file. */
  offsets: number[];
  /** What stood before the first of `frames` (or before the end). */
  damage: Damage | null;
}

const searchBytes = 1024 * 1024;
const minimumRead = 64 * 1024;

/** Reads one segment forward from a frame boundary. Never goes past `limit()`. */
export class SegmentScanner {
  /** Offset of the next unread byte. */
  offset: number;
  /** LSN of the last frame delivered, or the one before the start. */
  lastLsn: Lsn;
  /** Every frame up to here had been synced when a later one was written. */
  provenLsn: Lsn = 0;
  /** `previousLsn` of the first frame delivered; null before that. */
  firstPreviousLsn: Lsn | null = null;
  readonly #file: DiskFile;
  readonly #salt: number;
  readonly #limit: () => number;

  constructor(file: DiskFile, salt: number, limit: () => number, start: { offset: number; lastLsn: Lsn }) {
    this.#file = file;
    this.#salt = salt;
    this.#limit = limit;
    this.offset = start.offset;
    this.lastLsn = start.lastLsn;
  }

  /** The next frames, about `maxBytes`; null at the limit. Payloads are 8-byte aligned views into a buffer of their own. */
  async next(maxBytes: number): Promise<Block | null> {
    const limit = this.#limit();
    if (this.offset >= limit) return null;
    let bytes = await this.#read(this.offset, Math.max(maxBytes, minimumRead), limit);
    if (bytes.length === 0) return null;
    let block = this.#parse(bytes);
    if (block.frames.length > 0) return block;
    const whole = this.#announced(bytes);
    if (whole > bytes.length && this.offset + whole <= limit) {
      // One frame larger than the read.
      bytes = await this.#read(this.offset, whole, limit);
      block = this.#parse(bytes);
      if (block.frames.length > 0) return block;
    }
    return this.#stepOver(limit);
  }

  async #read(offset: number, length: number, limit: number): Promise<Uint8Array> {
    const bytes = await this.#file.read(offset, Math.min(length, limit - offset));
    return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  }

  #announced(bytes: Uint8Array): number {
    const length = peekLength(viewOf(bytes), 0, this.#salt);
    return length < 0 ? 0 : frameBytes(length);
  }

  #parse(bytes: Uint8Array): Block {
    const view = viewOf(bytes);
    const frames: Frame[] = [];
    const offsets: number[] = [];
    const start = this.offset;
    let at = 0;
    for (;;) {
      const length = peekLength(view, at, this.#salt);
      if (length < 0) break;
      const end = at + frameBytes(length);
      if (end > bytes.length) break;
      const lsn = lsnAt(view, at);
      // A smaller LSN is what an abandoned write left behind, not a record.
      if (lsn <= this.lastLsn || !crcHolds(bytes, view, at, length)) break;
      const { previousLsn, durableLsn } = readLinks(view, at);
      this.firstPreviousLsn ??= previousLsn;
      if (durableLsn > this.provenLsn) this.provenLsn = durableLsn;
      frames.push(readFrame(bytes, view, at, length));
      offsets.push(start + at);
      this.lastLsn = lsn;
      at = end;
    }
    this.offset = start + at;
    return { frames, offsets, damage: null };
  }

  /** A whole frame of another version is not damage: it must not be set aside by one who cannot read it. */
  async #refuseNewer(limit: number): Promise<void> {
    const head = viewOf(await this.#read(this.offset, frameHeaderBytes, limit));
    if (head.byteLength < frameHeaderBytes || head.getUint32(28, true) !== this.#salt) return;
    const length = head.getUint32(0, true);
    const version = head.getUint8(27);
    if (version === frameVersion || length > payloadBytesMax || this.offset + frameBytes(length) > limit) return;
    const bytes = await this.#read(this.offset, frameBytes(length), limit);
    if (crcHolds(bytes, viewOf(bytes), 0, length))
      throw new ProblemError(
        "data_dir_version",
        `A record was written in format ${version}; this version reads format ${frameVersion}.`,
      );
  }

  /** The frame at `offset` is not valid: look for the next valid one, on every 8-byte boundary. */
  async #stepOver(limit: number): Promise<Block> {
    await this.#refuseNewer(limit);
    const fromOffset = this.offset;
    const fromLsn = this.lastLsn + 1;
    for (let base = fromOffset + 8; base < limit; base += searchBytes) {
      const bytes = await this.#read(base, searchBytes + frameHeaderBytes, limit);
      const view = viewOf(bytes);
      const candidates = Math.min(searchBytes, bytes.length - frameHeaderBytes + 1);
      for (let at = 0; at < candidates; at += 8) {
        const length = peekLength(view, at, this.#salt);
        if (length < 0 || base + at + frameBytes(length) > limit || lsnAt(view, at) <= this.lastLsn) continue;
        const frame = await this.#read(base + at, frameBytes(length), limit);
        const frameView = viewOf(frame);
        if (frame.length < frameBytes(length) || !crcHolds(frame, frameView, 0, length)) continue;
        this.offset = base + at;
        const toLsn = readLinks(frameView, 0).previousLsn;
        const damage = { fromOffset, toOffset: this.offset, fromLsn, toLsn, tail: false };
        return { ...this.#parse(frame), damage };
      }
    }
    this.offset = limit;
    return {
      frames: [],
      offsets: [],
      damage: { fromOffset, toOffset: limit, fromLsn, toLsn: fromLsn - 1, tail: true },
    };
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
