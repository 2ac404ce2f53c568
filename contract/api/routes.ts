import { type Static, type TSchema, Type } from "typebox";
import { ApiKeySchema, NewApiKeySchema, type Permission, SessionSchema } from "./access.ts";
import { alarmRoutes } from "./alarms.ts";
import { configurationRoutes } from "./configuration-routes.ts";
import { connectivityRoutes } from "./connectivity.ts";
import { demoRoutes } from "./demo.ts";
import { EquipmentChangeSchema, EquipmentSchema, NewEquipmentSchema, WriteReceiptSchema } from "./equipment.ts";
import { executionRoutes } from "./executions.ts";
import { factRecordRoutes } from "./fact-records.ts";
import { factsRoutes } from "./facts.ts";
import { IngestQuerySchema, IngestReceiptSchema } from "./ingest.ts";
import { cellRoutes } from "./kpi.ts";
import { masterDataRoutes } from "./master-data-routes.ts";
import { masterDataTransferRoutes } from "./master-data-transfer.ts";
import { nowRoutes } from "./now.ts";
import { orderProgressRoutes } from "./order-progress.ts";
import {
  BucketQuerySchema,
  BucketSeriesSchema,
  LastValueSchema,
  LastValuesQuerySchema,
  PointSeriesSchema,
  RawQuerySchema,
} from "./query.ts";
import { resultRoutes } from "./results.ts";
import { stopRoutes } from "./stops.ts";
import { GapSchema, RejectedItemSchema, SystemStatusSchema } from "./system.ts";
import { ConnectionSchema, NewConnectionSchema, NewTagSchema, RawTagSchema, TagChangeSchema } from "./tag.ts";
import { TimeInputSchema } from "./time.ts";
import { timelineRoutes } from "./timelines.ts";
import { workRoutes } from "./work.ts";

/**
 * One row a REST operation: the server registers its handlers from this table, the client is typed by it, OpenAPI is
 * generated from it.
 */
export interface Route {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path below /api/v1; `{name}` are parameters. */
  path: string;
  summary: string;
  /** null: needs no credential. */
  permission: Permission | null;
  params?: TSchema;
  query?: TSchema;
  /** Absent: no body, or one that is parsed by media type (ingest, configuration, tables). */
  body?: TSchema;
  /** What the body means where it is parsed by media type; as JSON it is just that. */
  content?: TSchema;
  response: TSchema;
  status?: 200 | 201;
}

const page = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: "Default 100." })),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
};
const pageOf = <T extends TSchema>(item: T) =>
  Type.Object({
    items: Type.Array(item),
    cursor: Type.Union([Type.String(), Type.Null()], { description: "For the next page; null: there is no more." }),
  });
const id = Type.Object({ id: Type.Integer({ minimum: 1 }) }, { additionalProperties: false });
const keyId = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) }, { additionalProperties: false });
const connectionName = Type.Object(
  { connection: Type.String({ minLength: 1, maxLength: 128 }) },
  { additionalProperties: false },
);
const written = <T extends TSchema>(item: T) => Type.Object({ item, receipt: WriteReceiptSchema });

export const routes = {
  signIn: {
    method: "POST",
    path: "/session",
    summary: "Sign in to the console with the admin secret or an API key",
    permission: null,
    body: Type.Object(
      {
        secret: Type.String({ minLength: 1, maxLength: 256 }),
        lasts: Type.Optional(
          Type.Enum(["visit", "key"], {
            description:
              "key: as long as the API key, over restarts of the server; for kiosks, with the roles viewer and operator. Default visit.",
          }),
        ),
      },
      { additionalProperties: false },
    ),
    response: SessionSchema,
  },
  getSession: { method: "GET", path: "/session", summary: "Who am I?", permission: "read", response: SessionSchema },
  signOut: { method: "DELETE", path: "/session", summary: "Sign out", permission: null, response: Type.Object({}) },

  ingest: {
    method: "POST",
    path: "/ingest/{connection}",
    summary: "Offer a batch of points; answered when it is durable",
    permission: "ingest",
    params: connectionName,
    query: IngestQuerySchema,
    response: IngestReceiptSchema,
  },
  resolveTags: {
    method: "POST",
    path: "/connections/{connection}/tags/resolve",
    summary: "Raw tag ids for addresses; unknown ones are registered",
    permission: "ingest",
    params: connectionName,
    body: Type.Object(
      { addresses: Type.Array(Type.String({ minLength: 1, maxLength: 512 }), { minItems: 1, maxItems: 100_000 }) },
      { additionalProperties: false },
    ),
    response: Type.Object({
      ids: Type.Array(Type.Union([Type.Integer(), Type.Null()]), {
        description: "In the order of the request; null where refused.",
      }),
      faults: Type.Array(Type.Object({ index: Type.Integer(), code: Type.String(), detail: Type.String() }), {
        maxItems: 100,
      }),
    }),
  },
  getSourceCursor: {
    method: "GET",
    path: "/connections/{connection}/cursor",
    summary: "The last sourceCursor that is durable",
    permission: "ingest",
    params: connectionName,
    response: Type.Object({
      sourceCursor: Type.Union([Type.String(), Type.Null()]),
      generation: Type.Union([Type.Integer(), Type.Null()]),
      sequence: Type.Union([Type.Integer(), Type.Null()]),
    }),
  },

  ...connectivityRoutes,
  ...demoRoutes,
  listConnections: {
    method: "GET",
    path: "/connections",
    summary: "Connections with their state and sums",
    permission: "read",
    query: Type.Object(page, { additionalProperties: false }),
    response: pageOf(ConnectionSchema),
  },
  createConnection: {
    method: "POST",
    path: "/connections",
    summary: "Create a connection",
    permission: "configure",
    body: NewConnectionSchema,
    response: written(ConnectionSchema),
    status: 201,
  },
  getConnection: {
    method: "GET",
    path: "/connections/{connection}",
    summary: "One connection",
    permission: "read",
    params: connectionName,
    response: ConnectionSchema,
  },

  listEquipment: {
    method: "GET",
    path: "/equipment",
    summary: "Equipment in tree order",
    permission: "read",
    query: Type.Object(
      {
        ...page,
        under: Type.Optional(Type.String({ maxLength: 1024, description: "Path" })),
        parentId: Type.Optional(Type.Integer()),
      },
      { additionalProperties: false },
    ),
    response: pageOf(EquipmentSchema),
  },
  createEquipment: {
    method: "POST",
    path: "/equipment",
    summary: "Create equipment",
    permission: "configure",
    body: NewEquipmentSchema,
    response: written(EquipmentSchema),
    status: 201,
  },
  getEquipment: {
    method: "GET",
    path: "/equipment/{id}",
    summary: "One equipment, as it is or as it was at a time",
    permission: "read",
    params: id,
    query: Type.Object({ at: Type.Optional(TimeInputSchema) }, { additionalProperties: false }),
    response: EquipmentSchema,
  },
  changeEquipment: {
    method: "PATCH",
    path: "/equipment/{id}",
    summary: "Rename, move or age equipment, from now or from an earlier time on (If-Match)",
    permission: "configure",
    params: id,
    body: EquipmentChangeSchema,
    response: written(EquipmentSchema),
  },

  listTags: {
    method: "GET",
    path: "/tags",
    summary: "Raw tags",
    permission: "read",
    query: Type.Object(
      {
        ...page,
        connection: Type.Optional(Type.String({ maxLength: 128 })),
        equipmentId: Type.Optional(Type.Integer()),
        search: Type.Optional(
          Type.String({ maxLength: 256, description: "Part of name or address, without regard to case." }),
        ),
      },
      { additionalProperties: false },
    ),
    response: pageOf(RawTagSchema),
  },
  createTag: {
    method: "POST",
    path: "/tags",
    summary: "Register a raw tag before its first value",
    permission: "configure",
    body: NewTagSchema,
    response: written(RawTagSchema),
    status: 201,
  },
  getTag: {
    method: "GET",
    path: "/tags/{id}",
    summary: "One raw tag",
    permission: "read",
    params: id,
    response: RawTagSchema,
  },
  changeTag: {
    method: "PATCH",
    path: "/tags/{id}",
    summary: "Name a tag or assign it to equipment (If-Match)",
    permission: "configure",
    params: id,
    body: TagChangeSchema,
    response: written(RawTagSchema),
  },

  ...configurationRoutes,
  ...masterDataRoutes,
  ...masterDataTransferRoutes,

  lastValues: {
    method: "GET",
    path: "/values",
    summary: "Last value of n tags",
    permission: "read",
    query: LastValuesQuerySchema,
    response: Type.Object({ items: Type.Array(LastValueSchema) }),
  },
  rawHistory: {
    method: "GET",
    path: "/history/raw",
    summary: "Points as they were recorded (JSON columns or, by Accept, the binary frame)",
    permission: "read",
    query: RawQuerySchema,
    response: PointSeriesSchema,
  },
  bucketHistory: {
    method: "GET",
    path: "/history/buckets",
    summary: "Min, max, avg, last and count by bucket, with quality",
    permission: "read",
    query: BucketQuerySchema,
    response: BucketSeriesSchema,
  },

  ...factsRoutes,
  ...alarmRoutes,
  ...factRecordRoutes,
  ...cellRoutes,
  ...resultRoutes,
  ...workRoutes,
  ...executionRoutes,
  ...orderProgressRoutes,
  ...nowRoutes,
  ...stopRoutes,
  ...timelineRoutes,

  listRejected: {
    method: "GET",
    path: "/rejected",
    summary: "Rejected items, newest first",
    permission: "read",
    query: Type.Object(
      {
        ...page,
        connection: Type.Optional(Type.String({ maxLength: 128 })),
        code: Type.Optional(Type.String({ maxLength: 64 })),
      },
      { additionalProperties: false },
    ),
    response: Type.Object({
      items: Type.Array(RejectedItemSchema),
      cursor: Type.Union([Type.String(), Type.Null()]),
      groups: Type.Array(
        Type.Object({
          code: Type.String(),
          connection: Type.Union([Type.String(), Type.Null()]),
          items: Type.Integer(),
          points: Type.Integer(),
          lastUs: Type.Integer(),
        }),
        { description: "By cause, for the first page only." },
      ),
    }),
  },
  getRejected: {
    method: "GET",
    path: "/rejected/{id}",
    summary: "One rejected item with its payload",
    permission: "read",
    params: id,
    response: RejectedItemSchema,
  },
  listGaps: {
    method: "GET",
    path: "/gaps",
    summary: "Known gaps, newest first",
    permission: "read",
    query: Type.Object(page, { additionalProperties: false }),
    response: pageOf(GapSchema),
  },

  getSystem: {
    method: "GET",
    path: "/system",
    summary: "Rates, lag, sums, disk",
    permission: "read",
    response: SystemStatusSchema,
  },
  listKeys: {
    method: "GET",
    path: "/keys",
    summary: "API keys (never their secrets)",
    permission: "administer",
    query: Type.Object(page, { additionalProperties: false }),
    response: pageOf(ApiKeySchema),
  },
  createKey: {
    method: "POST",
    path: "/keys",
    summary: "Create an API key; its secret is in this answer only",
    permission: "administer",
    body: NewApiKeySchema,
    response: Type.Object({ key: ApiKeySchema, secret: Type.String() }),
    status: 201,
  },
  revokeKey: {
    method: "DELETE",
    path: "/keys/{id}",
    summary: "Revoke an API key at once",
    permission: "administer",
    params: keyId,
    response: ApiKeySchema,
  },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;
type Part<R, K extends string> = R extends Record<K, infer S extends TSchema> ? Static<S> : undefined;
export type RouteParams<N extends RouteName> = Part<(typeof routes)[N], "params">;
export type RouteQuery<N extends RouteName> = Part<(typeof routes)[N], "query">;
/** What is sent as JSON; undefined: nothing. */
export type RouteBody<N extends RouteName> = Part<(typeof routes)[N], "body">;
export type RouteContent<N extends RouteName> = Part<(typeof routes)[N], "content">;
export type RouteResponse<N extends RouteName> = Static<(typeof routes)[N]["response"]>;

/** Where the API lives. */
export const apiBase = "/api/v1";
