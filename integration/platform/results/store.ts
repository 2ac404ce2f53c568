import { randomBytes } from "node:crypto";
import { renameSync, rmSync } from "node:fs";
import type { Application, Cause, EvidenceTerm, Micros, ResultKey, ResultPeriod } from "@lineshaft/contract/api";
import { ProblemError } from "@lineshaft/contract/api";
import type { Lsn, ResultPublishedRecord } from "@lineshaft/contract/ports";
import type { OwnedDatabase, Sql } from "../sqlite/open.ts";
import { openDatabase } from "../sqlite/open.ts";
import type { KeySpan } from "./keys.ts";
import {
  type Brief,
  briefColumns,
  columns,
  type Published,
  published,
  type ResultRow,
  read,
  type Texts,
} from "./rows.ts";
import { migrations } from "./schema.ts";
import type { Row, StoredKey } from "./tasks.ts";

export interface StoredApplication extends Application {
  id: number;
  tenant: number;
  name: string;
  lsn: Lsn;
}

/** A result as it stands, its parts as the text they are kept in: equal text is an equal result. */
export interface StoredResult extends StoredKey {
  revision: number;
  ruleVersion: string;
  values: string;
  coverage: number | null;
  detail: string;
  basisLsn: Lsn;
}

/** Parts of a result as they are kept. */
export interface ResultTexts {
  values: string;
  detail: string;
}

/** Where the next page begins: after this one. */
export interface Position {
  equipmentId: number;
  fromUs: Micros;
  period: string;
  key: string;
}

export interface RangeQuery {
  application: number;
  equipmentId: number;
  period: ResultPeriod | null;
  key: string | null;
  fromUs: Micros | null;
  toUs: Micros | null;
  asOf: Lsn | null;
  detail: boolean;
  after: Position | null;
  limit: number;
  /** About so many characters of detail at most. */
  bytes: number;
}

/** What an agenda changes of what is kept; gathered, and written with the next transaction. */
export interface Changes {
  added: Map<number, Row>;
  dropped: Set<number>;
  /** By station; null: it is gone. */
  seen: Map<number, Micros | null>;
}

/** A result is some kilobytes, most of them evidence. What is computed at a time is read and written several times. */
const pageBytes = 16_384;
const cacheBytes = 32 * 1024 * 1024;
const farUs = 8_640_000_000_000_000;

/** Opens the file; a damaged one is set aside and built anew from what the log still has. */
export function openStore(path: string, onEvent?: (event: { code: string; text: string }) => void): ResultStore {
  const open = () => openDatabase({ path, migrations, durability: "relaxed", pageBytes, cacheBytes });
  try {
    return new ResultStore(open());
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== "storage_unavailable") throw error;
    renameSync(path, `${path}.damaged`);
    for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
    onEvent?.({
      code: error.code,
      text: `${path} was damaged: set aside, and built anew. Results older than the log are computed again, their earlier revisions are in the damaged file.`,
    });
    return new ResultStore(open());
  }
}

/** Results in SQLite: reads and writes, no decisions. */
export class ResultStore {
  readonly #db: OwnedDatabase;
  readonly #sql: Sql;
  readonly #statements = new Map<string, Statement>();
  appliedLsn: Lsn;
  factsLsn: Lsn;
  syncedLsn: Lsn = 0;

  constructor(db: OwnedDatabase) {
    this.#db = db;
    this.#sql = db.sql;
    const applied = db.sql.prepare("SELECT lsn, facts_lsn AS factsLsn FROM applied").get() as {
      lsn: Lsn;
      factsLsn: Lsn;
    };
    this.appliedLsn = applied.lsn;
    this.factsLsn = applied.factsLsn;
  }

  write<T>(work: () => T): T {
    return this.#db.write(work);
  }

  /** What was written up to here survives a power cut. */
  sync(): void {
    this.#db.sync();
    this.syncedLsn = Math.min(this.appliedLsn, this.factsLsn);
  }

  close(): void {
    this.#db.close();
  }

  /** A secret of this file, made once. */
  secret(name: string): Buffer {
    const kept = this.#get("SELECT value FROM setting WHERE name = ?").pluck().get(name) as string | undefined;
    const value = kept ?? randomBytes(32).toString("base64");
    if (kept === undefined) this.write(() => this.#get("INSERT INTO setting VALUES (?, ?)").run(name, value));
    return Buffer.from(value, "base64");
  }

  applications(): StoredApplication[] {
    const rows = this.#get(
      "SELECT id, tenant, name, rule_version AS ruleVersion, periods, lsn FROM application ORDER BY id",
    ).all() as (Omit<StoredApplication, "periods"> & { periods: string })[];
    return rows.map((row) => ({ ...row, periods: JSON.parse(row.periods) as ResultPeriod[] }));
  }

  putApplication(tenant: number, name: string, { ruleVersion, periods }: Application, lsn: Lsn): void {
    this.#get(
      `INSERT INTO application (tenant, name, rule_version, periods, lsn) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (tenant, name) DO UPDATE SET rule_version = excluded.rule_version, periods = excluded.periods, lsn = excluded.lsn
       WHERE lsn < excluded.lsn`,
    ).run(tenant, name, ruleVersion, JSON.stringify(periods), lsn);
  }

  setApplied(lsn: Lsn, factsLsn: Lsn): void {
    this.#get("UPDATE applied SET lsn = ?, facts_lsn = ?").run(lsn, factsLsn);
  }

  /** One publication; again is harmless. `texts`: of its items, where they are known already. */
  apply(
    application: number,
    record: ResultPublishedRecord,
    { lsn, publishedUs, texts }: { lsn: Lsn; publishedUs: Micros; texts?: readonly ResultTexts[] },
  ): void {
    const retire = this.#get(
      `UPDATE result SET current = 0 WHERE application = ? AND period = ? AND key = ? AND equipment = ? AND revision < ? AND current = 1`,
    );
    const insert = this.#get(
      `INSERT INTO result (application, equipment, period, key, revision, current, from_us, to_us, state, rule_version, cause, vals, coverage, detail, evidence,
         basis_lsn, lsn, published_us)
       VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (application, period, key, equipment, revision) DO UPDATE SET from_us = excluded.from_us, to_us = excluded.to_us, state = excluded.state,
         rule_version = excluded.rule_version, cause = excluded.cause, vals = excluded.vals, coverage = excluded.coverage, detail = excluded.detail,
         evidence = excluded.evidence, basis_lsn = excluded.basis_lsn, lsn = excluded.lsn, published_us = excluded.published_us
       WHERE lsn < excluded.lsn`,
    );
    // The first final revision takes the place of the provisional one.
    const replace = this.#get(
      "DELETE FROM result WHERE application = ? AND period = ? AND key = ? AND equipment = ? AND revision < ? AND state = 'provisional'",
    );
    for (const [i, item] of record.items.entries()) {
      const { equipmentId, period, key, revision } = item;
      const place = [application, period, key, equipmentId, revision] as const;
      replace.run(...place);
      retire.run(...place);
      insert.run(
        application,
        equipmentId,
        period,
        key,
        revision,
        item.fromUs,
        item.toUs,
        item.state,
        record.ruleVersion,
        JSON.stringify(item.cause),
        texts?.[i].values ?? canonicalValues(item.values),
        item.coverage,
        texts?.[i].detail ?? JSON.stringify(item.detail),
        JSON.stringify(item.evidence),
        item.basisLsn,
        lsn,
        publishedUs,
      );
    }
  }

  current(application: number, { equipmentId, period, key }: ResultKey): StoredResult | null {
    const row = this.#get(
      `SELECT period, key, from_us AS fromUs, to_us AS toUs, state, revision, rule_version AS ruleVersion, vals AS "values", coverage, detail, basis_lsn AS basisLsn FROM result
       WHERE application = ? AND period = ? AND key = ? AND equipment = ? AND current = 1`,
    ).get(application, period, key, equipmentId) as StoredResult | undefined;
    return row ?? null;
  }

  find(application: number, { equipmentId, period, key }: ResultKey): StoredKey | null {
    const row = this.#get(
      `SELECT period, key, from_us AS fromUs, to_us AS toUs, state FROM result
       WHERE application = ? AND period = ? AND key = ? AND equipment = ? AND current = 1`,
    ).get(application, period, key, equipmentId) as StoredKey | undefined;
    return row ?? null;
  }

  /** A result as it stands, without detail and evidence. */
  brief(application: number, { equipmentId, period, key }: ResultKey): Brief | null {
    const row = this.#get(
      `SELECT from_us AS fromUs, to_us AS toUs, state, revision, cause, vals, coverage, published_us AS publishedUs FROM result
       WHERE application = ? AND period = ? AND key = ? AND equipment = ? AND current = 1`,
    ).get(application, period, key, equipmentId) as (Omit<Brief, "cause" | "values"> & Texts) | undefined;
    return row === undefined ? null : read(row);
  }

  /** Keys of current results that meet [fromUs, toUs]. */
  keys(application: number, equipmentId: number, fromUs: Micros, toUs: Micros): StoredKey[] {
    return this.#get(
      `SELECT period, key, from_us AS fromUs, to_us AS toUs, state FROM result
       WHERE application = ? AND equipment = ? AND to_us >= ? AND from_us <= ? AND current = 1`,
    ).all(application, equipmentId, finite(fromUs), finite(toUs)) as StoredKey[];
  }

  /** Those that are not final. */
  openKeys(application: number, equipmentId: number): KeySpan[] {
    return this.#get(
      `SELECT period, key, from_us AS fromUs, to_us AS toUs FROM result
       WHERE application = ? AND equipment = ? AND current = 1 AND state = 'provisional'`,
    ).all(application, equipmentId) as KeySpan[];
  }

  /** The hull of the current results of some equipment for one key, and whether all of them are final. */
  hull(
    application: number,
    equipmentIds: readonly number[],
    of: { period: ResultPeriod; key: string },
  ): StoredKey | null {
    const row = this.#get(
      `SELECT min(from_us) AS fromUs, max(to_us) AS toUs, sum(state = 'provisional') AS open FROM result
       WHERE application = ? AND period = ? AND key = ? AND current = 1 AND equipment IN (SELECT value FROM json_each(?))`,
    ).get(application, of.period, of.key, JSON.stringify(equipmentIds)) as {
      fromUs: Micros | null;
      toUs: Micros;
      open: number;
    };
    if (row.fromUs === null) return null;
    return { ...of, fromUs: row.fromUs, toUs: row.toUs, state: row.open > 0 ? "provisional" : "final" };
  }

  equipment(application: number): number[] {
    return this.#get("SELECT DISTINCT equipment FROM result WHERE application = ? ORDER BY equipment")
      .pluck()
      .all(application) as number[];
  }

  /** Results of one equipment in order of start, period and key; by `asOf` the newest of each that was published by then. */
  list(query: RangeQuery): { items: Published[]; more: boolean; bytes: number } {
    const { asOf, after } = query;
    const newest =
      asOf === null
        ? "current = 1"
        : `lsn <= @asOf AND revision = (SELECT max(revision) FROM result AS o WHERE o.application = result.application AND o.period = result.period
             AND o.key = result.key AND o.equipment = result.equipment AND o.lsn <= @asOf)`;
    const rows = this.#get(
      `SELECT ${query.detail ? columns : briefColumns} FROM result WHERE application = @application AND equipment = @equipmentId AND ${newest}
       ${query.period === null ? "" : "AND period = @period"} ${query.key === null ? "" : "AND key = @key"}
       ${query.fromUs === null ? "" : "AND to_us > @fromUs"} ${query.toUs === null ? "" : "AND from_us < @toUs"}
       ${after === null ? "" : "AND (from_us, period, key) > (@afterUs, @afterPeriod, @afterKey)"}
       ORDER BY from_us, period, key LIMIT @limit`,
    ).all({
      ...{ application: query.application, equipmentId: query.equipmentId, period: query.period, key: query.key },
      ...{ fromUs: query.fromUs, toUs: query.toUs, asOf },
      afterUs: after?.fromUs ?? null,
      afterPeriod: after?.period ?? null,
      afterKey: after?.key ?? null,
      limit: query.limit + 1,
    }) as ResultRow[];
    let bytes = 0;
    let count = 0;
    while (count < Math.min(rows.length, query.limit) && (count === 0 || bytes < query.bytes))
      bytes += rows[count++].detail.length;
    return { items: rows.slice(0, count).map(published), more: count < rows.length, bytes };
  }

  revisions(
    application: number,
    { equipmentId, period, key }: ResultKey,
  ): (Published & { evidence: EvidenceTerm[] })[] {
    const rows = this.#get(
      `SELECT ${columns}, evidence FROM result WHERE application = ? AND period = ? AND key = ? AND equipment = ? ORDER BY revision DESC`,
    ).all(application, period, key, equipmentId) as (ResultRow & { evidence: string })[];
    return rows.map(({ evidence, ...row }) => ({
      ...published(row),
      evidence: JSON.parse(evidence) as EvidenceTerm[],
    }));
  }

  dirty(application: number): Row[] {
    const rows = this.#get(
      `SELECT id, equipment AS station, period, key, from_us AS fromUs, to_us AS toUs, cause FROM dirty WHERE application = ? ORDER BY id`,
    ).all(application) as {
      id: number;
      station: number;
      period: ResultPeriod | null;
      key: string | null;
      fromUs: number | null;
      toUs: number | null;
      cause: string;
    }[];
    return rows.map(({ id, station, period, key, fromUs, toUs, cause }) => ({
      id,
      station,
      key: period === null || key === null ? null : { period, key },
      fromUs: fromUs ?? Number.NEGATIVE_INFINITY,
      toUs: toUs ?? Number.POSITIVE_INFINITY,
      cause: JSON.parse(cause) as Cause,
      left: 0,
      endsBy: null,
    }));
  }

  seen(application: number): Map<number, Micros> {
    const rows = this.#get("SELECT equipment, seen_us AS seenUs FROM station WHERE application = ?").all(
      application,
    ) as { equipment: number; seenUs: Micros }[];
    return new Map(rows.map(({ equipment, seenUs }) => [equipment, seenUs]));
  }

  keep(application: number, { added, dropped, seen }: Changes): void {
    const drop = this.#get("DELETE FROM dirty WHERE application = ? AND id = ?");
    for (const id of dropped) drop.run(application, id);
    const add = this.#get("INSERT OR REPLACE INTO dirty VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    for (const row of added.values())
      add.run(
        application,
        row.id,
        row.station,
        row.key?.period ?? null,
        row.key?.key ?? null,
        Number.isFinite(row.fromUs) ? row.fromUs : null,
        Number.isFinite(row.toUs) ? row.toUs : null,
        JSON.stringify(row.cause),
      );
    const put = this.#get("INSERT OR REPLACE INTO station VALUES (?, ?, ?)");
    const remove = this.#get("DELETE FROM station WHERE application = ? AND equipment = ?");
    for (const [equipment, seenUs] of seen)
      if (seenUs === null) remove.run(application, equipment);
      else put.run(application, equipment, seenUs);
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

const prepare = (sql: Sql, text: string) => sql.prepare<unknown[]>(text);
type Statement = ReturnType<typeof prepare>;

const finite = (time: Micros): Micros => Math.max(-farUs, Math.min(farUs, time));

/** The same numbers give the same text, in whichever order they were told. */
export const canonicalValues = (values: Record<string, number | null>): string =>
  JSON.stringify(Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))));
