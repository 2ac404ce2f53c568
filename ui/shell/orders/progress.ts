import { type Cells, dayUs, type Micros } from "@lineshaft/contract/api";
import { call } from "../platform.ts";
import { useLoaded } from "../use.ts";
import type { Order } from "./model.ts";

/** What is asked of the server for one order at most. */
const machinesMax = 6;
const rangeMaxUs = 31 * dayUs;
const everyMs = 30_000;

export interface Progress {
  /** Good units of the last operation so far; null: nothing is counted there. */
  good: number | null;
  /** Not the whole time of the order was looked at, or not every machine. */
  partly: boolean;
}

/** How far an order has come: the yield of its last operation, from what its machines counted. */
export function useProgress(id: string, order: Order, nowUs: Micros) {
  const last = order.operations.at(-1);
  const begun = (last?.executions ?? []).filter(({ fromUs }) => fromUs <= nowUs);
  const key = `progress ${id} ${JSON.stringify(begun)}`;
  return useLoaded<Progress>(
    key,
    async (signal) => {
      if (last === undefined || begun.length === 0) return { good: null, partly: false };
      const machines = [...new Set(begun.map(({ equipmentId }) => equipmentId))];
      let good: number | null = null;
      let partly = machines.length > machinesMax;
      for (const equipmentId of machines.slice(0, machinesMax)) {
        const own = begun.filter((one) => one.equipmentId === equipmentId);
        const to = Math.min(nowUs, Math.max(...own.map(({ toUs }) => toUs ?? nowUs)));
        const from = Math.min(...own.map(({ fromUs }) => fromUs));
        partly ||= to - from > rangeMaxUs;
        if (to <= from) continue;
        const query = { from: Math.max(from, to - rangeMaxUs), to };
        const { cells } = (await call("listCells", { params: { id: equipmentId }, query, signal })) as Cells;
        for (const cell of cells) {
          if (cell.order !== id || cell.operation !== last.id) continue;
          for (const { gq, pq } of Object.values(cell.quantities)) {
            if (pq !== 0 || gq !== 0) good = (good ?? 0) + gq;
          }
        }
      }
      return { good, partly };
    },
    everyMs,
  );
}
