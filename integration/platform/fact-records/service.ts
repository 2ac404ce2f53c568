import {
  type FactRecord,
  type FactToRecord,
  type FactUnit,
  factRecordLimits,
  inScope,
  may,
  type Permission,
  type Principal,
  ProblemError,
} from "@lineshaft/contract/api";
import {
  type Clock,
  decodeJson,
  encodeJson,
  type FactRecordedRecord,
  type FactRecordQuery,
  type FactRecords,
  type FactsRecorded,
  type Frame,
  type Log,
  type Lsn,
  type Page,
  type ProductionTimes,
  placeInLog,
  type Registry,
  recordType,
} from "@lineshaft/contract/ports";
import { lotNamed, relativesOf, type Thing, unitNamed } from "./genealogy.ts";
import { PendingFacts, type PendingVersion } from "./pending.ts";
import { contentOf, type FactFault, faultOf } from "./rules.ts";
import { type FactRecordStore, type ListQuery, openStore, type Sight, type Version } from "./store.ts";

export interface FactRecordsOptions {
  path: string;
  log: Log;
  registry: Pick<Registry, "getEquipment">;
  clock: Clock;
  /** Resolves when the record is applied here. */
  applied(lsn: Lsn): Promise<void>;
  /** How often what was kept is synced; the log is pinned behind it. Default 30 s. */
  syncEveryMs?: number;
  onEvent?(event: { code: string; text: string }): void;
}

const recordBytes = 512 * 1024;
/** Records that wait for the view; more are refused. */
const pendingMax = 100_000;
const defaultPage = 100;

type Entry = FactRecordedRecord["items"][number];
type Verdict =
  | { what: "new"; entry: Entry }
  | { what: "repeat"; of: Version | PendingVersion }
  | { what: "refused"; fault: Omit<FactFault, "path"> & { path?: string } };

export function openFactRecords(options: FactRecordsOptions): FactRecordService {
  return new FactRecordService(options, openStore(options.path, options.onEvent));
}

/** The port `FactRecords`: judged here, durable in the log, kept in SQLite as a view of it. */
export class FactRecordService implements FactRecords {
  readonly #options: FactRecordsOptions;
  readonly #store: FactRecordStore;
  readonly #pending = new PendingFacts();
  readonly production: ProductionTimes;
  /** The last record that was acknowledged to somebody: reads have it in them. */
  #acknowledgedLsn: Lsn = 0;
  #appliedLsn: Lsn;
  #advancedMs = Number.NEGATIVE_INFINITY;
  #syncedMs = Number.NEGATIVE_INFINITY;

  constructor(options: FactRecordsOptions, store: FactRecordStore) {
    this.#options = options;
    this.#store = store;
    this.#appliedLsn = store.appliedLsn;
    this.production = {
      ofSerial: (tenant, equipmentId, serial, asOf) =>
        store.produced({ tenant, asOf: asOf ?? null }, equipmentId, { serial }),
      ofLot: (tenant, equipmentId, lot, asOf) => store.produced({ tenant, asOf: asOf ?? null }, equipmentId, { lot }),
      named: (tenant, id) =>
        store.versions(tenant, id).map(({ equipmentId, item }) => {
          const { serial, lot } = { ...item } as { serial?: string; lot?: string };
          return { equipmentId, serial, lot };
        }),
    };
  }

  get appliedLsn(): Lsn {
    return this.#appliedLsn;
  }

  get syncedLsn(): Lsn {
    return this.#store.syncedLsn;
  }

  /** Frames in LSN order, some of them perhaps for the second time. */
  apply(frames: readonly Frame[]): void {
    const news = frames.filter(({ lsn }) => lsn > this.#store.appliedLsn);
    const last = frames[frames.length - 1].lsn;
    const nowMs = this.#options.clock.monotonicMs();
    const own = news.filter(({ type }) => type === recordType.factRecorded);
    // Most of the log is points: their LSNs are noted once a second, not with a transaction each.
    if (own.length > 0 || (news.length > 0 && nowMs - this.#advancedMs >= 1000)) {
      const records = own.map(({ tenant, lsn, recordedTime, payload }) => ({
        ...{ tenant, lsn, recordedTime },
        record: decodeJson<FactRecordedRecord>(payload),
      }));
      this.#store.apply(records, last);
      for (const { tenant, record } of records)
        this.#pending.applied(tenant, new Set(record.items.map(({ item }) => item.id)), last);
      this.#advancedMs = nowMs;
    }
    this.#appliedLsn = Math.max(this.#appliedLsn, last);
    if (nowMs - this.#syncedMs < (this.#options.syncEveryMs ?? 30_000)) return;
    this.#store.sync();
    this.#syncedMs = nowMs;
  }

  close(): void {
    this.#store.close();
  }

  async record(p: Principal, items: readonly FactToRecord[]): Promise<FactsRecorded> {
    demand(p, "record");
    const faults: FactsRecorded["faults"] = [];
    const entries: Entry[] = [];
    const own: PendingVersion[] = [];
    const waits: Promise<unknown>[] = [];
    let repeated = 0;
    if (this.#pending.size + items.length > pendingMax)
      throw new ProblemError("overloaded", `${this.#pending.size} records wait to be kept.`, { retryAfterSeconds: 1 });
    const pathOf = this.#paths(p);
    for (const [index, item] of items.entries()) {
      const verdict = this.#judge(p, item, pathOf);
      if (verdict.what === "refused") faults.push({ index, ...verdict.fault });
      else if (verdict.what === "repeat") {
        repeated++;
        if ("durable" in verdict.of && !own.includes(verdict.of)) waits.push(verdict.of.durable);
      } else {
        const { retracts, equipmentId } = verdict.entry;
        const kind = item.kind === "retraction" ? (retracts as Version["kind"]) : item.kind;
        entries.push(verdict.entry);
        own.push(this.#pending.add(p.tenant, item, { kind, equipmentId }));
      }
    }
    const lsn = this.#append(p, entries, own, waits);
    try {
      await Promise.all(waits);
    } catch (error) {
      this.#pending.drop(p.tenant, own);
      throw error;
    }
    if (lsn !== null) this.#acknowledgedLsn = Math.max(this.#acknowledgedLsn, lsn);
    return { recorded: entries.length, repeated, lsn, faults };
  }

  async list(p: Principal, { cursor, limit = defaultPage, asOf, ...q }: FactRecordQuery): Promise<Page<FactRecord>> {
    const sight = await this.#sight(p, asOf);
    if (q.equipmentId !== undefined) this.#options.registry.getEquipment(p, q.equipmentId);
    const { records, last, more } = this.#store.list(sight, { ...q, after: positionOf(cursor), limit });
    return { items: records, cursor: more && last !== null ? `${last.toUs},${last.row}` : null };
  }

  async revisions(p: Principal, id: string): ReturnType<FactRecords["revisions"]> {
    const items = this.#store.revisions(await this.#sight(p, undefined), id);
    if (items.length === 0) throw new ProblemError("not_found", "There is no such record that you may see.");
    return { items, retracted: this.#store.versions(p.tenant, id)[0].retraction };
  }

  async unit(p: Principal, serial: string, asOf?: Lsn): Promise<FactUnit> {
    const sight = await this.#sight(p, asOf);
    return { serial, ...this.#about(sight, { serial }, unitNamed(serial)) };
  }

  async lot(p: Principal, lot: string, asOf?: Lsn): ReturnType<FactRecords["lot"]> {
    const sight = await this.#sight(p, asOf);
    return { lot, totals: this.#store.totals(sight, lot), ...this.#about(sight, { lot }, lotNamed(lot)) };
  }

  placeOf(asOf: string): Lsn {
    return placeInLog(asOf, { ...this.#options, lsnAt: (time) => this.#store.lsnAt(time) });
  }

  /** Throws `not_found` where nothing that is in sight says anything of it. */
  #about(sight: Sight, of: { serial: string } | { lot: string }, thing: Thing): Omit<FactUnit, "serial"> {
    const listed = (kind: ListQuery["kind"]) => {
      const { records, more } = this.#store.list(sight, { ...of, kind, after: null, limit: factRecordLimits.listed });
      return { items: records, more };
    };
    const relatives = (direction: "madeOf" | "wentInto") =>
      relativesOf(thing, (each, limit) => this.#store.next(sight, each, direction, limit));
    const about = {
      produced: listed("unitProduced"),
      consumed: listed("lotConsumption"),
      tests: listed("testResult"),
      samples: listed("qualitySample"),
      madeOf: relatives("madeOf"),
      wentInto: relatives("wentInto"),
    };
    if (Object.values(about).every(({ items }) => items.length === 0))
      throw new ProblemError("not_found", "There is no such unit or lot that you may see.");
    return about;
  }

  #judge(p: Principal, item: FactToRecord, pathOf: (equipmentId: number) => string | null): Verdict {
    const refused = (code: FactFault["code"], detail: string, path?: string): Verdict => ({
      what: "refused",
      fault: { code, detail, ...(path === undefined ? {} : { path }) },
    });
    const versions = this.#versions(p.tenant, item.id);
    const [known] = versions;
    const conflict = (): Verdict =>
      refused("record_conflict", `The id ${JSON.stringify(item.id)} is known with other content.`, "/id");
    // What is out of sight is told of no more than that its id is taken.
    if (known !== undefined && pathOf(known.equipmentId) === null) return conflict();
    const revision = item.revision ?? 0;
    const same = versions.find((each) => each.revision === revision);
    if (same !== undefined) return contentOf(same.item) === contentOf(item) ? { what: "repeat", of: same } : conflict();
    if (known !== undefined && revision < known.revision) return conflict();
    if (item.kind === "retraction") {
      if (known === undefined || known.retraction)
        return refused("record_unknown", `Nothing is recorded as ${JSON.stringify(item.id)}.`, "/id");
      const { kind, equipmentId } = known;
      return { what: "new", entry: { item, retracts: kind, equipmentId, path: pathOf(equipmentId) as string } };
    }
    const path = pathOf(item.equipmentId);
    if (path === null)
      return refused(
        "equipment_unknown",
        `There is no equipment ${item.equipmentId} that you may see.`,
        "/equipmentId",
      );
    const fault = faultOf(item, this.#options.clock.nowUs());
    if (fault !== null) return { what: "refused", fault };
    return { what: "new", entry: { item, equipmentId: item.equipmentId, path } };
  }

  /** Of an id, the newest first. */
  #versions(tenant: number, id: string): readonly (Version | PendingVersion)[] {
    return [...this.#pending.of(tenant, id), ...this.#store.versions(tenant, id)];
  }

  /** In records of bounded size; the last one's place, null where there is nothing. */
  #append(
    p: Principal,
    entries: readonly Entry[],
    own: readonly PendingVersion[],
    waits: Promise<unknown>[],
  ): Lsn | null {
    let last: Lsn | null = null;
    let from = 0;
    let bytes = 0;
    for (const [i, entry] of entries.entries()) {
      bytes += 200 + JSON.stringify(entry).length;
      if (bytes < recordBytes && i < entries.length - 1) continue;
      const record: FactRecordedRecord = { by: p.name, items: entries.slice(from, i + 1) };
      const { lsn, durable } = this.#options.log.append({
        ...{ tenant: p.tenant, partition: 0, type: recordType.factRecorded },
        payload: encodeJson(record),
      });
      for (const version of own.slice(from, i + 1)) Object.assign(version, { lsn, durable });
      waits.push(durable);
      last = lsn;
      from = i + 1;
      bytes = 0;
    }
    return last;
  }

  #paths(p: Principal): (equipmentId: number) => string | null {
    const known = new Map<number, string | null>();
    return (equipmentId) => {
      let path = known.get(equipmentId);
      if (path === undefined) {
        path = this.#pathOf(p, equipmentId);
        known.set(equipmentId, path);
      }
      return path;
    };
  }

  #pathOf(p: Principal, equipmentId: number): string | null {
    try {
      // Whoever only records may not read what stands where, and is held to its scope all the same.
      const { path } = this.#options.registry.getEquipment({ ...p, role: "admin", scopes: [""] }, equipmentId);
      return inScope(p, path) ? path : null;
    } catch (error) {
      if (error instanceof ProblemError && error.code === "not_found") return null;
      throw error;
    }
  }

  /** What `p` may see, when all that was acknowledged can be seen. */
  async #sight(p: Principal, asOf: Lsn | undefined): Promise<Sight> {
    demand(p, "read");
    await this.#options.applied(this.#acknowledgedLsn);
    const places = inScope(p, "") ? null : this.#store.places(p.tenant);
    const pathOf = this.#paths(p);
    return { tenant: p.tenant, asOf: asOf ?? null, visible: places?.filter((id) => pathOf(id) !== null) ?? null };
  }
}

function demand(p: Principal, permission: Permission): void {
  if (!may(p, permission)) throw new ProblemError("forbidden", `The role ${p.role} does not include "${permission}".`);
}

function positionOf(cursor: string | undefined): ListQuery["after"] {
  if (cursor === undefined) return null;
  const [toUs, row] = cursor.split(",").map(Number);
  if (!Number.isSafeInteger(toUs) || !Number.isSafeInteger(row))
    throw new ProblemError("cursor_invalid", "The cursor is not one of this list.");
  return { toUs, row };
}
