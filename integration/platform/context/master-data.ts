import {
  type Booking,
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
import type { OwnedDatabase } from "../sqlite/open.ts";
import { allOrNothing, type Judged } from "./all-or-nothing.ts";
import { type Booked, book, type Shelf, takeBack } from "./book.ts";
import { type AssignedCalendar, assignedShifts } from "./calendar.ts";
import { placesOf } from "./master-data-places.ts";
import { MasterDataRows, recorded } from "./master-data-rows.ts";
import { masterDataRules, type Others, remembered, requirePlaces } from "./master-data-rules.ts";

type AnyItem = MasterDataItem<MasterDataKind>;

export interface MasterDataParts {
  db: OwnedDatabase;
  clock: Clock;
  journal: Journal;
  directory: Directory;
}

/** Master data on the registry's SQLite: who may see and change what, and what must be true of it. The rows are those of `master-data-rows.ts`. */
export class MasterDataStore implements MasterData {
  readonly #parts: MasterDataParts;
  readonly #kept: MasterDataRows;

  constructor(parts: MasterDataParts) {
    this.#parts = parts;
    this.#kept = new MasterDataRows(parts);
  }

  list<K extends MasterDataKind>(p: Principal, kind: K, q: MasterDataQuery): Page<Recorded<MasterDataItem<K>>> {
    demand(p, "read");
    const limit = pageSize(q.limit);
    const current = q.asOf === undefined ? this.#listCurrent(p, kind, q, limit) : null;
    if (current !== null) return current;
    const items: Recorded<MasterDataItem<K>>[] = [];
    let after = q.cursor ?? "";
    for (;;) {
      const rows = this.#kept.rows(p, kind, q, after, limit + 1);
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

  /** From memory; null where it is not there. */
  #listCurrent<K extends MasterDataKind>(
    p: Principal,
    kind: K,
    { equipmentId, fromUs, toUs, cursor }: MasterDataQuery,
    limit: number,
  ): Page<Recorded<MasterDataItem<K>>> | null {
    const all = this.#kept.current({ tenant: p.tenant, kind, equipmentId, fromUs });
    const begin = cursor === undefined ? 0 : (all ?? []).findIndex(({ recorded }) => recorded.id === cursor) + 1;
    if (all === null || (cursor !== undefined && begin === 0)) return null;
    const items: Recorded<MasterDataItem<K>>[] = [];
    for (let i = begin; i < all.length; i++) {
      const { recorded: item, places, fromUs: begins, toUs: ends } = all[i];
      if (fromUs !== undefined && ends !== null && ends <= fromUs) continue;
      if (toUs !== undefined && begins !== null && begins >= toUs) continue;
      if (!this.#sees(p, places)) continue;
      if (items.length === limit) return { items, cursor: items[limit - 1].id };
      items.push(item);
    }
    return { items, cursor: null };
  }

  get<K extends MasterDataKind>(p: Principal, kind: K, id: string, asOf?: Lsn): Recorded<MasterDataItem<K>> {
    const item = this.find(p, kind, id, asOf);
    if (item === null) throw notFound(kind, id);
    return item;
  }

  find<K extends MasterDataKind>(p: Principal, kind: K, id: string, asOf?: Lsn): Recorded<MasterDataItem<K>> | null {
    demand(p, "read");
    const current = asOf === undefined ? this.#kept.current({ tenant: p.tenant, kind, id }) : null;
    if (current !== null) return current.find(({ places }) => this.#sees(p, places))?.recorded ?? null;
    const item = this.#kept.find(p, kind, id, asOf);
    return item !== null && this.#visible(p, kind, item.item) ? item : null;
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
      const current = this.#kept.find(p, kind, id);
      if (current !== null && !this.#visible(p, kind, current.item)) throw notFound(kind, id);
      if (current === null && revision !== null) throw notFound(kind, id);
      if (current !== null) requireCurrent(kind, current, revision);
      masterDataRules[kind](item, id, this.#others(p, kind, id));
      this.#demandAll(p, kind, item);
      if (current !== null) this.#demandAll(p, kind, current.item);
      return this.#kept.write(p, kind, id, item, false);
    });
  }

  revisionOf(p: Principal, kind: MasterDataKind): number {
    demand(p, "read");
    return this.#kept.revisionOf(p.tenant, kind);
  }

  putAll<K extends MasterDataKind>(
    p: Principal,
    kind: K,
    entries: readonly { id: string; item: MasterDataItem<K> }[],
    options: { revision: number | null; dryRun: boolean },
  ): Judged {
    demand(p, bookedKinds.has(kind) ? "book" : "configure");
    return allOrNothing(this.#parts, entries, options.dryRun, (each, faults) => {
      this.#demandRevision(p, kind, options.revision);
      let revision: number | null = null;
      each(({ id, item }) => {
        requireName(id);
        const current = this.#kept.find(p, kind, id);
        if (current !== null && !this.#visible(p, kind, current.item)) throw notFound(kind, id);
        if (current !== null) this.#demandAll(p, kind, current.item);
        requirePlaces(kind, item, (place) => this.#parts.directory.seesEquipment(p, place));
        this.#demandAll(p, kind, item);
        revision = this.#kept.write(p, kind, id, item, false).revision;
      });
      // Items may name one another, so each is judged when all of them are there.
      const others = remembered((id) => this.#others(p, kind, id));
      if (faults.length === 0) each(({ id, item }) => masterDataRules[kind](item, id, others(id)));
      return revision;
    });
  }

  revisions(
    p: Principal,
    kind: MasterDataKind,
    id: string,
    q: { limit?: number; cursor?: string },
  ): Page<MasterDataRevision> {
    demand(p, "read");
    const limit = pageSize(q.limit);
    const before = Number(q.cursor ?? Number.MAX_SAFE_INTEGER);
    const rows = this.#kept.versions(p.tenant, kind, id, before, limit + 1);
    const items = rows.filter(({ item }) => this.#visible(p, kind, item as AnyItem));
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
    if (kind === "booking")
      throw new ProblemError("request_invalid", "A booking that was taken back is not restored: it is booked anew.");
    return this.#parts.db.write(() => {
      const [last] = this.revisions(p, kind, id, { limit: 1 }).items;
      requireCurrent(kind, { id, revision: last.revision }, revision);
      const item = this.#kept.version<K>(p.tenant, kind, id, to);
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
      const current = this.#kept.find(p, kind, id);
      if (current === null || !this.#visible(p, kind, current.item)) throw notFound(kind, id);
      requireCurrent(kind, current, revision);
      this.#demandAll(p, kind, current.item);
      this.#requireUnused(p, kind, id, current.item);
      return this.#kept.write(p, kind, id, current.item, true);
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

  bookAll(
    p: Principal,
    entries: readonly { id: string; item: Booking }[],
    options: { revision: number | null; dryRun: boolean },
  ): Judged {
    demand(p, "book");
    const { db, journal } = this.#parts;
    const byTime = [...entries.keys()].sort(
      (a, b) => entries[a].item.atUs - entries[b].item.atUs || (entries[a].id < entries[b].id ? -1 : 1),
    );
    return allOrNothing(this.#parts, entries, options.dryRun, (each) => {
      this.#demandRevision(p, "booking", options.revision);
      // What one that is refused has begun is taken back before the next is judged.
      each(({ id, item: { equipmentId, ...said } }) => {
        db.write(() => this.book(p, equipmentId, { id, ...said }));
      }, byTime);
      return entries.length === 0 ? null : journal.revision;
    });
  }

  #demandRevision(p: Principal, kind: MasterDataKind, revision: number | null): void {
    const found = this.revisionOf(p, kind);
    if (revision !== null && revision !== found)
      throw new ProblemError(
        "revision_conflict",
        `Something of the kind ${kind} was changed since: it is at revision ${found}, the import rests on ${revision}.`,
      );
  }

  takeBack(p: Principal, id: string, revision: number): Written<Recorded<MasterDataItem<"booking">>> {
    demand(p, "book");
    return this.#parts.db.write(() => {
      const current = this.#kept.find(p, "booking", id);
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
      find: (kind, id) => this.#kept.find(p, kind, id),
      wasRemoved: (kind, id) =>
        db.sql
          .prepare(
            "SELECT 1 FROM master_item WHERE tenant = ? AND kind = ? AND id = ? AND removed = 1 AND until IS NULL",
          )
          .get(p.tenant, kind, id) !== undefined,
      list: (kind, equipmentId, fromUs) =>
        this.#kept.rows(p, kind, { equipmentId, fromUs }, "", -1).map((row) => recorded<typeof kind>(row)),
      check: (kind, id, item) => masterDataRules[kind](item, id, this.#others(p, kind, id)),
      put: (kind, id, item) => this.#kept.write(p, kind, id, item, false, "bookings").item,
      remove: (kind, current) => void this.#kept.write(p, kind, current.id, current.item, true, "bookings"),
    };
  }

  shifts(p: Principal, equipmentId: number, fromUs: Micros, toUs: Micros, asOf?: Lsn): ShiftOccurrence[] {
    demand(p, "read");
    this.#demandSeen(p, equipmentId);
    // Whoever sees the equipment sees the shifts it works, wherever the calendar is assigned.
    const assigned = this.#assignedCalendars(p, asOf);
    for (const place of this.#kept.upwards(equipmentId)) {
      const calendars = assigned.get(place);
      if (calendars !== undefined) return assignedShifts(calendars, fromUs, toUs).shifts;
    }
    return [];
  }

  /** Calendars by the equipment that they are assigned to. */
  #assignedCalendars(p: Principal, asOf: Lsn | undefined): ReadonlyMap<number, readonly AssignedCalendar[]> {
    const read = () => {
      const calendars = new Map(this.#kept.all(p, "calendar", asOf).map(({ id, item }) => [id, item]));
      const places = new Map<number, AssignedCalendar[]>();
      for (const { item } of this.#kept.all(p, "calendarAssignment", asOf)) {
        const own = places.get(item.equipmentId) ?? [];
        places.set(item.equipmentId, own);
        const calendar = calendars.get(item.calendar);
        if (calendar !== undefined) own.push({ calendar, fromUs: item.fromUs, toUs: item.toUs });
      }
      return places;
    };
    if (asOf !== undefined) return read();
    return this.#kept.remembered(p.tenant, "assigned calendars", ["calendar", "calendarAssignment"], read);
  }

  /** What names equipment is seen with any of it; what names none belongs to the enterprise and is read by all. */
  #visible<K extends MasterDataKind>(p: Principal, kind: K, item: MasterDataItem<K>): boolean {
    return this.#sees(p, placesOf(kind, item));
  }

  #sees(p: Principal, places: readonly number[]): boolean {
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
      calendar: (name) => this.#kept.find(p, "calendar", name)?.item ?? null,
      assignments: (equipment) =>
        this.#kept
          .all(p, "calendarAssignment")
          .filter((each) => each.item.equipmentId === equipment && !(kind === "calendarAssignment" && each.id === id)),
      topologies: (equipment) =>
        this.#kept
          .all(p, "lineTopology")
          .filter((each) => each.item.equipmentId === equipment && !(kind === "lineTopology" && each.id === id)),
      reasons: () =>
        this.#kept.all(p, "reason").flatMap((each) => (kind === "reason" && each.id === id ? [] : [each.item])),
      lookUp: (name) => this.#kept.find(p, "lookUp", name)?.item ?? null,
      identifierRules: () =>
        this.#kept.all(p, "identifierRule").filter((each) => !(kind === "identifierRule" && each.id === id)),
    };
  }

  #requireUnused(p: Principal, kind: MasterDataKind, id: string, item: AnyItem): void {
    if (kind === "order") requireStill(id, item as MasterDataItem<"order">);
    const uses =
      kind === "calendar"
        ? this.#kept.all(p, "calendarAssignment").filter(({ item }) => item.calendar === id)
        : kind === "reason"
          ? this.#kept.all(p, "reason").filter(({ item }) => String(item.parent) === id)
          : kind === "lookUp"
            ? this.#kept.all(p, "identifierRule").filter(({ item }) => item.lookUp === id)
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
}

/** F39: what somebody at a machine has begun ends there; what an ERP said itself it may take back. */
function requireStill(id: string, { operations }: MasterDataItem<"order">): void {
  const running = operations.flatMap(({ executions }) =>
    executions.filter(({ toUs, startedBy }) => toUs === null && startedBy != null),
  );
  if (running.length > 0)
    throw new ProblemError(
      "still_in_use",
      `The order ${JSON.stringify(id)} runs on equipment ${running.map(({ equipmentId }) => equipmentId).join(", ")}; finish or interrupt it first.`,
    );
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
