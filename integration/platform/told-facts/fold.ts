import type { Micros } from "@lineshaft/contract/api";
import type { ToldRange, ToldRow } from "./block.ts";

/** What stands after all ranges were told, each replacing what was told of its time before. Rows ascending by time. */
export function folded(ranges: readonly ToldRange[]): ToldRow[] {
  let rows: ToldRow[] = [];
  for (const { from, to, rows: next } of [...ranges].sort((a, b) => a.lsn - b.lsn || a.from - b.from)) {
    const start = firstAt(rows, from);
    const end = firstAt(rows, to + 1);
    if (start === rows.length) rows.push(...next);
    else rows = [...rows.slice(0, start), ...next, ...rows.slice(end)];
  }
  return rows;
}

/** Index of the first row at or after a time. */
function firstAt(rows: readonly ToldRow[], time: Micros): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].time < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
