import type { FactRecord, FactToRecord, Problem } from "@lineshaft/contract/api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakePlatform } from "../test/fakes.ts";
import { createHttpServer, type HttpServer } from "./index.ts";

interface Recorded {
  recorded: number;
  faults: { index: number; code: string; path?: string }[];
}

const energy = (id: string, more: object = {}): FactToRecord =>
  ({
    ...{ kind: "energy", id, equipmentId: 1, fromUs: 0, toUs: 9, medium: "electricity", quantity: 2, unit: "kW.h" },
    ...more,
  }) as FactToRecord;

describe("recorded facts over REST", () => {
  let platform: FakePlatform;
  let app: HttpServer;
  const call = async <T>(method: "GET" | "POST", url: string, key: string, payload?: object | string) => {
    const answer = await app.inject({
      ...{ method, url: `/api/v1${url}` },
      headers: {
        authorization: `Bearer ${key}`,
        ...(payload === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(payload === undefined ? {} : { payload }),
    });
    return { status: answer.statusCode, body: answer.json() as T & Problem };
  };
  const send = async (payload: object | string, key = "recorder") =>
    (await call<Recorded>("POST", "/facts/records", key, payload)).body;

  beforeEach(async () => {
    platform = new FakePlatform();
    for (const [id, path] of ["north", "south"].entries())
      platform.equipmentRows.push({
        ...{ id: id + 1, level: "site", name: path, parentId: null, path, lifecycle: "productive" },
        ...{ revision: 1, changedUs: 0 },
      } as never);
    app = await createHttpServer(platform);
  });
  afterEach(() => app.close());

  test("items of a wrong shape are refused by index, those that the platform refuses too, and the good ones go through", async () => {
    const items = [
      energy("a"),
      energy("x".repeat(129)),
      energy("b", { equipmentId: 2 }),
      energy("c", { medium: "magic" }),
      energy("d", { surprise: 1 }),
      { kind: "rumour", id: "e" },
      null,
      energy("f"),
      { kind: "retraction", id: "f", revision: 0 },
    ];
    const answer = await send({ items }, "recorder@north");
    expect(answer.faults.map(({ index, code, path }) => [index, code, path])).toEqual([
      [1, "request_invalid", "/id"],
      [2, "equipment_unknown", undefined],
      [3, "request_invalid", "/medium"],
      [4, "request_invalid", "/surprise"],
      [5, "request_invalid", "/kind"],
      [6, "request_invalid", "/kind"],
      [8, "request_invalid", "/revision"],
    ]);
    expect(answer.recorded).toBe(2);
    const read = await call<{ items: FactRecord[] }>("GET", "/facts/records", "viewer@north");
    expect(read.body.items.map(({ item }) => item.id)).toEqual(["a", "f"]);
    expect((await call<{ items: FactRecord[] }>("GET", "/facts/records", "viewer@south")).body.items).toEqual([]);
  });

  test("A29, A66: reserved keys, empty and huge batches, and other bodies are refused whole", async () => {
    expect(await send('{"items":[{"__proto__":{"kind":"energy"}}]}')).toMatchObject({ code: "reserved_key" });
    expect(await send({ items: [] })).toMatchObject({ code: "request_invalid" });
    expect(await send({ items: [energy("a")], more: true })).toMatchObject({ code: "request_invalid" });
    expect(await send("[1")).toMatchObject({ code: "json_invalid" });
    const many = Array.from({ length: 10_001 }, (_, i) => ({ kind: "retraction", id: `${i}`, revision: 1 }));
    expect(await send({ items: many })).toMatchObject({ code: "too_many_rows" });
    expect(platform.factRecords.calls).toEqual([]);
  });

  test("a page goes on by its cursor, which is good for its own query only", async () => {
    await send({ items: [energy("a"), energy("b"), energy("c")] });
    type Page = { items: FactRecord[]; cursor: string | null };
    const first = await call<Page>("GET", "/facts/records?limit=2", "viewer");
    expect(first.body.items).toHaveLength(2);
    const next = await call<Page>("GET", `/facts/records?limit=2&cursor=${first.body.cursor}`, "viewer");
    expect(next.body).toMatchObject({ items: [{ item: { id: "c" } }], cursor: null });
    const other = await call("GET", `/facts/records?kind=energy&cursor=${first.body.cursor}`, "viewer");
    expect(other.body.code).toBe("cursor_invalid");
    expect((await call("GET", "/facts/records?from=9&to=9", "viewer")).body.code).toBe("range_invalid");
    expect((await call("GET", "/facts/units/a%2Fb?asOf=never", "viewer")).body.code).toBe("as_of_invalid");
    expect((await call<{ serial: string }>("GET", "/facts/units/a%2Fb?asOf=7", "viewer")).body.serial).toBe("a/b");
  });

  test("the facts of a machine are asked for as they were published by a place in the log", async () => {
    const facts = "/facts/machines/1?from=0&to=9";
    type Facts = { finalBeforeUs: number | null };
    expect((await call<Facts>("GET", `${facts}&asOf=7`, "viewer")).body.finalBeforeUs).toBe(7);
    expect((await call<Facts>("GET", facts, "viewer")).body.finalBeforeUs).toBeNull();
    expect((await call("GET", `${facts}&asOf=soon`, "viewer")).body.code).toBe("as_of_invalid");
    expect((await call("GET", `${facts}&asOf=7`, "viewer@south")).body.code).toBe("not_found");
  });
});
