// Every page of the console, light and dark, on a desk and on a tablet: nothing inaccessible, nothing cut off. The pictures stay in
// node_modules/.cache/screenshots, or where LINESHAFT_SCREENSHOTS says, for people to look at.
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { hasPeer } from "@lineshaft/testkit";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConsoleTab, launchBrowser, tagNamed } from "./support/browser.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";
import { look, pictures } from "./support/views.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const dir = tempDir();
let server: ServerProcess;
let browser: Browser;
let views: View[];

interface View {
  name: string;
  path: string;
  /** What stands there when the page has what it needs. */
  ready: string;
}

const filler = ["Status/CurMachSpeed", "Status/StateName", "Admin/ProdProcessedCount"];

/** What a real plant would have brought by now: refused batches, and every quality. */
async function prepare(rest: Rest): Promise<View[]> {
  const time = Date.now() * 1000;
  await rest.ingest("press-7", {
    points: [
      { tag: "temperature", time, value: 20.5, status: 0x80320000 },
      { tag: "pressure", time, value: 3.25, status: 0x40000000 },
      { tag: "serial", time, value: { int64: "9007199254740993" } },
      { tag: '🏭 <script>alert(1)</script> "quoted" & a name that is much longer than any column', time, value: "" },
      { tag: "clock", time: "yesterday", value: 1 },
      { tag: "shape", time, value: { is: "no value" } },
    ],
  });
  await rest.ingest("press-7", '{"points": [');
  const ids = await Promise.all(filler.map((name) => tagNamed(rest, `Northfield/Bottling-1/Filler1/${name}`)));
  await rest.settle();
  const refused = await rest.get<{ items: { id: number; code: string }[] }>("/api/v1/rejected?limit=10");
  const item = refused.items.find(({ code }) => code === "time_invalid")?.id;
  return [
    { name: "equipment", path: "/equipment", ready: ".cell-value" },
    { name: "tag", path: `/equipment?tag=${ids[0]}`, ready: ".inspector .reading" },
    { name: "unassigned", path: "/equipment?node=u", ready: ".quality-bad" },
    { name: "trends", path: `/trends?tags=${ids.join()}&live=900`, ready: ".legend-value" },
    { name: "trends-empty", path: "/trends", ready: ".picker-option" },
    { name: "connections", path: "/connections", ready: ".grid-row" },
    { name: "rejected", path: "/rejected", ready: "tbody tr" },
    { name: "rejected-item", path: `/rejected?item=${item}`, ready: ".rejected-detail .copy-block" },
    { name: "system", path: "/system", ready: ".sparkline-line" },
  ];
}

describe.skipIf(!hasPeer("chromium"))("the pages of the console", { timeout: 120_000 }, () => {
  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    [server, browser] = await Promise.all([
      ServerProcess.start({ dataDir: dir.path, command: "demo", env: { LINESHAFT_CONSOLE: "" } }),
      launchBrowser(),
    ]);
    views = await prepare(new Rest(server.url, server.adminSecret ?? ""));
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.kill("SIGTERM");
    dir.remove();
  });

  it.each([
    ["on a desk, in English", 1440, "en-GB"],
    ["on a tablet, in German", 834, "de-DE"],
  ] as const)("%s, light and dark", async (_, width, locale) => {
    const wrong: string[] = [];
    const see = async (tab: ConsoleTab, name: string): Promise<void> => {
      wrong.push(...(await look(tab, name, width)));
    };
    const options = { url: server.url, width, locale, touch: width < 1000 };
    const door = await ConsoleTab.open(browser, options);
    await door.page.goto(server.url);
    await door.page.locator("input[name=secret]").waitFor();
    await see(door, "sign-in");
    await door.close();

    const tab = await ConsoleTab.open(browser, { ...options, secret: server.adminSecret ?? "" });
    for (const { name, path, ready } of views) {
      await tab.goto(path);
      await tab.page.locator(ready).first().waitFor();
      await see(tab, name);
    }
    await tab.page.keyboard.press("?");
    await tab.page.getByRole("dialog").waitFor();
    await see(tab, "shortcuts");
    await tab.close();
    expect([...wrong, ...door.faults, ...tab.faults]).toEqual([]);
  });

  it("need at most 250 kB of script, compressed, for the first of them", () => {
    const dist = join(root, "ui", "dist");
    const html = readFileSync(join(dist, "index.html"), "utf8");
    const scripts = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(([, path]) => path);
    const bytes = scripts.reduce((sum, path) => sum + gzipSync(readFileSync(join(dist, path))).length, 0);
    console.log(`console: ${scripts.length} scripts, ${(bytes / 1000).toFixed(0)} kB compressed, for the first page`);
    expect(scripts.length).toBeGreaterThan(0);
    expect(scripts.length).toBeLessThan(
      readdirSync(join(dist, "assets")).filter((name) => name.endsWith(".js")).length,
    );
    expect(bytes).toBeLessThanOrEqual(250_000);
  });
});
