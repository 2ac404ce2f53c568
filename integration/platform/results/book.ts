import type { Principal, ResultInput, ResultKey } from "@lineshaft/contract/api";
import { inScope } from "@lineshaft/contract/api";
import type { Lsn, ResultPublishedRecord } from "@lineshaft/contract/ports";
import { Agenda } from "./agenda.ts";
import { keysIn } from "./keys.ts";
import { seenUs as seenUsOf } from "./open-periods.ts";
import type { Plant } from "./plant.ts";
import type { Station } from "./stations.ts";
import {
  type Changes,
  canonicalValues,
  type ResultStore,
  type ResultTexts,
  type StoredApplication,
  type StoredResult,
} from "./store.ts";
import type { AgendaOptions, Row, Task } from "./tasks.ts";

type Item = ResultPublishedRecord["items"][number];

/** What became of one result that somebody wants to publish. */
export type Verdict =
  | { what: "publish"; task: Task; item: Item; texts: ResultTexts }
  | { what: "unchanged" }
  | { what: "refused"; code: string; detail: string };

const detailBytesMax = 64 * 1024;

/** One application: what it has to compute, and what it has published. */
export class Book {
  readonly agenda: Agenda;
  readonly #store: ResultStore;
  #application: StoredApplication;
  #changes: Changes = noChanges();
  readonly #seen = new Map<number, number>();

  constructor(
    application: StoredApplication,
    parts: { store: ResultStore; plant: Plant; nowMs: () => number; basisLsn: () => Lsn; options: AgendaOptions },
  ) {
    const { store, plant } = parts;
    this.#store = store;
    this.#application = application;
    const { id, tenant } = application;
    const mine = ({ period }: { period: ResultKey["period"] }) => this.#application.periods.includes(period);
    this.agenda = new Agenda(
      {
        nowMs: parts.nowMs,
        basisLsn: parts.basisLsn,
        progress: (members) => plant.progress(members),
        keys: (station, fromUs, toUs) =>
          keysIn({ fromUs, toUs }, plant.keyContext(tenant, station, fromUs, toUs), new Set(this.#application.periods)),
        stored: (station, fromUs, toUs) => store.keys(id, station, fromUs, toUs).filter(mine),
        find: (key) => store.find(id, key),
        hull: (stations, key) => store.hull(id, stations, key),
      },
      { add: (row) => this.#add(row), drop: (row) => this.#drop(row) },
      parts.options,
    );
  }

  get application(): StoredApplication {
    return this.#application;
  }

  set application(application: StoredApplication) {
    this.#application = application;
  }

  /** Goes on where the file says that it stood. */
  restore(): void {
    const { id } = this.#application;
    for (const row of this.#store.dirty(id)) this.agenda.restore(row);
    const seen = this.#store.seen(id);
    for (const { id: station } of this.agenda.stations.values()) {
      const seenUs = seen.get(station) ?? null;
      this.agenda.resume(station, seenUs, this.#store.openKeys(id, station));
      if (seenUs !== null) this.#seen.set(station, seenUs);
    }
  }

  /** Judges a result against what was given out and what stands. */
  judge(p: Principal, input: ResultInput): Verdict {
    const station = this.agenda.stations.get(input.equipmentId);
    if (station === undefined || !inScope(p, station.path))
      return refused("not_found", `There is no equipment ${input.equipmentId} that you may see.`);
    const detail = JSON.stringify(input.detail ?? null);
    if (detail.length > detailBytesMax)
      return refused(
        "result_too_large",
        `Its detail has ${detail.length} characters; at most ${detailBytesMax} are kept.`,
      );
    const texts = { values: canonicalValues(input.values), detail };
    const standing = this.#store.current(this.#application.id, input);
    const same =
      standing !== null &&
      standing.values === texts.values &&
      standing.coverage === input.coverage &&
      standing.detail === detail;
    const task = this.agenda.givenFor(input);
    if (task === null) {
      // Told twice, it may have been taken the first time.
      if (same && standing.basisLsn === input.basisLsn) return { what: "unchanged" };
      const text = `It was not given out on basis ${input.basisLsn}, or too long ago: take it again.`;
      return refused("work_not_taken", text);
    }
    const { item } = task;
    if (item === null) throw new Error("A key that was given out has no item.");
    const { fromUs, toUs, state, cause } = item;
    // How far an open period has come is no news by itself.
    const sameRange = standing?.fromUs === fromUs && (standing.toUs === toUs || state === "provisional");
    if (same && standing.state === state && sameRange) {
      this.agenda.done(task);
      return { what: "unchanged" };
    }
    const revision = revisionAfter(standing, state);
    // Whatever made it due: it is the first time that anything is said of it.
    const why = standing === null ? { ...cause, kind: "first" as const } : cause;
    return {
      what: "publish",
      task,
      texts,
      item: { ...input, detail: input.detail ?? null, path: station.path, fromUs, toUs, state, revision, cause: why },
    };
  }

  /** A publication has come back from the log: it is kept, and what stands above is dirty. `texts`: of its items, where they are known. Inside a transaction. */
  apply(record: ResultPublishedRecord, lsn: Lsn, publishedUs: number, texts?: readonly ResultTexts[]): void {
    this.#store.apply(this.#application.id, record, { lsn, publishedUs, texts });
    for (const { equipmentId, period, key, fromUs, toUs, cause } of record.items) {
      const station = this.agenda.stations.get(equipmentId);
      if (station === undefined || station.parent === null) continue;
      const text = `${nameOf(station)}: ${cause.text}`.slice(0, 400);
      this.agenda.dirtyAbove(station.parent, { period, key, fromUs, toUs }, { ...cause, kind: "below", text });
    }
  }

  /** Are there changes that are not written yet? */
  get changed(): boolean {
    return this.#changes.added.size > 0 || this.#changes.dropped.size > 0;
  }

  /** How far each station's periods are known, to be written with the rest. */
  noteSeen(): void {
    for (const station of this.agenda.stations.values()) {
      const seenUs = seenUsOf(station);
      if (seenUs === null || this.#seen.get(station.id) === seenUs) continue;
      this.#seen.set(station.id, seenUs);
      this.#changes.seen.set(station.id, seenUs);
    }
    for (const id of this.#seen.keys())
      if (!this.agenda.stations.has(id)) {
        this.#seen.delete(id);
        this.#changes.seen.set(id, null);
      }
  }

  /** Writes what has changed. Inside a transaction. */
  write(): void {
    const { added, dropped, seen } = this.#changes;
    if (added.size === 0 && dropped.size === 0 && seen.size === 0) return;
    this.#store.keep(this.#application.id, this.#changes);
    this.#changes = noChanges();
  }

  #add(row: Row): void {
    this.#changes.dropped.delete(row.id);
    this.#changes.added.set(row.id, row);
  }

  #drop(row: Row): void {
    this.#changes.added.delete(row.id);
    this.#changes.dropped.add(row.id);
  }
}

/** 0 while provisional; each final number that is replaced counts on. One that was final and is open again has its next number already. */
export function revisionAfter(
  standing: Pick<StoredResult, "state" | "revision"> | null,
  state: "provisional" | "final",
): number {
  if (standing === null) return state === "final" ? 1 : 0;
  if (standing.state === "final") return standing.revision + 1;
  return state === "final" ? Math.max(1, standing.revision) : standing.revision;
}

const noChanges = (): Changes => ({ added: new Map(), dropped: new Set(), seen: new Map() });
const refused = (code: string, detail: string): Verdict => ({ what: "refused", code, detail });
const nameOf = ({ path }: Station): string => path.slice(path.lastIndexOf("/") + 1);
