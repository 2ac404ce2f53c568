/**
 * OEE from recording to report, with the application in its worker and everything over HTTP, as a stranger's program would have it.
 *
 * - oee-report: the report of a shift of 200 machines: what the console's page reads and makes of it. p99.
 * - rederive-order: an order of eight hours on 200 machines is booked on another material with another ideal cycle. From the booking to the last publication.
 * - rederive-mapping: what the states of 50 machines meant for seven days changes. From the change to the last publication.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { connectLineshaft, type Platform } from "@lineshaft/client";
import { dayUs, hourUs, secondUs } from "@lineshaft/contract/api";
import { measureSync } from "./lib/disk.ts";
import { batchOf, OeePlant, type PlantOptions } from "./lib/oee-plant.ts";
import type { Bench, BenchContext, BenchResult } from "./lib/report.ts";
import { root } from "./lib/server.ts";
import { round, Samples } from "./lib/stats.ts";

/** Of the application, found when it is needed: the benches of the platform run without it. It is what the console's page calls. */
interface ReportModule {
  readShiftReport(
    platform: Platform,
    request: object,
  ): Promise<{ report: { rows: unknown[]; stops: unknown[] } | null }>;
}

/** A quick run has the same shape in small. */
const plantOf = ({ quick }: BenchContext, machines: number, spanUs: number, stepUs: number): PlantOptions => {
  const mapped = quick ? Math.min(20, machines) : machines;
  return {
    machines: batchOf(mapped),
    mapped,
    spanUs: quick ? 8 * hourUs : spanUs,
    stepUs: quick ? 60 * secondUs : stepUs,
  };
};

async function withPlant(
  context: BenchContext,
  options: PlantOptions,
  measure: (plant: OeePlant) => Promise<BenchResult>,
): Promise<BenchResult> {
  const disk = await measureSync(context.dir, context.quick ? 1 : 3);
  const plant = await OeePlant.start(context, join(context.dir, "data"), options);
  try {
    const result = await measure(plant);
    const { server, loadSeconds } = plant;
    context.say(`fdatasync ms ${JSON.stringify(disk)}`);
    return {
      ...result,
      machines: options.mapped,
      loadSeconds,
      rssMaxMB: Math.round(server.figures().rssMaxBytes / 1e6),
      fdatasyncMs: disk,
    };
  } finally {
    await plant.server.stop();
  }
}

/** From `begin`, which gives the place of a change in the log, to the last publication that it made. */
async function untilPublished(plant: OeePlant, begin: () => Promise<number>): Promise<BenchResult> {
  const cpuBefore = plant.server.figures().cpuSeconds;
  const beganUs = Date.now() * 1000;
  const lsn = await begin();
  const acceptedUs = Date.now() * 1000;
  const { lastUs, results } = await plant.published(lsn);
  if (results === 0) throw new Error("The change changed no result.");
  return {
    value: round((lastUs - beganUs) / 1e6),
    mainThread: plant.server.stalls(beganUs / 1000, lastUs / 1000),
    acceptedSeconds: round((acceptedUs - beganUs) / 1e6),
    results,
    cpuServerSeconds: round(plant.server.figures().cpuSeconds - cpuBefore),
  };
}

const oeeReport: Bench = {
  name: "oee-report",
  about: "shift report of 200 machines × 8 h over HTTP, p99",
  unit: "ms",
  better: "lower",
  floor: 1_000,
  target: 200,
  run: (context) =>
    withPlant(context, plantOf(context, 200, 8 * hourUs, 30 * secondUs), async (plant) => {
      const source = pathToFileURL(join(root, "applications/oee/report-source.ts")).href;
      const { readShiftReport } = (await import(source)) as ReportModule;
      const { url, api } = plant.server;
      const platform = connectLineshaft({ url, key: api.key });
      const { items: equipment } = await platform.call("listEquipment", { query: { limit: 1000 } });
      const place = equipment.find(({ level }) => level === "site");
      if (place === undefined) throw new Error("There is no site.");
      const times = { from: plant.fromUs, to: plant.toUs };
      const { items: shifts } = await platform.call("listShifts", { query: { equipmentId: place.id, ...times } });
      const shift = shifts.find(({ id }) => id === plant.shift);
      const ms = new Samples();
      let rows = 0;
      let stops = 0;
      const end = performance.now() + 1000 * context.seconds;
      for (let n = 0; n < 20 || performance.now() < end; n++) {
        const before = performance.now();
        const { report } = await readShiftReport(platform, { place, shift });
        ms.add(performance.now() - before);
        if (report === null || report.rows.length <= plant.machines.length)
          throw new Error(`The report has ${report?.rows.length ?? 0} rows for ${plant.machines.length} machines.`);
        rows = report.rows.length;
        stops = report.stops.length;
      }
      platform.close();
      const { p99, ...all } = ms.summary();
      context.say(`report of ${rows} rows and ${stops} stops, ms ${JSON.stringify(ms.summary())}`);
      return { value: p99, ...all, rows, stops };
    }),
};

const rederiveOrder: Bench = {
  name: "rederive-order",
  about: "an order of 8 h on 200 machines booked on another material, s until all results are published",
  unit: "s",
  better: "lower",
  floor: 30,
  target: 2,
  run: (context) =>
    withPlant(context, plantOf(context, 200, 8 * hourUs, 30 * secondUs), async (plant) => {
      const { headers } = await plant.server.api.request("GET", "/orders/A");
      const etag = headers.get("etag") ?? "";
      return untilPublished(plant, async () => (await plant.bookOrder("M5", etag)).lsn);
    }),
};

const rederiveMapping: Bench = {
  name: "rederive-mapping",
  about: "another meaning of the states of 50 machines for 7 days, s until all results are published",
  unit: "s",
  better: "lower",
  floor: 120,
  target: 15,
  run: (context) =>
    withPlant(context, plantOf(context, 50, 7 * dayUs, 60 * secondUs), (plant) =>
      untilPublished(plant, () => plant.map((value) => value % 4 !== 0)),
    ),
};

export const oee: readonly Bench[] = [oeeReport, rederiveOrder, rederiveMapping];
