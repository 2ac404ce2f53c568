import { type Static, Type } from "typebox";
import { ShiftOccurrenceSchema } from "./calendar.ts";
import { ExecutionsSchema } from "./executions.ts";
import { MachineFactsSchema } from "./facts.ts";
import { AnnotationSchema, recordedSchema } from "./master-data.ts";
import { TimeInputSchema } from "./time.ts";

/** What many machines did beside one another, in one answer: the lanes of a line. Numbers are no part of it; they are an application's. */

/** So many machines are told in one answer. */
export const timelinesMost = 200;
/** And so many days of all of them together. */
export const timelineDaysMost = 800;

const facts = MachineFactsSchema.properties;

export const TimelineSchema = Type.Object(
  {
    equipmentId: facts.equipmentId,
    fromUs: facts.fromUs,
    toUs: facts.toUs,
    states: facts.states,
    alarms: facts.alarms,
    watermarkUs: facts.watermarkUs,
    shifts: Type.Array(ShiftOccurrenceSchema),
    executions: ExecutionsSchema.properties.executions,
    annotations: Type.Array(recordedSchema(AnnotationSchema), { description: "What people said of its time." }),
  },
  { $id: "Timeline" },
);
export type Timeline = Static<typeof TimelineSchema>;

export const timelineRoutes = {
  listTimelines: {
    method: "GET",
    path: "/timelines",
    summary:
      "States and alarms of many machines beside one another, with their shifts, what ran on them and what people said",
    permission: "read",
    query: Type.Object(
      {
        equipmentId: Type.Array(Type.Integer({ minimum: 1 }), {
          minItems: 1,
          maxItems: timelinesMost,
          description: `Those that may not be seen, or are not there, are left out. At most ${timelineDaysMost} days of all of them together.`,
        }),
        from: TimeInputSchema,
        to: TimeInputSchema,
      },
      { additionalProperties: false },
    ),
    response: Type.Object({ items: Type.Array(TimelineSchema, { description: "In the order of the question." }) }),
  },
} as const;
