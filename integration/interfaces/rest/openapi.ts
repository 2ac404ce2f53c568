import {
  apiBase,
  ConfigurationSchema,
  columnsMediaType,
  PointColumnsSchema,
  PointRowsSchema,
  ProblemSchema,
  type Route,
  type RouteName,
  routes,
} from "@lineshaft/contract/api";
import type { TSchema } from "typebox";
import { workbookMediaType, yamlMediaType } from "./configuration.ts";
import { lineRoutes, linesMediaType } from "./connectivity.ts";

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 description of `/api/v1`, generated from the contract's route table. */
export function openApiDocument(): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    const path = paths[route.path] ?? {};
    path[route.method.toLowerCase()] = operation(name, route, schemas);
    paths[route.path] = path;
  }
  schemaOf(ProblemSchema, schemas);
  return {
    openapi: "3.1.0",
    info: {
      title: "Lineshaft",
      version: "1",
      summary: "Manufacturing integration platform",
      description:
        "Times are µs since 1970 UTC. Errors are RFC 9457 problems with a stable `code`. Writes answer with the registry revision and the log position (LSN) from which they take effect.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: apiBase }],
    tags: [...new Set(Object.values(routes as Record<string, Route>).map(tagOf))].map((tag) => ({
      name: tag,
      description: tagTexts[tag] ?? tag,
    })),
    security: [{ key: [] }, { session: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "An API key." },
        session: { type: "apiKey", in: "cookie", name: "lineshaft_session", description: "The console's session." },
      },
    },
  };
}

const tagTexts: Record<string, string> = {
  session: "Signing in to the console",
  ingest: "Offering points",
  connections: "Sources of points",
  "connection-kinds": "What the platform can connect to by itself",
  equipment: "The equipment tree (ISA-95)",
  tags: "Raw tags",
  values: "Last values",
  history: "Recorded points and their aggregates",
  rejected: "What was refused and kept",
  gaps: "Data known to be missing",
  configuration: "All that was decided, as one document",
  system: "State of the server",
  keys: "API keys",
};

const tagOf = (route: Route): string => route.path.split("/")[1];

function operation(name: RouteName, route: Route, schemas: Json): Json {
  const content = (schema: Json): Json => ({ "application/json": { schema } });
  const status = String(route.status ?? 200);
  const answer: Json = content(schemaOf(route.response, schemas));
  if (lineRoutes.has(name)) {
    answer[linesMediaType] = answer["application/json"];
    delete answer["application/json"];
  }
  if (name === "rawHistory") answer[columnsMediaType] = { schema: binary };
  if (name === "getConfiguration") answer[yamlMediaType] = { schema: yaml };
  const takesIfMatch = route.method === "PATCH" || route.method === "PUT";
  return {
    operationId: name,
    summary: route.summary,
    ...(route.permission === null
      ? { security: [] }
      : { description: `Needs the permission \`${route.permission}\`.` }),
    tags: [tagOf(route)],
    parameters: [
      ...parameters(route.params, "path", schemas),
      ...parameters(route.query, "query", schemas),
      ...(takesIfMatch ? [ifMatch] : []),
    ],
    ...requestBody(name, route, schemas),
    responses: {
      [status]: {
        description: route.summary,
        ...(name === "rawHistory" || status === "201" ? { headers: responseHeaders(name) } : {}),
        content: answer,
      },
      "4XX": problem("The request was refused; `code` says why."),
      "5XX": problem("The server could not do it; `retry` says whether trying again makes sense."),
    },
  };
}

const yaml = { type: "string", description: "The same as YAML 1.2, with comments where they were sent." };
const table = {
  type: "string",
  description: "`;`, `,` or tabs; UTF-8 or Windows-1252; the first row names the columns.",
};
const binary = { type: "string", format: "binary", description: "A columnar frame." };
const ifMatch = {
  name: "If-Match",
  in: "header",
  required: true,
  description: "The ETag that the change is based on.",
  schema: { type: "string" },
};

function responseHeaders(name: RouteName): Json {
  const header = (description: string): Json => ({ description, schema: { type: "string" } });
  return name === "rawHistory"
    ? {
        Link: header('Where the next page is, rel="next".'),
        "Lineshaft-Cursor": header("Cursor of the next page, with binary answers."),
        "Lineshaft-Warnings": header("Warnings as JSON, with binary answers."),
      }
    : { Location: header("Where the new item is.") };
}

function problem(description: string): Json {
  return { description, content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } } };
}

function requestBody(name: RouteName, route: Route, schemas: Json): Json {
  if (name === "ingest") {
    const rows = schemaOf(PointRowsSchema, schemas);
    const columns = schemaOf(PointColumnsSchema, schemas);
    const content = {
      "application/json": { schema: { anyOf: [rows, columns] } },
      [columnsMediaType]: { schema: binary },
    };
    return {
      requestBody: { required: true, description: "Rows, columns, or a columnar frame; gzip is read.", content },
    };
  }
  if (name === "planConfiguration" || name === "applyConfiguration") {
    const schema = schemaOf(ConfigurationSchema, schemas);
    return {
      requestBody: { required: true, content: { "application/json": { schema }, [yamlMediaType]: { schema: yaml } } },
    };
  }
  if (name === "importTags")
    return {
      requestBody: {
        required: true,
        content: { "text/csv": { schema: table }, [workbookMediaType]: { schema: binary } },
      },
    };
  if (name === "importMasterData")
    return {
      requestBody: {
        required: true,
        content: {
          "text/csv": { schema: table },
          [workbookMediaType]: { schema: binary },
          "application/json": { schema: { type: "object", description: "`kind`, and `items` by id." } },
          [yamlMediaType]: { schema: { type: "string", description: "The same as YAML 1.2." } },
        },
      },
    };
  const body = name === "recordFacts" ? route.content : route.body;
  if (body === undefined) return {};
  return { requestBody: { required: true, content: { "application/json": { schema: schemaOf(body, schemas) } } } };
}

function parameters(schema: TSchema | undefined, where: "path" | "query", schemas: Json): Json[] {
  if (schema === undefined) return [];
  const { properties, required = [] } = schema as { properties?: Record<string, TSchema>; required?: string[] };
  return Object.entries(properties ?? {}).map(([name, property]) => {
    const { description } = property as { description?: string };
    return {
      name,
      in: where,
      required: where === "path" || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: schemaOf(property, schemas),
    };
  });
}

/** A schema by value, or by reference where it has a name of its own; its named parts likewise. */
function schemaOf(schema: TSchema, schemas: Json): Json {
  const { $id, ...rest } = JSON.parse(JSON.stringify(schema)) as { $id?: string };
  const body = replaceNamed(rest as Json, schemas) as Json;
  if ($id === undefined) return body;
  schemas[$id] = body;
  return { $ref: `#/components/schemas/${$id}` };
}

function replaceNamed(value: unknown, schemas: Json): unknown {
  if (Array.isArray(value)) return value.map((item) => replaceNamed(item, schemas));
  if (value === null || typeof value !== "object") return value;
  const out: Json = {};
  for (const [key, item] of Object.entries(value)) {
    const named = item !== null && typeof item === "object" && typeof (item as Json).$id === "string";
    out[key] = named ? schemaOf(item as TSchema, schemas) : replaceNamed(item, schemas);
  }
  return out;
}
