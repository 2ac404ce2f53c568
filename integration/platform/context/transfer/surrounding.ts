import type { MasterDataItem, MasterDataKind, Principal } from "@lineshaft/contract/api";
import type { Registry } from "@lineshaft/contract/ports";
import type { NamedKind, Surroundings } from "./fields.ts";
import type { Wording } from "./write.ts";

/** What a file of master data is read and written in: the equipment tree, its time zones, and the items that are there. */
export class Surrounding implements Surroundings, Wording {
  readonly #registry: Registry;
  readonly #p: Principal;
  readonly #kind: MasterDataKind;
  readonly #defaultZone: string;
  readonly #items: ReadonlyMap<string, object>;
  readonly #ids = new Map<string, number>();
  readonly #paths = new Map<number, string>();
  readonly #zones = new Map<number, string>();
  readonly #parents = new Map<number, number | null>();
  readonly #stripped = new Map<string, ReadonlyMap<string, string>>();

  constructor(
    registry: Registry,
    p: Principal,
    kind: MasterDataKind,
    defaultZone: string,
    items: ReadonlyMap<string, object> = new Map(),
  ) {
    this.#registry = registry;
    this.#p = p;
    this.#kind = kind;
    this.#defaultZone = defaultZone;
    this.#items = items;
    let cursor: string | undefined;
    do {
      const page = registry.listEquipment(p, { limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
      for (const { id, path, parentId } of page.items) {
        this.#ids.set(path, id);
        this.#paths.set(id, path);
        this.#parents.set(id, parentId);
      }
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    const calendars = new Map(this.#everything("calendar").map(({ id, item }) => [id, item.timeZone]));
    // Of several in a row the last counts: a place seldom moves to another zone.
    const assignments = this.#everything("calendarAssignment").sort((a, b) => a.item.fromUs - b.item.fromUs);
    for (const { item } of assignments) {
      const zone = calendars.get(item.calendar);
      if (zone !== undefined) this.#zones.set(item.equipmentId, zone);
    }
  }

  equipment(text: string): number | null {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const id = /^#?(\d{1,9})$/.exec(text)?.[1];
    if (id !== undefined && this.#paths.has(Number(id))) return Number(id);
    return this.#formerly(text);
  }

  equipmentPaths(): Iterable<string> {
    return this.#ids.keys();
  }

  pathOf(equipmentId: number): string {
    // The enterprise has no path; what is out of sight has none that may be told.
    return this.#paths.get(equipmentId) || `#${equipmentId}`;
  }

  zoneOf(equipmentId: number | null): string {
    for (let at = equipmentId; at !== null; at = this.#parents.get(at) ?? null) {
      const zone = this.#zones.get(at);
      if (zone !== undefined) return zone;
    }
    return this.#defaultZone;
  }

  current(id: string): Record<string, unknown> | null {
    return (this.#items.get(id) as Record<string, unknown> | undefined) ?? null;
  }

  zerosLost(kind: "own" | NamedKind, text: string): string | null {
    if (!/^[1-9]\d*$/.test(text)) return null;
    let known = this.#stripped.get(kind);
    if (known === undefined) {
      const ids =
        kind === "own" || kind === this.#kind ? [...this.#items.keys()] : this.#everything(kind).map(({ id }) => id);
      const all = new Set(ids);
      known = new Map(
        ids.flatMap((id) =>
          /^0+[1-9]\d*$/.test(id) && !all.has(id.replace(/^0+/, "")) ? [[id.replace(/^0+/, ""), id]] : [],
        ),
      );
      this.#stripped.set(kind, known);
    }
    return known.get(text) ?? null;
  }

  /** By a name that it had once; the present owner of a name comes before. */
  #formerly(path: string): number | null {
    if (path === "") return null;
    try {
      const [first] = this.#registry.listEquipment(this.#p, { under: path, limit: 1 }).items;
      return first?.id ?? null;
    } catch {
      return null;
    }
  }

  #everything<K extends MasterDataKind>(kind: K): { id: string; item: MasterDataItem<K> }[] {
    const items: { id: string; item: MasterDataItem<K> }[] = [];
    let cursor: string | undefined;
    do {
      const page = this.#registry.masterData.list(this.#p, kind, {
        limit: 1000,
        ...(cursor === undefined ? {} : { cursor }),
      });
      items.push(...page.items);
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    return items;
  }
}
