import {
  type CalendarTemplate,
  calendarTemplate,
  calendarTemplates,
  formatTimeUs,
  minuteUs,
  parseTimeUs,
  type ShiftCalendar,
  type ShiftOccurrence,
} from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assignedShifts, calendarFaults, shiftOccurrences } from "./calendar.ts";

const at = (text: string) => parseTimeUs(`${text}Z`)!;
const minutes = (shift: { fromUs: number; toUs: number }) => (shift.toUs - shift.fromUs) / minuteUs;
const pauses = (shift: ShiftOccurrence) => shift.breaks.reduce((sum, pause) => sum + minutes(pause), 0);
const of = (template: CalendarTemplate, from: string, to: string, zone?: string) =>
  shiftOccurrences(calendarTemplate(template, "c", zone), at(`${from}T00:00:00`), at(`${to}T00:00:00`));

/** Minutes of shift and of breaks by production day, as a golden text. */
function days(shifts: ShiftOccurrence[]): Record<string, string> {
  const sums: Record<string, [number, number]> = {};
  for (const shift of shifts) {
    sums[shift.productionDay] ??= [0, 0];
    const sum = sums[shift.productionDay];
    sum[0] += minutes(shift);
    sum[1] += pauses(shift);
  }
  return Object.fromEntries(Object.entries(sums).map(([day, [all, pause]]) => [day, `${all} ${pause}`]));
}

describe("shift occurrences", () => {
  it("one shift: five days, two breaks", () => {
    const shifts = of("oneShift", "2026-11-23", "2026-11-30");
    expect(days(shifts)).toEqual(
      Object.fromEntries(["23", "24", "25", "26", "27"].map((day) => [`2026-11-${day}`, "510 45"])),
    );
    expect(shifts[0]).toMatchObject({ id: "c/2026-11-23/Tag", name: "Tag", crew: null, resolved: [] });
    expect(formatTimeUs(shifts[0].fromUs)).toBe("2026-11-23T06:00:00.000000Z");
  });

  it("three shifts: the week begins with the night before Monday, and that night counts for Monday", () => {
    const shifts = of("threeShifts", "2026-11-22", "2026-11-29");
    expect(shifts.map((shift) => shift.name).slice(0, 4)).toEqual(["Nacht", "Früh", "Spät", "Nacht"]);
    expect(formatTimeUs(shifts[0].fromUs)).toBe("2026-11-22T21:00:00.000000Z");
    expect(shifts).toHaveLength(15);
    expect(new Set(Object.values(days(shifts)))).toEqual(new Set(["1440 90"]));
    expect(Object.keys(days(shifts))).toEqual(["23", "24", "25", "26", "27"].map((day) => `2026-11-${day}`));
  });

  it("four crews: every shift has a crew, each crew works six of eight days", () => {
    const shifts = of("fourCrews", "2026-11-01", "2026-11-25");
    for (let i = 1; i < shifts.length; i++) expect(shifts[i].fromUs).toBe(shifts[i - 1].toUs);
    const turn = shifts.slice(3, 3 + 24);
    for (const crew of ["A", "B", "C", "D"]) {
      const worked = turn.filter((shift) => shift.crew === crew).map((shift) => shift.name);
      expect(worked.sort()).toEqual(["Früh", "Früh", "Nacht", "Nacht", "Spät", "Spät"]);
    }
  });

  it("holidays are free, exceptions win over them and over the rotation", () => {
    const calendar: ShiftCalendar = {
      ...calendarTemplate("twoShifts", "c"),
      holidays: [
        { day: "2026-12-25", name: "Weihnachten" },
        { day: "2026-12-24", name: "Heiligabend" },
      ],
      exceptions: [
        { day: "2026-12-24", shifts: [{ shift: "Früh" }] },
        { day: "2026-12-26", shifts: [{ shift: "Spät", crew: "Freiwillige" }] },
      ],
    };
    const shifts = shiftOccurrences(calendar, at("2026-12-23T00:00:00"), at("2026-12-28T00:00:00"));
    expect(shifts.map((shift) => [shift.id, shift.crew])).toEqual([
      ["c/2026-12-23/Früh", null],
      ["c/2026-12-23/Spät", null],
      ["c/2026-12-24/Früh", null],
      ["c/2026-12-26/Spät", "Freiwillige"],
    ]);
  });

  it("what is asked for is what meets the range", () => {
    const all = of("threeShifts", "2026-11-22", "2026-11-29");
    const inside = (from: number, to: number) => shiftOccurrences(calendarTemplate("threeShifts", "c"), from, to);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6 * 1440 }), fc.integer({ min: 1, max: 1440 }), (start, length) => {
        const from = at("2026-11-22T00:00:00") + start * minuteUs;
        const to = from + length * minuteUs;
        expect(inside(from, to)).toEqual(all.filter((shift) => shift.fromUs < to && shift.toUs > from));
      }),
      { seed: 1, numRuns: 60 },
    );
  });
});

describe("F18: changes of the clock", () => {
  const golden: [zone: string, day: string, next: string, minutes: Record<string, string>, shown: string[]][] = [
    [
      "Europe/Berlin",
      "2026-03-28",
      "2026-03-31",
      { "2026-03-28": "1440 90", "2026-03-29": "1380 90", "2026-03-30": "1440 90" },
      ["break 2026-03-29T02:00 movedForward"],
    ],
    [
      "Europe/Berlin",
      "2026-10-24",
      "2026-10-27",
      { "2026-10-24": "1440 90", "2026-10-25": "1500 90", "2026-10-26": "1440 90" },
      ["break 2026-10-25T02:00 firstOfTwo"],
    ],
    [
      "America/St_Johns",
      "2026-03-07",
      "2026-03-10",
      { "2026-03-07": "1440 90", "2026-03-08": "1380 90", "2026-03-09": "1440 90" },
      ["break 2026-03-08T02:00 movedForward"],
    ],
    [
      "America/St_Johns",
      "2026-10-31",
      "2026-11-03",
      { "2026-10-31": "1440 90", "2026-11-01": "1500 90", "2026-11-02": "1440 90" },
      [],
    ],
    [
      "Australia/Lord_Howe",
      "2026-10-03",
      "2026-10-06",
      { "2026-10-03": "1440 90", "2026-10-04": "1410 90", "2026-10-05": "1440 90" },
      ["break 2026-10-04T02:00 movedForward"],
    ],
    [
      "Australia/Lord_Howe",
      "2026-04-04",
      "2026-04-07",
      { "2026-04-04": "1440 90", "2026-04-05": "1470 90", "2026-04-06": "1440 90" },
      [],
    ],
    [
      "Asia/Kathmandu",
      "2026-03-28",
      "2026-03-31",
      { "2026-03-28": "1440 90", "2026-03-29": "1440 90", "2026-03-30": "1440 90" },
      [],
    ],
    // The only quarter of an hour that Nepal ever lost.
    [
      "Asia/Kathmandu",
      "1985-12-31",
      "1986-01-03",
      { "1985-12-31": "1440 90", "1986-01-01": "1425 90", "1986-01-02": "1440 90" },
      [],
    ],
  ];

  it.each(golden)("%s around %s: minutes of each production day", (zone, from, to, expected, shown) => {
    const calendar = calendarTemplate("fourCrews", "c", zone);
    const range = [at(`${from}T00:00:00`) - 2 * 1440 * minuteUs, at(`${to}T00:00:00`) + 2 * 1440 * minuteUs] as const;
    const shifts = shiftOccurrences(calendar, ...range).filter(
      ({ productionDay }) => productionDay >= from && productionDay < to,
    );
    expect(days(shifts)).toEqual(expected);
    expect(shifts.flatMap(({ resolved }) => resolved.map((r) => `${r.what} ${r.local} ${r.rule}`))).toEqual(shown);
    for (let i = 1; i < shifts.length; i++) expect(shifts[i].fromUs).toBe(shifts[i - 1].toUs);
  });

  it("a shift that begins or ends in the lost or doubled hour follows its neighbour without gap or overlap", () => {
    const shift = (name: string, start: string, end: string) => ({ name, start, end, breaks: [] });
    const calendar: ShiftCalendar = {
      ...calendarTemplate("oneShift", "c"),
      shifts: [shift("a", "02:30", "14:15"), shift("b", "14:15", "02:30")],
      rotation: { anchor: "2026-01-01", days: [[{ shift: "a" }, { shift: "b" }]] },
    };
    expect(calendarFaults(calendar)).toEqual([]);
    const lengths = (day: string) =>
      shiftOccurrences(calendar, at(`${day}T00:00:00`) - 1440 * minuteUs, at(`${day}T23:00:00`))
        .filter((s) => s.fromUs >= at(`${day}T00:00:00`) - 720 * minuteUs)
        .map((s) => [s.name, minutes(s), s.resolved.map((r) => `${r.what} ${r.rule}`).join()]);
    expect(lengths("2026-03-29")).toEqual([
      ["b", 705, "end movedForward"],
      ["a", 675, "start movedForward"],
      ["b", 735, ""],
    ]);
    expect(lengths("2026-10-25")).toEqual([
      ["b", 735, "end firstOfTwo"],
      ["a", 765, "start firstOfTwo"],
      ["b", 735, ""],
    ]);
  });

  it("a calendar that moves to another time zone keeps the old rule for what was before", () => {
    const changeUs = at("2026-03-16T00:00:00");
    const { shifts, overlaps } = assignedShifts(
      [
        { calendar: calendarTemplate("twoShifts", "berlin"), fromUs: null, toUs: changeUs },
        { calendar: calendarTemplate("twoShifts", "halifax", "America/St_Johns"), fromUs: changeUs, toUs: null },
      ],
      at("2026-03-13T00:00:00"),
      at("2026-03-17T00:00:00"),
    );
    expect(overlaps).toEqual([]);
    expect(shifts.map((s) => [s.id, formatTimeUs(s.fromUs).slice(0, 16)])).toEqual([
      ["berlin/2026-03-13/Früh", "2026-03-13T05:00"],
      ["berlin/2026-03-13/Spät", "2026-03-13T13:00"],
      ["halifax/2026-03-16/Früh", "2026-03-16T08:30"],
      ["halifax/2026-03-16/Spät", "2026-03-16T16:30"],
    ]);
  });
});

describe("faults of a calendar", () => {
  const base = calendarTemplate("threeShifts", "c");
  const withShift = (change: Partial<ShiftCalendar["shifts"][number]>): ShiftCalendar => ({
    ...base,
    shifts: [{ ...base.shifts[0], ...change }, ...base.shifts.slice(1)],
  });
  const cases: [string, ShiftCalendar, string[]][] = [
    ["none", base, []],
    ["unknown time zone", { ...base, timeZone: "Europe/Bärlin" }, ["time_zone_unknown /timeZone"]],
    ["overlap within a day", withShift({ end: "06:01" }), ["shifts_overlap /rotation"]],
    ["overlap across days", withShift({ start: "21:59" }), ["shifts_overlap /rotation"]],
    [
      "an exception that runs into its neighbour",
      {
        ...calendarTemplate("twoShifts", "c"),
        shifts: [
          ...calendarTemplate("twoShifts", "c").shifts,
          { name: "Lang", start: "18:00", end: "07:00", breaks: [] },
        ],
        exceptions: [{ day: "2026-11-24", shifts: [{ shift: "Lang" }] }],
      },
      ["shifts_overlap /rotation"],
    ],
    [
      "a break outside",
      withShift({ breaks: [{ start: "05:45", minutes: 30 }] }),
      ["break_outside_shift /shifts/0/breaks/0"],
    ],
    [
      "a shift that is not there",
      { ...base, exceptions: [{ day: "2026-11-24", shifts: [{ shift: "X" }] }] },
      ["reference_unknown /exceptions/0/shifts/0/shift"],
    ],
    [
      "a date that is none",
      { ...base, holidays: [{ day: "2026-02-30", name: "?" }] },
      ["date_invalid /holidays/0/day"],
    ],
    [
      "a date twice",
      {
        ...base,
        holidays: [
          { day: "2026-02-20", name: "a" },
          { day: "2026-02-20", name: "b" },
        ],
      },
      ["key_duplicate /holidays/1/day"],
    ],
    [
      "a shift twice a day",
      { ...base, exceptions: [{ day: "2026-11-24", shifts: [{ shift: "Früh" }, { shift: "Früh" }] }] },
      ["key_duplicate /exceptions/0/shifts/1/shift"],
    ],
  ];
  it.each(cases)("%s", (_, calendar, expected) => {
    expect(calendarFaults(calendar).map(({ code, path }) => `${code} ${path}`)).toEqual(expected);
  });

  it("templates are free of faults in every zone", () => {
    for (const template of calendarTemplates)
      for (const zone of ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"])
        expect(calendarFaults(calendarTemplate(template, "c", zone))).toEqual([]);
  });

  it("where assignments overlap, the pair is named and no time counts twice", () => {
    const changeUs = at("2026-11-24T10:00:00");
    const { shifts, overlaps } = assignedShifts(
      [
        { calendar: calendarTemplate("twoShifts", "old"), fromUs: null, toUs: changeUs },
        {
          calendar: calendarTemplate("oneShift", "new", "Asia/Kathmandu"),
          fromUs: at("2026-11-24T01:00:00"),
          toUs: null,
        },
      ],
      at("2026-11-24T00:00:00"),
      at("2026-11-24T23:00:00"),
    );
    expect(overlaps.map((pair) => pair.map((shift) => shift.id))).toEqual([
      ["new/2026-11-24/Tag", "old/2026-11-24/Früh"],
    ]);
    expect(shifts.map((s) => [s.id, minutes(s)])).toEqual([
      ["new/2026-11-24/Tag", 510],
      ["old/2026-11-24/Früh", 195],
    ]);
  });
});
