import type { SystemStatus } from "@lineshaft/contract/api";
import { hasPeer } from "@lineshaft/testkit";
import type { MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { TestCertificates } from "../integration/connectivity/kit/mqtt/test/certificates.ts";
import { declare, deviceKey, dial, lastValue, reading, until } from "./support/mqtt.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

const presses = {
  name: "presses",
  kind: "mqtt-broker",
  config: {
    templates: [
      {
        topic: "Northfield/{line}/{machine}",
        tag: "{line}.{machine}",
        payload: "json",
        timePath: "t",
        timeUnit: "ms",
        values: [{ path: "v" }],
      },
    ],
  },
};

/** A real server with its broker switched on, and a client that we did not write. */
describe("the embedded MQTT broker", () => {
  const dir = tempDir();
  let server: ServerProcess;
  let rest: Rest;
  const clients: MqttClient[] = [];
  const start = async (): Promise<void> => {
    const secret = server?.adminSecret;
    server = await ServerProcess.start({ dataDir: dir.path, flags: ["--mqtt-port", "0"] });
    rest = new Rest(server.url, secret ?? server.adminSecret ?? "");
    server.adminSecret ??= secret ?? null;
  };
  const connect = async (...[key, options]: [Parameters<typeof dial>[1], Parameters<typeof dial>[2]?]) => {
    const client = await dial(server, key, options);
    clients.push(client);
    return client;
  };
  const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => "accepted",
      (error: { code?: unknown; message: string }) => error.code ?? error.message,
    );

  beforeAll(async () => {
    await start();
    await declare(rest, [presses]);
    await reading(rest, "presses");
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.end(true);
  });
  afterAll(async () => {
    await server.kill("SIGTERM");
    dir.remove();
  });

  test.each([4, 5] as const)("QoS 1 with an API key as password (protocol level %i)", async (protocolVersion) => {
    const key = await deviceKey(rest, `press ${protocolVersion}`);
    const client = await connect(key, { protocolVersion });
    const before = (await rest.system()).log.durableLsn;
    await client.publishAsync(`Northfield/1/press${protocolVersion}`, '{"t":1795000000000,"v":21.5}', { qos: 1 });
    // Acknowledged: so it is in the log already, whatever the views know.
    expect((await rest.system()).log.durableLsn).toBeGreaterThan(before);
    const address = `1.press${protocolVersion}/v`;
    const value = await until(
      "the value",
      () => lastValue(rest, "presses", address),
      (found) => found !== null,
    );
    expect(value).toMatchObject({ value: 21.5, time: 1_795_000_000_000_000, status: 0 });
    const { mqtt } = await rest.system();
    expect(mqtt).toMatchObject({ port: Number(new URL(server.mqttUrl).port), tls: false });
    expect(mqtt?.received).toBeGreaterThan(0);
  });

  test("what was acknowledged is there after kill -9, and after the restart nothing is acknowledged before the connection stands", async () => {
    const key = await deviceKey(rest, "press 2");
    const client = await connect(key);
    // Times of now: the start after a kill marks what stood then, at the last proof of life.
    const send = async (from: MqttClient, v: number): Promise<number> => {
      const t = Date.now();
      await from.publishAsync("Northfield/1/press2", JSON.stringify({ t, v }), { qos: 1 });
      return t * 1000;
    };
    const times = [await send(client, 1)];
    await server.kill("SIGKILL");
    await start();
    times.push(await send(await connect(key), 2));
    expect((await rest.system()).mqtt?.unclaimed).toBe(0);
    await rest.settle();
    const tag = await rest.get<{ items: { id: number }[] }>("/api/v1/tags?connection=presses&search=press2");
    const rows = await rest.raw([tag.items[0].id], times[0], times[1] + 1);
    expect(rows.filter(([, time]) => times.includes(time)).map(([, , v]) => v)).toEqual([1, 2]);
  });

  test("while a changed connection restarts nothing is acknowledged and lost", async () => {
    const key = await deviceKey(rest, "press 3");
    const client = await connect(key);
    let stop = false;
    let sent = 0;
    const sending = (async () => {
      while (!stop) {
        await client.publishAsync("Northfield/1/press3", `{"t":${1_795_000_000_000 + sent},"v":${sent}}`, { qos: 1 });
        sent++;
      }
    })();
    for (const topic of ["Southfield/{m}", "Eastfield/{m}", "Westfield/{m}"]) {
      const [template] = presses.config.templates;
      const before = sent;
      await declare(rest, [{ ...presses, config: { templates: [template, { topic }] } }]);
      await until(
        "a hundred more",
        () => sent,
        (n) => n > before + 100,
      );
    }
    stop = true;
    await sending;
    await rest.settle();
    const { items } = await rest.get<{ items: { id: number }[] }>("/api/v1/tags?connection=presses&search=press3");
    const rows = await rest.raw([items[0].id], 1_795_000_000_000_000, 1_796_000_000_000_000);
    // Each restart marks the tag stale with a row of its own, at the server's time.
    const own = rows.filter(([, time]) => time < 1_795_000_000_000_000 + sent * 1000);
    expect(own.map(([, , v]) => v)).toEqual(Array.from({ length: sent }, (_, i) => i));
  });

  test("A18: no key, a wrong one, the admin secret, a viewer's publish: all refused", async () => {
    const key = await deviceKey(rest, "press 4");
    const nobody = { username: undefined, password: undefined };
    expect(await reasonOf(connect(key, nobody))).toBe(0x87);
    expect(await reasonOf(connect({ ...key, secret: `${key.secret.slice(0, -1)}x` }))).toBe(0x86);
    expect(await reasonOf(connect({ ...key, secret: server.adminSecret ?? "" }))).toBe(0x86);
    const viewer = await connect(await deviceKey(rest, "screen", { role: "viewer" }));
    expect(await reasonOf(viewer.publishAsync("Northfield/1/x", '{"v":1}', { qos: 1 }))).toBe(0x87);
  });

  test("A19: a key with a scope publishes within it only, and is cut off when it goes on trying", async () => {
    const key = await deviceKey(rest, "line 1", { scopes: ["Northfield/1"] });
    const client = await connect(key);
    await client.publishAsync("Northfield/1/press9", '{"t":1795000000000,"v":9}', { qos: 1 });
    await until(
      "the value",
      () => lastValue(rest, "presses", "1.press9/v"),
      (found) => found?.value === 9,
    );
    const refused = (await rest.system()).mqtt?.refused ?? 0;
    for (let i = 0; i < 9; i++)
      expect(await reasonOf(client.publishAsync("Northfield/2/press9", '{"v":1}', { qos: 1 }))).toBe(0x87);
    expect((await rest.system()).mqtt?.refused).toBe(refused + 9);
    client.publish("Northfield/10/press9", "{}", { qos: 1 });
    await until("it is cut off", () => !client.connected);
    // MQTT 3.1.1 has no answer that says no, so that its first one ends the connection.
    const old = await connect(key, { protocolVersion: 4, clientId: `${key.id}-old` });
    old.publish("Northfield/2/press9", '{"v":1}', { qos: 1 });
    await until("it is cut off too", () => !old.connected);
  });

  test("A20: a sender may neither leave commands as its will nor send them; an engineer's key may", async () => {
    const key = await deviceKey(rest, "press 5");
    const will = { topic: "spBv1.0/G/NCMD/N", payload: Buffer.from("x"), qos: 1 as const, retain: false };
    expect(await reasonOf(connect(key, { will }))).toBe(0x87);
    const client = await connect(key);
    expect(await reasonOf(client.publishAsync(will.topic, "x", { qos: 1 }))).toBe(0x87);
    const engineer = await connect(await deviceKey(rest, "engineer", { role: "engineer" }));
    expect(await reasonOf(engineer.publishAsync(will.topic, "x", { qos: 1 }))).toBe("accepted");
  });

  test("A21: a sender hears its commands and nothing else", async () => {
    const key = await deviceKey(rest, "node", { scopes: ["Northfield/1"] });
    const client = await connect(key);
    for (const topic of ["#", "Northfield/#", "spBv1.0/#", "spBv1.0/Northfield:2/NCMD/#", "$SYS/#"])
      expect(await reasonOf(client.subscribeAsync(topic, { qos: 1 }))).toBe("Subscribe error: Not authorized");
    await client.subscribeAsync("spBv1.0/Northfield:1/NCMD/#", { qos: 1 });
    await client.subscribeAsync("spBv1.0/STATE/+", { qos: 1 });
  });

  test("A22: nobody takes a client id of another key; the victim stays", async () => {
    const [key, thief] = [await deviceKey(rest, "victim"), await deviceKey(rest, "thief")];
    const victim = await connect(key, { clientId: "filler-7" });
    expect(await reasonOf(connect(thief, { clientId: "filler-7" }))).toBe(0x85);
    // Nor one that a key has for itself and has not used yet.
    expect(await reasonOf(connect(thief, { clientId: key.id }))).toBe(0x85);
    expect(await reasonOf(connect(thief, { clientId: `${key.id}-2` }))).toBe(0x85);
    await victim.publishAsync("Northfield/1/victim", '{"t":1795000000000,"v":1}', { qos: 1 });
    expect(victim.connected).toBe(true);
  });

  test("A26: a revoked key is cut off, and what it left as retained is not delivered any more", async () => {
    const key = await deviceKey(rest, "old press");
    const press = await connect(key);
    await press.publishAsync("Northfield/1/old", '{"t":1795000000000,"v":1}', { qos: 1, retain: true });
    const screen = await connect(await deviceKey(rest, "screen", { role: "viewer" }));
    const seen: string[] = [];
    screen.on("message", (topic) => void seen.push(topic));
    await screen.subscribeAsync("Northfield/1/old", { qos: 1 });
    await until("the retained message", () => seen.length === 1);
    await rest.request("DELETE", `/api/v1/keys/${key.id}`);
    await until("it is cut off", () => !press.connected);
    await screen.unsubscribeAsync("Northfield/1/old");
    await screen.subscribeAsync("Northfield/1/old", { qos: 1 });
    const other = await connect(await deviceKey(rest, "new press"));
    await screen.subscribeAsync("Northfield/1/new", { qos: 1 });
    await other.publishAsync("Northfield/1/new", '{"t":1795000000000,"v":1}', { qos: 1 });
    await until("what comes behind it", () => seen.includes("Northfield/1/new"));
    expect(seen).toEqual(["Northfield/1/old", "Northfield/1/new"]);
    expect(await reasonOf(connect(key))).toBe(0x86);
  });

  test("an expired key is cut off", async () => {
    const expiresUs = (await rest.get<SystemStatus>("/api/v1/system")).nowUs + 1_500_000;
    const client = await connect(await deviceKey(rest, "guest", { expiresUs }));
    await until("it is cut off", () => !client.connected);
  });
});

describe.skipIf(!hasPeer("openssl"))("MQTT over TLS", () => {
  const dir = tempDir();
  const certificates = hasPeer("openssl") ? new TestCertificates() : null;
  let server: ServerProcess;
  let rest: Rest;
  const pem = (file: string): string => certificates?.pem(file) ?? "";

  beforeAll(async () => {
    certificates?.authority("plant");
    certificates?.issue("server", "server", "plant");
    const file = (name: string): string => certificates?.path(name) ?? "";
    const tls = ["--mqtt-tls-cert", file("server.crt"), "--mqtt-tls-key", file("server.key")];
    const flags = ["--mqtt-port", "0", "--mqtt-host", "0.0.0.0", ...tls, "--mqtt-tls-ca", file("plant.crt")];
    server = await ServerProcess.start({ dataDir: dir.path, flags });
    rest = new Rest(server.url, server.adminSecret ?? "");
    await declare(rest, [presses]);
    await reading(rest, "presses");
  });
  afterAll(async () => {
    await server.kill("SIGTERM");
    dir.remove();
    certificates?.remove();
  });
  const mqttUrl = (): string => server.mqttUrl.replace("0.0.0.0", "127.0.0.1");

  test("a key over TLS", async () => {
    expect(server.mqttUrl).toMatch(/^mqtts:/);
    const client = await dial({ mqttUrl: mqttUrl() }, await deviceKey(rest, "press"), { ca: pem("plant.crt") });
    await client.publishAsync("Northfield/1/tls", '{"t":1795000000000,"v":1}', { qos: 1 });
    client.end(true);
    expect((await rest.system()).mqtt).toMatchObject({ tls: true });
  });

  test("a certificate that names a key's id stands for the key, as long as the key is good", async () => {
    const key = await deviceKey(rest, "oven", { scopes: ["Northfield/1"] });
    certificates?.issue("oven", key.id, "plant");
    const identity = { ca: pem("plant.crt"), cert: pem("oven.crt"), key: pem("oven.key") };
    const options = { ...identity, username: undefined, password: undefined };
    const client = await dial({ mqttUrl: mqttUrl() }, key, options);
    await client.publishAsync("Northfield/1/oven", '{"t":1795000000000,"v":2}', { qos: 1 });
    await until(
      "the value",
      () => lastValue(rest, "presses", "1.oven/v"),
      (found) => found?.value === 2,
    );
    await expect(client.publishAsync("Northfield/2/oven", "{}", { qos: 1 })).rejects.toMatchObject({ code: 0x87 });
    await rest.request("DELETE", `/api/v1/keys/${key.id}`);
    await until("it is cut off", () => !client.connected);
    await expect(dial({ mqttUrl: mqttUrl() }, key, options)).rejects.toMatchObject({ code: 0x86 });
  });
});
