import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync, gunzipSync, gzipSync } from "node:zlib";
import {
  apiBase,
  calendarTemplate,
  columnsMediaType,
  decodeColumns,
  encodeColumns,
  type Problem,
  problemCatalogue,
  type Route,
  type RouteName,
  routes,
} from "@lineshaft/contract/api";
import { Compile } from "typebox/compile";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakePlatform } from "../test/fakes.ts";
import { createHttpServer, type HttpOptions, type HttpServer } from "./index.ts";

let platform: FakePlatform;
let app: HttpServer;
const logged: { fields: object; text: string }[] = [];
const log = {
  warn: () => {},
  error: (fields: object, text: string) => void logged.push({ fields, text }),
};

async function serve(options: HttpOptions = {}): Promise<void> {
  await app?.close();
  app = await createHttpServer(platform, { log, ...options });
}

beforeEach(async () => {
  platform = new FakePlatform();
  logged.length = 0;
  await serve();
});
afterEach(() => app.close());

interface Sent {
  method?: "GET" | "POST" | "PATCH" | "DELETE" | "PUT" | "OPTIONS";
  key?: string | null;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

async function ask(path: string, { method, key = "admin", headers = {}, body }: Sent = {}) {
  const response = await app.inject({
    method: method ?? (body === undefined ? "GET" : "POST"),
    url: path.startsWith("/") ? path : `${apiBase}/${path}`,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: typeof body === "string" ? body : Buffer.from(body) }),
  });
  return response;
}

async function expectProblem(code: string, path: string, sent: Sent = {}): Promise<Problem> {
  const response = await ask(path, sent);
  expect(response.headers["content-type"]).toMatch(/^application\/problem\+json/);
  const problem = response.json<Problem>();
  expect([problem.code, response.statusCode]).toEqual([
    code,
    problemCatalogue[code as keyof typeof problemCatalogue].status,
  ]);
  expect(problem).toMatchObject({ type: `urn:lineshaft:problem:${code}`, status: response.statusCode });
  expect(JSON.stringify(problem)).not.toMatch(/\.ts|node_modules|SELECT|\bat .*:\d+/);
  return problem;
}

const point = '{"points":[{"tag":"a","time":5,"value":1}]}';
const ingest = (body: string | Uint8Array, headers: Record<string, string> = {}, query = "") =>
  ask(`ingest/line1${query}`, { body, headers, key: "source" });

describe("who may do what", () => {
  it("A1: answers auth_missing without a credential, on every route that needs one", async () => {
    for (const [name, route] of Object.entries(routes as Record<string, Route>)) {
      if (route.permission === null) continue;
      const known: Record<string, string> = {
        id: "1",
        connection: "x",
        kind: "material",
        application: "oee",
        serial: "s",
        lot: "l",
      };
      const path = apiBase + route.path.replace(/\{(\w+)\}/g, (_, param: string) => known[param]);
      const response = await ask(path, { method: route.method, key: null });
      expect([name, response.statusCode, response.json<Problem>().code]).toEqual([name, 401, "auth_missing"]);
      expect(response.headers["www-authenticate"]).toBe("Bearer");
    }
  });

  it("refuses what the role does not include, on every route", async () => {
    for (const [name, { method, path, permission }] of Object.entries(routes as Record<string, Route>)) {
      if (permission === null) continue;
      const url = apiBase + path.replace("{id}", "1").replace("{connection}", "x");
      const weak = {
        read: "source",
        ingest: "viewer",
        record: "source",
        book: "viewer",
        publish: "operator",
        configure: "operator",
        administer: "engineer",
      }[permission];
      const { statusCode } = await ask(url, { method, key: weak });
      expect([name, statusCode]).toEqual([name, 403]);
    }
  });

  it("A8: a revoked key is refused at once", async () => {
    expect((await ask("tags")).statusCode).toBe(200);
    platform.revoked.add("admin");
    await expectProblem("key_revoked", "tags");
  });

  it("A9: refuses credentials in the URL before it looks at them", async () => {
    for (const name of ["key", "token", "api_key", "apikey", "access_token", "secret", "password", "KEY"])
      await expectProblem("credential_in_url", `tags?limit=1&${name}=admin`, { key: null });
    await expectProblem("credential_in_url", "/?token=x", { key: null });
    expect((await ask("tags?search=keyring")).statusCode).toBe(200);
  });

  it("A77: refuses every request of a foreign origin and never answers CORS for it", async () => {
    for (const origin of ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost:81"]) {
      const response = await ask("tags", { headers: { origin, host: "localhost" } });
      expect([origin, response.statusCode, response.json<Problem>().code]).toEqual([origin, 403, "csrf"]);
      expect(response.headers["access-control-allow-origin"]).toBeUndefined();
    }
    expect((await ask("tags", { headers: { origin: "http://localhost", host: "localhost" } })).statusCode).toBe(200);
  });

  it("lets a listed origin in with a key, preflight included, but never with a session", async () => {
    await serve({ allowedOrigins: ["https://mes.example"] });
    const headers = { origin: "https://mes.example" };
    const preflight = await ask("tags", { method: "OPTIONS", headers, key: null });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers["access-control-allow-origin"]).toBe("https://mes.example");
    expect((await ask("tags", { headers })).statusCode).toBe(200);
    await expectProblem("csrf", "tags", { key: null, headers: { ...headers, cookie: "lineshaft_session=admin" } });
  });

  it("A78: a session cookie writes only from our own pages", async () => {
    const cookie = "lineshaft_session=admin";
    const body = '{"level":"site","name":"x"}';
    const own = { cookie, host: "plant:8750", origin: "http://plant:8750" };
    await expectProblem("csrf", "equipment", { key: null, headers: { cookie }, body });
    await expectProblem("csrf", "equipment", { key: null, headers: { cookie, "sec-fetch-site": "cross-site" }, body });
    expect((await ask("equipment", { key: null, headers: own, body })).statusCode).toBe(201);
    expect((await ask("equipment", { key: null, headers: { cookie } })).statusCode).toBe(200);
  });

  it("signs in with a cookie that script cannot read, and out again", async () => {
    const response = await ask("session", { key: null, body: '{"secret":"engineer"}' });
    expect(response.json()).toEqual({ name: "engineer", role: "engineer", scopes: [""], demo: false });
    expect(response.headers["set-cookie"]).toMatch(
      /^lineshaft_session=engineer; Max-Age=3600; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const out = await ask("session", { method: "DELETE", key: null });
    expect(out.headers["set-cookie"]).toMatch(/lineshaft_session=;.*(Max-Age=0|Expires=Thu, 01 Jan 1970)/);
    await serve({ behindTls: true });
    const secure = await ask("session", { key: null, body: '{"secret":"engineer"}' });
    expect(secure.headers["set-cookie"]).toContain("; Secure");
    expect(secure.headers["strict-transport-security"]).toBeDefined();
  });

  it("metrics need a key, except on this machine by name and without a proxy", async () => {
    const local = { host: "localhost:8750" };
    expect((await ask("/metrics", { key: null, headers: local })).statusCode).toBe(200);
    await expectProblem("auth_missing", "/metrics", {
      key: null,
      headers: { ...local, "x-forwarded-for": "10.0.0.1" },
    });
    await expectProblem("auth_missing", "/metrics", { key: null, headers: { host: "rebound.example" } });
    await expectProblem("forbidden", "/metrics", { key: "source", headers: { host: "plant" } });
    expect((await ask("/metrics", { key: "viewer", headers: { host: "plant" } })).statusCode).toBe(200);
  });
});

describe("the frame of a request", () => {
  it("answers unknown addresses, methods and media types with their codes", async () => {
    await expectProblem("not_found", "nothing");
    await expectProblem("not_found", "/nothing");
    await expectProblem("not_found", "tags/x");
    await expectProblem("not_found", "tags/9999999999999999999999");
    await expectProblem("method_not_allowed", "tags", { method: "DELETE" });
    await expectProblem("method_not_allowed", "tags/1", { method: "PUT", body: "{}" });
    expect((await ask("equipment/1", { method: "POST" })).headers.allow).toBe("GET, PATCH");
    await expectProblem("not_acceptable", "tags", { headers: { accept: "text/html" } });
    await expectProblem("not_acceptable", "tags", { headers: { accept: columnsMediaType } });
    await expectProblem("media_type_unsupported", "equipment", {
      body: "a=b",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    await expectProblem("media_type_unsupported", "ingest/line1", {
      body: "a,b",
      headers: { "content-type": "text/csv" },
    });
    await expectProblem("media_type_unsupported", "ingest/line1", {
      body: point,
      headers: { "content-encoding": "br" },
    });
    await expectProblem("bad_framing", "/api/v1/tags/%zz");
  });

  it("A66: refuses page sizes that are none", async () => {
    for (const limit of ["-1", "0", "1001", "1e9", "NaN", "1.5", "", "0x10", "99999999999999999999"])
      await expectProblem("limit_invalid", `tags?limit=${limit}`);
    await expectProblem("limit_invalid", "tags?limit=1&limit=2");
    expect((await ask("tags?limit=1000")).statusCode).toBe(200);
  });

  it("refuses parameters and fields that it does not know", async () => {
    await expectProblem("request_invalid", "tags?colour=red");
    await expectProblem("request_invalid", "values");
    await expectProblem("request_invalid", "values?tag=a");
    await expectProblem("request_invalid", "system?verbose=1");
    const problem = await expectProblem("request_invalid", "equipment", { body: '{"level":"galaxy","name":"","x":1}' });
    expect(problem.errors?.map((e) => e.path).sort()).toEqual(["", "/level", "/name"]);
    await expectProblem("request_invalid", "equipment", { body: "[]" });
  });

  it("A29, A16, A17: refuses treacherous JSON on every address that takes a body", async () => {
    const bodies: [string, string | Uint8Array][] = [
      ["reserved_key", '{"name":"x","__proto__":{"admin":true}}'],
      ["reserved_key", '{"constructor":{"prototype":{"admin":true}}}'],
      ["json_too_deep", `{"name":${"[".repeat(100_000)}`],
      ["json_duplicate_key", '{"tenant":1,"tenant":2}'],
      ["json_encoding", Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
      ["json_invalid", '{"name":'],
      ["json_invalid", ""],
    ];
    for (const [name, route] of Object.entries(routes as Record<string, Route>)) {
      if (route.body === undefined && name !== "ingest") continue;
      const known: Record<string, string> = { id: "1", connection: "x", kind: "material", application: "oee" };
      const path = apiBase + route.path.replace(/\{(\w+)\}/g, (_, param: string) => known[param]);
      for (const [code, body] of bodies)
        await expectProblem(code, path, { method: route.method as "POST", body, headers: { "if-match": '"1"' } });
    }
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    await expectProblem("json_encoding", "equipment", { body: String.raw`{"level":"site","name":"\ud800"}` });
  });

  it("A38: fields of the server cannot be set", async () => {
    platform.registry.createEquipment(platform.principalOf("admin"), { level: "site", name: "x" });
    for (const field of ["role", "tenantId", "createdBy", "id", "path", "revision"]) {
      const problem = await expectProblem("field_readonly", "equipment/1", {
        method: "PATCH",
        body: JSON.stringify({ name: "y", [field]: 1 }),
        headers: { "if-match": '"1"' },
      });
      expect(problem.errors).toEqual([{ path: `/${field}`, message: "is set by the server only" }]);
    }
    await expectProblem("field_readonly", "keys", { body: '{"name":"k","role":"viewer","tenant":2}' });
  });

  it("faults inside tell an id and nothing else, and are logged whole", async () => {
    platform.system.status = () => {
      throw new Error("SELECT * FROM secrets at /srv/x.ts:1");
    };
    const { instance } = await expectProblem("internal", "system");
    expect(logged).toMatchObject([{ fields: { instance }, text: "A request failed inside." }]);
    expect(JSON.stringify(logged[0].fields)).toContain(instance);
  });
});

describe("ingest", () => {
  it("answers once it is durable, and passes the source's session on", async () => {
    const response = await ingest(point, {}, "?generation=7&sequence=3&sourceCursor=at%205&mode=correct");
    expect(response.json()).toMatchObject({ ack: "durable", lsn: 2, offered: 1, accepted: 1, rejected: 0 });
    expect(platform.batches[0]).toMatchObject({
      connection: "line1",
      generation: 7,
      sequence: 3,
      sourceCursor: "at 5",
      mode: "correct",
    });
    expect((await ingest(point, {}, "?generation=7&sequence=3")).json()).toMatchObject({ duplicates: 1, accepted: 0 });
  });

  it("takes rows, columns and frames, compressed or not", async () => {
    const frame = encodeColumns(
      { ...decodeEmpty(), rows: 1, tag: Int32Array.of(0), time: Float64Array.of(5), value: Float64Array.of(1) },
      ["a"],
    );
    const binary = { "content-type": columnsMediaType };
    const sent: [string | Uint8Array, Record<string, string>][] = [
      [point, {}],
      [point, { "content-type": "application/json; charset=utf-8" }],
      ['{"tag":"a","time":5,"value":1}', {}],
      ['[{"tag":"a","time":5,"value":1}]', {}],
      ['{"names":["a"],"tag":0,"time":[5],"value":[1]}', {}],
      [frame, binary],
      [gzipSync(point), { "content-encoding": "gzip" }],
      [deflateSync(point), { "content-encoding": "deflate" }],
      [gzipSync(frame), { ...binary, "content-encoding": "gzip" }],
    ];
    for (const [body, headers] of sent) expect((await ingest(body, headers)).json()).toMatchObject({ accepted: 1 });
    for (const { columns, names } of platform.batches)
      expect([names, [...columns.tag], [...columns.time], [...columns.value]]).toEqual([["a"], [0], [5], [1]]);
  });

  it("keeps an undecodable body as one rejected item and answers why", async () => {
    const payload = Buffer.concat([Buffer.from('{"points":['), Buffer.alloc(100_000, 32)]);
    await expectProblem("json_invalid", "ingest/line1", { body: payload });
    await expectProblem("columns_invalid", "ingest/line1", {
      body: "LSC1",
      headers: { "content-type": columnsMediaType },
    });
    expect(platform.rejects).toMatchObject([
      { connection: "line1", code: "json_invalid", points: 1, payload: payload.subarray(0, 65_536) },
      { connection: "line1", code: "columns_invalid" },
    ]);
    expect(platform.batches).toEqual([]);
  });

  it("keeps nothing of who may not send, and asks before it decodes", async () => {
    await expectProblem("forbidden", "ingest/foreign", { body: "{" });
    await expectProblem("forbidden", "ingest/line1", { body: "{", key: "viewer" });
    expect(platform.rejects).toEqual([]);
  });

  it("A15: a gzip bomb is stopped at the bound", async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(250_000);
    const before = process.memoryUsage().rss;
    await expectProblem("decompressed_too_large", "ingest/line1", {
      body: bomb,
      headers: { "content-encoding": "gzip" },
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
    expect(platform.rejects).toMatchObject([{ code: "decompressed_too_large" }]);
    await expectProblem("bad_framing", "ingest/line1", { body: "no gzip", headers: { "content-encoding": "gzip" } });
  });

  it("waits for credit in the order of arrival, and sheds beyond the bound", async () => {
    await serve({ limits: { waitingBatches: 3 } });
    platform.creditRows = 0;
    const sent = [0, 1, 2, 3].map((n) => ingest(`{"tag":"a","time":${n},"value":1}`, {}, `?sequence=${n}`));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(platform.batches).toEqual([]);
    expect((await sent[3]).json<Problem>()).toMatchObject({ code: "overloaded", retryAfterSeconds: 1 });
    platform.creditRows = 1000;
    expect((await Promise.all(sent.slice(0, 3))).map((r) => r.statusCode)).toEqual([200, 200, 200]);
    expect(platform.batches.map((batch) => batch.sequence)).toEqual([0, 1, 2]);
  });
});

describe("reading", () => {
  const exact = [
    ["a", "9007199254740993", { int64: "9007199254740993" }],
    ["b", '{"double":"NaN"}', { double: "NaN" }],
    ["c", "-0", { double: "-0" }],
    ["d", '"\\" 🏭"', '" 🏭'],
    ["e", "true", true],
    ["f", "null", null],
    ["g", "1.5", 1.5],
  ] as const;

  beforeEach(async () => {
    const rows = exact.map(([tag, json]) => `{"tag":"${tag}","time":5,"value":${json}}`);
    await ingest(`[${rows}]`);
  });

  it("A39: gives every value back exactly: last, raw and binary", async () => {
    const tags = exact.map((_, i) => i + 1).join(",");
    const values = exact.map(([, , value]) => value);
    const last = (await ask(`values?tag=${tags}`)).json<{ items: { value: unknown }[] }>();
    expect(last.items.map((item) => item.value)).toEqual(values);
    const raw = await ask(`history/raw?tag=${tags}&from=0&to=1970-01-01T00:00:01Z`);
    expect(raw.json()).toMatchObject({ rows: 7, value: values, cursor: null, warnings: [] });
    const frame = await ask(`history/raw?tag=${tags}&from=0&to=10`, { headers: { accept: columnsMediaType } });
    expect(frame.headers["content-type"]).toBe(columnsMediaType);
    expect(decodeColumns(new Uint8Array(frame.rawPayload)).columns.exact?.value).toEqual([9007199254740993n, '" 🏭']);
  });

  it("answers conform to the contract's schemas", async () => {
    platform.registry.createEquipment(platform.principalOf("admin"), { level: "site", name: "x" });
    const asked: [RouteName, string][] = [
      ["getSession", "session"],
      ["listConnections", "connections"],
      ["listTags", "tags"],
      ["getTag", "tags/1"],
      ["lastValues", "values?tag=1&tag=2"],
      ["rawHistory", "history/raw?tag=1,2,3,4,5,6,7&from=0&to=10"],
      ["bucketHistory", "history/buckets?tag=1&from=0&to=1000000&buckets=4"],
      ["machineFacts", "facts/machines/1?from=0&to=10"],
      ["listMappingErrors", "facts/mapping-errors"],
      ["listAlarms", "facts/alarms?from=0&to=10"],
      ["listRejected", "rejected"],
      ["listGaps", "gaps"],
      ["listKeys", "keys"],
    ];
    for (const [name, path] of asked) {
      const body = (await ask(path)).json<unknown>();
      expect([name, ...Compile(routes[name].response).Errors(body)]).toEqual([name]);
    }
  });

  it("pages by cursors that belong to their query", async () => {
    const first = await ask("history/raw?tag=1,2,3&from=0&to=10&limit=2");
    const { cursor } = first.json<{ cursor: string }>();
    expect(first.headers.link).toContain('rel="next"');
    const next = (first.headers.link as string).slice(1).split(">")[0];
    expect((await ask(next)).json()).toMatchObject({ tag: [3], cursor: null });
    const page = (await ask("tags?limit=3")).json<{ cursor: string }>();
    expect((await ask(`tags?limit=3&cursor=${page.cursor}`)).json()).toMatchObject({
      items: [{ id: 4 }, { id: 5 }, { id: 6 }],
    });

    const other = page.cursor.startsWith("A") ? "B" : "A";
    for (const [code, path] of [
      ["A65 forged", `tags?cursor=${Buffer.from("3").toString("base64url")}`],
      ["A65 changed", `tags?cursor=${other}${page.cursor.slice(1)}`],
      ["A65 padded", `tags?cursor=${page.cursor}=`],
      ["A65 of another list", `equipment?cursor=${page.cursor}`],
      ["A65 of another query", `tags?search=x&cursor=${page.cursor}`],
      ["A65 of other tags", `history/raw?tag=1&from=0&to=10&cursor=${cursor}`],
      ["A65 no cursor", "tags?cursor=%F0%9F%8F%AD"],
      ["A65 too long", `tags?cursor=${"x".repeat(600)}`],
    ] as const) {
      const problem = (await ask(path)).json<Problem>();
      expect([code, problem.code]).toEqual([code, "cursor_invalid"]);
    }
  });

  it("A64: refuses ranges that are none and queries that are too large", async () => {
    const raw = "history/raw?tag=1";
    await expectProblem("range_invalid", `${raw}&from=10&to=10`);
    await expectProblem("range_invalid", `${raw}&from=10&to=5`);
    await expectProblem("time_invalid", `${raw}&from=yesterday&to=5`);
    await expectProblem("time_invalid", `${raw}&from=2026-11-22T06:00:00&to=5`);
    await expectProblem("limit_invalid", `${raw}&from=0&to=5&limit=5000001`);
    await expectProblem(
      "request_invalid",
      `history/raw?tag=${Array.from({ length: 1001 }, (_, i) => i + 1)}&from=0&to=5`,
    );
    const year = "from=0&to=31536000000000";
    await expectProblem("query_too_large", `history/buckets?tag=1&${year}&bucketUs=1000`);
    await expectProblem("request_invalid", `history/buckets?tag=1&${year}&bucketUs=999`);
    await expectProblem("request_invalid", `history/buckets?tag=1&${year}`);
    await expectProblem("request_invalid", `history/buckets?tag=1&${year}&buckets=5&bucketUs=60000000`);
    await expectProblem("request_invalid", `history/buckets?tag=1&${year}&buckets=20001`);
  });

  it("A67: what is out of scope answers exactly like what does not exist", async () => {
    platform.addConnection("hidden", "site/other");
    await ask("ingest/hidden", { body: point });
    const hidden = platform.tags.length;
    const key = "viewer@site/own";
    const there = await expectProblem("not_found", `values?tag=${hidden}`, { key });
    const nowhere = await expectProblem("not_found", "values?tag=999", { key });
    const plain = ({ instance: _, detail, ...rest }: Problem) => ({ ...rest, detail: detail.replace(/\d+/, "n") });
    expect(plain(there)).toEqual(plain(nowhere));
    await expectProblem("not_found", `history/raw?tag=${hidden}&from=0&to=9`, { key });
    await expectProblem("not_found", `history/buckets?tag=${hidden}&from=0&to=9&buckets=1`, { key });
    await expectProblem("not_found", `tags/${hidden}`, { key });
    await expectProblem("not_found", "connections/hidden", { key });
    expect((await ask("tags", { key })).json<{ items: unknown[] }>().items).toEqual([]);
  });

  it("gives up a query that takes too long", async () => {
    let aborted = false;
    platform.history.raw = (_q, signal) => {
      signal?.addEventListener("abort", () => {
        aborted = true;
      });
      return new Promise(() => {});
    };
    const { sleep } = platform.clock;
    platform.clock = { ...platform.clock, sleep: (ms, signal) => sleep(ms === 10_000 ? 20 : ms, signal) };
    await serve();
    await expectProblem("query_timeout", "history/raw?tag=1&from=0&to=9");
    expect(aborted).toBe(true);
  });

  it("compresses large answers when asked, and gives the same", async () => {
    const n = 5000;
    const rows = { names: ["z"], tag: 0, time: [...Array(n).keys()], value: Array(n).fill(1.25) };
    await ingest(JSON.stringify(rows));
    const path = `history/raw?tag=8&from=0&to=${n}`;
    const plain = await ask(path);
    const packed = await ask(path, { headers: { "accept-encoding": "gzip" } });
    expect(packed.headers["content-encoding"]).toBe("gzip");
    expect(packed.rawPayload.length).toBeLessThan(plain.rawPayload.length / 3);
    expect(JSON.parse(gunzipSync(packed.rawPayload).toString())).toEqual(plain.json());
    expect(plain.json()).toMatchObject({ rows: n });
    expect(
      (await ask(path, { headers: { "accept-encoding": "gzip;q=0" } })).headers["content-encoding"],
    ).toBeUndefined();
  });
});

describe("changing", () => {
  it("tells the revision and the place in the log, and where the new item is", async () => {
    const created = await ask("equipment", { body: '{"level":"site","name":"Werk \\"1\\" 🏭"}' });
    expect(created.statusCode).toBe(201);
    expect(created.headers).toMatchObject({ location: "/api/v1/equipment/1", etag: '"1"' });
    expect(created.json()).toMatchObject({
      item: { id: 1, name: 'Werk "1" 🏭' },
      receipt: { revision: 1, lsn: expect.any(Number) },
    });
    const connection = await ask("connections", { body: '{"name":"press-1"}' });
    expect(connection.headers.location).toBe("/api/v1/connections/press-1");
    const tag = await ask("tags", { body: '{"connection":"press-1","address":"a/b"}' });
    expect([tag.statusCode, tag.headers.location]).toEqual([201, "/api/v1/tags/1"]);
  });

  it("F40: changes only the revision that the caller has read", async () => {
    await ask("equipment", { body: '{"level":"site","name":"x"}' });
    const { etag } = (await ask("equipment/1")).headers as { etag: string };
    const change = (headers: Record<string, string>): Sent => ({ method: "PATCH", body: '{"name":"y"}', headers });
    await expectProblem("precondition_required", "equipment/1", change({}));
    await expectProblem("precondition_required", "equipment/1", change({ "if-match": "*" }));
    const changed = await ask("equipment/1", change({ "if-match": etag }));
    expect([changed.statusCode, changed.headers.etag]).toEqual([200, '"2"']);
    await expectProblem("revision_conflict", "equipment/1", change({ "if-match": etag }));
  });

  it("answers a write also when its place in the log is not known in time", async () => {
    platform.outbox.published = () => new Promise(() => {});
    const { sleep } = platform.clock;
    platform.clock = { ...platform.clock, sleep: (ms, signal) => sleep(Math.min(ms, 10), signal) };
    await serve();
    const created = await ask("equipment", { body: '{"level":"site","name":"x"}' });
    expect(created.json()).toMatchObject({ receipt: { revision: 1, lsn: null } });
  });
});

describe("over a socket", () => {
  const raw = async (text: string | Uint8Array, keepOpenMs = 3000): Promise<string> => {
    const { port } = app.server.address() as { port: number };
    const socket = connect(port, "127.0.0.1");
    socket.write(text);
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    await new Promise<void>((resolve) => {
      socket.on("close", () => resolve());
      socket.on("error", () => resolve());
      setTimeout(resolve, keepOpenMs).unref();
    });
    socket.destroy();
    return answer;
  };
  const head =
    "POST /api/v1/ingest/line1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer source\r\nContent-Type: application/json\r\n";

  it("A12: 17 MiB are refused by their Content-Length before a byte is kept", async () => {
    await app.listen({ port: 0, host: "127.0.0.1" });
    const answer = await raw(`${head}Content-Length: ${17 * 1024 * 1024}\r\n\r\n{`, 500);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"body_too_large"');
    expect(platform.rejects).toMatchObject([{ code: "body_too_large", payload: null }]);
  });

  it("A12: a chunked body is cut at the first byte too many, and the sender hears why", async () => {
    await serve({ limits: { bodyBytes: 1000 } });
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    const endless = new ReadableStream({
      pull: (controller) => {
        if (app.server.listening && platform.rejects.length === 0) controller.enqueue(new Uint8Array(700).fill(32));
        else controller.close();
      },
    });
    const headers = { authorization: "Bearer source", "content-type": "application/json" };
    const init = { method: "POST", headers, body: endless, duplex: "half" } as RequestInit;
    const response = await fetch(`${url}${apiBase}/ingest/line1`, init);
    expect([response.status, ((await response.json()) as Problem).code]).toEqual([413, "body_too_large"]);
  });

  it("A14: Content-Length together with Transfer-Encoding is bad framing", async () => {
    await app.listen({ port: 0, host: "127.0.0.1" });
    for (const framing of [
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
      "Content-Length: 5\r\nContent-Length: 6\r\n",
      "Transfer-Encoding: identity\r\n",
    ]) {
      const answer = await raw(`${head}${framing}\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('"code":"bad_framing"');
      expect(answer).not.toContain("ok\n");
    }
    expect(await raw("NONSENSE\r\n\r\n")).toContain('"code":"bad_framing"');
  });

  it("refuses headers above 16 KiB", async () => {
    await app.listen({ port: 0, host: "127.0.0.1" });
    const answer = await raw(`GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(answer).toContain('"code":"headers_too_large"');
  });

  it("A13: a sender who dribbles is cut off with 408, others go on", async () => {
    await serve({ limits: { headersTimeoutMs: 300, requestTimeoutMs: 600 } });
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    const slowHeader = raw("GET /healthz HTTP/1.1\r\nHost: x\r\nX-");
    const slowBody = raw(`${head}Content-Length: 100\r\n\r\n{`);
    expect(await (await fetch(`${url}/healthz`)).text()).toBe("ok\n");
    expect(await slowHeader).toContain('"code":"request_timeout"');
    expect(await slowBody).toContain('"code":"request_timeout"');
  });

  it("a sender who hangs up in the middle leaves nothing behind", async () => {
    await app.listen({ port: 0, host: "127.0.0.1" });
    const { port } = app.server.address() as { port: number };
    const socket = connect(port, "127.0.0.1");
    socket.write(`${head}Content-Length: 100\r\n\r\n{"points":`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(platform.batches).toEqual([]);
    expect(logged).toEqual([]);
  });
});

describe("the console", () => {
  let dir: string;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "console-"));
    mkdirSync(join(dir, "assets"));
    writeFileSync(join(dir, "index.html"), "<!doctype html>console");
    writeFileSync(join(dir, "assets", "main-Ab12Cd34.js"), "1");
    writeFileSync(join(dir, "lineshaft.svg"), "<svg/>");
    await serve({ consoleDir: dir });
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("is served with a strict policy; hashed files for ever, pages never from a cache", async () => {
    for (const path of ["/", "/index.html", "/equipment/5", "/system?tab=log"]) {
      const page = await ask(path, { key: null });
      expect([path, page.statusCode, page.body]).toEqual([path, 200, "<!doctype html>console"]);
      expect(page.headers["cache-control"]).toBe("no-cache");
      expect(page.headers["content-security-policy"]).toMatch(
        /default-src 'self'; script-src 'self';.*frame-ancestors 'none'/,
      );
      expect(page.headers["x-content-type-options"]).toBe("nosniff");
    }
    const asset = await ask("/assets/main-Ab12Cd34.js", { key: null });
    expect(asset.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect((await ask("/lineshaft.svg", { key: null })).headers["cache-control"]).toBe("no-cache");
  });

  it("is sent compressed where the build has laid that beside a file, to whoever takes it", async () => {
    writeFileSync(join(dir, "assets", "main-Ab12Cd34.js.gz"), gzipSync("1"));
    const packed = await ask("/assets/main-Ab12Cd34.js", { key: null, headers: { "accept-encoding": "gzip" } });
    expect(packed.headers).toMatchObject({
      "content-encoding": "gzip",
      "content-type": expect.stringContaining("javascript"),
      "cache-control": "public, max-age=31536000, immutable",
    });
    expect(gunzipSync(packed.rawPayload).toString()).toBe("1");
    expect((await ask("/assets/main-Ab12Cd34.js", { key: null })).body).toBe("1");
  });

  it("A31: does not leave its folder, and keeps missing files missing", async () => {
    writeFileSync(join(dir, "..", "outside.txt"), "secret");
    for (const path of [
      "/../outside.txt",
      "/..%2foutside.txt",
      "/%2e%2e/outside.txt",
      "/assets/..%5c..%5coutside.txt",
      "/%252e%252e/outside.txt",
    ])
      expect((await ask(path, { key: null })).body).not.toContain("secret");
    await expectProblem("not_found", "/assets/gone-12345678.js", { key: null });
    await expectProblem("not_found", "/api/v1/nothing", { key: null });
    rmSync(join(dir, "..", "outside.txt"));
  });
});

it("probes and the API description need no key", async () => {
  expect((await ask("/healthz", { key: null })).body).toBe("ok\n");
  expect((await ask("/readyz", { key: null })).json()).toEqual({ ready: true, reasons: [] });
  platform.system.ready = () => ({ ready: false, reasons: ["The log is not writable."] });
  expect((await ask("/readyz", { key: null })).statusCode).toBe(503);
  const document = (await ask("openapi.json", { key: null })).json<{ openapi: string; paths: object }>();
  expect(document.openapi).toBe("3.1.0");
});

function decodeEmpty() {
  return {
    status: null,
    type: null,
    ordinal: null,
    originalTime: null,
    exact: null,
  };
}

describe("connections that the platform runs itself", () => {
  it("are of kinds that describe their own forms", async () => {
    const kinds = await ask("connection-kinds", { key: "viewer" });
    expect(kinds.json()).toMatchObject({ items: [{ kind: "modbus", mode: "connects", config: { type: "object" } }] });
  });

  it("are checked before they are saved, a line for each step as it is done", async () => {
    const body = '{"kind":"modbus","config":{"host":"10.0.0.7"}}';
    const checked = await ask("connections/check", { method: "POST", body });
    expect([checked.statusCode, checked.headers["content-type"]]).toEqual([200, "application/x-ndjson"]);
    const steps = checked.body
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { ok: boolean });
    expect(steps.map(({ ok }) => ok)).toEqual([true, false]);
    const broken = await ask("connections/check", { method: "POST", body: body.replace("modbus", "breaks") });
    expect(broken.body).toContain('"step":"Check","ok":false');
    expect(broken.body).not.toContain("The pipe burst");
    await expectProblem("forbidden", "connections/check", { method: "POST", body, key: "viewer" });
    await expectProblem("request_invalid", "connections/check", { method: "POST", body: '{"kind":"modbus"}' });
  });

  it("are examined and restarted by those who may configure and see them", async () => {
    platform.addConnection("line", "");
    expect((await ask("connections/line/diagnosis", { key: "engineer" })).json()).toEqual({ connected: true });
    await expectProblem("forbidden", "connections/line/diagnosis", { key: "viewer" });
    await expectProblem("not_found", "connections/nowhere/diagnosis", { key: "engineer" });
    expect((await ask("connections/line/restart", { method: "POST", key: "engineer" })).statusCode).toBe(200);
    expect(platform.restarted).toEqual(["1/line"]);
    await expectProblem("forbidden", "connections/line/restart", { method: "POST", key: "source" });
  });
});

describe("the configuration as a whole", () => {
  const wanted = '{"version":1,"equipment":[]}';

  it("is served as JSON or YAML with its ETag, now or at a revision", async () => {
    const json = await ask("configuration", { key: "engineer" });
    expect([json.statusCode, json.headers.etag, json.headers.vary]).toEqual([200, '"7"', "Accept"]);
    expect(json.json()).toEqual(platform.applied);
    const yaml = await ask("configuration", { headers: { accept: "application/yaml" } });
    expect(yaml.headers["content-type"]).toBe("application/yaml; charset=utf-8");
    expect(yaml.body).toBe("version: 1\n");
    expect((await ask("configuration?revision=3")).json()).toEqual({ version: 1 });
    await expectProblem("request_invalid", "configuration?revision=0");
    await expectProblem("not_acceptable", "tags", { headers: { accept: "application/yaml" } });
  });

  it("is planned and applied from JSON and YAML, based on a revision", async () => {
    const plan = await ask("configuration/plan", { body: wanted });
    expect([plan.statusCode, plan.headers.etag]).toEqual([200, '"7"']);
    await expectProblem("precondition_required", "configuration", { method: "PUT", body: wanted });
    await expectProblem("revision_conflict", "configuration", {
      method: "PUT",
      body: wanted,
      headers: { "if-match": '"6"' },
    });
    const put = await ask("configuration", { method: "PUT", body: wanted, headers: { "if-match": '"7"' } });
    expect([put.statusCode, put.headers.etag]).toEqual([200, '"8"']);
    expect(put.json()).toMatchObject({ receipt: { revision: 8, lsn: 0 }, plan: { counts: { create: 0 } } });
    expect(platform.applied).toEqual({ version: 1, equipment: [] });
    const yaml = { "content-type": "application/yaml", "if-match": '"8"' };
    expect((await ask("configuration", { method: "PUT", body: "version: 1", headers: yaml })).statusCode).toBe(200);
  });

  it("tells line and column of mistakes in YAML, and refuses what is neither", async () => {
    const headers = { "content-type": "application/yaml" };
    const problem = await expectProblem("configuration_invalid", "configuration/plan", { body: "wrong", headers });
    expect(problem.errors).toEqual([{ path: "", message: "wrong", code: "yaml_invalid", line: 1, column: 1 }]);
    await expectProblem("json_encoding", "configuration/plan", { body: new Uint8Array([0xff, 0xfe]), headers });
    await expectProblem("reserved_key", "configuration/plan", { body: '{"version":1,"__proto__":{}}' });
    await expectProblem("media_type_unsupported", "configuration/plan", {
      body: "x",
      headers: { "content-type": "text/plain" },
    });
    await expectProblem("json_invalid", "configuration/plan", { method: "POST" });
  });

  it("lists revisions, and imports tables with and without writing", async () => {
    expect((await ask("configuration/revisions?limit=1")).json()).toMatchObject({ items: [{ revision: 7 }] });
    platform.addConnection("plc");
    const headers = { "content-type": "text/csv" };
    const dry = await ask("connections/plc/tags/import?dryRun=true", { body: "address\nx", headers });
    expect([dry.statusCode, dry.json()]).toMatchObject([200, { receipt: null, rows: 9 }]);
    const wet = await ask("connections/plc/tags/import", { body: "address\nx", headers });
    expect(wet.json()).toMatchObject({ receipt: { revision: 8 } });
    await expectProblem("not_found", "connections/none/tags/import", { body: "address\nx", headers });
    await expectProblem("media_type_unsupported", "connections/plc/tags/import", { body: "{}" });
    await expectProblem("request_invalid", "connections/plc/tags/import?dryRun=maybe", { body: "x", headers });
  });

  it("takes and gives master data as files, and tells by what an import must rest", async () => {
    const csv = { "content-type": "text/csv" };
    const dry = await ask("master-data/material/import?dryRun=true", { body: "id\nA", headers: csv });
    expect([dry.statusCode, dry.headers.etag, dry.json()]).toMatchObject([
      200,
      '"4"',
      { receipt: null, format: "csv", counts: { create: 4 } },
    ]);
    const based = { ...csv, "if-match": '"4"' };
    const wet = await ask("master-data/material/import", { body: "id\nA", headers: based });
    expect([wet.headers.etag, wet.json()]).toMatchObject(['"5"', { receipt: { revision: 5 } }]);
    const stale = { ...csv, "if-match": '"3"' };
    await expectProblem("revision_conflict", "master-data/material/import", { body: "id\nA", headers: stale });
    expect((await ask("master-data/order/import", { body: "{}" })).json()).toMatchObject({ format: "json" });
    const text = { "content-type": "text/plain" };
    await expectProblem("media_type_unsupported", "master-data/order/import", { body: "x", headers: text });
    await expectProblem("not_found", "master-data/colour/import", { body: "x", headers: csv });

    const file = await ask("master-data/order/export?format=xlsx");
    expect(file.headers["content-type"]).toMatch(/spreadsheetml/);
    expect(file.headers["content-disposition"]).toBe('attachment; filename="order.xlsx"');
    expect(file.body).toBe("as xlsx");
    await expectProblem("range_invalid", "calendars/preview", {
      body: JSON.stringify({ calendar: calendarTemplate("oneShift", "c"), from: 2, to: 1 }),
    });
  });
});
