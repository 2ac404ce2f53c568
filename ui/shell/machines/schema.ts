/** JSON Schemas of connector kinds, as the form reads them: pure, and forgiving towards words that it does not know. */
export interface Schema {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
}

export type FieldShape =
  | "text"
  | "longText"
  | "secret"
  | "number"
  | "choice"
  | "yesNo"
  | "group"
  | "variants"
  | "texts"
  | "list";

/** How a field is asked for. */
export function shapeOf(schema: Schema): FieldShape {
  if (choicesOf(schema) !== null) return "choice";
  if (schema.anyOf !== undefined) return "variants";
  if (schema.type === "boolean") return "yesNo";
  if (schema.type === "integer" || schema.type === "number") return "number";
  if (schema.type === "object") return "group";
  if (schema.type === "array") return schema.items?.type === "string" ? "texts" : "list";
  // A secret is told by its description only: the schema has no other word for it.
  if (/reference to a secret/.test(schema.description ?? "")) return "secret";
  return (schema.maxLength ?? 0) > 10_000 ? "longText" : "text";
}

/** The values of an enumeration, or of a union of constants; null: it is neither. */
export function choicesOf(schema: Schema): unknown[] | null {
  if (schema.enum !== undefined) return schema.enum;
  const constants = schema.anyOf?.map((one) => one.const);
  return constants?.every((value) => value !== undefined) ? constants : null;
}

/** The constant that tells the variants of a union apart, e.g. `kind`. */
export function discriminatorOf(variants: readonly Schema[]): string | null {
  const [first] = variants;
  const names = Object.keys(first?.properties ?? {});
  return names.find((name) => variants.every(({ properties }) => properties?.[name]?.const !== undefined)) ?? null;
}

/** The fields that people nearly always look at, besides those that must be given. */
const common = new Set([
  "port",
  "unitId",
  "user",
  "password",
  "security",
  "securityPolicy",
  "identity",
  "server",
  "servers",
  "realm",
  "groups",
]);

export interface FieldEntry {
  name: string;
  schema: Schema;
  required: boolean;
}

/** Which fields stand first, and which behind "more settings". */
export function fieldsOf(schema: Schema): { first: FieldEntry[]; more: FieldEntry[] } {
  const required = new Set(schema.required ?? []);
  const all = Object.entries(schema.properties ?? {})
    .filter(([, field]) => field.const === undefined)
    .map(([name, field]) => ({
      name,
      schema: field,
      required: required.has(name) && field.default === undefined,
    }));
  const isFirst = ({ name, required: must }: FieldEntry): boolean => must || common.has(name);
  return { first: all.filter(isFirst), more: all.filter((field) => !isFirst(field)) };
}

const units: readonly [RegExp, string][] = [
  [/Ms$/, "ms"],
  [/Seconds$/, "s"],
  [/Hours$/, "h"],
  [/Bytes$/, "B"],
];
const spelled: Record<string, string> = { url: "URL", id: "id", qos: "QoS", ip: "IP", tls: "TLS", uri: "URI" };

/** `keepAliveMs` → "Keep alive" with the unit ms. */
export function labelOf(name: string): { text: string; unit: string | null } {
  const unit = units.find(([pattern]) => pattern.test(name));
  const bare = unit === undefined ? name : name.replace(unit[0], "");
  const words = bare
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(" ")
    .map((word) => spelled[word] ?? word);
  const text = words.join(" ");
  return { text: text.charAt(0).toUpperCase() + text.slice(1), unit: unit?.[1] ?? null };
}

export type FieldFault =
  | { code: "missing" }
  | { code: "notANumber" | "notWhole" }
  | { code: "tooSmall" | "tooGreat"; bound: number }
  | { code: "pattern" }
  | { code: "tooLong"; bound: number };

/** What is wrong with a value, as far as a form can tell; the server has the last word. */
export function faultOf(schema: Schema, value: unknown, required: boolean): FieldFault | null {
  if (value === undefined || value === "") return required ? { code: "missing" } : null;
  if (schema.type === "integer" || schema.type === "number") {
    if (typeof value !== "number" || !Number.isFinite(value)) return { code: "notANumber" };
    if (schema.type === "integer" && !Number.isInteger(value)) return { code: "notWhole" };
    if (schema.minimum !== undefined && value < schema.minimum) return { code: "tooSmall", bound: schema.minimum };
    if (schema.maximum !== undefined && value > schema.maximum) return { code: "tooGreat", bound: schema.maximum };
    return null;
  }
  if (typeof value !== "string") return null;
  if (schema.maxLength !== undefined && value.length > schema.maxLength)
    return { code: "tooLong", bound: schema.maxLength };
  // Patterns come from the server's own code, never from a person.
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value)) return { code: "pattern" };
  return null;
}

/** Are there faults anywhere in a value of this schema? */
export function isSound(schema: Schema, value: unknown): boolean {
  const given = (value ?? {}) as Record<string, unknown>;
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).every(([name, field]) => {
    const must = required.has(name) && field.default === undefined && field.const === undefined;
    const held = given[name];
    switch (shapeOf(field)) {
      case "group":
        return held === undefined && !must ? true : isSound(field, held);
      case "list":
        return Array.isArray(held)
          ? held.length >= (field.minItems ?? 0) && held.every((one) => isSound(field.items ?? {}, one))
          : !must;
      case "texts":
        return !Array.isArray(held) ? !must : held.every((one) => faultOf(field.items ?? {}, one, true) === null);
      case "variants": {
        const variant = variantOf(field, held ?? field.default);
        return variant === null ? !must : isSound(variant, held ?? field.default);
      }
      default:
        return faultOf(field, held, must) === null;
    }
  });
}

/** The variant that a value belongs to. */
export function variantOf(schema: Schema, value: unknown): Schema | null {
  const variants = schema.anyOf ?? [];
  const key = discriminatorOf(variants);
  if (key === null) return null;
  const wanted = (value as Record<string, unknown> | undefined)?.[key];
  return variants.find(({ properties }) => properties?.[key]?.const === wanted) ?? null;
}

/** A value without a field that was taken back: what is not said has its default. */
export function withField(value: Record<string, unknown>, name: string, next: unknown): Record<string, unknown> {
  const { [name]: _, ...rest } = value;
  const empty = next === undefined || next === "" || (Array.isArray(next) && next.length === 0);
  if (empty) return rest;
  return name in value
    ? Object.fromEntries(Object.entries(value).map(([key, held]) => [key, key === name ? next : held]))
    : { ...rest, [name]: next };
}
