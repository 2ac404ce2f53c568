import type { FactsChangedData } from "@lineshaft/contract/api";

/** The part of an event that is of such equipment; the same object when that is all of it, null when nothing is. */
export function factsWithin(data: FactsChangedData, sees: (equipmentId: number) => boolean): FactsChangedData | null {
  const ranges = data.ranges.filter(({ equipmentId }) => sees(equipmentId));
  if (ranges.length === data.ranges.length) return data;
  if (ranges.length === 0) return null;
  const { states, counts, alarms, identifiers } = data;
  return {
    ranges,
    states: rowsOf(states, sees),
    counts: rowsOf(counts, sees),
    alarms: rowsOf(alarms, sees),
    identifiers: rowsOf(identifiers, sees),
  };
}

function rowsOf<T extends { equipmentId: number[] }>(columns: T, sees: (equipmentId: number) => boolean): T {
  const kept = columns.equipmentId.flatMap((id, i) => (sees(id) ? [i] : []));
  const entries = Object.entries(columns as Record<string, unknown[]>);
  return Object.fromEntries(entries.map(([name, column]) => [name, kept.map((i) => column[i])])) as T;
}
