import {
  type AlarmTransition,
  type Cell,
  causeOf,
  dayUs,
  type Equipment,
  type EquipmentContext,
  itemStateOf,
  type MasterDataItem,
  type MasterDataKind,
  type Micros,
  type OrderExecution,
  operationModeOf,
  type Principal,
  type Recorded,
  secondUs,
  type Work,
  type WorkStop,
} from "@lineshaft/contract/api";
import type {
  CellSource,
  Clock,
  Facts,
  MasterData,
  MasterDataQuery,
  Registry,
  WorkSource,
} from "@lineshaft/contract/ports";
import { contextOf } from "./assemble.ts";
import { placesUpwards, timeZoneAt } from "./cell-source.ts";
import { IdentifierSource } from "./identifier-source.ts";
import { orderProgress } from "./order-progress.ts";
import { type StateSpan, type Stop, stateSpans, stopsOf } from "./states.ts";
import { alarmOfStop, beforeStopUs, raised } from "./stop-alarms.ts";
import { toldWork } from "./told-work.ts";

type Order = Recorded<MasterDataItem<"order">>;
type Operation = Order["item"]["operations"][number];

/** How far back a stop is followed that was there all the time. */
const stopUs = 8 * dayUs;
/** An order that nobody has worked at, or wanted, for so long is no longer told. */
const forgottenUs = 14 * dayUs;
const aheadUs = 90 * dayUs;
/** Quantities of what runs longer are told of this last part. */
const madeUs = 3 * dayUs;
const longest = { next: 20, stops: 50, usual: 6, remembered: 2000 };
const answerForUs = 2 * secondUs;
const madeForUs = 15 * secondUs;

/** What stands on a terminal: from facts, master data and cells, made when it is asked for. */
export function workSource(parts: { facts: Facts; registry: Registry; clock: Clock; cells: CellSource }): WorkSource {
  const { facts, registry, clock, cells } = parts;
  const { masterData } = registry;
  const identifiers = new IdentifierSource({ registry, facts, clock });

  /** Counting parts is most of the work, and nobody reads them faster: they are counted again after a while, or when somebody has decided something. */
  const made = remembered<readonly Cell[]>(madeForUs, registry, clock);
  const answers = remembered<Work>(answerForUs, registry, clock);

  return {
    ...toldWork({ registry, identifiers }),
    ...orderProgress({ registry, facts, identifiers, cells, clock }),
    work: (p, equipmentId, spanUs) => {
      const equipment = registry.getEquipment(p, equipmentId);
      const work = answers(`${p.tenant} ${equipmentId} ${spanUs}`, () => workOf(p, equipment, spanUs));
      return { ...work, atUs: clock.nowUs() };
    },
  };

  function workOf(p: Principal, { id: equipmentId, name, path }: Equipment, spanUs: Micros): Work {
    // As with cells: what stands above a scope takes part, and all see the same.
    const all: Principal = { ...p, role: "admin", scopes: [""] };
    const nowUs = clock.nowUs();
    let answer = facts.machine(equipmentId, nowUs - spanUs, nowUs);
    const endUs = Math.max(answer.facts.from + 1, Math.min(nowUs, answer.watermarkUs ?? nowUs));
    if (stopsOf(spansUntil(stateSpans(answer.facts), endUs))[0]?.from === answer.facts.from)
      answer = facts.machine(equipmentId, nowUs - Math.max(stopUs, spanUs), nowUs);
    const spans = spansUntil(stateSpans(answer.facts), endUs);
    const alarms = raised(facts.alarms(equipmentId, answer.facts.from - 2 * beforeStopUs, nowUs));
    const timeZone = timeZoneAt(registry, all, equipmentId, nowUs);
    const upwards = placesUpwards(registry, all, equipmentId);
    const identified = identifiers.of(all, upwards);
    const { context } = contextOf(masterData, all, { upwards, timeZone, facts: answer.facts, identified });

    const orders = listed(masterData, all, "order", {
      equipmentId,
      fromUs: nowUs - forgottenUs,
      toUs: nowUs + aheadUs,
    });
    const annotations = listed(masterData, all, "annotation", { equipmentId, fromUs: nowUs - forgottenUs }).map(
      ({ item }) => item,
    );
    // An order may name a material that nobody has described.
    const materialName = (id: string | null): string | null =>
      id === null ? null : (masterData.find(all, "material", id)?.item.name ?? null);
    const toldNow = identified.executions.filter(({ fromUs, toUs }) => fromUs <= nowUs && nowUs < toUs);
    const byMachine = toldNow.flatMap((each) => workTold(each, masterData.find(all, "order", each.order)?.item));
    const told = besides(byMachine, worksOf(orders, equipmentId, nowUs)).map((each) => ({
      ...each,
      work: { ...each.work, materialName: materialName(each.work.material) },
    }));
    const running = told.filter(({ sinceUs }) => sinceUs !== null);
    const counted =
      running.length === 0
        ? []
        : made(`${p.tenant} ${equipmentId}`, () => {
            const fromUs = Math.max(Math.min(...running.map(sinceOf)), nowUs - madeUs);
            return cells.cells(p, equipmentId, fromUs, nowUs).cells;
          });
    const setUp = context.setUps.find(({ by, fromUs, toUs }) => by === "booked" && fromUs <= nowUs && nowUs < toUs);
    const last = spans.at(-1);
    return {
      equipmentId,
      name,
      path,
      atUs: nowUs,
      watermarkUs: answer.watermarkUs,
      timeZone,
      state: {
        itemState: itemStateOf(last?.code ?? 0),
        operationMode: operationModeOf(last?.code ?? 0),
        sinceUs: last?.from ?? nowUs,
      },
      running: running.map((each) => ({
        ...each.work,
        fromUs: sinceOf(each),
        made: sumOf(counted, each.work),
        ...by(each),
      })),
      next: told
        .filter(({ sinceUs }) => sinceUs === null)
        .sort((a, b) => (a.wantedUs ?? nowUs) - (b.wantedUs ?? nowUs))
        .slice(0, longest.next)
        .map(({ work, plannedUs }) => ({ ...work, plannedFromUs: plannedUs })),
      setUp: setUp === undefined ? null : { fromUs: setUp.fromUs, order: setUp.order },
      stops: stopsOf(spans)
        .filter(({ to }) => to > nowUs - spanUs)
        .reverse()
        .slice(0, longest.stops)
        .map((stop) => stopOf(stop, endUs, spans, context, annotations, alarms)),
      usualReasons: usual(annotations),
    } satisfies Work;
  }
}

/** What was made stands for a while, for everybody who asks, or until somebody has decided something. */
function remembered<T>(
  forUs: Micros,
  registry: Pick<Registry, "revision">,
  clock: Clock,
): (key: string, make: () => T) => T {
  const kept = new Map<string, { made: T; untilUs: Micros }>();
  let revision = registry.revision;
  return (key, make) => {
    const nowUs = clock.nowUs();
    if (registry.revision !== revision || kept.size >= longest.remembered) kept.clear();
    revision = registry.revision;
    const known = kept.get(key);
    if (known !== undefined && nowUs < known.untilUs) return known.made;
    const made = make();
    kept.set(key, { made, untilUs: nowUs + forUs });
    return made;
  };
}

interface TheWork {
  work: Omit<Work["next"][number], "plannedFromUs" | "materialName">;
  /** null: it does not run. */
  sinceUs: Micros | null;
  plannedUs: Micros | null;
  /** By this the next are sorted. */
  wantedUs: Micros | null;
  /** It runs because the machine says so. */
  byMachine?: true;
}

const by = ({ byMachine }: TheWork): { by?: "identifier" } => (byMachine === true ? { by: "identifier" } : {});
const sinceOf = ({ sinceUs }: TheWork): Micros => sinceUs as Micros;

/** Operations that run here, or may be started here. */
function worksOf(orders: readonly Order[], equipmentId: number, nowUs: Micros): TheWork[] {
  return orders.flatMap((order) =>
    order.item.operations.flatMap((operation) => {
      const here = operation.executions.filter((each) => each.equipmentId === equipmentId && each.fromUs <= nowUs);
      const open = here.find(({ toUs }) => toUs === null || toUs > nowUs);
      const planned = operation.planned?.filter((each) => each.equipmentId === equipmentId) ?? [];
      if (open === undefined && (isFinished(operation, equipmentId) || here.length + planned.length === 0)) return [];
      const plannedUs = planned.length === 0 ? null : Math.min(...planned.map(({ fromUs }) => fromUs));
      const { material, unit, quantity } = order.item;
      const work = { order: order.id, operation: operation.id, name: operation.name, material, unit, quantity };
      return [{ work, sinceUs: open?.fromUs ?? null, plannedUs, wantedUs: plannedUs ?? here[0]?.fromUs ?? null }];
    }),
  );
}

/** What runs by the machine's own word. */
function workTold({ order, operation, material, unit, fromUs }: OrderExecution, item?: Order["item"]): TheWork[] {
  if (item === undefined) return [];
  const name = item.operations.find(({ id }) => id === operation)?.name ?? null;
  const work = { order, operation: operation ?? "", name, material, unit, quantity: item.quantity };
  return [{ work, sinceUs: fromUs, plannedUs: null, wantedUs: null, byMachine: true }];
}

/** What the machine tells stands for what else would come next. */
function besides(byMachine: readonly TheWork[], others: readonly TheWork[]): TheWork[] {
  const same = (a: TheWork, b: TheWork): boolean =>
    a.work.order === b.work.order && a.work.operation === b.work.operation;
  return [...byMachine, ...others.filter((each) => !byMachine.some((told) => same(told, each)))];
}

const isFinished = ({ finished = [] }: Operation, equipmentId: number): boolean =>
  finished.some((each) => each.equipmentId === equipmentId);

function sumOf(cells: readonly Cell[], { order, operation }: TheWork["work"]): Work["running"][number]["made"] {
  const made = { good: 0, scrap: 0, rework: 0 };
  for (const cell of cells)
    if (cell.order === order && (cell.operation ?? "") === operation)
      for (const { gq, sq, rq } of Object.values(cell.quantities)) {
        made.good += gq;
        made.scrap += sq;
        made.rework += rq;
      }
  return made;
}

function stopOf(
  stop: Stop,
  endUs: Micros,
  spans: readonly StateSpan[],
  context: EquipmentContext,
  annotations: readonly MasterDataItem<"annotation">[],
  alarms: readonly AlarmTransition[],
): WorkStop {
  const { from, to } = stop;
  const policy = context.policies.findLast((each) => each.fromUs <= from && from < each.toUs)?.policy;
  const told = new Set(context.reasonTree.map(({ number }) => number));
  const causes = spans.filter((span) => span.to >= from && span.from < to).map(({ code }) => causeOf(code));
  const { alarm, reason } = alarmOfStop(alarms, stop, (number) => told.has(number));
  const proposal = reason ?? causes.find((cause) => told.has(cause)) ?? null;
  return {
    fromUs: from,
    toUs: to === endUs ? null : to,
    micro: to - from < (policy?.microStopUs ?? 0),
    reasons: context.reasons
      .filter(({ fromUs, toUs }) => toUs > from && fromUs < to)
      .map(({ fromUs, toUs, reason }) => ({ fromUs: Math.max(fromUs, from), toUs: Math.min(toUs, to), reason })),
    proposal,
    proposedBy: proposal === null ? null : reason === null ? "machine" : "alarm",
    alarm,
    comments: annotations
      .filter((each) => each.anchorUs >= from && each.anchorUs < to && each.text !== "")
      .map(({ text }) => text),
  };
}

/** Reasons given most often, the most frequent first. */
function usual(annotations: readonly MasterDataItem<"annotation">[]): number[] {
  const times = new Map<number, number>();
  for (const { reason } of annotations) if (reason !== null) times.set(reason, (times.get(reason) ?? 0) + 1);
  return [...times]
    .sort(([a, n], [b, m]) => m - n || a - b)
    .slice(0, longest.usual)
    .map(([reason]) => reason);
}

/** What is not yet told holds no state. */
function spansUntil(spans: readonly StateSpan[], endUs: Micros): StateSpan[] {
  return spans.filter(({ from }) => from < endUs).map((span) => ({ ...span, to: Math.min(span.to, endUs) }));
}

function listed<K extends MasterDataKind>(
  data: MasterData,
  p: Principal,
  kind: K,
  query: MasterDataQuery,
): Recorded<MasterDataItem<K>>[] {
  const { items } = data.list(p, kind, { ...query, limit: 1000 });
  return items;
}
