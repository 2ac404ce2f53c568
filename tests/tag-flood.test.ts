import type { Connection } from "@lineshaft/contract/api";
import type { MqttClient } from "mqtt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { declare, deviceKey, dial, reading } from "./support/mqtt.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

const machines = 200;
const tagsPerMachine = 50;
const base = 1_795_000_000_000;

/** Every value of one machine at one instant, as it would send them. */
const reportOf = (machine: number, scan: number): string => {
  const values = Array.from({ length: tagsPerMachine }, (_, k) => `"v${k}":${machine + k + scan}`);
  return `{"t":${base + scan},${values.join(",")}}`;
};
const template = { payload: "json", timePath: "t", timeUnit: "ms" };
const newcomers = (tagQuota?: number) => ({
  name: "newcomers",
  kind: "mqtt-broker",
  ...(tagQuota === undefined ? {} : { tagQuota }),
  config: { templates: [{ topic: "plant/new/{machine}", ...template }] },
});

describe("F24: a flood of tags and a burst", () => {
  let dir: ReturnType<typeof tempDir>;
  let server: ServerProcess;
  let rest: Rest;
  const clients: MqttClient[] = [];

  const start = async (flags: string[], connections: Record<string, unknown>[]): Promise<void> => {
    server = await ServerProcess.start({ dataDir: dir.path, flags: ["--mqtt-port", "0", ...flags] });
    rest = new Rest(server.url, server.adminSecret ?? "");
    await declare(rest, connections);
    for (const { name } of connections) await reading(rest, String(name));
  };
  const connect = async (name: string): Promise<MqttClient> => {
    const client = await dial(server, await deviceKey(rest, name));
    clients.push(client);
    return client;
  };
  const sumsOf = async (name: string): Promise<Connection["sums"]> =>
    (await rest.get<Connection>(`/api/v1/connections/${name}`)).sums;

  beforeEach(() => {
    dir = tempDir();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.end(true);
    await server.kill("SIGTERM");
    dir.remove();
  });

  test("F24: 200 machines of 50 tags come at once while others stream: all is registered, nothing of anybody is lost", async () => {
    const others = {
      name: "others",
      kind: "mqtt-broker",
      config: { templates: [{ topic: "plant/old/{machine}", ...template }] },
    };
    await start([], [others, newcomers()]);
    const [old, gateway] = [await connect("old"), await connect("gateway")];
    let flooding = true;
    let sent = 0;
    const streaming = (async () => {
      // One after the other: each is durable before the next, so `sent` is what must be there.
      for (; flooding || sent < 20; sent++) await old.publishAsync("plant/old/m", reportOf(0, sent), { qos: 1 });
    })();
    const flood = Array.from({ length: machines }, (_, m) =>
      gateway.publishAsync(`plant/new/m${m}`, reportOf(m, 0), { qos: 1 }),
    );
    await Promise.all(flood);
    flooding = false;
    await streaming;
    const { balanced } = await rest.settle();
    expect(balanced).toBe(true);
    const all = machines * tagsPerMachine;
    expect(await sumsOf("newcomers")).toMatchObject({ offered: all, stored: all, rejected: 0 });
    expect(await sumsOf("others")).toMatchObject({ stored: sent * tagsPerMachine, rejected: 0 });
    const { tags } = await rest.get<Connection>("/api/v1/connections/newcomers");
    expect(tags).toBe(all);
  });

  test("F24: beyond a connection's tag quota values are kept as refused, with their reason; known tags go on", async () => {
    const tagQuota = 1000;
    await start([], [newcomers(tagQuota)]);
    const gateway = await connect("gateway");
    for (const scan of [0, 1])
      await Promise.all(
        Array.from({ length: machines }, (_, m) =>
          gateway.publishAsync(`plant/new/m${m}`, reportOf(m, scan), { qos: 1 }),
        ),
      );
    const { balanced } = await rest.settle();
    expect(balanced).toBe(true);
    const offered = 2 * machines * tagsPerMachine;
    expect(await sumsOf("newcomers")).toMatchObject({
      offered,
      stored: 2 * tagQuota,
      rejected: offered - 2 * tagQuota,
    });
    const { items } = await rest.get<{ items: { code: string; connection: string }[] }>("/api/v1/rejected?limit=5");
    expect(items.map(({ code, connection }) => [code, connection])).toEqual(
      items.map(() => ["quota_tags", "newcomers"]),
    );
    expect(items.length).toBeGreaterThan(0);
  });

  test("F24: ten times the allowed rate: over HTTP it is 429 with a time to wait, over MQTT the acknowledgement waits; in the end all is there", async () => {
    // Half of a second's burst is free, the rest must wait.
    await start(["--rate-quota", "2000"], [newcomers()]);
    const gateway = await connect("gateway");
    const mqtt = Array.from({ length: machines }, (_, m) =>
      gateway.publishAsync(`plant/new/m${m}`, reportOf(m, 0), { qos: 1 }),
    );
    let refusals = 0;
    const rows = 1000;
    for (let n = 0; n < 8; ) {
      const points = Array.from({ length: rows }, (_, i) => ({ tag: `t${i}`, time: (base + n) * 1000, value: i }));
      const { status, body } = await rest.ingest("burst", { points });
      if (status === 200) {
        n++;
        continue;
      }
      expect([status, body.code]).toEqual([429, "quota_rate"]);
      expect(body).toMatchObject({ retryAfterSeconds: expect.any(Number) });
      refusals++;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(refusals).toBeGreaterThan(0);
    await Promise.all(mqtt);
    const { balanced } = await rest.settle();
    expect(balanced).toBe(true);
    const all = machines * tagsPerMachine;
    expect(await sumsOf("newcomers")).toMatchObject({ offered: all, stored: all, rejected: 0 });
    expect(await sumsOf("burst")).toMatchObject({ offered: 8 * rows, stored: 8 * rows, rejected: 0 });
  });
});
