// Hot path: from a decoded message to rows of the batch.
import { type Micros, statusBadNoCommunication, statusGood } from "@lineshaft/contract/api";
import type { Batcher } from "../../kit/mqtt/batcher.ts";
import { unitOf } from "./birth.ts";
import { dataType, dataTypeNames, valueField } from "./data-type.ts";
import type { Effect } from "./machine.ts";
import { type MetricEntry, newEntry } from "./node.ts";
import { type MetricColumns, metricFlag, type SparkplugPayload, type Template } from "./payload.ts";
import { type ReadValue, readValue } from "./value.ts";

/** OPC UA Part 4: the value does not have the type that was declared; bad without a closer reason. */
export const statusBadTypeMismatch = 0x80740000;
export const statusBad = 0x80000000;
/** Beyond it no date exists (ECMAScript, and the clock bounds of any plant). */
const timeMsMax = 8_640_000_000_000_000 / 1000;

export interface RowCounts {
  rows: number;
  transient: number;
  historical: number;
  unfit: number;
  unknown: number;
}

export class RowWriter {
  readonly counts: RowCounts = { rows: 0, transient: 0, historical: 0, unfit: 0, unknown: 0 };
  readonly #batcher: Batcher;
  /** Only these addresses; null: everything. */
  readonly #only: ReadonlySet<string> | null;
  readonly #value: ReadValue = { value: null, integer: false, fault: null };
  /** When the session began that the message begins; NaN: it begins none. */
  #bornMs = NaN;

  constructor(batcher: Batcher, only: ReadonlySet<string> | null) {
    this.#batcher = batcher;
    this.#only = only;
  }

  write(effect: Extract<Effect, { kind: "values" }>, payload: SparkplugPayload): void {
    const { metrics } = payload;
    const { entries, birth, begins } = effect;
    this.#bornMs = begins ? payload.timeMs : NaN;
    for (let row = 0; row < metrics.count; row++) {
      const entry = entries[row];
      if (entry !== null) {
        this.#row(entry, metrics, row, payload.timeMs, birth);
      } else if (!birth) {
        this.counts.unknown++;
        const name = metrics.name[row] ?? `alias ${metrics.alias[row]}`;
        const detail = `The birth certificate of ${effect.node.group}/${effect.node.node} does not hold ${name.slice(0, 200)}.`;
        this.#batcher.fault(null, null, name, "spb_alias_unknown", detail);
      }
    }
  }

  #row(entry: MetricEntry, metrics: MetricColumns, row: number, payloadMs: number, birth: boolean): void {
    const flags = metrics.flags[row];
    // 6.4.6: what is transient must not get into a history, and everything here does.
    if ((flags & metricFlag.transient) !== 0) {
      this.counts.transient++;
      return;
    }
    const type = entry.type === dataType.unknown ? metrics.type[row] : entry.type;
    const own = metrics.timeMs[row];
    const timeMs = Number.isNaN(own) ? payloadMs : own;
    const isNull = (flags & metricFlag.null) !== 0;
    if (metrics.field[row] === valueField.template && !isNull) {
      this.#template(entry, metrics.object[row] as Template, timeMs, birth);
      return;
    }
    if (this.#only !== null && !this.#only.has(entry.address)) return;
    const time = microsOf(timeMs);
    if (entry.ambiguous && !birth && metrics.name[row] === null) {
      const detail = `Alias ${metrics.alias[row]} belongs to more than one metric.`;
      this.#batcher.fault(null, null, null, "spb_alias_ambiguous", detail);
      return;
    }
    if (birth) this.#describe(entry, metrics, row, type);
    const historical = (flags & metricFlag.historical) !== 0;
    if (historical) this.counts.historical++;
    this.counts.rows++;
    const status = metrics.properties[row] === null ? statusGood : qualityOf(metrics, row);
    const read = this.#value;
    if (isNull || (birth && metrics.field[row] === valueField.none)) {
      read.value = null;
      read.integer = false;
      read.fault = null;
    } else {
      const { field, number, lo, hi, object } = metrics;
      readValue(read, type, field[row], number[row], lo[row], hi[row], object[row]);
    }
    const fits = read.fault === null;
    if (!fits) this.counts.unfit++;
    const value = fits ? read.value : null;
    const stored = fits ? status : statusBadTypeMismatch;
    this.#batcher.add(entry, time, value, stored, fits && read.integer);
    // A birth says what holds now, whenever it was measured: what was marked at the last death is over with it.
    if (historical || !(timeMs < this.#bornMs)) return;
    this.counts.rows++;
    this.#batcher.add(entry, microsOf(this.#bornMs), value, stored, fits && read.integer);
  }

  /** Each member of an instance is a tag of its own, below the instance's. */
  #template(entry: MetricEntry, template: Template, timeMs: number, birth: boolean): void {
    const { members } = template;
    entry.members ??= new Map();
    for (let row = 0; row < members.count; row++) {
      const name = members.name[row];
      if (name === null) continue;
      let member = entry.members.get(name);
      if (member === undefined) {
        member = newEntry(`${entry.address}/${name}`, members.type[row]);
        entry.members.set(name, member);
      } else if (birth) member.type = members.type[row];
      this.#row(member, members, row, timeMs, birth);
    }
  }

  #describe(entry: MetricEntry, metrics: MetricColumns, row: number, type: number): void {
    const unit = unitOf(metrics, row);
    const dataTypeName = dataTypeNames[type];
    this.#batcher.describe(entry, {
      ...(unit === null ? {} : { unit }),
      ...(dataTypeName === undefined ? {} : { dataType: dataTypeName }),
    });
  }
}

const microsOf = (timeMs: number): Micros => (timeMs <= timeMsMax ? timeMs * 1000 : NaN);

/** 6.4.11.1: property `Quality`: 0 bad, 192 good, 500 stale. */
function qualityOf(metrics: MetricColumns, row: number): number {
  const quality = metrics.properties[row]?.get("Quality")?.cell?.number;
  if (quality === undefined || quality === 192) return statusGood;
  return quality === 500 ? statusBadNoCommunication : statusBad;
}
