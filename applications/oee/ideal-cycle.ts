import { type Cell, hourUs, type Micros, minuteUs } from "@lineshaft/contract/api";

/** The least time in which a work unit was seen to make one unit of a material: a proposal for an ideal cycle that is missing or too long. */
export interface BestDemonstrated {
  equipment: number;
  material: string | null;
  unit: string;
  /** Production time per unit. */
  priUs: number;
  /** The hour in which it was done, and how much was made in it. */
  hourUs: Micros;
  quantity: number;
}

const leastProductionUs = 30 * minuteUs;
const leastUnits = 3;

/** Of each material on each work unit the fastest hour that had half an hour of production, three units, and nothing unknown or estimated. */
export function bestDemonstrated(cells: readonly Cell[]): BestDemonstrated[] {
  const hours = new Map<string, { cell: Cell; hour: Micros; aptUs: Micros; pq: number; sure: boolean }>();
  for (const cell of cells) {
    const hour = Math.floor(cell.gridUs / hourUs) * hourUs;
    const key = JSON.stringify([cell.equipment, cell.material, cell.unit, hour]);
    const sum = hours.get(key) ?? { cell, hour, aptUs: 0, pq: 0, sure: true };
    sum.aptUs += cell.timeUs.apt;
    sum.pq += cell.quantities.known.pq;
    sum.sure &&= cell.timeUs.unknown === 0 && cell.countUnknownUs === 0 && cell.estimatedPq === 0;
    hours.set(key, sum);
  }
  const best = new Map<string, BestDemonstrated>();
  for (const { cell, hour, aptUs, pq, sure } of hours.values()) {
    if (!sure || aptUs < leastProductionUs || pq < leastUnits) continue;
    const key = JSON.stringify([cell.equipment, cell.material, cell.unit]);
    const priUs = aptUs / pq;
    const known = best.get(key);
    if (known !== undefined && known.priUs <= priUs) continue;
    const { equipment, material, unit } = cell;
    best.set(key, { equipment, material, unit, priUs, hourUs: hour, quantity: pq });
  }
  return [...best.values()];
}
