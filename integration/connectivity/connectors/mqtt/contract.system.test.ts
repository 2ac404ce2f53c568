import { type ConnectorFixture, type ConnectorPeer, connectorContract } from "@lineshaft/testkit";
import { connectAsync, type MqttClient } from "mqtt";
import { embeddedBrokerKey } from "../../kit/mqtt/embedded.ts";
import { principal, testBroker } from "../../kit/mqtt/test/broker.ts";
import { mqtt, mqttBroker } from "./index.ts";

const everything = { realm: "", clientIds: ["*"], publish: ["#"], subscribe: ["#"] };
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
    take: "listed",
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
    config: () => ({ take: "listed", templates: [{ ...template, ...values }] }),
    refusedConfig: (fault) => (fault === "misconfigured" ? { templates: [{ topic: "a/{b}c" }] } : null),
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
    shared: new Map([[embeddedBrokerKey, broker.broker.source("")]]),
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
