import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { calendarTemplate, defaultOeePolicy, type Principal } from "@lineshaft/contract/api";
import { FakeClock } from "@lineshaft/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { openRegistry } from "../registry/index.ts";
import { contextOf } from "./assemble.ts";
import { cellsOf } from "./cells.ts";
import { facts, min, running, shift, standing, sums } from "./testing.ts";

const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };
const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

describe("the context of an equipment", () => {
  it("is put together from master data, as it was known then; annotations without a stop are told", () => {
    const dir = mkdtempSync(join(tmpdir(), "lineshaft-context-"));
    dirs.push(dir);
    const registry = openRegistry({ path: join(dir, "registry.sqlite"), clock: new FakeClock() });
    const site = registry.createEquipment(admin, { level: "site", name: "S" }).item.id;
    const press = registry.createEquipment(admin, { level: "workUnit", name: "P", parentId: site }).item.id;
    const { masterData } = registry;
    const calendar = { ...calendarTemplate("threeShifts", "c", "UTC") };
    masterData.put(admin, "calendar", "c", calendar, null);
    masterData.put(admin, "calendarAssignment", "c", { equipmentId: site, calendar: "c", fromUs: 0, toUs: null }, null);
    const execution = { equipmentId: press, fromUs: min(360), toUs: min(800) };
    const operations = [{ id: "10", name: null, executions: [execution] }];
    const order = { material: "M", unit: "kg", quantity: 9, operations };
    const first = masterData.put(admin, "order", "A", order, null);
    masterData.put(
      admin,
      "idealCycleTime",
      "i",
      { equipmentId: press, material: "M", cycleUs: 5e6, unitsPerCycle: 1, fromUs: 0, toUs: null },
      null,
    );
    const policy = { ...defaultOeePolicy, outsidePlan: "exclude" as const };
    masterData.put(admin, "policyAssignment", "press", { equipmentId: press, policy, fromUs: 0, toUs: null }, null);
    const late = { ...defaultOeePolicy, version: "late" };
    masterData.put(
      admin,
      "policyAssignment",
      "site",
      { equipmentId: site, policy: late, fromUs: min(100), toUs: null },
      null,
    );
    const note = {
      equipmentId: press,
      kind: "reason" as const,
      fromUs: min(395),
      toUs: min(405),
      reason: 7_100_000,
      text: "",
    };
    masterData.put(admin, "annotation", "stop", { ...note, anchorUs: min(400) }, null);
    // The later word counts, whatever its id.
    masterData.put(admin, "annotation", "a", { ...note, anchorUs: min(401), reason: 7_900_000 }, null);
    masterData.put(
      admin,
      "annotation",
      "lost",
      { ...note, fromUs: min(700), toUs: min(705), anchorUs: min(700) },
      null,
    );
    const counting = {
      counts: "units" as const,
      quantities: "sum" as const,
      unitsPerCount: 2,
      continuous: false,
      unit: "1",
    };
    masterData.put(admin, "countingAssignment", "k", { equipmentId: press, ...counting, fromUs: 0, toUs: null }, null);
    const scrap = { equipmentId: press, order: "A", operation: "10", quantity: 3, bookedUs: min(500), madeUs: null };
    masterData.put(admin, "lateScrap", "s1", scrap, null);
    masterData.put(admin, "lateScrap", "s2", { ...scrap, order: "B" }, null);
    const blocked = { order: "A", cavities: 1, fromUs: min(100), toUs: null };
    const mounts = [{ equipmentId: press, fromUs: min(300), toUs: min(500) }];
    const mould = { name: "Mould 7", serialNumber: null, manufacturer: null, mounts, blockedCavities: [blocked] };
    masterData.put(admin, "physicalAsset", "mould", mould, null);
    registry.stampLsn(registry.outbox(100).map(({ revision }, i) => ({ revision, lsn: i + 1 })));
    const known = 100;
    // The order is booked until 600 only, later on.
    masterData.put(
      admin,
      "order",
      "A",
      { ...order, operations: [{ ...operations[0], executions: [{ ...execution, toUs: min(600) }] }] },
      first.revision,
    );

    const of = facts(
      360,
      840,
      [
        [360, running],
        [390, standing],
        [420, running],
      ],
      [[360, 370, 12]],
    );
    const query = { upwards: [press, site], timeZone: "UTC", facts: of };
    const { context, orphaned, unplaced } = contextOf(masterData, admin, query);
    expect(orphaned.map(({ id }) => id)).toEqual(["lost"]);
    expect(unplaced.map(({ order: name }) => name)).toEqual(["B"]);
    expect(context.blockedCavities).toEqual([{ order: "A", cavities: 1, fromUs: min(300), toUs: min(500) }]);
    expect(context.policies.map(({ policy: each }) => each)).toEqual([policy]);
    expect(context.reasons).toEqual([{ fromUs: min(390), toUs: min(420), reason: 7_900_000 }]);
    const cells = cellsOf({ equipment: press, facts: of, context }, { from: min(360), to: min(840) });
    expect(sums(cells)).toMatchObject({ minutes: { apt: 420, break: 30, adet: 30 }, gq: 24 - 3, sq: 3 });
    expect(sums(cells.filter((cell) => cell.order === "A")).minutes).toEqual({ apt: 210, adet: 30 });
    expect(new Set(cells.filter((cell) => cell.order === "A").map((cell) => [cell.unit, cell.priUs].join()))).toEqual(
      new Set(["kg,5000000"]),
    );
    const before = contextOf(masterData, admin, { ...query, asOf: known }).context;
    expect(before.executions[0].toUs).toBe(min(800));
    registry.close();
  });

  it("of two words on one stop the later said holds, whichever came first; booked set-up and rework count", () => {
    const dir = mkdtempSync(join(tmpdir(), "lineshaft-context-"));
    dirs.push(dir);
    const registry = openRegistry({ path: join(dir, "registry.sqlite"), clock: new FakeClock() });
    const press = registry.createEquipment(admin, { level: "workUnit", name: "P" }).item.id;
    const { masterData } = registry;
    const note = { equipmentId: press, kind: "reason" as const, fromUs: min(30), toUs: min(40), text: "" };
    const say = (id: string, reason: number, minute: number) =>
      masterData.put(admin, "annotation", id, { ...note, anchorUs: min(35), reason, saidUs: min(minute) }, null);
    say("a-late", 7_100_000, 50);
    say("b-early", 7_900_000, 45);
    const setUp = { equipmentId: press, order: null, fromUs: min(60), toUs: min(75) };
    masterData.put(admin, "setUp", "s", setUp, null);
    const rework = { equipmentId: press, order: "A", operation: null, bookedUs: min(90), quantity: 2 };
    const madeUs = { fromUs: min(10), toUs: min(20) };
    masterData.put(admin, "lateScrap", "r", { ...rework, madeUs, becomes: "rework" }, null);
    const of = facts(
      0,
      120,
      [
        [0, running],
        [30, standing],
        [40, running],
        [60, standing],
        [90, running],
      ],
      [[0, 30, 10]],
    );
    const { context } = contextOf(masterData, admin, { upwards: [press], timeZone: "UTC", facts: of });
    expect(context.reasons).toEqual([{ fromUs: min(30), toUs: min(40), reason: 7_100_000 }]);
    const always = { ...context, shifts: [shift("s", 0, 120)] };
    const cells = cellsOf({ equipment: press, facts: of, context: always }, { from: min(0), to: min(120) });
    expect(sums(cells)).toMatchObject({ minutes: { apt: 80, aust: 15, adot: 25 }, gq: 8, sq: 0 });
    expect(cells.reduce((sum, cell) => sum + cell.quantities.known.rq, 0)).toBe(2);
    registry.close();
  });
});
