import type { Problem, Result, WorkItem } from "@lineshaft/contract/api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakePlatform } from "../test/fakes.ts";
import { createHttpServer, type HttpServer } from "./index.ts";

const hour = { fromUs: 0, toUs: 3_600_000_000 };
const work = (equipmentId: number, path: string): WorkItem => ({
  ...{ equipmentId, period: "hour", key: "0", path, equipmentLevel: "workUnit", ...hour, level: "workUnit", below: [] },
  ...{ state: "final", basisLsn: 7 },
  cause: { kind: "first", text: "First.", lsn: null, registryRevision: null, actor: null },
});
const result = (equipmentId: number) => ({
  ...{ equipmentId, period: "hour", key: "0", basisLsn: 7 },
  ...{ values: { oeeIndex: 0.5 }, coverage: 1, detail: { any: ["thing"] }, evidence: [] },
});

describe("the contract of applications over REST", () => {
  let platform: FakePlatform;
  let app: HttpServer;
  const call = async <T>(method: "GET" | "POST" | "PUT", url: string, key: string, payload?: object) => {
    const headers = {
      authorization: `Bearer ${key}`,
      ...(payload === undefined ? {} : { "content-type": "application/json" }),
    };
    const answer = await app.inject({
      method,
      url: `/api/v1${url}`,
      headers,
      ...(payload === undefined ? {} : { payload }),
    });
    return { status: answer.statusCode, body: answer.json() as T & Problem };
  };

  beforeEach(async () => {
    platform = new FakePlatform();
    for (const [id, path] of [
      [1, "north"],
      [2, "south"],
    ] as const)
      platform.equipmentRows.push({
        ...{ id, level: "site", name: path, parentId: null, path, lifecycle: "productive", revision: 1, changedUs: 0 },
      });
    app = await createHttpServer(platform);
    expect((await call("PUT", "/applications/oee", "engineer", { ruleVersion: "1", periods: ["hour"] })).status).toBe(
      200,
    );
  });
  afterEach(() => app.close());

  test("work is taken within a scope, by those who publish", async () => {
    platform.results.offer(work(1, "north"), work(2, "south"));
    expect((await call("POST", "/applications/oee/work", "viewer", {})).body.code).toBe("forbidden");
    const { body } = await call<{ items: WorkItem[] }>("POST", "/applications/oee/work", "engineer@south", {
      limit: 10,
    });
    expect(body.items.map(({ path }) => path)).toEqual(["south"]);
  });

  test("a request for work waits until there is some", async () => {
    const waiting = call<{ items: WorkItem[] }>("POST", "/applications/oee/work", "engineer", { waitMs: 20_000 });
    await expect.poll(() => platform.results.waiting).toBe(1);
    platform.results.offer(work(1, "north"));
    expect((await waiting).body.items).toHaveLength(1);
  });

  test("a foreign equipment is refused by its index like an unknown one, and the good goes through", async () => {
    const items = [result(1), result(2), result(99)];
    const { body } = await call<{ published: number; faults: { index: number; code: string }[] }>(
      ...(["POST", "/applications/oee/results", "engineer@south", { items }] as const),
    );
    expect(body).toMatchObject({
      published: 1,
      faults: [
        { index: 0, code: "not_found" },
        { index: 2, code: "not_found" },
      ],
    });
    const read = await call<{ items: Result[] }>("GET", "/results?application=oee&period=hour&periodKey=0", "viewer");
    expect(read.body.items).toMatchObject([{ equipmentId: 2, values: { oeeIndex: 0.5 }, detail: { any: ["thing"] } }]);
    const foreign = "/results/revisions?application=oee&equipmentId=2&period=hour&periodKey=0";
    expect((await call("GET", foreign, "viewer@north")).body.code).toBe("not_found");
    expect((await call("GET", foreign.replace("equipmentId=2", "equipmentId=99"), "viewer@north")).body.code).toBe(
      "not_found",
    );
  });

  test("results come in pages; a cursor is good for its own query only", async () => {
    await call("POST", "/applications/oee/results", "engineer", { items: [result(1), result(2)] });
    const first = await call<{ items: Result[]; cursor: string }>("GET", "/results?application=oee&limit=1", "viewer");
    expect(first.body.items).toHaveLength(1);
    const cursor = encodeURIComponent(first.body.cursor);
    const second = await call<{ items: Result[]; cursor: null }>(
      "GET",
      `/results?application=oee&limit=1&cursor=${cursor}`,
      "viewer",
    );
    expect(second.body).toMatchObject({ items: [{ equipmentId: 2 }], cursor: null });
    const other = await call("GET", `/results?application=other&cursor=${cursor}`, "viewer");
    expect(other.body.code).toBe("cursor_invalid");
  });

  test.each([
    ["a range that ends before it begins", "/results?application=oee&from=2&to=1", "range_invalid"],
    ["a time without a zone", "/results?application=oee&from=2026-11-26T00:00:00", "time_invalid"],
    ["a period that is none", "/results?application=oee&period=week", "request_invalid"],
    ["more than a page holds", "/results?application=oee&limit=5001", "limit_invalid"],
  ])("%s is refused", async (_, url, code) => {
    expect((await call("GET", url, "viewer")).body.code).toBe(code);
  });
});
