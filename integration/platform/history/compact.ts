// Hot path. Carries out a compaction: reads sorted files, writes sorted parts with their roll-ups, switches over at once.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { CellWriter } from "./aggregate.ts";
import {
  type Duck,
  type Feed,
  pointsBlock,
  pointsFeed,
  pointsSelect,
  pointsTable,
  QueryStream,
  vectorRows,
} from "./duck.ts";
import { type Files, formatName, type StoredFile, temporarySuffix } from "./files.ts";
import { merge, Resolver } from "./merge.ts";
import type { Job, Partition } from "./plan.ts";
import { type RollupLevel, rollupBlock, rollupFeed, rollupLevels, rollupTable } from "./rollup.ts";
import {
  appendRows,
  clearRows,
  compareIdentity,
  compareRows,
  flagCorrection,
  newRows,
  nothingPresent,
  type Presence,
  presentInEither,
  type Rows,
} from "./rows.ts";
import { type FileMeta, historyFormat, seal } from "./trailer.ts";

/** Two row groups of DuckDB: whole ones go compressed straight into the file. */
const blockRows = 2 * 122_880;
const cellBlock = 122_880;

export interface CompactionTarget {
  duck: Duck;
  files: Files;
  hooks: { crashPoint(name: string): Promise<void> };
}

export class CompactionStopped extends Error {
  override name = "CompactionStopped";
}

/** Gives the new files. Throws, and leaves everything as it was, when it fails or `signal` is aborted. */
export async function compact(target: CompactionTarget, job: Job, signal: AbortSignal): Promise<StoredFile[]> {
  const { files, hooks } = target;
  const written: { temporary: string; meta: FileMeta }[] = [];
  try {
    const regions: (Partition | null)[] = [...job.partitions, null];
    for (const [k, partition] of regions.entries()) {
      const temporary = join(files.dir, `compaction-${k}${temporarySuffix}`);
      await rm(temporary, { force: true });
      const meta = await writeRegion(target, job, partition, temporary, signal);
      const needed = meta.rows > 0 || (partition === null && written.length === 0);
      if (needed) written.push({ temporary, meta });
      else await rm(temporary, { force: true });
    }
    const finished = written.map(({ temporary, meta }) => {
      const name = {
        kind: meta.kind,
        lsnFrom: meta.covers[0][0],
        lsnTo: meta.covers[meta.covers.length - 1][1],
        fromUs: meta.fromUs,
        toUs: meta.toUs,
        serial: files.takeSerial(),
      };
      return { temporary, file: { ...name, name: formatName(name), bytes: 0, meta } };
    });
    const outputs = finished.map(({ file }) => file.name);
    for (const { temporary, file } of finished) {
      file.meta.outputs = outputs;
      file.bytes = await seal(temporary, file.meta);
    }
    await hooks.crashPoint("K8");
    if (signal.aborted) throw new CompactionStopped();
    await files.replace(finished, job.inputs);
    return finished.map(({ file }) => file);
  } catch (error) {
    for (const { temporary } of written) await rm(temporary, { force: true });
    throw error;
  }
}

/** Which rows of an input belong to the region: those of one partition, or those of none. */
function regionCondition(job: Job, partition: Partition | null): string {
  const inside = (p: Partition): string => `time >= ${p.fromUs} AND time < ${p.toUs}`;
  if (partition !== null) return inside(partition);
  return job.partitions.map((p) => `NOT (${inside(p)})`).join(" AND ") || "true";
}

/** May the input hold rows of the region? */
function reaches(file: StoredFile, job: Job, partition: Partition | null): boolean {
  const { meta } = file;
  if (meta.rows === 0) return false;
  if (partition !== null) return meta.fromUs < partition.toUs && meta.toUs >= partition.fromUs;
  return !job.partitions.some((p) => meta.fromUs >= p.fromUs && meta.toUs < p.toUs);
}

async function writeRegion(
  target: CompactionTarget,
  job: Job,
  partition: Partition | null,
  temporary: string,
  signal: AbortSignal,
): Promise<FileMeta> {
  const { duck, files, hooks } = target;
  const inputs = job.inputs.filter((file) => reaches(file, job, partition));
  const presence = inputs.map((file) => file.meta.presence).reduce(presentInEither, nothingPresent);
  const meta: FileMeta = {
    format: historyFormat,
    kind: partition === null ? "side" : "part",
    partition,
    covers: unite(job.inputs.flatMap((file) => file.meta.covers)),
    rows: 0,
    fromUs: 0,
    toUs: 0,
    originals: null,
    presence,
    corrections: 0,
    hours: [],
    rollups: null,
    supersedes: job.inputs.map((file) => file.name),
    outputs: [],
  };
  if (inputs.length === 0 && partition !== null) return meta;
  const opened: StoredFile[] = [];
  try {
    const streams: QueryStream[] = [];
    for (const file of inputs) {
      const alias = await files.acquire(file);
      opened.push(file);
      const sql = `SELECT ${pointsSelect(file.meta.presence)} FROM ${alias}.p WHERE ${regionCondition(job, partition)}`;
      streams.push(new QueryStream(duck, sql, file.meta.presence));
    }
    const alias = await duck.attach(temporary, "READ_WRITE");
    try {
      await duck.with((connection) =>
        duck.withFeed(async (feed) => {
          const writer = new PartWriter(connection, feed, alias, meta);
          await writer.begin();
          await merge(streams, compareRows, (rows, start, end) => {
            if (signal.aborted) throw new CompactionStopped();
            return writer.add(rows, start, end);
          });
          await hooks.crashPoint("K7");
          await writer.finish();
        }),
      );
    } finally {
      await duck.detach(alias);
    }
  } finally {
    for (const file of opened) await files.release(file);
  }
  return meta;
}

/** Fills one file, points and roll-ups, and notes in `meta` what it holds. */
class PartWriter {
  readonly #connection: DuckDBConnection;
  readonly #feed: Feed;
  readonly #alias: string;
  readonly #meta: FileMeta;
  readonly #block: Rows;
  readonly #levels: RollupWriter[];
  readonly #resolver: Resolver;
  readonly #hours = new Map<number, number>();
  readonly #points: { columns: ReturnType<typeof pointsFeed>["columns"]; select: string };

  constructor(connection: DuckDBConnection, feed: Feed, alias: string, meta: FileMeta) {
    this.#connection = connection;
    this.#feed = feed;
    this.#alias = alias;
    this.#meta = meta;
    this.#block = newRows(meta.rows, meta.presence);
    this.#points = pointsFeed(meta.presence);
    this.#levels =
      meta.kind === "part" ? rollupLevels.map((level) => new RollupWriter(level, alias, meta.presence)) : [];
    // Roll-ups are of what a reader sees: without the rows that corrections in this file replace.
    this.#resolver = new Resolver(meta.presence, (rows, start, end) => {
      for (const level of this.#levels) level.add(rows, start, end);
      return true;
    });
    meta.fromUs = Number.POSITIVE_INFINITY;
    meta.toUs = Number.NEGATIVE_INFINITY;
  }

  async begin(): Promise<void> {
    await this.#connection.run("BEGIN");
    await this.#connection.run(`CREATE TABLE ${this.#alias}.${pointsTable}`);
    for (const level of this.#levels) await level.create(this.#connection);
  }

  add(rows: Rows, start: number, end: number): boolean | Promise<boolean> {
    this.#note(rows, start, end);
    this.#resolver.add(rows, start, end);
    const room = blockRows - this.#block.n;
    if (end - start < room) {
      appendRows(this.#block, rows, start, end);
      return this.#levels.some((level) => level.isFull) ? this.#flushLevels() : true;
    }
    return this.#addBeyond(rows, start, end);
  }

  async #addBeyond(rows: Rows, start: number, end: number): Promise<boolean> {
    for (let at = start; at < end; ) {
      const stop = Math.min(end, at + blockRows - this.#block.n);
      appendRows(this.#block, rows, at, stop);
      at = stop;
      if (this.#block.n === blockRows) await this.#flushPoints();
    }
    return this.#flushLevels();
  }

  async finish(): Promise<void> {
    this.#resolver.end();
    await this.#flushPoints();
    const kept: Record<string, number | null> = {};
    for (const level of this.#levels)
      kept[level.level.name] = await level.finish(this.#connection, this.#feed, this.#meta.rows);
    await this.#connection.run("COMMIT");
    await this.#connection.run(`CHECKPOINT ${this.#alias}`);
    const meta = this.#meta;
    if (this.#levels.length > 0) meta.rollups = { minute: kept.minute, hour: kept.hour };
    meta.hours = [...this.#hours]
      .map(([hour, n]): [number, number] => [hour * 3_600_000_000, n])
      .sort((a, b) => a[0] - b[0]);
    if (meta.rows === 0) meta.fromUs = meta.toUs = 0;
  }

  #note(rows: Rows, start: number, end: number): void {
    const meta = this.#meta;
    const { tag, time } = rows;
    // Whatever the reason for a row out of place would be: a file that is not sorted must never come into being.
    if (this.#block.n > 0 && compareIdentity(this.#block, this.#block.n - 1, rows, start) > 0) throw unsorted();
    let hour = Number.NaN;
    let inHour = 0;
    for (let i = start; i < end; i++) {
      if (i > start && (tag[i] < tag[i - 1] || (tag[i] === tag[i - 1] && time[i] < time[i - 1]))) throw unsorted();
      const t = time[i];
      if (t < meta.fromUs) meta.fromUs = t;
      if (t > meta.toUs) meta.toUs = t;
      const h = Math.floor(t / 3_600_000_000);
      if (h !== hour) {
        if (inHour > 0) this.#hours.set(hour, (this.#hours.get(hour) ?? 0) + inHour);
        hour = h;
        inHour = 0;
      }
      inHour++;
    }
    if (inHour > 0) this.#hours.set(hour, (this.#hours.get(hour) ?? 0) + inHour);
    meta.rows += end - start;
    if (rows.flag !== null) for (let i = start; i < end; i++) if (rows.flag[i] & flagCorrection) meta.corrections++;
    if (rows.orig !== null) {
      for (let i = start; i < end; i++) {
        const o = rows.orig[i];
        if (Number.isNaN(o)) continue;
        meta.originals ??= { fromUs: o, toUs: o };
        meta.originals.fromUs = Math.min(meta.originals.fromUs, o);
        meta.originals.toUs = Math.max(meta.originals.toUs, o);
      }
    }
  }

  async #flushPoints(): Promise<void> {
    const block = this.#block;
    if (block.n === 0) return;
    let at = 0;
    this.#feed.load(this.#points.columns, () => {
      const start = at;
      at = Math.min(block.n, at + vectorRows);
      return start === at ? null : pointsBlock(block, start, at - start);
    });
    await this.#connection.run(`INSERT INTO ${this.#alias}.p SELECT ${this.#points.select} FROM ${this.#feed.name}()`);
    clearRows(block);
  }

  async #flushLevels(): Promise<boolean> {
    for (const level of this.#levels)
      if (level.isFull) await level.flush(this.#connection, this.#feed, this.#meta.rows);
    return true;
  }
}

const unsorted = (): Error => new Error("Rows came out of order; the compaction is given up.");

/** Rows that a cell must stand for on average, or the level is not kept: it would cost more than reading the points. */
const rowsPerCellMin = 16;

class RollupWriter {
  readonly level: RollupLevel;
  readonly #alias: string;
  readonly #writer: CellWriter;
  readonly #feed: ReturnType<typeof rollupFeed>;
  #written = 0;
  #given = false;

  constructor(level: RollupLevel, alias: string, presence: Presence) {
    this.level = level;
    this.#alias = alias;
    const kept = { ...presence, flag: false, lsn: false };
    this.#writer = new CellWriter(level.widthUs, kept, 1024);
    this.#feed = rollupFeed(kept);
  }

  create(connection: DuckDBConnection): Promise<unknown> {
    return connection.run(`CREATE TABLE ${this.#alias}.${rollupTable(this.level)}`);
  }

  add(rows: Rows, start: number, end: number): void {
    if (!this.#given) this.#writer.add(rows, start, end);
  }

  get isFull(): boolean {
    return this.#writer.finished >= cellBlock;
  }

  async flush(connection: DuckDBConnection, feed: Feed, points: number): Promise<void> {
    if (points < (this.#written + this.#writer.finished) * rowsPerCellMin) {
      this.#given = true;
      await connection.run(`DROP TABLE ${this.#alias}.${this.level.table}`);
    } else await this.#insert(connection, feed, this.#writer.finished);
    this.#writer.takeFinished();
  }

  /** Rows of the table, or null when the level is not kept. */
  async finish(connection: DuckDBConnection, feed: Feed, points: number): Promise<number | null> {
    const { cells } = this.#writer;
    if (!this.#given && points < (this.#written + cells.n) * rowsPerCellMin && this.#written > 0) {
      this.#given = true;
      await connection.run(`DROP TABLE ${this.#alias}.${this.level.table}`);
    }
    if (this.#given) return null;
    if (points < (this.#written + cells.n) * rowsPerCellMin) {
      await connection.run(`DROP TABLE ${this.#alias}.${this.level.table}`);
      return null;
    }
    if (cells.n > 0) await this.#insert(connection, feed, cells.n);
    return this.#written;
  }

  async #insert(connection: DuckDBConnection, feed: Feed, n: number): Promise<void> {
    let at = 0;
    feed.load(this.#feed.columns, () => {
      const start = at;
      at = Math.min(n, at + vectorRows);
      return start === at ? null : rollupBlock(this.#writer.cells, start, at - start);
    });
    await connection.run(
      `INSERT INTO ${this.#alias}.${this.level.table} SELECT ${this.#feed.select} FROM ${feed.name}()`,
    );
    this.#written += n;
  }
}

/** Ranges of LSNs (ends included) as few ranges, ascending. Ranges that touch become one. */
export function unite(ranges: readonly [number, number][]): [number, number][] {
  const united: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = united[united.length - 1];
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else united.push([from, to]);
  }
  return united;
}
