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
  type Frame,
  type Log,
  type Lsn,
  type Published,
  type Registry,
  type ResultPublishedRecord,
  type ResultQuery,
  type Results,
  recordType,
} from "@lineshaft/contract/ports";
import { Book, type Verdict } from "./book.ts";
import { findResults, listResults } from "./listing.ts";
import { Plant } from "./plant.ts";
import { inPortions } from "./portion.ts";
import { recordsOf, type Written } from "./records.ts";
import { openStore, type ResultStore, type StoredApplication } from "./store.ts";
import type { AgendaOptions } from "./tasks.ts";
import { Watch, type WatchParts, watchedRecords } from "./watch.ts";

export interface ResultsOptions extends Partial<AgendaOptions>, Pick<WatchParts, "recorded"> {
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
  /** What changed could not be followed: numbers may be wrong until the next start. */
  onError(error: unknown): void;
  onEvent?(event: { code: string; text: string }): void;
}

const [applicationsMax, defaultTake] = [100, 500];
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
  readonly #watch: Watch;
  readonly #books = new Map<string, Book>();
  /** What this process has published, so that it need not be read from the log again. */
  readonly #written = new Map<Lsn, Written>();
  readonly #waiting = new Set<() => void>();
  /** How often something may have changed. */
  #wakes = 0;
  readonly #endings: (() => void)[];
  #appliedLsn: Lsn;
  #factsLsn: Lsn;
  #told: { lsn: Lsn; atMs: number }[] = [];
  #wroteMs = Number.NEGATIVE_INFINITY;
  #syncedMs = Number.NEGATIVE_INFINITY;
  #stopping = false;

  constructor(options: ResultsOptions, store: ResultStore) {
    const { registry, facts } = options;
    this.#options = options;
    this.#store = store;
    this.#plant = new Plant(registry, facts, options.clock);
    this.#appliedLsn = store.appliedLsn;
    this.#factsLsn = store.factsLsn;
    for (const application of store.applications()) this.#open(application);
    for (const book of this.#books.values()) book.restore();
    this.#watch = new Watch({
      ...{ registry, facts, clock: options.clock, plant: this.#plant, recorded: options.recorded },
      books: (tenant) =>
        [...this.#books.values()].filter((book) => tenant === null || book.application.tenant === tenant),
      wake: () => this.#wake(),
      onError: (error) => options.onError(error),
    });
    this.#endings = [
      facts.onChanged((changes) => this.#watch.factsChanged(changes)),
      facts.onProgress(() => this.#wake()),
    ];
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
    const changes = news.filter(({ type }) => watchedRecords.has(type));
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
    this.#watch.tick();
    this.#told.push({ lsn: this.#options.facts.appliedLsn, atMs: now });
    while (this.#watch.idle && this.#told.length > 0 && now - this.#told[0].atMs >= toldWithinMs)
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
    this.#watch.stop();
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
      const seen = this.#wakes;
      const items = await inPortions(limit, (n) => this.#book(p, name).agenda.take(n, (path) => inScope(p, path)));
      const left = end - clock.monotonicMs();
      if (items.length > 0 || left <= 0 || signal?.aborted || this.#stopping) return items;
      await this.#news(seen, left, signal);
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
        book.agenda.setState(verdict.task, "publishing");
        accepted.push(verdict);
      }
    }
    if (accepted.length === 0) {
      if (unchanged > 0) this.#wake();
      return { published: 0, unchanged, lsn: null, faults };
    }
    try {
      const lsns = recordsOf(book.application, accepted).map((written) =>
        this.#append(p.tenant, recordType.resultPublished, written.record, written),
      );
      const lsn = Math.max(...(await Promise.all(lsns)));
      for (const { task } of accepted) book.agenda.done(task);
      this.#wake();
      return { published: accepted.length, unchanged, lsn, faults };
    } catch (error) {
      for (const { task } of accepted) book.agenda.setState(task, "given");
      throw error;
    }
  }

  async list(p: Principal, q: ResultQuery): ReturnType<Results["list"]> {
    demand(p, "read");
    return listResults(this.#store, this.#books.get(bookKey(p.tenant, q.application)), (id) => this.#sees(p, id), q);
  }

  find(p: Principal, name: string, keys: readonly ResultKey[]): ReturnType<Results["find"]> {
    demand(p, "read");
    return findResults(this.#store, this.#books.get(bookKey(p.tenant, name)), (id) => this.#sees(p, id), keys);
  }

  revisions(p: Principal, q: ResultKey & { application: string }): ReturnType<Results["revisions"]> {
    demand(p, "read");
    const book = this.#book(p, q.application);
    const found = this.#sees(p, q.equipmentId) ? this.#store.revisions(book.application.id, q) : [];
    if (found.length === 0) throw new ProblemError("not_found", "There is no such result that you may see.");
    return found.map((each, i) => ({ ...each, stale: i === 0 && book.agenda.isStale(each) }));
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
    const { record, texts }: Partial<Written> & Pick<Written, "record"> = this.#written.get(lsn) ?? {
      record: decodeJson<ResultPublishedRecord>(payload),
    };
    this.#written.delete(lsn);
    this.#books.get(bookKey(tenant, record.application))?.apply(record, lsn, recordedTime, texts);
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
    await this.#watch.apply(changes, missed);
    this.#appliedLsn = Math.max(this.#appliedLsn, last);
    this.#store.write(() => this.#writeBooks());
    this.#wake();
  }

  async #append(
    tenant: number,
    type: typeof recordType.applicationRegistered | typeof recordType.resultPublished,
    record: object,
    written?: Written,
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
    this.#wakes++;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Until something may have changed since `seen`, or the time is over. */
  async #news(seen: number, ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (seen !== this.#wakes) return;
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

const bookKey = (tenant: number, name: string): string => `${tenant}/${name}`;
function demand(p: Principal, permission: "read" | "publish"): void {
  if (!may(p, permission)) throw new ProblemError("forbidden", `The role ${p.role} does not include "${permission}".`);
}
