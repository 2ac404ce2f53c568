import {
  type Configuration,
  type ConfigurationRevision,
  type ConnectionSpec,
  inScope,
  type Principal,
  ProblemError,
  parseTimeUs,
  type TagEntry,
} from "@lineshaft/contract/api";
import type { AppliedConfiguration, Page } from "@lineshaft/contract/ports";
import {
  diffConfigurations,
  modelKey,
  nameOf,
  type PlacedBinding,
  planOf,
  pointerOf,
  type Step,
} from "../configuration/index.ts";
import { type Cursors, pageSize } from "../sqlite/cursor.ts";
import type { OwnedDatabase } from "../sqlite/open.ts";
import { demand, notFound } from "./access.ts";
import { type ConfigurationParts, configurationFrom } from "./assemble.ts";
import type { Binding, Bindings } from "./bindings.ts";
import type { Connections, DecidedConnection } from "./connections.ts";
import type { Declaration, DeclaredTag } from "./declared.ts";
import type { Directory } from "./directory.ts";
import type { EquipmentTree } from "./equipment.ts";
import type { Journal, JournalItem } from "./journal.ts";
import type { Models } from "./models.ts";
import type { Tags } from "./tags.ts";

interface Parts {
  /** K9 of the fault tests: passed before a configuration is committed, and again after it. */
  crashPoint?: (name: string) => void;
  /** Gives the others of the thread their turn. */
  pause(): Promise<void>;
  db: OwnedDatabase;
  journal: Journal;
  directory: Directory;
  cursors: Cursors;
  equipment: EquipmentTree;
  connections: Connections;
  tags: Tags;
  models: Models;
  bindings: Bindings;
}

/** All that people decided, as one configuration: as it is, as it was, and as it should be. Each sees the part in the own scope. */
export class ConfigurationStore {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  read(p: Principal): { configuration: Configuration; revision: number } {
    demand(p, "configure");
    const { journal, directory, equipment, connections, tags, models, bindings } = this.#parts;
    equipment.root(p.tenant);
    const declared = connections.decided().filter((row) => row.declared && row.tenant === p.tenant);
    const parts: ConfigurationParts = {
      models: models.all(p.tenant),
      equipment: equipment.all(p.tenant),
      connections: declared.filter((row) => directory.seesConnection(p, row.id)),
      tagsOf: (id) => tags.declared.of(id),
      bindings: bindings.all(p.tenant),
      sees: (id) => directory.seesEquipment(p, id),
    };
    return { configuration: configurationFrom(parts), revision: journal.configurationRevision(p.tenant) };
  }

  /** The configuration as it was at a revision, of what may be seen today. */
  at(p: Principal, revision: number): Configuration {
    demand(p, "configure");
    const { journal, directory, equipment, connections } = this.#parts;
    if (revision > journal.configurationRevision(p.tenant) || revision < 1) throw notFound("revision", revision);
    const items = new Map<string, JournalItem>();
    for (const { entity, id, item } of journal.itemsAt(p.tenant, revision)) {
      const key = entity === "tag" ? `${item.connectionId}/${item.address}` : String(id);
      items.set(`${entity} ${key}`, item);
    }
    const all = <T>(entity: string): T[] =>
      [...items].flatMap(([key, item]) => (key.startsWith(`${entity} `) && item.removed !== true ? [item as T] : []));
    const now = new Map(connections.decided().map((row) => [row.id, row]));
    const tags = Map.groupBy(all<DeclaredTag>("tag"), (tag) => tag.connectionId);
    const then = new Map(all<DecidedConnection>("connection").map((row) => [row.id, { ...now.get(row.id), ...row }]));
    // Connections that came with data have no row in the journal before somebody says something about them.
    for (const id of tags.keys())
      if (!then.has(id) && now.has(id)) then.set(id, { ...(now.get(id) as DecidedConnection), declared: true });
    return configurationFrom({
      models: all("model"),
      equipment: withPaths(all("equipment")),
      connections: [...then.values()].filter((row) => row.declared !== false && directory.seesConnection(p, row.id)),
      tagsOf: (id) => tags.get(id) ?? [],
      bindings: all("binding"),
      sees: (id) => {
        const removed = equipment.removedPath(id);
        return removed === null ? directory.seesEquipment(p, id) : inScope(p, removed);
      },
    });
  }

  /** Newest first. */
  revisions(p: Principal, q: { limit?: number; cursor?: string }): Page<ConfigurationRevision> {
    demand(p, "configure");
    const { cursors, journal } = this.#parts;
    const limit = pageSize(q.limit);
    const query = { list: "configurationRevisions" };
    const [before] = q.cursor === undefined ? [Number.MAX_SAFE_INTEGER] : cursors.open(p, query, q.cursor);
    const rows = journal.configurationRevisions(p.tenant, before, limit + 1);
    const items = rows.slice(0, limit);
    const more = rows.length > limit;
    return {
      items,
      cursor: more ? cursors.seal(p, query, [items[limit - 1].revision - items[limit - 1].changes + 1]) : null,
    };
  }

  /** In portions: ten thousand tags must not hold up those that stream (F24). */
  async apply(
    p: Principal,
    wanted: Configuration,
    expected: number,
    connectionId: (name: string, kind: string) => number,
  ): Promise<AppliedConfiguration> {
    const { db, directory, journal, equipment, pause, crashPoint } = this.#parts;
    demand(p, "configure");
    while (db.busy !== null) await db.busy;
    equipment.root(p.tenant);
    const applied = await journal.togetherInTime(() =>
      directory.together(() => db.writeInPortions(this.#apply(p, wanted, expected, connectionId), pause)),
    );
    crashPoint?.("K9");
    return applied;
  }

  *#apply(
    p: Principal,
    wanted: Configuration,
    expected: number,
    connectionId: (name: string, kind: string) => number,
  ): Generator<void, AppliedConfiguration> {
    const { journal, connections, crashPoint } = this.#parts;
    const { configuration, revision } = this.read(p);
    if (revision !== expected)
      throw new ProblemError(
        "revision_conflict",
        `The configuration is at revision ${revision}; the change was based on ${expected}.`,
      );
    yield;
    const steps = diffConfigurations(configuration, wanted);
    const run = new Run(p, this.#parts, connectionId);
    for (const step of steps) {
      yield;
      attempt(step, wanted, () => run.do(step));
    }
    yield;
    const after = journal.configurationRevision(p.tenant);
    crashPoint?.("K9");
    const touched = new Set(steps.flatMap((step) => (step.entity === "connection" ? [nameOf(step)] : [])));
    return {
      plan: planOf(steps, expected),
      revision: after,
      connections: connections.all().filter((row) => row.tenant === p.tenant && touched.has(row.name)),
    };
  }

  /** What each declared connection runs on. */
  specs(): (ConnectionSpec & { id: number; tenant: number })[] {
    const { connections, tags } = this.#parts;
    return connections
      .decided()
      .filter((row) => row.declared)
      .map(({ id, tenant, name, kind, config, classes }) => ({
        id,
        tenant,
        name,
        kind,
        config,
        tags: tags.declared.of(id).map(({ address, class: sampling, options, behaviour }) => ({
          address,
          ...(options === null ? {} : { options }),
          ...(behaviour === null ? {} : { behaviour }),
          ...(sampling === null || classes[sampling] === undefined ? {} : { class: classes[sampling] }),
        })),
      }));
  }
}

/** One configuration being applied, within its transaction. */
class Run {
  readonly #p: Principal;
  readonly #parts: Parts;
  readonly #connectionId: (name: string, kind: string) => number;
  readonly #addresses = new Map<number, Map<string, number>>();
  // Thousands of tags name the same few.
  readonly #ids = new Map<string, number>();
  readonly #places = new Map<string, number>();

  constructor(p: Principal, parts: Parts, connectionId: (name: string, kind: string) => number) {
    this.#p = p;
    this.#parts = parts;
    this.#connectionId = connectionId;
  }

  do(step: Step): void {
    const { models, connections, equipment } = this.#parts;
    const p = this.#p;
    switch (step.entity) {
      case "enterprise": {
        const root = equipment.get(p, equipment.root(p.tenant));
        equipment.change(p, root.id, { name: step.after }, root.revision);
        return;
      }
      case "model":
        if (step.action === "create") models.publish(p, step.after);
        else models.withdraw(p, modelKey(step.before));
        return;
      case "equipment":
        this.#equipment(step);
        this.#places.clear();
        return;
      case "connection":
        if (step.action === "remove") connections.undeclare(p, this.#idOf(step.before.name));
        else connections.declare(p, step.after, this.#connectionId);
        return;
      case "tag":
        this.#tag(step.connection, step.action === "remove" ? step.before : step.after, step.action !== "remove");
        return;
      case "binding":
        this.#binding(step);
    }
  }

  #equipment(step: Step & { entity: "equipment" }): void {
    const { equipment, models } = this.#parts;
    const p = this.#p;
    if (step.action === "remove") {
      equipment.remove(p, this.#place(step.before.path));
      return;
    }
    const { path, level, lifecycle = "productive", model } = step.after;
    if (model !== undefined && models.get(p.tenant, model) === null) throw notFound("model", model);
    const cut = path.lastIndexOf("/");
    const name = path.slice(cut + 1);
    const parentPath = path.slice(0, Math.max(0, cut));
    if (step.action === "create") {
      const parent = parentPath === "" ? {} : { parentId: this.#place(parentPath) };
      equipment.create(p, { level, name, lifecycle, model, ...parent });
      return;
    }
    const before = equipment.get(p, this.#place(step.before.path));
    // The parent is named only when it changes: it may stand outside of the scope.
    const stays = parentPath === step.before.path.slice(0, Math.max(0, step.before.path.lastIndexOf("/")));
    const parentId = parentPath === "" ? equipment.root(p.tenant) : this.#place(parentPath);
    equipment.change(
      p,
      before.id,
      { name, lifecycle, model: model ?? null, ...(stays ? {} : { parentId }) },
      before.revision,
    );
  }

  #tag(connection: string, tag: TagEntry, stays: boolean): void {
    const id = this.#idOf(connection);
    const { name = null, unit = null, class: sampling = null, options = null, behaviour = null } = tag;
    const equipmentId = tag.equipment === undefined || !stays ? null : this.#place(tag.equipment);
    const said: Declaration | null = stays ? { name, unit, equipmentId, class: sampling, options, behaviour } : null;
    this.#parts.tags.declare(this.#p, id, tag.address, this.#rawTag(id, tag.address), said);
  }

  #binding(step: Step & { entity: "binding" }): void {
    const { bindings } = this.#parts;
    const connectionId = this.#idOf(step.connection);
    const of = (placed: PlacedBinding): [Binding, { path: string; tagId: number | null }] => [
      {
        connectionId,
        address: step.address,
        equipmentId: this.#place(placed.equipment),
        property: placed.property,
        validFromUs: timeOf(placed.validFrom),
        validToUs: timeOf(placed.validTo),
        mapping: placed.mapping ?? null,
      },
      { path: placed.equipment, tagId: this.#rawTag(connectionId, step.address) },
    ];
    if (step.action === "remove") bindings.remove(this.#p, ...of(step.before));
    else bindings.put(this.#p, ...of(step.after));
  }

  #idOf(connection: string): number {
    const id = this.#ids.get(connection) ?? this.#parts.connections.idOf(this.#p.tenant, connection);
    if (id === null) throw notFound("connection", connection);
    this.#ids.set(connection, id);
    return id;
  }

  #place(path: string): number {
    const known = this.#places.get(path);
    if (known !== undefined) return known;
    const id = this.#parts.equipment.idAt(this.#p.tenant, path);
    if (id === null || !this.#parts.directory.seesEquipment(this.#p, id)) throw notFound("equipment", path);
    this.#places.set(path, id);
    return id;
  }

  #rawTag(connectionId: number, address: string): number | null {
    let known = this.#addresses.get(connectionId);
    if (known === undefined) {
      known = this.#parts.tags.byAddress(connectionId);
      this.#addresses.set(connectionId, known);
    }
    return known.get(address) ?? null;
  }
}

const timeOf = (text: string | undefined): number | null => (text === undefined ? null : parseTimeUs(text));

/** Says of a refusal which step met it, and where that stands. */
function attempt(step: Step, wanted: Configuration, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const message = `Cannot ${step.action} ${step.entity} ${JSON.stringify(nameOf(step))}: ${error.message}`;
    const { code } = error;
    const errors = [{ path: pointerOf(step, wanted), message: error.message, code }];
    throw new ProblemError(code, message, { cause: error, errors });
  }
}

/** Rows of the journal hold what stood below a renamed parent with its path of then: paths follow from parents. */
function withPaths(rows: ConfigurationParts["equipment"]): ConfigurationParts["equipment"] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const pathOf = (row: (typeof rows)[number]): string => {
    if (row.parentId === null) return "";
    const parent = byId.get(row.parentId);
    const above = parent === undefined ? "" : pathOf(parent);
    return above === "" ? row.name : `${above}/${row.name}`;
  };
  return rows.map((row) => ({ ...row, path: pathOf(row) }));
}
