/**
 * ingest-mqtt-single, mqtt-external: one-value messages at QoS 1 from 500 machines, each with a connection of its own and up to 20 messages under way: into the
 * embedded broker, which acknowledges what is durable; and through a real mosquitto, whose acknowledgement promises less, so that what is under way is bounded by what
 * the live consumer has got. The clock stops when all of it is consumed and settled in history. One machine sends its time along: the age of its values at the
 * consumer is `consumerMs`.
 */
import { join } from "node:path";
import { claimed, startBroker } from "./lib/broker.ts";
import { measureSync } from "./lib/disk.ts";
import { Mosquitto, mosquittoInstalled } from "./lib/mosquitto.ts";
import { loadOf, MqttRig, type MqttRigOptions } from "./lib/mqtt-rig.ts";
import type { Bench, BenchContext, BenchResult } from "./lib/report.ts";
import { ServerProcess } from "./lib/server.ts";
import { round } from "./lib/stats.ts";

/** Under way at most: a fraction of a second of messages. */
export const outstandingMax = 4_000;

/** Which topics are read, and how. */
export const scalarTemplates = [
  { topic: "plant/{machine}/value" },
  { topic: "marker/{machine}/value", payload: "json", timePath: "t", timeUnit: "us" },
];

export async function stream(
  context: BenchContext,
  server: ServerProcess,
  options: MqttRigOptions,
): Promise<BenchResult> {
  const disk = await measureSync(context.dir, context.quick ? 1 : 3);
  const rig = await MqttRig.ready(server, options);
  try {
    const before = performance.now();
    const seconds = (): number => round((performance.now() - before) / 1000);
    rig.go();
    const sent = await rig.sender.done();
    const sentSeconds = seconds();
    await rig.settled(sent.points);
    const settledSeconds = seconds();
    const consumed = await rig.consumed();
    const load = loadOf(server, rig, sent, consumed);
    context.say(
      `${sent.sent} messages sent in ${sentSeconds} s, settled in ${settledSeconds} s; ack ms ${JSON.stringify(sent.ackMs)}; live ms ${JSON.stringify(consumed.latencyMs)}`,
    );
    context.say(`${JSON.stringify(load)}; fdatasync ms ${JSON.stringify(disk)}`);
    const { gaps } = (await rig.diagnose()).connector;
    if (sent.lost > 0) throw new Error(`${sent.lost} connections were lost.`);
    return {
      value: Math.round(sent.points / settledSeconds),
      messages: sent.sent,
      points: sent.points,
      sentSeconds,
      settledSeconds,
      ...(gaps === undefined ? {} : { gaps }),
      ackMs: sent.ackMs,
      consumerMs: consumed.latencyMs,
      ...load,
      serverCpuMicrosPerMessage: round((load.cpuSeconds.server * 1e6) / sent.sent),
      fdatasyncMs: disk,
    };
  } finally {
    rig.end();
  }
}

export const mqttSingle: Bench = {
  name: "ingest-mqtt-single",
  about:
    "one-value QoS 1 messages/s from 500 machines into the embedded broker: acknowledged durable, consumed live, settled in history",
  unit: "msg/s",
  better: "higher",
  floor: 12_000,
  target: 30_000,
  async run(context) {
    const { server, account } = await startBroker(context);
    try {
      return await stream(context, server, {
        connection: { name: "machines", kind: "mqtt-broker", config: { templates: scalarTemplates } },
        attached: claimed,
        sender: { ...account, seconds: context.seconds },
      });
    } finally {
      await server.stop();
    }
  },
};

export const mqttExternal: Bench = {
  name: "mqtt-external",
  about: "one-value QoS 1 messages/s from 500 machines through mosquitto: durable, consumed live, settled in history",
  unit: "msg/s",
  better: "higher",
  floor: 8_000,
  target: 25_000,
  async run(context) {
    if (!mosquittoInstalled()) throw new Error("mosquitto is not installed (apt-get install mosquitto).");
    const mosquitto = await Mosquitto.start(context.dir);
    const server = await ServerProcess.start({
      dataDir: join(context.dir, "data"),
      profileDir: context.profileDir,
    });
    try {
      const result = await stream(context, server, {
        connection: {
          name: "mosquitto",
          kind: "mqtt",
          config: { server: { host: "127.0.0.1", port: mosquitto.port }, templates: scalarTemplates },
        },
        attached: ({ connector }) => (connector.source?.subscriptions?.length ?? 0) === scalarTemplates.length,
        sender: { port: mosquitto.port, seconds: context.seconds, outstandingMax },
      });
      const { ackMs, cpuSeconds, ...rest } = result;
      const cpu = { ...(cpuSeconds as object), mosquitto: round(mosquitto.figures().cpuSeconds) };
      return {
        ...rest,
        brokerAckMs: ackMs,
        cpuSeconds: cpu,
        mosquittoRssMaxMB: Math.round(mosquitto.figures().rssMaxBytes / 1e6),
      };
    } finally {
      await server.stop();
      mosquitto.end();
    }
  },
};
