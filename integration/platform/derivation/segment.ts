// Hot path: growing columns, written by index.
import type { Micros } from "@lineshaft/contract/api";

/**
 * Transitions of one binding: from `t` on the state is `code`, or what the tag names is, by the key of its text. Ascending by t; of several at one instant the last one holds.
 */
export interface Transitions {
  n: number;
  t: Float64Array;
  code: Codes;
}

/** Codes of states are small integers, keys of texts are not. */
export type Codes = Int32Array | Float64Array;

/** Increments of one binding: `value` raw units completed in (source, t]. Ascending by t. */
export interface Increments {
  n: number;
  source: Float64Array;
  t: Float64Array;
  value: Float64Array;
  flags: Uint8Array;
  channel: Uint8Array;
}

/**
 * What one automaton emitted in one hour, by the time of emission (a timer emits at its due time), and its state at the hour's start: after all inputs
 * and all timers before. Hours in which nothing happened have none.
 */
export interface Segment {
  hour: Micros;
  start: Float64Array;
  transitions: Transitions | null;
  increments: Increments | null;
  /** `prefix[i]`: sum of the values before increment i of this segment. Starts at 0, so that a segment depends on nothing before it. */
  prefix: Float64Array | null;
  /** Indexes of the increments whose place in (source, t] is estimated. */
  spread: Int32Array | null;
  /** Values of the hour that were no valid input: outside their table or their width. */
  outside: number;
}

const noTimes = new Float64Array(0);
const noCodes = new Int32Array(0);
const noBytes = new Uint8Array(0);

/** The hour that is being written. Automata emit into it. */
export class OpenSegment {
  hour: Micros = Number.NEGATIVE_INFINITY;
  readonly start: Float64Array;
  transitions: Transitions;
  increments: Increments = { n: 0, source: noTimes, t: noTimes, value: noTimes, flags: noBytes, channel: noBytes };
  /** Values that were no valid input: outside their table or their width. */
  outside = 0;
  /** Something was emitted since somebody asked what changed. Of most bindings nothing is, and one look tells it. */
  news = false;
  /** What changed since somebody asked: states from here on, counts within. */
  changedState = Number.POSITIVE_INFINITY;
  changedCountFrom = Number.POSITIVE_INFINITY;
  changedCountTo = Number.NEGATIVE_INFINITY;
  #seenTransitions = 0;
  #seenIncrements = 0;
  /** Somebody still reads the columns. */
  #lent = false;

  /** `width`: of the automaton's state. `named`: its codes are keys of texts. */
  constructor(width: number, named = false) {
    this.start = new Float64Array(width);
    this.transitions = { n: 0, t: noTimes, code: named ? noTimes : noCodes };
  }

  get empty(): boolean {
    return this.transitions.n === 0 && this.increments.n === 0 && this.outside === 0;
  }

  transition(t: Micros, code: number): void {
    const to = this.transitions;
    if (to.n === to.t.length) {
      const capacity = Math.max(8, 2 * to.n);
      to.t = grown(Float64Array, to.t, capacity);
      to.code =
        to.code instanceof Int32Array ? grown(Int32Array, to.code, capacity) : grown(Float64Array, to.code, capacity);
    }
    to.t[to.n] = t;
    to.code[to.n++] = code;
    this.news = true;
  }

  increment(source: Micros, t: Micros, value: number, flags: number, channel: number): void {
    const to = this.increments;
    const { n } = to;
    if (n === to.t.length) {
      const capacity = Math.max(8, 2 * n);
      to.source = grown(Float64Array, to.source, capacity);
      to.t = grown(Float64Array, to.t, capacity);
      to.value = grown(Float64Array, to.value, capacity);
      to.flags = grown(Uint8Array, to.flags, capacity);
      to.channel = grown(Uint8Array, to.channel, capacity);
    }
    to.source[n] = source;
    to.t[n] = t;
    to.value[n] = value;
    to.flags[n] = flags;
    to.channel[n] = channel;
    to.n = n + 1;
    this.news = true;
  }

  /** Adds what was emitted since the last time to what changed. A time-out states the past, so the least time counts, not the first. */
  absorb(): void {
    const { transitions, increments } = this;
    for (let i = this.#seenTransitions; i < transitions.n; i++)
      this.changedState = Math.min(this.changedState, transitions.t[i]);
    for (let i = this.#seenIncrements; i < increments.n; i++) {
      this.changedCountFrom = Math.min(this.changedCountFrom, increments.source[i]);
      this.changedCountTo = Math.max(this.changedCountTo, increments.t[i]);
    }
    this.#seenTransitions = transitions.n;
    this.#seenIncrements = increments.n;
  }

  /** What was written, exactly as long as it is; the open segment is empty afterwards and keeps its room. */
  close(): Segment {
    this.absorb();
    const { transitions, increments } = this;
    const segment: Segment = {
      hour: this.hour,
      start: this.start.slice(),
      transitions: transitions.n === 0 ? null : cutTransitions(transitions),
      increments: increments.n === 0 ? null : cutIncrements(increments),
      prefix: increments.n === 0 ? null : prefixOf(increments),
      spread: increments.n === 0 ? null : spreadOf(increments),
      outside: this.outside,
    };
    this.clear();
    return segment;
  }

  clear(): void {
    if (this.#lent) {
      const named = this.transitions.code instanceof Float64Array;
      this.transitions = { n: 0, t: noTimes, code: named ? noTimes : noCodes };
      this.increments = { n: 0, source: noTimes, t: noTimes, value: noTimes, flags: noBytes, channel: noBytes };
      this.#lent = false;
    }
    this.transitions.n = 0;
    this.increments.n = 0;
    this.outside = 0;
    this.#seenTransitions = 0;
    this.#seenIncrements = 0;
  }

  /** It as it is at this instant, to be read later: what comes is appended behind it, and the columns are not used again for another hour. */
  lend(): Pick<OpenSegment, "hour" | "start" | "outside" | "transitions" | "increments"> {
    this.#lent = true;
    const { hour, start, outside, transitions, increments } = this;
    return { hour, start: start.slice(), outside, transitions: { ...transitions }, increments: { ...increments } };
  }

  /** Becomes what another one is; what changed is the caller's to tell. */
  adopt(other: Pick<OpenSegment, "hour" | "start" | "transitions" | "increments" | "outside">): void {
    this.hour = other.hour;
    this.start.set(other.start);
    this.transitions = other.transitions;
    this.increments = other.increments;
    this.outside = other.outside;
    this.#seenTransitions = this.transitions.n;
    this.#seenIncrements = this.increments.n;
  }
}

type Column = Float64Array | Int32Array | Uint8Array;
function grown<T extends Column>(make: { new (n: number): T }, old: T, capacity: number): T {
  const next = new make(capacity);
  next.set(old);
  return next;
}

const cutTransitions = ({ n, t, code }: Transitions): Transitions => ({ n, t: t.slice(0, n), code: code.slice(0, n) });
const cutIncrements = ({ n, source, t, value, flags, channel }: Increments): Increments => ({
  n,
  source: source.slice(0, n),
  t: t.slice(0, n),
  value: value.slice(0, n),
  flags: flags.slice(0, n),
  channel: channel.slice(0, n),
});

function prefixOf({ n, value }: Increments): Float64Array {
  const prefix = new Float64Array(n + 1);
  for (let i = 0; i < n; i++) prefix[i + 1] = prefix[i] + value[i];
  return prefix;
}

function spreadOf({ n, flags }: Increments): Int32Array | null {
  const at: number[] = [];
  for (let i = 0; i < n; i++) if ((flags[i] & 2) !== 0) at.push(i);
  return at.length === 0 ? null : Int32Array.from(at);
}

/** Index of the first of n ascending times that is ≥ `t`. */
export function lowerBound(times: Float64Array, n: number, t: Micros): number {
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle] < t) low = middle + 1;
    else high = middle;
  }
  return low;
}
