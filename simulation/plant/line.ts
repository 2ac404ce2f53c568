import type { ItemState, OperationMode } from "@lineshaft/contract/api";
import { Random } from "./random.ts";
import type { Signal, SignalTable } from "./signal.ts";
import type { MachineTruth } from "./truth.ts";

/** A machine as it really is in a scan. Counts are of the shift. */
export interface Look {
  machine: string;
  itemState: ItemState;
  operationMode: OperationMode;
  text: string;
  /** The number of its alarm; 0: none. */
  alarm: number;
  produced: number;
  scrapped: number;
  order: string;
  material: string;
  ordered: number;
}

/** A line in motion during one shift. Deterministic: all chance comes from the `Random` it was made with. */
export interface LineModel {
  /** One scan later. */
  step(dtSeconds: number): void;
  /** What really happens: a model that plays a shift from event to event knows all of it; one that goes from scan to scan is looked at. */
  readonly truth: { whole: ReadonlyMap<string, MachineTruth> } | { look(): readonly Look[] };
}

/** A kind of line: its name as a connection, and how it begins a shift. */
export interface LineKind {
  /** The name of its connection to the platform. */
  connection: string;
  begin(random: Random, table: SignalTable, shift: number): LineModel;
}

/** The model of a shift: the same for whoever plays it with this seed. */
export function beginShift(kind: LineKind, seed: number, shift: number, table: SignalTable): LineModel {
  return kind.begin(new Random(`${seed}/${kind.connection}/${shift}`), table, shift);
}

/** Defines the signals of one machine: `define(name, address, unit, sampling, initial)`. */
export function definer(table: SignalTable, equipment: readonly string[], prefix: string) {
  return {
    number: (name: string, address: string, unit: string | null, sampling: Signal["sampling"], initial: number) =>
      table.define({ address: `${prefix}.${address}`, name, equipment, unit, sampling, type: "double" }, initial),
    integer: (name: string, address: string, sampling: Signal["sampling"], initial: number | bigint) =>
      table.define({ address: `${prefix}.${address}`, name, equipment, unit: null, sampling, type: "int64" }, initial),
    text: (name: string, address: string, initial: string) =>
      table.define(
        { address: `${prefix}.${address}`, name, equipment, unit: null, sampling: "change", type: "string" },
        initial,
      ),
    boolean: (name: string, address: string, initial: boolean) =>
      table.define(
        { address: `${prefix}.${address}`, name, equipment, unit: null, sampling: "change", type: "boolean" },
        initial,
      ),
  };
}

/** A job order as it stands on a machine's screen, and one shift's next. */
export function orderNumber(prefix: string, shift: number, position: number): string {
  // Leading zeros on purpose: an identifier is text, and a platform that makes it a number has lost it.
  return `${prefix}${String((shift * 16 + position) % 10_000_000).padStart(10, "0")}`;
}
