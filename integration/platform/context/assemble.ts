import {
  type Dated,
  type EquipmentContext,
  type LateScrapBooking,
  type MachineFacts,
  type MasterDataItem,
  type MasterDataKind,
  type Micros,
  type OrderExecution,
  type Principal,
  type Reason,
  type Recorded,
  startingReasons,
} from "@lineshaft/contract/api";
import type { Lsn, MasterData, MasterDataQuery } from "@lineshaft/contract/ports";
import { bindAnnotations, reasonsInForce } from "./annotations.ts";
import { type IdentifiedAnswer, notTold } from "./identifier-source.ts";
import { blockedWhile, everyPage, type MasterDataReference, mountsOn } from "./item-reading.ts";
import { placeLateScrap, type ScrapSources, scrapSourcesOf } from "./late-scrap.ts";
import { setUpsFromOrderChange } from "./set-up.ts";
import { stateSpans, stopsOf } from "./states.ts";
import { layered } from "./timeline.ts";

/** Further on than any time that is exact. */
const forever: Micros = Number.MAX_SAFE_INTEGER;

export interface ContextQuery {
  /** Its own id, then what it stands below, nearest first. */
  upwards: readonly number[];
  timeZone: string;
  /** What it says of its own work. Default: it tells nothing. */
  identified?: IdentifiedAnswer;
  /** What the machine did: annotations bind to its stops, set-up ends with its good parts. */
  facts: MachineFacts;
  /** What of the machine may be asked for beyond `facts`, to find where scrap was made. Default: nothing. */
  scrap?: ScrapSources;
  asOf?: Lsn;
}

/**
 * The context of one equipment over its facts, from master data as it was known at `asOf`; with annotations that found no stop and late scrap that found no production, which
 * are told and never dropped. Its life-cycle is the registry's: who has it adds it.
 */
export function contextOf(
  data: MasterData,
  p: Principal,
  { upwards, timeZone, facts, scrap = scrapSourcesOf(facts), asOf, identified = notTold }: ContextQuery,
): {
  context: EquipmentContext;
  orphaned: Recorded<MasterDataItem<"annotation">>[];
  unplaced: Omit<LateScrapBooking, "equipmentId">[];
  /** The items that it was made of, by kind, id and revision. */
  masterData: MasterDataReference[];
} {
  const [equipmentId] = upwards;
  const range = { fromUs: facts.from, toUs: facts.to, asOf };
  const masterData: MasterDataReference[] = [];
  const used = <K extends MasterDataKind>(entity: K, items: Recorded<MasterDataItem<K>>[]) => {
    for (const { id, revision } of items) masterData.push({ entity, id, revision });
    return items;
  };
  const all = <K extends MasterDataKind>(kind: K, q: MasterDataQuery) => used(kind, everyPage(data, p, kind, q));
  const annotations = all("annotation", { ...range, equipmentId }).sort(bySaying);
  const { bound, orphaned } = bindAnnotations(
    annotations.map(({ item }) => item),
    stopsOf(stateSpans(facts)),
  );
  const booked = all("order", { ...range, equipmentId }).flatMap((order) => executionsOf(order, equipmentId));
  const assets = all("physicalAsset", { ...range, equipmentId });
  const said = within(identified, range);
  masterData.push(...said.used);
  const executions = [...booked, ...said.executions];
  const ever = [...booked, ...identified.executions];
  const near = used("lateScrap", scrapNear(data, p, { equipmentId, facts, executions: ever, asOf }));
  const { placed, unplaced } = placeLateScrap(
    scrap,
    ever,
    near.map(({ item }) => item),
  );
  const shifts = data.shifts(p, equipmentId, facts.from, facts.to, asOf);
  for (const name of new Set(shifts.map(({ calendar }) => calendar)))
    used("calendar", [data.get(p, "calendar", name, asOf)]);
  const context: EquipmentContext = {
    timeZone,
    lifecycle: [],
    shifts,
    executions,
    materials: said.materials,
    reasons: reasonsInForce(bound),
    reasonTree: reasonsOf(all("reason", { asOf }).map(({ item }) => item)),
    setUps: all("setUp", { ...range, equipmentId }).map(({ item }) => ({
      fromUs: item.fromUs,
      toUs: item.toUs ?? forever,
      order: item.order,
      by: "booked",
    })),
    idealCycles: all("idealCycleTime", { ...range, equipmentId }).map(({ item }) => ({
      fromUs: item.fromUs,
      toUs: item.toUs ?? forever,
      material: item.material,
      cycleUs: item.cycleUs,
      unitsPerCycle: item.unitsPerCycle,
    })),
    counting: all("countingAssignment", { ...range, equipmentId }).map(({ item: { equipmentId: _, ...item } }) => ({
      ...item,
      toUs: item.toUs ?? forever,
    })),
    blockedCavities: [
      ...assets.flatMap(({ item }) => mountsOn(item, equipmentId).flatMap((mount) => blockedWhile(item, mount))),
      ...said.tools.flatMap((tool) => blockedWhile(tool.asset, tool)),
    ],
    lateScrap: placed,
    policies: policiesOf(
      used(
        "policyAssignment",
        everyPage(data, p, "policyAssignment", range).filter(({ item }) => upwards.includes(item.equipmentId)),
      ),
      upwards,
    ),
  };
  const lost = new Set(orphaned);
  return {
    unplaced,
    masterData,
    context: { ...context, setUps: [...context.setUps, ...setUpsFromOrderChange(facts, context)] },
    orphaned: annotations.filter(({ item }) => lost.has(item)),
  };
}

/**
 * Late scrap that may lie within the facts: what has a time or names units or a lot, what is of an order that ran, and what was booked there. What else there is lies elsewhere, or is told there.
 */
function scrapNear(
  data: MasterData,
  p: Principal,
  at: { equipmentId: number; facts: MachineFacts; executions: readonly OrderExecution[]; asOf: Lsn | undefined },
): Recorded<MasterDataItem<"lateScrap">>[] {
  const { equipmentId, facts, executions, asOf } = at;
  const ran = new Set(executions.map(({ order, operation }) => JSON.stringify([order, operation])));
  return everyPage(data, p, "lateScrap", { asOf, equipmentId }).filter(({ item }) => {
    const { order, operation, madeUs, serials, lot, bookedUs } = item;
    if (madeUs !== null) return madeUs.toUs >= facts.from && madeUs.fromUs <= facts.to;
    if (serials !== undefined || lot !== undefined) return true;
    return ran.has(JSON.stringify([order, operation])) || (bookedUs > facts.from && bookedUs <= facts.to);
  });
}

/** Of two that speak of the same what was said later holds, whichever came first. */
function bySaying(a: Recorded<MasterDataItem<"annotation">>, b: Recorded<MasterDataItem<"annotation">>): number {
  const said = (each: typeof a) => each.item.saidUs ?? each.changedUs;
  if (said(a) !== said(b)) return said(a) - said(b);
  return a.item.saidUs === undefined || b.item.saidUs === undefined ? a.revision - b.revision : a.id < b.id ? -1 : 1;
}

function executionsOf({ id, item }: Recorded<MasterDataItem<"order">>, equipmentId: number): OrderExecution[] {
  return item.operations.flatMap((operation) =>
    operation.executions
      .filter((execution) => execution.equipmentId === equipmentId)
      .map(({ fromUs, toUs, share = 1, outputShare, cavities }) => ({
        fromUs,
        toUs: toUs ?? forever,
        order: id,
        operation: operation.id,
        material: item.material,
        unit: item.unit,
        share,
        ...(outputShare === undefined ? {} : { outputShare }),
        ...(cavities === undefined ? {} : { cavities }),
      })),
  );
}

/** What of it concerns a range. */
function within(
  { executions, materials, tools, used }: IdentifiedAnswer,
  range: Dated,
): Pick<IdentifiedAnswer, "executions" | "materials" | "tools" | "used"> {
  const meets = (each: Dated): boolean => each.fromUs < range.toUs && each.toUs > range.fromUs;
  const here = executions.filter(meets);
  const orders = new Set(here.map(({ order }) => order));
  return {
    executions: here,
    materials: materials.filter(meets),
    tools: tools.filter(meets),
    used: used.filter(({ entity, id }) => entity !== "order" || orders.has(id)),
  };
}

/** A plant's own reasons beside, or in place of, those it started with. */
function reasonsOf(own: Reason[]): Reason[] {
  const replaced = new Set(own.map(({ number }) => number));
  return [...startingReasons.filter(({ number }) => !replaced.has(number)), ...own];
}

/** One policy at a time: what is said of a nearer place covers what is said of a farther one. */
function policiesOf(
  assignments: Recorded<MasterDataItem<"policyAssignment">>[],
  upwards: readonly number[],
): EquipmentContext["policies"] {
  const farthestFirst = [...upwards].reverse().flatMap((place) =>
    assignments
      .filter(({ item }) => item.equipmentId === place)
      .sort((a, b) => a.item.fromUs - b.item.fromUs)
      .map(({ item }) => ({ fromUs: item.fromUs, toUs: item.toUs ?? forever, policy: item.policy })),
  );
  return layered(farthestFirst);
}
