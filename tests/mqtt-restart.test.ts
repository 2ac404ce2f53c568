// F5: the broker ends and comes back, again and again, while devices send at QoS 1. The oracle is the list of what each device was told.
import { setTimeout as sleep } from "node:timers/promises";
import { hasPeer } from "@lineshaft/testkit";
import { connectAsync, type MqttClient } from "mqtt";
import { afterEach, describe, expect, test, vi } from "vitest";
import { startMosquitto } from "../integration/connectivity/kit/mqtt/test/mosquitto.ts";
import { declare, deviceKey, dial, reading, until } from "./support/mqtt.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

const long = process.env.LINESHAFT_LONG === "1";
const rounds = long ? 200 : 5;
vi.setConfig({ testTimeout: rounds * 60_000 });

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});

const templates = [
  { topic: "Northfield/{machine}", payload: "json", timePath: "t", timeUnit: "ms", values: [{ path: "v" }] },
];
const startMs = 1_700_000_000_000;
const devices = 3;
/** Of one device, not acknowledged yet. */
const window = 20;
const signals = ["SIGTERM", "SIGKILL"] as const;

/** A device that counts: it sends the next number as soon as one of the window is acknowledged, and keeps the others to send them again. */
class Producer {
  acknowledged = 0;
  #next = 0;
  #sending = true;
  readonly #all: Promise<unknown>[] = [];
  readonly #client: MqttClient;
  readonly #topic: string;

  constructor(client: MqttClient, topic: string) {
    this.#client = client;
    this.#topic = topic;
    for (let i = 0; i < window; i++) this.#all.push(this.#send());
  }

  async #send(): Promise<void> {
    while (this.#sending) {
      const i = this.#next++;
      await this.#client.publishAsync(this.#topic, JSON.stringify({ t: startMs + i, v: i }), { qos: 1 });
      this.acknowledged++;
      // Some thousand a second of all of them: load enough, and room for what else runs on the machine.
      await sleep(5);
    }
  }

  /** Sends no new ones; resolves with their number, when all are acknowledged. */
  async finish(): Promise<number> {
    this.#sending = false;
    await Promise.all(this.#all);
    return this.#next;
  }

  /** Once more, whether or not they were acknowledged. */
  again(from: number): Promise<unknown> {
    const repeat = (i: number): Promise<unknown> =>
      this.#client.publishAsync(this.#topic, JSON.stringify({ t: startMs + i, v: i }), { qos: 1 });
    return Promise.all(Array.from({ length: this.#next - from }, (_, k) => repeat(from + k)));
  }
}

/** Lost 0 and duplicates 0 after identity: each device's tag holds 0, 1, 2 … and nothing else at the device's times. */
async function checkAll(rest: Rest, connection: string, sent: readonly number[]): Promise<void> {
  const sums = await rest.settle(60_000);
  expect(sums).toMatchObject({ balanced: true, pending: 0, rejected: 0, dropped: 0 });
  const { items } = await rest.get<{ items: { id: number; address: string }[] }>(
    `/api/v1/tags?connection=${connection}`,
  );
  for (const [device, count] of sent.entries()) {
    const tag = items.find(({ address }) => address === `Northfield/m${device}/v`);
    const rows = await rest.raw([tag?.id ?? -1], startMs * 1000, (startMs + 10_000_000) * 1000);
    expect(rows.map(([, , v]) => v)).toEqual(Array.from({ length: count }, (_, i) => i));
  }
}

describe("F5: the broker restarts under load", () => {
  test(`the embedded one, ${rounds} times by SIGTERM or kill −9`, async () => {
    const dir = tempDir();
    cleanUp.push(() => dir.remove());
    let server = await ServerProcess.start({ dataDir: dir.path, flags: ["--mqtt-port", "0"] });
    cleanUp.push(() => server.kill("SIGTERM"));
    const secret = server.adminSecret ?? "";
    const { port } = new URL(server.mqttUrl);
    let rest = new Rest(server.url, secret);
    await declare(rest, [{ name: "presses", kind: "mqtt-broker", config: { templates } }]);
    await reading(rest, "presses");
    const key = await deviceKey(rest, "presses");
    const producers: Producer[] = [];
    for (let device = 0; device < devices; device++) {
      const change = {
        clientId: `${key.id}-${device}`,
        clean: false,
        reconnectPeriod: 100,
        protocolVersion: 4,
      } as const;
      const client = await dial(server, key, change);
      cleanUp.push(() => client.end(true));
      producers.push(new Producer(client, `Northfield/m${device}`));
    }
    const acknowledged = (): number => producers.reduce((sum, producer) => sum + producer.acknowledged, 0);
    for (let round = 0; round < rounds; round++) {
      const before = acknowledged();
      await until("the load runs", acknowledged, (n) => n > before + 100, 60_000);
      await sleep(Math.random() * 500);
      await server.kill(signals[round % 2]);
      server = await ServerProcess.start({ dataDir: dir.path, flags: ["--mqtt-port", port] });
    }
    const sent = await Promise.all(producers.map((producer) => producer.finish()));
    rest = new Rest(server.url, secret);
    expect((await rest.system()).mqtt).toMatchObject({ unclaimed: 0, refused: 0 });
    await checkAll(rest, "presses", sent);
  });

  test.skipIf(!hasPeer("mosquitto"))(`a mosquitto, ${rounds} times by SIGTERM or kill −9`, async () => {
    const mosquitto = await startMosquitto();
    cleanUp.push(() => mosquitto.stop());
    const dir = tempDir();
    cleanUp.push(() => dir.remove());
    const server = await ServerProcess.start({ dataDir: dir.path });
    cleanUp.push(() => server.kill("SIGTERM"));
    const rest = new Rest(server.url, server.adminSecret ?? "");
    const broker = { host: "127.0.0.1", port: mosquitto.port, keepAliveSeconds: 5 };
    await declare(rest, [{ name: "line", kind: "mqtt", config: { server: broker, templates } }]);
    await reading(rest, "line");
    const producers: Producer[] = [];
    for (let device = 0; device < devices; device++) {
      const change = { clientId: `m${device}`, clean: false, reconnectPeriod: 100, protocolVersion: 4 } as const;
      const client = await connectAsync(`mqtt://127.0.0.1:${mosquitto.port}`, change);
      client.on("error", () => undefined);
      cleanUp.push(() => client.end(true));
      producers.push(new Producer(client, `Northfield/m${device}`));
    }
    const total = (): number => producers.reduce((sum, producer) => sum + producer.acknowledged, 0);
    for (let round = 0; round < rounds; round++) {
      const before = total();
      await until("the load runs", total, (n) => n > before + 100, 60_000);
      await sleep(Math.random() * 500);
      // mosquitto acknowledges before it writes to disk, and promises nothing of that at kill −9: devices behind such a broker keep what they have sent a while
      // longer than its acknowledgement, and send it again after a break.
      const kept = producers.map(({ acknowledged }) => Math.max(0, acknowledged - 300));
      await mosquitto.restart(signals[round % 2]);
      await Promise.all(producers.map((producer, device) => producer.again(kept[device])));
    }
    const sent = await Promise.all(producers.map((producer) => producer.finish()));
    await until(
      "the connection has read all",
      () =>
        rest.request<{ connector?: { source?: { established?: boolean } } }>(
          "GET",
          "/api/v1/connections/line/diagnosis",
        ),
      ({ body }) => body.connector?.source?.established === true,
      60_000,
    );
    const everything = sent.reduce((sum, n) => sum + n, 0);
    await until(
      "everything is stored",
      () => rest.settle(60_000),
      ({ stored }) => stored >= everything,
      60_000,
    );
    await checkAll(rest, "line", sent);
  });
});
