import { inScope, type Principal, ProblemError } from "@lineshaft/contract/api";
import type { Clock, ConnectionRow, TagRegisteredRecord, Written } from "@lineshaft/contract/ports";
import type { OwnedDatabase } from "../sqlite/open.ts";
import { demand } from "./access.ts";
import type { Directory } from "./directory.ts";
import type { Journal } from "./journal.ts";

interface Stored extends Omit<ConnectionRow, "corrections"> {
  tenant: number;
  corrections: number;
}

const select = `SELECT id, tenant, name, kind, scope, corrections, tag_quota AS tagQuota, revision FROM connection`;

/** What a connection has that came into being with its first batch. */
const defaultTagQuota = 100_000;

export class Connections {
  readonly #db: OwnedDatabase;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #directory: Directory;

  constructor(parts: { db: OwnedDatabase; clock: Clock; journal: Journal; directory: Directory }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#directory = parts.directory;
    for (const row of this.all()) this.#directory.setConnection(row.id, row.tenant, row.scope);
  }

  all(): (ConnectionRow & { tenant: number })[] {
    const rows = this.#db.sql.prepare(`${select} ORDER BY id`).all() as Stored[];
    return rows.map((row) => ({ ...row, corrections: row.corrections === 1 }));
  }

  idOf(tenant: number, name: string): number | null {
    const id = this.#db.sql
      .prepare("SELECT id FROM connection WHERE tenant = ? AND name = ?")
      .pluck()
      .get(tenant, name) as number | undefined;
    return id ?? null;
  }

  create(p: Principal, row: Omit<ConnectionRow, "revision">): Written<ConnectionRow> {
    demand(p, "configure");
    if (!inScope(p, row.scope))
      throw new ProblemError("forbidden", `Your scope does not include ${JSON.stringify(row.scope)}.`);
    const item = this.#db.write(() => {
      const taken = this.#db.sql
        .prepare("SELECT kind FROM connection WHERE tenant = ? AND name = ?")
        .pluck()
        .get(p.tenant, row.name) as string | undefined;
      if (taken !== undefined)
        throw new ProblemError(
          taken === row.kind ? "path_taken" : "connection_kind_invalid",
          `There is already a connection ${JSON.stringify(row.name)}.`,
        );
      const revision = this.#journal.next();
      const created: ConnectionRow = { ...row, revision };
      this.#insert(p.tenant, created);
      this.#journal.add(p, "connection", row.id, created, this.#clock.nowUs(), revision);
      return created;
    });
    this.#directory.setConnection(item.id, p.tenant, item.scope);
    return { item, revision: item.revision };
  }

  /** A connection that came with its first batch: nobody decided anything, so it stands at revision 0. Inside a transaction. */
  bringIntoBeing(tenant: number, record: TagRegisteredRecord): void {
    this.#insert(tenant, {
      id: record.connectionId,
      name: record.connection,
      kind: record.kind,
      scope: record.scope,
      corrections: false,
      tagQuota: defaultTagQuota,
      revision: 0,
    });
  }

  /** Moves the scopes at or below `from`. Inside a transaction; call what it returns after it. */
  scopesFollow(p: Principal, from: string, to: string): () => void {
    const moved = this.all().filter(
      (row) => row.tenant === p.tenant && (row.scope === from || row.scope.startsWith(`${from}/`)),
    );
    for (const row of moved) {
      row.scope = to + row.scope.slice(from.length);
      row.revision = this.#journal.next();
      this.#db.sql
        .prepare("UPDATE connection SET scope = ?, revision = ? WHERE id = ?")
        .run(row.scope, row.revision, row.id);
      const { tenant: _, ...after } = row;
      this.#journal.add(p, "connection", row.id, after, this.#clock.nowUs(), row.revision);
    }
    return () => {
      for (const row of moved) this.#directory.setConnection(row.id, row.tenant, row.scope);
    };
  }

  #insert(tenant: number, row: ConnectionRow): void {
    this.#db.sql
      .prepare("INSERT INTO connection VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .run(row.id, tenant, row.name, row.kind, row.scope, row.corrections ? 1 : 0, row.tagQuota, row.revision);
  }
}
