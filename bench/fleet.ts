/**
 * fleet: how many machines stay connected to the embedded broker while they send 50,000 datapoints a second in all, ten values a message at QoS 1, on time. In steps of
 * 5,000 connections, each step held for a third of the run. A step counts when no connection is lost, 99 % of its messages are acknowledged in its time, and
 * the p99 of these is below a second. At the end every message must have arrived.
 */
import { claimed, startBroker } from "./lib/broker.ts";
import { measureSync } from "./lib/disk.ts";
import { MqttRig } from "./lib/mqtt-rig.ts";
import {
  jsonValues,
  MqttSender,
  type MqttSenderJob,
  type MqttSenderResult,
  mqttSenderDefaults,
} from "./lib/mqtt-sender.ts";
import type { Bench } from "./lib/report.ts";
import { round, SharedClock, sleep } from "./lib/stats.ts";

const step = 5_000;
const steps = 3;
const messagesPerSecond = 50_000 / jsonValues;
const ackLimitMs = 1_000;

export const fleet: Bench = {
  name: "fleet",
  about: "MQTT connections held at 50,000 dp/s in all, ten values a message, with the memory they take",
  unit: "conn",
  better: "higher",
  floor: 5_000,
  target: 15_000,
  async run(context) {
    const { quick, dir, seconds, say } = context;
    const disk = await measureSync(dir, quick ? 1 : 3);
    const { server, account } = await startBroker(context);
    const senders: MqttSender[] = [];
    const held: { connections: number; rssMB: number; connectSeconds: number }[] = [];
    let rig: MqttRig | null = null;
    try {
      const emptyMB = Math.round(server.figures().rssBytes / 1e6);
      const job: MqttSenderJob = {
        ...mqttSenderDefaults,
        ...account,
        clockOffsetUs: new SharedClock().offsetUs,
        traffic: "json",
        clients: step,
        // A connection needs a port of its own for each pair of addresses.
        addresses: 8,
        ratePerSecond: messagesPerSecond,
      };
      let before = performance.now();
      rig = await MqttRig.ready(server, {
        connection: {
          name: "fleet",
          kind: "mqtt-broker",
          config: { templates: [{ topic: "plant/{machine}/values", payload: "json", timePath: "t", timeUnit: "us" }] },
        },
        attached: claimed,
        sender: job,
      });
      senders.push(rig.sender);
      rig.go();
      for (let n = 1; n <= steps; n++) {
        if (n > 1) {
          before = performance.now();
          const sender = new MqttSender({ ...job, firstClient: (n - 1) * step, ratePerSecond: messagesPerSecond / n });
          senders.push(sender);
          await sender.ready();
        }
        const connectSeconds = round((performance.now() - before) / 1000);
        for (const sender of senders) sender.rate(messagesPerSecond / n);
        if (n > 1) senders[n - 1].go();
        // Every machine has sent once, its tags are registered.
        await sleep(((n * step) / messagesPerSecond) * 1000 + 1000);
        for (const sender of senders) sender.phase();
        await sleep((seconds * 1000) / steps);
        for (const sender of senders) sender.phase();
        held.push({ connections: n * step, connectSeconds, rssMB: Math.round(server.figures().rssBytes / 1e6) });
      }
      for (const sender of senders) sender.stop();
      const sent: MqttSenderResult[] = [];
      for (const sender of senders) sent.push(await sender.done());
      const lost = sent.reduce((sum, one) => sum + one.lost, 0);
      // What was under way on a lost connection may have arrived or not.
      if (lost === 0) await rig.settled(sent.reduce((sum, { points }) => sum + points, 0));
      const cpuSeconds = {
        server: rig.serverCpuSeconds(),
        senders: round(sent.reduce((sum, one) => sum + one.cpuSeconds, 0)),
      };
      const consumed = await rig.consumed();
      const table = held.map((row, i) => ({ ...row, ...phaseOf(sent, i) }));
      for (const row of table) say(JSON.stringify(row));
      const reached = table.filter(
        ({ messagesPerSecond: rate, p99 }) => lost === 0 && rate >= 0.99 * messagesPerSecond && p99 < ackLimitMs,
      );
      return {
        value: reached.at(-1)?.connections ?? 0,
        lost,
        steps: table,
        emptyRssMB: emptyMB,
        rssMaxMB: Math.round(server.figures().rssMaxBytes / 1e6),
        consumerMs: consumed.latencyMs,
        cpuSeconds: { ...cpuSeconds, consumer: consumed.cpuSeconds },
        fdatasyncMs: disk,
      };
    } finally {
      for (const sender of senders) sender.end();
      rig?.end();
      await server.stop();
    }
  },
};

/** All senders of a step together; its percentiles are those of the worst of them. */
function phaseOf(
  sent: readonly MqttSenderResult[],
  n: number,
): { messagesPerSecond: number; p50: number; p99: number } {
  // Each sender has two phases a step from its own first step on: the step, and what comes until the next.
  const phases = sent.flatMap(({ phases }, first) => (n < first ? [] : [phases[2 * (n - first)]]));
  return {
    messagesPerSecond: Math.round(phases.reduce((sum, { count, seconds }) => sum + count / seconds, 0)),
    p50: Math.max(...phases.map(({ p50 }) => p50)),
    p99: Math.max(...phases.map(({ p99 }) => p99)),
  };
}
