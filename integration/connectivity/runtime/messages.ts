import type { Micros, ProblemCode } from "@lineshaft/contract/api";
import type {
  BrowseItem,
  CheckStep,
  ConnectionFault,
  ConnectorBatch,
  Offer,
  TagBinding,
} from "@lineshaft/contract/ports";

/** What the main thread and the worker of the connectors say to each other. `key` is one live connector. */

export interface Credit {
  rows: number;
  bytes: number;
}

/** What a connector in the worker is made with. */
export interface Making {
  kind: string;
  config: unknown;
  stateDir: string;
  kindDir: string;
  secrets: Record<string, string>;
}

/** Calls on a connector: argument and answer; of `browse` and `check` the items, which come one by one. */
export interface Calls {
  open: [Making & { credit: Credit }, null];
  check: [Making, CheckStep];
  connect: [null, null];
  read: [{ bindings: readonly TagBinding[]; resumeFrom: string | null }, null];
  close: [null, null];
  diagnose: [null, Record<string, unknown>];
  browse: [{ address: string }, BrowseItem];
}
export type CallName = keyof Calls;
export type StreamName = "browse" | "check";

/** The batch without its columns: these travel as bytes, transferred. */
export type BatchHead = Omit<ConnectorBatch, "columns" | "names">;

/** What is new in a list of names that the connector keeps; `from` 0: it is another list than before. */
export interface KeptNames {
  from: number;
  names: string[];
}

/** What a connector asks of its sink. */
export interface Asks {
  offer: [{ head: BatchHead; columns: Uint8Array; kept?: KeptNames }, Offer];
  reject: [{ code: ProblemCode; detail: string; payload: Uint8Array | null }, null];
  gap: [{ fromUs: Micros; toUs: Micros | null; points: number | null; reason: string }, null];
  stale: [{ names: readonly string[] | "all"; status: number; atUs: Micros }, null];
}
export type AskName = keyof Asks;

export interface PlainError {
  message: string;
  /** Of a ConnectionError. */
  fault?: ConnectionFault;
  hint?: string;
  technical?: string;
}

export type ToWorker =
  | { call: number; key: number; name: CallName; argument: unknown }
  | { abort: number; message: string }
  | { answer: number; key: number; value: unknown; error?: PlainError; credit: Credit }
  | { credit: Credit; key: number }
  | { wire: boolean; key: number }
  | { nowUs: Micros };

export type FromWorker =
  | { done: number; value: unknown; error?: PlainError }
  /** One of several answers to a call. */
  | { item: number; value: unknown }
  | { ask: number; key: number; name: AskName; argument: unknown }
  | { key: number; log: { event: "info" | "warning"; text: string } }
  | { key: number; wire: { direction: "in" | "out"; bytes: Uint8Array; note?: string } }
  /** An uncaught exception; key 0: nobody knows whose. */
  | { crashed: number; message: string };

export interface WorkerData {
  /** URL of the module that exports `connectorKinds`. */
  kinds: string;
  nowUs: Micros;
  shared: SharedArrayBuffer;
}

/** Places in the shared memory: who is executing, the heartbeat, and whether a library is being loaded. */
export const place = { executing: 0, beats: 1, loading: 2 } as const;
export const beatMs = 200;
