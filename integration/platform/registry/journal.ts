import type { ConfigurationRevision, Principal } from "@lineshaft/contract/api";
import type { Lsn, RegistryChangedRecord } from "@lineshaft/contract/ports";
import type { Sql } from "../sqlite/open.ts";

type Entity = RegistryChangedRecord["entity"];

/** An item as the journal holds it: its fields, and whether it is gone. */
export type JournalItem = Record<string, unknown> & { removed?: boolean };

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
  /** null: look again. What a transaction may still take back is not kept here. */
  #known: number | null = null;
  readonly #revisionAt;
  /** While several changes are one: the revision of the first. */
  #partOf: number | null = null;
  /** While a change goes over several turns: the revision before it. */
  #decided: number | null = null;
  /** At a start anything may have changed before. */
  #setUp: number;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.#insert = sql.prepare(
      `INSERT INTO journal (revision, tenant, entity, entity_id, actor, changed_us, after, kept, part_of)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#last = sql.prepare("SELECT coalesce(max(revision), 0) FROM journal").pluck();
    this.#outbox = sql.prepare(
      "SELECT revision, tenant, entity, entity_id, actor, after FROM journal WHERE lsn IS NULL ORDER BY revision LIMIT ?",
    );
    this.#revisionAt = sql.prepare("SELECT coalesce(max(revision), 0) FROM journal WHERE lsn <= ?").pluck();
    this.#lsnOf = sql.prepare("SELECT lsn FROM journal WHERE revision = ?").pluck();
    this.#setUp = this.revision;
  }

  /** What is taken back again counts too: whoever follows looks once more than needed. */
  get setUp(): number {
    return Math.min(this.#setUp, this.decided);
  }

  /** Asked for with every message that a broker checks, so it is remembered. */
  get revision(): number {
    if (this.#known !== null) return this.#known;
    const last = this.#last.get() as number;
    if (!this.#sql.inTransaction) this.#known = last;
    return last;
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
    /** What of it must not go into the log, where every reader sees it. */
    kept: object | null = null,
  ): void {
    this.#known = null;
    if (entity !== "masterData") this.#setUp = revision;
    const hidden = kept === null ? null : JSON.stringify(kept);
    this.#insert.run(revision, by.tenant, entity, id, by.id, atUs, JSON.stringify(after), hidden, this.#partOf);
  }

  /** The same for a change that goes over several turns. */
  async togetherInTime<T>(work: () => Promise<T>): Promise<T> {
    const before = this.revision;
    this.#partOf = before + 1;
    this.#decided = before;
    try {
      return await work();
    } finally {
      this.#partOf = null;
      this.#decided = null;
      this.#known = null;
    }
  }

  /** The last revision that stands, whatever is under way. */
  get decided(): number {
    return this.#decided ?? this.revision;
  }

  /** Everything that `work` changes counts as one change of the configuration. */
  together<T>(work: () => T): T {
    if (this.#partOf !== null) return work();
    this.#partOf = this.next();
    try {
      return work();
    } finally {
      this.#partOf = null;
    }
  }

  /** The last revision of what a configuration holds. */
  configurationRevision(tenant: number): number {
    const last = this.#sql
      .prepare(
        "SELECT revision FROM journal WHERE tenant = ? AND entity NOT IN ('key', 'masterData', 'sourceUnit', 'sourceType') ORDER BY revision DESC LIMIT 1",
      )
      .pluck();
    return (last.get(tenant) as number | undefined) ?? 0;
  }

  /** Changes of the configuration, newest first, from before `before`. */
  configurationRevisions(tenant: number, before: number, limit: number): ConfigurationRevision[] {
    return this.#sql
      .prepare(
        `SELECT max(revision) AS revision, max(changed_us) AS changedUs, actor, count(*) AS changes FROM journal
         WHERE tenant = ? AND revision < ? AND entity NOT IN ('key', 'masterData', 'sourceUnit', 'sourceType')
         GROUP BY coalesce(part_of, revision) ORDER BY max(revision) DESC LIMIT ?`,
      )
      .all(tenant, before, limit) as ConfigurationRevision[];
  }

  /** What each thing of a configuration was at a revision: its last row until then, in the order of their coming. */
  *itemsAt(tenant: number, revision: number): Iterable<{ entity: Entity; id: number | string; item: JournalItem }> {
    const rows = this.#sql
      .prepare(
        `SELECT entity, entity_id AS id, after, kept FROM journal
         WHERE tenant = ? AND revision <= ? AND entity NOT IN ('key', 'masterData', 'sourceUnit', 'sourceType') ORDER BY revision`,
      )
      .all(tenant, revision) as { entity: Entity; id: number | string; after: string; kept: string | null }[];
    for (const { entity, id, after, kept } of rows)
      yield { entity, id, item: { ...JSON.parse(after), ...(kept === null ? {} : JSON.parse(kept)) } as JournalItem };
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

  /** The last revision whose record stood in the log by `lsn`; 0: none. */
  revisionAt(lsn: Lsn): number {
    return this.#revisionAt.get(lsn) as number;
  }

  lsnOf(revision: number): Lsn | null {
    return (this.#lsnOf.get(revision) as number | null | undefined) ?? null;
  }
}
