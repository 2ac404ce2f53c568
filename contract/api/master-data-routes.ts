import { type TObject, type TProperties, Type } from "typebox";
import { ShiftOccurrenceSchema } from "./calendar.ts";
import { WriteReceiptSchema } from "./equipment.ts";
import { masterDataSchemas, recordedSchema } from "./master-data.ts";
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

/** The four operations on a kind of master data: list, read, put (create without If-Match, change with it), remove. */
const resource = <P extends TProperties, W extends "configure" | "book">(
  path: string,
  what: string,
  item: TObject<P>,
  write: W,
) => {
  const recorded = recordedSchema(item);
  const written = Type.Object({ item: recorded, receipt: WriteReceiptSchema });
  return {
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
  } as const;
};

const {
  material,
  idealCycleTime,
  order,
  calendar,
  calendarAssignment,
  policyAssignment,
  countingAssignment,
  lateScrap,
  physicalAsset,
  reason,
  annotation,
  lineTopology,
  setUp,
  identifierRule,
  lookUp,
} = masterDataSchemas;
const materials = resource("/materials", "Materials with their units", material, "configure");
const idealCycleTimes = resource("/ideal-cycle-times", "Ideal cycle times", idealCycleTime, "configure");
const orders = resource("/orders", "Orders with operations and executions", order, "book");
const calendars = resource("/calendars", "Shift calendars", calendar, "configure");
const calendarAssignments = resource(
  "/calendar-assignments",
  "Which equipment works by which calendar",
  calendarAssignment,
  "configure",
);
const policyAssignments = resource("/oee-policies", "How sites calculate OEE", policyAssignment, "configure");
const countingAssignments = resource(
  "/counting",
  "What the counters of an equipment mean",
  countingAssignment,
  "configure",
);
const lateScraps = resource("/late-scrap", "Scrap found after production", lateScrap, "book");
const physicalAssets = resource(
  "/physical-assets",
  "Tools and other things with a serial number",
  physicalAsset,
  "configure",
);
const reasons = resource("/reasons", "A plant's own reasons", reason, "configure");
const annotations = resource("/annotations", "What people said of stretches of time", annotation, "book");
const lineTopologies = resource(
  "/line-topologies",
  "How the machines of a line stand together",
  lineTopology,
  "configure",
);
const setUps = resource("/set-ups", "Set-up as it was booked", setUp, "book");
const identifierRules = resource(
  "/identifier-rules",
  "Which identifier of a machine tells its order, operation, material or tool",
  identifierRule,
  "configure",
);
const lookUps = resource("/look-ups", "What identifiers of machines stand for", lookUp, "configure");

/** Rows of the route table. */
export const masterDataRoutes = {
  listMaterials: materials.list,
  getMaterial: materials.get,
  putMaterial: materials.put,
  removeMaterial: materials.remove,
  listIdealCycleTimes: idealCycleTimes.list,
  getIdealCycleTime: idealCycleTimes.get,
  putIdealCycleTime: idealCycleTimes.put,
  removeIdealCycleTime: idealCycleTimes.remove,
  listOrders: orders.list,
  getOrder: orders.get,
  putOrder: orders.put,
  removeOrder: orders.remove,
  listCalendars: calendars.list,
  getCalendar: calendars.get,
  putCalendar: calendars.put,
  removeCalendar: calendars.remove,
  listCalendarAssignments: calendarAssignments.list,
  getCalendarAssignment: calendarAssignments.get,
  putCalendarAssignment: calendarAssignments.put,
  removeCalendarAssignment: calendarAssignments.remove,
  listPolicyAssignments: policyAssignments.list,
  getPolicyAssignment: policyAssignments.get,
  putPolicyAssignment: policyAssignments.put,
  removePolicyAssignment: policyAssignments.remove,
  listCountingAssignments: countingAssignments.list,
  getCountingAssignment: countingAssignments.get,
  putCountingAssignment: countingAssignments.put,
  removeCountingAssignment: countingAssignments.remove,
  listLateScrap: lateScraps.list,
  getLateScrap: lateScraps.get,
  putLateScrap: lateScraps.put,
  removeLateScrap: lateScraps.remove,
  listPhysicalAssets: physicalAssets.list,
  getPhysicalAsset: physicalAssets.get,
  putPhysicalAsset: physicalAssets.put,
  removePhysicalAsset: physicalAssets.remove,
  listReasons: reasons.list,
  getReason: reasons.get,
  putReason: reasons.put,
  removeReason: reasons.remove,
  listAnnotations: annotations.list,
  getAnnotation: annotations.get,
  putAnnotation: annotations.put,
  removeAnnotation: annotations.remove,
  listLineTopologies: lineTopologies.list,
  getLineTopology: lineTopologies.get,
  putLineTopology: lineTopologies.put,
  removeLineTopology: lineTopologies.remove,
  listSetUps: setUps.list,
  getSetUp: setUps.get,
  putSetUp: setUps.put,
  removeSetUp: setUps.remove,
  listIdentifierRules: identifierRules.list,
  getIdentifierRule: identifierRules.get,
  putIdentifierRule: identifierRules.put,
  removeIdentifierRule: identifierRules.remove,
  listLookUps: lookUps.list,
  getLookUp: lookUps.get,
  putLookUp: lookUps.put,
  removeLookUp: lookUps.remove,
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
