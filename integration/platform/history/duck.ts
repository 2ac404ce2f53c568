// Hot path. The one DuckDB instance of history: it attaches files, fills tables from typed arrays, and streams rows out as typed arrays.
import {
  BIGINT,
  BLOB,
  DOUBLE,
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBResult,
  DuckDBTableFunction,
  type DuckDBType,
  INTEGER,
  UINTEGER,
  USMALLINT,
  UTINYINT,
} from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import type { RowStream } from "./merge.ts";
import { flagNegativeZero, newRows, type Presence, type Rows } from "./rows.ts";

/** DuckDB's vector size: a chunk never has more rows. */
export const vectorRows = 2048;

type Column = Int32Array | Float64Array | BigInt64Array | Uint32Array | Uint16Array | Uint8Array;

/** A stretch of columns to be inserted, at most `vectorRows` long. */
export interface FeedBlock {
  start: number;
  n: number;
  columns: Column[];
  /** The blob column comes last; null where the feed has none. Keys are row numbers as `start` counts. */
  blobs: Map<number, Uint8Array> | null;
}

export interface FeedColumn {
  name: string;
  type: DuckDBType;
}

/** A table function that hands typed arrays to DuckDB; one use at a time. */
export class Feed {
  readonly name: string;
  #columns: FeedColumn[] = [];
  #pull: () => FeedBlock | null = () => null;

  constructor(name: string, connection: DuckDBConnection) {
    this.name = name;
    connection.registerTableFunction(
      DuckDBTableFunction.create({
        name,
        bindFunction: (info) => {
          for (const { name: column, type } of this.#columns) info.addResultColumn(column, type);
        },
        initFunction: () => undefined,
        mainFunction: (info, out) => {
          try {
            this.#fill(out);
          } catch (error) {
            info.setError(String(error));
          }
        },
      }),
    );
  }

  /** What the next statement that names this function will read. */
  load(columns: FeedColumn[], pull: () => FeedBlock | null): void {
    this.#columns = columns;
    this.#pull = pull;
  }

  #fill(out: DuckDBDataChunk): void {
    const block = this.#pull();
    out.rowCount = block === null ? 0 : block.n;
    if (block === null || block.n === 0) return;
    const { start, n, columns, blobs } = block;
    for (let k = 0; k < columns.length; k++) {
      const column = columns[k];
      const width = column.BYTES_PER_ELEMENT;
      const vector = duckdb.data_chunk_get_vector(out.chunk, k);
      duckdb.copy_data_to_vector(vector, 0, column.buffer as ArrayBuffer, column.byteOffset + start * width, n * width);
    }
    if (columns.length < this.#columns.length) {
      const vector = duckdb.data_chunk_get_vector(out.chunk, columns.length);
      const valid = new Uint8Array(vectorRows / 8);
      if (blobs !== null && blobs.size > 0) {
        for (let i = 0; i < n; i++) {
          const bytes = blobs.get(start + i);
          if (bytes === undefined) continue;
          valid[i >>> 3] |= 1 << (i & 7);
          duckdb.vector_assign_string_element_len(vector, i, bytes);
        }
      }
      duckdb.vector_ensure_validity_writable(vector);
      duckdb.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, Math.ceil(n / 64) * 8);
    }
  }
}

// ── points ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * By how much each tag's times are moved on in a file of this span (ends included) and these tags, so that they ascend over all tags: at the end of a tag time then
 * does not fall back by the whole span, which would cost DuckDB's deltas some 2 bytes in every row of the neighbourhood. 0: `pos` would not fit into 63 bits.
 */
export function strideOf(fromUs: number, toUs: number, tagTo: number): number {
  const stride = toUs - fromUs + 1;
  return stride > 0 && stride * (tagTo + 1) < 2 ** 61 ? stride : 0;
}

/** Table `q` as it is stored, and view `p` as it is read: with the time, and with `pos` by which a range of one tag is found quickly. */
export async function createPoints(connection: DuckDBConnection, alias: string, strideUs: number): Promise<void> {
  await connection.run(`CREATE TABLE ${alias}.q(tag INTEGER, pos BIGINT, ordinal USMALLINT, value DOUBLE, status UINTEGER, type UTINYINT,
    flag UTINYINT, lsn BIGINT, orig BIGINT, exact BLOB)`);
  const time = strideUs === 0 ? "pos" : `pos - tag::BIGINT * ${strideUs}`;
  await connection.run(
    `CREATE VIEW ${alias}.p AS SELECT tag, ${time} AS time, ordinal, value, status, type, flag, lsn, orig, exact, pos FROM q`,
  );
}

/** Rows of one tag with from ≤ time < to, in the terms of what is stored. */
export function positionCondition(tag: number, fromUs: number, toUs: number, strideUs: number): string {
  const moved = BigInt(tag) * BigInt(strideUs);
  return `pos >= ${BigInt(Math.ceil(fromUs)) + moved} AND pos < ${BigInt(Math.ceil(toUs)) + moved}`;
}

/** Feed columns of points with this presence, and the select list that turns them into table `q`. */
export function pointsFeed(p: Presence, strideUs: number): { columns: FeedColumn[]; select: string } {
  const columns: FeedColumn[] = [
    { name: "tag", type: INTEGER },
    { name: "time", type: DOUBLE },
    { name: "value", type: DOUBLE },
  ];
  if (p.ordinal) columns.push({ name: "ordinal", type: USMALLINT });
  if (p.status) columns.push({ name: "status", type: UINTEGER });
  if (p.type) columns.push({ name: "type", type: UTINYINT });
  if (p.flag) columns.push({ name: "flag", type: UTINYINT });
  if (p.lsn) columns.push({ name: "lsn", type: DOUBLE });
  if (p.orig) columns.push({ name: "orig", type: DOUBLE });
  if (p.exact) columns.push({ name: "exact", type: BLOB });
  const select = [
    "tag",
    strideUs === 0 ? "time::BIGINT" : `time::BIGINT + tag::BIGINT * ${strideUs}`,
    p.ordinal ? "ordinal" : "0",
    "value",
    p.status ? "status" : "0",
    p.type ? "type" : "0",
    p.flag ? "flag" : "0",
    p.lsn ? "lsn::BIGINT" : "0",
    p.orig ? "CASE WHEN isnan(orig) THEN NULL ELSE orig::BIGINT END" : "NULL",
    p.exact ? "exact" : "NULL",
  ].join(", ");
  return { columns, select };
}

/** A stretch of `rows` as a feed block. */
export function pointsBlock(rows: Rows, start: number, n: number): FeedBlock {
  const columns: Column[] = [rows.tag, rows.time, rows.value];
  for (const column of [rows.ordinal, rows.status, rows.type, rows.flag, rows.lsn, rows.orig]) {
    if (column !== null) columns.push(column);
  }
  return { start, n, columns, blobs: rows.exact };
}

/** Select list that reads points with this presence, in the order that `readPoints` expects. */
export function pointsSelect(p: Presence, from = ""): string {
  const list = [`${from}tag`, `${from}time::DOUBLE`, `${from}value`];
  if (p.ordinal) list.push(`${from}ordinal`);
  if (p.status) list.push(`${from}status`);
  if (p.type) list.push(`${from}type`);
  if (p.flag) list.push(`${from}flag`);
  if (p.lsn) list.push(`${from}lsn::DOUBLE`);
  if (p.orig) list.push(`coalesce(${from}orig::DOUBLE, 'nan'::DOUBLE)`);
  if (p.exact) list.push(`${from}exact`);
  return list.join(", ");
}

/** A chunk's points; the columns are views into the chunk. */
export function readPoints(chunk: DuckDBDataChunk, p: Presence): Rows {
  let at = 0;
  const numbers = <T>(): T => (chunk.getColumnVector(at++) as unknown as { items: T }).items;
  const rows = newRows(0, p);
  rows.n = chunk.rowCount;
  rows.tag = numbers();
  rows.time = numbers();
  rows.value = numbers();
  if (p.ordinal) rows.ordinal = numbers();
  if (p.status) rows.status = numbers();
  if (p.type) rows.type = numbers();
  if (p.flag) rows.flag = numbers();
  if (p.lsn) rows.lsn = numbers();
  if (p.orig) rows.orig = numbers();
  if (p.exact) rows.exact = readBlobs(chunk, at);
  if (rows.flag !== null) for (let i = 0; i < rows.n; i++) if (rows.flag[i] & flagNegativeZero) rows.value[i] = -0;
  return rows;
}

interface BlobVector {
  validity: { itemValid(i: number): boolean };
  getItemBytes(i: number): Uint8Array | null;
}

export function readBlobs(chunk: DuckDBDataChunk, column: number): Map<number, Uint8Array> {
  const vector = chunk.getColumnVector(column) as unknown as BlobVector;
  const blobs = new Map<number, Uint8Array>();
  for (let i = 0; i < chunk.rowCount; i++) {
    const bytes = vector.getItemBytes(i);
    // A copy: short blobs are views into the chunk.
    if (bytes !== null) blobs.set(i, bytes.slice());
  }
  return blobs;
}

// ── the instance ─────────────────────────────────────────────────────────────────────────────────────────────────────

export interface DuckLimits {
  memoryMb: number;
  threads: number;
}

export class Duck {
  readonly #instance: DuckDBInstance;
  readonly #idle: DuckDBConnection[] = [];
  readonly #feeds: Feed[] = [];
  #feedsMade = 0;
  #aliases = 0;

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  static async open(temporaryDir: string, limits: DuckLimits): Promise<Duck> {
    const instance = await DuckDBInstance.create(":memory:", {
      memory_limit: `${limits.memoryMb}MB`,
      threads: String(limits.threads),
      temp_directory: temporaryDir,
      // Beyond the largest insert of one transaction, so that rows go compressed into the file once, not through DuckDB's own WAL.
      checkpoint_threshold: "1GB",
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
      allow_community_extensions: "false",
    });
    return new Duck(instance);
  }

  /** Runs `use` with a connection of its own; streams opened on it must be read out or given up by then. */
  async with<T>(use: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await this.take();
    try {
      const result = await use(connection);
      this.give(connection);
      return result;
    } catch (error) {
      // It may stand in a transaction that failed; the next user must not inherit it.
      connection.closeSync();
      throw error;
    }
  }

  async take(): Promise<DuckDBConnection> {
    return this.#idle.pop() ?? (await this.#instance.connect());
  }

  give(connection: DuckDBConnection): void {
    if (this.#idle.length < 16) this.#idle.push(connection);
    else connection.closeSync();
  }

  /** A feed for the time of `use`. */
  async withFeed<T>(use: (feed: Feed) => Promise<T>): Promise<T> {
    const feed = this.#feeds.pop() ?? (await this.with(async (c) => new Feed(`feed${++this.#feedsMade}`, c)));
    try {
      return await use(feed);
    } finally {
      feed.load([], () => null);
      this.#feeds.push(feed);
    }
  }

  async attach(path: string, mode: "READ_ONLY" | "READ_WRITE"): Promise<string> {
    const alias = `f${++this.#aliases}`;
    const storage = mode === "READ_WRITE" ? ", STORAGE_VERSION 'latest'" : "";
    await this.with((c) => c.run(`ATTACH '${path.replaceAll("'", "''")}' AS ${alias} (${mode}${storage})`));
    return alias;
  }

  async detach(alias: string): Promise<void> {
    await this.with((c) => c.run(`DETACH ${alias}`));
  }

  close(): void {
    for (const connection of this.#idle) connection.closeSync();
    this.#idle.length = 0;
    this.#instance.closeSync();
  }
}

/** Rows of one statement, chunk by chunk; the connection is its own until the end. */
export class QueryStream implements RowStream {
  readonly #duck: Duck;
  readonly #sql: string;
  readonly #presence: Presence;
  readonly #onEnd: () => unknown;
  #connection: DuckDBConnection | null = null;
  #result: DuckDBResult | null = null;
  #closed = false;

  constructor(duck: Duck, sql: string, presence: Presence, onEnd: () => unknown = () => undefined) {
    this.#duck = duck;
    this.#sql = sql;
    this.#presence = presence;
    this.#onEnd = onEnd;
  }

  async next(): Promise<Rows | null> {
    if (this.#closed) return null;
    if (this.#result === null) {
      this.#connection = await this.#duck.take();
      this.#result = await this.#connection.stream(this.#sql);
    }
    const chunk = await this.#result.fetchChunk();
    if (chunk !== null && chunk.rowCount > 0) return readPoints(chunk, this.#presence);
    this.#duck.give(this.#connection!);
    this.#connection = null;
    this.close();
    return null;
  }

  /** Stops what runs; `next` then ends or rejects. */
  interrupt(): void {
    this.#connection?.interrupt();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#result = null;
    // Given up half-way: only closing the connection lets go of the file it reads.
    this.#connection?.closeSync();
    this.#connection = null;
    this.#onEnd();
  }
}

export { BIGINT, BLOB, DOUBLE, INTEGER, UINTEGER, USMALLINT, UTINYINT };
