import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BookingIntent,
  hourUs,
  type MasterDataItem,
  type Principal,
  ProblemError,
  parseTimeUs,
  type TransferKind,
} from "@lineshaft/contract/api";
import type { MasterDataTransfer, Registry } from "@lineshaft/contract/ports";
import { FakeClock } from "@lineshaft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRegistry } from "../../registry/index.ts";
import { createMasterDataTransfer } from "./index.ts";

const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };
const now = parseTimeUs("2026-11-26T12:00:00Z") as number;
const at = (hour: number): number => (parseTimeUs("2026-11-26T00:00:00Z") as number) + hour * hourUs;

/** Bookings, set-ups and scrap as files: what people write down in a spreadsheet while the terminal is away. */
describe("what happened on the floor, as files", () => {
  let dir: string;
  let registry: Registry;
  let transfer: MasterDataTransfer;
  let press: number;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "lineshaft-transfer-bookings-"));
    registry = openRegistry({ path: join(dir, "registry.db"), clock: new FakeClock(now) });
    press = registry.createEquipment(admin, { level: "workUnit", name: "Press" }).item.id;
    for (const id of ["0815", "0816"])
      registry.masterData.put(
        admin,
        "order",
        id,
        {
          ...{ material: null, unit: "1", quantity: 100 },
          operations: [{ id: "0010", name: null, executions: [] }],
        },
        null,
      );
    transfer = createMasterDataTransfer(registry);
  });
  afterAll(() => {
    registry.close();
    rmSync(dir, { recursive: true });
  });

  const take = (kind: TransferKind, file: string | Uint8Array, form: "table" | "text" = "table", dryRun = false) =>
    transfer.import(admin, kind, typeof file === "string" ? new TextEncoder().encode(file) : file, {
      ...{ form, dryRun, revision: null },
    });
  const faults = (kind: TransferKind, file: string, form: "table" | "text" = "table"): string[] => {
    const before = registry.revision;
    try {
      take(kind, file, form);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      // Nothing is half applied.
      expect(registry.revision).toBe(before);
      return (error.errors ?? []).map(({ code, line, column }) => `${code}@${line}:${column}`);
    }
    return [];
  };
  const executions = (id: string) =>
    registry.masterData.get(admin, "order", id).item.operations[0].executions.map(({ fromUs, toUs }) => [fromUs, toUs]);
  const head = "booking;Anlage;um;art;Auftrag;von;bis;Grund;Bemerkung;Menge;Seriennummer;Charge\n";

  it("are booked by their times, whatever the order of the rows; a serial number has a row each", () => {
    const file =
      `${head}b2;Press;2026-11-26 08:00;startOrder;0816;;;;;;;\n` +
      "b1;Press;2026-11-26 06:00;startOrder;0815;;;;;;;\n" +
      "b3;Press;2026-11-26 09:00;reason;;2026-11-26 07:00;2026-11-26 07:30;7100000;Riemen;;;\n" +
      "b4;Press;2026-11-26 10:00;scrap;0815;;;7100000;;2;007;\n" +
      "b4;Press;2026-11-26 10:00;scrap;0815;;;7100000;;2;008;\n" +
      "b5;Press;2026-11-26 10:30;rework;0815;;;;;1,5;;L-7\n";
    expect(take("booking", file, "table", true).summary.counts).toEqual({ create: 5, change: 0, unchanged: 0 });
    expect(executions("0815")).toEqual([]);
    expect(take("booking", file).revision).toBe(registry.revision);
    expect(executions("0815")).toEqual([[at(6), at(8)]]);
    expect(executions("0816")).toEqual([[at(8), null]]);
    const item = (kind: "annotation" | "lateScrap", id: string) => registry.masterData.get(admin, kind, id).item;
    expect(item("annotation", "b3")).toMatchObject({ reason: 7_100_000, text: "Riemen", saidUs: at(9) });
    expect(item("lateScrap", "b4")).toMatchObject({ quantity: 2, serials: ["007", "008"], becomes: "scrap" });
    expect(item("lateScrap", "b5")).toMatchObject({ quantity: 1.5, lot: "L-7", becomes: "rework" });
    expect(take("booking", file).summary.counts).toMatchObject({ create: 0 });
  });

  it.each([
    ["booking", "csv"],
    ["booking", "xlsx"],
    ["booking", "json"],
    ["booking", "yaml"],
    ["setUp", "csv"],
    ["lateScrap", "xlsx"],
    ["lateScrap", "csv"],
  ] as const)("%s come back unchanged as %s", (kind, format) => {
    if (kind === "setUp")
      take(
        "setUp",
        "id,equipment,order,from,to\ns1,Press,0815,2026-11-26 05:00,2026-11-26 06:00\ns2,Press,,2026-11-26 07:00,\n",
      );
    const { bytes } = transfer.export(admin, kind, { format });
    const form = format === "json" || format === "yaml" ? "text" : "table";
    const { counts } = take(kind, bytes, form).summary;
    expect(counts).toMatchObject({ create: 0, change: 0 });
    expect(counts.unchanged).toBeGreaterThanOrEqual(2);
  });

  it.each<[string, string, string[]]>([
    ["a negative quantity", "x;Press;2026-11-26 10:00;scrap;0815;;;;;-2;;", ["quantity_negative@2:10"]],
    ["an order that nobody knows", "x;Press;2026-11-26 10:00;startOrder;4711;;;;;;;", ["order_unknown@2:5"]],
    ["an order that lost its zeros", "x;Press;2026-11-26 10:00;startOrder;815;;;;;;;", ["cell_damaged@2:5"]],
    ["a machine that nobody knows", "x;Pres;2026-11-26 10:00;startOrder;0815;;;;;;;", ["equipment_unknown@2:2"]],
    ["a kind that there is not", "x;Press;2026-11-26 10:00;begin;0815;;;;;;;", ["cell_unreadable@2:4"]],
    ["scrap without a quantity", "x;Press;2026-11-26 10:00;scrap;0815;;;;;;;", ["request_invalid@2:4"]],
    [
      "an end before its beginning",
      "x;Press;2026-11-26 10:00;reason;;2026-11-26 09:00;2026-11-26 08:00;7100000;;;;",
      ["range_invalid@2:7"],
    ],
    ["a time to come", "x;Press;2026-11-27 10:00;startOrder;0815;;;;;;;", ["booking_time_invalid@2:3"]],
    [
      "serials of which one lost its zeros",
      "x;Press;2026-11-26 10:00;scrap;0815;;;;;2;007;\nx;Press;2026-11-26 10:00;scrap;0815;;;;;2;8;",
      ["cell_damaged@3:11"],
    ],
    ["a booking that is known otherwise", "b1;Press;2026-11-26 06:30;startOrder;0815;;;;;;;", ["booking_conflict@2:1"]],
    [
      "several, each at its place, among good ones",
      "n1;Press;2026-11-26 11:00;finishOrder;0816;;;;;;;\nn2;Press;2026-11-26 10:00;scrap;0815;;;;;0;;\nn3;Press;2026-11-26 10:00;startOrder;X9;;;;;;;",
      ["quantity_negative@3:10", "order_unknown@4:5"],
    ],
  ])("%s is refused by row and column, and nothing is booked", (_, rows, expected) => {
    expect(faults("booking", `${head}${rows}\n`)).toEqual(expected);
  });

  it("scrap and set-up of an order that nobody knows, or of less than nothing, are refused by row and column", () => {
    expect(
      faults(
        "lateScrap",
        "id,equipment,order,quantity,booked\n1,Press,0815,-1,2026-11-26 06:00\n2,Press,0815,1,2026-11-26 06:00\n",
      ),
    ).toEqual(["quantity_negative@2:4"]);
    expect(faults("lateScrap", "id,equipment,order,quantity,booked\n1,Press,4711,1,2026-11-26 06:00\n")).toEqual([
      "order_unknown@2:3",
    ]);
    expect(
      faults(
        "setUp",
        "id,equipment,order,from,to\n1,Press,815,2026-11-26 06:00,\n2,Press,A,2026-11-26 06:00,2026-11-26 05:00\n",
      ),
    ).toEqual(["cell_damaged@2:3"]);
    expect(faults("setUp", "id,equipment,order,from,to\n1,Press,A,2026-11-26 06:00,\n")).toEqual(["order_unknown@2:3"]);
    expect(
      faults(
        "setUp",
        JSON.stringify(
          { kind: "setUp", items: { a: { equipmentId: press, order: "A", fromUs: 1, toUs: null } } },
          null,
          1,
        ),
        "text",
      ),
    ).toEqual(["order_unknown@6:13"]);
  });

  it("an operation that would run twice at once on one machine is refused at its row", () => {
    const rows = (second: string) =>
      `order,quantity,operation,equipment,from,to\nN,5,10,Press,2026-11-26 06:00,2026-11-26 08:00\nN,5,10,Press,${second},2026-11-26 09:00\n`;
    expect(faults("order", rows("2026-11-26 07:59"))).toEqual(["range_invalid@3:5"]);
    expect(faults("order", rows("2026-11-26 08:00"))).toEqual([]);
  });

  it("a booking that was taken back is not put back as if it were an item", () => {
    const { item, revision } = registry.masterData.get(admin, "booking", "b5");
    expect((item as MasterDataItem<"booking">).intent satisfies BookingIntent).toMatchObject({ kind: "rework" });
    registry.masterData.takeBack(admin, "b5", revision);
    const last = registry.masterData.revisions(admin, "booking", "b5", {}).items[0].revision;
    expect(() => registry.masterData.restore(admin, "booking", "b5", revision, last)).toThrow("booked anew");
  });
});
