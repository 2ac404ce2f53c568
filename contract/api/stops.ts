import { type Static, Type } from "typebox";
import { MicrosSchema, TimeInputSchema } from "./time.ts";
import { timeClasses } from "./time-class.ts";

const closed = { additionalProperties: false } as const;
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);

/** At most so many stops in one answer. */
export const stopsMax = 1000;

/** A stop of a machine, or planned time whose state nobody knows, with the losses that its time went to. */
export const MachineStopSchema = Type.Object(
  {
    equipmentId: Type.Integer(),
    fromUs: Type.Unsafe<number>({
      ...MicrosSchema,
      description: "Its own beginning, which may lie before what was asked.",
    }),
    toUs: orNull(MicrosSchema),
    micro: Type.Boolean({ description: "Shorter than the policy's threshold over its whole length." }),
    us: Type.Integer({ description: "Time of the parts: what of it lies in the range and fits the query, µs." }),
    parts: Type.Array(
      Type.Object({
        fromUs: MicrosSchema,
        toUs: MicrosSchema,
        timeClass: Type.Enum([...timeClasses]),
        reason: orNull(Type.Integer()),
      }),
      { description: "In order. reason null: the state is unknown." },
    ),
    comments: Type.Array(Type.String(), { description: "What people wrote of it." }),
  },
  { $id: "MachineStop" },
);
export type MachineStop = Static<typeof MachineStopSchema>;

export const stopRoutes = {
  listStops: {
    method: "GET",
    path: "/stops",
    summary:
      "Stops of the machines at and below an equipment under their orders, shifts and reasons, the longest or the newest first; at most 31 days",
    permission: "read",
    query: Type.Object(
      {
        equipmentId: Type.Integer({ minimum: 1, description: "A work unit, or whatever stands above." }),
        from: TimeInputSchema,
        to: TimeInputSchema,
        timeClass: Type.Optional(
          Type.Array(Type.Enum([...timeClasses]), {
            maxItems: timeClasses.length,
            description: "Only time of these classes. Default: all planned time but unknown.",
          }),
        ),
        reason: Type.Optional(
          Type.Array(Type.Integer(), { maxItems: 200, description: "Only time with one of these reasons." }),
        ),
        micro: Type.Optional(Type.Enum(["only", "without"], { description: "Default: all stops." })),
        leastUs: Type.Optional(
          Type.Integer({ minimum: 0, description: "Only stops with at least so much such time." }),
        ),
        sort: Type.Optional(Type.Enum(["longest", "newest"], { description: "Default longest." })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: stopsMax, description: "Default 200." })),
      },
      closed,
    ),
    response: Type.Object({
      items: Type.Array(MachineStopSchema),
      total: Type.Integer({ description: "So many fit." }),
      us: Type.Integer({ description: "Time of all that fit, µs." }),
    }),
  },
} as const;
