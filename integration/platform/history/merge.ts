// Hot path. Sorted streams of rows into one, with corrections applied.
import type { Lsn } from "@lineshaft/contract/ports";
import {
  appendRows,
  type Compare,
  compareIdentity,
  flagCorrection,
  newRows,
  type Presence,
  type Rows,
} from "./rows.ts";

/** A sorted source: block after block; null at its end. A block may be overwritten by the next call. */
export interface RowStream {
  next(): Promise<Rows | null>;
  close(): void;
}

export function streamOf(rows: Rows): RowStream {
  let given = rows.n === 0;
  return {
    next: () => {
      const block = given ? null : rows;
      given = true;
      return Promise.resolve(block);
    },
    close: () => undefined,
  };
}

/**
 * Merges sorted streams and hands on ranges of rows in order; `emit` returns false to stop early, or a promise to be waited for. Streams mostly follow one another
 * within a tag, so it copies ranges: from the smallest row up to the second smallest.
 */
export async function merge(
  streams: readonly RowStream[],
  compare: Compare,
  emit: (rows: Rows, start: number, end: number) => boolean | Promise<boolean>,
): Promise<void> {
  const live: { stream: RowStream; rows: Rows; at: number }[] = [];
  try {
    for (const stream of streams) {
      const rows = await nextFilled(stream);
      if (rows !== null) live.push({ stream, rows, at: 0 });
    }
    while (live.length > 0) {
      let least = live[0];
      let second: (typeof live)[0] | null = null;
      for (let k = 1; k < live.length; k++) {
        const other = live[k];
        if (compare(other.rows, other.at, least.rows, least.at) < 0) {
          second = least;
          least = other;
        } else if (second === null || compare(other.rows, other.at, second.rows, second.at) < 0) second = other;
      }
      const { rows, at } = least;
      const end = second === null ? rows.n : upperBound(rows, at, second.rows, second.at, compare);
      const more = emit(rows, at, end);
      if (!(typeof more === "boolean" ? more : await more)) return;
      least.at = end;
      if (end === rows.n) {
        const next = await nextFilled(least.stream);
        if (next === null) live.splice(live.indexOf(least), 1);
        else {
          least.rows = next;
          least.at = 0;
        }
      }
    }
  } finally {
    for (const stream of streams) stream.close();
  }
}

async function nextFilled(stream: RowStream): Promise<Rows | null> {
  let rows = await stream.next();
  while (rows !== null && rows.n === 0) rows = await stream.next();
  return rows;
}

/** End of the rows from `at` on that are not greater than the other row; at least one row. Gallops, then bisects. */
function upperBound(rows: Rows, at: number, other: Rows, otherAt: number, compare: Compare): number {
  let low = at + 1;
  let step = 1;
  while (low < rows.n && compare(rows, low, other, otherAt) <= 0) {
    low += step;
    step *= 2;
  }
  let high = Math.min(low, rows.n);
  low = Math.max(at + 1, low - (step >>> 1));
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(rows, middle, other, otherAt) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Leaves out what corrections known at `asOf` have replaced. Rows arrive in an order that keeps an identity together; call `end` last.
 * Where no source has a correction, rows pass straight through.
 */
export class Resolver {
  readonly #emit: (rows: Rows, start: number, end: number) => boolean;
  readonly #group: Rows | null;

  constructor(presence: Presence, emit: (rows: Rows, start: number, end: number) => boolean) {
    this.#emit = emit;
    this.#group = presence.flag ? newRows(16, presence) : null;
  }

  add(rows: Rows, start: number, end: number): boolean {
    const group = this.#group;
    if (group === null) return this.#emit(rows, start, end);
    for (let i = start; i < end; i++) {
      if (group.n > 0 && compareIdentity(group, 0, rows, i) !== 0 && !this.end()) return false;
      appendRows(group, rows, i, i + 1);
    }
    return true;
  }

  end(): boolean {
    const group = this.#group;
    if (group === null || group.n === 0) return true;
    const newest = newestCorrection(group);
    let more = true;
    for (let i = 0; i < group.n && more; i++) {
      if (lsnAt(group, i) >= newest) more = this.#emit(group, i, i + 1);
    }
    group.n = 0;
    group.exact?.clear();
    return more;
  }
}

function newestCorrection(group: Rows): Lsn {
  let newest = 0;
  for (let i = 0; i < group.n; i++) {
    if (group.flag !== null && group.flag[i] & flagCorrection) newest = Math.max(newest, lsnAt(group, i));
  }
  return newest;
}

function lsnAt(rows: Rows, i: number): Lsn {
  return rows.lsn === null ? 0 : rows.lsn[i];
}
