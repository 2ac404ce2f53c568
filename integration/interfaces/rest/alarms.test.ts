import type { Alarm } from "@lineshaft/contract/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakePlatform } from "../test/fakes.ts";
import { createHttpServer, type HttpServer } from "./index.ts";

let platform: FakePlatform;
let app: HttpServer;

beforeEach(async () => {
  platform = new FakePlatform();
  app = await createHttpServer(platform);
  for (const path of ["site/a", "site/a/press", "site/ab", "site/b"])
    platform.equipmentRows.push({
      ...{ id: platform.equipmentRows.length + 1, level: "area", name: path, parentId: null, path },
      ...{ lifecycle: "productive", model: null, revision: 1, changedUs: 0, validFromUs: 0 },
    } as never);
});
afterEach(() => app.close());

async function ask(path: string, key = "viewer") {
  const response = await app.inject({ url: `/api/v1/${path}`, headers: { authorization: `Bearer ${key}` } });
  return {
    status: response.statusCode,
    body: response.json<{ items: Alarm[]; cursor: string | null; code?: string }>(),
  };
}
const ids = async (path: string, key?: string) => (await ask(path, key)).body.items.map((item) => item.equipmentId);

describe("alarms", () => {
  it("of a range are listed page by page, the newest first", async () => {
    expect(await ids("facts/alarms?from=1000&to=2000")).toEqual([1, 2, 3, 4]);
    const found: number[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const at = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const { body } = await ask(`facts/alarms?from=1000&to=2000&limit=3${at}`);
      found.push(...body.items.map(({ equipmentId }) => equipmentId));
      cursor = body.cursor;
    }
    expect(found).toEqual([1, 2, 3, 4]);
  });

  it("are without a range those that are active now", async () => {
    expect(await ids("facts/alarms")).toEqual([2, 4]);
  });

  it("are of the equipment that is seen and asked for", async () => {
    expect(await ids("facts/alarms?from=1000&to=2000&equipment=site/a")).toEqual([1, 2]);
    expect(await ids("facts/alarms?from=1000&to=2000", "viewer@site/a")).toEqual([1, 2]);
    expect(await ids("facts/alarms?from=1000&to=2000&equipment=site/b", "viewer@site/a")).toEqual([]);
  });

  it("say in both languages what the mapping says, in one where it says no more", async () => {
    const { items } = (await ask("facts/alarms?from=1000&to=2000&limit=1")).body;
    expect(items[0]).toMatchObject({
      ...{ path: "site/a", code: "17", severity: 700, text: { de: "Schutztür offen", en: "Schutztür offen" } },
      ...{ sinceUs: 999, untilUs: 1001 },
    });
  });

  it("want a range with both its ends", async () => {
    expect(await ask("facts/alarms?from=5")).toMatchObject({ status: 422, body: { code: "range_invalid" } });
  });
});
