import {
  type ConfigurationProblem,
  ConfigurationSchema,
  ConnectionEntrySchema,
  configurationProblem,
  EquipmentEntrySchema,
  ModelSchema,
  TagEntrySchema,
} from "@lineshaft/contract/api";
import type { TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import { Clone, Default } from "typebox/value";
import { readPointer } from "./source.ts";
import { didYouMean } from "./suggest.ts";

type JsonSchema = {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  patternProperties?: Record<string, JsonSchema>;
  enum?: unknown[];
  description?: string;
};
type ShapeError = ReturnType<Validator["Errors"]>[number];

const compiled = new WeakMap<TSchema, Validator>();

/** Where `value` does not have the schema's shape: the first few places. `base` is the pointer of `value` itself. */
export function shapeProblems(schema: TSchema, value: unknown, base = ""): ConfigurationProblem[] {
  let validator = compiled.get(schema);
  if (validator === undefined) {
    validator = Compile(schema) as Validator;
    compiled.set(schema, validator);
  }
  if (validator.Check(value)) return [];
  const problems = validator.Errors(value).flatMap((error) => problemsOf(error, schema as JsonSchema, value, base));
  if (problems.length === 0)
    problems.push(configurationProblem("request_invalid", base, "It does not have its shape."));
  return problems;
}

/** The same after the schema's defaults are put in, as the connector that owns the schema does. */
export function ownShapeProblems(schema: TSchema, value: object, base: string): ConfigurationProblem[] {
  return shapeProblems(schema, Default(schema, Clone(value)), base);
}

function problemsOf(error: ShapeError, schema: JsonSchema, root: unknown, base: string): ConfigurationProblem[] {
  const path = base + error.instancePath;
  const steps = readPointer(error.instancePath);
  const here = schemaAt(schema, steps);
  // Each unknown key comes as a value that no schema allows, and then once more in a list of all of them.
  if (error.keyword === "additionalProperties") return [];
  if (error.keyword === "boolean") {
    const key = steps.at(-1) ?? "";
    const known = Object.keys(schemaAt(schema, steps.slice(0, -1))?.properties ?? {});
    const meant = didYouMean(key, known);
    const list = known.length === 0 ? "" : ` There are: ${known.join(", ")}.`;
    const message = `There is no key ${JSON.stringify(key.slice(0, 80))} here.${meant === "" ? list : meant}`;
    return [configurationProblem("key_unknown", path, message)];
  }
  const { requiredProperties } = error.params as { requiredProperties?: string[] };
  if (requiredProperties !== undefined) {
    const keys = requiredProperties.join(", ");
    return [configurationProblem("request_invalid", path, `${keys} is missing.`, `Add ${keys}.`)];
  }
  const value = valueAt(root, steps);
  const shown = JSON.stringify(value)?.slice(0, 80) ?? "nothing";
  const help = here?.description === undefined ? "" : ` (${here.description.replace(/\.$/, "")})`;
  if (here?.enum !== undefined) {
    const meant = didYouMean(String(value), here.enum.map(String));
    const message = `${shown} is none of ${here.enum.join(", ")}.${meant}`;
    return [configurationProblem("request_invalid", path, message, "Use one of them.")];
  }
  const { allowedValue } = error.params as { allowedValue?: unknown };
  if (allowedValue !== undefined)
    return [
      configurationProblem("request_invalid", path, `${shown} is not ${allowedValue}.`, `Write ${allowedValue}.`),
    ];
  return [configurationProblem("request_invalid", path, `${shown} ${error.message}${help}.`, "Correct the value.")];
}

function schemaAt(schema: JsonSchema | undefined, steps: readonly string[]): JsonSchema | undefined {
  let here = schema;
  for (const step of steps)
    here = here?.properties?.[step] ?? here?.items ?? Object.values(here?.patternProperties ?? {})[0];
  return here;
}

function valueAt(root: unknown, steps: readonly string[]): unknown {
  let here = root;
  for (const step of steps) here = (here as Record<string, unknown> | null | undefined)?.[step];
  return here;
}

const sections = { models: ModelSchema, equipment: EquipmentEntrySchema, connections: ConnectionEntrySchema };

/** The same for a whole configuration, item by item, so that one bad table does not hide the next. */
export function configurationShapeProblems(value: unknown): ConfigurationProblem[] {
  const whole = shapeProblems(ConfigurationSchema, value);
  if (whole.length === 0 || typeof value !== "object" || value === null) return whole;
  const lists = Object.entries(sections).filter(([key]) => Array.isArray((value as Record<string, unknown>)[key]));
  const emptied = Object.fromEntries(lists.map(([key]) => [key, []]));
  const items = lists.flatMap(([key, schema]) =>
    ((value as Record<string, unknown>)[key] as unknown[]).flatMap((item, i) =>
      itemProblems(schema, item, `/${key}/${i}`),
    ),
  );
  const problems = [...shapeProblems(ConfigurationSchema, { ...value, ...emptied }), ...items];
  return problems.length > 0 ? problems : whole;
}

function itemProblems(schema: TSchema, item: unknown, base: string): ConfigurationProblem[] {
  const { tags } = (item ?? {}) as { tags?: unknown };
  if (schema !== ConnectionEntrySchema || !Array.isArray(tags)) return shapeProblems(schema, item, base);
  const own = shapeProblems(schema, { ...(item as object), tags: [] }, base);
  return [...own, ...tags.flatMap((tag, i) => shapeProblems(TagEntrySchema, tag, `${base}/tags/${i}`))];
}
