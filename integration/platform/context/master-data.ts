import {
  bookedKinds,
  type EquipmentLevel,
  inScope,
  type MasterDataItem,
  type MasterDataKind,
  type MasterDataRevision,
  type Micros,
  type NewBooking,
  nameFault,
  type Principal,
  ProblemError,
  type Recorded,
  type ShiftOccurrence,
} from "@lineshaft/contract/api";
import type { Clock, Lsn, MasterData, MasterDataQuery, Page, Written } from "@lineshaft/contract/ports";
import { demand, notFound } from "../registry/access.ts";
import type { Directory } from "../registry/directory.ts";
import type { Journal } from "../registry/journal.ts";
import { pageSize } from "../sqlite/cursor.ts";
import type { OwnedDatabase, Sql } from "../sqlite/open.ts";
import { type Booked, book, type Shelf, takeBack } from "./book.ts";
import { withBookedParts } from "./booked-parts.ts";
import { type AssignedCalendar, assignedShifts } from "./calendar.ts";
import { placesOf, validityOf } from "./master-data-places.ts";
import { masterDataRules, type Others, remembered, requirePlaces } from "./master-data-rules.ts";

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
type AnyItem = MasterDataItem<MasterDataKind>;

/** Thrown to take a transaction back that has said what it would do. */
const undone = new Error("Taken back on purpose.");

export interface MasterDataParts {
  db: OwnedDatabase;
  clock: Clock;
  journal: Journal;
  directory: Directory;
}

/**
 * Master data on the registry's SQLite. A row is one version of an item, from the revision that made it until the one that replaced it; `asOf` an LSN first
 * becomes the last revision that the log held by then.
 */
export class MasterDataStore implements MasterData {
  readonly #parts: MasterDataParts;
  readonly #statements = new Map<string, Statement>();

  constructor(parts: MasterDataParts) {
    this.#parts = parts;
  }

  list<K extends MasterDataKind>(p: Principal, kind: K, q: MasterDataQuery): Page<Recorded<MasterDataItem<K>>> {
    demand(p, "read");
    const limit = pageSize(q.limit);
    const items: Recorded<MasterDataItem<K>>[] = [];
    let after = q.cursor ?? "";
    for (;;) {
      const rows = this.#rows(p, kind, q, after, limit + 1);
      for (const row of rows) {
        const item = recorded<K>(row);
        if (!this.#visible(p, kind, item.item)) continue;
        if (items.length === limit) return { items, cursor: items[limit - 1].id };
        items.push(item);
      }
      if (rows.length <= limit) return { items, cursor: null };
      after = rows[rows.length - 1].id;
    }
  }

  get<K extends MasterDataKind>(p: Principal, kind: K, id: string, asOf?: Lsn): Recorded<MasterDataItem<K>> {
    demand(p, "read");
    const item = this.#find(p, kind, id, asOf);
    if (item === null || !this.#visible(p, kind, item.item)) throw notFound(kind, id);
    return item;
  }

  put<K extends MasterDataKind>(
    p: Principal,
    kind: K,
    id: string,
    item: MasterDataItem<K>,
    revision: number | null,
  ): Written<Recorded<MasterDataItem<K>>> {
    demand(p, bookedKinds.has(kind) ? "book" : "configure");
    requireName(id);
    return this.#parts.db.write(() => {
      const current = this.#find(p, kind, id);
      if (current !== null && !this.#visible(p, kind, current.item)) throw notFound(kind, id);
      if (current === null && revision !== null) throw notFound(kind, id);
      if (current !== null) requireCurrent(kind, current, revision);
      masterDataRules[kind](item, id, this.#others(p, kind, id));
      this.#demandAll(p, kind, item);
      if (current !== null) this.#demandAll(p, kind, current.item);
      return this.#write(p, kind, id, item, false);
    });
  }

  revisionOf(p: Principal, kind: MasterDataKind): number {
    demand(p, "read");
    const last = this.#parts.db.sql
      .prepare("SELECT coalesce(max(revision), 0) FROM master_item WHERE tenant = ? AND kind = ?")
      .pluck();
    return last.get(p.tenant, kind) as number;
  }

  putAll<K extends MasterDataKind>(
    p: Principal,
    kind: K,
    entries: readonly { id: string; item: MasterDataItem<K> }[],
    options: { revision: number | null; dryRun: boolean },
  ): { faults: { index: number; problem: ProblemError }[]; revision: number | null } {
    demand(p, bookedKinds.has(kind) ? "book" : "configure");
    const faults: { index: number; problem: ProblemError }[] = [];
    let revision: number | null = null;
    const eachOf = (work: (entry: { id: string; item: MasterDataItem<K> }) => void): void => {
      for (const [index, entry] of entries.entries())
        try {
          work(entry);
        } catch (error) {
          if (!(error instanceof ProblemError)) throw error;
          faults.push({ index, problem: error });
        }
    };
    try {
      this.#parts.db.write(() =>
        this.#parts.journal.together(() => {
          const found = this.revisionOf(p, kind);
          if (options.revision !== null && options.revision !== found)
            throw new ProblemError(
              "revision_conflict",
              `Something of the kind ${kind} was changed since: it is at revision ${found}, the import rests on ${options.revision}.`,
            );
          eachOf(({ id, item }) => {
            requireName(id);
            const current = this.#find(p, kind, id);
            if (current !== null && !this.#visible(p, kind, current.item)) throw notFound(kind, id);
            if (current !== null) this.#demandAll(p, kind, current.item);
            requirePlaces(kind, item, (place) => this.#parts.directory.seesEquipment(p, place));
            this.#demandAll(p, kind, item);
            revision = this.#write(p, kind, id, item, false).revision;
          });
          // Items may name one another, so each is judged when all of them are there.
          const others = remembered((id) => this.#others(p, kind, id));
          if (faults.length === 0) eachOf(({ id, item }) => masterDataRules[kind](item, id, others(id)));
          if (faults.length > 0 || options.dryRun) throw undone;
        }),
      );
    } catch (error) {
      if (error !== undone) throw error;
      return { faults, revision: null };
    }
    return { faults, revision };
  }

  revisions(
    p: Principal,
    kind: MasterDataKind,
    id: string,
    q: { limit?: number; cursor?: string },
  ): Page<MasterDataRevision> {
    demand(p, "read");
    const limit = pageSize(q.limit);
    const rows = this.#parts.db.sql
      .prepare(
        `SELECT m.revision, m.changed_us AS changedUs, m.removed, m.body, j.actor, j.lsn
         FROM master_item m JOIN journal j ON j.revision = m.revision
         WHERE m.tenant = ? AND m.kind = ? AND m.id = ? AND m.revision < ? ORDER BY m.revision DESC LIMIT ?`,
      )
      .all(p.tenant, kind, id, Number(q.cursor ?? Number.MAX_SAFE_INTEGER), limit + 1) as VersionRow[];
    const items = rows
      .map(({ body, removed, ...row }) => ({ ...row, removed: removed === 1, item: JSON.parse(body) as AnyItem }))
      .filter(({ item }) => this.#visible(p, kind, item));
    if (items.length === 0 && q.cursor === undefined) throw notFound(kind, id);
    return { items: items.slice(0, limit), cursor: rows.length > limit ? String(rows[limit - 1].revision) : null };
  }

  restore<K extends MasterDataKind>(
    p: Principal,
    kind: K,
    id: string,
    to: number,
    revision: number,
  ): Written<Recorded<MasterDataItem<K>>> {
    demand(p, bookedKinds.has(kind) ? "book" : "configure");
    return this.#parts.db.write(() => {
      const [last] = this.revisions(p, kind, id, { limit: 1 }).items;
      requireCurrent(kind, { id, revision: last.revision }, revision);
      const version = this.#parts.db.sql
        .prepare(
          "SELECT body FROM master_item WHERE tenant = ? AND kind = ? AND id = ? AND revision = ? AND removed = 0",
        )
        .pluck()
        .get(p.tenant, kind, id, to) as string | undefined;
      const item = version === undefined ? null : (JSON.parse(version) as MasterDataItem<K>);
      if (item === null || !this.#visible(p, kind, item))
        throw new ProblemError("not_found", `The ${kind} ${JSON.stringify(id)} was nothing at revision ${to}.`);
      return this.put(p, kind, id, item, last.removed ? null : revision);
    });
  }

  remove<K extends MasterDataKind>(
    p: Principal,
    kind: K,
    id: string,
    revision: number,
  ): Written<Recorded<MasterDataItem<K>>> {
    demand(p, bookedKinds.has(kind) ? "book" : "configure");
    return this.#parts.db.write(() => {
      const current = this.#find(p, kind, id);
      if (current === null || !this.#visible(p, kind, current.item)) throw notFound(kind, id);
      requireCurrent(kind, current, revision);
      this.#demandAll(p, kind, current.item);
      this.#requireUnused(p, kind, id);
      return this.#write(p, kind, id, current.item, true);
    });
  }

  book(p: Principal, equipmentId: number, booking: NewBooking): Booked & { revision: number } {
    demand(p, "book");
    this.#demandSeen(p, equipmentId);
    const fault = nameFault(booking.id);
    if (fault !== null) throw new ProblemError("name_invalid", `The id cannot be used. ${fault}`);
    return this.#parts.db.write(() => {
      const booked = book(this.#shelf(p), equipmentId, booking);
      return { ...booked, revision: this.#parts.journal.revision };
    });
  }

  takeBack(p: Principal, id: string, revision: number): Written<Recorded<MasterDataItem<"booking">>> {
    demand(p, "book");
    return this.#parts.db.write(() => {
      const current = this.#find(p, "booking", id);
      if (current === null || !this.#visible(p, "booking", current.item)) throw notFound("booking", id);
      requireCurrent("booking", current, revision);
      takeBack(this.#shelf(p), current);
      return { item: current, revision: this.#parts.journal.revision };
    });
  }

  #demandSeen(p: Principal, equipmentId: number): void {
    if (!this.#parts.directory.seesEquipment(p, equipmentId)) throw notFound("equipment", equipmentId);
  }

  #shelf(p: Principal): Shelf {
    const { db, clock } = this.#parts;
    return {
      nowUs: clock.nowUs(),
      level: (equipmentId) =>
        db.sql.prepare("SELECT level FROM equipment WHERE id = ?").pluck().get(equipmentId) as EquipmentLevel,
      find: (kind, id) => this.#find(p, kind, id),
      wasRemoved: (kind, id) =>
        db.sql
          .prepare(
            "SELECT 1 FROM master_item WHERE tenant = ? AND kind = ? AND id = ? AND removed = 1 AND until IS NULL",
          )
          .get(p.tenant, kind, id) !== undefined,
      list: (kind, equipmentId, fromUs) =>
        this.#rows(p, kind, { equipmentId, fromUs }, "", -1).map((row) => recorded<typeof kind>(row)),
      check: (kind, id, item) => masterDataRules[kind](item, id, this.#others(p, kind, id)),
      put: (kind, id, item) => this.#write(p, kind, id, item, false, "bookings").item,
      remove: (kind, current) => void this.#write(p, kind, current.id, current.item, true, "bookings"),
    };
  }

  #withBookedParts<K extends MasterDataKind>(p: Principal, kind: K, id: string, put: MasterDataItem<K>) {
    const before = kind === "order" ? this.#find(p, "order", id) : null;
    if (before === null) return put;
    return withBookedParts(before.item, put as MasterDataItem<"order">) as MasterDataItem<K>;
  }

  shifts(p: Principal, equipmentId: number, fromUs: Micros, toUs: Micros, asOf?: Lsn): ShiftOccurrence[] {
    demand(p, "read");
    this.#demandSeen(p, equipmentId);
    // Whoever sees the equipment sees the shifts it works, wherever the calendar is assigned.
    const assignments = this.#all(p, "calendarAssignment", asOf);
    for (const place of this.#upwards(equipmentId)) {
      const own = assignments.filter(({ item }) => item.equipmentId === place);
      if (own.length === 0) continue;
      const calendars = own.flatMap(({ item }): AssignedCalendar[] => {
        const calendar = this.#find(p, "calendar", item.calendar, asOf);
        return calendar === null ? [] : [{ calendar: calendar.item, fromUs: item.fromUs, toUs: item.toUs }];
      });
      return assignedShifts(calendars, fromUs, toUs).shifts;
    }
    return [];
  }

  #rows(p: Principal, kind: MasterDataKind, q: MasterDataQuery, after: string, limit: number): Row[] {
    // CROSS JOIN: what names the equipment comes first, however few a page asks for.
    const from =
      q.equipmentId === undefined
        ? "master_item AS item WHERE item.tenant = @tenant AND item.kind = @kind"
        : `master_place AS place CROSS JOIN master_item AS item WHERE place.tenant = @tenant AND place.kind = @kind AND place.equipment = @equipmentId
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

  #find<K extends MasterDataKind>(p: Principal, kind: K, id: string, asOf?: Lsn): Recorded<MasterDataItem<K>> | null {
    const row = this.#statement(
      `SELECT id, revision, changed_us AS changedUs, body FROM master_item
       WHERE tenant = @tenant AND kind = @kind AND id = @id AND removed = 0 AND ${versionAt(asOf)}`,
    ).get({ tenant: p.tenant, kind, id, asOf: this.#revisionAt(asOf) }) as Row | undefined;
    return row === undefined ? null : recorded<K>(row);
  }

  #all<K extends MasterDataKind>(p: Principal, kind: K, asOf?: Lsn): Recorded<MasterDataItem<K>>[] {
    return this.#rows(p, kind, { asOf }, "", -1).map((row) => recorded<K>(row));
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

  #write<K extends MasterDataKind>(
    p: Principal,
    kind: K,
    id: string,
    given: MasterDataItem<K>,
    removed: boolean,
    by: "people" | "bookings" = "people",
  ): Written<Recorded<MasterDataItem<K>>> {
    const { db, clock, journal } = this.#parts;
    const item = by === "people" && !removed ? this.#withBookedParts(p, kind, id, given) : given;
    const revision = journal.next();
    const changedUs = clock.nowUs();
    const places = placesOf(kind, item);
    const { fromUs, toUs } = validityOf(kind, item);
    const pathOf = db.sql.prepare("SELECT path FROM equipment WHERE id = ?").pluck();
    db.sql
      .prepare("UPDATE master_item SET until = ? WHERE tenant = ? AND kind = ? AND id = ? AND until IS NULL")
      .run(revision, p.tenant, kind, id);
    db.sql
      .prepare(
        `INSERT INTO master_item (tenant, kind, id, revision, until, removed, equipment, from_us, to_us, changed_us, body)
         VALUES (?, ?, ?, ?, NULL, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
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

  /** What names equipment is seen with any of it; what names none belongs to the enterprise and is read by all. */
  #visible<K extends MasterDataKind>(p: Principal, kind: K, item: MasterDataItem<K>): boolean {
    const places = placesOf(kind, item);
    return places.length === 0 || places.some((place) => this.#parts.directory.seesEquipment(p, place));
  }

  /** To change an item, all of its equipment must be in scope; for what names none, the whole enterprise. */
  #demandAll<K extends MasterDataKind>(p: Principal, kind: K, item: MasterDataItem<K>): void {
    const places = placesOf(kind, item);
    if (places.length === 0 ? !inScope(p, "") : places.some((place) => !this.#parts.directory.seesEquipment(p, place)))
      throw new ProblemError("forbidden", `The ${kind} reaches beyond your scope.`);
  }

  #others(p: Principal, kind: MasterDataKind, id: string): Others {
    return {
      equipmentVisible: (equipment) => this.#parts.directory.seesEquipment(p, equipment),
      calendar: (name) => this.#find(p, "calendar", name)?.item ?? null,
      assignments: (equipment) =>
        this.#all(p, "calendarAssignment").filter(
          (each) => each.item.equipmentId === equipment && !(kind === "calendarAssignment" && each.id === id),
        ),
      topologies: (equipment) =>
        this.#all(p, "lineTopology").filter(
          (each) => each.item.equipmentId === equipment && !(kind === "lineTopology" && each.id === id),
        ),
      reasons: () => this.#all(p, "reason").flatMap((each) => (kind === "reason" && each.id === id ? [] : [each.item])),
    };
  }

  #requireUnused(p: Principal, kind: MasterDataKind, id: string): void {
    const uses =
      kind === "calendar"
        ? this.#all(p, "calendarAssignment").filter(({ item }) => item.calendar === id)
        : kind === "reason"
          ? this.#all(p, "reason").filter(({ item }) => String(item.parent) === id)
          : [];
    if (uses.length > 0)
      throw new ProblemError(
        "still_in_use",
        `The ${kind} ${id} is still named by ${uses
          .slice(0, 3)
          .map((use) => use.id)
          .join(", ")}.`,
      );
  }

  /** An equipment and what it stands below, nearest first. */
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
}

const versionAt = (asOf: Lsn | undefined, item = ""): string =>
  asOf === undefined ? "until IS NULL" : `${item}revision <= @asOf AND (until IS NULL OR until > @asOf)`;

const prepare = (sql: Sql, text: string) => sql.prepare<unknown[]>(text);
type Statement = ReturnType<typeof prepare>;

function recorded<K extends MasterDataKind>({ id, revision, changedUs, body }: Row): Recorded<MasterDataItem<K>> {
  return { id, revision, changedUs, item: JSON.parse(body) as MasterDataItem<K> };
}

function requireCurrent(kind: string, current: { id: string; revision: number }, revision: number | null): void {
  if (revision === null)
    throw new ProblemError(
      "precondition_required",
      `The ${kind} ${JSON.stringify(current.id)} exists; name the revision that you change.`,
    );
  if (revision !== current.revision)
    throw new ProblemError(
      "revision_conflict",
      `The ${kind} ${JSON.stringify(current.id)} is at revision ${current.revision}; the change was based on ${revision}.`,
    );
}

function requireName(id: string): void {
  const fault = nameFault(id);
  if (fault !== null) throw new ProblemError("name_invalid", `The id ${JSON.stringify(id)} cannot be used. ${fault}`);
}
