// Hot path: one automaton on its way through time. The same code runs live and in a repair.
import { hourUs, type Micros } from "@lineshaft/contract/api";
import { counterBoundary, counterGap, counterPoint, counterTimer } from "./counter.ts";
import { type InputColumns, inputKind } from "./inputs.ts";
import { jointGap, jointPoint, jointTimer } from "./joint-state.ts";
import { clearState, fCode, fDue, fValue, sameState } from "./layout.ts";
import type { AutomatonKind, Rules } from "./mapping.ts";
import { pulseBad, pulseBoundary, pulseGap, pulsePoint, pulseTimer } from "./pulse.ts";
import { OpenSegment, type Segment } from "./segment.ts";
import { stateBoundary, stateGap, statePoint } from "./state.ts";
import type { Steps } from "./steps.ts";
import type { Texts } from "./texts.ts";
import { alarmNaming, identifierNaming, type Naming, valueBoundary, valueGap, valuePoint } from "./value.ts";

export const hourOf = (t: Micros): Micros => Math.floor(t / hourUs) * hourUs;

/**
 * The automaton of one binding, where it stands and what it has emitted. Two laws hold here: a timer fires strictly before the instant that time is
 * advanced to, so that an input at its due time comes first; and `advance(a)` then `advance(b)` is `advance(b)`, so that ticks and checkpoints are no inputs.
 */
export class Track {
  readonly kind: AutomatonKind;
  rules: Rules;
  /** Ideal cycles of the equipment; read by pulses only. */
  cycles: Steps;
  /** The array of all states, and where this one begins. */
  s: Float64Array;
  readonly o: number;
  /** How many numbers its state has. */
  readonly width: number;
  readonly open: OpenSegment;
  /** Where the texts of values are that it cannot hold. */
  readonly texts: Texts;
  /** What a value names; of alarms and identifiers. */
  readonly #names: Naming;
  /** Closed hours, ascending; hours that changed nothing are left out. */
  segments: Segment[] = [];
  /** Closed hours from here on are not on disk yet as they are. */
  unsavedFrom: Micros = Number.POSITIVE_INFINITY;
  /** How often the open hour was replaced by a repair. */
  repaired = 0;
  /** Values in closed hours that were no valid input. */
  #outside = 0;
  #boundary = 0;
  #nextBoundary = Number.POSITIVE_INFINITY;

  constructor(
    kind: AutomatonKind,
    rules: Rules,
    cycles: Steps,
    texts: Texts,
    s: Float64Array,
    o: number,
    width: number,
  ) {
    this.kind = kind;
    this.rules = rules;
    this.cycles = cycles;
    this.texts = texts;
    this.#names = kind === "alarm" ? alarmNaming(texts) : identifierNaming;
    this.s = s;
    this.o = o;
    this.width = width;
    this.open = new OpenSegment(width, kind === "alarm" || kind === "identifier");
    clearState(s, o, width);
    this.#toBoundary(0);
  }

  /** Infinity: nothing was emitted. */
  get firstHour(): Micros {
    if (this.segments.length > 0) return this.segments[0].hour;
    return this.open.hour === Number.NEGATIVE_INFINITY ? Number.POSITIVE_INFINITY : this.open.hour;
  }

  /** Values that were no valid input: outside their table or their width. */
  get outside(): number {
    return this.#outside + this.open.outside;
  }

  /** Puts other hours in the place of those from `begin` up to `end`. */
  replace(begin: number, end: number, by: readonly Segment[]): void {
    this.#outside += outsideOf(by) - outsideOf(this.segments.slice(begin, end));
    for (const first of [this.segments[begin], by[0]])
      if (first !== undefined) this.unsavedFrom = Math.min(this.unsavedFrom, first.hour);
    this.segments = this.segments.slice(0, begin).concat(by, this.segments.slice(end));
  }

  /** Hours before this are given up. */
  forgetBefore(hour: Micros): void {
    const kept = this.firstSegment(hour);
    this.#outside -= outsideOf(this.segments.slice(0, kept));
    this.segments = this.segments.slice(kept);
  }

  /** Becomes what it was when it was saved; the caller says what has been crossed. */
  takeOver(state: Float64Array, segments: Segment[], open: OpenSegment | null): void {
    this.s.set(state, this.o);
    this.segments = segments;
    this.#outside = outsideOf(segments);
    if (open !== null) this.open.adopt(open);
  }

  /** Adds the keys of all texts that its facts and checkpoints have. */
  textKeys(into: Set<number>): void {
    into.add(this.s[this.o + fValue]).add(this.s[this.o + fCode]);
    for (const { start, transitions } of [...this.segments, this.open]) {
      into.add(start[fValue]).add(start[fCode]);
      for (let i = 0; i < (transitions?.n ?? 0); i++) into.add(transitions?.code[i] ?? 0);
    }
  }

  /** When it does something by itself: its timer or a boundary of its rules. */
  get nextEvent(): Micros {
    return Math.min(this.s[this.o + fDue], this.#nextBoundary);
  }

  /** A good or bad sample. The caller sees to the order. */
  point(t: Micros, value: number, bad: boolean, channel: number): void {
    this.#enter(t);
    const rule = this.rules.at(t);
    if (this.kind === "state") statePoint(this.s, this.o, rule, t, value, bad, this.open);
    else if (this.kind === "counter") {
      if (!bad) counterPoint(this.s, this.o, this.rules, rule, t, value, this.open);
    } else if (this.kind === "joint") jointPoint(this.s, this.o, channel, t, value, bad);
    else if (this.kind !== "pulse") valuePoint(this.s, this.o, rule, this.#names, t, value, this.open);
    else if (bad) pulseBad(this.s, this.o, channel);
    else pulsePoint(this.s, this.o, rule, this.cycles, t, value, channel, this.open);
  }

  gap(t: Micros, open: boolean, channel: number): void {
    this.#enter(t);
    if (this.kind === "state") stateGap(this.s, this.o, this.rules.at(t), t, open, this.open);
    else if (this.kind === "counter") counterGap(this.s, this.o, open);
    else if (this.kind === "joint") jointGap(this.s, this.o, channel, t, open);
    else if (this.kind === "pulse") pulseGap(this.s, this.o, this.rules.at(t), this.cycles, t, open, this.open);
    else valueGap(this.s, this.o, this.rules.at(t), this.#names, t, open, this.open);
  }

  feed(inputs: InputColumns, from = 0, to = inputs.n): void {
    for (let i = from; i < to; i++) {
      const kind = inputs.kind[i];
      if (kind <= inputKind.bad) this.point(inputs.t[i], inputs.value[i], kind === inputKind.bad, inputs.channel[i]);
      else this.gap(inputs.t[i], kind === inputKind.gapOpen, inputs.channel[i]);
    }
  }

  /** Fires what is due strictly before `to`: timers, and the boundaries of rules. */
  advance(to: Micros): void {
    const { s, o } = this;
    for (;;) {
      const due = s[o + fDue];
      const boundary = this.#nextBoundary;
      // A boundary is an input: at its instant it comes before a timer.
      if (boundary <= due) {
        if (boundary >= to) return;
        this.#hour(boundary);
        this.#cross(boundary);
      } else {
        if (due >= to) return;
        this.#hour(due);
        if (this.kind === "counter") counterTimer(s, o, this.rules, this.open);
        else if (this.kind === "joint") jointTimer(s, o, this.rules, this.open);
        else pulseTimer(s, o, this.open);
      }
    }
  }

  /** The state at the start of an hour that lies behind: after all inputs and timers before it. */
  stateAt(hour: Micros): Float64Array {
    const segment = this.segments[this.firstSegment(hour)];
    if (segment !== undefined) return segment.start;
    return this.open.hour >= hour ? this.open.start : this.s.subarray(this.o, this.o + this.width);
  }

  /** Index of the first closed segment of that hour or later. */
  firstSegment(hour: Micros): number {
    let low = 0;
    let high = this.segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.segments[middle].hour < hour) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What was emitted in the hour of `t` and later. What is told of `t` or later was emitted there. */
  *emittedFrom(t: Micros): Generator<Segment | OpenSegment> {
    for (let i = this.firstSegment(hourOf(t)); i < this.segments.length; i++) yield this.segments[i];
    if (this.open.hour >= hourOf(t)) yield this.open;
  }

  /** Ends the open hour where it lies before `hour`. */
  closeBefore(hour: Micros): void {
    if (this.open.hour >= hour) return;
    this.#close();
    this.open.hour = Number.NEGATIVE_INFINITY;
  }

  /** Begins at the start of an hour with the state that was there. */
  restart(hour: Micros, state: Float64Array): void {
    this.s.set(state, this.o);
    this.segments = [];
    this.#outside = 0;
    this.open.hour = Number.NEGATIVE_INFINITY;
    this.open.clear();
    this.#toBoundary(this.rules.nextBoundary(hour));
  }

  /** Takes over where another track of the same binding stands. */
  adopt(other: Track): void {
    this.s.set(other.s.subarray(other.o, other.o + other.width), this.o);
    this.open.adopt(other.open);
    this.repaired++;
    this.#toBoundary(other.#boundary);
  }

  /** The rules have changed from behind: what lies before `t` has been crossed. */
  crossedBefore(t: Micros): void {
    this.#toBoundary(this.rules.nextBoundary(t));
  }

  /** Everything up to an input at `t`: what is due before it, boundaries at it, and its hour. */
  #enter(t: Micros): void {
    if (this.s[this.o + fDue] < t || this.#nextBoundary <= t) {
      this.advance(t);
      while (this.#nextBoundary <= t) {
        this.#hour(this.#nextBoundary);
        this.#cross(this.#nextBoundary);
      }
    }
    if (t >= this.open.hour + hourUs || t < this.open.hour) this.#hour(t);
  }

  /** Opens the hour of an instant. All timers before it have fired. */
  #hour(t: Micros): void {
    const hour = hourOf(t);
    if (hour === this.open.hour) return;
    this.#close();
    this.open.hour = hour;
    const { s, o, width } = this;
    for (let i = 0; i < width; i++) this.open.start[i] = s[o + i];
  }

  #close(): void {
    const { open } = this;
    if (open.hour === Number.NEGATIVE_INFINITY) return;
    if (open.empty && sameState(open.start, 0, this.s, this.o, this.width)) return;
    this.#outside += open.outside;
    this.unsavedFrom = Math.min(this.unsavedFrom, open.hour);
    this.segments.push(open.close());
  }

  #cross(t: Micros): void {
    const rule = this.rules.at(t);
    if (this.kind === "state") stateBoundary(this.s, this.o, rule, t, this.open);
    else if (this.kind === "counter") counterBoundary(this.s, this.o, this.rules, rule, t, this.open);
    else if (this.kind === "joint") this.s[this.o + fDue] = t;
    else if (this.kind === "pulse") pulseBoundary(this.s, this.o, this.rules, rule, t, this.open);
    else valueBoundary(this.s, this.o, rule, this.#names, t, this.open);
    this.#toBoundary(this.#boundary + 1);
  }

  #toBoundary(index: number): void {
    const { boundaries } = this.rules;
    this.#boundary = index;
    this.#nextBoundary = index < boundaries.length ? boundaries[index] : Number.POSITIVE_INFINITY;
  }
}

const outsideOf = (segments: readonly Segment[]): number => segments.reduce((sum, { outside }) => sum + outside, 0);
