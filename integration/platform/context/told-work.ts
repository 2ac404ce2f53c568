import {
  type Executions,
  type IdentifierFinding,
  type MasterDataItem,
  type Micros,
  type Principal,
  ProblemError,
  type Recorded,
} from "@lineshaft/contract/api";
import type { Registry, WorkSource } from "@lineshaft/contract/ports";
import { placesUpwards } from "./cell-source.ts";
import type { IdentifierFault } from "./identified-work.ts";
import type { IdentifierSource } from "./identifier-source.ts";
import { everyPage, remembering } from "./item-reading.ts";

const findingsMost = 1000;
const forever = Number.MAX_SAFE_INTEGER;
const openEnd = (toUs: Micros): Micros | null => (toUs === forever ? null : toUs);

/** What ran, by people's word and by machines' own, and what of the latter nobody understands. */
export function toldWork(parts: {
  registry: Registry;
  identifiers: IdentifierSource;
}): Pick<WorkSource, "executions" | "identifierFindings"> {
  const { registry, identifiers } = parts;
  const platform = (p: Principal): Principal => ({ ...p, role: "admin", scopes: [""] });

  return {
    executions: (p, equipmentId, fromUs, toUs, asOf) => {
      registry.getEquipment(p, equipmentId);
      const all = platform(p);
      const meets = (each: { fromUs: Micros; toUs: Micros }): boolean => each.fromUs < toUs && each.toUs > fromUs;
      const said = identifiers.of(all, placesUpwards(registry, all, equipmentId), asOf);
      const ordered = remembering((id) => registry.masterData.find(all, "order", id, asOf)?.item.quantity ?? 0);
      const told = said.executions.filter(meets).map(({ order, operation, material, unit, ...each }) => ({
        ...{ fromUs: each.fromUs, toUs: openEnd(each.toUs), order, operation, material, unit },
        ...{ quantity: ordered(order), by: "identifier" as const },
      }));
      const orders = everyPage(registry.masterData, all, "order", { equipmentId, fromUs, toUs, asOf });
      const booked = orders
        .flatMap((order) => bookedOn(order, equipmentId))
        .filter((each) => meets({ ...each, toUs: each.toUs ?? forever }));
      return {
        executions: [...booked, ...told].sort((a, b) => a.fromUs - b.fromUs),
        materials: said.materials.filter(meets).map((each) => ({ ...each, toUs: openEnd(each.toUs) })),
      };
    },

    identifierFindings: (p) => {
      const all = platform(p);
      const rules = everyPage(registry.masterData, all, "identifierRule", {});
      if (rules.length === 0) return [];
      const machines = new Set(
        registry
          .standardBindings()
          .items.flatMap(({ tenant, kind, equipmentId }) =>
            tenant === p.tenant && kind === "identifier" ? [equipmentId] : [],
          ),
      );
      return [...machines]
        .filter((equipmentId) => sees(registry, p, equipmentId))
        .flatMap((id) => findingsOf(id, identifiers.of(all, placesUpwards(registry, all, id)).faults))
        .sort((a, b) => b.lastFromUs - a.lastFromUs || (a.value < b.value ? -1 : 1))
        .slice(0, findingsMost);
    },
  };
}

function bookedOn({ id, item }: Recorded<MasterDataItem<"order">>, equipmentId: number): Executions["executions"] {
  const { material, quantity, unit } = item;
  return item.operations.flatMap(({ id: operation, executions }) =>
    executions
      .filter((each) => each.equipmentId === equipmentId)
      .map(({ fromUs, toUs }) => ({
        ...{ fromUs, toUs, order: id, operation, material, quantity, unit, by: "booking" as const },
      })),
  );
}

/** The same value by the same rule is one finding, however often it was told. */
function findingsOf(equipmentId: number, faults: readonly IdentifierFault[]): IdentifierFinding[] {
  const findings = new Map<string, IdentifierFinding>();
  for (const { code, dimension, property, value, id, fromUs } of faults) {
    const key = JSON.stringify([code, dimension, property, value, id]);
    const { times = 0, lastFromUs = fromUs } = findings.get(key) ?? {};
    findings.set(key, {
      ...{ equipmentId, code, dimension, property, value, id, times: times + 1 },
      lastFromUs: Math.max(lastFromUs, fromUs),
    });
  }
  return [...findings.values()];
}

/** May this principal see the equipment, and is it there? */
export function sees(registry: Registry, p: Principal, equipmentId: number): boolean {
  try {
    registry.getEquipment(p, equipmentId);
    return true;
  } catch (error) {
    if (error instanceof ProblemError && error.code === "not_found") return false;
    throw error;
  }
}
