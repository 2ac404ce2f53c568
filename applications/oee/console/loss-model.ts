import { type MachineStop, type Micros, ownReasons, type Reason, type TimeClass } from "@lineshaft/contract/api";
import { type LossStep, lossSteps } from "../losses.ts";

/** What a reader has chosen to look into: a step of the waterfall, or a reason of the Pareto. */
export type Chosen = { step: LossStep } | { reason: number };

export function chosenOf(query: URLSearchParams): Chosen | null {
  const step = lossSteps.find((one) => one === query.get("loss"));
  if (step !== undefined) return { step };
  const reason = Number(query.get("reason"));
  return query.has("reason") && Number.isInteger(reason) ? { reason } : null;
}

export interface StopsWanted {
  timeClass?: TimeClass[];
  reason?: number[];
  micro?: "only" | "without";
}

/** What to ask for so that the answers hold every stop of a loss. Empty: it has no stops, it is speed or quality, or lies outside of the plan. */
export function stopsWanted(chosen: Chosen, reasons: readonly Reason[]): StopsWanted[] {
  if ("reason" in chosen) return [{ reason: [chosen.reason] }];
  const withLoss = (loss: string): number[] =>
    reasons.filter((reason) => reason.loss === loss).map(({ number }) => number);
  const standing = (loss: string): StopsWanted => ({
    ...{ timeClass: ["adet"], reason: withLoss(loss), micro: "without" as const },
  });
  switch (chosen.step) {
    case "unknown":
      return [{ timeClass: ["unknown"] }];
    case "noOrder":
    case "noOrderNotBusy":
      return [{ timeClass: ["adot"] }];
    case "plannedMaintenance":
      return [{ timeClass: ["plannedMaintenance"] }];
    case "breakdown":
      return [standing("breakdown")];
    case "setUpAndAdjustment":
      return [{ timeClass: ["aust"] }, standing("setUpAndAdjustment")];
    case "idlingAndMinorStops":
      return [{ timeClass: ["adet"], micro: "only" }, standing("idlingAndMinorStops")];
    case "otherStops":
      return [{ timeClass: ["adet"], micro: "without" }];
    default:
      return [];
  }
}

/** The step of the waterfall that a part of a stop belongs to, by the same rule as the waterfall itself. */
export function stepOf(
  { timeClass, reason }: Pick<MachineStop["parts"][number], "timeClass" | "reason">,
  micro: boolean,
  losses: ReadonlyMap<number, Reason["loss"]>,
): LossStep | null {
  if (timeClass === "aust") return "setUpAndAdjustment";
  if (timeClass === "adot") return "noOrder";
  if (timeClass === "adet")
    return micro ? "idlingAndMinorStops" : ((reason === null ? null : losses.get(reason)) ?? "otherStops");
  return timeClass === "apt" ? null : timeClass;
}

/** Of the stops that came those of the loss, with their time in it, the longest first; each once. */
export function stopsOfLoss(
  stops: readonly MachineStop[],
  chosen: Chosen,
  reasons: readonly Reason[],
): (MachineStop & { reason: number })[] {
  const losses = new Map(reasons.map(({ number, loss }) => [number, loss]));
  const wanted = "reason" in chosen ? null : chosen.step === "noOrderNotBusy" ? "noOrder" : chosen.step;
  const once = new Map(stops.map((stop) => [`${stop.equipmentId} ${stop.fromUs} ${stop.parts[0]?.fromUs}`, stop]));
  return [...once.values()]
    .flatMap((stop) => {
      const parts = stop.parts.filter((part) => wanted === null || stepOf(part, stop.micro, losses) === wanted);
      const us = parts.reduce((sum, part) => sum + lengthOf(part), 0);
      if (us === 0) return [];
      const longest = parts.reduce((a, b) => (lengthOf(b) > lengthOf(a) ? b : a));
      return [{ ...stop, parts, us, reason: longest.reason ?? ownReasons.unspecifiedStop }];
    })
    .sort((a, b) => b.us - a.us);
}

const lengthOf = ({ fromUs, toUs }: { fromUs: Micros; toUs: Micros }): Micros => toUs - fromUs;
