import {
  type ConfigurationProblem,
  configurationProblem,
  type Property,
  type PropertyType,
} from "@lineshaft/contract/api";
import { ConditionFault, namesIn } from "../derivation/condition.ts";
import { checkJointCondition, namesMax } from "../derivation/joint-condition.ts";
import { didYouMean } from "./suggest.ts";

/** What the conditions of a property say that cannot be. `all`: the properties of its model; `base` is the pointer of the property. */
export function conditionProblems(property: Property, all: readonly Property[], base: string): ConfigurationProblem[] {
  const { name: own, kind, conditions } = property;
  if (conditions === undefined) return [];
  const at = `${base}/conditions`;
  if (kind !== "itemState" && kind !== "operationMode") {
    const message = `A property of kind ${kind} is not told by conditions.`;
    return [
      configurationProblem(
        "request_invalid",
        at,
        message,
        "Use the kind itemState or operationMode, or leave them out.",
      ),
    ];
  }
  const problems: ConfigurationProblem[] = [];
  for (const key of ["mapping", "enum", "type"] as const)
    if (property[key] !== undefined) {
      const message = `Conditions tell ${JSON.stringify(own)}, so it has no raw values for \`${key}\` to speak of.`;
      problems.push(configurationProblem("request_invalid", `${base}/${key}`, message, `Leave \`${key}\` out.`));
    }
  const others = new Map(all.map((other) => [other.name, other]));
  const types: Record<string, PropertyType> = {};
  for (const [name, other] of others) if (whyNot(name, other, own) === null) types[name] = other.type ?? "double";
  const unknown = (name: string): string => {
    const other = others.get(name);
    return other === undefined
      ? `The model has no property ${JSON.stringify(name)}.${didYouMean(name, Object.keys(types))}`
      : (whyNot(name, other, own) ?? "");
  };
  const named = new Set<string>();
  for (const [i, { when }] of conditions.entries()) {
    const problem = problemOf(when, `${at}/${i}/when`, types, unknown);
    if (problem !== null) problems.push(problem);
    for (const name of namesIn(when)) named.add(name);
  }
  const sum =
    named.size === 0
      ? "The conditions name no property, so there is no value that they could depend on."
      : named.size > namesMax
        ? `The conditions name ${named.size} properties; at most ${namesMax} are possible.`
        : null;
  if (sum !== null)
    problems.push(configurationProblem("condition_invalid", at, sum, `Name between 1 and ${namesMax} properties.`));
  return problems;
}

/** Why conditions cannot speak of a property; null: they can. */
function whyNot(name: string, { kind, conditions }: Property, own: string): string | null {
  if (name === own) return `${JSON.stringify(name)} would depend on itself.`;
  if (conditions !== undefined)
    return `${JSON.stringify(name)} is told by conditions itself; name the properties that have tags.`;
  return kind === "pulse" ? `${JSON.stringify(name)} is a pulse, which has no value between two pieces.` : null;
}

function problemOf(
  text: string,
  at: string,
  types: Readonly<Record<string, PropertyType>>,
  unknown: (name: string) => string,
): ConfigurationProblem | null {
  try {
    checkJointCondition(text, types, unknown);
    return null;
  } catch (error) {
    if (!(error instanceof ConditionFault)) throw error;
    const shown = text.length > 80 ? `${text.slice(0, 79)}…` : text;
    const place = `At character ${error.at + 1} of ${JSON.stringify(shown)}: ${error.message}`;
    const advice =
      "Compare properties of the model by name: numbers written like 5.0, whole ones of type int64 like 5.";
    return configurationProblem("condition_invalid", at, place, advice);
  }
}
