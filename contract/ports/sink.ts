import type { Columns, Micros, ProblemCode, RowFault } from "../api/index.ts";
import type { Lsn } from "./log.ts";

/**
 * What a source offers: rows of one connection in source order. `columns.tag` indexes `names`, or holds raw tag ids when `names`
 * is null. Rows of one tag at one instant stand in one batch, or carry ordinals.
 */
export interface SourceBatch {
  connection: string;
  generation: number;
  /** null: the source has no sequence. */
  sequence: number | null;
  mode: "append" | "correct";
  sourceCursor: string | null;
  names: readonly string[] | null;
  /** The same list comes again with the next batches and is only appended to: what was looked up for it stays valid. */
  namesKept?: boolean;
  columns: Columns;
  /** True when the source gave ordinals itself; else they are counted here. */
  ordinalsGiven: boolean;
  /** Rows without a time of their own (NaN in `columns.time`) stand at receivedTime. */
  faults: RowFault[];
  /** The rows in `faults` as they came, for the rejected item. Same length as `faults`. */
  faultSamples: { tag: string | null; time: Micros | null; value: unknown }[];
}

export type Offer =
  | {
      kind: "durable";
      lsn: Lsn;
      offered: number;
      accepted: number;
      suspect: number;
      duplicates: number;
      rejected: number;
      faults: RowFault[];
    }
  | { kind: "rejected"; code: ProblemCode; detail: string; lsn: Lsn | null };

/**
 * Where sources put batches. `offer` resolves once the verdict is durable; several may be in flight within the credit, and verdicts come
 * in the order of the offers of one connection. Throws ProblemError (`disk_full`, `storage_unavailable`, `overloaded`, `quota_rate`) when nothing was taken.
 */
export interface Sink {
  offer(tenant: number, batch: SourceBatch): Promise<Offer>;
  /** What may still be in flight; 0 means wait for a verdict. */
  credit(): { rows: number; bytes: number };
  /** A message that could not be decoded at all: one rejected item. */
  reject(
    tenant: number,
    item: { connection: string | null; code: ProblemCode; detail: string; payload: Uint8Array | null; points: number },
  ): Promise<Lsn>;
  /** Data known to be lost. */
  gap(
    tenant: number,
    gap: { connection: string | null; fromUs: Micros; toUs: Micros | null; points: number | null; reason: string },
  ): Promise<Lsn>;
  /**
   * What a source says of the units of its tags, by name; names that have no tag are passed over. Told when it is new, not with every batch. Absent: nobody keeps it.
   */
  units?(tenant: number, connection: string, units: ReadonlyMap<string, string>): Promise<void>;
}
