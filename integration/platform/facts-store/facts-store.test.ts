import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StandardBinding } from "@lineshaft/contract/ports";
import SqliteDatabase from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FactsDelta } from "../derivation/index.ts";
import { openFactsStore } from "./index.ts";

let dir: string;
let path: string;
let told: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lineshaft-facts-"));
  path = join(dir, "facts.sqlite");
  told = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (generation = 1) => openFactsStore({ path, generation, onEvent: ({ code }) => void told.push(code) });
const bytes = (...of: number[]): Uint8Array => Uint8Array.from(of);
const hour = (at: number, ...of: number[]) => ({ hour: at, body: bytes(...of) });
const delta = (parts: Partial<FactsDelta>): FactsDelta => ({
  ...{ lsn: 1, rest: bytes(9), removed: [], changed: [], texts: [], forgottenBefore: 0 },
  ...parts,
});
const binding = (id: number, fromHour: number, ...segments: ReturnType<typeof hour>[]) => ({
  ...{ id, key: `key ${id}`, rows: [], head: bytes(id, lastHead++), fromHour, segments },
});
let lastHead = 0;

describe("facts on disk", () => {
  it("are what was saved last: hours are replaced from where they changed, bindings come and go, old hours end", () => {
    const store = open();
    expect(store.load()).toBeNull();
    store.save(
      delta({ changed: [binding(1, 10, hour(10, 1), hour(20, 2), hour(30, 3)), binding(2, 10, hour(10, 4))] }),
    );
    store.save(delta({ lsn: 2, changed: [binding(1, 20, hour(20, 7))], forgottenBefore: 10 }));
    store.save(
      delta({ lsn: 3, removed: [2], changed: [binding(2, 5, hour(15, 8)), binding(3, Number.POSITIVE_INFINITY)] }),
    );
    store.close();
    const again = open();
    expect(again.load()).toMatchObject({ lsn: 3, rest: Buffer.from([9]) });
    const segments = again.load()?.bindings.map((each) => each.segments?.map((body) => [...body]));
    expect(segments).toEqual([[[1], [7]], [[8]], []]);
    again.save(delta({ lsn: 4, forgottenBefore: 16 }));
    expect(again.load()?.bindings.map((each) => each.segments?.length)).toEqual([1, 0, 0]);
    again.close();
    expect(told).toEqual([]);
  });

  it("of another generation of the log are not taken, which is said", () => {
    const store = open();
    store.save(delta({}));
    store.close();
    const restored = open(2);
    expect(restored.load()).toBeNull();
    expect(told).toEqual(["facts_rebuilt"]);
    restored.close();
  });

  it("that have rotted are derived again: of one binding where an hour is damaged, all where the whole is", () => {
    const store = open();
    store.save(delta({ changed: [binding(1, 1, hour(1, 1)), binding(2, 1, hour(1, 1))] }));
    store.close();
    const sql = new SqliteDatabase(path);
    sql.prepare("UPDATE hour SET body = x'02' WHERE binding = 2").run();
    sql.close();
    const rotten = open();
    expect(rotten.load()?.bindings.map((each) => each.segments === null)).toEqual([false, true]);
    expect(told.splice(0)).toEqual(["facts_rebuilt"]);
    rotten.close();
    const rest = new SqliteDatabase(path);
    rest.prepare("UPDATE checkpoint SET rest = x'00'").run();
    rest.close();
    const worse = open();
    expect(worse.load()).toBeNull();
    expect(told.splice(0)).toEqual(["facts_rebuilt"]);
    worse.save(delta({ lsn: 5 }));
    expect(worse.load()?.lsn).toBe(5);
    worse.close();
  });

  it("have their texts beside them, which come and go; where one is damaged, what it names is derived again", () => {
    const store = open();
    const named = { ...binding(2, 1, hour(1, 1)), rows: [{ kind: "identifier" } as StandardBinding] };
    const key = -(2 ** 51) - 4711.5;
    const texts = [[key, "A-1"] as const, [key - 1, "A-2"] as const, [key - 2, "ä"] as const];
    store.save(delta({ changed: [binding(1, 1, hour(1, 1)), named], texts }));
    store.save(
      delta({
        lsn: 2,
        texts: [
          [key - 1, null],
          [key, "A-1"],
        ],
      }),
    );
    expect(store.load()?.texts).toEqual([texts[2], texts[0]]);
    store.close();
    const sql = new SqliteDatabase(path);
    sql.prepare("UPDATE text SET text = 'A-3' WHERE text = 'A-1'").run();
    sql.close();
    const rotten = open();
    expect(rotten.load()).toMatchObject({
      texts: [],
      bindings: [{ segments: [Buffer.from([1])] }, { segments: null }],
    });
    expect(told.splice(0)).toEqual(["facts_rebuilt"]);
    rotten.close();
  });

  it("in a file that is none are set aside", () => {
    open().close();
    truncateSync(path);
    writeFileSync(path, "no database at all, but long enough to be looked at as one: ".repeat(100));
    rmSync(`${path}-wal`, { force: true });
    const store = open();
    expect(told).toEqual(["facts_rebuilt"]);
    expect(store.load()).toBeNull();
    store.close();
  });
});
