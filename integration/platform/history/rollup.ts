// Hot path. Roll-ups: cells of fixed size behind a part's DuckDB pages, by (tag, time), found through an index of tags. A month of hours of
// a hundred tags is some thirty reads of one stretch each, with no SQL.
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { Micros } from "@lineshaft/contract/api";
import { type Cells, CellWriter, clearCells, newCells, reserveCells } from "./aggregate.ts";
import type { Presence, Rows } from "./rows.ts";

export interface RollupLevel {
  name: "minute" | "hour";
  widthUs: number;
  /** Rows that a cell must stand for on average; below that, reading the points is as fast and the cells cost too much disk. */
  rowsPerCellMin: number;
}

/** Widest first: the first that fits a query serves it. */
export const rollupLevels: readonly RollupLevel[] = [
  { name: "hour", widthUs: 3_600_000_000, rowsPerCellMin: 24 },
  { name: "minute", widthUs: 60_000_000, rowsPerCellMin: 96 },
];

/** Where a level's cells lie in a file: cells, bytes of exact values, index (tags i32, first cell of each u32 and their end). */
export interface RollupSection {
  at: number;
  cells: number;
  exactBytes: number;
  tags: number;
  indexCrc: number;
}

// A cell has 24 words: f64 time, min, max, sum, last time, last value, last original time; u32 tag, numbers, count, good, worst, last
// status, last type | ordinal << 16, exact offset, exact bytes, checksum.
export const cellBytes = 96;
const words = cellBytes / 4;
const noExact = 0xffffffff;
const cellsAtOnce = 4096;

/** Every change of a single word changes it, whatever the others are: each step is a bijection. */
function checksum(u32: Uint32Array, at: number, exact: Uint8Array | undefined): number {
  let h = 0x9e3779b9 | 0;
  for (let k = at; k < at + words - 1; k++) {
    h = Math.imul(h ^ u32[k], 0x85ebca6b);
    h = (h << 13) | (h >>> 19);
  }
  if (exact !== undefined) for (let k = 0; k < exact.length; k++) h = Math.imul(h ^ exact[k], 0x01000193);
  return h >>> 0;
}

/** Writes the cells of one level beside the file that is being written; `seal` puts them into it. */
export class RollupWriter {
  readonly level: RollupLevel;
  readonly cellsPath: string;
  readonly exactPath: string;
  readonly #writer: CellWriter;
  readonly #buffer = new ArrayBuffer(cellsAtOnce * cellBytes);
  #cellsFile: number;
  #exactFile: number;
  #written = 0;
  #exactBytes = 0;
  #tags: number[] = [];
  #starts: number[] = [];

  constructor(level: RollupLevel, temporary: string, presence: Presence) {
    this.level = level;
    this.cellsPath = `${temporary}.${level.name}`;
    this.exactPath = `${temporary}.${level.name}.exact`;
    this.#cellsFile = openSync(this.cellsPath, "w");
    this.#exactFile = openSync(this.exactPath, "w");
    this.#writer = new CellWriter(level.widthUs, { ...presence, flag: false, lsn: false }, cellsAtOnce + 1);
  }

  add(rows: Rows, start: number, end: number): void {
    this.#writer.add(rows, start, end);
    if (this.#writer.finished >= cellsAtOnce) {
      this.#write(this.#writer.finished);
      this.#writer.takeFinished();
    }
  }

  /** The section (its place is not known yet) and its index; null when the level is not worth keeping. */
  finish(points: number): { section: RollupSection; index: Uint8Array } | null {
    this.#write(this.#writer.cells.n);
    closeSync(this.#cellsFile);
    closeSync(this.#exactFile);
    this.#cellsFile = this.#exactFile = -1;
    if (points < this.#written * this.level.rowsPerCellMin) return null;
    const tags = this.#tags.length;
    const index = new Uint8Array(8 * tags + 4);
    new Int32Array(index.buffer, 0, tags).set(this.#tags);
    new Uint32Array(index.buffer, 4 * tags, tags + 1).set([...this.#starts, this.#written]);
    const section = { at: 0, cells: this.#written, exactBytes: this.#exactBytes, tags, indexCrc: crc32(index) };
    return { section, index };
  }

  discard(): void {
    if (this.#cellsFile >= 0) closeSync(this.#cellsFile);
    if (this.#exactFile >= 0) closeSync(this.#exactFile);
    this.#cellsFile = this.#exactFile = -1;
    rmSync(this.cellsPath, { force: true });
    rmSync(this.exactPath, { force: true });
  }

  #write(n: number): void {
    const { cells } = this.#writer;
    for (let from = 0; from < n; from += cellsAtOnce) {
      const count = Math.min(cellsAtOnce, n - from);
      const f64 = new Float64Array(this.#buffer);
      const u32 = new Uint32Array(this.#buffer);
      for (let i = 0; i < count; i++) this.#encode(cells, from + i, f64, u32, i);
      writeSync(this.#cellsFile, new Uint8Array(this.#buffer, 0, count * cellBytes));
      this.#written += count;
    }
  }

  #encode(cells: Cells, i: number, f64: Float64Array, u32: Uint32Array, to: number): void {
    const { last } = cells;
    const f = (to * words) / 2;
    const u = to * words + 14;
    const tag = cells.tag[i];
    if (this.#tags[this.#tags.length - 1] !== tag) {
      this.#tags.push(tag);
      this.#starts.push(this.#written + to);
    }
    f64[f] = cells.time[i];
    f64[f + 1] = cells.min[i];
    f64[f + 2] = cells.max[i];
    f64[f + 3] = cells.sum[i];
    f64[f + 4] = last.time[i];
    f64[f + 5] = last.value[i];
    f64[f + 6] = last.orig === null ? Number.NaN : last.orig[i];
    u32[u] = tag;
    u32[u + 1] = cells.numbers[i];
    u32[u + 2] = cells.count[i];
    u32[u + 3] = cells.good[i];
    u32[u + 4] = cells.worst[i];
    u32[u + 5] = last.status === null ? 0 : last.status[i];
    u32[u + 6] = (last.type === null ? 0 : last.type[i]) | ((last.ordinal === null ? 0 : last.ordinal[i]) << 16);
    const exact = last.exact?.get(i);
    u32[u + 7] = exact === undefined ? noExact : this.#exactBytes;
    u32[u + 8] = exact === undefined ? 0 : exact.length;
    u32[u + 9] = checksum(u32, to * words, exact);
    if (exact !== undefined) {
      writeSync(this.#exactFile, exact);
      this.#exactBytes += exact.length;
    }
  }
}

interface RollupIndex {
  tags: Int32Array;
  starts: Uint32Array;
}

/** Reads cells; keeps the indexes of the files used last. */
export class RollupReader {
  readonly #indexes = new Map<string, RollupIndex>();
  readonly #indexBytesMax: number;
  #indexBytes = 0;

  constructor(indexBytesMax: number) {
    this.#indexBytesMax = indexBytesMax;
  }

  /** Cells of the tags (ascending) with from ≤ start < to, tag by tag. What `use` gets is overwritten by the next call. Throws when a checksum is wrong. */
  read(
    path: string,
    level: RollupLevel["name"],
    section: RollupSection,
    tags: readonly number[],
    range: { fromUs: Micros; toUs: Micros },
    presence: Presence,
    use: (cells: Cells) => void,
  ): void {
    const file = openSync(path, "r");
    try {
      const index = this.#indexOf(file, `${path} ${level}`, section);
      const out = newCells(0, { ...presence, flag: false, lsn: false });
      for (const [from, to] of stretches(index, tags)) {
        for (let at = from; at < to; at += cellsAtOnce) {
          const n = Math.min(cellsAtOnce, to - at);
          const buffer = new ArrayBuffer(n * cellBytes);
          readSync(file, new Uint8Array(buffer), 0, n * cellBytes, section.at + at * cellBytes);
          decode(file, section, buffer, n, range, out);
          use(out);
          clearCells(out);
        }
      }
    } finally {
      closeSync(file);
    }
  }

  #indexOf(file: number, key: string, section: RollupSection): RollupIndex {
    const known = this.#indexes.get(key);
    if (known !== undefined) {
      this.#indexes.delete(key);
      this.#indexes.set(key, known);
      return known;
    }
    const bytes = new Uint8Array(8 * section.tags + 4);
    readSync(file, bytes, 0, bytes.length, section.at + section.cells * cellBytes + section.exactBytes);
    if (crc32(bytes) !== section.indexCrc) throw new Error("The index of the roll-ups is damaged.");
    const index = {
      tags: new Int32Array(bytes.buffer, 0, section.tags),
      starts: new Uint32Array(bytes.buffer, 4 * section.tags, section.tags + 1),
    };
    this.#indexes.set(key, index);
    this.#indexBytes += bytes.length;
    for (const [old, { tags }] of this.#indexes) {
      if (this.#indexBytes <= this.#indexBytesMax || old === key) break;
      this.#indexes.delete(old);
      this.#indexBytes -= 8 * tags.length + 4;
    }
    return index;
  }
}

/** Stretches of cells that hold all cells of the tags; neighbours are read as one. */
function stretches({ tags, starts }: RollupIndex, wanted: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  let low = 0;
  for (const tag of wanted) {
    let high = tags.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (tags[middle] < tag) low = middle + 1;
      else high = middle;
    }
    if (tags[low] !== tag) continue;
    const last = found[found.length - 1];
    if (last !== undefined && last[1] === starts[low]) last[1] = starts[low + 1];
    else found.push([starts[low], starts[low + 1]]);
  }
  return found;
}

function decode(
  file: number,
  section: RollupSection,
  buffer: ArrayBuffer,
  n: number,
  { fromUs, toUs }: { fromUs: Micros; toUs: Micros },
  out: Cells,
): void {
  const f64 = new Float64Array(buffer);
  const u32 = new Uint32Array(buffer);
  reserveCells(out, n);
  const { last } = out;
  for (let i = 0; i < n; i++) {
    const f = (i * words) / 2;
    const u = i * words + 14;
    let exact: Uint8Array | undefined;
    if (u32[u + 7] !== noExact) {
      if (u32[u + 7] + u32[u + 8] > section.exactBytes) throw damagedCell();
      exact = new Uint8Array(u32[u + 8]);
      readSync(file, exact, 0, exact.length, section.at + section.cells * cellBytes + u32[u + 7]);
    }
    if (u32[u + 9] !== checksum(u32, i * words, exact)) throw damagedCell();
    const time = f64[f];
    if (time < fromUs || time >= toUs) continue;
    const to = out.n++;
    out.tag[to] = u32[u];
    out.time[to] = time;
    out.min[to] = f64[f + 1];
    out.max[to] = f64[f + 2];
    out.sum[to] = f64[f + 3];
    out.numbers[to] = u32[u + 1];
    out.count[to] = u32[u + 2];
    out.good[to] = u32[u + 3];
    out.worst[to] = u32[u + 4];
    last.tag[to] = u32[u];
    last.time[to] = f64[f + 4];
    last.value[to] = f64[f + 5];
    if (last.orig !== null) last.orig[to] = f64[f + 6];
    if (last.status !== null) last.status[to] = u32[u + 5];
    if (last.type !== null) last.type[to] = u32[u + 6] & 0xff;
    if (last.ordinal !== null) last.ordinal[to] = u32[u + 6] >>> 16;
    if (exact !== undefined) last.exact?.set(to, exact);
  }
  last.n = out.n;
}

const damagedCell = (): Error => new Error("A cell of the roll-ups is damaged.");
