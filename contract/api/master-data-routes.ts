import { type TObject, type TProperties, Type } from "typebox";
import { ShiftOccurrenceSchema } from "./calendar.ts";
import { WriteReceiptSchema } from "./equipment.ts";
import { type MasterDataKind, masterDataSchemas, recordedSchema } from "./master-data.ts";
import { TimeInputSchema } from "./time.ts";

const closed = { additionalProperties: false } as const;
const id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }) }, closed);
const asOf = Type.Optional(
  Type.Integer({
    minimum: 1,
    description: "A position in the log (LSN): what was known by then. Default: what is known.",
  }),
);
const listQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: "Default 100." })),
    cursor: Type.Optional(Type.String({ maxLength: 512 })),
    equipmentId: Type.Optional(Type.Integer({ minimum: 1, description: "Only what names this equipment." })),
    from: Type.Optional(TimeInputSchema),
    to: Type.Optional(TimeInputSchema),
    asOf,
  },
  closed,
);

/** The operations on a kind by their names in the route table: listOrders, getOrder, putOrder, removeOrder. */
type Named<One extends string, Many extends string, L, G, P, R> = Record<`list${Many}`, L> &
  Record<`get${One}`, G> &
  Record<`put${One}`, P> &
  Record<`remove${One}`, R>;

/** Gives the operations on a kind of master data their names: for the routes, and for whoever answers or asks. */
export function namedOperations<One extends string, Many extends string, L, G, P, R>(
  one: One,
  many: Many,
  { list, get, put, remove }: { list: L; get: G; put: P; remove: R },
): Named<One, Many, L, G, P, R> {
  const named = { [`list${many}`]: list, [`get${one}`]: get, [`put${one}`]: put, [`remove${one}`]: remove };
  return named as Named<One, Many, L, G, P, R>;
}

/** The four operations on a kind of master data: list, read, put (create without If-Match, change with it), remove. */
const resource = <One extends string, Many extends string, P extends TProperties, W extends "configure" | "book">(
  [one, many]: readonly [One, Many],
  path: string,
  what: string,
  item: TObject<P>,
  write: W,
) => {
  const recorded = recordedSchema(item);
  const written = Type.Object({ item: recorded, receipt: WriteReceiptSchema });
  return namedOperations(one, many, {
    list: {
      method: "GET",
      path,
      summary: `${what}, by id`,
      permission: "read",
      query: listQuery,
      response: Type.Object({
        items: Type.Array(recorded),
        cursor: Type.Union([Type.String(), Type.Null()], { description: "For the next page; null: there is no more." }),
      }),
    },
    get: {
      method: "GET",
      path: `${path}/{id}`,
      summary: `${what}: one`,
      permission: "read",
      params: id,
      query: Type.Object({ asOf }, closed),
      response: recorded,
    },
    put: {
      method: "PUT",
      path: `${path}/{id}`,
      summary: `${what}: create one, or change it (If-Match)`,
      permission: write,
      params: id,
      body: item,
      response: written,
    },
    remove: {
      method: "DELETE",
      path: `${path}/{id}`,
      summary: `${what}: remove one (If-Match); its past stays readable`,
      permission: write,
      params: id,
      response: written,
    },
  } as const);
};

/** One and many of each kind, as the names of its operations tell them. */
export const masterDataNames = {
  material: ["Material", "Materials"],
  idealCycleTime: ["IdealCycleTime", "IdealCycleTimes"],
  order: ["Order", "Orders"],
  calendar: ["Calendar", "Calendars"],
  calendarAssignment: ["CalendarAssignment", "CalendarAssignments"],
  policyAssignment: ["PolicyAssignment", "PolicyAssignments"],
  countingAssignment: ["CountingAssignment", "CountingAssignments"],
  lateScrap: ["LateScrap", "LateScrap"],
  physicalAsset: ["PhysicalAsset", "PhysicalAssets"],
  reason: ["Reason", "Reasons"],
  annotation: ["Annotation", "Annotations"],
  lineTopology: ["LineTopology", "LineTopologies"],
  setUp: ["SetUp", "SetUps"],
  identifierRule: ["IdentifierRule", "IdentifierRules"],
  lookUp: ["LookUp", "LookUps"],
  kpiTarget: ["KpiTarget", "KpiTargets"],
} as const satisfies Partial<Record<MasterDataKind, readonly [one: string, many: string]>>;

const names = masterDataNames;
const schemas = masterDataSchemas;

/** Rows of the route table. */
export const masterDataRoutes = {
  ...resource(names.material, "/materials", "Materials with their units", schemas.material, "configure"),
  ...resource(names.idealCycleTime, "/ideal-cycle-times", "Ideal cycle times", schemas.idealCycleTime, "configure"),
  ...resource(names.order, "/orders", "Orders with operations and executions", schemas.order, "book"),
  ...resource(names.calendar, "/calendars", "Shift calendars", schemas.calendar, "configure"),
  ...resource(
    names.calendarAssignment,
    "/calendar-assignments",
    "Which equipment works by which calendar",
    schemas.calendarAssignment,
    "configure",
  ),
  ...resource(
    names.policyAssignment,
    "/oee-policies",
    "How sites calculate OEE",
    schemas.policyAssignment,
    "configure",
  ),
  ...resource(
    names.countingAssignment,
    "/counting",
    "What the counters of an equipment mean",
    schemas.countingAssignment,
    "configure",
  ),
  ...resource(names.lateScrap, "/late-scrap", "Scrap found after production", schemas.lateScrap, "book"),
  ...resource(
    names.physicalAsset,
    "/physical-assets",
    "Tools and other things with a serial number",
    schemas.physicalAsset,
    "configure",
  ),
  ...resource(names.reason, "/reasons", "A plant's own reasons", schemas.reason, "configure"),
  ...resource(names.annotation, "/annotations", "What people said of stretches of time", schemas.annotation, "book"),
  ...resource(
    names.lineTopology,
    "/line-topologies",
    "How the machines of a line stand together",
    schemas.lineTopology,
    "configure",
  ),
  ...resource(names.setUp, "/set-ups", "Set-up as it was booked", schemas.setUp, "book"),
  ...resource(
    names.identifierRule,
    "/identifier-rules",
    "Which identifier of a machine tells its order, operation, material or tool",
    schemas.identifierRule,
    "configure",
  ),
  ...resource(names.lookUp, "/look-ups", "What identifiers of machines stand for", schemas.lookUp, "configure"),
  ...resource(names.kpiTarget, "/kpi-targets", "What numbers such as OEE should reach", schemas.kpiTarget, "configure"),
  listShifts: {
    method: "GET",
    path: "/shifts",
    summary: "Shifts of an equipment in a range of at most 400 days, from the calendars it works by",
    permission: "read",
    query: Type.Object(
      { equipmentId: Type.Integer({ minimum: 1 }), from: TimeInputSchema, to: TimeInputSchema, asOf },
      closed,
    ),
    response: Type.Object({ items: Type.Array(ShiftOccurrenceSchema) }),
  },
} as const;
