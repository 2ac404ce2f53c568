import {
  type CalendarAssignment,
  dayUs,
  type Equipment,
  formatDay,
  hourUs,
  instantOf,
  type Micros,
  parseDay,
  type ShiftCalendar,
  type ShiftDefinition,
  type ShiftOccurrence,
  type WorkedShift,
} from "@lineshaft/contract/api";

/** What is moved: a whole shift, one of its ends, or a break of it by its place. */
export type Part = { kind: "shift" } | { kind: "start" } | { kind: "end" } | { kind: "break"; index: number };
export type Scope = "day" | "always";

const dayMinutes = 1440;
const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
const two = (n: number): string => String(n).padStart(2, "0");
export const clockOf = (minutes: number): string => {
  const within = ((minutes % dayMinutes) + dayMinutes) % dayMinutes;
  return `${two(Math.floor(within / 60))}:${two(within % 60)}`;
};
export const later = (clock: string, minutes: number): string => clockOf(minutesOf(clock) + minutes);

/** A shift as it is after a part of it was moved by so many minutes. Its breaks go with the whole of it. */
export function movedDefinition(shift: ShiftDefinition, part: Part, minutes: number): ShiftDefinition {
  const whole = part.kind === "shift";
  return {
    ...shift,
    start: whole || part.kind === "start" ? later(shift.start, minutes) : shift.start,
    end: whole || part.kind === "end" ? later(shift.end, minutes) : shift.end,
    breaks: shift.breaks.map((pause, i) =>
      whole || (part.kind === "break" && part.index === i) ? { ...pause, start: later(pause.start, minutes) } : pause,
    ),
  };
}

/** What is worked on a production day, and why. */
export function workedOn(
  calendar: ShiftCalendar,
  day: string,
): { shifts: readonly WorkedShift[]; by: "rotation" | "holiday" | "exception" } {
  const exception = calendar.exceptions.find((one) => one.day === day);
  if (exception !== undefined) return { shifts: exception.shifts, by: "exception" };
  if (calendar.holidays.some((one) => one.day === day)) return { shifts: [], by: "holiday" };
  const { anchor, days } = calendar.rotation;
  const turn = ((((parseDay(day) as number) - (parseDay(anchor) as number)) % days.length) + days.length) % days.length;
  return { shifts: days[turn], by: "rotation" };
}

/** The name without the day that a shift was made for. */
export const plainName = (name: string): string => name.replace(/ \d{4}-\d{2}-\d{2}( \d+)?$/, "");

/** Something else is worked on one day. */
export const withException = (calendar: ShiftCalendar, day: string, shifts: readonly WorkedShift[]): ShiftCalendar => ({
  ...calendar,
  exceptions: [...calendar.exceptions.filter((one) => one.day !== day), { day, shifts: [...shifts] }].sort((a, b) =>
    a.day < b.day ? -1 : 1,
  ),
});
export const withoutException = (calendar: ShiftCalendar, day: string): ShiftCalendar => ({
  ...calendar,
  exceptions: calendar.exceptions.filter((one) => one.day !== day),
});

/** Is a shift of the calendar worked on this day and on no other? */
const ofThisDayOnly = (calendar: ShiftCalendar, name: string, day: string): boolean =>
  !calendar.rotation.days.some((list) => list.some(({ shift }) => shift === name)) &&
  calendar.exceptions.every((one) => one.day === day || !one.shifts.some(({ shift }) => shift === name));

/**
 * A calendar with one shift as another definition: always, or on one production day, for which it gets a shift of its own beside the one that goes on as it was.
 */
export function withShift(
  calendar: ShiftCalendar,
  name: string,
  next: ShiftDefinition,
  scope: Scope,
  day: string,
): ShiftCalendar {
  if (scope === "always" || ofThisDayOnly(calendar, name, day))
    return { ...calendar, shifts: calendar.shifts.map((one) => (one.name === name ? { ...next, name } : one)) };
  const taken = new Set(calendar.shifts.map((one) => one.name));
  let own = `${name} ${day}`;
  for (let n = 2; taken.has(own); n++) own = `${name} ${day} ${n}`;
  const shifts = workedOn(calendar, day).shifts.map((one) => (one.shift === name ? { ...one, shift: own } : one));
  return withException({ ...calendar, shifts: [...calendar.shifts, { ...next, name: own }] }, day, shifts);
}

/** A civil day in its zone: 23 or 25 hours long where the clock changes. */
export interface DayRow {
  day: string;
  fromUs: Micros;
  toUs: Micros;
  hours: number;
}

export const longestDayHours = 25;

export function daysFrom(zone: string, first: number, count: number): DayRow[] {
  return Array.from({ length: count }, (_, i) => {
    const [fromUs, toUs] = [first + i, first + i + 1].map((day) => instantOf(zone, day * dayUs).at);
    return { day: formatDay(first + i), fromUs, toUs, hours: Math.round(((toUs - fromUs) / hourUs) * 10) / 10 };
  });
}

/** The Monday at or before a day. 1970-01-01 was a Thursday. */
export const mondayOf = (day: number): number => day - ((((day + 3) % 7) + 7) % 7);

/** ISO 8601 week: that of its Thursday. */
export function weekNumber(monday: number): number {
  const thursday = monday + 3;
  const first = parseDay(`${formatDay(thursday).slice(0, 4)}-01-01`) as number;
  return Math.floor((thursday - first) / 7) + 1;
}

/** Days whose shifts are another than before, each with both. */
export interface ChangedDay {
  day: string;
  before: ShiftOccurrence[];
  after: ShiftOccurrence[];
  fromUs: Micros;
  toUs: Micros;
}

export function changedDays(before: readonly ShiftOccurrence[], after: readonly ShiftOccurrence[]): ChangedDay[] {
  const byDay = (list: readonly ShiftOccurrence[]): Map<string, ShiftOccurrence[]> => {
    const days = new Map<string, ShiftOccurrence[]>();
    for (const one of list) days.set(one.productionDay, [...(days.get(one.productionDay) ?? []), one]);
    return days;
  };
  const says = (list: readonly ShiftOccurrence[]): string =>
    JSON.stringify(list.map(({ name, crew, fromUs, toUs, breaks }) => [name, crew, fromUs, toUs, breaks]));
  const [old, next] = [byDay(before), byDay(after)];
  return [...new Set([...old.keys(), ...next.keys()])].sort().flatMap((day) => {
    const [a, b] = [old.get(day) ?? [], next.get(day) ?? []];
    if (says(a) === says(b)) return [];
    const all = [...a, ...b];
    return [
      {
        day,
        before: a,
        after: b,
        fromUs: Math.min(...all.map(({ fromUs }) => fromUs)),
        toUs: Math.max(...all.map(({ toUs }) => toUs)),
      },
    ];
  });
}

/** Who works by a calendar at a time: what it is assigned to, and all below that has none of its own then. */
export function workersOf(
  calendar: string,
  assignments: readonly CalendarAssignment[],
  equipment: readonly Equipment[],
  at: Micros,
): Equipment[] {
  const holding = new Map<number, string>();
  for (const one of assignments)
    if (one.fromUs <= at && (one.toUs === null || one.toUs > at)) holding.set(one.equipmentId, one.calendar);
  const byId = new Map(equipment.map((item) => [item.id, item]));
  return equipment.filter((item) => {
    if (item.level !== "workUnit") return false;
    for (
      let here: Equipment | undefined = item;
      here !== undefined;
      here = here.parentId === null ? undefined : byId.get(here.parentId)
    ) {
      const name = holding.get(here.id);
      if (name !== undefined) return name === calendar;
    }
    return false;
  });
}
