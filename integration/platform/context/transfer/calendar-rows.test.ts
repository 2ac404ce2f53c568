import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  calendarTemplate,
  calendarTemplates,
  formatDay,
  type Principal,
  ProblemError,
  type ShiftCalendar,
} from "@lineshaft/contract/api";
import { FakeClock } from "@lineshaft/testkit";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRegistry } from "../../registry/index.ts";
import { createMasterDataTransfer } from "./index.ts";

const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };
let dir: string;
let registry: ReturnType<typeof openRegistry>;
let transfer: ReturnType<typeof createMasterDataTransfer>;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "calendar-rows-"));
  registry = openRegistry({ path: join(dir, "registry.db"), clock: new FakeClock() });
  transfer = createMasterDataTransfer(registry);
});
afterEach(() => {
  registry.close();
  rmSync(dir, { recursive: true });
});

const take = (file: Uint8Array | string, dryRun = false) =>
  transfer.import(admin, "calendar", typeof file === "string" ? new TextEncoder().encode(file) : file, {
    ...{ form: "table", dryRun, revision: null },
  });
/** code@line:column of each fault. */
function faultsOf(file: string): string[] {
  try {
    take(file);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const errors = (error.errors ?? []) as { code?: string; line?: number; column?: number }[];
    return errors.map(({ code, line, column }) => `${code}@${line}:${column}`);
  }
  return [];
}

const day = fc.integer({ min: 20_000, max: 20_400 }).map(formatDay);
const calendar: fc.Arbitrary<Omit<ShiftCalendar, "name">> = fc
  .record({
    template: fc.constantFrom(...calendarTemplates),
    zone: fc.constantFrom("Europe/Berlin", "America/Chicago", "Asia/Kolkata"),
    holidays: fc.uniqueArray(fc.record({ day, name: fc.constantFrom("Neujahr", "1. Mai", "-") }), {
      ...{ maxLength: 3, selector: (one: { day: string }) => one.day },
    }),
    exceptions: fc.uniqueArray(fc.record({ day, crew: fc.option(fc.constant("X")), works: fc.boolean() }), {
      ...{ maxLength: 3, selector: (one: { day: string }) => one.day },
    }),
  })
  .map(({ template, zone, holidays, exceptions }) => {
    const { name: _, ...made } = calendarTemplate(template, "x", zone);
    const first = made.shifts[0].name;
    const shifts = (crew: string | null) => [{ shift: first, ...(crew === null ? {} : { crew }) }];
    return {
      ...made,
      holidays,
      exceptions: exceptions.map((one) => ({ day: one.day, shifts: one.works ? shifts(one.crew) : [] })),
    };
  });

describe("shift calendars as tables", () => {
  it("are what they were, in every format", () => {
    fc.assert(
      fc.property(fc.array(calendar, { maxLength: 3 }), (some) => {
        const entries = some.map((item, i) => ({ id: `cal ${i}`, item: { name: `cal ${i}`, ...item } }));
        expect(
          registry.masterData.putAll(admin, "calendar", entries, { revision: null, dryRun: false }).faults,
        ).toEqual([]);
        for (const how of [
          { format: "csv", decimal: "point" },
          { format: "csv", decimal: "comma" },
          { format: "xlsx" },
        ] as const) {
          const { summary } = take(transfer.export(admin, "calendar", how).bytes, true);
          expect(summary.items.filter(({ action }) => action !== "unchanged")).toEqual([]);
          expect(summary.counts.unchanged).toBe(some.length);
        }
        for (const { id, revision } of registry.masterData.list(admin, "calendar", { limit: 10 }).items)
          registry.masterData.remove(admin, "calendar", id, revision);
      }),
      { seed: 7, numRuns: 25 },
    );
  });

  it("in German, as somebody types them: other words, dates with points, clock times without a zero", () => {
    take(
      "Schichtkalender;Zeitzone;Rhythmus ab;Schicht;Beginn;Ende;Pause;Pausenbeginn;Pausenminuten;Tag;arbeitet;Gruppe;Feiertag;Feiertagsname\r\n" +
        "werk;Europe/Berlin;01.01.2024;Früh;6:00;14:00;Frühstück;9:00;15;;;;;\r\n" +
        "werk;Europe/Berlin;01.01.2024;Früh;6:00;14:00;;12:00;30;;;;;\r\n" +
        "werk;;;;;;;;;1;Früh;A;;\r\n" +
        "werk;;;;;;;;;3;Früh;;;\r\n" +
        "werk;;;;;;;;;4;;;;\r\n" +
        "werk;;;;;;;;;;;;01.05.2026;1. Mai\r\n",
    );
    expect(registry.masterData.get(admin, "calendar", "werk").item).toEqual({
      name: "werk",
      timeZone: "Europe/Berlin",
      shifts: [
        {
          ...{ name: "Früh", start: "06:00", end: "14:00" },
          breaks: [
            { name: "Frühstück", start: "09:00", minutes: 15 },
            { start: "12:00", minutes: 30 },
          ],
        },
      ],
      rotation: { anchor: "2024-01-01", days: [[{ shift: "Früh", crew: "A" }], [], [{ shift: "Früh" }], []] },
      holidays: [{ day: "2026-05-01", name: "1. Mai" }],
      exceptions: [],
    });
  });

  it("say by row and column what is wrong, and change nothing", () => {
    const head = "id,timeZone,anchor,shift,start,end,rotationDay,works\n";
    const row = "werk,Europe/Berlin,2024-01-01";
    expect(faultsOf(`${head}${row},Früh,6 Uhr,14:00,,\n${row},,,,0,Früh\n`)).toEqual([
      "cell_unreadable@2:5",
      "cell_unreadable@3:7",
    ]);
    expect(faultsOf(`${head}werk,Europe/Berlin,31.02.2024,Früh,06:00,14:00,,\n${row},,,,1,Früh\n`)).toContain(
      "cell_unreadable@2:3",
    );
    // A shift that the calendar does not have, and two that overlap.
    expect(faultsOf(`${head}${row},Früh,06:00,14:00,,\n${row},,,,1,Spät\n`).map((one) => one.split("@")[1])).toEqual([
      "3:8",
    ]);
    expect(
      faultsOf(`${head}${row},A,06:00,14:00,,\n${row},B,13:00,20:00,,\n${row},,,,1,A\n${row},,,,1,B\n`).length,
    ).toBe(1);
    expect(registry.masterData.list(admin, "calendar", { limit: 10 }).items).toEqual([]);
  });
});
