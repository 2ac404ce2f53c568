import type { Micros } from "@lineshaft/contract/api";
import type { TimeRange } from "@lineshaft/ui/kit";
import { sumsOf } from "../sums.ts";
import type { Line } from "./plant.ts";
import type { MachineData } from "./source.ts";

/** Which machine holds the line back: the one that master data name, else the one that was busy longest of its planned time. */
export function constraintOf(
  line: Line,
  data: ReadonlyMap<number, MachineData>,
): { id: number; said: "declared" | "observed" } | null {
  if (line.constraint !== null) return { id: line.constraint, said: "declared" };
  let best: { id: number; busy: number } | null = null;
  for (const { id } of line.machines) {
    const cells = data.get(id)?.cells;
    if (cells === undefined) continue;
    const sums = sumsOf(cells.cells, new Map(cells.policies.map((policy) => [policy.version, policy])));
    const busy = sums.pbtKnownUs > 0 ? sums.aptUs / sums.pbtKnownUs : 0;
    if (busy > 0 && (best === null || busy > best.busy)) best = { id, busy };
  }
  return best === null ? null : { id: best.id, said: "observed" };
}

/** Good pieces that are due in a bucket: planned time of the machine in the range over its ideal cycle; null where none is known. */
export function planPerBucket({ cells }: MachineData, range: TimeRange, bucketUs: Micros): number | null {
  const last = cells.cells.findLast(({ priUs, gridUs }) => priUs !== null && gridUs < range.toUs);
  return last?.priUs == null || last.priUs <= 0 ? null : bucketUs / last.priUs;
}
