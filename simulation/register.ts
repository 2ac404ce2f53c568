import type { Platform } from "@lineshaft/client";
import { type EquipmentLevel, equipmentLevels, ProblemError, type RawTag } from "@lineshaft/contract/api";
import type { Signal } from "./plant/index.ts";

/** What registering needs of the SDK. */
export type Registrar = Pick<Platform, "call">;

/**
 * Makes sure that the plant's equipment exists and that its tags are assigned to it. Finds what is there already, so it may run at each start; what people have
 * assigned or named differently stays as they want it.
 */
export async function registerPlant(
  platform: Registrar,
  lines: readonly { connection: string; signals: readonly Signal[] }[],
  signal: AbortSignal,
): Promise<{ created: number; assigned: number }> {
  const equipment = new EquipmentTree(platform, signal);
  await equipment.load();
  let assigned = 0;
  for (const { connection, signals } of lines) {
    const byAddress = new Map(signals.map((s) => [s.address, s]));
    const addresses = [...byAddress.keys()];
    await platform.call("resolveTags", { params: { connection }, body: { addresses }, signal });
    for (const tag of await tagsOf(platform, connection, signal)) {
      const known = byAddress.get(tag.address);
      if (!known || tag.equipmentId !== null) continue;
      const equipmentId = await equipment.ensure(known.equipment);
      if (
        await assign(platform, tag, { equipmentId, name: tag.name ?? known.name, unit: tag.unit ?? known.unit }, signal)
      )
        assigned++;
    }
  }
  return { created: equipment.created, assigned };
}

async function assign(
  platform: Registrar,
  tag: RawTag,
  body: { equipmentId: number; name: string; unit: string | null },
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await platform.call("changeTag", { params: { id: tag.id }, revision: tag.revision, body, signal });
    return true;
  } catch (error) {
    // Somebody changed this tag just now: their change stands.
    if (error instanceof ProblemError && error.code === "revision_conflict") return false;
    throw error;
  }
}

async function tagsOf(platform: Registrar, connection: string, signal: AbortSignal): Promise<RawTag[]> {
  const tags: RawTag[] = [];
  let cursor: string | undefined;
  do {
    const page = await platform.call("listTags", { query: { connection, limit: 1000, cursor }, signal });
    tags.push(...page.items);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return tags;
}

class EquipmentTree {
  created = 0;
  readonly #idOf = new Map<string, number>();
  readonly #platform: Registrar;
  readonly #signal: AbortSignal;

  constructor(platform: Registrar, signal: AbortSignal) {
    this.#platform = platform;
    this.#signal = signal;
  }

  async load(): Promise<void> {
    let cursor: string | undefined;
    do {
      const page = await this.#platform.call("listEquipment", { query: { limit: 1000, cursor }, signal: this.#signal });
      for (const { path, id } of page.items) this.#idOf.set(path, id);
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
  }

  /** The id of the equipment at these names from the site down; creates what is missing on the way. */
  async ensure(names: readonly string[]): Promise<number> {
    const path = names.join("/");
    const known = this.#idOf.get(path);
    if (known !== undefined) return known;
    const parentId = names.length > 1 ? await this.ensure(names.slice(0, -1)) : undefined;
    // The enterprise is level 0 and is the platform's own.
    const level: EquipmentLevel = equipmentLevels[names.length];
    try {
      const body = { level, name: names[names.length - 1], parentId, lifecycle: "productive" as const };
      const { item } = await this.#platform.call("createEquipment", { body, signal: this.#signal });
      this.created++;
      this.#idOf.set(path, item.id);
      return item.id;
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== "path_taken") throw error;
      await this.load();
      const created = this.#idOf.get(path);
      if (created === undefined) throw error;
      return created;
    }
  }
}
