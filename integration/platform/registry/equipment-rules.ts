import { type Equipment, type EquipmentLevel, equipmentLevels, nameFault, ProblemError } from "@lineshaft/contract/api";

/** Filters and scopes hold paths up to this length (contract/api), so no path may be longer. */
export const maxPathLength = 1024;

/** Sorts as the tree does: a parent before its children, these before its next sibling. */
export function toTreeKey(path: string): string {
  return path.replaceAll("/", "\u0001");
}

export function childPath(parent: string, name: string): string {
  return parent === "" ? name : `${parent}/${name}`;
}

export function checkName(name: string): void {
  const fault = nameFault(name);
  if (fault !== null) throw new ProblemError("name_invalid", `The name of the equipment cannot be used. ${fault}`);
}

export function pathTooLong(path: string): ProblemError {
  return new ProblemError("name_invalid", `The path would have ${path.length} characters; at most ${maxPathLength}.`);
}

/** Levels may be left out, but never turned round. */
export function checkLevel(level: EquipmentLevel, parent: Equipment): void {
  if (equipmentLevels.indexOf(level) > equipmentLevels.indexOf(parent.level)) return;
  throw new ProblemError(
    "equipment_level_invalid",
    `A ${level} cannot stand below the ${parent.level} ${JSON.stringify(parent.name)}.`,
  );
}
