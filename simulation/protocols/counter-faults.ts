import type { Value } from "@lineshaft/contract/api";
import { machineOf } from "../plant/wiring.ts";

export type CounterFault = "counterReset" | "counterRollover";

interface Shift {
  /** What is taken off. */
  offset: number;
  /** The count that is shown as 0 again; null: it does not roll over. */
  limit: number | null;
  done: Set<number>;
}

/**
 * Counters that begin again: by a reset, which shows 0 at the next count, or by a roll-over, which does so within ten counts. From then on a counter goes on
 * where that left it, until it begins anew by itself.
 */
export class CounterFaults {
  /** By machine, in the order in which they were given. */
  readonly #orders = new Map<string, CounterFault[]>();
  readonly #shifts = new Map<string, Shift>();

  get idle(): boolean {
    return this.#orders.size === 0;
  }

  order(machine: string, kind: CounterFault): void {
    this.#orders.set(machine, [...(this.#orders.get(machine) ?? []), kind]);
  }

  /** What the counter at this address shows when it has counted to `value`. */
  shown(address: string, value: Value): Value {
    const orders = this.#orders.get(machineOf({ address }));
    if (orders === undefined || typeof value !== "number") return value;
    let shift = this.#shifts.get(address);
    // It began anew by itself: what was taken off is gone with it.
    if (shift === undefined || value < shift.offset) {
      shift = { offset: 0, limit: null, done: shift?.done ?? new Set() };
      this.#shifts.set(address, shift);
    }
    for (const [i, kind] of orders.entries()) {
      if (shift.done.has(i)) continue;
      shift.done.add(i);
      if (kind === "counterReset") shift.offset = value;
      else shift.limit = limitAbove(value - shift.offset);
    }
    if (shift.limit !== null && value - shift.offset >= shift.limit) {
      shift.offset += shift.limit;
      shift.limit = null;
    }
    return value - shift.offset;
  }
}

/** The next round number: soon reached, and still seen to be the counter's end. */
export function limitAbove(count: number): number {
  return (Math.floor(count / 10) + 1) * 10;
}
