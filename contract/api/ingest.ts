import { type Static, Type } from "typebox";
import { TimeInputSchema } from "./time.ts";
import { JsonValueSchema } from "./value.ts";

/** Bounds of one ingest request. */
export const ingestLimits = {
  bodyBytes: 16 * 1024 * 1024,
  rows: 100_000,
  jsonDepth: 32,
  valueBytes: 65_536,
} as const;

const StatusSchema = Type.Integer({
  minimum: 0,
  maximum: 0xffffffff,
  description: "OPC UA StatusCode; default 0 = Good.",
});

/** One point as people write it. Without `time` it stands at our receivedTime. */
export const PointSchema = Type.Object(
  {
    tag: Type.String({ minLength: 1, maxLength: 512 }),
    time: Type.Optional(TimeInputSchema),
    value: JsonValueSchema,
    status: Type.Optional(StatusSchema),
    ordinal: Type.Optional(Type.Integer({ minimum: 0, maximum: 65535 })),
  },
  { $id: "Point", additionalProperties: false },
);

/** JSON rows: `{"points":[…]}`; a bare point or a bare array of points is read too. Documentation of the shape: bad rows are refused one by one. */
export const PointRowsSchema = Type.Object(
  { points: Type.Array(PointSchema, { maxItems: ingestLimits.rows }) },
  { $id: "PointRows" },
);

/**
 * Columnar JSON. With `names`, `tag` indexes them, else it holds raw tag ids; one tag for all rows may stand as a single
 * number. `time` is µs, added to `timeBase` where that is given.
 */
export const PointColumnsSchema = Type.Object(
  {
    names: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 512 }))),
    tag: Type.Union([Type.Integer(), Type.Array(Type.Integer(), { maxItems: ingestLimits.rows })]),
    timeBase: Type.Optional(Type.Integer()),
    time: Type.Array(Type.Integer(), { maxItems: ingestLimits.rows }),
    value: Type.Array(JsonValueSchema, { maxItems: ingestLimits.rows }),
    status: Type.Optional(Type.Array(StatusSchema, { maxItems: ingestLimits.rows })),
    ordinal: Type.Optional(Type.Array(Type.Integer({ minimum: 0, maximum: 65535 }), { maxItems: ingestLimits.rows })),
    type: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0, maximum: 5 }), {
        maxItems: ingestLimits.rows,
        description:
          "0 double, 1 int64, 2 boolean, 3 string, 4 bytes, 5 null; default: from the value (a number is a double).",
      }),
    ),
  },
  { $id: "PointColumns", additionalProperties: false },
);
export type PointColumns = Static<typeof PointColumnsSchema>;

/** What may stand in the query of an ingest request, for every media type. */
export const IngestQuerySchema = Type.Object(
  {
    generation: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 0xffffffff,
        description: "The source's session; with `sequence` a batch sent twice is recognised at once.",
      }),
    ),
    sequence: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffffffff })),
    sourceCursor: Type.Optional(
      Type.String({
        maxLength: 1024,
        description: "The source's own position, handed back on GET /connections/{name}/cursor.",
      }),
    ),
    mode: Type.Optional(
      Type.Enum(["append", "correct"], { description: "`correct`: an equal identity with another value replaces it." }),
    ),
  },
  { $id: "IngestQuery", additionalProperties: false },
);
export type IngestQuery = Static<typeof IngestQuerySchema>;

export const RowFaultSchema = Type.Object(
  { row: Type.Integer(), code: Type.String(), detail: Type.String() },
  { $id: "RowFault" },
);
export type RowFault = Static<typeof RowFaultSchema>;

/**
 * The verdict on one batch, given only after it is durable: offered = accepted + suspect + rejected + duplicates.
 * Suspect rows are as old as or older than the newest of their tag; whether each is new, a repeat or a correction is judged a moment later,
 * and the new ones follow in the event stream.
 */
export const IngestReceiptSchema = Type.Object(
  {
    ack: Type.Literal("durable"),
    lsn: Type.Integer({ description: "Position in the log." }),
    offered: Type.Integer(),
    accepted: Type.Integer(),
    suspect: Type.Integer(),
    duplicates: Type.Integer({ description: "Rows of a batch whose (generation, sequence) was seen before." }),
    rejected: Type.Integer(),
    faults: Type.Array(RowFaultSchema, {
      maxItems: 100,
      description: "The first 100 rejected rows; all are kept as rejected items.",
    }),
  },
  { $id: "IngestReceipt" },
);
export type IngestReceipt = Static<typeof IngestReceiptSchema>;
