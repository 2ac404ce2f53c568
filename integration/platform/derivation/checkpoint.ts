import { deserialize, serialize } from "node:v8";
import type { Micros } from "@lineshaft/contract/api";
import type { Lsn, StandardBinding } from "@lineshaft/contract/ports";
import type { Binding } from "./binding.ts";
import type { Interval } from "./gaps.ts";
import type { Input } from "./inputs.ts";
import type { ProofState } from "./proof-of-life.ts";
import { type Increments, OpenSegment, type Segment, type Transitions } from "./segment.ts";
import type { TellerState } from "./teller.ts";

/**
 * Facts as they are kept on disk: what each binding has emitted, by the hour, and its automaton where it stands; with everything that decides how it goes on. All of it is of one position
 * in the log, from which on the log is followed again.
 */

/** What is small and written whole each time. */
export interface CheckpointRest {
  ahead: [equipment: number, watermark: Micros][];
  cycles: [equipment: number, from: Float64Array, us: Float64Array][];
  gaps: [connection: number, Interval[]][];
  life: ProofState;
  told: [tenant: number, TellerState][];
}

export interface SavedBinding {
  id: number;
  key: string;
  /** By which it was derived. */
  rows: StandardBinding[];
  head: Uint8Array;
  /** Its closed hours, ascending; null: they cannot be read any more. */
  segments: Uint8Array[] | null;
}

export interface FactsCheckpoint {
  lsn: Lsn;
  rest: Uint8Array;
  bindings: SavedBinding[];
  /** What identifiers and alarm codes say, by their keys. */
  texts: (readonly [key: number, text: string])[];
}

/** What has changed since the save before. */
export interface FactsDelta {
  lsn: Lsn;
  rest: Uint8Array;
  /** Bindings that are there no more; one of them may have come anew under the same number. */
  removed: number[];
  changed: {
    id: number;
    key: string;
    rows: StandardBinding[];
    /** Made as it is taken, of what was copied. */
    readonly head: Uint8Array;
    /** Closed hours from here on are replaced by `segments`, which are made as they are taken. */
    fromHour: Micros;
    segments: Iterable<{ hour: Micros; body: Uint8Array }>;
  }[];
  /** Texts that came, and null for those that are no longer needed. */
  texts: (readonly [key: number, text: string | null])[];
  /** Closed hours before this are given up. */
  forgottenBefore: Micros;
}

/** Where facts are kept. A save is all or nothing, and survives a power cut when its promise resolves; one at a time. */
export interface FactsStore {
  save(delta: FactsDelta): Promise<void>;
}

export const encodeRest = (rest: CheckpointRest): Uint8Array => serialize(rest);
export const decodeRest = (bytes: Uint8Array): CheckpointRest => deserialize(bytes) as CheckpointRest;

/** An automaton where it stands, with the hour it writes. */
interface Head {
  state: Float64Array;
  lastT: Micros;
  lastOrdinal: number;
  watermark: Micros;
  dirtyFrom: Micros;
  dirtyTo: Micros;
  floor: Micros;
  held: readonly Input[];
  open: Uint8Array | null;
}

/** Copies it as it is at this instant, which is quick; the bytes are made later, where there is time. */
export function headOf(binding: Binding): () => Uint8Array {
  const { track, lastT, lastOrdinal, watermark, dirtyFrom, dirtyTo, floor } = binding;
  const state = track.s.slice(track.o, track.o + track.width);
  const open = track.open.hour === Number.NEGATIVE_INFINITY ? null : track.open.lend();
  const held = binding.held.length === 0 ? [] : [...binding.held];
  const head = { state, lastT, lastOrdinal, watermark, dirtyFrom, dirtyTo, floor, held };
  return () => serialize({ ...head, open: open === null ? null : encodeSegment(open) } satisfies Head);
}

/** Makes a new binding what was saved of it. `watermark`: of its equipment. */
export function restoreBinding(binding: Binding, { head, segments }: SavedBinding, watermark: Micros): void {
  const saved = deserialize(head) as Head;
  const { exact } = binding;
  const hours = (segments ?? []).map((bytes) => decodeSegment(bytes, exact));
  binding.track.takeOver(saved.state, hours, saved.open === null ? null : decodeOpen(saved.open, exact));
  const dirty = saved.dirtyFrom <= saved.dirtyTo;
  binding.takeOver({ ...saved, watermark: dirty ? saved.watermark : Math.max(saved.watermark, watermark) });
}

// Layout of an hour: counts of transitions, increments and values outside as three float64, the hour, the state at its start, as wide as is left, then the columns by falling width. Codes of
// states are int32, keys of texts float64 behind everything else that wide.
const counts = 4;

type Hour = Pick<Segment, "hour" | "start" | "outside"> & {
  transitions: Transitions | null;
  increments: Increments | null;
};

export function encodeSegment({ hour, start, outside, transitions, increments }: Hour): Uint8Array {
  const t = transitions?.n ?? 0;
  const i = increments?.n ?? 0;
  const named = transitions !== null && transitions.code instanceof Float64Array;
  const fixed = counts + start.length;
  const wides = fixed + t + 3 * i + (named ? t : 0);
  const narrow = 8 * wides + (named ? 0 : 4 * t);
  const bytes = new Uint8Array(narrow + 2 * i);
  const wide = new Float64Array(bytes.buffer, 0, wides);
  wide.set([t, i, outside, hour]);
  wide.set(start, counts);
  if (transitions !== null) {
    wide.set(transitions.t.subarray(0, t), fixed);
    const codes = transitions.code.subarray(0, t);
    if (named) wide.set(codes, fixed + t + 3 * i);
    else new Int32Array(bytes.buffer, wide.byteLength, t).set(codes);
  }
  if (increments !== null) {
    wide.set(increments.source.subarray(0, i), fixed + t);
    wide.set(increments.t.subarray(0, i), fixed + t + i);
    wide.set(increments.value.subarray(0, i), fixed + t + 2 * i);
    bytes.set(increments.flags.subarray(0, i), narrow);
    bytes.set(increments.channel.subarray(0, i), narrow + i);
  }
  return bytes;
}

/** Closing an open hour is what gives a segment its sums. */
const decodeSegment = (bytes: Uint8Array, named: boolean): Segment => decodeOpen(bytes, named).close();

function decodeOpen(read: Uint8Array, named: boolean): OpenSegment {
  // Columns want their alignment.
  const bytes = read.slice();
  const [t, i, outside, hour] = new Float64Array(bytes.buffer, 0, counts);
  const codeBytes = named ? 8 * t : 4 * t;
  const fixed = (bytes.length - codeBytes - 2 * i) / 8 - t - 3 * i;
  const keysAt = fixed + t + 3 * i;
  const wide = new Float64Array(bytes.buffer, 0, keysAt + (named ? t : 0));
  const narrow = wide.byteLength + (named ? 0 : codeBytes);
  const open = new OpenSegment(fixed - counts, named);
  open.adopt({
    hour,
    start: wide.slice(counts, fixed),
    outside,
    transitions: {
      n: t,
      t: wide.slice(fixed, fixed + t),
      code: named ? wide.slice(keysAt) : new Int32Array(bytes.buffer, wide.byteLength, t).slice(),
    },
    increments: {
      n: i,
      source: wide.slice(fixed + t, fixed + t + i),
      t: wide.slice(fixed + t + i, fixed + t + 2 * i),
      value: wide.slice(fixed + t + 2 * i, keysAt),
      flags: bytes.slice(narrow, narrow + i),
      channel: bytes.slice(narrow + i, narrow + 2 * i),
    },
  });
  return open;
}
