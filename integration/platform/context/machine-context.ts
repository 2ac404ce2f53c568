import type {
  Dated,
  IdealCycleTime,
  MasterDataItem,
  MasterDataKind,
  Micros,
  Order,
  PolicyAssignment,
  Principal,
} from "@lineshaft/contract/api";
import type { MasterData } from "@lineshaft/contract/ports";
import { ByEquipment, type Placed } from "./by-equipment.ts";
import { cutsOf, sorted, Timeline } from "./timeline.ts";
import { type Machines, ToldMaterials } from "./told-materials.ts";

/** A value that holds from an instant to the next; 0: none is known. */
export interface CycleSteps {
  from: Micros[];
  us: Micros[];
}

interface OfMaterial extends Dated {
  id: string;
  material: string | null;
}
interface Cycle extends OfMaterial {
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

const loaded = ["order", "idealCycleTime", "policyAssignment", "identifierRule", "lookUp"] as const;

/**
 * What derivation reads of master data, kept in memory and kept up by the log: which ideal cycle held at a machine when, by the materials of the orders that ran on it and by what it tells itself. Orders
 * that ended before `sinceUs` are left out.
 */
export class MachineContext {
  readonly #data: MasterData;
  readonly #principal: Principal;
  readonly #sinceUs: Micros;
  readonly #revisions = new Map<string, number>();
  readonly #executions = new ByEquipment<OfMaterial>();
  readonly #told: ToldMaterials;
  readonly #cycles = new ByEquipment<Cycle>();
  #microStopUs: Micros = 0;

  constructor(parts: { data: MasterData; principal: Principal; sinceUs: Micros; machines: Machines }) {
    this.#data = parts.data;
    this.#principal = parts.principal;
    this.#sinceUs = parts.sinceUs;
    this.#told = new ToldMaterials(parts.data, parts.principal, parts.machines);
    for (const kind of loaded) this.#load(kind);
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
    const booked = this.#executions.of(equipmentId);
    const cycles = this.#cycles.of(equipmentId);
    const steps: CycleSteps = { from: [], us: [] };
    if (cycles.length === 0) return steps;
    const told = this.#told.of(
      equipmentId,
      booked.map(({ id, fromUs, toUs }) => ({ order: id, fromUs, toUs })),
    );
    const executions: (Dated & { material: string | null })[] = [...booked, ...told.executions];
    const bounds: Micros[] = [];
    cutsOf([...executions, ...told.materials, ...cycles], Number.NEGATIVE_INFINITY, forever, bounds);
    const orders = new Timeline(executions);
    const made = new Timeline(told.materials);
    const ideal = new Timeline(cycles);
    for (const at of sorted(bounds)) {
      const dated = ideal.at(at);
      const of = (material: string | null): number | undefined =>
        dated.findLast((cycle) => cycle.material === material)?.cycleUs;
      const own = made.one(at)?.material ?? null;
      const materials = orders.at(at).map(({ material }) => material ?? own);
      const us = Math.max(...(materials.length === 0 ? [own] : materials).map((each) => of(each) ?? of(null) ?? 0));
      if (us === (steps.us.at(-1) ?? 0)) continue;
      steps.from.push(at);
      steps.us.push(us);
    }
    return steps;
  }

  #load(kind: (typeof loaded)[number]): void {
    let cursor: string | undefined;
    do {
      const page = this.#data.list(this.#principal, kind, { fromUs: this.#sinceUs, limit: 1000, cursor });
      for (const { id, revision, item } of page.items) this.changed({ kind, id, revision, item });
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
  }

  #put(kind: MasterDataKind, id: string, item: unknown): number[] {
    if (kind === "order") {
      const placed = this.#executions.put(id, item === null ? [] : executionsOf(id, item as Order));
      return [...new Set([...placed, ...this.#told.orderChanged(id, item as Order | null)])];
    }
    if (kind === "identifierRule") return this.#told.ruleChanged(id, item as MasterDataItem<"identifierRule"> | null);
    if (kind === "lookUp") return this.#told.lookUpChanged(id, item as MasterDataItem<"lookUp"> | null);
    if (kind === "policyAssignment" && item !== null)
      this.#microStopUs = Math.max(this.#microStopUs, (item as PolicyAssignment).policy.microStopUs);
    if (kind !== "idealCycleTime") return [];
    return this.#cycles.put(id, item === null ? [] : [cycleOf(id, item as IdealCycleTime)]);
  }
}

const executionsOf = (id: string, { material, operations }: Order): Placed<OfMaterial>[] =>
  operations.flatMap(({ executions }) =>
    executions.map(({ equipmentId, fromUs, toUs }) => ({ id, equipmentId, fromUs, toUs: toUs ?? forever, material })),
  );

const cycleOf = (id: string, { equipmentId, fromUs, toUs, material, cycleUs }: IdealCycleTime): Placed<Cycle> => ({
  ...{ id, equipmentId, fromUs, toUs: toUs ?? forever, material, cycleUs },
});
