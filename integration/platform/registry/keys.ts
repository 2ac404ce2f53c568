import { type ApiKey, inScope, type Principal, ProblemError } from "@lineshaft/contract/api";
import type { Clock, Page } from "@lineshaft/contract/ports";
import { type Cursors, pageSize } from "../sqlite/cursor.ts";
import type { OwnedDatabase } from "../sqlite/open.ts";
import { demand, notFound } from "./access.ts";
import type { Journal } from "./journal.ts";

type StoredKey = ApiKey & { tenant: number; hash: Uint8Array };

const columns = `id, name, role, scopes, created_us AS createdUs, expires_us AS expiresUs, revoked_us AS revokedUs,
  last_used_us AS lastUsedUs`;

/** API keys: who holds which rights where. An administrator handles only keys whose rights lie within the own scope. */
export class Keys {
  readonly #db: OwnedDatabase;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #cursors: Cursors;
  readonly #find;

  constructor(parts: { db: OwnedDatabase; clock: Clock; journal: Journal; cursors: Cursors }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#cursors = parts.cursors;
    this.#find = parts.db.sql.prepare(`SELECT ${columns}, tenant, hash FROM api_key WHERE id = ?`);
  }

  insert(p: Principal, key: StoredKey): void {
    demand(p, "administer");
    if (key.tenant !== p.tenant || !covers(p, key.scopes))
      throw new ProblemError("forbidden", "A key cannot reach further than the one who creates it.");
    const { hash, tenant, ...visible } = key;
    this.#db.write(() => {
      this.#db.sql
        .prepare(
          `INSERT INTO api_key (id, tenant, name, role, scopes, created_us, expires_us, revoked_us, last_used_us, hash)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          key.id,
          tenant,
          key.name,
          key.role,
          JSON.stringify(key.scopes),
          key.createdUs,
          key.expiresUs,
          key.revokedUs,
          key.lastUsedUs,
          hash,
        );
      this.#journal.add(p, "key", key.id, visible, this.#clock.nowUs(), this.#journal.next());
    });
  }

  find(id: string): StoredKey | null {
    const row = this.#find.get(id) as (Omit<StoredKey, "scopes"> & { scopes: string }) | undefined;
    return row === undefined ? null : { ...row, scopes: JSON.parse(row.scopes) as string[] };
  }

  /** Oldest first. */
  list(p: Principal, q: { limit?: number; cursor?: string }): Page<ApiKey> {
    demand(p, "administer");
    const limit = pageSize(q.limit);
    const query = { list: "keys" };
    const [after] = q.cursor === undefined ? [0] : this.#cursors.open(p, query, q.cursor);
    const rows = this.#db.sql
      .prepare(`SELECT rowid, ${columns} FROM api_key WHERE tenant = ? AND rowid > ? ORDER BY rowid`)
      .iterate(p.tenant, after) as Iterable<Omit<ApiKey, "scopes"> & { scopes: string; rowid: number }>;
    const items: ApiKey[] = [];
    let last = after;
    for (const { rowid, ...row } of rows) {
      const key: ApiKey = { ...row, scopes: JSON.parse(row.scopes) as string[] };
      if (!covers(p, key.scopes)) continue;
      if (items.length === limit) return { items, cursor: this.#cursors.seal(p, query, [last]) };
      items.push(key);
      last = rowid;
    }
    return { items, cursor: null };
  }

  /** Effective with its transaction; revoking again changes nothing. */
  revoke(p: Principal, id: string, atUs: number): ApiKey {
    demand(p, "administer");
    const stored = this.find(id);
    if (stored === null || stored.tenant !== p.tenant || !covers(p, stored.scopes)) throw notFound("key", id);
    const { hash: _, tenant: __, ...key } = stored;
    if (key.revokedUs !== null) return key;
    const revoked: ApiKey = { ...key, revokedUs: atUs };
    this.#db.write(() => {
      this.#db.sql.prepare("UPDATE api_key SET revoked_us = ? WHERE id = ?").run(atUs, id);
      this.#journal.add(p, "key", id, revoked, this.#clock.nowUs(), this.#journal.next());
    });
    return revoked;
  }

  /** When it was last used is a help for people, not a decision: no revision, no sync. */
  touch(id: string, atUs: number): void {
    this.#db.writeRelaxed(() => {
      this.#db.sql.prepare("UPDATE api_key SET last_used_us = ? WHERE id = ?").run(atUs, id);
    });
  }

  /** How many that are not revoked hold a scope at or below a path. */
  scopedUnder(tenant: number, path: string): number {
    const rows = this.#db.sql
      .prepare("SELECT scopes FROM api_key WHERE tenant = ? AND revoked_us IS NULL")
      .pluck()
      .all(tenant) as string[];
    const under = (scope: string): boolean => scope === path || scope.startsWith(`${path}/`);
    return rows.filter((text) => (JSON.parse(text) as string[]).some(under)).length;
  }

  /** Moves the scopes at or below `from`. Inside a transaction. */
  scopesFollow(p: Principal, from: string, to: string): void {
    const moves = (scope: string): boolean => scope === from || scope.startsWith(`${from}/`);
    const ids = this.#db.sql.prepare("SELECT id FROM api_key WHERE tenant = ?").pluck().all(p.tenant) as string[];
    for (const id of ids) {
      const { hash: _, tenant: __, ...key } = this.find(id) as StoredKey;
      if (!key.scopes.some(moves)) continue;
      const scopes = key.scopes.map((scope) => (moves(scope) ? to + scope.slice(from.length) : scope));
      this.#db.sql.prepare("UPDATE api_key SET scopes = ? WHERE id = ?").run(JSON.stringify(scopes), id);
      this.#journal.add(p, "key", id, { ...key, scopes }, this.#clock.nowUs(), this.#journal.next());
    }
  }
}

function covers(p: Principal, scopes: readonly string[]): boolean {
  return scopes.every((scope) => inScope(p, scope));
}
