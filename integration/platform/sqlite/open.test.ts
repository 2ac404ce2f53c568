import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProblemError } from "@lineshaft/contract/api";
import SqliteDatabase from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "./open.ts";

const first = "CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT) STRICT";
let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lineshaft-sqlite-"));
  path = join(dir, "db.sqlite");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function code(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    return error instanceof ProblemError ? error.code : String(error);
  }
}

describe.each(["synced", "relaxed"] as const)("%s", (durability) => {
  const open = (migrations = [first]) => openDatabase({ path, migrations, durability });

  test("a schema is brought up to date step by step, once each; a failing step leaves the one before", () => {
    open().close();
    expect(code(() => open([first, "INSERT INTO item VALUES (1, 'a'); CREATE TABLE item (x)"]))).toMatch(
      /already exists/,
    );
    const second = open([first, "INSERT INTO item VALUES (1, 'a')"]);
    expect(second.sql.prepare("SELECT count(*) FROM item").pluck().get()).toBe(1);
    second.close();
    open([first, "INSERT INTO item VALUES (1, 'a')"]).close();
    expect(code(() => open())).toBe("data_dir_version");
  });

  test("what throws leaves nothing, and the next write works", () => {
    const db = open();
    const insert = db.sql.prepare("INSERT INTO item VALUES (?, ?)");
    for (const write of [db.write, db.writeRelaxed]) {
      expect(() =>
        write(() => {
          insert.run(1, "a");
          throw new RangeError("no");
        }),
      ).toThrow(RangeError);
      expect(db.sql.prepare("SELECT count(*) FROM item").pluck().get()).toBe(0);
    }
    db.write(() => insert.run(1, "a"));
    expect(db.sql.pragma("synchronous", { simple: true })).toBe(durability === "synced" ? 2 : 1);
    db.close();
  });

  test("F9: a full disk is said, refuses one write, and heals when there is room again", () => {
    const db = open();
    const insert = db.sql.prepare("INSERT INTO item VALUES (?, ?)");
    db.sql.pragma("max_page_count=4");
    expect(code(() => db.write(() => insert.run(1, "x".repeat(100_000))))).toBe("disk_full");
    db.sql.pragma("max_page_count=1000");
    expect(code(() => db.write(() => insert.run(1, "x".repeat(100_000))))).toBeNull();
    db.close();
  });

  test("F8: after a failed sync nothing is written any more; reading goes on", () => {
    const db = open();
    const insert = db.sql.prepare("INSERT INTO item VALUES (?, ?)");
    db.write(() => insert.run(1, "a"));
    const failing = () => {
      throw new SqliteDatabase.SqliteError("disk I/O error", "SQLITE_IOERR_FSYNC");
    };
    expect(code(() => db.write(failing))).toBe("storage_unavailable");
    expect(code(() => db.write(() => insert.run(2, "b")))).toBe("storage_unavailable");
    expect(code(() => db.writeRelaxed(() => insert.run(2, "b")))).toBe("storage_unavailable");
    expect(db.sql.prepare("SELECT text FROM item").pluck().all()).toEqual(["a"]);
    db.close();
  });
});
