import type { Equipment, Micros } from "@lineshaft/contract/api";

/** What of an equipment is dated. */
type Dated = Pick<Equipment, "name" | "parentId" | "lifecycle" | "model">;
const dated = ["name", "parentId", "lifecycle", "model"] as const;

/** An equipment as it was from a revision on, and since when that holds on the floor. */
export interface EquipmentVersion extends Dated {
  validFromUs: Micros;
}

/**
 * What was so at a time, by all that is known now. Each attribute has a line of its own: of the decisions that changed it and hold by then, the last
 * one made counts. Before the first of them it was what it began as.
 */
export function attributesAt(versions: readonly EquipmentVersion[], atUs: Micros): Dated {
  const found: Record<string, unknown> = {};
  for (const key of dated) {
    let value = versions[0][key];
    let before = value;
    for (const version of versions.slice(1)) {
      const changed = version[key] !== before;
      before = version[key];
      if (changed && version.validFromUs <= atUs) value = version[key];
    }
    found[key] = value;
  }
  return found as Dated;
}
