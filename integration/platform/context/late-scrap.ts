import { hourUs, type LateScrap, type LateScrapBooking, type MachineFacts, type Micros } from "@lineshaft/contract/api";
import type { Facts, Lsn, ProductionTimes } from "@lineshaft/contract/ports";
import { isKnown, producing, type StateSpan, stateSpans } from "./states.ts";

type Booking = Omit<LateScrapBooking, "equipmentId">;

interface Range {
  fromUs: Micros;
  toUs: Micros;
}
type Execution = Range & { order: string; operation: string | null };

/** What it takes to find where scrap was made, of one machine. */
export interface ScrapSources {
  /** Facts of any time. */
  facts(fromUs: Micros, toUs: Micros): MachineFacts;
  /** Before this there are none. */
  readonly sinceUs: Micros;
  ofSerial(serial: string): Range | null;
  ofLot(lot: string): Range | null;
}

/** A part of a booking with its place. */
export interface ScrapPart extends Range {
  quantity: number;
  /** The time of production is not known: it is where the order last produced. */
  assigned: boolean;
  /** Of a longer time of production: when the machine produced in it, or may have. */
  runs?: Range[];
}

/** So much of the past is looked at in one go, less first: most scrap is found just after it was made. */
const steps = [hourUs / 4, hourUs, 3 * hourUs];
/** A longer time of production is taken as if the machine had run all the time. */
const longestUs = 31 * 24 * hourUs;

/** Nothing but the facts that are there: the time of production of units and lots is not known. */
export const scrapSourcesOf = (facts: MachineFacts): ScrapSources => ({
  facts: (fromUs, toUs) => ({ ...facts, from: Math.max(fromUs, facts.from), to: Math.min(toUs, facts.to) }),
  sinceUs: facts.from,
  ofSerial: () => null,
  ofLot: () => null,
});

/** Facts of a machine from ever, and what was recorded of the units and lots that were made at a place. */
export function machineScrapSources(of: {
  facts: Pick<Facts, "machine" | "progress">;
  production: ProductionTimes | null;
  tenant: number;
  machine: number;
  place: number;
  asOf?: Lsn;
}): ScrapSources {
  const { facts, production, tenant, machine, place, asOf } = of;
  return {
    facts: (fromUs, toUs) => facts.machine(machine, fromUs, toUs).facts,
    get sinceUs() {
      return facts.progress(machine)?.fromUs ?? Number.POSITIVE_INFINITY;
    },
    ofSerial: (serial) => production?.ofSerial(tenant, place, serial, asOf) ?? null,
    ofLot: (lot) => production?.ofLot(tenant, place, lot, asOf) ?? null,
  };
}

/**
 * Where late scrap counts (RULES 11): at the time of production if window, serial number or lot tell it, else in the last interval before the booking in which the machine produced for the
 * order, marked as assigned. `unplaced`: there is no such interval; nothing is guessed.
 */
export function placeLateScrap(
  sources: ScrapSources,
  executions: readonly Execution[],
  bookings: readonly Booking[],
): { placed: LateScrap[]; unplaced: Booking[] } {
  const placed: LateScrap[] = [];
  const unplaced: Booking[] = [];
  for (const booking of bookings) {
    const { order, operation, becomes } = booking;
    const { parts, left } = scrapParts(booking, executionsOf(booking, executions), sources);
    const what = { order, operation, ...(becomes === undefined ? {} : { becomes }) };
    for (const part of parts) placed.push({ ...what, ...part });
    if (left > 0) unplaced.push({ ...booking, quantity: left });
  }
  return { placed, unplaced };
}

/** The parts of a booking, and how much of it has no place. */
export function scrapParts(
  booking: Booking,
  executions: readonly Range[],
  sources: ScrapSources,
): { parts: ScrapPart[]; left: number } {
  const { known, unknown } = made(booking, sources);
  if (unknown === 0) return { parts: known, left: 0 };
  const last = lastProducing(sources, executions, booking.bookedUs);
  if (last === null) return { parts: known, left: unknown };
  return { parts: [...known, { ...last, quantity: unknown, assigned: true }], left: 0 };
}

export const executionsOf = <T extends Execution>(
  booking: Pick<Booking, "order" | "operation">,
  all: readonly T[],
): T[] => all.filter(({ order, operation }) => order === booking.order && operation === booking.operation);

/** What of it has a time of production; each unit stands for an equal share. */
function made(
  { quantity, madeUs, serials, lot }: Booking,
  sources: ScrapSources,
): { known: ScrapPart[]; unknown: number } {
  const ranges =
    madeUs !== null ? [madeUs] : serials !== undefined ? serials.map(sources.ofSerial) : [lotOf(lot, sources)];
  const byRange = new Map<string, ScrapPart>();
  let unknown = 0;
  for (const range of ranges) {
    if (range === null) unknown++;
    else {
      const key = `${range.fromUs} ${range.toUs}`;
      const part = byRange.get(key) ?? { fromUs: range.fromUs, toUs: range.toUs, quantity: 0, assigned: false };
      part.quantity++;
      byRange.set(key, part);
    }
  }
  const share = (units: number): number => (quantity * units) / ranges.length;
  const known = [...byRange.values()].map((part) => {
    const long = part.toUs > part.fromUs && part.toUs - part.fromUs <= longestUs;
    return { ...part, quantity: share(part.quantity), ...(long ? { runs: runsIn(part, sources) } : {}) };
  });
  return { known, unknown: share(unknown) };
}

const lotOf = (lot: string | undefined, sources: ScrapSources): Range | null =>
  lot === undefined ? null : sources.ofLot(lot);

/** The last interval before `bookedUs` in which the machine produced within one of the executions; the whole run, however long. */
export function lastProducing(sources: ScrapSources, executions: readonly Range[], bookedUs: Micros): Range | null {
  let best: Range | null = null;
  const clipped = executions.map(({ fromUs, toUs }) => ({ fromUs, toUs: Math.min(toUs, bookedUs) }));
  for (const { fromUs, toUs } of clipped.sort((a, b) => b.toUs - a.toUs || a.fromUs - b.fromUs)) {
    if (best !== null && best.toUs >= toUs) break;
    const run = lastRun(sources, fromUs, toUs);
    if (run !== null && (best === null || run.toUs > best.toUs)) best = run;
  }
  return best;
}

/** Looks back from `toUs` in growing steps, and from a run on to its beginning. */
function lastRun(sources: ScrapSources, fromUs: Micros, toUs: Micros): Range | null {
  const earliest = Math.max(fromUs, sources.sinceUs);
  let found: (Range & Pick<StateSpan, "code">) | null = null;
  let end = toUs;
  for (let step = 0; end > earliest; step++) {
    const start = Math.max(earliest, end - steps[Math.min(step, steps.length - 1)]);
    const spans = stateSpans(sources.facts(start, end));
    end = start;
    if (found !== null) {
      const last = spans.at(-1);
      if (last === undefined || last.to !== found.fromUs || last.code !== found.code) return range(found);
      found.fromUs = last.from;
    } else {
      const last = spans.findLast(({ code }) => producing(code));
      if (last !== undefined) found = { fromUs: last.from, toUs: last.to, code: last.code };
    }
    if (found !== null && found.fromUs > start) return range(found);
  }
  return found === null ? null : range(found);
}

const range = ({ fromUs, toUs }: Range): Range => ({ fromUs, toUs });

/** When the machine produced, or may have, within a range: what stands outside the facts of a window must not depend on the window. */
function runsIn({ fromUs, toUs }: Range, sources: ScrapSources): Range[] {
  const runs: Range[] = [];
  for (let start = fromUs; start < toUs; start += steps[steps.length - 1]) {
    const facts = sources.facts(start, Math.min(toUs, start + steps[steps.length - 1]));
    for (const { from, to, code } of stateSpans(facts)) {
      if (isKnown(code) && !producing(code)) continue;
      const last = runs.at(-1);
      if (last?.toUs === from) last.toUs = to;
      else runs.push({ fromUs: from, toUs: to });
    }
  }
  return runs;
}
