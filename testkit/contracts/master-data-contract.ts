import {
  defaultOeePolicy,
  type MasterDataItem,
  type Principal,
  ProblemError,
  type Recorded,
  type ShiftCalendar,
  startingReasons,
} from "@lineshaft/contract/api";
import type { MasterData, Registry } from "@lineshaft/contract/ports";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock } from "../clock.ts";
import type { RegistryFixture } from "./registry-contract.ts";

const hour = 3_600_000_000;
const monday = 20_780 * 24 * hour;

/** What every MasterData must do; it lives in a Registry, whose equipment, revisions and outbox it uses. */
export function masterDataContract(make: (clock: FakeClock) => RegistryFixture): void {
  let clock: FakeClock;
  let fixture: RegistryFixture;
  let registry: Registry;
  let data: MasterData;
  let press: number;
  let oven: number;
  beforeEach(() => {
    clock = new FakeClock();
    fixture = make(clock);
    open(fixture.open());
    const create = (level: "site" | "workUnit", name: string, parentId?: number) =>
      registry.createEquipment(admin, { level, name, parentId }).item.id;
    const north = create("site", "North");
    press = create("workUnit", "Press", north);
    oven = create("workUnit", "Oven", create("site", "South"));
  });
  afterEach(() => fixture.cleanup());
  const open = (opened: Registry) => {
    registry = opened;
    data = registry.masterData;
  };

  const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };
  const northOnly: Principal = { ...admin, id: "n", role: "engineer", scopes: ["North"] };
  const viewer: Principal = { ...admin, role: "viewer" };
  const material: MasterDataItem<"material"> = { name: "Cap", unit: "1", conversions: [{ unit: "kg", factor: 0.25 }] };
  const order = (...equipment: number[]): MasterDataItem<"order"> => ({
    material: "M",
    unit: "1",
    quantity: 500,
    operations: [
      {
        id: "10",
        name: null,
        executions: equipment.map((equipmentId) => ({ equipmentId, fromUs: monday, toUs: null })),
      },
    ],
  });
  const ideal = (more: Partial<MasterDataItem<"idealCycleTime">> = {}): MasterDataItem<"idealCycleTime"> => ({
    equipmentId: press,
    material: "M",
    cycleUs: 1e6,
    unitsPerCycle: 1,
    fromUs: 0,
    toUs: null,
    ...more,
  });
  const calendar: ShiftCalendar = {
    name: "day",
    timeZone: "Europe/Berlin",
    shifts: [{ name: "Day", start: "06:00", end: "14:00", breaks: [] }],
    rotation: { anchor: "2024-01-01", days: [[{ shift: "Day" }]] },
    holidays: [],
    exceptions: [],
  };
  const code = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      if (error instanceof ProblemError) return error.code;
      throw error;
    }
    return "none";
  };
  /** Moves all decisions into the log, one LSN each. */
  const publish = (lsn: number): number => {
    const rows = registry.outbox(1000);
    registry.stampLsn(rows.map(({ revision }, i) => ({ revision, lsn: lsn + i })));
    return lsn + rows.length - 1;
  };
  const ids = (page: { items: Recorded<unknown>[] }) => page.items.map(({ id }) => id);

  describe("master data", () => {
    test("an item is created, read, changed by its revision, and removed; each time with a record for the log", () => {
      publish(1);
      const setUp = registry.setUpRevision;
      const { item, revision } = data.put(admin, "material", "M", material, null);
      expect(item).toMatchObject({ id: "M", revision, item: material });
      expect(data.get(viewer, "material", "M")).toEqual(item);
      expect(code(() => data.put(admin, "material", "M", material, null))).toBe("precondition_required");
      const changed = data.put(admin, "material", "M", { ...material, name: "Lid" }, revision);
      expect(code(() => data.put(admin, "material", "M", material, revision))).toBe("revision_conflict");
      expect(code(() => data.put(admin, "material", "N", material, 4))).toBe("not_found");
      data.remove(admin, "material", "M", changed.revision);
      // Orders come all day; who follows connections and equipment need not look for them.
      expect(registry.setUpRevision).toBe(setUp);
      expect(code(() => data.get(admin, "material", "M"))).toBe("not_found");
      expect(data.list(admin, "material", {}).items).toEqual([]);
      expect(
        registry.outbox(10).map(({ record }) => [record.entity, record.id, record.after.removed ?? false]),
      ).toEqual([
        ["masterData", "material/M", false],
        ["masterData", "material/M", false],
        ["masterData", "material/M", true],
      ]);
      expect(data.put(admin, "material", "M", material, null).item.item).toEqual(material);
      expect(registry.outbox(10).at(-1)?.record.after).toMatchObject({ paths: [] });
      data.put(admin, "order", "o", order(press, oven), null);
      expect(registry.outbox(10).at(-1)?.record.after).toMatchObject({ paths: ["North/Press", "South/Oven"] });
      const { revision: moved } = registry.createEquipment(admin, { level: "site", name: "East" });
      expect(registry.setUpRevision).toBe(moved);
      for (const id of ["", "a/b", "a\nb", "x".repeat(600)])
        expect(code(() => data.put(admin, "material", id, material, null))).toBe("name_invalid");
    });

    test("many items at once are judged together, and all are taken or none", () => {
      const reason = (number: number, parent: number | null): MasterDataItem<"reason"> => ({
        number,
        parent,
        name: { en: "a", de: "a" },
        itemState: null,
        operationMode: null,
        planned: null,
        loss: null,
      });
      const entries = [
        { id: "3100001", item: reason(3_100_001, 3_100_002) },
        { id: "3100002", item: reason(3_100_002, 3_100_000) },
      ];
      const before = registry.revision;
      const judged = (more: typeof entries, dryRun = false) =>
        data.putAll(admin, "reason", [...entries, ...more], { revision: data.revisionOf(admin, "reason"), dryRun });
      const wrong = judged([{ id: "3100003", item: reason(3_100_003, 3_100_009) }]);
      // A tree that is broken somewhere is broken for all that hang in it.
      expect(wrong.faults.map(({ problem }) => problem.code)).toContain("reference_unknown");
      expect(judged([], true)).toEqual({ faults: [], revision: null });
      expect(registry.revision).toBe(before);
      expect(judged([])).toEqual({ faults: [], revision: before + 2 });
      expect(data.revisionOf(admin, "reason")).toBe(before + 2);
      expect(ids(data.list(admin, "reason", {}))).toEqual(["3100001", "3100002"]);
      const stale = { revision: before + 1, dryRun: false };
      expect(code(() => data.putAll(admin, "reason", entries, stale))).toBe("revision_conflict");
      expect(code(() => data.putAll(viewer, "reason", entries, { ...stale, revision: null }))).toBe("forbidden");
      const beyond = data.putAll(northOnly, "order", [{ id: "o", item: order(press, oven) }], {
        revision: null,
        dryRun: false,
      });
      expect(beyond.faults.map(({ problem }) => problem.code)).toEqual(["equipment_unknown"]);
    });

    test("an item becomes again what it was, as a new revision; also one that was removed", () => {
      const first = data.put(admin, "order", "o", order(press), null).revision;
      const second = data.put(admin, "order", "o", { ...order(press), quantity: 7 }, first).revision;
      const third = data.remove(admin, "order", "o", second).revision;
      expect(
        data.revisions(northOnly, "order", "o", {}).items.map(({ revision, removed }) => [revision, removed]),
      ).toEqual([
        [third, true],
        [second, false],
        [first, false],
      ]);
      expect(data.revisions(admin, "order", "o", { limit: 1 }).cursor).toBe(String(third));
      expect(data.revisions(admin, "order", "o", { cursor: String(second) }).items[0].revision).toBe(first);
      const southOnly = { ...northOnly, scopes: ["South"] };
      expect(code(() => data.revisions(southOnly, "order", "o", {}))).toBe("not_found");
      expect(code(() => data.restore(admin, "order", "o", first, second))).toBe("revision_conflict");
      expect(code(() => data.restore(admin, "order", "o", third, third))).toBe("not_found");
      expect(code(() => data.restore(viewer, "order", "o", first, third))).toBe("forbidden");
      const back = data.restore(northOnly, "order", "o", first, third);
      expect(data.get(admin, "order", "o")).toEqual(back.item);
      expect(back.item.item.quantity).toBe(500);
    });

    test("asOf reads what was known by a place in the log, whatever came later", () => {
      const first = data.put(admin, "idealCycleTime", "i", ideal(), null);
      const one = publish(10);
      const second = data.put(admin, "idealCycleTime", "i", ideal({ cycleUs: 2e6 }), first.revision);
      const two = publish(50);
      data.remove(admin, "idealCycleTime", "i", second.revision);
      const three = publish(90);
      const known = (asOf: number) =>
        data.list(admin, "idealCycleTime", { asOf }).items.map(({ item }) => item.cycleUs);
      expect([known(9), known(one), known(two - 1), known(two), known(three - 1), known(three)]).toEqual([
        [],
        [1e6],
        [1e6],
        [2e6],
        [2e6],
        [],
      ]);
      expect(data.get(admin, "idealCycleTime", "i", two).item.cycleUs).toBe(2e6);
      open(fixture.crash());
      expect(known(one)).toEqual([1e6]);
    });

    test("lists by equipment and by time, in pages", () => {
      for (let i = 0; i < 5; i++) data.put(admin, "order", `o${i}`, i === 2 ? order(oven) : order(press), null);
      data.put(admin, "idealCycleTime", "old", ideal({ toUs: monday }), null);
      data.put(admin, "idealCycleTime", "new", ideal({ fromUs: monday }), null);
      expect(ids(data.list(admin, "order", { equipmentId: press }))).toEqual(["o0", "o1", "o3", "o4"]);
      expect(ids(data.list(admin, "idealCycleTime", { fromUs: monday }))).toEqual(["new"]);
      expect(ids(data.list(admin, "idealCycleTime", { toUs: monday }))).toEqual(["old"]);
      const page = data.list(admin, "order", { limit: 2 });
      expect([ids(page), page.cursor]).toEqual([["o0", "o1"], "o1"]);
      const rest = data.list(admin, "order", { limit: 3, cursor: page.cursor as string });
      expect([ids(rest), rest.cursor]).toEqual([["o2", "o3", "o4"], null]);
    });

    test("scope decides what is seen and changed; what is out of it looks like what is not there", () => {
      data.put(admin, "order", "both", order(press, oven), null);
      const south = data.put(admin, "order", "south", order(oven), null);
      data.put(admin, "material", "M", material, null);
      expect(ids(data.list(northOnly, "order", { limit: 1 }))).toEqual(["both"]);
      expect(code(() => data.get(northOnly, "order", "south"))).toBe("not_found");
      expect(code(() => data.remove(northOnly, "order", "south", south.revision))).toBe("not_found");
      expect(code(() => data.put(northOnly, "order", "mine", order(oven), null))).toBe("equipment_unknown");
      expect(code(() => data.put(northOnly, "material", "N", material, null))).toBe("forbidden");
      const { revision } = data.get(northOnly, "order", "both");
      expect(code(() => data.put(northOnly, "order", "both", order(press), revision))).toBe("forbidden");
      expect(code(() => data.remove(northOnly, "order", "both", revision))).toBe("forbidden");
      expect(ids(data.list(northOnly, "material", {}))).toEqual(["M"]);
      expect(data.put(northOnly, "order", "mine", order(press), null).item.id).toBe("mine");
      expect(code(() => data.put(viewer, "material", "N", material, null))).toBe("forbidden");
      expect(ids(data.list({ ...admin, tenant: 2 }, "material", {}))).toEqual([]);
    });

    test("a calendar is worked by what it is assigned to and by all below, from and to its dates", () => {
      const site = registry.getEquipment(admin, press).parentId as number;
      data.put(admin, "calendar", "day", calendar, null);
      data.put(
        admin,
        "calendarAssignment",
        "a",
        { equipmentId: site, calendar: "day", fromUs: 0, toUs: monday + 48 * hour },
        null,
      );
      const shifts = (equipment: number, p = admin) =>
        data.shifts(p, equipment, monday, monday + 96 * hour).map(({ productionDay }) => productionDay);
      expect(shifts(press)).toEqual(["2026-11-23", "2026-11-24"]);
      expect(shifts(press, northOnly)).toEqual(["2026-11-23", "2026-11-24"]);
      expect(shifts(oven)).toEqual([]);
      expect(code(() => shifts(oven, northOnly))).toBe("not_found");
      data.put(
        admin,
        "calendarAssignment",
        "own",
        { equipmentId: press, calendar: "day", fromUs: monday + 48 * hour, toUs: null },
        null,
      );
      expect(shifts(press)).toEqual(["2026-11-25", "2026-11-26"]);
      expect(code(() => data.remove(admin, "calendar", "day", data.get(admin, "calendar", "day").revision))).toBe(
        "still_in_use",
      );
    });

    test("what cannot be is refused with its code, and leaves no trace", () => {
      data.put(admin, "calendar", "day", calendar, null);
      const assigned = { equipmentId: press, calendar: "day", fromUs: 0, toUs: null };
      data.put(admin, "calendarAssignment", "a", assigned, null);
      const own = { ...startingReasons[0], number: 1_000_010, parent: 1_000_000 };
      data.put(admin, "reason", "1000010", own, null);
      const note = {
        equipmentId: press,
        kind: "reason" as const,
        anchorUs: 5,
        fromUs: 0,
        toUs: 9,
        reason: 1_000_010,
        text: "",
      };
      data.put(admin, "annotation", "n", note, null);
      const scrap = { equipmentId: press, order: "A", operation: null, quantity: 1, bookedUs: 5, madeUs: null };
      const mount = { equipmentId: press, fromUs: 0, toUs: null };
      const tool = { name: "T", serialNumber: null, manufacturer: null, mounts: [mount], blockedCavities: [] };
      const counting = {
        ...mount,
        counts: "units" as const,
        quantities: "sum" as const,
        unitsPerCount: 1,
        continuous: false,
        unit: "1",
      };
      const member = { equipmentId: press, stage: 1, unitsPerCount: 1 };
      const line = {
        ...{ equipmentId: oven, constraint: press, constraintOf: [], output: press, members: [member] },
        ...{ fromUs: 0, toUs: 100 },
      };
      data.put(admin, "lineTopology", "l", line, null);
      const { revision } = registry;
      const lines: [string, Partial<typeof line> & object][] = [
        ["range_invalid", { toUs: 0 }],
        ["range_invalid", { fromUs: 50, toUs: 150 }],
        ["equipment_unknown", { members: [member, { ...member, equipmentId: 4711 }] }],
        ["key_duplicate", { members: [member, member] }],
        ["quantity_negative", { members: [{ ...member, unitsPerCount: 0 }] }],
        ["reference_unknown", { constraint: 4711 }],
        ["reference_unknown", { output: oven }],
        ["reference_unknown", { members: [member, { ...member, equipmentId: oven }] }],
      ];
      const cases: [string, () => unknown][] = [
        ...lines.map(([code, wrong]): [string, () => unknown] => [
          code,
          () => data.put(admin, "lineTopology", "x", { ...line, fromUs: 200, toUs: 300, ...wrong }, null),
        ]),
        ["equipment_unknown", () => data.put(admin, "idealCycleTime", "x", ideal({ equipmentId: 4711 }), null)],
        ["cycle_time_invalid", () => data.put(admin, "idealCycleTime", "x", ideal({ cycleUs: 0 }), null)],
        ["cycle_time_invalid", () => data.put(admin, "idealCycleTime", "x", ideal({ unitsPerCycle: -1 }), null)],
        ["range_invalid", () => data.put(admin, "idealCycleTime", "x", ideal({ fromUs: 5, toUs: 5 }), null)],
        ["quantity_negative", () => data.put(admin, "order", "x", { ...order(press), quantity: -1 }, null)],
        ["unit_unknown", () => data.put(admin, "material", "x", { ...material, unit: "Stück" }, null)],
        [
          "quantity_negative",
          () => data.put(admin, "material", "x", { ...material, conversions: [{ unit: "kg", factor: 0 }] }, null),
        ],
        ["time_zone_unknown", () => data.put(admin, "calendar", "x", { ...calendar, timeZone: "Mars/Phobos" }, null)],
        [
          "shifts_overlap",
          () =>
            data.put(
              admin,
              "calendar",
              "x",
              {
                ...calendar,
                shifts: [
                  { ...calendar.shifts[0], end: "06:00" },
                  { ...calendar.shifts[0], name: "b", start: "07:00" },
                ],
                rotation: { anchor: "2024-01-01", days: [[{ shift: "Day" }, { shift: "b" }]] },
              },
              null,
            ),
        ],
        [
          "calendar_invalid",
          () => data.put(admin, "calendar", "x", { ...calendar, rotation: { anchor: "2024-02-31", days: [[]] } }, null),
        ],
        ["shifts_overlap", () => data.put(admin, "calendarAssignment", "b", assigned, null)],
        [
          "reference_unknown",
          () => data.put(admin, "calendarAssignment", "b", { ...assigned, equipmentId: oven, calendar: "no" }, null),
        ],
        [
          "reason_circular",
          () => data.put(admin, "reason", "1000000", { ...startingReasons[0], parent: 1_000_010 }, null),
        ],
        ["reference_unknown", () => data.put(admin, "reason", "9", { ...own, number: 9, parent: 8 }, null)],
        ["request_invalid", () => data.put(admin, "reason", "8", own, null)],
        ["reference_unknown", () => data.put(admin, "annotation", "x", { ...note, reason: 12 }, null)],
        ["range_invalid", () => data.put(admin, "annotation", "x", { ...note, anchorUs: 10 }, null)],
        ["request_invalid", () => data.put(admin, "annotation", "x", { ...note, kind: "comment" }, null)],
        [
          "equipment_unknown",
          () =>
            data.put(
              admin,
              "policyAssignment",
              "x",
              { equipmentId: 0, policy: defaultOeePolicy, fromUs: 0, toUs: null },
              null,
            ),
        ],
        ["quantity_negative", () => data.put(admin, "lateScrap", "x", { ...scrap, quantity: 0 }, null)],
        ["range_invalid", () => data.put(admin, "lateScrap", "x", { ...scrap, madeUs: { fromUs: 9, toUs: 5 } }, null)],
        ["range_invalid", () => data.put(admin, "physicalAsset", "x", { ...tool, mounts: [mount, mount] }, null)],
        [
          "equipment_unknown",
          () => data.put(admin, "physicalAsset", "x", { ...tool, mounts: [{ ...mount, equipmentId: 4711 }] }, null),
        ],
        [
          "quantity_negative",
          () => data.put(admin, "countingAssignment", "x", { ...counting, unitsPerCount: 0 }, null),
        ],
      ];
      for (const [expected, run] of cases) expect(code(run), run.toString()).toBe(expected);
      expect(registry.revision).toBe(revision);
    });

    test("identifiers: one rule a dimension and place at a time, by a look-up that leads there and knows each value once", () => {
      const rule = {
        ...{ equipmentId: press, dimension: "material" as const, property: "recipe", prefix: null, padTo: null },
        ...{ none: null, lookUp: "recipes", fromUs: 0, toUs: null },
      };
      const row = { value: "7", id: "CAP", fromUs: 0, toUs: 50 };
      const table = { dimension: "material" as const, rows: [row, { ...row, id: "LID", fromUs: 50, toUs: null }] };
      const put = (id: string, more: Partial<MasterDataItem<"identifierRule">>) => () =>
        data.put(admin, "identifierRule", id, { ...rule, ...more }, null);
      expect(code(put("r", {}))).toBe("reference_unknown");
      const kept = data.put(admin, "lookUp", "recipes", table, null);
      put("r", {})();
      put("later", { fromUs: 10, equipmentId: oven })();
      expect(code(put("x", { fromUs: 10 }))).toBe("range_invalid");
      expect(code(put("x", { fromUs: 9, toUs: 9 }))).toBe("range_invalid");
      expect(code(put("x", { equipmentId: 4711 }))).toBe("equipment_unknown");
      expect(code(put("x", { dimension: "tool" }))).toBe("reference_unknown");
      const change = (more: Partial<MasterDataItem<"lookUp">>) => () =>
        data.put(admin, "lookUp", "recipes", { ...table, ...more }, kept.revision);
      expect(code(change({ rows: [row, { ...row, fromUs: 40, toUs: null }] }))).toBe("key_duplicate");
      expect(code(change({ rows: [{ ...row, toUs: 0 }] }))).toBe("range_invalid");
      expect(code(change({ dimension: "order", rows: [] }))).toBe("still_in_use");
      expect(code(() => data.remove(admin, "lookUp", "recipes", kept.revision))).toBe("still_in_use");
      // A look-up is the whole enterprise's: whoever has a part reads it.
      expect(data.get(northOnly, "lookUp", "recipes").item).toEqual(table);
      expect(code(() => data.put(northOnly, "lookUp", "recipes", table, kept.revision))).toBe("forbidden");
    });

    test("bookings are kept with what they make of orders, once, by whoever may book at the machine", () => {
      const atUs = clock.nowUs();
      const operator: Principal = { ...admin, id: "o", role: "operator", scopes: ["North/Press"] };
      // From the ERP: it names no place. Another is executed elsewhere, and goes on here.
      data.put(admin, "order", "A", order(), null);
      data.put(admin, "order", "B", order(oven), null);
      const start = (id: string, name: string, at: number) => ({
        id,
        atUs: at,
        intent: { kind: "startOrder" as const, order: name },
      });
      const first = data.book(operator, press, start("1", "A", atUs - hour));
      expect(first).toMatchObject({ cause: null, repeated: false, item: { id: "1", item: { equipmentId: press } } });
      const { revision } = registry;
      expect(data.book(operator, press, start("1", "A", atUs - hour))).toMatchObject({ cause: null, repeated: true });
      expect(registry.revision).toBe(revision);
      data.book(operator, press, start("2", "B", atUs));
      const executions = (id: string) => data.get(admin, "order", id).item.operations[0].executions;
      expect(executions("A")).toEqual([
        {
          equipmentId: press,
          fromUs: atUs - hour,
          toUs: atUs,
          startedBy: "1",
          endedBy: { booking: "2", otherwiseUs: null },
        },
      ]);
      expect(executions("B")).toMatchObject([{ equipmentId: press, fromUs: atUs, toUs: null }, { equipmentId: oven }]);
      const told = registry.outbox(100).map(({ record }) => record);
      expect(told.filter(({ entity }) => entity === "masterData").map((record) => record.id)).toEqual([
        "order/A",
        "order/B",
        "booking/1",
        "order/A",
        "booking/2",
        "order/A",
        "order/B",
      ]);
      expect(ids(data.list(operator, "booking", { equipmentId: press, fromUs: atUs }))).toEqual(["2"]);
      expect(code(() => data.book(operator, oven, start("3", "A", atUs)))).toBe("not_found");
      expect(code(() => data.book(viewer, press, start("3", "A", atUs)))).toBe("forbidden");
      expect(code(() => data.book(operator, press, start("2", "A", atUs)))).toBe("booking_conflict");
      expect(code(() => data.book(operator, press, start("3", "C", atUs)))).toBe("order_unknown");
      // Sent again by the ERP, an order keeps what was booked on it.
      data.put(admin, "order", "A", { ...order(), quantity: 900 }, data.get(admin, "order", "A").revision);
      expect(executions("A")).toMatchObject([{ startedBy: "1" }]);
      data.putAll(admin, "order", [{ id: "A", item: order() }], { revision: null, dryRun: false });
      expect(executions("A")).toMatchObject([{ startedBy: "1" }]);
      const kept = registry.revision;
      expect(code(() => data.book(operator, press, { ...start("3", "A", atUs), atUs: atUs + hour }))).toBe(
        "booking_time_invalid",
      );
      expect(registry.revision).toBe(kept);
      expect(code(() => data.takeBack(operator, "2", 1))).toBe("revision_conflict");
      expect(code(() => data.takeBack(viewer, "2", 1))).toBe("forbidden");
      data.takeBack(operator, "2", data.list(admin, "booking", { fromUs: atUs }).items[0].revision);
      expect([executions("A"), executions("B")]).toMatchObject([[{ toUs: null }], [{ equipmentId: oven }]]);
      expect(code(() => data.takeBack(operator, "2", 1))).toBe("not_found");
    });

    test("is no part of the configuration: neither its revisions nor what it was", () => {
      const before = registry.configuration(admin);
      data.put(admin, "material", "M", material, null);
      expect(registry.configuration(admin)).toEqual(before);
      expect(registry.configurationAt(admin, before.revision)).toEqual(before.configuration);
    });
  });
}
