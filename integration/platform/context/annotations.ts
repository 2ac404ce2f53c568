import type { Annotation, ReasonInForce } from "@lineshaft/contract/api";
import type { Window } from "./cells.ts";
import { layered } from "./timeline.ts";

export interface BoundAnnotation<A extends Annotation = Annotation> {
  annotation: A;
  interval: Window;
}

/**
 * To which interval of the machine each annotation belongs, after late points may have moved the intervals: the one that holds its anchor, else the one that covers at least
 * half of it; else it is orphaned: listed, never dropped. Intervals are in order and apart.
 */
export function bindAnnotations<A extends Annotation>(
  annotations: readonly A[],
  intervals: readonly Window[],
): { bound: BoundAnnotation<A>[]; orphaned: A[] } {
  const bound: BoundAnnotation<A>[] = [];
  const orphaned: A[] = [];
  for (const annotation of annotations) {
    const { anchorUs, fromUs, toUs } = annotation;
    const overlap = ({ from, to }: Window) => Math.min(to, toUs) - Math.max(from, fromUs);
    const interval =
      intervals.find(({ from, to }) => from <= anchorUs && anchorUs < to) ??
      intervals.find((each) => toUs > fromUs && overlap(each) >= (toUs - fromUs) / 2);
    if (interval === undefined) orphaned.push(annotation);
    else bound.push({ annotation, interval });
  }
  return { bound, orphaned };
}

/**
 * Bound annotations as the reasons in force, later ones over earlier ones: a `reason` holds for its whole interval, a `split` for its own part of it.
 */
export function reasonsInForce(bound: readonly BoundAnnotation[]): ReasonInForce[] {
  const said: ReasonInForce[] = [];
  for (const { annotation, interval } of bound) {
    if (annotation.kind === "comment" || annotation.reason === null) continue;
    const whole = annotation.kind === "reason";
    const fromUs = whole ? interval.from : Math.max(interval.from, annotation.fromUs);
    const toUs = whole ? interval.to : Math.min(interval.to, annotation.toUs);
    said.push({ fromUs, toUs, reason: annotation.reason });
  }
  return layered(said);
}
