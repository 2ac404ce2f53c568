import { type Static, Type } from "typebox";
import { ConnectionHealthSchema } from "./connectivity.ts";
import { NameSchema } from "./equipment.ts";
import { MicrosSchema } from "./time.ts";

/** How sure a loss would be noticed on a connection (DESIGN: delivery classes). */
export const deliveryClasses = ["acknowledged", "resumable", "detectable", "bestEffort"] as const;
export type DeliveryClass = (typeof deliveryClasses)[number];

const AddressSchema = Type.String({
  minLength: 1,
  maxLength: 512,
  description: "The source's own name or address of the tag.",
});

/** A raw tag: one address on one connection, with a stable integer id. It has no meaning yet. */
export const RawTagSchema = Type.Object(
  {
    id: Type.Integer(),
    connectionId: Type.Integer(),
    connection: Type.String(),
    address: AddressSchema,
    name: Type.Union([NameSchema, Type.Null()], { description: "A name for people; null: the address serves." }),
    equipmentId: Type.Union([Type.Integer(), Type.Null()]),
    unit: Type.Union([Type.String({ maxLength: 64 }), Type.Null()], {
      description: "What people decided, in UCUM; where they did not, what the source says.",
    }),
    sourceUnit: Type.Union([Type.String({ maxLength: 64 }), Type.Null()], {
      description: "What the source says, as it spells it; null: nothing.",
    }),
    revision: Type.Integer(),
    registeredUs: MicrosSchema,
  },
  { $id: "RawTag" },
);
export type RawTag = Static<typeof RawTagSchema>;

export const NewTagSchema = Type.Object(
  {
    connection: Type.String({ minLength: 1, maxLength: 128 }),
    address: AddressSchema,
    name: Type.Optional(Type.Union([NameSchema, Type.Null()])),
    equipmentId: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
    unit: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
  },
  { $id: "NewTag", additionalProperties: false },
);
export type NewTag = Static<typeof NewTagSchema>;

export const TagChangeSchema = Type.Object(
  {
    name: Type.Optional(Type.Union([NameSchema, Type.Null()])),
    equipmentId: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
    unit: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
  },
  { $id: "TagChange", additionalProperties: false, minProperties: 1 },
);
export type TagChange = Static<typeof TagChangeSchema>;

/** How a connection fares that the platform runs itself. */
export const ConnectionFiguresSchema = Type.Object(
  {
    reconnects: Type.Integer({ description: "Since the server started." }),
    lastGoodUs: Type.Union([MicrosSchema, Type.Null()], { description: "The last batch with a good value in it." }),
    lagMs: Type.Union([Type.Number(), Type.Null()], {
      description: "Our time less the newest source time of the last batch; negative: the source's clock is ahead.",
    }),
    inFlightRows: Type.Integer({ description: "Offered, not yet durable." }),
    expectedRatePerSecond: Type.Union([Type.Number(), Type.Null()], {
      description: "By the sampling of the declared tags; null: nothing is declared that tells it.",
    }),
    certificates: Type.Optional(
      Type.Array(
        Type.Object({
          of: Type.Enum(["own", "peer"]),
          thumbprint: Type.String(),
          daysLeft: Type.Integer({ description: "Negative: it has expired." }),
        }),
        { description: "Those the connection rests on." },
      ),
    ),
  },
  { $id: "ConnectionFigures" },
);
export type ConnectionFigures = Static<typeof ConnectionFiguresSchema>;

/** A source of points. In this version of kind `http`; created on its first batch or by hand. */
export const ConnectionSchema = Type.Object(
  {
    id: Type.Integer(),
    name: Type.String(),
    kind: Type.String(),
    scope: Type.String({ description: "Path on the equipment tree whose readers see its tags." }),
    delivery: Type.Enum([...deliveryClasses]),
    corrections: Type.Boolean({ description: "May this source replace values it sent before?" }),
    tagQuota: Type.Integer(),
    revision: Type.Integer(),
    health: Type.Optional(ConnectionHealthSchema),
    state: Type.Enum(["active", "silent", "never"], { description: "`silent`: nothing for 60 s." }),
    tags: Type.Integer(),
    lastBatchUs: Type.Union([MicrosSchema, Type.Null()]),
    ratePerSecond: Type.Number({ description: "Datapoints a second over the last 10 s." }),
    figures: Type.Optional(ConnectionFiguresSchema),
    sums: Type.Object({
      offered: Type.Integer(),
      stored: Type.Integer(),
      duplicates: Type.Integer(),
      rejected: Type.Integer(),
      dropped: Type.Integer(),
      pending: Type.Integer({ description: "Logged and acknowledged, verdict not yet made." }),
    }),
  },
  { $id: "Connection" },
);
export type Connection = Static<typeof ConnectionSchema>;

export const NewConnectionSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 128, pattern: "^[A-Za-z0-9][A-Za-z0-9._-]*$" }),
    kind: Type.Optional(Type.Literal("http")),
    scope: Type.Optional(Type.String({ maxLength: 1024 })),
    corrections: Type.Optional(Type.Boolean()),
    tagQuota: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  },
  { $id: "NewConnection", additionalProperties: false },
);
export type NewConnection = Static<typeof NewConnectionSchema>;
