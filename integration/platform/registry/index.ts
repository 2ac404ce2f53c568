import { randomBytes } from "node:crypto";
import { type Principal, ProblemError } from "@lineshaft/contract/api";
import type { Clock, Registry } from "@lineshaft/contract/ports";
import { MasterDataStore } from "../context/master-data.ts";
import { createCursors } from "../sqlite/cursor.ts";
import { openDatabase, type Sql } from "../sqlite/open.ts";
import { notFound } from "./access.ts";
import { Bindings } from "./bindings.ts";
import { ConfigurationStore } from "./configuration.ts";
import { Connections } from "./connections.ts";
import { Directory } from "./directory.ts";
import { EquipmentTree } from "./equipment.ts";
import { Journal } from "./journal.ts";
import { Keys } from "./keys.ts";
import { Models } from "./models.ts";
import { migrations } from "./schema.ts";
import { standardBindings } from "./standard-bindings.ts";
import { Tags } from "./tags.ts";
import { othersServed } from "./turns.ts";

export { othersServed, paced } from "./turns.ts";

/** The tenant of an installation that has one. */
const firstTenant = 1;

/**
 * The embedded Registry: one SQLite file, synced on every commit, with one owner (adr/0004). What people decided is truth here;
 * raw tags and connections that came with data are a view of the log, applied up to `appliedLsn`.
 * Throws `data_dir_locked`, `data_dir_version`, `storage_unavailable`.
 */
export function openRegistry(options: {
  path: string;
  clock: Clock;
  /** How often it notes at most that the log held nothing for it: each time costs a sync on this thread. Default 30 s. */
  advanceEveryMs?: number;
  /** Chance as a parameter; the default is the system's. */
  random?: (bytes: number) => Uint8Array;
  /** Of the fault tests (K9). */
  crashPoint?: (name: string) => void;
}): Registry {
  const { path, clock, random = randomBytes, advanceEveryMs = 30_000, crashPoint } = options;
  const db = openDatabase({ path, migrations, durability: "synced" });
  const { sql } = db;
  const getSetting = (name: string): string | null =>
    (sql.prepare("SELECT value FROM setting WHERE name = ?").pluck().get(name) as string | undefined) ?? null;
  const setSetting = (name: string, value: string): void => {
    db.write(() => {
      sql
        .prepare("INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")
        .run(name, value);
    });
  };
  if (getSetting("cursorKey") === null) setSetting("cursorKey", Buffer.from(random(32)).toString("base64"));

  const journal = new Journal(sql);
  const directory = new Directory();
  const cursors = createCursors(Buffer.from(getSetting("cursorKey") as string, "base64"));
  const parts = { db, clock, journal, directory, cursors };
  const keys = new Keys(parts);
  const connections = new Connections(parts);
  const tags = new Tags({ ...parts, connections, advanceEveryMs });
  const equipment = new EquipmentTree({
    ...parts,
    usesOf: (tenant, id, path) => usesOf({ sql, connections, keys }, tenant, id, path),
    scopesFollow: (p, from, to) => {
      keys.scopesFollow(p, from, to);
      return connections.scopesFollow(p, from, to);
    },
  });
  equipment.root(firstTenant);
  const models = new Models(parts);
  const bindings = new Bindings(parts);
  const configuration = new ConfigurationStore({
    ...parts,
    crashPoint,
    pause: othersServed,
    equipment,
    connections,
    tags,
    models,
    bindings,
  });

  return {
    get revision() {
      return journal.decided;
    },
    get setUpRevision() {
      return journal.setUp;
    },
    settled: async <T>(work?: () => T) => {
      while (db.busy !== null) await db.busy;
      return work?.() as T;
    },
    get appliedLsn() {
      return tags.appliedLsn;
    },
    applyRegistrations: (records, forMs = Number.POSITIVE_INFINITY) => tags.apply(records, forMs),
    advance: (lsn) => tags.advance(lsn),
    noteUnits: (tenant, connectionId, units) => tags.noteUnits(tenant, connectionId, units),
    noteTypes: (connectionId, changes) => tags.noteTypes(connectionId, changes),
    allTags: () => tags.all(),
    allConnections: () => connections.all(),

    listEquipment: (p, q) => equipment.list(p, q),
    getEquipment: (p, id) => equipment.get(p, id),
    createEquipment: (p, item) => equipment.create(p, item),
    equipmentAt: (p, id, atUs) => equipment.at(p, id, atUs),
    lifecycle: (p, id, asOf) => equipment.lifecycle(p, id, asOf === undefined ? undefined : journal.revisionAt(asOf)),
    changeEquipment: (p, id, change, revision) => {
      if (change.model !== undefined) checkModel(p, change.model, models, bindings.of(id));
      return equipment.change(p, id, change, revision);
    },

    listTags: (p, q) => tags.list(p, q),
    getTag: (p, id) => tags.get(p, id),
    changeTag: (p, id, change, revision) => tags.change(p, id, change, revision),
    readableTags: (p, ids) => tags.readable(p, ids),
    tagsUnder: (p, under) => tags.assignedTo(p, equipment.idsUnder(p.tenant, equipment.resolvePath(p, under))),
    createConnection: (p, row) => connections.create(p, row),

    configuration: (p) => configuration.read(p),
    configurationAt: (p, revision) => configuration.at(p, revision),
    configurationRevisions: (p, q) => configuration.revisions(p, q),
    applyConfiguration: (p, wanted, revision, connectionId) => configuration.apply(p, wanted, revision, connectionId),
    connectionSpecs: () => configuration.specs(),
    standardBindings: () => ({ revision: journal.decided, items: standardBindings(sql) }),

    masterData: new MasterDataStore(parts),

    insertKey: (p, key) => keys.insert(p, key),
    findKey: (id) => keys.find(id),
    listKeys: (p, q) => keys.list(p, q),
    revokeKey: (p, id, atUs) => keys.revoke(p, id, atUs),
    touchKey: (id, atUs) => {
      if (db.busy === null) keys.touch(id, atUs);
    },
    getSetting,
    setSetting,

    // What is not decided yet must not be told.
    outbox: (limit) => (db.busy === null ? journal.outbox(limit) : []),
    // Redone from the outbox if a power cut undoes it; the host drops the repeat by its revision.
    stampLsn: (revisions) => db.writeRelaxed(() => journal.stamp(revisions)),
    // Revision 0 came out of the log, so it is in it.
    lsnOf: (revision) => (revision === 0 ? tags.appliedLsn : journal.lsnOf(revision)),
    close: () => db.close(),
  };
}

/** There must be such a model, and it must have every property that a tag is bound to. */
function checkModel(p: Principal, name: string | null, models: Models, bound: readonly { property: string }[]): void {
  const model = name === null ? null : models.get(p.tenant, name);
  if (name !== null && model === null) throw notFound("model", name);
  const missing = bound.find(({ property }) => model?.properties.some((each) => each.name === property) !== true);
  if (missing !== undefined)
    throw new ProblemError(
      "reference_unknown",
      `A tag is bound to ${missing.property}, which ${name ?? "equipment without a model"} does not have.`,
    );
}

/** What keeps an equipment from being removed, in words; at most a few of each. */
function usesOf(
  { sql, connections, keys }: { sql: Sql; connections: Connections; keys: Keys },
  tenant: number,
  id: number,
  path: string,
): string[] {
  const names = (query: string): string[] => sql.prepare(query).pluck().all(id) as string[];
  const scoped = keys.scopedUnder(tenant, path);
  return [
    ...names("SELECT 'the equipment ' || path FROM equipment WHERE parent_id = ? AND removed = 0 LIMIT 3"),
    ...names("SELECT 'the tag ' || address FROM declared_tag WHERE equipment_id = ? LIMIT 3"),
    ...names("SELECT 'a binding of ' || address FROM binding WHERE equipment_id = ? LIMIT 3"),
    ...connections
      .declaredUnder(tenant, path)
      .slice(0, 3)
      .map((name) => `the connection ${name}`),
    ...(scoped === 0 ? [] : [`the scope of ${scoped} API ${scoped === 1 ? "key" : "keys"}`]),
  ];
}
