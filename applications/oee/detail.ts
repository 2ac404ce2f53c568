import { MicrosSchema, reasonLosses, timeClasses } from "@lineshaft/contract/api";
import { type Static, Type } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import { kpiHints } from "./kpis.ts";
import { lossSteps } from "./losses.ts";
import { cutSums, type Sums } from "./sums.ts";

/**
 * What an OEE result carries beside its numbers: the sums that they come from, so that what stands above can add them up and a page can draw waterfall and Pareto
 * of them, and what a reader should know. At most 64 KiB as JSON, whatever a plant makes: long lists are cut, and say so.
 */

const closed = { additionalProperties: false } as const;
const us = Type.Integer({ description: "µs" });
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const quantities = { pq: Type.Number(), gq: Type.Number(), sq: Type.Number(), rq: Type.Number() };

export const SumsSchema = Type.Object(
  {
    timeUs: Type.Unsafe<Sums["timeUs"]>(Type.Object(Object.fromEntries(timeClasses.map((name) => [name, us])), closed)),
    microStopUs: us,
    pbtUs: us,
    pbtKnownUs: us,
    aptUs: us,
    noOrderOutUs: us,
    countUnknownUs: us,
    priPqUs: Type.Number(),
    priGqUs: Type.Number(),
    startUpPriPqUs: Type.Number(),
    startUpPriGqUs: Type.Number(),
    priGqAllUs: Type.Number(),
    cycles: Type.Number(),
    materials: Type.Array(
      Type.Object(
        {
          material: nullable(Type.String()),
          unit: Type.String(),
          headline: Type.Object(quantities, closed),
          all: Type.Object(quantities, closed),
          withoutPri: Type.Number(),
          withoutPriAll: Type.Number(),
          aptUs: us,
          priPqUs: Type.Number(),
          together: Type.Optional(Type.Integer({ minimum: 1 })),
        },
        closed,
      ),
    ),
    estimatedPq: Type.Number(),
    assignedSq: Type.Number(),
    stops: Type.Array(
      Type.Object(
        {
          reason: nullable(Type.Integer()),
          loss: nullable(Type.Enum([...reasonLosses])),
          timeClass: Type.Enum([...timeClasses]),
          micro: Type.Boolean(),
          us,
          count: Type.Integer(),
        },
        closed,
      ),
    ),
  },
  closed,
);

/** A material on an equipment, and how much of it. */
const made = {
  equipmentId: Type.Integer(),
  material: nullable(Type.String()),
  unit: Type.String(),
  quantity: Type.Number(),
};

export const OeeDetailSchema = Type.Object(
  {
    sums: SumsSchema,
    hints: Type.Array(Type.Enum([...kpiHints])),
    /** What was made without an ideal cycle, and where: name these, and effectiveness and OEE are there. */
    missingIdealCycles: Type.Array(Type.Object(made, closed)),
    /** Made faster than ideal: the ideal cycle is too long. */
    fasterThanIdeal: Type.Array(
      Type.Object({ equipmentId: Type.Integer(), material: nullable(Type.String()), unit: Type.String() }, closed),
    ),
    /** For these the best that was demonstrated in the period: a proposal, applied by nobody but people. */
    proposals: Type.Array(
      Type.Object(
        { ...made, priUs: Type.Number({ description: "Production time per unit." }), hourUs: MicrosSchema },
        closed,
      ),
    ),
    /** FE, Σ TTR and Σ TTF: what MTBF and MTTR are made of. */
    reliability: Type.Object({ failureEvents: Type.Integer(), repairUs: us, operatingUs: us }, closed),
    /** Where planned busy time went, the greatest first. */
    topLosses: Type.Array(Type.Object({ step: Type.Enum([...lossSteps]), us }, closed)),
    /** What each order made here in the period. */
    orders: Type.Array(
      Type.Object(
        {
          order: Type.String(),
          operation: nullable(Type.String()),
          material: nullable(Type.String()),
          unit: Type.String(),
          ...quantities,
          aptUs: us,
        },
        closed,
      ),
    ),
    /** Of an order: what its last operation made so far, and what was ordered; of an operation: what it made itself. */
    progress: nullable(
      Type.Object(
        {
          operation: nullable(Type.String()),
          unit: Type.String(),
          ordered: Type.Number(),
          gq: Type.Number(),
          yield: Type.Number({ description: "Good and reworked alike." }),
        },
        closed,
      ),
    ),
    /** Versions of the policies under which it was calculated. */
    policies: Type.Array(Type.String()),
    /** Below, without a result that could be added. */
    without: Type.Array(Type.Integer()),
    unplacedScrap: Type.Number({ description: "Late scrap for which no production was found." }),
    /** Entries that lists above do not show. */
    cut: Type.Integer(),
  },
  { $id: "OeeDetail", ...closed },
);
export type OeeDetail = Static<typeof OeeDetailSchema>;

let validator: Validator | undefined;

/** The detail of a result of this application; null: it is none of ours, or of another version. */
export function readDetail(detail: unknown): OeeDetail | null {
  validator ??= Compile(OeeDetailSchema) as Validator;
  return validator.Check(detail) ? (detail as OeeDetail) : null;
}

const bytesMax = 64 * 1024;
const encoder = new TextEncoder();

/** The detail with lists as long as fit: first as long as anybody reads, then half of that, and so on. */
export function boundDetail(detail: OeeDetail): OeeDetail {
  for (let most = 128; ; most = Math.floor(most / 2)) {
    const bound = cutDetail(detail, most);
    // A string has at least a third as many characters as bytes: most details need no encoding to be measured.
    const text = JSON.stringify(bound);
    if (text.length * 3 <= bytesMax || encoder.encode(text).length <= bytesMax || most === 0) return bound;
  }
}

function cutDetail(detail: OeeDetail, most: number): OeeDetail {
  let cut = detail.cut;
  const shorten = <T>(list: T[], length: number): T[] => {
    cut += Math.max(0, list.length - length);
    return list.slice(0, length);
  };
  const quarter = Math.ceil(most / 4);
  return {
    ...detail,
    sums: cutSums(detail.sums, { materials: most, stops: most }),
    missingIdealCycles: shorten(detail.missingIdealCycles, quarter),
    fasterThanIdeal: shorten(detail.fasterThanIdeal, quarter),
    proposals: shorten(detail.proposals, quarter),
    orders: shorten(detail.orders, most),
    policies: shorten(detail.policies, quarter),
    without: shorten(detail.without, most),
    cut,
  };
}
