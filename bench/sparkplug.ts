/**
 * ingest-sparkplug: 200 edge nodes with two devices of 50 metrics each send DDATA by alias, every metric with its own time, to the embedded broker and its Sparkplug host.
 * The value is that of QoS 1, which the standard does not ask for: a message is acknowledged when it is durable. Beside it the standard's QoS 0, where sequence
 * numbers tell what is missing. The clock stops when all of it is consumed live and settled in history.
 */
import { join } from "node:path";
import { Mosquitto } from "./lib/mosquitto.ts";
import type { Bench, BenchContext, BenchResult } from "./lib/report.ts";
import { ServerProcess } from "./lib/server.ts";
import { stream } from "./mqtt.ts";

const nodes = 200;

async function run(context: BenchContext, qos: 0 | 1): Promise<BenchResult> {
  const mosquitto = await Mosquitto.start(context.dir);
  const server = await ServerProcess.start({
    dataDir: join(context.dir, `data-${qos}`),
    profileDir: qos === 1 ? context.profileDir : null,
  });
  try {
    return await stream(context, server, {
      connection: {
        name: "line",
        kind: "sparkplug",
        config: { servers: [{ host: "127.0.0.1", port: mosquitto.port }] },
      },
      attached: ({ connector }) => connector.servers?.every(({ announced }) => announced) ?? false,
      sender: {
        port: mosquitto.port,
        traffic: "sparkplug",
        clients: nodes,
        qos,
        seconds: context.seconds,
        outstandingMax: 1000,
      },
    });
  } finally {
    await server.stop();
    mosquitto.end();
  }
}

export const ingestSparkplug: Bench = {
  name: "ingest-sparkplug",
  about:
    "datapoints/s in Sparkplug payloads of 50 metrics at QoS 1: acknowledged durable, consumed live, settled in history",
  unit: "dp/s",
  better: "higher",
  floor: 150_000,
  target: 500_000,
  async run(context) {
    const qos1 = await run(context, 1);
    const qos0 = await run(context, 0);
    return { ...qos1, qos0 };
  },
};
