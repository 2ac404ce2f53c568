import {
  dayUs,
  type EquipmentNow,
  hourUs,
  type MasterDataItem,
  type MasterDataKind,
  type Micros,
  minuteUs,
  type PlanNow,
  type Principal,
  type Recorded,
  type ShiftOccurrence,
} from "@lineshaft/contract/api";
import type { MasterDataQuery, Registry } from "@lineshaft/contract/ports";
import { timeZoneAt } from "./cell-source.ts";

/** Orders of so long ago tell that a machine works by orders. */
const ordersBackUs = 8 * hourUs;
/** What somebody plans ahead begins without a change of the registry: it is looked again. */
const ordersForUs = minuteUs;
const forever: Micros = Number.MAX_SAFE_INTEGER;
const pageSize = 1000;
const rememberedMax = 20_000;

export type Execution = NonNullable<EquipmentNow["order"]> & { toUs: Micros };

interface Calendar {
  timeZone: string;
  shifts: ShiftOccurrence[];
  untilUs: Micros;
}

/** What people said of a tenant's plant, as far as an instant needs it; kept until it is changed. All see the same, as with cells. */
export class PlantNow {
  readonly principal: Principal;
  readonly #registry: Registry;
  #revision = -1;
  readonly #stamps = new Map<MasterDataKind, number>();
  /** What each equipment stands under. */
  #parents = new Map<number, number | null>();
  #assigned = new Set<number>();
  readonly #calendars = new Map<number, Calendar>();
  readonly #targets = new Map<number, MasterDataItem<"kpiTarget">[]>();
  #executions = new Map<number, Execution[]>();
  #executionsUntilUs: Micros = Number.NEGATIVE_INFINITY;
  readonly #reasons = new Map<number, { stopUs: Micros; reason: number | null }>();

  constructor(registry: Registry, tenant: number) {
    this.#registry = registry;
    this.principal = { id: "now", kind: "system", name: "now", tenant, role: "admin", scopes: [""] };
  }

  /** Takes in what was changed since. */
  look(nowUs: Micros): void {
    if (this.#registry.revision !== this.#revision) {
      this.#revision = this.#registry.revision;
      this.#parents = new Map(
        pages((cursor) => this.#registry.listEquipment(this.principal, { limit: pageSize, cursor })).map(
          ({ id, parentId }) => [id, parentId],
        ),
      );
      if (this.#changed("calendar", "calendarAssignment")) {
        this.#assigned = new Set(this.#list("calendarAssignment", {}).map(({ item }) => item.equipmentId));
        this.#calendars.clear();
      }
      if (this.#changed("kpiTarget")) this.#readTargets();
      if (this.#changed("order")) this.#executionsUntilUs = Number.NEGATIVE_INFINITY;
      if (this.#changed("annotation")) this.#reasons.clear();
    }
    if (nowUs < this.#executionsUntilUs) return;
    this.#executionsUntilUs = nowUs + ordersForUs;
    this.#executions = this.#readExecutions(nowUs);
  }

  /** Of the nearest place that has a calendar. */
  calendarAt(id: number, nowUs: Micros): { shift: ShiftOccurrence | null; plan: PlanNow; timeZone: string } {
    const calendar = this.#calendarOf(id, nowUs);
    if (calendar === null) return { shift: null, plan: "noCalendar", timeZone: "UTC" };
    const shift = calendar.shifts.find(({ fromUs, toUs }) => fromUs <= nowUs && nowUs < toUs) ?? null;
    const pause = shift?.breaks.some(({ fromUs, toUs }) => fromUs <= nowUs && nowUs < toUs) ?? false;
    return { shift, plan: shift === null ? "noShift" : pause ? "break" : "shift", timeZone: calendar.timeZone };
  }

  /** Of the equipment itself, else of the nearest place above that has one; by the name of the number. */
  targets(id: number, atUs: Micros): Record<string, number> {
    const found: Record<string, number> = {};
    for (let place: number | null = id; place !== null; place = this.#parents.get(place) ?? null)
      for (const [kpi, value] of Object.entries(this.#ownTargets(place, atUs))) found[kpi] ??= value;
    return found;
  }

  /** Of several the one that began last. */
  #ownTargets(id: number, atUs: Micros): Record<string, number> {
    const own = this.#targets.get(id)?.filter(({ fromUs, toUs }) => fromUs <= atUs && atUs < (toUs ?? forever)) ?? [];
    return Object.fromEntries(own.map(({ kpi, value }) => [kpi, value]));
  }

  #readTargets(): void {
    this.#targets.clear();
    const all = this.#list("kpiTarget", {}).sort((a, b) => a.item.fromUs - b.item.fromUs || a.revision - b.revision);
    for (const { item } of all) {
      const own = this.#targets.get(item.equipmentId);
      if (own === undefined) this.#targets.set(item.equipmentId, [item]);
      else own.push(item);
    }
  }

  /** Of the last hours, by their beginning. */
  executions(id: number): readonly Execution[] {
    return this.#executions.get(id) ?? [];
  }

  /** The reason of the stop that began at `stopUs`, until somebody says something. */
  remembered(id: number, stopUs: Micros, find: () => number | null): number | null {
    const known = this.#reasons.get(id);
    if (known?.stopUs === stopUs) return known.reason;
    if (this.#reasons.size >= rememberedMax) this.#reasons.clear();
    const reason = find();
    this.#reasons.set(id, { stopUs, reason });
    return reason;
  }

  #calendarOf(id: number, nowUs: Micros): Calendar | null {
    let place: number | null = id;
    while (place !== null && !this.#assigned.has(place)) place = this.#parents.get(place) ?? null;
    if (place === null) return null;
    const known = this.#calendars.get(place);
    if (known !== undefined && nowUs < known.untilUs) return known;
    const { masterData } = this.#registry;
    const calendar = {
      timeZone: timeZoneAt(this.#registry, this.principal, place, nowUs),
      shifts: masterData.shifts(this.principal, place, nowUs - dayUs, nowUs + dayUs),
      untilUs: nowUs + hourUs,
    };
    this.#calendars.set(place, calendar);
    return calendar;
  }

  #readExecutions(nowUs: Micros): Map<number, Execution[]> {
    const byEquipment = new Map<number, Execution[]>();
    for (const { id, item } of this.#list("order", { fromUs: nowUs - ordersBackUs, toUs: nowUs + ordersForUs }))
      for (const operation of item.operations)
        for (const { equipmentId, fromUs, toUs } of operation.executions) {
          if ((toUs ?? forever) <= nowUs - ordersBackUs || fromUs >= nowUs + ordersForUs) continue;
          const { material, unit, quantity } = item;
          const execution = {
            order: id,
            operation: operation.id,
            material,
            unit,
            quantity,
            fromUs,
            toUs: toUs ?? forever,
          };
          const own = byEquipment.get(equipmentId);
          if (own === undefined) byEquipment.set(equipmentId, [execution]);
          else own.push(execution);
        }
    for (const own of byEquipment.values()) own.sort((a, b) => a.fromUs - b.fromUs);
    return byEquipment;
  }

  #changed(...kinds: MasterDataKind[]): boolean {
    let changed = false;
    for (const kind of kinds) {
      const revision = this.#registry.masterData.revisionOf(this.principal, kind);
      changed ||= this.#stamps.get(kind) !== revision;
      this.#stamps.set(kind, revision);
    }
    return changed;
  }

  #list<K extends MasterDataKind>(kind: K, query: MasterDataQuery): Recorded<MasterDataItem<K>>[] {
    return pages((cursor) =>
      this.#registry.masterData.list(this.principal, kind, { ...query, limit: pageSize, cursor }),
    );
  }
}

/** Every page of a list. */
function pages<T>(page: (cursor?: string) => { items: T[]; cursor: string | null }): T[] {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const next = page(cursor);
    items.push(...next.items);
    cursor = next.cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}
