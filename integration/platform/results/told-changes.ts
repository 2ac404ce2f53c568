import type { Dated, MasterDataItem, OrderExecution } from "@lineshaft/contract/api";
import type { Clock, Facts, Lsn, Registry } from "@lineshaft/contract/ports";
import { datedDifference, type IdentifiedAnswer, IdentifierSource, placesUpwards } from "../context/index.ts";
import type { MasterDataChange } from "./context-changes.ts";
import { platformPrincipal } from "./plant.ts";
import type { Range } from "./reach.ts";

/** Machines that are remembered with what they told; of others a change is as wide as its facts say. */
const rememberedMost = 20_000;

/** Where what machines say of their own work has become something else: by other rules, look-ups and items, or because other identifiers have come. */
export class ToldChanges {
  readonly #registry: Registry;
  readonly #source: IdentifierSource;
  /** What was said when it was last looked at. */
  readonly #last = new Map<string, IdentifiedAnswer>();

  constructor(parts: { registry: Registry; facts: Facts; clock: Clock }) {
    this.#registry = parts.registry;
    this.#source = new IdentifierSource(parts);
  }

  /** What the machine says it works at, and worked at. */
  executions(tenant: number, equipmentId: number): readonly OrderExecution[] {
    return this.#of(tenant, equipmentId).executions;
  }

  /** Where a change of master data makes any of the machines say something else. */
  by(tenant: number, change: MasterDataChange, machines: readonly number[]): Range[] {
    return [...new Set(machines)].flatMap((id) => {
      if (!concerns(change, () => this.#of(tenant, id))) return [];
      const [old, next] = [change.lsn - 1, change.lsn].map((asOf) => this.#of(tenant, id, asOf));
      // What was ordered is part of how far an order is.
      const ordered = change.kind === "order" && this.#quantityBefore(tenant, change) !== quantityOf(change);
      return [...differences(old, next), ...(ordered ? executionsOf(next, change.id) : [])];
    });
  }

  /** Where a machine says something else than when it was last looked at; of one that was not, all of `hull`. */
  since(tenant: number, equipmentId: number, hull: Range): Range[] {
    const next = this.#of(tenant, equipmentId);
    const old = this.#last.get(`${tenant} ${equipmentId}`);
    this.#remember(tenant, equipmentId, next);
    if (old !== undefined) return differences(old, next);
    if (next.told.length === 0) return [];
    // A gap before or behind the range may have been bridged, or is now.
    const met = next.told.filter(({ fromUs, toUs }) => fromUs <= hull.toUs && toUs >= hull.fromUs);
    const ends = next.told.flatMap(({ toUs }) => (toUs <= hull.fromUs ? [toUs] : []));
    const starts = next.told.flatMap(({ fromUs }) => (fromUs >= hull.toUs ? [fromUs] : []));
    const near = [...(ends.length > 0 ? [Math.max(...ends)] : []), ...(starts.length > 0 ? [Math.min(...starts)] : [])];
    return [
      {
        fromUs: Math.min(hull.fromUs, ...near, ...met.map(({ fromUs }) => fromUs)),
        toUs: Math.max(hull.toUs, ...near, ...met.map(({ toUs }) => toUs)),
      },
    ];
  }

  #quantityBefore(tenant: number, { kind, id, lsn }: MasterDataChange): number | null {
    const before = this.#registry.masterData.find(platformPrincipal(tenant), kind, id, lsn - 1);
    return before === null ? null : (before.item as MasterDataItem<"order">).quantity;
  }

  #remember(tenant: number, equipmentId: number, answer: IdentifiedAnswer): void {
    if (this.#last.size >= rememberedMost) this.#last.clear();
    this.#last.set(`${tenant} ${equipmentId}`, answer);
  }

  #of(tenant: number, equipmentId: number, asOf?: Lsn): IdentifiedAnswer {
    const p = platformPrincipal(tenant);
    return this.#source.of(p, placesUpwards(this.#registry, p, equipmentId), asOf);
  }
}

/** Can the change make a difference to what is told now? Rules and look-ups can wherever something is told. */
function concerns({ kind, id }: MasterDataChange, told: () => IdentifiedAnswer): boolean {
  switch (kind) {
    case "identifierRule":
    case "lookUp":
      return true;
    case "order":
    case "physicalAsset":
      // What else is booked or mounted there takes precedence: that is a change of its own.
      return told().told.some((each) => each.id === id);
    case "material":
      return told().materials.some(({ material }) => material === id);
    default:
      return false;
  }
}

const quantityOf = ({ item, removed }: MasterDataChange): number | null =>
  removed ? null : (item as MasterDataItem<"order">).quantity;

const executionsOf = ({ executions }: IdentifiedAnswer, id: string): Range[] =>
  executions.filter(({ order }) => order === id).map(({ fromUs, toUs }) => ({ fromUs, toUs }));

function differences(old: IdentifiedAnswer, next: IdentifiedAnswer): Range[] {
  if (old === next) return [];
  const pieces = (answer: IdentifiedAnswer): Dated[] => [
    ...answer.executions,
    ...answer.materials,
    ...answer.tools.map(({ fromUs, toUs, asset }) => ({ fromUs, toUs, blocked: asset.blockedCavities })),
  ];
  return datedDifference(pieces(old), pieces(next)).map(({ from, to }) => ({ fromUs: from, toUs: to }));
}
