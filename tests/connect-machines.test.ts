import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { Certificates, Connection } from "@lineshaft/contract/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestServer } from "../integration/connectivity/connectors/opcua/test/server.ts";
import { principal, type TestBroker, testBroker } from "../integration/connectivity/kit/mqtt/test/broker.ts";
import { inline, workbook, zip } from "../integration/platform/configuration/workbook/testing.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";
import { Stream } from "./support/stream.ts";

/** From an unknown machine to its values, over REST alone, as a person in the console would do it. */
describe("connecting machines without editing a file", () => {
  const dir = tempDir();
  const folder = mkdtempSync(join(tmpdir(), "connect-machines-"));
  let server: ServerProcess;
  let rest: Rest;
  let machine: TestServer;
  let broker: TestBroker;
  let config: { endpointUrl: string };
  let stream: Stream;

  const lines = async (method: "GET" | "POST", path: string, body?: object): Promise<Record<string, never>[]> => {
    const response = await fetch(`${server.url}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${server.adminSecret}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  };
  const lineshaft = async (...args: string[]): Promise<{ code: number | null; out: string; err: string }> => {
    const child = spawn(process.execPath, ["host/main.ts", ...args], {
      env: { ...process.env, LINESHAFT_KEY: server.adminSecret ?? "", LINESHAFT_URL: server.url },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    return { code: code as number | null, out, err };
  };
  const certificates = (): Promise<Certificates> => rest.get("/api/v1/connection-kinds/opcua/certificates");
  const connection = (name: string): Promise<Connection> => rest.get(`/api/v1/connections/${name}`);
  async function until<T>(what: string, look: () => Promise<T>, holds: (found: T) => boolean): Promise<T> {
    const end = performance.now() + 40_000;
    for (;;) {
      const found = await look();
      if (holds(found)) return found;
      if (performance.now() > end) throw new Error(`${what} did not happen; it is ${JSON.stringify(found)}`);
      await sleep(50);
    }
  }

  beforeAll(async () => {
    machine = await TestServer.start({ folder });
    machine.addFolder("Line", 5);
    broker = await testBroker([principal("plant"), principal("reader", { clientIds: ["*"] })]);
    mkdirSync(join(dir.path, "secrets"));
    writeFileSync(join(dir.path, "secrets", "mqtt-reader"), "reader");
    server = await ServerProcess.start({ dataDir: dir.path });
    rest = new Rest(server.url, server.adminSecret ?? "");
    config = { endpointUrl: machine.url };
    stream = new Stream(server.url, server.adminSecret ?? "", { types: ["connection.changed"] });
  });
  afterAll(async () => {
    stream.close();
    await server.kill("SIGTERM");
    await machine.stop();
    await broker.close();
    rmSync(folder, { recursive: true, force: true });
    dir.remove();
  });

  test("a server that nobody trusts yet is refused, before anything is saved, with what to compare", async () => {
    expect(await certificates()).toMatchObject({ own: null, trusted: [], rejected: [] });
    const steps = await lines("POST", "connections/check", { kind: "opcua", config });
    expect(steps.at(-1)).toMatchObject({ step: "certificate", ok: false });
    const [end] = await lines("POST", "connections/browse", { kind: "opcua", config });
    expect(end).toMatchObject({ error: { fault: "untrusted", technical: expect.stringContaining("thumbprint") } });
    const { own, rejected } = await certificates();
    expect(own).toMatchObject({ subject: expect.stringContaining("Lineshaft"), daysLeft: expect.any(Number) });
    expect(rejected).toMatchObject([{ subject: "CN=Test server", applicationUri: "urn:lineshaft:test-server" }]);
  });

  test("a connection that waits for trust tries again at once when it is given", async () => {
    const response = await fetch(`${server.url}/api/v1/configuration`, {
      headers: { authorization: `Bearer ${server.adminSecret}` },
    });
    const wanted = {
      version: 1,
      connections: [
        {
          name: "machine",
          kind: "opcua",
          config,
          classes: { fast: { samplingMs: 100, queueSize: 10 } },
          tags: [{ address: "i=2258", class: "fast" }],
        },
      ],
    };
    const headers = { "if-match": response.headers.get("etag") ?? "" };
    const put = await rest.request("PUT", "/api/v1/configuration", wanted, headers);
    expect(put.status, JSON.stringify(put.body)).toBe(200);
    await until(
      "waiting",
      () => connection("machine"),
      ({ health }) => health?.fault === "untrusted",
    );
    const [{ thumbprint }] = (await certificates()).rejected;
    const trusted = await rest.request("POST", `/api/v1/connections/machine/certificates/${thumbprint}/trust`);
    expect(trusted).toMatchObject({ status: 200, body: { thumbprint } });
    const flowing = await until(
      "flowing",
      () => connection("machine"),
      ({ health }) => health?.state === "flowing",
    );
    expect(flowing.figures).toMatchObject({ reconnects: expect.any(Number), expectedRatePerSecond: 10 });
    const { figures } = await until(
      "figures",
      () => connection("machine"),
      (found) => found.figures?.certificates?.length === 2,
    );
    expect(figures?.certificates).toMatchObject([
      { of: "own" },
      { of: "peer", thumbprint, daysLeft: expect.any(Number) },
    ]);
    expect(figures?.lastGoodUs).toBeGreaterThan(0);
  });

  test("what it offers is browsed level by level, of the connection and of a configuration", async () => {
    for (const target of [{ connection: "machine" }, { kind: "opcua", config }]) {
      const top = await lines("POST", "connections/browse", target);
      const line = top.find(({ name }) => name === "Line") as unknown as { address: string };
      expect(line).toMatchObject({ expandable: true, readable: false });
      const below = await lines("POST", "connections/browse", { ...target, from: line.address, limit: 2 });
      expect(below).toMatchObject([{ readable: true, dataType: "Double" }, {}, { end: { lines: 2, more: true } }]);
    }
  });

  test("its tags come out of a workbook, tried first; a row that is damaged changes nothing", async () => {
    const sheet = (address: string) => zip(workbook([{ name: "Tags", rows: [[inline("address")], [address]] }]));
    const send = (body: Uint8Array, query = "") =>
      rest.request<{ plan: { counts: { create: number } }; receipt: object | null; errors: object[] }>(
        "POST",
        `/api/v1/connections/machine/tags/import${query}`,
        body,
        { "content-type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
      );
    const good = sheet(inline("i=2267"));
    expect(await send(good, "?dryRun=true")).toMatchObject({
      status: 200,
      body: { format: "xlsx", sheet: "Tags", rows: 1, plan: { counts: { create: 1 } }, receipt: null },
    });
    expect(await send(sheet(inline("1,23E+11")))).toMatchObject({
      status: 422,
      body: { code: "csv_invalid", errors: [{ code: "cell_damaged", line: 2, column: 1 }] },
    });
    expect(await send(good)).toMatchObject({ status: 200, body: { receipt: { revision: expect.any(Number) } } });
    expect((await send(good)).body.plan.counts.create).toBe(0);
    await until(
      "flowing",
      () => connection("machine"),
      ({ health }) => health?.state === "flowing",
    );
  });

  test("its traffic is seen live", async () => {
    const seen = await lines("GET", "connections/machine/wire?seconds=2");
    expect(seen.length).toBeGreaterThan(1);
    expect(seen[0]).toMatchObject({ dir: expect.stringMatching(/in|out/), b64: expect.any(String) });
    expect(seen.at(-1)).toMatchObject({ end: { lines: seen.length - 1 } });
  });

  test("its traffic is recorded into a file that nobody else may read", async () => {
    const file = join(folder, "machine.jsonl");
    const { code, err } = await lineshaft("record", "machine", "--seconds", "3", "--out", file);
    expect([code, err]).toEqual([0, expect.stringMatching(/^\d+ records/)]);
    const [first] = readFileSync(file, "utf8").split("\n");
    expect(JSON.parse(first)).toMatchObject({
      t: expect.any(Number),
      dir: expect.any(String),
      b64: expect.any(String),
    });
    expect(statSync(file).mode & 0o077).toBe(0);
    expect((await lineshaft("record", "nowhere", "--out", `${file}.2`)).code).toBe(1);
    expect((await lineshaft("record", "machine", "--out", file)).code).toBe(2);
  });

  test("a capture of an MQTT server is decoded without it, to the screen or into a connection", async () => {
    const captures = "integration/connectivity/connectors/mqtt/captures/parts-machine";
    const args = ["replay", `${captures}.jsonl`, "--kind", "mqtt", "--config", `${captures}.config.json`];
    const shown = await lineshaft(...args);
    expect(shown.code, shown.err).toBe(0);
    expect(shown.out).toBe(readFileSync(`${captures}.expected.jsonl`, "utf8"));
    const into = await lineshaft(...args, "--into", "replayed");
    expect([into.code, into.err]).toEqual([0, expect.stringMatching(/^\d+ values offered to "replayed", \d+ new; 0 /)]);
    const { sums } = await until(
      "stored",
      () => connection("replayed"),
      (found) => found.sums.pending === 0,
    );
    expect(sums.stored).toBe(shown.out.trimEnd().split("\n").length);
    expect((await lineshaft("replay", `${captures}.jsonl`, "--kind", "opcua", "--connection", "machine")).code).toBe(1);
  });

  test("trust that is taken back ends the connection", async () => {
    const [{ thumbprint }] = (await certificates()).trusted;
    const gone = await rest.request("DELETE", `/api/v1/connection-kinds/opcua/certificates/${thumbprint}`);
    expect(gone.status).toBe(200);
    await until(
      "untrusted",
      () => connection("machine"),
      ({ health }) => health?.fault === "untrusted",
    );
  });

  test("each change of its health came over the event stream, attempts in between did not", async () => {
    const states = (): string[] =>
      stream.messages.flatMap(({ data }) => (data?.health as { state: string })?.state ?? []);
    const last = () => stream.messages.findLast((message) => message.type === "connection.changed")?.data;
    const untrusted = (): boolean => (last()?.health as { fault?: string } | undefined)?.fault === "untrusted";
    await stream.until(() => states().includes("flowing") && untrusted(), "the end of its trust");
    // A restart by trust ends the waiting, and the distrust the flow. No attempt in between is told, so none comes twice in a row.
    const told = states();
    expect(told.slice(0, 5)).toEqual(["connecting", "waiting", "stopped", "connecting", "flowing"]);
    expect(told.slice(-3)).toEqual(["stopped", "connecting", "waiting"]);
    expect(told.filter((state, i) => state === told[i - 1])).toEqual([]);
    expect(last()).toMatchObject({ connection: "machine", scope: "", health: { fault: "untrusted" } });
  });

  test("templates are proposed for the topics of an MQTT server", async () => {
    const plant = await broker.connect("plant");
    const publishing = setInterval(() => {
      for (const line of ["l1", "l2", "l3"])
        plant.publish(`acme/${line}/temperature`, JSON.stringify({ ts: 1_700_000_000, v: 21.5 }));
    }, 50);
    try {
      const found = await lines("POST", "connections/propose", {
        kind: "mqtt",
        config: { server: { host: "127.0.0.1", port: broker.port, user: "reader", password: "mqtt-reader" } },
        filters: ["acme/#"],
        seconds: 2,
      });
      expect(found).toMatchObject([
        {
          template: { topic: "acme/{level2}/temperature", payload: "json", timePath: "ts", values: [{ path: "v" }] },
          topics: 3,
        },
        { end: { lines: 1, more: false } },
      ]);
    } finally {
      clearInterval(publishing);
    }
  });
});
