import { type Static, Type } from "typebox";
import { equipmentLevels } from "./equipment.ts";
import { MicrosSchema, TimeInputSchema } from "./time.ts";

/**
 * Results: what an application makes of facts and context, published under a key. The platform says which keys are dirty and why, the application computes
 * them from what it reads, the platform stores what it publishes, with a revision and its cause. The same contract for our applications and for strangers:
 * register, take work, publish (see docs/how-to/applications.md; `runApplication` of the client does it).
 */

const closed = { additionalProperties: false } as const;
const name = Type.String({ pattern: "^[a-z][a-z0-9-]{0,63}$", description: "Name of the application, e.g. oee." });

/** Periods that results stand for. Hours and days are those of the site: local hours, production days. */
export const resultPeriods = ["hour", "shift", "productionDay", "order", "operation"] as const;
export type ResultPeriod = (typeof resultPeriods)[number];

export const ResultKeySchema = Type.Object(
  {
    equipmentId: Type.Integer({ minimum: 1, description: "A work unit, or anything above it." }),
    period: Type.Enum([...resultPeriods]),
    key: Type.String({
      minLength: 1,
      maxLength: 256,
      description:
        "Which one: the instant at which the hour began in µs; the id of the shift occurrence; the production day as yyyy-mm-dd; the order; order/operation.",
    }),
  },
  { $id: "ResultKey", ...closed },
);
export type ResultKey = Static<typeof ResultKeySchema>;

/** Why a key was computed again. `first`: never before. `progress`: the period is open, time has gone on. */
export const resultCauses = ["first", "progress", "facts", "context", "rule", "below"] as const;
export type ResultCause = (typeof resultCauses)[number];

export const CauseSchema = Type.Object({
  kind: Type.Enum([...resultCauses], {
    description:
      "facts: late or corrected points, a mapping. context: order, shift, reason, ideal cycle … rule: another rule version. below: a result that this one is a sum of.",
  }),
  text: Type.String({ description: "For people: what changed." }),
  lsn: Type.Union([Type.Integer(), Type.Null()], {
    description: "The record of the change in the log, where there is one.",
  }),
  registryRevision: Type.Union([Type.Integer(), Type.Null()]),
  actor: Type.Union([Type.String(), Type.Null()]),
});
export type Cause = Static<typeof CauseSchema>;

/** One term that a number rests on, with a reference that can be followed. Meaning is the application's; the platform can show and follow it without knowing. */
export const EvidenceTermSchema = Type.Object(
  {
    term: Type.String({ maxLength: 64, description: "The quantity, by its standard name: APT, PBT', PRI·GQ …" }),
    value: Type.Union([Type.Number(), Type.Null()]),
    unit: Type.String({ maxLength: 32 }),
    ref: Type.Union(
      [
        Type.Object(
          {
            kind: Type.Enum(["cells", "facts", "results"]),
            equipmentId: Type.Integer(),
            fromUs: MicrosSchema,
            toUs: MicrosSchema,
          },
          closed,
        ),
        Type.Object(
          { kind: Type.Enum(["masterData"]), entity: Type.String(), id: Type.String(), revision: Type.Integer() },
          closed,
        ),
        Type.Null(),
      ],
      { description: "Where it comes from." },
    ),
  },
  closed,
);
export type EvidenceTerm = Static<typeof EvidenceTermSchema>;

const valuesSchema = Type.Record(Type.String({ maxLength: 64 }), Type.Union([Type.Number(), Type.Null()]), {
  maxProperties: 100,
  description: "Numbers by name, unrounded. null: not defined here.",
});

/** What an application says of one key. `detail`: whatever it needs to add up what stands above, and to show; at most 64 KiB as JSON. */
export const ResultInputSchema = Type.Object(
  {
    ...ResultKeySchema.properties,
    basisLsn: Type.Integer({ description: "Of the work item: up to where the inputs were known." }),
    values: valuesSchema,
    coverage: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], {
      description: "How much of the expected data it rests on.",
    }),
    detail: Type.Unknown(),
    evidence: Type.Array(EvidenceTermSchema, { maxItems: 200 }),
  },
  { $id: "ResultInput", ...closed },
);
export type ResultInput = Static<typeof ResultInputSchema>;

export const ResultSchema = Type.Object(
  {
    application: Type.String(),
    ruleVersion: Type.String(),
    ...ResultKeySchema.properties,
    fromUs: MicrosSchema,
    toUs: MicrosSchema,
    state: Type.Enum(["provisional", "final"]),
    revision: Type.Integer({
      description: "0 while provisional, 1 the first final one; more are corrections of a final number.",
    }),
    cause: CauseSchema,
    values: valuesSchema,
    coverage: Type.Union([Type.Number(), Type.Null()]),
    detail: Type.Unknown(),
    basisLsn: Type.Integer(),
    lsn: Type.Integer({ description: "Of the publication." }),
    publishedUs: MicrosSchema,
    stale: Type.Boolean({ description: "Something it rests on has changed, and it has not been computed again yet." }),
  },
  { $id: "Result" },
);
export type Result = Static<typeof ResultSchema>;

export const WorkItemSchema = Type.Object(
  {
    ...ResultKeySchema.properties,
    path: Type.String({ description: "Of the equipment: names from the site down." }),
    equipmentLevel: Type.Enum([...equipmentLevels]),
    fromUs: MicrosSchema,
    toUs: MicrosSchema,
    /** Whatever stands below an equipment is computed before it. */
    level: Type.Enum(["workUnit", "line", "above"], {
      description: "workUnit and line: from their cells. above: from the results of what stands directly below.",
    }),
    below: Type.Array(Type.Integer(), { description: "level above: the equipment whose results it is made of." }),
    state: Type.Enum(["provisional", "final"]),
    cause: CauseSchema,
    basisLsn: Type.Integer(),
  },
  { $id: "WorkItem" },
);
export type WorkItem = Static<typeof WorkItemSchema>;

export const ApplicationSchema = Type.Object(
  {
    ruleVersion: Type.String({ minLength: 1, maxLength: 64, description: "Another one makes all that is kept dirty." }),
    periods: Type.Array(Type.Enum([...resultPeriods]), { minItems: 1, maxItems: resultPeriods.length }),
  },
  { $id: "Application", ...closed },
);
export type Application = Static<typeof ApplicationSchema>;

const application = Type.Object({ application: name }, closed);

export const resultRoutes = {
  registerApplication: {
    method: "PUT",
    path: "/applications/{application}",
    summary: "Take part: the platform begins to say which results of the application are dirty",
    permission: "publish",
    params: application,
    body: ApplicationSchema,
    response: Type.Object({ ...ApplicationSchema.properties, dirty: Type.Integer() }),
  },
  takeWork: {
    method: "POST",
    path: "/applications/{application}/work",
    summary:
      "Keys to compute, what stands below before what stands above; waits for some. What is not published within a minute is given out again",
    permission: "publish",
    params: application,
    body: Type.Object(
      {
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 2000, description: "Default 500." })),
        waitMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 30_000, description: "Default 0." })),
      },
      closed,
    ),
    response: Type.Object({ items: Type.Array(WorkItemSchema) }),
  },
  publishResults: {
    method: "POST",
    path: "/applications/{application}/results",
    summary:
      "Publish results for work that was taken; answered when they are durable. Bad items are refused by index, good ones go through",
    permission: "publish",
    params: application,
    body: Type.Object({ items: Type.Array(ResultInputSchema, { minItems: 1, maxItems: 2000 }) }, closed),
    response: Type.Object({
      published: Type.Integer(),
      unchanged: Type.Integer(),
      lsn: Type.Union([Type.Integer(), Type.Null()]),
      faults: Type.Array(Type.Object({ index: Type.Integer(), code: Type.String(), detail: Type.String() })),
    }),
  },
  listResults: {
    method: "GET",
    path: "/results",
    summary: "Results that overlap a range, newest revision (by `asOf`: the newest that was published by then)",
    permission: "read",
    query: Type.Object(
      {
        application: name,
        equipmentId: Type.Optional(Type.Array(Type.Integer({ minimum: 1 }), { maxItems: 1000 })),
        period: Type.Optional(Type.Enum([...resultPeriods])),
        periodKey: Type.Optional(
          Type.String({ maxLength: 256, description: "The result's `key` (a parameter `key` would be a credential)." }),
        ),
        from: Type.Optional(TimeInputSchema),
        to: Type.Optional(TimeInputSchema),
        asOf: Type.Optional(Type.Integer({ minimum: 1, description: "A position in the log (LSN)." })),
        detail: Type.Optional(
          Type.Enum(["full", "none"], { description: "none: `detail` is null, which is much less. Default: full." }),
        ),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5000, description: "Default 1000." })),
        cursor: Type.Optional(Type.String({ maxLength: 2048 })),
      },
      closed,
    ),
    response: Type.Object({ items: Type.Array(ResultSchema), cursor: Type.Union([Type.String(), Type.Null()]) }),
  },
  listRevisions: {
    method: "GET",
    path: "/results/revisions",
    summary:
      "All revisions of one result with their causes and evidence, the newest first; of provisional ones the last",
    permission: "read",
    query: Type.Object(
      {
        application: name,
        equipmentId: ResultKeySchema.properties.equipmentId,
        period: ResultKeySchema.properties.period,
        periodKey: ResultKeySchema.properties.key,
      },
      closed,
    ),
    response: Type.Object({
      items: Type.Array(Type.Object({ ...ResultSchema.properties, evidence: Type.Array(EvidenceTermSchema) })),
    }),
  },
} as const;
