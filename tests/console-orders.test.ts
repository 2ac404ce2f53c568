// Orders and shifts in a real Chromium: a plant is planned, booked late, brought in as a table and set back, as planners and masters do it.
import { mkdirSync, readFileSync } from "node:fs";
import type { MasterDataItem, Recorded, ShiftOccurrence } from "@lineshaft/contract/api";
import { hasPeer } from "@lineshaft/testkit";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ConsoleTab, launchBrowser, type TabOptions } from "./support/browser.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";
import { look, pictures } from "./support/views.ts";

const within = { timeout: 15_000, interval: 100 };
/** Answers that a form is to show, and not faults of the page. */
const told = /^(409|412|422): /;
const hour = 3_600_000_000;
type Order = MasterDataItem<"order">;

describe.skipIf(!hasPeer("chromium"))("orders and calendar in the console", { timeout: 60_000 }, () => {
  const dir = tempDir();
  let server: ServerProcess;
  let browser: Browser;
  let rest: Rest;
  let tab: ConsoleTab;
  const machines: number[] = [];
  const now = (): number => Date.now() * 1000;

  const open = async (options: Partial<TabOptions> = {}): Promise<Page> => {
    tab = await ConsoleTab.open(browser, { url: server.url, secret: server.adminSecret ?? "", ...options });
    return tab.page;
  };
  const order = (id: string): Promise<Recorded<Order>> => rest.get(`/api/v1/orders/${id}`);
  const send = async <T>(method: string, path: string, body: object, revision?: number): Promise<T> => {
    const match: Record<string, string> = revision === undefined ? {} : { "if-match": `"${revision}"` };
    const response = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${server.adminSecret}`, "content-type": "application/json", ...match },
      body: JSON.stringify(body),
    });
    expect(response.ok, `${method} ${path}`).toBe(true);
    return (await response.json()) as T;
  };
  const put = (path: string, item: object, revision?: number) => send("PUT", path, item, revision);
  /** What an input of the browser for local times takes; the tab's zone is Berlin's. */
  const local = (us: number): string =>
    new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin", dateStyle: "short", timeStyle: "medium" })
      .format(us / 1000)
      .replace(" ", "T");

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    [server, browser] = await Promise.all([
      ServerProcess.start({ dataDir: dir.path, env: { LINESHAFT_CONSOLE: "" } }),
      launchBrowser(),
    ]);
    rest = new Rest(server.url, server.adminSecret ?? "");
    const create = async (level: string, name: string, parentId?: number): Promise<number> => {
      const { item } = await send<{ item: { id: number } }>("POST", "/equipment", {
        level,
        name,
        ...(parentId === undefined ? {} : { parentId }),
      });
      return item.id;
    };
    const site = await create("site", "Westgate");
    const line = await create("workCenter", "Line 1", site);
    for (const name of ["Press 1", "Press 2", "Oven"]) machines.push(await create("workUnit", name, line));
  }, 60_000);
  afterEach(async () => {
    await tab?.close();
    expect(tab.faults.filter((fault) => !told.test(fault))).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.kill("SIGTERM");
    dir.remove();
  });

  it("an empty plan teaches its first step; an order is made, started late, interrupted and set back", async () => {
    const page = await open();
    await tab.goto("/orders");
    await page.getByRole("heading", { name: "No orders yet" }).waitFor();
    await page.getByRole("button", { name: "New order" }).click();
    await page.getByLabel("Order", { exact: true }).fill("4711");
    await page.getByLabel("Material", { exact: true }).fill("CAP-28");
    await page.getByLabel("Quantity").fill("500");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: "Start", exact: true }).click();

    const dialog = page.getByRole("dialog", { name: "Start 4711" });
    await dialog.getByLabel("When").fill(local(now() - hour));
    await dialog.getByText(/^Booked (1 h|59 min|1 h 0 min).* late/).waitFor();
    await dialog.getByLabel("Machine").selectOption({ label: "Westgate/Line 1/Press 1" });
    await dialog.getByText(/^1 machine, of it .* that has been/).waitFor();
    await dialog.getByRole("button", { name: "Start" }).click();
    await page.locator(".board-bar", { hasText: "4711" }).waitFor();
    const [execution] = (await order("4711")).item.operations[0].executions;
    expect(execution.equipmentId).toBe(machines[0]);
    expect(Math.abs(execution.fromUs - (now() - hour))).toBeLessThan(60_000_000);

    // What runs there already ends with the same booking.
    await put("/orders/4712", {
      material: null,
      unit: "1",
      quantity: 5,
      operations: [
        { id: "0010", name: null, executions: [{ equipmentId: machines[0], fromUs: now() + 8 * hour, toUs: null }] },
      ],
    });
    await page.locator(".board-bar", { hasText: "4712" }).click();
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("End 4711 on Press 1 at the same time").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Start" }).click();
    await expect.poll(async () => (await order("4711")).item.operations[0].executions[0].toUs, within).not.toBeNull();
    const [ended, begun] = [(await order("4711")).item, (await order("4712")).item].map(
      (one) => one.operations[0].executions[0],
    );
    expect(begun.fromUs).toBe(ended.toUs);

    await tab.goto("/orders?view=list&order=4711");
    await page.getByRole("row", { name: /4711 interrupted/ }).waitFor();
    await page.getByRole("button", { name: "History" }).click();
    const history = page.getByRole("dialog", { name: "History of 4711" });
    await history.getByRole("button", { name: "Back to this" }).first().click();
    await page.getByRole("row", { name: /4711 running/ }).waitFor();
    expect((await order("4711")).item.operations[0].executions[0].toUs).toBeNull();
  });

  it("a change that somebody else was faster with is refused, shown, and explained", async () => {
    const page = await open();
    await tab.goto("/orders?view=list&order=4711");
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByLabel("Quantity").fill("700");
    const { item, revision } = await order("4711");
    await put("/orders/4711", { ...item, quantity: 600 }, revision);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByRole("button", { name: "Show the newer one" }).click();
    expect(await page.getByLabel("Quantity").inputValue()).toBe("600");
    await page.getByLabel("Quantity").fill("650");
    await page.getByRole("button", { name: "Save" }).click();
    await expect.poll(async () => (await order("4711")).item.quantity, within).toBe(650);
  });

  it("a table is tried first, its faults told by line and column, then taken whole; an export comes back unchanged", async () => {
    const page = await open();
    await tab.goto("/orders");
    await page.getByRole("button", { name: "Import …" }).click();
    const choose = page.getByLabel("Choose a file");
    const file = (text: string) => ({ name: "orders.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
    const head = "Auftrag;Artikel;Menge;Vorgang;Anlage;von\n";
    await choose.setInputFiles(
      file(
        `${head}5001;CAP-28;100;0010;Westgate/Line 1/Pres 2;26.11.2026 06:00\n5002;CAP-28;-1;0010;Westgate/Line 1/Oven;26.11.2026 06:00\n`,
      ),
    );
    await page.getByText("orders.csv cannot be taken as it stands. Nothing was changed.").waitFor();
    await page.getByRole("row", { name: /line 2, column 5.*Did you mean "Westgate\/Line 1\/Press 2"/ }).waitFor();
    expect((await rest.get<{ items: unknown[] }>("/api/v1/orders")).items).toHaveLength(2);
    await choose.setInputFiles(
      file(
        `${head}5001;CAP-28;100;0010;Westgate/Line 1/Press 2;26.11.2026 06:00\n5002;CAP-28;1;0010;Westgate/Line 1/Oven;26.11.2026 06:00\n`,
      ),
    );
    await page.getByText("2 new, 0 changed, 0 as they are.").waitFor();
    await page.getByRole("button", { name: "Apply 2 changes" }).click();
    await expect
      .poll(async () => (await rest.get<{ items: unknown[] }>("/api/v1/orders")).items.length, within)
      .toBe(4);

    await page.getByRole("button", { name: "Export …" }).click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save file" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("order.xlsx");
    const bytes = readFileSync(await download.path());
    await page.getByRole("button", { name: "Import …" }).click();
    await choose.setInputFiles({ name: "order.xlsx", mimeType: "", buffer: bytes });
    await page.getByText("0 new, 0 changed, 4 as they are.").waitFor();
  });

  it("a calendar begins with a template; a shift is moved by keyboard on one day, a break by hand always; the night of the clock is an hour longer", async () => {
    const page = await open();
    await tab.goto("/calendar?week=2026-10-19");
    await page.getByRole("button", { name: "New calendar" }).click();
    await page.getByLabel("Name", { exact: true }).fill("hall 3");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText("Nobody works by it yet").waitFor();
    await page.getByRole("button", { name: "Assign to equipment" }).click();
    await page.getByLabel("Equipment", { exact: true }).selectOption({ label: "Westgate" });
    await page.getByLabel("From").fill("2026-01-01T00:00");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("3 machines work by it today.").waitFor();
    await page.locator(".day", { hasText: "25 Oct" }).getByText("25 h").waitFor();

    const early = page.locator(".day", { hasText: "20 Oct" }).getByRole("button", { name: /^Früh.*06:00/ });
    await early.focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Shift+ArrowLeft");
    await page.getByText("Früh +10 min: Enter shows the effect").waitFor();
    // Where it runs into the next, that is told before anything is saved.
    await page.keyboard.press("Enter");
    const moved = page.getByRole("dialog");
    await moved.getByText("Two shifts overlap.").waitFor();
    await moved.getByRole("button", { name: "Cancel" }).click();
    await page
      .locator(".day", { hasText: "23 Oct" })
      .getByRole("button", { name: /^Spät.*14:00/ })
      .focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Move Spät by +15 min" }).waitFor();
    await moved.getByText(/1 day becomes another/).waitFor();
    await moved.getByText(/3 machines work by it\./).waitFor();
    await moved.getByRole("button", { name: "Save" }).click();
    const calendar = (): Promise<Recorded<MasterDataItem<"calendar">>> => rest.get("/api/v1/calendars/hall%203");
    await expect
      .poll(async () => (await calendar()).item.exceptions, within)
      .toEqual([{ day: "2026-10-23", shifts: [{ shift: "Nacht" }, { shift: "Früh" }, { shift: "Spät 2026-10-23" }] }]);

    await moved.waitFor({ state: "detached" });
    // By hand: as far as the pointer went, in steps of five minutes.
    const pause = page.locator(".day", { hasText: "21 Oct" }).getByRole("button", { name: /^Früh, Break 10:00/ });
    const box = (await pause.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const track = (await page.locator(".day-track").first().boundingBox())?.width ?? 1;
    await page.mouse.move(box.x + box.width / 2, box.y + 8);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 + track / 50, box.y + 8, { steps: 4 });
    await page.mouse.up();
    await page
      .getByRole("dialog", { name: "Move a break of Früh by +30 min" })
      .getByLabel(/Every time/)
      .check();
    await page.getByText(/\d+ days become another/).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await expect
      .poll(async () => (await calendar()).item.shifts.find(({ name }) => name === "Früh")?.breaks[0].start, within)
      .toBe("10:30");
    const query = new URLSearchParams({
      equipmentId: String(machines[2]),
      from: "2026-10-23T00:00:00Z",
      to: "2026-10-23T20:00:00Z",
    });
    const { items } = await rest.get<{ items: ShiftOccurrence[] }>(`/api/v1/shifts?${query}`);
    expect(items.map(({ name }) => name)).toContain("Spät 2026-10-23");
    // What cannot be is refused by the server and told with its place.
    await page
      .locator(".day", { hasText: "22 Oct" })
      .getByRole("button", { name: /^Früh.*06:00/ })
      .click();
    await page.getByRole("button", { name: "Times and breaks" }).click();
    await page.getByLabel("End", { exact: true }).fill("15:00");
    await page.getByText("Two shifts overlap.").first().waitFor();
  });

  it.each([
    ["on a desk, in English", 1440, "en-GB"],
    ["on a tablet, in German", 834, "de-DE"],
  ] as const)("%s: nothing inaccessible, nothing cut off", async (_, width, locale) => {
    const page = await open({ width, locale, touch: width < 1000 });
    const wrong: string[] = [];
    const see = async (path: string, ready: string, name: string): Promise<void> => {
      await tab.goto(path);
      await page.locator(ready).first().waitFor();
      wrong.push(...(await look(tab, name, width)));
    };
    await see("/orders?order=4712", ".board-bar", "orders");
    await see("/calendar?week=2026-10-19&day=2026-10-20", ".shift-block", "calendar");
    if (width < 1000) await see("/orders?view=list", ".grid-row", "orders-list");
    expect(wrong).toEqual([]);
  });
});
