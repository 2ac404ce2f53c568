import { hourUs, type Micros, minuteUs, secondUs } from "@lineshaft/contract/api";
import type { MachineKind } from "@lineshaft/simulation/plant";
import type { Span } from "@lineshaft/simulation/truth";
import type { Chance } from "./chance.ts";
import type { Disturbed } from "./shown.ts";

/**
 * The fault menu of the demo plant, and what each entry does between a machine and the platform. What it does to a connection is either that rows come later (`late`), in another order, twice,
 * or not at all (`lost`).
 */
export const menu = {
  cut: "a network that is cut, at a source that keeps what it cannot send",
  restart: "off and on again: what lay in memory is lost",
  plcDownload: "a controller that is silent, and whose counters begin at 0",
  duplicate: "every message twice",
  reorder: "messages that overtake one another",
  delay: "values that come hours late",
  burst: "a burst of ten times as many values",
  rebirth: "births that nobody asked for",
  dropBirth: "a birth that gets lost: values wait until it is asked for again",
  freeze: "values that stay what they are",
  skew: "a clock that is wrong",
  counterReset: "counters that begin at 0",
  counterRollover: "16-bit counters that roll over",
  bookLate: "an order that is booked late",
  moveShift: "a shift that is moved afterwards",
} as const;
export type MenuFault = keyof typeof menu;

/** All that is wrong with one machine of a seed. */
export interface Faulted extends Disturbed {
  faults: readonly MenuFault[];
  /** Rows of these times come when the span is over, and until then the platform says that they are lost. */
  offline: Span[];
  /** Rows of these times never come. */
  lost: Span[];
  duplicates: number;
  reorders: number;
  /** Share of rows that come up to two hours late. */
  delays: number;
}

export function faulted(kind: MachineKind, faults: readonly MenuFault[], chance: Chance, whole: Span): Faulted {
  const has = (fault: MenuFault): boolean => faults.includes(fault);
  const pulses = kind.telling.states === "pulses";
  const scan = (t: Micros): Micros => Math.floor(t / 200_000) * 200_000 + 100_000;
  /** Not on a scan, so that a row never stands on its edge; apart from the others of the machine by their order. */
  const span = (low: Micros, high: Micros, least: Micros, most: Micros): Span => {
    const fromUs = scan(low + chance.below(high - low));
    return { fromUs, toUs: scan(fromUs + least + chance.below(most - least)) };
  };
  const { fromUs: a, toUs: b } = whole;
  const middle = (a + b) / 2;
  const offline: Span[] = [];
  if (has("cut")) offline.push(span(a + hourUs / 2, middle - 2.5 * hourUs, 20 * minuteUs, 2 * hourUs));
  if (has("dropBirth")) offline.push(span(middle - hourUs / 2, middle, secondUs, 10 * secondUs));
  const lost: Span[] = [];
  if (has("restart")) lost.push(span(middle + hourUs / 4, middle + hourUs, 20 * secondUs, 20 * minuteUs));
  const download = has("plcDownload")
    ? span(middle + 1.5 * hourUs, middle + 2 * hourUs, 20 * secondUs, 5 * minuteUs)
    : null;
  if (download !== null) lost.push(download);
  const resets = [
    ...(download === null ? [] : [download.toUs - 1]),
    // Of two, the second would find counters that show next to nothing, and nobody could see it.
    ...(has("counterReset") && download === null ? [scan(middle + 2.7 * hourUs + chance.below(hourUs / 4))] : []),
  ];
  return {
    faults,
    offline,
    lost,
    resets: pulses ? [] : resets,
    frozen: has("freeze") && !pulses ? span(a + hourUs / 10, a + hourUs / 4, 5 * secondUs, 5 * minuteUs) : null,
    // An odd number of µs, so that no pulse falls on another.
    skew:
      has("skew") && pulses
        ? { ...span(middle + 2 * hourUs, b - hourUs, minuteUs, hourUs), byUs: chance.of([61_000_013, -45_000_017]) }
        : null,
    burst: has("burst") ? span(a, b - hourUs, secondUs, 10 * secondUs) : null,
    rollsOverFrom: has("counterRollover") && resets.length === 0 && !kind.continuous && !pulses ? 65_500 : null,
    repeatedAt: has("rebirth") ? [scan(a + chance.below(b - a)), scan(a + chance.below(b - a))] : [],
    duplicates: has("duplicate") ? 0.2 : 0,
    reorders: has("reorder") ? 0.2 : 0,
    delays: has("delay") ? 0.02 : 0,
  };
}
