import type { Clock, Lsn, Registration } from "@lineshaft/contract/ports";
import type { OwnedDatabase } from "../sqlite/open.ts";
import type { Connections } from "./connections.ts";
import type { DeclaredTags } from "./declared.ts";
import type { Directory } from "./directory.ts";

/** So many names are taken in between two looks at the clock. */
const perLook = 50;

export interface RegistrationParts {
  db: OwnedDatabase;
  clock: Clock;
  directory: Directory;
  connections: Connections;
  declared: DeclaredTags;
  /** How an address and a name are searched. */
  folded(address: string, name: string | null): string | null;
  advanceEveryMs: number;
}

/** Names that sources brought, out of the log into the registry: raw tags, and connections that came with their first batch. */
export class Registrations {
  readonly #parts: RegistrationParts;
  readonly #insert;
  readonly #same;
  readonly #keep;
  #appliedLsn: Lsn;
  #advancedMs = Number.NEGATIVE_INFINITY;
  /** How many rows of a record are in already, while it is taken in in portions. A new process begins it again. */
  #begun: { lsn: Lsn; rows: number } = { lsn: 0, rows: 0 };

  constructor(parts: RegistrationParts) {
    this.#parts = parts;
    const { sql } = parts.db;
    this.#appliedLsn = sql.prepare("SELECT lsn FROM applied").pluck().get() as number;
    // A crash between two portions leaves the first ones there.
    this.#insert = sql.prepare(
      `INSERT INTO tag (id, connection_id, address, name, equipment_id, unit, folded, revision, registered_us)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
    );
    this.#same = sql.prepare("SELECT 1 FROM tag WHERE id = ? AND connection_id = ? AND address = ?");
    this.#keep = sql.prepare("INSERT OR REPLACE INTO tag_history VALUES (?, ?, ?, ?, ?, ?, ?)");
  }

  get appliedLsn(): Lsn {
    return this.#appliedLsn;
  }

  /** The promises are those of the port. */
  apply(records: readonly Registration[], forMs: number): boolean {
    const { db, clock } = this.#parts;
    const news = records.filter((r) => r.lsn > this.#appliedLsn);
    if (news.length === 0) return true;
    const end = clock.monotonicMs() + forMs;
    let taken = 0;
    for (const registration of news) {
      if (this.#isIn(registration)) continue;
      if (taken > 0 && clock.monotonicMs() >= end) return false;
      if (!this.#take(registration, end)) return false;
      taken++;
    }
    // The only one that waits for the disk, and all before it are on it then.
    const { lsn } = news[news.length - 1];
    db.write(() => this.#writeApplied(lsn));
    this.#appliedLsn = lsn;
    return true;
  }

  advance(lsn: Lsn): void {
    const { db, clock, advanceEveryMs } = this.#parts;
    const nowMs = clock.monotonicMs();
    // While a configuration is being saved nothing is written beside it; there is time.
    if (db.busy !== null || lsn <= this.#appliedLsn || nowMs - this.#advancedMs < advanceEveryMs) return;
    db.write(() => this.#writeApplied(lsn));
    this.#appliedLsn = lsn;
    this.#advancedMs = nowMs;
  }

  #isIn({ lsn, record }: Registration): boolean {
    const { lsn: begun, rows } = this.#begun;
    return lsn < begun || (lsn === begun && rows === record.ids.length);
  }

  /** Takes a record in as far as the time goes; false: not to its end. */
  #take({ lsn, recordedTime, tenant, record }: Registration, end: number): boolean {
    const { db, clock, directory, connections, declared, folded } = this.#parts;
    const { connectionId, ids, addresses } = record;
    const from = this.#begun.lsn === lsn ? this.#begun.rows : 0;
    const placed = new Map<number, number | null>();
    let to = from;
    db.writeRelaxed(() => {
      if (from === 0 && record.newConnection && !connections.has(connectionId))
        connections.bringIntoBeing(tenant, record);
      const anyDeclared = declared.any(connectionId);
      for (; to < ids.length; to++) {
        if (to > from && (to - from) % perLook === 0 && clock.monotonicMs() >= end) return;
        const [id, address] = [ids[to], addresses[to]];
        const known = anyDeclared ? declared.get(connectionId, address) : null;
        const { name = null, equipmentId = null, unit = null, revision = 0 } = known ?? {};
        const fold = folded(address, name);
        const row = [id, connectionId, address, name, equipmentId, unit, fold, revision, recordedTime];
        if (this.#insert.run(...row).changes === 0) this.#requireSame(id, connectionId, address);
        placed.set(id, equipmentId);
        if (known !== null) this.#keep.run(id, revision, name, equipmentId, unit, recordedTime, "declared");
      }
    });
    if (from === 0 && record.newConnection) connections.stands(connectionId);
    for (const [id, equipmentId] of placed) directory.setTag(id, connectionId, equipmentId);
    this.#begun = { lsn, rows: to };
    return to === ids.length;
  }

  /** The log gives a number once. */
  #requireSame(id: number, connectionId: number, address: string): void {
    if (this.#same.get(id, connectionId, address) === undefined)
      throw new Error(
        `Tag ${id} is another one already than ${JSON.stringify(address)} of connection ${connectionId}.`,
      );
  }

  #writeApplied(lsn: Lsn): void {
    this.#parts.db.sql.prepare("UPDATE applied SET lsn = ?").run(lsn);
  }
}
