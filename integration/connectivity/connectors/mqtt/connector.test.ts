import type { Connector } from "@lineshaft/contract/ports";
import {
  type ConnectorFixture,
  type ConnectorPeer,
  connectorContract,
  RecordingSink,
  realClock,
} from "@lineshaft/testkit";
import { connectAsync, type MqttClient } from "mqtt";
import { Value as Schema } from "typebox/value";
import { afterEach, describe, expect, it } from "vitest";
import { embeddedBrokerKey } from "../../kit/mqtt/embedded.ts";
import { principal, type TestBroker, testBroker, until } from "../../kit/mqtt/test/broker.ts";
import { type MqttConfig, MqttConfigSchema } from "./config.ts";
import { mqtt, mqttBroker } from "./index.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});
const everything = { realm: "", clientIds: ["*"], publish: ["#"], subscribe: ["#"] };

async function start(
  change: Record<string, unknown>,
): Promise<{ broker: TestBroker; machine: MqttClient; connector: Connector; sink: RecordingSink }> {
  const broker = await testBroker([principal("hub", everything), principal("press", everything)]);
  cleanUp.push(() => broker.close());
  const server = { host: "127.0.0.1", port: broker.port, user: "hub", password: "pw" };
  const config = Schema.Default(MqttConfigSchema, { server, ...change }) as MqttConfig;
  const connector = mqtt.create(config, {
    clock: realClock,
    secret: (name) => (name === "pw" ? "hub" : null),
    stateDir: "/nonexistent",
    share: (_, make) => make(),
    log: () => {},
  });
  cleanUp.push(() => connector.close());
  const machine = await broker.connect("press");
  const sink = new RecordingSink();
  const stop = new AbortController();
  cleanUp.push(() => stop.abort(new Error("over")));
  await connector.connect(stop.signal);
  void connector.read([], null, sink, stop.signal).catch(() => undefined);
  await until(
    () => ((connector.diagnose().source as { subscriptions: string[] }).subscriptions.length ?? 0) > 0,
    "subscribed",
  );
  return { broker, machine, connector, sink };
}

describe("from messages to rows", () => {
  it("several templates and forms; the first that fits is used", async () => {
    const { machine, sink } = await start({
      templates: [
        {
          topic: "plant/{line}/{machine}/state",
          tag: "{line}.{machine}",
          payload: "json",
          timePath: "timestamp",
          values: [{ path: "value", name: "state" }],
        },
        { topic: "plant/{line}/{machine}/{item}" },
        { topic: "bulk/{machine}", payload: "columns", timePath: "t", timeUnit: "ms" },
      ],
    });
    await machine.publishAsync("plant/1/press/state", '{"value":3,"timestamp":1795000000000}', { qos: 1 });
    await machine.publishAsync("plant/1/press/temp", "21.5", { qos: 2 });
    await machine.publishAsync("bulk/press", '{"t":[1,2],"v":[10,20]}', { qos: 1 });
    await until(() => sink.rows.length === 4, "rows");
    expect(sink.rows.map(({ tag, time, value }) => [tag, time, value])).toEqual([
      ["1.press/state", 1795000000000000, 3],
      ["plant/1/press/temp", Number.NaN, 21.5],
      ["bulk/press/v", 1000, 10],
      ["bulk/press/v", 2000, 20],
    ]);
    expect(sink.breaches).toEqual([]);
  });

  it("poison is kept with its reason and acknowledged; the stream goes on", async () => {
    const { machine, sink } = await start({ templates: [{ topic: "p/{m}", payload: "json" }] });
    await machine.publishAsync("p/x", "{", { qos: 1 });
    await machine.publishAsync("p/x", '{"v":1}', { qos: 1 });
    await until(() => sink.rows.length === 1, "the row behind it");
    expect(sink.rejected).toMatchObject([{ code: "mqtt_payload_invalid", detail: expect.stringContaining('"p/x"') }]);
    expect(sink.rows).toMatchObject([{ tag: "p/x/v", value: 1 }]);
  });

  it("retained: taken as of unknown age without a time of its own, or ignored", async () => {
    const { machine, sink, broker } = await start({ templates: [{ topic: "other/{m}" }] });
    await machine.publishAsync("r/x", "1", { qos: 1, retain: true });
    for (const retained of ["take", "ignore"]) {
      const server = {
        host: "127.0.0.1",
        port: broker.port,
        user: "press",
        password: "pw",
        clientId: `second-${retained}`,
      };
      const config = Schema.Default(MqttConfigSchema, {
        server,
        templates: [{ topic: "r/{m}", retained }],
      }) as MqttConfig;
      const context = {
        clock: realClock,
        secret: () => "press",
        stateDir: "",
        share: <T>(_: string, make: () => T) => make(),
        log: () => {},
      };
      const second = mqtt.create(config, context);
      cleanUp.push(() => second.close());
      const stop = new AbortController();
      cleanUp.push(() => stop.abort(new Error("over")));
      await second.connect(stop.signal);
      const own = new RecordingSink();
      void second.read([], null, own, stop.signal).catch(() => undefined);
      await until(() => (second.diagnose().messages as number) === 1, "the retained message");
      if (retained === "take") await until(() => own.rows.length === 1, "its row");
      expect(own.rows.map((r) => [r.value, r.status])).toEqual(retained === "take" ? [[1, 0x40900000]] : []);
    }
    expect(sink.rows).toEqual([]);
  });

  it("the same instant in two messages goes into two batches, so that a repeat is seen as one", async () => {
    const { machine, sink } = await start({
      templates: [{ topic: "p/{m}", payload: "json", timePath: "t", timeUnit: "ms", values: [{ path: "v" }] }],
    });
    await Promise.all([1, 2, 3].map(() => machine.publishAsync("p/x", '{"t":5,"v":1}', { qos: 1 })));
    await until(() => sink.rows.length === 3, "three rows");
    for (const { columns } of sink.batches) expect(columns.rows).toBe(1);
  });

  it("learns from live topics without storing them", async () => {
    const { machine, sink, connector } = await start({ learn: ["shop/#"] });
    for (const m of ["a", "b"]) await machine.publishAsync(`shop/${m}/temp`, "1", { qos: 1 });
    await until(() => connector.diagnose().unmatched === 2, "both seen");
    const found = [];
    for await (const item of connector.browse!("", new AbortController().signal)) found.push(item.address);
    expect(found).toEqual(["shop/{level2}/temp"]);
    expect(sink.rows).toEqual([]);
  });
});

const tags = ["a", "b", "c"].map((name) => `plant/${name}/v`);
async function peer(): Promise<ConnectorPeer> {
  const broker = await testBroker([principal("hub", everything), principal("press", everything)]);
  const machine = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
    clientId: "press",
    username: "press",
    password: "press",
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
  const acknowledged = { count: 0 };
  const direct = (topic: string, payload: unknown): Promise<unknown> =>
    machine.publishAsync(topic, JSON.stringify(payload), { qos: 1, retain: true });
  const config = (host: string, port: number, change: Record<string, unknown> = {}): Record<string, unknown> => ({
    server: { host, port, version: "5", user: "hub", password: "pw", clientId: "line", keepAliveSeconds: 1, ...change },
    templates: [
      {
        topic: "plant/{m}",
        payload: "json",
        timePath: "t",
        timeUnit: "ms",
        values: [{ path: "v", type: "number" }],
        quality: { path: "q", style: "good" },
      },
    ],
  });
  return {
    address: { host: "127.0.0.1", port: broker.port },
    config: ({ host, port }) => config(host, port),
    refusedConfig: (fault, { host, port }) => {
      if (fault === "unauthorised") return config(host, port, { password: "wrong" });
      return fault === "misconfigured" ? config(host, port, { password: "missing" }) : null;
    },
    tags,
    bind: (address) => ({ address }),
    set: async (tag, v, timeUs) => {
      await direct(tag.slice(0, -2), { v, t: timeUs / 1000 });
    },
    spoil: async (tag, how) => {
      const topic = tag.slice(0, -2);
      if (how === "outsideType") await direct(topic, { v: "hot", t: Date.now() });
      else if (how === "badQuality") await direct(topic, { v: 1, t: Date.now(), q: "bad" });
      else await machine.publishAsync(topic, "{", { qos: 1 });
    },
    acknowledged: () => acknowledged.count,
    stop: async () => {
      machine.end(true);
      await broker.close();
    },
  };
}

const fixture: ConnectorFixture = {
  start: peer,
  secrets: { pw: "hub", wrong: "another-secret" },
  waivers: {
    "acknowledge-last":
      "The peer here is a broker that acknowledges for itself; kit/mqtt/session.test.ts counts our own PUBACKs at a fake server.",
  },
};
connectorContract(mqtt, fixture);

/** The same devices at the embedded broker itself. */
async function listener(): Promise<ConnectorPeer> {
  const device = principal("press", { ...everything, clientIds: ["press"] });
  const broker = await testBroker([device]);
  const login = { clientId: "press", username: "press", password: "press", protocolVersion: 5 } as const;
  const dial = (): Promise<MqttClient> =>
    connectAsync(`mqtt://127.0.0.1:${broker.port}`, { ...login, reconnectPeriod: 0 });
  let machine: MqttClient | null = null;
  let acknowledged = 0;
  const send = async (topic: string, payload: string): Promise<void> => {
    machine ??= await dial();
    void machine.publishAsync(topic, payload, { qos: 1 }).then(
      () => acknowledged++,
      () => undefined,
    );
  };
  const json = (topic: string, payload: unknown): Promise<void> => send(topic.slice(0, -2), JSON.stringify(payload));
  const template = { topic: "plant/{m}", payload: "json", timePath: "t", timeUnit: "ms" };
  const values = { values: [{ path: "v", type: "number" }], quality: { path: "q", style: "good" } };
  return {
    address: null,
    config: () => ({ realm: "", templates: [{ ...template, ...values }] }),
    refusedConfig: (fault) => (fault === "misconfigured" ? { realm: "", templates: [{ topic: "a/{b}c" }] } : null),
    tags,
    bind: (address) => ({ address }),
    set: (tag, v, timeUs) => json(tag, { v, t: timeUs / 1000 }),
    spoil: (tag, how) => {
      if (how === "unreadable") return send(tag.slice(0, -2), "{");
      return json(tag, how === "outsideType" ? { v: "hot", t: Date.now() } : { v: 1, t: Date.now(), q: "bad" });
    },
    acknowledged: () => acknowledged,
    attempts: () => 0,
    drop: async () => {
      machine?.end(true);
      machine = null;
    },
    shared: new Map([[embeddedBrokerKey, broker.broker]]),
    stop: async () => {
      machine?.end(true);
      await broker.close();
    },
  };
}
connectorContract(mqttBroker, {
  start: listener,
  waivers: { "secrets-absent": "The kind has no secrets: accounts belong to the broker, not to the connection." },
});
