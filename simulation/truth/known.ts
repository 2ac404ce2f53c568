import { type ItemState, type Micros, type OperationMode, secondUs } from "@lineshaft/contract/api";
import type { Telling } from "../plant/machine-kind.ts";
import type { MachineTruth, PieceKind, TruePiece, TrueState } from "../plant/truth.ts";

/**
 * What of the truth can be known through a machine's protocol, by whoever misses nothing of what it permits: the oracle of the OEE starts from here, so that it has the same information as
 * a platform. Resolution: states and counts of a machine that tells them are known at the controller's scan (0.2 s); a counter that is read every n seconds
 * tells only how much was made between two readings, and the pieces are put evenly into the running time there; a machine with two switches has the states that RULES 5 gives
 * its pulses. What was lost for ever is unknown, and a counter that survived tells its sum.
 */
export interface Knowable {
  truth: MachineTruth;
  telling: Telling;
  /** Whose data are lost for ever; ascending, apart. At its end the source tells all present values. */
  lost: readonly Span[];
  /** When a source told all its present values besides, as at a birth. */
  repeated: readonly Micros[];
  /** When counters began anew at 0. */
  resets: readonly Micros[];
  /** The time that a controller gives to what it sees in the scan of `t`. */
  stampUs(t: Micros): Micros;
  /** Of machines with pulses: the ideal cycle of what is booked at an instant. */
  cycleUsAt(t: Micros): number;
  /** No pulse for more than so many ideal cycles is a stop. */
  stopAfterCycles: number;
}

export interface Span {
  fromUs: Micros;
  toUs: Micros;
}

/** null: unknown, or not told. */
export interface KnownState extends Span {
  itemState: ItemState | null;
  operationMode: OperationMode | null;
  cause: number;
}

export type CountName = PieceKind | "total";

/** `n` counts completed in (fromUs, atUs]. */
export interface KnownCount {
  fromUs: Micros;
  atUs: Micros;
  name: CountName;
  n: number;
  /** Where in the interval they lie is not known. */
  spread: boolean;
  /** At most what was made in the interval is missing. */
  uncertain: boolean;
}

export interface Known {
  states: KnownState[];
  counts: KnownCount[];
}

/** The counters of each way to count, and which pieces each one counts. */
const countersOf: Record<Telling["counters"], Partial<Record<CountName, readonly PieceKind[]>>> = {
  sum: { good: ["good"], scrap: ["scrap"], rework: ["rework"] },
  totalAndScrap: { total: ["good", "scrap", "rework"], scrap: ["scrap"], rework: ["rework"] },
  totalAndGood: { total: ["good", "scrap", "rework"], good: ["good"], rework: ["rework"] },
};

export function knownOf(about: Knowable): Known {
  const { telling } = about;
  if (telling.states === "pulses") return { states: statesByPulses(about), counts: countsByPulses(about) };
  const counts = Object.entries(countersOf[telling.counters]).flatMap(([name, kinds]) =>
    countsOf(about, name as CountName, kinds),
  );
  return { states: statesAsTold(about), counts: counts.sort((a, b) => a.atUs - b.atUs) };
}

/** When a counter that is read every so often was read and showed something new; the first reading always does. */
export function readings(pieces: readonly TruePiece[], fromUs: Micros, toUs: Micros, everyUs: Micros): Micros[] {
  const times = [fromUs];
  for (const { atUs } of pieces) {
    const at = Math.ceil(atUs / everyUs) * everyUs;
    if (at > times[times.length - 1] && at < toUs) times.push(at);
  }
  return times;
}

/** The pieces that a counter counts. */
export function countedBy(truth: MachineTruth, telling: Telling, name: CountName): TruePiece[] {
  const kinds = countersOf[telling.counters][name] ?? [];
  return truth.pieces.filter(({ kind }) => kinds.includes(kind));
}

export const counterNames = (telling: Telling): CountName[] => Object.keys(countersOf[telling.counters]) as CountName[];

/** When a counter was told, if nothing was lost. */
export function toldAt(truth: MachineTruth, telling: Telling, name: CountName): Micros[] {
  const pieces = countedBy(truth, telling, name);
  const { sampledSeconds } = telling;
  if (sampledSeconds !== null) return readings(pieces, truth.fromUs, truth.toUs, sampledSeconds * 1e6);
  return [...new Set([truth.fromUs, ...pieces.map(({ atUs }) => atUs)])];
}

/** What a machine tells of a state: PackML has no mode, a table of its own knows causes too. */
export function asTold({ itemState, operationMode, cause }: TrueState, telling: Telling): Omit<KnownState, keyof Span> {
  if (telling.states === "packml") return { itemState, operationMode: null, cause: 0 };
  return { itemState, operationMode, cause: telling.states === "code" ? cause : 0 };
}

function statesAsTold({ truth, telling, lost, stampUs }: Knowable): KnownState[] {
  const times = [...truth.states.map(({ fromUs }) => stampUs(fromUs)), truth.toUs];
  const told = truth.states.map((state, i) => ({
    fromUs: times[i],
    toUs: times[i + 1],
    ...asTold(state, telling),
  }));
  return overlaid(told, lost);
}

/** Nothing is known where data are lost. */
function overlaid(states: readonly KnownState[], lost: readonly Span[]): KnownState[] {
  const unknown = { itemState: null, operationMode: null, cause: 0 };
  const parts: KnownState[] = lost.map(({ fromUs, toUs }) => ({ ...unknown, fromUs, toUs }));
  for (const state of states) {
    let at = state.fromUs;
    for (const hole of lost) {
      if (hole.toUs <= at || hole.fromUs >= state.toUs) continue;
      if (hole.fromUs > at) parts.push({ ...state, fromUs: at, toUs: hole.fromUs });
      at = hole.toUs;
    }
    if (at < state.toUs) parts.push({ ...state, fromUs: at });
  }
  return parts.sort((a, b) => a.fromUs - b.fromUs);
}

const isLost = (lost: readonly Span[], t: Micros): boolean => lost.some(({ fromUs, toUs }) => fromUs <= t && t < toUs);

/** RULES 5, from pulse to pulse. */
function statesByPulses({ truth, lost, cycleUsAt, stopAfterCycles, stampUs }: Knowable): KnownState[] {
  const states: KnownState[] = [];
  const add = (fromUs: Micros, toUs: Micros, itemState: ItemState | null): void => {
    if (fromUs >= toUs) return;
    const last = states.at(-1);
    if (last?.itemState === itemState && last.toUs === fromUs) last.toUs = toUs;
    else states.push({ fromUs, toUs, itemState, operationMode: null, cause: 0 });
  };
  const events = [
    ...truth.pieces.map(({ atUs }) => ({ t: stampUs(atUs), is: "pulse" as const })).filter(({ t }) => !isLost(lost, t)),
    ...lost.map(({ fromUs }) => ({ t: fromUs, is: "lost" as const })),
    ...lost.map(({ toUs }) => ({ t: toUs, is: "back" as const })),
    { t: truth.toUs, is: "end" as const },
  ].sort((a, b) => a.t - b.t || Number(a.is === "pulse") - Number(b.is === "pulse"));
  let [from, limit] = [truth.fromUs, truth.fromUs - 1];
  for (const { t, is } of events) {
    if (is === "back") add(from, t, null);
    else if (t <= limit) add(from, t, "Executing");
    else if (is === "pulse") {
      const begun = Math.max(from, t - cycleUsAt(t));
      add(from, begun, "NotExecuting");
      add(begun, t, "Executing");
    } else add(from, t, "NotExecuting");
    from = t;
    limit = t + Math.round(stopAfterCycles * cycleUsAt(t));
  }
  return states;
}

function countsByPulses({ truth, lost, stampUs }: Knowable): KnownCount[] {
  return truth.pieces
    .map(({ atUs, kind, n }) => ({ at: stampUs(atUs), kind, n }))
    .filter(({ at }) => !isLost(lost, at))
    .map(({ at, kind, n }) => ({ fromUs: at, atUs: at, name: kind, n, spread: false, uncertain: false }));
}

/**
 * From one reading that arrived to the next. A counter that is read every so often and told when it changed lay still at the readings in between, so what is told lies behind the last of them; unless data were
 * lost there.
 */
function countsOf(
  { truth, telling, lost, resets, repeated, stampUs }: Knowable,
  name: CountName,
  kinds: readonly PieceKind[],
): KnownCount[] {
  const { sampledSeconds } = telling;
  const pieces = truth.pieces.filter(({ kind }) => kinds.includes(kind));
  const readings = new Map<Micros, Micros>();
  for (const { toUs } of lost) if (toUs > truth.fromUs && toUs < truth.toUs) readings.set(toUs, toUs);
  for (const t of [...toldAt(truth, telling, name), ...repeated]) {
    const at = stampUs(t);
    if (!isLost(lost, at)) readings.set(t, at);
  }
  const counts: KnownCount[] = [];
  let next = 0;
  let last: { t: Micros; atUs: Micros } | null = null;
  for (const [t, atUs] of [...readings].sort(([a], [b]) => a - b)) {
    const before: { t: Micros; atUs: Micros } = last ?? { t, atUs };
    let n = 0;
    for (; next < pieces.length && pieces[next].atUs <= t; next++) n += pieces[next].n;
    const begunAnew = resets.some((reset) => reset > before.t && reset <= t);
    const bridges = lost.some((hole) => hole.fromUs <= atUs && hole.toUs > before.atUs);
    const periodUs = sampledSeconds === null || bridges ? Number.POSITIVE_INFINITY : sampledSeconds * secondUs;
    const fromUs = Math.max(before.atUs, atUs - periodUs);
    const spread = sampledSeconds !== null || bridges;
    if (last === null || begunAnew)
      counts.push({ fromUs: before.atUs, atUs, name, n: 0, spread: false, uncertain: true });
    else if (n > 0) counts.push({ fromUs, atUs, name, n, spread, uncertain: false });
    last = { t, atUs };
  }
  return counts;
}
