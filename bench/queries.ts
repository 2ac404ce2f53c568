/**
 * query-last, query-raw, query-day, query-month: time of one query over HTTP while 50,000 datapoints/s come in and at least 100 M points are stored
 * (lib/dataset.ts). One query after the other from this process, each for another tag; raw points are taken as the binary frame and read to the end. The live load goes to
 * 10,000 other tags; queries run only after it has begun.
 */
import { columnsMediaType, decodeColumns, hourUs, secondUs } from "@lineshaft/contract/api";
import type { Api } from "./lib/api.ts";
import { type Dataset, dataset } from "./lib/dataset.ts";
import type { Bench, BenchContext, BenchResult } from "./lib/report.ts";
import { Rig } from "./lib/rig.ts";
import { ServerProcess } from "./lib/server.ts";
import { round, Samples, sleep } from "./lib/stats.ts";

/** One query; n counts up. Resolves with the number of points or buckets that came. */
type Ask = (api: Api, data: Dataset, n: number) => Promise<number>;

/** Between two queries: they are to be answered beside the load, not to be a load of their own. */
const pauseMs = 20;

const tagOf = (data: Dataset, n: number): number => data.tagIds[(n * 389) % data.tagIds.length];
const lastValue: Ask = async (api, data, n) => {
  const { items } = await api.get<{ items: { value: unknown }[] }>(`/values?tag=${tagOf(data, n)}`);
  return items.length;
};

/** An hour of 1 Hz data somewhere in the last day. */
const rawHour: Ask = async (api, data, n) => {
  const length = Math.min(hourUs, (data.endUs - data.recentFromUs) / 4);
  const from = data.recentFromUs + ((n * 7) % 24) * Math.floor((data.endUs - data.recentFromUs - length) / 24);
  const path = `/history/raw?tag=${tagOf(data, n)}&from=${from}&to=${from + length}`;
  const answer = await api.request("GET", path, undefined, 60_000, columnsMediaType);
  return decodeColumns(new Uint8Array(await answer.arrayBuffer())).columns.rows;
};

/** The last day of the stored data, which may be days ago by now; a quick data set's day has 15 minutes. */
const dayInBuckets: Ask = async (api, data, n) => {
  const path = `/history/buckets?tag=${tagOf(data, n)}&from=${data.recentFromUs}&to=${data.endUs}&buckets=1000`;
  return (await api.get<{ tag: number[] }>(path)).tag.length;
};

const monthHourly: Ask = async (api, data, n) => {
  const tags = `tag=${Array.from({ length: 100 }, (_, i) => tagOf(data, n * 100 + i)).join(",")}`;
  const from = Math.floor(data.olderFromUs / hourUs) * hourUs;
  const to = Math.floor(data.endUs / hourUs) * hourUs;
  const path = `/history/buckets?${tags}&from=${from}&to=${Math.max(to, from + hourUs)}&bucketUs=${hourUs}`;
  return (await api.get<{ tag: number[] }>(path)).tag.length;
};

async function query(context: BenchContext, ask: Ask, expected: (data: Dataset) => number): Promise<BenchResult> {
  const { seconds, say, quick, profileDir } = context;
  const data = await dataset(context);
  const server = await ServerProcess.start({ dataDir: data.dataDir, profileDir, args: ["--log-hours", "0.02"] });
  const rig = await Rig.ready(server, { tags: 10_000, sources: 5, name: "live", ratePerSecond: 50_000 });
  const times = new Samples();
  let least = Infinity;
  try {
    rig.go();
    await sleep(quick ? 500 : 5_000);
    const { api } = server;
    // Connections are open and code is compiled before it counts; the data are other tags'.
    for (let n = 0; n < 10; n++) await ask(api, data, n + 5_003);
    const end = performance.now() + seconds * 1000;
    for (let n = 0; performance.now() < end; n++) {
      const before = performance.now();
      const got = await ask(api, data, n);
      times.add(performance.now() - before);
      least = Math.min(least, got);
      await sleep(pauseMs);
    }
    rig.generator.stop();
    const sent = await rig.generator.done();
    const status = await server.settled(sent.lastLsn);
    if (least < expected(data)) throw new Error(`An answer had ${least} items; ${expected(data)} were expected.`);
    const offeredPerSecond = Math.round(sent.offered / sent.seconds);
    say(
      `${times.count} queries, ms ${JSON.stringify(times.summary())}, at ${offeredPerSecond} dp/s, ${status.history.rows} rows stored`,
    );
    const { p50, p99, max, count } = times.summary();
    return {
      value: p99,
      p50,
      max,
      queries: count,
      leastItems: least,
      storedPoints: status.history.rows,
      offeredPerSecond,
      ackMs: sent.ackMs,
      historyFiles: status.history.files,
      cpuServerSeconds: round(server.figures().cpuSeconds),
    };
  } finally {
    rig.end();
    await server.stop();
  }
}

const bench = (
  name: string,
  about: string,
  limits: { floor: number; target: number },
  ask: Ask,
  expected: (data: Dataset) => number,
): Bench => ({ name, about, unit: "ms", better: "lower", ...limits, run: (context) => query(context, ask, expected) });

export const queries: readonly Bench[] = [
  bench(
    "query-last",
    "p99 of the last value of a tag, ≥ 100 M points stored, 50,000 dp/s coming in",
    { floor: 5, target: 2 },
    lastValue,
    () => 1,
  ),
  bench(
    "query-raw",
    "the same for 1 h of raw points of a tag",
    { floor: 50, target: 10 },
    rawHour,
    (data) => Math.floor(Math.min(hourUs, (data.endUs - data.recentFromUs) / 4) / secondUs) - 1,
  ),
  bench(
    "query-day",
    "the same for 24 h of a tag in 1,000 buckets",
    { floor: 100, target: 20 },
    dayInBuckets,
    () => 880,
  ),
  bench(
    "query-month",
    "the same for 30 d of 100 tags by the hour",
    { floor: 300, target: 30 },
    monthHourly,
    (data) => 100 * Math.max(1, Math.floor((data.endUs - data.olderFromUs) / hourUs) - 2),
  ),
];
