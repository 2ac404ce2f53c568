import {
  type ConditionRow,
  type ConditionTrialRequest,
  type Configuration,
  type Micros,
  type Model,
  type Property,
  parseTimeUs,
} from "@lineshaft/contract/api";
import { modelReference } from "../machines/models.ts";

/** Conditions over several properties, as far as they can be read without asking them: that is the server's. */

/** The properties of a model that conditions name, in the model's order. */
export function namedBy({ conditions = [] }: Property, properties: readonly Property[]): Property[] {
  // What stands in quotes is a text, and no name.
  const words = conditions.flatMap(({ when }) => when.replaceAll(/"[^"]*"|'[^']*'/g, " ").match(/[A-Za-z]\w*/g) ?? []);
  const named = new Set(words);
  return properties.filter(({ name }) => named.has(name));
}

/** What conditions of a property may name, and of which type: what has a tag and a value at any time. */
export const typesFor = (property: string, properties: readonly Property[]): ConditionTrialRequest["types"] =>
  Object.fromEntries(
    properties
      .filter(({ name, kind, conditions }) => name !== property && kind !== "pulse" && conditions === undefined)
      .map(({ name, type }) => [name, type ?? "double"]),
  );

/** The first that is true holds; while one before it has no answer, nothing does. null: none is true, or it cannot be known. */
export function firstTrue<T>(rows: readonly T[], truths: readonly (boolean | null)[] | undefined): T | null {
  for (const [i, row] of rows.entries()) {
    const truth = truths?.[i] ?? null;
    if (truth === null) return null;
    if (truth) return row;
  }
  return null;
}

/**
 * Other conditions for a property of machines. A published version of a model never changes, so they get a new one, and these machines with it; no conditions: the property is told by a
 * tag again.
 */
export function withConditions(
  configuration: Configuration,
  paths: readonly string[],
  property: string,
  conditions: readonly ConditionRow[],
): Configuration {
  const { models = [], equipment = [] } = configuration;
  const added: Model[] = [];
  const moved = new Map<string, string>();
  for (const path of paths) {
    const was = equipment.find((one) => one.path === path)?.model;
    const model = models.find((one) => modelReference(one) === was);
    if (was === undefined || model === undefined || moved.has(was)) continue;
    const next: Model = {
      ...model,
      version: nextVersion(model, models),
      properties: model.properties.map((one) => (one.name === property ? conditioned(one, conditions) : one)),
    };
    added.push(next);
    moved.set(was, modelReference(next));
  }
  return {
    ...configuration,
    models: [...models, ...added],
    equipment: equipment.map((one) => {
      const next = one.model !== undefined && paths.includes(one.path) ? moved.get(one.model) : undefined;
      return next === undefined ? one : { ...one, model: next };
    }),
  };
}

function conditioned(property: Property, conditions: readonly ConditionRow[]): Property {
  const { conditions: _, ...rest } = property;
  if (conditions.length === 0) return rest;
  // What conditions tell has no raw values that a table could speak of.
  const { mapping: _mapping, enum: _names, type: _type, ...bare } = rest;
  return { ...bare, conditions: [...conditions] };
}

/** The next patch that nobody has used. */
function nextVersion({ name, version }: Model, models: readonly Model[]): string {
  const [major, minor, patch] = version.split(".").map(Number);
  const taken = new Set(models.filter((one) => one.name === name).map((one) => one.version));
  let next = patch + 1;
  while (taken.has(`${major}.${minor}.${next}`)) next++;
  return `${major}.${minor}.${next}`;
}

/** Where the tag of a property stands at a time: its connection and address; null: nothing is bound then. */
export function boundTo(
  configuration: Configuration,
  path: string,
  property: string,
  at: Micros,
): { connection: string; address: string } | null {
  for (const { name: connection, tags = [] } of configuration.connections ?? [])
    for (const { address, equipment, bind = [] } of tags)
      for (const binding of bind) {
        const from = binding.validFrom === undefined ? null : parseTimeUs(binding.validFrom);
        const to = binding.validTo === undefined ? null : parseTimeUs(binding.validTo);
        const holds = (from === null || from <= at) && (to === null || at < to);
        if (holds && binding.property === property && (binding.equipment ?? equipment) === path)
          return { connection, address };
      }
  return null;
}
