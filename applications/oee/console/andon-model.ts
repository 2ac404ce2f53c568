import { type Cells, type Equipment, type EquipmentNow, type Micros, secondUs } from "@lineshaft/contract/api";
import { type StateClass, stateStyles } from "@lineshaft/ui/kit";
import { ageOf, type NowView } from "./now-feed.ts";
import { type Headline, lineHeadline, type Reasons, shiftOf, type Tile, tileOf } from "./overview-model.ts";

export interface PlaceOfBoard {
  /** The line, or the machine itself. */
  equipment: Equipment;
  machines: readonly Equipment[];
  /** The machine whose output is what counts. */
  output: number;
}

export interface Board {
  tiles: Tile[];
  shift: EquipmentNow["shift"];
  timeZone: string;
  headline: Headline | null;
}

/** What a board shows of a machine, or of the machines of a line. */
export function boardOf({ equipment, machines }: PlaceOfBoard, { items }: NowView, reasons: Reasons): Board {
  const reads = machines.map(({ id }) => items.get(id));
  const own = items.get(equipment.id);
  const all = [own, ...reads];
  return {
    tiles: machines.map((machine, i) => tileOf(machine, reads[i], reasons)),
    shift: shiftOf(all),
    timeZone: all.find((read) => read !== undefined)?.item.timeZone ?? "UTC",
    headline: lineHeadline(own, reads),
  };
}

/** Good pieces of a shift against what its planned time so far, as far as its state is known, would have given at the ideal cycle. */
export function progressOf(cells: Cells, shift: string): { actual: number; due: number | null } {
  let actual = 0;
  let due: number | null = null;
  for (const cell of cells.cells) {
    if (cell.shift !== shift) continue;
    for (const { gq } of Object.values(cell.quantities)) actual += gq;
    const { apt, aust, adet, adot } = cell.timeUs;
    if (cell.priUs !== null && cell.priUs > 0) due = (due ?? 0) + (apt + aust + adet + adot) / cell.priUs;
  }
  return { actual, due };
}

/** Machines stand in so many columns that their names can still be read from afar. */
export function columnsFor(machines: number, portrait: boolean): number {
  const most = portrait ? [14, 40] : [9, 22, 48];
  return 1 + most.filter((limit) => machines > limit).length;
}

/** Older than this, what is shown is not now: it is said, and shown as such. Everything is read again every quarter of a minute. */
const lateUs = 20 * secondUs;

/** How old what a board shows is, where that has to be said; null: it is now. */
export function lateness(view: NowView, nowMs: number): Micros | null {
  const ageUs = ageOf(view, nowMs);
  return ageUs !== null && (ageUs > lateUs || view.error !== null) ? ageUs : null;
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
