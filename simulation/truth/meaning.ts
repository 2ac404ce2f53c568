import type { KnownCount, KnownState, Span } from "./known.ts";
import type { Plan } from "./plan.ts";

/** Reasons of the starting vocabulary whose time is planned: break, no shift, preventive maintenance. */
export const plannedCauses = new Set([6_200_000, 6_300_000, 7_400_000]);

export const vectors: Record<Plan["counters"], Partial<Record<KnownCount["name"], readonly number[]>>> = {
  sum: { good: [1, 1, 0, 0], scrap: [1, 0, 1, 0], rework: [1, 0, 0, 1] },
  totalAndScrap: { total: [1, 1, 0, 0], scrap: [0, -1, 1, 0], rework: [0, -1, 0, 1] },
  totalAndGood: { total: [1, 0, 1, 0], good: [0, 1, -1, 0], rework: [0, 0, -1, 1] },
};

export function makes(state: KnownState | null): boolean {
  if (state?.itemState !== "Executing") return false;
  return state.operationMode !== "Setup" && state.operationMode !== "Maintenance";
}

/** When the machine made something, one and the same state after another. */
export function runsOf(states: readonly KnownState[]): Span[] {
  const runs: KnownState[] = [];
  for (const state of states.filter(makes)) {
    const last = runs.at(-1);
    if (last?.toUs === state.fromUs && last.cause === state.cause && last.operationMode === state.operationMode)
      last.toUs = state.toUs;
    else runs.push({ ...state });
  }
  return runs;
}

/** Runs of known states in which nothing is made, whatever order or shift there is. */
export function stopsOf(states: readonly KnownState[]): Span[] {
  const stops: Span[] = [];
  for (const state of states) {
    if (state.itemState === null || makes(state)) continue;
    const last = stops.at(-1);
    if (last?.toUs === state.fromUs) last.toUs = state.toUs;
    else stops.push({ fromUs: state.fromUs, toUs: state.toUs });
  }
  return stops;
}
