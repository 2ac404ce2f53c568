import { type Micros, ProblemError } from "@lineshaft/contract/api";
import type { FactsProgress } from "@lineshaft/contract/ports";
import type { Binding, BindingRole } from "./binding.ts";
import { factsWithin, lookAheadUs } from "./compose.ts";
import type { Derivation } from "./engine.ts";

/** More facts are not put into one answer; a shorter range is. */
const factsMax = 500_000;

/** What an answer over [from, to) is made of: all of the machine, or what has one role. Throws where it would be too large. */
export function bindingsWithin(
  derivation: Derivation,
  equipmentId: number,
  from: Micros,
  to: Micros,
  role?: BindingRole,
): readonly Binding[] {
  const all = derivation.bindingsOf(equipmentId);
  const bindings = role === undefined ? all : all.filter(({ spec }) => spec.role === role);
  const many = factsWithin(bindings, from, to);
  if (many > factsMax)
    throw new ProblemError(
      "query_too_large",
      `The machine has about ${many} facts in that range; an answer holds ${factsMax}.`,
    );
  return bindings;
}

/** How far the facts of an equipment go; null: nothing is known of what feeds it. */
export function progressOf(derivation: Derivation, equipmentId: number): FactsProgress | null {
  const watermarkUs = derivation.watermarkOf(equipmentId);
  if (!Number.isFinite(watermarkUs)) return null;
  const bindings = derivation.bindingsOf(equipmentId);
  const first = Math.min(...bindings.flatMap(({ exact, track }) => (exact ? [] : [track.firstHour])));
  const fromUs = Number.isFinite(first) ? first : null;
  const repairing = isRepairing(bindings);
  return { equipmentId, fromUs, watermarkUs, finalBeforeUs: watermarkUs - lookAheadUs(bindings, 0), repairing };
}

export const isRepairing = (bindings: readonly Binding[]): boolean => bindings.some((binding) => binding.dirty);

/** Equipment with alarm tags, ascending. */
export function alarmEquipment({ bindings }: Derivation): number[] {
  const found = [...bindings.values()].flatMap(({ spec }) => (spec.role === "alarm" ? [spec.equipment] : []));
  return [...new Set(found)].sort((a, b) => a - b);
}

export function statusOf(derivation: Derivation): { bindings: number; repairing: number; mappingErrors: number } {
  const mappingErrors = derivation.mappingErrors().reduce((sum, { values }) => sum + values, 0);
  return { bindings: derivation.bindings.size, repairing: derivation.dirty, mappingErrors };
}
