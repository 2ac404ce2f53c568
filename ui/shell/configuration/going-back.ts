import type { Configuration, EquipmentEntry } from "@lineshaft/contract/api";

/** The present path of what was called so; null: nothing that is there was. */
export type Resolve = (path: string) => Promise<string | null>;

/**
 * An earlier configuration with the present paths beside what has been renamed or moved since: going back is then a rename too, and the equipment stays
 * the same with all that was recorded for it. What stands below follows by itself.
 */
export async function withPresentPaths(
  earlier: Configuration,
  current: Configuration,
  resolve: Resolve,
): Promise<Configuration> {
  const there = new Set((current.equipment ?? []).map(({ path }) => path));
  const wanted = new Set((earlier.equipment ?? []).map(({ path }) => path));
  const renamed: { from: string; to: string }[] = [];
  const equipment: EquipmentEntry[] = [];
  for (const entry of earlier.equipment ?? []) {
    const { path } = entry;
    const above = renamed.find(({ to }) => path.startsWith(`${to}/`));
    const follows = above !== undefined && there.has(above.from + path.slice(above.to.length));
    const present = there.has(path) || follows ? null : await resolve(path);
    if (present === null || present === path || !there.has(present) || wanted.has(present)) equipment.push(entry);
    else {
      renamed.push({ from: present, to: path });
      equipment.push({ ...entry, was: present });
    }
  }
  return earlier.equipment === undefined ? earlier : { ...earlier, equipment };
}
