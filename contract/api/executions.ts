import { type Static, Type } from "typebox";
import { identifierDimensions, identifierFindingCodes } from "./identifiers.ts";
import { MicrosSchema, TimeInputSchema } from "./time.ts";

/** What ran where and when: as people booked it, and as machines told it themselves. */

const closed = { additionalProperties: false } as const;
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const range = {
  fromUs: MicrosSchema,
  toUs: Type.Union([MicrosSchema, Type.Null()], { description: "null: until further notice." }),
};

export const ExecutionsSchema = Type.Object(
  {
    executions: Type.Array(
      Type.Object({
        ...range,
        order: Type.String(),
        operation: orNull(Type.String()),
        material: orNull(Type.String()),
        quantity: Type.Number({ description: "Ordered." }),
        unit: Type.String({ description: "UCUM" }),
        by: Type.Enum(["booking", "identifier"], {
          description: "booking: people or an ERP said so. identifier: the machine told it.",
        }),
      }),
      { description: "By their beginning." },
    ),
    materials: Type.Array(Type.Object({ ...range, material: Type.String(), unit: orNull(Type.String()) }), {
      description: "What the machine says it makes; it counts where no order runs, or the order names no material.",
    }),
  },
  { $id: "Executions" },
);
export type Executions = Static<typeof ExecutionsSchema>;

/** A value that cannot be taken at its word. */
export const IdentifierFindingSchema = Type.Object(
  {
    equipmentId: Type.Integer(),
    code: Type.Enum([...identifierFindingCodes]),
    dimension: Type.Enum([...identifierDimensions]),
    property: Type.String(),
    value: Type.String({ description: "As the rule reads it." }),
    id: Type.Union([Type.String(), Type.Null()], { description: "What it stands for; null: no look-up knows it." }),
    times: Type.Integer({ description: "Stretches of time in which it was told, of the time that facts are kept." }),
    lastFromUs: Type.Unsafe<number>({ ...MicrosSchema, description: "When the last of them began." }),
  },
  { $id: "IdentifierFinding" },
);
export type IdentifierFinding = Static<typeof IdentifierFindingSchema>;

export const executionRoutes = {
  listExecutions: {
    method: "GET",
    path: "/equipment/{id}/executions",
    summary: "What ran on an equipment in a range of at most 32 days: booked, or told by the machine",
    permission: "read",
    params: Type.Object({ id: Type.Integer({ minimum: 1 }) }, closed),
    query: Type.Object(
      {
        from: TimeInputSchema,
        to: TimeInputSchema,
        asOf: Type.Optional(
          Type.Integer({
            minimum: 1,
            description: "With orders, rules and look-ups as they were known at this place in the log.",
          }),
        ),
      },
      closed,
    ),
    response: ExecutionsSchema,
  },
  listIdentifierFindings: {
    method: "GET",
    path: "/identifier-findings",
    summary: "Values of identifiers that no look-up, or nobody, knows; those that were told last first; up to 1000",
    permission: "read",
    response: Type.Object({ items: Type.Array(IdentifierFindingSchema) }),
  },
} as const;
