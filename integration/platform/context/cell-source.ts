import {
  type Cells,
  dayUs,
  type EquipmentContext,
  gridUs,
  hourUs,
  type MachineFacts,
  type Micros,
  type OeePolicy,
  type Principal,
} from "@lineshaft/contract/api";
import type { CellSource, Clock, Facts, Lsn, Registry } from "@lineshaft/contract/ports";
import { contextOf } from "./assemble.ts";
import { cellsOf } from "./cells.ts";
import { stateSpans, stopsOf } from "./states.ts";

/** How far back a stop, a count or an order that is open at the start is followed; what is longer is judged by what is seen of it. */
const lookBackUs = 8 * dayUs;
/** Micro stops are shorter. */
const lookAheadUs = hourUs;

/** Cells from derived facts and master data, made when they are asked for. */
export function cellSource(parts: { facts: Facts; registry: Registry; clock: Clock }): CellSource {
  const { facts, registry, clock } = parts;
  const { masterData } = registry;

  /** Back to the beginning of the orders, the stop and the count that are open at `from`. */
  function beginning(all: Principal, equipmentId: number, from: Micros, to: Micros, asOf?: Lsn): Micros {
    const earliest = from - lookBackUs;
    const orders = masterData.list(all, "order", { equipmentId, fromUs: from, toUs: to, asOf, limit: 1000 }).items;
    const starts = orders.flatMap(({ item }) =>
      item.operations.flatMap(({ executions }) => executions.map(({ fromUs }) => fromUs)),
    );
    const nearby = facts.machine(equipmentId, earliest, from + 1).facts;
    const begun = Math.min(from - hourUs, ...starts, openAt(nearby, from));
    return Math.max(begun, earliest);
  }

  return {
    cells: (p, equipmentId, from, to, asOf) => {
      registry.getEquipment(p, equipmentId);
      // Policies and calendars stand above what a scope may see, and the numbers must not depend on who asks.
      const all: Principal = { ...p, role: "admin", scopes: [""] };
      const first = Math.floor(from / gridUs) * gridUs;
      const lookFrom = beginning(all, equipmentId, first, to, asOf);
      const last = Math.ceil(to / gridUs) * gridUs;
      const {
        facts: found,
        watermarkUs,
        finalBeforeUs,
        repairing,
      } = facts.machine(equipmentId, lookFrom, last + lookAheadUs);
      const end = Math.max(first, Math.min(last, watermarkUs ?? clock.nowUs()));
      const timeZone = timeZoneAt(registry, all, equipmentId, first, asOf);
      const query = { upwards: placesUpwards(registry, all, equipmentId), timeZone, facts: found, asOf };
      const { context, orphaned, unplaced } = contextOf(masterData, all, query);
      const under: EquipmentContext = {
        ...context,
        // Only productive time counts: what was commissioned, tested or retired at the time does not, whatever it is today.
        lifecycle: registry.lifecycle(all, equipmentId, asOf).filter(({ state }) => state !== "productive"),
      };
      const policies = new Map<string, OeePolicy>(under.policies.map(({ policy }) => [policy.version, policy]));
      return {
        fromUs: first,
        toUs: end,
        cells: cellsOf({ equipment: equipmentId, facts: found, context: under }, { from: first, to: end }),
        timeZone,
        policies: [...policies.values()],
        reasons: [...under.reasonTree],
        orphanedAnnotations: orphaned.map(({ id }) => id),
        unplacedScrap: unplaced.reduce((sum, { quantity }) => sum + quantity, 0),
        finalBeforeUs,
        repairing,
      } satisfies Cells;
    },
  };
}

/** An equipment and what it stands below, nearest first. */
export function placesUpwards(registry: Registry, all: Principal, equipmentId: number): number[] {
  const places: number[] = [];
  for (let id: number | null = equipmentId; id !== null; id = registry.getEquipment(all, id).parentId) places.push(id);
  return places;
}

/** Of the calendar that the equipment works by; without one UTC. */
export function timeZoneAt(registry: Registry, all: Principal, equipmentId: number, at: Micros, asOf?: Lsn): string {
  const { masterData } = registry;
  const [shift] = masterData.shifts(all, equipmentId, at - 7 * dayUs, at + 7 * dayUs, asOf);
  return shift === undefined ? "UTC" : masterData.get(all, "calendar", shift.calendar, asOf).item.timeZone;
}

/** Where the stop and the estimated counts that are open at `at` began. */
function openAt(facts: MachineFacts, at: Micros): Micros {
  const stop = stopsOf(stateSpans(facts)).find(({ from, to }) => from < at && to > at);
  const sources = Array.from(facts.increments.source).filter(
    (source, i) => source < at && facts.increments.t[i] > at && Number.isFinite(source),
  );
  return Math.min(at, stop?.from ?? at, ...sources);
}
