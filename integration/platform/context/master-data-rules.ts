import {
  type CalendarAssignment,
  type IdentifierRule,
  type LineTopologyItem,
  type LookUp,
  type MasterDataItem,
  type MasterDataKind,
  ProblemError,
  type Reason,
  reasonTreeFaults,
  type ShiftCalendar,
  startingReasons,
} from "@lineshaft/contract/api";
import { unitFault } from "../registry/ucum.ts";
import { type CalendarFault, calendarFaults } from "./calendar.ts";
import { namedPlaces } from "./master-data-places.ts";

/** What an item is checked against besides itself. */
export interface Others {
  equipmentVisible(id: number): boolean;
  calendar(id: string): ShiftCalendar | null;
  /** Assignments of calendars to one equipment, without the item itself. */
  assignments(equipmentId: number): { id: string; item: CalendarAssignment }[];
  /** Topologies of one line, without the item itself. */
  topologies(equipmentId: number): { id: string; item: LineTopologyItem }[];
  /** A plant's own reasons, without the item itself. */
  reasons(): Reason[];
  lookUp(id: string): LookUp | null;
  /** Rules for identifiers of machines, without the item itself. */
  identifierRules(): { id: string; item: IdentifierRule }[];
}

type Rules = { [K in MasterDataKind]: (item: MasterDataItem<K>, id: string, others: Others) => void };

/** What must be true of each kind of item beyond its shape; throws the ProblemError of the first that is not. */
export const masterDataRules: Rules = {
  material: ({ unit, conversions }) => {
    requireUnit(unit, "/unit");
    for (const [i, { unit: other, factor }] of conversions.entries()) {
      requireUnit(other, `/conversions/${i}/unit`);
      requirePositive(factor, `/conversions/${i}/factor`, "The factor of a conversion");
    }
  },
  idealCycleTime: (item, _, others) => {
    requireEquipment(item.equipmentId, "/equipmentId", others);
    requireRange(item.fromUs, item.toUs, "/toUs");
    for (const name of ["cycleUs", "unitsPerCycle"] as const)
      if (!(item[name] > 0 && Number.isFinite(item[name])))
        fail(
          "cycle_time_invalid",
          `/${name}`,
          `${name} is ${item[name]}; an ideal cycle takes time and makes something.`,
        );
  },
  order: (order, _, others) => {
    requireUnit(order.unit, "/unit");
    requireNotNegative(order.quantity, "/quantity", "The ordered quantity");
    const operations = new Set<string>();
    for (const [i, operation] of order.operations.entries()) {
      const path = `/operations/${i}`;
      if (operations.has(operation.id))
        fail("key_duplicate", `${path}/id`, `The operation "${operation.id}" is there twice.`);
      operations.add(operation.id);
      for (const [j, execution] of operation.executions.entries()) {
        const at = `${path}/executions/${j}`;
        requireEquipment(execution.equipmentId, `${at}/equipmentId`, others);
        requireRange(execution.fromUs, execution.toUs, `${at}/toUs`);
        const twice = operation.executions
          .slice(0, j)
          .some((other) => other.equipmentId === execution.equipmentId && overlap(other, execution));
        if (twice) fail("range_invalid", `${at}/fromUs`, "One operation cannot run twice at once on one machine.");
        for (const name of ["share", "outputShare", "cavities"] as const) {
          const value = execution[name];
          if (value !== undefined) requirePositive(value, `${at}/${name}`, name);
        }
      }
      for (const [j, planned] of (operation.planned ?? []).entries()) {
        requireEquipment(planned.equipmentId, `${path}/planned/${j}/equipmentId`, others);
        requireRange(planned.fromUs, planned.toUs, `${path}/planned/${j}/toUs`);
      }
    }
  },
  calendar: (calendar, id) => {
    throwCalendarFaults(calendarFaults(calendar));
    if (calendar.name !== id)
      fail("request_invalid", "/name", `The calendar at /calendars/${id} has the name "${calendar.name}".`);
  },
  calendarAssignment: (item, id, others) => {
    requireEquipment(item.equipmentId, "/equipmentId", others);
    requireRange(item.fromUs, item.toUs, "/toUs");
    if (others.calendar(item.calendar) === null)
      fail("reference_unknown", "/calendar", `There is no calendar "${item.calendar}".`);
    const other = others.assignments(item.equipmentId).find((each) => overlap(each.item, item));
    if (other !== undefined)
      fail(
        "shifts_overlap",
        "/fromUs",
        `The assignments "${id}" and "${other.id}" give one equipment two calendars at once.`,
      );
  },
  policyAssignment: (item, _, others) => {
    requireEquipment(item.equipmentId, "/equipmentId", others);
    requireRange(item.fromUs, item.toUs, "/toUs");
  },
  countingAssignment: (item, _, others) => {
    requireEquipment(item.equipmentId, "/equipmentId", others);
    requireRange(item.fromUs, item.toUs, "/toUs");
    requireUnit(item.unit, "/unit");
    requirePositive(item.unitsPerCount, "/unitsPerCount", "unitsPerCount");
  },
  lateScrap: (item, _, others) => {
    requireEquipment(item.equipmentId, "/equipmentId", others);
    requirePositive(item.quantity, "/quantity", "The scrap");
    // An instant is a time too: a lot may carry one.
    if (item.madeUs !== null && item.madeUs.toUs < item.madeUs.fromUs)
      fail("range_invalid", "/madeUs/toUs", "toUs is before fromUs.");
    if (item.reason != null) requireReason(item.reason, "/reason", others);
  },
  kpiTarget: (item, _, others) => {
    requireEquipment(item.equipmentId, "/equipmentId", others);
    requireRange(item.fromUs, item.toUs, "/toUs");
    requirePositive(item.value, "/value", "A target");
  },
  setUp: (item, _, others) => {
    requireEquipment(item.equipmentId, "/equipmentId", others);
    requireRange(item.fromUs, item.toUs, "/toUs");
  },
  booking: ({ equipmentId, intent }, _, others) => {
    requireEquipment(equipmentId, "/equipmentId", others);
    if ("reason" in intent && intent.reason != null) requireReason(intent.reason, "/intent/reason", others);
    if ("quantity" in intent) requirePositive(intent.quantity, "/intent/quantity", "The quantity");
    if ("fromUs" in intent) requireRange(intent.fromUs, intent.toUs, "/intent/toUs");
  },
  physicalAsset: ({ mounts, blockedCavities }, _, others) => {
    for (const [i, mount] of mounts.entries()) {
      requireEquipment(mount.equipmentId, `/mounts/${i}/equipmentId`, others);
      requireRange(mount.fromUs, mount.toUs, `/mounts/${i}/toUs`);
      const elsewhere = mounts.slice(0, i).some((other) => overlap(other, mount));
      if (elsewhere) fail("range_invalid", `/mounts/${i}`, "One thing cannot be mounted in two places at once.");
    }
    for (const [i, blocked] of blockedCavities.entries()) {
      requireRange(blocked.fromUs, blocked.toUs, `/blockedCavities/${i}/toUs`);
      requirePositive(blocked.cavities, `/blockedCavities/${i}/cavities`, "cavities");
    }
  },
  reason: (reason, id, others) => {
    if (String(reason.number) !== id)
      fail("request_invalid", "/number", `The reason at /reasons/${id} has the number ${reason.number}.`);
    const own = others.reasons();
    const replaced = new Set([...own.map(({ number }) => number), reason.number]);
    const all = [...startingReasons.filter(({ number }) => !replaced.has(number)), ...own, reason];
    const fault = reasonTreeFaults(all).find((each) => each.number === reason.number) ?? reasonTreeFaults(all)[0];
    if (fault !== undefined) fail(fault.code, "/parent", fault.detail);
  },
  lineTopology: (item, _, others) => {
    requireEquipment(item.equipmentId, "/equipmentId", others);
    requireRange(item.fromUs, item.toUs, "/toUs");
    const members = new Set<number>();
    for (const [i, { equipmentId, unitsPerCount }] of item.members.entries()) {
      const at = `/members/${i}`;
      requireEquipment(equipmentId, `${at}/equipmentId`, others);
      requirePositive(unitsPerCount, `${at}/unitsPerCount`, "unitsPerCount");
      if (members.has(equipmentId))
        fail("key_duplicate", `${at}/equipmentId`, `The work unit ${equipmentId} stands in the line twice.`);
      if (equipmentId === item.equipmentId)
        fail("reference_unknown", `${at}/equipmentId`, "A line is no machine of its own.");
      members.add(equipmentId);
    }
    const requireMember = (id: number, path: string): void => {
      if (!members.has(id)) fail("reference_unknown", path, `The work unit ${id} is no member of the line.`);
    };
    requireMember(item.constraint, "/constraint");
    requireMember(item.output, "/output");
    const materials = new Set<string>();
    for (const [i, { material, equipmentId }] of item.constraintOf.entries()) {
      requireMember(equipmentId, `/constraintOf/${i}/equipmentId`);
      if (materials.has(material))
        fail("key_duplicate", `/constraintOf/${i}/material`, `The material "${material}" is there twice.`);
      materials.add(material);
    }
    const other = others.topologies(item.equipmentId).find((each) => overlap(each.item, item));
    if (other !== undefined)
      fail("range_invalid", "/fromUs", `"${other.id}" says at the same time how the line stands.`);
  },
  identifierRule: (item, _, others) => {
    requireEquipment(item.equipmentId, "/equipmentId", others);
    requireRange(item.fromUs, item.toUs, "/toUs");
    const { dimension, equipmentId, lookUp } = item;
    const table = lookUp === null ? null : others.lookUp(lookUp);
    if (lookUp !== null && table === null) fail("reference_unknown", "/lookUp", `There is no look-up "${lookUp}".`);
    if (table !== null && table.dimension !== dimension)
      fail("reference_unknown", "/lookUp", `The look-up "${lookUp}" leads to ids of the kind ${table.dimension}.`);
    const other = others
      .identifierRules()
      .find(
        (each) =>
          each.item.equipmentId === equipmentId && each.item.dimension === dimension && overlap(each.item, item),
      );
    if (other !== undefined)
      fail("range_invalid", "/fromUs", `"${other.id}" says at the same time what tells the ${dimension} there.`);
  },
  lookUp: ({ dimension, rows }, id, others) => {
    const known = new Map<string, { fromUs: number; toUs: number | null }[]>();
    for (const [i, row] of rows.entries()) {
      requireRange(row.fromUs, row.toUs, `/rows/${i}/toUs`);
      const same = known.get(row.value) ?? [];
      if (same.some((other) => overlap(other, row)))
        fail(
          "key_duplicate",
          `/rows/${i}/value`,
          `The value ${JSON.stringify(row.value)} stands for two things at once.`,
        );
      known.set(row.value, [...same, row]);
    }
    const other = others.identifierRules().find((each) => each.item.lookUp === id && each.item.dimension !== dimension);
    if (other !== undefined)
      fail("still_in_use", "/dimension", `"${other.id}" takes the ${other.item.dimension} from the look-up "${id}".`);
  },
  annotation: (item, _, others) => {
    requireEquipment(item.equipmentId, "/equipmentId", others);
    if (item.fromUs > item.anchorUs || item.anchorUs > item.toUs)
      fail("range_invalid", "/anchorUs", "The anchor does not lie between fromUs and toUs.");
    const known = () => [...startingReasons, ...others.reasons()].some(({ number }) => number === item.reason);
    if (item.kind === "comment" ? item.reason !== null : item.reason === null || !known())
      fail(
        item.reason === null || item.kind === "comment" ? "request_invalid" : "reference_unknown",
        "/reason",
        item.kind === "comment" ? "A comment has no reason." : `There is no reason ${item.reason}.`,
      );
  },
};

/** Throws what the first is, with all of them as places. */
export function throwCalendarFaults(faults: readonly CalendarFault[]): void {
  const [first] = faults;
  if (first === undefined) return;
  const { code, detail } = first;
  const own = code === "shifts_overlap" || code === "time_zone_unknown" ? code : "calendar_invalid";
  throw new ProblemError(own, detail, {
    errors: faults.slice(0, 100).map((fault) => ({ path: fault.path, message: fault.detail, code: fault.code })),
  });
}

/** All equipment that an item names must be there, before anything is written that is looked up by it. */
export function requirePlaces(
  kind: MasterDataKind,
  item: MasterDataItem<MasterDataKind>,
  sees: (id: number) => boolean,
): void {
  for (const { equipmentId, path } of namedPlaces(kind, item))
    if (!sees(equipmentId)) fail("equipment_unknown", path, `There is no equipment ${equipmentId} that you may see.`);
}

function requireReason(number: number, path: string, others: Others): void {
  if (![...startingReasons, ...others.reasons()].some((reason) => reason.number === number))
    fail("reference_unknown", path, `There is no reason ${number}.`);
}

function fail(code: ProblemError["code"], path: string, message: string): never {
  throw new ProblemError(code, message, { errors: [{ path, message, code }] });
}

interface Valid {
  fromUs: number;
  toUs: number | null;
}

function overlap(a: Valid, b: Valid): boolean {
  const endless = Number.POSITIVE_INFINITY;
  return a.fromUs < (b.toUs ?? endless) && b.fromUs < (a.toUs ?? endless);
}

function requireUnit(unit: string, path: string): void {
  const fault = unitFault(unit);
  if (fault !== null) fail("unit_unknown", path, `The unit "${unit}": ${fault}`);
}

function requireEquipment(id: number, path: string, others: Others): void {
  if (!others.equipmentVisible(id)) fail("equipment_unknown", path, `There is no equipment ${id} that you may see.`);
}

function requireRange(fromUs: number, toUs: number | null, path: string): void {
  if (toUs !== null && toUs <= fromUs) fail("range_invalid", path, "toUs is not after fromUs.");
}

function requirePositive(value: number, path: string, what: string): void {
  if (!(value > 0 && Number.isFinite(value)))
    fail("quantity_negative", path, `${what} is ${value}; it must be above 0.`);
}

function requireNotNegative(value: number, path: string, what: string): void {
  if (!(value >= 0 && Number.isFinite(value)))
    fail("quantity_negative", path, `${what} is ${value}; it cannot be below 0.`);
}

/** The same answers without asking again for each of thousands of items; good while nothing is written. */
export function remembered(ask: (id: string) => Others): (id: string) => Others {
  const all = ask("");
  let reasons: ReturnType<Others["reasons"]> | null = null;
  let rules: ReturnType<Others["identifierRules"]> | null = null;
  const lookUps = new Map<string, ReturnType<Others["lookUp"]>>();
  const calendars = new Map<string, ReturnType<Others["calendar"]>>();
  const assignments = new Map<number, ReturnType<Others["assignments"]>>();
  const topologies = new Map<number, ReturnType<Others["topologies"]>>();
  const once = <A, B>(known: Map<A, B>, key: A, find: (key: A) => B): B => {
    if (!known.has(key)) known.set(key, find(key));
    return known.get(key) as B;
  };
  return (id) => ({
    equipmentVisible: all.equipmentVisible,
    calendar: (name) => once(calendars, name, all.calendar),
    assignments: (equipment) => once(assignments, equipment, all.assignments).filter((each) => each.id !== id),
    topologies: (equipment) => once(topologies, equipment, all.topologies).filter((each) => each.id !== id),
    reasons: () => {
      reasons ??= all.reasons();
      return reasons.filter(({ number }) => String(number) !== id);
    },
    lookUp: (name) => once(lookUps, name, all.lookUp),
    identifierRules: () => {
      rules ??= all.identifierRules();
      return rules.filter((each) => each.id !== id);
    },
  });
}
