import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Micros } from "@lineshaft/contract/api";
import { type FactsChangedRecord, factsWhats, type Lsn } from "@lineshaft/contract/ports";

/** A row of any table of a record of facts, without its machine. */
export type ToldRow = { time: Micros } & Record<string, unknown>;

/** What was told of a machine by one record: from ≤ time ≤ to is what `rows` say from then on. */
export interface ToldRange {
  lsn: Lsn;
  from: Micros;
  to: Micros;
  rows: ToldRow[];
}

type Columns = { n: number; equipment: ArrayLike<number>; time: ArrayLike<number> } & Record<
  string,
  ArrayLike<unknown> | number
>;
/** Columns, or rows whose time is called `t`. */
type Table = Columns | readonly ({ equipment: number; t: Micros } & Record<string, unknown>)[];
type Row = { equipment: number } & ToldRow;

/** The ranges of a record, each with its rows: they stand in the order of the ranges, then of time. */
export function* rangesOf(
  record: FactsChangedRecord,
  lsn: Lsn,
): Generator<ToldRange & { equipment: number; what: number }> {
  const { ranges } = record;
  const at = factsWhats.map(() => 0);
  for (let i = 0; i < ranges.n; i++) {
    const { [i]: equipment } = ranges.equipment;
    const [what, from, to] = [ranges.what[i], ranges.from[i], ranges.to[i]];
    const table = record[factsWhats[what]] as unknown as Table;
    const rows: ToldRow[] = [];
    for (let row = rowAt(table, at[what]); row !== null; row = rowAt(table, at[what])) {
      if (row.equipment !== equipment || row.time < from || row.time > to) break;
      const { equipment: _, ...rest } = row;
      rows.push(rest as ToldRow);
      at[what]++;
    }
    yield { equipment, what, lsn, from, to, rows };
  }
}

function rowAt(table: Table, i: number): Row | null {
  if (Array.isArray(table)) {
    if (i >= table.length) return null;
    const { t: time, ...rest } = table[i] as { t: Micros } & Row;
    return { ...rest, time };
  }
  const { n, ...columns } = table as Columns;
  if (i >= n) return null;
  const entries = Object.entries(columns).map(([name, column]) => [name, (column as ArrayLike<unknown>)[i]]);
  return Object.fromEntries(entries) as Row;
}

/** Ranges one after the other as compressed columns: whole numbers as steps from one to the next, since most are alike. */
export function encodeBlock(ranges: readonly ToldRange[]): Uint8Array {
  const rows = ranges.flatMap((range) => range.rows);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const head = {
    lsn: stepped(ranges.map(({ lsn }) => lsn)),
    from: stepped(ranges.map(({ from }) => from)),
    // Most ranges are short.
    for: ranges.map(({ from, to }) => to - from),
    rows: ranges.map((range) => range.rows.length),
    columns: Object.fromEntries(names.map((name) => [name, stepped(rows.map((row) => row[name] ?? null))])),
  };
  return deflateRawSync(JSON.stringify(head), { level: 6 });
}

interface Head {
  lsn: Stepped;
  from: Stepped;
  for: number[];
  rows: number[];
  columns: Record<string, Stepped>;
}

export function decodeBlock(bytes: Uint8Array): ToldRange[] {
  const head = JSON.parse(inflateRawSync(bytes).toString()) as Head;
  const columns = Object.entries(head.columns).map(([name, column]) => [name, whole(column)] as const);
  const froms = whole(head.from) as number[];
  const lsns = whole(head.lsn) as number[];
  let at = 0;
  return head.rows.map((n, i) => {
    const rows = Array.from({ length: n }, (_, k) =>
      Object.fromEntries(columns.map(([name, column]) => [name, column[at + k]])),
    ) as ToldRow[];
    at += n;
    return { lsn: lsns[i], from: froms[i], to: froms[i] + head.for[i], rows };
  });
}

/** `s`: the first number, then steps; `v`: values as they are. */
type Stepped = { s: number[] } | { v: unknown[] };

function stepped(values: readonly unknown[]): Stepped {
  if (!values.every((value) => Number.isSafeInteger(value))) return { v: [...values] };
  const numbers = values as readonly number[];
  const steps = numbers.map((value, i) => (i === 0 ? value : value - numbers[i - 1]));
  return steps.every((step) => Number.isSafeInteger(step)) ? { s: steps } : { v: [...values] };
}

function whole(column: Stepped): unknown[] {
  if ("v" in column) return column.v;
  let sum = 0;
  return column.s.map((step) => {
    sum += step;
    return sum;
  });
}
