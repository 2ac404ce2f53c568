/**
 * The stored data that the query benches and `replay` share: at least 100 M points, brought in through the real ingest (back-dated factory mix, in order of
 * time), once; kept under bench/out and used again as long as its description below stays the same.
 *
 * - 1,000 tags, one batch of the factory each scan;
 * - 29 days with a scan every 120 s: 20.9 M points, 30 in each hour of a tag;
 * - then one day with a scan every second: 86.4 M points.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dayUs, secondUs } from "@lineshaft/contract/api";
import { rowsPerBatch } from "../factory-mix.ts";
import { compactAll } from "../size.ts";
import { Generator, generatorDefaults } from "./generator.ts";
import type { BenchContext } from "./report.ts";
import { ServerProcess } from "./server.ts";
import { round, SharedClock } from "./stats.ts";

/** Raise it when the storage format or this layout changes. */
const datasetVersion = 2;
const olderStepUs = 120 * secondUs;
const recentStepUs = secondUs;

export interface Dataset {
  points: number;
  /** End of the stored data. */
  endUs: number;
  /** Beginning of the 1 Hz data. */
  recentFromUs: number;
  olderFromUs: number;
  tagIds: number[];
  loadSeconds: number;
  dataDir: string;
}

/** Name of the one source: the live load of the query benches uses others. */
const source = "recorder";

export async function dataset(context: BenchContext): Promise<Dataset> {
  const { cacheDir, quick, say } = context;
  const name = `stored-v${datasetVersion}${quick ? "-quick" : ""}`;
  const dataDir = join(cacheDir, name);
  const note = join(dataDir, "dataset.json");
  if (existsSync(note)) return JSON.parse(readFileSync(note, "utf8")) as Dataset;
  say("filling history through the ingest (once; kept for later runs) …");
  const building = join(cacheDir, `${name}.building`);
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { recursive: true });
  // The log's window would hold all of it; the queries read history.
  const server = await ServerProcess.start({ dataDir: building, args: ["--log-hours", "0.02"] });
  const before = performance.now();
  const clock = new SharedClock();
  const endUs = Math.floor(clock.nowUs() / secondUs) * secondUs - 120 * secondUs;
  // A quick data set has the same shape: a day of 15 minutes, a month of an hour.
  const scale = quick ? 96 : 1;
  const recentFromUs = endUs - dayUs / scale;
  const olderFromUs = recentFromUs - (29 * dayUs) / scale;
  const phases = [
    { fromUs: olderFromUs, toUs: recentFromUs, stepUs: olderStepUs },
    { fromUs: recentFromUs, toUs: endUs, stepUs: recentStepUs },
  ];
  let points = 0;
  let tagIds: number[] = [];
  try {
    for (const { fromUs, toUs, stepUs } of phases) {
      const scans = Math.floor((toUs - fromUs) / stepUs);
      const generator = new Generator({
        ...generatorDefaults,
        url: server.url,
        key: server.api.key,
        clockOffsetUs: clock.offsetUs,
        tags: rowsPerBatch,
        sources: 1,
        name: source,
        backdated: { fromUs, stepUs, scans },
      });
      tagIds = await generator.ready();
      generator.go();
      const tick = setInterval(() => say(`… ${round((points + generator.acknowledged) / 1e6, 1)} M points`), 10_000);
      const sent = await generator.done().finally(() => clearInterval(tick));
      points += sent.offered;
      if (sent.suspect + sent.rejected > 0) throw new Error(`Not all rows were simply new: ${JSON.stringify(sent)}`);
      await server.settled(sent.lastLsn, 1_800_000);
    }
  } finally {
    await server.stop();
  }
  // A month comes in within minutes here: history is given the time that it would have had.
  await compactAll(join(building, "history"));
  const loadSeconds = round((performance.now() - before) / 1000);
  const made: Dataset = { points, endUs, recentFromUs, olderFromUs, tagIds, loadSeconds, dataDir };
  writeFileSync(join(building, "dataset.json"), JSON.stringify(made));
  rmSync(dataDir, { recursive: true, force: true });
  renameSync(building, dataDir);
  say(`${round(points / 1e6, 1)} M points stored in ${loadSeconds} s`);
  return made;
}
