import type { EquipmentNow, Problem } from "@lineshaft/contract/api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakePlatform } from "../test/fakes.ts";
import { createHttpServer, type HttpServer } from "./index.ts";

describe("what equipment is doing just now, over REST", () => {
  let app: HttpServer;
  beforeEach(async () => {
    const platform = new FakePlatform();
    const place = { level: "site", parentId: null, lifecycle: "productive", revision: 1, changedUs: 0 } as const;
    platform.equipmentRows.push({ ...place, id: 1, name: "north", path: "north" });
    platform.equipmentRows.push({ ...place, id: 2, name: "south", path: "south" });
    const result = { state: "provisional", revision: 0, coverage: 1, cause: "", publishedUs: 0, stale: false } as const;
    const { now } = platform.now;
    platform.now = {
      ...platform.now,
      now: (p, q) => {
        const answer = now(p, q);
        const values = { oeeIndex: 0.5, availability: null };
        const items = answer.items.map((item) => ({ ...item, shiftResult: { ...result, values } }));
        return { ...answer, items };
      },
    };
    app = await createHttpServer(platform);
  });
  afterEach(() => app.close());
  const get = async (query: string, key = "viewer") => {
    const answer = await app.inject({ url: `/api/v1/now${query}`, headers: { authorization: `Bearer ${key}` } });
    return { status: answer.statusCode, body: answer.json() as { items: EquipmentNow[] } & Problem };
  };

  test("of all that may be seen, or of those that are named, with the values that are wanted", async () => {
    const { body } = await get("?application=oee&value=oeeIndex");
    expect(body.items.map(({ path, shiftResult }) => [path, shiftResult?.values])).toEqual([
      ["north", { oeeIndex: 0.5 }],
      ["south", { oeeIndex: 0.5 }],
    ]);
    expect((await get("?equipmentId=1,2", "viewer@south")).body.items.map(({ path }) => path)).toEqual(["south"]);
    expect((await get("?equipmentId=2")).body.items[0].shiftResult?.values).toHaveProperty("availability");
    expect((await get("?limit=2001")).body.code).toBe("limit_invalid");
    expect((await get("", "source")).body.code).toBe("forbidden");
    expect((await get("", "viewer@south")).body.items).toHaveLength(1);
  });
});
