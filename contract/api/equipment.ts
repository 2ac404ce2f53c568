import { type Static, Type } from "typebox";
import { MicrosSchema, TimeInputSchema } from "./time.ts";

/** ISA-95 (IEC 62264-1) levels, from the root down. The enterprise is the tenant. */
export const equipmentLevels = ["enterprise", "site", "area", "workCenter", "workUnit"] as const;
export type EquipmentLevel = (typeof equipmentLevels)[number];

/** Only productive time enters KPIs. */
export const lifecycleStates = ["commissioning", "productive", "test", "retired"] as const;

export const NameSchema = Type.String({
  minLength: 1,
  maxLength: 512,
  description: "1 to 512 characters; quotes, emoji and any script are kept; no control characters and no '/'.",
});

/** Why `name` cannot be used, or null when it can. Raw tag addresses may hold "/", names of equipment may not. */
export function nameFault(name: string, slash: "allowed" | "refused" = "refused"): string | null {
  if (name.length === 0) return "It is empty.";
  if (name.length > 512) return `It has ${name.length} characters; at most 512 are kept.`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(name)) return "It holds a control character.";
  if (!name.isWellFormed()) return "It holds a lone surrogate.";
  if (slash === "refused" && name.includes("/")) return "It holds '/', which separates the levels of a path.";
  if (slash === "refused" && (name === "." || name === "..")) return "'.' and '..' are not names.";
  return null;
}

export const EquipmentSchema = Type.Object(
  {
    id: Type.Integer({ description: "Stable; names and places may change." }),
    level: Type.Enum([...equipmentLevels]),
    name: NameSchema,
    parentId: Type.Union([Type.Integer(), Type.Null()]),
    path: Type.String({ description: "Names from the site down, joined by '/'; \"\" is the enterprise itself." }),
    lifecycle: Type.Enum([...lifecycleStates]),
    model: Type.Optional(
      Type.Union([Type.String(), Type.Null()], { description: "Its model and version, e.g. `filler@1.0.0`." }),
    ),
    revision: Type.Integer(),
    changedUs: MicrosSchema,
    validFromUs: Type.Optional(
      Type.Number({ description: "Since when the last change holds on the floor; µs since 1970." }),
    ),
  },
  { $id: "Equipment" },
);
export type Equipment = Static<typeof EquipmentSchema>;

export const NewEquipmentSchema = Type.Object(
  {
    level: Type.Enum([...equipmentLevels]),
    name: NameSchema,
    parentId: Type.Optional(Type.Integer({ description: "Default: the enterprise." })),
    lifecycle: Type.Optional(Type.Enum([...lifecycleStates])),
  },
  { $id: "NewEquipment", additionalProperties: false },
);
export type NewEquipment = Static<typeof NewEquipmentSchema>;

export const EquipmentChangeSchema = Type.Object(
  {
    name: Type.Optional(NameSchema),
    parentId: Type.Optional(Type.Integer()),
    lifecycle: Type.Optional(Type.Enum([...lifecycleStates])),
    model: Type.Optional(
      Type.Union([Type.String({ maxLength: 128 }), Type.Null()], {
        description: "A model and its version, e.g. `filler@1.0.0`; null: none.",
      }),
    ),
    validFrom: Type.Optional(
      Type.Union([...TimeInputSchema.anyOf], {
        description:
          "Since when it is so on the floor, µs or RFC 3339 with a zone; not later than now, which is the default.",
      }),
    ),
  },
  { $id: "EquipmentChange", additionalProperties: false, minProperties: 1 },
);
export type EquipmentChange = Static<typeof EquipmentChangeSchema>;

/** The answer to every write: the registry revision it made and the log position from which it takes effect. */
export const WriteReceiptSchema = Type.Object(
  { revision: Type.Integer(), lsn: Type.Union([Type.Integer(), Type.Null()]) },
  { $id: "WriteReceipt" },
);
export type WriteReceipt = Static<typeof WriteReceiptSchema>;
