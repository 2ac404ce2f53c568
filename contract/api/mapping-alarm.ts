import { type Static, Type } from "typebox";

/**
 * What the values of an alarm tag mean, as data. Without any of it a tag is one alarm, active while it is true or not 0, or tells the code of the alarm that is active,
 * with 0 or "" for none: the value itself is then the code.
 */

/** What people read of an alarm, by language. */
export const AlarmTextSchema = Type.Object(
  {
    en: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    de: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  },
  { additionalProperties: false },
);
export type AlarmText = Static<typeof AlarmTextSchema>;

/** How severe an alarm is that nobody has judged: the middle of OPC UA's scale. */
export const defaultSeverity = 500;

const said = {
  text: Type.Optional(AlarmTextSchema),
  severity: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: "As OPC UA: 1 least, 1000 most. Default: 500." }),
  ),
  cause: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 33_554_431,
      description: "Number of the reason that is proposed for a stop with this alarm; 0 is none.",
    }),
  ),
};
const CodeSchema = Type.String({ minLength: 1, maxLength: 128 });

export const AlarmRowSchema = Type.Object(
  {
    value: Type.Optional(
      Type.Union([Type.Number(), Type.Boolean(), Type.String({ maxLength: 256 })], {
        description: "This value exactly, as text: 17 and `17` are the same, true is 1.",
      }),
    ),
    from: Type.Optional(Type.Number({ description: "Numbers from here on, included." })),
    to: Type.Optional(Type.Number({ description: "Numbers below this." })),
    active: Type.Optional(Type.Boolean({ description: "false: no alarm at this value. Default: true." })),
    code: Type.Optional({
      ...CodeSchema,
      description: "Which alarm it is. Default: the value, or the range. Rows with one code are one alarm.",
    }),
    ...said,
  },
  { additionalProperties: false },
);
export type AlarmRow = Static<typeof AlarmRowSchema>;

export const AlarmOptionsSchema = Type.Object(
  {
    ...said,
    code: Type.Optional({ ...CodeSchema, description: "One alarm, whatever the value; not for rows." }),
    rows: Type.Optional(
      Type.Array(AlarmRowSchema, {
        maxItems: 1000,
        description: "The first that applies wins. What a row does not say, stands beside the rows.",
      }),
    ),
    otherwise: Type.Optional(
      Type.Enum(["value", "none"], {
        description: "Values without a row: the alarm of that value, or none. Default: `value`.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type AlarmOptions = Static<typeof AlarmOptionsSchema>;

/** A value of an identifier or alarm tag as text: numbers in their shortest decimal form, int64 exact, a boolean is 1 or 0. */
export const exactText = (value: number | bigint | boolean | string): string =>
  typeof value === "boolean" ? (value ? "1" : "0") : String(value);

/** The code of the alarm that a value says is active; null: none is. */
export function alarmCode({ code, rows = [], otherwise = "value" }: AlarmOptions, value: string): string | null {
  for (const row of rows) if (holds(row, value)) return row.active === false ? null : codeOf(row);
  if (otherwise === "none" || value === "" || value === "0") return null;
  return code ?? value;
}

/** What an alarm says of itself: the first row of its code, and where that is silent the options. */
export function alarmMeaning(
  { rows = [], ...all }: AlarmOptions,
  code: string,
): { severity: number; text: AlarmText | null; cause: number } {
  const row = rows.find((each) => each.active !== false && codeOf(each) === code);
  return {
    severity: row?.severity ?? all.severity ?? defaultSeverity,
    text: row?.text ?? all.text ?? null,
    cause: row?.cause ?? all.cause ?? 0,
  };
}

const codeOf = ({ code, value, from, to }: AlarmRow): string =>
  code ?? (value === undefined ? `${from ?? ""}..${to ?? ""}` : exactText(value));

function holds({ value, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: AlarmRow, text: string) {
  if (value !== undefined) return exactText(value) === text;
  const number = text.trim() === "" ? Number.NaN : Number(text);
  return number >= from && number < to;
}
