import { type Static, Type } from "typebox";
import { localTimeRules } from "./calendar-zone.ts";
import { MicrosSchema } from "./time.ts";

/**
 * A shift calendar as people write it (wall-clock times, a rotation, holidays), and what it comes to: shift occurrences in time. "Day" means production day
 * everywhere: the date a shift counts for, whatever the clock says.
 */

const name = (description: string) =>
  Type.String({ minLength: 1, maxLength: 128, pattern: "^[^/\\u0000-\\u001f]+$", description });
const clock = "^([01]\\d|2[0-3]):[0-5]\\d$";
const clockTime = Type.String({ pattern: clock, description: "Wall-clock time, e.g. 06:00." });
export const DaySchema = Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2}$", description: "A date, e.g. 2026-11-26." });

export const ShiftDefinitionSchema = Type.Object(
  {
    name: name("Unique in its calendar."),
    start: clockTime,
    end: Type.String({ pattern: clock, description: "At or before the start: on the next day." }),
    breaks: Type.Array(
      Type.Object(
        {
          name: Type.Optional(name("What the break is called.")),
          start: clockTime,
          minutes: Type.Integer({ minimum: 1, maximum: 1440 }),
        },
        { additionalProperties: false },
      ),
      { maxItems: 24 },
    ),
    productionDay: Type.Optional(
      Type.Enum(["start", "end"], {
        description: "The date that the shift counts for: the one it starts on (default) or the one it ends on.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type ShiftDefinition = Static<typeof ShiftDefinitionSchema>;

const WorkedShiftSchema = Type.Object(
  { shift: name("A shift of the calendar."), crew: Type.Optional(name("Who works it.")) },
  { additionalProperties: false },
);
export type WorkedShift = Static<typeof WorkedShiftSchema>;

export const ShiftCalendarSchema = Type.Object(
  {
    name: name("Unique."),
    timeZone: Type.String({ maxLength: 64, description: "IANA name, e.g. Europe/Berlin." }),
    shifts: Type.Array(ShiftDefinitionSchema, { maxItems: 50 }),
    rotation: Type.Object(
      {
        anchor: DaySchema,
        days: Type.Array(Type.Array(WorkedShiftSchema, { maxItems: 24 }), {
          minItems: 1,
          maxItems: 366,
          description:
            "What is worked on each production day, from the anchor on, again and again. Seven days make a week.",
        }),
      },
      { additionalProperties: false },
    ),
    holidays: Type.Array(Type.Object({ day: DaySchema, name: name("Its name.") }, { additionalProperties: false }), {
      maxItems: 1000,
      description: "Production days on which nothing is worked.",
    }),
    exceptions: Type.Array(
      Type.Object(
        { day: DaySchema, shifts: Type.Array(WorkedShiftSchema, { maxItems: 24 }) },
        { additionalProperties: false },
      ),
      { maxItems: 1000, description: "Production days on which something else is worked; they win over holidays." },
    ),
  },
  { $id: "ShiftCalendar", additionalProperties: false },
);
export type ShiftCalendar = Static<typeof ShiftCalendarSchema>;

/** A wall-clock time of a shift that the clock showed twice or not at all, and what became of it. */
const ResolvedTimeSchema = Type.Object({
  what: Type.Enum(["start", "end", "break"]),
  local: Type.String({ description: "The time on the wall, e.g. 2026-03-29T02:30." }),
  rule: Type.Enum([...localTimeRules]),
});
export type ResolvedTime = Static<typeof ResolvedTimeSchema>;

const BreakSchema = Type.Object({
  name: Type.Union([Type.String(), Type.Null()]),
  fromUs: MicrosSchema,
  toUs: MicrosSchema,
});

/** One shift as it was or will be worked: [fromUs, toUs), its breaks in it, in order and apart. */
export const ShiftOccurrenceSchema = Type.Object(
  {
    id: Type.String({ description: "calendar/production day/shift" }),
    calendar: Type.String(),
    name: Type.String(),
    crew: Type.Union([Type.String(), Type.Null()]),
    productionDay: DaySchema,
    fromUs: MicrosSchema,
    toUs: MicrosSchema,
    breaks: Type.Array(BreakSchema),
    resolved: Type.Array(ResolvedTimeSchema, {
      description: "Times that a change of the clock made ambiguous or non-existent, and the rule that decided.",
    }),
  },
  { $id: "ShiftOccurrence" },
);
export type ShiftOccurrence = Static<typeof ShiftOccurrenceSchema>;
