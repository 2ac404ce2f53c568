import type { Cause, Micros, ResultKey, WorkItem } from "@lineshaft/contract/api";
import { type KeySpan, keyText } from "./keys.ts";
import { OpenPeriods } from "./open-periods.ts";
import { Portion } from "./portion.ts";
import { itemOf, standingOf } from "./standing.ts";
import { newStation, type Station, type StationPlan } from "./stations.ts";
import {
  type AgendaInputs,
  type AgendaOptions,
  absorbs,
  firstCause,
  isBacklog,
  isChange,
  type Kept,
  pastCause,
  progressCause,
  type Row,
  type Task,
  tellsMore,
} from "./tasks.ts";
import { keysWithin, newestPart, widened, windowsMeet } from "./windows.ts";

/** Failing so often, a key no longer holds up what stands above it. */
const patience = 2;
const retryMostMs = 3_600_000;
const chunksPerTake = 400;

/**
 * What one application has to compute, and in which order. Dirty ranges (windows) are taken apart into keys (tasks) only when they are given out, so that a change of everything costs
 * little; what stands above waits until nothing below it is to be computed for the same key.
 */
export class Agenda {
  readonly stations = new Map<number, Station>();
  readonly #inputs: AgendaInputs;
  readonly #kept: Kept;
  readonly #options: AgendaOptions;
  readonly #periods: OpenPeriods;
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
    this.#periods = new OpenPeriods(inputs, options);
  }

  /** The stations as they are from now on. Those that are gone take their tasks with them. */
  setStations(plans: readonly StationPlan[]): void {
    const wanted = new Set(plans.map(({ id }) => id));
    for (const station of [...this.stations.values()]) if (!wanted.has(station.id)) this.#remove(station);
    for (const plan of plans) {
      const known = this.stations.get(plan.id);
      if (known !== undefined) Object.assign(known, plan);
      else this.stations.set(plan.id, newStation(plan, this.#inputs.nowMs()));
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
    const full = row === undefined ? widened(station, fromUs, toUs, cause) : null;
    if (full !== null) {
      this.#kept.add(full);
      return;
    }
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
    if (row === undefined && known?.state === "waiting") this.#because(known, cause);
    else if (row === undefined && known?.again) known.again.cause = cause;
    else {
      const kept = row ?? this.#row(station, { period: span.period, key: span.key }, span, cause);
      kept.left = 0;
      this.#task(station, span, cause, kept);
    }
  }

  /** A row as it was kept; ids go on after it. */
  restore(row: Row): void {
    this.#nextRow = Math.max(this.#nextRow, row.id + 1);
    if (row.key === null) this.dirty(row.station, row.fromUs, row.toUs, row.cause, row);
    else this.dirtyAbove(row.station, { ...row.key, fromUs: row.fromUs, toUs: row.toUs }, row.cause, row);
    if (!this.stations.has(row.station)) this.#kept.drop(row);
  }

  /** Where a station's keys are known up to, and which are open: as they were kept. */
  resume(id: number, seenUs: Micros | null, open: readonly KeySpan[]): void {
    const station = this.stations.get(id);
    if (station !== undefined) this.#periods.resume(station, seenUs, open);
  }

  /** Tasks that wait or are given out, and windows. */
  get size(): { tasks: number; windows: number } {
    const all = [...this.stations.values()];
    const sum = (of: (station: Station) => number) => all.reduce((total, station) => total + of(station), 0);
    return { tasks: sum(({ tasks }) => tasks.size), windows: sum(({ windows }) => windows.length) };
  }

  /** Is something known to be wrong with a result? Open periods are only behind. */
  isStale(key: ResultKey & { fromUs: Micros; toUs: Micros; state: "provisional" | "final" }): boolean {
    const station = this.stations.get(key.equipmentId);
    if (station === undefined) return false;
    const text = keyText(key);
    const task = station.tasks.get(text);
    if (task !== undefined && (isChange(task.cause.kind) || (task.again !== null && isChange(task.again.cause.kind))))
      return true;
    // What is below a final number is computed for no other reason.
    if (key.state === "final" && station.busy.has(text)) return true;
    if (this.#changed.size === 0 && this.#backlog.size === 0) return false;
    return windowsMeet(this.#inputs, station, key, isChange);
  }

  /** Ticks, and gives out up to `limit` keys of stations that `visible` lets through. */
  take(limit: number, visible: (path: string) => boolean): Portion {
    const portion = new Portion(limit, this.#inputs.nowMs);
    this.#expire();
    this.#round();
    const { length } = this.#machines;
    const first = this.#turn;
    for (let i = 0; i < length && !portion.full; i++) {
      this.#turn = (first + i) % length;
      const station = this.#machines[this.#turn];
      // What is given out knows of the change already, and must say so.
      if (station.tasks.size > 0) this.#expandChanges(station);
      this.#takeOf(station, portion, visible);
    }
    for (const station of [...this.#changed]) {
      if (portion.full) return portion;
      this.#expandChanges(station);
      this.#takeOf(station, portion, visible);
    }
    for (const station of this.#upper) this.#takeOf(station, portion, visible);
    for (let chunks = 0; !portion.full && this.#backlog.size > 0 && chunks < chunksPerTake; chunks++) {
      const [station] = this.#backlog;
      this.#expand(station, true);
      // Once around before the next day of the same.
      if (this.#backlog.delete(station) && station.windows.some(({ cause }) => isBacklog(cause)))
        this.#backlog.add(station);
      this.#takeOf(station, portion, visible);
    }
    return portion;
  }

  /** The task that was given out for a key on this basis. */
  givenFor(key: ResultKey & { basisLsn: number }): Task | null {
    const task = this.stations.get(key.equipmentId)?.tasks.get(keyText(key));
    if (task?.state !== "given" || task.item?.basisLsn !== key.basisLsn) return null;
    return task;
  }

  /** It is on its way into the log, so that nobody else may have it; or it did not get there, and may be tried again on the same basis. */
  setState(task: Task, state: "publishing" | "given"): void {
    task.state = state;
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
    if (item?.state === "final") station.open.delete(text);
    else if (item !== null) this.#periods.opened(station, task).stored = true;
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
      if (tellsMore(cause, known.cause)) this.#because(known, cause);
    } else if (cause.kind !== "progress") {
      const why = known.again === null || tellsMore(cause, known.again.cause) ? cause : known.again.cause;
      known.again = { cause: why, rows: [...(known.again?.rows ?? []), ...rows] };
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
    for (const station of this.#machines) {
      const { past, due } = this.#periods.lookAt(station, now);
      if (past !== null) this.dirty(station.id, past.fromUs, past.toUs, pastCause);
      for (const open of due) this.#task(station, open, open.stored ? progressCause : firstCause, null);
    }
    for (const station of this.#upper)
      for (const open of this.#periods.ended(station)) this.#task(station, open, progressCause, null);
  }

  #expandChanges(station: Station): void {
    while (this.#changed.has(station) && this.#expand(station, false));
  }

  /** Takes the newest part of the newest window apart into tasks; false: there is none. */
  #expand(station: Station, backlog: boolean): boolean {
    const window = station.windows.findLast(({ cause }) => isBacklog(cause) === backlog);
    if (window === undefined) {
      (backlog ? this.#backlog : this.#changed).delete(station);
      return false;
    }
    const range = newestPart(this.#inputs, station, window);
    // Nothing is known of its machine yet.
    if (range === null) return false;
    const { begin, cut, end } = range;
    for (const span of keysWithin(this.#inputs, station, cut, end)) {
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

  #takeOf(station: Station, portion: Portion, visible: (path: string) => boolean): void {
    if (station.tasks.size === 0 || !visible(station.path)) return;
    const now = this.#inputs.nowMs();
    for (const [text, task] of station.tasks) {
      if (portion.full) return;
      if (task.state !== "waiting" || task.notBeforeMs > now) continue;
      if (station.level === "above" && this.#waitsBelow(station, text, task)) continue;
      const item = this.#give(task, now);
      if (item !== null) portion.items.push(item);
    }
  }

  #waitsBelow(station: Station, text: string, span: KeySpan): boolean {
    if (station.busy.has(text)) return true;
    if (this.#changed.size === 0 && this.#backlog.size === 0) return false;
    return station.below.some((below) => windowsMeet(this.#inputs, below, span, () => true));
  }

  #give(task: Task, now: number): WorkItem | null {
    const standing = standingOf(this.#inputs, task);
    if (standing === null) {
      this.done(task);
      return null;
    }
    if (standing === "later") return null;
    task.item = itemOf(task, standing, this.#inputs.basisLsn());
    task.state = "given";
    task.givenMs = now;
    this.#given.add(task);
    this.#periods.given(task, now);
    return task.item;
  }
}
