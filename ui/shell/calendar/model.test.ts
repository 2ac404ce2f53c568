import { calendarTemplate, parseDay, type ShiftOccurrence } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import {
  changedDays,
  daysFrom,
  later,
  mondayOf,
  movedDefinition,
  weekNumber,
  withoutException,
  withShift,
  workedOn,
  workersOf,
} from "./model.ts";

const calendar = calendarTemplate("threeShifts", "c", "Europe/Berlin");
const [, early] = calendar.shifts;
const day = "2026-10-20";

describe("a calendar that is changed", () => {
  it("moves a shift with its breaks, an end of it, or one break; over midnight too", () => {
    expect(movedDefinition(early, { kind: "shift" }, 30)).toMatchObject({
      start: "06:30",
      end: "14:30",
      breaks: [{ start: "10:30" }],
    });
    expect(movedDefinition(early, { kind: "end" }, -15)).toMatchObject({
      start: "06:00",
      end: "13:45",
      breaks: [{ start: "10:00" }],
    });
    expect(movedDefinition(early, { kind: "break", index: 0 }, 5)).toMatchObject({
      start: "06:00",
      breaks: [{ start: "10:05" }],
    });
    expect([later("00:10", -20), later("23:50", 20)]).toEqual(["23:50", "00:10"]);
  });

  it("on one day gives that day a shift of its own, once; always changes the shift", () => {
    const once = withShift(calendar, "Früh", movedDefinition(early, { kind: "shift" }, 30), "day", day);
    expect(once.shifts.map(({ name, start }) => `${name} ${start}`)).toContain(`Früh ${day} 06:30`);
    expect(workedOn(once, day)).toEqual({
      by: "exception",
      shifts: [{ shift: "Nacht" }, { shift: `Früh ${day}` }, { shift: "Spät" }],
    });
    expect(workedOn(once, "2026-10-21").by).toBe("rotation");
    const own = once.shifts.find(({ name }) => name === `Früh ${day}`);
    const again = withShift(
      once,
      `Früh ${day}`,
      movedDefinition(own as typeof early, { kind: "shift" }, 30),
      "day",
      day,
    );
    expect(again.shifts).toHaveLength(once.shifts.length);
    expect(again.shifts.find(({ name }) => name === `Früh ${day}`)?.start).toBe("07:00");
    expect(withoutException(again, day).exceptions).toEqual([]);
    const always = withShift(calendar, "Früh", movedDefinition(early, { kind: "shift" }, 30), "always", day);
    expect(always.shifts.find(({ name }) => name === "Früh")?.start).toBe("06:30");
    expect(always.exceptions).toEqual([]);
  });

  it("tells what is worked on a holiday and before the anchor", () => {
    expect(workedOn({ ...calendar, holidays: [{ day, name: "x" }] }, day)).toEqual({ by: "holiday", shifts: [] });
    expect(workedOn(calendar, "2023-12-31").shifts).toEqual([]);
    expect(workedOn(calendar, "2023-12-29").shifts).toHaveLength(3);
  });
});

describe("weeks", () => {
  it("have days of 23 and 25 hours, begin on Mondays, and are numbered as ISO 8601 does", () => {
    const first = mondayOf(parseDay("2026-10-25") as number);
    expect(daysFrom("Europe/Berlin", first, 7).map(({ day: name, hours }) => `${name} ${hours}`)).toEqual([
      "2026-10-19 24",
      "2026-10-20 24",
      "2026-10-21 24",
      "2026-10-22 24",
      "2026-10-23 24",
      "2026-10-24 24",
      "2026-10-25 25",
    ]);
    expect(daysFrom("Europe/Berlin", parseDay("2026-03-29") as number, 1)[0].hours).toBe(23);
    const week = (text: string): number => weekNumber(mondayOf(parseDay(text) as number));
    expect([week("2026-01-01"), week("2026-11-26"), week("2027-01-01"), week("2027-01-04")]).toEqual([1, 48, 53, 1]);
  });

  it("show which days become others", () => {
    const shift = (productionDay: string, fromUs: number, toUs: number): ShiftOccurrence => ({
      id: `c/${productionDay}/s`,
      calendar: "c",
      name: "s",
      crew: null,
      productionDay,
      fromUs,
      toUs,
      breaks: [],
      resolved: [],
    });
    const before = [shift("2026-01-01", 0, 8), shift("2026-01-02", 24, 32)];
    expect(changedDays(before, before)).toEqual([]);
    expect(changedDays(before, [before[0], shift("2026-01-02", 25, 33)])).toMatchObject([
      { day: "2026-01-02", fromUs: 24, toUs: 33 },
    ]);
    expect(changedDays(before, [before[0]])).toMatchObject([{ day: "2026-01-02", after: [] }]);
  });
});

it("a calendar is worked by what it is assigned to and what lies below without one of its own", () => {
  const item = (id: number, parentId: number | null, level: "site" | "workUnit") =>
    ({
      id,
      parentId,
      level,
      name: `${id}`,
      path: `${id}`,
      lifecycle: "productive",
      model: null,
      revision: 1,
      changedUs: 0,
      validFromUs: 0,
    }) as const;
  const equipment = [item(1, null, "site"), item(2, 1, "workUnit"), item(3, 1, "workUnit"), item(4, null, "workUnit")];
  const assignments = [
    { equipmentId: 1, calendar: "c", fromUs: 0, toUs: null },
    { equipmentId: 3, calendar: "d", fromUs: 10, toUs: null },
  ];
  const at = (us: number) => workersOf("c", assignments, equipment, us).map(({ id }) => id);
  expect([at(5), at(15), at(-1)]).toEqual([[2, 3], [2], []]);
});
