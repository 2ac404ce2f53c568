import type { Micros } from "@lineshaft/contract/api";
import type { BindingSpec } from "./binding.ts";
import { type Interval, united } from "./gaps.ts";

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
const gapInputs = (gaps: readonly Interval[], channel: number): Input[] =>
  gaps.flatMap(({ from, to }) => [
    { t: from, value: 0, kind: inputKind.gapOpen, channel, ordinal: 0 },
    ...(to === Number.POSITIVE_INFINITY ? [] : [{ t: to, value: 0, kind: inputKind.gapClose, channel, ordinal: 0 }]),
  ]);

/** Lost data as inputs of a binding: a stream is lost where any of its connections is, while of tags under conditions each has its own gaps. */
export function gapsOf(
  { channels, by }: Pick<BindingSpec, "channels" | "by">,
  intervals: (connection: number) => readonly Interval[],
): Input[] {
  if (by === "conditions")
    return channels.flatMap(({ connection }, channel) => gapInputs(intervals(connection), channel));
  const connections = new Set(channels.map(({ connection }) => connection));
  return gapInputs(united([...connections].flatMap((connection) => [...intervals(connection)])), 0);
}

/** The rows of columns from `from` on. */
export const rowsOf = ({ n, t, value, kind, channel, ordinal }: InputColumns, from: number): Input[] =>
  Array.from({ length: n - from }, (_, i) => ({
    ...{ t: t[from + i], value: value[from + i], kind: kind[from + i] },
    ...{ channel: channel[from + i], ordinal: ordinal[from + i] },
  }));

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
