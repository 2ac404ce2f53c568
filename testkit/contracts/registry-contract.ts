import {
  type EquipmentLevel,
  equipmentLevels,
  type Principal,
  ProblemError,
  type Role,
  type ValueType,
} from "@lineshaft/contract/api";
import type { Registry, TagRegisteredRecord } from "@lineshaft/contract/ports";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock } from "../clock.ts";
import { configurationContract } from "./configuration-contract.ts";

/** One store under test, on its own storage. */
export interface RegistryFixture {
  open(): Registry;
  /** Opens what a process leaves that dies now, without closing anything. The registry before is not used again. */
  crash(): Registry;
  cleanup(): void;
}

/** What every Registry must do. `make` gives fresh storage for each test. */
export function registryContract(make: (clock: FakeClock) => RegistryFixture): void {
  let clock: FakeClock;
  let fixture: RegistryFixture;
  let registry: Registry;
  beforeEach(() => {
    clock = new FakeClock();
    fixture = make(clock);
    registry = fixture.open();
  });
  afterEach(() => fixture.cleanup());
  configurationContract(make);

  const admin = principal();
  const create = (level: EquipmentLevel, name: string, parentId?: number, p = admin) =>
    registry.createEquipment(p, { level, name, parentId }).item;
  const register = (lsn: number, ids: number[], record: Partial<TagRegisteredRecord> = {}, tenant = 1) =>
    registry.applyRegistrations([
      { lsn, recordedTime: 1_795_000_000_000_000, tenant, record: registered(ids, record) },
    ]);
  const paths = (q: Parameters<Registry["listEquipment"]>[1] = {}, p = admin) =>
    registry.listEquipment(p, { limit: 1000, ...q }).items.map((item) => item.path);

  describe("equipment", () => {
    test("starts with the enterprise and nothing else", () => {
      const { items, cursor } = registry.listEquipment(admin, {});
      expect(items).toMatchObject([{ level: "enterprise", path: "", parentId: null, lifecycle: "productive" }]);
      expect(cursor).toBeNull();
    });

    test("lists in tree order and levels may be left out", () => {
      const site = create("site", "Hall");
      create("site", "Hall 2");
      const line = create("workCenter", "Line", site.id);
      create("workUnit", "Press", line.id);
      create("area", "Area", site.id);
      expect(paths()).toEqual(["", "Hall", "Hall/Area", "Hall/Line", "Hall/Line/Press", "Hall 2"]);
      expect(paths({ under: "Hall/Line" })).toEqual(["Hall/Line", "Hall/Line/Press"]);
      expect(paths({ parentId: site.id })).toEqual(["Hall/Area", "Hall/Line"]);
    });

    test("a change holds from an earlier time on, each attribute on a line of its own", () => {
      const start = clock.nowUs();
      const later = (minutes: number): number => start + minutes * 60_000_000;
      const hall = create("site", "Hall");
      const line = create("workCenter", "Line", hall.id);
      clock.advanceMs(60 * 60_000);
      const change = (id: number, what: Parameters<Registry["changeEquipment"]>[2]) =>
        registry.changeEquipment(admin, id, what, registry.getEquipment(admin, id).revision).item;
      expect(change(line.id, { name: "Line 1", validFromUs: later(30) })).toMatchObject({ validFromUs: later(30) });
      // Said afterwards, of a time before: the name of then is still the name of then.
      change(line.id, { lifecycle: "test", validFromUs: later(10) });
      change(line.id, { lifecycle: "productive", validFromUs: later(20) });
      change(hall.id, { name: "Hall A", validFromUs: later(40) });
      const at = (minutes: number) => {
        const { path, lifecycle } = registry.equipmentAt(admin, line.id, later(minutes));
        return [path, lifecycle];
      };
      expect(at(-5)).toEqual(["Hall/Line", "productive"]);
      expect(at(10)).toEqual(["Hall/Line", "test"]);
      expect(at(25)).toEqual(["Hall/Line", "productive"]);
      expect(at(35)).toEqual(["Hall/Line 1", "productive"]);
      expect(at(45)).toEqual(["Hall A/Line 1", "productive"]);
      // A later decision about the same time wins.
      change(line.id, { lifecycle: "commissioning", validFromUs: later(5) });
      expect(at(25)).toEqual(["Hall/Line", "commissioning"]);
      expect(registry.getEquipment(admin, line.id)).toMatchObject({
        path: "Hall A/Line 1",
        lifecycle: "commissioning",
      });
      const { record } = registry.outbox(100).at(-1) as ReturnType<Registry["outbox"]>[number];
      expect(record.after).toMatchObject({ lifecycle: "commissioning", validFromUs: later(5) });
      expect(code(() => change(line.id, { name: "L", validFromUs: later(61) }))).toBe("valid_from_future");
      expect(code(() => registry.equipmentAt(principal({ scopes: ["Other"] }), line.id, start))).toBe("not_found");
    });

    test("tells in which state of its life an equipment was when, also as it was known then", () => {
      const { id, changedUs: start } = create("site", "S");
      const change = (lifecycle: "test" | "productive" | "retired", minutes: number) =>
        registry.changeEquipment(
          admin,
          id,
          { lifecycle, validFromUs: start + minutes * 60_000_000 },
          registry.getEquipment(admin, id).revision,
        );
      const publish = (lsn: number) =>
        registry.stampLsn(registry.outbox(1000).map(({ revision }, i) => ({ revision, lsn: lsn + i })));
      const told = (asOf?: number) =>
        registry
          .lifecycle(admin, id, asOf)
          .map(({ fromUs, toUs, state }) => [state, ...[fromUs, toUs].map((at) => (at - start) / 60_000_000)]);
      const [ever, never] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER].map((at) => (at - start) / 60_000_000);
      publish(1);
      expect(told()).toEqual([["productive", ever, never]]);
      clock.advanceMs(3_600_000);
      change("test", 10);
      publish(100);
      change("productive", 20);
      change("retired", 50);
      expect(told()).toEqual([
        ["productive", ever, 10],
        ["test", 10, 20],
        ["productive", 20, 50],
        ["retired", 50, never],
      ]);
      expect(told(100)).toEqual([
        ["productive", ever, 10],
        ["test", 10, never],
      ]);
      expect(told(0)).toEqual([["productive", ever, never]]);
      expect(code(() => registry.lifecycle(principal({ scopes: ["Other"] }), id))).toBe("not_found");
    });

    test("takes a model that exists and has what its tags are bound to", async () => {
      const site = create("site", "S");
      const model = { name: "m", version: "1.0.0", properties: [{ name: "speed", kind: "processValue" as const }] };
      const other = { ...model, name: "n", properties: [{ name: "level", kind: "processValue" as const }] };
      const change = (to: string | null) =>
        registry.changeEquipment(admin, site.id, { model: to }, registry.getEquipment(admin, site.id).revision).item;
      const apply = (connections: object[]) =>
        registry.applyConfiguration(
          admin,
          {
            version: 1,
            models: [model, other],
            equipment: [{ path: "S", level: "site", model: registry.getEquipment(admin, site.id).model ?? undefined }],
            connections,
          } as never,
          registry.configuration(admin).revision,
          () => 9,
        );
      await apply([]);
      expect(code(() => change("x@1.0.0"))).toBe("not_found");
      expect(change("m@1.0.0")).toMatchObject({ model: "m@1.0.0" });
      await apply([
        { name: "c", kind: "http", tags: [{ address: "a", equipment: "S", bind: [{ property: "speed" }] }] },
      ]);
      expect(code(() => change("n@1.0.0"))).toBe("reference_unknown");
      expect(code(() => change(null))).toBe("reference_unknown");
    });

    test("refuses levels out of order, names taken or impossible, and leaves no trace of it", () => {
      const site = create("site", "S");
      const unit = create("workUnit", "U", site.id);
      const revision = registry.revision;
      expect(code(() => create("site", "S2", site.id))).toBe("equipment_level_invalid");
      expect(code(() => create("enterprise", "E"))).toBe("equipment_level_invalid");
      expect(code(() => create("workUnit", "V", unit.id))).toBe("equipment_level_invalid");
      expect(code(() => create("workUnit", "U", site.id))).toBe("path_taken");
      for (const name of ["", "a/b", "..", "a\u0000b", "a\nb", "\ud800", "x".repeat(513)])
        expect(code(() => create("area", name, site.id))).toBe("name_invalid");
      expect(code(() => create("area", "A", 4711))).toBe("not_found");
      expect(registry.revision).toBe(revision);
      expect(paths()).toEqual(["", "S", "S/U"]);
    });

    test("A30: quotes, SQL, emoji and any script are kept as they are", () => {
      const names = [
        "'; DROP TABLE equipment;--",
        '"',
        "$1",
        "%",
        "_",
        "🏭 Werk",
        "مصنع",
        "ß",
        "SS",
        "\u00e9",
        "e\u0301",
      ];
      for (const name of names) expect(create("site", name).name).toBe(name);
      for (const name of names) expect(paths({ under: name })).toEqual([name]);
      expect(new Set(paths())).toEqual(new Set(["", ...names]));
    });

    test("a rename takes what is below with it, and former names still find it", () => {
      const site = create("site", "Old");
      const line = create("workCenter", "Line", site.id);
      const unit = create("workUnit", "Press", line.id);
      clock.advanceMs(1000);
      const { item, revision } = registry.changeEquipment(admin, site.id, { name: "New" }, site.revision);
      expect(item).toMatchObject({ id: site.id, path: "New", changedUs: clock.nowUs(), revision });
      expect(registry.getEquipment(admin, unit.id)).toMatchObject({ path: "New/Line/Press", revision });
      expect(paths({ under: "Old/Line" })).toEqual(["New/Line", "New/Line/Press"]);
      expect(code(() => registry.changeEquipment(admin, line.id, { name: "L" }, line.revision))).toBe(
        "revision_conflict",
      );
    });

    test("a name belongs to who bears it now, else to who bore it last", () => {
      const first = create("site", "Old");
      registry.changeEquipment(admin, first.id, { name: "First" }, first.revision);
      const second = create("site", "Old");
      expect(paths({ under: "Old" })).toEqual(["Old"]);
      registry.changeEquipment(admin, second.id, { name: "Second" }, second.revision);
      expect(paths({ under: "Old" })).toEqual(["Second"]);
      registry = fixture.crash();
      expect(paths({ under: "Old" })).toEqual(["Second"]);
    });

    test("a move changes place and keeps identity; the root stays; cycles are refused", () => {
      const a = create("site", "A");
      const b = create("site", "B");
      const area = create("area", "Area", a.id);
      const unit = create("workUnit", "U", area.id);
      const { revision } = registry.changeEquipment(admin, area.id, { parentId: b.id }, area.revision);
      expect(registry.getEquipment(admin, unit.id).path).toBe("B/Area/U");
      expect(code(() => registry.changeEquipment(admin, area.id, { parentId: unit.id }, revision))).toBe(
        "equipment_level_invalid",
      );
      expect(code(() => registry.changeEquipment(admin, area.id, { parentId: area.id }, revision))).toBe(
        "equipment_level_invalid",
      );
      const [root] = registry.listEquipment(admin, { limit: 1 }).items;
      expect(code(() => registry.changeEquipment(admin, root.id, { parentId: a.id }, root.revision))).toBe(
        "equipment_level_invalid",
      );
      expect(registry.changeEquipment(admin, root.id, { name: "Acme" }, root.revision).item.path).toBe("");
      const other = create("area", "Area", a.id);
      expect(code(() => registry.changeEquipment(admin, other.id, { parentId: b.id }, other.revision))).toBe(
        "path_taken",
      );
    });

    test("a page can be turned over a rename without gap or repeat; A65: forged and foreign cursors do not open", () => {
      for (let i = 0; i < 25; i++) create("site", `S${String(i).padStart(2, "0")}`);
      const first = registry.listEquipment(admin, { limit: 10 });
      const last = first.items[9];
      registry.changeEquipment(admin, last.id, { name: "Z" }, last.revision);
      const second = registry.listEquipment(admin, { limit: 10, cursor: first.cursor as string });
      expect(second.items[0].name).toBe("S09");
      const cursor = second.cursor as string;
      const flipped = cursor.slice(0, -1) + (cursor.endsWith("A") ? "B" : "A");
      for (const [p, q] of [
        [admin, { cursor: flipped }],
        [admin, { cursor: "" }],
        [admin, { cursor: "x" }],
        [admin, { cursor, under: "Z" }],
        [principal({ tenant: 2 }), { cursor }],
        [principal({ scopes: ["Z"] }), { cursor }],
      ] as const)
        expect(code(() => registry.listEquipment(p, q))).toBe("cursor_invalid");
      for (const limit of [0, -1, 1001, 1.5, Number.NaN])
        expect(code(() => registry.listEquipment(admin, { limit }))).toBe("limit_invalid");
    });

    test("any sequence of creates, renames, moves and crashes agrees with a tree of plain objects", () => {
      const step = fc.oneof(
        { weight: 4, arbitrary: fc.record({ do: fc.constant("create" as const), level, name, at: fc.nat(30) }) },
        { weight: 2, arbitrary: fc.record({ do: fc.constant("rename" as const), name, of: fc.nat(30) }) },
        { weight: 2, arbitrary: fc.record({ do: fc.constant("move" as const), of: fc.nat(30), to: fc.nat(30) }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const) }) },
      );
      fc.assert(
        fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
          const own = make(new FakeClock());
          try {
            let tested = own.open();
            const [root] = tested.listEquipment(admin, {}).items;
            const model = new TreeModel(root.id);
            for (const s of steps) {
              const pick = (n: number): number => model.ids[n % model.ids.length];
              if (s.do === "crash") tested = own.crash();
              else if (s.do === "create") {
                const parentId = pick(s.at);
                const expected = model.fault(null, s.level, s.name, parentId);
                const made = attempt(() => tested.createEquipment(admin, { level: s.level, name: s.name, parentId }));
                expect(made.code).toBe(expected);
                if (made.value) model.put(made.value.item.id, s.level, s.name, parentId);
              } else {
                const id = pick(s.of);
                const before = model.node(id);
                const change = s.do === "rename" ? { name: s.name } : { parentId: pick(s.to) };
                const after = { ...before, ...change };
                const expected = model.changeFault(id, after.name, after.parentId);
                const { revision } = tested.getEquipment(admin, id);
                expect(attempt(() => tested.changeEquipment(admin, id, change, revision)).code).toBe(expected);
                if (expected === null) model.put(id, before.level, after.name, after.parentId);
              }
              const items = tested.listEquipment(admin, { limit: 1000 }).items;
              expect(items.map((item) => [item.id, item.path])).toEqual(model.inTreeOrder());
            }
            for (const [path, id] of model.everNamed())
              expect(tested.listEquipment(admin, { under: path }).items[0].id).toBe(id);
          } finally {
            own.cleanup();
          }
        }),
        { numRuns: 25 },
      );
    });
  });

  describe("outbox", () => {
    test("each change is one revision and one record, until it is stamped", () => {
      const site = create("site", "S");
      registry.changeEquipment(admin, site.id, { lifecycle: "test" }, site.revision);
      const rows = registry.outbox(10);
      expect(rows.map((row) => row.revision)).toEqual([1, 2, 3]);
      expect(rows[2]).toMatchObject({
        tenant: 1,
        record: { revision: 3, entity: "equipment", id: site.id, actor: admin.id, after: { lifecycle: "test" } },
      });
      expect(registry.outbox(1)).toHaveLength(1);
      registry.stampLsn([{ revision: 1, lsn: 17 }]);
      expect(registry.lsnOf(1)).toBe(17);
      expect(registry.lsnOf(2)).toBeNull();
      expect(registry.outbox(10).map((row) => row.revision)).toEqual([2, 3]);
    });

    test("F6: after a crash what was not stamped is offered again, and only that", () => {
      create("site", "S");
      registry.stampLsn([{ revision: 1, lsn: 5 }]);
      registry = fixture.crash();
      expect(registry.revision).toBe(2);
      expect(registry.outbox(10).map((row) => row.revision)).toEqual([2]);
      registry.stampLsn([
        { revision: 1, lsn: 99 },
        { revision: 2, lsn: 6 },
      ]);
      expect([registry.lsnOf(1), registry.lsnOf(2)]).toEqual([5, 6]);
      expect(registry.outbox(10)).toEqual([]);
    });
  });

  describe("raw tags", () => {
    test("registrations are applied once, by LSN, and survive a crash", () => {
      register(10, [1, 2], { newConnection: true });
      register(10, [1, 2], { newConnection: true });
      register(12, [3]);
      expect(registry.appliedLsn).toBe(12);
      expect(registry.lsnOf(registry.getTag(admin, 3).revision)).toBe(12);
      registry = fixture.crash();
      expect(registry.appliedLsn).toBe(12);
      register(12, [3]);
      expect([...registry.allTags()]).toEqual([
        { id: 1, connectionId: 1, address: "address 1", equipmentId: null },
        { id: 2, connectionId: 1, address: "address 2", equipmentId: null },
        { id: 3, connectionId: 1, address: "address 3", equipmentId: null },
      ]);
      expect(registry.allConnections()).toMatchObject([{ id: 1, name: "press", kind: "http", scope: "", tenant: 1 }]);
      expect(registry.getTag(admin, 2)).toMatchObject({ address: "address 2", name: null, unit: null, revision: 0 });
    });

    test("registrations that contradict what stands are refused, and none of their batch counts as applied", () => {
      const other = { ...registered([1]), addresses: ["another address"] };
      expect(() =>
        registry.applyRegistrations([
          { lsn: 1, recordedTime: 0, tenant: 1, record: registered([1], { newConnection: true }) },
          { lsn: 2, recordedTime: 0, tenant: 1, record: other },
        ]),
      ).toThrow();
      expect(registry.appliedLsn).toBe(0);
      expect([...registry.allTags()]).toHaveLength(1);
    });

    test("F24: many registrations are applied in portions; a crash between two of them is made good by applying again", () => {
      const ids = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
      const batch = [
        { lsn: 1, recordedTime: 0, tenant: 1, record: registered(ids(1, 400), { newConnection: true }) },
        { lsn: 2, recordedTime: 0, tenant: 1, record: registered(ids(401, 3)) },
        { lsn: 3, recordedTime: 0, tenant: 1, record: registered(ids(404, 200)) },
      ];
      expect(registry.applyRegistrations(batch, 0)).toBe(false);
      expect(registry.appliedLsn).toBe(0);
      const there = [...registry.allTags()].length;
      expect(there).toBeGreaterThan(0);
      expect(there).toBeLessThan(400);
      registry = fixture.crash();
      let portions = 1;
      while (!registry.applyRegistrations(batch, 0)) {
        portions++;
        // Between two portions people go on working.
        if (portions === 3) create("site", "Munich");
      }
      expect(portions).toBeGreaterThan(5);
      expect(registry.appliedLsn).toBe(3);
      expect([...registry.allTags()].map(({ id }) => id)).toEqual(ids(1, 603));
      expect(registry.allConnections()).toHaveLength(1);
      expect(registry.applyRegistrations(batch, 0)).toBe(true);
      registry = fixture.crash();
      expect(registry.appliedLsn).toBe(3);
      expect(registry.getTag(admin, 603)).toMatchObject({ address: "address 603", connection: "press" });
    });

    test("advance moves the applied LSN now and then, never back", () => {
      registry.advance(100);
      registry.advance(101);
      expect(registry.appliedLsn).toBe(100);
      clock.advanceMs(60_000);
      registry.advance(99);
      expect(registry.appliedLsn).toBe(100);
      registry.advance(102);
      expect(registry.appliedLsn).toBe(102);
    });

    test("names, units and equipment are decisions with a revision", () => {
      register(1, [1], { newConnection: true });
      const site = create("site", "S");
      const named = registry.changeTag(admin, 1, { name: "Öldruck", unit: "bar", equipmentId: site.id }, 0);
      expect(named.item).toMatchObject({
        name: "Öldruck",
        unit: "bar",
        equipmentId: site.id,
        revision: named.revision,
      });
      expect(registry.outbox(10).at(-1)?.record).toMatchObject({ entity: "tag", id: 1, after: { unit: "bar" } });
      expect(code(() => registry.changeTag(admin, 1, { name: "x" }, 0))).toBe("revision_conflict");
      expect(code(() => registry.changeTag(admin, 1, { unit: "banana" }, named.revision))).toBe("unit_unknown");
      expect(code(() => registry.changeTag(admin, 1, { name: "a\u0007" }, named.revision))).toBe("name_invalid");
      expect(code(() => registry.changeTag(admin, 1, { equipmentId: 99 }, named.revision))).toBe("not_found");
      registry = fixture.crash();
      expect(registry.getTag(admin, 1)).toEqual(named.item);
      expect(registry.changeTag(admin, 1, { name: null }, named.revision).item).toMatchObject({
        name: null,
        unit: "bar",
      });
    });

    test("F30: a unit that the source says is remembered apart, told when it changes, and never a decision", () => {
      register(1, [1, 2, 3], { newConnection: true });
      const unitsOf = (id: number) => {
        const { unit, sourceUnit, revision } = registry.getTag(admin, id);
        return { unit, sourceUnit, revision };
      };
      const { revision } = registry.configuration(admin);
      const told = () => registry.outbox(100).filter(({ record }) => record.entity === "sourceUnit");
      const note = (...units: [number, string][]) => registry.noteUnits(1, 1, new Map(units));
      note([1, "bar"], [2, "°C"], [77, "m"]);
      note([1, "bar"], [2, "°C"]);
      expect(unitsOf(1)).toEqual({ unit: "bar", sourceUnit: "bar", revision: 0 });
      expect(registry.listTags(admin, {}).items.map(({ unit }) => unit)).toEqual(["bar", "°C", null]);
      expect(told().map(({ record }) => record)).toMatchObject([
        { id: 1, actor: "source", after: { connection: "press", scope: "", units: [{ id: 1 }, { id: 2 }] } },
      ]);
      expect(registry.configuration(admin)).toMatchObject({ revision, configuration: { connections: [] } });

      // Saying something else about a tag decides nothing about its unit, which need not even be UCUM.
      const named = registry.changeTag(admin, 2, { name: "Oil" }, 0);
      expect(named.item).toMatchObject({ unit: "°C", sourceUnit: "°C" });
      const declared = registry.changeTag(admin, 1, { unit: "kPa" }, 0);
      expect(declared.item).toMatchObject({ unit: "kPa", sourceUnit: "bar" });
      note([1, "mbar"], [2, "°C"]);
      expect(told().at(-1)?.record.after).toMatchObject({ units: [{ id: 1, unit: "mbar", before: "bar" }] });
      registry = fixture.crash();
      expect(unitsOf(1)).toEqual({ unit: "kPa", sourceUnit: "mbar", revision: declared.revision });
      const tags = [
        { address: "address 1", unit: "kPa" },
        { address: "address 2", name: "Oil" },
      ];
      expect(registry.configuration(admin).configuration.connections).toMatchObject([{ tags }]);
      expect(registry.configuration(admin).configuration.connections?.[0].tags?.[1]).not.toHaveProperty("unit");
      const then = registry.configurationAt(admin, registry.configuration(admin).revision);
      expect(then.connections).toEqual(registry.configuration(admin).configuration.connections);
      expect(registry.changeTag(admin, 1, { unit: null }, declared.revision).item.unit).toBe("mbar");
    });

    test("F30: values of another type than before are told once, with what they were", () => {
      register(1, [1, 2], { newConnection: true });
      const { revision } = registry.configuration(admin);
      const note = (id: number, before: ValueType, type: ValueType) =>
        registry.noteTypes(1, new Map([[id, { before, type }]]));
      const told = () => registry.outbox(100).flatMap(({ record }) => (record.entity === "sourceType" ? [record] : []));
      note(1, "int64", "double");
      note(77, "int64", "double");
      expect(told()).toMatchObject([
        { id: 1, actor: "source", after: { connection: "press", scope: "", types: [{ id: 1, before: "int64" }] } },
      ]);
      registry = fixture.crash();
      note(1, "int64", "double");
      expect(told()).toHaveLength(1);
      note(1, "double", "string");
      expect(told().at(-1)?.after).toMatchObject({ types: [{ id: 1, before: "double", type: "string" }] });
      expect(registry.configuration(admin).revision).toBe(revision);
    });

    test("search finds parts of name and address whatever their case, and nothing by wildcard", () => {
      const addresses = ["DB1.Temp_1", "db1.TEMP%2", "ÖL/druck", "x'; DROP TABLE tag;--", "plain"];
      register(1, [1, 2, 3, 4, 5], { newConnection: true, addresses });
      registry.changeTag(admin, 5, { name: "Spindle 🌀" }, 0);
      const find = (search: string) => registry.listTags(admin, { search }).items.map((tag) => tag.id);
      expect(find("temp")).toEqual([1, 2]);
      expect(find("temp_")).toEqual([1]);
      expect(find("%")).toEqual([2]);
      expect(find("öl/DRUCK")).toEqual([3]);
      expect(find("DROP TABLE tag;--")).toEqual([4]);
      expect(find("spindle 🌀")).toEqual([5]);
      expect(find("plain")).toEqual([5]);
      expect(find("nothing")).toEqual([]);
    });

    test("pages of tags are complete and do not overlap, with every filter", () => {
      const ids = Array.from({ length: 250 }, (_, i) => i + 1);
      register(1, ids, { newConnection: true });
      register(2, [251, 252], { newConnection: true, connectionId: 2, connection: "oven" });
      const site = create("site", "S");
      for (const id of [3, 77, 251]) registry.changeTag(admin, id, { equipmentId: site.id }, 0);
      const all = (q: { connection?: string; equipmentId?: number; search?: string }): number[] => {
        const found: number[] = [];
        let cursor: string | null | undefined;
        while (cursor !== null) {
          const page = registry.listTags(admin, { ...q, limit: 40, ...(cursor === undefined ? {} : { cursor }) });
          found.push(...page.items.map((tag) => tag.id));
          cursor = page.cursor;
        }
        return found;
      };
      expect(all({})).toEqual([...ids, 251, 252]);
      expect(all({ connection: "press" })).toEqual(ids);
      expect(all({ equipmentId: site.id })).toEqual([3, 77, 251]);
      expect(all({ search: "address 2" })).toEqual([...ids, 251, 252].filter((id) => String(id).startsWith("2")));
      expect(registry.tagsUnder(admin, "S")).toEqual([3, 77, 251]);
      const { cursor } = registry.listTags(admin, { limit: 40 });
      expect(code(() => registry.listTags(admin, { connection: "press", cursor: cursor as string }))).toBe(
        "cursor_invalid",
      );
    });

    test("a connection made by hand has one name and one kind", () => {
      const row = { id: 7, name: "gw", kind: "http", scope: "S", corrections: true, tagQuota: 5 };
      const { item, revision } = registry.createConnection(admin, row);
      expect(item).toEqual({ ...row, revision });
      expect(code(() => registry.createConnection(admin, { ...row, id: 8 }))).toBe("path_taken");
      expect(code(() => registry.createConnection(admin, { ...row, id: 8, kind: "mqtt" }))).toBe(
        "connection_kind_invalid",
      );
      expect(registry.allConnections()).toEqual([{ ...row, revision, tenant: 1 }]);
    });
  });

  describe("rights", () => {
    test("roles: who may not configure or administer is refused", () => {
      const site = create("site", "S");
      const viewer = principal({ role: "viewer" });
      expect(code(() => create("site", "T", undefined, viewer))).toBe("forbidden");
      expect(code(() => registry.changeEquipment(viewer, site.id, { name: "T" }, site.revision))).toBe("forbidden");
      expect(code(() => registry.listKeys(principal({ role: "engineer" }), {}))).toBe("forbidden");
      expect(code(() => registry.listEquipment(principal({ role: "source" }), {}))).toBe("forbidden");
      expect(code(() => registry.readableTags(principal({ role: "source" }), [1]))).toBe("forbidden");
    });

    test("A68: a scope holds what is below it and nothing that looks like it", () => {
      const plant = create("site", "plant1");
      const twin = create("site", "plant10");
      create("site", "Plant1");
      create("site", "plant1 ");
      const line = create("workCenter", "line", plant.id);
      register(1, [1, 2, 3], { newConnection: true, scope: "plant1/line" });
      register(2, [4], { newConnection: true, connectionId: 2, connection: "other", scope: "plant10" });
      registry.changeTag(admin, 1, { equipmentId: twin.id }, 0);
      registry.changeTag(admin, 2, { equipmentId: line.id }, 0);
      const p = principal({ role: "engineer", scopes: ["plant1"] });
      expect(paths({}, p)).toEqual(["plant1", "plant1/line"]);
      expect(registry.listTags(p, {}).items.map((tag) => tag.id)).toEqual([2, 3]);
      expect(registry.listTags(p, { search: "address" }).items.map((tag) => tag.id)).toEqual([2, 3]);
      expect(registry.readableTags(p, [4, 3, 2, 1, 99])).toEqual([3, 2]);
      expect(registry.tagsUnder(p, "plant1")).toEqual([2]);
      for (const under of ["plant10", "plant1/../plant10", "PLANT1", "plant1/", "/plant1", "*", "plant1/%", "plаnt1"])
        expect(code(() => registry.listEquipment(p, { under }))).toBe("not_found");
      expect(code(() => registry.tagsUnder(p, "plant10"))).toBe("not_found");
      expect(code(() => registry.listTags(p, { connection: "other" }))).toBe("not_found");
      for (const scopes of [["plant1/"], ["plant1/../plant1"], ["*"], ["/"], ["PLANT1"], []])
        expect(paths({}, principal({ scopes }))).toEqual([]);
    });

    test("what is out of scope answers word for word like what does not exist", () => {
      create("site", "mine");
      const foreign = create("site", "foreign");
      register(1, [1], { newConnection: true, scope: "foreign" });
      const p = principal({ role: "admin", scopes: ["mine"] });
      const same = (run: (id: number) => unknown, existing: number): void => {
        const unknown = 999_999;
        expect(problemText(() => run(existing), existing)).toEqual(problemText(() => run(unknown), unknown));
      };
      same((id) => registry.getEquipment(p, id), foreign.id);
      same((id) => registry.changeEquipment(p, id, { name: "x" }, 1), foreign.id);
      same((id) => registry.createEquipment(p, { level: "area", name: "x", parentId: id }), foreign.id);
      same((id) => registry.listEquipment(p, { parentId: id }), foreign.id);
      same((id) => registry.listTags(p, { equipmentId: id }), foreign.id);
      same((id) => registry.getTag(p, id), 1);
      same((id) => registry.changeTag(p, id, { name: "x" }, 0), 1);
    });

    test("nobody writes, names or moves anything out of the own scope", () => {
      const mine = create("site", "mine");
      const area = create("area", "a", mine.id);
      const foreign = create("site", "foreign");
      register(1, [1], { newConnection: true, scope: "" });
      const { revision } = registry.changeTag(admin, 1, { equipmentId: area.id }, 0);
      const p = principal({ role: "admin", scopes: ["mine"] });
      expect(code(() => create("site", "new", undefined, p))).toBe("forbidden");
      // A name that is taken out of sight is not given away.
      expect(code(() => create("site", "foreign", undefined, p))).toBe("forbidden");
      expect(code(() => registry.changeEquipment(p, mine.id, { name: "foreign" }, mine.revision))).toBe("forbidden");
      expect(code(() => registry.changeEquipment(p, area.id, { parentId: foreign.id }, area.revision))).toBe(
        "not_found",
      );
      expect(code(() => registry.changeTag(p, 1, { equipmentId: null }, revision))).toBe("forbidden");
      const connection = { id: 9, name: "c", kind: "http", scope: "foreign", corrections: false, tagQuota: 1 };
      expect(code(() => registry.createConnection(p, connection))).toBe("forbidden");
      expect(code(() => registry.insertKey(p, key("k", { scopes: [""] })))).toBe("forbidden");
      expect(code(() => registry.insertKey(p, key("k", { tenant: 2, scopes: ["mine"] })))).toBe("forbidden");
    });

    test("A67: another tenant's ids, names and paths do not exist", () => {
      const other = principal({ tenant: 2 });
      const site = create("site", "S");
      register(1, [1], { newConnection: true });
      registry.insertKey(admin, key("k1"));
      const same = create("site", "S", undefined, other);
      expect(same.path).toBe("S");
      expect(paths({}, other)).toEqual(["", "S"]);
      for (const run of [
        () => registry.getEquipment(other, site.id),
        () => registry.changeEquipment(other, site.id, { name: "x" }, site.revision),
        () => registry.createEquipment(other, { level: "area", name: "x", parentId: site.id }),
        () => registry.changeEquipment(other, same.id, { parentId: site.id }, same.revision),
        () => registry.listEquipment(other, { parentId: site.id }),
        () => registry.getTag(other, 1),
        () => registry.changeTag(other, 1, { name: "x" }, 0),
        () => registry.listTags(other, { equipmentId: site.id }),
        () => registry.listTags(other, { connection: "press" }),
        () => registry.revokeKey(other, "k1", 1),
      ])
        expect(code(run)).toBe("not_found");
      expect(registry.readableTags(other, [1])).toEqual([]);
      expect(registry.listKeys(other, {}).items).toEqual([]);
      register(2, [2], { newConnection: true, connectionId: 2 }, 2);
      expect(registry.listTags(other, { connection: "press" }).items.map((tag) => tag.id)).toEqual([2]);
      expect(registry.listTags(admin, { connection: "press" }).items.map((tag) => tag.id)).toEqual([1]);
    });

    test("scopes of keys and connections follow the place they name", () => {
      const site = create("site", "S");
      create("site", "S2");
      registry.insertKey(admin, key("k", { scopes: ["S", "S2", "S/later"] }));
      register(1, [1], { newConnection: true, scope: "S" });
      registry.changeEquipment(admin, site.id, { name: "T" }, site.revision);
      expect(registry.findKey("k")?.scopes).toEqual(["T", "S2", "T/later"]);
      expect(registry.allConnections()[0].scope).toBe("T");
      const records = registry.outbox(100).map((row) => row.record);
      expect(records.slice(-3).map((record) => record.entity)).toEqual(["equipment", "key", "connection"]);
      // Whoever takes the old name does not inherit the old rights.
      create("site", "S");
      expect(registry.getTag(principal({ scopes: ["T"] }), 1).id).toBe(1);
      expect(code(() => registry.getTag(principal({ scopes: ["S"] }), 1))).toBe("not_found");
    });
  });

  describe("keys and settings", () => {
    test("keys are kept with their hash, listed without it, and revoked once", () => {
      registry.insertKey(admin, key("k1", { scopes: ["S"] }));
      registry.insertKey(admin, key("k2"));
      const { hash: _, tenant: __, ...visible } = key("k1", { scopes: ["S"] });
      expect(registry.listKeys(admin, { limit: 1 }).items).toEqual([visible]);
      const { cursor } = registry.listKeys(admin, { limit: 1 });
      expect(registry.listKeys(admin, { cursor: cursor as string }).items.map((k) => k.id)).toEqual(["k2"]);
      const before = registry.revision;
      expect(registry.revokeKey(admin, "k1", 77).revokedUs).toBe(77);
      expect(registry.revokeKey(admin, "k1", 99).revokedUs).toBe(77);
      expect(registry.revision).toBe(before + 1);
      registry.touchKey("k2", 123);
      registry = fixture.crash();
      expect(registry.findKey("k1")).toMatchObject({ id: "k1", revokedUs: 77, tenant: 1, scopes: ["S"] });
      expect(Buffer.from(registry.findKey("k1")?.hash ?? [])).toEqual(Buffer.from(key("k1").hash));
      expect(registry.findKey("k2")?.lastUsedUs).toBe(123);
      expect(registry.findKey("'; DROP TABLE api_key;--")).toBeNull();
      expect(JSON.stringify(registry.outbox(100))).not.toMatch(/hash/);
    });

    test("settings survive and are replaced", () => {
      expect(registry.getSetting("a")).toBeNull();
      registry.setSetting("a", "1");
      registry.setSetting("a", "2");
      registry = fixture.crash();
      expect(registry.getSetting("a")).toBe("2");
    });
  });
}

/** A small tree of plain objects: paths are walked, never stored. */
class TreeModel {
  readonly #nodes = new Map<number, { level: EquipmentLevel; name: string; parentId: number | null }>();
  readonly #history = new Map<string, number>();
  readonly #root: number;

  constructor(root: number) {
    this.#root = root;
    this.#nodes.set(root, { level: "enterprise", name: "Enterprise", parentId: null });
  }

  get ids(): number[] {
    return [...this.#nodes.keys()];
  }

  node(id: number) {
    return this.#nodes.get(id) as { level: EquipmentLevel; name: string; parentId: number | null };
  }

  fault(id: number | null, lvl: EquipmentLevel, nm: string, parentId: number): string | null {
    const rank = (l: EquipmentLevel): number => equipmentLevels.indexOf(l);
    if (rank(lvl) <= rank(this.node(parentId).level)) return "equipment_level_invalid";
    for (const [other, node] of this.#nodes)
      if (other !== id && node.parentId === parentId && node.name === nm) return "path_taken";
    return null;
  }

  changeFault(id: number, nm: string, parentId: number | null): string | null {
    if (id === this.#root) return parentId === null ? null : "equipment_level_invalid";
    return this.fault(id, this.node(id).level, nm, parentId as number);
  }

  put(id: number, lvl: EquipmentLevel, nm: string, parentId: number | null): void {
    this.#nodes.set(id, { level: lvl, name: nm, parentId });
    for (const [path, owner] of this.#current()) this.#history.set(path, owner);
  }

  inTreeOrder(): [number, string][] {
    const walk = (id: number, path: string): [number, string][] => {
      const children = [...this.#nodes].filter(([, node]) => node.parentId === id);
      children.sort(([, a], [, b]) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
      const below = children.flatMap(([child, node]) => walk(child, path === "" ? node.name : `${path}/${node.name}`));
      return [[id, path], ...below];
    };
    return walk(this.#root, "");
  }

  /** Every path there ever was, with its present owner or else the last. */
  everNamed(): Map<string, number> {
    return new Map([...this.#history, ...this.#current()]);
  }

  #current(): [string, number][] {
    return this.inTreeOrder()
      .slice(1)
      .map(([id, path]) => [path, id]);
  }
}

const level = fc.constantFrom<EquipmentLevel>("site", "area", "workCenter", "workUnit");
const name = fc.constantFrom("a", "b", "a b", "ä", "🏭");

function principal(parts: { tenant?: number; role?: Role; scopes?: string[] } = {}): Principal {
  const { tenant = 1, role = "admin", scopes = [""] } = parts;
  return { id: `${role}-${tenant}`, kind: "key", name: role, tenant, role, scopes };
}

function registered(ids: number[], record: Partial<TagRegisteredRecord> = {}): TagRegisteredRecord {
  return {
    connectionId: 1,
    connection: "press",
    kind: "http",
    newConnection: false,
    scope: "",
    ids,
    addresses: ids.map((id) => `address ${id}`),
    ...record,
  };
}

function key(id: string, parts: { tenant?: number; scopes?: string[] } = {}) {
  return {
    id,
    name: `key ${id}`,
    role: "viewer" as const,
    scopes: parts.scopes ?? [""],
    createdUs: 1,
    expiresUs: null,
    revokedUs: null,
    lastUsedUs: null,
    tenant: parts.tenant ?? 1,
    hash: new Uint8Array([1, 2, 3]),
  };
}

function attempt<T>(run: () => T): { code: string | null; value: T | null } {
  try {
    return { code: null, value: run() };
  } catch (error) {
    if (error instanceof ProblemError) return { code: error.code, value: null };
    throw error;
  }
}

function code(run: () => unknown): string | null {
  return attempt(run).code;
}

/** The whole problem, with the id that was asked for taken out. */
function problemText(run: () => unknown, id: number): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProblemError) return JSON.stringify(error.toProblem()).replaceAll(` ${id} `, " # ");
    throw error;
  }
  return "no problem";
}
