import { apiBase } from "@lineshaft/contract/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakePlatform } from "../test/fakes.ts";
import { createHttpServer, type HttpServer } from "./index.ts";

let platform: FakePlatform;
let app: HttpServer;

beforeEach(async () => {
  platform = new FakePlatform();
  platform.addConnection("line", "North");
  app = await createHttpServer(platform, {});
});
afterEach(() => app.close());

type Method = "GET" | "POST" | "DELETE";
const ask = (method: Method, path: string, { key = "admin", body }: { key?: string; body?: object } = {}) =>
  app.inject({
    method,
    url: `${apiBase}/${path}`,
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
const linesOf = ({ payload }: { payload: string }): unknown[] =>
  payload
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("what a peer offers", () => {
  it("comes a line each, with a last line that says how it ended", async () => {
    const all = await ask("POST", "connections/browse", { body: { connection: "line", from: "Objects" } });
    expect(all.headers["content-type"]).toBe("application/x-ndjson");
    const lines = linesOf(all);
    expect(lines[0]).toEqual({ address: "Objects/0", name: "0", readable: true, expandable: false });
    expect(lines.at(-1)).toEqual({ end: { lines: 3, more: false } });
    const some = await ask("POST", "connections/browse", { body: { kind: "opcua", config: {}, limit: 2 } });
    expect(linesOf(some).slice(2)).toEqual([{ end: { lines: 2, more: true } }]);
  });

  it("or a failure in two layers; a fault of our own without its words", async () => {
    const refused = await ask("POST", "connections/browse", { body: { kind: "modbus", config: {} } });
    const error = {
      fault: "misconfigured",
      message: "It cannot be browsed.",
      hint: "Write addresses.",
      technical: "no browse",
    };
    expect(linesOf(refused)).toEqual([{ error }]);
    const broken = await ask("POST", "connections/browse", { body: { kind: "breaks", config: {} } });
    expect(linesOf(broken).at(-1)).toMatchObject({ error: { message: expect.any(String), hint: expect.any(String) } });
    expect(broken.payload).not.toContain("pipe");
  });

  it("is asked of one thing, by those who may configure it", async () => {
    const status = async (body: object, key?: string) =>
      (await ask("POST", "connections/browse", { body, key })).statusCode;
    expect(await status({})).toBe(422);
    expect(await status({ connection: "line", kind: "opcua" })).toBe(422);
    expect(await status({ kind: "opcua" })).toBe(422);
    expect(await status({ connection: "nowhere" })).toBe(404);
    expect(await status({ connection: "line" }, "engineer@South")).toBe(404);
    expect(await status({ connection: "line" }, "viewer")).toBe(403);
  });

  it("is proposed as templates", async () => {
    const body = { kind: "mqtt", config: {}, filters: ["a/#", "b/#"], seconds: 1 };
    expect(linesOf(await ask("POST", "connections/propose", { body }))).toEqual([
      { template: { topic: "a/#" }, topics: 2, example: "a/b" },
      { template: { topic: "b/#" }, topics: 2, example: "a/b" },
      { end: { lines: 2, more: true } },
    ]);
    expect((await ask("POST", "connections/propose", { body: { ...body, seconds: 100 } })).statusCode).toBe(422);
    expect((await ask("POST", "connections/propose", { body, key: "viewer" })).statusCode).toBe(403);
  });
});

describe("certificates", () => {
  const thumbprint = "AB".repeat(32);

  it("are listed by kind, trusted and distrusted by thumbprint", async () => {
    const list = async () => (await ask("GET", "connection-kinds/opcua/certificates")).json();
    expect(await list()).toMatchObject({
      kind: "opcua",
      own: null,
      trusted: [],
      rejected: [{ subject: "CN=Press 7" }],
    });
    expect((await list()).rejected[0]).toMatchObject({ daysLeft: expect.any(Number), applicationUri: "urn:press-7" });
    expect((await list()).rejected[0]).not.toHaveProperty("validity");
    const trusted = await ask("POST", `connection-kinds/opcua/certificates/${thumbprint}/trust`);
    expect(trusted.json()).toMatchObject({ thumbprint });
    expect((await list()).trusted).toHaveLength(1);
    expect((await ask("POST", `connection-kinds/opcua/certificates/${thumbprint}/trust`)).statusCode).toBe(404);
    expect((await ask("DELETE", `connection-kinds/opcua/certificates/${thumbprint}`)).statusCode).toBe(200);
    expect((await list()).trusted).toHaveLength(0);
  });

  it("are for those who may configure the whole enterprise", async () => {
    const status = async (key: string) => (await ask("GET", "connection-kinds/opcua/certificates", { key })).statusCode;
    expect([await status("engineer"), await status("engineer@North"), await status("viewer")]).toEqual([200, 403, 403]);
    expect((await ask("GET", "connection-kinds/modbus/certificates")).statusCode).toBe(404);
    expect((await ask("POST", "connection-kinds/opcua/certificates/..%2Fx/trust")).statusCode).toBe(404);
  });

  it("are those of a connection's kind", async () => {
    expect((await ask("GET", "connections/line/certificates")).statusCode).toBe(404);
    platform.kindOfLine = "opcua";
    expect((await ask("GET", "connections/line/certificates")).json()).toMatchObject({ kind: "opcua" });
    expect((await ask("POST", `connections/line/certificates/${thumbprint}/trust`)).statusCode).toBe(200);
    expect((await ask("DELETE", `connections/line/certificates/${thumbprint}`)).statusCode).toBe(200);
    expect((await ask("GET", "connections/nowhere/certificates")).statusCode).toBe(404);
  });
});

describe("live traffic", () => {
  it("comes a line each, and says when some was left out", async () => {
    const answer = await ask("GET", "connections/line/wire?seconds=1");
    expect(linesOf(answer)).toEqual([
      { t: 5, dir: "in", b64: "AAE=", note: "two bytes" },
      { end: { lines: 1, more: true } },
    ]);
    expect((await ask("GET", "connections/nowhere/wire")).statusCode).toBe(404);
    expect((await ask("GET", "connections/line/wire?seconds=9999")).statusCode).toBe(422);
    expect((await ask("GET", "connections/line/wire", { key: "viewer" })).statusCode).toBe(403);
  });
});
