import { hourUs, type Micros, minuteUs, type ShiftCalendar } from "@lineshaft/contract/api";
import type { TrueShift } from "./truth.ts";

/** A site and the calendar by which it works. Nobody here knows the platform's arithmetic of calendars: the plant goes by the clock on its wall. */
export interface Site {
  name: string;
  calendar: ShiftCalendar;
}

const shift = (name: string, start: string, end: string, rest: string, productionDay: "start" | "end" = "start") => ({
  name,
  start,
  end,
  breaks: [{ start: rest, minutes: 30 }],
  productionDay,
});

const everyDay = (...shifts: string[]): ShiftCalendar["rotation"] => ({
  anchor: "2024-01-01",
  days: [shifts.map((name) => ({ shift: name }))],
});

export const sites: readonly Site[] = [
  {
    name: "Northfield",
    calendar: {
      name: "northfield",
      timeZone: "America/Chicago",
      shifts: [
        shift("Day", "07:00", "15:00", "11:00"),
        shift("Evening", "15:00", "23:00", "19:00"),
        shift("Night", "23:00", "07:00", "03:00"),
      ],
      rotation: everyDay("Day", "Evening", "Night"),
      holidays: [],
      exceptions: [],
    },
  },
  {
    name: "Eastgate",
    calendar: {
      name: "eastgate",
      timeZone: "Europe/Berlin",
      shifts: [
        shift("Nacht", "22:00", "06:00", "02:00", "end"),
        shift("Früh", "06:00", "14:00", "10:00"),
        shift("Spät", "14:00", "22:00", "18:00"),
      ],
      rotation: everyDay("Nacht", "Früh", "Spät"),
      holidays: [],
      exceptions: [],
    },
  },
];

export function siteOf(equipment: readonly string[]): Site {
  const site = sites.find(({ name }) => name === equipment[0]);
  if (site === undefined) throw new Error(`There is no site ${equipment[0]}.`);
  return site;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What the clock on the wall shows, as if it were UTC. */
function wallUs(timeZone: string, at: Micros): Micros {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat("en-GB", { timeZone, dateStyle: "short", timeStyle: "medium" });
    clocks.set(timeZone, clock);
  }
  const [, day, month, year, hour, minute, second] =
    /(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)/.exec(clock.format(at / 1000))?.map(Number) ?? [];
  return Date.UTC(year, month - 1, day, hour, minute, second) * 1000;
}

/** When the clock on the wall first showed this. Both sides of a change of the clock are looked at; an hour that is left out ends at its change. */
function instantOf(timeZone: string, wall: Micros): Micros {
  const guesses = [wall - 14 * hourUs, wall + 14 * hourUs].map((at) => wall - (wallUs(timeZone, at) - at));
  const shown = guesses.filter((at) => wallUs(timeZone, at) === wall);
  return shown.length > 0 ? Math.min(...shown) : Math.max(...guesses);
}

/** The shifts of a site that meet [fromUs, toUs), in order. */
export function shiftsOf({ calendar }: Site, fromUs: Micros, toUs: Micros): TrueShift[] {
  const { timeZone, name } = calendar;
  const firstDay = Math.floor((fromUs - 48 * hourUs) / (24 * hourUs));
  const lastDay = Math.ceil((toUs + 48 * hourUs) / (24 * hourUs));
  const shifts: TrueShift[] = [];
  for (let day = firstDay; day <= lastDay; day++)
    for (const each of calendar.shifts) {
      const startWall = day * 24 * hourUs + clockUs(each.start);
      const after = (clock: string): Micros => {
        const wall = day * 24 * hourUs + clockUs(clock);
        return wall > startWall ? wall : wall + 24 * hourUs;
      };
      const from = instantOf(timeZone, startWall);
      const to = instantOf(timeZone, after(each.end));
      if (to <= fromUs || from >= toUs) continue;
      const counts = each.productionDay === "end" ? after(each.end) : startWall;
      const productionDay = new Date(counts / 1000).toISOString().slice(0, 10);
      const breaks = each.breaks.map(({ start, minutes }) => {
        const begin = instantOf(timeZone, after(start));
        return { fromUs: begin, toUs: begin + minutes * minuteUs };
      });
      shifts.push({
        id: `${name}/${productionDay}/${each.name}`,
        name: each.name,
        productionDay,
        fromUs: from,
        toUs: to,
        breaks,
      });
    }
  return shifts.sort((a, b) => a.fromUs - b.fromUs);
}

function clockUs(clock: string): Micros {
  const [hours, minutes] = clock.split(":").map(Number);
  return (hours * 60 + minutes) * minuteUs;
}
