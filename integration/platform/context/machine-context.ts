import type {
  IdealCycleTime,
  MasterDataKind,
  Micros,
  Order,
  PolicyAssignment,
  Principal,
} from "@lineshaft/contract/api";
import type { MasterData } from "@lineshaft/contract/ports";
import { cutsOf, sorted, Timeline } from "./timeline.ts";

/** A value that holds from an instant to the next; 0: none is known. */
export interface CycleSteps {
  from: Micros[];
  us: Micros[];
}

interface Dated {
  id: string;
  fromUs: Micros;
  toUs: Micros;
  material: string | null;
}
interface Cycle extends Dated {
  cycleUs: number;
}

/** A change of master data as the log tells it. */
export interface MasterDataChange {
  kind: MasterDataKind;
  id: string;
  revision: number;
  item: unknown;
  removed?: boolean;
}

const forever = Number.MAX_SAFE_INTEGER;

/**
 * What derivation reads of master data, kept in memory and kept up by the log: which ideal cycle held at a machine when, by the materials of the orders that ran on it. Orders that
 * ended before `sinceUs` are left out.
 */
export class MachineContext {
  readonly #data: MasterData;
  readonly #principal: Principal;
  readonly #sinceUs: Micros;
  readonly #revisions = new Map<string, number>();
  readonly #executions = new ByEquipment<Dated>();
  readonly #cycles = new ByEquipment<Cycle>();
  #microStopUs: Micros = 0;

  constructor(parts: { data: MasterData; principal: Principal; sinceUs: Micros }) {
    this.#data = parts.data;
    this.#principal = parts.principal;
    this.#sinceUs = parts.sinceUs;
    for (const kind of ["order", "idealCycleTime", "policyAssignment"] as const) this.#load(kind);
  }

  /** The greatest threshold that any policy has had. */
  get microStopUs(): Micros {
    return this.#microStopUs;
  }

  /** Takes a change in and tells the equipment whose ideal cycles may be others now. What is known already changes nothing. */
  changed({ kind, id, revision, item, removed }: MasterDataChange): number[] {
    const key = `${kind}/${id}`;
    if ((this.#revisions.get(key) ?? 0) >= revision) return [];
    this.#revisions.set(key, revision);
    return this.#put(kind, id, removed === true ? null : item);
  }

  /**
   * The ideal cycle of a machine over time: that of the material in work, else the one for whatever it makes. Where several orders run at once it is the longest of theirs, so that
   * none of them looks like a stop.
   */
  idealCycles(equipmentId: number): CycleSteps {
    const executions = this.#executions.of(equipmentId);
    const cycles = this.#cycles.of(equipmentId);
    const steps: CycleSteps = { from: [], us: [] };
    if (cycles.length === 0) return steps;
    const bounds: Micros[] = [];
    cutsOf([...executions, ...cycles], Number.NEGATIVE_INFINITY, forever, bounds);
    const orders = new Timeline(executions);
    const ideal = new Timeline(cycles);
    for (const at of sorted(bounds)) {
      const dated = ideal.at(at);
      const of = (material: string | null): number | undefined =>
        dated.findLast((cycle) => cycle.material === material)?.cycleUs;
      const materials = orders.at(at).map(({ material }) => material);
      const us = Math.max(...(materials.length === 0 ? [null] : materials).map((each) => of(each) ?? of(null) ?? 0));
      if (us === (steps.us.at(-1) ?? 0)) continue;
      steps.from.push(at);
      steps.us.push(us);
    }
    return steps;
  }

  #load(kind: "order" | "idealCycleTime" | "policyAssignment"): void {
    let cursor: string | undefined;
    do {
      const page = this.#data.list(this.#principal, kind, { fromUs: this.#sinceUs, limit: 1000, cursor });
      for (const { id, revision, item } of page.items) this.changed({ kind, id, revision, item });
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
  }

  #put(kind: MasterDataKind, id: string, item: unknown): number[] {
    if (kind === "order") return this.#executions.put(id, item === null ? [] : executionsOf(id, item as Order));
    if (kind === "policyAssignment" && item !== null)
      this.#microStopUs = Math.max(this.#microStopUs, (item as PolicyAssignment).policy.microStopUs);
    if (kind !== "idealCycleTime") return [];
    return this.#cycles.put(id, item === null ? [] : [cycleOf(id, item as IdealCycleTime)]);
  }
}

type Placed<T> = T & { equipmentId: number };

const executionsOf = (id: string, { material, operations }: Order): Placed<Dated>[] =>
  operations.flatMap(({ executions }) =>
    executions.map(({ equipmentId, fromUs, toUs }) => ({ id, equipmentId, fromUs, toUs: toUs ?? forever, material })),
  );

const cycleOf = (id: string, { equipmentId, fromUs, toUs, material, cycleUs }: IdealCycleTime): Placed<Cycle> => ({
  ...{ id, equipmentId, fromUs, toUs: toUs ?? forever, material, cycleUs },
});

/** Dated items by the equipment they name, in the order in which cells read them: by beginning, then by id. */
class ByEquipment<T extends Dated> {
  readonly #items = new Map<number, T[]>();
  readonly #places = new Map<string, readonly number[]>();

  of(equipmentId: number): readonly T[] {
    return this.#items.get(equipmentId) ?? [];
  }

  /** Replaces what an id says; tells the equipment named before or now. */
  put(id: string, items: readonly Placed<T>[]): number[] {
    const now = [...new Set(items.map(({ equipmentId }) => equipmentId))];
    const concerned = [...new Set([...(this.#places.get(id) ?? []), ...now])];
    for (const equipmentId of concerned) {
      const kept = this.of(equipmentId).filter((item) => item.id !== id);
      const own = items.filter((item) => item.equipmentId === equipmentId && item.fromUs < item.toUs);
      this.#items.set(
        equipmentId,
        [...kept, ...own].sort((a, b) => a.fromUs - b.fromUs || (a.id < b.id ? -1 : 1)),
      );
    }
    if (now.length === 0) this.#places.delete(id);
    else this.#places.set(id, now);
    return concerned;
  }
}
