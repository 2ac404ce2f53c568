import { type Mapping, type Micros, type Principal, ProblemError } from "@lineshaft/contract/api";
import type { Clock } from "@lineshaft/contract/ports";
import type { OwnedDatabase } from "../sqlite/open.ts";
import { demand, notFound } from "./access.ts";
import type { Directory } from "./directory.ts";
import type { Journal } from "./journal.ts";

/** What a tag's values mean for a time: a property of equipment. null: since ever, until further notice. */
export interface Binding {
  connectionId: number;
  address: string;
  equipmentId: number;
  property: string;
  validFromUs: Micros | null;
  validToUs: Micros | null;
  /** null: as the property of the model says. */
  mapping: Mapping | null;
}
export type StoredBinding = Binding & { id: number; revision: number };

const select = `SELECT id, connection_id AS connectionId, address, equipment_id AS equipmentId, property,
  valid_from_us AS validFromUs, valid_to_us AS validToUs, revision, mapping FROM binding`;
/** No time is before or after these. */
const ever =
  "coalesce(valid_from_us, -9e18) < coalesce(@validToUs, 9e18) AND coalesce(@validFromUs, -9e18) < coalesce(valid_to_us, 9e18)";

type BindingRow = Omit<StoredBinding, "mapping"> & { mapping: string | null };
const stored = ({ mapping, ...row }: BindingRow): StoredBinding => ({
  ...row,
  mapping: mapping === null ? null : (JSON.parse(mapping) as Mapping),
});

/** Dated bindings, one source for a property at a time. What was is in the journal. */
export class Bindings {
  readonly #db: OwnedDatabase;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #directory: Directory;

  constructor(parts: { db: OwnedDatabase; clock: Clock; journal: Journal; directory: Directory }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#directory = parts.directory;
  }

  all(tenant: number): StoredBinding[] {
    return (this.#db.sql.prepare(`${select} WHERE tenant = ? ORDER BY id`).all(tenant) as BindingRow[]).map(stored);
  }

  of(equipmentId: number): StoredBinding[] {
    return this.#db.sql.prepare(`${select} WHERE equipment_id = ? ORDER BY id`).all(equipmentId) as StoredBinding[];
  }

  /** `path` is the equipment's, and `tagId` the raw tag's where it has come: for those who read the record. */
  put(p: Principal, binding: Binding, about: { path: string; tagId: number | null }): void {
    this.#demand(p, binding);
    this.#db.write(() => {
      const before = this.#find(binding);
      const other = this.#db.sql
        .prepare(`${select} WHERE equipment_id = @equipmentId AND property = @property AND id <> @id AND ${ever}`)
        .get({ ...binding, mapping: null, id: before?.id ?? 0 }) as BindingRow | undefined;
      if (other !== undefined)
        throw new ProblemError("path_taken", `${about.path}#${binding.property} has another tag at that time.`);
      const revision = this.#journal.next();
      const { lastInsertRowid } = this.#db.sql
        .prepare("INSERT OR REPLACE INTO binding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .run(
          before?.id ?? null,
          p.tenant,
          binding.connectionId,
          binding.address,
          binding.equipmentId,
          binding.property,
          binding.validFromUs,
          binding.validToUs,
          revision,
          binding.mapping === null ? null : JSON.stringify(binding.mapping),
        );
      const id = Number(lastInsertRowid);
      this.#journal.add(p, "binding", id, { id, ...binding, ...about, revision }, this.#clock.nowUs(), revision);
    });
  }

  remove(p: Principal, binding: Binding, about: { path: string; tagId: number | null }): void {
    this.#demand(p, binding);
    const before = this.#find(binding);
    if (before === null) throw notFound("binding", `${about.path}#${binding.property}`);
    this.#db.write(() => {
      const revision = this.#journal.next();
      this.#db.sql.prepare("DELETE FROM binding WHERE id = ?").run(before.id);
      const after = { ...before, ...about, revision, removed: true };
      this.#journal.add(p, "binding", before.id, after, this.#clock.nowUs(), revision);
    });
  }

  #find(binding: Binding): StoredBinding | null {
    const row = this.#db.sql
      .prepare(
        `${select} WHERE connection_id = @connectionId AND address = @address AND equipment_id = @equipmentId
         AND property = @property AND valid_from_us IS @validFromUs`,
      )
      .get({ ...binding, mapping: null }) as BindingRow | undefined;
    return row === undefined ? null : stored(row);
  }

  #demand(p: Principal, { connectionId, equipmentId }: Binding): void {
    demand(p, "configure");
    if (!this.#directory.seesConnection(p, connectionId)) throw notFound("connection", connectionId);
    if (!this.#directory.seesEquipment(p, equipmentId)) throw notFound("equipment", equipmentId);
  }
}
