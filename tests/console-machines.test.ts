// Machines are connected in a real Chromium, from nothing to live values, without a file: as an integration engineer does it.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Configuration, Connection, Equipment } from "@lineshaft/contract/api";
import { hasPeer } from "@lineshaft/testkit";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { TestServer } from "../integration/connectivity/connectors/opcua/test/server.ts";
import { inline, workbook, zip } from "../integration/platform/configuration/workbook/testing.ts";
import { ConsoleTab, launchBrowser, type TabOptions } from "./support/browser.ts";
import { addFiller, type Device, modbusMeter } from "./support/machines.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

const within = { timeout: 30_000, interval: 100 };
/** Answers that a form is to show, and not faults of the page. */
const told = /^(409|412|422): /;

describe.skipIf(!hasPeer("chromium"))("machines in the console", { timeout: 120_000 }, () => {
  const dirs = [tempDir(), tempDir()];
  const folder = mkdtempSync(join(tmpdir(), "console-machines-"));
  let server: ServerProcess;
  let second: ServerProcess;
  let rest: Rest;
  let browser: Browser;
  let meter: Device;
  let filler: TestServer;
  let setTemperature: (value: number) => void;
  let tab: ConsoleTab;

  const start = (dataDir: string): Promise<ServerProcess> =>
    ServerProcess.start({ dataDir, env: { LINESHAFT_CONSOLE: "" } });
  const open = async (options: Partial<TabOptions> = {}): Promise<Page> => {
    tab = await ConsoleTab.open(browser, { url: server.url, secret: server.adminSecret ?? "", ...options });
    tab.context.setDefaultTimeout(30_000);
    return tab.page;
  };
  const configuration = (of: Rest): Promise<Configuration> => of.get("/api/v1/configuration");
  const next = (page: Page): Promise<void> => page.getByRole("button", { name: "Next" }).click();
  const apply = async (page: Page): Promise<void> => {
    await page.getByRole("button", { name: /^Apply \d+ change/ }).click();
  };
  const shown = (page: Page, name: string) => page.getByRole("row", { name }).locator(".cell-value");

  beforeAll(async () => {
    filler = await TestServer.start({ folder });
    setTemperature = addFiller(filler);
    [meter, browser, server] = await Promise.all([modbusMeter(), launchBrowser(), start(dirs[0].path)]);
    // Only one may build the console at a time.
    second = await start(dirs[1].path);
    rest = new Rest(server.url, server.adminSecret ?? "");
  }, 120_000);
  afterEach(async () => {
    await tab?.close();
    expect(tab.faults.filter((fault) => !told.test(fault))).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([server?.kill("SIGTERM"), second?.kill("SIGTERM"), meter?.close(), filler?.stop()]);
    for (const dir of dirs) dir.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it("an empty plant teaches its first step", async () => {
    const page = await open();
    await tab.goto("/connections");
    await page.getByRole("heading", { name: "Connect the first machine" }).waitFor();
    await page.getByRole("button", { name: "Add machine" }).click();
    await page.getByRole("heading", { name: "How does the machine speak?" }).waitFor();
    await page.getByRole("searchbox", { name: "Filter by protocol or maker" }).fill("siemens");
    await expect.poll(() => page.locator(".kind-row").count(), within).toBe(1);
  });

  it("connects a Modbus device by a list of registers, with a place and a meaning, and shows its values", async () => {
    const page = await open();
    await tab.goto("/connections?add=kind");
    await page.getByRole("button", { name: /^Modbus TCP/ }).click();
    // Nothing goes on while something is missing, and it is said where.
    await next(page);
    await page.getByText("Give it a name.").waitFor();
    await page.getByLabel("Name of the connection").fill("meter-1");
    await page.getByLabel("Host").fill("127.0.0.1");
    await page.getByRole("spinbutton", { name: "Port" }).fill(String(meter.port));
    await next(page);
    await page.getByText(/^Everything works/).waitFor();
    await next(page);

    await page.getByRole("button", { name: "Add a row" }).first().click();
    await page.getByLabel("Address, row 1").fill("holding:10");
    await page.getByLabel("Name, row 1").fill("Temperature");
    // The rest is pasted from a spreadsheet; what it has spoilt is named by row, what the server refuses too.
    await page.evaluate(() =>
      navigator.clipboard.writeText(
        "address\tname\tunit\ttype\nholding:12\tGood count\t\tuint16\nholding:14\tPower\tW\t\nholding:16\tOdd\t\tuint99\n1,23E+11\tx",
      ),
    );
    await page.getByLabel("Address, row 1").press("Control+v");
    await page.getByText(/^Row 5: a spreadsheet program has changed 1,23E\+11/).waitFor();
    await page.getByText(/"uint99" is none of bool/).waitFor();
    await page.getByRole("button", { name: "Remove row 4" }).click();
    await next(page);

    await page.getByRole("button", { name: "Create equipment" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Westgate/Hall 3/Line 1/Meter 1");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByRole("button", { name: "Make a model from these tags" }).click();
    const dialog = page.getByRole("dialog", { name: "A model from these tags" });
    expect(await dialog.getByLabel("Kind of goodCount").inputValue()).toBe("counter");
    expect(await dialog.getByLabel("What goodCount counts").inputValue()).toBe("good");
    await dialog.getByRole("button", { name: "Use this model" }).click();
    expect(await page.getByLabel("Meaning of Power").inputValue()).toBe("power");

    // Back and reload lose nothing.
    await page.goBack();
    expect(await page.getByLabel("Name, row 3").inputValue()).toBe("Power");
    await page.goBack();
    await page.goBack();
    expect(await page.getByLabel("Host").inputValue()).toBe("127.0.0.1");
    await page.reload();
    expect(await page.getByLabel("Name of the connection").inputValue()).toBe("meter-1");
    await page.getByRole("link", { name: "Apply" }).click();

    await page.getByText("Adds 1 connection").waitFor();
    await page.getByText("Adds 4 equipment").waitFor();
    expect((await configuration(rest)).connections ?? []).toEqual([]);
    await apply(page);
    await expect.poll(() => shown(page, "Power").textContent(), within).toBe("4,200");
    const count = shown(page, "Good count");
    await count.waitFor();
    const before = await count.textContent();
    await expect.poll(() => count.textContent(), within).not.toBe(before);
    expect(new URL(page.url()).search).toBe("?name=meter-1");
    const [entry] = (await configuration(rest)).connections ?? [];
    expect(entry).toMatchObject({
      name: "meter-1",
      tags: [
        { address: "holding:10", bind: [{ property: "temperature" }] },
        { address: "holding:12", options: { dataType: "uint16" }, bind: [{ property: "goodCount" }] },
        { address: "holding:14", unit: "W", equipment: "Westgate/Hall 3/Line 1/Meter 1" },
      ],
    });
  });

  it("connects an OPC UA server: a certificate is trusted by a person, the tree is ticked by the keyboard", async () => {
    const page = await open();
    await tab.goto("/connections?add=kind");
    await page.getByRole("button", { name: /^OPC UA/ }).click();
    await page.getByLabel("Name of the connection").fill("filler-1");
    await page.getByLabel("Endpoint URL").fill(filler.url);
    await next(page);
    await page.getByRole("button", { name: "Look at the certificate" }).click();
    const dialog = page.getByRole("dialog", { name: "Trust this machine?" });
    await dialog.getByText("CN=Test server").waitFor();
    const trust = dialog.getByRole("button", { name: "Trust it" });
    expect(await trust.isDisabled()).toBe(true);
    await dialog.getByLabel(/I have compared the thumbprint/).check();
    await trust.click();
    await page.getByText(/^Everything works/).waitFor();
    await next(page);

    const tree = page.getByRole("tree", { name: "What the machine offers" });
    await tree.getByRole("treeitem", { name: /Filler 1/ }).click();
    await tree.getByRole("treeitem", { name: /GoodCount/ }).waitFor();
    await tree.focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Space");
    await page.getByText("1 ticked").waitFor();
    await page.keyboard.press("Space");
    await page.getByText("0 ticked").waitFor();
    // A whole branch, one level at a time.
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Shift+Space");
    await page.getByText("6 ticked").waitFor();
    await page.getByRole("searchbox", { name: "Search in what was opened" }).fill("speed");
    await tree.getByRole("treeitem", { name: /Speed/ }).waitFor();
    expect(await tree.getByRole("treeitem", { name: /GoodCount/ }).count()).toBe(0);
    await next(page);
    await page.getByRole("button", { name: "Create equipment" }).click();
    await page.getByLabel("Below").selectOption("Westgate/Hall 3/Line 1");
    await page.getByLabel("Name", { exact: true }).fill("Filler 1");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await next(page);
    await apply(page);
    await expect.poll(() => shown(page, "Temperature").textContent(), within).toMatch(/^64\.5/);
    setTemperature(71.25);
    await expect.poll(() => shown(page, "Temperature").textContent(), within).toBe("71.25");

    // The list shows both, each with its state in words.
    await page.getByRole("link", { name: "Connections" }).first().click();
    const grid = page.getByRole("grid", { name: "Connections" });
    await expect.poll(() => grid.getByRole("row", { name: /flowing/ }).count(), within).toBe(2);
    await grid.getByRole("row", { name: /filler-1/ }).dblclick();
    await page.getByRole("button", { name: "Live traffic" }).click();
    await expect.poll(() => page.getByRole("option").count(), within).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Pause" }).click();
    const heard = await page.getByText(/^\d+ messages?$/).textContent();
    await page.getByRole("option").first().click();
    await page.locator(".wire-dump").waitFor();
    expect(await page.getByText(/^\d+ messages?$/).textContent()).toBe(heard);
    await page.getByRole("button", { name: "Certificates" }).click();
    await page.getByRole("region", { name: "Trusted" }).getByText("CN=Test server").waitFor();
    await page.getByRole("button", { name: "Diagnosis" }).click();
    await page.getByText(/It holds no secrets/).waitFor();
    await page.getByRole("button", { name: "Health story" }).click();
    await page.getByRole("list", { name: "Health story" }).getByText("flowing").first().waitFor();
  });

  it("exports the plant as YAML, and a second, empty instance becomes the same plant by it", async () => {
    const page = await open();
    await tab.goto("/configuration");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Export YAML" }).click(),
    ]);
    const text = readFileSync((await download.path()) ?? "", "utf8");
    expect(text).toContain("meter-1");
    await tab.close();

    const other = new Rest(second.url, second.adminSecret ?? "");
    const there = await open({ url: second.url, secret: second.adminSecret ?? "" });
    await tab.goto("/configuration?view=import");
    const area = there.getByRole("textbox", { name: "Configuration as YAML" });
    // A mistake first: it is told by line, and shown there.
    await area.fill(text.replace("kind: opcua", "kind: opcau"));
    await there.getByRole("button", { name: "Show what it would change" }).click();
    const place = there.getByRole("button", { name: /^line \d+, column \d+$/ });
    const line = Number(/\d+/.exec((await place.textContent()) ?? "")?.[0]);
    expect(text.split("\n")[line - 1]).toContain("kind: opcua");
    await place.click();
    expect(
      await area.evaluate((field: HTMLTextAreaElement) => field.value.slice(field.selectionStart, field.selectionEnd)),
    ).toContain("opcau");

    await area.fill(text);
    await there.getByRole("button", { name: "Show what it would change" }).click();
    await there.getByText("Adds 2 connections").waitFor();
    await apply(there);
    await there.getByRole("button", { name: "See the revision" }).waitFor();
    expect(await configuration(other)).toEqual(await configuration(rest));
    const flowing = async (): Promise<unknown> =>
      (await other.get<Connection>("/api/v1/connections/meter-1")).health?.state;
    await expect.poll(flowing, within).toBe("flowing");
    // It has not seen the filler's certificate trusted: trust is a person's, not the file's.
    const waiting = async (): Promise<unknown> =>
      (await other.get<Connection>("/api/v1/connections/filler-1")).health?.fault;
    await expect.poll(waiting, within).toBe("untrusted");
  });

  it("says when somebody else was faster, plans again on top of that, and loses nothing of either", async () => {
    const page = await open();
    await tab.goto("/equipment");
    await page.getByRole("treeitem", { name: "Filler 1" }).click();
    await page.getByRole("button", { name: "Edit the selected equipment" }).click();
    const dialog = page.getByRole("dialog", { name: "Edit Filler 1" });
    await dialog.getByLabel("Life-cycle").selectOption("commissioning");
    await dialog.getByLabel("Name").fill("Filler A");
    await dialog.getByRole("button", { name: "Show what it would change" }).click();
    await page.getByRole("button", { name: /^Apply \d+ change/ }).waitFor();
    // Meanwhile a colleague adds something.
    const added = await rest.request("POST", "/api/v1/equipment", { level: "site", name: "Northfield" });
    expect(added.status).toBe(201);
    await apply(page);
    await page
      .getByRole("alert")
      .getByText(/^Not applied yet: .+ changed 1 thing/)
      .waitFor();
    await apply(page);
    await page.getByText(/in force, as revision/).waitFor();
    const paths = async (): Promise<unknown> =>
      (await configuration(rest)).equipment?.map(({ path, lifecycle }) => `${path} ${lifecycle ?? ""}`.trim());
    expect(await paths()).toEqual(
      expect.arrayContaining(["Northfield", "Westgate/Hall 3/Line 1/Filler A commissioning"]),
    );
  });

  it("undoes the newest change through a plan, and goes back to any revision", async () => {
    const page = await open();
    await tab.goto("/configuration");
    const changed = await configuration(rest);
    const newest = page.locator(".revision-row").first();
    await newest.waitFor();
    const revisions = await page.locator(".revision-row .group-title").allTextContents();
    await page
      .getByRole("group", { name: "Difference to the revision before" })
      .getByText("Filler A")
      .first()
      .waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("dialog").getByText("commissioning").first().waitFor();
    await apply(page);
    await page.getByText(/in force, as revision/).waitFor();
    await page.getByRole("button", { name: "Close" }).last().click();
    const undone = await configuration(rest);
    expect(undone.equipment?.map(({ path }) => path)).toContain("Westgate/Hall 3/Line 1/Filler 1");
    expect(undone.equipment?.map(({ path }) => path)).toContain("Northfield");
    // What was undone is a revision like any other: back to it.
    const titles = page.locator(".revision-row .group-title");
    await expect.poll(() => titles.first().textContent(), within).not.toBe(revisions[0]);
    await titles.getByText(revisions[0], { exact: true }).click();
    await page.getByRole("button", { name: "Go back to this" }).click();
    await apply(page);
    await page.getByText(/in force, as revision/).waitFor();
    expect(await configuration(rest)).toEqual(changed);
  });

  it("changes equipment as of the day on which it changed on the floor", async () => {
    const page = await open();
    await tab.goto("/equipment");
    await page.getByRole("treeitem", { name: "Filler A" }).click();
    await page.getByRole("button", { name: "Edit the selected equipment" }).click();
    const dialog = page.getByRole("dialog", { name: "Edit Filler A" });
    await dialog.getByLabel("Life-cycle").selectOption("test");
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 19);
    await dialog.getByLabel("Valid since").fill(yesterday);
    await dialog.getByRole("button", { name: "Show what it would change" }).click();
    const plan = page.getByRole("dialog", { name: "Change Filler A" });
    await plan.getByText("commissioning").waitFor();
    await apply(page);
    await plan.waitFor({ state: "detached" });
    const { items } = await rest.get<{ items: Equipment[] }>("/api/v1/equipment?limit=100");
    const found = items.find(({ name }) => name === "Filler A");
    expect(found?.lifecycle).toBe("test");
    const then = `/api/v1/equipment/${found?.id}?at=${(Date.now() - 3_600_000) * 1000}`;
    expect(await rest.get<Equipment>(then)).toMatchObject({ lifecycle: "test" });
  });

  it("takes a workbook on the way: the server tries it, row by row, before it is taken", async () => {
    const page = await open();
    await tab.goto("/connections?add=kind");
    await page.getByRole("button", { name: /^Modbus TCP/ }).click();
    await page.getByLabel("Name of the connection").fill("meter-2");
    await page.getByLabel("Host").fill("127.0.0.1");
    await page.getByRole("spinbutton", { name: "Port" }).fill(String(meter.port));
    await page.getByRole("link", { name: "Tags" }).click();
    const book = (address: string) => {
      const cells = [
        ["address", "name", "unit"],
        [address, "Power", "W"],
      ];
      const rows = cells.map((row) => row.map((cell) => inline(cell)));
      return { name: "meter.xlsx", mimeType: "", buffer: Buffer.from(zip(workbook([{ name: "Tags", rows }]))) };
    };
    await page.getByLabel("From a CSV or XLSX file").setInputFiles(book("1,23E+11"));
    await page.getByText(/^meter.xlsx is read by the server/).waitFor();
    await page.getByRole("link", { name: "Apply" }).click();
    await apply(page);
    const dialog = page.getByRole("dialog", { name: "Import tags of meter-2" });
    await dialog.getByText("line 2, column 1").waitFor();
    await dialog.getByLabel("Choose a file").setInputFiles(book("holding:14"));
    await dialog.getByText("meter.xlsx: 1 row.").waitFor();
    await apply(page);
    await expect.poll(() => shown(page, "Power").textContent(), within).toBe("4,200");
  });

  it("gives a tag a dated meaning, and edits and removes a connection", async () => {
    const page = await open();
    await tab.goto("/connections?name=meter-1");
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByText("More settings").click();
    await page.getByLabel("Period").fill("250");
    await page.getByRole("link", { name: "Apply" }).click();
    const period = page.locator(".plan-fields");
    await expect.poll(() => period.first().textContent(), within).toContain("config.periodMs");
    await apply(page);
    await expect.poll(() => new URL(page.url()).search, within).toBe("?name=meter-1");

    await shown(page, "Power").dblclick();
    await page.getByRole("complementary").getByRole("button", { name: "Meaning" }).click();
    const dialog = page.getByRole("dialog", { name: "What Power means" });
    await dialog.getByLabel("Valid from").fill("2026-03-01T06:00:00");
    await dialog.getByRole("button", { name: "Show what it would change" }).click();
    await apply(page);
    await page.getByText(/in force, as revision/).waitFor();
    const tags = (await configuration(rest)).connections?.find(({ name }) => name === "meter-1")?.tags;
    const bind = tags?.find(({ name }) => name === "Power")?.bind?.[0];
    expect(bind?.property).toBe("power");
    expect(new Date(bind?.validFrom ?? "").getTime()).toBe(Date.UTC(2026, 2, 1, 5));

    await tab.goto("/connections?name=meter-1");
    await page.getByRole("button", { name: "Remove the connection" }).click();
    await page.getByText("It stops reading. Its tags and what they recorded stay.").waitFor();
    await apply(page);
    await page.getByText(/in force, as revision/).waitFor();
    expect((await configuration(rest)).connections?.map(({ name }) => name)).toEqual(["filler-1", "meter-2"]);
  });
});
