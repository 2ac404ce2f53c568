import {
  type Cells,
  dayUs,
  hourUs,
  type MachineFactsBody,
  type ResultPeriod,
  type Timeline,
  timelineDaysMost,
  timelinesMost,
} from "@lineshaft/contract/api";
import { type PagePlatform, spanOf, type TimeRange } from "@lineshaft/ui/kit";
import { factorsOver } from "./oee-data.ts";
import type { Line } from "./plant.ts";
import { everyResult, readResults, together } from "./results.ts";
import { eachOf, longestViewUs, type Numbers } from "./source.ts";

/** What the line page reads: five questions, however many machines stand in the line. */
export interface LineData {
  timelines: ReadonlyMap<number, Timeline>;
  /** The machine whose output is the line's: what it made, and at which ideal cycle. */
  made: MachineFactsBody;
  cells: Cells;
  /** What the application has published of the line, in order of time; empty: nothing yet. */
  published: readonly Numbers[];
  /** Of each machine and period: the share of its planned time in which it produced. */
  busy: readonly { equipmentId: number; fromUs: number; toUs: number; values: Record<string, number | null> }[];
}

/** From here on the days are read, not the hours. */
const hoursUntilUs = 48 * hourUs;

export async function readLine(
  platform: PagePlatform,
  line: Line,
  { fromUs: begin, toUs: end }: TimeRange,
  signal?: AbortSignal,
): Promise<LineData> {
  const [from, to] = [Math.round(Math.max(begin, end - longestViewUs + hourUs)), Math.round(end)];
  const range = { fromUs: from, toUs: to };
  const query = { from, to };
  const params = { id: line.output };
  const ids = line.machines.map(({ id }) => id);
  const period: ResultPeriod = to - from <= hoursUntilUs ? "hour" : "productionDay";
  const [timelines, made, cells, published, busy] = await Promise.all([
    readTimelines(platform, ids, range, signal),
    platform.call("machineFacts", { params, query, signal }),
    platform.call("listCells", { params, query, signal }),
    readResults(platform, [line.equipment.id], period, range, signal),
    everyResult(platform, ids, period, range, { detail: "none" }, signal),
  ]);
  return {
    timelines: new Map(timelines.map((timeline) => [timeline.equipmentId, timeline])),
    ...{ made, cells, busy },
    published: (published.get(line.equipment.id) ?? []).map(({ numbers }) => numbers),
  };
}

/** One question for a line; several where it is long and the range too. */
async function readTimelines(
  platform: PagePlatform,
  ids: readonly number[],
  range: TimeRange,
  signal?: AbortSignal,
): Promise<Timeline[]> {
  const query = { from: range.fromUs, to: range.toUs };
  const most = Math.max(1, Math.min(timelinesMost, Math.floor(timelineDaysMost / (spanOf(range) / dayUs))));
  const parts = Array.from({ length: Math.ceil(ids.length / most) }, (_, i) => ids.slice(i * most, (i + 1) * most));
  const answers = await eachOf(
    parts,
    (equipmentId) => platform.call("listTimelines", { query: { equipmentId, ...query }, signal }),
    2,
  );
  return answers.flatMap(({ items }) => items);
}

const meets = (one: TimeRange, range: TimeRange): boolean => one.toUs > range.fromUs && one.fromUs < range.toUs;

/** What is published of the line for the periods that a range touches. */
export const numbersIn = ({ published }: LineData, range: TimeRange): Numbers | null =>
  together(published.filter((one) => meets(one, range)));

/** Of each machine with planned time in a range: how much of it it was busy. */
export function busyIn({ busy }: LineData, range: TimeRange): ReadonlyMap<number, number | null> {
  const by = Map.groupBy(
    busy.filter((one) => meets(one, range)),
    ({ equipmentId }) => equipmentId,
  );
  return new Map([...by].map(([id, of]) => [id, factorsOver(of.map(({ values }) => values)).availability]));
}
