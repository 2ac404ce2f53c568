import {
  causeOf,
  dayUs,
  type Equipment,
  type EquipmentNow,
  hourUs,
  itemStateOf,
  type Micros,
  minuteUs,
  nowMax,
  operationModeOf,
  type Principal,
  ProblemError,
  type ResultKey,
  type StateCode,
} from "@lineshaft/contract/api";
import type { Clock, Facts, NowSource, Registry, Results } from "@lineshaft/contract/ports";
import { activeAlarms } from "./active-alarms.ts";
import { bindAnnotations, reasonsInForce } from "./annotations.ts";
import { placesUpwards } from "./cell-source.ts";
import { IdentifierSource } from "./identifier-source.ts";
import { type Execution, PlantNow } from "./plant-now.ts";
import { isKnown, producing } from "./states.ts";

/** How far back the beginning of a state is looked for, step by step: most began just before. */
const lookBackUs = [10 * minuteUs, 2 * hourUs, dayUs, 8 * dayUs];
const registryPage = 1000;
const found = <T>(item: T | null): item is T => item !== null;

/** The state of a machine, and the stop that it stands in. */
export interface Standing {
  code: StateCode;
  sinceUs: Micros;
  /** Since when it has not produced; null: it does, or nothing is known. */
  stopUs: Micros | null;
}

/** Most is known in memory and the rest is remembered until somebody changes it: a thousand machines are told in some tens of milliseconds. */
export function nowSource(parts: {
  facts: Pick<Facts, "states" | "alarms" | "progress" | "identifiers">;
  registry: Registry;
  results: Pick<Results, "find">;
  clock: Clock;
}): NowSource {
  const { facts, registry, results, clock } = parts;
  const { masterData } = registry;
  const identifiers = new IdentifierSource({ registry, facts, clock });
  const plants = new Map<number, PlantNow>();

  function plantOf({ tenant }: Principal): PlantNow {
    let plant = plants.get(tenant);
    if (plant === undefined) {
      plant = new PlantNow(registry, tenant);
      plants.set(tenant, plant);
    }
    return plant;
  }

  function equipmentOf(p: Principal, q: Parameters<NowSource["now"]>[1]) {
    if (q.equipmentIds === undefined) return listed(registry, p, q);
    const items = [...new Set(q.equipmentIds)].map((id) => visible(registry, p, id)).filter(found);
    const below = (path: string): boolean => !q.below || path === q.below || path.startsWith(`${q.below}/`);
    return { items: items.filter(({ path }) => below(path)), cursor: null };
  }

  /** What somebody said of the stop that a machine stands in. */
  function givenReason(plant: PlantNow, equipmentId: number, { stopUs }: Standing, nowUs: Micros): number | null {
    if (stopUs === null) return null;
    return plant.remembered(equipmentId, stopUs, () => {
      const query = { equipmentId, fromUs: stopUs, toUs: nowUs + 1, limit: 1000 };
      const said = masterData
        .list(plant.principal, "annotation", query)
        .items.sort((a, b) => (a.item.saidUs ?? a.changedUs) - (b.item.saidUs ?? b.changedUs));
      const { bound } = bindAnnotations(
        said.map(({ item }) => item),
        [{ from: stopUs, to: nowUs }],
      );
      // A reason holds for the whole stop; a part of it may have had another, and the last of them is told.
      return reasonsInForce(bound).at(-1)?.reason ?? null;
    });
  }

  /** The order that the machine itself tells, where nobody has booked. */
  function toldOrder({ principal }: PlantNow, equipmentId: number, nowUs: Micros): EquipmentNow["order"] {
    if (!identifiers.heard(principal) || facts.identifiers(equipmentId, nowUs, nowUs + 1).length === 0) return null;
    const { executions } = identifiers.of(principal, placesUpwards(registry, principal, equipmentId));
    const told = executions.find(({ fromUs, toUs }) => fromUs <= nowUs && nowUs < toUs);
    if (told === undefined) return null;
    const { order, operation, material, unit, fromUs } = told;
    const quantity = masterData.find(principal, "order", order)?.item.quantity ?? 0;
    return { order, operation: operation ?? "", material, unit, quantity, fromUs };
  }

  return {
    now: (p, q) => {
      const plant = plantOf(p);
      const nowUs = clock.nowUs();
      const page = equipmentOf(p, q);
      plant.look(nowUs);
      const items = page.items
        .filter(({ lifecycle }) => lifecycle !== "retired")
        .map((equipment): EquipmentNow => {
          const { id, level, path } = equipment;
          const { shift, plan, timeZone } = plant.calendarAt(id, nowUs);
          const executions = plant.executions(id);
          const running = executions.findLast(({ fromUs, toUs }) => fromUs <= nowUs && nowUs < toUs);
          const told = running === undefined ? toldOrder(plant, id, nowUs) : null;
          const progress = facts.progress(id);
          const standing = progress === null ? null : standingOf(facts, id, nowUs);
          const given = standing === null ? null : givenReason(plant, id, standing, nowUs);
          return {
            ...{ equipmentId: id, level, path, timeZone, plan },
            state: standing === null ? null : stateTold(standing, given),
            watermarkUs: progress?.watermarkUs ?? null,
            shift: shift && { id: shift.id, name: shift.name, fromUs: shift.fromUs, toUs: shift.toUs },
            order: running === undefined ? told : orderTold(running),
            targets: plant.targets(id, nowUs),
            alarms: progress === null ? { active: 0, worst: [] } : activeAlarms(facts, id, nowUs),
            worksByOrder: executions.length > 0 || told !== null,
            ...{ shiftResult: null, orderResult: null },
          };
        });
      if (q.application !== undefined) addResults(results, p, q.application, items);
      return { atUs: nowUs, items, cursor: page.cursor };
    },
    targets: (p, equipmentIds, atUs) => {
      const plant = plantOf(p);
      plant.look(clock.nowUs());
      const seen = [...new Set(equipmentIds)].filter((id) => visible(registry, p, id) !== null);
      return seen.map((equipmentId) => ({ equipmentId, targets: plant.targets(equipmentId, atUs) }));
    },
  };
}

/** The state at `atUs`, followed back to where it began; one that is older than what is looked through began before. */
export function standingOf(facts: Pick<Facts, "states">, equipmentId: number, atUs: Micros): Standing {
  let standing: Standing = { code: 0, sinceUs: atUs, stopUs: null };
  for (const backUs of lookBackUs) {
    const fromUs = atUs - backUs;
    const { t, code, count } = facts.states(equipmentId, fromUs, atUs + 1);
    if (count === 0) continue;
    const stands = (i: number): boolean => isKnown(code[i]) && !producing(code[i]);
    const last = count - 1;
    let stop = last;
    while (stop > 0 && stands(stop - 1)) stop--;
    standing = {
      code: code[last],
      sinceUs: Math.max(t[last], fromUs),
      stopUs: stands(last) ? Math.max(t[stop], fromUs) : null,
    };
    // The first state holds from the start of what was asked: it may have begun before.
    if (stop > 0 || (last > 0 && !stands(last))) break;
  }
  return standing;
}

function stateTold({ code, sinceUs }: Standing, given: number | null): NonNullable<EquipmentNow["state"]> {
  return {
    itemState: itemStateOf(code),
    operationMode: operationModeOf(code),
    reason: given ?? causeOf(code),
    given: given !== null,
    sinceUs,
  };
}

const orderTold = ({ toUs: _, ...execution }: Execution): NonNullable<EquipmentNow["order"]> => execution;

/** The application's results of the running shift and the running order of each. */
function addResults(results: Pick<Results, "find">, p: Principal, application: string, items: EquipmentNow[]): void {
  const keys: ResultKey[] = [];
  const places: ((result: EquipmentNow["shiftResult"]) => void)[] = [];
  for (const item of items) {
    const { equipmentId, shift, order } = item;
    if (shift !== null) {
      keys.push({ equipmentId, period: "shift", key: shift.id });
      places.push((result) => (item.shiftResult = result));
    }
    if (order !== null) {
      keys.push({ equipmentId, period: "order", key: order.order });
      places.push((result) => (item.orderResult = result));
    }
  }
  for (const [i, result] of results.find(p, application, keys).entries()) places[i](result);
}

/** Pages of the registry as one, of up to `limit`. */
function listed(registry: Registry, p: Principal, q: Parameters<NowSource["now"]>[1]) {
  const items: Equipment[] = [];
  let { cursor } = q as { cursor?: string | null };
  do {
    const limit = Math.min(registryPage, (q.limit ?? nowMax) - items.length);
    const page = registry.listEquipment(p, { under: q.below, limit, cursor: cursor ?? undefined });
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null && items.length < (q.limit ?? nowMax));
  return { items, cursor };
}

function visible(registry: Registry, p: Principal, id: number): Equipment | null {
  try {
    return registry.getEquipment(p, id);
  } catch (error) {
    if (error instanceof ProblemError && error.code === "not_found") return null;
    throw error;
  }
}
