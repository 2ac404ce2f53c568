import type { Registry } from "@lineshaft/contract/ports";
import type { TagDirectory } from "@lineshaft/platform/ingest";
import type { TypeChange } from "@lineshaft/platform/values";

/** F30: what sources changed without a word stands in the log. */
export function noteTypeChanges(
  changes: ReadonlyMap<number, TypeChange>,
  registry: Pick<Registry, "noteTypes">,
  directory: TagDirectory,
): void {
  if (changes.size === 0) return;
  for (const [connection, own] of Map.groupBy(changes, ([tag]) => directory.connectionOfTag(tag)))
    if (connection !== 0) registry.noteTypes(connection, new Map(own));
}
