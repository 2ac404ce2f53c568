import { type ItemState, itemStates, type OperationMode, operationModes } from "./facts.ts";

/**
 * The time elements of ISO 22400-2 into which a calendar falls apart without rest: each instant of an equipment belongs to exactly one of them.
 * `apt` actual production · `aust` actual unit set-up · `adet` actual unit delay: down while it has an order · `adot` down without an order · and
 * what stands outside the planned busy time: planned maintenance, breaks, not planned. `unknown` is planned time whose state nobody knows.
 */
export const timeClasses = [
  "apt",
  "aust",
  "adet",
  "adot",
  "plannedMaintenance",
  "break",
  "notPlanned",
  "unknown",
] as const;
export type TimeClass = (typeof timeClasses)[number];

/** Where the time of a reason that is marked planned goes: out of the planned busy time. */
export const plannedClasses = ["plannedMaintenance", "break", "notPlanned"] as const;
export type PlannedClass = (typeof plannedClasses)[number];

/** What the calendar says of an instant. */
export const planConditions = ["busy", "break", "noShift"] as const;
export type PlanCondition = (typeof planConditions)[number];

/** `running`: between an order change and its first good part. `booked`: somebody said that it was set-up. */
export const setUpConditions = ["none", "running", "booked"] as const;
export type SetUpCondition = (typeof setUpConditions)[number];

/** What becomes of production outside planned time: it joins the planned busy time, or stays out of the KPIs. */
export const outsidePlanRules = ["extend", "exclude"] as const;
export type OutsidePlanRule = (typeof outsidePlanRules)[number];

export interface TimeClassInput {
  /** null: unknown. */
  itemState: ItemState | null;
  /** null: the machine does not tell. */
  operationMode: OperationMode | null;
  plan: PlanCondition;
  /** Is an order registered on the equipment? */
  order: boolean;
  /** The class of the reason in force if that is marked planned, else null. */
  plannedReason: PlannedClass | null;
  setUp: SetUpCondition;
  outsidePlan: OutsidePlanRule;
}

/** Makes the machine parts? From the machine's word alone: a machine that tells no mode has none but to process. */
export function isProducing(itemState: ItemState | null, operationMode: OperationMode | null): boolean {
  return itemState === "Executing" && operationMode !== "Setup" && operationMode !== "Maintenance";
}

/**
 * The time element of an instant: a total function of state × mode × plan × order, and of what people booked (adr/0009). Rows of OPC 40001-1, Annex C.2 are
 * kept as they stand there; the rest completes them.
 */
export function timeClassOf(at: TimeClassInput): TimeClass {
  const producing = isProducing(at.itemState, at.operationMode);
  if (at.plan !== "busy") {
    if (producing && at.outsidePlan === "extend") return "apt";
    return at.plan === "break" ? "break" : "notPlanned";
  }
  // A planned reason takes time out of the plan, but no part that was made in it.
  if (at.plannedReason !== null && !producing) return at.plannedReason;
  if (at.setUp === "booked") return "aust";
  if (at.itemState === null) return "unknown";
  if (at.setUp === "running") return "aust";
  if (producing) return "apt";
  return standing(at.itemState, at.operationMode, at.order);
}

/** Planned, known, and making no parts. */
function standing(itemState: ItemState, mode: OperationMode | null, order: boolean): TimeClass {
  const down = order ? "adet" : "adot";
  switch (mode) {
    case "Maintenance":
      return order ? "adet" : "plannedMaintenance";
    case "Setup":
      // A machine that broke down while it was set up is down; one that stands or is switched off for it is being set up.
      return itemState === "OutOfService" ? down : "aust";
    case "Processing":
      // It broke down or went off while it processed something, registered or not.
      return itemState === "NotExecuting" ? down : "adet";
    default:
      return down;
  }
}

/** `timeClassOf` for planned time without bookings as a table, for those who read it: state, mode, order, class. */
export function timeClassTable(): {
  itemState: ItemState | null;
  operationMode: OperationMode | null;
  order: boolean;
  timeClass: TimeClass;
}[] {
  const booked = { plan: "busy", plannedReason: null, setUp: "none", outsidePlan: "extend" } as const;
  return [null, ...itemStates].flatMap((itemState) =>
    [null, ...operationModes].flatMap((operationMode) =>
      [true, false].map((order) => {
        const at = { itemState, operationMode, order };
        return { ...at, timeClass: timeClassOf({ ...at, ...booked }) };
      }),
    ),
  );
}
