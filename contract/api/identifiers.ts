import { type Static, Type } from "typebox";
import { MicrosSchema } from "./time.ts";

/**
 * What a machine says of its own work: values of properties of the kind `identifier` (an order number, a recipe, a mould) and what they stand for. A rule says which property
 * drives which dimension of the context, a look-up translates what the machine says into ids of the plant. Both are dated: what a value meant then stays.
 */

const closed = { additionalProperties: false } as const;
const text = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description });
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const valid = {
  fromUs: MicrosSchema,
  toUs: Type.Union([MicrosSchema, Type.Null()], { description: "null: until further notice." }),
};

/** What an identifier may tell. `tool`: a physical asset that is mounted. */
export const identifierDimensions = ["order", "operation", "material", "tool"] as const;
export type IdentifierDimension = (typeof identifierDimensions)[number];
const dimension = Type.Enum([...identifierDimensions]);

/** Which identifier of a machine tells a dimension, for an equipment and all below it that has no rule of its own for it. */
export const IdentifierRuleSchema = Type.Object(
  {
    equipmentId: Type.Integer({ minimum: 1 }),
    dimension,
    property: text(128, "Name of the property of the kind `identifier`."),
    prefix: orNull(text(64, "Taken away where a value begins with it.")),
    padTo: orNull(
      Type.Integer({ minimum: 1, maximum: 64, description: "Digits: a shorter number gets zeros before it." }),
    ),
    none: orNull(text(256, "The value that stands for nothing, e.g. 0. An empty one always does.")),
    lookUp: orNull(text(128, "Id of the look-up; null: the value is the id itself.")),
    ...valid,
  },
  { $id: "IdentifierRule", ...closed },
);
export type IdentifierRule = Static<typeof IdentifierRuleSchema>;

/** What values stand for. A value may stand for something else from a date on. */
export const LookUpSchema = Type.Object(
  {
    dimension: Type.Enum([...identifierDimensions], { description: "What its ids are of." }),
    rows: Type.Array(
      Type.Object(
        { value: text(256, "As it is after the rule has read it."), id: text(128, "Id of it."), ...valid },
        closed,
      ),
      { maxItems: 5000 },
    ),
  },
  { $id: "LookUp", ...closed },
);
export type LookUp = Static<typeof LookUpSchema>;

/** A value as a rule reads it: spaces and zero bytes around it are no part of it. null: it stands for nothing. */
export function readIdentifier(
  value: string,
  { prefix, padTo, none }: Pick<IdentifierRule, "prefix" | "padTo" | "none">,
): string | null {
  // Controllers fill fixed-length texts with either.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: zero bytes are what is looked for
  const told = value.replace(/^[\s\u0000]+|[\s\u0000]+$/g, "");
  if (told === "" || told === none) return null;
  const bare = prefix !== null && told.startsWith(prefix) ? told.slice(prefix.length).trim() : told;
  if (bare === "") return null;
  return padTo !== null && /^\d+$/.test(bare) ? bare.padStart(padTo, "0") : bare;
}

/**
 * Why a value is not taken at its word. `lookUpMissing`: no row of its time knows it. `orderUnknown`, `operationUnknown`, `toolUnknown`: what it stands for is not there. `materialUnknown`: nobody
 * has described the material; it counts all the same.
 */
export const identifierFindingCodes = [
  "lookUpMissing",
  "orderUnknown",
  "operationUnknown",
  "materialUnknown",
  "toolUnknown",
] as const;
export type IdentifierFindingCode = (typeof identifierFindingCodes)[number];
