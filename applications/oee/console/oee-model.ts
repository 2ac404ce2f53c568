import { gridUs, type Micros, type Reason } from "@lineshaft/contract/api";
import type { TimeRange } from "@lineshaft/ui/kit";
import { type LossStep, lossSteps, type Waterfall } from "../losses.ts";

/** One row of the waterfall: what is left at a level, or what is lost on the way to the next. */
export type WaterfallRow =
  | { kind: "level"; level: Level; us: Micros }
  | { kind: "loss"; step: LossStep; us: Micros; fromUs: Micros };

export const levels = ["calendar", "plannedBusy", "knownBusy", "production", "netProduction", "valuable"] as const;
export type Level = (typeof levels)[number];

/** Behind which loss each level stands. */
const levelAfter: Partial<Record<LossStep, Level>> = {
  noOrderNotBusy: "plannedBusy",
  unknown: "knownBusy",
  idlingAndMinorStops: "production",
  reducedSpeed: "netProduction",
  startUpYield: "valuable",
};

/**
 * Levels and losses one below the other. Each loss begins where what is left after it ends, so that the bars hang on one another like a staircase. Losses of
 * nothing are left out.
 */
export function waterfallRows(waterfall: Waterfall): WaterfallRow[] {
  const rows: WaterfallRow[] = [{ kind: "level", level: "calendar", us: waterfall.calendarUs }];
  let left = waterfall.calendarUs;
  for (const step of lossSteps) {
    const loss = waterfall.losses.find((one) => one.step === step);
    if (loss === undefined) break;
    left -= loss.us;
    if (loss.us !== 0) rows.push({ kind: "loss", step, us: loss.us, fromUs: Math.min(left, left + loss.us) });
    const level = levelAfter[step];
    if (level !== undefined) rows.push({ kind: "level", level, us: left });
  }
  return rows;
}

/** What is read: quarters of an hour around the range, so that a range which follows now is read once a quarter. */
export function readingRange(range: TimeRange, longestUs: Micros): TimeRange {
  const toUs = Math.ceil(range.toUs / gridUs) * gridUs;
  return { fromUs: Math.max(Math.floor(range.fromUs / gridUs) * gridUs, toUs - longestUs), toUs };
}

export function reasonName(number: number, reasons: ReadonlyMap<number, Reason>, locale: "de" | "en"): string {
  return reasons.get(number)?.name[locale] ?? String(number);
}
