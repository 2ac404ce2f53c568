import type { Micros } from "@lineshaft/contract/api";
import type { Sums } from "./sums.ts";

export interface Reliability {
  /** FE: faults that began. */
  failureEvents: number;
  /** Σ TTR: planned busy time in faults; Σ TTF: production time between them. */
  repairUs: Micros;
  operatingUs: Micros;
  /** As maintenance speaks of it: per fault. null: there was none. */
  mtbfUs: number | null;
  mttrUs: number | null;
  /** As ISO 22400-2 defines it, over FE + 1: a period without a fault has a number too. */
  iso22400: { mttfUs: number; mttrUs: number; mtbfUs: number };
}

/** From fault intervals: stops whose reason is a breakdown and that are no micro stops. */
export function reliabilityOf(sums: Sums): Reliability {
  let failureEvents = 0;
  let repairUs = 0;
  for (const { loss, timeClass, micro, us, count } of sums.stops) {
    if (loss !== "breakdown" || micro || !["adet", "adot", "aust"].includes(timeClass)) continue;
    failureEvents += count;
    repairUs += us;
  }
  const operatingUs = sums.timeUs.apt;
  const periods = failureEvents + 1;
  return {
    failureEvents,
    repairUs,
    operatingUs,
    mtbfUs: failureEvents > 0 ? operatingUs / failureEvents : null,
    mttrUs: failureEvents > 0 ? repairUs / failureEvents : null,
    iso22400: {
      mttfUs: operatingUs / periods,
      mttrUs: repairUs / periods,
      mtbfUs: (operatingUs + repairUs) / periods,
    },
  };
}
