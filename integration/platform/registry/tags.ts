import {
  nameFault,
  type Principal,
  ProblemError,
  type RawTag,
  type TagChange,
  type ValueType,
} from "@lineshaft/contract/api";
import type { Clock, Lsn, Page, Registration, Written } from "@lineshaft/contract/ports";
import { type Cursors, pageSize } from "../sqlite/cursor.ts";
import type { OwnedDatabase } from "../sqlite/open.ts";
import { conflict, demand, notFound } from "./access.ts";
import type { Connections } from "./connections.ts";
import { type Declaration, DeclaredTags } from "./declared.ts";
import type { Directory } from "./directory.ts";
import type { Journal } from "./journal.ts";
import { Registrations } from "./registrations.ts";
import { unitFault } from "./ucum.ts";

/** Units or types in one record of the log. */
const toldPerRecord = 1000;

/** A search reads at most this many tags a page (some 20 ms); then it hands out a cursor, even with an empty page. */
const searchWindow = 200_000;

const select = `SELECT t.id, t.connection_id AS connectionId, c.name AS connection, t.address, t.name,
  t.equipment_id AS equipmentId, coalesce(t.unit, t.source_unit) AS unit, t.source_unit AS sourceUnit, t.revision, t.registered_us AS registeredUs
  FROM tag t JOIN connection c ON c.id = t.connection_id`;

const nothingSaid = { unit: null, class: null, options: null, behaviour: null };

export interface TagParts {
  db: OwnedDatabase;
  clock: Clock;
  journal: Journal;
  directory: Directory;
  cursors: Cursors;
  connections: Connections;
  advanceEveryMs: number;
}

/** Raw tags: what sources named, and what people said about it. */
export class Tags {
  readonly #parts: TagParts;
  readonly #byId;
  readonly #update;
  readonly #keep;
  readonly #tellUnit;
  readonly #tellType;
  readonly #typeOf;
  readonly declared: DeclaredTags;
  readonly #registrations: Registrations;

  constructor(parts: TagParts) {
    this.#parts = parts;
    const { sql } = parts.db;
    this.#byId = sql.prepare(`${select} WHERE t.id = ?`);
    this.#update = sql.prepare(
      "UPDATE tag SET name = ?, equipment_id = ?, unit = ?, folded = ?, revision = ? WHERE id = ?",
    );
    this.#keep = sql.prepare("INSERT OR REPLACE INTO tag_history VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#tellUnit = sql.prepare("UPDATE tag SET source_unit = ? WHERE id = ?");
    this.#tellType = sql.prepare("UPDATE tag SET source_type = ? WHERE id = ?");
    this.#typeOf = sql.prepare("SELECT source_type FROM tag WHERE id = ?").pluck();
    this.declared = new DeclaredTags(sql);
    this.#registrations = new Registrations({ ...parts, declared: this.declared, folded });
    for (const tag of this.#rows()) parts.directory.setTag(tag.id, tag.connectionId, tag.equipmentId);
  }

  get appliedLsn(): Lsn {
    return this.#registrations.appliedLsn;
  }

  apply(records: readonly Registration[], forMs: number): boolean {
    return this.#registrations.apply(records, forMs);
  }

  advance(lsn: Lsn): void {
    this.#registrations.advance(lsn);
  }

  *all(): Iterable<{ id: number; connectionId: number; address: string; equipmentId: number | null }> {
    // Pages, because an open iterator would lock the database against every other use.
    const next = this.#parts.db.sql.prepare(
      "SELECT id, connection_id AS connectionId, address, equipment_id AS equipmentId FROM tag WHERE id > ? ORDER BY id LIMIT 10000",
    );
    let after = 0;
    for (;;) {
      const rows = next.all(after) as {
        id: number;
        connectionId: number;
        address: string;
        equipmentId: number | null;
      }[];
      if (rows.length === 0) return;
      yield* rows;
      after = rows[rows.length - 1].id;
    }
  }

  #rows(): Iterable<{ id: number; connectionId: number; equipmentId: number | null }> {
    return this.#parts.db.sql
      .prepare("SELECT id, connection_id AS connectionId, equipment_id AS equipmentId FROM tag ORDER BY id DESC")
      .iterate() as Iterable<{ id: number; connectionId: number; equipmentId: number | null }>;
  }

  get(p: Principal, id: number): RawTag {
    demand(p, "read");
    return this.#visible(p, id);
  }

  /** By id. The page may be short or empty though a cursor says there is more: see `searchWindow`. */
  list(
    p: Principal,
    q: { connection?: string; equipmentId?: number; search?: string; limit?: number; cursor?: string },
  ): Page<RawTag> {
    demand(p, "read");
    const { directory, connections, cursors } = this.#parts;
    const limit = pageSize(q.limit);
    const query = { list: "tags", connection: q.connection, equipmentId: q.equipmentId, search: q.search };
    const connectionId = q.connection === undefined ? null : connections.idOf(p.tenant, q.connection);
    if (q.connection !== undefined && !this.#knowsConnection(p, connectionId))
      throw notFound("connection", q.connection);
    if (q.equipmentId !== undefined && !directory.seesEquipment(p, q.equipmentId))
      throw notFound("equipment", q.equipmentId);
    const [after] = q.cursor === undefined ? [0] : cursors.open(p, query, q.cursor);

    const readable = directory.tagFilter(p);
    const accept = (id: number): boolean =>
      (connectionId === null || directory.connectionOf(id) === connectionId) &&
      (q.equipmentId === undefined || directory.equipmentOf(id) === q.equipmentId) &&
      readable(id);
    const found =
      q.search === undefined || q.search === ""
        ? this.#scan(after, limit + 1, accept)
        : this.#search(after, limit + 1, accept, q.search);
    const ids = found.ids.slice(0, limit);
    const end = found.ids.length > limit ? ids[ids.length - 1] : found.stoppedAt;
    return {
      items: ids.map((id) => this.#row(id)),
      cursor: end === null ? null : cursors.seal(p, query, [end]),
    };
  }

  readable(p: Principal, ids: number[]): number[] {
    demand(p, "read");
    return ids.filter(this.#parts.directory.tagFilter(p));
  }

  /** Tags assigned to one of the equipments, as far as `p` sees them. */
  assignedTo(p: Principal, equipmentIds: number[]): number[] {
    demand(p, "read");
    const { directory } = this.#parts;
    const wanted = new Set(equipmentIds);
    const readable = directory.tagFilter(p);
    const ids: number[] = [];
    for (let id = 1; id <= directory.lastTag; id++)
      if (wanted.has(directory.equipmentOf(id)) && readable(id)) ids.push(id);
    return ids;
  }

  change(p: Principal, id: number, change: TagChange, revision: number): Written<RawTag> {
    demand(p, "configure");
    const { db, directory, journal, connections } = this.#parts;
    const before = this.#visible(p, id);
    if (before.revision !== revision) throw conflict("tag", id, before.revision, revision);
    const { connectionId, address } = before;
    const earlier = this.declared.get(connectionId, address) ?? nothingSaid;
    const { name = before.name, equipmentId = before.equipmentId, unit = earlier.unit } = change;
    checkName(name);
    if (unit !== null) checkUnit(unit);
    if (equipmentId !== before.equipmentId) {
      if (equipmentId !== null && !directory.seesEquipment(p, equipmentId)) throw notFound("equipment", equipmentId);
      // Taking a tag off its equipment gives it back to the readers of its connection.
      if (equipmentId === null && !directory.seesConnection(p, before.connectionId))
        throw new ProblemError("forbidden", `Your scope does not include the connection of tag ${id}.`);
    }
    db.write(() =>
      journal.together(() => {
        connections.adopt(p, connectionId);
        this.#declare(p, connectionId, address, id, { ...earlier, name, equipmentId, unit });
      }),
    );
    directory.setTag(id, connectionId, equipmentId);
    const item = this.#row(id);
    return { item, revision: item.revision };
  }

  /** What a configuration says of a tag; `id` is that of its raw tag, where one has come. null: nothing any more. */
  declare(
    p: Principal,
    connectionId: number,
    address: string,
    id: number | null,
    declaration: Declaration | null,
  ): void {
    demand(p, "configure");
    const { db, directory } = this.#parts;
    if (!directory.seesConnection(p, connectionId)) throw notFound("connection", connectionId);
    const earlier = this.declared.get(connectionId, address);
    for (const equipmentId of [earlier?.equipmentId, declaration?.equipmentId])
      if (equipmentId != null && !directory.seesEquipment(p, equipmentId)) throw notFound("equipment", equipmentId);
    if (declaration !== null) {
      checkName(declaration.name);
      if (declaration.unit !== null) checkUnit(declaration.unit);
    }
    db.write(() => this.#declare(p, connectionId, address, id, declaration));
    if (id !== null) directory.setTag(id, connectionId, declaration?.equipmentId ?? null);
  }

  noteUnits(_tenant: number, connectionId: number, units: ReadonlyMap<number, string>): void {
    const told = [...units].flatMap(([id, unit]) => {
      const tag = this.#byId.get(id) as RawTag | undefined;
      if (tag?.connectionId !== connectionId || tag.sourceUnit === unit) return [];
      return [{ id, address: tag.address, unit, before: tag.sourceUnit }];
    });
    this.#tell("sourceUnit", connectionId, told, ({ id, unit }) => this.#tellUnit.run(unit, id));
  }

  noteTypes(connectionId: number, changes: ReadonlyMap<number, { before: ValueType; type: ValueType }>): void {
    const told = [...changes].flatMap(([id, { before, type }]) => {
      const tag = this.#byId.get(id) as RawTag | undefined;
      if (tag?.connectionId !== connectionId || this.#typeOf.get(id) === type) return [];
      return [{ id, address: tag.address, type, before }];
    });
    this.#tell("sourceType", connectionId, told, ({ id, type }) => this.#tellType.run(type, id));
  }

  /** What a source says of its tags, kept and recorded. */
  #tell<T>(
    entity: "sourceUnit" | "sourceType",
    connectionId: number,
    told: readonly T[],
    keep: (one: T) => void,
  ): void {
    if (told.length === 0) return;
    const { db, journal, clock, connections } = this.#parts;
    const { name: connection, scope, tenant } = connections.placeOf(connectionId);
    const list = entity === "sourceUnit" ? "units" : "types";
    db.write(() => {
      for (const one of told) keep(one);
      for (let at = 0; at < told.length; at += toldPerRecord) {
        const after = { connectionId, connection, scope, [list]: told.slice(at, at + toldPerRecord) };
        journal.add({ id: "source", tenant }, entity, connectionId, after, clock.nowUs(), journal.next());
      }
    });
  }

  /** Raw tags of a connection by address: a pass over all of its tags, as there is no index. */
  byAddress(connectionId: number): Map<string, number> {
    const rows = this.#parts.db.sql
      .prepare("SELECT address, id FROM tag WHERE connection_id = ?")
      .raw()
      .all(connectionId) as [string, number][];
    return new Map(rows);
  }

  #declare(p: Principal, connectionId: number, address: string, id: number | null, said: Declaration | null): void {
    const { journal, clock, connections } = this.#parts;
    const revision = journal.next();
    const atUs = clock.nowUs();
    const { name = null, equipmentId = null, unit = null } = said ?? {};
    if (said === null) this.declared.remove(connectionId, address);
    else this.declared.put({ ...said, connectionId, address, revision });
    if (id !== null) this.#write(id, address, { name, equipmentId, unit }, revision, p.id, atUs);
    const connection = connections.nameOf(connectionId);
    const plain = { id, connectionId, connection, address, name, equipmentId, unit, revision };
    const after = {
      ...(id === null ? plain : { ...this.#row(id), unit }),
      ...(said === null ? { removed: true } : { class: said.class, options: said.options, behaviour: said.behaviour }),
    };
    journal.add(p, "tag", id ?? `${connectionId}/${address}`, after, atUs, revision);
  }

  /** The raw tag's copy of what was said, with its history. */
  #write(
    id: number,
    address: string,
    { name, equipmentId, unit }: Pick<Declaration, "name" | "equipmentId" | "unit">,
    revision: number,
    actor: string,
    atUs: number,
  ): void {
    this.#update.run(name, equipmentId, unit, folded(address, name), revision, id);
    this.#keep.run(id, revision, name, equipmentId, unit, atUs, actor);
  }

  /** Ids in memory, so that a million tags take milliseconds. */
  #scan(after: number, wanted: number, accept: (id: number) => boolean): { ids: number[]; stoppedAt: number | null } {
    const ids: number[] = [];
    for (let id = after + 1; id <= this.#parts.directory.lastTag && ids.length < wanted; id++)
      if (accept(id)) ids.push(id);
    return { ids, stoppedAt: null };
  }

  #search(
    after: number,
    wanted: number,
    accept: (id: number) => boolean,
    text: string,
  ): { ids: number[]; stoppedAt: number | null } {
    const { db, directory } = this.#parts;
    const end = Math.min(after + searchWindow, directory.lastTag);
    const matches = db.sql
      .prepare("SELECT id FROM tag WHERE id > ? AND id <= ? AND instr(coalesce(folded, address), ?) > 0 ORDER BY id")
      .pluck()
      .iterate(after, end, fold(text)) as Iterable<number>;
    const ids: number[] = [];
    for (const id of matches) {
      if (accept(id)) ids.push(id);
      if (ids.length === wanted) break;
    }
    return { ids, stoppedAt: end < directory.lastTag ? end : null };
  }

  /** A connection is known to those who see its scope, or one of its tags. */
  #knowsConnection(p: Principal, id: number | null): boolean {
    const { directory } = this.#parts;
    if (id === null) return false;
    if (directory.seesConnection(p, id)) return true;
    const readable = directory.tagFilter(p);
    for (let tag = 1; tag <= directory.lastTag; tag++)
      if (directory.connectionOf(tag) === id && readable(tag)) return true;
    return false;
  }

  #visible(p: Principal, id: number): RawTag {
    if (!this.#parts.directory.seesTag(p, id)) throw notFound("tag", id);
    return this.#row(id);
  }

  #row(id: number): RawTag {
    return this.#byId.get(id) as RawTag;
  }
}

/** Lower case by Unicode's own rules, not by a language's, so that the same search finds the same everywhere. */
function fold(text: string): string {
  return text.toLowerCase();
}

function folded(address: string, name: string | null): string | null {
  const text = fold(name === null ? address : `${name}\n${address}`);
  return text === address ? null : text;
}

function checkName(name: string | null): void {
  const fault = name === null ? null : nameFault(name);
  if (fault !== null) throw new ProblemError("name_invalid", `The name of the tag cannot be used. ${fault}`);
}

function checkUnit(unit: string): void {
  const fault = unitFault(unit);
  if (fault !== null) throw new ProblemError("unit_unknown", `${JSON.stringify(unit)} is no UCUM unit: ${fault}`);
}
