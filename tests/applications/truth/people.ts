import { type Annotation, type LateScrapBooking, type Micros, minuteUs } from "@lineshaft/contract/api";
import type { MachineKind, TrueExecution } from "@lineshaft/simulation/plant";
import { type Known, stopsOf, type TrueLateScrap, type TrueReason } from "@lineshaft/simulation/truth";
import type { Chance } from "./chance.ts";

/** A reason as somebody gives it, and what of it is true. */
export interface Said {
  annotation: Annotation;
  reason: TrueReason;
}

export interface Late {
  booking: LateScrapBooking;
  scrap: TrueLateScrap;
}

/** Of the starting vocabulary: failure, changeover, preventive maintenance, break. */
const reasons = [
  [7_100_000, false],
  [5_100_000, false],
  [7_400_000, true],
  [6_200_000, true],
] as const;

/** Orders that run beside others for a part of their time and share what is made with them. A machine with nothing but pulses goes by one ideal cycle, so there it is the same material. */
export function withOrdersBeside(kind: MachineKind, executions: TrueExecution[], chance: Chance): TrueExecution[] {
  if (kind.counts !== "units") return executions;
  const beside = executions.flatMap((execution): TrueExecution[] => {
    const length = execution.toUs - execution.fromUs;
    if (length < 20 * minuteUs || !chance.may(0.2)) return [];
    const fromUs = execution.fromUs + chance.below(length / 2);
    const toUs = chance.may(0.5) ? execution.toUs : fromUs + chance.below(length / 2);
    const { material } = kind.telling.states === "pulses" ? execution : chance.of(kind.products);
    return [{ ...execution, order: `${execution.order}+`, material, fromUs, toUs }];
  });
  return [...executions, ...beside];
}

export const isBeside = (order: string): boolean => order.endsWith("+");

/** What people say of some stops: a reason for the whole, for a part of it, or one of each. */
export function reasonsSaid({ states }: Known, equipmentId: number, chance: Chance): Said[] {
  const said: Said[] = [];
  const say = (kind: "reason" | "split", fromUs: Micros, toUs: Micros, anchorUs: Micros): void => {
    const [reason, planned] = chance.of(reasons);
    // What was said later stands over what was said before.
    const annotation = { equipmentId, kind, anchorUs, fromUs, toUs, reason, text: "", saidUs: said.length };
    said.push({ annotation, reason: { fromUs, toUs, planned } });
  };
  for (const { fromUs, toUs } of stopsOf(states)) {
    if (!chance.may(0.08)) continue;
    const middle = fromUs + 1 + chance.below(toUs - fromUs - 1);
    const how = chance.below(3);
    if (how < 2) say("reason", fromUs, toUs, fromUs + chance.below(toUs - fromUs));
    if (how > 0 && middle < toUs) say("split", middle, toUs, middle);
  }
  return said;
}

/** Parts that turn out to be no good long after they were made; when that was is known exactly, roughly, or not at all. */
export function scrapFoundLate(
  executions: readonly TrueExecution[],
  equipmentId: number,
  endUs: Micros,
  chance: Chance,
): Late[] {
  return executions.flatMap(({ order, fromUs, toUs }): Late[] => {
    if (!chance.may(0.2) || toUs - fromUs < minuteUs) return [];
    const first = fromUs + 1 + chance.below(toUs - fromUs - 1);
    const made = { fromUs: first, toUs: first + chance.of([0, chance.below(toUs - first)]) };
    const scrap: TrueLateScrap = {
      order,
      quantity: 1 + chance.below(3),
      becomes: chance.of(["scrap", "rework"] as const),
      bookedUs: first + chance.below(endUs - first),
      madeUs: chance.may(0.5) ? made : null,
    };
    return [{ scrap, booking: { ...scrap, equipmentId, operation } }];
  });
}

/** All orders have one. */
export const operation = "10";
