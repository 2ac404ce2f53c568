import type { MasterDataItem, MasterDataKind, MasterDataRevision, Principal, Recorded } from "@lineshaft/contract/api";
import type { Clock, Lsn, MasterDataQuery, Written } from "@lineshaft/contract/ports";
import type { Journal } from "../registry/journal.ts";
import type { OwnedDatabase, Sql } from "../sqlite/open.ts";
import { withBookedParts } from "./booked-parts.ts";
import { type Asked, type CurrentItem, CurrentItems, type Head } from "./current-items.ts";
import { placesOf, validityOf } from "./master-data-places.ts";

interface Row {
  id: string;
  revision: number;
  changedUs: number;
  body: string;
}

interface VersionRow extends Pick<MasterDataRevision, "revision" | "changedUs" | "actor" | "lsn"> {
  removed: number;
  body: string;
}

/**
 * Versions of items as rows: one is in force from the revision that made it until the one that replaced it; `asOf` an LSN first becomes the last revision that
 * the log held by then. Asks nobody's rights.
 */
export class MasterDataRows {
  readonly #parts: { db: OwnedDatabase; clock: Clock; journal: Journal };
  readonly #statements = new Map<string, Statement>();
  /** By equipment, until anything is decided. */
  readonly #upwardsKnown = new Map<number, readonly number[]>();
  #upwardsOf = -1;
  readonly #memory = new Map<string, { kinds: readonly MasterDataKind[]; value: unknown }>();
  readonly #current = new CurrentItems({
    heads: (asked, limit) => this.#heads(asked, limit),
    read: (asked, head) => this.#body(asked, head),
  });

  constructor(parts: { db: OwnedDatabase; clock: Clock; journal: Journal }) {
    this.#parts = parts;
  }

  rows(p: Principal, kind: MasterDataKind, q: MasterDataQuery, after: string, limit: number): Row[] {
    // CROSS JOIN: what names the equipment comes first, however few a page asks for. INDEXED BY: the planner does not know how large the versions are that it would read to pass over.
    const now = q.asOf === undefined ? "INDEXED BY master_item_now" : "";
    const from =
      q.equipmentId === undefined
        ? "master_item AS item WHERE item.tenant = @tenant AND item.kind = @kind"
        : `master_place AS place CROSS JOIN master_item AS item ${now} WHERE place.tenant = @tenant AND place.kind = @kind AND place.equipment = @equipmentId
           AND place.to_us > @fromUs AND item.tenant = @tenant AND item.kind = @kind AND item.id = place.id AND item.revision = place.revision`;
    return this.#statement(
      `SELECT item.id, item.revision, changed_us AS changedUs, body FROM ${from}
       AND removed = 0 AND item.id > @after AND ${versionAt(q.asOf, "item.")}
       ${q.fromUs === undefined ? "" : "AND (item.to_us IS NULL OR item.to_us > @fromUs)"}
       ${q.toUs === undefined ? "" : "AND (from_us IS NULL OR from_us < @toUs)"}
       ORDER BY item.id LIMIT @limit`,
    ).all({
      tenant: p.tenant,
      kind,
      after,
      limit,
      asOf: this.#revisionAt(q.asOf),
      equipmentId: q.equipmentId,
      fromUs: q.fromUs ?? Number.MIN_SAFE_INTEGER,
      toUs: q.toUs,
    }) as Row[];
  }

  /** What is current, by id: at least what is asked for, from memory where it is there. null: too many are, so `rows` reads them. */
  current<K extends MasterDataKind>(asked: Asked & { kind: K }): readonly CurrentItem<K>[] | null {
    // What a transaction sees it may still take back.
    return this.#current.of(asked, !this.#parts.db.sql.inTransaction) as readonly CurrentItem<K>[] | null;
  }

  #heads({ tenant, kind, id, equipmentId, fromUs }: Asked, limit: number): Head[] {
    const heads = "item.id, item.revision, changed_us AS changedUs, from_us AS fromUs, item.to_us AS toUs";
    const current = "item.tenant = @tenant AND item.kind = @kind AND removed = 0 AND until IS NULL";
    const of =
      equipmentId === undefined
        ? `master_item AS item WHERE ${current} AND (item.to_us IS NULL OR item.to_us > @fromUs)
           ${id === undefined ? "" : "AND item.id = @id"}`
        : `master_place AS place CROSS JOIN master_item AS item INDEXED BY master_item_now
           WHERE place.tenant = @tenant AND place.kind = @kind AND place.equipment = @equipmentId AND place.to_us > @fromUs
           AND ${current} AND item.id = place.id AND item.revision = place.revision`;
    const statement = this.#statement(`SELECT ${heads} FROM ${of} ORDER BY item.id LIMIT @limit`);
    return statement.all({ tenant, kind, id, equipmentId, fromUs, limit }) as Head[];
  }

  #body({ tenant, kind }: Asked, { id, revision }: Head) {
    const row = this.#statement(
      "SELECT body, equipment FROM master_item WHERE tenant = ? AND kind = ? AND id = ? AND revision = ?",
    ).get(tenant, kind, id, revision) as { body: string; equipment: string };
    const item = JSON.parse(row.body) as MasterDataItem<MasterDataKind>;
    return { item, places: JSON.parse(row.equipment) as number[], bytes: row.body.length };
  }

  find<K extends MasterDataKind>(p: Principal, kind: K, id: string, asOf?: Lsn): Recorded<MasterDataItem<K>> | null {
    const row = this.#statement(
      `SELECT id, revision, changed_us AS changedUs, body FROM master_item
       WHERE tenant = @tenant AND kind = @kind AND id = @id AND removed = 0 AND ${versionAt(asOf)}`,
    ).get({ tenant: p.tenant, kind, id, asOf: this.#revisionAt(asOf) }) as Row | undefined;
    return row === undefined ? null : recorded<K>(row);
  }

  all<K extends MasterDataKind>(p: Principal, kind: K, asOf?: Lsn): Recorded<MasterDataItem<K>>[] {
    return this.rows(p, kind, { asOf }, "", -1).map((row) => recorded<K>(row));
  }

  /** What `read` makes of all that a tenant has of some kinds, remembered until one of them changes. Whoever is given it must not change it. */
  remembered<T>(tenant: number, name: string, kinds: readonly MasterDataKind[], read: () => T): T {
    // What a transaction sees it may still take back.
    if (this.#parts.db.sql.inTransaction) return read();
    const key = `${tenant} ${name}`;
    const known = this.#memory.get(key);
    if (known !== undefined) return known.value as T;
    const value = read();
    this.#memory.set(key, { kinds, value });
    return value;
  }

  /** Asked for with every number that is computed. */
  #statement(text: string): Statement {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = prepare(this.#parts.db.sql, text);
    this.#statements.set(text, statement);
    return statement;
  }

  #revisionAt(asOf: Lsn | undefined): number | null {
    return asOf === undefined ? null : this.#parts.journal.revisionAt(asOf);
  }

  write<K extends MasterDataKind>(
    p: Principal,
    kind: K,
    id: string,
    given: MasterDataItem<K>,
    removed: boolean,
    by: "people" | "bookings" = "people",
  ): Written<Recorded<MasterDataItem<K>>> {
    const { clock, journal } = this.#parts;
    for (const [key, { kinds }] of this.#memory) if (kinds.includes(kind)) this.#memory.delete(key);
    this.#current.forget(kind);
    const item = by === "people" && !removed ? this.#withBookedParts(p, kind, id, given) : given;
    const revision = journal.next();
    const changedUs = clock.nowUs();
    const places = placesOf(kind, item);
    const { fromUs, toUs } = validityOf(kind, item);
    const pathOf = this.#statement("SELECT path FROM equipment WHERE id = ?").pluck();
    this.#statement("UPDATE master_item SET until = ? WHERE tenant = ? AND kind = ? AND id = ? AND until IS NULL").run(
      revision,
      p.tenant,
      kind,
      id,
    );
    this.#statement(
      `INSERT INTO master_item (tenant, kind, id, revision, until, removed, equipment, from_us, to_us, changed_us, body)
       VALUES (?, ?, ?, ?, NULL, ?, ?, ?, ?, ?, ?)`,
    ).run(
      p.tenant,
      kind,
      id,
      revision,
      removed ? 1 : 0,
      JSON.stringify(places),
      fromUs,
      toUs,
      changedUs,
      JSON.stringify(item),
    );
    const placed = this.#statement("INSERT INTO master_place VALUES (?, ?, ?, ?, ?, ?)");
    for (const place of places) placed.run(p.tenant, kind, place, toUs ?? Number.MAX_SAFE_INTEGER, id, revision);
    // Paths as they are now: by them the stream decides who may see the change.
    const paths = places.map((place) => pathOf.get(place) as string);
    const after = { kind, id, revision, paths, item, ...(removed ? { removed } : {}) };
    journal.add(p, "masterData", `${kind}/${id}`, after, changedUs, revision);
    return { item: { id, revision, changedUs, item }, revision };
  }

  #withBookedParts<K extends MasterDataKind>(p: Principal, kind: K, id: string, put: MasterDataItem<K>) {
    const before = kind === "order" ? this.find(p, "order", id) : null;
    if (before === null) return put;
    return withBookedParts(before.item, put as MasterDataItem<"order">) as MasterDataItem<K>;
  }

  /** An equipment and what it stands below, nearest first. */
  upwards(equipmentId: number): readonly number[] {
    const { db, journal } = this.#parts;
    if (db.sql.inTransaction) return this.#upwards(equipmentId);
    if (journal.revision !== this.#upwardsOf) this.#upwardsKnown.clear();
    this.#upwardsOf = journal.revision;
    const known = this.#upwardsKnown.get(equipmentId) ?? this.#upwards(equipmentId);
    this.#upwardsKnown.set(equipmentId, known);
    return known;
  }

  #upwards(equipmentId: number): number[] {
    return this.#statement(
      `WITH RECURSIVE up (id, parent, depth) AS (
         SELECT id, parent_id, 0 FROM equipment WHERE id = ?
         UNION ALL SELECT equipment.id, parent_id, depth + 1 FROM equipment JOIN up ON equipment.id = up.parent
       ) SELECT id FROM up ORDER BY depth`,
    )
      .pluck()
      .all(equipmentId) as number[];
  }

  /** The last revision of a kind; 0: none. */
  revisionOf(tenant: number, kind: MasterDataKind): number {
    return this.#statement("SELECT coalesce(max(revision), 0) FROM master_item WHERE tenant = ? AND kind = ?")
      .pluck()
      .get(tenant, kind) as number;
  }

  /** All versions of an item from before a revision, newest first. */
  versions(tenant: number, kind: MasterDataKind, id: string, before: number, limit: number): MasterDataRevision[] {
    const rows = this.#statement(
      `SELECT m.revision, m.changed_us AS changedUs, m.removed, m.body, j.actor, j.lsn
       FROM master_item m JOIN journal j ON j.revision = m.revision
       WHERE m.tenant = ? AND m.kind = ? AND m.id = ? AND m.revision < ? ORDER BY m.revision DESC LIMIT ?`,
    ).all(tenant, kind, id, before, limit) as VersionRow[];
    return rows.map(({ body, removed, ...row }) => ({ ...row, removed: removed === 1, item: JSON.parse(body) }));
  }

  /** What an item was made by a revision; null: it made none. */
  version<K extends MasterDataKind>(tenant: number, kind: K, id: string, revision: number): MasterDataItem<K> | null {
    const body = this.#statement(
      "SELECT body FROM master_item WHERE tenant = ? AND kind = ? AND id = ? AND revision = ? AND removed = 0",
    )
      .pluck()
      .get(tenant, kind, id, revision) as string | undefined;
    return body === undefined ? null : (JSON.parse(body) as MasterDataItem<K>);
  }
}

const versionAt = (asOf: Lsn | undefined, item = ""): string =>
  asOf === undefined ? "until IS NULL" : `${item}revision <= @asOf AND (until IS NULL OR until > @asOf)`;

const prepare = (sql: Sql, text: string) => sql.prepare<unknown[]>(text);
type Statement = ReturnType<typeof prepare>;

export function recorded<K extends MasterDataKind>({
  id,
  revision,
  changedUs,
  body,
}: Row): Recorded<MasterDataItem<K>> {
  return { id, revision, changedUs, item: JSON.parse(body) as MasterDataItem<K> };
}
