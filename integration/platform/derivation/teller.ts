import type { Micros } from "@lineshaft/contract/api";
import {
  type FactsChangedRecord,
  type FactsKind,
  type FactsRows,
  type FactsWhat,
  factsWhats,
  type Lsn,
} from "@lineshaft/contract/ports";
import type { Binding } from "./binding.ts";
import { countsAheadUs, factsWithin, machineFacts, statesAheadUs } from "./compose.ts";
import type { DirtyRange } from "./dirty.ts";
import { factsKeptUs } from "./kept.ts";
import { alarmTransitions, identifierTransitions } from "./names.ts";

/** Rows of one record, so that composing it takes some milliseconds; what is more comes with the next, as soon as this one is back. */
const rowsMax = 3_000;
/** Facts of one range; a longer one is told in parts. */
const partMax = 2_000;
/** Machines in one record. */
const machinesMax = 500;
/** Changes of one machine that wait; more are told as one. */
const changesMax = 50;

/** Up to where the facts of a machine were told, ends included. */
export interface Told {
  states: Micros;
  counts: Micros;
  alarms: Micros;
  identifiers: Micros;
}

/** What a machine has to tell: facts up to `until`, and ranges in which they are others than was told. */
interface News {
  until: Micros;
  changes: DirtyRange[];
}

export interface TellerState {
  /** Before there were alarms and identifiers, nothing stands of them. */
  told: [equipment: number, Pick<Told, "states" | "counts"> & Partial<Told>][];
  changes: DirtyRange[];
}

interface Machine {
  bindings: readonly Binding[];
  watermark: Micros;
}

/**
 * What the log tells of facts: each when it is final, and again where it is another than was told. What is provisional is not told, so a tail that changes with every point is no flood. That
 * something was told is known when its record comes back out of the log, and until then nothing more is told; so a crash neither loses a fact nor tells it twice.
 */
export class FactsTeller {
  readonly #told: Map<number, Told>;
  #news = new Map<number, News>();
  #sent: Map<number, News> | null = null;

  constructor({ told, changes }: TellerState) {
    this.#told = new Map(
      told.map(([equipment, { states, counts, alarms = states, identifiers = states }]) => [
        equipment,
        { states, counts, alarms, identifiers },
      ]),
    );
    this.changed(changes, () => []);
  }

  /** To go on from here. */
  get state(): TellerState {
    const waiting = [...this.#news.values(), ...(this.#sent?.values() ?? [])];
    return { told: [...this.#told], changes: waiting.flatMap(({ changes }) => changes) };
  }

  /** Whatever of the machine is final was told by a process before this one. */
  toldBefore(equipment: number, machine: Machine): void {
    if (!this.#told.has(equipment) && Number.isFinite(machine.watermark)) this.#told.set(equipment, finalOf(machine));
  }

  changed(changes: readonly DirtyRange[], bindingsOf: (equipment: number) => readonly Binding[]): void {
    for (const change of changes) {
      const news = this.#newsOf(change.equipment);
      for (const { lastT } of bindingsOf(change.equipment)) news.until = Math.max(news.until, lastT);
      // What came in its order is told when it is final, and once.
      if (change.cause === "points" || !this.#told.has(change.equipment)) continue;
      news.changes.push(change);
      if (news.changes.length > changesMax) news.changes = [hull(news.changes)];
    }
  }

  /** The next record; null: there is nothing to tell now, or what was sent is not back yet. */
  compose(machineOf: (equipment: number) => Machine, lsn: Lsn): FactsRows | null {
    if (this.#sent !== null) return null;
    const rows: FactsRows = { ranges: [], states: [], counts: [], alarms: [], identifiers: [] };
    const sent = new Map<number, News>();
    const waiting = new Map<number, News>();
    let machines = machinesMax;
    for (const [equipment, news] of this.#news) {
      if (machines-- === 0 || rowsIn(rows) >= rowsMax) break;
      this.#news.delete(equipment);
      const machine = machineOf(equipment);
      const before = rows.ranges.length;
      const left = this.#tell(rows, equipment, machine, news, lsn);
      if (left.length > 0) waiting.set(equipment, { until: news.until, changes: left });
      if (rows.ranges.length > before) sent.set(equipment, news);
      else if (this.#isLeft(equipment, news.until)) waiting.set(equipment, news);
    }
    // What is not final yet waits behind the others.
    for (const [equipment, news] of waiting) this.#news.set(equipment, news);
    if (rows.ranges.length === 0) return null;
    this.#sent = sent;
    return rows;
  }

  /** The record could not be written; all of it is told again. */
  failed(): void {
    const sent = this.#sent ?? [];
    this.#sent = null;
    for (const [equipment, { until, changes }] of sent) {
      const news = this.#newsOf(equipment);
      news.until = Math.max(news.until, until);
      news.changes.unshift(...changes);
    }
  }

  /** A record that the log has, of this process or of the one before. True: it was as full as one may be, and there is more to tell at once. */
  taken(record: FactsChangedRecord): boolean {
    const { ranges } = record;
    for (let i = 0; i < ranges.n; i++) {
      const told = this.#told.get(ranges.equipment[i]) ?? allAt(ranges.from[i]);
      const what = factsWhats[ranges.what[i]];
      told[what] = Math.max(told[what], ranges.to[i]);
      this.#told.set(ranges.equipment[i], told);
    }
    const sent = this.#sent ?? [];
    this.#sent = null;
    for (const [equipment, { until }] of sent)
      if (this.#isLeft(equipment, until)) {
        const news = this.#newsOf(equipment);
        news.until = Math.max(news.until, until);
      }
    return rowsTold(record) >= rowsMax && this.#news.size > 0;
  }

  /** Gives the changes that did not find room. What is told for the first time goes on where it stops by itself. */
  #tell(rows: FactsRows, equipment: number, machine: Machine, { changes }: News, lsn: Lsn): DirtyRange[] {
    const told = this.#told.get(equipment) ?? beforeAll(machine);
    if (!Number.isFinite(told.states)) return [];
    this.#told.set(equipment, told);
    const { bindings } = machine;
    const final = finalOf(machine);
    const from = Math.min(...Object.values(told)) - factsKeptUs;
    const past = changes.map((change) => ({ ...change, from: Math.max(change.from, from) }));
    const live = { equipment, cause: "points", lsn } as const;
    const left: DirtyRange[] = [];
    for (const what of factsWhats) {
      const { kind, some, after } = tellings[what];
      const ranges = past.flatMap((change) =>
        change.what === kind ? [{ ...change, to: Math.min(change.to, told[what]) }] : [],
      );
      if (final[what] > told[what]) {
        // Where there is much of it, a part is told at once.
        const to = firstPart(bindings, told[what], final[what]);
        if (some(bindings, told[what], to)) ranges.push({ ...live, what: kind, from: told[what] + after, to });
        else told[what] = to;
      }
      for (const range of apart(ranges)) left.push(...tellParts(rows, bindings, range, what));
    }
    return left.filter(({ cause }) => cause !== "points");
  }

  #isLeft(equipment: number, until: Micros): boolean {
    const told = this.#told.get(equipment);
    return told !== undefined && until > Math.min(...Object.values(told));
  }

  #newsOf(equipment: number): News {
    const known = this.#news.get(equipment);
    if (known !== undefined) return known;
    const news: News = { until: Number.NEGATIVE_INFINITY, changes: [] };
    this.#news.set(equipment, news);
    return news;
  }
}

/** The last instants at which facts are final. */
function finalOf({ bindings, watermark }: Machine): Told {
  if (!Number.isFinite(watermark)) return allAt(Number.NEGATIVE_INFINITY);
  const before = Math.ceil(watermark) - 1;
  return { ...allAt(before), states: before - statesAheadUs(bindings), counts: before - countsAheadUs(bindings) };
}

function beforeAll({ bindings }: Machine): Told {
  const first = Math.min(...bindings.map(({ track }) => track.firstHour));
  return allAt(first - 1);
}

const allAt = (at: Micros): Told => ({ states: at, counts: at, alarms: at, identifiers: at });

const rowsIn = ({ states, counts, alarms, identifiers }: FactsRows): number =>
  states.length + counts.length + alarms.length + identifiers.length;

const rowsTold = ({ states, counts, alarms, identifiers }: FactsChangedRecord): number =>
  states.n + counts.n + alarms.length + identifiers.length;

const hull = (changes: readonly DirtyRange[]): DirtyRange => ({
  ...changes[changes.length - 1],
  from: Math.min(...changes.map(({ from }) => from)),
  to: Math.max(...changes.map(({ to }) => to)),
});

/** Ranges that do not meet, so that each row is told by one of them. Where they did, the first that changed the past says why. */
function apart(ranges: readonly DirtyRange[]): DirtyRange[] {
  const result: DirtyRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (range.from > range.to) continue;
    if (last === undefined || range.from > last.to) {
      result.push({ ...range });
      continue;
    }
    last.to = Math.max(last.to, range.to);
    last.lsn = Math.max(last.lsn, range.lsn);
    if (last.cause === "points") last.cause = range.cause;
  }
  return result;
}

/** How each kind of facts is told: whether there is something new in (told, final], and its rows with from ≤ t ≤ to. */
interface Telling {
  kind: FactsKind;
  some(bindings: readonly Binding[], told: Micros, final: Micros): boolean;
  /** A range of what holds on begins with what was told last; one of counts behind it. */
  after: 0 | 1;
  tell(rows: FactsRows, bindings: readonly Binding[], equipment: number, from: Micros, to: Micros): void;
}

const tellings: Record<FactsWhat, Telling> = {
  states: {
    kind: "production",
    some: (bindings, told, final) => machineFacts(bindings, told, final + 1).states.count > 1,
    after: 0,
    tell: (rows, bindings, equipment, from, to) => {
      const { count, t, code } = machineFacts(bindings, from, to + 1).states;
      for (let i = 0; i < count; i++) rows.states.push({ equipment, time: t[i], code: code[i] });
    },
  },
  counts: {
    kind: "production",
    some: (bindings, told, final) => {
      const { t } = machineFacts(bindings, told + 1, final + 1).increments;
      return t.some((at) => at > told && at <= final);
    },
    after: 1,
    tell: (rows, bindings, equipment, from, to) => {
      const { count, source, t, n, kind, flags } = machineFacts(bindings, from, to + 1).increments;
      for (let i = 0; i < count; i++) {
        if (t[i] < from || t[i] > to) continue;
        const value = { value: n[i], kind: kind[i], flags: flags[i] };
        rows.counts.push({ equipment, source: source[i], time: t[i], ...value });
      }
    },
  },
  alarms: {
    kind: "alarms",
    some: (bindings, told, final) => alarmTransitions(bindings, told, final + 1).some(({ t }) => t > told),
    after: 0,
    tell: (rows, bindings, equipment, from, to) => {
      for (const row of alarmTransitions(bindings, from, to + 1)) rows.alarms.push({ equipment, ...row });
    },
  },
  identifiers: {
    kind: "identifiers",
    some: (bindings, told, final) => identifierTransitions(bindings, told, final + 1).some(({ t }) => t > told),
    after: 0,
    tell: (rows, bindings, equipment, from, to) => {
      for (const row of identifierTransitions(bindings, from, to + 1)) rows.identifiers.push({ equipment, ...row });
    },
  },
};

/** Tells a range part by part; gives what is left of it when the record is full. */
function tellParts(rows: FactsRows, bindings: readonly Binding[], range: DirtyRange, what: FactsWhat): DirtyRange[] {
  const { equipment, cause, lsn } = range;
  for (const { from, to } of partsOf(bindings, range.from, range.to)) {
    if (rowsIn(rows) >= rowsMax) return [{ ...range, from }];
    rows.ranges.push({ equipment, from, to, what, cause, lsn });
    tellings[what].tell(rows, bindings, equipment, from, to);
  }
  return [];
}

function firstPart(bindings: readonly Binding[], from: Micros, to: Micros): Micros {
  const [first] = partsOf(bindings, from, to);
  return first.to;
}

function* partsOf(bindings: readonly Binding[], from: Micros, to: Micros): Generator<{ from: Micros; to: Micros }> {
  const middle = Math.floor((from + to) / 2);
  if (middle === from || factsWithin(bindings, from, to) <= partMax) yield { from, to };
  else {
    yield* partsOf(bindings, from, middle);
    yield* partsOf(bindings, middle + 1, to);
  }
}
