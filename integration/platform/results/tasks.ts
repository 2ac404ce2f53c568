import type { Cause, Micros, ResultCause, ResultKey, ResultPeriod, WorkItem } from "@lineshaft/contract/api";
import type { KeySpan } from "./keys.ts";
import type { Station, StationPlan } from "./stations.ts";

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

const noChange = { lsn: null, registryRevision: null, actor: null };
export const firstCause: Cause = { kind: "first", text: "Computed for the first time.", ...noChange };
export const pastCause: Cause = { kind: "first", text: "What was recorded before.", ...noChange };
export const progressCause: Cause = { kind: "progress", text: "Time has gone on.", ...noChange };

/** The past that nobody is waiting for comes after what is going on. */
export const isBacklog = ({ kind }: Cause): boolean => kind === "first" || kind === "rule";
export const isChange = (kind: ResultCause): boolean => kind !== "first" && kind !== "progress";

/** Facts that are others since orders or materials are: what people changed is told, not what followed from it. */
export const followsFromContext = "Stops are told by another ideal cycle.";
const follows = ({ kind, text }: Cause): boolean => kind === "facts" && text === followsFromContext;

/** Of two changes the later one is told, whichever is looked at first, but no consequence in the place of its reason; and a first pass over the past must not hide a change. */
export function tellsMore(next: Cause, before: Cause): boolean {
  if (!isChange(next.kind)) return next.kind !== "progress" && !isChange(before.kind);
  if (!isChange(before.kind)) return true;
  if (follows(next) !== follows(before)) return follows(before);
  return (next.lsn ?? 0) >= (before.lsn ?? 0);
}

/** Does a window say the same already? */
export const absorbs = (window: Row, fromUs: Micros, toUs: Micros, { kind, lsn }: Cause): boolean =>
  window.cause.kind === kind && window.cause.lsn === lsn && window.fromUs <= fromUs && window.toUs >= toUs;
