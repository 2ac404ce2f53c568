// Hot path: the values of one poll as columns, those that shall be reported.
import {
  type Columns,
  type ExactColumn,
  type ExactValue,
  type StatusCode,
  valueTypeCode,
} from "@lineshaft/contract/api";
import type { ValueSink } from "./decode.ts";
import type { PulseCounter, PulseOptions } from "./pulse.ts";

/** How one tag is reported. */
export interface RowRule {
  /** Index into the names of the batch. */
  name: number;
  /** 0: each value; else only changes, and the unchanged value after this long. */
  heartbeatMs: number;
  count: PulseOptions | null;
}

/**
 * Collects the values of one poll and remembers what was reported last. Tags are counted from 0 within the group. The memory is of fixed size:
 * a few numbers a tag, and the texts that were reported last.
 */
export class PollRows implements ValueSink {
  readonly #rules: readonly RowRule[];
  readonly #heartbeatMs: Float64Array;
  readonly #counters: (PulseCounter | null)[] | null;
  readonly #lastValue: Float64Array;
  readonly #lastStatus: Uint32Array;
  readonly #lastType: Uint8Array;
  readonly #lastExact = new Map<number, ExactValue>();
  readonly #reportedMs: Float64Array;
  readonly #row: { tag: Int32Array; value: Float64Array; status: Uint32Array; type: Uint8Array };
  #exact: ExactColumn = { row: [], value: [] };
  #rows = 0;
  #anyBad = false;
  #nowMs = 0;

  /** `counters` outlive a session: what was counted stays. */
  constructor(rules: readonly RowRule[], counters: (rule: RowRule) => PulseCounter | null) {
    const n = rules.length;
    this.#rules = rules;
    this.#heartbeatMs = Float64Array.from(rules, (rule) => rule.heartbeatMs);
    this.#counters = rules.some((rule) => rule.count !== null) ? rules.map(counters) : null;
    this.#lastValue = new Float64Array(n);
    this.#lastStatus = new Uint32Array(n);
    this.#lastType = new Uint8Array(n);
    this.#reportedMs = new Float64Array(n).fill(-Infinity);
    this.#row = {
      tag: new Int32Array(n),
      value: new Float64Array(n),
      status: new Uint32Array(n),
      type: new Uint8Array(n),
    };
  }

  begin(nowMs: number): void {
    this.#rows = 0;
    this.#anyBad = false;
    this.#exact = { row: [], value: [] };
    this.#nowMs = nowMs;
  }

  number(tag: number, value: number, type: number): void {
    const counter = this.#counters === null ? null : this.#counters[tag];
    counter?.sample(value !== 0, this.#nowMs);
    if (counter === null) this.#report(tag, value, type, 0);
    else this.#report(tag, counter.count, valueTypeCode.int64, 0);
  }

  exact(tag: number, value: ExactValue, type: number): void {
    const changed = this.#lastExact.get(tag) !== value;
    if (changed) {
      this.#lastExact.set(tag, value);
      this.#reportedMs[tag] = -Infinity;
    }
    const rows = this.#rows;
    this.#report(tag, typeof value === "bigint" ? Number(value) : NaN, type, 0);
    if (this.#rows === rows) return;
    this.#exact.row.push(rows);
    this.#exact.value.push(value);
  }

  bad(tag: number, code: StatusCode): void {
    this.#report(tag, NaN, valueTypeCode.null, code);
  }

  #report(tag: number, value: number, type: number, code: StatusCode): void {
    const heartbeatMs = this.#heartbeatMs[tag];
    if (
      heartbeatMs !== 0 &&
      this.#nowMs - this.#reportedMs[tag] < heartbeatMs &&
      this.#lastStatus[tag] === code &&
      this.#lastType[tag] === type &&
      // Bit by bit: −0 is not 0, and NaN is NaN.
      Object.is(this.#lastValue[tag], value)
    )
      return;
    this.#reportedMs[tag] = this.#nowMs;
    this.#lastValue[tag] = value;
    this.#lastStatus[tag] = code;
    this.#lastType[tag] = type;
    const row = this.#rows++;
    this.#row.tag[row] = this.#rules[tag].name;
    this.#row.value[row] = value;
    this.#row.status[row] = code;
    this.#row.type[row] = type;
    if (code !== 0) this.#anyBad = true;
  }

  get rows(): number {
    return this.#rows;
  }

  /** The rows since `begin`, all at one instant, as columns of their own. */
  take(timeUs: number): Columns {
    const n = this.#rows;
    return {
      rows: n,
      tag: this.#row.tag.slice(0, n),
      time: new Float64Array(n).fill(timeUs),
      value: this.#row.value.slice(0, n),
      status: this.#anyBad ? this.#row.status.slice(0, n) : null,
      type: this.#row.type.slice(0, n),
      ordinal: null,
      originalTime: null,
      exact: this.#exact.row.length > 0 ? this.#exact : null,
    };
  }

  /** What was reported last did not arrive: everything is reported again. */
  forget(): void {
    this.#reportedMs.fill(-Infinity);
  }
}
