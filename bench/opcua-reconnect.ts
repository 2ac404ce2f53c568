/**
 * opcua-reconnect: an OPC UA server is killed with −9 and starts again at once, 30 times (5 in a short run). How long from its first listening until a value of
 * after that is with a live consumer, and which values of the tags with history are missing in the end: none may be.
 */
import { join } from "node:path";
import { connectLineshaft } from "@lineshaft/client";
import type { PointSeries } from "@lineshaft/contract/api";
import { RawProcess } from "../integration/connectivity/connectors/opcua/test/raw-process.ts";
import { measureSync } from "./lib/disk.ts";
import { configure, plainConnection, tagIds } from "./lib/opcua-connection.ts";
import type { Bench } from "./lib/report.ts";
import { ServerProcess } from "./lib/server.ts";
import { Samples, SharedClock, sleep } from "./lib/stats.ts";

const tags = 100;
const withHistory = 50;
const stepUs = 100_000;
/** Between two kills: after so long the platform takes the connection for steady again. */
const holdMs = 5_500;

export const opcuaReconnect: Bench = {
  name: "opcua-reconnect",
  about:
    "an OPC UA server is killed −9 and comes back: seconds from its listening to the first value at a consumer, p99",
  unit: "s",
  better: "lower",
  floor: 10,
  target: 3,
  async run({ quick, seconds, dir, say }) {
    const rounds = quick || seconds < 30 ? 5 : 30;
    const clock = new SharedClock();
    const sync = await measureSync(dir, quick ? 1 : 5);
    const startUs = clock.nowUs();
    const server = await ServerProcess.start({ dataDir: join(dir, "data") });
    const machine = await RawProcess.start({ port: 0, startUs, stepUs, tags, withHistory });
    const over = new AbortController();
    try {
      await configure(
        server,
        plainConnection(machine.port),
        Array.from({ length: tags }, (_, i) => `ns=1;i=${i + 1}`),
      );
      const newest = follow(server, over.signal);
      await newest.after(startUs);
      const rssBefore = server.figures().rssBytes;
      const samples = new Samples();
      for (let round = 0; round < rounds; round++) {
        await sleep(holdMs);
        await machine.restart();
        const backUs = clock.nowUs();
        await newest.after(backUs);
        samples.add((clock.nowUs() - backUs) / 1e6);
      }
      await machine.kill();
      const { log } = await server.system();
      await server.settled(log.durableLsn);
      const found = await missing(server);
      const { items: gaps } = await server.api.get<{ items: unknown[] }>("/gaps?limit=1000");
      if (found.missing > 0)
        throw new Error(`${found.missing} of ${found.values} values of tags with history are missing.`);
      const { rssBytes, rssMaxBytes } = server.figures();
      const { p50, p99, max } = samples.summary();
      say(`${rounds} kills: p50 ${p50} s, p99 ${p99} s; ${found.values} values of tags with history, none missing`);
      return {
        value: p99,
        p50,
        max,
        kills: rounds,
        valuesWithHistory: found.values,
        lost: found.missing,
        gapRecords: gaps.length,
        rssMB: {
          before: Math.round(rssBefore / 1e6),
          after: Math.round(rssBytes / 1e6),
          max: Math.round(rssMaxBytes / 1e6),
        },
        fdatasyncMs: sync,
      };
    } finally {
      over.abort();
      await machine.kill();
      await server.stop();
    }
  },
};

/** Follows the live stream, and tells when a good value of after an instant is there. */
function follow(server: ServerProcess, signal: AbortSignal): { after(us: number): Promise<void> } {
  let newestUs = 0;
  const platform = connectLineshaft({ url: server.url, key: server.api.key });
  const read = async (): Promise<void> => {
    for await (const event of platform.subscribe({ types: ["points.recorded"], format: "columns" }, { signal })) {
      if (event.type !== "points.recorded") continue;
      const { time, status, rows } = event.columns;
      for (let i = 0; i < rows; i++) if ((status === null || status[i] === 0) && time[i] > newestUs) newestUs = time[i];
    }
  };
  read().catch(() => {});
  return {
    async after(us) {
      for (const deadline = performance.now() + 60_000; newestUs <= us; await sleep(5))
        if (performance.now() > deadline) throw new Error("No value for 60 s.");
    },
  };
}

/** Counts that the tags with history skip: each must be there from the first to the last. */
async function missing(server: ServerProcess): Promise<{ values: number; missing: number }> {
  const sums = { values: 0, missing: 0 };
  const ids = await tagIds(server);
  for (let number = 1; number <= withHistory; number++) {
    const counts = new Set<number>();
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: PointSeries = await server.api.get(
        `/history/raw?tag=${ids.get(`ns=1;i=${number}`)}&from=0&to=${9e15}${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      // Rows that say "no communication" repeat the last count.
      for (const value of page.value) if (typeof value === "number") counts.add(value);
      cursor = page.cursor;
    }
    const sorted = [...counts].sort((a, b) => a - b);
    sums.values += sorted.length;
    sums.missing += (sorted.at(-1) ?? 0) - sorted[0] + 1 - sorted.length;
  }
  return sums;
}
