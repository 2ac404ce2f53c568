/**
 * latency: age of a batch when the live consumer holds it, at 50,000 datapoints/s sent on time (a batch that waits for the one before it counts from when
 * it was due). Source and consumer read one monotonic clock. The disk's own fdatasync is measured right before and right after: the target is its p99 + 10 ms.
 */
import { join } from "node:path";
import { measureSync } from "./lib/disk.ts";
import type { Bench } from "./lib/report.ts";
import { expectAllStored, Rig } from "./lib/rig.ts";
import { ServerProcess } from "./lib/server.ts";
import { round } from "./lib/stats.ts";

export const latency: Bench = {
  name: "latency",
  about: "source → durable → consumer at 50,000 dp/s, p99",
  unit: "ms",
  better: "lower",
  floor: 100,
  target: null,
  async run({ quick, seconds, dir, say, profileDir }) {
    const before = await measureSync(dir, quick ? 1 : 5);
    const server = await ServerProcess.start({ dataDir: join(dir, "data"), profileDir });
    const rig = await Rig.ready(server, { ratePerSecond: 50_000, seconds, consumer: true });
    try {
      rig.go();
      const sent = await rig.generator.done();
      await rig.consumed(sent.offered);
      const serverCpu = rig.serverCpuSeconds();
      expectAllStored(sent);
      rig.consumer?.stop();
      const consumed = await rig.consumer?.done();
      const { log } = await server.system();
      const after = await measureSync(dir, quick ? 1 : 5);
      // The better of the two: a neighbour on the disk must not make the target easy.
      const diskP99 = Math.min(before.p99, after.p99);
      say(`live ms ${JSON.stringify(consumed?.latencyMs)}; ack ms ${JSON.stringify(sent.ackMs)}`);
      say(`fdatasync ms before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`);
      return {
        value: consumed?.latencyMs.p99 ?? 0,
        p50: consumed?.latencyMs.p50,
        target: round(diskP99 + 10),
        batches: consumed?.latencyMs.count,
        max: consumed?.latencyMs.max,
        ackMs: sent.ackMs,
        commitMs: { p50: log.commitP50Ms, p99: log.commitP99Ms },
        offeredPerSecond: Math.round(sent.offered / sent.seconds),
        cpuSeconds: { server: serverCpu, generator: sent.cpuSeconds, consumer: consumed?.cpuSeconds },
        fdatasyncMs: { before, after },
      };
    } finally {
      rig.end();
      await server.stop();
    }
  },
};
