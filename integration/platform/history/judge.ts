import type { Lsn } from "@lineshaft/contract/ports";
import { compareBytes, flagCorrection } from "./rows.ts";

/** What judgement looks at in a row, stored or offered. */
export interface JudgedRow {
  ordinal: number;
  value: number;
  type: number;
  status: number;
  exact: Uint8Array | undefined;
}

export interface StoredRow extends JudgedRow {
  flag: number;
  /** 0: it came on time, before every correction of its instant. */
  lsn: Lsn;
}

export type Judgement = "new" | "repeat" | "correction";

/** Equal as a measurement: type, bits of the number (all NaN are one), exact value and status. A changed status is news. */
export function sameMeasurement(a: JudgedRow, b: JudgedRow): boolean {
  return (
    Object.is(a.value, b.value) && a.type === b.type && a.status === b.status && compareBytes(a.exact, b.exact) === 0
  );
}

/** Leaves out the rows that a correction of the same ordinal has replaced. The rows share one tag and instant. */
export function currentOf(stored: StoredRow[]): StoredRow[] {
  if (!stored.some((row) => row.flag & flagCorrection)) return stored;
  return stored.filter(
    (row) =>
      !stored.some((other) => other.flag & flagCorrection && other.ordinal === row.ordinal && other.lsn > row.lsn),
  );
}

/**
 * Judges the suspect rows that one batch has for one tag and instant against the rows that other batches stored there.
 *
 * Rows are a multiset: each stored row absorbs at most one row of the batch. The pairing prefers the equal ordinal and then takes
 * rows in their order, so the outcome depends on nothing but the two lists. In `correct` mode a row that found no equal replaces
 * the row of its ordinal, unless that one has just been confirmed by the same batch.
 */
export function judgeInstant(
  offered: readonly JudgedRow[],
  stored: readonly StoredRow[],
  mode: "append" | "correct",
): Judgement[] {
  const current = currentOf([...stored]).sort((a, b) => a.ordinal - b.ordinal);
  const verdicts: Judgement[] = offered.map(() => "new");
  const absorbed = new Set<StoredRow>();
  const pair = (accepts: (row: JudgedRow, candidate: StoredRow) => boolean, verdict: Judgement): void => {
    offered.forEach((row, i) => {
      if (verdicts[i] !== "new") return;
      const match = current.find((candidate) => !absorbed.has(candidate) && accepts(row, candidate));
      if (match === undefined) return;
      absorbed.add(match);
      verdicts[i] = verdict;
    });
  };
  pair((row, candidate) => row.ordinal === candidate.ordinal && sameMeasurement(row, candidate), "repeat");
  pair(sameMeasurement, "repeat");
  if (mode === "correct") pair((row, candidate) => row.ordinal === candidate.ordinal, "correction");
  return verdicts;
}
