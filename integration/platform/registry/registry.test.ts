import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Principal, ProblemError } from "@lineshaft/contract/api";
import type { Registry } from "@lineshaft/contract/ports";
import { FakeClock, masterDataContract, type RegistryFixture, registryContract } from "@lineshaft/testkit";
import SqliteDatabase from "better-sqlite3";
import { afterEach, describe, expect, test } from "vitest";
import { openRegistry } from "./index.ts";

const admin: Principal = { id: "admin", kind: "system", name: "admin", tenant: 1, role: "admin", scopes: [""] };

/** A crash is a copy of the files as they lie, WAL included, while the first registry is still open. */
function fixture(clock: FakeClock): RegistryFixture {
  const root = mkdtempSync(join(tmpdir(), "lineshaft-registry-"));
  const opened: Registry[] = [];
  let generation = 0;
  const open = (): Registry => {
    const registry = openRegistry({ path: join(root, String(generation), "registry.sqlite"), clock });
    opened.push(registry);
    return registry;
  };
  cpSync(mkdtempSync(join(root, "empty-")), join(root, "0"), { recursive: true });
  return {
    open,
    crash: () => {
      cpSync(join(root, String(generation)), join(root, String(generation + 1)), { recursive: true });
      generation++;
      return open();
    },
    cleanup: () => {
      for (const registry of opened) registry.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

describe("SQLite registry", () => {
  registryContract(fixture);
  masterDataContract(fixture);

  const dirs: string[] = [];
  const place = (): string => {
    const dir = mkdtempSync(join(tmpdir(), "lineshaft-registry-"));
    dirs.push(dir);
    return join(dir, "registry.sqlite");
  };
  afterEach(() => {
    for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
  });
  const problem = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      return error instanceof ProblemError ? error.code : String(error);
    }
    return "none";
  };

  test("F42: a second owner is refused", () => {
    const path = place();
    const first = openRegistry({ path, clock: new FakeClock() });
    expect(problem(() => openRegistry({ path, clock: new FakeClock() }))).toBe("data_dir_locked");
    first.close();
    openRegistry({ path, clock: new FakeClock() }).close();
  });

  test("a file of a newer version is left alone", () => {
    const path = place();
    openRegistry({ path, clock: new FakeClock() }).close();
    const db = new SqliteDatabase(path);
    db.exec("INSERT INTO migrations VALUES (999)");
    db.close();
    expect(problem(() => openRegistry({ path, clock: new FakeClock() }))).toBe("data_dir_version");
  });

  test("what is no database is named, not overwritten", () => {
    const path = place();
    const db = new SqliteDatabase(path);
    db.exec("CREATE TABLE t (x)");
    db.close();
    cpSync(import.meta.filename, path);
    expect(problem(() => openRegistry({ path, clock: new FakeClock() }))).toBe("storage_unavailable");
  });

  test("cursors outlive a restart", () => {
    const path = place();
    const before = openRegistry({ path, clock: new FakeClock() });
    for (const name of ["A", "B", "C"]) before.createEquipment(admin, { level: "site", name });
    const { cursor } = before.listEquipment(admin, { limit: 2 });
    before.close();
    const after = openRegistry({ path, clock: new FakeClock() });
    expect(after.listEquipment(admin, { cursor: cursor as string }).items.map((item) => item.name)).toEqual(["B", "C"]);
    after.close();
  });

  test("200,000 tags: loading, opening, listing and searching stay quick, and a long search goes on by cursor", () => {
    const path = place();
    let registry = openRegistry({ path, clock: new FakeClock() });
    const count = 210_000;
    const startedMs = performance.now();
    for (let from = 1; from <= count; from += 30_000) {
      const ids = Array.from({ length: 30_000 }, (_, i) => from + i);
      const addresses = ids.map((id) => `ns=2;s=Line${id % 40}.Unit${id % 7}.Tag${id}`);
      const newConnection = from === 1;
      const record = { connectionId: 1, connection: "c", kind: "http", newConnection, scope: "", ids, addresses };
      registry.applyRegistrations([{ lsn: from, recordedTime: 0, tenant: 1, record }]);
    }
    registry.close();
    registry = openRegistry({ path, clock: new FakeClock() });
    expect(registry.listTags(admin, { search: "TAG1234" }).items).toHaveLength(100);
    const first = registry.listTags(admin, { search: "unit6.tag209999" });
    const second = registry.listTags(admin, { search: "unit6.tag209999", cursor: first.cursor as string });
    expect([first.items.length, second.items.length, second.cursor]).toEqual([0, 1, null]);
    expect(registry.readableTags(admin, [count, count + 1])).toEqual([count]);
    registry.close();
    // Some 2 s on a busy machine; the bound only catches a change of order.
    expect(performance.now() - startedMs).toBeLessThan(20_000);
  });
});
