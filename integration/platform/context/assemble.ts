import {
  type EquipmentContext,
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
import { setUpsFromOrderChange } from "./set-up.ts";
import { stateSpans, stopsOf } from "./states.ts";
import { layered } from "./timeline.ts";

/** Further on than any time that is exact. */
const forever: Micros = Number.MAX_SAFE_INTEGER;

export interface ContextQuery {
  /** Its own id, then what it stands below, nearest first. */
  upwards: readonly number[];
  timeZone: string;
  /** What the machine did: annotations bind to its stops, set-up ends with its good parts. */
  facts: MachineFacts;
  asOf?: Lsn;
}

/**
 * The context of one equipment over its facts, from master data as it was known at `asOf`; with annotations that found no stop, which are told and never dropped. How its counters count,
 * its life-cycle and late scrap are no master data yet: who has them adds them.
 */
export function contextOf(
  data: MasterData,
  p: Principal,
  { upwards, timeZone, facts, asOf }: ContextQuery,
): { context: EquipmentContext; orphaned: Recorded<MasterDataItem<"annotation">>[] } {
  const [equipmentId] = upwards;
  const range = { fromUs: facts.from, toUs: facts.to, asOf };
  const annotations = all(data, p, "annotation", { ...range, equipmentId }).sort((a, b) => a.revision - b.revision);
  const { bound, orphaned } = bindAnnotations(
    annotations.map(({ item }) => item),
    stopsOf(stateSpans(facts)),
  );
  const context: EquipmentContext = {
    timeZone,
    lifecycle: [],
    shifts: data.shifts(p, equipmentId, facts.from, facts.to, asOf),
    executions: all(data, p, "order", { ...range, equipmentId }).flatMap((order) => executionsOf(order, equipmentId)),
    reasons: reasonsInForce(bound),
    reasonTree: reasonsOf(all(data, p, "reason", { asOf }).map(({ item }) => item)),
    setUps: [],
    idealCycles: all(data, p, "idealCycleTime", { ...range, equipmentId }).map(({ item }) => ({
      fromUs: item.fromUs,
      toUs: item.toUs ?? forever,
      material: item.material,
      cycleUs: item.cycleUs,
      unitsPerCycle: item.unitsPerCycle,
    })),
    counting: [],
    blockedCavities: [],
    lateScrap: [],
    policies: policiesOf(all(data, p, "policyAssignment", range), upwards),
  };
  const lost = new Set(orphaned);
  return {
    context: { ...context, setUps: setUpsFromOrderChange(facts, context) },
    orphaned: annotations.filter(({ item }) => lost.has(item)),
  };
}

/** Every page of a list. */
function all<K extends MasterDataKind>(
  data: MasterData,
  p: Principal,
  kind: K,
  q: MasterDataQuery,
): Recorded<MasterDataItem<K>>[] {
  const items: Recorded<MasterDataItem<K>>[] = [];
  let cursor: string | undefined;
  do {
    const page = data.list(p, kind, { ...q, limit: 1000, cursor });
    items.push(...page.items);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
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
