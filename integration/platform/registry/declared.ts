import type { Sql } from "../sqlite/open.ts";

/** What people said of a tag. */
export interface Declaration {
  name: string | null;
  equipmentId: number | null;
  unit: string | null;
  class: string | null;
  options: Record<string, unknown> | null;
  /** null: a state. */
  behaviour: "state" | "event" | null;
}
export interface DeclaredTag extends Declaration {
  connectionId: number;
  address: string;
  revision: number;
}

type Stored = Omit<DeclaredTag, "options"> & { options: string | null };

const select = `SELECT connection_id AS connectionId, address, name, equipment_id AS equipmentId, unit, class, options, behaviour, revision
  FROM declared_tag`;

/** Tags that people declared, by connection and address, whether a value has come or not. Used inside transactions. */
export class DeclaredTags {
  readonly #put;
  readonly #get;
  readonly #remove;
  readonly #of;
  readonly #any;

  constructor(sql: Sql) {
    this.#put = sql.prepare("INSERT OR REPLACE INTO declared_tag VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#get = sql.prepare(`${select} WHERE connection_id = ? AND address = ?`);
    this.#remove = sql.prepare("DELETE FROM declared_tag WHERE connection_id = ? AND address = ?");
    this.#of = sql.prepare(`${select} WHERE connection_id = ? ORDER BY address`);
    this.#any = sql.prepare("SELECT 1 FROM declared_tag WHERE connection_id = ? LIMIT 1").pluck();
  }

  put(tag: DeclaredTag): void {
    const { connectionId, address, name, equipmentId, unit, class: sampling, options, behaviour, revision } = tag;
    const text = options === null ? null : JSON.stringify(options);
    this.#put.run(connectionId, address, name, equipmentId, unit, sampling, text, behaviour, revision);
  }

  get(connectionId: number, address: string): DeclaredTag | null {
    const row = this.#get.get(connectionId, address) as Stored | undefined;
    return row === undefined ? null : declaredOf(row);
  }

  remove(connectionId: number, address: string): void {
    this.#remove.run(connectionId, address);
  }

  of(connectionId: number): DeclaredTag[] {
    return (this.#of.all(connectionId) as Stored[]).map(declaredOf);
  }

  any(connectionId: number): boolean {
    return this.#any.get(connectionId) !== undefined;
  }
}

function declaredOf(row: Stored): DeclaredTag {
  return { ...row, options: row.options === null ? null : (JSON.parse(row.options) as DeclaredTag["options"]) };
}
