import type { Micros } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";
import type { BindingSpec } from "./binding.ts";
import type { GapLedger } from "./gaps.ts";
import {
  gapsOf,
  type Input,
  type InputColumns,
  type InputSource,
  inputColumns,
  inputKind,
  inputOrder,
} from "./inputs.ts";

/** One row of a raw tag, as it came in. */
export interface InputRow {
  tag: number;
  t: Micros;
  ordinal: number;
  value: number;
  bad: boolean;
  /** Of a correction, where the source numbers them. */
  revision: number | null;
  lsn: Lsn;
}

interface Kept {
  t: Micros;
  ordinal: number;
  value: number;
  bad: boolean;
  revision: number;
  lsn: Lsn;
}

/**
 * All inputs in memory, as a set: identity is (tag, time, ordinal), and in whatever order rows arrive the set is the same. Of several values of one identity the
 * greatest revision of the source counts, without one the greatest LSN.
 */
export class MemoryInputs implements InputSource {
  readonly gaps: GapLedger;
  readonly #rows = new Map<number, Kept[]>();
  readonly #specs = new Map<number, BindingSpec>();

  constructor(gaps: GapLedger) {
    this.gaps = gaps;
  }

  know(spec: BindingSpec): void {
    this.#specs.set(spec.id, spec);
  }

  put({ tag, t, ordinal, value, bad, revision, lsn }: InputRow): "new" | "correction" | "nothing" {
    const row: Kept = { t, ordinal, value, bad, revision: revision ?? 0, lsn };
    const rows = this.#rows.get(tag) ?? [];
    this.#rows.set(tag, rows);
    let at = rows.length;
    while (at > 0 && (rows[at - 1].t > t || (rows[at - 1].t === t && rows[at - 1].ordinal > ordinal))) at--;
    const same = at > 0 && rows[at - 1].t === t && rows[at - 1].ordinal === ordinal ? rows[at - 1] : null;
    if (same === null) {
      rows.splice(at, 0, row);
      return "new";
    }
    if (row.revision < same.revision || (row.revision === same.revision && row.lsn < same.lsn)) return "nothing";
    rows[at - 1] = row;
    return same.value === value && same.bad === bad ? "nothing" : "correction";
  }

  read(binding: number, from: Micros, to: Micros): InputColumns {
    const spec = this.#spec(binding);
    const inputs: Input[] = [];
    for (const [channel, { tag }] of spec.channels.entries()) {
      const rows = this.#rows.get(tag) ?? [];
      for (let i = firstFrom(rows, from); i < rows.length && rows[i].t < to; i++) {
        const { t, value, bad, ordinal } = rows[i];
        inputs.push({ t, value, kind: bad ? inputKind.bad : inputKind.point, channel, ordinal });
      }
    }
    inputs.push(...this.#gapsOf(spec).filter(({ t }) => t >= from && t < to));
    return inputColumns(inputs.sort(inputOrder));
  }

  next(binding: number, from: Micros): Micros {
    const spec = this.#spec(binding);
    let first = Number.POSITIVE_INFINITY;
    for (const { tag } of spec.channels) {
      const rows = this.#rows.get(tag) ?? [];
      first = Math.min(first, rows[firstFrom(rows, from)]?.t ?? Number.POSITIVE_INFINITY);
    }
    for (const { t } of this.#gapsOf(spec)) if (t >= from) first = Math.min(first, t);
    return first;
  }

  #spec(binding: number): BindingSpec {
    const spec = this.#specs.get(binding);
    if (spec === undefined) throw new Error(`There is no binding ${binding}.`);
    return spec;
  }

  #gapsOf(spec: BindingSpec): Input[] {
    return gapsOf(spec, (connection) => this.gaps.intervals(connection));
  }
}

function firstFrom(rows: readonly Kept[], from: Micros): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle].t < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
