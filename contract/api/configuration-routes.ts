import { Type } from "typebox";
import { ConditionTrialRequestSchema, ConditionTrialSchema } from "./condition-trial.ts";
import { ConfigurationRevisionSchema, ConfigurationSchema, PlanSchema, TagImportSchema } from "./configuration.ts";
import { WriteReceiptSchema } from "./equipment.ts";

/** Rows of the route table. */
export const configurationRoutes = {
  importTags: {
    method: "POST",
    path: "/connections/{connection}/tags/import",
    summary: "Add or change tags by a table (CSV, or XLSX: its sheet `Tags`, else the first)",
    permission: "configure",
    params: Type.Object({ connection: Type.String({ minLength: 1, maxLength: 128 }) }, { additionalProperties: false }),
    query: Type.Object(
      {
        dryRun: Type.Optional(Type.Enum(["true", "false"], { description: "Say what would be done, and do nothing." })),
      },
      { additionalProperties: false },
    ),
    response: TagImportSchema,
  },

  getConfiguration: {
    method: "GET",
    path: "/configuration",
    summary: "All that was decided, as JSON or, by Accept, as YAML",
    permission: "configure",
    query: Type.Object(
      { revision: Type.Optional(Type.Integer({ minimum: 1, description: "As it was then. Default: as it is." })) },
      { additionalProperties: false },
    ),
    response: ConfigurationSchema,
  },
  planConfiguration: {
    method: "POST",
    path: "/configuration/plan",
    summary: "What applying a configuration would do",
    permission: "configure",
    content: ConfigurationSchema,
    response: PlanSchema,
  },
  applyConfiguration: {
    method: "PUT",
    path: "/configuration",
    summary: "Make the configuration this one, all of it or nothing (If-Match)",
    permission: "configure",
    content: ConfigurationSchema,
    response: Type.Object({ plan: PlanSchema, receipt: WriteReceiptSchema }),
  },
  tryConditions: {
    method: "POST",
    path: "/configuration/conditions/try",
    summary: "What conditions say of values, and where they are none; nothing is kept",
    permission: "configure",
    body: ConditionTrialRequestSchema,
    response: ConditionTrialSchema,
  },
  listConfigurationRevisions: {
    method: "GET",
    path: "/configuration/revisions",
    summary: "Changes of the configuration, newest first",
    permission: "configure",
    query: Type.Object(
      {
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: "Default 100." })),
        cursor: Type.Optional(Type.String({ maxLength: 512 })),
      },
      { additionalProperties: false },
    ),
    response: Type.Object({
      items: Type.Array(ConfigurationRevisionSchema),
      cursor: Type.Union([Type.String(), Type.Null()], { description: "For the next page; null: there is no more." }),
    }),
  },
} as const;
