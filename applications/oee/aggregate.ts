import { type Cell, hourUs, localOf, type Micros, type Quantities, type Reason } from "@lineshaft/contract/api";
import { type Policies, type Sums, sumsOf } from "./sums.ts";

/** Under which heads cells are added up. */
export const by = {
  /** The instant at which the hour of the site began. An hour that the clock shows twice is two hours. */
  hour:
    (timeZone: string) =>
    ({ gridUs }: Cell): Micros => {
      const local = localOf(timeZone, gridUs);
      return gridUs - (local - Math.floor(local / hourUs) * hourUs);
    },
  shift: ({ shift }: Cell): string | null => shift,
  productionDay: ({ productionDay }: Cell): string => productionDay,
  order: ({ order }: Cell): string | null => order,
  operation: ({ order, operation }: Cell): string | null => (order === null ? null : `${order}/${operation ?? ""}`),
  equipment: ({ equipment }: Cell): number => equipment,
  /** An area or a site: what stands above the equipment. Give it the cells of lines or of their machines, not both. */
  above:
    (placeOf: ReadonlyMap<number, number>) =>
    ({ equipment }: Cell): number | null =>
      placeOf.get(equipment) ?? null,
};

/** Cells added up under the heads that `key` gives them, in the order of their first coming. Never from percentages. */
export function sumsBy<K>(
  cells: readonly Cell[],
  key: (cell: Cell) => K,
  policies?: Policies,
  reasons?: readonly Reason[],
): Map<K, Sums> {
  const groups = new Map<K, Cell[]>();
  for (const cell of cells) {
    const of = key(cell);
    const group = groups.get(of);
    if (group === undefined) groups.set(of, [cell]);
    else group.push(cell);
  }
  return new Map([...groups].map(([of, group]) => [of, sumsOf(group, policies, reasons)]));
}

/** The yield of an order: what its last operation made, good and reworked alike for the ERP. */
export function orderYield(
  cells: readonly Cell[],
  order: string,
  lastOperation: string | null,
): { gq: number; yield: number } {
  const own = cells.filter((cell) => cell.order === order && cell.operation === lastOperation);
  const places = own.flatMap((cell) => Object.values(cell.quantities));
  const sum = (name: keyof Quantities) => places.reduce((total, quantities) => total + quantities[name], 0);
  return { gq: sum("gq"), yield: sum("gq") + sum("rq") };
}

/** Factors by which one unit of a material becomes units of another kind, e.g. a piece of it 0.25 kg. */
export type UnitFactors = ReadonlyMap<string, Readonly<Record<string, number>>>;

/**
 * All that was made, unit by unit; and in `unit`, if every material can be told in it. `missing` names those that cannot.
 */
export function quantitiesOf(
  sums: Sums,
  unit: string,
  factors: UnitFactors,
): {
  byUnit: Map<string, Quantities>;
  inUnit: Quantities | null;
  missing: { material: string | null; unit: string }[];
} {
  const byUnit = new Map<string, Quantities>();
  const total: Quantities = { pq: 0, gq: 0, sq: 0, rq: 0 };
  const missing: { material: string | null; unit: string }[] = [];
  for (const { material, unit: own, all } of sums.materials) {
    if (all.pq === 0 && all.gq === 0 && all.sq === 0 && all.rq === 0) continue;
    const known = byUnit.get(own) ?? { pq: 0, gq: 0, sq: 0, rq: 0 };
    byUnit.set(own, plus(known, all, 1));
    const factor = own === unit ? 1 : material === null ? undefined : factors.get(material)?.[unit];
    if (factor === undefined) missing.push({ material, unit: own });
    else Object.assign(total, plus(total, all, factor));
  }
  return { byUnit, inUnit: missing.length === 0 ? total : null, missing };
}

function plus(a: Quantities, b: Quantities, factor: number): Quantities {
  return { pq: a.pq + b.pq * factor, gq: a.gq + b.gq * factor, sq: a.sq + b.sq * factor, rq: a.rq + b.rq * factor };
}
