import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Principal } from "@lineshaft/contract/api";
import { FakeClock } from "@lineshaft/testkit";
import SqliteDatabase from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createConfigurationService, httpKind, renderConfiguration } from "../configuration/index.ts";
import { plantOf } from "./configuration.fixture.ts";
import { openRegistry } from "./index.ts";
import { migrations } from "./schema.ts";

const admin: Principal = { id: "admin", kind: "system", name: "admin", tenant: 1, role: "admin", scopes: [""] };
let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lineshaft-configuration-"));
  path = join(dir, "registry.sqlite");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Runs the fixture from `round` on and kills it after a while; the last round that it was told is saved. */
async function killedAfter(ms: number, round: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "configuration.fixture.ts"), path, String(round)]);
  let output = "";
  const first = new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      resolve();
    });
    child.on("exit", () => resolve());
  });
  await first;
  await sleep(ms);
  const gone = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGKILL");
  await gone;
  return Number(output.trimEnd().split("\n").at(-1));
}

describe("F40: saving a configuration, killed at any time (K9)", () => {
  test("leaves all of one configuration and never less than what was answered", { timeout: 60_000 }, async () => {
    let round = 1;
    for (const ms of [0, 7, 23]) {
      const acknowledged = await killedAfter(ms, round);
      const registry = openRegistry({ path, clock: new FakeClock() });
      const { configuration } = registry.configuration(admin);
      const found = configuration.connections?.[0].config?.round as number;
      expect([acknowledged, acknowledged + 1]).toContain(found);
      const reference = openRegistry({ path: join(dir, `reference-${ms}`), clock: new FakeClock() });
      await reference.applyConfiguration(admin, plantOf(found), 1, () => 1);
      expect(renderConfiguration(configuration)).toBe(
        renderConfiguration(reference.configuration(admin).configuration),
      );
      reference.close();
      registry.close();
      round = found + 1;
    }
  });
});

test("a registry of the format before is brought up: what was decided then is configuration now", async () => {
  const db = new SqliteDatabase(path);
  db.exec("CREATE TABLE migrations (version INTEGER PRIMARY KEY) STRICT; INSERT INTO migrations VALUES (1)");
  db.exec(migrations[0]);
  db.exec(`
    INSERT INTO equipment VALUES (1, 1, NULL, 'enterprise', 'Acme', '', 'productive', 1, 0), (2, 1, 1, 'site', 'N', 'N', 'test', 2, 0);
    INSERT INTO equipment_history SELECT id, revision, tenant, parent_id, level, name, path, lifecycle, changed_us, 'x' FROM equipment;
    INSERT INTO connection VALUES (1, 1, 'came', 'http', '', 0, 100000, 0), (2, 1, 'named', 'http', 'N', 0, 100000, 0);
    INSERT INTO tag VALUES (1, 1, 'a', NULL, NULL, NULL, NULL, 0, 0), (2, 2, 'b', 'B', 2, 'bar', NULL, 3, 0);
    INSERT INTO journal VALUES
      (1, 1, 'equipment', 1, 'x', 0, '{"id":1,"parentId":null,"level":"enterprise","name":"Acme","lifecycle":"productive"}', 1),
      (2, 1, 'equipment', 2, 'x', 0, '{"id":2,"parentId":1,"level":"site","name":"N","lifecycle":"test"}', 2),
      (3, 1, 'tag', 2, 'x', 0, '{"id":2,"connectionId":2,"address":"b","name":"B","equipmentId":2,"unit":"bar"}', 3);
  `);
  db.close();
  const registry = openRegistry({ path, clock: new FakeClock() });
  const { configuration, revision } = registry.configuration(admin);
  expect(configuration).toEqual({
    version: 1,
    enterprise: "Acme",
    models: [],
    equipment: [{ path: "N", level: "site", lifecycle: "test" }],
    connections: [
      {
        name: "named",
        kind: "http",
        scope: "N",
        tagQuota: 100_000,
        tags: [{ address: "b", name: "B", equipment: "N", unit: "bar" }],
      },
    ],
  });
  expect(registry.configurationAt(admin, revision)).toEqual(configuration);
  expect(registry.configurationAt(admin, 2).connections).toEqual([]);
  registry.close();
});

describe("the service over a registry", () => {
  const known = new Map<string, number>();
  const open = () => {
    const registry = openRegistry({ path, clock: new FakeClock() });
    const service = createConfigurationService({
      registry,
      kinds: [httpKind],
      connections: {
        idFor: (_tenant, name) => known.get(name) ?? 7,
        put: (_tenant, row) => known.set(row.name, row.id),
      },
    });
    return { registry, service };
  };
  const problem = async (run: () => unknown) => {
    try {
      await run();
    } catch (error) {
      return error;
    }
    return null;
  };

  test("text is checked with places, planned and applied; export, applied to an empty instance, exports the same bytes", async () => {
    const { registry, service } = open();
    const text =
      "version: 1\nequipment:\n  - { path: N, level: site }\nconnections:\n  - { name: gw, kind: http, scope: N, tags: [{ address: a, unit: bar }] }\n";
    expect(await problem(() => service.plan(admin, { text: text.replace("unit: bar", "unit: bra") }))).toMatchObject({
      code: "configuration_invalid",
      message: expect.stringContaining("line 5, column 66"),
      errors: [{ code: "unit_unknown", line: 5, column: 66, path: "/connections/0/tags/0/unit" }],
    });
    expect(await problem(() => service.plan(admin, { text: "x".repeat(2_000_000) }))).toMatchObject({
      errors: [{ code: "body_too_large" }],
    });
    expect(
      await problem(() => service.plan(admin, { value: { version: 1, connections: [{ name: "x", kind: "opc" }] } })),
    ).toMatchObject({
      errors: [{ code: "connection_kind_unknown", path: "/connections/0/kind" }],
    });
    // What was sent reads nothing of the server's own.
    expect(await problem(() => service.plan(admin, { text: text.replace("bar", '"$' + '{env:PATH}"') }))).toMatchObject(
      {
        errors: [{ code: "environment_missing", line: 5 }],
      },
    );
    const { revision } = service.plan(admin, { text });
    await service.apply(admin, { text }, revision);
    expect(known.get("gw")).toBe(7);
    expect(await problem(() => service.apply(admin, { text }, revision))).toMatchObject({ code: "revision_conflict" });
    // Sections that are left out are referred to as they are.
    expect(
      service.plan(admin, {
        text: "version: 1\nconnections:\n  - { name: gw, kind: http, tags: [{ address: a, equipment: N }] }",
      }).counts.change,
    ).toBe(2);
    const exported = service.render(service.read(admin).configuration);
    const other = openRegistry({ path: join(dir, "other"), clock: new FakeClock() });
    await other.applyConfiguration(admin, service.read(admin).configuration, 1, () => 1);
    expect(renderConfiguration(other.configuration(admin).configuration)).toBe(exported);
    other.close();
    registry.close();
  });

  test("what was decided before can be told when a configuration has been saved that came between", async () => {
    const { registry } = open();
    const { revision } = registry.createEquipment(admin, { level: "site", name: "N" });
    const tags = Array.from({ length: 2000 }, (_, i) => ({ address: `a${i}` }));
    const wanted = { version: 1 as const, connections: [{ name: "gw", kind: "http", tags }] };
    const order: string[] = [];
    const applying = registry.applyConfiguration(admin, wanted, revision, () => 7).then(() => order.push("saved"));
    const stamp = () => registry.stampLsn([{ revision, lsn: 17 }]);
    expect(await problem(stamp)).toMatchObject({ code: "overloaded" });
    await registry.settled(() => order.push("told") && stamp());
    await applying;
    expect([registry.lsnOf(revision), ...order.sort()]).toEqual([17, "saved", "told"]);
    registry.close();
  });

  test("a table is tried, then taken; a wrong row changes nothing", async () => {
    const { registry, service } = open();
    await service.apply(
      admin,
      { value: { version: 1, connections: [{ name: "gw", kind: "http", tags: [{ address: "a" }] }] } },
      1,
    );
    const table = (text: string): Uint8Array => new TextEncoder().encode(text);
    const dry = await service.importTags(admin, "gw", table("address;unit\na;bar\nb;Cel"), true);
    expect(dry).toMatchObject({
      applied: null,
      summary: { rows: 2, separator: ";", plan: { counts: { create: 1, change: 1 } } },
    });
    expect(service.read(admin).configuration.connections?.[0].tags).toEqual([{ address: "a" }]);
    expect(
      await problem(() => service.importTags(admin, "gw", table("address;unit\na;bar\nb;bra\n1E+5;x"), false)),
    ).toMatchObject({
      code: "csv_invalid",
      errors: [
        { code: "unit_unknown", line: 3, column: 2 },
        { code: "cell_damaged", line: 4, column: 1 },
        { code: "unit_unknown", line: 4 },
      ],
    });
    expect(await problem(() => service.importTags(admin, "none", table("address\na"), false))).toMatchObject({
      code: "not_found",
    });
    await service.importTags(admin, "gw", table("address;unit\na;bar\nb;Cel"), false);
    expect(service.read(admin).configuration.connections?.[0].tags).toEqual([
      { address: "a", unit: "bar" },
      { address: "b", unit: "Cel" },
    ]);
    registry.close();
  });

  test("5,000 tags are applied in one go, quickly", async () => {
    const { registry, service } = open();
    const tags = Array.from({ length: 5000 }, (_, i) => ({
      address: `ns=2;s=Tag${i}`,
      name: `Tag ${i}`,
      equipment: "N",
    }));
    const began = performance.now();
    await service.apply(
      admin,
      {
        value: {
          version: 1,
          equipment: [{ path: "N", level: "site" }],
          connections: [{ name: "gw", kind: "http", tags }],
        },
      },
      1,
    );
    expect(service.plan(admin, { value: service.read(admin).configuration }).items).toEqual([]);
    // Some 0.7 s; the bound catches a change of order.
    expect(performance.now() - began).toBeLessThan(15_000);
    registry.close();
  });
});
