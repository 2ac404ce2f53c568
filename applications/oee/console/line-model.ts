import type { Cells, Micros } from "@lineshaft/contract/api";
import type { TimeRange } from "@lineshaft/ui/kit";
import type { Line } from "./plant.ts";

/** Which machine holds the line back: the one that master data name, else the one that was busy longest of its planned time. */
export function constraintOf(
  line: Line,
  busy: ReadonlyMap<number, number | null>,
): { id: number; said: "declared" | "observed" } | null {
  if (line.constraint !== null) return { id: line.constraint, said: "declared" };
  let best: { id: number; share: number } | null = null;
  for (const { id } of line.machines) {
    const share = busy.get(id) ?? 0;
    if (share > 0 && (best === null || share > best.share)) best = { id, share };
  }
  return best === null ? null : { id: best.id, said: "observed" };
}

/** Good pieces that are due in a bucket: planned time of the machine in the range over its ideal cycle; null where none is known. */
export function planPerBucket({ cells }: Cells, range: TimeRange, bucketUs: Micros): number | null {
  const last = cells.findLast(({ priUs, gridUs }) => priUs !== null && gridUs < range.toUs);
  return last?.priUs == null || last.priUs <= 0 ? null : bucketUs / last.priUs;
}
