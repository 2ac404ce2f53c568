import type { CallOptions } from "@lineshaft/client";
import {
  type Equipment,
  type Micros,
  minuteUs,
  type Reason,
  type Result,
  type RouteName,
  type RouteResponse,
  type ShiftOccurrence,
  startingReasons,
} from "@lineshaft/contract/api";
import { everyPage } from "./every-page.ts";
import { type ShiftReport, shiftReport } from "./report.ts";

/** Whoever calls the public API: the SDK, or a page of the console. */
export interface ReportPlatform {
  call<N extends RouteName>(
    name: N,
    ...rest: object extends CallOptions<N> ? [options?: CallOptions<N>] : [options: CallOptions<N>]
  ): Promise<RouteResponse<N>>;
}

export interface ReportRequest {
  /** What it is of: a machine, a line, a site. */
  place: Pick<Equipment, "id">;
  shift: ShiftOccurrence;
  /** Equipment of the plant, where it is known already. */
  equipment?: readonly Equipment[];
  /** Only stops that took at least so long. */
  leastStopUs?: Micros;
}

/** A report with what is needed to print it. */
export interface ReadReport {
  report: ShiftReport | null;
  equipment: readonly Equipment[];
  /** Of the calendar. */
  timeZone: string;
  reasons: ReadonlyMap<number, Reason>;
  /** Stops over the threshold, all of them; the report shows the longest. */
  stopsTotal: number;
}

export const usualLeastStopUs: Micros = 5 * minuteUs;
const stopsShown = 40;
const notesRead = 200;
const resultsAtOnce = 5000;
/** More ids would not fit into an address; then results of other places are read too, and left out. */
const idsMax = 300;

/** Everything a shift report rests on, in a few calls whatever the number of machines; then the report. */
export async function readShiftReport(
  platform: ReportPlatform,
  { place, shift, leastStopUs = usualLeastStopUs, ...request }: ReportRequest,
  signal?: AbortSignal,
): Promise<ReadReport> {
  const range = { from: shift.fromUs, to: shift.toUs };
  const equipment = request.equipment ?? (await readEquipment(platform, signal));
  const ids = idsBelow(place.id, equipment);
  const equipmentId = ids.length > idsMax ? undefined : ids;
  const query = { application: "oee", equipmentId, ...range, limit: resultsAtOnce };
  const [shifts, orders, stops, notes, calendar, own] = await Promise.all([
    readResults(platform, { ...query, period: "shift" }, signal),
    readResults(platform, { ...query, period: "order" }, signal),
    platform.call("listStops", {
      query: { equipmentId: place.id, ...range, leastUs: leastStopUs, limit: stopsShown },
      signal,
    }),
    platform.call("listAnnotations", { query: { ...range, limit: notesRead }, signal }),
    platform.call("getCalendar", { params: { id: shift.calendar }, signal }),
    platform.call("listReasons", { query: { limit: 1000 }, signal }),
  ]);
  const reasons = [...startingReasons, ...own.items.map(({ item }) => item)];
  const results = shifts.filter((result) => isSameShift(result, shift));
  const report = shiftReport({
    ...{ placeId: place.id, results, orders, equipment },
    ...{ stops: stops.items, notes: notes.items },
  });
  return {
    report,
    equipment,
    timeZone: calendar.item.timeZone,
    reasons: new Map(reasons.map((reason) => [reason.number, reason])),
    stopsTotal: stops.total,
  };
}

function idsBelow(id: number, equipment: readonly Equipment[]): number[] {
  const place = equipment.find((item) => item.id === id);
  if (place === undefined) return [id];
  return equipment
    .filter(({ path }) => path === place.path || place.path === "" || path.startsWith(`${place.path}/`))
    .map((item) => item.id);
}

/** Lines of a site may work by calendars of their own: the same shift of the same day is theirs too. */
function isSameShift({ key }: Result, { id, calendar }: ShiftOccurrence): boolean {
  return key === id || key.endsWith(id.slice(calendar.length));
}

async function readEquipment(platform: ReportPlatform, signal?: AbortSignal): Promise<Equipment[]> {
  return everyPage((cursor) => platform.call("listEquipment", { query: { limit: 1000, cursor }, signal }));
}

async function readResults(
  platform: ReportPlatform,
  query: NonNullable<CallOptions<"listResults">["query"]>,
  signal?: AbortSignal,
): Promise<Result[]> {
  return everyPage((cursor) => platform.call("listResults", { query: { ...query, cursor }, signal }));
}
