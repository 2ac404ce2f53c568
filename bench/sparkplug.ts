/**
 * ingest-sparkplug: 200 edge nodes with two devices of 50 metrics each send DDATA by alias, every metric with its own time, to the embedded broker and its Sparkplug host.
 * The value is that of QoS 1, which the standard does not ask for: a message is acknowledged when it is durable. Beside it the standard's QoS 0, where the sequence
 * numbers tell what is missing (`gaps`). The clock stops when all of it is consumed live and settled in history.
 */
import { claimed, startBroker } from "./lib/broker.ts";
import type { Bench, BenchContext, BenchResult } from "./lib/report.ts";
import { stream } from "./mqtt.ts";

const nodes = 200;

async function run(context: BenchContext, qos: 0 | 1): Promise<BenchResult> {
  const profileDir = qos === 1 ? context.profileDir : null;
  const { server, account } = await startBroker({ ...context, profileDir }, `data-${qos}`);
  try {
    // At QoS 0 nothing but TCP's buffers would bound what is under way: here, what the consumer has got.
    return await stream(context, server, {
      connection: { name: "line", kind: "sparkplug-broker", config: {} },
      attached: claimed,
      sender: {
        ...account,
        traffic: "sparkplug",
        clients: nodes,
        qos,
        seconds: context.seconds,
        outstandingMax: qos === 0 ? 2_000 : null,
      },
    });
  } finally {
    await server.stop();
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
    return { ...qos1, qos0: await run(context, 0) };
  },
};
