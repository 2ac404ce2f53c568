import type { Micros } from "@lineshaft/contract/api";

/** What an input of an automaton is. At one instant gaps come before points, since a point at the end of a gap lies behind it. */
export const inputKind = { point: 0, bad: 1, gapOpen: 2, gapClose: 3 } as const;

/**
 * Inputs of one binding in canonical order: by time, gaps first, then by channel and ordinal. Values are finite numbers (text by `textKey`), −0 is 0; a row
 * that holds no such value is `bad`.
 */
export interface InputColumns {
  n: number;
  t: Float64Array;
  value: Float64Array;
  kind: Uint8Array;
  channel: Uint8Array;
  ordinal: Uint16Array;
}

/** Where repair reads what has come in: points and gaps of a binding with from ≤ t < to, and when the next one after that is. */
export interface InputSource {
  read(binding: number, from: Micros, to: Micros): InputColumns;
  /** Infinity when there is none. */
  next(binding: number, from: Micros): Micros;
}

export function newInputs(capacity: number): InputColumns {
  return {
    n: 0,
    t: new Float64Array(capacity),
    value: new Float64Array(capacity),
    kind: new Uint8Array(capacity),
    channel: new Uint8Array(capacity),
    ordinal: new Uint16Array(capacity),
  };
}

/** Sorts rows into canonical order; `rows` are whatever carries the fields. */
export interface Input {
  t: Micros;
  value: number;
  kind: number;
  channel: number;
  ordinal: number;
}

const isPoint = (kind: number): number => (kind <= inputKind.bad ? 1 : 0);
/** A gap that ends where the next begins has been united with it, so open and close never meet. */
export const inputOrder = (a: Input, b: Input): number =>
  a.t - b.t || isPoint(a.kind) - isPoint(b.kind) || a.channel - b.channel || a.ordinal - b.ordinal;

/** Gaps as inputs; one that lasts has no end yet. */
export const gapInputs = (gaps: readonly { from: Micros; to: Micros }[]): Input[] =>
  gaps.flatMap(({ from, to }) => [
    { t: from, value: 0, kind: inputKind.gapOpen, channel: 0, ordinal: 0 },
    ...(to === Number.POSITIVE_INFINITY ? [] : [{ t: to, value: 0, kind: inputKind.gapClose, channel: 0, ordinal: 0 }]),
  ]);

export function inputColumns(rows: readonly Input[]): InputColumns {
  const columns = newInputs(rows.length);
  columns.n = rows.length;
  for (const [i, row] of rows.entries()) {
    columns.t[i] = row.t;
    columns.value[i] = row.value;
    columns.kind[i] = row.kind;
    columns.channel[i] = row.channel;
    columns.ordinal[i] = row.ordinal;
  }
  return columns;
}
