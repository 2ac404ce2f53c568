import type { Value } from "@lineshaft/contract/api";
import type { Signal } from "../plant/index.ts";
import { machineOf } from "../plant/wiring.ts";
import type { PlantRow } from "./end.ts";
import { type DataType, dataType, type Metric } from "./sparkplug-payload.ts";

interface Point {
  name: string;
  alias: number;
  type: DataType;
  unit: string | null;
  timeMs: number;
  value: Value;
}

/** What one machine has to tell: its metrics with their aliases, their last values, and what could not be told yet. */
export class SparkplugDevice {
  readonly name: string;
  /** False while the edge node cannot reach the machine. */
  reachable = true;
  /** Oldest first. */
  readonly stored: Metric[] = [];
  readonly #points = new Map<string, Point>();

  /** Aliases are unique in the whole edge node, not only in a device (Sparkplug 3.0, tck-id-payloads-alias-uniqueness): so they come from outside. */
  constructor(name: string, signals: readonly Signal[], nextAlias: () => number) {
    this.name = name;
    for (const signal of signals)
      this.#points.set(signal.address, {
        name: metricName(signal),
        alias: nextAlias(),
        type: typeOf(signal),
        unit: signal.unit,
        timeMs: 0,
        value: null,
      });
  }

  /** Every metric with its current value, name, alias and type (tck-id-operational-behavior-data-publish-dbirth, tck-id-payloads-alias-birth-requirement). */
  birthMetrics(): Metric[] {
    return [...this.#points.values()].map((point) => ({ ...point, tellType: true }));
  }

  /** What changed, in order of time: data are published by exception (tck-id-operational-behavior-data-publish-dbirth-change). */
  changes(rows: readonly PlantRow[]): Metric[] {
    const changed: Metric[] = [];
    for (const { signal, timeUs, value } of rows) {
      const point = this.#points.get(signal.address);
      if (point === undefined || point.value === value) continue;
      point.value = value;
      point.timeMs = Math.floor(timeUs / 1000);
      changed.push({ alias: point.alias, timeMs: point.timeMs, type: point.type, tellType: false, value });
    }
    return changed;
  }
}

function metricName({ address }: Signal): string {
  return address.slice(machineOf({ address }).length + 1).replaceAll(".", "/");
}

function typeOf({ type, address }: Signal): DataType {
  if (type === "boolean") return dataType.boolean;
  if (type === "string") return dataType.string;
  if (type === "double") return dataType.double;
  // PackML numbers its states as Int32.
  return address.endsWith(".StateCurrent") ? dataType.int32 : dataType.int64;
}
