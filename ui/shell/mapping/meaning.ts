import {
  isProducing,
  type Mapping,
  meaningOf,
  type Property,
  type Reason,
  type StateMeaning,
} from "@lineshaft/contract/api";
import { type StateClass, stateClassOf } from "../../kit/index.ts";

export type MappedKind = "itemState" | "operationMode" | "counter" | "pulse" | "alarm";
export const isMapped = (kind: Property["kind"] | undefined): kind is MappedKind =>
  kind === "itemState" || kind === "operationMode" || kind === "counter" || kind === "pulse" || kind === "alarm";

/** What a value would become: a meaning, nothing that is said, or what only the server can tell. */
export type Verdict = StateMeaning | "unsaid" | "server";

export function verdictOf(mapping: Mapping, value: number | boolean | string): Verdict {
  const meaning = meaningOf(mapping, value);
  return meaning === "condition" ? "server" : (meaning ?? "unsaid");
}

/** The same where it is known what each condition of the table says of the value, in their order; null: it has no answer. */
export function verdictWith(
  mapping: Mapping,
  value: number | boolean | string,
  truths: readonly (boolean | null)[] | undefined,
): Verdict {
  const { states = [], ...rest } = mapping;
  let asked = 0;
  for (const row of states) {
    if (row.when === undefined) {
      const verdict = verdictOf({ states: [row] }, value);
      if (verdict !== "unsaid") return verdict;
      continue;
    }
    if (truths === undefined) return "server";
    const truth = truths[asked++] ?? null;
    if (truth === null) return "unsaid";
    const { when: _, ...meaning } = row;
    if (truth) return meaning;
  }
  return verdictOf(rest, value);
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
