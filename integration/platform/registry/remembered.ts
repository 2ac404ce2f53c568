import type { Sql } from "../sqlite/open.ts";

/** What was read of things by their number, until one of them changes. Whoever changes any calls `forget` in the same transaction. */
export class Remembered<T> {
  readonly #sql: Sql;
  readonly #read: (id: number) => T;
  readonly #known = new Map<number, T>();

  constructor(sql: Sql, read: (id: number) => T) {
    this.#sql = sql;
    this.#read = read;
  }

  /** What is given is shared. */
  of(id: number): T {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const value = this.#read(id);
    // What a transaction sees it may still take back.
    if (!this.#sql.inTransaction) this.#known.set(id, Object.freeze(value));
    return value;
  }

  forget(): void {
    this.#known.clear();
  }
}
