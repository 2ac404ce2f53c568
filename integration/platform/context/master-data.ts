import {
  bookedKinds,
  inScope,
  type MasterDataItem,
  type MasterDataKind,
  type Micros,
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
import type { OwnedDatabase } from "../sqlite/open.ts";
import { type AssignedCalendar, assignedShifts } from "./calendar.ts";
import { masterDataRules, type Others } from "./master-data-rules.ts";

interface Row {
  id: string;
  revision: number;
  changedUs: number;
  body: string;
}

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
    const fault = nameFault(id);
    if (fault !== null) throw new ProblemError("name_invalid", `The id ${JSON.stringify(id)} cannot be used. ${fault}`);
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

  shifts(p: Principal, equipmentId: number, fromUs: Micros, toUs: Micros, asOf?: Lsn): ShiftOccurrence[] {
    demand(p, "read");
    if (!this.#parts.directory.seesEquipment(p, equipmentId)) throw notFound("equipment", equipmentId);
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
    return this.#parts.db.sql
      .prepare(
        `SELECT id, revision, changed_us AS changedUs, body FROM master_item
         WHERE tenant = @tenant AND kind = @kind AND removed = 0 AND id > @after AND ${this.#versionAt(q.asOf)}
         ${q.equipmentId === undefined ? "" : "AND EXISTS (SELECT 1 FROM json_each(equipment) WHERE value = @equipmentId)"}
         AND (@fromUs IS NULL OR to_us IS NULL OR to_us > @fromUs) AND (@toUs IS NULL OR from_us IS NULL OR from_us < @toUs)
         ORDER BY id LIMIT @limit`,
      )
      .all({
        tenant: p.tenant,
        kind,
        after,
        limit,
        asOf: this.#revisionAt(q.asOf),
        equipmentId: q.equipmentId,
        fromUs: q.fromUs ?? null,
        toUs: q.toUs ?? null,
      }) as Row[];
  }

  #find<K extends MasterDataKind>(p: Principal, kind: K, id: string, asOf?: Lsn): Recorded<MasterDataItem<K>> | null {
    const row = this.#parts.db.sql
      .prepare(
        `SELECT id, revision, changed_us AS changedUs, body FROM master_item
         WHERE tenant = @tenant AND kind = @kind AND id = @id AND removed = 0 AND ${this.#versionAt(asOf)}`,
      )
      .get({ tenant: p.tenant, kind, id, asOf: this.#revisionAt(asOf) }) as Row | undefined;
    return row === undefined ? null : recorded<K>(row);
  }

  #all<K extends MasterDataKind>(p: Principal, kind: K, asOf?: Lsn): Recorded<MasterDataItem<K>>[] {
    return this.#rows(p, kind, { asOf }, "", -1).map((row) => recorded<K>(row));
  }

  #versionAt(asOf: Lsn | undefined): string {
    return asOf === undefined ? "until IS NULL" : "revision <= @asOf AND (until IS NULL OR until > @asOf)";
  }

  #revisionAt(asOf: Lsn | undefined): number | null {
    return asOf === undefined ? null : this.#parts.journal.revisionAt(asOf);
  }

  #write<K extends MasterDataKind>(
    p: Principal,
    kind: K,
    id: string,
    item: MasterDataItem<K>,
    removed: boolean,
  ): Written<Recorded<MasterDataItem<K>>> {
    const { db, clock, journal } = this.#parts;
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
    return this.#parts.db.sql
      .prepare(
        `WITH RECURSIVE up (id, parent, depth) AS (
           SELECT id, parent_id, 0 FROM equipment WHERE id = ?
           UNION ALL SELECT equipment.id, parent_id, depth + 1 FROM equipment JOIN up ON equipment.id = up.parent
         ) SELECT id FROM up ORDER BY depth`,
      )
      .pluck()
      .all(equipmentId) as number[];
  }
}

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

type AnyItem = MasterDataItem<MasterDataKind>;

/** The equipment that an item names, each once. */
function placesOf(kind: MasterDataKind, item: AnyItem): number[] {
  const parts = partsOf(kind, item).flatMap((part) => (part.equipmentId === undefined ? [] : [part.equipmentId]));
  return [...new Set(parts)];
}

/** The range in which an item holds somewhere; null: without bound, or it is of no time. */
function validityOf(kind: MasterDataKind, item: AnyItem): { fromUs: Micros | null; toUs: Micros | null } {
  const parts = partsOf(kind, item);
  const [starts, ends] = [parts.map(({ fromUs }) => fromUs), parts.map(({ toUs }) => toUs)];
  const bounded = (times: (Micros | null | undefined)[]): times is Micros[] =>
    times.length > 0 && times.every((time) => typeof time === "number");
  return {
    fromUs: bounded(starts) ? Math.min(...starts) : null,
    toUs: bounded(ends) ? Math.max(...ends) : null,
  };
}

/** Those parts of an item that hold somewhere at some time. */
function partsOf(
  kind: MasterDataKind,
  item: AnyItem,
): { equipmentId?: number; fromUs?: Micros; toUs?: Micros | null }[] {
  switch (kind) {
    case "order":
      return (item as MasterDataItem<"order">).operations.flatMap(({ executions }) => executions);
    case "physicalAsset":
      return (item as MasterDataItem<"physicalAsset">).mounts;
    default:
      return [item as { equipmentId?: number; fromUs?: Micros; toUs?: Micros | null }];
  }
}
