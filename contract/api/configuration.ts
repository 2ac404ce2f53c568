import { type Static, Type } from "typebox";
import { equipmentLevels, lifecycleStates, NameSchema, WriteReceiptSchema } from "./equipment.ts";
import { ConditionRowSchema, MappingSchema } from "./mapping.ts";
import { type ProblemCode, problemCatalogue } from "./problem.ts";

/**
 * A plant's configuration, version 1: what stands in files, what the console edits and what `/configuration` answers. Things are called by
 * their names and paths, never by ids. What a list leaves out is not there: applying a configuration removes it.
 */

const path = (description: string) => Type.String({ minLength: 1, maxLength: 1024, description });
const time = (description: string) => Type.String({ minLength: 1, maxLength: 40, description });
const UnitSchema = Type.String({ minLength: 1, maxLength: 64, description: "UCUM" });
const ModelReferenceSchema = Type.String({
  pattern: "^[A-Za-z][A-Za-z0-9_-]*@\\d+\\.\\d+\\.\\d+$",
  maxLength: 128,
  description: "A model and its version, e.g. `filler@1.0.0`.",
});
const FreeSchema = Type.Record(Type.String(), Type.Unknown(), {
  description: "By the schema of the connector's kind. Secrets are references.",
});

/** What a property of equipment means to the rules above it (DESIGN: tag kinds). */
export const propertyKinds = [
  "itemState",
  "operationMode",
  "counter",
  "pulse",
  "processValue",
  "alarm",
  "identifier",
] as const;
export type PropertyKind = (typeof propertyKinds)[number];

export const PropertySchema = Type.Object(
  {
    name: Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_]*$", maxLength: 64 }),
    kind: Type.Enum([...propertyKinds]),
    counts: Type.Optional(
      Type.Enum(["good", "scrap", "rework", "total"], { description: "What a counter or pulse counts." }),
    ),
    type: Type.Optional(Type.Enum(["double", "int64", "boolean", "string"])),
    unit: Type.Optional(UnitSchema),
    range: Type.Optional(
      Type.Array(Type.Number(), { minItems: 2, maxItems: 2, description: "Least and greatest value, both included." }),
    ),
    enum: Type.Optional(
      Type.Record(Type.String(), Type.String({ minLength: 1, maxLength: 128 }), {
        description: "What raw values mean, e.g. `3: Executing`.",
      }),
    ),
    mapping: Type.Optional(MappingSchema),
    conditions: Type.Optional(
      Type.Array(ConditionRowSchema, {
        minItems: 1,
        maxItems: 50,
        description:
          "Instead of a tag of its own: what an itemState or operationMode is by the values of other properties. The first that is true holds; while one before it cannot be known, nothing is.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type Property = Static<typeof PropertySchema>;
/** Of the values of a property; numbers where nothing is said, and a boolean is 0 or 1 then. */
export type PropertyType = NonNullable<Property["type"]>;

export const ModelSchema = Type.Object(
  {
    name: Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_-]*$", maxLength: 64 }),
    version: Type.String({
      pattern: "^\\d+\\.\\d+\\.\\d+$",
      maxLength: 32,
      description: "Once published, a version never changes.",
    }),
    properties: Type.Array(PropertySchema, { minItems: 1, maxItems: 1000 }),
  },
  { $id: "Model", additionalProperties: false },
);
export type Model = Static<typeof ModelSchema>;

export const EquipmentEntrySchema = Type.Object(
  {
    path: path("Names from the site down, joined by '/'."),
    level: Type.Enum(equipmentLevels.filter((level) => level !== "enterprise")),
    lifecycle: Type.Optional(Type.Enum([...lifecycleStates], { description: "Default: productive." })),
    model: Type.Optional(ModelReferenceSchema),
    was: Type.Optional(path("Its path until now: a rename or a move.")),
  },
  { additionalProperties: false },
);
export type EquipmentEntry = Static<typeof EquipmentEntrySchema>;

export const BindingEntrySchema = Type.Object(
  {
    property: Type.String({ minLength: 1, maxLength: 64, description: "A property of the equipment's model." }),
    equipment: Type.Optional(path("Default: the equipment of the tag.")),
    validFrom: Type.Optional(time("RFC 3339 with a zone. Default: ever since there are values.")),
    validTo: Type.Optional(time("RFC 3339 with a zone, not included. Default: until further notice.")),
    mapping: Type.Optional(MappingSchema),
  },
  { additionalProperties: false },
);
export type BindingEntry = Static<typeof BindingEntrySchema>;

export const TagEntrySchema = Type.Object(
  {
    address: Type.String({ minLength: 1, maxLength: 512, description: "The source's own name of the tag." }),
    name: Type.Optional(NameSchema),
    equipment: Type.Optional(path("What it belongs to; a former path is understood too.")),
    unit: Type.Optional(UnitSchema),
    class: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: "One of the connection's `classes`." }),
    ),
    options: Type.Optional(FreeSchema),
    behaviour: Type.Optional(
      Type.Enum(["state", "event"], {
        description: "`event`: each row is an occurrence, and no value stands between. Default: state.",
      }),
    ),
    bind: Type.Optional(
      Type.Array(BindingEntrySchema, { maxItems: 100, description: "What the values mean, and since when." }),
    ),
  },
  { additionalProperties: false },
);
export type TagEntry = Static<typeof TagEntrySchema>;

export const TagSamplingSchema = Type.Object(
  {
    samplingMs: Type.Number({ minimum: 0, maximum: 86_400_000, description: "Milliseconds between two values." }),
    queueSize: Type.Integer({ minimum: 1, maximum: 100_000, description: "Values kept between two deliveries." }),
  },
  { additionalProperties: false },
);

/** What a connection may bring by itself unless it says otherwise. */
export const defaultConnectionTagQuota = 200_000;

export const ConnectionEntrySchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 128, pattern: "^[A-Za-z0-9][A-Za-z0-9._-]*$" }),
    kind: Type.String({
      minLength: 1,
      maxLength: 64,
      description: "Kind of connector, e.g. `http`, `opcua`, `modbus`.",
    }),
    scope: Type.Optional(
      Type.String({ maxLength: 1024, description: "Path whose readers see its tags. Default: the whole enterprise." }),
    ),
    corrections: Type.Optional(Type.Boolean({ description: "May it replace values it sent before? Default: no." })),
    tagQuota: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    config: Type.Optional(FreeSchema),
    classes: Type.Optional(Type.Record(Type.String(), TagSamplingSchema)),
    tags: Type.Optional(Type.Array(TagEntrySchema, { maxItems: 1_000_000 })),
  },
  { additionalProperties: false },
);
export type ConnectionEntry = Static<typeof ConnectionEntrySchema>;

export const ConfigurationSchema = Type.Object(
  {
    version: Type.Literal(1),
    enterprise: Type.Optional(
      Type.String({ minLength: 1, maxLength: 512, description: "Name of the enterprise. Left out: it stays." }),
    ),
    models: Type.Optional(Type.Array(ModelSchema, { maxItems: 10_000 })),
    equipment: Type.Optional(Type.Array(EquipmentEntrySchema, { maxItems: 100_000 })),
    connections: Type.Optional(Type.Array(ConnectionEntrySchema, { maxItems: 10_000 })),
  },
  { $id: "Configuration", additionalProperties: false },
);
export type Configuration = Static<typeof ConfigurationSchema>;

/** One mistake in a configuration: where, what and why, and what to do about it. */
export interface ConfigurationProblem {
  code: ProblemCode;
  /** JSON pointer into the configuration; "" where the text is none yet. */
  path: string;
  /** Absent where the configuration did not come as text. Line and column count from 1. */
  file?: string;
  line?: number;
  column?: number;
  message: string;
  action: string;
}

/** A problem with the catalogue's own advice, unless there is better. */
export function configurationProblem(
  code: ProblemCode,
  path: string,
  message: string,
  action: string = problemCatalogue[code].action,
): ConfigurationProblem {
  return { code, path, message, action };
}

export const planActions = ["create", "change", "rename", "remove"] as const;
export const planEntities = ["enterprise", "model", "equipment", "connection", "tag", "binding"] as const;

export const PlanItemSchema = Type.Object({
  action: Type.Enum([...planActions]),
  entity: Type.Enum([...planEntities]),
  name: Type.String({ description: "Path, name, or connection and address." }),
  changes: Type.Array(Type.Object({ field: Type.String(), from: Type.Unknown(), to: Type.Unknown() })),
  loses: Type.Optional(Type.String({ description: "What goes with it, in plain words." })),
});
export type PlanItem = Static<typeof PlanItemSchema>;

export const PlanSchema = Type.Object(
  {
    items: Type.Array(PlanItemSchema, { description: "In the order of execution; the first 1,000." }),
    counts: Type.Object({
      create: Type.Integer(),
      change: Type.Integer(),
      rename: Type.Integer(),
      remove: Type.Integer(),
    }),
    revision: Type.Integer({ description: "The revision that the plan was made for; give it as If-Match." }),
  },
  { $id: "ConfigurationPlan" },
);
export type Plan = Static<typeof PlanSchema>;

export const ConfigurationRevisionSchema = Type.Object(
  {
    revision: Type.Integer({
      description: "Give it to `GET /configuration?revision=` to see it, and that to PUT to go back.",
    }),
    changedUs: Type.Integer(),
    actor: Type.String(),
    changes: Type.Integer({ description: "How many things it changed." }),
  },
  { $id: "ConfigurationRevision" },
);
export type ConfigurationRevision = Static<typeof ConfigurationRevisionSchema>;

export const TagImportSchema = Type.Object(
  {
    rows: Type.Integer({ description: "Rows of the table, the one with the names not counted." }),
    format: Type.Enum(["csv", "xlsx"]),
    encoding: Type.Union([Type.Enum(["utf-8", "windows-1252"]), Type.Null()], { description: "null: a workbook." }),
    separator: Type.Union([Type.String(), Type.Null()], { description: "null: a workbook." }),
    sheet: Type.Union([Type.String(), Type.Null()], { description: "The sheet that was read; null: no workbook." }),
    plan: PlanSchema,
    receipt: Type.Union([WriteReceiptSchema, Type.Null()], { description: "null: nothing was written." }),
  },
  { $id: "TagImport" },
);
export type TagImport = Static<typeof TagImportSchema>;
