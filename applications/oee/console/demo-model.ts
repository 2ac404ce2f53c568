import type { Cell, Cells, DemoTruth, Equipment } from "@lineshaft/contract/api";
import { gridUs, hourUs, type Micros, type ShiftOccurrence } from "@lineshaft/contract/api";
import type { TimeRange } from "@lineshaft/ui/kit";
import type { Numbers } from "./source.ts";

export const comparedShares = ["oee", "availability", "effectiveness", "qualityRatio"] as const;
export const comparedCounts = ["good", "scrap"] as const;
export type Compared = (typeof comparedShares)[number] | (typeof comparedCounts)[number];

/** One number as it was computed and as it truly is. */
export interface Pair {
  computed: number | null;
  truth: number | null;
  /** Further apart than the machine's protocol excuses. */
  differs: boolean;
}

export interface Comparison {
  machine: Equipment;
  pairs: Record<Compared, Pair>;
}

/** Half of the last digit that is shown of a share. */
const shareTolerance = 0.0005;
/** One at each end: of a machine that is polled nobody knows on which side of an instant a piece came. */
const countTolerance = 2;

/**
 * Computed beside true. Times of a machine are known no better than its protocol tells, so shares may differ by that part of the planned time, and counts by a
 * piece at each end.
 */
export function compare(machine: Equipment, numbers: Numbers, truth: DemoTruth): Comparison {
  const { all } = truth.oee;
  const made = { good: 0, scrap: 0 };
  for (const material of numbers.sums.materials) {
    made.good += material.all.gq;
    made.scrap += material.all.sq;
  }
  const excused = Math.max(shareTolerance, all.pbtUs > 0 ? truth.resolutionUs / all.pbtUs : 0);
  const share = (computed: number | null, true_: number | null): Pair => ({
    computed,
    truth: true_,
    differs: computed === null || true_ === null ? computed !== true_ : Math.abs(computed - true_) > excused,
  });
  const count = (computed: number, true_: number): Pair => ({
    computed,
    truth: true_,
    differs: Math.abs(computed - true_) > countTolerance,
  });
  return {
    machine,
    pairs: {
      oee: share(numbers.kpis.oeeIndex, all.oee),
      availability: share(numbers.kpis.availability, all.availability),
      effectiveness: share(numbers.kpis.effectiveness, all.effectiveness),
      qualityRatio: share(numbers.kpis.qualityRatio, all.qualityRatio),
      good: count(made.good, all.good),
      scrap: count(made.scrap, all.scrap),
    },
  };
}

/** Whole quarters of an hour of the shift that is on, as far as everything of them is in; without a shift the last two hours. */
export function comparedRange(shift: ShiftOccurrence | undefined, nowUs: Micros): TimeRange | null {
  const toUs = Math.floor((nowUs - settleUs) / gridUs) * gridUs;
  const fromUs = Math.ceil((shift?.fromUs ?? toUs - 2 * hourUs) / gridUs) * gridUs;
  return toUs > fromUs ? { fromUs, toUs } : null;
}

/** Derivation is a few seconds behind, and gateways send in portions. */
const settleUs = 30e6;

/**
 * From which quarter of an hour on a machine was heard throughout: what came before it was connected nobody can compare. null: no whole quarter yet. A silence that comes later stays in the
 * comparison, and shows.
 */
export function heardFrom({ cells }: Pick<Cells, "cells">, { fromUs, toUs }: TimeRange): Micros | null {
  const unknown = new Set(cells.filter(({ timeUs }) => timeUs.unknown > 0).map((cell) => cell.gridUs));
  // In a break nothing is expected of a machine, so nobody knows whether it was heard.
  const heard = new Set(cells.filter(({ timeUs }) => busyTime(timeUs) > 0).map((cell) => cell.gridUs));
  for (let at = fromUs; at < toUs; at += gridUs) if (heard.has(at) && !unknown.has(at)) return at;
  return null;
}

const busyTime = ({ apt, aust, adet, adot }: Cell["timeUs"]): Micros => apt + aust + adet + adot;

/** The cells from `fromUs` on. */
export const cellsFrom = (cells: Cells, fromUs: Micros): Cells => ({
  ...cells,
  fromUs,
  cells: cells.cells.filter((cell) => cell.gridUs >= fromUs),
});
