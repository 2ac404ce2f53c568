import type { ShiftCalendar, WorkedShift } from "@lineshaft/contract/api";
import type { Flat } from "./fields.ts";

interface RotationDay {
  /** From 1 on. */
  day: number;
  shifts: WorkedShift[];
}

/** A shift calendar, whose id is its name, and whose rotation is a list of numbered days. A number that no row has is a day on which nothing is worked. */
export const flatCalendar: Flat = {
  to: (item) => {
    const { name: _, rotation, ...rest } = item as ShiftCalendar;
    const rotationDays: RotationDay[] = rotation.days.map((shifts, i) => ({ day: i + 1, shifts }));
    return { ...rest, rotation: { anchor: rotation.anchor }, rotationDays };
  },
  from: ({ rotationDays, rotation, ...rest }, name) => {
    const days: WorkedShift[][] = [];
    for (const { day, shifts } of (rotationDays ?? []) as RotationDay[]) {
      // What could not be read was complained of.
      if (!Number.isInteger(day)) continue;
      while (days.length < day) days.push([]);
      days[day - 1].push(...shifts);
    }
    return { name, ...rest, rotation: { ...(rotation as object), days } };
  },
  place: (pointer) =>
    pointer.replace(/^\/rotation\/days(\/\d+)?(\/\d+)?/, (_, day = "", shift = "") =>
      shift === "" ? `/rotationDays${day}` : `/rotationDays${day}/shifts${shift}`,
    ),
};
