import { renameSync, rmSync } from "node:fs";
import {
  type FactRecord,
  type FactRecordItem,
  type FactRecordKind,
  type FactToRecord,
  type Micros,
  ProblemError,
} from "@lineshaft/contract/api";
import type { FactRecordedRecord, FactRecordQuery, Lsn } from "@lineshaft/contract/ports";
import { type OwnedDatabase, openDatabase, type Sql } from "../sqlite/open.ts";
import { edgesOf, type Thing } from "./genealogy.ts";
import { timeOf } from "./rules.ts";
import { migrations } from "./schema.ts";

/** One version of what an id stands for. */
export interface Version {
  revision: number;
  retraction: boolean;
  kind: FactRecordKind;
  equipmentId: number;
  item: FactToRecord;
}

/** Which records count: as known at `asOf` (null: now), of such equipment (null: of all). */
export interface Sight {
  tenant: number;
  asOf: Lsn | null;
  visible: readonly number[] | null;
}

export type ListQuery = Omit<FactRecordQuery, "asOf" | "cursor" | "limit"> & {
  after: { toUs: Micros; row: number } | null;
  limit: number;
};

/** Opens the file; a damaged one is set aside and built anew from what the log still has. */
export function openStore(path: string, onEvent?: (event: { code: string; text: string }) => void): FactRecordStore {
  const open = () => openDatabase({ path, migrations, durability: "relaxed" });
  try {
    return new FactRecordStore(open());
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== "storage_unavailable") throw error;
    renameSync(path, `${path}.damaged`);
    for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
    onEvent?.({
      code: error.code,
      text: `${path} was damaged: set aside, and built anew from the log. Recorded facts that are older than the log are in the damaged file; restore them from a backup.`,
    });
    return new FactRecordStore(open());
  }
}

/** Recorded facts in SQLite: reads and writes, no decisions. */
export class FactRecordStore {
  readonly #db: OwnedDatabase;
  readonly #sql: Sql;
  readonly #statements = new Map<string, Statement>();
  appliedLsn: Lsn;
  syncedLsn: Lsn = 0;

  constructor(db: OwnedDatabase) {
    this.#db = db;
    this.#sql = db.sql;
    this.appliedLsn = this.#get("SELECT lsn FROM applied").pluck().get() as Lsn;
  }

  /** The records of a portion of the log, in one transaction; again is harmless. */
  apply(
    records: readonly { tenant: number; lsn: Lsn; recordedTime: Micros; record: FactRecordedRecord }[],
    last: Lsn,
  ): void {
    this.#db.write(() => {
      for (const { tenant, lsn, recordedTime, record } of records)
        for (const each of record.items) this.#keep(tenant, lsn, recordedTime, record.by, each);
      this.#get("UPDATE applied SET lsn = ?").run(last);
    });
    this.appliedLsn = last;
  }

  /** What was written up to here survives a power cut. */
  sync(): void {
    this.#db.sync();
    this.syncedLsn = this.appliedLsn;
  }

  close(): void {
    this.#db.close();
  }

  /** All versions of an id, the newest first. */
  versions(tenant: number, id: string): Version[] {
    const rows = this.#get(
      "SELECT revision, retraction, kind, equipment AS equipmentId, item FROM fact WHERE tenant = ? AND id = ? ORDER BY revision DESC",
    ).all(tenant, id) as (Omit<Version, "item" | "retraction"> & { item: string; retraction: number })[];
    return rows.map(({ item, retraction, ...row }) => ({
      ...row,
      retraction: retraction === 1,
      item: JSON.parse(item) as FactToRecord,
    }));
  }

  /** The records of an id that were not retractions, the newest first, of such equipment. */
  revisions(sight: Sight, id: string): FactRecord[] {
    const rows = this.#get(
      `${selectFact} WHERE tenant = @tenant AND id = @id AND retraction = 0 ${seen(sight)} ORDER BY revision DESC`,
    ).all({ ...bound(sight), id }) as FactRow[];
    return rows.map(recordOf);
  }

  list(
    sight: Sight,
    q: ListQuery,
  ): { records: FactRecord[]; last: { toUs: Micros; row: number } | null; more: boolean } {
    const { after, limit } = q;
    const rows = this.#get(
      `${selectFact} WHERE tenant = @tenant AND ${holds(sight)} ${seen(sight)}
       ${q.kind === undefined ? "" : "AND kind = @kind"} ${q.equipmentId === undefined ? "" : "AND equipment = @equipmentId"}
       ${q.serial === undefined ? "" : "AND serial = @serial"} ${q.lot === undefined ? "" : "AND lot = @lot"}
       ${q.order === undefined ? "" : "AND job = @job"}
       ${q.fromUs === undefined ? "" : "AND to_us >= @fromUs AND (to_us > @fromUs OR from_us = to_us)"}
       ${q.toUs === undefined ? "" : "AND from_us < @toUs"}
       ${after === null ? "" : "AND (to_us, row) > (@afterUs, @afterRow)"}
       ORDER BY to_us, row LIMIT @limit`,
    ).all({
      ...bound(sight),
      ...{ kind: q.kind ?? null, equipmentId: q.equipmentId ?? null, serial: q.serial ?? null, lot: q.lot ?? null },
      ...{ job: q.order ?? null, fromUs: q.fromUs ?? null, toUs: q.toUs ?? null, limit: limit + 1 },
      ...{ afterUs: after?.toUs ?? null, afterRow: after?.row ?? null },
    }) as FactRow[];
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      records: page.map(recordOf),
      last: last === undefined ? null : { toUs: last.toUs, row: last.row },
      more: rows.length > limit,
    };
  }

  /** Names of what stands next to a thing in one direction, ascending, at most `limit`. */
  next(sight: Sight, thing: Thing, direction: "madeOf" | "wentInto", limit: number): Thing[] {
    const [from, to] = direction === "madeOf" ? ["whole", "part"] : ["part", "whole"];
    return this.#get(
      `SELECT DISTINCT ${to} FROM edge JOIN fact ON fact.row = edge.row
       WHERE edge.tenant = @tenant AND edge.${from} = @thing AND ${holds(sight)} ${seen(sight)} ORDER BY edge.${to} LIMIT @limit`,
    )
      .pluck()
      .all({ ...bound(sight), thing, limit }) as Thing[];
  }

  totals(sight: Sight, lot: string): LotTotal[] {
    const sum = (verdict: string): string =>
      `sum(CASE json_extract(item, '$.verdict') WHEN '${verdict}' THEN coalesce(json_extract(item, '$.quantity'), 1) ELSE 0.0 END) AS ${verdict}`;
    return this.#get(
      `SELECT equipment AS equipmentId, coalesce(json_extract(item, '$.unit'), '1') AS unit, ${sum("good")}, ${sum("scrap")}, ${sum("rework")},
         min(from_us) AS fromUs, max(to_us) AS toUs
       FROM fact WHERE tenant = @tenant AND lot = @lot AND kind = 'unitProduced' AND ${holds(sight)} ${seen(sight)}
       GROUP BY 1, 2 ORDER BY 1, 2`,
    ).all({ ...bound(sight), lot }) as LotTotal[];
  }

  /** When the equipment made it: the last time of a unit, all of a lot. */
  produced(
    { tenant, asOf }: Pick<Sight, "tenant" | "asOf">,
    equipmentId: number,
    of: { serial: string } | { lot: string },
  ): { fromUs: Micros; toUs: Micros } | null {
    const sight = { tenant, asOf, visible: null };
    const what =
      "serial" in of
        ? "SELECT from_us AS fromUs, to_us AS toUs FROM fact WHERE serial = @name"
        : "SELECT min(from_us) AS fromUs, max(to_us) AS toUs FROM fact WHERE lot = @name";
    const found = this.#get(
      `${what} AND tenant = @tenant AND kind = 'unitProduced' AND equipment = @equipmentId AND ${holds(sight)}
       ORDER BY to_us DESC LIMIT 1`,
    ).get({ ...bound(sight), equipmentId, name: "serial" in of ? of.serial : of.lot }) as
      | { fromUs: Micros | null; toUs: Micros | null }
      | undefined;
    if (found === undefined || found.fromUs === null || found.toUs === null) return null;
    return { fromUs: found.fromUs, toUs: found.toUs };
  }

  places(tenant: number): number[] {
    return this.#get("SELECT equipment FROM place WHERE tenant = ? ORDER BY equipment").pluck().all(tenant) as number[];
  }

  lsnAt(timeUs: Micros): Lsn | null {
    const found = this.#get("SELECT lsn FROM fact WHERE recorded_us <= ? ORDER BY recorded_us DESC, lsn DESC LIMIT 1")
      .pluck()
      .get(timeUs);
    return (found as Lsn | undefined) ?? null;
  }

  #keep(
    tenant: number,
    lsn: Lsn,
    recordedUs: Micros,
    by: string,
    { item, retracts, equipmentId, path }: FactRecordedRecord["items"][number],
  ): void {
    const revision = item.revision ?? 0;
    const current = this.#get("SELECT row, revision FROM fact WHERE tenant = ? AND id = ? AND until IS NULL").get(
      tenant,
      item.id,
    ) as { row: number; revision: number } | undefined;
    const newest = current === undefined || current.revision < revision;
    const retraction = item.kind === "retraction";
    const { fromUs, toUs } = retraction ? { fromUs: 0, toUs: 0 } : timeOf(item);
    const { serial = null, lot = null } = { ...item } as { serial?: string; lot?: string };
    const { changes, lastInsertRowid } = this.#get(
      `INSERT INTO fact (tenant, id, revision, lsn, until, recorded_us, author, kind, retraction, equipment, path, from_us, to_us, serial, lot, job, item)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, id, revision) DO NOTHING`,
    ).run(
      ...[tenant, item.id, revision, lsn, newest ? null : lsn, recordedUs, by],
      ...[retraction ? (retracts ?? "unitProduced") : item.kind, retraction ? 1 : 0, equipmentId, path, fromUs, toUs],
      ...[serial, lot, retraction ? null : (item.order ?? null), JSON.stringify(item)],
    );
    if (changes === 0) return;
    if (newest && current !== undefined) this.#get("UPDATE fact SET until = ? WHERE row = ?").run(lsn, current.row);
    this.#get("INSERT OR IGNORE INTO place VALUES (?, ?)").run(tenant, equipmentId);
    if (retraction) return;
    const link = this.#get("INSERT OR IGNORE INTO edge VALUES (?, ?, ?, ?)");
    for (const { part, whole } of edgesOf(item)) link.run(tenant, part, whole, lastInsertRowid);
  }

  #get(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = prepare(this.#sql, sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

export interface LotTotal {
  equipmentId: number;
  unit: string;
  good: number;
  scrap: number;
  rework: number;
  fromUs: Micros;
  toUs: Micros;
}

const prepare = (sql: Sql, text: string) => sql.prepare<unknown[]>(text);
type Statement = ReturnType<typeof prepare>;

const selectFact = 'SELECT row, item, path, lsn, recorded_us AS recordedUs, author AS "by", to_us AS toUs FROM fact';
type FactRow = Omit<FactRecord, "item"> & { row: number; item: string; toUs: Micros };

function recordOf({ item, path, lsn, recordedUs, by }: FactRow): FactRecord {
  return { item: JSON.parse(item) as FactRecordItem, path, lsn, recordedUs, by };
}

const holds = ({ asOf }: Pick<Sight, "asOf">): string =>
  asOf === null
    ? "retraction = 0 AND until IS NULL"
    : "retraction = 0 AND lsn <= @asOf AND (until IS NULL OR until > @asOf)";
const seen = ({ visible }: Pick<Sight, "visible">): string =>
  visible === null ? "" : "AND equipment IN (SELECT value FROM json_each(@visible))";
const bound = ({ tenant, asOf, visible }: Sight) => ({
  ...{ tenant, asOf },
  visible: visible === null ? null : JSON.stringify(visible),
});
