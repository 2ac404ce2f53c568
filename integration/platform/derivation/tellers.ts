import type { FactsChangedRecord, FactsRows, Lsn } from "@lineshaft/contract/ports";
import type { DirtyRange } from "./dirty.ts";
import type { Derivation } from "./engine.ts";
import { FactsTeller, type TellerState } from "./teller.ts";

/** Writes what changed of facts into the log; false: it could not. */
export type Tell = (rows: FactsRows, tenant: number) => Promise<boolean>;

/** What is told of facts, apart for each tenant, since a record belongs to one. */
export class Tellers {
  readonly #derivation: Derivation;
  readonly #tell: Tell | null;
  readonly #tenantOf = new Map<number, number>();
  readonly #tellers = new Map<number, FactsTeller>();

  /** `tell` null: nobody wants to know. */
  constructor(derivation: Derivation, tell: Tell | null, state: readonly [tenant: number, TellerState][]) {
    this.#derivation = derivation;
    this.#tell = tell;
    for (const [tenant, each] of state) this.#tellers.set(tenant, new FactsTeller(each));
  }

  /** To go on from here. */
  get state(): [tenant: number, TellerState][] {
    return [...this.#tellers].map(([tenant, teller]) => [tenant, teller.state]);
  }

  /** Whose machines there are. */
  knows(equipment: Iterable<readonly [equipment: number, tenant: number]>): void {
    for (const [id, tenant] of equipment) {
      this.#tenantOf.set(id, tenant);
      if (!this.#tellers.has(tenant)) this.#tellers.set(tenant, new FactsTeller({ told: [], changes: [] }));
    }
  }

  /** Facts were derived anew: whatever is final was told by a process before this one. */
  toldBefore(): void {
    for (const [equipment, tenant] of this.#tenantOf)
      this.#tellers.get(tenant)?.toldBefore(equipment, this.#machine(equipment));
  }

  /** Facts were taken over as they stood: each machine may have some that are not told yet. */
  goOn(): void {
    const ever = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, cause: "points", lsn: 0 } as const;
    this.changed([...this.#tenantOf.keys()].map((equipment) => ({ equipment, what: "production", ...ever })));
  }

  changed(changes: readonly DirtyRange[]): void {
    const bindingsOf = (equipment: number) => this.#derivation.bindingsOf(equipment);
    for (const [tenant, own] of Map.groupBy(changes, ({ equipment }) => this.#tenantOf.get(equipment)))
      if (tenant !== undefined) this.#tellers.get(tenant)?.changed(own, bindingsOf);
  }

  tell(lsn: Lsn): void {
    for (const [tenant, teller] of this.#tellers) this.#tellOf(tenant, teller, lsn);
  }

  /** Where a record was full, the next one follows. */
  taken(tenant: number, record: FactsChangedRecord, lsn: Lsn): void {
    const teller = this.#tellers.get(tenant);
    if (teller === undefined) return;
    if (teller.taken(record)) this.#tellOf(tenant, teller, lsn);
  }

  #tellOf(tenant: number, teller: FactsTeller, lsn: Lsn): void {
    const tell = this.#tell;
    const rows = tell === null ? null : teller.compose((equipment) => this.#machine(equipment), lsn);
    if (tell === null || rows === null) return;
    void tell(rows, tenant).then((told) => (told ? undefined : teller.failed()));
  }

  #machine(equipment: number) {
    return {
      bindings: this.#derivation.bindingsOf(equipment),
      watermark: this.#derivation.watermarkOf(equipment),
    };
  }
}
