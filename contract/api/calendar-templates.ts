import type { ShiftCalendar, ShiftDefinition, WorkedShift } from "./calendar.ts";

/** Calendars as they are usual in Germany, to start from. Monday 2024-01-01 is day one of every rotation. */
export const calendarTemplates = ["oneShift", "twoShifts", "threeShifts", "fourCrews"] as const;
export type CalendarTemplate = (typeof calendarTemplates)[number];

const anchor = "2024-01-01";

const day: ShiftDefinition = {
  name: "Tag",
  start: "07:00",
  end: "15:30",
  breaks: [
    { name: "Frühstück", start: "09:00", minutes: 15 },
    { name: "Mittag", start: "12:00", minutes: 30 },
  ],
};
const early: ShiftDefinition = {
  name: "Früh",
  start: "06:00",
  end: "14:00",
  breaks: [{ start: "10:00", minutes: 30 }],
};
const late: ShiftDefinition = { name: "Spät", start: "14:00", end: "22:00", breaks: [{ start: "18:00", minutes: 30 }] };
/** The night that ends on Monday morning counts for Monday, so the working week has its five days. */
const night: ShiftDefinition = {
  name: "Nacht",
  start: "22:00",
  end: "06:00",
  breaks: [{ start: "02:00", minutes: 30 }],
  productionDay: "end",
};

const fiveDays = (worked: WorkedShift[]): WorkedShift[][] => [
  ...Array.from({ length: 5 }, () => worked),
  ...Array.from({ length: 2 }, () => []),
];

/** Each crew works two early, two late and two night shifts and has two days off; the four are two days apart, so every shift has its crew. */
function fourCrewDays(): WorkedShift[][] {
  const order = ["Früh", "Früh", "Spät", "Spät", "Nacht", "Nacht", null, null];
  return order.map((_, today) =>
    ["A", "B", "C", "D"].flatMap((crew, i) => {
      const shift = order[(today + 2 * i) % order.length];
      return shift === null ? [] : [{ shift, crew }];
    }),
  );
}

export function calendarTemplate(template: CalendarTemplate, name: string, timeZone = "Europe/Berlin"): ShiftCalendar {
  const worked = (...shifts: ShiftDefinition[]): WorkedShift[] => shifts.map((shift) => ({ shift: shift.name }));
  const forms: Record<CalendarTemplate, { shifts: ShiftDefinition[]; days: WorkedShift[][] }> = {
    oneShift: { shifts: [day], days: fiveDays(worked(day)) },
    twoShifts: { shifts: [early, late], days: fiveDays(worked(early, late)) },
    threeShifts: { shifts: [night, early, late], days: fiveDays(worked(night, early, late)) },
    fourCrews: { shifts: [night, early, late], days: fourCrewDays() },
  };
  const { shifts, days } = forms[template];
  // A copy: it is made to be changed.
  return structuredClone({ name, timeZone, shifts, rotation: { anchor, days }, holidays: [], exceptions: [] });
}
