import { type MasterDataKind, masterDataSchemas } from "@lineshaft/contract/api";
import { localOfMicros, microsOf } from "../equipment/local-time.ts";

/**
 * Items of master data as fields: what is asked for is read from the schema of the kind, what stands in the fields is text until it is whole. Pure; the words
 * of the fields are in the messages.
 */

/** A JSON Schema, as far as fields are read from it. */
interface Said {
  type?: string;
  enum?: readonly string[];
  anyOf?: readonly Said[];
  properties?: Readonly<Record<string, Said>>;
  required?: readonly string[];
  items?: Said;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  maxLength?: number;
  multipleOf?: number;
}

/** Kinds whose ids stand in items of others. */
export type NamedKind = "material" | "order" | "calendar" | "lookUp";

export type FieldType =
  | "text"
  | "number"
  | "integer"
  | "time"
  /** µs in the item, seconds in the field. */
  | "duration"
  | "choice"
  | "yesNo"
  | "equipment"
  | "group"
  | "list";

export interface FieldEntry {
  name: string;
  type: FieldType;
  /** It may be left out, or be null. */
  empty: "forbidden" | "left out" | "null";
  choices: readonly string[];
  /** Of a group, or of the rows of a list. */
  fields: readonly FieldEntry[];
  /** Whose ids are meant. */
  names: NamedKind | null;
  least: number | null;
  most: number | null;
  maxLength: number;
}

/** What the platform keeps for itself in items: it stays as it is. */
const ofThePlatform: ReadonlySet<string> = new Set(["startedBy", "endedBy"]);
const equipmentNames: ReadonlySet<string> = new Set(["equipmentId", "constraint", "output"]);
const namedKinds: Readonly<Record<string, NamedKind>> = {
  material: "material",
  order: "order",
  calendar: "calendar",
  lookUp: "lookUp",
};
/** Numbers that the rules of the platform want above 0; the schemas do not say so. */
const positive: ReadonlySet<string> = new Set([
  "cycleUs",
  "unitsPerCycle",
  "unitsPerCount",
  "factor",
  "cavities",
  "value",
]);

export const fieldsOfKind = (kind: MasterDataKind): FieldEntry[] => fieldsOf(masterDataSchemas[kind] as Said);

function fieldsOf({ properties = {}, required = [] }: Said): FieldEntry[] {
  return Object.entries(properties).flatMap(([name, said]) =>
    ofThePlatform.has(name) ? [] : [fieldOf(name, said, required.includes(name))],
  );
}

function fieldOf(name: string, said: Said, required: boolean): FieldEntry {
  const choices = said.anyOf ?? [said];
  const own = choices.find(({ type }) => type !== "null") ?? said;
  const nullable = choices.some(({ type }) => type === "null");
  const type = typeOf(name, own);
  return {
    name,
    type,
    empty: nullable ? "null" : required ? "forbidden" : "left out",
    choices: own.enum ?? [],
    fields: type === "group" ? fieldsOf(own) : type === "list" ? fieldsOf(own.items ?? {}) : [],
    names: type === "text" ? (namedKinds[name] ?? null) : null,
    least: own.minimum ?? own.minItems ?? null,
    most: own.maximum ?? own.maxItems ?? null,
    maxLength: own.maxLength ?? 256,
  };
}

function typeOf(name: string, { type, enum: choices, multipleOf, minimum = 0 }: Said): FieldType {
  if (choices !== undefined) return "choice";
  if (type === "boolean") return "yesNo";
  if (type === "object") return "group";
  if (type === "array") return "list";
  if (equipmentNames.has(name)) return "equipment";
  if (type === "integer" || type === "number") {
    // A point in time is whole and may lie before 1970.
    if (multipleOf === 1 && minimum < 0) return "time";
    if (name.endsWith("Us")) return "duration";
    return type;
  }
  return "text";
}

/** What stands in a field. */
export type Draft = string | boolean | GroupDraft | readonly RowDraft[];
export interface GroupDraft {
  readonly [name: string]: Draft;
}
export interface RowDraft {
  /** Names the row while it is edited. */
  key: number;
  /** What it was made from; undefined: it is new. */
  was: unknown;
  fields: GroupDraft;
}

let lastKey = 0;
type Values = Readonly<Record<string, unknown>>;

export const newRow = (fields: readonly FieldEntry[], was?: Values): RowDraft => ({
  key: ++lastKey,
  was,
  fields: draftOf(fields, was ?? {}),
});

export const draftOf = (fields: readonly FieldEntry[], item: Values): GroupDraft =>
  Object.fromEntries(fields.map((field) => [field.name, draftOfField(field, item[field.name])]));

function draftOfField(field: FieldEntry, value: unknown): Draft {
  switch (field.type) {
    case "yesNo":
      return value === true;
    case "group":
      return draftOf(field.fields, (value ?? {}) as Values);
    case "list":
      return ((value ?? []) as Values[]).map((row) => newRow(field.fields, row));
    default:
      return textOf(field, value);
  }
}

function textOf({ name, type }: FieldEntry, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "number") return String(value);
  // What always held has no beginning.
  if (type === "time") return name === "fromUs" && value === 0 ? "" : localOfMicros(value);
  return type === "duration" ? String(value / 1e6) : String(value);
}

export type FieldFault = "missing" | "number" | "whole" | "positive" | "least" | "most" | "range" | "rows";
/** By place: `policy.version`, `rows.3.value` with the key of the row. */
export type FieldFaults = ReadonlyMap<string, FieldFault>;

/** The item that the fields say, whole only where there are no faults. What nobody touched keeps its value to the last digit. */
export function itemOf(
  fields: readonly FieldEntry[],
  draft: GroupDraft,
  was: Values = {},
): { item: Record<string, unknown>; faults: FieldFaults } {
  const faults = new Map<string, FieldFault>();
  return { item: groupOf(fields, draft, was, "", faults), faults };
}

function groupOf(
  fields: readonly FieldEntry[],
  draft: GroupDraft,
  was: Values,
  place: string,
  faults: Map<string, FieldFault>,
): Record<string, unknown> {
  const group: Record<string, unknown> = { ...was };
  for (const field of fields) {
    const value = partOf(field, draft[field.name], was[field.name], `${place}${field.name}`, faults);
    if (value === undefined) delete group[field.name];
    else group[field.name] = value;
  }
  const { fromUs, toUs } = group;
  if (typeof fromUs === "number" && typeof toUs === "number" && toUs <= fromUs) faults.set(`${place}toUs`, "range");
  return group;
}

function partOf(field: FieldEntry, draft: Draft, was: unknown, place: string, faults: Map<string, FieldFault>) {
  if (field.type === "group")
    return groupOf(field.fields, draft as GroupDraft, (was ?? {}) as Values, `${place}.`, faults);
  if (field.type === "list") {
    const rows = draft as readonly RowDraft[];
    if (rows.length < (field.least ?? 0)) faults.set(place, "rows");
    return rows.map(({ key, was: of, fields }) =>
      groupOf(field.fields, fields, (of ?? {}) as Values, `${place}.${key}.`, faults),
    );
  }
  if (typeof draft === "boolean") return draft;
  const text = String(draft).trim();
  if (was !== undefined && was !== null && text !== "" && text === textOf(field, was)) return was;
  if (text === "") {
    if (field.type === "time" && field.name === "fromUs") return 0;
    if (field.empty === "forbidden") faults.set(place, "missing");
    return field.empty === "null" ? null : undefined;
  }
  if (field.type === "text" || field.type === "choice") return text;
  if (field.type === "time") {
    const at = microsOf(text);
    if (at === null) faults.set(place, "missing");
    return at;
  }
  const number = Number(text.replace(",", "."));
  const fault = Number.isFinite(number) ? numberFault(field, number) : "number";
  if (fault !== null) faults.set(place, fault);
  return field.type === "duration" ? Math.round(number * 1e6) : number;
}

function numberFault({ name, type, least, most }: FieldEntry, number: number): FieldFault | null {
  if (type === "integer" && !Number.isInteger(number)) return "whole";
  if (positive.has(name) && number <= 0) return "positive";
  if (least !== null && number < least) return "least";
  return most !== null && number > most ? "most" : null;
}

/** The place of a JSON pointer of the platform into the item, e.g. `/rows/0/value`; "" where no field stands for it. */
export function placeOfPointer(pointer: string, draft: GroupDraft): string {
  const parts = pointer.split("/").filter((part) => part !== "");
  let at: Draft | undefined = draft;
  const place = parts.map((part) => {
    if (Array.isArray(at)) {
      const row: RowDraft | undefined = (at as readonly RowDraft[])[Number(part)];
      at = row?.fields;
      return String(row?.key ?? "");
    }
    at = typeof at === "object" ? (at as GroupDraft)[part] : undefined;
    return part;
  });
  return place.join(".");
}
