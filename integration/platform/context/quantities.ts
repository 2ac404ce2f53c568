import { type Counting, countKinds, type Quantities } from "@lineshaft/contract/api";

/** What a machine's counts are to the one whose quantities they become: all of its output, or, along a line, its rejects only. */
export type CountRole = "output" | "rejects";

const [good, scrap, rework, total] = countKinds.map((_, index) => index);

/** One count of a kind as produced, good, scrap and rework quantity. */
type Vector = readonly [pq: number, gq: number, sq: number, rq: number];
const nothing: Vector = [0, 0, 0, 0];

const vectors: Record<Counting["quantities"] | "rejects", Record<number, Vector>> = {
  sum: { [good]: [1, 1, 0, 0], [scrap]: [1, 0, 1, 0], [rework]: [1, 0, 0, 1], [total]: nothing },
  totalAndScrap: { [good]: nothing, [scrap]: [0, -1, 1, 0], [rework]: [0, -1, 0, 1], [total]: [1, 1, 0, 0] },
  totalAndGood: { [good]: [0, 1, -1, 0], [scrap]: nothing, [rework]: [0, 0, -1, 1], [total]: [1, 0, 1, 0] },
  rejects: { [good]: nothing, [scrap]: [1, 0, 1, 0], [rework]: [1, 0, 0, 1], [total]: nothing },
};

export function vectorOf(kind: number, counting: Pick<Counting, "quantities">, role: CountRole): Vector {
  return vectors[role === "rejects" ? "rejects" : counting.quantities][kind] ?? nothing;
}

export function addQuantities(to: Quantities, of: Quantities, factor = 1): void {
  to.pq += of.pq * factor;
  to.gq += of.gq * factor;
  to.sq += of.sq * factor;
  to.rq += of.rq * factor;
}
