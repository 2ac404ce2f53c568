import { type Static, Type } from "typebox";
import { MicrosSchema } from "./time.ts";

/** Connections that the platform runs itself: their kinds, their health, and trying a configuration before it is saved. */

const faultNames = ["unreachable", "lost", "protocol", "unauthorised", "untrusted", "misconfigured"] as const;

export const ConnectionHealthSchema = Type.Object(
  {
    state: Type.Enum(["stopped", "connecting", "flowing", "silent", "waiting", "parked"], {
      description:
        "`flowing`: data come. `silent`: connected, but nothing for longer than expected. `waiting`: it is tried again. `parked`: out of the way until a person or a change starts it again.",
    }),
    since: Type.Optional(MicrosSchema),
    retryAt: Type.Optional(
      Type.Union([MicrosSchema, Type.Null()], { description: "null: waits for a change of the configuration." }),
    ),
    fault: Type.Optional(Type.Enum([...faultNames])),
    message: Type.Optional(Type.String()),
    hint: Type.Optional(Type.String({ description: "What to do next." })),
    technical: Type.Optional(Type.String({ description: "The protocol's own words." })),
  },
  { $id: "ConnectionHealth" },
);

export const ConnectionKindSchema = Type.Object(
  {
    kind: Type.String(),
    title: Type.String(),
    mode: Type.Enum(["connects", "listens"], { description: "Do we dial the peer, or do peers come to us?" }),
    config: Type.Record(Type.String(), Type.Unknown(), { description: "JSON Schema of the configuration." }),
    tagOptions: Type.Record(Type.String(), Type.Unknown(), { description: "JSON Schema of a tag's options." }),
  },
  { $id: "ConnectionKind" },
);

export const ConnectionCheckSchema = Type.Object(
  {
    kind: Type.String({ minLength: 1, maxLength: 64 }),
    config: Type.Record(Type.String(), Type.Unknown(), {
      description: "By the kind's schema. Secrets are references.",
    }),
  },
  { $id: "ConnectionCheck", additionalProperties: false },
);

/** One line of a check's answer. */
export const CheckStepSchema = Type.Object(
  {
    step: Type.String(),
    ok: Type.Boolean(),
    detail: Type.String(),
    hint: Type.Optional(Type.String()),
  },
  { $id: "CheckStep" },
);
export type CheckStep = Static<typeof CheckStepSchema>;

const connectionName = Type.Object(
  { connection: Type.String({ minLength: 1, maxLength: 128 }) },
  { additionalProperties: false },
);

/** Their part of the table in `routes.ts`. */
export const connectivityRoutes = {
  listConnectionKinds: {
    method: "GET",
    path: "/connection-kinds",
    summary: "Kinds of connections that the platform can run, with the schemas of their forms",
    permission: "read",
    response: Type.Object({ items: Type.Array(ConnectionKindSchema) }),
  },
  checkConnection: {
    method: "POST",
    path: "/connections/check",
    summary: "Try a configuration without saving it; each step is a line of JSON as soon as it is done",
    permission: "configure",
    body: ConnectionCheckSchema,
    response: CheckStepSchema,
  },
  diagnoseConnection: {
    method: "GET",
    path: "/connections/{connection}/diagnosis",
    summary: "The state of a running connection in plain values, without secrets",
    permission: "configure",
    params: connectionName,
    response: Type.Record(Type.String(), Type.Unknown()),
  },
  restartConnection: {
    method: "POST",
    path: "/connections/{connection}/restart",
    summary: "End a running connection and begin it anew; a parked one too",
    permission: "configure",
    params: connectionName,
    response: Type.Object({}),
  },
} as const;
