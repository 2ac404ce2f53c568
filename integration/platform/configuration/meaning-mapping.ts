import { type ConfigurationProblem, configurationProblem, type Mapping, type StateRow } from "@lineshaft/contract/api";
import { ConditionFault, compileCondition, conditionsMax } from "../derivation/condition.ts";

/** What the conditions of a mapping say that cannot be. `base` is the pointer of the mapping. */
export function mappingProblems(mapping: Mapping | undefined, base: string): ConfigurationProblem[] {
  let conditions = 0;
  return (mapping?.states ?? []).flatMap((row, i) => {
    if (row.when === undefined) return [];
    conditions++;
    const at = `${base}/states/${i}`;
    if (conditions === conditionsMax + 1)
      return [
        configurationProblem("condition_invalid", `${at}/when`, `A mapping has at most ${conditionsMax} conditions.`),
      ];
    return conditions > conditionsMax ? [] : [...rowProblems(row, at), ...textProblems(row.when, `${at}/when`)];
  });
}

function rowProblems({ value, from, to }: StateRow, at: string): ConfigurationProblem[] {
  if (value === undefined && from === undefined && to === undefined) return [];
  const message = "A row with a condition has neither a value nor a range.";
  return [configurationProblem("request_invalid", at, message, "Put the comparison into `when`, or take `when` out.")];
}

function textProblems(text: string, at: string): ConfigurationProblem[] {
  try {
    compileCondition(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConditionFault)) throw error;
    const place = `At character ${error.at + 1} of ${JSON.stringify(shortened(text))}: ${error.message}`;
    return [configurationProblem("condition_invalid", at, place)];
  }
}

const shortened = (text: string): string => (text.length > 80 ? `${text.slice(0, 79)}…` : text);
