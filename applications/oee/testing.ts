import type { ComputedResult, View } from "@lineshaft/client";
import {
  type Cell,
  defaultOeePolicy,
  minuteUs,
  noQuantities,
  noTimes,
  type OeePolicy,
  type Result,
  type ResultPeriod,
  type StopTime,
  startingReasons,
  type TimeClass,
} from "@lineshaft/contract/api";
import fc from "fast-check";

/** A cell from minutes and pieces. */
export function cell(
  minutes: Partial<Record<TimeClass, number>>,
  made: {
    good?: number;
    scrap?: number;
    rework?: number;
    unknown?: number;
    setUpGood?: number;
    setUpScrap?: number;
    outside?: number;
  } = {},
  more: Partial<Cell> = {},
): Cell {
  const timeUs = noTimes();
  for (const [name, value] of Object.entries(minutes)) timeUs[name as TimeClass] = value * minuteUs;
  const { good = 0, scrap = 0, rework = 0, unknown = 0, setUpGood = 0, setUpScrap = 0, outside = 0 } = made;
  const of = (gq: number, sq = 0, rq = 0) => ({ ...noQuantities(), pq: gq + sq + rq, gq, sq, rq });
  return {
    equipment: 1,
    gridUs: 0,
    shift: "s",
    productionDay: "2026-11-26",
    order: "A",
    operation: "10",
    material: "M",
    unit: "1",
    policy: defaultOeePolicy.version,
    priUs: 1e6,
    unitsPerCycle: 1,
    timeUs,
    microStopUs: 0,
    countUnknownUs: 0,
    quantities: {
      known: of(good, scrap, rework),
      setUp: of(setUpGood, setUpScrap),
      unknown: of(unknown),
      outside: of(outside),
    },
    estimatedPq: 0,
    assignedSq: 0,
    stops: [],
    ...more,
  };
}

/** A policy under a version of its own, so that cells can name it. */
export function policy(more: Partial<OeePolicy>): OeePolicy {
  return { ...defaultOeePolicy, version: JSON.stringify(more), ...more };
}

const minutes = fc.nat(30);
const anyPolicy = fc.record({
  microStopTo: fc.constantFrom("availability" as const, "effectiveness" as const),
  noOrder: fc.constantFrom("busy" as const, "notBusy" as const),
  setUpQuantity: fc.constantFrom("inside" as const, "outside" as const),
});
/** Any cell under any policy, with the policy. */
export const anyCell = fc
  .record({
    times: fc.record({
      apt: minutes,
      aust: minutes,
      adet: minutes,
      adot: minutes,
      plannedMaintenance: minutes,
      break: minutes,
      notPlanned: minutes,
      unknown: minutes,
    }),
    made: fc.record({
      good: fc.nat(50),
      scrap: fc.nat(5),
      unknown: fc.nat(9),
      setUpGood: fc.nat(3),
      setUpScrap: fc.nat(3),
      outside: fc.nat(3),
    }),
    pri: fc.constantFrom(1e6, 12.5e6, 1e7 / 3),
    micro: fc.nat(100),
    shift: fc.constantFrom("s", "t", null),
    order: fc.constantFrom("A", "B", null),
    grid: fc.nat(20),
    policy: anyPolicy,
  })
  .map(({ times, made, pri, micro, shift, order, grid, policy: of }) => {
    const microUs = Math.floor((times.adet * minuteUs * micro) / 100);
    const used = policy(of);
    const stops: StopTime[] = [
      { reason: 3_100_000, timeClass: "adet", micro: true, us: microUs, count: 1 },
      { reason: 7_100_000, timeClass: "adet", micro: false, us: times.adet * minuteUs - microUs, count: 1 },
    ];
    return {
      used,
      cell: cell(times, made, {
        priUs: pri,
        microStopUs: microUs,
        shift,
        order,
        gridUs: grid * 15 * minuteUs,
        stops,
        policy: used.version,
      }),
    };
  });

/** The period of all views. */
export const span = { fromUs: 0, toUs: 480 * minuteUs };

/** A work item of a machine. */
export function item(
  equipmentId: number,
  period: ResultPeriod,
  key: string,
  level: View["item"]["level"],
): View["item"] {
  const cause = { kind: "first", text: "", lsn: null, registryRevision: null, actor: null } as const;
  const place = { path: `site/${equipmentId}`, equipmentLevel: "workUnit" } as const;
  return { equipmentId, period, key, ...place, below: [], ...span, level, state: "final", cause, basisLsn: 7 };
}

/** A machine's view of cells. */
export function view(cells: Cell[], more: Partial<View> = {}, policies: OeePolicy[] = []): View {
  return {
    item: item(1, "shift", "s", "workUnit"),
    equipment: { id: 1, path: "site/press", level: "workUnit" },
    cells: {
      ...span,
      cells,
      timeZone: "Etc/UTC",
      policies: [defaultOeePolicy, ...policies],
      reasons: [...startingReasons],
      orphanedAnnotations: [],
      unplacedScrap: 0,
      masterData: [],
      finalBeforeUs: null,
      repairing: false,
    },
    below: [],
    order: null,
    masterData: [],
    ...more,
  };
}

/** What has come over the wire. */
export const published = (equipmentId: number, { values, coverage, detail }: ComputedResult): Result => ({
  application: "oee",
  ruleVersion: "oee-1",
  ...{ equipmentId, period: "shift", key: "s", ...span, state: "final", revision: 1, basisLsn: 7 },
  cause: item(equipmentId, "shift", "s", "workUnit").cause,
  values,
  coverage,
  detail: JSON.parse(JSON.stringify(detail)),
  lsn: 8,
  publishedUs: 0,
  stale: false,
});
