import { ProblemError } from "@lineshaft/contract/api";
import type { Journal } from "../registry/journal.ts";
import type { OwnedDatabase } from "../sqlite/open.ts";

/** Thrown to take a transaction back that has said what it would do. */
const undone = new Error("Taken back on purpose.");

export interface Judged {
  faults: { index: number; problem: ProblemError }[];
  /** The last that was written; null: nothing was kept. */
  revision: number | null;
}

/**
 * Many entries in one transaction: all of them, or with any fault none. `work` gets a way to go through them that notes the faults of each and goes on, and answers the last revision. `dryRun` judges and
 * keeps nothing.
 */
export function allOrNothing<E>(
  { db, journal }: { db: OwnedDatabase; journal: Journal },
  entries: readonly E[],
  dryRun: boolean,
  work: (each: (one: (entry: E) => void, order?: readonly number[]) => void, faults: Judged["faults"]) => number | null,
): Judged {
  const faults: Judged["faults"] = [];
  let revision: number | null = null;
  const each = (one: (entry: E) => void, order: readonly number[] = [...entries.keys()]): void => {
    for (const index of order)
      try {
        one(entries[index]);
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        faults.push({ index, problem: error });
      }
  };
  try {
    db.write(() =>
      journal.together(() => {
        revision = work(each, faults);
        if (faults.length > 0 || dryRun) throw undone;
      }),
    );
  } catch (error) {
    if (error !== undone) throw error;
    return { faults, revision: null };
  }
  return { faults, revision };
}
