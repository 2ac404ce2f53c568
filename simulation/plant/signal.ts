import type { ColumnsBuilder, Micros, Value } from "@lineshaft/contract/api";

/** When a signal is sent: at each scan in which it changed, at a fixed rate, or at a fixed rate but only if it changed. */
export type Sampling = "change" | "5Hz" | "1Hz" | "1HzChange" | "5sChange" | "10sChange" | "10s";

/** Seconds between two looks, and whether only a change is sent. */
const rates: Partial<Record<Sampling, { seconds: number; changes: boolean }>> = {
  "1Hz": { seconds: 1, changes: false },
  "1HzChange": { seconds: 1, changes: true },
  "5sChange": { seconds: 5, changes: true },
  "10sChange": { seconds: 10, changes: true },
  "10s": { seconds: 10, changes: false },
};

/** One tag as the controller offers it, and where it belongs in the plant. */
export interface Signal {
  address: string;
  /** A name for people. */
  name: string;
  /** Names from the site down to the equipment it describes. */
  equipment: readonly string[];
  /** UCUM code; null: a number without unit, or no number. */
  unit: string | null;
  sampling: Sampling;
  type: "double" | "int64" | "boolean" | "string";
}

/** Is it a counter? They begin at 0 with each shift and only grow. */
export function isCounter(address: string): boolean {
  return /(Count|CasesPacked)$/.test(address);
}

/** Scans in one second; states and fast analogs are read at each. */
export const scansPerSecond = 5;

/**
 * The controller's side of the wire: holds the current values and writes rows for those that are due. All rows of one scan carry one time.
 */
export class SignalTable {
  readonly signals: Signal[] = [];
  #value: Value[] = [];
  #sent: (Value | undefined)[] = [];

  define(signal: Signal, initial: Value): number {
    this.signals.push(signal);
    this.#value.push(initial);
    this.#sent.push(undefined);
    return this.signals.length - 1;
  }

  set(index: number, value: Value): void {
    this.#value[index] = value;
  }

  /** Everything is due at the next scan, as after a new connection: receivers must not guess what did not change. */
  forget(): void {
    this.#sent.fill(undefined);
  }

  /** Writes the rows of one scan to `rows`; `scan` is its number since 1970. */
  scan(timeUs: Micros, scan: number, rows: ColumnsBuilder): void {
    for (let i = 0; i < this.signals.length; i++) {
      const { sampling, type } = this.signals[i];
      const value = this.#value[i];
      const changed = value !== this.#sent[i];
      const rate = rates[sampling];
      const due =
        this.#sent[i] === undefined ||
        sampling === "5Hz" ||
        (rate === undefined ? changed : (changed || !rate.changes) && scan % (rate.seconds * scansPerSecond) === 0);
      if (!due) continue;
      rows.add(i, timeUs, value, 0, 0, type === "int64" ? "int64" : undefined);
      this.#sent[i] = value;
    }
  }
}

/** Rounds to the resolution of a transmitter, without binary dust: 21.3, not 21.300000000000004. */
export function resolve(value: number, resolution: 0.1 | 0.01 | 1): number {
  if (resolution === 1) return Math.round(value);
  return resolution === 0.1 ? Math.round(value * 10) / 10 : Math.round(value * 100) / 100;
}

/** First-order lag: what a temperature or a drive does on its way to a set point. */
export function approach(current: number, target: number, dtSeconds: number, timeConstantSeconds: number): number {
  return target + (current - target) * Math.exp(-dtSeconds / timeConstantSeconds);
}
