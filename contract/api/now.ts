import { type Static, Type } from "typebox";
import { equipmentLevels } from "./equipment.ts";
import { itemStates, operationModes } from "./facts.ts";
import { AlarmTextSchema } from "./mapping-alarm.ts";
import { MicrosSchema, TimeInputSchema } from "./time.ts";

/** What many equipments are doing just now, in one answer: what an overview, a board on the wall and a line need to be drawn. */

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);

/** So many alarms of one equipment are told. */
export const alarmsMost = 20;

/** What the calendar says of the instant. `noCalendar`: nobody said when anything is planned. */
export const plansNow = ["shift", "break", "noShift", "noCalendar"] as const;
export type PlanNow = (typeof plansNow)[number];

const targetsSchema = Type.Record(Type.String(), Type.Number(), {
  description: "What numbers should reach here, by their names: its own targets, else inherited ones.",
});

/** A result without what it was made of. */
export const BriefResultSchema = Type.Object({
  state: Type.Enum(["provisional", "final"]),
  revision: Type.Integer({ description: "As of a result: more than 1 are corrections of a final number." }),
  cause: Type.String({ description: "For people: why it was computed last." }),
  values: Type.Record(Type.String(), orNull(Type.Number()), { description: "Those that were asked for, unrounded." }),
  coverage: orNull(Type.Number()),
  publishedUs: MicrosSchema,
  stale: Type.Boolean(),
});
export type BriefResult = Static<typeof BriefResultSchema>;

export const EquipmentNowSchema = Type.Object(
  {
    equipmentId: Type.Integer(),
    level: Type.Enum([...equipmentLevels]),
    path: Type.String(),
    timeZone: Type.String(),
    state: orNull(
      Type.Object(
        {
          itemState: orNull(Type.Enum([...itemStates])),
          operationMode: orNull(Type.Enum([...operationModes])),
          reason: Type.Integer({
            description:
              "Number of the reason that was given for it, else of the cause that the machine tells; 0: none.",
          }),
          given: Type.Boolean({ description: "Somebody gave the reason." }),
          sinceUs: MicrosSchema,
        },
        { description: "As the machine told last. A null itemState is unknown." },
      ),
    ),
    watermarkUs: Type.Unsafe<number | null>({
      ...orNull(MicrosSchema),
      description: "Up to when the state is known; null: nothing was ever heard of it, or it tells no state.",
    }),
    plan: Type.Enum([...plansNow]),
    shift: orNull(Type.Object({ id: Type.String(), name: Type.String(), fromUs: MicrosSchema, toUs: MicrosSchema })),
    order: orNull(
      Type.Object({
        order: Type.String(),
        operation: Type.String(),
        material: orNull(Type.String()),
        unit: Type.String(),
        quantity: Type.Number({ description: "Ordered." }),
        fromUs: MicrosSchema,
      }),
    ),
    targets: targetsSchema,
    alarms: Type.Object(
      {
        active: Type.Integer(),
        worst: Type.Array(
          Type.Object({
            tagId: Type.Integer(),
            property: Type.String(),
            code: Type.String(),
            severity: Type.Integer({ minimum: 1, maximum: 1000 }),
            text: orNull(AlarmTextSchema),
            sinceUs: MicrosSchema,
          }),
          { description: `The most severe, of equal ones the newest; ${alarmsMost} at most.` },
        ),
      },
      { description: "Alarms that are active just now." },
    ),
    worksByOrder: Type.Boolean({
      description: "Orders were executed on it in the last hours: without one it has nothing to do.",
    }),
    shiftResult: orNull(BriefResultSchema),
    orderResult: orNull(BriefResultSchema),
  },
  { $id: "EquipmentNow" },
);
export type EquipmentNow = Static<typeof EquipmentNowSchema>;

/** So many equipments are told in one answer, or named in one question, at most. */
export const nowMax = 2000;

export const nowRoutes = {
  listNow: {
    method: "GET",
    path: "/now",
    summary:
      "What equipment is doing just now: state and since when, shift, order, and an application's results of both; all that may be seen, or what lies below a path",
    permission: "read",
    query: Type.Object(
      {
        below: Type.Optional(Type.String({ maxLength: 1024, description: "A path: only equipment at or below it." })),
        equipmentId: Type.Optional(
          Type.Array(Type.Integer({ minimum: 1 }), {
            maxItems: nowMax,
            description: "Only these; those that may not be seen, or are not there, are left out.",
          }),
        ),
        application: Type.Optional(
          Type.String({
            pattern: "^[a-z][a-z0-9-]{0,63}$",
            description: "Whose results of the running shift and of the running order are told. Default: none.",
          }),
        ),
        value: Type.Optional(
          Type.Array(Type.String({ maxLength: 64 }), {
            maxItems: 100,
            description: "Names of the values that are wanted of a result. Default: all.",
          }),
        ),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: nowMax, description: "Default 2000." })),
        cursor: Type.Optional(Type.String({ maxLength: 512 })),
      },
      { additionalProperties: false },
    ),
    response: Type.Object({
      atUs: Type.Unsafe<number>({ ...MicrosSchema, description: "The server's time of this answer." }),
      items: Type.Array(EquipmentNowSchema, { description: "By path." }),
      cursor: Type.Union([Type.String(), Type.Null()]),
    }),
  },
  listTargetsInForce: {
    method: "GET",
    path: "/kpi-targets-in-force",
    summary:
      "What numbers should reach at equipment, by its own targets or by those of what it stands below, at a time",
    permission: "read",
    query: Type.Object(
      {
        equipmentId: Type.Array(Type.Integer({ minimum: 1 }), {
          maxItems: nowMax,
          description: "Those that may not be seen, or are not there, are left out.",
        }),
        at: Type.Optional(TimeInputSchema),
      },
      { additionalProperties: false },
    ),
    response: Type.Object({
      items: Type.Array(Type.Object({ equipmentId: Type.Integer(), targets: targetsSchema })),
    }),
  },
} as const;
