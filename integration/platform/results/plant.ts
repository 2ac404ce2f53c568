import { dayUs, type MasterDataItem, type Micros, type Principal, type Recorded } from "@lineshaft/contract/api";
import type { Clock, Facts, Registry, StandardBinding } from "@lineshaft/contract/ports";
import { IdentifierSource, membersOf, placesUpwards, timeZoneAt } from "../context/index.ts";
import type { ExecutionSpan, KeyContext } from "./keys.ts";
import { planStations, type StationPlan } from "./stations.ts";
import type { StationProgress } from "./tasks.ts";

type Order = Recorded<MasterDataItem<"order">>;

/** Shifts are asked for so much beyond, so that a production day is seen whole. */
const aroundUs = 2 * dayUs;
const pageSize = 1000;

/** Who the platform itself is, within a tenant: what a scope may see must not change numbers. */
export const platformPrincipal = (tenant: number): Principal => ({
  ...{ id: "results", kind: "system", name: "results", tenant, role: "admin", scopes: [""] },
});

/** The plant as results need it: which equipment takes part, its periods, and how far its facts go. */
export class Plant {
  readonly #registry: Registry;
  readonly #facts: Facts;
  readonly #identifiers: IdentifierSource;
  /** Zones by equipment and day; thrown away when anything in the registry changes. */
  readonly #zones = new Map<string, string>();
  #zonesOf = -1;

  constructor(registry: Registry, facts: Facts, clock: Clock) {
    this.#registry = registry;
    this.#facts = facts;
    this.#identifiers = new IdentifierSource({ registry, facts, clock });
  }

  stations(tenant: number): StationPlan[] {
    const p = platformPrincipal(tenant);
    const equipment = pages((cursor) => this.#registry.listEquipment(p, { limit: pageSize, cursor }));
    const bound = this.#registry
      .standardBindings()
      .items.filter((binding) => binding.tenant === tenant && isProduction(binding));
    const machines = new Set(bound.map(({ equipmentId }) => equipmentId));
    return planStations(equipment, machines, this.#lines(p));
  }

  keyContext(tenant: number, { id }: StationPlan, fromUs: Micros, toUs: Micros): KeyContext {
    const p = platformPrincipal(tenant);
    const { masterData } = this.#registry;
    const orders = pages((cursor) =>
      // Both ends of the window belong to it.
      masterData.list(p, "order", { equipmentId: id, fromUs: fromUs - 1, toUs: toUs + 1, limit: pageSize, cursor }),
    );
    return {
      timeZone: this.#timeZone(p, id, fromUs),
      shifts: masterData.shifts(p, id, fromUs - aroundUs, toUs + aroundUs),
      executions: [...orders.flatMap((order) => executionsOf(order, id)), ...this.#toldSpans(p, id, orders)],
    };
  }

  progress(members: readonly number[]): StationProgress | null {
    let all: StationProgress | null = null;
    for (const id of members) {
      const own = this.#facts.progress(id);
      if (own === null) continue;
      const begun = own.fromUs ?? own.watermarkUs;
      const before: StationProgress = all ?? { ...own, fromUs: begun };
      all = {
        fromUs: Math.min(before.fromUs, begun),
        watermarkUs: Math.min(before.watermarkUs, own.watermarkUs),
        finalBeforeUs: Math.min(before.finalBeforeUs, own.finalBeforeUs),
        repairing: before.repairing || own.repairing,
      };
    }
    return all;
  }

  /** What the machine told, and what was booked of the same orders at other times: the key of an order is all of it. */
  #toldSpans(p: Principal, id: number, known: readonly Order[]): ExecutionSpan[] {
    const { executions } = this.#identifiers.of(p, placesUpwards(this.#registry, p, id));
    const others = new Set(executions.map(({ order }) => order));
    for (const { id: order } of known) others.delete(order);
    return [
      ...executions.map(({ order, operation, fromUs, toUs }) => ({ order, operation, ...openEnd({ fromUs, toUs }) })),
      ...[...others].flatMap((order) => executionsOf(this.#registry.masterData.get(p, "order", order), id)),
    ];
  }

  #lines(p: Principal): Map<number, number[]> {
    const topologies = pages((cursor) =>
      this.#registry.masterData.list(p, "lineTopology", { limit: pageSize, cursor }),
    );
    const byLine = Map.groupBy(topologies, ({ item }) => item.equipmentId);
    return new Map([...byLine].map(([id, items]) => [id, membersOf(items)]));
  }

  #timeZone(p: Principal, id: number, at: Micros): string {
    const { revision } = this.#registry;
    if (revision !== this.#zonesOf) this.#zones.clear();
    this.#zonesOf = revision;
    const key = `${id} ${Math.floor(at / dayUs)}`;
    let zone = this.#zones.get(key);
    if (zone === undefined) {
      zone = timeZoneAt(this.#registry, p, id, at);
      this.#zones.set(key, zone);
    }
    return zone;
  }
}

const openEnd = ({ fromUs, toUs }: { fromUs: Micros; toUs: Micros }) => ({
  fromUs,
  toUs: toUs === Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : toUs,
});

/** Alarms and identifiers alone make no machine whose production could be told. */
export const isProduction = ({ kind }: Pick<StandardBinding, "kind">): boolean =>
  kind !== "alarm" && kind !== "identifier";

function executionsOf({ id: order, item }: Order, equipmentId: number): ExecutionSpan[] {
  return item.operations.flatMap(({ id: operation, executions }) =>
    executions
      .filter((execution) => execution.equipmentId === equipmentId)
      .map(({ fromUs, toUs }) => ({ order, operation, fromUs, toUs: toUs ?? Number.POSITIVE_INFINITY })),
  );
}

/** Every page of a list. */
export function pages<T>(page: (cursor?: string) => { items: T[]; cursor: string | null }): T[] {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const next = page(cursor);
    items.push(...next.items);
    cursor = next.cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}
