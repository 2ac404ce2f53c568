import { ChaosProxy, hasPeer } from "@lineshaft/testkit";
import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConsoleTab, launchBrowser } from "../support/browser.ts";
import { Rest } from "../support/rest.ts";
import { ServerProcess, tempDir } from "../support/server-process.ts";

const cuts = 300;
const minuteMs = 60_000;

describe.skipIf(!hasPeer("chromium"))("a screen on the wall", { timeout: 1_800_000 }, () => {
  const dir = tempDir();
  let server: ServerProcess;
  let wire: ChaosProxy;
  let url: string;
  let browser: Browser;
  let tab: ConsoleTab;
  let machine: number;
  beforeAll(async () => {
    [server, browser] = await Promise.all([
      ServerProcess.start({ dataDir: dir.path, env: { LINESHAFT_CONSOLE: "" } }),
      launchBrowser(),
    ]);
    wire = await ChaosProxy.start({ host: "127.0.0.1", port: Number(new URL(server.url).port) });
    url = `http://127.0.0.1:${wire.address.port}`;
  });
  afterAll(async () => {
    await tab?.close();
    await browser?.close();
    await wire?.stop();
    await server?.kill("SIGTERM");
    dir.remove();
  });

  const heapMB = async (session: CDPSession): Promise<number> => {
    await session.send("HeapProfiler.collectGarbage");
    return (await session.send("Runtime.getHeapUsage")).usedSize / 1e6;
  };
  /** Its name, and what it does: never nothing. */
  const said = (page: Page) => page.locator(".andon").textContent();

  it("weeks with a server that goes and comes: never blank, always back, says how old it is, and needs no more memory", async () => {
    const admin = await fetch(`${server.url}/api/v1/session`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: server.url },
      body: JSON.stringify({ secret: server.adminSecret }),
    });
    const cookie = admin.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
    const asAdmin = async <T>(path: string, body: object): Promise<T> => {
      const headers = { "content-type": "application/json", origin: server.url, cookie };
      const answer = await fetch(`${server.url}/api/v1${path}`, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
      });
      return (await answer.json()) as T;
    };
    const site = await asAdmin<{ item: { id: number } }>("/equipment", { level: "site", name: "Mill" });
    const press = { level: "workUnit", name: "Press", parentId: site.item.id };
    machine = (await asAdmin<{ item: { id: number } }>("/equipment", press)).item.id;
    const key = await asAdmin<{ secret: string }>("/keys", { name: "andon", role: "viewer", scopes: ["Mill"] });
    // Whoever gets hold of the screen's key changes nothing.
    const viewer = new Rest(server.url, key.secret);
    for (const [method, path] of [
      ["POST", "/equipment"],
      ["POST", `/equipment/${machine}/bookings`],
      ["PUT", "/kpi-targets/x"],
    ])
      expect((await viewer.request(method, `/api/v1${path}`, {})).status).toBeGreaterThanOrEqual(400);

    tab = await ConsoleTab.open(browser, { url: url, width: 1920, height: 1080 });
    const { page } = tab;
    await page.clock.install();
    await page.goto(`${url}/andon?id=${machine}`);
    await page.getByLabel("Admin secret or API key").fill(key.secret);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator(".andon-word").waitFor();
    const session = await page.context().newCDPSession(page);
    const heap: number[] = [];
    let passedMs = 0;
    const pass = async (ms: number): Promise<void> => {
      await page.clock.runFor(ms);
      passedMs += ms;
    };
    for (let n = 0; n < cuts; n++) {
      wire.mode = "refuse";
      wire.drop();
      await pass(minuteMs);
      await page.locator(".andon-away").waitFor();
      expect(await said(page)).toContain("Press");
      // The longest outages are a night.
      await pass(n % 50 === 49 ? 480 * minuteMs : (1 + (n % 60)) * minuteMs);
      expect(await said(page)).toContain("Press");
      wire.mode = "pass";
      for (let tries = 0; (await page.locator(".andon-away").count()) > 0; tries++) {
        expect(tries, `cut ${n}: it did not come back`).toBeLessThan(60);
        await pass(5_000);
      }
      if (n % 50 === 49) heap.push(await heapMB(session));
    }
    expect(passedMs).toBeGreaterThan(7 * 24 * 60 * minuteMs * 0.9);
    expect(heap.at(-1), JSON.stringify(heap)).toBeLessThan(heap[0] + 2);
    expect(tab.faults.filter((fault) => fault.startsWith("error") || fault.startsWith("foreign"))).toEqual([]);
  });
});
