import {
  type Cell,
  defaultOeePolicy,
  minuteUs,
  noQuantities,
  noTimes,
  type OeePolicy,
  type TimeClass,
} from "@lineshaft/contract/api";

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
