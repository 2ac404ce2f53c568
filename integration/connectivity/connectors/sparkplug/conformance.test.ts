import { RecordingSink } from "@lineshaft/testkit";
import type { IConnectPacket, IPublishPacket, Packet } from "mqtt-packet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SparkplugConfigSchema } from "./config.ts";
import { dataType } from "./data-type.ts";
import { PayloadDecoder } from "./decode.ts";
import { encodePayload } from "./encode.ts";
import { sendCommand } from "./host.ts";
import { sparkplug } from "./index.ts";
import { SparkplugPayload } from "./payload.ts";
import { exemptions, hostAssertions } from "./test/assertions.ts";
import { bdSeq, byAlias, configOf, context, double, MachineBench } from "./test/bench.ts";
import { type RecordingServer, recordingServer, until } from "./test/server.ts";

const covered = new Set<string>();
/** One test an assertion, named by its id. */
function asserts(ids: readonly string[], run: () => void | Promise<void>): void {
  for (const id of ids) {
    covered.add(id);
    it(id, run);
  }
}

const state = "spBv1.0/STATE/hub";
const json = (packet: IPublishPacket): { online: boolean; timestamp: number } =>
  JSON.parse(packet.payload.toString()) as { online: boolean; timestamp: number };
const willOf = (connect: IConnectPacket): NonNullable<IConnectPacket["will"]> => connect.will!;

/** A whole life of the host at one server: connect, an own STATE offline from somebody, data before birth, clean end, and a second session. */
interface Life {
  server: RecordingServer;
  first: Packet[];
  beginMs: number;
  endMs: number;
}

async function live(version: "3.1.1" | "5"): Promise<Life> {
  const beginMs = Math.floor(performance.timeOrigin + performance.now());
  const server = await recordingServer(version === "5" ? 5 : 4);
  const config = configOf([server.port]);
  config.servers[0].version = version;
  const host = sparkplug.create(config, context());
  const stop = new AbortController();
  await host.connect(stop.signal);
  const reading = host.read([], null, new RecordingSink(), stop.signal).catch(() => undefined);
  await until(() => server.publishes(state).length === 1, "the birth");
  server.send(state, new TextEncoder().encode('{"online":false,"timestamp":1}'), { qos: 1 });
  await until(() => server.publishes(state).length === 2, "the birth again");
  // Not ours, and of the old form: no reaction.
  server.send("spBv1.0/STATE/other", new TextEncoder().encode('{"online":false,"timestamp":1}'));
  server.send(state, new TextEncoder().encode("OFFLINE"));
  server.send("spBv1.0/G/NDATA/E", encodePayload({ timeMs: 1, seq: 5, metrics: [byAlias(1, 1)] }));
  await until(() => server.publishes("spBv1.0/G/NCMD/E").length === 1, "the rebirth request");
  stop.abort(new Error("enough"));
  await reading;
  await host.close();
  await until(() => server.packets.at(-1)?.cmd === "disconnect", "the end");
  return { server, first: [...server.packets], beginMs, endMs: Math.floor(performance.timeOrigin + performance.now()) };
}

describe("Sparkplug 3.0 host assertions", () => {
  let v4: Life;
  let v5: Life;
  let connect: IConnectPacket;
  let states: IPublishPacket[];
  let rebirth: IPublishPacket;
  const decoded = new SparkplugPayload();
  beforeAll(async () => {
    [v4, v5] = await Promise.all([live("3.1.1"), live("5")]);
    [connect] = v4.server.connects();
    states = v4.server.publishes(state);
    [rebirth] = v4.server.publishes("spBv1.0/G/NCMD/E");
    new PayloadDecoder().decode(rebirth.payload as Buffer, decoded);
  });
  afterAll(async () => {
    await Promise.all([v4.server.close(), v5.server.close()]);
  });
  const withinLife = (timestamp: number, life = v4): void => {
    expect(timestamp).toBeGreaterThanOrEqual(life.beginMs);
    expect(timestamp).toBeLessThanOrEqual(life.endMs);
  };

  describe("session establishment: will", () => {
    asserts(
      [
        "tck-id-host-topic-phid-death-required",
        "tck-id-operational-behavior-host-application-connect-will",
        "tck-id-payloads-state-will-message",
        "tck-id-host-topic-phid-death-topic",
        "tck-id-operational-behavior-host-application-connect-will-topic",
        "tck-id-operational-behavior-host-application-death-topic",
      ],
      () => expect(willOf(connect).topic).toBe(state),
    );
    asserts(
      [
        "tck-id-host-topic-phid-death-qos",
        "tck-id-operational-behavior-host-application-connect-will-qos",
        "tck-id-payloads-state-will-message-qos",
        "tck-id-operational-behavior-host-application-death-qos",
      ],
      () => {
        expect(willOf(connect).qos).toBe(1);
        expect(states.at(-1)?.qos).toBe(1);
      },
    );
    asserts(
      [
        "tck-id-host-topic-phid-death-retain",
        "tck-id-operational-behavior-host-application-connect-will-retained",
        "tck-id-payloads-state-will-message-retain",
        "tck-id-operational-behavior-host-application-death-retained",
      ],
      () => {
        expect(willOf(connect).retain).toBe(true);
        expect(states.at(-1)?.retain).toBe(true);
      },
    );
    asserts(
      [
        "tck-id-host-topic-phid-death-payload",
        "tck-id-operational-behavior-host-application-connect-will-payload",
        "tck-id-payloads-state-will-message-payload",
        "tck-id-operational-behavior-host-application-death-payload",
      ],
      () => {
        const will = JSON.parse(willOf(connect).payload.toString()) as Record<string, unknown>;
        expect(Object.keys(will).sort()).toEqual(["online", "timestamp"]);
        expect(will.online).toBe(false);
        withinLife(will.timestamp as number);
      },
    );
  });

  describe("session establishment: order and birth", () => {
    asserts(["tck-id-message-flow-phid-sparkplug-clean-session-311"], () => {
      expect(connect).toMatchObject({ protocolVersion: 4, clean: true });
    });
    asserts(["tck-id-message-flow-phid-sparkplug-clean-session-50"], () => {
      const [packet] = v5.server.connects();
      expect(packet).toMatchObject({ protocolVersion: 5, clean: true, properties: { sessionExpiryInterval: 0 } });
    });
    asserts(
      [
        "tck-id-host-topic-phid-birth-sub-required",
        "tck-id-message-flow-phid-sparkplug-subscription",
        "tck-id-payloads-state-subscribe",
        "tck-id-host-topic-phid-birth-required",
        "tck-id-message-flow-phid-sparkplug-state-publish",
        "tck-id-operational-behavior-host-application-connect-birth",
      ],
      () => {
        for (const { first } of [v4, v5]) {
          expect(first.slice(0, 3).map((p) => p.cmd)).toEqual(["connect", "subscribe", "publish"]);
          const subscribe = first[1] as Extract<Packet, { cmd: "subscribe" }>;
          expect(subscribe.subscriptions.map((s) => s.topic)).toEqual([state, "spBv1.0/#"]);
          expect((first[2] as IPublishPacket).topic).toBe(state);
        }
      },
    );
    asserts(
      [
        "tck-id-host-topic-phid-birth-message",
        "tck-id-principles-birth-certificates-order",
        "tck-id-components-ph-state",
        "tck-id-conformance-primary-host",
        "tck-id-intro-sparkplug-host-state",
        "tck-id-host-topic-phid-birth-topic",
        "tck-id-operational-behavior-host-application-connect-birth-topic",
      ],
      () => {
        expect(v4.server.publishes()[0].topic).toBe(state);
        expect(json(states[0]).online).toBe(true);
        expect(json(states.at(-1)!).online).toBe(false);
      },
    );
    asserts(
      [
        "tck-id-host-topic-phid-birth-qos",
        "tck-id-host-topic-phid-birth-retain",
        "tck-id-operational-behavior-host-application-connect-birth-qos",
        "tck-id-operational-behavior-host-application-connect-birth-retained",
        "tck-id-payloads-state-birth",
      ],
      () => expect(states[0]).toMatchObject({ topic: state, qos: 1, retain: true }),
    );
    asserts(
      [
        "tck-id-host-topic-phid-birth-payload",
        "tck-id-host-topic-phid-birth-payload-timestamp",
        "tck-id-message-flow-phid-sparkplug-state-publish-payload",
        "tck-id-message-flow-phid-sparkplug-state-publish-payload-timestamp",
        "tck-id-operational-behavior-host-application-connect-birth-payload",
        "tck-id-payloads-state-birth-payload",
      ],
      () => {
        const will = JSON.parse(willOf(connect).payload.toString()) as { timestamp: number };
        expect(JSON.parse(states[0].payload.toString())).toEqual({ online: true, timestamp: will.timestamp });
      },
    );
    asserts(["tck-id-message-flow-hid-sparkplug-state-message-delivered"], () => {
      expect(json(states[1])).toEqual(json(states[0]));
      expect(states[1]).toMatchObject({ qos: 1, retain: true });
      // Two births and one death: the other host and the old text caused nothing.
      expect(states).toHaveLength(3);
    });
  });

  describe("session termination", () => {
    asserts(
      [
        "tck-id-operational-behavior-host-application-termination",
        "tck-id-operational-behavior-host-application-disconnect-intentional",
        "tck-id-host-topic-phid-death-payload-timestamp-disconnect-clean",
        "tck-id-host-topic-phid-death-payload-timestamp-disconnect-with-no-disconnect-packet",
      ],
      () => {
        for (const life of [v4, v5]) {
          const { server, first } = life;
          expect(first.slice(-2).map((p) => p.cmd)).toEqual(["publish", "disconnect"]);
          const [birth, death] = [server.publishes(state)[0], server.publishes(state).at(-1)!];
          expect(death).toMatchObject({ topic: state, qos: 1, retain: true });
          expect(json(death).online).toBe(false);
          expect(json(death).timestamp).toBeGreaterThanOrEqual(json(birth).timestamp);
          withinLife(json(death).timestamp, life);
        }
      },
    );
  });

  describe("commands", () => {
    asserts(
      [
        "tck-id-payloads-ncmd-qos",
        "tck-id-payloads-ncmd-retain",
        "tck-id-topics-ncmd-mqtt",
        "tck-id-topics-ncmd-topic",
        "tck-id-operational-behavior-data-commands-ncmd-verb",
        "tck-id-operational-behavior-data-commands-ncmd-rebirth-verb",
      ],
      () => expect(rebirth).toMatchObject({ topic: "spBv1.0/G/NCMD/E", qos: 0, retain: false }),
    );
    asserts(
      [
        "tck-id-operational-behavior-data-commands-ncmd-rebirth-name",
        "tck-id-operational-behavior-data-commands-ncmd-rebirth-value",
        "tck-id-operational-behavior-data-commands-ncmd-metric-name",
        "tck-id-operational-behavior-data-commands-ncmd-metric-value",
        "tck-id-topics-ncmd-payload",
      ],
      () => {
        const { metrics } = decoded;
        expect([metrics.count, metrics.name[0], metrics.type[0], metrics.number[0]]).toEqual([
          1,
          "Node Control/Rebirth",
          dataType.boolean,
          1,
        ]);
      },
    );
    asserts(["tck-id-payloads-ncmd-seq"], () => expect(decoded.seq).toBe(-1));
    asserts(
      ["tck-id-payloads-ncmd-timestamp", "tck-id-topics-ncmd-timestamp", "tck-id-payloads-name-cmd-requirement"],
      () => {
        withinLife(decoded.timeMs);
        withinLife(decoded.metrics.timeMs[0]);
      },
    );

    const dcmd = async (): Promise<{ topic: string; options: unknown; payload: SparkplugPayload }> => {
      let sent: { topic: string; options: unknown; payload: SparkplugPayload } | null = null;
      const source = {
        lost: new Promise<Error>(() => {}),
        claim: async () => ({ release: async () => {} }),
        publish: async (topic: string, bytes: Uint8Array, options: unknown) => {
          sent = { topic, options, payload: new PayloadDecoder().decode(bytes, new SparkplugPayload()) };
        },
      };
      const target = { group: "G", node: "E", device: "D", metric: "setpoint", type: dataType.double };
      await sendCommand(source, target, 4.5, 7_000_000);
      return sent!;
    };
    asserts(
      [
        "tck-id-payloads-dcmd-qos",
        "tck-id-payloads-dcmd-retain",
        "tck-id-topics-dcmd-mqtt",
        "tck-id-topics-dcmd-topic",
        "tck-id-operational-behavior-data-commands-dcmd-verb",
      ],
      async () =>
        expect(await dcmd()).toMatchObject({ topic: "spBv1.0/G/DCMD/E/D", options: { qos: 0, retain: false } }),
    );
    asserts(
      [
        "tck-id-payloads-dcmd-seq",
        "tck-id-payloads-dcmd-timestamp",
        "tck-id-topics-dcmd-timestamp",
        "tck-id-topics-dcmd-payload",
        "tck-id-operational-behavior-data-commands-dcmd-metric-name",
        "tck-id-operational-behavior-data-commands-dcmd-metric-value",
      ],
      async () => {
        const { payload } = await dcmd();
        expect([payload.seq, payload.timeMs]).toEqual([-1, 7000]);
        expect([payload.metrics.name[0], payload.metrics.type[0], payload.metrics.number[0]]).toEqual([
          "setpoint",
          dataType.double,
          4.5,
        ]);
      },
    );
  });

  describe("deaths of edge nodes and devices", () => {
    const born = (): MachineBench => {
      const bench = new MachineBench();
      bench.send("spBv1.0/G/NBIRTH/E", [bdSeq(0), double("n", 1, 1)], 0);
      bench.send("spBv1.0/G/DBIRTH/E/D", [double("d", 2, 2)], 1);
      bench.nowMs += 5000;
      return bench;
    };
    asserts(
      [
        "tck-id-operational-behavior-edge-node-termination-host-action-ndeath-node-offline",
        "tck-id-operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale",
        "tck-id-operational-behavior-edge-node-termination-host-action-ndeath-devices-offline",
        "tck-id-operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale",
      ],
      () => {
        const bench = born();
        const addresses = ["G/E//bdSeq", "G/E//n", "G/E/D/d"];
        // The time stamp of the will is old; ours counts.
        const effects = bench.send("spBv1.0/G/NDEATH/E", [bdSeq(0)], undefined, 0, 1);
        expect(effects).toEqual([{ kind: "stale", addresses, atUs: bench.nowMs * 1000, who: "G/E" }]);
        const node = [...bench.state.nodes.values()][0];
        expect([node.phase, node.self.online, node.devices.get("D")?.online]).toEqual(["offline", false, false]);
      },
    );
    asserts(
      [
        "tck-id-operational-behavior-edge-node-termination-host-action-ddeath-devices-offline",
        "tck-id-operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale",
      ],
      () => {
        const bench = born();
        const effects = bench.send("spBv1.0/G/DDEATH/E/D", [], 2, 0, 123_456);
        expect(effects).toEqual([{ kind: "stale", addresses: ["G/E/D/d"], atUs: 123_456_000, who: "G/E/D" }]);
        const node = [...bench.state.nodes.values()][0];
        expect([node.phase, node.devices.get("D")?.online]).toEqual(["online", false]);
      },
    );
  });

  describe("order", () => {
    const gap = (reorderMs: number): MachineBench => {
      const bench = new MachineBench({ reorderMs });
      bench.send("spBv1.0/G/NBIRTH/E", [bdSeq(0), double("n", 1, 1)], 0);
      bench.send("spBv1.0/G/NDATA/E", [byAlias(1, 2)], 2);
      return bench;
    };
    asserts(["tck-id-operational-behavior-host-reordering-param"], () => {
      expect(SparkplugConfigSchema.properties.reorderTimeoutMs).toMatchObject({ default: 2000, minimum: 0 });
    });
    asserts(["tck-id-operational-behavior-host-reordering-start"], () => {
      const bench = gap(2000);
      expect([...bench.state.nodes.values()][0].reorder?.sinceMs).toBe(bench.nowMs);
      expect(bench.wait(1800)).toEqual([]);
    });
    asserts(["tck-id-operational-behavior-host-reordering-rebirth"], () => {
      const bench = gap(2000);
      expect(bench.wait(2000)).toContainEqual({ kind: "rebirth", server: 0, group: "G", node: "E" });
    });
    asserts(["tck-id-operational-behavior-host-reordering-success"], () => {
      const bench = gap(2000);
      bench.wait(1000);
      bench.send("spBv1.0/G/NDATA/E", [byAlias(1, 1)], 1);
      expect(bench.wait(10_000)).toEqual([]);
      expect(bench.values()).toEqual([1, 2]);
    });
  });

  describe("several servers", () => {
    asserts(
      [
        "tck-id-operational-behavior-host-application-multi-server-timestamp",
        "tck-id-operational-behavior-primary-application-state-with-multiple-servers-state",
        "tck-id-operational-behavior-primary-application-state-with-multiple-servers-state-subs",
      ],
      async () => {
        const [a, b] = await Promise.all([recordingServer(), recordingServer()]);
        const host = sparkplug.create(configOf([a.port, b.port]), context());
        const stop = new AbortController();
        try {
          await host.connect(stop.signal);
          const lost = host.read([], null, new RecordingSink(), stop.signal).catch((error: unknown) => error);
          await until(() => a.publishes(state).length === 1 && b.publishes(state).length === 1, "both births");
          b.drop();
          expect(await lost).toMatchObject({ fault: "lost" });
          await host.connect(stop.signal);
          void host.read([], null, new RecordingSink(), stop.signal).catch(() => undefined);
          await until(() => b.publishes(state).length === 2, "the birth of the new session");
          // One new CONNECT at b with a time of its own; nothing new at a.
          expect([a.connects().length, b.connects().length, a.publishes(state).length]).toEqual([1, 2, 1]);
          const [before, after] = b.publishes(state).map((p) => json(p).timestamp);
          expect(after).toBeGreaterThan(before);
          expect(JSON.parse(willOf(b.connects()[1]).payload.toString())).toEqual({ online: false, timestamp: after });
          const second = b.packets.slice(b.packets.lastIndexOf(b.connects()[1]));
          expect(second.slice(0, 3).map((p) => p.cmd)).toEqual(["connect", "subscribe", "publish"]);
        } finally {
          stop.abort(new Error("over"));
          await host.close();
          await Promise.all([a.close(), b.close()]);
        }
      },
    );
  });

  it("every host assertion is tested here or exempt with a reason, and no other", () => {
    const all = Object.values(hostAssertions).flat().sort();
    expect(all).toHaveLength(89);
    expect([...covered, ...Object.keys(exemptions)].sort()).toEqual(all);
    for (const reason of Object.values(exemptions)) expect(reason.length).toBeGreaterThan(20);
  });
});
