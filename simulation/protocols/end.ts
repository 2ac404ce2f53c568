import type { Micros, Value } from "@lineshaft/contract/api";
import type { Signal } from "../plant/index.ts";
import type { Protocol } from "../plant/wiring.ts";

/** One value as a machine's controller has it. */
export interface PlantRow {
  signal: Signal;
  timeUs: Micros;
  value: Value;
}

/** What can go wrong with the values themselves, whatever carries them. */
export const valueFaults = [
  "freeze",
  "skew",
  "delay",
  "reorder",
  "burst",
  "counterReset",
  "counterRollover",
  "plcDownload",
] as const;
export type ValueFault = (typeof valueFaults)[number];

/** What can go wrong at all; the others concern the way between a machine and whoever listens. */
export const faultKinds = ["cut", "restart", "duplicate", "rebirth", "dropBirth", ...valueFaults] as const;
export type FaultKind = (typeof faultKinds)[number];

/** The plant's end of one protocol: rows of the model go in, the protocol comes out. Where nobody listens it buffers or forgets, as such devices do. */
export interface ProtocolEnd {
  readonly protocol: Protocol;
  /** The faults that make sense for this machine. */
  faultsOf(machine: string): readonly FaultKind[];
  /** Rows in order of time. Never waits. */
  accept(rows: readonly PlantRow[]): void;
  /**
   * Begins what such a fault, lasting `ms`, does here. The answer names who is hit, which may be more than the machine; null: nothing of its own, which leaves
   * it to the values.
   */
  fault(machine: string, kind: FaultKind, ms: number): readonly string[] | null;
  /** Takes leave as the protocol asks for, and leaves no socket and no timer behind. */
  close(): Promise<void>;
}

export interface Waiting {
  /** Resolves early when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls after `ms` unless it is cancelled. */
  alarm(ms: number, ring: () => void): { cancel(): void };
}
