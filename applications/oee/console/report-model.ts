import type { Equipment, Micros, ShiftOccurrence } from "@lineshaft/contract/api";
import { storyOf } from "./machine-chart.ts";
import { type MachineData, type Numbers, numbersByShift } from "./source.ts";
import { type StopRow, stopRows } from "./timeline.ts";

export interface MachineReport {
  machine: Equipment;
  data: MachineData;
  shift: ShiftOccurrence;
  numbers: Numbers | null;
  good: number;
  scrap: number;
  stops: StopRow[];
}

/** What a shift report says of one machine: its published numbers, or those that its cells come to. */
export function machineReport(
  machine: Equipment,
  data: MachineData,
  shift: ShiftOccurrence,
  published: Numbers | null,
  nowUs: Micros,
): MachineReport {
  const story = storyOf(data, machine.id, Math.min(nowUs, shift.toUs));
  const numbers = published ?? numbersByShift(data.cells, [shift]).get(shift.id) ?? null;
  const made = { good: 0, scrap: 0 };
  for (const { all } of numbers?.sums.materials ?? []) {
    made.good += all.gq;
    made.scrap += all.sq;
  }
  return { machine, data, shift, numbers, ...made, stops: stopRows(story.spans, story.pieces, story.said, 0) };
}

/** The longest stops of all machines, the longest first. */
export function longestStops(reports: readonly MachineReport[], most: number): { machine: Equipment; row: StopRow }[] {
  return reports
    .flatMap(({ machine, stops }) => stops.map((row) => ({ machine, row })))
    .sort((a, b) => b.row.toUs - b.row.fromUs - (a.row.toUs - a.row.fromUs))
    .slice(0, most);
}

export interface OrderRow {
  order: string;
  machine: Equipment;
  material: string | null;
  unit: string;
  good: number;
  scrap: number;
  quantity: number | null;
}

/** What was made of each order on each machine in the shift. */
export function ordersOf(reports: readonly MachineReport[]): OrderRow[] {
  return reports.flatMap(({ machine, data, shift }) => {
    const rows = new Map<string, OrderRow>();
    for (const cell of data.cells.cells) {
      if (cell.order === null || cell.shift !== shift.id) continue;
      const { order, material, unit } = cell;
      const quantity = data.orders.find(({ id }) => id === order)?.item.quantity ?? null;
      const row = rows.get(order) ?? { order, machine, material, unit, good: 0, scrap: 0, quantity };
      for (const { gq, sq } of Object.values(cell.quantities)) {
        row.good += gq;
        row.scrap += sq;
      }
      rows.set(order, row);
    }
    return [...rows.values()].filter(({ good, scrap }) => good !== 0 || scrap !== 0);
  });
}
