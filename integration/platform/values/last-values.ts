// Hot path: the newest value of each raw tag, in typed arrays.
import {
  type Columns,
  type ExactValue,
  type LastValue,
  type Micros,
  valueToJson,
  valueTypeCode,
  valueTypes,
} from "@lineshaft/contract/api";
import type { LastValues, Lsn } from "@lineshaft/contract/ports";
import { TypeChanges } from "./type-changes.ts";

interface Arrays {
  time: Float64Array;
  value: Float64Array;
  received: Float64Array;
  lsn: Float64Array;
  status: Uint32Array;
  ordinal: Uint16Array;
  type: Uint8Array;
}

/**
 * The value with the greatest (sourceTime, ordinal) of each tag: late rows do not move it. Equal instants from different messages order by
 * value, as in history.
 */
export class LastValueTable implements LastValues {
  #a: Arrays = arrays(1024);
  #exact = new Map<number, ExactValue>();
  /** Type of the newest value that was not empty, and one; 0: there was none. */
  #typed = new Uint8Array(1024);
  readonly typeChanges = new TypeChanges();

  get(tags: readonly number[]): LastValue[] {
    return tags.map((tag) => this.#one(tag));
  }

  timeOf(tag: number): Micros {
    return tag < this.#a.time.length ? this.#a.time[tag] : NaN;
  }

  statusOf(tag: number): number {
    return tag < this.#a.status.length ? this.#a.status[tag] : 0;
  }

  /** Rows of a batch, without those in `skip` (ascending). `replace`: rows that correct the value at their own identity. */
  apply(columns: Columns, lsn: Lsn, receivedTime: Micros, skip: Uint32Array, replace: boolean): void {
    const { tag, time, value, status, ordinal, type, rows } = columns;
    let skipAt = 0;
    let bound = 0;
    for (let i = 0; i < rows; i++) if (tag[i] >= bound) bound = tag[i] + 1;
    this.#reserve(bound);
    const a = this.#a;
    let exactAt = 0;
    for (let i = 0; i < rows; i++) {
      if (skipAt < skip.length && skip[skipAt] === i) {
        skipAt++;
        continue;
      }
      const id = tag[i];
      const t = time[i];
      const k = ordinal === null ? 0 : ordinal[i];
      if (t < a.time[id]) continue;
      if (t === a.time[id] && (k < a.ordinal[id] || (k === a.ordinal[id] && !replace && value[i] < a.value[id])))
        continue;
      a.time[id] = t;
      a.value[id] = value[i];
      a.received[id] = receivedTime;
      a.lsn[id] = lsn;
      a.status[id] = status === null ? 0 : status[i];
      a.ordinal[id] = k;
      const code = type === null ? 0 : type[i];
      if (code !== 0 || a.type[id] !== 0) this.#exact.delete(id);
      a.type[id] = code;
      if (this.#typed[id] !== code + 1 && code !== valueTypeCode.null) {
        if (this.#typed[id] !== 0) this.typeChanges.add(id, this.#typed[id] - 1, code);
        this.#typed[id] = code + 1;
      }
      if (columns.exact !== null && code !== valueTypeCode.double && code !== valueTypeCode.boolean) {
        const { exact } = columns;
        while (exactAt < exact.row.length && exact.row[exactAt] < i) exactAt++;
        if (exact.row[exactAt] === i) {
          const held = exact.value[exactAt];
          // Bytes are a view into the whole batch; a copy keeps only what is needed.
          this.#exact.set(id, held instanceof Uint8Array ? held.slice() : held);
        }
      }
    }
  }

  /** For the snapshot: plain arrays up to `bound`, exact values apart. */
  snapshot(bound: number): { arrays: Record<keyof Arrays, ArrayBufferView>; exact: Map<number, ExactValue> } {
    this.#reserve(bound);
    const a = this.#a;
    return {
      arrays: {
        time: a.time.subarray(0, bound),
        value: a.value.subarray(0, bound),
        received: a.received.subarray(0, bound),
        lsn: a.lsn.subarray(0, bound),
        status: a.status.subarray(0, bound),
        ordinal: a.ordinal.subarray(0, bound),
        type: a.type.subarray(0, bound),
      },
      exact: this.#exact,
    };
  }

  restore(from: Arrays, exact: Map<number, ExactValue>): void {
    this.#reserve(from.time.length);
    for (const key of Object.keys(from) as (keyof Arrays)[]) this.#a[key].set(from[key]);
    this.#exact = exact;
    for (let id = 0; id < from.type.length; id++)
      this.#typed[id] = from.lsn[id] === 0 || from.type[id] === valueTypeCode.null ? 0 : from.type[id] + 1;
  }

  #one(tag: number): LastValue {
    const a = this.#a;
    if (tag >= a.time.length || a.lsn[tag] === 0) {
      return { tag, time: null, value: null, type: "null", status: 0, receivedTime: null, lsn: null };
    }
    const code = a.type[tag];
    const plain =
      code === valueTypeCode.boolean ? a.value[tag] !== 0 : code === valueTypeCode.null ? null : a.value[tag];
    return {
      tag,
      time: a.time[tag],
      value: valueToJson(this.#exact.get(tag) ?? plain),
      type: valueTypes[code],
      status: a.status[tag],
      receivedTime: a.received[tag],
      lsn: a.lsn[tag],
    };
  }

  #reserve(bound: number): void {
    if (bound <= this.#a.time.length) return;
    const grown = arrays(Math.max(bound, this.#a.time.length * 2));
    for (const key of Object.keys(grown) as (keyof Arrays)[]) grown[key].set(this.#a[key]);
    this.#a = grown;
    const typed = new Uint8Array(grown.type.length);
    typed.set(this.#typed);
    this.#typed = typed;
  }
}

function arrays(n: number): Arrays {
  return {
    time: new Float64Array(n).fill(-Infinity),
    value: new Float64Array(n),
    received: new Float64Array(n),
    lsn: new Float64Array(n),
    status: new Uint32Array(n),
    ordinal: new Uint16Array(n),
    type: new Uint8Array(n),
  };
}
