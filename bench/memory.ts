/**
 * memory: resident memory of the server after taking 50,000 datapoints/s of 100,000 tags, with a live consumer; the idle `up` beside it. The value is the
 * highest of the samples in the last third of the run, workers included (they are threads of the one process).
 */
import { join } from "node:path";
import type { Bench } from "./lib/report.ts";
import { Rig } from "./lib/rig.ts";
import { ServerProcess } from "./lib/server.ts";
import { round, sleep } from "./lib/stats.ts";

const megabytes = (bytes: number): number => round(bytes / 1e6, 0);

export const memory: Bench = {
  name: "memory",
  about: "RSS at 50,000 dp/s with 100,000 tags, idle `up` beside it",
  unit: "MB",
  better: "lower",
  floor: 900,
  target: 450,
  async run({ quick, seconds, dir, say, profileDir }) {
    const server = await ServerProcess.start({ dataDir: join(dir, "data"), profileDir });
    await sleep(quick ? 1_000 : 5_000);
    const idleMB = megabytes(server.figures().rssBytes);
    const rig = await Rig.ready(server, { tags: 100_000, ratePerSecond: 50_000, seconds, consumer: true });
    const samples: number[] = [];
    const sampling = setInterval(() => samples.push(megabytes(server.figures().rssBytes)), 500);
    try {
      rig.go();
      const sent = await rig.generator.done();
      await rig.consumed(sent.offered);
      clearInterval(sampling);
      const value = Math.max(...samples.slice(-Math.ceil(samples.length / 3)));
      const peakMB = megabytes(server.figures().rssMaxBytes);
      say(`idle ${idleMB} MB, under load ${value} MB, peak ${peakMB} MB`);
      return { value, idleMB, peakMB, tags: 100_000, offeredPerSecond: Math.round(sent.offered / sent.seconds) };
    } finally {
      clearInterval(sampling);
      rig.end();
      await server.stop();
    }
  },
};
