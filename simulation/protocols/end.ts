import type { Micros, Value } from "@lineshaft/contract/api";
import type { Signal } from "../plant/index.ts";

/** One value as a machine's controller has it. */
export interface PlantRow {
  signal: Signal;
  timeUs: Micros;
  value: Value;
}

/** What can go wrong between a machine and whoever listens. */
export const connectionFaults = ["cut", "duplicate", "rebirth", "restart"] as const;
export type ConnectionFault = (typeof connectionFaults)[number];

/** What can be wrong with the values themselves, whatever carries them. */
export const valueFaults = ["freeze", "skew"] as const;
export type ValueFault = (typeof valueFaults)[number];

/** The plant's end of one protocol: rows of the model go in, the protocol comes out. Where nobody listens it buffers or forgets, as such devices do. */
export interface ProtocolEnd {
  /** Rows in order of time. Never waits. */
  accept(rows: readonly PlantRow[]): void;
  /** Begins a fault that lasts `ms`. The answer names who is hit, which may be more than the machine; null: this protocol knows no such fault. */
  fault(machine: string, kind: ConnectionFault, ms: number): readonly string[] | null;
  /** Takes leave as the protocol asks for, and leaves no socket and no timer behind. */
  close(): Promise<void>;
}

export interface Waiting {
  /** Resolves early when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls after `ms` unless it is cancelled. */
  alarm(ms: number, ring: () => void): { cancel(): void };
}
