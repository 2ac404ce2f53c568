import { type Columns, type Micros, selectRows } from "@lineshaft/contract/api";
import type { Clock, GapRecord, Lsn, Registry } from "@lineshaft/contract/ports";
import type { FactsCheckpoint, FactsStore } from "./checkpoint.ts";
import type { GapLedger } from "./gaps.ts";
import type { RecordedPoints } from "./history-inputs.ts";
import { type SilenceStatement, silenceReason } from "./proof-of-life.ts";
import type { Tell } from "./tellers.ts";

/** What is known of lost data. */
export type KnownGap = Pick<GapRecord, "connectionId" | "fromUs" | "toUs" | "reason">;

/** What orders and ideal cycles say of machines. */
export interface CyclesOfMachines {
  idealCycles(equipmentId: number): { from: readonly Micros[]; us: readonly number[] };
  /** Takes a change of master data in and tells the equipment whose ideal cycles may be others now. */
  changed(after: Record<string, unknown>): readonly number[];
  /** Stops are micro stops below this at most. */
  readonly microStopUs: Micros;
}

export interface FollowerParts {
  history: RecordedPoints;
  registry: Pick<Registry, "standardBindings">;
  clock: Clock;
  /** Resolves when the registry has applied the log so far. */
  registryApplied: (lsn: Lsn) => Promise<void>;
  /** What is known of lost data from before the log that is followed. */
  gaps: readonly KnownGap[];
  /** When connections were last heard before it. */
  heard: readonly { connectionId: number; lastUs: Micros }[];
  machines: CyclesOfMachines;
  /** When a connection last showed that it lives, data aside; null: nobody can tell. */
  aliveUs: (connectionId: number) => Micros | null;
  /** Writes a gap of silence into the log. */
  silence: (statement: SilenceStatement) => void;
  /** null: nobody wants to know. */
  tell: Tell | null;
  /** Where facts are kept over a restart; null: they are derived again. */
  store: FactsStore | null;
  /** What was kept; null: nothing, or it cannot be used. */
  checkpoint: FactsCheckpoint | null;
  saveEveryMs: number;
  /** A save is due: `save` does it and tells the position in the log from which a start goes on. */
  saved: (save: () => Promise<Lsn>) => Promise<void>;
}

/** Connections whose lasting gap is one of silence. */
export function silentBy(gaps: readonly KnownGap[], ledger: GapLedger): number[] {
  const silent = gaps.flatMap(({ connectionId, reason }) => (reason === silenceReason ? (connectionId ?? []) : []));
  return [...new Set(silent)].filter((connection) => ledger.lostFrom(connection) !== null);
}

/** The other rows. */
export function without(columns: Columns, rows: ReadonlySet<number>): Columns {
  const kept = Array.from({ length: columns.rows }, (_, i) => i).filter((i) => !rows.has(i));
  return selectRows(columns, kept);
}
