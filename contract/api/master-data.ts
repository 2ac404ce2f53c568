import { type Static, type TObject, type TProperties, Type } from "typebox";
import { BookingSchema, scrapSubject } from "./bookings.ts";
import { ShiftCalendarSchema } from "./calendar.ts";
import { ReasonSchema } from "./context-reasons.ts";
import { IdentifierRuleSchema, LookUpSchema } from "./identifiers.ts";
import { OeePolicySchema } from "./kpi.ts";
import { MicrosSchema } from "./time.ts";

/**
 * Master data: what people and ERPs say of the floor, bitemporal. When it was so on the floor stands in the items (`fromUs`, `toUs`); when we learnt it is their
 * revision and its place in the log, so each can be read as it was known then (`asOf`).
 */

const text = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description });
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const closed = { additionalProperties: false } as const;
const valid = {
  fromUs: MicrosSchema,
  toUs: Type.Union([MicrosSchema, Type.Null()], { description: "null: until further notice." }),
};
const bookingId = text(128, "Id of the booking that did it; the platform keeps it.");
/** Which bookings began and ended it, where bookings did. */
const bookedEnds = {
  startedBy: Type.Optional(bookingId),
  endedBy: Type.Optional(
    Type.Object(
      { booking: bookingId, otherwiseUs: orNull(MicrosSchema) },
      { ...closed, description: "`otherwiseUs`: its end without that booking." },
    ),
  ),
};
const equipmentId = Type.Integer({ minimum: 1 });
const materialId = text(128, "Id of the material; it may be one that is not described.");
const ucum = Type.String({ maxLength: 64, description: "UCUM" });

export const MaterialSchema = Type.Object(
  {
    name: orNull(text(256, "What people call it.")),
    unit: ucum,
    conversions: Type.Array(Type.Object({ unit: ucum, factor: Type.Number() }, closed), {
      maxItems: 50,
      description: "One unit of it is so many of another, e.g. a piece 0.25 kg.",
    }),
  },
  { $id: "Material", ...closed },
);
export type Material = Static<typeof MaterialSchema>;

export const IdealCycleTimeSchema = Type.Object(
  {
    equipmentId,
    material: Type.Union([materialId, Type.Null()], { description: "null: whatever is made." }),
    cycleUs: Type.Number({ description: "Shortest time of one cycle in µs." }),
    unitsPerCycle: Type.Number({ description: "Units that a cycle makes with every cavity in use." }),
    ...valid,
  },
  { $id: "IdealCycleTime", ...closed },
);
export type IdealCycleTime = Static<typeof IdealCycleTimeSchema>;

export const OrderSchema = Type.Object(
  {
    material: orNull(materialId),
    unit: ucum,
    quantity: Type.Number({ description: "Ordered." }),
    operations: Type.Array(
      Type.Object(
        {
          id: text(64, "Unique in its order, e.g. 0010."),
          name: orNull(text(256, "What is done.")),
          executions: Type.Array(
            Type.Object(
              {
                equipmentId,
                share: Type.Optional(Type.Number({ description: "Weight among orders that run at once. Default 1." })),
                outputShare: Type.Optional(
                  Type.Number({ description: "Weight of its share of a part count. Default: share." }),
                ),
                cavities: Type.Optional(
                  Type.Number({ description: "Parts of it in one cycle, where cycles are counted." }),
                ),
                ...valid,
                ...bookedEnds,
              },
              closed,
            ),
            { maxItems: 1000 },
          ),
          planned: Type.Optional(
            Type.Array(Type.Object({ equipmentId, ...valid }, closed), {
              maxItems: 100,
              description: "Where and when it is meant to be executed. Nothing runs because of it.",
            }),
          ),
          finished: Type.Optional(
            Type.Array(Type.Object({ equipmentId, atUs: MicrosSchema, by: Type.Optional(bookingId) }, closed), {
              maxItems: 1000,
              description: "Where no more of it is made, and since when.",
            }),
          ),
        },
        closed,
      ),
      { maxItems: 200, description: "In the order of work; the yield of the last is the order's progress." },
    ),
  },
  { $id: "Order", ...closed },
);
export type Order = Static<typeof OrderSchema>;

/** Which calendar an equipment, and all below it without one of its own, works by. */
export const CalendarAssignmentSchema = Type.Object(
  { equipmentId, calendar: text(128, "Id of the calendar."), ...valid },
  { $id: "CalendarAssignment", ...closed },
);
export type CalendarAssignment = Static<typeof CalendarAssignmentSchema>;

/** How a site, or what lies below it, calculates from a date on. */
export const PolicyAssignmentSchema = Type.Object(
  { equipmentId, policy: OeePolicySchema, ...valid },
  { $id: "PolicyAssignment", ...closed },
);
export type PolicyAssignment = Static<typeof PolicyAssignmentSchema>;

/**
 * What somebody said of a stretch of time. `reason`: of the whole interval of the machine that it belongs to; `split`: of its own part of that; `comment`:
 * says no more than its text. It holds on by its anchor, an instant inside, when the interval's ends move.
 */
export const AnnotationSchema = Type.Object(
  {
    equipmentId,
    kind: Type.Enum(["reason", "split", "comment"]),
    anchorUs: MicrosSchema,
    fromUs: MicrosSchema,
    toUs: MicrosSchema,
    reason: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], { description: "null with a comment." }),
    text: Type.String({ maxLength: 4000 }),
    saidUs: Type.Optional(
      Type.Unsafe<number>({
        ...MicrosSchema,
        description: "When it was said. Of two that speak of the same the later holds. Default: when it came.",
      }),
    ),
  },
  { $id: "Annotation", ...closed },
);
export type Annotation = Static<typeof AnnotationSchema>;

/** What the counters of an equipment mean: see `Counting`. */
export const CountingAssignmentSchema = Type.Object(
  {
    equipmentId,
    counts: Type.Enum(["units", "cycles"]),
    quantities: Type.Enum(["sum", "totalAndScrap", "totalAndGood"], {
      description: "sum: produced = good + scrap + rework. Else the total is told, and scrap or good beside it.",
    }),
    unitsPerCount: Type.Number({ description: "Units in one count, where units are counted." }),
    continuous: Type.Boolean({ description: "Counts something without pieces: kilograms, metres." }),
    unit: Type.String({ maxLength: 64, description: "UCUM unit of what is made without an order." }),
    ...valid,
  },
  { $id: "CountingAssignment", ...closed },
);
export type CountingAssignment = Static<typeof CountingAssignmentSchema>;

/**
 * Scrap found after production. When it was made tell `madeUs`, else `serials` or `lot` by what was recorded of their production at the equipment, also later on; else it counts where the
 * order last produced.
 */
export const LateScrapBookingSchema = Type.Object(
  {
    equipmentId,
    order: text(128, "Id of the order."),
    operation: orNull(text(64, "Its operation.")),
    quantity: Type.Number(),
    bookedUs: MicrosSchema,
    madeUs: Type.Union([Type.Object({ fromUs: MicrosSchema, toUs: MicrosSchema }, closed), Type.Null()]),
    ...scrapSubject,
    becomes: Type.Optional(
      Type.Enum(["scrap", "rework"], { description: "What good quantity turned out to be. Default scrap." }),
    ),
    reason: Type.Optional(orNull(Type.Integer({ minimum: 1, description: "Number of a reason." }))),
  },
  { $id: "LateScrapBooking", ...closed },
);
export type LateScrapBooking = Static<typeof LateScrapBookingSchema>;

/** Set-up as somebody booked it, whatever the machine tells. */
export const SetUpBookingSchema = Type.Object(
  {
    equipmentId,
    order: orNull(text(128, "Only for this order; null: whatever runs.")),
    ...valid,
    ...bookedEnds,
  },
  { $id: "SetUpBooking", ...closed },
);
export type SetUpBooking = Static<typeof SetUpBookingSchema>;

/** A thing with a serial number (a tool, a mould, a machine), and where it is or was mounted. Its blocked cavities have dates. */
export const PhysicalAssetSchema = Type.Object(
  {
    name: text(256, "What people call it."),
    serialNumber: orNull(text(128, "Of its maker.")),
    manufacturer: orNull(text(256, "Its maker.")),
    mounts: Type.Array(Type.Object({ equipmentId, ...valid }, closed), { maxItems: 10_000 }),
    blockedCavities: Type.Array(
      Type.Object(
        { order: text(128, "The order whose parts they would make."), cavities: Type.Number(), ...valid },
        closed,
      ),
      { maxItems: 1000 },
    ),
  },
  { $id: "PhysicalAsset", ...closed },
);
export type PhysicalAsset = Static<typeof PhysicalAssetSchema>;

/**
 * How the machines of a line stand together. Time and ideal cycle of the line are its constraint's; what it makes is its output and all that is rejected along it, in units of the line
 * (RULES 10).
 */
export const LineTopologySchema = Type.Object(
  {
    equipmentId: Type.Integer({ minimum: 1, description: "The work center that is the line." }),
    constraint: Type.Integer({ minimum: 1, description: "The work unit that limits it." }),
    constraintOf: Type.Array(Type.Object({ material: materialId, equipmentId }, closed), {
      maxItems: 1000,
      description: "Where it is another one for a material.",
    }),
    output: Type.Integer({ minimum: 1, description: "The work unit whose output is the line's." }),
    members: Type.Array(
      Type.Object(
        {
          equipmentId,
          stage: Type.Integer({
            minimum: 1,
            description: "Its place in the flow of material; machines of one stage stand in parallel.",
          }),
          unitsPerCount: Type.Number({ description: "Units of the line in one of its counts." }),
        },
        closed,
      ),
      { minItems: 1, maxItems: 200, description: "Every machine along the line that makes or rejects." },
    ),
    ...valid,
  },
  { $id: "LineTopology", ...closed },
);
export type LineTopologyItem = Static<typeof LineTopologySchema>;

/**
 * What a number should reach, e.g. OEE. It holds for an equipment and all below it without a target of its own; of several of one equipment the one that begins last
 * counts. No result rests on it: it only says what is enough.
 */
export const KpiTargetSchema = Type.Object(
  {
    equipmentId,
    kpi: text(64, "Name of the value in results: oeeIndex, availability …"),
    value: Type.Number({ description: "In the unit of the value; ratios as shares of 1." }),
    ...valid,
  },
  { $id: "KpiTarget", ...closed },
);
export type KpiTarget = Static<typeof KpiTargetSchema>;

/** The kinds of master data and the shape of an item of each. */
export const masterDataSchemas = {
  material: MaterialSchema,
  idealCycleTime: IdealCycleTimeSchema,
  order: OrderSchema,
  calendar: ShiftCalendarSchema,
  calendarAssignment: CalendarAssignmentSchema,
  policyAssignment: PolicyAssignmentSchema,
  countingAssignment: CountingAssignmentSchema,
  lateScrap: LateScrapBookingSchema,
  physicalAsset: PhysicalAssetSchema,
  reason: ReasonSchema,
  annotation: AnnotationSchema,
  lineTopology: LineTopologySchema,
  setUp: SetUpBookingSchema,
  identifierRule: IdentifierRuleSchema,
  lookUp: LookUpSchema,
  kpiTarget: KpiTargetSchema,
  booking: BookingSchema,
} as const;
export type MasterDataKind = keyof typeof masterDataSchemas;
/** What the shop floor books itself; the rest is configured. */
export const bookedKinds: ReadonlySet<MasterDataKind> = new Set<MasterDataKind>([
  "order",
  "annotation",
  "lateScrap",
  "setUp",
  "booking",
]);
export const masterDataKinds = Object.keys(masterDataSchemas) as MasterDataKind[];
export type MasterDataItem<K extends MasterDataKind> = Static<(typeof masterDataSchemas)[K]>;

/** An item as it is kept: `revision` is its ETag. */
export const recordedSchema = <P extends TProperties>(item: TObject<P>) =>
  Type.Object({
    id: Type.String(),
    revision: Type.Integer(),
    changedUs: MicrosSchema,
    item,
  });
export interface Recorded<T> {
  id: string;
  revision: number;
  changedUs: number;
  item: T;
}
