// Hot path. Roll-up tables: written with a part, read instead of its points.
import type { Micros } from "@lineshaft/contract/api";
import { type Cells, newCells } from "./aggregate.ts";
import {
  BLOB,
  DOUBLE,
  type Duck,
  type FeedBlock,
  type FeedColumn,
  INTEGER,
  readBlobs,
  UINTEGER,
  USMALLINT,
  UTINYINT,
} from "./duck.ts";
import type { Presence } from "./rows.ts";

export interface RollupLevel {
  name: "minute" | "hour";
  table: string;
  widthUs: number;
}

/** Widest first: the first that fits a query serves it. */
export const rollupLevels: readonly RollupLevel[] = [
  { name: "hour", table: "h1", widthUs: 3_600_000_000 },
  { name: "minute", table: "m1", widthUs: 60_000_000 },
];

export function rollupTable(level: RollupLevel): string {
  return `${level.table}(tag INTEGER, time BIGINT, min DOUBLE, max DOUBLE, sum DOUBLE, numbers UINTEGER, count UINTEGER, good UINTEGER,
    worst UINTEGER, last_time BIGINT, last_ordinal USMALLINT, last_value DOUBLE, last_status UINTEGER, last_type UTINYINT,
    last_orig BIGINT, last_exact BLOB)`;
}

const feedColumns: FeedColumn[] = [
  { name: "tag", type: INTEGER },
  { name: "time", type: DOUBLE },
  { name: "min", type: DOUBLE },
  { name: "max", type: DOUBLE },
  { name: "sum", type: DOUBLE },
  { name: "numbers", type: DOUBLE },
  { name: "count", type: DOUBLE },
  { name: "good", type: DOUBLE },
  { name: "worst", type: UINTEGER },
  { name: "last_time", type: DOUBLE },
  { name: "last_value", type: DOUBLE },
];

/** Feed columns for cells, and the select list that turns them into a roll-up table. */
export function rollupFeed(p: Presence): { columns: FeedColumn[]; select: string } {
  const columns = [...feedColumns];
  if (p.ordinal) columns.push({ name: "last_ordinal", type: USMALLINT });
  if (p.status) columns.push({ name: "last_status", type: UINTEGER });
  if (p.type) columns.push({ name: "last_type", type: UTINYINT });
  if (p.orig) columns.push({ name: "last_orig", type: DOUBLE });
  if (p.exact) columns.push({ name: "last_exact", type: BLOB });
  const select = [
    "tag, time::BIGINT, min, max, sum, numbers::UINTEGER, count::UINTEGER, good::UINTEGER, worst, last_time::BIGINT",
    p.ordinal ? "last_ordinal" : "0",
    "last_value",
    p.status ? "last_status" : "0",
    p.type ? "last_type" : "0",
    p.orig ? "CASE WHEN isnan(last_orig) THEN NULL ELSE last_orig::BIGINT END" : "NULL",
    p.exact ? "last_exact" : "NULL",
  ].join(", ");
  return { columns, select };
}

export function rollupBlock(cells: Cells, start: number, n: number): FeedBlock {
  const { last } = cells;
  const columns: FeedBlock["columns"] = [
    cells.tag,
    cells.time,
    cells.min,
    cells.max,
    cells.sum,
    cells.numbers,
    cells.count,
    cells.good,
    cells.worst,
    last.time,
    last.value,
  ];
  for (const column of [last.ordinal, last.status, last.type, last.orig]) if (column !== null) columns.push(column);
  return { start, n, columns, blobs: last.exact };
}

/** Reads the cells of some tags with from ≤ start < to. The cells handed to `use` are overwritten by the next ones. */
export async function readRollup(
  duck: Duck,
  alias: string,
  level: RollupLevel,
  tags: readonly number[],
  fromUs: Micros,
  toUs: Micros,
  p: Presence,
  use: (cells: Cells) => void,
): Promise<void> {
  const list = [
    "tag, time::DOUBLE, min, max, sum, numbers::DOUBLE, count::DOUBLE, good::DOUBLE, worst, last_time::DOUBLE, last_value",
    ...(p.ordinal ? ["last_ordinal"] : []),
    ...(p.status ? ["last_status"] : []),
    ...(p.type ? ["last_type"] : []),
    ...(p.orig ? ["coalesce(last_orig::DOUBLE, 'nan'::DOUBLE)"] : []),
    ...(p.exact ? ["last_exact"] : []),
  ].join(", ");
  const which = tags.length === 1 ? `tag = ${tags[0]}` : `tag IN (${tags.join(",")})`;
  await duck.with(async (connection) => {
    const result = await connection.run(
      `SELECT ${list} FROM ${alias}.${level.table} WHERE ${which} AND time >= ${fromUs} AND time < ${toUs}`,
    );
    for (
      let chunk = await result.fetchChunk();
      chunk !== null && chunk.rowCount > 0;
      chunk = await result.fetchChunk()
    ) {
      const at = chunk;
      let column = 0;
      const numbers = <T>(): T => (at.getColumnVector(column++) as unknown as { items: T }).items;
      const cells = newCells(0, { ...p, flag: false, lsn: false });
      cells.n = chunk.rowCount;
      cells.tag = numbers();
      cells.time = numbers();
      cells.min = numbers();
      cells.max = numbers();
      cells.sum = numbers();
      cells.numbers = numbers();
      cells.count = numbers();
      cells.good = numbers();
      cells.worst = numbers();
      const { last } = cells;
      last.n = chunk.rowCount;
      last.tag = cells.tag;
      last.time = numbers();
      last.value = numbers();
      if (p.ordinal) last.ordinal = numbers();
      if (p.status) last.status = numbers();
      if (p.type) last.type = numbers();
      if (p.orig) last.orig = numbers();
      if (p.exact) last.exact = readBlobs(chunk, column);
      use(cells);
    }
  });
}
