import { type Static, Type } from "typebox";
import { MicrosSchema, TimeInputSchema } from "./time.ts";
import { JsonValueSchema } from "./value.ts";

/** Bounds of queries; beyond them the answer is `query_too_large`, never a slow server. */
export const queryLimits = { points: 5_000_000, tags: 1_000, buckets: 20_000, seconds: 10 } as const;

const TagIds = Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1, maxItems: queryLimits.tags });

/** The newest value of a tag: greatest (sourceTime, ordinal), not the one that arrived last. */
export const LastValueSchema = Type.Object(
  {
    tag: Type.Integer(),
    time: Type.Union([MicrosSchema, Type.Null()], { description: "sourceTime; null: no value yet." }),
    value: JsonValueSchema,
    type: Type.String(),
    status: Type.Integer(),
    receivedTime: Type.Union([MicrosSchema, Type.Null()]),
    lsn: Type.Union([Type.Integer(), Type.Null()]),
  },
  { $id: "LastValue" },
);
export type LastValue = Static<typeof LastValueSchema>;

export const LastValuesQuerySchema = Type.Object({ tag: TagIds }, { additionalProperties: false });

export const RawQuerySchema = Type.Object(
  {
    tag: TagIds,
    from: TimeInputSchema,
    to: TimeInputSchema,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: queryLimits.points, description: "Default 100,000." })),
    cursor: Type.Optional(Type.String({ maxLength: 512 })),
  },
  { additionalProperties: false, description: "Points with from ≤ sourceTime < to, by tag, then time, then ordinal." },
);
export type RawQuery = Static<typeof RawQuerySchema>;

/** Parts of an answer that could not be given (damaged, being rebuilt). An answer without warnings is complete. */
export const WarningSchema = Type.Object(
  {
    code: Type.String(),
    detail: Type.String(),
    fromUs: Type.Optional(MicrosSchema),
    toUs: Type.Optional(MicrosSchema),
  },
  { $id: "Warning" },
);
export type Warning = Static<typeof WarningSchema>;

/** Columnar JSON of points. `type` is left out when all are doubles, `status` when all are Good, `ordinal` when all are 0. */
export const PointSeriesSchema = Type.Object(
  {
    rows: Type.Integer(),
    tag: Type.Array(Type.Integer()),
    time: Type.Array(MicrosSchema),
    value: Type.Array(JsonValueSchema),
    status: Type.Optional(Type.Array(Type.Integer())),
    ordinal: Type.Optional(Type.Array(Type.Integer())),
    type: Type.Optional(Type.Array(Type.Integer())),
    originalTime: Type.Optional(Type.Array(Type.Union([MicrosSchema, Type.Null()]))),
    cursor: Type.Union([Type.String(), Type.Null()], { description: "For the next page; null: there is no more." }),
    warnings: Type.Array(WarningSchema),
  },
  { $id: "PointSeries" },
);
export type PointSeries = Static<typeof PointSeriesSchema>;

export const BucketQuerySchema = Type.Object(
  {
    tag: TagIds,
    from: TimeInputSchema,
    to: TimeInputSchema,
    buckets: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: queryLimits.buckets,
        description: "Number of equal buckets; give this or `bucketUs`.",
      }),
    ),
    bucketUs: Type.Optional(
      Type.Integer({
        minimum: 1000,
        description: "Width in µs, aligned to 1970 UTC; 60000000 and 3600000000 are answered from roll-ups.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type BucketQuery = Static<typeof BucketQuerySchema>;

/**
 * Aggregates by tag and bucket; empty buckets are left out. Numbers only (booleans as 0/1); rows of Bad quality and text count in
 * `count` but not in min, max, avg; `good` counts the rows with Good quality.
 */
export const BucketSeriesSchema = Type.Object(
  {
    bucketUs: Type.Number(),
    tag: Type.Array(Type.Integer()),
    time: Type.Array(MicrosSchema, { description: "Start of the bucket." }),
    min: Type.Array(Type.Union([Type.Number(), Type.Null()])),
    max: Type.Array(Type.Union([Type.Number(), Type.Null()])),
    avg: Type.Array(Type.Union([Type.Number(), Type.Null()])),
    last: Type.Array(JsonValueSchema),
    count: Type.Array(Type.Integer()),
    good: Type.Array(Type.Integer()),
    status: Type.Array(Type.Integer(), { description: "The worst StatusCode in the bucket." }),
    warnings: Type.Array(WarningSchema),
  },
  { $id: "BucketSeries" },
);
export type BucketSeries = Static<typeof BucketSeriesSchema>;
