// A live view that stands for ten minutes: what it holds must not grow. On a wall it stands for weeks.
import { hasPeer } from "@lineshaft/testkit";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConsoleTab, launchBrowser, tagNamed } from "./support/browser.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

const minutes = 10;
const dir = tempDir();
let server: ServerProcess;
let browser: Browser;

describe.skipIf(!hasPeer("chromium"))("a live view", () => {
  beforeAll(async () => {
    [server, browser] = await Promise.all([
      ServerProcess.start({ dataDir: dir.path, command: "demo", env: { LINESHAFT_CONSOLE: "" } }),
      launchBrowser(),
    ]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.kill("SIGTERM");
    dir.remove();
  });

  it.each([
    ["of tags", (tag: number) => `/equipment?tag=${tag}`],
    ["of a trend", (tag: number) => `/trends?tags=${tag},${tag + 1},${tag + 2}&live=60`],
  ] as const)("%s keeps its size", async (_, path) => {
    const secret = server.adminSecret ?? "";
    const tag = await tagNamed(new Rest(server.url, secret), "Northfield/Bottling-1/Filler1/Status/CurMachSpeed");
    const tab = await ConsoleTab.open(browser, { url: server.url, secret });
    await tab.goto(path(tag));
    const devtools = await tab.context.newCDPSession(tab.page);
    await devtools.send("Performance.enable");
    const size = async (): Promise<{ heap: number; nodes: number }> => {
      await devtools.send("HeapProfiler.collectGarbage");
      const { metrics } = await devtools.send("Performance.getMetrics");
      const of = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? 0;
      return { heap: of("JSHeapUsedSize"), nodes: of("Nodes") };
    };
    const minute = () => tab.page.evaluate(() => new Promise((done) => setTimeout(done, 60_000)));
    // A minute until everything that is kept for a while is there: sparklines, the tail of a trend.
    await minute();
    const before = await size();
    for (let passed = 0; passed < minutes; passed++) await minute();
    const after = await size();
    console.log(
      `console: ${(before.heap / 1e6).toFixed(1)} MB, after ${minutes} min ${(after.heap / 1e6).toFixed(1)} MB`,
    );
    expect(after.heap - before.heap).toBeLessThan(3_000_000);
    expect(after.nodes - before.nodes).toBeLessThan(1_000);
    await tab.close();
    expect(tab.faults).toEqual([]);
  });
});
