import { ProblemError, type Route, type RouteName, routes } from "@lineshaft/contract/api";
import { Compile, type Validator } from "typebox/compile";

type Fields = Record<string, { type?: string; items?: { type?: string }; anyOf?: { type?: string }[] }>;

interface Part {
  validator: Validator;
  fields: Fields;
  /** What the item has and a writer must not set. */
  readonly: ReadonlySet<string>;
}

export interface RouteChecks {
  params: Part | null;
  query: Part | null;
  body: Part | null;
}

/** Fields that only the server sets, wherever they turn up (A38). */
const serverOwned = ["id", "tenant", "tenantId", "role", "createdBy", "createdUs", "changedUs", "revision", "lsn"];

/** Compiled schemas of a route: params, query and body. */
export function compileChecks(name: RouteName): RouteChecks {
  const route = routes[name] as Route;
  const part = (schema: Route["query"]): Part | null => {
    if (schema === undefined) return null;
    const fields = (schema as { properties?: Fields }).properties ?? {};
    const own = [...serverOwned, ...Object.keys(itemFields(route))].filter((key) => !(key in fields));
    return { validator: Compile(schema) as Validator, fields, readonly: new Set(own) };
  };
  return { params: part(route.params), query: part(route.query), body: part(route.body) };
}

function itemFields(route: Route): Fields {
  const { properties = {} } = route.response as { properties?: Record<string, { properties?: Fields }> };
  return (properties.item ?? properties.key)?.properties ?? {};
}

/** Params or query as typed values. Text becomes numbers and lists where the schema says so. */
export function checkText(part: Part | null, input: Record<string, unknown>, where: "path" | "query"): unknown {
  if (part === null) {
    if (Object.keys(input).length > 0)
      throw new ProblemError("request_invalid", `This address takes no ${where} parameters.`);
    return {};
  }
  const output: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [key, text] of Object.entries(input)) {
    output[key] = key in part.fields ? fromText(part.fields[key], text) : text;
  }
  check(part, output, where);
  return output;
}

export function checkBody(part: Part, body: unknown): unknown {
  check(part, body, "body");
  return body;
}

function check(part: Part, value: unknown, where: string): void {
  if (part.validator.Check(value)) return;
  const errors = part.validator.Errors(value).slice(0, 100);
  if (typeof value === "object" && value !== null) {
    const readonly = Object.keys(value).filter((key) => part.readonly.has(key));
    if (readonly.length > 0) {
      const list = readonly.map((key) => ({ path: `/${key}`, message: "is set by the server only" }));
      throw new ProblemError("field_readonly", `The ${where} sets ${readonly.join(", ")}.`, { errors: list });
    }
  }
  const shown = errors
    .filter((error) => !(error.keyword === "boolean" && error.schemaPath.endsWith("/additionalProperties")))
    .map((error) => ({ path: error.instancePath, message: messageOf(error) }));
  if (where === "path") throw new ProblemError("not_found", "There is nothing at this address.", { errors: shown });
  const first = shown[0] ?? { path: "", message: "does not fit" };
  if (where === "query" && shown.some((error) => error.path === "/limit"))
    throw new ProblemError("limit_invalid", `limit ${shown.find((e) => e.path === "/limit")?.message}.`, {
      errors: shown,
    });
  if (where === "query" && shown.some((error) => error.path === "/cursor"))
    throw new ProblemError("cursor_invalid", "The cursor is not one of this server.", { errors: shown });
  const place = first.path === "" ? `The ${where}` : `${where}${first.path}`;
  throw new ProblemError("request_invalid", `${place} ${first.message}.`, { errors: shown });
}

function messageOf(error: { keyword: string; message: string; params: object }): string {
  const { additionalProperties } = error.params as { additionalProperties?: string[] };
  return additionalProperties === undefined
    ? error.message
    : `has fields that are not known: ${additionalProperties.map((key) => key.slice(0, 80)).join(", ")}`;
}

function fromText(field: Fields[string], text: unknown): unknown {
  if (field.type === "array") {
    const parts = Array.isArray(text) ? (text as unknown[]) : [text];
    if (field.items?.type !== "integer") return parts;
    return parts.flatMap((part) => String(part).split(",")).map(numberFromText);
  }
  // Twice the same parameter: leave the list, so that the schema refuses it.
  if (typeof text !== "string") return text;
  if (field.type === "integer" || field.type === "number") return numberFromText(text);
  return text;
}

/** Plain decimal integers only; everything else stays text and is refused by the schema: NaN, 1e9, 0x10, " 5". */
function numberFromText(text: unknown): unknown {
  return typeof text === "string" && /^-?\d{1,16}$/.test(text) ? Number(text) : text;
}
