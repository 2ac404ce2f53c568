import type {
  Dated,
  IdentifierRule,
  IdentifierTransition,
  LookUp,
  MadeMaterial,
  MasterDataItem,
  Order,
  OrderExecution,
  Principal,
} from "@lineshaft/contract/api";
import type { MasterData } from "@lineshaft/contract/ports";
import { identifiedWork } from "./identified-work.ts";
import { type ToldIdentifier, toldIdentifiers } from "./identifiers.ts";

/** What machines tell of themselves, and where they stand. */
export interface Machines {
  identifiers(equipmentId: number): readonly IdentifierTransition[];
  /** The equipment, then what it stands below, nearest first. */
  upwards(equipmentId: number): readonly number[];
}

interface Told {
  executions: readonly OrderExecution[];
  materials: readonly MadeMaterial[];
}
const nothing: Told = { executions: [], materials: [] };

/** Which materials machines say they make, and make by the orders they tell: rules and look-ups in memory, orders only where a machine names them. */
export class ToldMaterials {
  readonly #data: MasterData;
  readonly #principal: Principal;
  readonly #machines: Machines;
  readonly #rules = new Map<string, IdentifierRule>();
  readonly #lookUps = new Map<string, LookUp>();
  /** Those that machines have named; null: there is no such order. */
  readonly #orders = new Map<string, Order | null>();
  /** What each machine has named when it was last asked. */
  readonly #named = new Map<number, ReadonlySet<string>>();

  constructor(data: MasterData, principal: Principal, machines: Machines) {
    this.#data = data;
    this.#principal = principal;
    this.#machines = machines;
  }

  of(equipmentId: number, booked: readonly (Dated & { order: string })[]): Told {
    const told = this.#rules.size === 0 ? [] : this.#toldBy(equipmentId);
    this.#named.set(
      equipmentId,
      new Set(told.flatMap(({ dimension, id }) => (dimension === "order" ? [id ?? ""] : []))),
    );
    if (told.length === 0) return nothing;
    return identifiedWork(told, {
      ...{ equipmentId, booked, mounted: [], material: () => null, asset: () => null },
      order: (id) => this.#orderOf(id),
    });
  }

  /** The machines that name it. */
  orderChanged(id: string, order: Order | null): number[] {
    if (this.#orders.has(id)) this.#orders.set(id, order);
    return this.#asked((equipmentId) => this.#named.get(equipmentId)?.has(id) === true);
  }

  /** The machines that it was for, or is for now. */
  ruleChanged(id: string, rule: IdentifierRule | null): number[] {
    const places = [this.#rules.get(id), rule].flatMap((each) => (each == null ? [] : [each.equipmentId]));
    if (rule === null) this.#rules.delete(id);
    else this.#rules.set(id, rule);
    return this.#asked((equipmentId) => this.#machines.upwards(equipmentId).some((place) => places.includes(place)));
  }

  lookUpChanged(id: string, lookUp: MasterDataItem<"lookUp"> | null): number[] {
    if (lookUp === null) this.#lookUps.delete(id);
    else this.#lookUps.set(id, lookUp);
    return this.#asked((equipmentId) =>
      this.#rulesOf(this.#machines.upwards(equipmentId)).some((rule) => rule.lookUp === id),
    );
  }

  #asked(which: (equipmentId: number) => boolean): number[] {
    return [...this.#named.keys()].filter(which);
  }

  #toldBy(equipmentId: number): ToldIdentifier[] {
    const upwards = this.#machines.upwards(equipmentId);
    const rules = this.#rulesOf(upwards);
    if (rules.length === 0) return [];
    const transitions = this.#machines.identifiers(equipmentId);
    return toldIdentifiers(rules, upwards, (id) => this.#lookUps.get(id) ?? null, transitions);
  }

  #rulesOf(upwards: readonly number[]): IdentifierRule[] {
    return [...this.#rules.values()].filter((rule) => upwards.includes(rule.equipmentId));
  }

  #orderOf(id: string): Order | null {
    const known = this.#orders.get(id);
    if (known !== undefined) return known;
    const order = this.#data.find(this.#principal, "order", id)?.item ?? null;
    this.#orders.set(id, order);
    return order;
  }
}
