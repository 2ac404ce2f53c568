import { type Static, type TProperties, Type } from "typebox";
import { MicrosSchema, TimeInputSchema } from "./time.ts";

/**
 * Facts that are told and not derived: which unit was made of what, what was consumed, tested, sampled, maintained, and what energy it took. They come from MES, test benches, quality
 * systems and meters. The words are those of IEC 62264-2 and -4 (ISA-95: material lot, material sublot, material use, material test result), of EN 13306 for maintenance and of
 * ISO 22400-2 with its amendment 1 for energy.
 *
 * A record is known by an `id` that its source chooses. The same content again is a repeat and changes nothing; other content is a correction where its `revision` is greater, else refused
 * (`record_conflict`). What was recorded before stays readable by `asOf`. Records are kept as long as results, which rest on them: longer than raw points, and no rule of retention drops
 * them.
 */

const closed = { additionalProperties: false } as const;
const text = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description });
const quantity = Type.Number({ description: "In `unit`; not negative." });
const unit = Type.String({ maxLength: 64, description: "UCUM, e.g. kg, m or kW.h; 1 for pieces." });
const serial = text(128, "Serial number: a material sublot of one piece (IEC 62264-2).");
const lot = text(128, "Material lot or sublot (IEC 62264-2).");

const said = {
  id: text(128, "Chosen by the source, unique for ever, e.g. a UUID or <system>/<number>."),
  revision: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 2_147_483_647,
      description: "Counted by the source; a correction has a greater one. Default 0.",
    }),
  ),
  equipmentId: Type.Integer({
    minimum: 1,
    description: "Where it happened: a machine, a test bench, a meter's place.",
  }),
};
const context = {
  order: Type.Optional(text(128, "Id of the order.")),
  operation: Type.Optional(text(64, "Its operation.")),
  material: Type.Optional(text(128, "Id of the material definition.")),
};
const when = {
  fromUs: Type.Optional(
    Type.Unsafe<number>({ ...MicrosSchema, description: "When it began. Left out: it is an instant." }),
  ),
  toUs: Type.Unsafe<number>({ ...MicrosSchema, description: "When it was done." }),
};
const subject = { serial: Type.Optional(serial), lot: Type.Optional(lot) };
const limits = {
  lower: Type.Optional(Type.Number({ description: "Lower limit of the specification." })),
  upper: Type.Optional(Type.Number({ description: "Upper limit of the specification." })),
};

/** A unit with its serial number, or a portion of a lot, and what it was made of. */
const UnitProducedSchema = Type.Object(
  {
    kind: Type.Literal("unitProduced"),
    ...said,
    ...context,
    ...when,
    ...subject,
    quantity: Type.Optional(Type.Number({ description: "Default 1." })),
    unit: Type.Optional(unit),
    verdict: Type.Enum(["good", "scrap", "rework"]),
    parents: Type.Optional(
      Type.Array(Type.Object({ ...subject, quantity: Type.Optional(quantity), unit: Type.Optional(unit) }, closed), {
        maxItems: 1000,
        description: "What went into it: units by serial number, or something of a lot.",
      }),
    ),
  },
  { $id: "UnitProduced", ...closed, description: "Material actual with the material use `produced` (IEC 62264-2)." },
);

/** Something of a lot, or a unit, was used up, into what is named or into whatever the order makes. */
const LotConsumptionSchema = Type.Object(
  {
    kind: Type.Literal("lotConsumption"),
    ...said,
    ...context,
    ...when,
    ...subject,
    quantity,
    unit,
    into: Type.Optional(Type.Object(subject, { ...closed, description: "The unit or lot that it became a part of." })),
  },
  { $id: "LotConsumption", ...closed, description: "Material actual with the material use `consumed` (IEC 62264-2)." },
);

const TestResultSchema = Type.Object(
  {
    kind: Type.Literal("testResult"),
    ...said,
    ...context,
    ...when,
    ...subject,
    test: text(128, "Name of the test specification."),
    verdict: Type.Enum(["pass", "fail", "inconclusive"]),
    values: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: text(128, "What was measured."),
            value: Type.Union([Type.Number(), Type.String({ maxLength: 1000 })]),
            unit: Type.Optional(unit),
            ...limits,
          },
          closed,
        ),
        { maxItems: 500 },
      ),
    ),
  },
  { $id: "TestResult", ...closed, description: "Test result of a material lot or sublot (IEC 62264-2)." },
);

/** A sample of a characteristic: one subgroup of a control chart. */
const QualitySampleSchema = Type.Object(
  {
    kind: Type.Literal("qualitySample"),
    ...said,
    ...context,
    ...when,
    ...subject,
    characteristic: text(128, "What was measured of each piece."),
    values: Type.Array(Type.Number(), { minItems: 1, maxItems: 1000 }),
    unit,
    ...limits,
    target: Type.Optional(Type.Number()),
  },
  { $id: "QualitySample", ...closed, description: "A sample of quality operations (IEC 62264-3)." },
);

const MaintenanceEventSchema = Type.Object(
  {
    kind: Type.Literal("maintenanceEvent"),
    ...said,
    order: Type.Optional(text(128, "Id of the maintenance order.")),
    fromUs: MicrosSchema,
    toUs: Type.Union([MicrosSchema, Type.Null()], { description: "null: it is not done yet." }),
    type: Type.Enum(["corrective", "preventive", "conditionBased", "inspection", "improvement"], {
      description: "Types of maintenance of EN 13306.",
    }),
    physicalAsset: Type.Optional(text(128, "Id of the physical asset, where it was not the equipment as such.")),
    text: Type.Optional(Type.String({ maxLength: 4000 })),
  },
  { $id: "MaintenanceEvent", ...closed, description: "Work of maintenance operations (IEC 62264-3)." },
);

const EnergySchema = Type.Object(
  {
    kind: Type.Literal("energy"),
    ...said,
    ...context,
    fromUs: MicrosSchema,
    toUs: MicrosSchema,
    medium: Type.Enum([
      ...["electricity", "gas", "oil", "compressedAir", "steam", "heat", "cooling", "water", "other"],
    ] as const),
    quantity,
    unit,
    estimated: Type.Optional(Type.Boolean({ description: "Not metered but apportioned." })),
  },
  { $id: "Energy", ...closed, description: "Energy that an equipment took (ISO 22400-2 with amendment 1)." },
);

/** What was recorded was not so. Its `revision` is greater than that of the record. */
const RetractionSchema = Type.Object(
  { kind: Type.Literal("retraction"), id: said.id, revision: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }) },
  { $id: "FactRetraction", ...closed },
);

/** The kinds of records and the shape of each. */
export const factRecordSchemas = {
  unitProduced: UnitProducedSchema,
  lotConsumption: LotConsumptionSchema,
  testResult: TestResultSchema,
  qualitySample: QualitySampleSchema,
  maintenanceEvent: MaintenanceEventSchema,
  energy: EnergySchema,
} as const;
export type FactRecordKind = keyof typeof factRecordSchemas;
export const factRecordKinds = Object.keys(factRecordSchemas) as FactRecordKind[];
/** What may stand in a batch: records, and retractions of some. */
export const factSchemas = { ...factRecordSchemas, retraction: RetractionSchema } as const;
export type FactRecordItem<K extends FactRecordKind = FactRecordKind> = {
  [N in K]: Static<(typeof factRecordSchemas)[N]>;
}[K];
export type FactRetraction = Static<typeof RetractionSchema>;
export type FactToRecord = FactRecordItem | FactRetraction;

/** Bounds of records: what is beyond is refused or cut, and said. */
export const factRecordLimits = { batch: 10_000, listed: 1000, relatives: 1000, generations: 50 } as const;

const all = [
  ...[UnitProducedSchema, LotConsumptionSchema, TestResultSchema],
  ...[QualitySampleSchema, MaintenanceEventSchema, EnergySchema],
] as const;
const recordedItem = Type.Unsafe<FactRecordItem>(Type.Union([...all], { $id: "FactRecordItem" }));

/** A record as it is kept. */
export const FactRecordSchema = Type.Object(
  {
    item: recordedItem,
    path: Type.String({ description: "Where its equipment stood when it was recorded." }),
    lsn: Type.Integer(),
    recordedUs: MicrosSchema,
    by: Type.String({ description: "Name of the key that recorded it." }),
  },
  { $id: "FactRecord" },
);
export interface FactRecord {
  item: FactRecordItem;
  path: string;
  lsn: number;
  recordedUs: number;
  by: string;
}

/** `data` of the event `fact.recorded`. A retraction names the kind and the equipment of what it takes back. */
export interface FactRecordedData {
  by: string;
  items: { item: FactToRecord; retracts?: FactRecordKind; equipmentId: number; path: string }[];
}

const asOf = Type.Optional(
  Type.String({
    maxLength: 40,
    description: "What was known by then: a position in the log (LSN), or a time as RFC 3339 text with a zone.",
  }),
);
const page = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: factRecordLimits.listed, description: "Default 100." })),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
};
const listed = Type.Object({
  items: Type.Array(FactRecordSchema),
  more: Type.Boolean({ description: "There are more; list the records by serial number or lot." }),
});
const thing = { serial: Type.Union([Type.String(), Type.Null()]), lot: Type.Union([Type.String(), Type.Null()]) };

/** The units and lots that stand in one direction of the genealogy, nearest first, each once. */
const relatives = (description: string) =>
  Type.Object(
    {
      items: Type.Array(
        Type.Object({
          ...thing,
          generation: Type.Integer({ minimum: 1, description: "How many steps away." }),
          next: Type.Object(thing, { description: "The nearer one that leads here." }),
        }),
      ),
      more: Type.Boolean({ description: `There are more than ${factRecordLimits.relatives}, or they go on.` }),
    },
    { description },
  );
const genealogy = {
  madeOf: relatives("What went into it, and into that, and so on."),
  wentInto: relatives("What it became a part of, and that, and so on."),
};

export const FactUnitSchema = Type.Object(
  {
    serial: Type.String(),
    produced: listed,
    consumed: listed,
    tests: listed,
    samples: listed,
    ...genealogy,
  },
  { $id: "FactUnit" },
);
export type FactUnit = Static<typeof FactUnitSchema>;

export const FactLotSchema = Type.Object(
  {
    lot: Type.String(),
    totals: Type.Array(
      Type.Object({
        equipmentId: Type.Integer(),
        unit: Type.String(),
        good: Type.Number(),
        scrap: Type.Number(),
        rework: Type.Number(),
        fromUs: MicrosSchema,
        toUs: MicrosSchema,
      }),
      { description: "What was produced of it, where, and within which time." },
    ),
    produced: listed,
    consumed: listed,
    tests: listed,
    samples: listed,
    ...genealogy,
  },
  { $id: "FactLot" },
);
export type FactLot = Static<typeof FactLotSchema>;

const named = <P extends TProperties>(params: P) => Type.Object(params, closed);
const asOfOnly = Type.Object({ asOf }, closed);

export const factRecordRoutes = {
  recordFacts: {
    method: "POST",
    path: "/facts/records",
    summary:
      "Record, correct or retract facts; answered when they are durable. Bad items are refused by index, good ones go through",
    permission: "record",
    content: Type.Object(
      {
        items: Type.Array(Type.Unsafe<FactToRecord>(Type.Union([...all, RetractionSchema], { $id: "FactToRecord" })), {
          minItems: 1,
          maxItems: factRecordLimits.batch,
        }),
      },
      { $id: "FactBatch", ...closed },
    ),
    response: Type.Object({
      recorded: Type.Integer({ description: "New, corrected or retracted." }),
      repeated: Type.Integer({ description: "Known with the same content." }),
      lsn: Type.Union([Type.Integer(), Type.Null()], { description: "Of the last one; null: nothing was new." }),
      faults: Type.Array(
        Type.Object({
          index: Type.Integer(),
          code: Type.String(),
          detail: Type.String(),
          path: Type.Optional(Type.String({ description: "JSON pointer into the item." })),
        }),
      ),
    }),
  },
  listFacts: {
    method: "GET",
    path: "/facts/records",
    summary: "Recorded facts that meet a range, by when they were done",
    permission: "read",
    query: Type.Object(
      {
        kind: Type.Optional(Type.Enum(factRecordKinds)),
        equipmentId: Type.Optional(Type.Integer({ minimum: 1 })),
        serial: Type.Optional(serial),
        lot: Type.Optional(lot),
        order: Type.Optional(Type.String({ maxLength: 128 })),
        from: Type.Optional(TimeInputSchema),
        to: Type.Optional(TimeInputSchema),
        asOf,
        ...page,
      },
      closed,
    ),
    response: Type.Object({
      items: Type.Array(FactRecordSchema),
      cursor: Type.Union([Type.String(), Type.Null()]),
    }),
  },
  getFactRevisions: {
    method: "GET",
    path: "/facts/records/{id}",
    summary: "All that was recorded under one id, the newest first; `retracted` says that it was taken back last",
    permission: "read",
    params: named({ id: said.id }),
    response: Type.Object({ items: Type.Array(FactRecordSchema), retracted: Type.Boolean() }),
  },
  getUnit: {
    method: "GET",
    path: "/facts/units/{serial}",
    summary: "A unit by its serial number: its records, what it is made of and where it went",
    permission: "read",
    params: named({ serial }),
    query: asOfOnly,
    response: FactUnitSchema,
  },
  getLot: {
    method: "GET",
    path: "/facts/lots/{lot}",
    summary: "A lot: where and when it was produced, what it is made of, tests, and where it was used",
    permission: "read",
    params: named({ lot }),
    query: asOfOnly,
    response: FactLotSchema,
  },
} as const;
