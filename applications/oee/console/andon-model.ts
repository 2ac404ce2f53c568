import type { Equipment, Micros, Reason } from "@lineshaft/contract/api";
import { type StateClass, stateStyles } from "@lineshaft/ui/kit";
import { type Tile, tileOf } from "./overview-model.ts";
import type { MachineNow } from "./source.ts";

export interface Board {
  tiles: Tile[];
  reasons: ReadonlyMap<number, Reason>;
  shift: MachineNow["shift"];
  /** Good pieces of the shift, and how many are due by now; null: no ideal cycle, or no shift. */
  actual: number | null;
  due: number | null;
}

/** What a board shows of a machine, or of the machines of a line. What a line makes is what `output` makes. */
export function boardOf(
  machines: readonly Equipment[],
  now: readonly MachineNow[],
  output: number,
  nowUs: Micros,
): Board {
  const last = now[machines.findIndex(({ id }) => id === output)] as MachineNow | undefined;
  return {
    tiles: now.map((one, i) => tileOf(machines[i], one, nowUs)),
    reasons: last?.data.reasons ?? new Map(),
    shift: now.find(({ shift }) => shift !== null)?.shift ?? null,
    ...(last === undefined ? { actual: null, due: null } : progressOf(last)),
  };
}

/** Good pieces against what the planned time of the shift so far, as far as its state is known, would have given at the ideal cycle. */
export function progressOf({ data, shift }: MachineNow): { actual: number | null; due: number | null } {
  if (shift === null) return { actual: null, due: null };
  let actual = 0;
  let due: number | null = null;
  for (const cell of data.cells.cells) {
    if (cell.shift !== shift.id) continue;
    for (const { gq } of Object.values(cell.quantities)) actual += gq;
    const { apt, aust, adet, adot } = cell.timeUs;
    if (cell.priUs !== null && cell.priUs > 0) due = (due ?? 0) + (apt + aust + adet + adot) / cell.priUs;
  }
  return { actual, due };
}

/** The state that a whole line is told by: its worst, apart from what is unknown beside something that is known. */
export function worstOf(tiles: readonly Tile[]): StateClass {
  const known = tiles.filter(({ state }) => state !== "unknown");
  const from = known.length > 0 ? known : tiles;
  return from.reduce<StateClass>(
    (worst, { state }) => (stateStyles[state].severity > stateStyles[worst].severity ? state : worst),
    from[0]?.state ?? "unknown",
  );
}
