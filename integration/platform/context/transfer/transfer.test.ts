import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  calendarTemplate,
  identifierDimensions,
  type MasterDataItem,
  type MasterDataKind,
  type Principal,
  ProblemError,
  parseTimeUs,
  type TableKind,
  type TransferKind,
  tableKinds,
} from "@lineshaft/contract/api";
import type { MasterDataTransfer, Registry } from "@lineshaft/contract/ports";
import { FakeClock } from "@lineshaft/testkit";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeWorkbook } from "../../configuration/workbook/write.ts";
import { openRegistry } from "../../registry/index.ts";
import { createMasterDataTransfer } from "./index.ts";

const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };
const at = (text: string): number => parseTimeUs(text) as number;

let dir: string;
let registry: Registry;
let transfer: MasterDataTransfer;
let press: number;
let oven: number;
let mill: number;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "transfer-"));
  registry = openRegistry({ path: join(dir, "registry.db"), clock: new FakeClock() });
  const create = (level: "site" | "workUnit", name: string, parentId?: number): number =>
    registry.createEquipment(admin, { level, name, ...(parentId === undefined ? {} : { parentId }) }).item.id;
  const north = create("site", "North");
  press = create("workUnit", "Press", north);
  oven = create("workUnit", "Oven", north);
  mill = create("workUnit", "Mill", create("site", "South"));
  for (const [name, zone] of [
    ["berlin", "Europe/Berlin"],
    ["halifax", "America/Halifax"],
  ])
    put("calendar", name, calendarTemplate("twoShifts", name, zone));
  put("calendarAssignment", "north", { equipmentId: north, calendar: "berlin", fromUs: 0, toUs: null });
  put("calendarAssignment", "mill", { equipmentId: mill, calendar: "halifax", fromUs: 0, toUs: null });
  transfer = createMasterDataTransfer(registry);
});
afterEach(() => {
  registry.close();
  rmSync(dir, { recursive: true });
});

const put = <K extends MasterDataKind>(kind: K, id: string, item: MasterDataItem<K>): number =>
  registry.masterData.put(admin, kind, id, item, null).revision;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const take = (kind: TransferKind, file: Uint8Array | string, more: { dryRun?: boolean; revision?: number } = {}) =>
  transfer.import(admin, kind, typeof file === "string" ? bytes(file) : file, {
    form: "table",
    dryRun: more.dryRun ?? false,
    revision: more.revision ?? null,
  });
/** code@line:column of each fault. */
const faults = (run: () => unknown): string[] => {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return (error.errors ?? []).map(({ code, line, column }) => `${code}@${line}:${column}`);
  }
  return [];
};

// ── any items, and what comes back ──────────────────────────────────────────────────────────────────────────────────

const clean = fc.stringMatching(/^[ !-~äöüß€,;"'=+@\n\r\t-]{1,20}$/);
const idOf = fc.oneof(
  fc.stringMatching(/^[A-Za-z=+@'][A-Za-z0-9 ._-]{0,8}[A-Za-z0-9]$/),
  fc.stringMatching(/^\d[A-Z]\d{3}$/),
  fc.constantFrom("1E5", "0.5.1", "1,5", "TRUE", "'=x"),
);
const time = fc.oneof(
  fc.integer({ min: at("2020-01-01T00:00:00Z"), max: at("2027-01-01T00:00:00Z") }),
  // The night on which Berlin's clocks show two o'clock twice, and Halifax's.
  fc.integer({ min: 0, max: 300 }).map((minute) => at("2026-10-24T23:30:00Z") + minute * 60_000_000),
  fc.integer({ min: 0, max: 300 }).map((minute) => at("2026-11-01T03:00:00Z") + minute * 60_000_000),
);
const until = fc.option(fc.integer({ min: 1, max: 1e13 }));
const valid = fc.tuple(time, until).map(([fromUs, for_]) => ({ fromUs, toUs: for_ === null ? null : fromUs + for_ }));
const positive = fc.oneof(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 1e-9, max: 1e12, noNaN: true }));
const place = fc
  .constantFrom("press", "oven", "mill")
  .map((name) => ({ press: () => press, oven: () => oven, mill: () => mill })[name as "press"]());
const unit = fc.constantFrom("1", "kg", "m", "{piece}");

/** Calendars and bookings have tests of their own. */
type Tried = Exclude<TableKind, "calendar" | "booking">;
const tried = tableKinds.filter((kind): kind is Tried => kind !== "calendar" && kind !== "booking");
const arbitraries: { [K in Tried]: fc.Arbitrary<MasterDataItem<K>> } = {
  material: fc.record({
    name: fc.option(clean),
    unit,
    conversions: fc.array(fc.record({ unit, factor: positive }), { maxLength: 3 }),
  }),
  idealCycleTime: fc
    .tuple(
      valid,
      fc.record({ equipmentId: place, material: fc.option(idOf), cycleUs: positive, unitsPerCycle: positive }),
    )
    .map(([range, item]) => ({ ...item, ...range })),
  order: fc.record({
    material: fc.option(idOf),
    unit,
    quantity: fc.oneof(fc.constant(0), positive),
    operations: fc.uniqueArray(
      fc
        .tuple(
          fc.record({
            id: fc.oneof(fc.stringMatching(/^0\d\d0$/), fc.stringMatching(/^[A-Z]{1,4}$/)),
            name: fc.option(clean),
            executions: fc.uniqueArray(
              fc
                .tuple(
                  valid,
                  fc.record({ equipmentId: place }),
                  fc.record(
                    {
                      share: positive,
                      outputShare: positive,
                      cavities: positive,
                      startedBy: idOf,
                      endedBy: fc.record({ booking: idOf, otherwiseUs: fc.option(time) }),
                    },
                    { requiredKeys: [] },
                  ),
                )
                .map(([range, where, more]) => ({ ...where, ...more, ...range })),
              // One operation runs on one machine once at a time.
              { maxLength: 3, selector: ({ equipmentId }) => equipmentId },
            ),
          }),
          fc.record(
            {
              planned: fc.array(
                fc.tuple(valid, place).map(([range, equipmentId]) => ({ equipmentId, ...range })),
                { minLength: 1, maxLength: 2 },
              ),
              finished: fc.array(
                fc
                  .tuple(fc.record({ equipmentId: place, atUs: time }), fc.record({ by: idOf }, { requiredKeys: [] }))
                  .map(([known, more]) => ({ ...known, ...more })),
                { minLength: 1, maxLength: 2 },
              ),
            },
            { requiredKeys: [] },
          ),
        )
        .map(([known, more]) => ({ ...known, ...more })),
      { maxLength: 3, selector: ({ id }) => id },
    ),
  }),
  calendarAssignment: valid.map((range) => ({ equipmentId: oven, calendar: "halifax", ...range })),
  policyAssignment: fc
    .tuple(
      valid,
      place,
      fc.record({
        version: idOf,
        microStopUs: fc.integer({ min: 0, max: 1e9 }),
        microStopTo: fc.constantFrom("availability" as const, "effectiveness" as const),
        outsidePlan: fc.constantFrom("extend" as const, "exclude" as const),
        noOrder: fc.constantFrom("busy" as const, "notBusy" as const),
        setUp: fc.constantFrom("booked" as const, "firstGoodPart" as const),
        setUpParts: fc.integer({ min: 1, max: 9 }),
        setUpQuantity: fc.constantFrom("inside" as const, "outside" as const),
      }),
    )
    .map(([range, equipmentId, policy]) => ({ equipmentId, policy, ...range })),
  countingAssignment: fc
    .tuple(
      valid,
      fc.record({
        equipmentId: place,
        counts: fc.constantFrom("units" as const, "cycles" as const),
        quantities: fc.constantFrom("sum" as const, "totalAndScrap" as const, "totalAndGood" as const),
        unitsPerCount: positive,
        continuous: fc.boolean(),
        unit,
      }),
    )
    .map(([range, item]) => ({ ...item, ...range })),
  lateScrap: fc
    .tuple(
      fc.record({
        equipmentId: place,
        order: idOf,
        operation: fc.option(idOf),
        quantity: positive,
        bookedUs: time,
        madeUs: fc.option(fc.tuple(time, fc.nat(1e12)).map(([fromUs, for_]) => ({ fromUs, toUs: fromUs + for_ }))),
      }),
      fc.record(
        {
          serials: fc.uniqueArray(idOf, { minLength: 1, maxLength: 4 }),
          lot: idOf,
          becomes: fc.constantFrom("scrap" as const, "rework" as const),
          reason: fc.constantFrom(7_100_000, null),
        },
        { requiredKeys: [] },
      ),
    )
    .map(([known, more]) => ({ ...known, ...more })),
  setUp: fc
    .tuple(
      valid,
      fc.record({ equipmentId: place, order: fc.option(idOf) }),
      fc.record(
        { startedBy: idOf, endedBy: fc.record({ booking: idOf, otherwiseUs: fc.option(time) }) },
        { requiredKeys: [] },
      ),
    )
    .map(([range, known, more]) => ({ ...known, ...more, ...range })),
  physicalAsset: fc.record({
    name: clean,
    serialNumber: fc.option(idOf),
    manufacturer: fc.option(clean),
    mounts: fc
      .array(
        fc.tuple(place, fc.nat(1e12), fc.integer({ min: 1, max: 1e11 })).map((parts) => parts),
        { maxLength: 3 },
      )
      .map((list) => {
        let fromUs = at("2026-01-01T00:00:00Z");
        return list.map(([equipmentId, gap, length]) => {
          const mount = { equipmentId, fromUs: fromUs + gap, toUs: fromUs + gap + length };
          fromUs = mount.toUs;
          return mount;
        });
      }),
    blockedCavities: fc.array(
      fc.tuple(valid, fc.record({ order: idOf, cavities: positive })).map(([range, item]) => ({ ...item, ...range })),
      { maxLength: 2 },
    ),
  }),
  reason: fc.record({
    number: fc.integer({ min: 3_100_001, max: 3_199_999 }),
    parent: fc.option(fc.constant(3_100_000)),
    name: fc.record({ en: clean, de: clean }),
    itemState: fc.option(fc.constantFrom("Executing" as const, "NotExecuting" as const)),
    operationMode: fc.option(fc.constantFrom("Setup" as const, "None" as const)),
    planned: fc.option(fc.constantFrom("break" as const, "notPlanned" as const, "plannedMaintenance" as const)),
    loss: fc.option(fc.constantFrom("breakdown" as const, "setUpAndAdjustment" as const)),
  }),
  annotation: fc
    .tuple(
      time,
      fc.nat(1e10),
      fc.nat(1e10),
      place,
      fc.constantFrom("reason" as const, "split" as const, "comment" as const),
      fc.oneof(fc.constant(""), clean),
    )
    .map(([fromUs, a, b, equipmentId, kind, text]) => ({
      equipmentId,
      kind,
      anchorUs: fromUs + a,
      fromUs,
      toUs: fromUs + a + b,
      reason: kind === "comment" ? null : 7_100_000,
      text,
    })),
  identifierRule: fc
    .tuple(
      valid,
      fc.record({
        equipmentId: place,
        dimension: fc.constantFrom(...identifierDimensions),
        property: idOf,
        prefix: fc.option(idOf),
        padTo: fc.option(fc.integer({ min: 1, max: 20 })),
        none: fc.option(idOf),
        lookUp: fc.constant(null),
      }),
    )
    .map(([range, item]) => ({ ...item, ...range })),
  lookUp: fc.record({
    dimension: fc.constantFrom(...identifierDimensions),
    rows: fc.uniqueArray(
      fc.tuple(valid, fc.record({ value: idOf, id: idOf })).map(([range, row]) => ({ ...row, ...range })),
      { maxLength: 4, selector: ({ value }) => value },
    ),
  }),
};

const files = [
  { format: "csv", decimal: "point" },
  { format: "csv", decimal: "comma" },
  { format: "xlsx" },
  { format: "json" },
  { format: "yaml" },
] as const;

/** An order that somebody at a machine has begun is not removed. */
const runs = (item: object): boolean =>
  "operations" in item &&
  (item as MasterDataItem<"order">).operations.some(({ executions }) =>
    executions.some(({ toUs, startedBy }) => toUs === null && startedBy !== undefined),
  );

describe("what is exported and imported again", () => {
  it.each(tried)("%s is what it was, in every format", (kind) => {
    const arbitrary = arbitraries[kind] as fc.Arbitrary<MasterDataItem<Tried>>;
    fc.assert(
      fc.property(fc.dictionary(idOf, arbitrary, { maxKeys: 4, noNullPrototype: true }), (some) => {
        const entries = Object.entries(some).map(([id, item]) => ({
          id: kind === "reason" ? String((item as MasterDataItem<"reason">).number) : id,
          item,
        }));
        if (kind === "calendarAssignment" || kind === "identifierRule") entries.splice(1);
        const { faults } = registry.masterData.putAll(admin, kind, entries, { revision: null, dryRun: false });
        expect(faults).toEqual([]);
        const { items } = registry.masterData.list(admin, kind, { limit: 1000 });
        for (const how of files) {
          const { bytes } = transfer.export(admin, kind, how);
          const form = how.format === "json" || how.format === "yaml" ? "text" : "table";
          const back = transfer.import(admin, kind, bytes, { form, dryRun: true, revision: null });
          expect(back.summary.items.filter(({ action }) => action !== "unchanged")).toEqual([]);
          expect(back.summary.counts).toEqual({ create: 0, change: 0, unchanged: items.length });
        }
        for (const { id, revision, item } of items)
          if (!["north", "mill"].includes(id) && !runs(item)) registry.masterData.remove(admin, kind, id, revision);
      }),
      { seed: 41, numRuns: 12 },
    );
  });

  it("how a line stands together, which fits no table, as JSON and YAML", () => {
    for (const format of ["json", "yaml"] as const) {
      const file = transfer.export(admin, "lineTopology", { format }).bytes;
      const back = transfer.import(admin, "lineTopology", file, { form: "text", dryRun: false, revision: null });
      expect(back.summary).toMatchObject({ format, counts: { create: 0, change: 0, unchanged: 0 } });
    }
    expect(() => transfer.export(admin, "lineTopology", { format: "csv" })).toThrow("fits no table");
    expect(() => take("lineTopology", "id\nx")).toThrow("fits no table");
  });
});

describe("a table from a spreadsheet", () => {
  it("in German: semicolons, decimal commas, Windows-1252, dates with points, other words, local times", () => {
    const file = Buffer.from(
      "Auftragsnummer;Artikelnummer;Menge;Einheit;Vorgang;Vorgangstext;Anlage;von;bis\r\n" +
        "4711;KAPPE-28;1.250,5;kg;0010;Prägen;North/Press;26.11.2026 06:00;26.11.2026 14:00\r\n" +
        "4711;KAPPE-28;1.250,5;kg;0020;Härten;North/Oven;26.11.2026 08:30;\r\n",
      "latin1",
    );
    const { summary } = take("order", file);
    expect(summary).toMatchObject({ encoding: "windows-1252", separator: ";", rows: 2, counts: { create: 1 } });
    expect(registry.masterData.get(admin, "order", "4711").item).toEqual({
      material: "KAPPE-28",
      quantity: 1250.5,
      unit: "kg",
      operations: [
        {
          id: "0010",
          name: "Prägen",
          executions: [{ equipmentId: press, fromUs: at("2026-11-26T05:00:00Z"), toUs: at("2026-11-26T13:00:00Z") }],
        },
        {
          id: "0020",
          name: "Härten",
          executions: [{ equipmentId: oven, fromUs: at("2026-11-26T07:30:00Z"), toUs: null }],
        },
      ],
    });
  });

  it("says what would be done, does nothing, and then just that", () => {
    take("material", "id,name,unit\nA,Cap,1\nB,Lid,1\n");
    const dry = take("material", "id,name,unit\nA,Cap,1\nB,Lid 2,1\nC,New,1\n", { dryRun: true });
    expect(dry.summary.counts).toEqual({ create: 1, change: 1, unchanged: 1 });
    expect(dry.summary.items).toMatchObject([
      { id: "B", action: "change", line: 3, changes: [{ field: "name", from: "Lid", to: "Lid 2" }] },
      { id: "C", action: "create", line: 4 },
      { id: "A", action: "unchanged", line: 2 },
    ]);
    expect(registry.masterData.get(admin, "material", "B").item.name).toBe("Lid");
    const before = registry.revision;
    const wet = take("material", "id,name,unit\nA,Cap,1\nB,Lid 2,1\nC,New,1\n", { revision: dry.summary.revision });
    expect(wet.revision).toBe(registry.revision);
    // Only what changes is written, each with its own revision.
    expect(registry.revision - before).toBe(2);
    expect(() => take("material", "id\nD\n", { revision: dry.summary.revision })).toThrow("was changed since");
  });

  it("a column that is not there leaves what there is; a cell that is empty does not", () => {
    put("order", "1", {
      material: "M",
      unit: "kg",
      quantity: 5,
      operations: [{ id: "10", name: null, executions: [] }],
    });
    take("order", "order,quantity\n1,6\n");
    expect(registry.masterData.get(admin, "order", "1").item).toMatchObject({
      material: "M",
      unit: "kg",
      quantity: 6,
      operations: [{ id: "10" }],
    });
    take("order", "order,quantity,material\n1,6,\n");
    expect(registry.masterData.get(admin, "order", "1").item.material).toBe(null);
  });

  it("a table that knows nothing of bookings leaves what they have made", () => {
    const fromUs = at("2026-11-26T05:00:00Z");
    const execution = { equipmentId: press, fromUs, toUs: null, startedBy: "b1" };
    const operation = {
      id: "10",
      name: null,
      executions: [execution],
      finished: [{ equipmentId: oven, atUs: fromUs }],
    };
    put("order", "1", { material: null, unit: "1", quantity: 5, operations: [operation] });
    take("order", "order,quantity,operation,equipment,from,to\n1,6,10,North/Press,2026-11-26 06:00,2026-11-26 07:00\n");
    expect(registry.masterData.get(admin, "order", "1").item).toMatchObject({
      quantity: 6,
      operations: [{ ...operation, executions: [{ ...execution, toUs: at("2026-11-26T06:00:00Z") }] }],
    });
  });

  it("a time that the clock showed twice or not at all is resolved by rule, and said", () => {
    put("order", "1", { material: null, unit: "1", quantity: 5, operations: [] });
    const rows =
      "id,equipment,order,quantity,booked\na,North/Press,1,2,2026-10-25 02:30\nb,North/Press,1,2,2026-03-29 02:30\nc,South/Mill,1,2,2026-10-25 02:30\n";
    const { summary } = take("lateScrap", rows);
    expect(summary.notes.map(({ line, column, rule }) => [line, column, rule])).toEqual([
      [2, 5, "firstOfTwo"],
      [3, 5, "movedForward"],
    ]);
    const booked = (id: string) => registry.masterData.get(admin, "lateScrap", id).item.bookedUs;
    expect(["a", "b", "c"].map(booked)).toEqual(
      ["2026-10-25T00:30:00Z", "2026-03-29T01:00:00Z", "2026-10-25T05:30:00Z"].map(at),
    );
  });

  it("a workbook: real dates, numbers, and ids that have lost their zeros", () => {
    const sheet = writeWorkbook("orders", [
      ["id", "quantity", "operation", "equipment", "from"],
      ["000471", { number: "5" }, "0010", "North/Press", "2026-11-26 06:00"],
      [{ number: "472" }, { number: "5" }, "0010", "North/Press", "2026-11-26 06:00"],
    ]);
    expect(faults(() => take("order", sheet))).toEqual(["cell_damaged@3:1"]);
    put("material", "00012", { name: null, unit: "1", conversions: [] });
    expect(faults(() => take("order", "id,quantity,material\nX,5,12\n"))).toEqual(["cell_damaged@2:3"]);
    expect(faults(() => take("material", "id\n12\n"))).toEqual(["cell_damaged@2:1"]);
  });
});

describe("what is wrong with a table is said by row and column, and nothing is half applied", () => {
  const good = "id,equipment,material,cycleSeconds,from\nok,North/Press,M,2,2026-01-01 00:00\n";
  it.each<[string, TableKind, string, string[]]>([
    ["unknown equipment", "idealCycleTime", `${good}x,North/Pres,M,2,2026-01-01 00:00\n`, ["equipment_unknown@3:2"]],
    [
      "a cycle that takes no time",
      "idealCycleTime",
      `${good}x,North/Press,M,0,2026-01-01 00:00\n`,
      ["cycle_time_invalid@3:4"],
    ],
    ["no start", "idealCycleTime", `${good}x,North/Press,M,1,\n`, ["cell_missing@3:5"]],
    ["no time", "idealCycleTime", `${good}x,North/Press,M,1,11/26/2026\n`, ["cell_unreadable@3:5"]],
    ["a negative quantity", "order", "id,quantity\nok,1\nx,-5\n", ["quantity_negative@3:2"]],
    ["no number", "order", "id,quantity\nok,1\nx,many\n", ["cell_unreadable@3:2"]],
    ["a thousand or one", "order", "id\tquantity\nok\t1\nx\t1.000\n", ["cell_unreadable@3:2"]],
    [
      "an end before its start",
      "order",
      "id,quantity,operation,equipment,from,to\nok,1,,,,\nx,1,10,North/Press,2026-01-02 00:00,2026-01-01 00:00\n",
      ["range_invalid@3:6"],
    ],
    ["what a spreadsheet made of a number", "order", 'id,quantity\nok,1\n"1,23E+11",2\n', ["cell_damaged@3:1"]],
    [
      "two rows of one item that differ",
      "material",
      "id,name,conversionUnit,factor\nok,a,kg,1\nok,b,m,1\n",
      ["cell_unreadable@3:2"],
    ],
    ["an unknown unit", "material", "id,unit\nok,1\nx,parsec2\n", ["unit_unknown@3:2"]],
    [
      "a circular tree",
      "reason",
      "number,parent,nameEn,nameDe\n3100001,3100002,a,a\n3100002,3100001,b,b\n",
      ["reason_circular@2:2", "reason_circular@3:2"],
    ],
    [
      "two calendars at once",
      "calendarAssignment",
      "id,equipment,calendar,from\nok,North/Press,berlin,2026-01-01 00:00\nx,North/Press,halifax,2026-02-01 00:00\n",
      ["shifts_overlap@2:4", "shifts_overlap@3:4"],
    ],
    [
      "a calendar that is not there",
      "calendarAssignment",
      "id,equipment,calendar,from\nx,North/Press,paris,2026-02-01 00:00\n",
      ["reference_unknown@2:3"],
    ],
    [
      "a choice that is none",
      "annotation",
      "id,equipment,kind,anchor,from,to\nx,North/Press,remark,2026-01-01 00:00,2026-01-01 00:00,2026-01-01 01:00\n",
      ["cell_unreadable@2:3"],
    ],
    ["a column that is not known", "material", "id,colour\nx,red\n", ["csv_invalid@1:2"]],
  ])("%s", (_, kind, text, expected) => {
    const before = registry.revision;
    for (const dryRun of [true, false]) expect(faults(() => take(kind, text, { dryRun }))).toEqual(expected);
    expect(registry.revision).toBe(before);
    expect(
      registry.masterData.list(admin, kind, {}).items.filter(({ id }) => ["ok", "x", "3100001"].includes(id)),
    ).toEqual([]);
  });

  it("two shifts that overlap, in a calendar's file, with the line", () => {
    const calendar = calendarTemplate("twoShifts", "c");
    calendar.shifts[0].end = "15:00";
    const file = bytes(JSON.stringify({ kind: "calendar", items: { c: calendar } }, null, 1));
    const how = { form: "text", dryRun: true, revision: null } as const;
    expect(faults(() => transfer.import(admin, "calendar", file, how))[0]).toMatch(/^shifts_overlap@\d+:\d+$/);
    expect(
      faults(() => transfer.import(admin, "calendar", bytes("kind: calendar\nitems:\n  c: {name: c}\n"), how))[0],
    ).toBe("request_invalid@3:6");
  });
});
