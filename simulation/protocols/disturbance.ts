import { type Columns, ColumnsBuilder, secondUs, type Value, valueAt, valueTypeAt } from "@lineshaft/contract/api";
import { machineOf } from "../plant/wiring.ts";
import type { ValueFault } from "./end.ts";

/** How far a skewed controller's clock is ahead. */
export const skewUs = 60 * secondUs;

/** Faults in values, the same for every protocol: a sensor that shows the same for ever, a clock that is wrong. Which are on is a matter of true time. */
export class Disturbances {
  readonly #nowMs: () => number;
  readonly #until = new Map<string, number>();
  /** What a frozen signal shows, by address. */
  readonly #frozen = new Map<string, Value>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  begin(machine: string, kind: ValueFault, ms: number): void {
    this.#until.set(`${kind} ${machine}`, this.#nowMs() + ms);
    if (kind === "freeze")
      for (const address of this.#frozen.keys()) if (machineOf({ address }) === machine) this.#frozen.delete(address);
  }

  /** The columns as they leave the controllers; the very same object when nothing is wrong. */
  apply(columns: Columns, signals: readonly { address: string }[]): Columns {
    const now = this.#nowMs();
    for (const [key, until] of this.#until) if (until <= now) this.#until.delete(key);
    if (this.#until.size === 0) {
      this.#frozen.clear();
      return columns;
    }
    const rows = new ColumnsBuilder(columns.rows);
    for (let i = 0; i < columns.rows; i++) {
      const { address } = signals[columns.tag[i]];
      const machine = machineOf({ address });
      const time = columns.time[i] + (this.#until.has(`skew ${machine}`) ? skewUs : 0);
      let value = valueAt(columns, i);
      if (this.#until.has(`freeze ${machine}`)) {
        if (!this.#frozen.has(address)) this.#frozen.set(address, value);
        value = this.#frozen.get(address) ?? value;
      } else this.#frozen.delete(address);
      rows.add(columns.tag[i], time, value, 0, 0, valueTypeAt(columns, i) === "int64" ? "int64" : undefined);
    }
    return rows.build();
  }
}
