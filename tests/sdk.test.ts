// The SDK against the REST and stream interfaces, over the network and in memory: the same calls, the same checks.
import { connectLineshaft, type Platform } from "@lineshaft/client";
import { memoryPlatform } from "@lineshaft/client/memory";
import type { StreamEvent } from "@lineshaft/contract/api";
import { createHttpServer, type HttpServer } from "@lineshaft/interfaces/rest";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { FakePlatform } from "../integration/interfaces/test/fakes.ts";

let platform: FakePlatform;
let app: HttpServer;
let url: string;
const backOff = { firstMs: 10, maxMs: 50 };
const opened: Platform[] = [];

async function serve(port = 0): Promise<void> {
  app = await createHttpServer(platform);
  url = await app.listen({ port, host: "127.0.0.1" });
}
/** On a port that nobody is given who asks for any, so that it is still free after a restart. */
async function serveApart(): Promise<void> {
  for (let tries = 20; ; tries--) {
    try {
      return await serve(20_000 + Math.floor(Math.random() * 10_000));
    } catch (error) {
      if (tries === 0) throw error;
    }
  }
}
beforeEach(async () => {
  platform = new FakePlatform();
  await serve();
});
afterEach(async () => {
  for (const one of opened.splice(0)) one.close();
  await app.close();
});

const keep = (one: Platform): Platform => {
  opened.push(one);
  return one;
};
const transports: [string, (key: string) => Platform][] = [
  ["fetch and WebSocket of Node", (key) => keep(connectLineshaft({ url, key, backOff }))],
  ["the ws package", (key) => keep(connectLineshaft({ url, key, backOff, WebSocket }))],
  ["memory", (key) => keep(memoryPlatform(app, key))],
];

function collect(client: Platform, request: Parameters<Platform["subscribe"]>[0]) {
  const stop = new AbortController();
  const got: StreamEvent[] = [];
  const done = (async () => {
    for await (const event of client.subscribe(request, { signal: stop.signal })) got.push(event);
  })();
  const until = async (n: number): Promise<void> => {
    for (let i = 0; i < 500 && got.length < n; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(got.length).toBe(n);
  };
  const end = (): Promise<void> => {
    stop.abort();
    return done;
  };
  return { got, until, end };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe.each(transports)("over %s", (_, connect) => {
  it("sends, reads and follows exactly", async () => {
    const client = connect("engineer");
    const stream = collect(client, { types: ["points.recorded"], cursor: "c0" });
    const points = [
      { tag: "a", time: 1, value: 9007199254740993n },
      { tag: "b", time: 2, value: -0 },
      { tag: "c", time: 3, value: '" 🏭' },
    ];
    const receipt = await client.ingest("p", points);
    expect(receipt).toMatchObject({ ack: "durable", accepted: 3 });
    await stream.until(1);
    const [event] = stream.got;
    if (event.type !== "points.recorded") throw new Error("Points were sent.");
    expect(event.columns.exact?.value).toEqual([9007199254740993n, '" 🏭']);
    expect(Object.is(event.columns.value[1], -0)).toBe(true);
    await stream.end();
    expect((await client.values([1])).map((last) => last.value)).toEqual([{ int64: "9007199254740993" }]);
    const pages = await all(client.history({ tag: [1, 2, 3], from: 0, to: 10, limit: 2 }));
    expect(pages.map((columns) => columns.rows)).toEqual([2, 1]);
    expect((await all(client.tags())).map((tag) => tag.address)).toEqual(["a", "b", "c"]);
    expect(await client.session()).toMatchObject({ role: "engineer" });
  });

  it("passes every check: unknown keys, roles, scopes, forged cursors", async () => {
    await connect("source").ingest("p", [{ tag: "a", value: 1 }]);
    await expect(connect("nobody").session()).rejects.toMatchObject({ code: "auth_invalid" });
    await expect(collect(connect("nobody"), {}).end()).resolves.toBeUndefined();
    const failing = async (client: Platform, request = {}): Promise<unknown> => {
      try {
        for await (const _ of client.subscribe(request)) break;
      } catch (error) {
        return (error as { code: string }).code;
      }
      return "none";
    };
    expect(await failing(connect("nobody"))).toBe("auth_invalid");
    expect(await failing(connect("source"))).toBe("forbidden");
    expect(await failing(connect("viewer"), { cursor: "forged" })).toBe("cursor_invalid");
    await expect(connect("viewer").ingest("p", [{ tag: "a", value: 1 }])).rejects.toMatchObject({ code: "forbidden" });
    await expect(connect("source").values([1])).rejects.toMatchObject({ code: "forbidden" });
    await expect(connect("viewer").call("getTag", { params: { id: 99 } })).rejects.toMatchObject({ code: "not_found" });
  });
});

it("a key with a scope sees through memory what it sees from outside, and no more", async () => {
  platform.addConnection("hidden", "site/b");
  platform.addConnection("own", "site/a");
  const admin = keep(memoryPlatform(app, "admin"));
  const scoped = keep(memoryPlatform(app, "viewer@site/a"));
  const stream = collect(scoped, { types: ["points.recorded"], cursor: "c0" });
  await admin.ingest("hidden", [{ tag: "x", time: 1, value: 1 }]);
  await admin.ingest("own", [{ tag: "y", time: 1, value: 2 }]);
  await stream.until(1);
  await stream.end();
  expect(stream.got[0].type === "points.recorded" && [...stream.got[0].columns.value]).toEqual([2]);
  expect((await all(scoped.tags())).map((tag) => tag.address)).toEqual(["y"]);
  await expect(scoped.values([1])).rejects.toMatchObject({ code: "not_found" });
});

it("rides out a restart: no batch lost or doubled, no event missed or repeated", async () => {
  await app.close();
  await serveApart();
  const client = keep(connectLineshaft({ url, key: "engineer", backOff }));
  const stream = collect(client, { types: ["points.recorded"], cursor: "c0" });
  const port = Number(new URL(url).port);
  const writer = client.writer("p");
  const receipts: Promise<unknown>[] = [];
  const restarting = (async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    await app.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await serve(port);
  })();
  for (let n = 0; n < 60; n++) {
    receipts.push((await writer.offer([{ tag: "a", time: n, value: n }])).receipt);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await restarting;
  await Promise.all(receipts);
  const values = (list: number[]): number[] => list.sort((a, b) => a - b);
  const sent = Array.from({ length: 60 }, (_, n) => n);
  expect(values(platform.batches.map((batch) => batch.columns.value[0]))).toEqual(sent);
  await stream.until(60);
  await stream.end();
  expect(values(stream.got.map((event) => (event.type === "points.recorded" ? event.columns.value[0] : NaN)))).toEqual(
    sent,
  );
});
