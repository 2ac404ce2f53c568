import { type Cell, cellKey, quantityPlaces, timeClasses } from "@lineshaft/contract/api";
import { addQuantities } from "./quantities.ts";

/** Cells with equal keys as one, sorted by key. */
export function mergeCells(cells: readonly Cell[]): Cell[] {
  const merged = new Map<string, Cell>();
  for (const cell of cells) {
    const key = cellKey(cell);
    const known = merged.get(key);
    if (known === undefined) merged.set(key, structuredClone(cell));
    else addCell(known, cell);
  }
  return [...merged.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, cell]) => cell);
}

function addCell(to: Cell, cell: Cell): void {
  for (const name of timeClasses) to.timeUs[name] += cell.timeUs[name];
  for (const name of quantityPlaces) addQuantities(to.quantities[name], cell.quantities[name]);
  to.microStopUs += cell.microStopUs;
  to.countUnknownUs += cell.countUnknownUs;
  to.estimatedPq += cell.estimatedPq;
  to.assignedSq += cell.assignedSq;
  for (const stop of cell.stops) {
    const same = to.stops.find(
      (each) => each.reason === stop.reason && each.timeClass === stop.timeClass && each.micro === stop.micro,
    );
    if (same === undefined) to.stops.push({ ...stop });
    else {
      same.us += stop.us;
      same.count += stop.count;
    }
  }
}
