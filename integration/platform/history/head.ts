// Hot path: long and imperative on purpose. The newest rows, in memory, until they become a run.
//
// Rows lie in arrival order in chunks; a chain per tag leads from its newest row back. Rows that arrived in the tag's time order (nearly
// all) form one chain, the others a second one with a hash index by (tag, time). So a tag's newest hour, an instant for judgement and the
// whole head in storage order are all found without a sort of the head.
import type { Columns } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";
import {
  type Compare,
  clearRows,
  compareByTime,
  compareRows,
  encodeExact,
  flagCorrection,
  flagNegativeZero,
  newRows,
  type Presence,
  pickRows,
  type Rows,
  reserveRows,
} from "./rows.ts";

const chunkShift = 16;
const chunkRows = 1 << chunkShift;
const chunkMask = chunkRows - 1;

/** Bits of `Chunk.flag` beyond those that files have. */
const storesLsn = 2;
const outOfOrder = 4;

interface Chunk {
  tag: Int32Array;
  time: Float64Array;
  value: Float64Array;
  /** Row before this one in the chain of its tag; −1 ends it. */
  before: Int32Array;
  flag: Uint8Array;
  ordinal: Uint16Array | null;
  status: Uint32Array | null;
  type: Uint8Array | null;
  orig: Float64Array | null;
}

/** Chunks are kept and used again: a closed head's memory is the next head's. */
export class ChunkPool {
  readonly #free: Chunk[] = [];
  readonly #max: number;

  constructor(maxRows: number) {
    this.#max = Math.ceil(maxRows / chunkRows);
  }

  take(): Chunk {
    return (
      this.#free.pop() ?? {
        tag: new Int32Array(chunkRows),
        time: new Float64Array(chunkRows),
        value: new Float64Array(chunkRows),
        before: new Int32Array(chunkRows),
        flag: new Uint8Array(chunkRows),
        ordinal: null,
        status: null,
        type: null,
        orig: null,
      }
    );
  }

  give(chunks: Chunk[]): void {
    for (const chunk of chunks) {
      if (this.#free.length >= this.#max) return;
      chunk.ordinal = chunk.status = chunk.type = chunk.orig = null;
      this.#free.push(chunk);
    }
  }
}

export class Head {
  rows = 0;
  exactBytes = 0;
  corrections = 0;
  fromUs = Number.POSITIVE_INFINITY;
  toUs = Number.NEGATIVE_INFINITY;
  origFromUs = Number.POSITIVE_INFINITY;
  origToUs = Number.NEGATIVE_INFINITY;
  tagTo = 0;
  /** First and last frame that it covers, with or without rows. */
  lsnFrom: Lsn;
  lsnTo: Lsn;
  /** Monotonic time of its first row; null while it is empty. */
  openedMs: number | null = null;
  presence: Presence = {
    ordinal: false,
    status: false,
    type: false,
    flag: false,
    lsn: false,
    orig: false,
    exact: false,
  };
  /** Rows by hour (start of the hour in µs). */
  readonly hours = new Map<number, number>();
  readonly #pool: ChunkPool;
  #users = 1;
  #chunks: Chunk[] = [];
  readonly #exact = new Map<number, Uint8Array>();
  /** By tag: newest row of the ordered and of the other chain, time of the oldest ordered row. */
  #lastOrdered = new Int32Array(1024).fill(-1);
  #lastOther = new Int32Array(1024).fill(-1);
  #firstTime = new Float64Array(1024);
  readonly #tags: number[] = [];
  // LSN of a row: frames in order with the index of their first row.
  readonly #frameLsn: Lsn[] = [];
  readonly #frameRow: number[] = [];
  #index = new InstantIndex();
  /** Rows with a time of their own beyond the clock bounds, by tag and that time. */
  readonly #originals = new Map<string, number[]>();
  #hour = Number.NaN;
  #hourRows = 0;

  constructor(pool: ChunkPool, lsnFrom: Lsn) {
    this.#pool = pool;
    this.lsnFrom = lsnFrom;
    this.lsnTo = lsnFrom - 1;
  }

  /** All rows added until the next call belong to this frame. */
  beginFrame(lsn: Lsn): void {
    this.lsnTo = lsn;
    this.#frameLsn.push(lsn);
    this.#frameRow.push(this.rows);
  }

  /** `known`: its LSN is kept in files too (late, judged, correction). */
  add(columns: Columns, i: number, known: boolean, correction: boolean, exact: Uint8Array | undefined): void {
    const row = this.rows++;
    const at = row & chunkMask;
    if (at === 0) this.#chunks.push(this.#pool.take());
    const chunk = this.#chunks[row >>> chunkShift];
    const tag = columns.tag[i];
    const time = columns.time[i];
    chunk.tag[at] = tag;
    chunk.time[at] = time;
    chunk.value[at] = columns.value[i];
    this.#addRest(chunk, at, row, columns, i, exact);
    if (tag >= this.#lastOrdered.length) this.#growTags(tag);
    let flag = 0;
    const last = this.#lastOrdered[tag];
    if (last === -1 && this.#lastOther[tag] === -1) {
      this.#tags.push(tag);
      if (tag > this.tagTo) this.tagTo = tag;
    }
    if (!known && (last === -1 || this.#chunks[last >>> chunkShift].time[last & chunkMask] <= time)) {
      if (last === -1) this.#firstTime[tag] = time;
      chunk.before[at] = last;
      this.#lastOrdered[tag] = row;
    } else {
      flag = outOfOrder;
      chunk.before[at] = this.#lastOther[tag];
      this.#lastOther[tag] = row;
      this.#index.add(tag, time, row);
    }
    if (known) {
      flag |= storesLsn;
      this.presence.lsn = true;
    }
    // DuckDB's run lengths take −0 for 0.
    if (columns.value[i] === 0 && 1 / columns.value[i] < 0) {
      flag |= flagNegativeZero;
      this.presence.flag = true;
    }
    if (correction) {
      flag |= flagCorrection;
      this.presence.flag = true;
      this.corrections++;
    }
    chunk.flag[at] = flag;
    if (time < this.fromUs) this.fromUs = time;
    if (time > this.toUs) this.toUs = time;
    const hour = Math.floor(time / 3_600_000_000);
    if (hour !== this.#hour) this.#turnHour(hour);
    this.#hourRows++;
  }

  #turnHour(hour: number): void {
    if (this.#hourRows > 0) {
      const start = this.#hour * 3_600_000_000;
      this.hours.set(start, (this.hours.get(start) ?? 0) + this.#hourRows);
    }
    this.#hour = hour;
    this.#hourRows = 0;
  }

  /** Brings `hours` up to date. */
  countHours(): Map<number, number> {
    this.#turnHour(Number.NaN);
    return this.hours;
  }

  #addRest(chunk: Chunk, at: number, row: number, columns: Columns, i: number, exact: Uint8Array | undefined): void {
    const { status, type, ordinal, originalTime } = columns;
    if (status !== null && (chunk.status !== null || status[i] !== 0)) {
      chunk.status ??= new Uint32Array(chunkRows);
      chunk.status[at] = status[i];
      this.presence.status = true;
    } else if (chunk.status !== null) chunk.status[at] = 0;
    if (type !== null && (chunk.type !== null || type[i] !== 0)) {
      chunk.type ??= new Uint8Array(chunkRows);
      chunk.type[at] = type[i];
      this.presence.type = true;
    } else if (chunk.type !== null) chunk.type[at] = 0;
    if (ordinal !== null && (chunk.ordinal !== null || ordinal[i] !== 0)) {
      chunk.ordinal ??= new Uint16Array(chunkRows);
      chunk.ordinal[at] = ordinal[i];
      this.presence.ordinal = true;
    } else if (chunk.ordinal !== null) chunk.ordinal[at] = 0;
    const orig = originalTime === null ? Number.NaN : originalTime[i];
    if (!Number.isNaN(orig)) {
      chunk.orig ??= new Float64Array(chunkRows).fill(Number.NaN);
      chunk.orig[at] = orig;
      this.presence.orig = true;
      const key = `${columns.tag[i]}:${orig}`;
      const rows = this.#originals.get(key);
      if (rows === undefined) this.#originals.set(key, [row]);
      else rows.push(row);
      if (orig < this.origFromUs) this.origFromUs = orig;
      if (orig > this.origToUs) this.origToUs = orig;
    } else if (chunk.orig !== null) chunk.orig[at] = Number.NaN;
    if (exact !== undefined) {
      this.#exact.set(row, exact);
      this.exactBytes += exact.length;
      this.presence.exact = true;
    }
  }

  #growTags(tag: number): void {
    const size = Math.max(tag + 1, this.#lastOrdered.length * 2);
    const grow = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const next = new Int32Array(size).fill(-1, old.length);
      next.set(old);
      return next;
    };
    this.#lastOrdered = grow(this.#lastOrdered);
    this.#lastOther = grow(this.#lastOther);
    const first = new Float64Array(size);
    first.set(this.#firstTime);
    this.#firstTime = first;
  }

  /** Calls `visit` for each row of the tag at that instant. */
  eachAt(tag: number, time: number, visit: (row: number) => void): void {
    if (tag < this.#lastOrdered.length) {
      let row = this.#lastOrdered[tag];
      if (row !== -1 && time >= this.#firstTime[tag]) {
        while (row !== -1) {
          const chunk = this.#chunks[row >>> chunkShift];
          const t = chunk.time[row & chunkMask];
          if (t < time) break;
          if (t === time) visit(row);
          row = chunk.before[row & chunkMask];
        }
      }
      if (this.#lastOther[tag] !== -1) this.#eachIndexed(tag, time, visit);
    }
  }

  #eachIndexed(tag: number, time: number, visit: (row: number) => void): void {
    this.#index.each(tag, time, (row) => {
      const chunk = this.#chunks[row >>> chunkShift];
      if (chunk.tag[row & chunkMask] === tag && chunk.time[row & chunkMask] === time) visit(row);
    });
  }

  eachAtOriginal(tag: number, orig: number, visit: (row: number) => void): void {
    for (const row of this.#originals.get(`${tag}:${orig}`) ?? []) visit(row);
  }

  /** Appends the row to `to`, as a file would hold it. */
  copyRow(row: number, to: Rows): void {
    reserveRows(to, to.n + 1);
    const at = row & chunkMask;
    const chunk = this.#chunks[row >>> chunkShift];
    const n = to.n;
    to.tag[n] = chunk.tag[at];
    to.time[n] = chunk.time[at];
    to.value[n] = chunk.value[at];
    if (to.ordinal !== null) to.ordinal[n] = chunk.ordinal === null ? 0 : chunk.ordinal[at];
    if (to.status !== null) to.status[n] = chunk.status === null ? 0 : chunk.status[at];
    if (to.type !== null) to.type[n] = chunk.type === null ? 0 : chunk.type[at];
    if (to.flag !== null) to.flag[n] = chunk.flag[at] & (flagCorrection | flagNegativeZero);
    if (to.lsn !== null) to.lsn[n] = this.storedLsnOf(row);
    if (to.orig !== null) to.orig[n] = chunk.orig === null ? Number.NaN : chunk.orig[at];
    if (to.exact !== null) {
      const exact = this.#exact.get(row);
      if (exact !== undefined) to.exact.set(n, exact);
    }
    to.n = n + 1;
  }

  /** LSN by which rows hide and are hidden: 0 for rows on time, as in files. */
  storedLsnOf(row: number): Lsn {
    return this.#chunks[row >>> chunkShift].flag[row & chunkMask] & storesLsn ? this.lsnOf(row) : 0;
  }

  lsnOf(row: number): Lsn {
    let low = 0;
    let high = this.#frameRow.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#frameRow[middle] <= row) low = middle;
      else high = middle - 1;
    }
    return this.#frameLsn[low];
  }

  /** Rows of the tags with from ≤ time < to that were known at `asOf`, in storage order. `tags` ascend. */
  collect(tags: readonly number[], fromUs: number, toUs: number, asOf: Lsn): Rows {
    const out = newRows(256, this.presence);
    if (toUs <= this.fromUs || fromUs > this.toUs) return out;
    const found: number[] = [];
    for (const tag of tags) {
      found.length = 0;
      this.#chainOf(tag, fromUs, toUs, asOf, found);
      for (const row of found) this.copyRow(row, out);
    }
    return out;
  }

  /** Appends the tag's rows in the range to `found`, in storage order. */
  #chainOf(tag: number, fromUs: number, toUs: number, asOf: Lsn, found: number[]): void {
    if (tag >= this.#lastOrdered.length) return;
    const start = found.length;
    for (let row = this.#lastOrdered[tag]; row !== -1; ) {
      const chunk = this.#chunks[row >>> chunkShift];
      const time = chunk.time[row & chunkMask];
      if (time < fromUs) break;
      if (time < toUs && (asOf >= this.lsnTo || this.lsnOf(row) <= asOf)) found.push(row);
      row = chunk.before[row & chunkMask];
    }
    if (start === 0) found.reverse();
    else found.splice(start, found.length - start, ...found.slice(start).reverse());
    let disorder = false;
    for (let row = this.#lastOther[tag]; row !== -1; ) {
      const chunk = this.#chunks[row >>> chunkShift];
      const time = chunk.time[row & chunkMask];
      if (time >= fromUs && time < toUs && (asOf >= this.lsnTo || this.lsnOf(row) <= asOf)) {
        found.push(row);
        disorder = true;
      }
      row = chunk.before[row & chunkMask];
    }
    if (!disorder) {
      // Rows of one instant stand in the order of their arrival; storage order is by ordinal and value.
      for (let i = start + 1; i < found.length && !disorder; i++) {
        const a = this.#chunks[found[i - 1] >>> chunkShift];
        const b = this.#chunks[found[i] >>> chunkShift];
        disorder = a.time[found[i - 1] & chunkMask] >= b.time[found[i] & chunkMask];
      }
    }
    if (disorder) this.#sort(found, start);
  }

  #sort(found: number[], start: number): void {
    const rows = start === 0 ? found : found.splice(start);
    const block = newRows(rows.length, this.presence);
    for (const row of rows) this.copyRow(row, block);
    const order = Uint32Array.from(rows, (_, i) => i).sort((i, j) => compareRows(block, i, block, j));
    const sorted = Array.from(order, (i) => rows[i]);
    if (start === 0) for (let i = 0; i < sorted.length; i++) found[i] = sorted[i];
    else for (const row of sorted) found.push(row);
  }

  /** For a scan: rows of all tags, or of a set, in (time, tag, …) order. */
  collectByTime(tags: ReadonlySet<number> | null, fromUs: number, toUs: number, asOf: Lsn): Rows {
    const out = newRows(256, this.presence);
    if (toUs <= this.fromUs || fromUs > this.toUs) return out;
    for (let row = 0; row < this.rows; row++) {
      const chunk = this.#chunks[row >>> chunkShift];
      const time = chunk.time[row & chunkMask];
      if (time < fromUs || time >= toUs) continue;
      if (tags !== null && !tags.has(chunk.tag[row & chunkMask])) continue;
      if (asOf < this.lsnTo && this.lsnOf(row) > asOf) continue;
      this.copyRow(row, out);
    }
    return sortRows(out, compareByTime);
  }

  /** The whole head in storage order, block by block: call until it returns 0. The head must not change meanwhile. */
  reader(): (block: Rows, max: number) => number {
    const tags = Int32Array.from(this.#tags).sort();
    let nextTag = 0;
    const found: number[] = [];
    let at = 0;
    return (block, max) => {
      clearRows(block);
      while (block.n < max) {
        if (at === found.length) {
          if (nextTag === tags.length) break;
          found.length = 0;
          at = 0;
          this.#chainOf(
            tags[nextTag++],
            Number.NEGATIVE_INFINITY,
            Number.POSITIVE_INFINITY,
            Number.POSITIVE_INFINITY,
            found,
          );
        }
        const end = Math.min(found.length, at + max - block.n);
        for (; at < end; at++) this.copyRow(found[at], block);
      }
      return block.n;
    };
  }

  /** Keeps the rows readable until one more `release`. */
  retain(): void {
    this.#users++;
  }

  /** Gives the memory back when the last user has let go. */
  release(): void {
    if (--this.#users > 0) return;
    this.#pool.give(this.#chunks);
    this.#chunks = [];
    this.rows = 0;
  }
}

function sortRows(rows: Rows, compare: Compare): Rows {
  let sorted = true;
  for (let i = 1; i < rows.n && sorted; i++) sorted = compare(rows, i - 1, rows, i) <= 0;
  if (sorted) return rows;
  const order = new Uint32Array(rows.n).map((_, i) => i).sort((i, j) => compare(rows, i, rows, j));
  return pickRows(rows, order);
}

/** Open addressing from the hash of (tag, time) to rows; several rows may share a key. */
class InstantIndex {
  #slots = new Int32Array(0);
  #hashes = new Int32Array(0);
  #used = 0;

  add(tag: number, time: number, row: number): void {
    if (this.#used * 2 >= this.#slots.length) this.#grow();
    this.#put(hashOf(tag, time), row);
    this.#used++;
  }

  #put(hash: number, row: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== -1) slot = (slot + 1) & mask;
    this.#slots[slot] = row;
    this.#hashes[slot] = hash;
  }

  each(tag: number, time: number, visit: (row: number) => void): void {
    if (this.#used === 0) return;
    const hash = hashOf(tag, time);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; this.#slots[slot] !== -1; slot = (slot + 1) & mask) {
      if (this.#hashes[slot] === hash) visit(this.#slots[slot]);
    }
  }

  #grow(): void {
    const slots = this.#slots;
    const hashes = this.#hashes;
    this.#slots = new Int32Array(Math.max(1024, slots.length * 2)).fill(-1);
    this.#hashes = new Int32Array(this.#slots.length);
    for (let i = 0; i < slots.length; i++) if (slots[i] !== -1) this.#put(hashes[i], slots[i]);
  }
}

function hashOf(tag: number, time: number): number {
  let h =
    Math.imul(tag, 0x9e3779b1) ^ Math.imul(time >>> 0, 0x85ebca6b) ^ Math.imul((time / 4294967296) | 0, 0xc2b2ae35);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return h ^ (h >>> 13);
}

/** Exact values of a batch as stored bytes, by row; null when it has none. */
export function exactBytesOf(columns: Columns): Map<number, Uint8Array> | null {
  if (columns.exact === null) return null;
  const bytes = new Map<number, Uint8Array>();
  for (let k = 0; k < columns.exact.row.length; k++)
    bytes.set(columns.exact.row[k], encodeExact(columns.exact.value[k]));
  return bytes;
}
