/**
 * ingest-http, ingest-json: how many datapoints a second are acknowledged as durable, delivered to a live consumer and stored in history. The
 * sources send batches of 1,000 as fast as they are acknowledged; meanwhile one consumer follows everything through the client and 5 one-tag
 * queries a second are asked. The clock stops when the last of the three is done: all rows acknowledged, consumed, and settled in history.
 */
import { join } from "node:path";
import { measureSync } from "./lib/disk.ts";
import type { Bench, BenchContext, BenchResult } from "./lib/report.ts";
import { expectAllStored, Rig } from "./lib/rig.ts";
import { ServerProcess } from "./lib/server.ts";
import { round } from "./lib/stats.ts";

async function ingest(context: BenchContext, format: "binary" | "json"): Promise<BenchResult> {
  const { seconds, dir, say, profileDir } = context;
  const disk = await measureSync(dir, context.quick ? 1 : 3);
  const server = await ServerProcess.start({ dataDir: join(dir, "data"), profileDir });
  const rig = await Rig.ready(server, { format, seconds, consumer: true, queriesPerSecond: 5 });
  try {
    const before = performance.now();
    rig.go();
    const sent = await rig.generator.done();
    const acknowledgedSeconds = (performance.now() - before) / 1000;
    await rig.consumed(sent.offered);
    const consumedSeconds = (performance.now() - before) / 1000;
    const status = await server.settled(sent.lastLsn);
    const settledSeconds = (performance.now() - before) / 1000;
    const serverCpu = rig.serverCpuSeconds();
    await rig.endQueries();
    expectAllStored(sent);
    if (status.sums.stored !== sent.offered || !status.sums.balanced)
      throw new Error(`Sent ${sent.offered} rows; the server says ${JSON.stringify(status.sums)}.`);
    rig.consumer?.stop();
    const consumed = await rig.consumer?.done();
    const cpuSeconds = { server: serverCpu, generator: sent.cpuSeconds, consumer: consumed?.cpuSeconds };
    say(
      `${sent.offered} points: acknowledged in ${round(acknowledgedSeconds)} s, consumed in ${round(consumedSeconds)} s, settled in ${round(settledSeconds)} s`,
    );
    say(
      `ack ms ${JSON.stringify(sent.ackMs)}; live ms ${JSON.stringify(consumed?.latencyMs)}; queries ms ${JSON.stringify(rig.queryMs.summary())}`,
    );
    say(`CPU seconds ${JSON.stringify(cpuSeconds)}; fdatasync ms ${JSON.stringify(disk)}`);
    return {
      value: Math.round(sent.offered / settledSeconds),
      points: sent.offered,
      acknowledgedPerSecond: Math.round(sent.offered / acknowledgedSeconds),
      consumedPerSecond: Math.round(sent.offered / consumedSeconds),
      settledSeconds: round(settledSeconds),
      ackMs: sent.ackMs,
      consumerMs: consumed?.latencyMs,
      queryMs: rig.queryMs.summary(),
      refusals: sent.refusals,
      cpuSeconds,
      serverCpuMicrosPerPoint: round((serverCpu * 1e6) / sent.offered),
      rssMaxMB: Math.round(server.figures().rssMaxBytes / 1e6),
      historyFiles: status.history.files,
      fdatasyncMs: disk,
    };
  } finally {
    rig.end();
    await server.stop();
  }
}

export const ingestHttp: Bench = {
  name: "ingest-http",
  about: "datapoints/s in binary batches of 1,000: acknowledged durable, consumed live, settled in history",
  unit: "dp/s",
  better: "higher",
  floor: 250_000,
  target: 800_000,
  run: (context) => ingest(context, "binary"),
};

export const ingestJson: Bench = {
  name: "ingest-json",
  about: "the same in columnar JSON",
  unit: "dp/s",
  better: "higher",
  floor: 100_000,
  target: 400_000,
  run: (context) => ingest(context, "json"),
};
