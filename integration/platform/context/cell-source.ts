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
import type {
  CellSource,
  Clock,
  Facts,
  Lsn,
  MachineAnswer,
  ProductionTimes,
  Registry,
} from "@lineshaft/contract/ports";
import { contextOf } from "./assemble.ts";
import { cellsOf } from "./cells.ts";
import { IdentifierSource } from "./identifier-source.ts";
import { machineScrapSources } from "./late-scrap.ts";
import { lineCells } from "./line.ts";
import { asTopology, membersOf, topologiesOf } from "./lines.ts";
import { isKnown, stateSpans, stopsOf } from "./states.ts";
import { machineStops } from "./stops.ts";

/** How far back a stop, a count or an order that is open at the start is followed; what is longer is judged by what is seen of it. */
const lookBackUs = 8 * dayUs;
/** Micro stops are shorter. */
const lookAheadUs = hourUs;

interface Range {
  from: Micros;
  to: Micros;
  asOf: Lsn | undefined;
}

/** Cells from derived facts and master data, made when they are asked for: of a machine from its own facts, of a line by its topology from those of its machines. */
export function cellSource(parts: {
  facts: Facts;
  registry: Registry;
  clock: Clock;
  /** When units and lots were produced. Default: nobody says so. */
  production?: ProductionTimes;
}): CellSource {
  const { facts, registry, clock, production = null } = parts;
  const { masterData } = registry;
  const identifiers = new IdentifierSource({ registry, facts, clock });

  /** Where the stop and the estimated counts that are open at `at` began. Most began just before, so it is looked further back only where they did not. */
  function openSince(equipmentId: number, at: Micros): Micros {
    const { source, t } = facts.machine(equipmentId, at, at + 1).facts.increments;
    const open = source.filter((since, i) => since < at && t[i] > at && Number.isFinite(since));
    for (const backUs of [6 * hourUs, 2 * dayUs, lookBackUs]) {
      const stop = stopsOf(statesOf(equipmentId, at - backUs, at + 1)).find(({ from, to }) => from < at && to > at);
      const since = Math.min(at, stop?.from ?? at, ...open);
      if (since > at - backUs) return since;
    }
    return at - lookBackUs;
  }

  const statesOf = (equipmentId: number, from: Micros, to: Micros) =>
    stateSpans({ from, to, states: facts.states(equipmentId, from, to) });

  /** Back to the beginning of the orders, the stop and the count that are open at `from`. */
  function beginning(all: Principal, equipmentId: number, { from, to, asOf }: Range): Micros {
    const earliest = from - lookBackUs;
    const orders = masterData.list(all, "order", { equipmentId, fromUs: from, toUs: to, asOf, limit: 1000 }).items;
    const starts = orders.flatMap(({ item }) =>
      item.operations.flatMap(({ executions }) => executions.map(({ fromUs }) => fromUs)),
    );
    const identified = identifiers.of(all, placesUpwards(registry, all, equipmentId), asOf).executions;
    for (const { fromUs, toUs } of identified) if (fromUs < to && toUs > from) starts.push(fromUs);
    const begun = Math.min(from - hourUs, ...starts, openSince(equipmentId, from));
    return Math.max(begun, earliest);
  }

  /** Only productive time counts: what was commissioned, tested or retired at the time does not, whatever it is today. */
  function contextAt(
    all: Principal,
    { id: equipmentId, machine = equipmentId }: { id: number; machine?: number },
    timeZone: string,
    found: MachineFacts,
    asOf?: Lsn,
  ) {
    const scrap = machineScrapSources({ facts, production, tenant: all.tenant, machine, place: equipmentId, asOf });
    const upwards = placesUpwards(registry, all, equipmentId);
    const query = { upwards, timeZone, facts: found, scrap, asOf, identified: identifiers.of(all, upwards, asOf) };
    const made = contextOf(masterData, all, query);
    const lifecycle = registry.lifecycle(all, equipmentId, asOf).filter(({ state }) => state !== "productive");
    return { ...made, context: { ...made.context, lifecycle } };
  }

  /** What a machine did, its counts looked at only where the context depends on them. */
  function statesFirst(equipmentId: number, from: Micros, to: Micros): MachineFacts {
    const states = facts.states(equipmentId, from, to);
    let increments: MachineFacts["increments"] | null = null;
    return {
      ...{ from, to, states },
      get increments() {
        increments ??= facts.machine(equipmentId, from, to).facts.increments;
        return increments;
      },
    };
  }

  /** The facts and the context of each machine, from one beginning. */
  function machines(all: Principal, ids: readonly number[], timeZone: string, range: Range) {
    const from = Math.min(...ids.map((id) => beginning(all, id, range)));
    return ids.map((id) => {
      const answer = facts.machine(id, from, range.to + lookAheadUs);
      return { id, answer, ...contextAt(all, { id }, timeZone, answer.facts, range.asOf) };
    });
  }

  return {
    cells: (p, equipmentId, from, to, asOf) => {
      registry.getEquipment(p, equipmentId);
      // Policies and calendars stand above what a scope may see, and the numbers must not depend on who asks.
      const all: Principal = { ...p, role: "admin", scopes: [""] };
      const range = { from: Math.floor(from / gridUs) * gridUs, to: Math.ceil(to / gridUs) * gridUs, asOf };
      const timeZone = timeZoneAt(registry, all, equipmentId, range.from, asOf);
      const line = topologiesOf(masterData, all, equipmentId, { fromUs: range.from, toUs: range.to, asOf });
      const made = machines(all, line.length === 0 ? [equipmentId] : membersOf(line), timeZone, range);
      const answers = made.map(({ answer }) => answer);
      const known = answers.flatMap(({ watermarkUs }) => watermarkUs ?? []);
      const end = Math.max(range.from, Math.min(range.to, known.length > 0 ? Math.min(...known) : clock.nowUs()));
      const window = { from: range.from, to: end };
      const common = { fromUs: window.from, toUs: window.to, timeZone, ...standingOf(answers) };
      if (line.length === 0) {
        const [{ answer, context }] = made;
        const cells = cellsOf({ equipment: equipmentId, facts: answer.facts, context }, window);
        return { ...common, cells, ...told(made, context) };
      }
      const topology = line.map(asTopology);
      const constraint = topology[topology.length - 1].constraint;
      const limiting = made.find(({ id }) => id === constraint) ?? made[0];
      const own = contextAt(all, { id: equipmentId, machine: limiting.id }, timeZone, limiting.answer.facts, asOf);
      // Where orders are booked at the machines and none at the line, it works at what its constraint works at.
      const booked = own.context.executions.length > 0 ? own.context.executions : limiting.context.executions;
      const context = { ...own.context, executions: booked };
      const members = new Map(made.map((each) => [each.id, { facts: each.answer.facts, context: each.context }]));
      const cells = lineCells({ equipment: equipmentId, topology, context, members }, window);
      const answer = { ...common, cells, ...told([own, ...made], context) };
      const rests = line.map(({ id, revision }) => ({ entity: "lineTopology", id, revision }));
      return { ...answer, masterData: [...answer.masterData, ...rests] };
    },
    stops: (p, equipmentId, from, to, { leastUs = 0, asOf } = {}) => {
      // Most machines of a plant have no stop as long as is asked for; their context is not looked up.
      const seen = statesOf(equipmentId, from, to);
      const standing = [...stopsOf(seen), ...seen.filter(({ code }) => !isKnown(code))];
      if (!standing.some((each) => each.to - each.from >= leastUs)) return [];
      const all: Principal = { ...p, role: "admin", scopes: [""] };
      const begin = beginning(all, equipmentId, { from, to, asOf });
      const found = statesFirst(equipmentId, begin, to + lookAheadUs);
      // No part of a stop depends on the zone.
      const { context } = contextAt(all, { id: equipmentId }, "UTC", found, asOf);
      const end = Math.max(from, Math.min(to, facts.progress(equipmentId)?.watermarkUs ?? clock.nowUs()));
      return machineStops({ equipmentId, facts: found, context }, { from, to: end });
    },
  };
}

/** How far all the machines together can be relied on. */
function standingOf(answers: readonly MachineAnswer[]): Pick<Cells, "finalBeforeUs" | "repairing"> {
  const ends = answers.map(({ finalBeforeUs }) => finalBeforeUs);
  return {
    finalBeforeUs: ends.some((end) => end === null) ? null : Math.min(...(ends as Micros[])),
    repairing: answers.some(({ repairing }) => repairing),
  };
}

function told(
  made: readonly Omit<ReturnType<typeof contextOf>, "context">[],
  context: EquipmentContext,
): Pick<Cells, "policies" | "reasons" | "orphanedAnnotations" | "unplacedScrap" | "masterData"> {
  const policies = new Map<string, OeePolicy>(context.policies.map(({ policy }) => [policy.version, policy]));
  const unplaced = made.flatMap((each) => each.unplaced);
  const rests = made.flatMap((each) => each.masterData);
  return {
    policies: [...policies.values()],
    reasons: [...context.reasonTree],
    orphanedAnnotations: made.flatMap(({ orphaned }) => orphaned.map(({ id }) => id)),
    unplacedScrap: unplaced.reduce((sum, { quantity }) => sum + quantity, 0),
    masterData: [...new Map(rests.map((each) => [JSON.stringify(each), each])).values()],
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
