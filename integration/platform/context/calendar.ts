import {
  dayOf,
  dayUs,
  formatDay,
  formatLocal,
  instantOf,
  isTimeZone,
  localOf,
  type Micros,
  minuteUs,
  parseDay,
  type ResolvedTime,
  type ShiftCalendar,
  type ShiftDefinition,
  type ShiftOccurrence,
  type WorkedShift,
} from "@lineshaft/contract/api";

/** A shift of one production day on the wall: local times, before any clock change is thought of. */
interface WallShift {
  definition: ShiftDefinition;
  crew: string | null;
  day: number;
  from: Micros;
  to: Micros;
}

/** A calendar made ready for questions. The calendar must be free of faults. */
interface Prepared {
  shifts: ReadonlyMap<string, ShiftDefinition>;
  anchor: number;
  worked: ReadonlyMap<number, readonly WorkedShift[]>;
  /** Days that were asked for. */
  days: Map<number, readonly ShiftOccurrence[]>;
}

/** With every number that is computed the same days are asked for again. Nobody changes a calendar that stands: it is replaced. */
const preparedBefore = new WeakMap<ShiftCalendar, Prepared>();
const daysMax = 1000;

const timeOf = (clock: string): Micros => (Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))) * minuteUs;

function prepare(calendar: ShiftCalendar): Prepared {
  const known = preparedBefore.get(calendar);
  if (known !== undefined) return known;
  const worked = new Map<number, readonly WorkedShift[]>();
  for (const holiday of calendar.holidays) worked.set(parseDay(holiday.day) as number, []);
  for (const exception of calendar.exceptions) worked.set(parseDay(exception.day) as number, exception.shifts);
  const prepared: Prepared = {
    shifts: new Map(calendar.shifts.map((shift) => [shift.name, shift])),
    anchor: parseDay(calendar.rotation.anchor) as number,
    worked,
    days: new Map(),
  };
  preparedBefore.set(calendar, prepared);
  return prepared;
}

function occurrencesOn(calendar: ShiftCalendar, ready: Prepared, day: number): readonly ShiftOccurrence[] {
  const known = ready.days.get(day);
  if (known !== undefined) return known;
  const occurrences = shiftsOn(calendar, ready, day)
    .map((shift) => inTime(calendar, shift))
    .filter(({ fromUs, toUs }) => fromUs < toUs);
  if (ready.days.size >= daysMax) ready.days.clear();
  ready.days.set(day, occurrences);
  return occurrences;
}

function shiftsOn(calendar: ShiftCalendar, ready: Prepared, day: number): WallShift[] {
  const { days } = calendar.rotation;
  const turn = (((day - ready.anchor) % days.length) + days.length) % days.length;
  return (ready.worked.get(day) ?? days[turn]).map(({ shift, crew }) => {
    const definition = ready.shifts.get(shift) as ShiftDefinition;
    const length = lengthOf(definition);
    // The end is exclusive: a shift until midnight ends on the day before it.
    const endsLater = timeOf(definition.start) + length > dayUs;
    const startDay = definition.productionDay === "end" && endsLater ? day - 1 : day;
    const from = startDay * dayUs + timeOf(definition.start);
    return { definition, crew: crew ?? null, day, from, to: from + length };
  });
}

function lengthOf({ start, end }: ShiftDefinition): Micros {
  const length = timeOf(end) - timeOf(start);
  return length > 0 ? length : length + dayUs;
}

/** The shifts of a calendar that meet [from, to), in order. The calendar must be free of faults (`calendarFaults`). */
export function shiftOccurrences(calendar: ShiftCalendar, from: Micros, to: Micros): ShiftOccurrence[] {
  const prepared = prepare(calendar);
  const occurrences: ShiftOccurrence[] = [];
  // A shift lies at most a day before or after the date it counts for.
  const last = dayOf(localOf(calendar.timeZone, to)) + 1;
  for (let day = dayOf(localOf(calendar.timeZone, from)) - 2; day <= last; day++)
    for (const occurrence of occurrencesOn(calendar, prepared, day))
      if (occurrence.fromUs < to && occurrence.toUs > from) occurrences.push(occurrence);
  return occurrences.sort((a, b) => a.fromUs - b.fromUs);
}

/** From the wall into time. Shifts last from wall clock to wall clock, whatever the clock does between; breaks last their minutes. */
function inTime(calendar: ShiftCalendar, { definition, crew, day, from, to }: WallShift): ShiftOccurrence {
  const resolved: ResolvedTime[] = [];
  const resolve = (what: ResolvedTime["what"], local: Micros): Micros => {
    const { at, rule } = instantOf(calendar.timeZone, local);
    if (rule !== "exact") resolved.push({ what, local: formatLocal(local), rule });
    return at;
  };
  const fromUs = resolve("start", from);
  const toUs = resolve("end", to);
  const breaks = definition.breaks.map((pause) => {
    const start = resolve("break", breakStart(from, timeOf(pause.start)));
    const breakFrom = Math.min(Math.max(start, fromUs), toUs);
    return { name: pause.name ?? null, fromUs: breakFrom, toUs: Math.min(start + pause.minutes * minuteUs, toUs) };
  });
  const productionDay = formatDay(day);
  return {
    id: `${calendar.name}/${productionDay}/${definition.name}`,
    calendar: calendar.name,
    name: definition.name,
    crew,
    productionDay,
    fromUs,
    toUs,
    breaks: apart(breaks),
    resolved,
  };
}

/** The first time at or after the start of the shift at which the wall clock shows `clock`. */
function breakStart(shiftFrom: Micros, clock: Micros): Micros {
  const sameDay = dayOf(shiftFrom) * dayUs + clock;
  return sameDay >= shiftFrom ? sameDay : sameDay + dayUs;
}

/** In order; where a change of the clock pushed two into each other, the later gives way. */
function apart(breaks: ShiftOccurrence["breaks"]): ShiftOccurrence["breaks"] {
  let end = Number.NEGATIVE_INFINITY;
  const kept: ShiftOccurrence["breaks"] = [];
  for (const pause of breaks.sort((a, b) => a.fromUs - b.fromUs)) {
    const fromUs = Math.max(pause.fromUs, end);
    if (fromUs >= pause.toUs) continue;
    kept.push({ ...pause, fromUs });
    end = pause.toUs;
  }
  return kept;
}

export interface CalendarFault {
  code:
    | "time_zone_unknown"
    | "date_invalid"
    | "key_duplicate"
    | "reference_unknown"
    | "break_outside_shift"
    | "shifts_overlap";
  /** JSON pointer into the calendar. */
  path: string;
  detail: string;
}

/** What is wrong with a calendar beyond its shape; empty when it can be worked by. */
export function calendarFaults(calendar: ShiftCalendar): CalendarFault[] {
  const faults: CalendarFault[] = [];
  const add = (code: CalendarFault["code"], path: string, detail: string) => faults.push({ code, path, detail });
  if (!isTimeZone(calendar.timeZone))
    add("time_zone_unknown", "/timeZone", `"${calendar.timeZone}" is no IANA time zone, e.g. Europe/Berlin.`);

  const names = new Set<string>();
  for (const [i, shift] of calendar.shifts.entries()) {
    if (names.has(shift.name)) add("key_duplicate", `/shifts/${i}/name`, `The shift "${shift.name}" is there twice.`);
    names.add(shift.name);
    breakFaults(shift, `/shifts/${i}/breaks`, add);
  }
  const dates: [string, string][] = [["/rotation/anchor", calendar.rotation.anchor]];
  for (const list of ["holidays", "exceptions"] as const) {
    const seen = new Set<string>();
    for (const [i, { day }] of calendar[list].entries()) {
      dates.push([`/${list}/${i}/day`, day]);
      if (seen.has(day)) add("key_duplicate", `/${list}/${i}/day`, `${day} is there twice.`);
      seen.add(day);
    }
  }
  for (const [path, day] of dates) if (parseDay(day) === null) add("date_invalid", path, `There is no date ${day}.`);

  const lists: [string, WorkedShift[]][] = [
    ...calendar.rotation.days.map((shifts, i): [string, WorkedShift[]] => [`/rotation/days/${i}`, shifts]),
    ...calendar.exceptions.map(({ shifts }, i): [string, WorkedShift[]] => [`/exceptions/${i}/shifts`, shifts]),
  ];
  for (const [path, shifts] of lists) {
    for (const [i, { shift }] of shifts.entries()) {
      if (!names.has(shift)) add("reference_unknown", `${path}/${i}/shift`, `The calendar has no shift "${shift}".`);
      else if (shifts.findIndex((other) => other.shift === shift) !== i)
        add("key_duplicate", `${path}/${i}/shift`, `The shift "${shift}" is worked twice on one day.`);
    }
  }
  // Only what is sound in itself can be laid side by side.
  return faults.length > 0 ? faults : overlaps(calendar);
}

function breakFaults(
  shift: ShiftDefinition,
  path: string,
  add: (code: "break_outside_shift", path: string, detail: string) => void,
): void {
  const from = timeOf(shift.start);
  const to = from + lengthOf(shift);
  for (const [i, pause] of shift.breaks.entries())
    if (breakStart(from, timeOf(pause.start)) + pause.minutes * minuteUs > to)
      add(
        "break_outside_shift",
        `${path}/${i}`,
        `The break at ${pause.start} of ${pause.minutes} min does not lie in the shift ${shift.start}–${shift.end}.`,
      );
}

/** Shifts that overlap on the wall: in the rotation, and around each exception and holiday. Clock changes keep order, so the wall decides. */
function overlaps(calendar: ShiftCalendar): CalendarFault[] {
  const ready = prepare(calendar);
  const quiet: Prepared = { ...ready, worked: new Map(), days: new Map() };
  const found = firstOverlap(calendar, quiet, ready.anchor, ready.anchor + calendar.rotation.days.length + 1);
  if (found !== null) return [found];
  for (const day of [...ready.worked.keys()].sort((a, b) => a - b)) {
    const near = firstOverlap(calendar, ready, day - 2, day + 2);
    if (near !== null) return [near];
  }
  return [];
}

function firstOverlap(calendar: ShiftCalendar, ready: Prepared, first: number, last: number): CalendarFault | null {
  const shifts: WallShift[] = [];
  for (let day = first; day <= last; day++) shifts.push(...shiftsOn(calendar, ready, day));
  shifts.sort((a, b) => a.from - b.from);
  for (let i = 1; i < shifts.length; i++) {
    const [before, after] = [shifts[i - 1], shifts[i]];
    if (after.from >= before.to) continue;
    const say = (shift: WallShift) =>
      `"${shift.definition.name}" of ${formatDay(shift.day)} (${formatLocal(shift.from)} to ${formatLocal(shift.to)})`;
    return { code: "shifts_overlap", path: "/rotation", detail: `${say(before)} and ${say(after)} overlap.` };
  }
  return null;
}

/** A calendar in force on an equipment for shifts that start in [fromUs, toUs); null: without end. */
export interface AssignedCalendar {
  calendar: ShiftCalendar;
  fromUs: Micros | null;
  toUs: Micros | null;
}

/**
 * The shifts of an equipment whose calendar changes with time: each assignment gives the shifts that start in it. Where the last shift of one runs into the
 * first of the next, that pair is named and the earlier keeps its time.
 */
export function assignedShifts(
  assignments: readonly AssignedCalendar[],
  from: Micros,
  to: Micros,
): { shifts: ShiftOccurrence[]; overlaps: [ShiftOccurrence, ShiftOccurrence][] } {
  const all = assignments.flatMap(({ calendar, fromUs, toUs }) =>
    shiftOccurrences(calendar, from, to).filter(
      (shift) =>
        shift.fromUs >= (fromUs ?? Number.NEGATIVE_INFINITY) && shift.fromUs < (toUs ?? Number.POSITIVE_INFINITY),
    ),
  );
  all.sort((a, b) => a.fromUs - b.fromUs);
  const shifts: ShiftOccurrence[] = [];
  const overlapping: [ShiftOccurrence, ShiftOccurrence][] = [];
  for (const shift of all) {
    const before = shifts.at(-1);
    if (before === undefined || shift.fromUs >= before.toUs) shifts.push(shift);
    else {
      overlapping.push([before, shift]);
      if (shift.toUs > before.toUs) shifts.push(cutFront(shift, before.toUs));
    }
  }
  return { shifts, overlaps: overlapping };
}

function cutFront(shift: ShiftOccurrence, fromUs: Micros): ShiftOccurrence {
  const breaks = shift.breaks
    .filter((pause) => pause.toUs > fromUs)
    .map((pause) => ({ ...pause, fromUs: Math.max(pause.fromUs, fromUs) }));
  return { ...shift, fromUs, breaks };
}
