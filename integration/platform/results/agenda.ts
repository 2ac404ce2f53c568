import {
  type Cause,
  dayUs,
  type Micros,
  minuteUs,
  type ResultCause,
  type ResultKey,
  type ResultPeriod,
  type WorkItem,
} from "@lineshaft/contract/api";
import { type KeySpan, keyText } from "./keys.ts";
import type { OpenKey, Station, StationPlan } from "./stations.ts";

/** Something dirty that outlives the process: a range of time, or one key (of what stands above, when something below has changed). */
export interface Row {
  id: number;
  station: number;
  /** null: all keys that meet the range. */
  key: { period: ResultPeriod; key: string } | null;
  fromUs: Micros;
  toUs: Micros;
  cause: Cause;
  /** Keys that it still waits for; while it is a window, itself. */
  left: number;
  /** Keys that end then or later were taken out of it before; null: none was. */
  endsBy: Micros | null;
}

/** One key that is to be computed. */
export interface Task extends KeySpan {
  station: Station;
  cause: Cause;
  rows: Row[];
  state: "waiting" | "given" | "publishing";
  /** It became dirty once more after it was given out. */
  again: { cause: Cause; rows: Row[] } | null;
  item: WorkItem | null;
  givenMs: number;
  /** How often it was given out and nothing came back. */
  attempts: number;
  notBeforeMs: number;
  /** Does what stands above wait for it? */
  blocks: boolean;
}

export interface StoredKey extends KeySpan {
  state: "provisional" | "final";
}

/** What an agenda knows of the world: pure questions, answered at once. */
export interface AgendaInputs {
  nowMs(): number;
  /** Up to where the inputs are known. */
  basisLsn(): number;
  /** Of all members together; null: nothing is known yet of what feeds it. */
  progress(members: readonly number[]): StationProgress | null;
  keys(station: StationPlan, fromUs: Micros, toUs: Micros): KeySpan[];
  /** Current results that meet a range. */
  stored(station: number, fromUs: Micros, toUs: Micros): StoredKey[];
  /** One of them. */
  find(key: ResultKey): StoredKey | null;
  /** The hull of the current results of these stations for a key; null: none has one. */
  hull(stations: readonly number[], key: { period: ResultPeriod; key: string }): StoredKey | null;
}

export interface StationProgress {
  fromUs: Micros;
  watermarkUs: Micros;
  finalBeforeUs: Micros;
  repairing: boolean;
}

export interface AgendaOptions {
  /** Periods that are open are computed again at most so often; longer ones less often. */
  progressMs: number;
  /** What is not published so long after it was given out is given out again. */
  givenMs: number;
}

/** What must be kept of changes of an agenda. */
export interface Kept {
  add(row: Row): void;
  drop(row: Row): void;
}

/** A period of 5 s × this many is computed again every 5 s; one twice as long every 10 s. */
const progressShare = 720;
/** Failing so often, a key no longer holds up what stands above it. */
const patience = 2;
const retryMostMs = 3_600_000;
/** How often it is looked whether another period has begun. */
const lookMs = 60_000;
/** Windows are taken apart day by day, the newest first. */
const chunkUs = dayUs;
const chunksPerTake = 400;
/** Facts are kept for 32 days, and forgotten by the hour. */
const factsKeptUs = 31 * dayUs;

/**
 * What one application has to compute, and in which order. Dirty ranges (windows) are taken apart into keys (tasks) only when they are given out, so that a change of everything costs
 * little; what stands above waits until nothing below it is to be computed for the same key.
 */
export class Agenda {
  readonly stations = new Map<number, Station>();
  readonly #inputs: AgendaInputs;
  readonly #kept: Kept;
  readonly #options: AgendaOptions;
  /** What speaks for itself; what stands above, the deepest first. */
  #machines: Station[] = [];
  #upper: Station[] = [];
  /** With whom giving out begins: if there is more to do than is done, each has its turn. */
  #turn = 0;
  /** Stations with windows of changes, and with windows of the past that nobody is waiting for. */
  readonly #changed = new Set<Station>();
  readonly #backlog = new Set<Station>();
  readonly #given = new Set<Task>();
  #progressing = 0;
  #roundMs = Number.NEGATIVE_INFINITY;
  #nextRow = 1;

  constructor(inputs: AgendaInputs, kept: Kept, options: AgendaOptions) {
    this.#inputs = inputs;
    this.#kept = kept;
    this.#options = options;
  }

  /** The stations as they are from now on. Those that are gone take their tasks with them. */
  setStations(plans: readonly StationPlan[]): void {
    const wanted = new Set(plans.map(({ id }) => id));
    for (const station of [...this.stations.values()]) if (!wanted.has(station.id)) this.#remove(station);
    for (const plan of plans) {
      const known = this.stations.get(plan.id);
      if (known !== undefined) Object.assign(known, plan);
      else this.stations.set(plan.id, newStation(plan));
    }
    for (const station of this.stations.values()) {
      station.below = [];
      station.busy = new Map();
      station.depth = 0;
    }
    for (const station of this.stations.values()) {
      station.depth = this.#above(station).length;
      this.#parentOf(station)?.below.push(station);
    }
    for (const station of this.stations.values())
      for (const [text, task] of station.tasks) if (task.blocks) this.#count(station, text, 1);
    const all = [...this.stations.values()].sort((a, b) => b.depth - a.depth || a.id - b.id);
    this.#machines = all.filter(({ level }) => level !== "above");
    this.#upper = all.filter(({ level }) => level === "above");
  }

  /** Everything of a station that meets a range is dirty. `row` is given when it was kept before. */
  dirty(id: number, fromUs: Micros, toUs: Micros, cause: Cause, row?: Row): void {
    const station = this.stations.get(id);
    if (station === undefined) return;
    const last = station.windows.at(-1);
    if (row === undefined && last !== undefined && absorbs(last, fromUs, toUs, cause)) return;
    const window = row ?? this.#row(station, null, { fromUs, toUs }, cause);
    window.left = 1;
    station.windows.push(window);
    (isBacklog(cause) ? this.#backlog : this.#changed).add(station);
  }

  /** Something below has been published: its key is dirty here. */
  dirtyAbove(id: number, span: KeySpan, cause: Cause, row?: Row): void {
    const station = this.stations.get(id);
    if (station === undefined || station.level !== "above") return;
    const text = keyText(span);
    const known = station.tasks.get(text);
    // What waits anyway needs no second row.
    const waiting = known?.state === "waiting" ? known : known?.again;
    if (row === undefined && waiting) {
      waiting.cause = cause;
      return;
    }
    const kept = row ?? this.#row(station, { period: span.period, key: span.key }, span, cause);
    kept.left = 0;
    this.#task(station, span, cause, kept);
  }

  /** A row as it was kept; ids go on after it. */
  restore(row: Row): void {
    this.#nextRow = Math.max(this.#nextRow, row.id + 1);
    if (row.key === null) this.dirty(row.station, row.fromUs, row.toUs, row.cause, row);
    else this.dirtyAbove(row.station, { ...row.key, fromUs: row.fromUs, toUs: row.toUs }, row.cause, row);
    if (!this.stations.has(row.station)) this.#kept.drop(row);
  }

  /** Where a station's keys are known up to, and which are open: as they were kept. */
  resume(id: number, seenUs: Micros, open: readonly KeySpan[]): void {
    const station = this.stations.get(id);
    if (station === undefined) return;
    station.seenUs = seenUs;
    for (const span of open) this.#opened(station, span).stored = true;
  }

  /** Keys that begin before are kept with the results, or stand in `windows`. */
  seenUs(station: Station): Micros | null {
    if (station.seenUs === null) return null;
    let seen = station.seenUs;
    for (const open of station.open.values()) if (!open.stored) seen = Math.min(seen, open.fromUs);
    return seen;
  }

  /** Tasks that wait or are given out, and windows. */
  get size(): { tasks: number; windows: number } {
    let tasks = 0;
    let windows = 0;
    for (const station of this.stations.values()) {
      tasks += station.tasks.size;
      windows += station.windows.length;
    }
    return { tasks, windows };
  }

  /** Is something known to be wrong with a result? Open periods are only behind. */
  isStale(key: ResultKey & { fromUs: Micros; toUs: Micros }): boolean {
    const station = this.stations.get(key.equipmentId);
    if (station === undefined) return false;
    const text = keyText(key);
    const task = station.tasks.get(text);
    if (task !== undefined && (isChange(task.cause.kind) || (task.again !== null && isChange(task.again.cause.kind))))
      return true;
    if (this.#changed.size === 0 && this.#backlog.size === 0) return false;
    return this.#windowsMeet(station, key, isChange);
  }

  /** Ticks, and gives out up to `limit` keys of stations that `visible` lets through. */
  take(limit: number, visible: (path: string) => boolean): WorkItem[] {
    this.#expire();
    this.#round();
    const items: WorkItem[] = [];
    const { length } = this.#machines;
    const first = this.#turn;
    for (let i = 0; i < length && items.length < limit; i++) {
      this.#turn = (first + i) % length;
      this.#takeOf(this.#machines[this.#turn], items, limit, visible);
    }
    for (const station of [...this.#changed]) {
      if (items.length >= limit) return items;
      while (this.#expand(station, false));
      this.#takeOf(station, items, limit, visible);
    }
    for (const station of this.#upper) this.#takeOf(station, items, limit, visible);
    for (let chunks = 0; items.length < limit && this.#backlog.size > 0 && chunks < chunksPerTake; chunks++) {
      const [station] = this.#backlog;
      this.#expand(station, true);
      // Once around before the next day of the same.
      if (this.#backlog.delete(station) && station.windows.some(({ cause }) => isBacklog(cause)))
        this.#backlog.add(station);
      this.#takeOf(station, items, limit, visible);
    }
    return items;
  }

  /** The task that was given out for a key on this basis. */
  givenFor(key: ResultKey & { basisLsn: number }): Task | null {
    const task = this.stations.get(key.equipmentId)?.tasks.get(keyText(key));
    if (task?.state !== "given" || task.item?.basisLsn !== key.basisLsn) return null;
    return task;
  }

  /** It is on its way into the log: nobody else may have it. */
  publishing(task: Task): void {
    task.state = "publishing";
  }

  /** It could not be published; it may be tried again on the same basis. */
  notPublished(task: Task): void {
    if (task.state === "publishing") task.state = "given";
  }

  /** It was published, or found unchanged. */
  done(task: Task): void {
    const { station, item } = task;
    const text = keyText(task);
    if (station.tasks.get(text) !== task) return;
    this.#given.delete(task);
    this.#uncount(task, text);
    station.tasks.delete(text);
    if (task.cause.kind === "progress") this.#progressing--;
    for (const row of task.rows) this.#release(row);
    if (station.level !== "above") {
      if (item?.state === "final") station.open.delete(text);
      else if (item !== null) this.#opened(station, task).stored = true;
    }
    if (task.again !== null) {
      const { cause, rows } = task.again;
      const next = this.#task(station, task, cause, null);
      next.rows.push(...rows);
    }
  }

  #above(station: Station): Station[] {
    const above: Station[] = [];
    for (let at = this.#parentOf(station); at !== undefined; at = this.#parentOf(at)) above.push(at);
    return above;
  }

  /** What speaks for itself (a line, a machine) needs nothing from below. */
  #parentOf(station: Station): Station | undefined {
    const parent = station.parent === null ? undefined : this.stations.get(station.parent);
    return parent?.level === "above" ? parent : undefined;
  }

  #remove(station: Station): void {
    for (const task of station.tasks.values()) {
      this.#given.delete(task);
      if (task.cause.kind === "progress") this.#progressing--;
      for (const row of [...task.rows, ...(task.again?.rows ?? [])]) this.#kept.drop(row);
    }
    for (const row of station.windows) this.#kept.drop(row);
    this.#changed.delete(station);
    this.#backlog.delete(station);
    this.stations.delete(station.id);
  }

  #row(station: Station, key: Row["key"], { fromUs, toUs }: { fromUs: Micros; toUs: Micros }, cause: Cause): Row {
    const row = { id: this.#nextRow++, station: station.id, key, fromUs, toUs, cause, left: 0, endsBy: null };
    this.#kept.add(row);
    return row;
  }

  #release(row: Row): void {
    if (--row.left === 0) this.#kept.drop(row);
  }

  #task(station: Station, span: KeySpan, cause: Cause, row: Row | null): Task {
    const text = keyText(span);
    const rows = row === null ? [] : [row];
    if (row !== null) row.left++;
    const known = station.tasks.get(text);
    if (known === undefined) {
      const { period, key, fromUs, toUs } = span;
      const task: Task = {
        ...{ station, period, key, fromUs, toUs, cause, rows },
        ...{ state: "waiting", again: null, item: null, givenMs: 0, attempts: 0, notBeforeMs: 0, blocks: true },
      };
      station.tasks.set(text, task);
      this.#count(station, text, 1);
      if (cause.kind === "progress") this.#progressing++;
      return task;
    }
    known.fromUs = span.fromUs;
    known.toUs = span.toUs;
    if (known.state === "waiting") {
      known.rows.push(...rows);
      if (cause.kind !== "progress") this.#because(known, cause);
    } else if (cause.kind !== "progress") {
      known.again = { cause, rows: [...(known.again?.rows ?? []), ...rows] };
    }
    return known;
  }

  #because(task: Task, cause: Cause): void {
    if (task.cause.kind === "progress") this.#progressing--;
    task.cause = cause;
  }

  #count(station: Station, text: string, by: number): void {
    for (const above of this.#above(station)) {
      const sum = (above.busy.get(text) ?? 0) + by;
      if (sum > 0) above.busy.set(text, sum);
      else above.busy.delete(text);
    }
  }

  #uncount(task: Task, text: string): void {
    if (!task.blocks) return;
    task.blocks = false;
    this.#count(task.station, text, -1);
  }

  #opened(station: Station, { period, key, fromUs, toUs }: KeySpan): OpenKey {
    const text = keyText({ period, key });
    const known = station.open.get(text);
    if (known !== undefined) {
      known.fromUs = fromUs;
      known.toUs = toUs;
      return known;
    }
    const open = { period, key, fromUs, toUs, dueMs: 0, watermarkUs: Number.NEGATIVE_INFINITY, stored: false };
    station.open.set(text, open);
    return open;
  }

  /** What was given out and did not come back waits again. */
  #expire(): void {
    const now = this.#inputs.nowMs();
    for (const task of this.#given) {
      if (task.state !== "given") continue;
      if (now - task.givenMs < this.#options.givenMs) break;
      this.#given.delete(task);
      task.state = "waiting";
      task.attempts++;
      if (task.again !== null) {
        this.#because(task, task.again.cause);
        task.rows.push(...task.again.rows);
        task.again = null;
      }
      if (task.attempts < patience) continue;
      task.notBeforeMs = now + Math.min(retryMostMs, this.#options.givenMs * 2 ** task.attempts);
      this.#uncount(task, keyText(task));
    }
  }

  /** Looks at all that is open, when the last look has been worked off. */
  #round(): void {
    const now = this.#inputs.nowMs();
    const since = now - this.#roundMs;
    if (since < this.#options.progressMs) return;
    if (this.#progressing > 0 && since < 10 * this.#options.progressMs) return;
    this.#roundMs = now;
    for (const station of this.#machines) this.#progress(station, now);
  }

  #progress(station: Station, now: number): void {
    const progress = this.#inputs.progress(station.members);
    if (progress === null || progress.watermarkUs <= station.watermarkUs) return;
    const { watermarkUs, finalBeforeUs } = progress;
    station.watermarkUs = watermarkUs;
    if (station.seenUs === null) {
      station.seenUs = watermarkUs;
      // Looked at for the first time: whatever has been recorded is to be computed.
      this.dirty(station.id, progress.fromUs, watermarkUs, pastCause);
      this.#look(station, watermarkUs, watermarkUs, now);
    } else if (now - station.lookedMs >= lookMs || watermarkUs - station.seenUs >= minuteUs) {
      this.#look(station, station.seenUs, watermarkUs, now);
    }
    for (const open of station.open.values()) {
      const ended = open.toUs <= finalBeforeUs;
      if ((!ended && now < open.dueMs) || open.watermarkUs >= watermarkUs) continue;
      this.#task(station, open, open.stored ? progressCause : firstCause, null);
    }
  }

  /** Takes up the keys that have begun. */
  #look(station: Station, fromUs: Micros, toUs: Micros, now: number): void {
    station.lookedMs = now;
    station.seenUs = toUs;
    for (const span of this.#inputs.keys(station, fromUs, toUs)) {
      if (span.fromUs >= toUs || station.open.has(keyText(span))) continue;
      const stored = this.#inputs.find({ equipmentId: station.id, ...span });
      if (stored?.state !== "final") this.#opened(station, span);
    }
  }

  /** Takes the newest part of the newest window apart into tasks; false: there is none. */
  #expand(station: Station, backlog: boolean): boolean {
    const window = station.windows.findLast(({ cause }) => isBacklog(cause) === backlog);
    if (window === undefined) {
      (backlog ? this.#backlog : this.#changed).delete(station);
      return false;
    }
    const range = this.#rangeOf(station, window);
    // Nothing is known of its machine yet.
    if (range === null) return false;
    const { begin, cut, end } = range;
    for (const span of this.#keysOf(station, cut, end)) {
      // A key that reaches over a cut belongs to the part it ends in.
      if ((window.endsBy !== null && span.toUs >= window.endsBy) || (span.toUs < cut && cut > begin)) continue;
      const open = station.open.get(keyText(span));
      if (open !== undefined) Object.assign(open, { fromUs: span.fromUs, toUs: span.toUs });
      if (isBacklog(window.cause) && open?.stored === false) continue;
      this.#task(station, span, window.cause, window);
    }
    const at = station.windows.indexOf(window);
    if (cut > begin) {
      // What is left of it stands on its own, so that a restart does not begin at its end again.
      const rest = this.#row(station, null, { fromUs: window.fromUs, toUs: cut }, window.cause);
      station.windows.splice(at, 1, Object.assign(rest, { left: 1, endsBy: cut }));
      window.fromUs = cut;
      this.#kept.add(window);
    } else station.windows.splice(at, 1);
    this.#release(window);
    if (station.windows.every(({ cause }) => isBacklog(cause) !== backlog))
      (backlog ? this.#backlog : this.#changed).delete(station);
    return true;
  }

  /** The part of a window that is taken apart now: its newest day. null: nothing is known of the machine. */
  #rangeOf(station: Station, { fromUs, toUs }: Row): { begin: Micros; cut: Micros; end: Micros } | null {
    if (station.level === "above") return { begin: fromUs, cut: fromUs, end: toUs };
    const progress = this.#inputs.progress(station.members);
    if (progress === null) return null;
    const end = Math.min(toUs, progress.watermarkUs);
    const begin = Math.min(end, Math.max(fromUs, progress.fromUs));
    return { begin, cut: Math.max(begin, end - chunkUs), end };
  }

  /** Keys under the context as it is, and those that were published under another. */
  #keysOf(station: Station, fromUs: Micros, toUs: Micros): KeySpan[] {
    const keys = new Map<string, KeySpan>();
    // Whose facts are forgotten cannot be computed again.
    const forgotten = station.watermarkUs - factsKeptUs;
    for (const span of this.#inputs.stored(station.id, fromUs, toUs))
      if (span.fromUs >= forgotten || station.level === "above") keys.set(keyText(span), span);
    if (station.level === "above") return [...keys.values()];
    for (const span of this.#inputs.keys(station, fromUs, toUs))
      if (span.fromUs < Math.max(toUs, station.watermarkUs)) keys.set(keyText(span), span);
    return [...keys.values()];
  }

  #takeOf(station: Station, items: WorkItem[], limit: number, visible: (path: string) => boolean): void {
    if (station.tasks.size === 0 || !visible(station.path)) return;
    const now = this.#inputs.nowMs();
    for (const [text, task] of station.tasks) {
      if (items.length >= limit) return;
      if (task.state !== "waiting" || task.notBeforeMs > now) continue;
      if (station.level === "above" && this.#waitsBelow(station, text, task)) continue;
      const item = this.#give(task, now);
      if (item !== null) items.push(item);
    }
  }

  #waitsBelow(station: Station, text: string, span: KeySpan): boolean {
    if (station.busy.has(text)) return true;
    if (this.#changed.size === 0 && this.#backlog.size === 0) return false;
    return station.below.some((below) => this.#windowsMeet(below, span, () => true));
  }

  #windowsMeet(station: Station, span: { fromUs: Micros; toUs: Micros }, of: (kind: ResultCause) => boolean): boolean {
    const meets = ({ fromUs, toUs, cause }: Row) => fromUs <= span.toUs && toUs >= span.fromUs && of(cause.kind);
    const known = station.level === "above" || station.watermarkUs !== Number.NEGATIVE_INFINITY;
    return (known && station.windows.some(meets)) || station.below.some((below) => this.#windowsMeet(below, span, of));
  }

  #give(task: Task, now: number): WorkItem | null {
    const { station, period, key } = task;
    const text = keyText(task);
    const standing = station.level === "above" ? this.#standingAbove(task) : this.#standingOf(task);
    if (standing === null) {
      this.done(task);
      return null;
    }
    if (standing === "later") return null;
    const { fromUs, toUs, state } = standing;
    task.item = {
      ...{ equipmentId: station.id, period, key, path: station.path, equipmentLevel: station.equipmentLevel },
      ...{ fromUs, toUs, level: station.level, state, cause: task.cause, basisLsn: this.#inputs.basisLsn() },
      below: station.level === "above" ? station.below.map(({ id }) => id) : [],
    };
    task.state = "given";
    task.givenMs = now;
    this.#given.add(task);
    const open = station.open.get(text);
    if (open !== undefined) {
      open.watermarkUs = station.watermarkUs;
      open.dueMs = now + this.#everyMs(fromUs, toUs);
    }
    return task.item;
  }

  #everyMs(fromUs: Micros, toUs: Micros): number {
    return Math.max(this.#options.progressMs, (toUs - fromUs) / 1000 / progressShare);
  }

  #standingOf({ station, fromUs, toUs }: Task): Standing | "later" | null {
    const progress = this.#inputs.progress(station.members);
    if (progress === null) return "later";
    const { watermarkUs, finalBeforeUs, repairing } = progress;
    const final = toUs <= finalBeforeUs;
    // What is final should not have to be corrected as soon as the repair is done.
    if (final && repairing) return "later";
    const end = Number.isFinite(toUs) ? toUs : Math.max(fromUs + 1, watermarkUs);
    return { fromUs, toUs: end, state: final ? "final" : "provisional" };
  }

  #standingAbove({ station, period, key }: Task): Standing | null {
    const below = station.below.map(({ id }) => id);
    const hull = this.#inputs.hull(below, { period, key });
    if (hull === null) return null;
    const ended = this.#machinesBelow(station).every(({ members }) => {
      const progress = this.#inputs.progress(members);
      return progress === null || progress.finalBeforeUs >= hull.toUs;
    });
    const { fromUs, toUs } = hull;
    return { fromUs, toUs, state: ended ? hull.state : "provisional" };
  }

  #machinesBelow(station: Station): Station[] {
    return station.below.flatMap((each) => (each.level === "above" ? this.#machinesBelow(each) : [each]));
  }
}

interface Standing {
  fromUs: Micros;
  toUs: Micros;
  state: "provisional" | "final";
}

function newStation(plan: StationPlan): Station {
  return {
    ...plan,
    ...{ below: [], depth: 0, tasks: new Map(), busy: new Map(), windows: [], open: new Map() },
    ...{ seenUs: null, watermarkUs: Number.NEGATIVE_INFINITY, lookedMs: Number.NEGATIVE_INFINITY },
  };
}

const noChange = { lsn: null, registryRevision: null, actor: null };
export const firstCause: Cause = { kind: "first", text: "Computed for the first time.", ...noChange };
const pastCause: Cause = { kind: "first", text: "What was recorded before.", ...noChange };
const progressCause: Cause = { kind: "progress", text: "Time has gone on.", ...noChange };

/** The past that nobody is waiting for comes after what is going on. */
const isBacklog = ({ kind }: Cause): boolean => kind === "first" || kind === "rule";
const isChange = (kind: ResultCause): boolean => kind !== "first" && kind !== "progress";

/** Does a window say the same already? */
const absorbs = (window: Row, fromUs: Micros, toUs: Micros, { kind, lsn }: Cause): boolean =>
  window.cause.kind === kind && window.cause.lsn === lsn && window.fromUs <= fromUs && window.toUs >= toUs;
