import type {
  Dated,
  IdentifierFindingCode,
  MadeMaterial,
  Material,
  Micros,
  Order,
  OrderExecution,
  PhysicalAsset,
} from "@lineshaft/contract/api";
import { type ToldIdentifier, without } from "./identifiers.ts";
import { cutsOf, sorted, Timeline } from "./timeline.ts";

/** What a machine told that cannot be taken at its word, in [fromUs, toUs). */
export interface IdentifierFault extends ToldIdentifier {
  code: IdentifierFindingCode;
}

/** A tool that is mounted by the machine's own word. */
export interface ToldTool extends Dated {
  id: string;
  asset: PhysicalAsset;
}

/** What a machine says it works at, as far as people have not said otherwise. */
export interface IdentifiedWork {
  executions: OrderExecution[];
  materials: MadeMaterial[];
  tools: ToldTool[];
  faults: IdentifierFault[];
}

/** What identifiers are resolved by. */
export interface Resolving {
  equipmentId: number;
  order(id: string): Order | null;
  material(id: string): Material | null;
  asset(id: string): PhysicalAsset | null;
  /** What was booked at the equipment: there people have spoken. */
  booked: readonly (Dated & { order: string })[];
  /** When tools are mounted on it by what people said. */
  mounted: readonly Dated[];
}

export const nothingTold: IdentifiedWork = { executions: [], materials: [], tools: [], faults: [] };

/**
 * Executions, materials and tools from what identifiers stand for. What people said of the equipment wins: a booked execution for its time, a mount for its time. An order whose execution they ended, or
 * that they finished there, is over whatever the machine goes on telling; after an end it begins again when the machine tells it anew.
 */
export function identifiedWork(told: readonly ToldIdentifier[], resolving: Resolving): IdentifiedWork {
  if (told.length === 0) return nothingTold;
  const of = (dimension: ToldIdentifier["dimension"]): ToldIdentifier[] =>
    told.filter((each) => each.dimension === dimension);
  const faults: IdentifierFault[] = told
    .filter(({ id }) => id === null)
    .map((each) => ({ ...each, code: "lookUpMissing" }));
  const operations = of("operation").filter(({ id }) => id !== null);
  const executions = of("order").flatMap((each) => {
    if (each.id === null) return [];
    const order = resolving.order(each.id);
    if (order === null) {
      faults.push({ ...each, code: "orderUnknown" });
      return [];
    }
    return executionsOf({ ...each, id: each.id }, order, operations, resolving, faults);
  });
  const materials = of("material").flatMap(({ id, ...each }): MadeMaterial[] => {
    if (id === null) return [];
    const known = resolving.material(id);
    // As with orders, a material need not be described to be made; but it may as well be a slip.
    if (known === null) faults.push({ ...each, id, code: "materialUnknown" });
    return [{ fromUs: each.fromUs, toUs: each.toUs, material: id, unit: known?.unit ?? null }];
  });
  const tools = of("tool").flatMap((each) => {
    if (each.id === null) return [];
    const asset = resolving.asset(each.id);
    if (asset === null) {
      faults.push({ ...each, code: "toolUnknown" });
      return [];
    }
    return without({ fromUs: each.fromUs, toUs: each.toUs, id: each.id, asset }, resolving.mounted);
  });
  return { executions, materials, tools, faults };
}

function executionsOf(
  told: ToldIdentifier & { id: string },
  order: Order,
  operations: readonly ToldIdentifier[],
  { equipmentId, booked }: Resolving,
  faults: IdentifierFault[],
): OrderExecution[] {
  const cuts: Micros[] = [told.fromUs];
  cutsOf(operations, told.fromUs, told.toUs, cuts);
  const edges = [...sorted(cuts), told.toUs];
  const walk = new Timeline(operations);
  const ends = booked
    .filter(({ order: other, toUs }) => other === told.id && toUs > told.fromUs && toUs < told.toUs)
    .map(({ toUs }) => toUs);
  const endedUs = Math.min(Number.POSITIVE_INFINITY, ...ends);
  return edges.slice(0, -1).flatMap((fromUs, i) => {
    const toUs = edges[i + 1];
    const named = walk.one(fromUs);
    const operation =
      named === null ? usualOperation(order, equipmentId) : order.operations.find(({ id }) => id === named.id);
    if (named !== null && operation === undefined) faults.push({ ...named, fromUs, toUs, code: "operationUnknown" });
    const finishedUs = operation?.finished
      ?.filter((each) => each.equipmentId === equipmentId)
      .reduce((least, { atUs }) => Math.min(least, atUs), Number.POSITIVE_INFINITY);
    const execution: OrderExecution = {
      ...{ fromUs, toUs: Math.min(toUs, endedUs, finishedUs ?? toUs) },
      ...{ order: told.id, operation: operation?.id ?? null, material: order.material, unit: order.unit },
      ...{ share: 1, by: "identifier" },
    };
    return execution.fromUs < execution.toUs ? without(execution, booked) : [];
  });
}

/** The order's only operation; of several the first that is meant for the equipment. */
function usualOperation({ operations }: Order, equipmentId: number): Order["operations"][number] | undefined {
  if (operations.length === 1) return operations[0];
  return operations.find(({ executions, planned = [] }) =>
    [...executions, ...planned].some((each) => each.equipmentId === equipmentId),
  );
}
