import type { Cell, Micros } from "@lineshaft/contract/api";
import type { Window } from "../../../integration/platform/context/cells.ts";

/** Cells by their quarter: those of a window give way to those that were made anew. */
export function replace(cells: Map<Micros, Cell[]>, { from, to }: Window, made: readonly Cell[]): void {
  for (const grid of cells.keys()) if (grid >= from && grid < to) cells.delete(grid);
  for (const cell of made) {
    const same = cells.get(cell.gridUs) ?? [];
    same.push(cell);
    cells.set(cell.gridUs, same);
  }
}

export const inOrder = (cells: ReadonlyMap<Micros, Cell[]>): Cell[] =>
  [...cells].sort(([a], [b]) => a - b).flatMap(([, list]) => list);

/** The first cell that is another one; null: none is. */
export function unlike(scratch: readonly Cell[], current: readonly Cell[]): string | null {
  for (const [i, cell] of scratch.entries())
    if (JSON.stringify(cell) !== JSON.stringify(current[i]))
      return `from scratch ${JSON.stringify(cell)}, not ${JSON.stringify(current[i])}`;
  return scratch.length === current.length ? null : `${current.length} cells, not ${scratch.length}`;
}
