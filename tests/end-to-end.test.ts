// The promise of the README: curl, the SDK and a stranger's WebSocket get exact data back, also across a kill −9.
import { execFileSync } from "node:child_process";
import { connectLineshaft, type Platform } from "@lineshaft/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";
import { Stream } from "./support/stream.ts";

const dir = tempDir();
let server: ServerProcess;
let secret: string;
let rest: Rest;
const t0 = (Date.now() - 5000) * 1000;
const streams: Stream[] = [];

const open = async (): Promise<void> => {
  server = await ServerProcess.start({ dataDir: dir.path });
  secret = server.adminSecret ?? secret;
  rest = new Rest(server.url, secret);
};
beforeAll(open);
afterAll(async () => {
  for (const stream of streams) stream.close();
  await server.kill();
  dir.remove();
});

const subscribe = (request: object): Stream => {
  const stream = new Stream(server.url, secret, request);
  streams.push(stream);
  return stream;
};

describe("a stranger", () => {
  it("sends with curl and reads it back exactly, across a kill −9", async () => {
    const exact = [
      ['{"tag":"int64","value":9007199254740993}', { int64: "9007199254740993" }],
      ['{"tag":"nan","value":{"double":"NaN"}}', { double: "NaN" }],
      ['{"tag":"minus zero","value":-0}', { double: "-0" }],
      ['{"tag":"infinity","value":{"double":"-Infinity"}}', { double: "-Infinity" }],
      ['{"tag":"denormal","value":5e-324}', 5e-324],
      ['{"tag":"bool","value":true}', true],
      ['{"tag":"\'; DROP TABLE t;--","value":"\\"quoted\\" 🏭"}', '"quoted" 🏭'],
      ['{"tag":"null","value":null}', null],
      ['{"tag":"bytes","value":{"bytes":"AAH/"}}', { bytes: "AAH/" }],
    ] as const;
    const body = `{"points":[${exact.map(([json]) => json.replace("{", `{"time":${t0},`)).join(",")}]}`;
    const out = execFileSync(
      "curl",
      [
        "-sS",
        "-X",
        "POST",
        `${server.url}/api/v1/ingest/curl`,
        "-H",
        `authorization: Bearer ${secret}`,
        "-H",
        "content-type: application/json",
        "-d",
        body,
      ],
      { encoding: "utf8" },
    );
    expect(JSON.parse(out)).toMatchObject({ ack: "durable", offered: 9, accepted: 9, rejected: 0 });
    await server.kill("SIGKILL");
    await open();
    const { items } = await rest.get<{ items: { id: number }[] }>("/api/v1/tags?connection=curl");
    const ids = items.map((tag) => tag.id).sort((a, b) => a - b);
    await rest.settle();
    expect((await rest.raw(ids, t0 - 1, t0 + 1)).map((row) => row[2])).toEqual(exact.map(([, value]) => value));
    const last = await rest.get<{ items: { value: unknown; time: number }[] }>(
      `/api/v1/values?${ids.map((id) => `tag=${id}`).join("&")}`,
    );
    expect(last.items.map((item) => item.value)).toEqual(exact.map(([, value]) => value));
  });

  it("follows the stream with a plain WebSocket and resumes across a kill −9 without gap or repeat", async () => {
    const connection = "stranger";
    const send = (n: number) =>
      rest.ingest(connection, { names: ["a", "b"], tag: [0, 1], time: [t0 + n * 10, t0 + n * 10], value: [n, -n] });
    await send(0);
    const first = subscribe({ types: ["points.recorded"], connections: [connection], from: t0 });
    for (let n = 1; n <= 20; n++) expect((await send(n)).status).toBe(200);
    await first.until(() => first.points().length >= 20, "the first points");
    await server.kill("SIGKILL");
    const { cursor } = first;
    const seen = first.points();
    first.close();
    await open();
    for (let n = 21; n <= 30; n++) expect((await send(n)).status).toBe(200);
    // A repeat and a late point: one must not come again, the other must come once.
    await send(25);
    await rest.ingest(connection, { names: ["a"], tag: [0], time: [t0 + 5], value: [99] });
    const second = subscribe({ types: ["points.recorded"], connections: [connection], cursor });
    await second.until(() => seen.length + second.points().length >= 63, "the rest");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const all = [...seen, ...second.points()].map(([tag, time, value]) => `${tag % 2}@${time - t0}=${value}`);
    expect(new Set(all).size).toBe(all.length);
    expect(all.length).toBe(63);
    expect(second.points().some(([, time, value]) => time === t0 + 5 && value === 99)).toBe(true);
  });

  it("uses the SDK: ingest, read, replay from the past to live, across a kill −9", async () => {
    const platform: Platform = connectLineshaft({ url: server.url, key: secret });
    const abort = new AbortController();
    const got: string[] = [];
    const reading = (async () => {
      for await (const event of platform.subscribe(
        { types: ["points.recorded"], connections: ["sdk"], from: t0 },
        { signal: abort.signal },
      )) {
        if (event.type !== "points.recorded") continue;
        for (let i = 0; i < event.columns.rows; i++)
          got.push(`${event.columns.time[i] - t0}=${event.columns.value[i]}`);
      }
    })().catch((error: unknown) => {
      if (!abort.signal.aborted) throw error;
    });
    const port = Number(new URL(server.url).port);
    for (let n = 0; n < 10; n++) await platform.ingest("sdk", [{ tag: "x", time: t0 + n, value: n }]);
    await server.kill("SIGKILL");
    const sending = (async () => {
      for (let n = 10; n < 20; n++) await platform.ingest("sdk", [{ tag: "x", time: t0 + n, value: n }]);
    })();
    server = await ServerProcess.start({ dataDir: dir.path, port });
    await sending;
    const end = Date.now() + 15_000;
    while (got.length < 20 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
    abort.abort();
    await reading;
    expect(got.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))).toEqual(
      Array.from({ length: 20 }, (_, n) => `${n}=${n}`),
    );
  });

  it("F42: a second instance on the same data is refused and names the first", async () => {
    await expect(ServerProcess.start({ dataDir: dir.path })).rejects.toThrow(
      new RegExp(`in use by process ${server.pid}`),
    );
  });
});
