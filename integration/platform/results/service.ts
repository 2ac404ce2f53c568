import {
  type Application,
  type Cause,
  inScope,
  may,
  type Principal,
  ProblemError,
  type ResultInput,
  type ResultKey,
} from "@lineshaft/contract/api";
import {
  type ApplicationRegisteredRecord,
  type Clock,
  decodeJson,
  encodeJson,
  type Facts,
  type FactsChange,
  type Frame,
  type Log,
  type Lsn,
  type Published,
  type Registry,
  type RegistryChangedRecord,
  type ResultPublishedRecord,
  type ResultQuery,
  type Results,
  recordType,
} from "@lineshaft/contract/ports";
import type { AgendaOptions } from "./agenda.ts";
import { Book, type Verdict } from "./book.ts";
import { ContextChanges } from "./context-changes.ts";
import { Plant } from "./plant.ts";
import { changesSince, type MissedChange } from "./restart.ts";
import { openStore, type Position, type ResultStore, type StoredApplication } from "./store.ts";

export interface ResultsOptions extends Partial<AgendaOptions> {
  path: string;
  log: Log;
  registry: Registry;
  facts: Facts;
  clock: Clock;
  /** Facts tell of changes by records after this one; what came before was derived at the start. */
  factsFrom: Lsn;
  /** Resolves when the record is applied here. */
  applied(lsn: Lsn): Promise<void>;
  /** How often what was kept is synced; the log is pinned behind it. Default 30 s. */
  syncEveryMs?: number;
  onEvent?(event: { code: string; text: string }): void;
}

const applicationsMax = 100;
const defaultTake = 500;
const defaultPage = 1000;
/** A page of results holds about so many characters of detail. */
const pageBytes = 4 * 1024 * 1024;
const recordBytes = 512 * 1024;
/** Work on what a change touches is done in slices, so that nobody waits for the whole of it. */
const sliceMs = 10;
/** How long after a record was applied its changes of facts are told at the latest. */
const toldWithinMs = 5000;

export function openResults(options: ResultsOptions): ResultService {
  return new ResultService(options, openStore(options.path, options.onEvent));
}

/** The port `Results`: agendas in memory, what is published in SQLite, both a view of the log. */
export class ResultService implements Results {
  readonly #options: ResultsOptions;
  readonly #store: ResultStore;
  readonly #plant: Plant;
  readonly #changes: ContextChanges;
  readonly #books = new Map<string, Book>();
  /** What this process has published, so that it need not be read from the log again. */
  readonly #written = new Map<Lsn, ResultPublishedRecord>();
  readonly #waiting = new Set<() => void>();
  readonly #endings: (() => void)[];
  #appliedLsn: Lsn;
  #factsLsn: Lsn;
  #told: { lsn: Lsn; atMs: number }[] = [];
  #replan = false;
  #wroteMs = Number.NEGATIVE_INFINITY;
  #syncedMs = Number.NEGATIVE_INFINITY;
  #stopping = false;

  constructor(options: ResultsOptions, store: ResultStore) {
    const { registry, facts } = options;
    this.#options = options;
    this.#store = store;
    this.#plant = new Plant(registry, facts);
    this.#changes = new ContextChanges(registry.masterData, facts);
    this.#appliedLsn = store.appliedLsn;
    this.#factsLsn = store.factsLsn;
    for (const application of store.applications()) this.#open(application);
    for (const book of this.#books.values()) book.restore();
    this.#endings = [facts.onChanged((changes) => this.#factsChanged(changes)), facts.onProgress(() => this.#wake())];
  }

  /** The first record that has not been seen. */
  get nextLsn(): Lsn {
    return Math.min(this.#appliedLsn, this.#factsLsn) + 1;
  }

  /** What was kept up to here survives a power cut. */
  get syncedLsn(): Lsn {
    return this.#store.syncedLsn;
  }

  get status(): { applications: number; waiting: number; windows: number } {
    const sizes = [...this.#books.values()].map(({ agenda }) => agenda.size);
    return {
      applications: sizes.length,
      waiting: sizes.reduce((sum, { tasks }) => sum + tasks, 0),
      windows: sizes.reduce((sum, { windows }) => sum + windows, 0),
    };
  }

  /** Frames in LSN order, some of them perhaps for the second time. Publications can be read when this returns; the promise ends with the rest. */
  apply(frames: readonly Frame[]): Promise<void> | undefined {
    const news = frames.filter(({ lsn }) => lsn > this.#appliedLsn);
    const published = news.filter(
      ({ type }) => type === recordType.resultPublished || type === recordType.applicationRegistered,
    );
    if (published.length > 0) {
      this.#store.write(() => {
        for (const frame of published) this.#applyOwn(frame);
        this.#writeBooks();
      });
      this.#wake();
    }
    const changes = news.filter(({ type }) => type === recordType.registryChanged || type === recordType.tagRegistered);
    const missed = frames.filter(({ lsn }) => lsn > this.#store.factsLsn && lsn <= this.#options.factsFrom);
    const last = frames[frames.length - 1].lsn;
    if (changes.length === 0 && missed.length === 0) {
      this.#appliedLsn = Math.max(this.#appliedLsn, last);
      return undefined;
    }
    return this.#applyChanges(changes, missed, last);
  }

  /** Called about once a second: what has changed is written, stations follow the plant, who waits looks again. */
  tick(): void {
    const now = this.#options.clock.monotonicMs();
    if (this.#replan) this.#plan("The plant was changed.");
    this.#told.push({ lsn: this.#options.facts.appliedLsn, atMs: now });
    while (this.#told.length > 0 && now - this.#told[0].atMs >= toldWithinMs)
      this.#factsLsn = Math.max(this.#factsLsn, (this.#told.shift() as { lsn: Lsn }).lsn);
    const books = [...this.#books.values()];
    if (books.some((book) => book.changed) || now - this.#wroteMs >= toldWithinMs) {
      for (const book of books) book.noteSeen();
      this.#store.write(() => this.#writeBooks());
      this.#wroteMs = now;
    }
    if (now - this.#syncedMs >= (this.#options.syncEveryMs ?? 30_000)) {
      this.#store.sync();
      this.#syncedMs = now;
    }
    this.#wake();
  }

  close(): void {
    this.#stopping = true;
    for (const end of this.#endings) end();
    this.#wake();
    for (const book of this.#books.values()) book.noteSeen();
    this.#store.write(() => this.#writeBooks());
    this.#store.close();
  }

  async register(p: Principal, name: string, item: Application): Promise<Application & { dirty: number }> {
    demand(p, "publish");
    const known = this.#books.get(bookKey(p.tenant, name));
    const periods = [...new Set(item.periods)];
    const same =
      known !== undefined &&
      known.application.ruleVersion === item.ruleVersion &&
      JSON.stringify(known.application.periods) === JSON.stringify(periods);
    if (!same) {
      // Who sees a part only must not make the whole be computed again.
      if (known !== undefined && !inScope(p, ""))
        throw new ProblemError(
          "forbidden",
          `The application "${name}" serves more than your scope; its rules are not yours to change.`,
        );
      const count = [...this.#books.values()].filter(({ application }) => application.tenant === p.tenant).length;
      if (known === undefined && count >= applicationsMax)
        throw new ProblemError("applications_too_many", `There are ${count} applications; no more are taken in.`);
      const record: ApplicationRegisteredRecord = { application: name, ruleVersion: item.ruleVersion, periods };
      await this.#append(p.tenant, recordType.applicationRegistered, record);
    }
    const { agenda } = this.#book(p, name);
    const { tasks, windows } = agenda.size;
    return { ruleVersion: item.ruleVersion, periods, dirty: tasks + windows };
  }

  async takeWork(
    p: Principal,
    name: string,
    { limit = defaultTake, waitMs = 0 }: { limit?: number; waitMs?: number },
    signal?: AbortSignal,
  ): ReturnType<Results["takeWork"]> {
    demand(p, "publish");
    const { clock } = this.#options;
    const end = clock.monotonicMs() + waitMs;
    for (;;) {
      const items = this.#book(p, name).agenda.take(limit, (path) => inScope(p, path));
      const left = end - clock.monotonicMs();
      if (items.length > 0 || left <= 0 || signal?.aborted || this.#stopping) return items;
      await this.#news(left, signal);
    }
  }

  async publish(p: Principal, name: string, items: readonly ResultInput[]): Promise<Published> {
    demand(p, "publish");
    const book = this.#book(p, name);
    const faults: Published["faults"] = [];
    const accepted: Extract<Verdict, { what: "publish" }>[] = [];
    let unchanged = 0;
    for (const [index, input] of items.entries()) {
      const verdict = book.judge(p, input);
      if (verdict.what === "refused") faults.push({ index, code: verdict.code, detail: verdict.detail });
      else if (verdict.what === "unchanged") unchanged++;
      else {
        book.agenda.publishing(verdict.task);
        accepted.push(verdict);
      }
    }
    if (accepted.length === 0) {
      if (unchanged > 0) this.#wake();
      return { published: 0, unchanged, lsn: null, faults };
    }
    try {
      const lsn = await this.#appendResults(p.tenant, book.application, accepted);
      for (const { task } of accepted) book.agenda.done(task);
      this.#wake();
      return { published: accepted.length, unchanged, lsn, faults };
    } catch (error) {
      for (const { task } of accepted) book.agenda.notPublished(task);
      throw error;
    }
  }

  list(p: Principal, q: ResultQuery): ReturnType<Results["list"]> {
    demand(p, "read");
    const book = this.#books.get(bookKey(p.tenant, q.application));
    // An application that has not come yet has no results; whoever shows them need not know better.
    if (book === undefined) return { items: [], cursor: null };
    const { id } = book.application;
    const after = q.cursor === undefined ? null : (JSON.parse(q.cursor) as Position);
    const limit = q.limit ?? defaultPage;
    const wanted = q.equipmentIds ?? this.#store.equipment(id);
    const visible = [...new Set(wanted)].filter((each) => this.#sees(p, each)).sort((a, b) => a - b);
    const items: ReturnType<Results["list"]>["items"] = [];
    let bytes = 0;
    for (const equipmentId of visible) {
      if (after !== null && equipmentId < after.equipmentId) continue;
      if (items.length >= limit || bytes >= pageBytes) return { items, cursor: positionOf(items) };
      const page = this.#store.list({
        ...{ application: id, equipmentId, period: q.period ?? null, key: q.key ?? null, asOf: q.asOf ?? null },
        ...{ fromUs: q.fromUs ?? null, toUs: q.toUs ?? null, limit: limit - items.length, bytes: pageBytes - bytes },
        after: after?.equipmentId === equipmentId ? after : null,
      });
      bytes += page.bytes;
      for (const result of page.items) items.push({ ...result, stale: book.agenda.isStale(result) });
      if (page.more) return { items, cursor: positionOf(items) };
    }
    return { items, cursor: null };
  }

  revisions(p: Principal, q: ResultKey & { application: string }): ReturnType<Results["revisions"]> {
    demand(p, "read");
    const book = this.#book(p, q.application);
    const found = this.#sees(p, q.equipmentId) ? this.#store.revisions(book.application.id, q) : [];
    if (found.length === 0) throw new ProblemError("not_found", "There is no such result that you may see.");
    const [newest] = found;
    return found.map((each) => ({ ...each, stale: each === newest && book.agenda.isStale(each) }));
  }

  #book(p: Principal, name: string): Book {
    const book = this.#books.get(bookKey(p.tenant, name));
    if (book === undefined) throw new ProblemError("not_found", `There is no application ${JSON.stringify(name)}.`);
    return book;
  }

  #sees(p: Principal, equipmentId: number): boolean {
    try {
      this.#options.registry.getEquipment(p, equipmentId);
      return true;
    } catch (error) {
      if (error instanceof ProblemError && error.code === "not_found") return false;
      throw error;
    }
  }

  #open(application: StoredApplication): Book {
    const { clock, facts } = this.#options;
    const { progressMs = 5000, givenMs = 60_000 } = this.#options;
    const book = new Book(application, {
      store: this.#store,
      plant: this.#plant,
      nowMs: () => clock.monotonicMs(),
      basisLsn: () => Math.max(0, Math.min(this.#appliedLsn, facts.appliedLsn)),
      options: { progressMs, givenMs },
    });
    book.agenda.setStations(this.#plant.stations(application.tenant));
    this.#books.set(bookKey(application.tenant, application.name), book);
    return book;
  }

  #applyOwn({ type, tenant, payload, lsn, recordedTime }: Frame): void {
    if (type === recordType.applicationRegistered) {
      this.#applyRegistration(tenant, decodeJson<ApplicationRegisteredRecord>(payload), lsn);
      return;
    }
    const record = this.#written.get(lsn) ?? decodeJson<ResultPublishedRecord>(payload);
    this.#written.delete(lsn);
    this.#books.get(bookKey(tenant, record.application))?.apply(record, lsn, recordedTime);
  }

  #applyRegistration(tenant: number, record: ApplicationRegisteredRecord, lsn: Lsn): void {
    const { application: name, ...item } = record;
    const known = this.#books.get(bookKey(tenant, name));
    if (known !== undefined && known.application.lsn >= lsn) return;
    this.#store.putApplication(tenant, name, item, lsn);
    const stored = this.#store.applications().find((each) => each.tenant === tenant && each.name === name);
    if (stored === undefined) throw new Error(`The application ${name} was not kept.`);
    if (known === undefined) {
      this.#open(stored);
      return;
    }
    const text = `Rules ${known.application.ruleVersion} became ${item.ruleVersion}.`;
    known.application = stored;
    const cause: Cause = { kind: "rule", text, lsn, registryRevision: null, actor: null };
    for (const station of known.agenda.stations.values())
      known.agenda.dirty(station.id, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, cause);
  }

  async #applyChanges(changes: readonly Frame[], missed: readonly Frame[], last: Lsn): Promise<void> {
    const slice = this.#slices();
    for (const frame of changes) {
      if (frame.type === recordType.tagRegistered) this.#replan = true;
      else await this.#registryChanged(frame, slice);
    }
    for (const change of changesSince(missed, this.#options.registry)) await this.#missed(change, slice);
    this.#appliedLsn = Math.max(this.#appliedLsn, last);
    this.#store.write(() => this.#writeBooks());
    this.#wake();
  }

  async #registryChanged({ tenant, payload, lsn }: Frame, slice: () => Promise<void>): Promise<void> {
    const { entity, after, revision, actor } = decodeJson<RegistryChangedRecord>(payload);
    const books = this.#booksOf(tenant);
    if (books.length === 0) return;
    if (entity !== "masterData") {
      if (entity === "equipment") this.#equipmentChanged(books, after, { lsn, revision, actor });
      this.#replan ||= ["equipment", "model", "binding", "tag"].includes(entity);
      return;
    }
    await this.#stamped(revision);
    const change = { ...after, removed: after.removed === true, lsn } as Parameters<ContextChanges["touched"]>[1];
    if (change.kind === "lineTopology") this.#plan("How a line stands was changed.");
    const text = `${change.kind} ${change.id} was ${change.removed ? "removed" : "changed"}.`;
    const cause: Cause = { kind: "context", text, lsn, registryRevision: revision, actor };
    const stations = [...books[0].agenda.stations.values()];
    for (const { station, fromUs, toUs } of this.#changes.touched(tenant, change, stations)) {
      for (const { agenda } of books) agenda.dirty(station, fromUs, toUs, cause);
      this.#wake();
      await slice();
    }
  }

  /** Its life-cycle counts from the change on. */
  #equipmentChanged(
    books: readonly Book[],
    after: Record<string, unknown>,
    { lsn, revision, actor }: { lsn: Lsn; revision: number; actor: string },
  ): void {
    const { id, changedUs } = after as { id?: unknown; changedUs?: unknown };
    if (typeof id !== "number") return;
    const text = "The equipment was changed.";
    const cause: Cause = { kind: "context", text, lsn, registryRevision: revision, actor };
    const fromUs = typeof changedUs === "number" ? changedUs : Number.NEGATIVE_INFINITY;
    for (const { agenda } of books) agenda.dirty(id, fromUs, Number.POSITIVE_INFINITY, cause);
  }

  #factsChanged(changes: readonly FactsChange[]): void {
    for (const { equipmentId, fromUs, toUs, cause, lsn } of changes) {
      // What comes in its order is progress.
      if (cause === "points") continue;
      this.#factsDirty({ equipmentId, fromUs, toUs, text: factsText[cause], lsn });
    }
    this.#wake();
  }

  #factsDirty({ equipmentId, fromUs, toUs, text, lsn }: MissedChange): void {
    for (const { agenda, application } of this.#books.values())
      for (const station of agenda.stations.values()) {
        if (!station.members.includes(equipmentId)) continue;
        const range = this.#changes.reach(application.tenant, station, { fromUs, toUs });
        const cause: Cause = { kind: "facts", text, lsn, registryRevision: null, actor: null };
        agenda.dirty(station.id, range.fromUs, range.toUs, cause);
      }
  }

  async #missed(change: MissedChange, slice: () => Promise<void>): Promise<void> {
    this.#factsDirty(change);
    await slice();
  }

  /** Stations as the plant is now; where something hangs elsewhere, what stands above is another sum. */
  #plan(text: string): void {
    this.#replan = false;
    for (const { agenda, application } of this.#books.values()) {
      const before = new Map([...agenda.stations.values()].map(({ id, parent, level }) => [id, { parent, level }]));
      const plans = this.#plant.stations(application.tenant);
      agenda.setStations(plans);
      const cause: Cause = {
        kind: "context",
        text,
        lsn: null,
        registryRevision: this.#options.registry.revision,
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

  #booksOf(tenant: number): Book[] {
    return [...this.#books.values()].filter(({ application }) => application.tenant === tenant);
  }

  /** What was known before a record can be asked for once its place in the log is noted. */
  async #stamped(revision: number): Promise<void> {
    while (this.#options.registry.lsnOf(revision) === null && !this.#stopping) await this.#options.clock.sleep(2);
  }

  #slices(): () => Promise<void> {
    const { clock } = this.#options;
    let began = clock.monotonicMs();
    return async () => {
      if (clock.monotonicMs() - began < sliceMs) return;
      await clock.sleep(0);
      began = clock.monotonicMs();
    };
  }

  async #appendResults(
    tenant: number,
    { name, ruleVersion }: StoredApplication,
    accepted: readonly Extract<Verdict, { what: "publish" }>[],
  ): Promise<Lsn> {
    let items: ResultPublishedRecord["items"] = [];
    let bytes = 0;
    const waiting: Promise<Lsn>[] = [];
    const flush = (): void => {
      if (items.length === 0) return;
      const record = { application: name, ruleVersion, items };
      waiting.push(this.#append(tenant, recordType.resultPublished, record, record));
      items = [];
      bytes = 0;
    };
    for (const { item } of accepted) {
      items.push(item);
      bytes += 1000 + JSON.stringify(item.detail).length;
      if (bytes >= recordBytes) flush();
    }
    flush();
    return Math.max(...(await Promise.all(waiting)));
  }

  async #append(
    tenant: number,
    type: typeof recordType.applicationRegistered | typeof recordType.resultPublished,
    record: object,
    written?: ResultPublishedRecord,
  ): Promise<Lsn> {
    const { lsn, durable } = this.#options.log.append({ tenant, partition: 0, type, payload: encodeJson(record) });
    if (written !== undefined) this.#written.set(lsn, written);
    try {
      await durable;
      await this.#options.applied(lsn);
    } finally {
      this.#written.delete(lsn);
    }
    return lsn;
  }

  #writeBooks(): void {
    for (const book of this.#books.values()) book.write();
    this.#store.setApplied(this.#appliedLsn, this.#factsLsn);
    this.#store.appliedLsn = this.#appliedLsn;
    this.#store.factsLsn = this.#factsLsn;
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Until something may have changed, or the time is over. */
  async #news(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const over = new AbortController();
    const end = (): void => over.abort();
    this.#waiting.add(end);
    signal?.addEventListener("abort", end);
    try {
      await this.#options.clock.sleep(ms, over.signal).catch(() => {});
    } finally {
      this.#waiting.delete(end);
      signal?.removeEventListener("abort", end);
    }
  }
}

const factsText: Record<FactsChange["cause"], string> = {
  points: "Points came in.",
  late: "Points came late.",
  corrected: "Points were corrected.",
  gap: "It became known that data are missing.",
  mapping: "Another meaning was given to tags.",
  idealCycle: "Stops are told by another ideal cycle.",
};

const bookKey = (tenant: number, name: string): string => `${tenant}/${name}`;

function positionOf(items: readonly { equipmentId: number; fromUs: number; period: string; key: string }[]): string {
  const { equipmentId, fromUs, period, key } = items[items.length - 1];
  return JSON.stringify({ equipmentId, fromUs, period, key } satisfies Position);
}

function demand(p: Principal, permission: "read" | "publish"): void {
  if (!may(p, permission)) throw new ProblemError("forbidden", `The role ${p.role} does not include "${permission}".`);
}
