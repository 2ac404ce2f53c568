import { inScope, type Model, type Principal, ProblemError } from "@lineshaft/contract/api";
import type { Clock } from "@lineshaft/contract/ports";
import { modelKey, same } from "../configuration/index.ts";
import type { OwnedDatabase } from "../sqlite/open.ts";
import { demand, notFound } from "./access.ts";
import type { Journal } from "./journal.ts";

/** Models of equipment. A name with its version means one thing for ever, even after nobody may use it any more. */
export class Models {
  readonly #db: OwnedDatabase;
  readonly #clock: Clock;
  readonly #journal: Journal;

  constructor(parts: { db: OwnedDatabase; clock: Clock; journal: Journal }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
    this.#journal = parts.journal;
  }

  all(tenant: number): Model[] {
    const rows = this.#db.sql
      .prepare("SELECT definition FROM model WHERE tenant = ? AND withdrawn = 0 ORDER BY name")
      .pluck()
      .all(tenant) as string[];
    return rows.map((text) => JSON.parse(text) as Model);
  }

  get(tenant: number, name: string): Model | null {
    const text = this.#db.sql
      .prepare("SELECT definition FROM model WHERE tenant = ? AND name = ? AND withdrawn = 0")
      .pluck()
      .get(tenant, name) as string | undefined;
    return text === undefined ? null : (JSON.parse(text) as Model);
  }

  publish(p: Principal, model: Model): void {
    this.#demandWhole(p);
    const name = modelKey(model);
    this.#db.write(() => {
      const known = this.#db.sql
        .prepare("SELECT definition FROM model WHERE tenant = ? AND name = ?")
        .pluck()
        .get(p.tenant, name) as string | undefined;
      if (known !== undefined && !same(JSON.parse(known), model))
        throw new ProblemError("model_published", `The model ${name} was published before and read differently.`);
      const revision = this.#journal.next();
      this.#db.sql
        .prepare("INSERT OR REPLACE INTO model VALUES (?, ?, ?, 0, ?)")
        .run(p.tenant, name, known ?? JSON.stringify(model), revision);
      this.#journal.add(p, "model", name, { ...model, revision }, this.#clock.nowUs(), revision);
    });
  }

  withdraw(p: Principal, name: string): void {
    this.#demandWhole(p);
    const model = this.get(p.tenant, name);
    if (model === null) throw notFound("model", name);
    const users = this.#db.sql
      .prepare("SELECT path FROM equipment WHERE tenant = ? AND model = ? AND removed = 0 LIMIT 3")
      .pluck()
      .all(p.tenant, name) as string[];
    if (users.length > 0)
      throw new ProblemError("still_in_use", `The model ${name} is still used by ${users.join(", ")}.`);
    this.#db.write(() => {
      const revision = this.#journal.next();
      this.#db.sql
        .prepare("UPDATE model SET withdrawn = 1, revision = ? WHERE tenant = ? AND name = ?")
        .run(revision, p.tenant, name);
      this.#journal.add(p, "model", name, { ...model, revision, removed: true }, this.#clock.nowUs(), revision);
    });
  }

  #demandWhole(p: Principal): void {
    demand(p, "configure");
    if (!inScope(p, ""))
      throw new ProblemError("forbidden", "Models belong to the whole enterprise; your scope does not.");
  }
}
