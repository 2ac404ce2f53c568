import {
  type Annotation,
  alarmColumns,
  dayUs,
  type Principal,
  ProblemError,
  type Recorded,
  type Timeline,
  timelineDaysMost,
  type timelineRoutes,
} from "@lineshaft/contract/api";
import type { Handlers } from "./call.ts";
import { statesBody } from "./facts.ts";
import type { Services } from "./services.ts";

interface Range {
  fromUs: number;
  toUs: number;
}
interface Kit {
  readRange(query: { from: string | number; to: string | number }): Range;
}

/** Between so many machines others have their turn. */
const atOnce = 4;
const annotationsPage = 1000;

/** What many machines did beside one another. */
export function timelineHandlers(services: Services, { readRange }: Kit): Pick<Handlers, keyof typeof timelineRoutes> {
  return {
    listTimelines: async ({ principal, query, signal }) => {
      const range = readRange(query);
      const ids = [...new Set(query.equipmentId)];
      if ((ids.length * (range.toUs - range.fromUs)) / dayUs > timelineDaysMost)
        throw new ProblemError(
          "query_too_large",
          `At most ${timelineDaysMost} days of all machines together are given at once. Ask for fewer machines, or for less time.`,
        );
      const items: Timeline[] = [];
      for (const [i, id] of ids.entries()) {
        if (i % atOnce === atOnce - 1) await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
        if (isVisible(services, principal, id)) items.push(timelineOf(services, principal, id, range));
      }
      return { items };
    },
  };
}

function isVisible({ registry }: Services, principal: Principal, id: number): boolean {
  try {
    registry.getEquipment(principal, id);
    return true;
  } catch (error) {
    if (error instanceof ProblemError && error.code === "not_found") return false;
    throw error;
  }
}

function timelineOf(services: Services, principal: Principal, id: number, { fromUs, toUs }: Range): Timeline {
  const { facts, registry, work } = services;
  return {
    equipmentId: id,
    fromUs,
    toUs,
    states: statesBody(facts.states(id, fromUs, toUs)),
    alarms: alarmColumns(facts.alarms(id, fromUs, toUs)),
    watermarkUs: facts.progress(id)?.watermarkUs ?? null,
    shifts: registry.masterData.shifts(principal, id, fromUs, toUs),
    executions: work.executions(principal, id, fromUs, toUs).executions,
    annotations: annotationsOf(services, principal, id, { fromUs, toUs }),
  };
}

function annotationsOf({ registry }: Services, principal: Principal, id: number, range: Range): Recorded<Annotation>[] {
  const found: Recorded<Annotation>[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const query = { limit: annotationsPage, equipmentId: id, ...range, ...(cursor === undefined ? {} : { cursor }) };
    const page = registry.masterData.list(principal, "annotation", query);
    found.push(...page.items);
    cursor = page.cursor;
  }
  return found;
}
