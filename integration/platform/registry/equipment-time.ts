import type { Equipment, Micros } from "@lineshaft/contract/api";

/** What of an equipment is dated. */
type Dated = Pick<Equipment, "name" | "parentId" | "lifecycle" | "model">;

/** An equipment as it was from a revision on, and since when that holds on the floor. */
export interface EquipmentVersion extends Dated {
  validFromUs: Micros;
}

/**
 * What was so at a time, by all that is known now. Each attribute has a line of its own: of the decisions that changed it and hold by then, the last
 * one made counts. Before the first of them it was what it began as.
 */
export function attributesAt(versions: readonly EquipmentVersion[], atUs: Micros): Dated {
  return {
    name: valueAt(versions, "name", atUs),
    parentId: valueAt(versions, "parentId", atUs),
    lifecycle: valueAt(versions, "lifecycle", atUs),
    model: valueAt(versions, "model", atUs),
  };
}

function valueAt<K extends keyof Dated>(versions: readonly EquipmentVersion[], key: K, atUs: Micros): Dated[K] {
  let value = versions[0][key];
  let before = value;
  for (const version of versions.slice(1)) {
    const changed = version[key] !== before;
    before = version[key];
    if (changed && version.validFromUs <= atUs) value = version[key];
  }
  return value;
}

/** From when to when it stood in which state of its life, without gap, from ever to for ever; by the same rule. */
export function lifecycleSpans(
  versions: readonly EquipmentVersion[],
): { fromUs: Micros; toUs: Micros; state: Equipment["lifecycle"] }[] {
  const times = versions.slice(1).map(({ validFromUs }) => validFromUs);
  const starts = [Number.MIN_SAFE_INTEGER, ...[...new Set(times)].sort((a, b) => a - b)];
  const spans: { fromUs: Micros; toUs: Micros; state: Equipment["lifecycle"] }[] = [];
  for (const fromUs of starts) {
    const state = valueAt(versions, "lifecycle", fromUs);
    const last = spans.at(-1);
    if (last?.state === state) continue;
    if (last !== undefined) last.toUs = fromUs;
    spans.push({ fromUs, toUs: Number.MAX_SAFE_INTEGER, state });
  }
  return spans;
}
