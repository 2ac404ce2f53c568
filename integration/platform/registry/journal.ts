import type { Principal } from "@lineshaft/contract/api";
import type { Lsn, RegistryChangedRecord } from "@lineshaft/contract/ports";
import type { Sql } from "../sqlite/open.ts";

type Entity = RegistryChangedRecord["entity"];

interface JournalRow {
  revision: number;
  tenant: number;
  entity: Entity;
  entity_id: number | string;
  actor: string;
  after: string;
}

/** Numbers the decisions and keeps each as the record that the log will carry. Used inside the transaction of the change. */
export class Journal {
  readonly #sql: Sql;
  readonly #insert;
  readonly #last;
  readonly #outbox;
  readonly #lsnOf;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.#insert = sql.prepare(
      "INSERT INTO journal (revision, tenant, entity, entity_id, actor, changed_us, after) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#last = sql.prepare("SELECT coalesce(max(revision), 0) FROM journal").pluck();
    this.#outbox = sql.prepare(
      "SELECT revision, tenant, entity, entity_id, actor, after FROM journal WHERE lsn IS NULL ORDER BY revision LIMIT ?",
    );
    this.#lsnOf = sql.prepare("SELECT lsn FROM journal WHERE revision = ?").pluck();
  }

  get revision(): number {
    return this.#last.get() as number;
  }

  /** The next revision; write the change with it, then `add` what came of it, in the same transaction. */
  next(): number {
    return this.revision + 1;
  }

  add(
    by: Pick<Principal, "id" | "tenant">,
    entity: Entity,
    id: number | string,
    after: object,
    atUs: number,
    revision: number,
  ): void {
    this.#insert.run(revision, by.tenant, entity, id, by.id, atUs, JSON.stringify(after));
  }

  outbox(limit: number): { revision: number; tenant: number; record: RegistryChangedRecord }[] {
    return (this.#outbox.all(limit) as JournalRow[]).map((row) => ({
      revision: row.revision,
      tenant: row.tenant,
      record: {
        revision: row.revision,
        entity: row.entity,
        id: row.entity_id,
        actor: row.actor,
        after: JSON.parse(row.after) as Record<string, unknown>,
      },
    }));
  }

  /** A revision that already has its LSN keeps it: the first record in the log is the one that counts. */
  stamp(revisions: { revision: number; lsn: Lsn }[]): void {
    const update = this.#sql.prepare("UPDATE journal SET lsn = ? WHERE revision = ? AND lsn IS NULL");
    for (const { revision, lsn } of revisions) update.run(lsn, revision);
  }

  lsnOf(revision: number): Lsn | null {
    return (this.#lsnOf.get(revision) as number | null | undefined) ?? null;
  }
}
