import type {
  ApiKey,
  ConditionRow,
  Configuration,
  ConfigurationRevision,
  ConnectionSpec,
  CountKind,
  Equipment,
  EquipmentChange,
  Mapping,
  Micros,
  NewEquipment,
  NewTag,
  Plan,
  Principal,
  PropertyKind,
  PropertyType,
  RawTag,
  Role,
  TagChange,
  ValueType,
} from "../api/index.ts";
import type { Lsn } from "./log.ts";
import type { MasterData } from "./master-data.ts";
import type { RegistryChangedRecord, TagRegisteredRecord } from "./records.ts";

/** A connection as the registry keeps it; live figures are added by ingest. */
export interface ConnectionRow {
  id: number;
  name: string;
  kind: string;
  scope: string;
  corrections: boolean;
  tagQuota: number;
  revision: number;
}

/** A raw tag that tells a state, a count, alarms or an identifier of an equipment, for a time. */
export interface StandardBinding {
  tenant: number;
  tagId: number;
  connectionId: number;
  equipmentId: number;
  property: string;
  kind: Exclude<PropertyKind, "processValue">;
  counts: CountKind | null;
  validFromUs: Micros | null;
  validToUs: Micros | null;
  /** The binding's, else the property's, else what its `enum` says; `{}` when nobody says anything. */
  mapping: Mapping;
  /** Where conditions tell the property: which of their names the tag stands for. Absent: the tag tells it alone. */
  joint?: JointPart;
}

/** One of the tags that conditions speak of. */
export interface JointPart {
  name: string;
  conditions: ConditionRow[];
  /** All names of the conditions, bound or not, with the types of their values. */
  types: Record<string, PropertyType>;
}

export interface Written<T> {
  item: T;
  revision: number;
}

/** What applying a configuration came to. */
export interface AppliedConfiguration {
  plan: Plan;
  /** The revision of the configuration after it; the one before when nothing changed. */
  revision: number;
  /** Connections as they are now, those that it created, changed or no longer declares. */
  connections: (ConnectionRow & { tenant: number })[];
}

export interface Page<T> {
  items: T[];
  /** Opaque; null: no more. */
  cursor: string | null;
}

/** Names that a source brought, as the log has them. */
export interface Registration {
  lsn: Lsn;
  recordedTime: number;
  tenant: number;
  record: TagRegisteredRecord;
}

/**
 * What people decide, and the names that sources brought. Each change is one revision with an outbox row in the same transaction;
 * `drain` moves outbox rows into the log, and `stampLsn` closes the circle, so that a crash anywhere leaves neither a change without
 * its record nor a record twice (the record carries the revision). All reads and writes take a principal and check role and scope: what is out of
 * scope answers like what does not exist. An implementation passes `registryContract` of the testkit.
 */
export interface Registry {
  /** The last one that stands: what `applyConfiguration` is still writing does not count. */
  readonly revision: number;
  /** No revision after it has touched anything but master data: connections, tags and equipment are as they were then. */
  readonly setUpRevision: number;
  /**
   * No configuration is being applied any more. Until then writes are refused (`overloaded`), and reads may see what is not decided yet: wait for it before a request or a
   * round of work. `work` is done at that instant, before another one begins.
   */
  settled(): Promise<void>;
  settled<T>(work: () => T): Promise<T>;
  /** Greatest LSN of `tagRegistered` records applied. */
  readonly appliedLsn: Lsn;

  /**
   * Applies tag registrations from the log; idempotent by LSN, and by tag where a crash left a record half applied. Works for about `forMs`, by default until it is done; false:
   * it is not done, and is to be called again with the same records. `appliedLsn` moves when all are applied.
   */
  applyRegistrations(records: readonly Registration[], forMs?: number): boolean;
  /** Advances `appliedLsn` when there was nothing to apply, now and then: it costs a sync. */
  advance(lsn: Lsn): void;
  /**
   * What a source says of its tags' units, by raw tag id, kept apart from what people decide, which wins. Writes only what is another unit than before, and
   * tells it as changes of the entity `sourceUnit`: no part of the configuration. Ids that are not known are passed over.
   */
  noteUnits(tenant: number, connectionId: number, units: ReadonlyMap<number, string>): void;
  /**
   * The values of tags have become of another type than before, by raw tag id. Nothing is coerced; it is told as changes of the entity `sourceType`, no part of
   * the configuration, and what was told before is not told again.
   */
  noteTypes(connectionId: number, changes: ReadonlyMap<number, { before: ValueType; type: ValueType }>): void;

  /** For start-up: all tags and connections, in id order. */
  allTags(): Iterable<{ id: number; connectionId: number; address: string; equipmentId: number | null }>;
  allConnections(): (ConnectionRow & { tenant: number })[];

  listEquipment(
    p: Principal,
    q: { under?: string; parentId?: number; limit?: number; cursor?: string },
  ): Page<Equipment>;
  getEquipment(p: Principal, id: number): Equipment;
  createEquipment(p: Principal, item: NewEquipment): Written<Equipment>;
  /** As it was at a time on the floor, by what is known now. */
  equipmentAt(p: Principal, id: number, atUs: Micros): Equipment;
  /** In which state of its life it was, from ever to for ever without gap; `asOf`: by what was known at that place in the log. */
  lifecycle(p: Principal, id: number, asOf?: Lsn): { fromUs: Micros; toUs: Micros; state: Equipment["lifecycle"] }[];
  /**
   * `revision` from If-Match: ProblemError `revision_conflict` when it is not the current one. The change holds from `validFromUs` on (default: now; not
   * later); each attribute has its own line of time.
   */
  changeEquipment(
    p: Principal,
    id: number,
    change: Omit<EquipmentChange, "validFrom"> & { validFromUs?: Micros },
    revision: number,
  ): Written<Equipment>;

  listTags(
    p: Principal,
    q: { connection?: string; equipmentId?: number; search?: string; limit?: number; cursor?: string },
  ): Page<RawTag>;
  getTag(p: Principal, id: number): RawTag;
  changeTag(p: Principal, id: number, change: TagChange, revision: number): Written<RawTag>;
  /** The given ids that the principal may read, in the same order. */
  readableTags(p: Principal, ids: number[]): number[];
  /** All tags assigned to equipment at or below `path`. */
  tagsUnder(p: Principal, path: string): number[];

  createConnection(p: Principal, row: Omit<ConnectionRow, "revision">): Written<ConnectionRow>;

  /** What people decided, as far as `p` sees it, in canonical form; secrets are references in it. Needs `configure`. */
  configuration(p: Principal): { configuration: Configuration; revision: number };
  /** The same as it was at a revision. Applying it is how one goes back. */
  configurationAt(p: Principal, revision: number): Configuration;
  configurationRevisions(p: Principal, q: { limit?: number; cursor?: string }): Page<ConfigurationRevision>;
  /**
   * Makes the configuration what is wanted, in one transaction: all of it, with a revision and an outbox row for each thing, or nothing. It gives others of the
   * thread their turn meanwhile (see `settled`).
   * `wanted` has been checked; sections it leaves out stay. `revision_conflict` unless `revision` is current. `connectionId` gives a new connection its number.
   */
  applyConfiguration(
    p: Principal,
    wanted: Configuration,
    revision: number,
    connectionId: (name: string, kind: string) => number,
  ): Promise<AppliedConfiguration>;
  /** What declared connections of all tenants run on, for those who run them. */
  connectionSpecs(): (ConnectionSpec & { id: number; tenant: number })[];
  /** What tags mean, of all tenants, for derivation: each row a tag that has come and a property of another kind than processValue. */
  standardBindings(): { revision: number; items: StandardBinding[] };

  /** Materials, orders, calendars, reasons: no part of the configuration, but of the same revisions, journal and outbox. */
  readonly masterData: MasterData;

  /** Keys, for governance. `hash` is of the secret. */
  insertKey(p: Principal, key: ApiKey & { tenant: number; hash: Uint8Array }): void;
  findKey(id: string): (ApiKey & { tenant: number; hash: Uint8Array }) | null;
  listKeys(p: Principal, q: { limit?: number; cursor?: string }): Page<ApiKey>;
  revokeKey(p: Principal, id: string, atUs: number): ApiKey;
  touchKey(id: string, atUs: number): void;

  /** Small settings of the server itself (admin secret hash, session secret …). */
  getSetting(name: string): string | null;
  setSetting(name: string, value: string): void;

  /** Outbox rows not yet in the log, oldest first. */
  outbox(limit: number): { revision: number; tenant: number; record: RegistryChangedRecord }[];
  stampLsn(revisions: { revision: number; lsn: Lsn }[]): void;
  /** LSN of a revision, null while its record is not durable. Revision 0 is what came out of the log: `appliedLsn`. */
  lsnOf(revision: number): Lsn | null;
  close(): void;
}

export type { NewTag, Role };
