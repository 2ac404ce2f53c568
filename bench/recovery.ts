/**
 * recovery: seconds from kill −9 at 100,000 datapoints/s to the first durable acknowledgement by the restarted process on the same data. Five kills (three in a quick
 * run) on growing data; the value is the worst. At the end every acknowledged point must be stored: the server's sums are compared with the generator's.
 */
import { join } from "node:path";
import type { Bench } from "./lib/report.ts";
import { Rig } from "./lib/rig.ts";
import { ServerProcess } from "./lib/server.ts";
import { round, sleep } from "./lib/stats.ts";

export const recovery: Bench = {
  name: "recovery",
  about: "kill −9 at 100,000 dp/s → first durable acknowledgement, worst of n",
  unit: "s",
  better: "lower",
  floor: 10,
  target: 2,
  async run({ quick, seconds, dir, say }) {
    const dataDir = join(dir, "data");
    const kills = quick ? 3 : 6;
    const between = quick ? 2 : Math.max(5, seconds / kills);
    let server = await ServerProcess.start({ dataDir });
    const rig = await Rig.ready(server, { ratePerSecond: 100_000 });
    const downSeconds: number[] = [];
    const readySeconds: number[] = [];
    try {
      rig.go();
      for (let kill = 0; kill < kills; kill++) {
        await sleep(between * 1000);
        const killedUs = rig.clock.nowUs();
        rig.generator.recovered.length = 0;
        const { port } = server;
        await server.kill9();
        server = await ServerProcess.start({ dataDir, port });
        readySeconds.push(round((rig.clock.nowUs() - killedUs) / 1e6));
        const first = await firstAfter(rig, killedUs);
        downSeconds.push(round((first - killedUs) / 1e6));
        say(
          `kill ${kill + 1}: ready after ${readySeconds[kill]} s, first acknowledgement after ${downSeconds[kill]} s`,
        );
      }
      await sleep(1_000);
      rig.generator.stop();
      const sent = await rig.generator.done();
      const { sums } = await server.settled(sent.lastLsn);
      // Batches whose acknowledgement was lost came twice; they count once in `stored` and once in `duplicates`.
      if (!sums.balanced || sums.stored < sent.offered - sent.duplicates)
        throw new Error(
          `Acknowledged ${sent.offered} (${sent.duplicates} resent), but stored ${JSON.stringify(sums)}.`,
        );
      const sorted = downSeconds.toSorted((a, b) => a - b);
      return {
        value: sorted[sorted.length - 1],
        p50: sorted[Math.floor(sorted.length / 2)],
        kills,
        downSeconds,
        readySeconds,
        acknowledged: sent.offered,
        sums,
      };
    } finally {
      rig.end();
      await server.stop();
    }
  },
};

/** When the first batch sent after the kill was acknowledged. */
async function firstAfter(rig: Rig, killedUs: number): Promise<number> {
  for (let waited = 0; waited < 60_000; waited += 5) {
    const acks = rig.generator.recovered.filter(({ sentUs }) => sentUs > killedUs);
    if (acks.length > 0) return Math.min(...acks.map(({ acknowledgedUs }) => acknowledgedUs));
    await sleep(5);
  }
  throw new Error("No acknowledgement within 60 s after the kill.");
}
