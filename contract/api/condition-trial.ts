import { type Static, Type } from "typebox";

/** Conditions as somebody types them, tried on values: what an editor shows beside them. Nothing is kept of it. */

const closed = { additionalProperties: false } as const;

export const ConditionTrialRequestSchema = Type.Object(
  {
    conditions: Type.Array(Type.String({ maxLength: 1000 }), {
      minItems: 1,
      maxItems: 50,
      description: "CEL expressions in their order, e.g. `spindle > 100.0 && !door`.",
    }),
    types: Type.Record(Type.String({ maxLength: 64 }), Type.Enum(["double", "int64", "boolean", "string"]), {
      maxProperties: 1000,
      description: "What they may name, and of which type. The value of the tag itself is `value`, a double.",
    }),
    samples: Type.Array(
      Type.Record(
        Type.String({ maxLength: 64 }),
        Type.Union([Type.Number(), Type.Boolean(), Type.String({ maxLength: 256 })]),
        { maxProperties: 16 },
      ),
      { maxItems: 200, description: "Values by name; what is not there is not known." },
    ),
  },
  { $id: "ConditionTrialRequest", ...closed },
);
export type ConditionTrialRequest = Static<typeof ConditionTrialRequestSchema>;

export const ConditionTrialSchema = Type.Object(
  {
    faults: Type.Array(
      Type.Object({
        row: Type.Integer({ description: "Which of the conditions, from 0 on." }),
        at: Type.Integer({ description: "The character at which it shows, from 0 on." }),
        message: Type.String(),
      }),
      { description: "At most one a condition." },
    ),
    truths: Type.Array(Type.Array(Type.Union([Type.Boolean(), Type.Null()])), {
      description:
        "Of each sample what each condition says; null: it has no answer, since a value is not known or it cannot be computed.",
    }),
  },
  { $id: "ConditionTrial" },
);
export type ConditionTrial = Static<typeof ConditionTrialSchema>;
