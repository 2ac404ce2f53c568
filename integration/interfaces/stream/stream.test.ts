import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { alarmColumns, decodePointsFrame, type Problem, type StreamRequest } from "@lineshaft/contract/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createHttpServer, type HttpOptions, type HttpServer } from "../rest/index.ts";
import { FakePlatform } from "../test/fakes.ts";

interface Message {
  type?: string;
  cursor: string;
  lsn: number;
  tag: number[];
  time: number[];
  value: unknown[];
  data: Record<string, unknown>;
  problem?: Problem;
}

let platform: FakePlatform;
let app: HttpServer;
let url: string;
/** How much faster the sessions' clock runs. */
let speed: number;
const open: WebSocket[] = [];

async function serve(options: HttpOptions = {}): Promise<void> {
  app = await createHttpServer(platform, options);
  url = await app.listen({ port: 0, host: "127.0.0.1" });
}
beforeEach(async () => {
  platform = new FakePlatform();
  speed = 1;
  const { clock } = platform;
  platform.clock = {
    nowUs: clock.nowUs,
    monotonicMs: () => clock.monotonicMs() * speed,
    sleep: (ms, signal) => clock.sleep(ms / speed, signal),
  };
  await serve();
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.terminate();
  await app.close();
});

class Reader {
  readonly messages: Message[] = [];
  readonly frames: Uint8Array[] = [];
  readonly socket: WebSocket;
  closed: { code: number; reason: string } | null = null;

  constructor(
    request: StreamRequest | string | null,
    headers: Record<string, string> = { authorization: "Bearer viewer" },
    protocols: string[] = [],
  ) {
    this.socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/stream`, protocols, { headers });
    open.push(this.socket);
    this.socket.on("error", () => {});
    if (request !== null)
      this.socket.on("open", () =>
        this.socket.send(typeof request === "string" ? request : JSON.stringify({ subscribe: request })),
      );
    this.socket.on("message", (data: Buffer, binary) => {
      if (binary) this.frames.push(new Uint8Array(data));
      else this.messages.push(JSON.parse(String(data)) as Message);
    });
    this.socket.on("close", (code, reason) => {
      this.closed = { code, reason: String(reason) };
    });
  }

  events(): Message[] {
    return this.messages.filter((message) => message.type !== undefined);
  }

  points(): [number, unknown][] {
    return this.events()
      .filter((event) => event.type === "points.recorded")
      .flatMap((event) => event.tag.map((tag, i) => [tag, event.value[i]] as [number, unknown]));
  }

  async until(what: () => boolean): Promise<void> {
    for (let i = 0; i < 400 && !what(); i++) await wait(10);
    if (!what()) throw new Error(`It did not come; messages: ${JSON.stringify(this.messages).slice(0, 500)}`);
  }

  async end(): Promise<{ code: number; problem: Problem | undefined }> {
    await this.until(() => this.closed !== null);
    return { code: this.closed?.code as number, problem: this.messages.at(-1)?.problem };
  }
}

const send = async (connection: string, tag: string, ...values: number[]): Promise<void> => {
  const body = JSON.stringify(values.map((value) => ({ tag, time: value, value })));
  const headers = { authorization: "Bearer source", "content-type": "application/json" };
  const { statusCode } = await app.inject({
    method: "POST",
    url: `/api/v1/ingest/${connection}`,
    headers,
    payload: body,
  });
  expect(statusCode).toBe(200);
};

describe("the stream over WebSocket", () => {
  it("tells where it stands at once, then what comes, exactly", async () => {
    const reader = new Reader({});
    await reader.until(() => reader.messages.length === 1);
    expect(reader.messages[0]).toEqual({ cursor: "c0" });
    const payload = '{"tag":"a","time":5,"value":9007199254740993,"status":1073741824}';
    await app.inject({
      method: "POST",
      url: "/api/v1/ingest/p",
      payload,
      headers: { authorization: "Bearer source", "content-type": "application/json" },
    });
    await reader.until(() => reader.events().length === 2);
    expect(reader.events()).toMatchObject([
      { type: "tag.registered", lsn: 1, cursor: "c1", data: { connection: "p", addresses: ["a"], ids: [1] } },
      {
        type: "points.recorded",
        lsn: 2,
        cursor: "c2",
        connectionId: 1,
        late: false,
        corrected: [],
        tag: [1],
        time: [5],
        value: [{ int64: "9007199254740993" }],
        status: [1073741824],
        valueType: [1],
      },
    ]);
  });

  it("resumes at a cursor, and starts at a time", async () => {
    await send("p", "a", 1, 2);
    await send("p", "a", 3);
    const resumed = new Reader({ cursor: "c2" });
    await resumed.until(() => resumed.points().length === 1);
    expect(resumed.points()).toEqual([[1, 3]]);
    const replayed = new Reader({ from: "1970-01-01T00:00:00Z", types: ["points.recorded"] });
    await replayed.until(() => replayed.points().length === 3);
    expect(replayed.events().every((event) => event.type === "points.recorded")).toBe(true);
  });

  it("gives points as binary frames when asked", async () => {
    const reader = new Reader({ format: "columns", types: ["points.recorded", "tag.registered"] });
    await reader.until(() => reader.messages.length === 1);
    await send("p", "a", 1, 2);
    await reader.until(() => reader.frames.length === 1);
    const event = decodePointsFrame(reader.frames[0]);
    expect(event).toMatchObject({ type: "points.recorded", lsn: 2, cursor: "c2", connectionId: 1, late: false });
    expect([...event.columns.value]).toEqual([1, 2]);
    expect(reader.events()).toMatchObject([{ type: "tag.registered" }]);
  });

  it("filters by tag, connection and type; a reader whose filter leaves all out still moves on", async () => {
    await send("p", "a", 1);
    await send("q", "b", 2);
    const byTag = new Reader({ cursor: "c0", tags: [2], types: ["points.recorded"] });
    const byConnection = new Reader({ cursor: "c0", connections: ["q", "later"] });
    await byTag.until(() => byTag.points().length === 1);
    await byConnection.until(() => byConnection.points().length === 1);
    expect(byTag.points()).toEqual([[2, 2]]);
    expect(byConnection.events().map((event) => event.lsn)).toEqual([3, 4]);
    // A connection that did not exist when the stream began.
    await send("later", "c", 9);
    await byConnection.until(() => byConnection.points().length === 2);
    speed = 50;
    await byTag.until(() => byTag.messages.at(-1)?.cursor === "c6");
    expect(byTag.points()).toEqual([[2, 2]]);
  });

  it.each([
    ["no JSON", "{", "json_invalid"],
    ["no subscription", "{}", "request_invalid"],
    ["an unknown field", '{"subscribe":{"colour":1}}', "request_invalid"],
    ["an unknown type", '{"subscribe":{"types":["points.deleted"]}}', "request_invalid"],
    ["a key twice", '{"subscribe":{"from":1,"from":2}}', "json_duplicate_key"],
    ["__proto__", '{"subscribe":{"__proto__":{}}}', "reserved_key"],
    ["a depth of a million", `{"subscribe":${"[".repeat(1_000_000)}`, "json_too_deep"],
    ["a time that is none", '{"subscribe":{"from":"now"}}', "time_invalid"],
    ["A65: a cursor that is none", '{"subscribe":{"cursor":"x"}}', "cursor_invalid"],
  ])("refuses %s with a problem and a close code", async (_, text, code) => {
    const { code: closed, problem } = await new Reader(text).end();
    expect(problem?.code).toBe(code);
    expect(closed).toBe(4000 + (problem?.status ?? 0));
  });

  it("F32: a cursor that the log has left behind is told as expired", async () => {
    await send("p", "a", 1, 2, 3);
    platform.firstLsn = 2;
    const { code, problem } = await new Reader({ cursor: "c0" }).end();
    expect([code, problem?.code, problem?.detail]).toEqual([4410, "cursor_expired", "The log begins at LSN 2."]);
  });

  it("takes one subscription, and does not wait for it for ever", async () => {
    const twice = new Reader({});
    await twice.until(() => twice.messages.length === 1);
    twice.socket.send('{"subscribe":{}}');
    expect((await twice.end()).problem?.code).toBe("request_invalid");
    speed = 100;
    const silent = new Reader(null);
    expect(await silent.end()).toMatchObject({ code: 4408, problem: { code: "request_timeout" } });
  });

  it("is bounded in number", async () => {
    await app.close();
    await serve({ limits: { streams: 1 } });
    const first = new Reader({});
    await first.until(() => first.messages.length === 1);
    expect(app.streamCount).toBe(1);
    expect(await refusal({ authorization: "Bearer viewer" })).toMatchObject({ status: 429, code: "too_many_streams" });
    first.socket.close();
    await first.until(() => app.streamCount === 0);
  });

  it("ends politely when the server stops", async () => {
    const reader = new Reader({});
    await reader.until(() => reader.messages.length === 1);
    await app.close();
    expect(await reader.end()).toMatchObject({ code: 4503, problem: { code: "shutting_down", retry: "later" } });
    await serve();
  });

  it("a handshake that is half sent when the server stops is ended, and does not hold the stop up", async () => {
    const { port } = new URL(url);
    const socket = connect(Number(port), "127.0.0.1");
    socket.on("error", () => {});
    const ended = new Promise((resolve) => socket.resume().on("close", resolve));
    const lines = [
      "GET /api/v1/stream HTTP/1.1",
      `Host: 127.0.0.1:${port}`,
      "Authorization: Bearer viewer",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${btoa("sixteen letters!")}`,
    ];
    socket.write(`${lines.join("\r\n")}\r\n`);
    // Its answer shows that the server has read what was sent on the other connection before.
    await new Reader({}).until(() => app.streamCount === 1);
    const stopped = app.close();
    await wait(50);
    socket.write("\r\n");
    await Promise.all([stopped, ended]);
    await serve();
  });
});

/** What an upgrade that is refused answers over plain HTTP. */
async function refusal(
  headers: Record<string, string>,
  path = "/api/v1/stream",
  protocols: string[] = [],
): Promise<Problem> {
  const socket = new WebSocket(url.replace("http", "ws") + path, protocols, { headers });
  socket.on("error", () => {});
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, import("node:http").IncomingMessage];
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return JSON.parse(text) as Problem;
}

describe("who may listen", () => {
  it("A1, A9, A77: refuses the upgrade without credential, with one in the URL, from a foreign page", async () => {
    const key = { authorization: "Bearer viewer" };
    expect(await refusal({})).toMatchObject({ code: "auth_missing", status: 401 });
    expect(await refusal({ authorization: "Bearer nobody" })).toMatchObject({ code: "auth_invalid" });
    expect(await refusal({ authorization: "Bearer source" })).toMatchObject({ code: "forbidden" });
    expect(await refusal(key, "/api/v1/stream?token=viewer")).toMatchObject({ code: "credential_in_url" });
    expect(await refusal(key, "/api/v1/other")).toMatchObject({ code: "not_found" });
    expect(await refusal({ ...key, origin: "https://evil.example" })).toMatchObject({ code: "csrf" });
    expect(await refusal({ cookie: "lineshaft_session=viewer" })).toMatchObject({ code: "csrf" });
    expect(await refusal({ cookie: "lineshaft_session=viewer", origin: "https://evil.example" })).toMatchObject({
      code: "csrf",
    });
  });

  it("takes a session from our own page, and a key as subprotocol", async () => {
    const cookie = new Reader({}, { cookie: "a=b; lineshaft_session=viewer", origin: url });
    await cookie.until(() => cookie.messages.length === 1);
    const subprotocol = new Reader({}, {}, ["lineshaft.v1", "bearer.viewer"]);
    await subprotocol.until(() => subprotocol.messages.length === 1);
    expect(subprotocol.socket.protocol).toBe("lineshaft.v1");
    expect(await refusal({}, "/api/v1/stream", ["lineshaft.v1", "bearer.nobody"])).toMatchObject({
      code: "auth_invalid",
    });
  });

  it("A69: a stream is cut within 5 s of its key's revocation", async () => {
    // No faster: a pause of the machine counts as many times.
    speed = 5;
    const reader = new Reader({});
    await reader.until(() => reader.messages.length === 1);
    platform.revoked.add("viewer");
    const from = performance.now();
    expect(await reader.end()).toMatchObject({ code: 4401, problem: { code: "key_revoked" } });
    expect((performance.now() - from) * speed).toBeLessThan(6_000);
  });

  it("A69: a key that still works, but with other rights, ends as scope_changed", async () => {
    speed = 20;
    const reader = new Reader({});
    await reader.until(() => reader.messages.length === 1);
    platform.identity.stillValid = () => false;
    expect(await reader.end()).toMatchObject({ code: 4403, problem: { code: "scope_changed" } });
  });

  it("A67: a scope sees its own tags only, new ones included, and nothing of others' events", async () => {
    platform.addConnection("own", "site/a");
    platform.addConnection("alien", "site/b");
    await send("own", "x", 1);
    await send("alien", "y", 2);
    const reader = new Reader({ cursor: "c0" }, { authorization: "Bearer viewer@site/a" });
    await reader.until(() => reader.points().length === 1);
    await send("own", "new", 3);
    await send("alien", "new", 4);
    platform.event("item.rejected", { connectionId: 2, connection: "alien", code: "x" });
    platform.event("gap.recorded", { connectionId: null, connection: null, reason: "x" });
    platform.event("registry.changed", { entity: "key", id: "k", after: {} });
    platform.event("registry.changed", { entity: "equipment", id: 1, after: { path: "site/b/line" } });
    platform.event("registry.changed", { entity: "equipment", id: 1, after: { path: "site/a/line" } });
    platform.event("registry.changed", { entity: "masterData", id: "order/alien", after: { paths: ["site/b/line"] } });
    platform.event("registry.changed", {
      entity: "masterData",
      id: "order/own",
      after: { paths: ["site/b", "site/a/line"] },
    });
    platform.event("registry.changed", { entity: "masterData", id: "material/M", after: { paths: [] } });
    for (const [id, scope] of [
      [2, "site/b"],
      [1, "site/a"],
    ] as const) {
      const units = [{ id, address: id === 2 ? "alien" : "x", unit: "bar", before: null }];
      platform.event("registry.changed", { entity: "sourceUnit", id, after: { connectionId: id, scope, units } });
    }
    const health = { state: "flowing", since: 1 };
    platform.event("connection.changed", { connectionId: 2, connection: "alien", scope: "site/b", health });
    platform.event("connection.changed", { connectionId: 1, connection: "own", scope: "site/a", health });
    const results = (...paths: string[]) => ({ application: "oee", items: paths.map((path) => ({ path })) });
    platform.event("result.published", results("site/b/alien"));
    platform.event("result.published", results("site/b/alien", "site/a/press", "site/abalien"));
    platform.event("item.rejected", { connectionId: 1, connection: "own", code: "x" });
    await reader.until(() => reader.events().at(-1)?.type === "item.rejected");
    expect(reader.events().at(-2)?.data).toEqual(results("site/a/press"));
    expect(reader.points()).toEqual([
      [1, 1],
      [3, 3],
    ]);
    expect(reader.events().map((e) => e.type)).toEqual([
      "tag.registered",
      "points.recorded",
      "tag.registered",
      "points.recorded",
      "registry.changed",
      "registry.changed",
      "registry.changed",
      "registry.changed",
      "connection.changed",
      "result.published",
      "item.rejected",
    ]);
    expect(JSON.stringify(reader.messages)).not.toContain("alien");
  });

  it("A67: facts are of the equipment that is seen and asked for", async () => {
    for (const path of ["site/a", "site/a/press", "site/b", "site/ab"])
      platform.equipmentRows.push({
        ...{ id: platform.equipmentRows.length + 1, level: "area", name: path, parentId: null, path },
        ...{ lifecycle: "productive", model: null, revision: 1, changedUs: 0, validFromUs: 0 },
      } as never);
    const facts = (ids: number[]) => ({
      ranges: ids.map((equipmentId) => ({
        ...{ equipmentId, what: "states", fromUs: 0, toUs: 9, cause: "points", lsn: 1 },
      })),
      states: {
        equipmentId: ids,
        time: ids,
        itemState: ids.map(() => "Executing"),
        operationMode: ids.map(() => null),
        cause: ids.map(() => 0),
      },
      counts: { equipmentId: [], source: [], time: [], n: [], kind: [], flags: [] },
      alarms: { equipmentId: [], ...alarmColumns([]) },
      identifiers: { equipmentId: ids, time: ids, property: ids.map(() => "order"), value: ids.map(String) },
    });
    const readers = [
      [new Reader({ types: ["facts.changed"] }), [1, 2, 3, 4]],
      [new Reader({ types: ["facts.changed"], equipment: "site/a" }), [1, 2]],
      [new Reader({ types: ["facts.changed"], equipment: "site/b" }, { authorization: "Bearer viewer@site/a" }), []],
      [new Reader({ types: ["facts.changed"] }, { authorization: "Bearer viewer@site/a" }), [1, 2]],
      [new Reader({ types: ["clock.jumped"] }), []],
    ] as const;
    for (const [reader] of readers) await reader.until(() => reader.messages.length === 1);
    platform.event("facts.changed", facts([1, 2, 3, 4]));
    platform.event("facts.changed", facts([3]));
    platform.event("clock.jumped", {});
    await readers[4][0].until(() => readers[4][0].events().length === 1);
    await readers[0][0].until(() => readers[0][0].events().length === 2);
    await readers[1][0].until(() => readers[1][0].events().length === 1);
    await readers[3][0].until(() => readers[3][0].events().length === 1);
    for (const [reader, expected] of readers.slice(0, 4)) {
      const told = reader.events()[0]?.data as { ranges: unknown[]; states: object; identifiers: object } | undefined;
      expect(told === undefined ? [] : told.ranges).toEqual(facts([...expected]).ranges);
      if (told === undefined) continue;
      expect(told.states).toEqual(facts([...expected]).states);
      expect(told.identifiers).toEqual(facts([...expected]).identifiers);
    }
  });

  it("A67: recorded facts are of the equipment that is seen and asked for", async () => {
    for (const path of ["site/a", "site/b"])
      platform.equipmentRows.push({
        ...{ id: platform.equipmentRows.length + 1, level: "area", name: path, parentId: null, path },
        ...{ lifecycle: "productive", model: null, revision: 1, changedUs: 0, validFromUs: 0 },
      } as never);
    const data = (...ids: number[]) => ({
      by: "mes",
      items: ids.map((equipmentId) => ({ equipmentId, item: { kind: "energy", id: `e${equipmentId}` } })),
    });
    const types: ["fact.recorded", "clock.jumped"] = ["fact.recorded", "clock.jumped"];
    const readers = [
      [new Reader({ types }), [data(2), data(1, 2)]],
      [new Reader({ types, equipment: "site/a" }), [data(1)]],
      [new Reader({ types }, { authorization: "Bearer viewer@site/b" }), [data(2), data(2)]],
      [new Reader({ types, connections: ["own"] }), []],
    ] as const;
    for (const [reader] of readers) await reader.until(() => reader.messages.length === 1);
    platform.event("fact.recorded", data(2));
    platform.event("fact.recorded", data(1, 2));
    platform.event("clock.jumped", {});
    for (const [reader, expected] of readers) {
      await reader.until(() => reader.events().at(-1)?.type === "clock.jumped");
      expect(reader.events().map((event) => event.data)).toEqual([...expected, {}]);
    }
  });

  it("A67: points of a tag that the registry does not know yet wait for its verdict, neither lost nor shown too early", async () => {
    platform.addConnection("own", "site/a");
    platform.addConnection("alien", "site/b");
    const reader = new Reader({}, { authorization: "Bearer viewer@site/a" });
    await reader.until(() => reader.messages.length === 1);
    platform.registryLag = 2;
    await send("own", "new", 1);
    await send("alien", "new", 2);
    await wait(50);
    expect(reader.points()).toEqual([]);
    platform.registryLag = 0;
    await reader.until(() => reader.points().length === 1);
    await send("own", "new", 3);
    await reader.until(() => reader.points().length === 2);
    expect(reader.points()).toEqual([
      [1, 1],
      [1, 3],
    ]);
  });

  it("A67: a tag that leaves the scope is not shown any more", async () => {
    platform.addConnection("own", "site/a");
    await send("own", "x", 1);
    const reader = new Reader({ cursor: "c0" }, { authorization: "Bearer viewer@site/a" });
    await reader.until(() => reader.points().length === 1);
    platform.tags[0].scope = "site/b";
    platform.revision++;
    await send("own", "x", 2);
    // What counts is the right at the moment of delivery.
    await wait(50);
    platform.tags[0].scope = "site/a";
    platform.revision++;
    await send("own", "x", 3);
    await reader.until(() => reader.points().length >= 2);
    expect(reader.points().map(([, value]) => value)).toEqual([1, 3]);
  });
});

describe("F32: a slow reader", () => {
  const big = Array.from({ length: 5000 }, (_, i) => i);

  it("costs bounded memory, holds nobody up, and is closed in the end", async () => {
    const { port } = new URL(url);
    const stopped = connect(Number(port), "127.0.0.1");
    stopped.write(
      `GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer viewer\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
    await once(stopped, "data");
    const text = JSON.stringify({ subscribe: { types: ["points.recorded"] } });
    const head = Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]);
    stopped.write(Buffer.concat([head, Buffer.from(text)]));
    await once(stopped, "data");
    stopped.pause();
    const live = new Reader({ types: ["points.recorded"] });
    await live.until(() => live.messages.length === 1);

    platform.keepPoints = false;
    const before = process.memoryUsage().arrayBuffers;
    const batches = 150;
    for (let n = 0; n < batches; n++) await send("p", "a", ...big);
    await live.until(() => live.points().length === batches * big.length);
    // All of it in JSON would be some 10 MB more; the log of the fake itself is not in array buffers only once.
    const pulled = platform.log.length;
    expect(pulled).toBe(batches + 1);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(80 * 1024 * 1024);
    expect(app.streamCount).toBe(2);
    speed = 200;
    await live.until(() => app.streamCount === 1);
    expect(live.closed).toBeNull();
    stopped.destroy();
  }, 30_000);
});

describe("the stream over SSE", () => {
  async function* lines(response: Response): AsyncGenerator<string> {
    let rest = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split("\n\n");
      rest = parts.pop() as string;
      yield* parts;
    }
  }
  const listen = (query: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/api/v1/events${query}`, { headers: { authorization: "Bearer viewer", ...headers } });

  it("tells events with their cursor as id, and resumes at Last-Event-ID", async () => {
    await send("p", "a", 1);
    await send("p", "a", 2);
    const response = await listen("?cursor=c1&types=points.recorded&tags=1,2");
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const events = lines(response);
    expect((await events.next()).value).toBe('id: c1\nevent: cursor\ndata: {"cursor":"c1"}');
    const first = (await events.next()).value as string;
    expect(first).toMatch(/^id: c2\nevent: points\.recorded\ndata: {"type":"points.recorded","lsn":2,/);
    await events.return(undefined);
    const resumed = lines(await listen("?from=0&types=points.recorded", { "last-event-id": "c2" }));
    await resumed.next();
    expect((await resumed.next()).value).toMatch(/^id: c3\n/);
    await resumed.return(undefined);
  });

  it("refuses like any other request, before the first byte", async () => {
    const code = async (response: Promise<Response>): Promise<unknown> =>
      ((await (await response).json()) as Problem).code;
    expect(await code(fetch(`${url}/api/v1/events`))).toBe("auth_missing");
    expect(await code(listen("?tags=x"))).toBe("request_invalid");
    expect(await code(listen("?format=columns"))).toBe("request_invalid");
    expect(await code(listen("?cursor=forged"))).toBe("cursor_invalid");
    expect(await code(listen("?key=viewer"))).toBe("credential_in_url");
    expect(await code(listen("", { origin: "https://evil.example" }))).toBe("csrf");
    platform.firstLsn = 5;
    expect(await code(listen("?cursor=c1"))).toBe("cursor_expired");
  });

  it("A69: tells the problem as its last event", async () => {
    speed = 20;
    const events = lines(await listen(""));
    await events.next();
    platform.revoked.add("viewer");
    let last = (await events.next()).value;
    // On a slow machine a comment that keeps proxies awake comes before it.
    while (last === ": ping") last = (await events.next()).value;
    expect(last).toMatch(/^event: problem\ndata: {"problem":{.*"code":"key_revoked"/);
    expect((await events.next()).done).toBe(true);
    expect(app.streamCount).toBe(0);
  });
});
