// The console's pages about production in a real Chromium against a real server: two machines whose day is known to the minute.

import { join } from "node:path";
import { gridUs, minuteUs, type WriteReceipt } from "@lineshaft/contract/api";
import { hasPeer } from "@lineshaft/testkit";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ConsoleTab, launchBrowser, type TabOptions } from "../support/browser.ts";
import { Rest } from "../support/rest.ts";
import { ServerProcess, tempDir } from "../support/server-process.ts";
import { look, pictures } from "../support/views.ts";

const dir = tempDir();
let server: ServerProcess;
let browser: Browser;
let rest: Rest;
let tab: ConsoleTab;
let faultsExpected = false;
let beats: NodeJS.Timeout;
const ids = new Map<string, number>();

/** Now on a whole minute: what is recorded begins three hours before. */
const now = Math.floor(Date.now() / 60_000) * minuteUs;
const at = (minutesAgo: number): number => now - minutesAgo * minuteUs;
/** Whole quarters of an hour in it: what numbers of a range are made of. */
const fromQuarter = Math.ceil(at(180) / gridUs) * gridUs;
const toQuarter = Math.floor(now / gridUs) * gridUs;
const within = { timeout: 15_000, interval: 50 };
const shiftStart = `${new Date(now / 1000 - 12 * 3_600_000).toISOString().slice(11, 13)}:00`;
const idOf = (path: string): number => ids.get(path) ?? 0;

const open = async (options: Partial<TabOptions> = {}): Promise<Page> => {
  tab = await ConsoleTab.open(browser, { url: server.url, secret: server.adminSecret ?? "", ...options });
  return tab.page;
};
const startServer = (port = 0): Promise<ServerProcess> =>
  ServerProcess.start({ dataDir: dir.path, port, env: { LINESHAFT_CONSOLE: "" }, flags: ["--applications", "oee"] });

async function put(path: string, item: object): Promise<void> {
  const answer = await rest.request<{ receipt: WriteReceipt }>("PUT", `/api/v1${path}`, item);
  expect(answer.status, `${path}: ${JSON.stringify(answer.body)}`).toBe(200);
}

/** Filler: runs, stands from −100 to −70 for no reason, runs. Packer: runs, broken down since −20. */
async function record(): Promise<void> {
  const states = {
    filler: [
      [180, 1],
      [100, 0],
      [70, 1],
    ],
    packer: [
      [180, 1],
      [20, 2],
    ],
  } as const;
  for (const [machine, told] of Object.entries(states)) {
    const points: { tag: string; time: number; value: number }[] = told.map(([ago, value]) => ({
      tag: "state",
      time: at(ago),
      value,
    }));
    let good = 0;
    let scrap = 0;
    for (let ago = 180; ago >= 0; ago--) {
      const runs = machine === "filler" ? ago < 70 || ago >= 100 : ago >= 20;
      if (runs) good++;
      if (runs && ago % 10 === 0) scrap++;
      points.push({ tag: "good", time: at(ago), value: good }, { tag: "scrap", time: at(ago), value: scrap });
      points.push({ tag: "temperature", time: at(ago), value: 60 + Math.sin(ago / 9) });
    }
    expect((await rest.ingest(machine, { points })).status).toBe(200);
  }
}

async function setUp(): Promise<void> {
  const state = { value: 0, itemState: "NotExecuting" };
  const table = [
    state,
    { value: 1, itemState: "Executing" },
    { value: 2, itemState: "OutOfService", cause: 7_100_000 },
  ];
  const machine = (name: string) => ({
    name,
    kind: "http",
    tags: ["state", "good", "scrap", "temperature"].map((address) => ({
      address,
      equipment: `Mill/Line 1/${name === "filler" ? "Filler" : "Packer"}`,
      ...(address === "temperature" ? { unit: "Cel" } : {}),
      bind: [{ property: address, ...(address === "state" ? { mapping: { states: table } } : {}) }],
    })),
  });
  const model = "machine@1.0.0";
  const configuration = {
    version: 1,
    models: [
      {
        name: "machine",
        version: "1.0.0",
        properties: [
          { name: "state", kind: "itemState" },
          { name: "good", kind: "counter", counts: "good" },
          { name: "scrap", kind: "counter", counts: "scrap" },
          { name: "temperature", kind: "processValue", unit: "Cel" },
        ],
      },
    ],
    equipment: [
      { path: "Mill", level: "site" },
      { path: "Mill/Line 1", level: "workCenter" },
      { path: "Mill/Line 1/Filler", level: "workUnit", model },
      { path: "Mill/Line 1/Packer", level: "workUnit", model },
    ],
    connections: [machine("filler"), machine("packer")],
  };
  const { etag } = await rest.request("GET", "/api/v1/configuration");
  const applied = await rest.request("PUT", "/api/v1/configuration", configuration, { "if-match": etag });
  expect(applied.status, JSON.stringify(applied.body)).toBe(200);
  const { items } = await rest.get<{ items: { id: number; path: string }[] }>("/api/v1/equipment");
  for (const { id, path } of items) ids.set(path, id);
  await record();
  await put("/calendars/always", {
    name: "always",
    timeZone: "Etc/UTC",
    // A shift of a day whose middle is near, so that no change of shift lies in what was recorded.
    shifts: [{ name: "Day", start: shiftStart, end: shiftStart, breaks: [] }],
    rotation: { anchor: "2024-01-01", days: [[{ shift: "Day" }]] },
    holidays: [],
    exceptions: [],
  });
  await put("/calendar-assignments/mill", { equipmentId: idOf("Mill"), calendar: "always", fromUs: 0, toUs: null });
  for (const name of ["Filler", "Packer"]) {
    const equipmentId = idOf(`Mill/Line 1/${name}`);
    await put(`/ideal-cycle-times/${name}`, {
      ...{ equipmentId, material: "M", cycleUs: 50e6, unitsPerCycle: 1 },
      ...{ fromUs: 0, toUs: null },
    });
    const executions = [{ equipmentId, fromUs: at(180), toUs: null }];
    await put(`/orders/PO-${name}`, {
      ...{ material: "M", unit: "1", quantity: 500 },
      operations: [{ id: "10", name: null, executions }],
    });
  }
  // Cells come a moment after what they rest on.
  const cells = `/api/v1/equipment/${idOf("Mill/Line 1/Filler")}/cells?from=${at(180)}&to=${at(0)}`;
  await vi.waitFor(async () => {
    const found = await rest.get<{ cells: { timeUs: { apt: number } }[] }>(cells);
    expect(found.cells.reduce((sum, { timeUs }) => sum + timeUs.apt, 0)).toBeGreaterThan(140 * minuteUs);
  }, within);
}

async function shiftNow(): Promise<string> {
  const query = `equipmentId=${idOf("Mill")}&from=${now}&to=${now + 1}`;
  const { items } = await rest.get<{ items: { id: string }[] }>(`/api/v1/shifts?${query}`);
  return items[0].id;
}

describe.skipIf(!hasPeer("chromium"))("the console's pages about production", { timeout: 40_000 }, () => {
  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer(), launchBrowser()]);
    rest = new Rest(server.url, server.adminSecret ?? "");
    await setUp();
    // Machines are heard on: what is silent for long is unknown.
    beats = setInterval(() => {
      for (const machine of ["filler", "packer"])
        rest
          .ingest(machine, { points: [{ tag: "temperature", time: Date.now() * 1000, value: 60 }] })
          .catch(() => undefined);
    }, 1_000);
  }, 60_000);
  afterEach(async () => {
    await tab.close();
    if (!faultsExpected) expect(tab.faults).toEqual([]);
    faultsExpected = false;
  });
  afterAll(async () => {
    clearInterval(beats);
    await browser?.close();
    await server?.kill("SIGTERM");
    dir.remove();
  });

  it("begins with the overview: each machine in its state, a fault is told by its reason, orders with progress", async () => {
    const page = await open();
    await tab.goto("/");
    expect(await tab.heading.textContent()).toBe("Overview");
    const filler = page.locator(".tile", { hasText: "Filler" });
    const packer = page.locator(".tile", { hasText: "Packer" });
    await expect.poll(() => filler.getAttribute("data-state"), within).toBe("executing");
    expect(await packer.getAttribute("data-state")).toBe("fault");
    expect(await packer.textContent()).toContain("Equipment failure");
    await expect.poll(() => filler.textContent(), within).toMatch(/PO-Filler.*150 \/ 500/);
    expect(await page.locator(".line-states").textContent()).toMatch(/1 fault.*1 running/);
    // Arrows go from tile to tile; a state chosen leaves only machines that are in it, and stands in the address.
    await filler.focus();
    await page.keyboard.press("ArrowRight");
    expect(await packer.evaluate((tile) => tile === document.activeElement)).toBe(true);
    await page.getByRole("button", { name: "1 Fault" }).click();
    await filler.waitFor({ state: "detached" });
    expect(new URL(page.url()).searchParams.get("state")).toBe("fault");
    await page.getByRole("button", { name: "Show all" }).click();
    // What OEE should reach is said once for all who look, from now on.
    await page.getByRole("button", { name: /Change the OEE target/ }).click();
    await page.getByLabel(/^OEE target of/).fill("72");
    await page.getByRole("button", { name: "Set", exact: true }).click();
    await page.locator(".overview-target b", { hasText: "72%" }).waitFor();
    const { items } = await rest.get<{ items: { targets: object }[] }>(
      `/api/v1/kpi-targets-in-force?equipmentId=${idOf("Mill/Line 1/Filler")}`,
    );
    expect(items[0].targets).toEqual({ oeeIndex: 0.72 });
    await filler.click();
    await page.locator(".time-lanes svg").waitFor();
    expect(new URL(page.url()).searchParams.get("id")).toBe(String(idOf("Mill/Line 1/Filler")));
  });

  it("shows what a machine did, and a stop is explained from the list, then a part of it by drawing", async () => {
    const page = await open();
    const id = idOf("Mill/Line 1/Filler");
    await tab.goto(`/machine?id=${id}&from=${fromQuarter}&to=${toQuarter}`);
    const lanes = page.locator(".time-lanes");
    await lanes.locator('[data-state="notExecuting"]').first().waitFor();
    const percent = new Intl.NumberFormat("en-GB", { style: "percent", maximumFractionDigits: 1 });
    const availability = percent.format(1 - (30 * minuteUs) / (toQuarter - fromQuarter));
    await expect.poll(() => page.locator('[data-kpi="availability"] dd').textContent(), within).toBe(availability);

    await page
      .getByRole("row", { name: /30 min/ })
      .getByRole("button", { name: "Give a reason" })
      .click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("combobox").fill("changeover");
    await dialog.getByRole("option", { name: "Changeover" }).click();
    await dialog.getByRole("button", { name: "Save: Changeover" }).click();
    await lanes.locator('[data-state="setup"]').first().waitFor();
    const annotations = () =>
      rest.get<{ items: { item: { kind: string; reason: number; fromUs: number; toUs: number } }[] }>(
        `/api/v1/annotations?equipmentId=${id}`,
      );
    await expect.poll(async () => (await annotations()).items.length, within).toBe(1);
    expect((await annotations()).items[0].item).toMatchObject({ kind: "reason", reason: 5_100_000, fromUs: at(100) });

    const box = await lanes.locator('[data-state="setup"] rect').first().boundingBox();
    if (box === null) throw new Error("There is no block.");
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width / 2, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 2, y, { steps: 5 });
    await page.mouse.up();
    await dialog.getByRole("combobox").fill("operator");
    await dialog.getByRole("option", { name: "Operator absent" }).click();
    await dialog.getByRole("button", { name: /^Save/ }).click();
    await expect.poll(async () => (await annotations()).items.length, within).toBe(2);
    const split = (await annotations()).items.find(({ item }) => item.kind === "split")?.item;
    expect(split?.reason).toBe(6_100_000);
    // Half of the stop was drawn; what lies beyond it does not belong to it.
    expect(Math.abs((split?.fromUs ?? 0) - at(85))).toBeLessThan(minuteUs);
    expect(split?.toUs).toBe(at(70));
    await lanes.locator('[data-state="notExecuting"]').first().waitFor();
  });

  it("the waterfall adds up to the microsecond, from the site down to the machine", async () => {
    const page = await open();
    const mill = `/api/v1/results?application=oee&period=hour&equipmentId=${idOf("Mill")}&from=${at(180)}&to=${at(0)}`;
    type Published = { stale: boolean; detail: { topLosses: { step: string }[] } };
    const published = async () => (await rest.get<{ items: Published[] }>(mill)).items.filter(({ stale }) => !stale);
    const losses = async () => (await published()).flatMap(({ detail }) => detail.topLosses.map(({ step }) => step));
    await expect.poll(async () => (await published()).length, within).toBeGreaterThan(1);
    await expect.poll(losses, within).toContain("breakdown");
    await tab.goto(`/oee?id=${idOf("Mill")}&from=${at(180)}&to=${at(0)}`);
    await page.locator('.waterfall tbody tr[data-row="breakdown"]').waitFor();
    const rows = await page.locator(".waterfall tbody tr").evaluateAll((all) =>
      all.map((row) => ({
        kind: row.className,
        name: row.getAttribute("data-row"),
        us: Number(row.getAttribute("data-us")),
      })),
    );
    let left = rows[0].us;
    for (const row of rows.slice(1)) {
      if (row.kind === "loss") left -= row.us;
      else expect([row.name, row.us]).toEqual([row.name, left]);
    }
    expect(rows.at(-1)?.name).toBe("valuable");
    expect(rows.find(({ name }) => name === "breakdown")?.us).toBeGreaterThanOrEqual(19 * minuteUs);
    await page.locator(".pareto tbody tr", { hasText: "Equipment failure" }).waitFor();
    // From the site to the stop: line, machine, loss, stop, and what the machine itself said. The range goes along.
    const below = page.getByRole("region", { name: "Where it comes from" });
    await below.getByRole("link", { name: "Line 1" }).click();
    await below.getByRole("link", { name: "Packer", exact: true }).click();
    await page
      .getByRole("row", { name: /Breakdowns/ })
      .getByRole("link")
      .click();
    const into = page.getByRole("region", { name: "Into: Breakdowns" });
    await into
      .getByRole("row", { name: /Packer Equipment failure/ })
      .getByRole("link")
      .click();
    await page.locator(".time-lanes svg").waitFor();
    expect(await page.locator(".path").textContent()).toBe("MillLine 1Packer");
    const stood = () => new URL(page.url()).searchParams;
    expect(Number(stood().get("cursor"))).toBe(at(20));
    await page
      .getByRole("row", { name: /Equipment failure/ })
      .getByRole("link", { name: "Raw values" })
      .click();
    await expect.poll(() => new URL(page.url()).pathname, within).toBe("/trends");
    expect(stood().get("tags")?.split(",").length).toBe(4);
    // Back is the way that one came.
    await page.goBack();
    await page.goBack();
    await into.getByRole("row", { name: /Packer Equipment failure/ }).waitFor();
    expect([stood().get("loss"), stood().get("from")]).toEqual(["breakdown", String(at(180))]);
    await page.locator(".headline-kpis").getByRole("link").last().click();
    await page.getByRole("region", { name: "Into: Idling and minor stops" }).waitFor();
    // One click on a number shows why it is so: its periods, and of one its quotients, its revisions, and where it was read.
    await page.locator('[data-kpi="oeeIndex"] a').click();
    const why = page.getByRole("complementary", { name: "Why Packer has this number" });
    await why.getByRole("table", { name: "Periods" }).getByRole("link").first().click();
    await why.getByText(/APT .* ÷ PBT' .* =/).waitFor();
    await why.getByRole("region", { name: /revision/ }).waitFor();
    await why.getByRole("region", { name: "Read from" }).getByRole("link", { name: "Packer" }).click();
    await expect.poll(() => new URL(page.url()).pathname, within).toBe("/machine");
  });

  it("the line marks what holds it back, and leads to the stop at its machine", async () => {
    const page = await open();
    await tab.goto(`/line?id=${idOf("Mill/Line 1")}&from=${at(180)}&to=${at(0)}`);
    await page.locator(".lane-label", { hasText: "probably the constraint" }).waitFor();
    const fault = await page.locator('.time-lanes [data-state="fault"] rect').first().boundingBox();
    if (fault === null) throw new Error("There is no fault.");
    await page.mouse.click(fault.x + fault.width / 2, fault.y + fault.height / 2);
    await expect.poll(() => new URL(page.url()).pathname, within).toBe("/machine");
  });

  it("a screen on the wall signs in with a viewer key, and comes back by itself after the server was away", async () => {
    const key = await rest.request<{ secret: string }>("POST", "/api/v1/keys", {
      name: "andon",
      role: "viewer",
      scopes: ["Mill/Line 1"],
    });
    const page = await open({ secret: undefined });
    await page.goto(`${server.url}/andon?id=${idOf("Mill/Line 1/Packer")}`);
    await page.getByLabel("Admin secret or API key").fill(key.body.secret);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect.poll(() => page.locator(".andon-word").textContent(), within).toBe("Fault");
    expect(await page.locator(".andon-order").textContent()).toContain("PO-Packer");
    faultsExpected = true;
    const port = Number(new URL(server.url).port);
    await server.kill("SIGKILL");
    await page.locator(".andon-away").waitFor();
    // What was known last stays readable.
    expect(await page.locator(".andon-word").textContent()).toBe("Fault");
    const before = server.adminSecret;
    server = await startServer(port);
    server.adminSecret ??= before;
    await page.locator(".andon-away").waitFor({ state: "detached" });
    await expect.poll(() => page.locator(".andon-word").textContent(), within).toBe("Fault");
    expect(tab.faults.filter((fault) => fault.startsWith("foreign") || fault.startsWith("error"))).toEqual([]);
  });

  it("the report of a shift is one sheet of paper", async () => {
    const page = await open();
    await tab.goto(`/shift-report?id=${idOf("Mill/Line 1")}`);
    const runs = page.getByLabel("Shift", { exact: true });
    await runs.selectOption({ label: (await runs.locator("option").first().textContent()) ?? "" });
    const sheet = page.locator(".sheet");
    await sheet.filter({ hasText: "Equipment failure" }).waitFor();
    // What the application has published, and the stop that lasts, with a zone to its times.
    await expect.poll(() => sheet.textContent(), within).toMatch(/provisional/);
    expect(await sheet.locator(".sheet-shift").textContent()).toMatch(/Day.*:00 – .*:00 UTC/);
    expect(await sheet.locator(".sheet-machines").textContent()).toMatch(/Filler.*Packer/);
    const stop = sheet.getByRole("row", { name: /Packer Equipment failure .* min .*lasts/ });
    await stop.waitFor();
    // A sheet may be for others than its reader.
    await page.getByLabel("Language of the sheet").selectOption("de");
    await sheet.getByText("Maschinenstörung").first().waitFor();
    expect(await tab.heading.textContent()).toBe("Report");
    await page.emulateMedia({ media: "print" });
    expect(await page.locator(".rail").isVisible()).toBe(false);
    expect(await page.locator(".sheet").isVisible()).toBe(true);
    const path = join(pictures, "production-report.pdf");
    const pdf = (await page.pdf({ path, preferCSSPageSize: true, printBackground: true })).toString("latin1");
    expect(pdf.slice(0, 5)).toBe("%PDF-");
    // A4 in points, and one page of it.
    expect(pdf).toMatch(/\/MediaBox \[0 0 59[45][.\d]* 84[12][.\d]*\]/);
    expect(pdf.match(/\/Type \/Page\b/g)?.length).toBe(1);
    await page.emulateMedia({ media: "screen" });
    await stop
      .or(sheet.getByRole("row", { name: /Packer Maschinenstörung/ }))
      .getByRole("link")
      .click();
    await page.locator(".time-lanes svg").waitFor();
    expect(new URL(page.url()).searchParams.get("id")).toBe(String(idOf("Mill/Line 1/Packer")));
  });

  it.each([1440, 834])(
    "every page is accessible and whole at %i px, light and dark, and speaks German",
    async (width) => {
      const line = idOf("Mill/Line 1");
      const range = `from=${at(180)}&to=${at(0)}`;
      const views = {
        overview: ["/overview", ".tile[data-state]"],
        line: [`/line?id=${line}&${range}`, ".lane-label"],
        machine: [`/machine?id=${idOf("Mill/Line 1/Filler")}&${range}`, ".kpi-panel"],
        oee: [`/oee?id=${line}&${range}&loss=breakdown`, ".loss-panel .plain"],
        report: [`/shift-report?id=${line}&shift=${encodeURIComponent(await shiftNow())}`, ".sheet"],
      } as const;
      const page = await open({ width, locale: "de-DE" });
      const wrong: string[] = [];
      for (const [name, [path, ready]] of Object.entries(views)) {
        await tab.goto(path);
        await page.locator(ready).first().waitFor();
        wrong.push(...(await look(tab, `production-${name}`, width)));
      }
      await page.goto(`${server.url}/andon?id=${line}`);
      await page.locator(".andon-machines").waitFor();
      wrong.push(...(await look(tab, "production-andon", width)));
      expect(wrong).toEqual([]);
      expect(await page.locator(".andon").textContent()).toContain("Ziel 72");
    },
  );
});
