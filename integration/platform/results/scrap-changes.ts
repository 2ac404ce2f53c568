import { dayUs, hourUs, type MasterDataItem, type Micros, type Recorded } from "@lineshaft/contract/api";
import type { FactRecordedRecord, Facts, Lsn, MasterData, ProductionTimes } from "@lineshaft/contract/ports";
import { executionsOf, lastProducing, machineScrapSources, type ScrapPart, scrapParts } from "../context/index.ts";
import { pages, platformPrincipal } from "./plant.ts";
import type { Range } from "./reach.ts";
import type { ToldChanges } from "./told-changes.ts";

type Late = MasterDataItem<"lateScrap">;
type Order = MasterDataItem<"order">;

/** Where the place of late scrap changed: the machine, and each range that it left or came to. */
export type ScrapMove = { equipmentId: number } & Range;

/** Late scrap whose place follows from facts that are not final. */
interface Unsettled {
  tenant: number;
  id: string;
  /** Where it lay when it was looked at last; null: by a process before this one. */
  parts: readonly ScrapPart[] | null;
}

const forever = Number.MAX_SAFE_INTEGER;
/** What was booked by a process before this one is looked at again: nobody knows how far the facts went when it came, but that they were not so far behind. */
const unsureUs = hourUs;
/** What is older was certain before any stop. */
const certainUs = 8 * dayUs;

/**
 * The place of late scrap follows from more than its booking: from what is recorded of the production of units and lots, and, where that says nothing, from where the order last produced. It
 * moves when any of that changes, and then both places are dirty, the one it left and the one it came to.
 */
export class ScrapChanges {
  readonly #data: MasterData;
  readonly #facts: Facts;
  readonly #production: ProductionTimes;
  readonly #told: Pick<ToldChanges, "executions">;
  /** All bookings by tenant and machine. Made when it is first needed. */
  readonly #late = new Map<number, Map<number, Map<string, Late>>>();
  readonly #unsettled = new Map<string, Unsettled>();

  constructor(
    data: MasterData,
    facts: Facts,
    production: ProductionTimes,
    told: Pick<ToldChanges, "executions"> = { executions: () => [] },
  ) {
    this.#told = told;
    this.#data = data;
    this.#facts = facts;
    this.#production = production;
  }

  /** A booking was made, changed or removed: where it lay, and where it lies. */
  booked(tenant: number, id: string, before: Late | null, after: Late | null): ScrapMove[] {
    const own = this.#of(tenant);
    if (before !== null) own.get(before.equipmentId)?.delete(id);
    if (after !== null) this.#keep(own, id, after);
    const old = before === null ? [] : this.#moves(before, this.#parts(tenant, before));
    if (after === null) return old;
    return [...old, ...this.#moves(after, this.#lies(tenant, id, after, this.#parts(tenant, after)))];
  }

  /** An order was changed: what was put where it last produced may lie elsewhere now. */
  ordered(tenant: number, order: string, before: Order | null, after: Order | null): ScrapMove[] {
    return this.#all(tenant).flatMap(([id, late]) => {
      if (late.order !== order) return [];
      return this.#moved(tenant, id, late, this.#parts(tenant, late, before), this.#parts(tenant, late, after));
    });
  }

  /** Units and lots were recorded, corrected or retracted at a place in the log. */
  produced(tenant: number, { items }: FactRecordedRecord, lsn: Lsn): ScrapMove[] {
    const ids = items.filter(({ item, retracts }) => (retracts ?? item.kind) === "unitProduced");
    if (ids.length === 0) return [];
    const serials = new Map<number, Set<string>>();
    const lots = new Map<number, Set<string>>();
    const add = (to: Map<number, Set<string>>, equipmentId: number, name: string | undefined): void => {
      if (name !== undefined) to.set(equipmentId, (to.get(equipmentId) ?? new Set()).add(name));
    };
    for (const { item } of ids)
      for (const { equipmentId, serial, lot } of this.#production.named(tenant, item.id)) {
        add(serials, equipmentId, serial);
        add(lots, equipmentId, lot);
      }
    const machines = new Set([...serials.keys(), ...lots.keys()]);
    return [...machines].flatMap((equipmentId) =>
      [...(this.#of(tenant).get(equipmentId) ?? [])].flatMap(([id, late]) => {
        const named =
          late.serials?.some((serial) => serials.get(equipmentId)?.has(serial)) ||
          (late.lot !== undefined && lots.get(equipmentId)?.has(late.lot));
        if (!named || late.madeUs !== null) return [];
        const order = this.#order(tenant, late);
        const before = this.#parts(tenant, late, order, lsn - 1);
        return this.#moved(tenant, id, late, before, this.#parts(tenant, late, order));
      }),
    );
  }

  /** The facts of a machine are others in a range, both ends included. */
  factsChanged(tenant: number, equipmentId: number, change: Range): ScrapMove[] {
    return [...(this.#of(tenant).get(equipmentId)?.values() ?? [])].flatMap((late) =>
      this.#byFacts(tenant, late, change),
    );
  }

  /** Called now and then, since facts go on: where they are not final yet, late scrap may lie elsewhere than it did. */
  settled(): { tenant: number; moves: ScrapMove[] }[] {
    const done: { tenant: number; moves: ScrapMove[] }[] = [];
    for (const [key, each] of this.#unsettled) {
      const { tenant, id } = each;
      const late = [...this.#of(tenant).values()].find((byId) => byId.has(id))?.get(id);
      if (late === undefined) this.#unsettled.delete(key);
      const progress = late === undefined ? null : this.#facts.progress(late.equipmentId);
      if (late === undefined || progress === null) continue;
      if (each.parts === null && late.bookedUs < progress.watermarkUs - certainUs) {
        this.#unsettled.delete(key);
        continue;
      }
      const parts = this.#parts(tenant, late);
      if (each.parts === null) {
        const change = { fromUs: late.bookedUs - unsureUs, toUs: endOf(late, parts) };
        // Whatever facts are others in that time: there it may have lain, and no change of facts tells of it.
        done.push({ tenant, moves: [...this.#moves(late, [change]), ...this.#byFacts(tenant, late, change)] });
      } else if (!same(each.parts, parts))
        done.push({ tenant, moves: [...this.#moves(late, each.parts), ...this.#moves(late, parts)] });
      if (progress.watermarkUs > endOf(late, parts)) this.#unsettled.delete(key);
      else each.parts = parts;
    }
    return done;
  }

  /** Reads what was booked before, so that what is not certain yet is looked at again. */
  begin(tenant: number): void {
    this.#of(tenant);
  }

  /**
   * What lies after the change is as it was, and so is what lies before. Hence the last interval was the same before and after if it lies after the change; else it was, before and after,
   * within the change, where all is dirty anyway, or reached into it, or it is the last one before.
   */
  #byFacts(tenant: number, late: Late, change: Range): ScrapMove[] {
    const { madeUs, serials, lot, bookedUs } = late;
    // Most were booked before: those need not be looked up.
    if (madeUs === null && serials === undefined && lot === undefined && bookedUs <= change.fromUs) return [];
    if (madeUs !== null && (madeUs.fromUs > change.toUs || madeUs.toUs < change.fromUs)) return [];
    const order = this.#order(tenant, late);
    const parts = this.#parts(tenant, late, order);
    const meets = ({ fromUs, toUs }: Range): boolean => fromUs <= change.toUs && toUs >= change.fromUs;
    const moves = this.#moves(
      late,
      // A longer time is spread by when the machine ran.
      parts.filter((part) => !part.assigned && part.fromUs < part.toUs && meets(part)),
    );
    const assigned = parts.find((part) => part.assigned);
    const sources = this.#sources(tenant, late);
    const whole = scrapParts(late, [], sources).left > 0;
    if (!whole || late.bookedUs <= change.fromUs) return moves;
    if (assigned !== undefined && assigned.fromUs > change.toUs) return moves;
    const executions = this.#executions(tenant, order, late);
    if (executions.every(({ toUs }) => toUs <= change.fromUs) || executions.every(({ fromUs }) => fromUs > change.toUs))
      return moves;
    const before = lastProducing(sources, executions, Math.min(change.fromUs, late.bookedUs));
    return [
      ...moves,
      ...this.#moves(
        late,
        [assigned, before].filter((each) => each != null),
      ),
    ];
  }

  #moved(
    tenant: number,
    id: string,
    late: Late,
    before: readonly ScrapPart[],
    after: readonly ScrapPart[],
  ): ScrapMove[] {
    this.#lies(tenant, id, late, after);
    return same(before, after) ? [] : [...this.#moves(late, before), ...this.#moves(late, after)];
  }

  /** Notes where it lies, as long as that is not final. */
  #lies(tenant: number, id: string, late: Late, parts: readonly ScrapPart[]): readonly ScrapPart[] {
    const progress = this.#facts.progress(late.equipmentId);
    if (progress === null || progress.watermarkUs <= endOf(late, parts))
      this.#unsettled.set(`${tenant}/${id}`, { tenant, id, parts });
    return parts;
  }

  #moves({ equipmentId }: Late, parts: readonly Range[]): ScrapMove[] {
    // An instant belongs to the piece that ends there.
    return parts.map(({ fromUs, toUs }) => ({ equipmentId, fromUs: fromUs - 1, toUs }));
  }

  #parts(tenant: number, late: Late, order = this.#order(tenant, late), asOf?: Lsn): ScrapPart[] {
    return scrapParts(late, this.#executions(tenant, order, late), this.#sources(tenant, late, asOf)).parts;
  }

  #sources(tenant: number, { equipmentId }: Late, asOf?: Lsn) {
    return machineScrapSources({
      ...{ facts: this.#facts, production: this.#production, tenant, asOf },
      ...{ machine: equipmentId, place: equipmentId },
    });
  }

  /** When it ran there, booked or told by the machine. */
  #executions(tenant: number, order: Order | null, late: Late): Range[] {
    const told = this.#told.executions(tenant, late.equipmentId).filter((each) => each.order === late.order);
    return executionsOf(late, [...executionsIn(order, late), ...told]);
  }

  #order(tenant: number, late: Late): Order | null {
    return this.#data.find(platformPrincipal(tenant), "order", late.order)?.item ?? null;
  }

  #all(tenant: number): [id: string, late: Late][] {
    return [...this.#of(tenant).values()].flatMap((byId) => [...byId]);
  }

  #of(tenant: number): Map<number, Map<string, Late>> {
    let own = this.#late.get(tenant);
    if (own !== undefined) return own;
    own = new Map();
    this.#late.set(tenant, own);
    const p = platformPrincipal(tenant);
    for (const { id, item } of pages<Recorded<Late>>((cursor) =>
      this.#data.list(p, "lateScrap", { cursor, limit: 1000 }),
    )) {
      this.#keep(own, id, item);
      this.#unsettled.set(`${tenant}/${id}`, { tenant, id, parts: null });
    }
    return own;
  }

  #keep(own: Map<number, Map<string, Late>>, id: string, late: Late): void {
    const byId = own.get(late.equipmentId);
    if (byId === undefined) own.set(late.equipmentId, new Map([[id, late]]));
    else byId.set(id, late);
  }
}

function executionsIn(
  order: Order | null,
  late: Late,
): { order: string; operation: string; fromUs: Micros; toUs: Micros }[] {
  return (order?.operations ?? []).flatMap((operation) =>
    operation.executions
      .filter(({ equipmentId }) => equipmentId === late.equipmentId)
      .map(({ fromUs, toUs }) => ({ order: late.order, operation: operation.id, fromUs, toUs: toUs ?? forever })),
  );
}

/** Until then facts say where it lies. */
const endOf = (late: Late, parts: readonly Range[]): Micros =>
  Math.max(late.bookedUs, ...parts.map(({ toUs }) => toUs));

const same = (a: readonly ScrapPart[], b: readonly ScrapPart[]): boolean => JSON.stringify(a) === JSON.stringify(b);
