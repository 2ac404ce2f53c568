import type { Micros } from "@lineshaft/contract/api";

export type Placed<T> = T & { equipmentId: number };

/** Dated items by the equipment they name, in the order in which cells read them: by beginning, then by id. */
export class ByEquipment<T extends { id: string; fromUs: Micros; toUs: Micros }> {
  readonly #items = new Map<number, T[]>();
  readonly #places = new Map<string, readonly number[]>();

  of(equipmentId: number): readonly T[] {
    return this.#items.get(equipmentId) ?? [];
  }

  /** Replaces what an id says; tells the equipment named before or now. */
  put(id: string, items: readonly Placed<T>[]): number[] {
    const now = [...new Set(items.map(({ equipmentId }) => equipmentId))];
    const concerned = [...new Set([...(this.#places.get(id) ?? []), ...now])];
    for (const equipmentId of concerned) {
      const kept = this.of(equipmentId).filter((item) => item.id !== id);
      const own = items.filter((item) => item.equipmentId === equipmentId && item.fromUs < item.toUs);
      this.#items.set(
        equipmentId,
        [...kept, ...own].sort((a, b) => a.fromUs - b.fromUs || (a.id < b.id ? -1 : 1)),
      );
    }
    if (now.length === 0) this.#places.delete(id);
    else this.#places.set(id, now);
    return concerned;
  }
}
