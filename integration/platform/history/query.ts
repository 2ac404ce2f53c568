// Hot path. Reads: raw, buckets, scan, extent, over heads and files together.
import {
  type Columns,
  formatTimeUs,
  type Micros,
  ProblemError,
  queryLimits,
  type Warning,
} from "@lineshaft/contract/api";
import type { BucketColumns, Lsn, PointsAnswer } from "@lineshaft/contract/ports";
import { Buckets } from "./aggregate.ts";
import { type Duck, pointsSelect, positionCondition, QueryStream } from "./duck.ts";
import type { StoredFile } from "./file-name.ts";
import type { Files } from "./files.ts";
import type { Head } from "./head.ts";
import { merge, Resolver, type RowStream, streamOf } from "./merge.ts";
import type { BucketQuery, RawQuery, ScanQuery } from "./messages.ts";
import { type RollupLevel, type RollupReader, rollupLevels } from "./rollup.ts";
import {
  appendRows,
  compareByTime,
  compareIdentity,
  compareRows,
  newRows,
  nothingPresent,
  type Presence,
  pickRows,
  presentInEither,
  type Rows,
  toColumns,
} from "./rows.ts";

export interface Sources {
  readonly duck: Duck;
  readonly files: Files;
  readonly heads: Head[];
  readonly rollups: RollupReader;
  /** A read of these files failed: sets aside what is damaged. True: some are out of service now, so reading again may succeed. */
  examine(files: readonly StoredFile[]): Promise<boolean>;
}

const everything: Lsn = Number.POSITIVE_INFINITY;
/** Rows that one bucket query may read; about two seconds. */
const bucketRowsMax = 100_000_000;
const maxAttempts = 5;
/** Files that one bucket query reads at a time: while one is planned, another is read. */
const filesAtOnce = 3;

/** What one read looks at: taken in one go, so that no row is seen twice or missed while heads become files. */
interface View {
  heads: Head[];
  files: StoredFile[];
  presence: Presence;
  /** What is missing from it. Taken with the files: a file that is mended while they are read is not among them. */
  warnings: Warning[];
  /** Some of it comes back by itself. */
  mending: boolean;
  /** A statement on the points of one file; `{p}` stands for its table. */
  open(file: StoredFile, sql: string): RowStream;
}

/**
 * Reads a range. Files are opened as they are needed; when a compaction has replaced one by then, or one turns out to be damaged, everything is
 * read again from what stands now.
 */
async function reading<T>(
  sources: Sources,
  fromUs: Micros,
  toUs: Micros,
  signal: AbortSignal,
  read: (view: View) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const heads = sources.heads;
    const files = sources.files.overlapping(fromUs, toUs);
    const warnings = warningsFor(sources.files, fromUs, toUs);
    const mending = isMending(sources.files, fromUs, toUs);
    const streams: FileStream[] = [];
    const stop = (): void => {
      for (const stream of streams) stream.interrupt();
    };
    signal.addEventListener("abort", stop);
    try {
      signal.throwIfAborted();
      const presence = [...heads, ...files.map((file) => file.meta)]
        .map((part) => part.presence)
        .reduce(presentInEither, nothingPresent);
      const open = (file: StoredFile, sql: string): RowStream => {
        const stream = new FileStream(sources, file, sql);
        streams.push(stream);
        return stream;
      };
      return await read({ heads, files, presence, warnings, mending, open });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof ProblemError || attempt === maxAttempts || files.length === 0) throw error;
      if (!(await sources.examine(files))) throw error;
    } finally {
      signal.removeEventListener("abort", stop);
      for (const stream of streams) stream.close();
    }
  }
}

/** A statement on one file, which is open for as long. */
class FileStream implements RowStream {
  readonly #sources: Sources;
  readonly #file: StoredFile;
  readonly #sql: string;
  #stream: QueryStream | null = null;
  #interrupted = false;

  constructor(sources: Sources, file: StoredFile, sql: string) {
    this.#sources = sources;
    this.#file = file;
    this.#sql = sql;
  }

  async next(): Promise<Rows | null> {
    if (this.#stream === null) {
      const { duck, files } = this.#sources;
      const file = this.#file;
      const alias = await files.acquire(file);
      this.#stream = new QueryStream(duck, this.#sql.replace("{p}", `${alias}.p`), file.meta.presence, () =>
        files.release(file),
      );
      if (this.#interrupted) this.close();
    }
    return this.#stream.next();
  }

  interrupt(): void {
    this.#interrupted = true;
    this.#stream?.interrupt();
  }

  close(): void {
    this.#interrupted = true;
    this.#stream?.close();
  }
}

const fates = {
  fromCopy: "It is being rebuilt from its copy.",
  fromLog: "It is being rebuilt from the log.",
  impossible: "Neither a copy nor the log has its points.",
} as const;

function warningsFor(files: Files, fromUs: Micros, toUs: Micros): Warning[] {
  const warnings: Warning[] = files.damage(fromUs, toUs).map((q) => ({
    code: "history_damaged",
    detail: `${q.file} is damaged and in quarantine: ${q.detail} ${fates[q.rebuild]}`,
    fromUs: q.fromUs,
    toUs: q.toUs,
  }));
  const frozen = files.frozenBeforeUs;
  if (frozen !== null && fromUs < frozen) {
    const detail = `Points before ${formatTimeUs(frozen)} are older than what is kept and were removed.`;
    warnings.push({ code: "history_retired", detail, toUs: frozen });
  }
  return warnings;
}

function checkRange(tags: readonly number[] | null, fromUs: Micros, toUs: Micros): number[] {
  if (!Number.isFinite(fromUs) || !Number.isFinite(toUs))
    throw new ProblemError("request_invalid", "A query needs a finite range of time.");
  if (tags === null) return [];
  if (tags.length > queryLimits.tags)
    throw new ProblemError("query_too_large", `${tags.length} tags were asked for; ${queryLimits.tags} are allowed.`);
  return [...new Set(tags)].sort((a, b) => a - b);
}

/** Rows of the tags in the range. Of one tag they lie together, and `pos` leads there. */
function rowsCondition(file: StoredFile, tags: readonly number[], fromUs: Micros, toUs: Micros): string {
  const { strideUs } = file.meta;
  const range =
    tags.length === 1 && strideUs > 0
      ? positionCondition(tags[0], fromUs, toUs, strideUs)
      : rangeCondition(fromUs, toUs);
  return `${tagCondition(tags)} AND ${range}`;
}

function tagCondition(tags: readonly number[]): string {
  return tags.length === 1 ? `tag = ${tags[0]}` : `tag IN (${tags.join(",")})`;
}

function rangeCondition(fromUs: Micros, toUs: Micros): string {
  return `time >= ${Math.ceil(fromUs)} AND time < ${Math.ceil(toUs)}`;
}

function asOfCondition(presence: Presence, asOf: Lsn): string {
  return presence.lsn && Number.isFinite(asOf) ? ` AND lsn <= ${asOf}` : "";
}

// ── raw ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

export async function readRaw(sources: Sources, query: RawQuery, signal: AbortSignal): Promise<PointsAnswer> {
  const { fromUs, toUs, after, limit } = query;
  if (limit > queryLimits.points)
    throw new ProblemError("query_too_large", `${limit} points were asked for; ${queryLimits.points} are allowed.`);
  let tags = checkRange(query.tags, fromUs, toUs);
  if (after !== undefined) tags = tags.filter((tag) => tag >= after.tag);
  const asOf = query.asOf ?? everything;
  const position =
    after === undefined
      ? ""
      : ` AND (tag > ${after.tag} OR time > ${after.time} OR (time = ${after.time} AND ordinal > ${after.ordinal}))`;
  return reading(sources, fromUs, toUs, signal, async (view) => {
    const out = newRows(Math.min(limit + 1, 4096), { ...view.presence, flag: false, lsn: false });
    let more = false;
    if (tags.length > 0 && limit > 0) {
      const streams = view.heads.map((head) => {
        const rows = head.collect(tags, fromUs, toUs, asOf);
        return streamOf(after === undefined ? rows : rowsAfter(rows, after));
      });
      for (const file of view.files) {
        if (file.lsnFrom > asOf) continue;
        const { presence } = file.meta;
        streams.push(
          view.open(
            file,
            `SELECT ${pointsSelect(presence)} FROM {p} WHERE ${rowsCondition(file, tags, fromUs, toUs)}${asOfCondition(presence, asOf)}${position}`,
          ),
        );
      }
      more = await collectUpTo(streams, view.presence, out, limit);
    }
    return { columns: toColumns(out), warnings: view.warnings, more };
  });
}

function rowsAfter(rows: Rows, after: { tag: number; time: Micros; ordinal: number }): Rows {
  const kept: number[] = [];
  for (let i = 0; i < rows.n; i++) {
    const ordinal = rows.ordinal === null ? 0 : rows.ordinal[i];
    if (rows.tag[i] - after.tag || rows.time[i] - after.time || ordinal - after.ordinal) {
      if ((rows.tag[i] - after.tag || rows.time[i] - after.time || ordinal - after.ordinal) > 0) kept.push(i);
    }
  }
  return pickRows(rows, kept);
}

/**
 * Merges into `out`, about `limit` rows; true when there is more. A page never ends inside an identity (the next one starts after it):
 * it ends before the identity that does not fit, and only if it holds nothing else does it grow beyond the limit.
 */
async function collectUpTo(streams: RowStream[], presence: Presence, out: Rows, limit: number): Promise<boolean> {
  let more = false;
  const resolver = new Resolver(presence, (rows, start, end) => {
    const fitting = Math.min(end, start + Math.max(0, limit - out.n));
    if (fitting > start) appendRows(out, rows, start, fitting);
    for (let i = fitting; i < end; i++) {
      if (compareIdentity(rows, i, out, out.n - 1) !== 0) {
        more = true;
        return false;
      }
      appendRows(out, rows, i, i + 1);
    }
    return true;
  });
  await merge(streams, compareRows, (rows, start, end) => resolver.add(rows, start, end));
  if (!more) resolver.end();
  if (out.n > limit) {
    let start = out.n - 1;
    while (start > 0 && compareIdentity(out, start - 1, out, out.n - 1) === 0) start--;
    if (start > 0) {
      out.n = start;
      more = true;
    }
  }
  return more;
}

// ── buckets ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export async function readBuckets(sources: Sources, query: BucketQuery, signal: AbortSignal): Promise<BucketColumns> {
  const { fromUs, toUs, bucketUs } = query;
  const originUs = query.originUs ?? 0;
  const tags = checkRange(query.tags, fromUs, toUs);
  const count = Math.ceil((toUs - fromUs) / bucketUs);
  if (!(bucketUs > 0) || count > queryLimits.buckets || count * tags.length > queryLimits.points)
    throw new ProblemError(
      "query_too_large",
      `${count} buckets of ${tags.length} tags were asked for; ${queryLimits.buckets} a tag are allowed.`,
    );
  return reading(sources, fromUs, toUs, signal, async (view) => {
    const range = { tags, fromUs, toUs, bucketUs, originUs };
    const buckets = new Buckets(range, { ...view.presence, flag: false, lsn: false });
    if (tags.length > 0) await fillBuckets(view, buckets, range, sources);
    return {
      ...bucketColumns(buckets, bucketUs),
      warnings: view.warnings,
    };
  });
}

async function fillBuckets(
  view: View,
  buckets: Buckets,
  query: Required<BucketQuery>,
  sources: Sources,
): Promise<void> {
  const { tags, fromUs, toUs } = query;
  // At once: a head becomes a file, and its memory is used again, while files are read.
  const inHeads = view.heads.map((head) => streamOf(head.collect(tags, fromUs, toUs, everything)));
  const points = (file: StoredFile, from: Micros, to: Micros): RowStream =>
    view.open(file, `SELECT ${pointsSelect(file.meta.presence)} FROM {p} WHERE ${rowsCondition(file, tags, from, to)}`);
  const entangled = entangledFiles(view);
  let budget = bucketRowsMax;
  const add = (rows: Rows, start: number, end: number): boolean => {
    budget -= end - start;
    if (budget < 0)
      throw new ProblemError("query_too_large", `The query would read more than ${bucketRowsMax} points.`);
    buckets.addRows(rows, start, end);
    return true;
  };
  // What a correction in the file itself replaces is left out on the way.
  const pieces: (() => Promise<void>)[] = [];
  const drain = (file: StoredFile, from: Micros, to: Micros): void => {
    pieces.push(async () => {
      const resolver = new Resolver(file.meta.presence, add);
      await merge([points(file, from, to)], compareRows, (rows, start, end) => resolver.add(rows, start, end));
      resolver.end();
    });
  };
  for (const file of view.files) {
    if (entangled.has(file)) continue;
    const level = rollupLevels.find((candidate) => serves(candidate, file, query));
    if (level === undefined) {
      drain(file, fromUs, toUs);
      continue;
    }
    const innerFrom = Math.ceil(fromUs / level.widthUs) * level.widthUs;
    const innerTo = Math.floor(toUs / level.widthUs) * level.widthUs;
    if (innerFrom >= innerTo) {
      drain(file, fromUs, toUs);
      continue;
    }
    sources.rollups.read(
      sources.files.pathOf(file),
      level.name,
      file.meta.rollups[level.name]!,
      tags,
      { fromUs: innerFrom, toUs: innerTo },
      file.meta.presence,
      (cells) => buckets.addCells(cells),
    );
    // A bucket that the range cuts holds only what lies in the range.
    if (fromUs < innerFrom) drain(file, fromUs, innerFrom);
    if (innerTo < toUs) drain(file, innerTo, toUs);
  }
  await Promise.all(
    Array.from({ length: filesAtOnce }, async () => {
      for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) await piece();
    }),
  );
  const streams: RowStream[] = inHeads;
  for (const file of entangled) streams.push(points(file, fromUs, toUs));
  const resolver = new Resolver(view.presence, add);
  await merge(streams, compareRows, (rows, start, end) => resolver.add(rows, start, end));
  resolver.end();
}

function serves(level: RollupLevel, file: StoredFile, query: Required<BucketQuery>): boolean {
  if (file.meta.rollups[level.name] === null) return false;
  return query.bucketUs % level.widthUs === 0 && query.originUs % level.widthUs === 0;
}

/**
 * Files whose rows a correction elsewhere may replace, or that hold a correction for rows elsewhere: they must be read row by row, together
 * and with the heads. All others add up.
 */
function entangledFiles(view: View): Set<StoredFile> {
  const parts = [
    ...view.heads
      .filter((head) => head.rows > 0)
      .map(({ fromUs, toUs, corrections }) => ({ file: null, fromUs, toUs, corrections })),
    ...view.files.map((file) => ({
      file,
      fromUs: file.meta.fromUs,
      toUs: file.meta.toUs,
      corrections: file.meta.corrections,
    })),
  ];
  const entangled = new Set<StoredFile>();
  if (parts.every((part) => part.corrections === 0)) return entangled;
  for (const part of parts) {
    const { file } = part;
    if (file === null) continue;
    const touched = parts.some(
      (other) =>
        other !== part &&
        (other.corrections > 0 || part.corrections > 0) &&
        other.fromUs <= part.toUs &&
        part.fromUs <= other.toUs,
    );
    if (touched) entangled.add(file);
  }
  return entangled;
}

function bucketColumns(buckets: Buckets, bucketUs: number): Omit<BucketColumns, "warnings"> {
  const { cells } = buckets;
  const order = buckets.order();
  const n = cells.n;
  const pick = <T extends { [i: number]: number }>(make: { new (n: number): T }, from: T): T => {
    const to = new make(n);
    for (let i = 0; i < n; i++) to[i] = from[order[i]];
    return to;
  };
  const avg = new Float64Array(n);
  for (let i = 0; i < n; i++)
    avg[i] = cells.numbers[order[i]] === 0 ? Number.NaN : cells.sum[order[i]] / cells.numbers[order[i]];
  return {
    rows: n,
    bucketUs,
    tag: pick(Int32Array, cells.tag),
    time: pick(Float64Array, cells.time),
    min: pick(Float64Array, cells.min),
    max: pick(Float64Array, cells.max),
    avg,
    last: toColumns(pickRows(cells.last, order)),
    count: pick(Float64Array, cells.count),
    good: pick(Float64Array, cells.good),
    status: pick(Uint32Array, cells.worst),
  };
}

// ── scan ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Rows that one window of a scan should hold: it is sorted as a whole, so it bounds memory. */
const windowRows = 1_000_000;

export async function* scan(sources: Sources, query: ScanQuery, signal: AbortSignal): AsyncGenerator<Columns> {
  const tags = query.tags === null ? null : checkRange(query.tags.slice(0, queryLimits.tags), query.fromUs, query.toUs);
  const { toUs, asOf } = query;
  let fromUs = query.fromUs;
  let widthUs = 0;
  while (fromUs < toUs) {
    await mended(sources.files, fromUs, toUs, signal);
    const first = nextTime(sources, fromUs, toUs);
    if (first === null) return;
    fromUs = Math.max(fromUs, first);
    if (widthUs === 0) widthUs = firstWidth(sources, fromUs, toUs);
    const until = Math.min(toUs, fromUs + widthUs);
    const window = { tags, fromUs, toUs: until, asOf, chunkRows: query.chunkRows };
    const chunks = await scanWindow(sources, window, signal);
    if (chunks === null) continue;
    let rows = 0;
    for (const chunk of chunks) {
      rows += chunk.rows;
      yield chunk;
    }
    if (rows < windowRows / 2) widthUs = Math.min(widthUs * 4, 366 * 86_400_000_000);
    else if (rows > windowRows * 2) widthUs = Math.max(1, Math.ceil(widthUs / 2));
    fromUs = until;
  }
}

const isMending = (files: Files, fromUs: Micros, toUs: Micros): boolean =>
  files.damage(fromUs, toUs).some((note) => note.rebuild !== "impossible");

/** A replay has no place for a warning, and must not leave out what is there again in a moment: it waits. */
async function mended(files: Files, fromUs: Micros, toUs: Micros, signal: AbortSignal): Promise<void> {
  if (!isMending(files, fromUs, toUs)) return;
  const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  while (isMending(files, fromUs, toUs)) {
    signal.throwIfAborted();
    await Promise.race([files.quarantine.change, aborted]);
  }
}

/** A lower bound for the time of the next row from `fromUs` on: empty years are passed in one step. */
function nextTime(sources: Sources, fromUs: Micros, toUs: Micros): Micros | null {
  let least = Number.POSITIVE_INFINITY;
  for (const part of [
    ...sources.heads.filter((head) => head.rows > 0),
    ...sources.files.overlapping(fromUs, toUs).map((f) => f.meta),
  ]) {
    if (part.toUs >= fromUs && part.fromUs < toUs) least = Math.min(least, Math.max(fromUs, part.fromUs));
  }
  return least < toUs ? least : null;
}

function firstWidth(sources: Sources, fromUs: Micros, toUs: Micros): number {
  const hourUs = 3_600_000_000;
  let rows = 0;
  for (const file of sources.files.overlapping(fromUs, toUs)) {
    for (const [hour, count] of file.meta.hours) if (hour + hourUs > fromUs && hour < fromUs + hourUs) rows += count;
  }
  for (const head of sources.heads) rows += head.rows;
  return Math.max(1, Math.min(toUs - fromUs, Math.round(hourUs * (windowRows / Math.max(1, rows)))));
}

/** The chunks of one window; null: a file of it is being mended. They are kept until all are read, since a damaged file means reading the window again. */
function scanWindow(
  sources: Sources,
  query: { tags: number[] | null; fromUs: Micros; toUs: Micros; asOf: Lsn; chunkRows: number },
  signal: AbortSignal,
): Promise<Columns[] | null> {
  const { tags, fromUs, toUs, asOf, chunkRows } = query;
  return reading(sources, fromUs, toUs, signal, async (view) => {
    if (view.mending) return null;
    const set = tags === null ? null : new Set(tags);
    const streams = view.heads.map((head) => streamOf(head.collectByTime(set, fromUs, toUs, asOf)));
    for (const file of view.files) {
      if (file.lsnFrom > asOf) continue;
      const { presence } = file.meta;
      const condition = tags === null ? "" : `${tagCondition(tags)} AND `;
      streams.push(
        view.open(
          file,
          `SELECT ${pointsSelect(presence)} FROM {p} WHERE ${condition}${rangeCondition(fromUs, toUs)}${asOfCondition(presence, asOf)}
            ORDER BY time, tag${presence.ordinal ? ", ordinal" : ""}, value`,
        ),
      );
    }
    const done: Columns[] = [];
    const present = { ...view.presence, flag: false, lsn: false };
    let out = newRows(Math.min(chunkRows, 65_536), present);
    const resolver = new Resolver(view.presence, (rows, start, end) => {
      let at = start;
      while (at < end) {
        if (out.n >= chunkRows && rows.time[at] !== out.time[out.n - 1]) {
          done.push(toColumns(out));
          out.n = 0;
          out.exact?.clear();
        }
        let stop = Math.min(end, at + Math.max(1, chunkRows - out.n));
        if (out.n + stop - at >= chunkRows) while (stop < end && rows.time[stop] === rows.time[stop - 1]) stop++;
        appendRows(out, rows, at, stop);
        at = stop;
      }
      return true;
    });
    await merge(streams, compareByTime, (rows, start, end) => resolver.add(rows, start, end));
    resolver.end();
    if (out.n > 0) done.push(toColumns(out));
    out = newRows(0, present);
    return done;
  });
}

// ── extent ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export function readExtent(sources: Sources): { fromUs: Micros; toUs: Micros } | null {
  let fromUs = Number.POSITIVE_INFINITY;
  let toUs = Number.NEGATIVE_INFINITY;
  for (const part of [...sources.files.all.map((file) => file.meta), ...sources.heads]) {
    if (part.rows === 0) continue;
    fromUs = Math.min(fromUs, part.fromUs);
    toUs = Math.max(toUs, part.toUs);
  }
  return toUs < fromUs ? null : { fromUs, toUs };
}
