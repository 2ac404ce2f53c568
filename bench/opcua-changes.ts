/**
 * opcua-changes: value changes a second from 10,000 items of one OPC UA server, as fast as the platform asks for them: `lineshaft up` reads them by its own
 * connection, makes them durable, keeps them in history and serves one live consumer. The server, a process of its own, prepares its notifications itself
 * (2,000 changes a message, each with a source time of its own) and forgets a message only when it is acknowledged.
 */
import { join } from "node:path";
import { Helper } from "./lib/child.ts";
import { Consumer } from "./lib/consumer.ts";
import { measureSync } from "./lib/disk.ts";
import { configure, plainConnection, tagIds, untilHealth } from "./lib/opcua-connection.ts";
import type { ChangesJob, ChangesMessage } from "./lib/opcua-main.ts";
import type { Bench } from "./lib/report.ts";
import { ServerProcess } from "./lib/server.ts";
import { round, SharedClock, sleep } from "./lib/stats.ts";

const tags = 10_000;

export const opcuaChanges: Bench = {
  name: "opcua-changes",
  about: `value changes of ${tags} OPC UA items through the platform's own connection, durable, in history and at a consumer`,
  unit: "changes/s",
  better: "higher",
  floor: 20_000,
  target: 100_000,
  async run({ quick, seconds, dir, say, profileDir }) {
    const clock = new SharedClock();
    const sync = await measureSync(dir, quick ? 1 : 5);
    const server = await ServerProcess.start({ dataDir: join(dir, "data"), profileDir });
    const plant = new Helper<ChangesJob, ChangesMessage>("opcua-main.ts", { tags, clockOffsetUs: clock.offsetUs });
    let consumer: Consumer | null = null;
    try {
      const { port } = await plant.next("ready");
      const addresses = Array.from({ length: tags }, (_, i) => `ns=1;i=${i + 1}`);
      const rssBefore = server.figures().rssBytes;
      await configure(server, plainConnection(port), addresses);
      await untilHealth(server, ["connecting", "flowing", "silent"]);
      const ids = await subscribed(server);
      const markerTags = [...ids.values()].filter((_, i) => i % 1000 === 0);
      consumer = new Consumer({
        url: server.url,
        key: server.api.key,
        clockOffsetUs: clock.offsetUs,
        fromUs: null,
        rows: null,
        markerTags,
      });
      await consumer.ready();
      const cpuBefore = server.figures().cpuSeconds;
      const start = performance.now();
      plant.send({ command: "go" });
      await sleep(seconds * 1000);
      plant.send({ command: "stop" });
      const { sent, messages } = await plant.next("stopped");
      await durable(server, sent + tags);
      const elapsed = (performance.now() - start) / 1000;
      const { log } = await server.system();
      const status = await server.settled(log.durableLsn);
      const inHistorySeconds = round((performance.now() - start) / 1000 - elapsed);
      const serverCpu = round(server.figures().cpuSeconds - cpuBefore);
      if (status.sums.stored !== sent + tags || status.sums.duplicates + status.sums.rejected > 0)
        throw new Error(`${sent} changes were sent; the sums say ${JSON.stringify(status.sums)}.`);
      await consumedAll(consumer, sent);
      consumer.stop();
      const consumed = await consumer.done();
      plant.send({ command: "end" });
      const { cpuSeconds } = await plant.next("done");
      const { rssBytes, rssMaxBytes } = server.figures();
      say(
        `${Math.round(messages / elapsed)} messages/s, live ms ${JSON.stringify(consumed.latencyMs)}, server ${serverCpu} CPU s`,
      );
      return {
        value: Math.round(sent / elapsed),
        changes: sent,
        changesPerMessage: Math.round(sent / messages),
        inHistorySecondsAfter: inHistorySeconds,
        liveMs: consumed.latencyMs,
        commitMs: { p50: status.log.commitP50Ms, p99: status.log.commitP99Ms },
        rssMB: {
          before: Math.round(rssBefore / 1e6),
          after: Math.round(rssBytes / 1e6),
          max: Math.round(rssMaxBytes / 1e6),
        },
        cpuSeconds: { server: serverCpu, generator: cpuSeconds, consumer: consumed.cpuSeconds },
        fdatasyncMs: sync,
      };
    } finally {
      consumer?.end();
      plant.end();
      await server.stop();
    }
  },
};

/** All items are watched, and their first values are there. */
async function subscribed(server: ServerProcess): Promise<Map<string, number>> {
  for (const deadline = performance.now() + 60_000; ; await sleep(100)) {
    const { sums, log } = await server.system();
    if (sums.stored === tags) {
      await server.settled(log.durableLsn);
      return tagIds(server);
    }
    if (performance.now() > deadline) throw new Error(`Only ${sums.stored} of ${tags} items have a value.`);
  }
}

/** All rows are stored: each batch was synced before it counted. */
async function durable(server: ServerProcess, rows: number): Promise<void> {
  for (const deadline = performance.now() + 60_000; ; await sleep(10)) {
    const { sums } = await server.system();
    if (sums.stored >= rows) return;
    if (performance.now() > deadline) throw new Error(`Only ${sums.stored} of ${rows} rows are stored.`);
  }
}

async function consumedAll(consumer: Consumer, rows: number): Promise<void> {
  for (const deadline = performance.now() + 60_000; consumer.rows < rows; await sleep(10))
    if (performance.now() > deadline) throw new Error(`The consumer stands at ${consumer.rows} of ${rows} rows.`);
  if (consumer.rows > rows) throw new Error(`The consumer got ${consumer.rows} rows; ${rows} were sent.`);
}
