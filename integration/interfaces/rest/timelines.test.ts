import { dayUs, type Problem, routes, type Timeline, timelineDaysMost } from "@lineshaft/contract/api";
import { Compile } from "typebox/compile";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakePlatform } from "../test/fakes.ts";
import { createHttpServer, type HttpServer } from "./index.ts";

const annotation = (id: string) => ({
  ...{ id, revision: 1, changedUs: 0 },
  item: { equipmentId: 1, kind: "comment", anchorUs: 5, fromUs: 0, toUs: 10, reason: null, text: id },
});

describe("what many machines did beside one another", () => {
  let app: HttpServer;
  beforeEach(async () => {
    const platform = new FakePlatform();
    const place = { level: "workUnit", parentId: null, lifecycle: "productive", revision: 1, changedUs: 0 } as const;
    for (const [i, path] of ["line/press", "line/saw", "other/oven"].entries())
      platform.equipmentRows.push({ ...place, id: i + 1, name: path, path });
    const masterData = {
      shifts: () => [],
      // Two pages of what people said of the press.
      list: (_p: unknown, _kind: string, { equipmentId, cursor }: { equipmentId: number; cursor?: string }) => {
        if (equipmentId !== 1) return { items: [], cursor: null };
        return cursor === undefined
          ? { items: [annotation("first")], cursor: "more" }
          : { items: [annotation("second")], cursor: null };
      },
    };
    Object.assign(platform.registry, { masterData });
    app = await createHttpServer(platform);
  });
  afterEach(() => app.close());
  const get = async (query: string, key = "viewer") => {
    const answer = await app.inject({ url: `/api/v1/timelines?${query}`, headers: { authorization: `Bearer ${key}` } });
    return { status: answer.statusCode, body: answer.json() as { items: Timeline[] } & Problem };
  };

  test("in the order of the question, each once, with all that people said", async () => {
    const { body } = await get("equipmentId=2,1,2&from=0&to=10");
    expect([...Compile(routes.listTimelines.response).Errors(body)]).toEqual([]);
    expect(body.items.map(({ equipmentId }) => equipmentId)).toEqual([2, 1]);
    expect(body.items[1].annotations.map(({ id }) => id)).toEqual(["first", "second"]);
    expect(body.items[0]).toMatchObject({
      states: { time: [0], itemState: ["Executing"] },
      alarms: { code: ["17"] },
      watermarkUs: 0,
    });
  });

  test("those that may not be seen, or are not there, are left out", async () => {
    const { body } = await get("equipmentId=1,3,99&from=0&to=10", "viewer@line");
    expect(body.items.map(({ equipmentId }) => equipmentId)).toEqual([1]);
  });

  test("of a bounded time of all of them together", async () => {
    const most = timelineDaysMost * dayUs;
    expect((await get(`equipmentId=1,2&from=0&to=${most / 2}`)).status).toBe(200);
    expect((await get(`equipmentId=1,2&from=0&to=${most / 2 + 1}`)).body.code).toBe("query_too_large");
    expect((await get("equipmentId=1&from=10&to=10")).body.code).toBe("range_invalid");
  });
});
