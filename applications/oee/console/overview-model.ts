import type { Equipment, Micros } from "@lineshaft/contract/api";
import { itemAt, type StateClass, stateStyles } from "@lineshaft/ui/kit";
import { storyOf } from "./machine-chart.ts";
import { cellsTogether, type MachineNow, type Numbers, numbersByShift } from "./source.ts";

/** One machine as a tile says it. */
export interface Tile {
  equipment: Equipment;
  state: StateClass;
  reason: number;
  sinceUs: Micros | null;
  order: { order: string; material: string | null; made: number; quantity: number; unit: string } | null;
  numbers: Numbers | null;
  /** How old the newest proof of life is; null: nothing was ever heard. */
  ageUs: number | null;
}

export function tileOf(equipment: Equipment, now: MachineNow, nowUs: Micros): Tile {
  const { data, numbers } = now;
  const story = storyOf(data, equipment.id, nowUs);
  const piece = story.pieces.at(-1);
  const running = itemAt(story.executions, nowUs - 1);
  const { watermarkUs } = data.facts;
  return {
    equipment,
    state: piece?.state ?? "unknown",
    reason: piece?.reason ?? 0,
    sinceUs: piece?.fromUs ?? null,
    order: running === undefined ? null : { ...running, made: madeOf(now, running.order) },
    numbers,
    ageUs: watermarkUs === null ? null : Math.max(0, nowUs - watermarkUs),
  };
}

/** What the order has brought here, as far back as was read. */
function madeOf({ data }: MachineNow, order: string): number {
  let made = 0;
  for (const cell of data.cells.cells)
    if (cell.order === order) for (const { gq } of Object.values(cell.quantities)) made += gq;
  return made;
}

/** A line by its machines: sums of them, over the shift of now. */
export function lineNumbers(machines: readonly MachineNow[]): Numbers | null {
  const shift = machines.find((one) => one.shift !== null)?.shift;
  const cells = cellsTogether(machines.map(({ data }) => data.cells));
  if (shift == null || cells === null) return null;
  return numbersByShift(cells, [shift]).get(shift.id) ?? null;
}

/** How many machines are in which state, the worst first. */
export function countStates(tiles: readonly Tile[]): { state: StateClass; n: number }[] {
  const counts = new Map<StateClass, number>();
  for (const { state } of tiles) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts]
    .map(([state, n]) => ({ state, n }))
    .sort((a, b) => stateStyles[b.state].severity - stateStyles[a.state].severity);
}
