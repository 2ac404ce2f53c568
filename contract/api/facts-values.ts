import { type Static, Type } from "typebox";
import { type AlarmText, AlarmTextSchema } from "./mapping-alarm.ts";
import { type Micros, MicrosSchema } from "./time.ts";

/** Facts of tags that name something: identifiers (an order, a lot, a recipe) and alarms. What they name holds until the next one. */

/**
 * From `t` on the property tells `value`; null: nothing is known (before the first value, after a gap or a bad value until a good one tells, where no tag is bound).
 */
export interface IdentifierTransition {
  property: string;
  t: Micros;
  value: string | null;
}

/** From `t` on an alarm tag tells: `active` true: the alarm `code` is active, and no other of this tag; false: none is; null: nothing is known. */
export interface AlarmTransition {
  property: string;
  tagId: number;
  t: Micros;
  active: boolean | null;
  /** Null unless active, like `severity` and `text`. */
  code: string | null;
  /** As OPC UA, 1 to 1000. */
  severity: number | null;
  /** null: the mapping says none; then the tag's name has to do. */
  text: AlarmText | null;
  /** Number of a reason, by the mapping; 0: none. */
  cause: number;
}

/** An alarm of one tag from when it became active on; half-open. */
export interface AlarmInterval extends Pick<AlarmTransition, "property" | "tagId" | "text" | "cause"> {
  code: string;
  severity: number;
  /** null: since before facts are kept. */
  sinceUs: Micros | null;
  /** null: it is active. */
  untilUs: Micros | null;
}

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);

export const IdentifierColumnsSchema = Type.Object(
  {
    time: Type.Array(MicrosSchema),
    property: Type.Array(Type.String()),
    value: Type.Array(orNull(Type.String())),
  },
  { description: "Of each identifier property what holds at the start, then its changes. null is unknown." },
);

export const AlarmColumnsSchema = Type.Object(
  {
    time: Type.Array(MicrosSchema),
    property: Type.Array(Type.String()),
    tagId: Type.Array(Type.Integer()),
    active: Type.Array(orNull(Type.Boolean()), {
      description: "true: `code` is active, and no other of this tag. false: none is. null: unknown.",
    }),
    code: Type.Array(orNull(Type.String())),
    severity: Type.Array(orNull(Type.Integer({ minimum: 1, maximum: 1000 }))),
    text: Type.Array(orNull(AlarmTextSchema)),
    cause: Type.Array(Type.Integer()),
  },
  { description: "Of each alarm tag what holds at the start, then its changes." },
);

export const identifierColumns = (rows: readonly IdentifierTransition[]): Static<typeof IdentifierColumnsSchema> => ({
  time: rows.map(({ t }) => t),
  property: rows.map(({ property }) => property),
  value: rows.map(({ value }) => value),
});

export const alarmColumns = (rows: readonly AlarmTransition[]): Static<typeof AlarmColumnsSchema> => ({
  time: rows.map(({ t }) => t),
  property: rows.map(({ property }) => property),
  tagId: rows.map(({ tagId }) => tagId),
  active: rows.map(({ active }) => active),
  code: rows.map(({ code }) => code),
  severity: rows.map(({ severity }) => severity),
  text: rows.map(({ text }) => text),
  cause: rows.map(({ cause }) => cause),
});
