import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, type LastValue, statusBadNoCommunication } from "@lineshaft/contract/api";
import { deadPort } from "@lineshaft/testkit";
import { ServerTCP } from "modbus-serial";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

/** From a configuration to values and back: a real server and, over Modbus, a device that comes and goes. */
describe("a connection that the server runs itself", () => {
  const dir = tempDir();
  let server: ServerProcess;
  let rest: Rest;
  let port: number;
  /** Shown at the first start only. */
  let secret = "";
  let device: ServerTCP | null = null;
  let level = 7;

  const switchOn = async (): Promise<void> => {
    const on = new ServerTCP({ getHoldingRegister: async () => level }, { host: "127.0.0.1", port, unitID: 1 });
    await new Promise<void>((resolve) => on.on("initialized", () => resolve()));
    device = on;
  };
  const switchOff = async (): Promise<void> => {
    const off = device;
    device = null;
    await new Promise<void>((resolve) => (off === null ? resolve() : off.close(() => resolve())));
  };
  const connection = (): Promise<Connection> => rest.get<Connection>("/api/v1/connections/filler");
  const newest = async (): Promise<LastValue | undefined> => {
    const { items: tags } = await rest.get<{ items: { id: number }[] }>("/api/v1/tags?connection=filler");
    if (tags.length === 0) return undefined;
    const { items } = await rest.get<{ items: LastValue[] }>(`/api/v1/values?tag=${tags[0].id}`);
    return items[0];
  };
  async function until<T>(what: string, look: () => Promise<T>, holds: (found: T) => boolean): Promise<T> {
    const end = performance.now() + 20_000;
    for (;;) {
      const found = await look();
      if (holds(found)) return found;
      if (performance.now() > end) throw new Error(`${what} did not happen; it is ${JSON.stringify(found)}`);
      await sleep(50);
    }
  }
  const healthIs = (state: string) => until(state, connection, ({ health }) => health?.state === state);

  beforeAll(async () => {
    port = await deadPort();
    server = await ServerProcess.start({ dataDir: dir.path });
    secret = server.adminSecret ?? "";
    rest = new Rest(server.url, secret);
  });
  afterAll(async () => {
    await server.kill("SIGTERM");
    await switchOff();
    dir.remove();
  });

  test("is configured while its device is off, and waits with the reason", async () => {
    const configuration = {
      version: 1,
      connections: [
        {
          name: "filler",
          kind: "modbus",
          config: { host: "127.0.0.1", port, periodMs: 50, timeoutMs: 300 },
          tags: [{ address: "holding:10" }],
        },
      ],
    };
    const headers = { "if-match": await current() };
    const put = await rest.request("PUT", "/api/v1/configuration", configuration, headers);
    expect(put.status, JSON.stringify(put.body)).toBe(200);
    const { health } = await healthIs("waiting");
    expect(health).toMatchObject({ fault: "unreachable", hint: expect.any(String) });
  });

  test("values flow as soon as the device is there", async () => {
    await switchOn();
    await healthIs("flowing");
    expect(await until("a value", newest, (value) => value?.value === 7)).toMatchObject({ status: 0 });
  });

  test("a device that goes leaves its last value, marked bad, and a gap", async () => {
    await switchOff();
    await healthIs("waiting");
    const value = await until("stale", newest, (found) => found?.status === statusBadNoCommunication);
    expect(value?.value).toBe(7);
    // The gap is a record of its own behind the stale rows in the log: it may be seen a moment later.
    const gaps = () => rest.get<{ items: { reason: string }[] }>("/api/v1/gaps");
    const { items } = await until("the gap", gaps, (page) => page.items.length > 0);
    expect(items[0].reason).toContain("lost");
  });

  test("and is found again by itself", async () => {
    level = 8;
    await switchOn();
    await healthIs("flowing");
    expect(await until("the new value", newest, (value) => value?.value === 8)).toMatchObject({ status: 0 });
  });

  test("a server that ends and starts again goes on with it", async () => {
    await server.kill("SIGTERM");
    server = await ServerProcess.start({ dataDir: dir.path });
    rest = new Rest(server.url, secret);
    await healthIs("flowing");
  });

  test("F6: killed −9, what it left does not look live at the next start until the device confirms it", async () => {
    await until("a good value", newest, (value) => value?.value === 8 && value.status === 0);
    await server.kill("SIGKILL");
    await switchOff();
    server = await ServerProcess.start({ dataDir: dir.path });
    rest = new Rest(server.url, secret);
    const marked = await until("stale", newest, (value) => value?.status === statusBadNoCommunication);
    expect(marked?.value).toBe(8);
    const gaps = () => rest.get<{ items: { reason: string }[] }>("/api/v1/gaps");
    await until("the gap", gaps, ({ items }) => items.some(({ reason }) => reason.includes("not running")));
    await switchOn();
    await until("a good value again", newest, (value) => value?.value === 8 && value.status === 0);
  });

  async function current(): Promise<string> {
    const response = await fetch(`${server.url}/api/v1/configuration`, {
      headers: { authorization: `Bearer ${server.adminSecret}` },
    });
    return response.headers.get("etag") ?? "";
  }
});
