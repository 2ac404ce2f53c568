import type { Equipment, Reason, Result, ResultPeriod, ShiftOccurrence } from "@lineshaft/contract/api";
import type { PagePlatform, TimeRange } from "@lineshaft/ui/kit";
import type { Kpis } from "../kpis.ts";
import { everyResult, readResults, together } from "./results.ts";
import { type Numbers, numbersBy, numbersByShift, numbersOf } from "./source.ts";
import type { Plant } from "./use-plant.ts";

export type Factors = Pick<Kpis, "oeeIndex" | "availability" | "effectiveness" | "qualityRatio">;

/** What the OEE page shows of a place and a range. */
export interface OeeModel {
  numbers: Numbers;
  periods: readonly Numbers[];
  shifts: readonly { shift: ShiftOccurrence; own: Numbers }[];
  /** What stands directly below; empty for a machine. */
  below: readonly { equipment: Equipment; kpis: Factors }[];
  reasons: readonly Reason[];
  timeZone: string;
  repairing: boolean;
}

/** A machine's numbers are exact to the quarter: of its cells. */
export async function readMachineOee(
  platform: PagePlatform,
  id: number,
  range: TimeRange,
  hourly: boolean,
  signal: AbortSignal,
): Promise<OeeModel> {
  const query = { from: range.fromUs, to: range.toUs };
  const [cells, { items: shifts }, published] = await Promise.all([
    platform.call("listCells", { params: { id }, query, signal }),
    platform.call("listShifts", { query: { equipmentId: id, ...query }, signal }),
    readResults(platform, [id], "shift", range, signal),
  ]);
  const made = numbersByShift(cells, shifts);
  const known = new Map(published.get(id)?.map((one) => [one.key, one.numbers]));
  return {
    numbers: numbersOf(cells),
    periods: numbersBy(cells, hourly ? "hour" : "productionDay"),
    shifts: shiftRows(shifts, (shift) => known.get(shift) ?? made.get(shift)),
    below: [],
    reasons: cells.reasons,
    timeZone: cells.timeZone,
    repairing: cells.repairing,
  };
}

/** What stands above machines is what the application made of them: so many calls for a line as for a plant of a thousand machines. null: nothing is published of it. */
export async function readPlaceOee(
  platform: PagePlatform,
  id: number,
  plant: Plant,
  machines: readonly Equipment[],
  range: TimeRange,
  hourly: boolean,
  signal: AbortSignal,
): Promise<OeeModel | null> {
  const period: ResultPeriod = hourly ? "hour" : "productionDay";
  const lines = plant.sites.find(({ equipment }) => equipment.id === id)?.lines ?? [];
  // A site has itself as a line where machines stand directly under it.
  const parts = lines.length > 0 ? lines.map(({ equipment }) => equipment) : machines;
  const query = { from: range.fromUs, to: range.toUs };
  const [own, ofShifts, { items: shifts }, now, below] = await Promise.all([
    readResults(platform, [id], period, range, signal),
    readResults(platform, [id], "shift", range, signal),
    platform.call("listShifts", { query: { equipmentId: id, ...query }, signal }),
    platform.call("listNow", { query: { equipmentId: [id] }, signal }),
    readFactors(
      platform,
      parts.map((part) => part.id),
      period,
      range,
      signal,
    ),
  ]);
  const periods = (own.get(id) ?? []).map((one) => one.numbers);
  const numbers = together(periods);
  if (numbers === null) return null;
  const known = new Map(ofShifts.get(id)?.map((one) => [one.key, one.numbers]));
  return {
    ...{ numbers, periods },
    shifts: shiftRows(shifts, (shift) => known.get(shift)),
    below: parts.flatMap((equipment) => {
      const kpis = below.get(equipment.id);
      return kpis === undefined ? [] : [{ equipment, kpis }];
    }),
    reasons: [...plant.reasons.values()],
    timeZone: now.items[0]?.timeZone ?? "UTC",
    repairing: false,
  };
}

function shiftRows(shifts: readonly ShiftOccurrence[], of: (shift: string) => Numbers | undefined): OeeModel["shifts"] {
  return shifts
    .flatMap((shift) => {
      const own = of(shift.id);
      return own === undefined ? [] : [{ shift, own }];
    })
    .sort((a, b) => b.shift.fromUs - a.shift.fromUs);
}

async function readFactors(
  platform: PagePlatform,
  ids: readonly number[],
  period: ResultPeriod,
  range: TimeRange,
  signal: AbortSignal,
): Promise<Map<number, Factors>> {
  const all = Map.groupBy(
    await everyResult(platform, ids, period, range, { detail: "none" }, signal),
    ({ equipmentId }) => equipmentId,
  );
  return new Map([...all].map(([id, results]) => [id, factorsOver(results.map(({ values }) => values))]));
}

const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

/**
 * Ratios over several periods, from the ratios of each: all of them are shares of the planned busy time, or of the part of it that a factor before has left, so that sums of time
 * add up exactly (RULES 3). Where a period has no value because an ideal cycle is missing, the whole has none.
 */
export function factorsOver(periods: readonly Result["values"][]): Factors {
  const busy = periods.filter(({ plannedBusyTimeKnownUs: us }) => us != null && us > 0);
  const of = (values: Result["values"], ...names: string[]): number => {
    let time = values.plannedBusyTimeKnownUs as number;
    // A factor is undefined where the one before has left nothing.
    for (const name of names) time *= values[name] ?? 0;
    return time;
  };
  const sum = (...names: string[]): number => busy.reduce((total, values) => total + of(values, ...names), 0);
  const [planned, running, net] = [sum(), sum("availability"), sum("availability", "effectiveness")];
  const valued = busy.every(({ oeeIndex }) => oeeIndex != null);
  return {
    availability: ratio(running, planned),
    effectiveness: valued ? ratio(net, running) : null,
    qualityRatio: valued ? ratio(sum("oeeIndex"), net) : null,
    oeeIndex: valued ? ratio(sum("oeeIndex"), planned) : null,
  };
}
