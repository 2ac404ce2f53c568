import type { ItemState, Micros, OperationMode } from "@lineshaft/contract/api";

/**
 * What really happened at one machine, at its controller's resolution (one scan): what an oracle computes from, and what a protocol can at best let others know. Half-open intervals
 * [fromUs, toUs); a piece was finished at `atUs`.
 */
export interface TrueState {
  fromUs: Micros;
  itemState: ItemState;
  operationMode: OperationMode;
  /** Number of a reason of the starting vocabulary; 0: none. */
  cause: number;
  /** As the machine's screen says it. */
  text: string;
}

export type PieceKind = "good" | "scrap" | "rework";

export interface TruePiece {
  atUs: Micros;
  kind: PieceKind;
  /** Pieces, kilograms of something that has none, or cycles where the machine counts those. */
  n: number;
}

/** A job order on the machine: from its set-up on until it was finished or interrupted. One that was interrupted comes twice. */
export interface TrueExecution {
  order: string;
  material: string;
  /** Units of it in one cycle, where cycles are counted; else 1. */
  cavities: number;
  /** Ordered. */
  quantity: number;
  fromUs: Micros;
  toUs: Micros;
}

export interface TrueSetUp {
  order: string;
  fromUs: Micros;
  toUs: Micros;
}

/** Cavities of a mould that were closed, so that the order lost their parts. */
export interface TrueBlock {
  order: string;
  cavities: number;
  fromUs: Micros;
  toUs: Micros;
}

/** An alarm that the machine's controller showed. */
export interface TrueAlarm {
  code: number;
  fromUs: Micros;
  toUs: Micros;
}

export interface MachineTruth {
  fromUs: Micros;
  toUs: Micros;
  /** Ascending; the first begins at `fromUs`. */
  states: TrueState[];
  pieces: TruePiece[];
  executions: TrueExecution[];
  setUps: TrueSetUp[];
  blocked: TrueBlock[];
  /** Of machines whose controllers have alarms. */
  alarms: TrueAlarm[];
}

/** A shift that was really worked, with its breaks. */
export interface TrueShift {
  id: string;
  name: string;
  productionDay: string;
  fromUs: Micros;
  toUs: Micros;
  breaks: readonly { fromUs: Micros; toUs: Micros }[];
}

export const emptyTruth = (fromUs: Micros, toUs: Micros): MachineTruth => ({
  fromUs,
  toUs,
  states: [],
  pieces: [],
  executions: [],
  setUps: [],
  blocked: [],
  alarms: [],
});

/** The truth of [fromUs, toUs) only; an execution or set-up that is still open at `toUs` ends there. */
export function clipped(truth: MachineTruth, fromUs: Micros, toUs: Micros): MachineTruth {
  const open = truth.states.findLast((state) => state.fromUs <= fromUs);
  const within = <T extends { fromUs: Micros; toUs: Micros }>(items: readonly T[]): T[] =>
    items
      .filter((item) => item.fromUs < toUs && item.toUs > fromUs)
      .map((item) => ({ ...item, fromUs: Math.max(item.fromUs, fromUs), toUs: Math.min(item.toUs, toUs) }));
  return {
    fromUs,
    toUs,
    states: [
      ...(open === undefined ? [] : [{ ...open, fromUs }]),
      ...truth.states.filter((state) => state.fromUs > fromUs && state.fromUs < toUs),
    ],
    pieces: truth.pieces.filter(({ atUs }) => atUs > fromUs && atUs <= toUs),
    executions: within(truth.executions),
    setUps: within(truth.setUps),
    blocked: within(truth.blocked),
    alarms: within(truth.alarms),
  };
}

/** Stretches of one machine that follow one another, as one. */
export function joined(parts: readonly MachineTruth[]): MachineTruth {
  const [first] = parts;
  const last = parts.at(-1);
  if (first === undefined || last === undefined) return emptyTruth(0, 0);
  return {
    fromUs: first.fromUs,
    toUs: last.toUs,
    states: parts.flatMap(({ states }) => states),
    pieces: parts.flatMap(({ pieces }) => pieces),
    executions: parts.flatMap(({ executions }) => executions),
    setUps: parts.flatMap(({ setUps }) => setUps),
    blocked: parts.flatMap(({ blocked }) => blocked),
    alarms: parts.flatMap(({ alarms }) => alarms),
  };
}
