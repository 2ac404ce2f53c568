// Hot path. Finds what is stored at the instants of suspect rows: one look-up per file and call of `apply`, never one per row.
import type { PointsRecord } from "@lineshaft/contract/ports";
import { BIGINT, type Duck, INTEGER, pointsSelect, QueryStream, vectorRows } from "./duck.ts";
import type { StoredFile } from "./file-name.ts";
import type { Files } from "./files.ts";
import type { Head } from "./head.ts";
import { type JudgedRow, type Judgement, judgeInstant, type StoredRow } from "./judge.ts";
import { newRows, type Rows } from "./rows.ts";

interface Sources {
  duck: Duck;
  files: Files;
  heads: Head[];
}

/** Instants to be looked up, each once. */
interface Instants {
  tag: number[];
  time: number[];
  fromUs: number;
  toUs: number;
}

const noInstants = (): Instants => ({
  tag: [],
  time: [],
  fromUs: Number.POSITIVE_INFINITY,
  toUs: Number.NEGATIVE_INFINITY,
});

/** Instants of the suspect rows of some frames: those with a time of their own apart. */
export interface Asked {
  times: Instants;
  originals: Instants;
}

/** What has to be looked up before these frames can be judged; null: nothing. */
export function askedOf(records: readonly { record: PointsRecord | null }[]): Asked | null {
  const asked = { times: noInstants(), originals: noInstants() };
  const known = new Set<string>();
  for (const { record } of records) {
    if (record === null) continue;
    const { tag, time, originalTime } = record.columns;
    for (const row of record.suspect) {
      const original = originalTime === null ? Number.NaN : originalTime[row];
      if (Number.isNaN(original)) note(asked.times, known, `${tag[row]}:${time[row]}`, tag[row], time[row]);
      else note(asked.originals, known, `o${tag[row]}:${original}`, tag[row], original);
    }
  }
  return known.size === 0 ? null : asked;
}

export function filesAsked(files: Files, { times, originals }: Asked): StoredFile[] {
  return files.all.filter(({ meta }) => {
    if (meta.rows === 0) return false;
    if (meta.fromUs <= times.toUs && meta.toUs >= times.fromUs) return true;
    const range = meta.originals;
    return range !== null && range.fromUs <= originals.toUs && range.toUs >= originals.fromUs;
  });
}

/**
 * The rows in files at the instants of the suspect rows of some frames. No row comes into files while frames are applied other than from
 * the heads of then, which are kept for as long: so one look-up serves all frames. Rows in heads are looked up at the moment of judgement.
 */
export class StoredInstants {
  readonly #heads: readonly Head[];
  readonly #byTime = new Map<string, StoredRow[]>();
  readonly #byOriginal = new Map<string, StoredRow[]>();

  private constructor(heads: readonly Head[]) {
    this.#heads = heads;
    for (const head of heads) head.retain();
  }

  /** Call `close` when all is judged. */
  static async load(sources: Sources, asked: Asked): Promise<StoredInstants> {
    const { times, originals } = asked;
    // Heads and files of one instant: a head that becomes a file meanwhile is seen as the head that it was.
    const found = new StoredInstants(sources.heads);
    const files = filesAsked(sources.files, asked);
    try {
      for (let k = 0; k < times.tag.length; k++) found.#byTime.set(`${times.tag[k]}:${times.time[k]}`, []);
      for (let k = 0; k < originals.tag.length; k++)
        found.#byOriginal.set(`${originals.tag[k]}:${originals.time[k]}`, []);
      for (const file of files) {
        if (times.tag.length > 0) await lookUp(sources, file, "time", times, found.#byTime);
        if (originals.tag.length > 0 && file.meta.originals !== null)
          await lookUp(sources, file, "orig", originals, found.#byOriginal);
      }
      return found;
    } catch (error) {
      found.close();
      throw error;
    }
  }

  close(): void {
    for (const head of this.#heads) head.release();
  }

  /** One judgement per suspect row of the record, whose rows must not be in the head yet. */
  judge(record: PointsRecord, exact: Map<number, Uint8Array> | null): Judgement[] {
    const { columns, suspect, mode } = record;
    const groups = new Map<string, number[]>();
    for (let k = 0; k < suspect.length; k++) {
      const row = suspect[k];
      const original = columns.originalTime === null ? Number.NaN : columns.originalTime[row];
      const key = Number.isNaN(original)
        ? `${columns.tag[row]}:${columns.time[row]}`
        : `o${columns.tag[row]}:${original}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [k]);
      else group.push(k);
    }
    const judgements: Judgement[] = new Array(suspect.length);
    for (const group of groups.values()) {
      const first = suspect[group[0]];
      const tag = columns.tag[first];
      const original = columns.originalTime === null ? Number.NaN : columns.originalTime[first];
      const stored = Number.isNaN(original) ? this.#at(tag, columns.time[first]) : this.#atOriginal(tag, original);
      if (stored.length === 0) {
        for (const k of group) judgements[k] = "new";
        continue;
      }
      const offered = group.map((k): JudgedRow => {
        const row = suspect[k];
        return {
          ordinal: columns.ordinal === null ? 0 : columns.ordinal[row],
          value: columns.value[row],
          type: columns.type === null ? 0 : columns.type[row],
          status: columns.status === null ? 0 : columns.status[row],
          exact: exact?.get(row),
        };
      });
      // A row at our own time has no identity that a correction could name.
      const verdicts = judgeInstant(offered, stored, Number.isNaN(original) ? mode : "append");
      group.forEach((k, i) => {
        judgements[k] = verdicts[i];
      });
    }
    return judgements;
  }

  #at(tag: number, time: number): StoredRow[] {
    const stored = [...(this.#byTime.get(`${tag}:${time}`) ?? [])];
    for (const head of this.#heads) {
      head.eachAt(tag, time, (row) => {
        const block = newRows(1, head.presence);
        head.copyRow(row, block);
        if (block.orig === null || Number.isNaN(block.orig[0])) stored.push(storedRow(block, 0));
      });
    }
    return stored;
  }

  #atOriginal(tag: number, original: number): StoredRow[] {
    const stored = [...(this.#byOriginal.get(`${tag}:${original}`) ?? [])];
    for (const head of this.#heads) {
      head.eachAtOriginal(tag, original, (row) => {
        const block = newRows(1, head.presence);
        head.copyRow(row, block);
        stored.push(storedRow(block, 0));
      });
    }
    return stored;
  }
}

function note(instants: Instants, known: Set<string>, key: string, tag: number, time: number): void {
  if (known.has(key)) return;
  known.add(key);
  instants.tag.push(tag);
  instants.time.push(time);
  if (time < instants.fromUs) instants.fromUs = time;
  if (time > instants.toUs) instants.toUs = time;
}

async function lookUp(
  { duck, files }: Sources,
  file: StoredFile,
  column: "time" | "orig",
  instants: Instants,
  found: Map<string, StoredRow[]>,
): Promise<void> {
  const tags = Int32Array.from(instants.tag);
  const times = BigInt64Array.from(instants.time, BigInt);
  let at = 0;
  const alias = await files.acquire(file);
  try {
    await duck.withFeed(async (feed) => {
      feed.load(
        [
          { name: "tag", type: INTEGER },
          { name: "time", type: BIGINT },
        ],
        () => {
          const start = at;
          at = Math.min(tags.length, at + vectorRows);
          return start === at ? null : { start, n: at - start, columns: [tags, times], blobs: null };
        },
      );
      const { presence } = file.meta;
      const plain = column === "time" && presence.orig ? " AND p.orig IS NULL" : "";
      const sql = `SELECT ${pointsSelect(presence, "p.")} FROM ${alias}.p p JOIN ${feed.name}() k ON p.tag = k.tag AND p.${column} = k.time
        WHERE p.${column} BETWEEN ${instants.fromUs} AND ${instants.toUs}${plain}`;
      const stream = new QueryStream(duck, sql, presence);
      try {
        for (let rows = await stream.next(); rows !== null; rows = await stream.next()) {
          for (let i = 0; i < rows.n; i++) {
            const key = `${rows.tag[i]}:${column === "time" ? rows.time[i] : rows.orig![i]}`;
            found.get(key)?.push(storedRow(rows, i));
          }
        }
      } finally {
        stream.close();
      }
    });
  } finally {
    await files.release(file);
  }
}

function storedRow(rows: Rows, i: number): StoredRow {
  return {
    ordinal: rows.ordinal === null ? 0 : rows.ordinal[i],
    value: rows.value[i],
    type: rows.type === null ? 0 : rows.type[i],
    status: rows.status === null ? 0 : rows.status[i],
    exact: rows.exact?.get(i),
    flag: rows.flag === null ? 0 : rows.flag[i],
    lsn: rows.lsn === null ? 0 : rows.lsn[i],
  };
}
