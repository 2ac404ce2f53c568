import type {
  AlarmInterval,
  AlarmTransition,
  ApiKey,
  Cells,
  Columns,
  Connection,
  EquipmentNow,
  EventType,
  Executions,
  Gap,
  IdentifierFinding,
  IdentifierTransition,
  LastValue,
  MachineFacts,
  MachineStop,
  MappingErrors,
  Micros,
  NewApiKey,
  NewTag,
  OrderProgress,
  Principal,
  RawTag,
  RejectedItem,
  StateColumns,
  SystemStatus,
  TimeClass,
  Work,
} from "../api/index.ts";
import type { Frame, Lsn } from "./log.ts";
import type { Page, Written } from "./registry.ts";

/** Newest value of each tag, in typed arrays on the main thread; a view of the log, rebuilt from snapshot + log. */
export interface LastValues {
  get(tags: readonly number[]): LastValue[];
}

/** Rejected items and gaps, kept for people to look at; a view of the log with its own bounded store. */
export interface Ledger {
  readonly appliedLsn: Lsn;
  /** What was kept up to here survives a power cut: the log is pinned behind it. */
  readonly syncedLsn: Lsn;
  /** Keeps `rejected` and `gap` frames; idempotent by LSN. */
  apply(frames: Frame[]): void;
  listRejected(
    p: Principal,
    q: { connection?: string; code?: string; limit?: number; cursor?: string },
  ): Page<RejectedItem> & {
    groups: { code: string; connection: string | null; items: number; points: number; lastUs: Micros }[];
  };
  getRejected(p: Principal, id: number): RejectedItem;
  listGaps(p: Principal, q: { limit?: number; cursor?: string }): Page<Gap>;
  close(): void;
}

/** The facts of one machine, and how far they go. */
export interface MachineAnswer {
  facts: MachineFacts;
  /** Nothing earlier is expected any more; null: nothing is known of what feeds the machine. */
  watermarkUs: Micros | null;
  /** What lies before this changes only if something comes late. */
  finalBeforeUs: Micros | null;
  /** Something has changed in the past, and its repair is under way. */
  repairing: boolean;
}

/**
 * Why facts changed. `points`: they came in their order. The others changed the past: late points, corrections, what is known of lost data, what tags mean, the ideal
 * cycle that two-pulse machines are judged by.
 */
export type FactsCause = "points" | "late" | "corrected" | "gap" | "mapping" | "idealCycle";

/** Of which facts: states and counts are one, since every KPI rests on both. */
export type FactsKind = "production" | "alarms" | "identifiers";

/** Whatever was computed from facts of a machine that meet [fromUs, toUs], both ends included, is to be computed again. Micro stops and estimated counts around are in it. */
export interface FactsChange {
  equipmentId: number;
  what: FactsKind;
  /** −Infinity: since ever. */
  fromUs: Micros;
  /** Infinity: until further notice. */
  toUs: Micros;
  cause: FactsCause;
  /** The record in the log that brought it about; of several the newest. */
  lsn: Lsn;
}

/** How far the facts of a machine go. */
export interface FactsProgress {
  equipmentId: number;
  /** Start of the first hour that has states or counts; null: there are none. */
  fromUs: Micros | null;
  watermarkUs: Micros;
  finalBeforeUs: Micros;
  /** Something has changed in the past, and its repair is under way. */
  repairing: boolean;
}

/** What machines did: a view of the log, derived from raw points by what their tags mean. */
export interface Facts {
  /** What is answered, and was told, rests on the log up to here. */
  readonly appliedLsn: Lsn;
  machine(equipmentId: number, from: Micros, to: Micros): MachineAnswer;
  /**
   * Of each identifier property what holds at `from`, then each change with from < t < to. Ascending by t; one entry an instant and property, never two equal values of a property in
   * a row. Of several tags of one property the first that knows a value speaks.
   */
  identifiers(equipmentId: number, from: Micros, to: Micros): IdentifierTransition[];
  /** The same of alarm tags, each by itself. */
  alarms(equipmentId: number, from: Micros, to: Micros): AlarmTransition[];
  /** Its states alone: over a long range they are cheap where counts are not. */
  states(equipmentId: number, from: Micros, to: Micros): StateColumns;
  /** Alarms that were active at any time of [from, to), of each tag in their order. What a mapping says of one is as it was when it began, or at `from`. */
  alarmIntervals(equipmentId: number, from: Micros, to: Micros): AlarmInterval[];
  /** Equipment with alarm tags, ascending. */
  alarmEquipment(): number[];
  /** Tags with values that their mapping says nothing of. */
  mappingErrors(): MappingErrors[];
  /** null: nothing is known of what feeds the machine. */
  progress(equipmentId: number): FactsProgress | null;
  /**
   * Tells what changed, once the new facts can be read; what the start derives again is no change. A listener returns at once and does not throw. The answer ends it.
   */
  onChanged(listener: (changes: readonly FactsChange[]) => void): () => void;
  /** Tells whose watermark has moved, about once a second. */
  onProgress(listener: (progress: readonly FactsProgress[]) => void): () => void;
}

/** Facts as they were published: by what the log had told of them then. */
export interface ToldFacts {
  /**
   * The facts of a machine as they stood at `asOf`, a place in the log or a time; up to `finalBeforeUs` something had been told. Throws `as_of_invalid`, and `as_of_expired` where it is kept no
   * more.
   */
  machine(
    equipmentId: number,
    from: Micros,
    to: Micros,
    asOf: string,
  ): Promise<MachineAnswer & { alarms: AlarmTransition[]; identifiers: IdentifierTransition[] }>;
}

/** What machines did under their orders, shifts and reasons: what every KPI is a sum of. */
export interface CellSource {
  /**
   * The cells of a work unit from the grid line at or before `from` to the one at or after `to`, or until its watermark. Numbers are the same for all who may see the
   * equipment. Throws `not_found`.
   */
  cells(p: Principal, equipmentId: number, from: Micros, to: Micros, asOf?: Lsn): Cells;
  /** The stops and the unknown time of a work unit in a range, in order, with their parts in it. None, where none lasts `leastUs` in it. */
  stops(
    p: Principal,
    equipmentId: number,
    from: Micros,
    to: Micros,
    more?: { leastUs?: Micros; asOf?: Lsn },
  ): Omit<MachineStop, "us" | "comments">[];
}

export interface StopQuery {
  /** Default: planned time that stands still. */
  timeClasses?: readonly TimeClass[];
  reasons?: readonly number[];
  micro?: "only" | "without";
  leastUs?: Micros;
  sort?: "longest" | "newest";
  limit: number;
}

/** Stops of many machines. */
export interface StopSource {
  /** Of the machines at and below an equipment, as far as they are in scope. Throws `not_found`. */
  stops(
    p: Principal,
    equipmentId: number,
    window: { from: Micros; to: Micros },
    q: StopQuery,
  ): Promise<{ items: MachineStop[]; total: number; us: Micros }>;
}

/** What a machine works at, for whoever stands before it. */
export interface WorkSource {
  /** With its stops of the last `spanUs`. Throws `not_found`. */
  work(p: Principal, equipmentId: number, spanUs: Micros): Work;
  /** What ran on it in [fromUs, toUs), booked or told by the machine. Throws `not_found`. */
  executions(p: Principal, equipmentId: number, fromUs: Micros, toUs: Micros, asOf?: Lsn): Executions;
  /** How far orders are: those that are named, as far as `p` may see them, else a page of all. Made order by order; others have their turn between. */
  progress(
    p: Principal,
    q: { orders?: readonly string[]; limit?: number; cursor?: string },
  ): Promise<Page<OrderProgress> & { atUs: Micros }>;
  /** Values of identifiers that nobody knows, of all machines that `p` may see. */
  identifierFindings(p: Principal): IdentifierFinding[];
}

/** What many equipments are doing just now. */
export interface NowSource {
  /** By path. Equipment that is retired, unknown or out of scope is left out. Throws `not_found` for a path that is none. */
  now(
    p: Principal,
    q: {
      below?: string;
      equipmentIds?: readonly number[];
      application?: string;
      limit?: number;
      cursor?: string;
    },
  ): Page<EquipmentNow> & { atUs: Micros };
  /** What numbers should reach at a time. Equipment that is unknown or out of scope is left out. */
  targets(
    p: Principal,
    equipmentIds: readonly number[],
    atUs: Micros,
  ): { equipmentId: number; targets: Record<string, number> }[];
}

/** Moves registry changes into the log. */
export interface Outbox {
  /** The LSN of a registry revision, once its record is durable. */
  published(revision: number): Promise<Lsn>;
}

/** Who is asking. Throws ProblemError auth_missing, auth_invalid, key_expired, key_revoked, auth_throttled. */
export interface Identity {
  /** From an `Authorization` header or a session cookie value. */
  authenticate(credential: { authorization?: string; session?: string; address: string }): Principal;
  /**
   * Admin secret or API key to a session cookie value. With `key` it holds as long as the key, over restarts of the server; only for keys that read or book: `forbidden` else.
   */
  signIn(
    secret: string,
    address: string,
    lasts?: "visit" | "key",
  ): { session: string; principal: Principal; maxAgeSeconds: number };
  signOut(session: string): void;
  createKey(p: Principal, key: NewApiKey): { key: ApiKey; secret: string };
  revokeKey(p: Principal, id: string): ApiKey;
  /** The key with this id as it stands now; null: there is none, or it is revoked or has expired. For those who prove it in another way than by its secret. */
  keyById(id: string): Principal | null;
  /** Is the principal still what it was? Streams ask every few seconds. */
  stillValid(p: Principal): boolean;
}

/** One item of the event source: a record as the stream serves it, or a chunk of history during a replay. */
export interface EventItem {
  type: EventType;
  lsn: Lsn | null;
  /** Give it to `open` to continue after this item. */
  cursor: string;
  recordedTime: Micros;
  connectionId: number;
  late: boolean;
  corrected: number[];
  /** Points, already filtered; null for other types. */
  columns: Columns | null;
  /** The encoded columnar block of exactly `columns`, where it can be passed on as it is. */
  block: Uint8Array | null;
  /** Other types: their JSON data. */
  data: Record<string, unknown> | null;
}

export interface EventSource {
  /**
   * Start by cursor, by time (history first, hands over to live without gap or repeat) or now. `accept` filters points by tag (null: all); `tags` is the
   * same as a list where it is known, so that history need not read the rest. Throws cursor_invalid, cursor_foreign, cursor_expired.
   */
  open(
    tenant: number,
    start: { cursor: string } | { fromUs: Micros } | "now",
    filter: { types: ReadonlySet<EventType>; accept: ((tag: number) => boolean) | null; tags: number[] | null },
  ): Promise<EventReader>;
}

export interface EventReader {
  /** At least one item, about `maxBytes` at most. Advances `cursor` also past records that the filter left out. */
  next(maxBytes: number, signal: AbortSignal): Promise<EventItem[]>;
  /** Where the reader stands; a filtered stream tells it now and then, so that resuming is cheap. */
  readonly cursor: string;
  close(): void;
}

/** Live view on connections, and the writes that touch ingest's own directory of tags. */
export interface ConnectionService {
  list(p: Principal, q: { limit?: number; cursor?: string }): Page<Connection>;
  get(p: Principal, name: string): Connection;
  create(
    p: Principal,
    item: { name: string; kind: "http"; scope: string; corrections: boolean; tagQuota: number },
  ): Written<Connection>;
  /** Ids for addresses; registers unknown ones durably. `id` null: refused with `fault`. */
  resolve(
    p: Principal,
    connection: string,
    addresses: string[],
  ): Promise<{ ids: (number | null)[]; faults: { index: number; code: string; detail: string }[] }>;
  createTag(p: Principal, item: NewTag): Promise<Written<RawTag>>;
  sourceCursor(
    p: Principal,
    connection: string,
  ): { sourceCursor: string | null; generation: number | null; sequence: number | null };
  /** Throws not_found or forbidden unless `p` may ingest into it (it may be created by its first batch). */
  authorizeIngest(p: Principal, connection: string): void;
}

export interface SystemService {
  status(): SystemStatus;
  /** Prometheus text of the one table of metrics. */
  metrics(): Promise<string>;
  /** Ready = log writable, history reading. */
  ready(): { ready: boolean; reasons: string[] };
}
