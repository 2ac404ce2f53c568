import { type ConnectorFixture, type ConnectorPeer, connectorContract } from "@lineshaft/testkit";
import { connectAsync, type MqttClient } from "mqtt";
import { embeddedBrokerKey } from "../../kit/mqtt/embedded.ts";
import { principal, type TestBroker, testBroker } from "../../kit/mqtt/test/broker.ts";
import { dataType } from "./data-type.ts";
import { encodePayload, type MetricInput } from "./encode.ts";
import { sparkplug, sparkplugBroker } from "./index.ts";
import { bdSeq } from "./test/bench.ts";

const tags = ["G/E//a", "G/E//b", "G/E//c"];
const everything = { realm: "", publish: ["spBv1.0/#"], subscribe: ["spBv1.0/#"] };

/** An edge node behind the embedded broker, which answers rebirth requests. */
async function start(listens: boolean): Promise<ConnectorPeer> {
  const broker: TestBroker = await testBroker([
    principal("hub", { ...everything, clientIds: ["*"] }),
    principal("edge", everything),
  ]);
  const connect = async (): Promise<MqttClient> => {
    const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
      clientId: "edge",
      username: "edge",
      password: "edge",
      protocolVersion: 5,
      reconnectPeriod: 0,
    });
    client.on("message", () => void birth().catch(() => undefined));
    await client.subscribeAsync("spBv1.0/G/NCMD/E");
    return client;
  };
  let edge: MqttClient | null = await connect();
  const values = new Map(tags.map((tag) => [tag, 0]));
  let seq = 0;
  const metric = (
    tag: string,
    value: MetricInput["value"],
    timeMs: number,
    change: Partial<MetricInput> = {},
  ): MetricInput => ({
    alias: tags.indexOf(tag) + 1,
    type: dataType.int8,
    value,
    timeMs,
    ...change,
  });
  const send = (verb: "NBIRTH" | "NDATA", metrics: MetricInput[]): Promise<unknown> => {
    seq = verb === "NBIRTH" ? 0 : (seq + 1) & 255;
    const payload = Buffer.from(encodePayload({ timeMs: Date.now(), seq, metrics }));
    if (edge === null) return Promise.resolve();
    return edge.publishAsync(`spBv1.0/G/${verb}/E`, payload, { qos: 0 });
  };
  const birth = (): Promise<unknown> => {
    const named = tags.map((tag) => metric(tag, values.get(tag)!, Date.now(), { name: tag.slice(5) }));
    return send("NBIRTH", [bdSeq(0), ...named]);
  };
  const config = (host: string, port: number, password = "pw"): Record<string, unknown> => ({
    hostId: "hub",
    take: "listed",
    servers: [{ host, port, version: "5", user: "hub", password, keepAliveSeconds: 1 }],
  });
  return {
    address: listens ? null : { host: "127.0.0.1", port: broker.port },
    config: ({ host, port }) => (listens ? { hostId: "hub", take: "listed" } : config(host, port)),
    refusedConfig: (fault, { host, port }) => {
      if (listens) return null;
      if (fault === "unauthorised") return config(host, port, "wrong");
      return fault === "misconfigured" ? config(host, port, "missing") : null;
    },
    tags,
    bind: (address) => ({ address }),
    set: async (tag, value, timeUs) => {
      values.set(tag, value);
      if (edge === null) {
        edge = await connect();
        await birth();
      }
      await send("NDATA", [metric(tag, value, timeUs / 1000, { omitType: true })]);
    },
    spoil: async (tag, how) => {
      const now = Date.now();
      const wrong =
        how === "outsideType"
          ? metric(tag, 300, now, { omitType: true, type: dataType.uint32 })
          : metric(tag, 1, now, { omitType: true, properties: { Quality: { type: dataType.int32, value: 0 } } });
      await send("NDATA", [wrong]);
    },
    ...(listens
      ? {
          attempts: () => 0,
          drop: async () => {
            edge?.end(true);
            edge = null;
          },
          shared: new Map([[embeddedBrokerKey, broker.broker.source("")]]),
        }
      : {}),
    stop: async () => {
      edge?.end(true);
      await broker.close();
    },
  };
}

const fixture: ConnectorFixture = {
  start: () => start(false),
  secrets: { pw: "hub", wrong: "another-secret" },
  waivers: {
    "acknowledge-last": "Sparkplug data travel at QoS 0: there is no acknowledgement; the class is `detectable`.",
  },
};

connectorContract(sparkplug, fixture);
connectorContract(sparkplugBroker, {
  start: () => start(true),
  waivers: {
    ...fixture.waivers,
    misconfigured: "Nothing can be wrong that the schema does not find: the broker is the host's.",
    "secrets-absent": "The kind has no secrets: accounts belong to the broker, not to the connection.",
  },
});
