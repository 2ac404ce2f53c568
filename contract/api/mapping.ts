import { type Static, Type } from "typebox";
import { itemStates, operationModes } from "./facts.ts";
import { AlarmOptionsSchema } from "./mapping-alarm.ts";

/**
 * What raw values of a bound tag mean, as data: a table for states and modes, the way a counter counts, what a pulse is. It stands with a binding,
 * is dated with it, and may be changed afterwards: facts are then derived again from what was recorded.
 */

/** Tables that come with the product. */
export const statePresets = [
  "machineryItemState",
  "machineryOperationMode",
  "packml",
  "packmlUnitMode",
  "mtconnectExecution",
  "weihenstephanState",
  "weihenstephanProgram",
  "running",
] as const;
export type StatePreset = (typeof statePresets)[number];

const meaning = {
  itemState: Type.Optional(
    Type.Enum([...itemStates, "unknown"], { description: "OPC 40001-1 MachineryItemState; `unknown` says nothing." }),
  ),
  operationMode: Type.Optional(Type.Enum([...operationModes], { description: "OPC 40001-1 MachineryOperationMode." })),
  cause: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 33_554_431, description: "Number of a reason; 0 is none." }),
  ),
};

export const StateMeaningSchema = Type.Object(meaning, { additionalProperties: false });
export type StateMeaning = Static<typeof StateMeaningSchema>;

export const StateRowSchema = Type.Object(
  {
    value: Type.Optional(
      Type.Union([Type.Number(), Type.Boolean(), Type.String({ minLength: 1, maxLength: 256 })], {
        description: "This value exactly. Text is compared as it is.",
      }),
    ),
    from: Type.Optional(Type.Number({ description: "Numbers from here on, included." })),
    to: Type.Optional(Type.Number({ description: "Numbers below this." })),
    when: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1000,
        description:
          "Instead of a value or a range: numbers for which this CEL expression over `value` is true, e.g. `value > 5.0 && value < 20.0`.",
      }),
    ),
    ...meaning,
  },
  { additionalProperties: false },
);
export type StateRow = Static<typeof StateRowSchema>;

export const ConditionRowSchema = Type.Object(
  {
    when: Type.String({
      minLength: 1,
      maxLength: 1000,
      description:
        "A CEL expression over other properties of the model, by name and declared type, e.g. `spindle > 100.0 && !door`. `true`: always.",
    }),
    ...meaning,
  },
  { additionalProperties: false },
);
export type ConditionRow = Static<typeof ConditionRowSchema>;

/** After what value a counter begins anew. */
export const counterWidths = ["int16", "uint16", "int32", "uint32", "bcd16", "bcd32"] as const;

export const CounterOptionsSchema = Type.Object(
  {
    width: Type.Optional(
      Type.Enum([...counterWidths], { description: "The register's width. Default: it never begins anew." }),
    ),
    rolloverAt: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: "The value that is 0 again, where the program sets one." }),
    ),
    maxPerSecond: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: "More a second is not believed. Default: no limit upwards." }),
    ),
    sampling: Type.Optional(
      Type.Enum(["onChange", "sampled"], {
        description:
          "`onChange`: the count is at its time. `sampled`: it lies since the last sample. Default: onChange.",
      }),
    ),
    samplingMs: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 86_400_000,
        description: "Milliseconds between two samples. What is not told at one has not changed.",
      }),
    ),
    glitchWindowMs: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 3_600_000,
        description: "How long an implausible value waits for the next one. Default: 10 000.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type CounterOptions = Static<typeof CounterOptionsSchema>;

export const PulseOptionsSchema = Type.Object(
  {
    edge: Type.Optional(
      Type.Enum(["each", "rising", "falling"], {
        description: "`each`: every row is a piece. `rising`, `falling`: a change of the level is. Default: each.",
      }),
    ),
    stopAfterCycles: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 10_000,
        description: "No piece for so many ideal cycles is a stop. Default: 3.",
      }),
    ),
    idealCycleMs: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 86_400_000,
        description: "Used while no order tells the ideal cycle.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type PulseOptions = Static<typeof PulseOptionsSchema>;

export const MappingSchema = Type.Object(
  {
    preset: Type.Optional(Type.Enum([...statePresets])),
    states: Type.Optional(
      Type.Array(StateRowSchema, {
        maxItems: 1000,
        description: "Rows of one's own. The first that applies wins; then come the preset's.",
      }),
    ),
    otherwise: Type.Optional(StateMeaningSchema),
    deadBand: Type.Optional(
      Type.Number({ minimum: 0, description: "A number that differs less from the one in force changes nothing." }),
    ),
    counter: Type.Optional(CounterOptionsSchema),
    pulse: Type.Optional(PulseOptionsSchema),
    alarm: Type.Optional(AlarmOptionsSchema),
  },
  { additionalProperties: false },
);
export type Mapping = Static<typeof MappingSchema>;
