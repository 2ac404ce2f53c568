import {
  type Dated,
  dayUs,
  hourUs,
  type MasterDataItem,
  type MasterDataKind,
  type Micros,
  ProblemError,
  type ShiftOccurrence,
} from "@lineshaft/contract/api";
import type { Clock, Facts, Lsn, MasterData, ProductionTimes, Registry } from "@lineshaft/contract/ports";
import { contextDifference, datedDifference } from "../context/index.ts";
import { pages, platformPrincipal } from "./plant.ts";
import { type Range, reachOf } from "./reach.ts";
import { ScrapChanges, type ScrapMove } from "./scrap-changes.ts";
import type { StationPlan } from "./stations.ts";
import { ToldChanges } from "./told-changes.ts";

/** A record of a change of master data, as it stands in the log. */
export interface MasterDataChange {
  kind: MasterDataKind;
  id: string;
  item: MasterDataItem<MasterDataKind>;
  removed: boolean;
  lsn: Lsn;
}

const everywhere: Range = { fromUs: Number.NEGATIVE_INFINITY, toUs: Number.POSITIVE_INFINITY };

interface Versions<K extends MasterDataKind> {
  before: MasterDataItem<K> | null;
  after: MasterDataItem<K> | null;
}

const forever = Number.MAX_SAFE_INTEGER;
/** Set-up that runs from an order change to the first good part ends within that time, or is seen by the facts that change. */
const setUpMostUs = 8 * hourUs;
/** What ran before a pause that is longer is not looked for when a number is made. */
const pauseMostUs = 8 * dayUs;

/** What a change of master data touches: stations and ranges, one after the other, so that whoever asks may pause in between. */
export class ContextChanges {
  readonly #data: MasterData;
  readonly #facts: Facts;
  readonly #told: ToldChanges;
  readonly scrap: ScrapChanges;

  constructor(parts: { registry: Registry; facts: Facts; clock: Clock; production: ProductionTimes }) {
    this.#data = parts.registry.masterData;
    this.#facts = parts.facts;
    this.#told = new ToldChanges(parts);
    this.scrap = new ScrapChanges(this.#data, parts.facts, parts.production, this.#told);
  }

  /** What other identifiers of a machine change, since it was last looked at: keys under both, and how far it reaches. */
  *toldOtherwise(
    tenant: number,
    equipmentId: number,
    hull: Range,
    stations: readonly StationPlan[],
  ): Generator<{ station: number } & Range> {
    const ranges = this.#told.since(tenant, equipmentId, hull);
    for (const station of ranges.length === 0 ? [] : stations) {
      if (station.level === "above" || (station.id !== equipmentId && !station.members.includes(equipmentId))) continue;
      for (const range of ranges)
        yield { station: station.id, ...this.#reach(station, this.#setUpsOfOrders(tenant, station, range)) };
    }
  }

  *touched(
    tenant: number,
    change: MasterDataChange,
    stations: readonly StationPlan[],
  ): Generator<{ station: number } & Range> {
    const moves = this.#scrapMoves(tenant, change);
    for (const station of stations) {
      if (station.level === "above") continue;
      yield* this.moved(station, moves);
      const told = this.#told
        .by(tenant, change, [station.id, ...station.members])
        .map((range) => this.#setUpsOfOrders(tenant, station, range));
      for (const range of [...this.#ranges(tenant, change, station, stations), ...told])
        yield { station: station.id, ...this.#reach(station, range) };
    }
  }

  /** Where late scrap has moved within a station. */
  *moved(station: StationPlan, moves: readonly ScrapMove[]): Generator<{ station: number } & Range> {
    for (const { equipmentId, ...range } of moves)
      if (station.members.includes(equipmentId)) yield { station: station.id, ...this.#reach(station, range) };
  }

  /** Changed facts reach as far as a changed context does. */
  reach(tenant: number, station: StationPlan, range: Range): Range {
    return this.#reach(station, this.#setUps(tenant, station, range));
  }

  #reach(station: StationPlan, range: Range): Range {
    let { fromUs, toUs } = range;
    for (const id of station.members) {
      const progress = this.#facts.progress(id);
      if (progress === null) continue;
      const clipped = {
        fromUs: fromUs <= (progress.fromUs ?? Infinity) ? -Infinity : fromUs,
        toUs: toUs >= progress.watermarkUs ? Infinity : toUs,
      };
      const reached = this.#reached(id, clipped);
      fromUs = Math.min(fromUs, reached.fromUs);
      toUs = Math.max(toUs, reached.toUs);
    }
    return { fromUs, toUs };
  }

  #reached(id: number, range: Range): Range {
    try {
      return reachOf(range, (from, to) => this.#facts.machine(id, from, to).facts);
    } catch (error) {
      // So many facts in half a day leave no long stop.
      if (error instanceof ProblemError && error.code === "query_too_large") return range;
      throw error;
    }
  }

  #ranges(tenant: number, change: MasterDataChange, station: StationPlan, all: readonly StationPlan[]): Range[] {
    const { kind } = change;
    switch (kind) {
      case "order":
        return this.#order(tenant, this.#versions(tenant, kind, change), change.id, station);
      case "annotation":
        return dated(this.#versions(tenant, kind, change), station, ({ fromUs, toUs, anchorUs }) => ({
          fromUs: Math.min(fromUs, anchorUs),
          toUs: Math.max(toUs, anchorUs + 1),
        }));
      case "idealCycleTime":
      case "countingAssignment":
      case "setUp":
        return dated(this.#versions(tenant, kind, change), station);
      case "physicalAsset":
        return asset(this.#versions(tenant, kind, change), station);
      case "policyAssignment":
        return dated(this.#versions(tenant, kind, change), station, undefined, upwards(station, all)).map((range) =>
          this.#setUps(tenant, station, range),
        );
      case "calendar":
      case "calendarAssignment":
        return this.#shifts(tenant, change, station);
      case "lineTopology":
        return dated(this.#versions(tenant, kind, change), station, undefined, [station.id]);
      case "reason":
        return [everywhere];
      case "lateScrap":
      case "identifierRule":
      case "lookUp":
      case "material":
      case "kpiTarget":
      case "booking":
        // Late scrap has moves of its own, and what machines tell is compared apart. No number rests on what it should be, no cell rests on what units of a material are worth, and what came of a booking is a change of its own.
        return [];
    }
  }

  #scrapMoves(tenant: number, change: MasterDataChange): ScrapMove[] {
    const { kind, id } = change;
    if (kind === "lateScrap") {
      const { before, after } = this.#versions(tenant, kind, change);
      return this.scrap.booked(tenant, id, before, after);
    }
    if (kind !== "order") return [];
    const { before, after } = this.#versions(tenant, kind, change);
    return this.scrap.ordered(tenant, id, before, after);
  }

  #versions<K extends MasterDataKind>(tenant: number, kind: K, change: MasterDataChange): Versions<K> {
    return {
      before: this.#at(tenant, kind, change.id, change.lsn - 1),
      after: change.removed ? null : (change.item as MasterDataItem<K>),
    };
  }

  #at<K extends MasterDataKind>(tenant: number, kind: K, id: string, asOf: Lsn): MasterDataItem<K> | null {
    return this.#data.find(platformPrincipal(tenant), kind, id, asOf)?.item ?? null;
  }

  #order(tenant: number, { before, after }: Versions<"order">, id: string, station: StationPlan): Range[] {
    const [old, next] = [executions(before, id, station), executions(after, id, station)];
    const differences = datedDifference(old, next).map(({ from, to }) => ({ fromUs: from, toUs: to }));
    return differences.map((range) => this.#setUpsOfOrders(tenant, station, range));
  }

  /** Where other orders run than it was thought, the next one behind a pause may be set up now, or no more: that is so by what ran last before it. */
  #setUpsOfOrders(tenant: number, station: StationPlan, range: Range): Range {
    const { fromUs, toUs } = this.#setUps(tenant, station, range);
    if (!this.#setsUpToGoodPart(tenant) || !Number.isFinite(range.toUs)) return { fromUs, toUs };
    const behind = this.#executions(tenant, station, { fromUs: range.toUs, toUs: range.toUs + pauseMostUs }).filter(
      (execution) => execution.fromUs > range.toUs,
    );
    const nextUs = Math.min(...behind.map((execution) => execution.fromUs));
    const ends = behind.flatMap((next) => (next.fromUs === nextUs ? [Math.min(next.toUs, nextUs + setUpMostUs)] : []));
    return { fromUs, toUs: Math.max(toUs, ...ends) };
  }

  /** Where set-up ends with the first good part, what follows on the range may be set-up. */
  #setUps(tenant: number, station: StationPlan, { fromUs, toUs }: Range): Range {
    if (!this.#setsUpToGoodPart(tenant) || !Number.isFinite(toUs)) return { fromUs, toUs };
    const ends = this.#executions(tenant, station, { fromUs: Math.max(0, fromUs - 1), toUs: toUs + 1 })
      .filter((execution) => execution.fromUs <= toUs && execution.toUs >= fromUs)
      .map((execution) => execution.toUs);
    return { fromUs, toUs: Math.max(toUs, Math.min(toUs + setUpMostUs, Math.max(toUs, ...ends))) };
  }

  #setsUpToGoodPart(tenant: number): boolean {
    const p = platformPrincipal(tenant);
    const policies = pages((cursor) => this.#data.list(p, "policyAssignment", { cursor, limit: 1000 }));
    return policies.some(({ item }) => item.policy.setUp === "firstGoodPart");
  }

  /** What runs at a station and at its machines in a range, booked or told. */
  #executions(tenant: number, station: StationPlan, range: Range): Dated[] {
    const p = platformPrincipal(tenant);
    return [...new Set([station.id, ...station.members])].flatMap((equipmentId): Dated[] => {
      const orders = pages((cursor) => this.#data.list(p, "order", { equipmentId, ...range, cursor, limit: 1000 }));
      const told = this.#told.executions(tenant, equipmentId);
      return [...orders.flatMap(({ id, item }) => executions(item, id, station)), ...told];
    });
  }

  #shifts(tenant: number, change: MasterDataChange, station: StationPlan): Range[] {
    const { kind, lsn } = change;
    if (kind === "calendar") {
      // Days outside of shifts, and hours, are those of its zone.
      const { before, after } = this.#versions(tenant, kind, change);
      if (before !== null && after !== null && before.timeZone !== after.timeZone) return [everywhere];
    }
    const progress = station.members.flatMap((id) => this.#facts.progress(id) ?? []);
    if (progress.length === 0) return [];
    const fromUs = Math.min(...progress.map((each) => each.fromUs ?? each.watermarkUs)) - 2 * dayUs;
    const toUs = Math.max(...progress.map(({ watermarkUs }) => watermarkUs)) + 2 * dayUs;
    const p = platformPrincipal(tenant);
    const at = (asOf: Lsn): ShiftOccurrence[] => this.#data.shifts(p, station.id, fromUs, toUs, asOf);
    const [old, next] = [emptyContext(at(lsn - 1)), emptyContext(at(lsn))];
    return [...contextDifference(old, next, "shifts"), ...contextDifference(old, next, "breaks")].map(
      ({ from, to }) => ({ fromUs: from, toUs: to }),
    );
  }
}

const emptyContext = (shifts: ShiftOccurrence[]) => ({
  ...{
    timeZone: "",
    lifecycle: [],
    shifts,
    executions: [],
    materials: [],
    reasons: [],
    reasonTree: [],
    setUps: [],
    idealCycles: [],
  },
  ...{ counting: [], blockedCavities: [], lateScrap: [], policies: [] },
});

function executions(order: MasterDataItem<"order"> | null, id: string, { id: equipmentId, members }: StationPlan) {
  if (order === null) return [];
  // What was ordered is part of how far an order is.
  const { material, unit, quantity } = order;
  return order.operations.flatMap((operation) =>
    operation.executions
      .filter((execution) => execution.equipmentId === equipmentId || members.includes(execution.equipmentId))
      .map(({ fromUs, toUs, ...rest }) => ({
        ...{ id, operation: operation.id, material, unit, quantity, ...rest },
        ...{ fromUs, toUs: toUs ?? forever },
      })),
  );
}

type DatedItem = { equipmentId: number; fromUs: Micros; toUs: Micros | null };

/** Where an item that names one equipment says something else; of `places`, or of the machines themselves. */
function dated<T extends DatedItem>(
  { before, after }: { before: T | null; after: T | null },
  { id, members }: StationPlan,
  rangeOf: (item: T) => Range = ({ fromUs, toUs }) => ({ fromUs, toUs: toUs ?? forever }),
  places: readonly number[] = [id, ...members],
): Range[] {
  const pieces = (item: T | null): Dated[] => {
    if (item === null || !places.includes(item.equipmentId)) return [];
    return [{ ...item, ...rangeOf(item) }];
  };
  return datedDifference(pieces(before), pieces(after)).map(({ from, to }) => ({ fromUs: from, toUs: to }));
}

function asset({ before, after }: Versions<"physicalAsset">, { id, members }: StationPlan): Range[] {
  const pieces = (item: MasterDataItem<"physicalAsset"> | null): Dated[] =>
    (item?.mounts ?? [])
      .filter(({ equipmentId }) => equipmentId === id || members.includes(equipmentId))
      .map(({ fromUs, toUs }) => ({ blocked: item?.blockedCavities, fromUs, toUs: toUs ?? forever }));
  return datedDifference(pieces(before), pieces(after)).map(({ from, to }) => ({ fromUs: from, toUs: to }));
}

/** A station, its machines, and what they stand below. */
function upwards(station: StationPlan, all: readonly StationPlan[]): number[] {
  const places = [station.id, ...station.members];
  const byId = new Map(all.map((each) => [each.id, each]));
  for (let id = station.parent; id !== null; id = byId.get(id)?.parent ?? null) places.push(id);
  return places;
}
