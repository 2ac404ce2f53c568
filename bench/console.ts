/**
 * The console at the size of a plant, in Chromium, over HTTP, while machines tell states and counts every second and the OEE application publishes.
 *
 * - console-load-24, -1000: from navigation to the painted content of each page, in a browser that knows nothing yet; the slowest page's median. What a page costs
 *   whatever else the machine does stands beside it: time of the page's own thread, requests, and bytes as they travelled.
 * - console-pan: frames a second while a chart of 8 tags × 24 h is dragged to and fro.
 * - console-heap: what the JavaScript heap grows by while the overview of 1,000 machines is watched and events come ten times as often.
 */
import { join } from "node:path";
import { dayUs } from "@lineshaft/contract/api";
import type { Browser, CDPSession, Page } from "playwright-core";
import { LivePlant, type LivePlantOptions } from "./lib/live-plant.ts";
import type { Bench, BenchContext, BenchResult } from "./lib/report.ts";
import { round, Samples } from "./lib/stats.ts";

const quickMachines = 48;

async function withPlant(
  context: BenchContext,
  options: LivePlantOptions,
  measure: (plant: LivePlant, browser: Browser) => Promise<BenchResult>,
): Promise<BenchResult> {
  const { launchBrowser } = await import("../tests/support/browser.ts");
  const plant = await LivePlant.start(context, join(context.dir, "data"), options);
  const browser = await launchBrowser();
  try {
    await plant.published();
    context.say(`${options.machines} machines, the running shift is published`);
    return { machines: options.machines, ...(await measure(plant, browser)) };
  } finally {
    await browser.close();
    await plant.stop();
  }
}

/** Signed in, with a cache of its own. */
async function openTab(plant: LivePlant, browser: Browser): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB" });
  const { url, api } = plant.server;
  const answer = await context.request.post(`${url}/api/v1/session`, { data: { secret: api.key } });
  if (!answer.ok()) throw new Error(`Sign-in: ${answer.status()} ${await answer.text()}`);
  return context.newPage();
}

/** Pages with what stands on them when they have said what they have to say. */
const pagesOf = ({ lines, machines, curves }: LivePlant): Record<string, [path: string, ready: string]> => ({
  overview: ["/overview", ".tile[data-state]"],
  line: [`/line?id=${lines[0]}`, ".kpi-panel"],
  machine: [`/machine?id=${machines[0]}`, ".kpi-panel"],
  oee: [`/oee?id=${lines[0]}`, ".waterfall"],
  andon: [`/andon?id=${lines[0]}`, ".andon-machines"],
  equipment: ["/equipment", ".page [role=treeitem], .page tbody tr"],
  ...(curves.length === 0 ? {} : { trends: [`/trends?tags=${curves.join(",")}`, ".trend-chart canvas"] }),
  orders: ["/orders", ".page tbody tr, .board"],
  connections: ["/connections", ".connections .toolbar"],
  system: ["/system", ".gauges"],
});

interface Loading {
  /** First sign of the page at all, and its content. */
  seenMs: number | null;
  readyMs: number | null;
}

/** What a page has cost until it was there. */
interface Cost {
  /** Of the page's main thread, not of the clock. */
  cpuMs: number;
  requests: number;
  kB: number;
}

/** Begins to count; the answer tells what it came to. */
async function counting(page: Page): Promise<() => Promise<Cost>> {
  const session = await page.context().newCDPSession(page);
  let [requests, bytes] = [0, 0];
  session.on("Network.loadingFinished", ({ encodedDataLength }) => {
    requests++;
    bytes += encodedDataLength;
  });
  await session.send("Network.enable");
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    const task = metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN;
    return { cpuMs: Math.round(1000 * task), requests, kB: Math.round(bytes / 1000) };
  };
}

/** Takes the times in the page itself, at the frame in which each was painted. */
async function load(page: Page, url: string, ready: string): Promise<{ seenMs: number; readyMs: number }> {
  await page.addInitScript((selector) => {
    const told: Loading = { seenMs: null, readyMs: null };
    Object.assign(window, { told });
    const look = (): void => {
      if (told.seenMs === null && document.querySelector(".rail, .andon, .quiet-wait") !== null) {
        told.seenMs = performance.now();
      }
      if (document.querySelector(selector) !== null) {
        // What stands in the document now is painted before the frame after the next.
        requestAnimationFrame(() => requestAnimationFrame(() => (told.readyMs = performance.now())));
        return;
      }
      requestAnimationFrame(look);
    };
    look();
  }, ready);
  await page.goto(url, { waitUntil: "commit" });
  const told = await page.waitForFunction(
    () => {
      const { told: times } = window as unknown as { told?: Loading };
      return times !== undefined && times.readyMs !== null ? times : null;
    },
    undefined,
    { timeout: 60_000 },
  );
  return (await told.jsonValue()) as { seenMs: number; readyMs: number };
}

const loadBench = (machines: number, floor: number, target: number): Bench => ({
  name: `console-load-${machines}`,
  about: `slowest page of the console with ${machines.toLocaleString("en-GB")} machines, from navigation to painted content, p50`,
  unit: "ms",
  better: "lower",
  floor,
  target,
  run: (context) => {
    const options = {
      machines: context.quick ? Math.min(quickMachines, machines) : machines,
      perLine: machines === 24 ? 6 : 25,
    };
    return withPlant(context, { ...options, everyMs: 1000, stateShare: 200 }, async (plant, browser) => {
      const pages: Record<string, { ms: number; seenMs: number } & Cost> = {};
      for (const [name, [path, ready]] of Object.entries(pagesOf(plant))) {
        const [readyMs, seenMs, cpuMs] = [new Samples(), new Samples(), new Samples()];
        let cost: Cost = { cpuMs: 0, requests: 0, kB: 0 };
        for (let run = 0; run < (context.quick ? 1 : 5); run++) {
          const page = await openTab(plant, browser);
          const told = await counting(page);
          const times = await load(page, plant.server.url + path, ready);
          cost = await told();
          cpuMs.add(cost.cpuMs);
          readyMs.add(times.readyMs);
          seenMs.add(times.seenMs);
          await page.context().close();
        }
        const [ms, seen, cpu] = [readyMs, seenMs, cpuMs].map((samples) => Math.round(samples.summary().p50));
        pages[name] = { ms, seenMs: seen, ...cost, cpuMs: cpu };
        context.say(`${name} ${JSON.stringify(pages[name])}`);
      }
      return { value: Math.max(...Object.values(pages).map(({ ms }) => ms)), pages };
    });
  },
});

/** Frames while the chart is dragged, of the time that it took. */
async function pan(page: Page, seconds: number): Promise<{ fps: number; worstMs: number; frames: number }> {
  const box = await page.locator(".trend-chart canvas").first().boundingBox();
  if (box === null) throw new Error("There is no chart.");
  await page.evaluate(() => {
    const stamps: number[] = [];
    Object.assign(window, { stamps });
    const look = (time: number): void => {
      stamps.push(time);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width / 2, y);
  await page.mouse.down();
  const end = performance.now() + seconds * 1000;
  for (let step = 0; performance.now() < end; step++)
    await page.mouse.move(box.x + box.width / 2 + (box.width / 3) * Math.sin(step / 25), y);
  const stamps = await page.evaluate(() => (window as unknown as { stamps: number[] }).stamps);
  await page.mouse.up();
  const deltas = stamps.slice(1).map((at, i) => at - stamps[i]);
  const total = deltas.reduce((sum, ms) => sum + ms, 0);
  return {
    fps: round((1000 * deltas.length) / total),
    worstMs: Math.round(Math.max(...deltas)),
    frames: stamps.length,
  };
}

const panBench: Bench = {
  name: "console-pan",
  about: "frames a second while a chart of 8 tags × 24 h is dragged",
  unit: "1/s",
  better: "higher",
  floor: 30,
  // A screen of 60 Hz shows 60; the clock of a frame is a little off.
  target: 59,
  run: (context) => {
    const curves = { tags: 8, spanUs: context.quick ? dayUs / 24 : dayUs };
    return withPlant(
      context,
      { machines: 24, perLine: 6, everyMs: 1000, stateShare: 200, curves },
      async (plant, browser) => {
        const page = await openTab(plant, browser);
        await page.goto(`${plant.server.url}/trends?tags=${plant.curves.join(",")}&live=${curves.spanUs / 1e6}`);
        await page.locator(".trend-chart canvas").first().waitFor();
        await page.waitForLoadState("networkidle").catch(() => undefined);
        const { fps, ...rest } = await pan(page, Math.min(20, context.seconds));
        return { value: fps, ...rest };
      },
    );
  },
};

/** After garbage was collected. */
async function heapMB(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return round(usedSize / 1e6);
}

const heapBench: Bench = {
  name: "console-heap",
  about: "growth of the heap while the overview of 1,000 machines is watched, events ten times as often",
  unit: "MB",
  better: "lower",
  floor: 10,
  target: 2,
  run: (context) => {
    const machines = context.quick ? quickMachines : 1000;
    return withPlant(context, { machines, perLine: 25, everyMs: 1000, stateShare: 20 }, async (plant, browser) => {
      const page = await openTab(plant, browser);
      await load(page, `${plant.server.url}/overview`, ".tile[data-state]");
      const session = await page.context().newCDPSession(page);
      await page.waitForTimeout(Math.min(20, context.seconds / 4) * 1000);
      const samples = [await heapMB(session)];
      for (let i = 0; i < 4; i++) {
        await page.waitForTimeout((context.seconds * 1000) / 4);
        samples.push(await heapMB(session));
      }
      const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
      return { value: round(samples[samples.length - 1] - samples[0]), heapMB: samples, nodes };
    });
  },
};

export const consoleBenches: readonly Bench[] = [
  loadBench(24, 2_000, 1_000),
  loadBench(1000, 4_000, 2_000),
  panBench,
  heapBench,
];
