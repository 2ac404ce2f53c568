// Hot path. Carries out a compaction: reads sorted files, writes sorted parts with their roll-ups, switches over at once.
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { writeCopy } from "./copies.ts";
import {
  createPoints,
  type Duck,
  type Feed,
  pointsBlock,
  pointsFeed,
  pointsSelect,
  QueryStream,
  strideOf,
  vectorRows,
} from "./duck.ts";
import { formatName, nameOf, type StoredFile, temporarySuffix } from "./file-name.ts";
import type { Files, Finished } from "./files.ts";
import { merge, Resolver } from "./merge.ts";
import type { Job, Partition } from "./plan.ts";
import { RollupWriter, rollupLevels } from "./rollup.ts";
import {
  appendRows,
  clearRows,
  compareIdentity,
  compareRows,
  flagCorrection,
  newRows,
  nothingPresent,
  presentInEither,
  type Rows,
} from "./rows.ts";
import { unite } from "./settle.ts";
import { type Appendix, type FileMeta, historyFormat, seal } from "./trailer.ts";
import { removeTemporary } from "./write.ts";

/** Two row groups of DuckDB: whole ones go compressed straight into the file. */
const blockRows = 2 * 122_880;

export interface CompactionTarget {
  duck: Duck;
  files: Files;
  hooks: { crashPoint(name: string): Promise<void> };
}

export class CompactionStopped extends Error {
  override name = "CompactionStopped";
}

/**
 * Gives the new files, each with a verified copy: what the inputs' copies (or the log) protected stays protected. Throws, and leaves everything as it was,
 * when it fails or `signal` is aborted.
 */
export async function compact(target: CompactionTarget, job: Job, signal: AbortSignal): Promise<StoredFile[]> {
  const { files, hooks } = target;
  const temporaries: string[] = [];
  const levels: RollupWriter[] = [];
  try {
    const written: Region[] = [];
    const regions: (Partition | null)[] = [...job.partitions, null];
    for (const [k, partition] of regions.entries()) {
      const temporary = join(files.dir, `compaction-${k}${temporarySuffix}`);
      temporaries.push(temporary);
      await removeTemporary(temporary);
      const region = await writeRegion(target, job, partition, temporary, levels, signal);
      const needed = region.meta.rows > 0 || (partition === null && written.length === 0);
      if (needed) written.push(region);
      else await removeTemporary(temporary);
    }
    const rowsOf = (of: readonly { meta: FileMeta }[]): number => of.reduce((sum, { meta }) => sum + meta.rows, 0);
    if (rowsOf(written) !== rowsOf(job.inputs))
      throw new Error(
        `${rowsOf(job.inputs)} rows went in and ${rowsOf(written)} came out; the compaction is given up.`,
      );
    const finished = written.map(({ temporary, meta, appendices }) => {
      const name = nameOf(meta, files.takeSerial());
      return { temporary, appendices, file: { ...name, name: formatName(name), bytes: 0, meta } };
    });
    const outputs = finished.map(({ file }) => file.name);
    const copied: Finished[] = [];
    for (const { temporary, file, appendices } of finished) {
      file.meta.outputs = outputs;
      file.bytes = await seal(temporary, file.meta, appendices);
      const copy = files.temporaryCopyPath(file.name);
      temporaries.push(copy);
      copied.push({ temporary, file, copy: { temporary: copy, bytes: await writeCopy(temporary, copy) } });
      if (signal.aborted) throw new CompactionStopped();
    }
    await hooks.crashPoint("K8");
    if (signal.aborted) throw new CompactionStopped();
    await files.replace(copied, job.inputs, hooks);
    return copied.map(({ file }) => file);
  } catch (error) {
    for (const temporary of temporaries) await removeTemporary(temporary);
    throw error;
  } finally {
    for (const level of levels) level.discard();
  }
}

interface Region {
  temporary: string;
  meta: FileMeta;
  appendices: Appendix[];
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
  allLevels: RollupWriter[],
  signal: AbortSignal,
): Promise<Region> {
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
    tagTo: Math.max(0, ...inputs.map((file) => file.meta.tagTo)),
    strideUs: strideOfRegion(inputs, partition),
    corrections: 0,
    hours: [],
    rollups: { minute: null, hour: null },
    supersedes: job.inputs.map((file) => file.name),
    outputs: [],
  };
  let appendices: Appendix[] = [];
  if (inputs.length === 0 && partition !== null) return { temporary, meta, appendices };
  const levels = partition === null ? [] : rollupLevels.map((level) => new RollupWriter(level, temporary, presence));
  allLevels.push(...levels);
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
          const writer = new PartWriter(connection, feed, alias, meta, levels);
          await writer.begin();
          await merge(streams, compareRows, (rows, start, end) => {
            if (signal.aborted) throw new CompactionStopped();
            return writer.add(rows, start, end);
          });
          await hooks.crashPoint("K7");
          appendices = await writer.finish();
        }),
      );
    } finally {
      await duck.detach(alias);
    }
  } finally {
    for (const file of opened) await files.release(file);
  }
  return { temporary, meta, appendices };
}

/** The rows lie somewhere in here; how far they really reach is known only when they are written. */
function strideOfRegion(inputs: readonly StoredFile[], partition: Partition | null): number {
  const from = Math.min(...inputs.map((file) => file.meta.fromUs));
  const to = Math.max(...inputs.map((file) => file.meta.toUs));
  const tagTo = Math.max(...inputs.map((file) => file.meta.tagTo));
  if (partition === null) return strideOf(from, to, tagTo);
  return strideOf(Math.max(from, partition.fromUs), Math.min(to, partition.toUs - 1), tagTo);
}

/** Fills one file, points and roll-ups, and notes in `meta` what it holds. */
class PartWriter {
  readonly #connection: DuckDBConnection;
  readonly #feed: Feed;
  readonly #alias: string;
  readonly #meta: FileMeta;
  readonly #block: Rows;
  readonly #levels: readonly RollupWriter[];
  readonly #resolver: Resolver;
  readonly #hours = new Map<number, number>();
  readonly #points: { columns: ReturnType<typeof pointsFeed>["columns"]; select: string };

  constructor(
    connection: DuckDBConnection,
    feed: Feed,
    alias: string,
    meta: FileMeta,
    levels: readonly RollupWriter[],
  ) {
    this.#connection = connection;
    this.#feed = feed;
    this.#alias = alias;
    this.#meta = meta;
    this.#block = newRows(meta.rows, meta.presence);
    this.#points = pointsFeed(meta.presence, meta.strideUs);
    this.#levels = levels;
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
    await createPoints(this.#connection, this.#alias, this.#meta.strideUs);
  }

  add(rows: Rows, start: number, end: number): boolean | Promise<boolean> {
    this.#note(rows, start, end);
    this.#resolver.add(rows, start, end);
    const room = blockRows - this.#block.n;
    if (end - start < room) {
      appendRows(this.#block, rows, start, end);
      return true;
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
    return true;
  }

  /** Gives what `seal` appends. */
  async finish(): Promise<Appendix[]> {
    this.#resolver.end();
    await this.#flushPoints();
    await this.#connection.run("COMMIT");
    await this.#connection.run(`CHECKPOINT ${this.#alias}`);
    const meta = this.#meta;
    meta.hours = [...this.#hours]
      .map(([hour, n]): [number, number] => [hour * 3_600_000_000, n])
      .sort((a, b) => a[0] - b[0]);
    if (meta.rows === 0) meta.fromUs = meta.toUs = 0;
    const appendices: Appendix[] = [];
    for (const level of this.#levels) {
      const kept = level.finish(meta.rows);
      if (kept === null) continue;
      meta.rollups[level.level.name] = kept.section;
      appendices.push({ section: kept.section, files: [level.cellsPath, level.exactPath], tail: kept.index });
    }
    return appendices;
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
    await this.#connection.run(`INSERT INTO ${this.#alias}.q SELECT ${this.#points.select} FROM ${this.#feed.name}()`);
    clearRows(block);
  }
}

const unsorted = (): Error => new Error("Rows came out of order; the compaction is given up.");
