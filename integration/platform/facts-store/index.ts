import { renameSync, rmSync } from "node:fs";
import { crc32 } from "node:zlib";
import { ProblemError } from "@lineshaft/contract/api";
import type { Lsn, StandardBinding } from "@lineshaft/contract/ports";
import type { FactsCheckpoint, FactsDelta, FactsStore, SavedBinding } from "../derivation/index.ts";
import { type Migration, type OwnedDatabase, openDatabase } from "../sqlite/open.ts";

/**
 * Facts on disk, in a SQLite file of their own: a save is one transaction, synced. An hour that is closed is written once, and again only when a repair has changed it; where an automaton stands
 * and the hour it writes are a row each. `crc` tells rot: what cannot be read is derived again from history.
 */
const migrations: readonly Migration[] = [
  `
  CREATE TABLE checkpoint (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    generation INTEGER NOT NULL,
    lsn INTEGER NOT NULL,
    rest BLOB NOT NULL,
    crc INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE binding (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    rows TEXT NOT NULL,
    head BLOB NOT NULL,
    crc INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE hour (
    binding INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    body BLOB NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (binding, hour)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX hour_by_time ON hour (hour);
  `,
  // What identifiers and alarm codes say, by the keys that stand in the hours.
  `
  CREATE TABLE text (
    key REAL PRIMARY KEY,
    text TEXT NOT NULL,
    crc INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
];

interface Row {
  crc: number;
}

export interface OpenFactsStore extends FactsStore {
  /** What was saved last; null: nothing, or not by this generation of the log. */
  load(): FactsCheckpoint | null;
  close(): void;
}

/** A damaged file is set aside, and said; facts are then derived from history. */
export function openFactsStore(parts: {
  path: string;
  generation: number;
  onEvent: (event: { code: string; text: string }) => void;
}): OpenFactsStore {
  const { path, generation, onEvent } = parts;
  const rebuilt = (text: string): void => onEvent({ code: "facts_rebuilt", text });
  const open = (): OwnedDatabase => openDatabase({ path, migrations, durability: "synced" });
  const setAside = (why: string): OwnedDatabase => {
    renameSync(path, `${path}.damaged`);
    for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
    rebuilt(`${path} ${why}: set aside, and facts are derived again from history.`);
    return open();
  };
  let db: OwnedDatabase;
  try {
    db = open();
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== "storage_unavailable") throw error;
    db = setAside("was damaged");
  }
  return {
    load: () => {
      try {
        return load(db, generation, rebuilt);
      } catch (error) {
        db.close();
        db = setAside(`could not be read (${(error as Error).message})`);
        return null;
      }
    },
    save: (delta) => db.write(() => save(db, generation, delta)),
    close: () => db.close(),
  };
}

function load({ sql }: OwnedDatabase, generation: number, rebuilt: (text: string) => void): FactsCheckpoint | null {
  const row = sql.prepare("SELECT generation, lsn, rest, crc FROM checkpoint").get() as
    | (Row & { generation: number; lsn: Lsn; rest: Uint8Array })
    | undefined;
  if (row === undefined) return null;
  if (row.generation !== generation) {
    rebuilt("Facts were saved by another generation of the log: they are derived again from history.");
    return null;
  }
  if (crc32(row.rest) !== row.crc) throw new Error("its checkpoint is damaged");
  const hours = sql.prepare("SELECT body, crc FROM hour WHERE binding = ? ORDER BY hour");
  const all = sql.prepare("SELECT id, key, rows, head, crc FROM binding ORDER BY id").all() as (Row &
    Omit<SavedBinding, "rows" | "segments"> & { rows: string })[];
  const bindings = all.map(({ crc, rows, ...binding }): SavedBinding => {
    const own = hours.all(binding.id) as (Row & { body: Uint8Array })[];
    const whole = crcOf(rows, binding.head) === crc && own.every((hour) => crc32(hour.body) === hour.crc);
    if (!whole) rebuilt(`What was saved of ${binding.key} is damaged: it is derived again from history.`);
    const segments = whole ? own.map(({ body }) => body) : null;
    return { ...binding, rows: JSON.parse(rows) as StandardBinding[], segments };
  });
  const texts = sql.prepare("SELECT key, text, crc FROM text").all() as (Row & { key: number; text: string })[];
  if (texts.some(({ text, crc }) => crc32(text) !== crc)) {
    rebuilt("What identifiers and alarms say is damaged: they are derived again from history.");
    for (const binding of bindings)
      if (binding.rows.some(({ kind }) => kind === "alarm" || kind === "identifier")) binding.segments = null;
    return { lsn: row.lsn, rest: row.rest, bindings, texts: [] };
  }
  return { lsn: row.lsn, rest: row.rest, bindings, texts: texts.map(({ key, text }) => [key, text] as const) };
}

function save({ sql }: OwnedDatabase, generation: number, delta: FactsDelta): void {
  const forget = sql.prepare("DELETE FROM hour WHERE binding = ?");
  const remove = sql.prepare("DELETE FROM binding WHERE id = ?");
  for (const id of delta.removed) {
    forget.run(id);
    remove.run(id);
  }
  const replaced = sql.prepare("DELETE FROM hour WHERE binding = ? AND hour >= ?");
  const put = sql.prepare("INSERT OR REPLACE INTO binding (id, key, rows, head, crc) VALUES (?, ?, ?, ?, ?)");
  const putHour = sql.prepare("INSERT INTO hour (binding, hour, body, crc) VALUES (?, ?, ?, ?)");
  for (const { id, key, rows, head, fromHour, segments } of delta.changed) {
    const text = JSON.stringify(rows);
    put.run(id, key, text, head, crcOf(text, head));
    if (Number.isFinite(fromHour)) replaced.run(id, fromHour);
    for (const { hour, body } of segments) putHour.run(id, hour, body, crc32(body));
  }
  const putText = sql.prepare("INSERT OR REPLACE INTO text (key, text, crc) VALUES (?, ?, ?)");
  const forgetText = sql.prepare("DELETE FROM text WHERE key = ?");
  for (const [key, text] of delta.texts)
    if (text === null) forgetText.run(key);
    else putText.run(key, text, crc32(text));
  sql.prepare("DELETE FROM hour WHERE hour < ?").run(delta.forgottenBefore);
  sql
    .prepare("INSERT OR REPLACE INTO checkpoint (id, generation, lsn, rest, crc) VALUES (1, ?, ?, ?, ?)")
    .run(generation, delta.lsn, delta.rest, crc32(delta.rest));
}

const crcOf = (rows: string, head: Uint8Array): number => crc32(head, crc32(rows));
