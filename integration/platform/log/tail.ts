// Hot path. The newest records in memory, as the same bytes that stand in the file: append writes a frame here once, the commit
// writes these bytes to the disk, live readers get views on them.
import type { Frame, Lsn } from "@lineshaft/contract/ports";
import { frameBytes, lsnAt, peekLength, readFrame, sealFrame, writeFrame } from "./frame.ts";

const chunkBytes = 1024 * 1024;

interface Chunk {
  id: number;
  bytes: Buffer;
  view: DataView;
  used: number;
  /** Readers see no further than this. */
  committed: number;
  firstLsn: Lsn;
}

/** Where a reader stands in the tail. */
export interface TailCursor {
  chunk: number;
  at: number;
}

/** Bounded by `bytesMax` of committed frames: the oldest chunk goes first, its readers turn to the disk. */
export class MemoryTail {
  readonly #chunks: Chunk[] = [];
  readonly #bytesMax: number;
  #nextId = 1;
  #bytes = 0;
  /** What the commit in flight has taken: everything before this place. */
  #taken: TailCursor = { chunk: 0, at: 0 };

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  append(frame: Frame, salt: number, previousLsn: Lsn): number {
    const size = frameBytes(frame.payload.length);
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.used + size > chunk.bytes.length) {
      // Outside the pool: offset 0 of an ArrayBuffer of its own, so aligned.
      const bytes = Buffer.allocUnsafeSlow(Math.max(chunkBytes, size));
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      chunk = { id: this.#nextId++, bytes, view, used: 0, committed: 0, firstLsn: frame.lsn };
      this.#chunks.push(chunk);
      this.#bytes += bytes.length;
    }
    writeFrame(chunk.bytes, chunk.view, chunk.used, frame, salt, previousLsn);
    chunk.used += size;
    return size;
  }

  /** The bytes appended since the last `take`, in order, complete with crc. */
  take(durableLsn: Lsn): Uint8Array[] {
    const parts: Uint8Array[] = [];
    for (const chunk of this.#chunks) {
      if (chunk.id < this.#taken.chunk) continue;
      const from = chunk.id === this.#taken.chunk ? this.#taken.at : 0;
      for (let at = from; at < chunk.used; ) at = sealFrame(chunk.bytes, chunk.view, at, durableLsn);
      if (chunk.used > from) parts.push(chunk.bytes.subarray(from, chunk.used));
    }
    const last = this.#chunks.at(-1);
    if (last !== undefined) this.#taken = { chunk: last.id, at: last.used };
    return parts;
  }

  /** What was taken is durable: readers may see it. */
  commit(): void {
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const chunk = this.#chunks[i];
      if (chunk.id > this.#taken.chunk) continue;
      const to = chunk.id === this.#taken.chunk ? this.#taken.at : chunk.used;
      if (chunk.committed === to) break;
      chunk.committed = to;
    }
    while (this.#bytes > this.#bytesMax && this.#chunks.length > 1 && this.#chunks[0].id < this.#taken.chunk) {
      this.#bytes -= this.#chunks[0].bytes.length;
      this.#chunks.shift();
    }
  }

  /** Forgets everything that is not committed. */
  discard(): void {
    while (this.#chunks.length > 0) {
      const last = this.#chunks[this.#chunks.length - 1];
      if (last.committed > 0) {
        last.used = last.committed;
        this.#taken = { chunk: last.id, at: last.used };
        return;
      }
      this.#bytes -= last.bytes.length;
      this.#chunks.pop();
    }
    this.#taken = { chunk: this.#nextId, at: 0 };
  }

  /** The place of the first committed frame with LSN ≥ `lsn`; null when the tail does not reach back so far. */
  locate(lsn: Lsn): TailCursor | null {
    let low = 0;
    let high = this.#chunks.length - 1;
    let found = -1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (this.#chunks[middle].committed > 0 && this.#chunks[middle].firstLsn <= lsn) {
        found = middle;
        low = middle + 1;
      } else high = middle - 1;
    }
    if (found < 0) return null;
    const chunk = this.#chunks[found];
    let at = 0;
    while (at < chunk.committed && lsnAt(chunk.view, at) < lsn) {
      at += frameBytes(peekLength(chunk.view, at, null));
    }
    return { chunk: chunk.id, at };
  }

  /** Committed frames from the cursor on, about `maxBytes`, and moves it; null when its chunk has been dropped. */
  read(cursor: TailCursor, maxBytes: number): Frame[] | null {
    let index = this.#chunks.length === 0 ? -1 : cursor.chunk - this.#chunks[0].id;
    // Discarded chunks leave holes in the ids; ids still ascend.
    if (index >= this.#chunks.length || this.#chunks[index]?.id !== cursor.chunk)
      index = this.#chunks.findIndex((c) => c.id === cursor.chunk);
    if (index < 0) return null;
    const frames: Frame[] = [];
    let bytes = 0;
    while (bytes < maxBytes) {
      const chunk = this.#chunks[index];
      if (cursor.at >= chunk.committed) {
        const next = this.#chunks[index + 1];
        // More may still come into this chunk as long as nothing behind it is committed.
        if (next === undefined || next.committed === 0) break;
        index++;
        cursor.chunk = next.id;
        cursor.at = 0;
        continue;
      }
      const length = peekLength(chunk.view, cursor.at, null);
      frames.push(readFrame(chunk.bytes, chunk.view, cursor.at, length));
      cursor.at += frameBytes(length);
      bytes += length;
    }
    return frames;
  }
}
