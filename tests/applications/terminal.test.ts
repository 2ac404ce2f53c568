import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Booking, type Cells, type Order, type Recorded, timeClasses, type Work } from "@lineshaft/contract/api";
import { hasPeer } from "@lineshaft/testkit";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { kpisOf, sumsOf } from "../../applications/oee/index.ts";
import { ConsoleTab, launchBrowser } from "../support/browser.ts";
import { TwoPulsePress } from "../support/press.ts";
import { Rest } from "../support/rest.ts";
import { ServerProcess, tempDir } from "../support/server-process.ts";
import { look, pictures } from "../support/views.ts";

const minuteUs = 60_000_000;
const within = { timeout: 30_000, interval: 100 };

/** A press that tells two pulses, a terminal before it, and a server that dies between: OEE of the first shift is right. */
describe.skipIf(!hasPeer("chromium"))("a terminal at a press", { timeout: 120_000 }, () => {
  const dir = tempDir();
  let server: ServerProcess;
  let rest: Rest;
  let press: TwoPulsePress;
  let browser: Browser;
  let tab: ConsoleTab;
  let page: Page;
  /** The press made parts until two minutes ago, with a stop of four in between. */
  const begunUs = Math.floor(Date.now() / 1000 - 30 * 60) * 1e6;
  const at = (minute: number): number => begunUs + minute * minuteUs;

  const work = (): Promise<Work> => rest.get(`/api/v1/equipment/${press.id}/work`);
  const bookings = async (): Promise<Recorded<Booking>[]> => {
    const { items } = await rest.get<{ items: Recorded<Booking>[] }>(`/api/v1/bookings?equipmentId=${press.id}`);
    return items.sort((a, b) => a.item.atUs - b.item.atUs);
  };
  const button = (name: string | RegExp) => page.getByRole("button", { name });
  const makeOne = async (): Promise<void> => {
    const nowUs = Date.now() * 1000;
    press.makes(nowUs, nowUs + 1);
    await press.send();
  };
  /** As a scanner types: no field, no focus. */
  const scan = async (code: string): Promise<void> => {
    await page.evaluate((text) => {
      for (const key of [...text, "Enter"])
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    }, code);
  };

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    [browser, server] = await Promise.all([
      launchBrowser(),
      ServerProcess.start({ dataDir: dir.path, env: { LINESHAFT_CONSOLE: "" } }),
    ]);
    rest = new Rest(server.url, server.adminSecret as string);
    press = new TwoPulsePress(rest);
    await press.register();
    await press.order("4711", 5000, null);
    press.makes(at(0), at(10));
    press.makes(at(14), at(28));
    press.alarms(at(0), false);
    press.alarms(at(28) - 1e6, true);
    await press.send();
    const key = await rest.request<{ secret: string }>("POST", "/api/v1/keys", {
      name: "press 7",
      role: "operator",
      scopes: ["North/Press 7"],
    });
    tab = await ConsoleTab.open(browser, { url: server.url, width: 1280, height: 800, touch: true });
    page = tab.page;
    await page.goto(`${server.url}/terminal?equipment=${press.id}`);
    await page.locator("input[name=secret]").fill(key.body.secret);
    await button("Sign in").click();
  }, 120_000);
  afterEach(() => expect(tab.faults.filter((fault) => !fault.startsWith("failed: "))).toEqual([]));
  afterAll(async () => {
    await tab?.close();
    await browser?.close();
    await server?.kill("SIGTERM");
    dir.remove();
  });

  test("an order is started by its scanned number, and the stop before is explained in two taps", async () => {
    await page.getByText("No order is running").waitFor();
    await scan("4711/0010");
    await page.locator(".order h2", { hasText: "4711" }).waitFor();
    await expect.poll(async () => (await work()).running[0]?.order, within).toBe("4711");
    // The stop that lasts is proposed by the alarm that came with it, in the alarm's words.
    const proposed = page.locator(".stop-now .stop-proposal");
    await proposed.getByText("by the alarm: Guard door open").waitFor();
    await page.screenshot({ path: join(pictures, "terminal-proposal-1280.png") });
    await makeOne();
    await page.locator(".stop", { hasText: "4 min" }).getByRole("button", { name: "Why?" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Inlet starved" }).click();
    await page.locator(".stop-said", { hasText: "Inlet starved" }).waitFor();
    await expect
      .poll(async () => (await bookings()).map(({ item }) => item.intent.kind), within)
      .toEqual(["startOrder", "reason"]);
  });

  test("what cannot be booked is shown and kept", async () => {
    await scan("0815");
    await button(/^Both run/).click();
    await button("1 not taken").click();
    const refused = page.locator(".entry-refused", { hasText: "Order 0815 started" });
    await refused.getByText("There is no such order").waitFor();
    await refused.getByRole("button", { name: "Put aside" }).click();
    await page.locator(".entry-aside").waitFor();
    await page.keyboard.press("Escape");
    // The refusal is a fault of the request, and one that was expected.
    await expect.poll(() => tab.faults, within).toEqual([expect.stringContaining("422")]);
    tab.faults.length = 0;
  });

  test("scrap is told by what is scanned: units of this press; an unknown code is said at once", async () => {
    const produced = (serial: string, minute: number) => ({
      ...{
        kind: "unitProduced",
        id: `made-${serial}`,
        equipmentId: press.id,
        serial,
        toUs: at(minute),
        verdict: "good",
      },
    });
    const items = [produced("SN-1", 3), produced("SN-2", 5)];
    const { status, body } = await rest.request("POST", "/api/v1/facts/records", { items });
    expect(status, JSON.stringify(body)).toBe(200);
    await button("Scrap or rework").click();
    const sheet = page.getByRole("dialog", { name: "Scrap or rework" });
    await scan("SN-9");
    await sheet.getByText("SN-9 is unknown").waitFor();
    await scan("SN-1");
    await scan("SN-2");
    await sheet.getByRole("button", { name: "Remove SN-2" }).waitFor();
    await scan("SN-1");
    await sheet.getByText("SN-1 is in the list already").waitFor();
    await expect.poll(() => sheet.locator(".scrap-quantity").innerText()).toBe("2");
    expect(await look(tab, "terminal-scrap-serials", 1280)).toEqual([]);
    await sheet.getByRole("button", { name: "Remove SN-2" }).click();
    await sheet.getByRole("button", { name: "Surface" }).click();
    await expect
      .poll(async () => (await bookings()).at(-1)?.item.intent, within)
      .toMatchObject({ kind: "scrap", order: "4711", quantity: 1, reason: 8_200_000, serials: ["SN-1"] });
    // And taken back: it was not that one.
    await Promise.all([
      page.waitForResponse((response) => response.request().method() === "DELETE"),
      page.locator(".terminal-done").getByRole("button", { name: "Take back" }).click(),
    ]);
    await expect.poll(async () => (await bookings()).length, within).toBe(2);
    // What is unknown was asked for: answers said that it is not there.
    expect(tab.faults.every((fault) => fault.includes("404"))).toBe(true);
    tab.faults.length = 0;
  });

  test("the server dies: what is entered then arrives once, with its own time; the sign-in holds", async () => {
    const port = Number(new URL(server.url).port);
    await server.kill("SIGKILL");
    const beforeUs = Date.now() * 1000;
    await button("Begin set-up").click();
    await button("1 waiting").waitFor();
    await button("Scrap or rework").click();
    // A unit is taken unchecked while nobody can be asked, and given back.
    await scan("SN-7");
    await page.getByText("not checked, no connection").waitFor();
    await page.getByRole("button", { name: "Remove SN-7" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "7", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Surface" }).click();
    await button("2 waiting").waitFor();
    await page.locator(".action-on", { hasText: "End set-up" }).waitFor();
    const afterUs = Date.now() * 1000;
    server = await ServerProcess.start({ dataDir: dir.path, port, env: { LINESHAFT_CONSOLE: "" } });
    await page.getByRole("button", { name: "Entries", exact: true }).waitFor(within);
    const kept = (await bookings()).slice(2);
    expect(kept.map(({ item }) => item.intent)).toMatchObject([
      { kind: "setUpBegin" },
      { kind: "scrap", order: "4711", quantity: 7, reason: 8_200_000 },
    ]);
    for (const { item, changedUs } of kept) {
      expect(item.atUs).toBeGreaterThanOrEqual(beforeUs);
      expect(item.atUs).toBeLessThanOrEqual(afterUs);
      expect(changedUs).toBeGreaterThan(afterUs);
    }
    // Sent again, as after an answer that was lost, it is the same booking.
    const [{ id, item }] = kept;
    const again = await rest.request<{ repeated: boolean }>("POST", `/api/v1/equipment/${press.id}/bookings`, {
      id,
      atUs: item.atUs,
      intent: item.intent,
    });
    expect(again).toMatchObject({ status: 200, body: { repeated: true } });
    await button(/^End set-up/).click();
    await expect.poll(async () => (await bookings()).length, within).toBe(5);
    await page.reload();
    await page.locator(".order h2", { hasText: "4711" }).waitFor();
  });

  test("the cells of the press hold order, set-up, reason and scrap where they belong, and OEE is right", async () => {
    const all = await bookings();
    const [started, , setUpBegun, , setUpEnded] = all.map(({ item }) => item.atUs);
    const order = await rest.get<Recorded<Order>>("/api/v1/orders/4711");
    expect(order.item.operations[0].executions).toMatchObject([
      { equipmentId: press.id, fromUs: started, toUs: null, startedBy: all[0].id },
    ]);
    // The press goes on, so that time is known beyond the set-up.
    const cells = await asked(async () => {
      await makeOne();
      const found = await rest.get<Cells>(`/api/v1/equipment/${press.id}/cells?from=${at(0)}&to=${Date.now() * 1000}`);
      return found.toUs > setUpEnded && !found.repairing ? found : null;
    });
    const sum = (of: Cells["cells"], what: (cell: Cells["cells"][number]) => number) =>
      of.reduce((total, cell) => total + what(cell), 0);
    const ofOrder = cells.cells.filter((cell) => cell.order === "4711");
    const lengthOf = (cell: Cells["cells"][number]) =>
      sum([cell], ({ timeUs }) => timeClasses.reduce((us, each) => us + timeUs[each], 0));
    expect(sum(ofOrder, lengthOf)).toBe(cells.toUs - started);
    expect(sum(cells.cells, ({ timeUs }) => timeUs.aust)).toBe(setUpEnded - setUpBegun);
    const starved = cells.cells.flatMap(({ stops }) => stops.filter(({ reason }) => reason === 4_100_000));
    // From the last part before the stop until one cycle before the next.
    expect([starved.reduce((us, stop) => us + stop.us, 0), starved.reduce((n, stop) => n + stop.count, 0)]).toEqual([
      4 * minuteUs,
      1,
    ]);
    const scrapped = sum(cells.cells, ({ quantities }) => Object.values(quantities).reduce((n, { sq }) => n + sq, 0));
    const good = sum(cells.cells, ({ quantities }) => Object.values(quantities).reduce((n, { gq }) => n + gq, 0));
    const until = (times: readonly number[]): number => times.filter((time) => time <= cells.toUs).length;
    // Seven that were counted as good turned out to be scrap, of the order that was started.
    expect([good, scrapped]).toEqual([until(press.good) - 7, until(press.rejected) + 7]);
    expect(sum(ofOrder, ({ assignedSq }) => assignedSq)).toBe(7);
    const policies = new Map(cells.policies.map((each) => [each.version, each]));
    const sums = sumsOf(cells.cells, policies);
    const { oeeIndex, availability } = kpisOf(sums);
    const busyUs = cells.toUs - cells.fromUs - sum(cells.cells, ({ timeUs }) => timeUs.unknown);
    const apt = sum(cells.cells, ({ timeUs }) => timeUs.apt);
    expect(availability).toBeCloseTo(apt / busyUs, 9);
    const known = sum(cells.cells, ({ quantities }) => quantities.known.gq);
    expect(oeeIndex).toBeCloseTo((known * 1e6) / busyUs, 9);
    // 24 minutes ran, to the second.
    expect(Math.round(apt / minuteUs)).toBe(24);
  });

  async function asked<T>(ask: () => Promise<T | null>): Promise<T> {
    for (const end = performance.now() + 30_000; performance.now() < end; ) {
      const found = await ask();
      if (found !== null) return found;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error("It did not come in half a minute.");
  }
});
