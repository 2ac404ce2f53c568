import type { FactRecordKind, FactToRecord } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";
import type { Version } from "./store.ts";

/** A version that stands in the log, or is on its way there, and not in the view yet. */
export interface PendingVersion extends Version {
  /** null until it was appended. */
  lsn: Lsn | null;
  durable: Promise<unknown>;
}

/** What was taken in and is not in the view yet, so that what comes next is judged by it. */
export class PendingFacts {
  readonly #versions = new Map<string, PendingVersion[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Of an id, the newest first. */
  of(tenant: number, id: string): readonly PendingVersion[] {
    return this.#versions.get(keyOf(tenant, id)) ?? [];
  }

  add(tenant: number, item: FactToRecord, of: { kind: FactRecordKind; equipmentId: number }): PendingVersion {
    const retraction = item.kind === "retraction";
    const version = { revision: item.revision ?? 0, retraction, item, ...of, lsn: null, durable: Promise.resolve() };
    const key = keyOf(tenant, item.id);
    this.#versions.set(key, [version, ...(this.#versions.get(key) ?? [])]);
    this.#size++;
    return version;
  }

  drop(tenant: number, versions: readonly PendingVersion[]): void {
    for (const version of versions) {
      const key = keyOf(tenant, version.item.id);
      const left = (this.#versions.get(key) ?? []).filter((each) => each !== version);
      if (left.length === (this.#versions.get(key)?.length ?? 0)) continue;
      this.#size--;
      if (left.length === 0) this.#versions.delete(key);
      else this.#versions.set(key, left);
    }
  }

  /** What the log has up to here is in the view. */
  applied(tenant: number, ids: Iterable<string>, lsn: Lsn): void {
    for (const id of ids) {
      const done = this.of(tenant, id).filter((each) => each.lsn !== null && each.lsn <= lsn);
      this.drop(tenant, done);
    }
  }
}

const keyOf = (tenant: number, id: string): string => `${tenant}/${id}`;
