import { type ValueType, valueTypes } from "@lineshaft/contract/api";

export interface TypeChange {
  before: ValueType;
  type: ValueType;
}

/** A tag that changes its type with every value is told once in so long. */
const tellEveryMs = 60_000;
/** Tags whose last telling is remembered; beyond, the oldest may be told again a little early. */
const rememberedMax = 100_000;

/** Values of a tag that are of another type than those before (F30): gathered on the hot path, told in portions. An empty value is of no type. */
export class TypeChanges {
  readonly #waiting = new Map<number, TypeChange>();
  readonly #toldMs = new Map<number, number>();

  add(tag: number, before: number, type: number): void {
    const known = this.#waiting.get(tag);
    this.#waiting.set(tag, { before: known?.before ?? valueTypes[before], type: valueTypes[type] });
  }

  /** What may be told now. A tag that is back at its old type meanwhile has not changed. */
  take(nowMs: number): Map<number, TypeChange> {
    const due = new Map<number, TypeChange>();
    for (const [tag, change] of this.#waiting) {
      if (change.before === change.type) this.#waiting.delete(tag);
      else if (nowMs - (this.#toldMs.get(tag) ?? Number.NEGATIVE_INFINITY) >= tellEveryMs) {
        this.#waiting.delete(tag);
        due.set(tag, change);
        // Anew, so that the order is that of the last telling.
        this.#toldMs.delete(tag);
        this.#toldMs.set(tag, nowMs);
      }
    }
    for (const tag of this.#toldMs.keys()) {
      if (this.#toldMs.size <= rememberedMax) break;
      this.#toldMs.delete(tag);
    }
    return due;
  }
}
