import type { Cell, Micros, ShiftOccurrence } from "@lineshaft/contract/api";

/** What an order's last operation made, and the time that it took. In the order's unit. */
export interface Counted {
  good: number;
  scrap: number;
  rework: number;
  /** Planned busy time beside set-up: that of its pace. */
  busyUs: Micros;
  /** For one piece at its best; null: no ideal cycle is known. */
  idealUs: Micros | null;
  /** Something was counted, be it 0 of it. */
  any: boolean;
}

export const nothingCounted = (): Counted => ({ good: 0, scrap: 0, rework: 0, busyUs: 0, idealUs: null, any: false });

/** RULES 13: fewer cycles say nothing of a pace. */
const piecesOfPace = 3;

/** Adds what cells say of one operation of an order. */
export function addCells(
  sum: Counted,
  cells: readonly Cell[],
  { order, operation }: { order: string; operation: string | null },
): void {
  for (const cell of cells) {
    if (cell.order !== order || cell.operation !== operation) continue;
    for (const { pq, gq, sq, rq } of Object.values(cell.quantities)) {
      sum.good += gq;
      sum.scrap += sq;
      sum.rework += rq;
      sum.any ||= pq !== 0 || gq !== 0 || sq !== 0 || rq !== 0;
    }
    const { apt, adet, adot, unknown } = cell.timeUs;
    sum.busyUs += apt + adet + adot + unknown;
    if (cell.priUs !== null) sum.idealUs = cell.priUs;
  }
}

/** Planned time of shifts from an instant on, breaks left out. No shift at all: every time is as good as another. */
export function afterPlanned(shifts: readonly ShiftOccurrence[] | null, fromUs: Micros, us: Micros): Micros | null {
  if (shifts === null) return fromUs + us;
  let left = us;
  const ahead = [...shifts].sort((a, b) => a.fromUs - b.fromUs);
  let atUs = fromUs;
  for (const { fromUs: begin, toUs: end, breaks } of ahead) {
    const pauses = [...breaks].sort((a, b) => a.fromUs - b.fromUs);
    for (const [from, to] of worked(begin, end, pauses)) {
      const start = Math.max(from, atUs);
      if (start >= to) continue;
      if (start + left <= to) return start + left;
      left -= to - start;
      atUs = to;
    }
  }
  return null;
}

function worked(begin: Micros, end: Micros, pauses: readonly { fromUs: Micros; toUs: Micros }[]): [Micros, Micros][] {
  const parts: [Micros, Micros][] = [];
  let from = begin;
  for (const pause of pauses) {
    if (pause.fromUs > from) parts.push([from, Math.min(end, pause.fromUs)]);
    from = Math.max(from, pause.toUs);
  }
  if (from < end) parts.push([from, end]);
  return parts;
}

/**
 * How long the rest takes where it runs now. Machines that work at it together add up. By the pace so far, set-up left out; while too little was made to know it, by the ideal cycle; null: nobody can tell.
 */
export function timeLeft(
  remaining: number,
  running: readonly Counted[],
): { us: Micros; by: "pace" | "idealCycle" } | null {
  if (running.length === 0) return null;
  const made = (each: Counted): number => each.good + each.rework;
  const paced = running.every((each) => made(each) >= piecesOfPace && each.busyUs > 0);
  const perUs = running.map((each) =>
    paced ? made(each) / each.busyUs : each.idealUs === null || each.idealUs <= 0 ? Number.NaN : 1 / each.idealUs,
  );
  const sum = perUs.reduce((all, each) => all + each, 0);
  if (!(sum > 0)) return null;
  return { us: Math.round(remaining / sum), by: paced ? "pace" : "idealCycle" };
}

/** Windows of whole grid cells around ranges of time, so that none is counted twice. */
export function windowsOf(
  ranges: readonly { fromUs: Micros; toUs: Micros }[],
  gridUs: Micros,
): { fromUs: Micros; toUs: Micros }[] {
  const whole = ranges
    .map(({ fromUs, toUs }) => ({
      fromUs: Math.floor(fromUs / gridUs) * gridUs,
      toUs: Math.ceil(toUs / gridUs) * gridUs,
    }))
    .filter(({ fromUs, toUs }) => fromUs < toUs)
    .sort((a, b) => a.fromUs - b.fromUs);
  const joined: { fromUs: Micros; toUs: Micros }[] = [];
  for (const each of whole) {
    const last = joined.at(-1);
    if (last !== undefined && each.fromUs <= last.toUs) last.toUs = Math.max(last.toUs, each.toUs);
    else joined.push(each);
  }
  return joined;
}
