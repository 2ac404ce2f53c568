import {
  type ConnectionEntry,
  defaultConnectionTagQuota,
  inScope,
  type Principal,
  ProblemError,
} from "@lineshaft/contract/api";
import type { Clock, ConnectionRow, TagRegisteredRecord, Written } from "@lineshaft/contract/ports";
import type { OwnedDatabase } from "../sqlite/open.ts";
import { demand } from "./access.ts";
import type { Directory } from "./directory.ts";
import type { Journal } from "./journal.ts";

interface Stored extends Omit<ConnectionRow, "corrections"> {
  tenant: number;
  corrections: number;
  declared: number;
  config: string;
  classes: string;
}

/** A connection with what people decided of it. */
export interface DecidedConnection extends ConnectionRow {
  tenant: number;
  /** Did people decide that it is there, or did it come with its data? */
  declared: boolean;
  config: Record<string, unknown>;
  classes: NonNullable<ConnectionEntry["classes"]>;
}
type Decision = Pick<DecidedConnection, "scope" | "corrections" | "tagQuota" | "config" | "classes">;

const select = `SELECT id, tenant, name, kind, scope, corrections, tag_quota AS tagQuota, revision, declared, config, classes
  FROM connection`;

/** What a connection has that came into being with its first batch. */
const defaultTagQuota = 100_000;

export class Connections {
  readonly #db: OwnedDatabase;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #directory: Directory;
  // Asked for every tag of a configuration: preparing them each time would cost more than the answer.
  readonly #findByName;
  readonly #findById;
  readonly #findName;

  constructor(parts: { db: OwnedDatabase; clock: Clock; journal: Journal; directory: Directory }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#directory = parts.directory;
    const { sql } = parts.db;
    this.#findByName = sql.prepare(`${select} WHERE tenant = ? AND name = ?`);
    this.#findById = sql.prepare(`${select} WHERE id = ?`);
    this.#findName = sql.prepare("SELECT name FROM connection WHERE id = ?").pluck();
    for (const row of this.decided()) this.#directory.setConnection(row.id, row.tenant, row.scope);
  }

  all(): (ConnectionRow & { tenant: number })[] {
    return this.decided().map((row) => ({ ...rowOf(row), tenant: row.tenant }));
  }

  decided(): DecidedConnection[] {
    return (this.#db.sql.prepare(`${select} ORDER BY id`).all() as Stored[]).map(decidedOf);
  }

  byName(tenant: number, name: string): DecidedConnection | null {
    const row = this.#findByName.get(tenant, name) as Stored | undefined;
    return row === undefined ? null : decidedOf(row);
  }

  #byId(id: number): DecidedConnection {
    return decidedOf(this.#findById.get(id) as Stored);
  }

  has(id: number): boolean {
    return this.#findName.get(id) !== undefined;
  }

  nameOf(id: number): string {
    return this.#findName.get(id) as string;
  }

  placeOf(id: number): { tenant: number; name: string; scope: string } {
    const { tenant, name, scope } = this.#byId(id);
    return { tenant, name, scope };
  }

  /** It stands where its row says, which may have been decided before its first batch. */
  stands(id: number): void {
    const { tenant, scope } = this.#byId(id);
    this.#directory.setConnection(id, tenant, scope);
  }

  idOf(tenant: number, name: string): number | null {
    return this.byName(tenant, name)?.id ?? null;
  }

  create(p: Principal, row: Omit<ConnectionRow, "revision">): Written<ConnectionRow> {
    const taken = this.byName(p.tenant, row.name);
    demand(p, "configure");
    this.#demandScope(p, row.scope);
    if (taken !== null)
      throw new ProblemError(
        taken.kind === row.kind ? "path_taken" : "connection_kind_invalid",
        `There is already a connection ${JSON.stringify(row.name)}.`,
      );
    const item = this.#db.write(() => {
      this.#insert(p.tenant, { ...row, revision: 0 });
      return this.#decide(p, row.id, { ...row, config: {}, classes: {} });
    });
    this.#directory.setConnection(item.id, p.tenant, item.scope);
    return { item: rowOf(item), revision: item.revision };
  }

  /**
   * The connection of an entry as it should be. One that came with its data is taken as it is; a new one gets its number from
   * `newId`. Its kind stays what it was.
   */
  declare(p: Principal, entry: ConnectionEntry, newId: (name: string, kind: string) => number): DecidedConnection {
    demand(p, "configure");
    const { name, kind, scope = "", corrections = false, tagQuota = defaultConnectionTagQuota } = entry;
    const { config = {}, classes = {} } = entry;
    this.#demandScope(p, scope);
    const before = this.byName(p.tenant, name);
    if (before !== null && before.kind !== kind)
      throw new ProblemError(
        "connection_kind_invalid",
        `${JSON.stringify(name)} is of kind ${before.kind} and stays so.`,
      );
    if (before !== null) this.#demandScope(p, before.scope);
    const decision = { scope, corrections, tagQuota, config, classes };
    const item = this.#db.write(() => {
      const id = before?.id ?? newId(name, kind);
      if (before === null) this.#insert(p.tenant, { id, name, kind, scope, corrections, tagQuota, revision: 0 });
      return this.#decide(p, id, decision);
    });
    this.#directory.setConnection(item.id, p.tenant, item.scope);
    return item;
  }

  /** It came with its data, and now somebody has said something about it. Inside a transaction. */
  adopt(p: Principal, id: number): void {
    const row = this.#byId(id);
    if (!row.declared) this.#decide(p, id, row);
  }

  /** Nobody decides any more that it is there; its tags and what they recorded stay. */
  undeclare(p: Principal, id: number): void {
    demand(p, "configure");
    const row = this.#byId(id);
    this.#demandScope(p, row.scope);
    this.#db.write(() => {
      const revision = this.#journal.next();
      this.#db.sql
        .prepare("UPDATE connection SET declared = 0, config = '{}', classes = '{}', revision = ? WHERE id = ?")
        .run(revision, id);
      this.#record(p, this.#byId(id));
    });
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
    const moved = this.decided().filter(
      (row) => row.tenant === p.tenant && (row.scope === from || row.scope.startsWith(`${from}/`)),
    );
    for (const row of moved) {
      row.scope = to + row.scope.slice(from.length);
      row.revision = this.#journal.next();
      this.#db.sql
        .prepare("UPDATE connection SET scope = ?, revision = ? WHERE id = ?")
        .run(row.scope, row.revision, row.id);
      this.#record(p, row);
    }
    return () => {
      for (const row of moved) this.#directory.setConnection(row.id, row.tenant, row.scope);
    };
  }

  /** Declared ones that stand at or below a path. */
  declaredUnder(tenant: number, path: string): string[] {
    return this.decided()
      .filter((row) => row.declared && row.tenant === tenant)
      .filter(({ scope }) => scope === path || scope.startsWith(`${path}/`))
      .map(({ name }) => name);
  }

  #demandScope(p: Principal, scope: string): void {
    if (!inScope(p, scope))
      throw new ProblemError("forbidden", `Your scope does not include ${JSON.stringify(scope)}.`);
  }

  #decide(p: Principal, id: number, decision: Decision): DecidedConnection {
    const revision = this.#journal.next();
    const { scope, corrections, tagQuota, config, classes } = decision;
    this.#db.sql
      .prepare(
        `UPDATE connection SET scope = ?, corrections = ?, tag_quota = ?, declared = 1, config = ?, classes = ?, revision = ?
         WHERE id = ?`,
      )
      .run(scope, corrections ? 1 : 0, tagQuota, JSON.stringify(config), JSON.stringify(classes), revision, id);
    const row = this.#byId(id);
    this.#record(p, row);
    return row;
  }

  /** The configuration may name hosts and users, so it does not go where every reader sees it. */
  #record(p: Principal, { tenant: _, config, classes, ...after }: DecidedConnection): void {
    this.#journal.add(p, "connection", after.id, after, this.#clock.nowUs(), after.revision, { config, classes });
  }

  /** One that is known already stays: a connection may be declared before the log's record of it is applied. */
  #insert(tenant: number, row: ConnectionRow): void {
    this.#db.sql
      .prepare(
        `INSERT INTO connection (id, tenant, name, kind, scope, corrections, tag_quota, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO NOTHING`,
      )
      .run(row.id, tenant, row.name, row.kind, row.scope, row.corrections ? 1 : 0, row.tagQuota, row.revision);
  }
}

function rowOf({ id, name, kind, scope, corrections, tagQuota, revision }: DecidedConnection): ConnectionRow {
  return { id, name, kind, scope, corrections, tagQuota, revision };
}

function decidedOf({ corrections, declared, config, classes, ...row }: Stored): DecidedConnection {
  return {
    ...row,
    corrections: corrections === 1,
    declared: declared === 1,
    config: JSON.parse(config) as DecidedConnection["config"],
    classes: JSON.parse(classes) as DecidedConnection["classes"],
  };
}
