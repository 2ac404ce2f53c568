import { randomBytes } from "node:crypto";
import { renameSync, rmSync } from "node:fs";
import {
  type Gap,
  inScope,
  may,
  type Principal,
  ProblemError,
  problemCatalogue,
  type RejectedItem,
} from "@lineshaft/contract/api";
import {
  type Clock,
  decodeJson,
  type Frame,
  type GapRecord,
  type Ledger,
  type Lsn,
  type RejectedRecord,
  recordType,
} from "@lineshaft/contract/ports";
import { type Cursors, createCursors, pageSize } from "../sqlite/cursor.ts";
import { type OwnedDatabase, openDatabase } from "../sqlite/open.ts";
import { migrations } from "./schema.ts";

export interface LedgerOptions {
  path: string;
  clock: Clock;
  /** Rejected items kept, and as many gaps; the oldest go first. Default 100,000. */
  maxItems?: number;
  /** Bytes of rejected items kept, what was sent included. Default 256 MiB. */
  maxBytes?: number;
  /** How often what was kept is synced; the log is pinned behind it. Default 30 s. */
  syncEveryMs?: number;
  /** Where a connection's readers stand; null: there is no such connection. */
  connectionScope(tenant: number, name: string): string | null;
  onEvent?(event: { code: string; text: string }): void;
}

/** Causes counted apart; what comes beyond is counted without its connection. */
const maxCauses = 10_000;
/** A sample is cut to the rows that fit; the whole is in the payload. */
const maxSampleChars = 65_536;

const noConnection = "";

/**
 * Rejected items and gaps for people to look at: a view of the log in a SQLite file of its own. It survives a killed process; what a power
 * cut takes is read again from the log. A damaged file is set aside and built anew from what the log still has.
 * Items without a connection, or of one that never came into being, are seen by those who see the whole tenant.
 */
export function openLedger(options: LedgerOptions): Ledger {
  return new SqliteLedger(options, openOrSetAside(options));
}

function openOrSetAside({ path, onEvent }: LedgerOptions): OwnedDatabase {
  const open = () => openDatabase({ path, migrations, durability: "relaxed" });
  try {
    return open();
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== "storage_unavailable") throw error;
    renameSync(path, `${path}.damaged`);
    for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
    onEvent?.({ code: error.code, text: `${path} was damaged: set aside, and built anew from the log.` });
    return open();
  }
}

class SqliteLedger implements Ledger {
  readonly #options: LedgerOptions;
  readonly #db: OwnedDatabase;
  readonly #cursors: Cursors;
  readonly #maxItems: number;
  readonly #maxBytes: number;
  #appliedLsn: Lsn;
  #syncedLsn: Lsn = 0;
  #advancedMs = Number.NEGATIVE_INFINITY;
  #syncedMs = Number.NEGATIVE_INFINITY;
  #items: number;
  #bytes: number;
  #gaps: number;
  #causes: number;

  constructor(options: LedgerOptions, db: OwnedDatabase) {
    this.#options = options;
    this.#db = db;
    this.#maxItems = options.maxItems ?? 100_000;
    this.#maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
    const figure = (query: string): number => db.sql.prepare(query).pluck().get() as number;
    this.#appliedLsn = figure("SELECT lsn FROM applied");
    this.#items = figure("SELECT count(*) FROM rejected");
    this.#bytes = figure("SELECT coalesce(sum(size), 0) FROM rejected");
    this.#gaps = figure("SELECT count(*) FROM gap");
    this.#causes = figure("SELECT count(*) FROM cause");
    this.#cursors = createCursors(Buffer.from(this.#cursorKey(), "base64"));
  }

  /** Made once. Later starts only read: they must succeed on a full disk too. */
  #cursorKey(): string {
    const { sql, write } = this.#db;
    const kept = sql.prepare("SELECT value FROM setting WHERE name = 'cursorKey'").pluck().get() as string | undefined;
    const key = kept ?? randomBytes(32).toString("base64");
    if (kept === undefined) write(() => sql.prepare("INSERT INTO setting VALUES ('cursorKey', ?)").run(key));
    return key;
  }

  get appliedLsn(): Lsn {
    return this.#appliedLsn;
  }

  get syncedLsn(): Lsn {
    return this.#syncedLsn;
  }

  apply(frames: Frame[]): void {
    const news = frames.filter((frame) => frame.lsn > this.#appliedLsn);
    if (news.length === 0) return;
    const last = news[news.length - 1].lsn;
    const kept = news.filter((frame) => frame.type === recordType.rejected || frame.type === recordType.gap);
    // Most of the log is points: their LSNs are noted once a second, not with a transaction each.
    const nowMs = this.#options.clock.monotonicMs();
    if (kept.length === 0 && nowMs - this.#advancedMs < 1000) return;

    const before = { items: this.#items, bytes: this.#bytes, gaps: this.#gaps, causes: this.#causes };
    try {
      this.#db.write(() => {
        for (const frame of kept) {
          if (frame.type === recordType.rejected) this.#keepRejected(frame, decodeJson<RejectedRecord>(frame.payload));
          else this.#keepGap(frame, decodeJson<GapRecord>(frame.payload));
        }
        this.#dropOldest();
        this.#db.sql.prepare("UPDATE applied SET lsn = ?").run(last);
      });
    } catch (error) {
      this.#items = before.items;
      this.#bytes = before.bytes;
      this.#gaps = before.gaps;
      this.#causes = before.causes;
      throw error;
    }
    this.#appliedLsn = last;
    this.#advancedMs = nowMs;
    if (nowMs - this.#syncedMs < (this.#options.syncEveryMs ?? 30_000)) return;
    this.#db.sync();
    this.#syncedLsn = last;
    this.#syncedMs = nowMs;
  }

  listRejected(
    p: Principal,
    q: { connection?: string; code?: string; limit?: number; cursor?: string },
  ): ReturnType<Ledger["listRejected"]> {
    const limit = pageSize(q.limit);
    const query = { list: "rejected", connection: q.connection, code: q.code };
    const visible = this.#visibleConnections(p, q.connection);
    const [before] = q.cursor === undefined ? [Number.MAX_SAFE_INTEGER] : this.#cursors.open(p, query, q.cursor);
    const values = { tenant: p.tenant, visible: JSON.stringify(visible), code: q.code, before, limit: limit + 1 };
    const matching = `tenant = @tenant ${visible === null ? "" : "AND connection IN (SELECT value FROM json_each(@visible))"}
      ${q.code === undefined ? "" : "AND code = @code"}`;
    const rows = this.#db.sql
      .prepare(`SELECT * FROM rejected WHERE ${matching} AND lsn < @before ORDER BY lsn DESC LIMIT @limit`)
      .all(values) as RejectedRow[];
    const page = rows.slice(0, limit);
    const groups =
      q.cursor !== undefined
        ? []
        : (this.#db.sql
            .prepare(
              `SELECT code, nullif(connection, '') AS connection, items, points, last_us AS lastUs FROM cause
               WHERE ${matching} ORDER BY last_us DESC, code, connection LIMIT 1000`,
            )
            .all(values) as ReturnType<Ledger["listRejected"]>["groups"]);
    return {
      items: page.map((row) => toItem(row, null)),
      cursor: rows.length > limit ? this.#cursors.seal(p, query, [page[page.length - 1].lsn]) : null,
      groups,
    };
  }

  getRejected(p: Principal, id: number): RejectedItem {
    demandRead(p);
    const row = this.#db.sql.prepare("SELECT * FROM rejected WHERE lsn = ? AND tenant = ?").get(id, p.tenant) as
      | RejectedRow
      | undefined;
    if (row === undefined || !this.#sees(p, row.connection))
      throw new ProblemError("not_found", `There is no rejected item ${id} that you may see.`);
    const payload = this.#db.sql.prepare("SELECT base64 FROM payload WHERE lsn = ?").pluck().get(id);
    return toItem(row, (payload as string | undefined) ?? null);
  }

  listGaps(p: Principal, q: { limit?: number; cursor?: string }): { items: Gap[]; cursor: string | null } {
    const limit = pageSize(q.limit);
    const query = { list: "gaps" };
    const visible = this.#visibleConnections(p, undefined);
    const [before] = q.cursor === undefined ? [Number.MAX_SAFE_INTEGER] : this.#cursors.open(p, query, q.cursor);
    const rows = this.#db.sql
      .prepare(
        `SELECT lsn AS id, nullif(connection, '') AS connection, from_us AS fromUs, to_us AS toUs, points, reason,
           recorded_us AS recordedUs
         FROM gap WHERE tenant = @tenant AND lsn < @before
         ${visible === null ? "" : "AND connection IN (SELECT value FROM json_each(@visible))"}
         ORDER BY lsn DESC LIMIT @limit`,
      )
      .all({ tenant: p.tenant, visible: JSON.stringify(visible), before, limit: limit + 1 }) as Gap[];
    const items = rows.slice(0, limit);
    const cursor = rows.length > limit ? this.#cursors.seal(p, query, [items[items.length - 1].id]) : null;
    return { items, cursor };
  }

  close(): void {
    this.#db.close();
  }

  #keepRejected(frame: Frame, record: RejectedRecord): void {
    const { sql } = this.#db;
    const connection = record.connection ?? noConnection;
    const sample = boundedSample(record.sample);
    const size = 200 + record.detail.length + sample.length + (record.payload?.length ?? 0);
    sql
      .prepare("INSERT INTO rejected VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(
        frame.lsn,
        frame.tenant,
        frame.recordedTime,
        connection,
        record.code,
        record.detail,
        record.points,
        sample,
        record.payloadBytes,
        size,
      );
    if (record.payload !== null) sql.prepare("INSERT INTO payload VALUES (?, ?)").run(frame.lsn, record.payload);
    this.#items++;
    this.#bytes += size;
    this.#count(frame, record, connection);
  }

  #count(frame: Frame, record: RejectedRecord, connection: string): void {
    const { sql } = this.#db;
    const values = { tenant: frame.tenant, code: record.code, points: record.points, atUs: frame.recordedTime };
    const { changes } = sql
      .prepare(
        `UPDATE cause SET items = items + 1, points = points + @points, last_us = @atUs
         WHERE tenant = @tenant AND code = @code AND connection = @connection`,
      )
      .run({ ...values, connection });
    if (changes === 1) return;
    const { changes: added } = sql
      .prepare(
        `INSERT INTO cause VALUES (@tenant, @code, @connection, 1, @points, @atUs)
         ON CONFLICT DO UPDATE SET items = items + 1, points = points + @points, last_us = @atUs`,
      )
      .run({ ...values, connection: this.#causes < maxCauses ? connection : noConnection });
    this.#causes += added;
  }

  #keepGap(frame: Frame, gap: GapRecord): void {
    this.#db.sql
      .prepare("INSERT INTO gap VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .run(
        frame.lsn,
        frame.tenant,
        gap.connection ?? noConnection,
        gap.fromUs,
        gap.toUs,
        gap.points,
        gap.reason,
        frame.recordedTime,
      );
    this.#gaps++;
  }

  #dropOldest(): void {
    const { sql } = this.#db;
    const oldest = sql.prepare("SELECT lsn, size FROM rejected ORDER BY lsn LIMIT 1");
    while (this.#items > this.#maxItems || (this.#bytes > this.#maxBytes && this.#items > 0)) {
      const { lsn, size } = oldest.get() as { lsn: number; size: number };
      sql.prepare("DELETE FROM rejected WHERE lsn = ?").run(lsn);
      sql.prepare("DELETE FROM payload WHERE lsn = ?").run(lsn);
      this.#items--;
      this.#bytes -= size;
    }
    const tooMany = this.#gaps - this.#maxItems;
    if (tooMany <= 0) return;
    sql.prepare("DELETE FROM gap WHERE lsn IN (SELECT lsn FROM gap ORDER BY lsn LIMIT ?)").run(tooMany);
    this.#gaps = this.#maxItems;
  }

  #sees(p: Principal, connection: string): boolean {
    const scope = connection === noConnection ? null : this.#options.connectionScope(p.tenant, connection);
    return inScope(p, scope ?? "");
  }

  /** The connections to list: null for all of the tenant. `not_found` for one that is out of sight. */
  #visibleConnections(p: Principal, asked: string | undefined): string[] | null {
    demandRead(p);
    if (asked !== undefined) {
      if (!this.#sees(p, asked))
        throw new ProblemError("not_found", `There is no connection ${JSON.stringify(asked)} that you may see.`);
      return [asked];
    }
    if (inScope(p, "")) return null;
    const names = this.#db.sql
      .prepare(
        "SELECT connection FROM cause WHERE tenant = @tenant UNION SELECT connection FROM gap WHERE tenant = @tenant",
      )
      .pluck()
      .all({ tenant: p.tenant }) as string[];
    return names.filter((name) => this.#sees(p, name));
  }
}

interface RejectedRow {
  lsn: number;
  time_us: number;
  connection: string;
  code: string;
  detail: string;
  points: number;
  sample: string;
  payload_bytes: number;
}

function toItem(row: RejectedRow, payload: string | null): RejectedItem {
  const known = Object.hasOwn(problemCatalogue, row.code);
  return {
    id: row.lsn,
    time: row.time_us,
    connection: row.connection === noConnection ? null : row.connection,
    code: row.code,
    detail: row.detail,
    // A code of another version of the catalogue has no advice here.
    action: known ? problemCatalogue[row.code as keyof typeof problemCatalogue].action : "",
    points: row.points,
    sample: JSON.parse(row.sample) as RejectedItem["sample"],
    payload,
    payloadBytes: row.payload_bytes,
  };
}

function boundedSample(sample: RejectedRecord["sample"]): string {
  const rows: string[] = [];
  let chars = 2;
  for (const row of sample) {
    const text = JSON.stringify(row);
    chars += text.length + 1;
    if (chars > maxSampleChars) break;
    rows.push(text);
  }
  return `[${rows.join(",")}]`;
}

function demandRead(p: Principal): void {
  if (!may(p, "read")) throw new ProblemError("forbidden", `The role ${p.role} does not include "read".`);
}
