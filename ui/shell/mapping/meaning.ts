import {
  isProducing,
  type Mapping,
  meaningOf,
  type Property,
  type Reason,
  type StateMeaning,
} from "@lineshaft/contract/api";
import { type StateClass, stateClassOf } from "../../kit/index.ts";

export type MappedKind = "itemState" | "operationMode" | "counter" | "pulse";
export const isMapped = (kind: Property["kind"] | undefined): kind is MappedKind =>
  kind === "itemState" || kind === "operationMode" || kind === "counter" || kind === "pulse";

/** What a value would become: a meaning, nothing that is said, or what only the server can tell. */
export type Verdict = StateMeaning | "unsaid" | "server";

export function verdictOf(mapping: Mapping, value: number | boolean | string): Verdict {
  const meaning = meaningOf(mapping, value);
  return meaning === "condition" ? "server" : (meaning ?? "unsaid");
}

/** The colour of a meaning, as it is while the machine is to produce. */
export function classOf({ itemState, operationMode }: StateMeaning, reason: Reason | undefined): StateClass {
  if (operationMode === "Maintenance" || reason?.planned === "plannedMaintenance") return "maintenance";
  if (itemState === undefined || itemState === "unknown")
    return operationMode === undefined ? "unknown" : (stateClassOf(operationMode) ?? "unknown");
  if (isProducing(itemState, operationMode ?? null)) return "executing";
  if (reason?.planned === "break" || reason?.planned === "notPlanned") return "noOrder";
  if (reason?.loss === "setUpAndAdjustment") return "setup";
  if (itemState === "OutOfService" || reason?.loss === "breakdown") return "fault";
  return operationMode === "Setup" ? "setup" : "notExecuting";
}
