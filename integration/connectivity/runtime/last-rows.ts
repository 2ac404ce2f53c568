// Hot path: one loop over typed arrays.
import {
  type Columns,
  ColumnsBuilder,
  type ExactValue,
  type Micros,
  qualityOf,
  type Value,
  valueAt,
} from "@lineshaft/contract/api";

/** The newest row of each tag of one connection, so that a lost connection can mark them stale with their value kept. */
export class LastRows {
  #slots = new Map<string, number>();
  #names: string[] = [];
  #value = new Float64Array(64);
  #time = new Float64Array(64);
  #type = new Uint8Array(64);
  #stale = new Uint8Array(64);
  #exact = new Map<number, ExactValue>();
  /** Slots of the list of names that the connector keeps. */
  #kept: { names: readonly string[]; slots: number[] } = { names: [], slots: [] };

  /** The newest source time and whether any row was good. `kept`: the list of names comes again and is only appended to. */
  note(names: readonly string[], columns: Columns, kept = false): { newestUs: Micros; good: boolean } {
    const slots = kept ? this.#keptSlots(names) : names.map((name) => this.#slotOf(name));
    let newestUs = -Infinity;
    let good = false;
    const { rows, tag, time, value, type, status, exact } = columns;
    for (let i = 0; i < rows; i++) {
      const slot = slots[tag[i]];
      this.#value[slot] = value[i];
      // NaN: the source has no time; then the row stands at our receivedTime, which no stale row precedes.
      this.#time[slot] = Number.isNaN(time[i]) ? 0 : time[i];
      this.#type[slot] = type === null ? 0 : type[i];
      this.#stale[slot] = 0;
      if (time[i] > newestUs) newestUs = time[i];
      if (status === null || qualityOf(status[i]) === "good") good = true;
    }
    for (let k = 0; exact !== null && k < exact.row.length; k++)
      this.#exact.set(slots[tag[exact.row[k]]], exact.value[k]);
    return { newestUs, good };
  }

  /** Rows that say "no live value any more" for these tags, each with its last value; those that are stale already are left out. */
  stale(
    which: readonly string[] | "all",
    status: number,
    atUs: Micros,
    stands: (name: string) => boolean,
  ): { names: string[]; columns: Columns } {
    const names: string[] = [];
    const columns = new ColumnsBuilder();
    for (const name of which === "all" ? this.#names : which) {
      const slot = this.#slots.get(name);
      if (slot === undefined || this.#stale[slot] === 1 || !stands(name)) continue;
      this.#stale[slot] = 1;
      const value = this.#valueAt(slot);
      // After the last row, also where the source's clock runs ahead of ours.
      const time = Math.max(atUs, this.#time[slot] + 1);
      columns.add(names.length, time, value, status, 0, this.#type[slot] === 1 ? "int64" : undefined);
      names.push(name);
    }
    return { names, columns: columns.build() };
  }

  #valueAt(slot: number): Value {
    const exact = this.#exact.get(slot);
    return valueAt(
      {
        rows: 1,
        tag: new Int32Array(1),
        time: this.#time.subarray(slot, slot + 1),
        value: this.#value.subarray(slot, slot + 1),
        status: null,
        type: this.#type.subarray(slot, slot + 1),
        ordinal: null,
        originalTime: null,
        exact: exact === undefined ? null : { row: [0], value: [exact] },
      },
      0,
    );
  }

  #keptSlots(names: readonly string[]): number[] {
    if (this.#kept.names !== names) this.#kept = { names, slots: [] };
    const { slots } = this.#kept;
    for (let i = slots.length; i < names.length; i++) slots.push(this.#slotOf(names[i]));
    return slots;
  }

  #slotOf(name: string): number {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const slot = this.#names.push(name) - 1;
    this.#slots.set(name, slot);
    if (slot === this.#value.length) {
      this.#value = grown(this.#value, new Float64Array(slot * 2));
      this.#time = grown(this.#time, new Float64Array(slot * 2));
      this.#type = grown(this.#type, new Uint8Array(slot * 2));
      this.#stale = grown(this.#stale, new Uint8Array(slot * 2));
    }
    return slot;
  }
}

function grown<T extends Float64Array | Uint8Array>(old: T, wider: T): T {
  wider.set(old);
  return wider;
}
