import type { ConditionTrial, ConditionTrialRequest, PropertyType } from "@lineshaft/contract/api";
import { ConditionFault, checked, type Program } from "./condition.ts";
import { scopeOf } from "./joint-condition.ts";

type Sample = ConditionTrialRequest["samples"][number];
type Told = number | bigint | boolean | string;

/** Conditions on values as derivation would ask them, one by one. Pure, and bounded by what the request may hold. */
export function tryConditions({ conditions, types, samples }: ConditionTrialRequest): ConditionTrial {
  const names = Object.keys(types);
  const unknown = (name: string): string =>
    `There is no ${JSON.stringify(name)} here${names.length === 0 ? "." : `; there is ${names.slice(0, 8).join(", ")}.`}`;
  const scope = scopeOf(types, unknown);
  const faults: ConditionTrial["faults"] = [];
  const programs = conditions.map((text, row): Program | null => {
    try {
      return checked(text, scope);
    } catch (error) {
      if (!(error instanceof ConditionFault)) throw error;
      faults.push({ row, at: error.at, message: error.message });
      return null;
    }
  });
  const truths = samples.map((sample) => {
    const told = toldOf(sample, types);
    return programs.map((program) => (program === null ? null : truthOf(program, told)));
  });
  return { faults, truths };
}

function truthOf(program: Program, told: Map<string, Told>): boolean | null {
  try {
    return program(told) === true;
  } catch {
    return null;
  }
}

/** A value that the declared type does not have is left out: a condition has no answer of it. */
function toldOf(sample: Sample, types: ConditionTrialRequest["types"]): Map<string, Told> {
  return new Map(
    Object.entries(sample).flatMap(([name, value]): [string, Told][] => {
      const told = name in types ? as(types[name], value) : null;
      return told === null ? [] : [[name, told]];
    }),
  );
}

function as(type: PropertyType, value: Sample[string]): Told | null {
  if ((typeof value === "string") !== (type === "string")) return null;
  if (typeof value === "string") return value;
  if (type === "boolean") return Number(value) !== 0;
  if (type === "double") return Number(value);
  return Number.isInteger(Number(value)) ? BigInt(Number(value)) : null;
}
