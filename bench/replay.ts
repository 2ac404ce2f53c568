/**
 * replay: datapoints a second that one consumer gets out of history through the client, beginning a day before the end of the stored data (lib/dataset.ts).
 * Measured from its first row to its last, over up to 20 M rows; nothing else is asked of the server meanwhile.
 */
import { Consumer } from "./lib/consumer.ts";
import { dataset } from "./lib/dataset.ts";
import type { Bench } from "./lib/report.ts";
import { ServerProcess } from "./lib/server.ts";
import { round, SharedClock } from "./lib/stats.ts";

export const replay: Bench = {
  name: "replay",
  about: "datapoints/s from history to a client",
  unit: "dp/s",
  better: "higher",
  floor: 200_000,
  target: 1_000_000,
  async run(context) {
    const data = await dataset(context);
    const { profileDir, say } = context;
    const server = await ServerProcess.start({ dataDir: data.dataDir, profileDir, args: ["--log-hours", "0.02"] });
    const rows = context.quick ? 500_000 : 20_000_000;
    const consumer = new Consumer({
      url: server.url,
      key: server.api.key,
      clockOffsetUs: new SharedClock().offsetUs,
      fromUs: data.recentFromUs,
      rows,
      markerTags: [],
    });
    try {
      const cpuBefore = server.figures().cpuSeconds;
      const startedMs = performance.now();
      const got = await consumer.done();
      const totalSeconds = (performance.now() - startedMs) / 1000;
      say(
        `${got.rows} rows in ${round(got.seconds)} s, ${got.events} events; with the first row ${round(totalSeconds)} s`,
      );
      return {
        value: Math.round(got.rows / Math.max(got.seconds, 1e-6)),
        rows: got.rows,
        seconds: round(got.seconds),
        totalSeconds: round(totalSeconds),
        events: got.events,
        cpuServerSeconds: round(server.figures().cpuSeconds - cpuBefore),
        rssMaxMB: Math.round(server.figures().rssMaxBytes / 1e6),
      };
    } finally {
      consumer.end();
      await server.stop();
    }
  },
};
