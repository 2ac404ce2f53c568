import { hourUs, type Micros } from "@lineshaft/contract/api";
import { type PageContext, spanOf, type TimeRange, useSecond, zoom } from "@lineshaft/ui/kit";
import { useEffect, useRef, useState } from "react";
import { longestViewUs } from "./source.ts";

export interface View {
  range: TimeRange;
  /** Moves with now. */
  following: boolean;
}

/** The view that an address tells: `live=28800` (the last so many seconds), or `from=…&to=…` in µs. */
export function viewOf(query: URLSearchParams, nowUs: Micros, spanUs = 8 * hourUs): View {
  const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
  if (query.has("from") && from < to) return { range: { fromUs: from, toUs: to }, following: false };
  const seconds = Number(query.get("live"));
  const span = seconds > 0 ? seconds * 1e6 : spanUs;
  return { range: { fromUs: nowUs - span, toUs: nowUs }, following: true };
}

/** What an address says of a view. */
export function queryOf({ range, following }: View): { live: number | null; from: number | null; to: number | null } {
  if (following) return { live: Math.round(spanOf(range) / 1e6), from: null, to: null };
  return { live: null, from: Math.round(range.fromUs), to: Math.round(range.toUs) };
}

/** Does an address say which time it shows? */
const saysTime = (query: URLSearchParams): boolean => query.has("from") || query.has("live");

/** A view is taken for full when what is known begins in its first part. */
const emptyShare = 0.25;
const shortestOpeningUs = hourUs / 2;

/**
 * What a page opens on when its first view is mostly empty: the part of it that has data, or the time before the machine fell silent. null: the view is well as it is, or
 * nothing was ever heard.
 */
export function openingOf(view: View, known: readonly TimeRange[], heardUs: Micros | null, nowUs: Micros): View | null {
  const span = spanOf(view.range);
  const first = known.find(({ toUs }) => toUs > view.range.fromUs);
  if (first !== undefined) {
    if (first.fromUs < view.range.fromUs + span * emptyShare) return null;
    const open = Math.max(shortestOpeningUs, Math.round((nowUs - first.fromUs) * 1.1));
    return open < span ? { following: true, range: { fromUs: nowUs - open, toUs: nowUs } } : null;
  }
  if (heardUs === null || heardUs >= view.range.fromUs) return null;
  const toUs = heardUs + span / 8;
  return { following: false, range: { fromUs: toUs - span, toUs } };
}

/** Takes a page whose address says no time to where there are data, once. `known` null: nothing was read yet. */
export function useOpening(
  context: PageContext,
  view: View,
  onView: (next: View) => void,
  known: readonly TimeRange[] | null,
  heardUs: Micros | null,
): void {
  const told = useRef(saysTime(context.query));
  useEffect(() => {
    if (told.current || known === null) return;
    told.current = true;
    const opening = openingOf(view, known, heardUs, context.nowUs());
    if (opening !== null) onView(opening);
  });
}

/** By hand: dragging into history stops following; zooming while live keeps its end at now. */
export function moved(view: View, range: TimeRange, how: "pan" | "zoom", nowUs: Micros): View {
  if (how === "zoom" && view.following)
    return { following: true, range: zoom(view.range, nowUs, spanOf(range) / spanOf(view.range)) };
  return { following: false, range };
}

/** The one time range of a page; it stands in the address and follows now once a second. */
export function useView(context: PageContext, spanUs?: number): [View, (next: View) => void] {
  useSecond();
  // While the hand moves, the address waits: browsers refuse to be told a hundred times a second.
  const [hand, setHand] = useState<{ view: View; query: string } | null>(null);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const now = context.nowUs();
  const query = context.query.toString();
  const held = hand !== null && hand.query === query ? hand.view : null;
  const view =
    held === null
      ? viewOf(context.query, now, spanUs)
      : held.following
        ? { following: true, range: { fromUs: now - spanOf(held.range), toUs: now } }
        : held;
  const set = (next: View): void => {
    setHand({ view: next, query });
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      context.go(context.page, { ...Object.fromEntries(context.query), ...queryOf(next) }, "replace");
    }, addressSettlesMs);
  };
  return [view, set];
}

const addressSettlesMs = 150;

/** A little more than is shown, in steps, so that a view which moves by a pixel reads nothing. */
export function readingOf(range: TimeRange): TimeRange {
  const step = 2 ** Math.ceil(Math.log2(spanOf(range) / 4));
  const fromUs = Math.floor(range.fromUs / step - 0.5) * step;
  const toUs = Math.ceil(range.toUs / step + 0.5) * step;
  return { fromUs: Math.max(fromUs, toUs - longestViewUs), toUs };
}
