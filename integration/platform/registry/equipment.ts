import {
  type Equipment,
  type EquipmentChange,
  type EquipmentLevel,
  formatTimeUs,
  inScope,
  type NewEquipment,
  type Principal,
  ProblemError,
} from "@lineshaft/contract/api";
import type { Clock, Page, Written } from "@lineshaft/contract/ports";
import { type Cursors, pageSize } from "../sqlite/cursor.ts";
import type { OwnedDatabase } from "../sqlite/open.ts";
import { conflict, demand, notFound } from "./access.ts";
import type { Directory } from "./directory.ts";
import { checkLevel, checkName, childPath, maxPathLength, pathTooLong, toTreeKey } from "./equipment-rules.ts";
import { attributesAt, type EquipmentVersion, lifecycleSpans } from "./equipment-time.ts";
import type { Journal } from "./journal.ts";
import { Remembered } from "./remembered.ts";

const columns =
  "id, level, name, parent_id AS parentId, path, lifecycle, model, revision, changed_us AS changedUs, coalesce(valid_from_us, changed_us) AS validFromUs FROM equipment";
const treeKey = "replace(path, '/', char(1))";
/** At or below a path, in tree-key terms: the key itself, or between its first and after its last possible child. */
const atOrBelow = `(${treeKey} = @at OR (${treeKey} > @at || char(1) AND ${treeKey} < @at || char(2)))`;

export interface EquipmentParts {
  db: OwnedDatabase;
  clock: Clock;
  journal: Journal;
  directory: Directory;
  cursors: Cursors;
  /** What still refers to an equipment or lies below it, in words; empty when it can go. */
  usesOf(tenant: number, id: number, path: string): string[];
  /** Scopes of keys and connections name places: called in the transaction that moves `from` to `to`; returns what to do after it. */
  scopesFollow(p: Principal, from: string, to: string): () => void;
}

/** The equipment tree of each tenant: ISA-95 levels below the enterprise, names unique among siblings, every revision kept. */
export class EquipmentTree {
  readonly #parts: EquipmentParts;
  readonly #rows: Remembered<Equipment>;
  readonly #idAt;
  readonly #versions: Remembered<readonly (EquipmentVersion & { revision: number })[]>;
  readonly #roots = new Map<number, number>();

  constructor(parts: EquipmentParts) {
    this.#parts = parts;
    const { sql } = parts.db;
    const byId = sql.prepare(`SELECT ${columns} WHERE id = ?`);
    this.#rows = new Remembered(sql, (id) => byId.get(id) as Equipment);
    this.#idAt = sql.prepare(`SELECT id FROM equipment WHERE tenant = ? AND removed = 0 AND ${treeKey} = ?`).pluck();
    const history = sql.prepare(
      `SELECT name, parent_id AS parentId, lifecycle, model, revision, coalesce(valid_from_us, changed_us) AS validFromUs
       FROM equipment_history WHERE id = ? ORDER BY revision`,
    );
    this.#versions = new Remembered(sql, (id) => history.all(id) as (EquipmentVersion & { revision: number })[]);
    const rows = sql
      .prepare("SELECT id, tenant, parent_id AS parentId, path FROM equipment WHERE removed = 0")
      .iterate();
    for (const row of rows as Iterable<{ id: number; tenant: number; parentId: number | null; path: string }>) {
      parts.directory.setEquipment(row.id, row.tenant, row.path);
      if (row.parentId === null) this.#roots.set(row.tenant, row.id);
    }
  }

  /** The enterprise of a tenant; comes into being when it is first asked for. */
  root(tenant: number): number {
    const known = this.#roots.get(tenant);
    if (known !== undefined) return known;
    const system = { id: "system", tenant };
    const item = this.#parts.db.write(() =>
      this.#insert(system, {
        level: "enterprise",
        name: "Enterprise",
        parentId: null,
        path: "",
        lifecycle: "productive",
        model: null,
      }),
    );
    this.#parts.directory.setEquipment(item.id, tenant, "");
    this.#roots.set(tenant, item.id);
    return item.id;
  }

  get(p: Principal, id: number): Equipment {
    demand(p, "read");
    return this.#visible(p, id);
  }

  /** As it was at a time on the floor, by what is known now; its path leads over where its parents stood then. */
  at(p: Principal, id: number, atUs: number): Equipment {
    const now = this.get(p, id);
    const { path, ...then } = this.#at(id, atUs);
    return { ...now, ...then, path };
  }

  /** In which state of its life it was from when to when, by what was known at a revision; default: now. */
  lifecycle(p: Principal, id: number, revision?: number): ReturnType<typeof lifecycleSpans> {
    this.get(p, id);
    const versions = this.#versions.of(id);
    const known = revision === undefined ? versions : versions.filter((one) => one.revision <= revision);
    // Before it was known at all, it is taken for what it began as.
    return lifecycleSpans(known.length === 0 ? versions.slice(0, 1) : known);
  }

  #at(id: number, atUs: number): Pick<Equipment, "name" | "parentId" | "path" | "lifecycle" | "model"> {
    const then = attributesAt(this.#versions.of(id), atUs);
    return { ...then, path: then.parentId === null ? "" : childPath(this.#at(then.parentId, atUs).path, then.name) };
  }

  list(p: Principal, q: { under?: string; parentId?: number; limit?: number; cursor?: string }): Page<Equipment> {
    demand(p, "read");
    this.root(p.tenant);
    const limit = pageSize(q.limit);
    const query = { list: "equipment", under: q.under, parentId: q.parentId };
    if (q.parentId !== undefined && !this.#parts.directory.seesEquipment(p, q.parentId))
      throw notFound("equipment", q.parentId);
    const under = q.under === undefined ? "" : this.resolvePath(p, q.under);
    const after = q.cursor === undefined ? null : this.#pathAt(this.#parts.cursors.open(p, query, q.cursor));

    const { where, values } = scopeCondition(p);
    const rows = this.#parts.db.sql
      .prepare(
        `SELECT ${columns} WHERE tenant = @tenant AND removed = 0 AND ${where}
         ${under === "" ? "" : `AND ${atOrBelow}`}
         ${q.parentId === undefined ? "" : "AND parent_id = @parentId"}
         ${after === null ? "" : `AND ${treeKey} > @after`}
         ORDER BY ${treeKey} LIMIT @limit`,
      )
      .all({
        ...values,
        tenant: p.tenant,
        at: toTreeKey(under),
        parentId: q.parentId,
        after: toTreeKey(after ?? ""),
        limit: limit + 1,
      }) as Equipment[];
    const items = rows.slice(0, limit);
    const last = items[items.length - 1];
    const more = rows.length > limit;
    return { items, cursor: more ? this.#parts.cursors.seal(p, query, [last.id, last.revision]) : null };
  }

  /** What stood at the same path on the same level and was removed comes back as itself. */
  create(p: Principal, item: NewEquipment & { model?: string }): Written<Equipment> {
    demand(p, "configure");
    const root = this.root(p.tenant);
    const parentId = item.parentId ?? root;
    if (item.parentId !== undefined && !this.#parts.directory.seesEquipment(p, parentId))
      throw notFound("equipment", parentId);
    const parent = this.#row(parentId);
    checkName(item.name);
    checkLevel(item.level, parent);
    const path = childPath(parent.path, item.name);
    this.#checkPath(p, path);
    const created = this.#parts.db.write(() => {
      this.#checkFree(parentId, item.name, null, path);
      const { lifecycle = "productive", model = null } = item;
      const removed = this.#removedAt(p.tenant, path, item.level);
      if (removed === null) return this.#insert(p, { ...item, parentId, path, lifecycle, model });
      this.#update(p, removed, { name: item.name, parentId, path, lifecycle, model });
      return this.#row(removed.id);
    });
    this.#parts.directory.setEquipment(created.id, p.tenant, path);
    return { item: created, revision: created.revision };
  }

  /** Renames, moves or ages an item. What stands below it follows, under the same revision. */
  change(
    p: Principal,
    id: number,
    change: Omit<EquipmentChange, "validFrom"> & { validFromUs?: number },
    revision: number,
  ): Written<Equipment> {
    demand(p, "configure");
    const before = this.#visible(p, id);
    const { validFromUs = null } = change;
    if (validFromUs !== null && validFromUs > this.#parts.clock.nowUs())
      throw new ProblemError("valid_from_future", `${formatTimeUs(validFromUs)} has not come yet.`);
    if (before.revision !== revision) throw conflict("equipment", id, before.revision, revision);
    const name = change.name ?? before.name;
    checkName(name);
    const parentId = change.parentId ?? before.parentId;
    if (parentId !== before.parentId && !this.#parts.directory.seesEquipment(p, parentId as number))
      throw notFound("equipment", parentId as number);

    let path = "";
    if (parentId !== null) {
      const parent = this.#row(parentId);
      // A parent's level is strictly above its children's, so this also refuses every cycle, and to move the root.
      checkLevel(before.level, parent);
      path = childPath(parent.path, name);
    }
    if (path !== before.path) this.#checkPath(p, path);

    const { lifecycle = before.lifecycle, model = before.model } = change;
    const { moved, afterwards } = this.#parts.db.write(() => {
      if (parentId !== null) this.#checkFree(parentId, name, id, path);
      return this.#parts.journal.together(() =>
        this.#update(p, before, { name, parentId, path, lifecycle, model }, validFromUs),
      );
    });
    for (const row of moved) this.#parts.directory.setEquipment(row.id, p.tenant, row.path);
    afterwards();
    const item = this.#row(id);
    return { item, revision: item.revision };
  }

  /** Takes it out of the tree; what was recorded under it stays, and so does its history. `still_in_use` while anything refers to it. */
  remove(p: Principal, id: number): void {
    demand(p, "configure");
    const before = this.#visible(p, id);
    const { db, directory, journal, clock, usesOf } = this.#parts;
    const uses = before.parentId === null ? ["the enterprise itself"] : usesOf(p.tenant, id, before.path);
    if (uses.length > 0)
      throw new ProblemError("still_in_use", `${JSON.stringify(before.path)} is still used by ${uses.join(", ")}.`);
    db.write(() => {
      const revision = journal.next();
      const atUs = clock.nowUs();
      db.sql
        .prepare("UPDATE equipment SET removed = 1, revision = ?, changed_us = ? WHERE id = ?")
        .run(revision, atUs, id);
      this.#keepHistory(p.tenant, revision, p.id);
      journal.add(p, "equipment", id, { ...this.#row(id), removed: true }, atUs, revision);
    });
    directory.removeEquipment(id);
  }

  /** Of the tree as it is now. */
  idAt(tenant: number, path: string): number | null {
    return (this.#idAt.get(tenant, toTreeKey(path)) as number | undefined) ?? null;
  }

  /** All that stands, in no order. */
  all(tenant: number): Equipment[] {
    return this.#parts.db.sql.prepare(`SELECT ${columns} WHERE tenant = ? AND removed = 0`).all(tenant) as Equipment[];
  }

  /** Where what was removed stood last; null for what stands or never was. */
  removedPath(id: number): string | null {
    const find = this.#parts.db.sql.prepare("SELECT path FROM equipment WHERE id = ? AND removed = 1").pluck();
    return (find.get(id) as string | undefined) ?? null;
  }

  /**
   * The current path of what `path` names or once named; "" for the whole tenant. `not_found` when nothing ever had that name or it is
   * out of scope. The name's present owner wins over former ones, of these the last.
   */
  resolvePath(p: Principal, path: string): string {
    if (path === "") return "";
    const { sql } = this.#parts.db;
    const former = sql
      .prepare("SELECT id FROM equipment_history WHERE tenant = ? AND path = ? ORDER BY revision DESC LIMIT 1")
      .pluck();
    const id = this.idAt(p.tenant, path) ?? (former.get(p.tenant, path) as number | undefined);
    if (id === undefined || this.removedPath(id) !== null) throw notFound("equipment", path);
    const now = this.#row(id).path;
    // Whoever holds a scope further down knows the way to it.
    const onTheWay = p.scopes.some((scope) => scope.startsWith(`${now}/`));
    if (!inScope(p, now) && !onTheWay) throw notFound("equipment", path);
    return now;
  }

  /** Ids of the equipment at or below a current path. */
  idsUnder(tenant: number, path: string): number[] {
    return this.#parts.db.sql
      .prepare(
        `SELECT id FROM equipment WHERE tenant = @tenant AND removed = 0 ${path === "" ? "" : `AND ${atOrBelow}`}`,
      )
      .pluck()
      .all({ tenant, at: toTreeKey(path) }) as number[];
  }

  #visible(p: Principal, id: number): Equipment {
    if (!this.#parts.directory.seesEquipment(p, id)) throw notFound("equipment", id);
    return this.#row(id);
  }

  #row(id: number): Equipment {
    return this.#rows.of(id);
  }

  #insert(
    by: { id: string; tenant: number },
    row: Pick<Equipment, "level" | "name" | "parentId" | "path" | "lifecycle" | "model">,
  ): Equipment {
    const { db, journal, clock } = this.#parts;
    const revision = journal.next();
    const atUs = clock.nowUs();
    const { lastInsertRowid } = db.sql
      .prepare(
        `INSERT INTO equipment (tenant, parent_id, level, name, path, lifecycle, model, revision, changed_us)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(by.tenant, row.parentId, row.level, row.name, row.path, row.lifecycle, row.model, revision, atUs);
    const item = this.#row(Number(lastInsertRowid));
    this.#keepHistory(by.tenant, revision, by.id);
    journal.add(by, "equipment", item.id, item, atUs, revision);
    return item;
  }

  #update(
    p: Principal,
    before: Equipment,
    to: Pick<Equipment, "name" | "parentId" | "path" | "lifecycle" | "model">,
    validFromUs: number | null = null,
  ) {
    const { db, journal, clock, scopesFollow } = this.#parts;
    const revision = journal.next();
    const atUs = clock.nowUs();
    db.sql
      .prepare(
        `UPDATE equipment SET name = ?, parent_id = ?, path = ?, lifecycle = ?, model = ?, removed = 0, revision = ?, changed_us = ?, valid_from_us = ?
         WHERE id = ?`,
      )
      .run(to.name, to.parentId, to.path, to.lifecycle, to.model, revision, atUs, validFromUs, before.id);
    const renamed = to.path !== before.path;
    if (renamed) {
      db.sql
        .prepare(
          `UPDATE equipment SET path = @to || substr(path, length(@from) + 1), revision = @revision, changed_us = @atUs
           WHERE tenant = @tenant AND removed = 0 AND ${treeKey} > @at || char(1) AND ${treeKey} < @at || char(2)`,
        )
        .run({ tenant: p.tenant, from: before.path, at: toTreeKey(before.path), to: to.path, revision, atUs });
    }
    const moved = db.sql
      .prepare("SELECT id, path FROM equipment WHERE tenant = ? AND revision = ? AND (id = ? OR ?)")
      .all(p.tenant, revision, before.id, renamed ? 1 : 0) as { id: number; path: string }[];
    const tooLong = moved.find((row) => row.path.length > maxPathLength);
    if (tooLong !== undefined) throw pathTooLong(tooLong.path);
    this.#keepHistory(p.tenant, revision, p.id);
    journal.add(p, "equipment", before.id, this.#row(before.id), atUs, revision);
    const afterwards = renamed ? scopesFollow(p, before.path, to.path) : () => {};
    return { moved, afterwards };
  }

  /** Of all that was changed by the revision. */
  #keepHistory(tenant: number, revision: number, actor: string): void {
    this.#rows.forget();
    this.#versions.forget();
    this.#parts.db.sql
      .prepare(
        `INSERT INTO equipment_history
         SELECT id, revision, tenant, parent_id, level, name, path, lifecycle, changed_us, ?, model, removed, valid_from_us FROM equipment
         WHERE tenant = ? AND revision = ?`,
      )
      .run(actor, tenant, revision);
  }

  /** What stood last at this path, if it was removed and was of this level. */
  #removedAt(tenant: number, path: string, level: EquipmentLevel): Equipment | null {
    const id = this.#parts.db.sql
      .prepare("SELECT id FROM equipment_history WHERE tenant = ? AND path = ? ORDER BY revision DESC LIMIT 1")
      .pluck()
      .get(tenant, path) as number | undefined;
    if (id === undefined || this.removedPath(id) !== path) return null;
    const row = this.#row(id);
    return row.level === level ? row : null;
  }

  #checkPath(p: Principal, path: string): void {
    if (path.length > maxPathLength) throw pathTooLong(path);
    // Before any look at what is there: an answer about names outside the scope would be a leak.
    if (!inScope(p, path)) throw new ProblemError("forbidden", `Your scope does not include ${JSON.stringify(path)}.`);
  }

  #checkFree(parentId: number, name: string, except: number | null, path: string): void {
    const other = this.#parts.db.sql
      .prepare("SELECT id FROM equipment WHERE parent_id = ? AND name = ? AND removed = 0")
      .pluck()
      .get(parentId, name) as number | undefined;
    if (other !== undefined && other !== except)
      throw new ProblemError("path_taken", `There is already an equipment ${JSON.stringify(path)}.`);
  }

  /** The path that the last item of a page had when the page was made, so that a rename in between neither skips nor repeats. */
  #pathAt([id, revision]: number[]): string {
    return this.#parts.db.sql
      .prepare("SELECT path FROM equipment_history WHERE id = ? AND revision = ?")
      .pluck()
      .get(id, revision) as string;
  }
}

/** `inScope` as SQL. A principal without scopes sees nothing. */
function scopeCondition(p: Principal): { where: string; values: Record<string, string> } {
  if (p.scopes.includes("")) return { where: "1", values: {} };
  const values: Record<string, string> = {};
  const terms = p.scopes.map((scope, i) => {
    values[`scope${i}`] = toTreeKey(scope);
    return atOrBelow.replaceAll("@at", `@scope${i}`);
  });
  return { where: terms.length === 0 ? "0" : `(${terms.join(" OR ")})`, values };
}
