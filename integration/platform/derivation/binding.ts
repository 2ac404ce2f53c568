import type { CountKind, Micros } from "@lineshaft/contract/api";
import type { FactsKind } from "@lineshaft/contract/ports";
import { type Input, type InputColumns, inputColumns, inputKind, inputOrder } from "./inputs.ts";
import { stateWidth, tagWidth } from "./layout.ts";
import type { AutomatonKind, Rules } from "./mapping.ts";
import type { Track } from "./track.ts";

/** What a binding tells of its equipment. */
export type BindingRole = "itemState" | "operationMode" | "counter" | "pulse" | "alarm" | "identifier";

/**
 * Raw tags → a property of equipment. Several tags only where they are one stream, as the good and the reject pulse of a machine, or where conditions speak of
 * their values together.
 */
export interface BindingSpec {
  id: number;
  equipment: number;
  role: BindingRole;
  /** Its name, which alarms and identifiers are told with. */
  property?: string;
  /** What a channel counts; null for states. */
  channels: readonly { tag: number; connection: number; counts: CountKind | null }[];
  rules: Rules;
  /** `conditions`: by what those say of the values of all its tags together. Default: `values`, each by what its tag's rule says. */
  by?: "values" | "conditions";
}

export const automatonOf = ({ role, by }: Pick<BindingSpec, "role" | "by">): AutomatonKind =>
  by === "conditions" ? "joint" : role === "itemState" || role === "operationMode" ? "state" : role;

/** How many numbers its state has. */
export const stateWidthOf = (spec: Pick<BindingSpec, "role" | "by" | "channels">): number =>
  stateWidth + (automatonOf(spec) === "joint" ? tagWidth * spec.channels.length : 0);

/** Which facts a binding has a part in. */
export const factsKindOf = (role: BindingRole): FactsKind =>
  role === "alarm" ? "alarms" : role === "identifier" ? "identifiers" : "production";

/** What was derived by the one goes on by the other. */
export const sameShape = (a: Omit<BindingSpec, "id">, b: Omit<BindingSpec, "id">): boolean =>
  a.role === b.role && JSON.stringify(a.channels) === JSON.stringify(b.channels);

/** Inputs of a binding with several channels that wait for the watermark; beyond this the repair reads them instead. */
const heldMax = 65_536;
/** So many wait again after a repair; what is more it takes at once. */
export const waitingMax = heldMax / 2;

/** A binding at work: its automaton, how far it has come, and what of its past is no longer right. */
export class Binding {
  readonly spec: BindingSpec;
  readonly track: Track;
  /** The last input that was taken. */
  lastT: Micros = Number.NEGATIVE_INFINITY;
  lastOrdinal = -1;
  /** The last watermark that was applied: what is due before it has fired. */
  watermark: Micros = Number.NEGATIVE_INFINITY;
  /** Earliest and latest instant at which an input, a rule or a context it read is another; from > to when it is clean. */
  dirtyFrom: Micros = Number.POSITIVE_INFINITY;
  dirtyTo: Micros = Number.NEGATIVE_INFINITY;
  /** Start of an hour before which nothing is kept or derived. */
  floor: Micros = Number.NEGATIVE_INFINITY;
  /** Its inputs are keys of texts, and not numbers or hashes as they come. */
  readonly exact: boolean;
  readonly #held: Input[] | null;

  constructor(spec: BindingSpec, track: Track) {
    this.spec = spec;
    this.track = track;
    this.exact = factsKindOf(spec.role) !== "production";
    this.#held = spec.channels.length > 1 ? [] : null;
  }

  /** Inputs that wait for the watermark. */
  get held(): readonly Input[] {
    return this.#held ?? [];
  }

  /** Whether inputs wait for the watermark. */
  get waits(): boolean {
    return this.#held !== null;
  }

  /** These wait now, while it is dirty and so holds nothing else. */
  waitsFor(inputs: readonly Input[]): void {
    this.#held?.push(...inputs);
  }

  /** Becomes what it was when it was saved; its track has. */
  takeOver(
    saved: Pick<Binding, "lastT" | "lastOrdinal" | "watermark" | "dirtyFrom" | "dirtyTo" | "floor" | "held">,
  ): void {
    this.lastT = saved.lastT;
    this.lastOrdinal = saved.lastOrdinal;
    this.watermark = saved.watermark;
    this.dirtyFrom = saved.dirtyFrom;
    this.dirtyTo = saved.dirtyTo;
    this.floor = saved.floor;
    this.#held?.push(...saved.held);
    this.track.crossedBefore(Math.max(this.watermark, this.lastT + 1));
  }

  get dirty(): boolean {
    return this.dirtyFrom <= this.dirtyTo;
  }

  /** How far the automaton has come. */
  get progress(): Micros {
    return Math.max(this.lastT, this.watermark);
  }

  point(t: Micros, value: number, bad: boolean, channel: number, ordinal: number): void {
    if (this.dirty) {
      // It is in the record, and the repair reads it there.
      this.taint(t, t);
    } else if (this.#held !== null) {
      this.#hold({ t, value, kind: bad ? inputKind.bad : inputKind.point, channel, ordinal });
    } else if ((t > this.lastT || (t === this.lastT && ordinal > this.lastOrdinal)) && t >= this.watermark) {
      this.track.point(t, value, bad, channel);
      this.lastT = t;
      this.lastOrdinal = ordinal;
    } else this.taint(t, t);
  }

  /** Whether the data of its connection are lost has changed for [from, to). */
  gapChanged(from: Micros, to: Micros, lost: boolean): void {
    if (this.dirty || this.#held !== null || !this.#ahead(from)) {
      this.taint(from, to);
      return;
    }
    this.#gap(from, lost);
    if (to !== Number.POSITIVE_INFINITY) this.#gap(to, !lost);
  }

  tick(watermark: Micros): void {
    if (this.dirty || watermark <= this.watermark) return;
    if (this.#held !== null && this.#held.length > 0) this.#release(watermark);
    if (this.track.nextEvent < watermark) this.track.advance(watermark);
    this.watermark = watermark;
  }

  taint(from: Micros, to: Micros): void {
    if (this.#held !== null && !this.dirty) {
      for (const { t } of this.#held) {
        this.dirtyFrom = Math.min(this.dirtyFrom, t);
        this.dirtyTo = Math.max(this.dirtyTo, t);
      }
      this.#held.length = 0;
    }
    this.dirtyFrom = Math.min(this.dirtyFrom, from);
    this.dirtyTo = Math.max(this.dirtyTo, to);
  }

  forgetBefore(hour: Micros): void {
    if (hour <= this.floor) return;
    this.floor = hour;
    this.track.forgetBefore(hour);
  }

  clean(): void {
    this.dirtyFrom = Number.POSITIVE_INFINITY;
    this.dirtyTo = Number.NEGATIVE_INFINITY;
  }

  /** Rows of one instant must not be told from those already taken, so only a later instant is ahead. */
  #ahead(t: Micros): boolean {
    return t > this.lastT && t >= this.watermark;
  }

  #gap(t: Micros, open: boolean): void {
    this.track.gap(t, open, 0);
    this.lastT = t;
    this.lastOrdinal = -1;
  }

  #hold(input: Input): void {
    const held = this.#held as Input[];
    if (!this.#ahead(input.t) || held.length >= heldMax) this.taint(input.t, input.t);
    else held.push(input);
  }

  /** The channels of a binding are merged where the watermark says that nothing earlier comes. */
  #release(watermark: Micros): void {
    const held = this.#held as Input[];
    const due = held.filter(({ t }) => t < watermark).sort(inputOrder);
    if (due.length === 0) return;
    const inputs = inputColumns(due);
    this.track.feed(inputs);
    this.#took(inputs);
    const later = held.filter(({ t }) => t >= watermark);
    held.length = 0;
    held.push(...later);
  }

  /**
   * After a repair up to the end of the inputs: the last of them is the last that was taken. Without any since `from` it lies before that; it may be less than it
   * was, since inputs can go.
   */
  stands(last: InputColumns | null, from: Micros): void {
    if (last !== null) this.#took(last);
    else if (this.lastT >= from) {
      this.lastT = from - 1;
      this.lastOrdinal = Number.POSITIVE_INFINITY;
    }
  }

  #took({ n, t, kind, ordinal }: InputColumns): void {
    this.lastT = t[n - 1];
    this.lastOrdinal = kind[n - 1] > inputKind.bad ? -1 : ordinal[n - 1];
  }
}
