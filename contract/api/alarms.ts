import { type Static, Type } from "typebox";
import { MicrosSchema, TimeInputSchema } from "./time.ts";

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);

/** An alarm of a machine from when it became active until it was no longer. */
export const AlarmSchema = Type.Object(
  {
    equipmentId: Type.Integer(),
    path: Type.String(),
    property: Type.String(),
    tagId: Type.Integer(),
    code: Type.String(),
    text: Type.Object(
      { en: Type.String(), de: Type.String() },
      { description: "By the mapping; where it says none, the tag's name." },
    ),
    severity: Type.Integer({ minimum: 1, maximum: 1000, description: "As OPC UA: 1 least, 1000 most." }),
    cause: Type.Integer({ description: "Number of the reason that the mapping names for it; 0: none." }),
    sinceUs: orNull(Type.Unsafe<number>({ ...MicrosSchema, description: "null: since before facts are kept." })),
    untilUs: orNull(
      Type.Unsafe<number>({
        ...MicrosSchema,
        description: "null: it is active. Also where it became unknown whether it still was: the source was lost.",
      }),
    ),
  },
  { $id: "Alarm" },
);
export type Alarm = Static<typeof AlarmSchema>;

export const alarmRoutes = {
  listAlarms: {
    method: "GET",
    path: "/facts/alarms",
    summary: "Alarms: those that are active now, or were at any time of a range; the newest first",
    permission: "read",
    query: Type.Object(
      {
        equipment: Type.Optional(Type.String({ maxLength: 1024, description: "Path: at it and below." })),
        from: Type.Optional(TimeInputSchema),
        to: Type.Optional(TimeInputSchema),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: "Default 100." })),
        cursor: Type.Optional(Type.String({ maxLength: 512 })),
      },
      { additionalProperties: false, description: "Without `from` and `to`: what is active now." },
    ),
    response: Type.Object({ items: Type.Array(AlarmSchema), cursor: orNull(Type.String()) }),
  },
} as const;
