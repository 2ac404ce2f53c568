import type { Cause } from "@lineshaft/contract/api";
import {
  type Clock,
  decodeJson,
  type FactRecordedRecord,
  type Facts,
  type FactsChange,
  type Frame,
  type Lsn,
  type ProductionTimes,
  type Registry,
  type RegistryChangedRecord,
  recordType,
} from "@lineshaft/contract/ports";
import type { Book } from "./book.ts";
import { ContextChanges, type MasterDataChange } from "./context-changes.ts";
import type { Plant } from "./plant.ts";
import { changesSince, type MissedChange } from "./restart.ts";
import type { ScrapMove } from "./scrap-changes.ts";
import { followsFromContext } from "./tasks.ts";

/** Records that may make results dirty by themselves. */
export const watchedRecords: ReadonlySet<number> = new Set([
  ...[recordType.registryChanged, recordType.tagRegistered, recordType.factRecorded],
]);

/** What systems have recorded of the production of units and lots. */
export interface RecordedFacts {
  production: ProductionTimes;
  /** Resolves when it can be read up to a record. */
  applied(lsn: Lsn): Promise<void>;
}

export interface WatchParts {
  registry: Registry;
  facts: Facts;
  clock: Clock;
  plant: Plant;
  recorded: RecordedFacts;
  /** Of a tenant; null: of all. */
  books(tenant: number | null): Book[];
  wake(): void;
  onError(error: unknown): void;
}

/** Work on what a change touches is done in slices, so that nobody waits for the whole of it. */
const sliceMs = 10;

/** Watches facts, master data and the plant for what makes results dirty. */
export class Watch {
  readonly #parts: WatchParts;
  readonly #changes: ContextChanges;
  /** Facts that changed and are not looked at yet. */
  readonly #queue: MissedChange[] = [];
  #working = false;
  #replan = false;
  #stopping = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#changes = new ContextChanges({ ...parts, production: parts.recorded.production });
  }

  /** Is all that was told looked at? */
  get idle(): boolean {
    return !this.#working;
  }

  stop(): void {
    this.#stopping = true;
  }

  /** Stations follow the plant. */
  tick(): void {
    if (this.#replan) this.#plan("The plant was changed.");
    const text = "Late scrap was booked before it was known what the machine did until then.";
    const cause: Cause = { kind: "facts", text, lsn: null, registryRevision: null, actor: null };
    for (const { application } of this.#parts.books(null)) this.#changes.scrap.begin(application.tenant);
    for (const { tenant, moves } of this.#changes.scrap.settled()) this.#scrapMoved(tenant, moves, cause);
  }

  /** Changes of the registry, and records whose changes of facts nobody has been told. */
  async apply(changes: readonly Frame[], missed: readonly Frame[]): Promise<void> {
    const slice = this.#slices();
    for (const frame of changes) {
      if (frame.type === recordType.tagRegistered) this.#replan = true;
      else if (frame.type === recordType.factRecorded) await this.#factsRecorded(frame, slice);
      else await this.#registryChanged(frame, slice);
    }
    for (const change of changesSince(missed, this.#parts.registry)) {
      this.#factsDirty(change);
      await slice();
    }
  }

  factsChanged(changes: readonly FactsChange[]): void {
    for (const { equipmentId, what, fromUs, toUs, cause, lsn } of changes) {
      // What comes in its order is progress, but another order is another key; no result rests on alarms.
      if (what === "alarms" || (what === "production" && cause === "points")) continue;
      this.#queue.push({ equipmentId, what, fromUs, toUs, text: factsText[cause], lsn });
    }
    if (this.#queue.length === 0 || this.#working) return;
    this.#working = true;
    void this.#work()
      .catch((error: unknown) => this.#parts.onError(error))
      .finally(() => {
        this.#working = false;
      });
  }

  async #work(): Promise<void> {
    const slice = this.#slices();
    for (let change = this.#queue.shift(); change !== undefined && !this.#stopping; change = this.#queue.shift()) {
      this.#factsDirty(change);
      this.#parts.wake();
      await slice();
    }
  }

  async #registryChanged({ tenant, payload, lsn }: Frame, slice: () => Promise<void>): Promise<void> {
    const { entity, after, revision, actor } = decodeJson<RegistryChangedRecord>(payload);
    const books = this.#parts.books(tenant);
    if (books.length === 0) return;
    if (entity !== "masterData") {
      if (entity === "equipment") this.#equipmentChanged(books, after, { lsn, revision, actor });
      this.#replan ||= ["equipment", "model", "binding", "tag"].includes(entity);
      return;
    }
    await this.#stamped(revision);
    const change = { ...after, removed: after.removed === true, lsn } as MasterDataChange;
    if (change.kind === "lineTopology") this.#plan("How a line stands was changed.");
    const text = `${change.kind} ${change.id} was ${change.removed ? "removed" : "changed"}.`;
    const cause: Cause = { kind: "context", text, lsn, registryRevision: revision, actor };
    const stations = [...books[0].agenda.stations.values()];
    for (const { station, fromUs, toUs } of this.#changes.touched(tenant, change, stations)) {
      for (const { agenda } of books) agenda.dirty(station, fromUs, toUs, cause);
      this.#parts.wake();
      await slice();
    }
  }

  /** What is recorded of units and lots says when late scrap was made. */
  async #factsRecorded({ tenant, payload, lsn }: Frame, slice: () => Promise<void>): Promise<void> {
    if (this.#parts.books(tenant).length === 0) return;
    await this.#parts.recorded.applied(lsn);
    const record = decodeJson<FactRecordedRecord>(payload);
    const text = "It was recorded when units or lots were produced.";
    const cause: Cause = { kind: "facts", text, lsn, registryRevision: null, actor: record.by };
    this.#scrapMoved(tenant, this.#changes.scrap.produced(tenant, record, lsn), cause);
    await slice();
  }

  #scrapMoved(tenant: number, moves: readonly ScrapMove[], cause: Cause): void {
    if (moves.length === 0) return;
    for (const { agenda } of this.#parts.books(tenant))
      for (const station of agenda.stations.values())
        for (const { fromUs, toUs } of this.#changes.moved(station, moves))
          agenda.dirty(station.id, fromUs, toUs, cause);
    this.#parts.wake();
  }

  /** Its life-cycle counts from the change on. */
  #equipmentChanged(
    books: readonly Book[],
    after: Record<string, unknown>,
    { lsn, revision, actor }: { lsn: Lsn; revision: number; actor: string },
  ): void {
    const { id, changedUs, validFromUs } = after as { id?: unknown; changedUs?: unknown; validFromUs?: unknown };
    if (typeof id !== "number") return;
    const text = "The equipment was changed.";
    const cause: Cause = { kind: "context", text, lsn, registryRevision: revision, actor };
    const times = [changedUs, validFromUs].filter((time) => typeof time === "number");
    const fromUs = times.length > 0 ? Math.min(...times) : Number.NEGATIVE_INFINITY;
    for (const { agenda } of books) agenda.dirty(id, fromUs, Number.POSITIVE_INFINITY, cause);
  }

  #factsDirty({ equipmentId, what, fromUs, toUs, text, lsn }: MissedChange): void {
    if (what === "identifiers") {
      this.#toldOtherwise(equipmentId, { fromUs, toUs }, lsn);
      return;
    }
    for (const { agenda, application } of this.#parts.books(null))
      for (const station of agenda.stations.values()) {
        if (!station.members.includes(equipmentId)) continue;
        const range = this.#changes.reach(application.tenant, station, { fromUs, toUs });
        const cause: Cause = { kind: "facts", text, lsn, registryRevision: null, actor: null };
        agenda.dirty(station.id, range.fromUs, range.toUs, cause);
      }
    const tenants = new Set(this.#parts.books(null).map(({ application }) => application.tenant));
    const cause: Cause = { kind: "facts", text: `${text} Late scrap moved.`, lsn, registryRevision: null, actor: null };
    for (const tenant of tenants)
      this.#scrapMoved(tenant, this.#changes.scrap.factsChanged(tenant, equipmentId, { fromUs, toUs }), cause);
  }

  /** The machine tells something else of its own work: that is another context of the same facts. */
  #toldOtherwise(equipmentId: number, hull: { fromUs: number; toUs: number }, lsn: Lsn): void {
    const text = "The machine tells another order, operation, material or tool.";
    const cause: Cause = { kind: "context", text, lsn, registryRevision: null, actor: null };
    for (const [tenant, books] of Map.groupBy(this.#parts.books(null), ({ application }) => application.tenant)) {
      const stations = [...books[0].agenda.stations.values()];
      for (const { station, fromUs, toUs } of this.#changes.toldOtherwise(tenant, equipmentId, hull, stations))
        for (const { agenda } of books) agenda.dirty(station, fromUs, toUs, cause);
      this.#scrapMoved(tenant, this.#changes.scrap.factsChanged(tenant, equipmentId, hull), cause);
    }
  }

  /** Stations as the plant is now; where something hangs elsewhere, what stands above is another sum. */
  #plan(text: string): void {
    this.#replan = false;
    for (const { agenda, application } of this.#parts.books(null)) {
      const before = new Map([...agenda.stations.values()].map(({ id, parent, level }) => [id, { parent, level }]));
      const plans = this.#parts.plant.stations(application.tenant);
      agenda.setStations(plans);
      const cause: Cause = {
        kind: "context",
        text,
        lsn: null,
        registryRevision: this.#parts.registry.revision,
        actor: null,
      };
      const moved = new Set<number>();
      for (const { id, parent, level } of plans) {
        const was = before.get(id);
        if (was === undefined || (was.parent === parent && was.level === level)) continue;
        for (const place of [was.parent, parent, was.level === level ? null : id]) if (place !== null) moved.add(place);
      }
      for (const id of moved) agenda.dirty(id, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, cause);
    }
  }

  /** What was known before a record can be asked for once its place in the log is noted. */
  async #stamped(revision: number): Promise<void> {
    while (this.#parts.registry.lsnOf(revision) === null && !this.#stopping) await this.#parts.clock.sleep(2);
  }

  #slices(): () => Promise<void> {
    const { clock } = this.#parts;
    let began = clock.monotonicMs();
    return async () => {
      if (clock.monotonicMs() - began < sliceMs) return;
      await clock.sleep(0);
      began = clock.monotonicMs();
    };
  }
}

const factsText: Record<FactsChange["cause"], string> = {
  points: "Points came in.",
  late: "Points came late.",
  corrected: "Points were corrected.",
  gap: "It became known that data are missing.",
  mapping: "Another meaning was given to tags.",
  idealCycle: followsFromContext,
};
