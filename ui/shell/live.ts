// Hot path: 50,000 points a second may pass here; typed columns, no React, listeners told at most five times a second.
import {
  type Columns,
  type LastValue,
  type Micros,
  type Value,
  type ValueType,
  valueAt,
  valueFromJson,
  valueTypeCode,
  valueTypes,
} from "@lineshaft/contract/api";
import { decimalsOf } from "../kit/index.ts";

/** How often listeners are told. People read no faster; a table that changes more often is a flicker. */
export const tellEveryMs = 200;
/** Time constant of the measured rate of a tag. */
const rateWindowSeconds = 10;

export interface LiveValue {
  value: Value;
  type: ValueType;
  status: number;
  /** sourceTime of the newest value; null: none yet. */
  time: Micros | null;
  /** Points a second as seen by this page; null while it has not watched long enough. */
  rate: number | null;
  /** Decimals to show, so that the column stands still. */
  digits: number;
}

/**
 * Newest values of the tags on screen, outside React's state. Each tag has a slot in typed columns; a listener per tag
 * and a version per slot serve `useSyncExternalStore`. Slots are bounded: tags that nobody watches are forgotten.
 */
export class LiveValues {
  readonly #slots = new Map<number, number>();
  readonly #free: number[] = [];
  #time = new Float64Array(64);
  #ordinal = new Uint16Array(64);
  #value = new Float64Array(64);
  #status = new Uint32Array(64);
  #type = new Uint8Array(64);
  #digits = new Uint8Array(64);
  #count = new Uint32Array(64);
  #rate = new Float64Array(64);
  #sinceMs = new Float64Array(64);
  #version = new Uint32Array(64);
  readonly #exact = new Map<number, Value>();
  readonly #listeners = new Map<number, Set<() => void>>();
  readonly #dirty = new Set<number>();
  #timer = 0;
  #lastToldMs = 0;
  readonly #schedule: (tell: () => void, delayMs: number) => number;
  readonly #nowMs: () => number;

  constructor(schedule: (tell: () => void, delayMs: number) => number, nowMs: () => number) {
    this.#schedule = schedule;
    this.#nowMs = nowMs;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Keeps exactly these tags. */
  keep(tags: Iterable<number>): void {
    const wanted = new Set(tags);
    for (const [tag, slot] of this.#slots) {
      if (wanted.has(tag)) continue;
      this.#slots.delete(tag);
      this.#free.push(slot);
      this.#exact.delete(tag);
      this.#dirty.delete(tag);
    }
    for (const tag of wanted) if (!this.#slots.has(tag)) this.#claim(tag);
  }

  subscribe(tag: number, listener: () => void): () => void {
    const found = this.#listeners.get(tag);
    const set = found ?? new Set();
    if (found === undefined) this.#listeners.set(tag, set);
    set.add(listener);
    return () => {
      set.delete(listener);
      if (set.size === 0) this.#listeners.delete(tag);
    };
  }

  /** Changes whenever `get(tag)` would answer differently. */
  version(tag: number): number {
    const slot = this.#slots.get(tag);
    return slot === undefined ? 0 : this.#version[slot];
  }

  get(tag: number): LiveValue | null {
    const slot = this.#slots.get(tag);
    if (slot === undefined || this.#version[slot] === 0) return null;
    const type = valueTypes[this.#type[slot]];
    const none = Number.isNaN(this.#time[slot]);
    return {
      value: none ? null : (this.#exact.get(tag) ?? (type === "boolean" ? this.#value[slot] !== 0 : this.#value[slot])),
      type,
      status: this.#status[slot],
      time: none ? null : this.#time[slot],
      rate: this.#nowMs() - this.#sinceMs[slot] < 3000 ? null : this.#rate[slot],
      digits: this.#digits[slot],
    };
  }

  /** From GET /values. An older value than the stream already gave is ignored. */
  applyLast(values: readonly LastValue[]): void {
    for (const last of values) {
      const slot = this.#slots.get(last.tag);
      if (slot === undefined) continue;
      const type = Math.max(0, valueTypes.indexOf(last.type as ValueType));
      if (last.time === null) {
        if (this.#version[slot] === 0) this.#touch(last.tag, slot);
        continue;
      }
      const value = valueFromJson(last.value);
      if (value !== undefined) this.#put(last.tag, slot, last.time, 0, value, type, last.status);
    }
    this.#soon();
  }

  /** From the stream: points in any order; the newest by (time, ordinal) stays. */
  applyColumns(columns: Columns): void {
    for (let row = 0; row < columns.rows; row++) {
      const tag = columns.tag[row];
      const slot = this.#slots.get(tag);
      if (slot === undefined) continue;
      this.#count[slot]++;
      const time = columns.time[row];
      const ordinal = columns.ordinal === null ? 0 : columns.ordinal[row];
      if (time < this.#time[slot] || (time === this.#time[slot] && ordinal < this.#ordinal[slot])) continue;
      const type = columns.type === null ? valueTypeCode.double : columns.type[row];
      const value = type === valueTypeCode.double ? columns.value[row] : valueAt(columns, row);
      this.#put(tag, slot, time, ordinal, value, type, columns.status === null ? 0 : columns.status[row]);
    }
    this.#soon();
  }

  /** Once a second: turns counts into rates. */
  tick(seconds: number): void {
    const share = 1 - Math.exp(-seconds / rateWindowSeconds);
    for (const [tag, slot] of this.#slots) {
      const measured = this.#count[slot] / seconds;
      const aged = (this.#nowMs() - this.#sinceMs[slot]) / 1000;
      // While young the plain mean is right; the exponential one would start from zero.
      const weight = aged < rateWindowSeconds ? Math.max(share, seconds / Math.max(seconds, aged)) : share;
      const next = this.#rate[slot] + weight * (measured - this.#rate[slot]);
      this.#count[slot] = 0;
      if (Math.abs(next - this.#rate[slot]) > 0.02 * this.#rate[slot]) this.#touch(tag, slot);
      this.#rate[slot] = next < 1e-4 ? 0 : next;
    }
    this.#soon();
  }

  #put(tag: number, slot: number, time: Micros, ordinal: number, value: Value, type: number, status: number): void {
    if (time < this.#time[slot]) return;
    this.#time[slot] = time;
    this.#ordinal[slot] = ordinal;
    this.#type[slot] = type;
    this.#status[slot] = status;
    if (typeof value === "number") {
      this.#value[slot] = value;
      this.#exact.delete(tag);
      if (this.#digits[slot] < 3) this.#digits[slot] = Math.max(this.#digits[slot], decimalsOf(value));
    } else if (typeof value === "boolean") {
      this.#value[slot] = value ? 1 : 0;
      this.#exact.delete(tag);
    } else this.#exact.set(tag, value);
    this.#touch(tag, slot);
  }

  #touch(tag: number, slot: number): void {
    this.#version[slot]++;
    this.#dirty.add(tag);
  }

  #soon(): void {
    if (this.#timer !== 0 || this.#dirty.size === 0) return;
    const wait = Math.max(0, this.#lastToldMs + tellEveryMs - this.#nowMs());
    this.#timer = this.#schedule(() => {
      this.#timer = 0;
      this.#lastToldMs = this.#nowMs();
      const dirty = [...this.#dirty];
      this.#dirty.clear();
      for (const tag of dirty) for (const listener of this.#listeners.get(tag) ?? []) listener();
    }, wait);
  }

  #claim(tag: number): void {
    const slot = this.#free.pop() ?? this.#slots.size;
    if (slot >= this.#time.length) this.#grow();
    this.#slots.set(tag, slot);
    this.#time[slot] = NaN;
    this.#ordinal[slot] = 0;
    this.#value[slot] = NaN;
    this.#status[slot] = 0;
    this.#type[slot] = 0;
    this.#digits[slot] = 0;
    this.#count[slot] = 0;
    this.#rate[slot] = 0;
    this.#version[slot] = 0;
    this.#sinceMs[slot] = this.#nowMs();
  }

  #grow(): void {
    const capacity = this.#time.length * 2;
    const floats = (old: Float64Array): Float64Array<ArrayBuffer> => filled(new Float64Array(capacity), old);
    this.#time = floats(this.#time);
    this.#value = floats(this.#value);
    this.#rate = floats(this.#rate);
    this.#sinceMs = floats(this.#sinceMs);
    this.#ordinal = filled(new Uint16Array(capacity), this.#ordinal);
    this.#status = filled(new Uint32Array(capacity), this.#status);
    this.#count = filled(new Uint32Array(capacity), this.#count);
    this.#version = filled(new Uint32Array(capacity), this.#version);
    this.#type = filled(new Uint8Array(capacity), this.#type);
    this.#digits = filled(new Uint8Array(capacity), this.#digits);
  }
}

function filled<T extends { set(from: ArrayLike<number>): void }>(next: T, old: ArrayLike<number>): T {
  next.set(old);
  return next;
}
