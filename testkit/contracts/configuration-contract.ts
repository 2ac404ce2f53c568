import { type Configuration, type Principal, ProblemError, type Role } from "@lineshaft/contract/api";
import type { Registry, TagRegisteredRecord } from "@lineshaft/contract/ports";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock } from "../clock.ts";
import { anyConfiguration } from "../configuration.ts";
import type { RegistryFixture } from "./registry-contract.ts";

/** What every Registry must do with a whole configuration. Part of `registryContract`. */
export function configurationContract(make: (clock: FakeClock) => RegistryFixture): void {
  let clock: FakeClock;
  let fixture: RegistryFixture;
  let registry: Registry;
  beforeEach(() => {
    clock = new FakeClock();
    fixture = make(clock);
    registry = fixture.open();
  });
  afterEach(() => fixture.cleanup());

  const admin = principal();
  let nextId = 100;
  const apply = (wanted: Partial<Configuration>, p = admin, on = registry) =>
    on.applyConfiguration(p, { version: 1, ...wanted }, on.configuration(p).revision, () => nextId++);
  const now = (p = admin) => registry.configuration(p).configuration;
  const code = async (run: () => unknown): Promise<string | null> => {
    try {
      await run();
      return null;
    } catch (error) {
      if (error instanceof ProblemError) return error.code;
      throw error;
    }
  };
  const idOf = (path: string): number => registry.listEquipment(admin, { under: path, limit: 1 }).items[0].id;
  const register = (
    lsn: number,
    record: Partial<TagRegisteredRecord> & Pick<TagRegisteredRecord, "ids" | "addresses">,
  ) =>
    registry.applyRegistrations([
      {
        lsn,
        recordedTime: 1_795_000_000_000_000,
        tenant: 1,
        record: { connectionId: 100, connection: "plc", kind: "opcua", newConnection: false, scope: "", ...record },
      },
    ]);

  const plant: Configuration = {
    version: 1,
    enterprise: "Acme",
    models: [{ name: "filler", version: "1.0.0", properties: [{ name: "state", kind: "itemState" }] }],
    equipment: [
      { path: "North", level: "site" },
      { path: "North/Line", level: "workCenter" },
      { path: "North/Line/Filler", level: "workUnit", model: "filler@1.0.0", lifecycle: "test" },
      { path: "South", level: "site" },
    ],
    connections: [
      {
        name: "plc",
        kind: "opcua",
        scope: "North",
        config: { endpointUrl: "opc.tcp://canary-host", password: "$" + "{secret:plc}" },
        classes: { fast: { samplingMs: 100, queueSize: 10 } },
        tags: [
          {
            address: "s=State",
            equipment: "North/Line/Filler",
            bind: [{ property: "state", validTo: "2026-06-01T00:00:00Z" }],
          },
          {
            address: "s=State2",
            name: "State",
            equipment: "North/Line/Filler",
            unit: "1",
            class: "fast",
            options: { x: [1, null] },
            bind: [{ property: "state", validFrom: "2026-06-01T00:00:00Z" }],
          },
        ],
      },
      { name: "south", kind: "http", scope: "South", tags: [] },
    ],
  };
  beforeEach(() => {
    nextId = 100;
  });

  describe("configuration", () => {
    test("an empty registry has an enterprise; applied, a configuration is what is read, also after a crash", async () => {
      expect(now()).toEqual({ version: 1, enterprise: "Enterprise", models: [], equipment: [], connections: [] });
      const { plan, revision, connections } = await apply(plant);
      expect(plan.counts).toEqual({ create: 11, change: 1, rename: 0, remove: 0 });
      expect(now()).toEqual(plant);
      expect(registry.configuration(admin).revision).toBe(revision);
      expect(connections.map(({ id, name, kind, scope }) => [id, name, kind, scope])).toEqual([
        [100, "plc", "opcua", "North"],
        [101, "south", "http", "South"],
      ]);
      expect(registry.connectionSpecs()).toMatchObject([
        {
          id: 100,
          tenant: 1,
          name: "plc",
          kind: "opcua",
          config: { password: "$" + "{secret:plc}" },
          tags: [
            { address: "s=State" },
            { address: "s=State2", class: { samplingMs: 100, queueSize: 10 }, options: { x: [1, null] } },
          ],
        },
        { id: 101, name: "south", tags: [] },
      ]);
      registry = fixture.crash();
      expect(now()).toEqual(plant);
      expect((await apply(plant)).plan.items).toEqual([]);
      expect(registry.configuration(admin).revision).toBe(revision);
    });

    test("each thing is one revision and one record; what a connection is configured with stays out of the log", async () => {
      const before = registry.revision;
      const { revision } = await apply(plant);
      const records = registry.outbox(100).filter((row) => row.revision > before);
      expect(records.map(({ record }) => record.entity)).toEqual([
        "equipment",
        "model",
        "equipment",
        "equipment",
        "equipment",
        "equipment",
        "connection",
        "connection",
        "tag",
        "tag",
        "binding",
        "binding",
      ]);
      expect(records.at(-1)?.revision).toBe(revision);
      expect(JSON.stringify(records)).not.toContain("canary-host");
      expect(registry.configurationRevisions(admin, { limit: 1 }).items).toMatchObject([
        { revision, changes: 12, actor: admin.id },
      ]);
    });

    test("a change that was made meanwhile is not overwritten", async () => {
      const { revision } = registry.configuration(admin);
      await apply({ equipment: [{ path: "North", level: "site" }] });
      expect(await code(() => registry.applyConfiguration(admin, plant, revision, () => nextId++))).toBe(
        "revision_conflict",
      );
      expect(now().equipment).toEqual([{ path: "North", level: "site" }]);
    });

    test("all or nothing: what fails at the end leaves no trace, in memory either", async () => {
      await apply(plant);
      registry.insertKey(admin, key("k", ["South"]));
      const { revision } = registry.configuration(admin);
      const total = registry.revision;
      const wanted: Configuration = {
        ...plant,
        equipment: [
          { path: "Nord", level: "site", was: "North" },
          { path: "Nord/New", level: "workUnit" },
        ],
        connections: [{ name: "new", kind: "http" }],
      };
      expect(await code(() => apply(wanted))).toBe("still_in_use");
      expect(registry.revision).toBe(total);
      expect(registry.configuration(admin)).toEqual({ configuration: plant, revision });
      expect(registry.listEquipment(admin, {}).items.map(({ path }) => path)).toEqual([
        "",
        "North",
        "North/Line",
        "North/Line/Filler",
        "South",
      ]);
      const site = idOf("North");
      expect(registry.getEquipment(principal({ scopes: ["North"] }), site).path).toBe("North");
      expect(await code(() => registry.getEquipment(principal({ scopes: ["Nord"] }), site))).toBe("not_found");
      registry.revokeKey(admin, "k", 1);
      await apply(wanted);
      expect(now().equipment?.map(({ path }) => path)).toEqual(["Nord", "Nord/New"]);
    });

    test("a refusal says which thing met it and where it stands", async () => {
      await apply(plant);
      const clash = {
        ...plant,
        connections: [{ name: "south", kind: "http", tags: [{ address: "a", unit: "banana" }] }],
      };
      try {
        await apply(clash);
        expect.unreachable();
      } catch (error) {
        expect(error).toMatchObject({ code: "unit_unknown", errors: [{ path: "/connections/0/tags/0" }] });
        expect((error as Error).message).toContain('create tag "south/a"');
      }
    });

    test("a rename keeps identity, scopes and bindings; a removed path comes back as itself", async () => {
      await apply(plant);
      const [site, unit] = [idOf("North"), idOf("North/Line/Filler")];
      const moved = plant.equipment?.map((entry) => ({ ...entry, path: entry.path.replace("North", "Nord") })) ?? [];
      moved[0].was = "North";
      await apply({ equipment: moved });
      expect([idOf("Nord"), idOf("Nord/Line/Filler"), idOf("North")]).toEqual([site, unit, site]);
      expect(now().connections?.[0]).toMatchObject({
        scope: "Nord",
        tags: [{ equipment: "Nord/Line/Filler" }, { equipment: "Nord/Line/Filler" }],
      });
      await apply({ equipment: [], connections: [] });
      expect(await code(() => idOf("Nord"))).toBe("not_found");
      expect(await code(() => registry.getEquipment(admin, unit))).toBe("not_found");
      await apply({ equipment: [{ path: "Nord", level: "site" }] });
      expect(idOf("Nord")).toBe(site);
      registry = fixture.crash();
      expect(idOf("Nord")).toBe(site);
      expect(await code(() => registry.getEquipment(admin, unit))).toBe("not_found");
    });

    test("what is declared meets its raw tag, whichever comes first", async () => {
      register(1, { ids: [1], addresses: ["s=State2"], newConnection: true });
      expect(now().connections).toEqual([]);
      await registry.applyConfiguration(admin, plant, registry.configuration(admin).revision, () => nextId++);
      expect(nextId).toBe(101);
      const unit = idOf("North/Line/Filler");
      expect(registry.getTag(admin, 1)).toMatchObject({ name: "State", unit: "1", equipmentId: unit });
      register(2, { ids: [2], addresses: ["s=State"] });
      const second = registry.getTag(admin, 2);
      expect(second).toMatchObject({ name: null, equipmentId: unit });
      expect(second.revision).toBeGreaterThan(0);
      expect(registry.tagsUnder(admin, "North/Line")).toEqual([1, 2]);
      // A name given in the console is part of the configuration.
      registry.changeTag(admin, 2, { name: "Zustand" }, second.revision);
      expect(now().connections?.[0].tags?.[0]).toEqual({ ...plant.connections?.[0].tags?.[0], name: "Zustand" });
      await apply({ connections: [] });
      expect(registry.getTag(admin, 1)).toMatchObject({ name: null, unit: null, equipmentId: null });
      expect(registry.listTags(admin, { connection: "plc" }).items).toHaveLength(2);
    });

    test("a connection may be declared before the log's record of it is applied", async () => {
      await apply({
        connections: [{ name: "plc", kind: "opcua", scope: "North", tags: [{ address: "a", unit: "bar" }] }],
        equipment: plant.equipment?.slice(0, 1),
      });
      register(1, { ids: [1], addresses: ["a"], newConnection: true });
      expect(registry.allConnections()).toMatchObject([{ id: 100, name: "plc", scope: "North" }]);
      expect(registry.getTag(principal({ scopes: ["North"] }), 1).unit).toBe("bar");
      expect(registry.readableTags(principal({ scopes: ["South"] }), [1])).toEqual([]);
    });

    test("a property has one tag at a time", async () => {
      await apply(plant);
      const bind = (validFrom?: string, validTo?: string) => {
        const dates = { ...(validFrom && { validFrom }), ...(validTo && { validTo }) };
        const tag = { address: "s=3", equipment: "North/Line/Filler", bind: [{ property: "state", ...dates }] };
        const [plc, south] = plant.connections ?? [];
        return { connections: [{ ...plc, tags: [...(plc.tags ?? []).slice(0, 1), tag] }, south] };
      };
      expect(await code(() => apply(bind()))).toBe("path_taken");
      expect(await code(() => apply(bind("2026-05-31T23:59:59Z")))).toBe("path_taken");
      expect(await code(() => apply(bind("2026-06-01T00:00:00Z")))).toBeNull();
    });

    test("models are published once and for ever", async () => {
      await apply(plant);
      const other = [
        { name: "filler", version: "1.0.0", properties: [{ name: "mode", kind: "operationMode" as const }] },
      ];
      expect(await code(() => apply({ models: other }))).toBe("model_published");
      expect(await code(() => apply({ models: [] }))).toBe("still_in_use");
      await apply({ models: [], equipment: [], connections: [] });
      expect(await code(() => apply({ models: other }))).toBe("model_published");
      await apply({ models: plant.models });
      expect(now().models).toEqual(plant.models);
    });

    test("each sees and changes the part in the own scope, and nothing else", async () => {
      await apply(plant);
      const north = principal({ role: "engineer", scopes: ["North"] });
      const mine = now(north);
      expect(mine.equipment?.map(({ path }) => path)).toEqual(["North", "North/Line", "North/Line/Filler"]);
      expect(mine.connections?.map(({ name }) => name)).toEqual(["plc"]);
      expect(mine.enterprise).toBeUndefined();
      expect(
        await code(() => apply({ equipment: [...(mine.equipment ?? []), { path: "South/X", level: "area" }] }, north)),
      ).toMatch(/forbidden|not_found/);
      expect(await code(() => apply({ models: [] }, north))).toBe("forbidden");
      expect(await code(() => apply({ enterprise: "Mine" }, north))).toBe("not_found");
      expect(await code(() => apply({ connections: [{ name: "south", kind: "http", scope: "North" }] }, north))).toBe(
        "forbidden",
      );
      await apply({ ...mine, connections: [] }, north);
      expect(now()).toEqual({ ...plant, connections: plant.connections?.slice(1) });
      const viewer = principal({ role: "viewer" });
      expect(await code(() => registry.configuration(viewer))).toBe("forbidden");
      expect(await code(() => registry.configurationAt(viewer, 1))).toBe("forbidden");
      expect(await code(() => apply(plant, principal({ role: "source" })))).toBe("forbidden");
    });

    test("A67: another tenant's configuration does not exist", async () => {
      await apply(plant);
      const other = principal({ tenant: 2 });
      expect(now(other)).toEqual({ version: 1, enterprise: "Enterprise", models: [], equipment: [], connections: [] });
      await apply(plant, other);
      expect(now(other)).toEqual(plant);
      await apply({ models: [], equipment: [], connections: [] }, other);
      expect(now()).toEqual(plant);
      expect(
        registry.configurationRevisions(admin, {}).items.every(({ actor }) => actor === admin.id || actor === "system"),
      ).toBe(true);
    });

    test("F24: ten thousand tags leave the others their turn; until it stands nothing of it counts, and no other write slips in", async () => {
      const tags = Array.from({ length: 10_000 }, (_, i) => ({ address: `a${i}`, name: `Tag ${i}` }));
      const { revision } = registry;
      const applying = apply({ connections: [{ name: "plc", kind: "modbus", tags }] });
      let [turns, done] = [0, false];
      const ended = applying.finally(() => {
        done = true;
      });
      const turn = () => new Promise((resolve) => setImmediate(resolve));
      while (!done) {
        expect(registry.revision).toBe(revision);
        await turn();
        if (turns++ !== 2) continue;
        expect(await code(() => registry.createEquipment(admin, { level: "site", name: "S" }))).toBe("overloaded");
        expect(registry.outbox(1)).toEqual([]);
      }
      const { plan } = await ended;
      await registry.settled();
      expect([plan.counts.create, registry.revision]).toEqual([10_001, revision + 10_001]);
      expect(turns).toBeGreaterThan(10);
      expect(registry.createEquipment(admin, { level: "site", name: "S" }).item.name).toBe("S");
    });

    test("two at once: the second finds that the first was quicker, and one that fails leaves nothing of it", async () => {
      const { revision } = registry.configuration(admin);
      const one = (name: string) =>
        registry.applyConfiguration(
          admin,
          { version: 1, connections: [{ name, kind: "http" }] },
          revision,
          () => nextId++,
        );
      const [first, second] = await Promise.allSettled([one("a"), one("b")]);
      expect(first.status).toBe("fulfilled");
      expect(second).toMatchObject({ reason: { code: "revision_conflict" } });
      expect(now().connections?.map(({ name }) => name)).toEqual(["a"]);
    });

    test("revisions turn page by page, and an earlier one comes back by applying it", async () => {
      const first = (await apply(plant)).revision;
      clock.advanceMs(1000);
      const { revision: second } = await apply({
        equipment: plant.equipment?.map((entry, i) =>
          i === 0 ? { ...entry, path: "Nord", was: "North" } : { ...entry, path: entry.path.replace("North", "Nord") },
        ),
      });
      const third = (await apply({ equipment: [], connections: [], models: [] })).revision;
      const page = registry.configurationRevisions(admin, { limit: 2 });
      expect(page.items.map(({ revision }) => revision)).toEqual([third, second]);
      const rest = registry.configurationRevisions(admin, { limit: 2, cursor: page.cursor as string });
      expect(rest.items.map(({ revision }) => revision)).toEqual([first, 1]);
      expect(rest.cursor).toBeNull();
      expect(registry.configurationAt(admin, first)).toEqual(plant);
      expect(registry.configurationAt(admin, third).equipment).toEqual([]);
      expect(await code(() => registry.configurationAt(admin, third + 1))).toBe("not_found");
      expect(await code(() => registry.configurationAt(admin, 0))).toBe("not_found");
      await apply(registry.configurationAt(admin, first));
      expect(now()).toEqual(plant);
    });

    test("any two configurations: applied whole or not at all, the same on every registry, remembered, and undone exactly", async () => {
      await fc.assert(
        fc.asyncProperty(anyConfiguration, anyConfiguration, async (a, b) => {
          const [own, fresh] = [make(new FakeClock()), make(new FakeClock())];
          try {
            let tested = own.open();
            const first = (await apply(a, admin, tested)).revision;
            const afterFirst = tested.configuration(admin).configuration;
            expect((await apply(a, admin, tested)).plan.items).toEqual([]);
            const failed = await code(() => apply(b, admin, tested));
            if (failed !== null) expect(["equipment_level_invalid", "connection_kind_invalid"]).toContain(failed);
            const { configuration, revision } = tested.configuration(admin);
            if (failed !== null) expect(configuration).toEqual(afterFirst);
            else {
              const other = fresh.open();
              await apply(b, admin, other);
              expect(configuration).toEqual(other.configuration(admin).configuration);
            }
            tested = own.crash();
            expect(tested.configurationAt(admin, first)).toEqual(afterFirst);
            expect(tested.configurationAt(admin, revision)).toEqual(configuration);
            expect(tested.configuration(admin)).toEqual({ configuration, revision });
            await apply(tested.configurationAt(admin, first), admin, tested);
            expect(tested.configuration(admin).configuration).toEqual(afterFirst);
          } finally {
            own.cleanup();
            fresh.cleanup();
          }
        }),
        { numRuns: 8 },
      );
    });
  });
}

function principal(parts: { tenant?: number; role?: Role; scopes?: string[] } = {}): Principal {
  const { tenant = 1, role = "admin", scopes = [""] } = parts;
  return { id: `${role}-${tenant}`, kind: "key", name: role, tenant, role, scopes };
}

function key(id: string, scopes: string[]) {
  const never = { expiresUs: null, revokedUs: null, lastUsedUs: null };
  return {
    id,
    name: id,
    role: "viewer" as const,
    scopes,
    createdUs: 1,
    ...never,
    tenant: 1,
    hash: new Uint8Array([1]),
  };
}
