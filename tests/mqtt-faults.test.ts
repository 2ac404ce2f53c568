// Faults of the network and of clients around the embedded broker and an external one: F1, F2, F28, F33, F36.
import { createConnection, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { statusBadNoCommunication } from "@lineshaft/contract/api";
import { ChaosProxy, hasPeer } from "@lineshaft/testkit";
import { connectAsync } from "mqtt";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Mosquitto, startMosquitto } from "../integration/connectivity/kit/mqtt/test/mosquitto.ts";
import { declare, deviceKey, dial, lastValue, reading, until } from "./support/mqtt.ts";
import { Rest } from "./support/rest.ts";
import { type ServerOptions, ServerProcess, tempDir } from "./support/server-process.ts";

const long = process.env.LINESHAFT_LONG === "1";
vi.setConfig({ testTimeout: 120_000 });
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});

const template = {
  topic: "Northfield/{machine}",
  payload: "json",
  timePath: "t",
  timeUnit: "ms",
  values: [{ path: "v" }],
};
const atBroker = { name: "presses", kind: "mqtt-broker", config: { templates: [template] } };
const startMs = 1_700_000_000_000;
const point = (i: number): string => JSON.stringify({ t: startMs + i, v: i });

async function start(
  connections: readonly Record<string, unknown>[],
  options: Partial<ServerOptions> = {},
): Promise<{ server: ServerProcess; rest: Rest }> {
  const dir = tempDir();
  cleanUp.push(() => dir.remove());
  const server = await ServerProcess.start({ dataDir: dir.path, flags: ["--mqtt-port", "0"], ...options });
  cleanUp.push(() => server.kill("SIGTERM"));
  const rest = new Rest(server.url, server.adminSecret ?? "");
  await declare(rest, connections);
  for (const { name } of connections) await reading(rest, name as string);
  return { server, rest };
}

/** The values of the machine's tag, in order of their times; without the marks of staleness, which stand at the server's time. */
async function stored(rest: Rest, connection: string, address: string): Promise<unknown[]> {
  await rest.settle();
  const { items } = await rest.get<{ items: { id: number; address: string }[] }>(
    `/api/v1/tags?connection=${connection}`,
  );
  const tag = items.find((item) => item.address === address);
  if (tag === undefined) return [];
  return (await rest.raw([tag.id], startMs * 1000, (startMs + 1_000_000) * 1000)).map(([, , value]) => value);
}
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe("F28: an asymmetric partition", () => {
  test("what arrives is acknowledged, but no acknowledgement does: it comes again, and is stored once", async () => {
    const { server, rest } = await start([atBroker]);
    const proxy = await ChaosProxy.start({ host: "127.0.0.1", port: Number(new URL(server.mqttUrl).port) });
    cleanUp.push(() => proxy.stop());
    const mqttUrl = `mqtt://127.0.0.1:${proxy.address.port}`;
    const change = { clean: false, reconnectPeriod: 50, keepalive: 1, properties: { sessionExpiryInterval: 60 } };
    const press = await dial({ mqttUrl }, await deviceKey(rest, "press"), change);
    cleanUp.push(() => press.end(true));
    await press.publishAsync("Northfield/press", point(0), { qos: 1 });
    proxy.mode = "noAnswers";
    let answered = 0;
    const sent = upTo(100)
      .slice(1)
      .map((i) => press.publishAsync("Northfield/press", point(i), { qos: 1 }).then(() => answered++));
    await until(
      "all are stored",
      () => stored(rest, "presses", "Northfield/press/v"),
      (found) => found.length === 100,
    );
    expect(answered).toBe(0);
    const before = proxy.attempts;
    await until(
      "the press gives the connection up by itself",
      () => proxy.attempts,
      (n) => n > before,
      60_000,
    );
    proxy.mode = "pass";
    proxy.drop();
    await Promise.all(sent);
    expect(await stored(rest, "presses", "Northfield/press/v")).toEqual(upTo(100));
    const sums = await rest.settle();
    expect(sums.duplicates).toBeGreaterThanOrEqual(99);
    expect(sums).toMatchObject({ balanced: true, pending: 0, rejected: 0, dropped: 0 });
  });

  test.skipIf(!hasPeer("mosquitto"))(
    "our own acknowledgements do not arrive at a broker: few are in flight, all come again, none is stored twice",
    async () => {
      const mosquitto = await startMosquitto();
      cleanUp.push(() => mosquitto.stop());
      const { rest, proxy } = await atMosquitto(mosquitto);
      const press = await connectAsync(`mqtt://127.0.0.1:${mosquitto.port}`, { clientId: "press" });
      cleanUp.push(() => press.end(true));
      await press.publishAsync("Northfield/press", point(0), { qos: 1 });
      await until(
        "the first",
        () => stored(rest, "line", "Northfield/press/v"),
        (found) => found.length === 1,
      );
      proxy.mode = "noRequests";
      const before = proxy.attempts;
      for (let i = 1; i < 300; i++) await press.publishAsync("Northfield/press", point(i), { qos: 1 });
      const meanwhile = await until(
        "what may be in flight is stored",
        () => stored(rest, "line", "Northfield/press/v"),
        (found) => found.length > 1,
      );
      // What mosquitto sends without an acknowledgement: 20 by default.
      expect(meanwhile.length).toBeLessThanOrEqual(21);
      await until(
        "the loss is noticed",
        () => proxy.attempts,
        (n) => n > before,
      );
      proxy.mode = "pass";
      proxy.drop();
      await until(
        "the rest",
        () => stored(rest, "line", "Northfield/press/v"),
        (found) => found.length === 300,
      );
      expect(await stored(rest, "line", "Northfield/press/v")).toEqual(upTo(300));
    },
  );
});

/** Our server reads from a mosquitto, through a proxy. */
async function atMosquitto(mosquitto: Mosquitto): Promise<{ rest: Rest; proxy: ChaosProxy }> {
  const proxy = await ChaosProxy.start({ host: "127.0.0.1", port: mosquitto.port });
  cleanUp.push(() => proxy.stop());
  const server = { ...proxy.address, keepAliveSeconds: 1 };
  const { rest } = await start([{ name: "line", kind: "mqtt", config: { server, templates: [template] } }], {
    flags: [],
  });
  return { rest, proxy };
}

describe.skipIf(!hasPeer("mosquitto"))("an external broker goes away", () => {
  const stale = (rest: Rest): Promise<unknown> =>
    until(
      "the value is marked stale",
      () => lastValue(rest, "line", "Northfield/press/v"),
      (found) => found?.status === statusBadNoCommunication,
    );

  test("F1: it closes: the value stays, marked; it comes back: values again, and none was lost meanwhile", async () => {
    const mosquitto = await startMosquitto();
    cleanUp.push(() => mosquitto.stop());
    const { rest, proxy } = await atMosquitto(mosquitto);
    const press = await connectAsync(`mqtt://127.0.0.1:${mosquitto.port}`, { clientId: "press" });
    cleanUp.push(() => press.end(true));
    await press.publishAsync("Northfield/press", point(0), { qos: 1 });
    await until(
      "the value",
      () => lastValue(rest, "line", "Northfield/press/v"),
      (found) => found?.status === 0,
    );
    proxy.mode = "refuse";
    proxy.drop();
    await stale(rest);
    expect((await lastValue(rest, "line", "Northfield/press/v"))?.value).toBe(0);
    for (let i = 1; i < 50; i++) await press.publishAsync("Northfield/press", point(i), { qos: 1 });
    proxy.mode = "pass";
    await until(
      "the rest",
      () => stored(rest, "line", "Northfield/press/v"),
      (found) => found.length === 50,
      60_000,
    );
    expect(await stored(rest, "line", "Northfield/press/v")).toEqual(upTo(50));
  });

  test("F2: the cable is pulled: noticed within 1.5 × keep-alive, and nothing is lost", async () => {
    const mosquitto = await startMosquitto();
    cleanUp.push(() => mosquitto.stop());
    const { rest, proxy } = await atMosquitto(mosquitto);
    const press = await connectAsync(`mqtt://127.0.0.1:${mosquitto.port}`, { clientId: "press" });
    cleanUp.push(() => press.end(true));
    await press.publishAsync("Northfield/press", point(0), { qos: 1 });
    await until(
      "the value",
      () => lastValue(rest, "line", "Northfield/press/v"),
      (found) => found?.status === 0,
    );
    proxy.mode = "blackHole";
    const cut = performance.now();
    for (let i = 1; i < 50; i++) await press.publishAsync("Northfield/press", point(i), { qos: 1 });
    await stale(rest);
    // 1.5 s on a quiet machine.
    expect(performance.now() - cut).toBeLessThan(7500);
    proxy.mode = "pass";
    proxy.drop();
    await until(
      "the rest",
      () => stored(rest, "line", "Northfield/press/v"),
      (found) => found.length === 50,
      60_000,
    );
    expect(await stored(rest, "line", "Northfield/press/v")).toEqual(upTo(50));
  });
});

test("F33: a frozen subscriber is cut off after ten seconds, and nobody else notices it", async () => {
  const { server, rest } = await start([atBroker]);
  const screenKey = await deviceKey(rest, "screen", { role: "viewer" });
  const [frozen, screen] = [
    await dial(server, screenKey, { clientId: "frozen", keepalive: 120 }),
    await dial(server, screenKey, { clientId: "screen" }),
  ];
  const press = await dial(server, await deviceKey(rest, "press"), { keepalive: 120 });
  cleanUp.push(() => [frozen, screen, press].map((client) => client.end(true)));
  let seen = 0;
  screen.on("message", () => seen++);
  for (const client of [frozen, screen]) await client.subscribeAsync("Northfield/#", { qos: 1 });
  (frozen.stream as unknown as Socket).pause();
  // More than the kernel and the broker keep for it.
  const filler = "x".repeat(60_000);
  const slowest = { ms: 0 };
  let sent = 0;
  const send = async (): Promise<void> => {
    const began = performance.now();
    await press.publishAsync("Northfield/press", JSON.stringify({ t: startMs + sent, v: sent, filler }), { qos: 1 });
    slowest.ms = Math.max(slowest.ms, performance.now() - began);
    sent++;
  };
  while (sent < 400) await send();
  const cut = (): Promise<number> => rest.system().then(({ mqtt }) => mqtt?.clients ?? -1);
  const began = performance.now();
  while ((await cut()) > 2) {
    await send();
    expect(performance.now() - began).toBeLessThan(50_000);
  }
  await until(
    "the other subscriber has everything",
    () => seen,
    (n) => n === sent,
  );
  expect(await stored(rest, "presses", "Northfield/press/v")).toEqual(upTo(sent));
  expect(slowest.ms).toBeLessThan(5000);
});

test("F25: one client makes up topics without end: its connection keeps to its quota, the rest is kept as refused, memory stays flat", {
  timeout: 3_600_000,
}, async () => {
  const [quota, many] = [2000, long ? 1_000_000 : 30_000];
  const { server, rest } = await start([{ ...atBroker, tagQuota: quota }]);
  const press = await dial(server, await deviceKey(rest, "press"), { keepalive: 120 });
  const bomb = await dial(server, await deviceKey(rest, "bomb"), { keepalive: 120 });
  cleanUp.push(() => [press, bomb].map((client) => client.end(true)));
  await press.publishAsync("Northfield/press", point(0), { qos: 1 });
  const before = (await rest.system()).process.rssBytes;
  let next = 0;
  const flood = async (): Promise<void> => {
    // Retained, so that the broker's own memory is filled as well.
    for (let i = next++; i < many; i = next++)
      await bomb.publishAsync(`Northfield/bomb ${i}`, point(i), { qos: 1, retain: true });
  };
  await Promise.all(upTo(200).map(flood));
  await press.publishAsync("Northfield/press", point(1), { qos: 1 });
  expect(await stored(rest, "presses", "Northfield/press/v")).toEqual([0, 1]);
  const sums = await rest.settle(60_000);
  expect(sums).toMatchObject({ balanced: true, stored: quota + 1, rejected: many - (quota - 1), dropped: 0 });
  const { items } = await rest.get<{ items: { code: string }[] }>("/api/v1/rejected?connection=presses&limit=1");
  expect(items[0]).toMatchObject({ code: "quota_tags", connection: "presses" });
  expect((await rest.system()).process.rssBytes - before).toBeLessThan(400e6);
  expect(server.stderr.split("\n").filter((line) => line.includes("quota_tags")).length).toBeLessThanOrEqual(5);
});

/** A device in a few bytes: CONNECT, and what comes back. Dials again until it is in. */
class Device {
  online = false;
  closed = false;
  #socket: Socket | null = null;
  readonly #port: number;
  readonly #key: { id: string; secret: string };
  readonly #number: number;

  constructor(port: number, key: { id: string; secret: string }, number: number) {
    this.#port = port;
    this.#key = key;
    this.#number = number;
    this.#dial();
  }

  #dial(): void {
    const text = (value: string): Buffer =>
      Buffer.concat([Buffer.from([value.length >> 8, value.length & 255]), Buffer.from(value)]);
    const body = Buffer.concat([
      Buffer.from([0, 4, 77, 81, 84, 84, 4, 0xc2, 0, 120]),
      ...[`${this.#key.id}-${this.#number}`, "device", this.#key.secret].map(text),
    ]);
    const socket = createConnection(this.#port, "127.0.0.1");
    this.#socket = socket;
    socket.on("error", () => undefined);
    socket.once("connect", () => socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body])));
    socket.once("data", (answer: Buffer) => {
      this.online = answer[0] === 0x20 && answer[3] === 0;
    });
    socket.once("close", () => {
      this.online = false;
      // With jitter, as devices should.
      if (!this.closed) setTimeout(() => !this.closed && this.#dial(), 200 + Math.random() * 800).unref();
    });
  }

  close(): void {
    this.closed = true;
    this.#socket?.destroy();
  }
}

describe("F36: more than there is room for", () => {
  test("few file descriptors: devices take no more than their share; reading, writing and readiness go on", async () => {
    const wrap = ["bash", "-c", 'ulimit -n 256 && exec "$@"', "bash"];
    const { server, rest } = await start([atBroker], { wrap });
    const key = await deviceKey(rest, "fleet");
    const press = await dial(server, key, { clientId: "press" });
    cleanUp.push(() => press.end(true));
    const { port } = new URL(server.mqttUrl);
    const fleet = upTo(400).map((i) => new Device(Number(port), key, i));
    cleanUp.push(() => fleet.map((device) => device.close()));
    const online = (): number => fleet.filter((device) => device.online).length;
    await until("as many as may", online, (n) => n >= 60);
    for (let i = 0; i < 50; i++) {
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
      await press.publishAsync("Northfield/press", point(i), { qos: 1 });
    }
    // 256 × ¾ − 128.
    await until(
      "no more than their share",
      () => rest.system(),
      ({ mqtt }) => mqtt?.clients === 64,
    );
    expect(await stored(rest, "presses", "Northfield/press/v")).toEqual(upTo(50));
    for (const device of fleet) device.close();
    await until(
      "there is room again",
      () => rest.system(),
      ({ mqtt }) => mqtt?.clients === 1,
    );
    const late = await dial(server, key, { clientId: "late" });
    late.end(true);
  });

  test("the server restarts and everybody comes back at once: all are in again, while it stays ready", {
    timeout: 300_000,
  }, async () => {
    const many = long ? 15_000 : 1000;
    const dir = tempDir();
    cleanUp.push(() => dir.remove());
    let server = await ServerProcess.start({ dataDir: dir.path, flags: ["--mqtt-port", "0"] });
    const secret = server.adminSecret ?? "";
    const { port } = new URL(server.mqttUrl);
    await declare(new Rest(server.url, secret), [atBroker]);
    const key = await deviceKey(new Rest(server.url, secret), "fleet");
    const fleet = upTo(many).map((i) => new Device(Number(port), key, i));
    cleanUp.push(() => fleet.map((device) => device.close()));
    const online = (): number => fleet.filter((device) => device.online).length;
    await until("all are in", online, (n) => n === many, 120_000);
    await server.kill("SIGKILL");
    await until("all are out", online, (n) => n === 0);
    server = await ServerProcess.start({ dataDir: dir.path, flags: ["--mqtt-port", port] });
    cleanUp.push(() => server.kill("SIGTERM"));
    const rest = new Rest(server.url, secret);
    const began = performance.now();
    let slowestMs = 0;
    let asked = 0;
    do {
      const asking = performance.now();
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
      const { status } = await rest.ingest("oven", { points: [{ tag: "t", value: ++asked }] });
      expect(status).toBe(200);
      slowestMs = Math.max(slowestMs, performance.now() - asking);
      await sleep(20);
    } while (online() < many && performance.now() - began < 240_000);
    expect(online()).toBe(many);
    expect(slowestMs).toBeLessThan(5000);
    expect((await rest.system()).mqtt?.clients).toBe(many);
  });
});
