import {
  type AlarmTransition,
  hourUs,
  type IdentifierTransition,
  type Micros,
  ProblemError,
} from "@lineshaft/contract/api";
import {
  type Clock,
  decodeFacts,
  type Frame,
  factsWhats,
  type Log,
  type Lsn,
  placeInLog,
  recordType,
  type ToldFacts,
} from "@lineshaft/contract/ports";
import { rangesOf, type ToldRow } from "./block.ts";
import { folded } from "./fold.ts";
import { openStore, type ToldFactsStore } from "./store.ts";

export interface ToldFactsOptions {
  path: string;
  log: Log;
  clock: Clock;
  /** How long facts are kept; so long is kept what was told of them. */
  keptUs: Micros;
  /** Resolves when the record is applied here. */
  applied(lsn: Lsn): Promise<void>;
  /** How often it is written to the disk; the log is pinned behind it. Default 30 s. */
  flushEveryMs?: number;
  onEvent?(event: { code: string; text: string }): void;
}

const [states, counts, alarms, identifiers] = factsWhats.map((_, what) => what);
/** How far back the state is looked for that holds at the begin of an answer; more each time. */
const lookBackUs = [hourUs, 12 * hourUs, 5 * 24 * hourUs, 40 * 24 * hourUs];

export function openToldFacts(options: ToldFactsOptions): ToldFactsService {
  const { path, log, onEvent } = options;
  const { generation, firstLsn } = log.status;
  return new ToldFactsService(options, openStore({ path, generation, firstLsn, onEvent }));
}

/** What the log has told of facts, each time, so that they can be read as they were published: a view of the log, bounded by the retention of facts. */
export class ToldFactsService implements ToldFacts {
  readonly #options: ToldFactsOptions;
  readonly #store: ToldFactsStore;
  #appliedLsn: Lsn;
  #flushedMs = Number.NEGATIVE_INFINITY;

  constructor(options: ToldFactsOptions, store: ToldFactsStore) {
    this.#options = options;
    this.#store = store;
    this.#appliedLsn = store.writtenLsn;
  }

  get appliedLsn(): Lsn {
    return this.#appliedLsn;
  }

  /** What was looked at up to here survives a power cut. */
  get syncedLsn(): Lsn {
    return this.#store.writtenLsn;
  }

  /** Frames in LSN order, some of them perhaps for the second time. */
  apply(frames: readonly Frame[]): void {
    for (const { type, lsn, payload, recordedTime } of frames) {
      if (lsn <= this.#appliedLsn) continue;
      if (type === recordType.factsChanged) {
        for (const { equipment, what, ...range } of rangesOf(decodeFacts(payload), lsn))
          this.#store.add(equipment, what, range);
        this.#store.noteMoment(recordedTime, lsn);
      }
      this.#appliedLsn = lsn;
    }
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#flushedMs < (this.#options.flushEveryMs ?? 30_000)) return;
    this.flush();
    this.#flushedMs = nowMs;
  }

  flush(): void {
    if (this.#appliedLsn > this.#store.writtenLsn) this.#store.flush(this.#appliedLsn, this.#keptFromUs());
  }

  close(): void {
    this.flush();
    this.#store.close();
  }

  async machine(equipmentId: number, from: Micros, to: Micros, asOf: string): ReturnType<ToldFacts["machine"]> {
    const place = this.#placeOf(asOf);
    if (from < this.#keptFromUs())
      throw new ProblemError("as_of_expired", `What was told of facts is kept since ${this.#keptFromUs()} (µs).`);
    await this.#options.applied(place);
    const told = [states, counts].map((what) => this.#store.toldUntil(equipmentId, what, place));
    const ends = told.flatMap((until) => until ?? []);
    return {
      facts: {
        from,
        to,
        states: this.#states(equipmentId, from, to, place),
        increments: this.#counts(equipmentId, from, to, place),
      },
      watermarkUs: null,
      finalBeforeUs: ends.length === 0 ? null : Math.max(...ends) + 1,
      repairing: false,
      alarms: this.#transitions<AlarmTransition>(equipmentId, alarms, from, to, place),
      identifiers: this.#transitions<IdentifierTransition>(equipmentId, identifiers, from, to, place),
    };
  }

  /** Of each property and tag what held at `from`, then each change before `to`. */
  #transitions<T>(equipmentId: number, what: number, from: Micros, to: Micros, asOf: Lsn): T[] {
    const since = from - lookBackUs[lookBackUs.length - 1];
    const rows = folded(this.#store.ranges(equipmentId, what, since, to - 1, asOf)).filter(({ time }) => time < to);
    const said = new Map<string, { says: string; at: number }>();
    const told: (Record<string, unknown> & { t: Micros })[] = [];
    for (const { time, ...row } of rows) {
      const key = JSON.stringify([row.property, row.tagId ?? null]);
      const says = JSON.stringify(row);
      const known = said.get(key);
      if (known?.says === says) continue;
      const next = { ...row, t: Math.max(time, from) };
      // Before `from` only the last counts.
      if (known !== undefined && time <= from) told[known.at] = next;
      else told.push(next);
      said.set(key, { says, at: known !== undefined && time <= from ? known.at : told.length - 1 });
    }
    return told.sort((a, b) => a.t - b.t) as T[];
  }

  #states(equipmentId: number, from: Micros, to: Micros, asOf: Lsn) {
    for (const [i, backUs] of lookBackUs.entries()) {
      const since = from - backUs;
      const rows = folded(this.#store.ranges(equipmentId, states, since, to - 1, asOf)).filter(({ time }) => time < to);
      const before = rows.findLast(({ time }) => time <= from);
      if (before === undefined && i < lookBackUs.length - 1) continue;
      const own = rows.filter(({ time }) => time > from);
      // The first holds from the start of what was asked; nothing told is unknown.
      const first = { time: from, code: before === undefined ? 0 : numberIn(before, "code") };
      // Each range says again what holds at its begin.
      const all = [first, ...own.map((row) => ({ time: row.time, code: numberIn(row, "code") }))].filter(
        ({ code }, k, rows) => k === 0 || code !== rows[k - 1].code,
      );
      return {
        count: all.length,
        t: Float64Array.from(all.map(({ time }) => time)),
        code: Int32Array.from(all.map(({ code }) => code)),
      };
    }
    throw new Error("There is a last time to look back.");
  }

  #counts(equipmentId: number, from: Micros, to: Micros, asOf: Lsn) {
    // A count that was estimated over a long time ends after `to` and meets the range all the same.
    const rows = folded(this.#store.ranges(equipmentId, counts, from, to + lookBackUs[1], asOf)).filter(
      (row) => row.time >= from && (row.time <= to || numberIn(row, "source") < to),
    );
    const column = (name: string): number[] => rows.map((row) => numberIn(row, name));
    return {
      count: rows.length,
      source: Float64Array.from(column("source")),
      t: Float64Array.from(column("time")),
      n: Float64Array.from(column("value")),
      kind: Uint8Array.from(column("kind")),
      flags: Uint8Array.from(column("flags")),
    };
  }

  #keptFromUs(): Micros {
    return this.#options.clock.nowUs() - this.#options.keptUs;
  }

  #placeOf(asOf: string): Lsn {
    const place = placeInLog(asOf, { ...this.#options, lsnAt: (time) => this.#store.lsnAt(time) });
    if (place >= this.#store.firstLsn) return place;
    throw new ProblemError("as_of_expired", `What was told is kept since the record ${this.#store.firstLsn}.`);
  }
}

const numberIn = (row: ToldRow, name: string): number => row[name] as number;
