import { type Columns, type Micros, secondUs, type Value, valueAt } from "@lineshaft/contract/api";

/** What one connection did within one window of source time. */
export interface Findings {
  /** Points in the window. */
  points: number;
  /** Tags with at least one point in the window. */
  activeTags: number;
  /** Tags that had a point in the look-back before the window and none within it. */
  fellSilent: number;
  /** How often a value differed from the one before it. */
  changes: number;
  /** Longest time between two neighbouring points of a tag, the later one in the window, s; null: no such pair. */
  longestGapSeconds: number | null;
}

/**
 * Findings of the window that begins at `startUs`, from the points of the look-back and the window, sorted by (tag, time, ordinal) as history
 * gives them, in any portions. A pure function: the same points give the same findings, whenever and however they came.
 */
export function findingsOf(portions: Iterable<Columns>, startUs: Micros): Findings {
  const findings: Findings = { points: 0, activeTags: 0, fellSilent: 0, changes: 0, longestGapSeconds: null };
  let tag = 0;
  let before: { time: Micros; value: Value } | null = null;
  let within = 0;
  const finishTag = (): void => {
    if (within > 0) findings.activeTags++;
    else if (before !== null) findings.fellSilent++;
  };
  for (const columns of portions) {
    for (let row = 0; row < columns.rows; row++) {
      if (columns.tag[row] !== tag) {
        finishTag();
        tag = columns.tag[row];
        before = null;
        within = 0;
      }
      const time = columns.time[row];
      const value = valueAt(columns, row);
      if (time >= startUs) {
        within++;
        findings.points++;
        if (before !== null) {
          if (!sameValue(before.value, value)) findings.changes++;
          findings.longestGapSeconds = Math.max(findings.longestGapSeconds ?? 0, (time - before.time) / secondUs);
        }
      }
      before = { time, value };
    }
  }
  finishTag();
  return findings;
}

function sameValue(a: Value, b: Value): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array)
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
  return Object.is(a, b);
}
