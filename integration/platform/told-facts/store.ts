import { renameSync, rmSync } from "node:fs";
import { type Micros, ProblemError } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";
import { type Migration, type OwnedDatabase, openDatabase } from "../sqlite/open.ts";
import { decodeBlock, encodeBlock, type ToldRange } from "./block.ts";

/**
 * What was told of facts, append-only: blocks of ranges of one machine and one kind, in the order in which they were told. `applied.first` is the first record that was looked at: what was
 * told before is not known here.
 */
const migrations: readonly Migration[] = [
  `
  CREATE TABLE block (
    id INTEGER PRIMARY KEY,
    equipment INTEGER NOT NULL,
    what INTEGER NOT NULL,
    lsn INTEGER NOT NULL,
    from_us INTEGER NOT NULL,
    to_us INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX block_time ON block (equipment, what, to_us);
  CREATE INDEX block_end ON block (to_us);
  CREATE TABLE moment (recorded_us INTEGER PRIMARY KEY, lsn INTEGER NOT NULL) STRICT;
  CREATE TABLE applied (lsn INTEGER NOT NULL, first INTEGER NOT NULL, generation INTEGER NOT NULL) STRICT;
  `,
];

/** Ranges and rows of a block; then the next begins. */
const rangesMax = 600;
const rowsMax = 2000;
/** Rows in blocks that are still filled; beyond, all of them are closed. */
const openRowsMax = 400_000;

interface OpenBlock {
  id: number | null;
  equipment: number;
  what: number;
  ranges: ToldRange[];
  rows: number;
  changed: boolean;
}

/** Opens the file; one that is damaged, or of another generation of the log, is set aside and begun anew. */
export function openStore(of: {
  path: string;
  generation: number;
  firstLsn: Lsn;
  onEvent?(event: { code: string; text: string }): void;
}): ToldFactsStore {
  const { path, generation, firstLsn, onEvent } = of;
  const open = (): OwnedDatabase => openDatabase({ path, migrations, durability: "relaxed" });
  const anew = (why: string): OwnedDatabase => {
    renameSync(path, `${path}.damaged`);
    for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
    onEvent?.({ code: "told_facts_begun", text: `${path} ${why}: set aside; what was told of facts is kept anew.` });
    return open();
  };
  let db: OwnedDatabase;
  try {
    db = open();
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== "storage_unavailable") throw error;
    db = anew("was damaged");
  }
  const kept = db.sql.prepare("SELECT generation FROM applied").pluck().get() as number | undefined;
  if (kept !== undefined && kept !== generation) {
    db.close();
    db = anew("belongs to another generation of the log");
  }
  return new ToldFactsStore(db, generation, firstLsn);
}

/** What was told, in SQLite: blocks that are full, and in memory those that are being filled; these are written with `flush`. */
export class ToldFactsStore {
  readonly #db: OwnedDatabase;
  readonly #open = new Map<string, OpenBlock>();
  #openRows = 0;
  #moments: { recordedUs: Micros; lsn: Lsn }[] = [];
  /** What was looked at up to here is on the disk. */
  writtenLsn: Lsn;
  readonly firstLsn: Lsn;

  constructor(db: OwnedDatabase, generation: number, firstLsn: Lsn) {
    this.#db = db;
    const applied = db.sql.prepare("SELECT lsn, first FROM applied").get() as { lsn: Lsn; first: Lsn } | undefined;
    this.writtenLsn = applied?.lsn ?? firstLsn - 1;
    // Where the log was cut beyond what is here, what was told between is missing.
    this.firstLsn = applied === undefined || applied.lsn + 1 < firstLsn ? firstLsn : applied.first;
    if (applied === undefined || this.firstLsn !== applied.first)
      db.write(() => {
        db.sql.exec("DELETE FROM applied");
        db.sql.prepare("INSERT INTO applied VALUES (?, ?, ?)").run(this.writtenLsn, this.firstLsn, generation);
      });
  }

  add(equipment: number, what: number, range: ToldRange): void {
    const key = `${equipment} ${what}`;
    let block = this.#open.get(key);
    if (block !== undefined && (block.ranges.length >= rangesMax || block.rows >= rowsMax)) {
      this.#write([block]);
      this.#close(key, block);
      block = undefined;
    }
    if (block === undefined) {
      block = { id: null, equipment, what, ranges: [], rows: 0, changed: true };
      this.#open.set(key, block);
    }
    block.ranges.push(range);
    block.rows += range.rows.length + 1;
    this.#openRows += range.rows.length + 1;
    block.changed = true;
  }

  noteMoment(recordedUs: Micros, lsn: Lsn): void {
    this.#moments.push({ recordedUs, lsn });
  }

  /** Everything up to `lsn` onto the disk, in one transaction; what ended before `keepFromUs` goes. */
  flush(lsn: Lsn, keepFromUs: Micros): void {
    const { sql } = this.#db;
    const changed = [...this.#open.values()].filter((block) => block.changed);
    this.#db.write(() => {
      this.#put(changed);
      const moment = sql.prepare("INSERT INTO moment VALUES (?, ?) ON CONFLICT DO UPDATE SET lsn = excluded.lsn");
      for (const { recordedUs, lsn: at } of this.#moments) moment.run(recordedUs, at);
      sql.prepare("DELETE FROM block WHERE to_us < ?").run(keepFromUs);
      sql.prepare("DELETE FROM moment WHERE recorded_us < ?").run(keepFromUs);
      sql.prepare("UPDATE applied SET lsn = ?").run(lsn);
    });
    this.#db.sync();
    this.#moments = [];
    for (const block of changed) block.changed = false;
    this.writtenLsn = lsn;
    if (this.#openRows <= openRowsMax) return;
    for (const [key, block] of this.#open) this.#close(key, block);
  }

  /** What was told of [from, to] by `asOf`, in the order in which it was told. */
  ranges(equipment: number, what: number, from: Micros, to: Micros, asOf: Lsn): ToldRange[] {
    const open = this.#open.get(`${equipment} ${what}`);
    const bodies = this.#db.sql
      .prepare(
        "SELECT body FROM block WHERE equipment = ? AND what = ? AND to_us >= ? AND from_us <= ? AND lsn <= ? AND id <> ?",
      )
      .pluck()
      .all(equipment, what, from, to, asOf, open?.id ?? -1) as Uint8Array[];
    const all = [...bodies.flatMap(decodeBlock), ...(open?.ranges ?? [])];
    return all.filter((range) => range.lsn <= asOf && range.from <= to && range.to >= from);
  }

  /** Up to where something was told by `asOf`; null: nothing was. */
  toldUntil(equipment: number, what: number, asOf: Lsn): Micros | null {
    const open = this.#open.get(`${equipment} ${what}`);
    const bodies = this.#db.sql
      .prepare("SELECT body FROM block WHERE equipment = ? AND what = ? AND lsn <= ? ORDER BY to_us DESC LIMIT 2")
      .pluck()
      .all(equipment, what, asOf) as Uint8Array[];
    const told = [...bodies.flatMap(decodeBlock), ...(open?.ranges ?? [])].filter(({ lsn }) => lsn <= asOf);
    return told.length === 0 ? null : told.reduce((most, { to }) => Math.max(most, to), Number.NEGATIVE_INFINITY);
  }

  /** The last record of facts at or before a time; null: there is none. */
  lsnAt(timeUs: Micros): Lsn | null {
    const waiting = this.#moments.findLast(({ recordedUs }) => recordedUs <= timeUs)?.lsn;
    const kept = this.#db.sql
      .prepare("SELECT lsn FROM moment WHERE recorded_us <= ? ORDER BY recorded_us DESC LIMIT 1")
      .pluck()
      .get(timeUs) as Lsn | undefined;
    return waiting ?? kept ?? null;
  }

  close(): void {
    this.#db.close();
  }

  #write(blocks: readonly OpenBlock[]): void {
    this.#db.write(() => this.#put(blocks));
  }

  #put(blocks: readonly OpenBlock[]): void {
    const insert = this.#db.sql.prepare(
      "INSERT INTO block (equipment, what, lsn, from_us, to_us, body) VALUES (?, ?, ?, ?, ?, ?)",
    );
    const update = this.#db.sql.prepare("UPDATE block SET from_us = ?, to_us = ?, body = ? WHERE id = ?");
    for (const block of blocks) {
      const { equipment, what, ranges } = block;
      const from = Math.min(...ranges.map((range) => range.from));
      const to = Math.max(...ranges.map((range) => range.to));
      const body = encodeBlock(ranges);
      if (block.id === null)
        block.id = Number(insert.run(equipment, what, ranges[0].lsn, from, to, body).lastInsertRowid);
      else update.run(from, to, body, block.id);
    }
  }

  #close(key: string, block: OpenBlock): void {
    this.#open.delete(key);
    this.#openRows -= block.rows;
  }
}
