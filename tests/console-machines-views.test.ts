// The pages with which machines are connected, light and dark, on a desk and on a tablet; and the pictures of the how-tos, which
// LINESHAFT_DOC_IMAGES=docs/images writes anew.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deadPort, hasPeer } from "@lineshaft/testkit";
import type { MqttClient } from "mqtt";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestServer } from "../integration/connectivity/connectors/opcua/test/server.ts";
import { ConsoleTab, launchBrowser } from "./support/browser.ts";
import { addFiller, type Device, type EdgeNode, modbusMeter, sparkplugNode } from "./support/machines.ts";
import { declare, deviceKey, dial, reading } from "./support/mqtt.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";
import { look, pictures } from "./support/views.ts";

const within = { timeout: 30_000, interval: 100 };
const told = /^(409|412|422): /;

describe.skipIf(!hasPeer("chromium"))("the pages of connecting machines", { timeout: 240_000 }, () => {
  const dir = tempDir();
  const folder = mkdtempSync(join(tmpdir(), "console-machines-"));
  let server: ServerProcess;
  let rest: Rest;
  let browser: Browser;
  let meter: Device;
  let filler: TestServer;
  const clients: MqttClient[] = [];
  let edgeNode: EdgeNode | null = null;
  let publishing: NodeJS.Timeout;
  const wrong: string[] = [];

  const next = (page: Page): Promise<void> => page.getByRole("button", { name: /^(Next|Weiter)$/ }).click();
  /** For a how-to: into its folder where that is wanted. */
  const picture = async (page: Page, name: string): Promise<void> => {
    const to = process.env.LINESHAFT_DOC_IMAGES ?? pictures;
    const before = page.viewportSize();
    await page.setViewportSize({ width: 1180, height: 700 });
    await page.screenshot({ path: join(to, `${name}.png`) });
    if (before !== null) await page.setViewportSize(before);
  };
  const openTab = (width: number, locale: "en-GB" | "de-DE"): Promise<ConsoleTab> =>
    ConsoleTab.open(browser, {
      url: server.url,
      secret: server.adminSecret ?? "",
      width,
      locale,
      touch: width < 1000,
    });
  const begin = async (page: Page, kind: RegExp, name: string): Promise<void> => {
    await page.getByRole("button", { name: kind }).click();
    await page.getByLabel(/^Name (of the connection|der Verbindung)/).fill(name);
  };

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    mkdirSync(join(dir.path, "secrets"));
    filler = await TestServer.start({ folder });
    addFiller(filler);
    const env = { LINESHAFT_CONSOLE: "" };
    [meter, browser, server] = await Promise.all([
      modbusMeter(),
      launchBrowser(),
      ServerProcess.start({ dataDir: dir.path, flags: ["--mqtt-port", "0"], env }),
    ]);
    rest = new Rest(server.url, server.adminSecret ?? "");
    // Somebody listens to the broker, and a gateway publishes to it.
    await declare(rest, [
      {
        name: "gateway",
        kind: "mqtt-broker",
        config: { templates: [{ topic: "Westgate/{line}/{machine}", payload: "json" }] },
      },
      { name: "presses", kind: "sparkplug-broker", config: {} },
      {
        name: "press-9",
        kind: "modbus",
        config: { host: "127.0.0.1", port: await deadPort(), timeoutMs: 300 },
      },
    ]);
    await reading(rest, "gateway");
    const key = await deviceKey(rest, "gateway 1");
    const client = await dial(server, key);
    clients.push(client);
    let n = 0;
    publishing = setInterval(() => {
      edgeNode?.tell(21 + Math.sin(n / 20));
      for (const [i, machine] of ["Filler", "Capper", "Labeller", "Filler", "Capper", "Labeller"].entries())
        client.publish(
          `Westgate/Line ${i < 3 ? 1 : 2}/${machine}`,
          JSON.stringify({ ts: Date.now(), speed: 412, parts: ++n }),
          {
            qos: 1,
          },
        );
    }, 500);
    const reader = await deviceKey(rest, "reader", { role: "engineer" });
    writeFileSync(join(dir.path, "secrets", "mqtt-reader"), reader.secret);
    const node = await sparkplugNode(server.mqttUrl, await deviceKey(rest, "gateway 3"));
    edgeNode = node;
  }, 120_000);
  afterAll(async () => {
    clearInterval(publishing);
    for (const client of clients) client.end(true);
    edgeNode?.close();
    await browser?.close();
    await server?.kill("SIGTERM");
    await Promise.all([meter?.close(), filler?.stop()]);
    dir.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    [1440, "en-GB"],
    [834, "de-DE"],
  ] as const)("%i px wide, %s", async (width, locale) => {
    const german = locale === "de-DE";
    const tab = await openTab(width, locale);
    const { page } = tab;
    page.setDefaultTimeout(30_000);
    const see = async (name: string): Promise<void> => {
      wrong.push(...(await look(tab, `machines-${name}`, width)));
      await page.emulateMedia({ colorScheme: "light" });
    };
    await tab.goto("/connections");
    await page.getByRole("row", { name: /press-9/ }).click();
    await page.locator(".chosen .problem").waitFor();
    await see("list");
    await tab.goto("/connections?name=press-9");
    await page.locator(".problem").waitFor();
    await see("detail-waiting");
    await tab.goto("/connections?add=kind");
    await page.locator(".kind-row").first().waitFor();
    await see("kind");

    await begin(page, /^Modbus TCP/, `meter-${width}`);
    await page.getByLabel("Host").fill("127.0.0.1");
    await page.getByRole("spinbutton", { name: "Port" }).fill(String(meter.port));
    await page.locator(".more-settings summary").click();
    await see("settings");
    await page.locator(".more-settings summary").click();
    if (!german) await picture(page, "connect-modbus-settings");
    await next(page);
    await page.getByText(/^(Everything works|Alles geht)/).waitFor();
    await see("check");
    await next(page);
    await page.locator(".empty .button-main").click();
    await page.evaluate(() =>
      navigator.clipboard.writeText(
        "address\tname\tunit\ttype\nholding:10\tTemperature\tCel\t\nholding:12\tGood count\t\tuint16\nholding:14\tPower\tW\t",
      ),
    );
    await page.locator(".edit-table input").first().press("Control+v");
    await page.getByLabel(/^Name, (row|Zeile) 3/).waitFor();
    await see("list-of-tags");
    if (!german) await picture(page, "connect-modbus-list");
    await next(page);
    await page.getByRole("button", { name: /^(Create equipment|Anlage anlegen)$/ }).click();
    await page
      .getByLabel("Name", { exact: true })
      .fill(german ? "Ost/Halle/Linie/Zähler" : "Westgate/Hall 3/Line 1/Meter");
    await page.locator(".new-equipment .button-main").click();
    await page.locator(".place-model .button").click();
    await page.getByRole("dialog").waitFor();
    await see("model");
    await page.getByRole("dialog").locator(".button-main").click();
    await see("place");
    if (!german) await picture(page, "connect-modbus-place");
    await next(page);
    await page.locator(".plan-items").waitFor();
    await see("plan");
    if (!german) await picture(page, "connect-modbus-plan");
    await page.getByRole("button", { name: /^(Apply \d|\d+ Änderungen anwenden)/ }).click();
    await expect.poll(() => page.locator(".cell-value").count(), within).toBe(3);
    await page.locator(".toast button").click();
    await see("detail");
    if (!german) await picture(page, "connect-modbus-live");
    await page.getByRole("button", { name: /^(Live traffic|Verkehr live)$/ }).click();
    await page.getByRole("option").first().click();
    await page.locator(".wire-dump").waitFor();
    await see("wire");
    await tab.goto("/configuration");
    await page.locator(".diff").waitFor();
    await see("configuration");
    await tab.goto("/configuration?view=import");
    await page.locator("textarea").fill("version: 1\nequipment:\n  - { path: West, levle: site }\n");
    await page.locator(".import-plan .button-main").click();
    await page.locator(".faults table").waitFor();
    await see("import");
    await tab.close();
    expect([...wrong.splice(0), ...tab.faults.filter((fault) => !told.test(fault))]).toEqual([]);
  });

  it("OPC UA: the certificate, the tree, and the values", async () => {
    const tab = await openTab(1440, "en-GB");
    const { page } = tab;
    page.setDefaultTimeout(30_000);
    await tab.goto("/connections?add=kind");
    await picture(page, "connect-kinds");
    await begin(page, /^OPC UA/, "filler-1");
    await page.getByLabel("Endpoint URL").fill(filler.url);
    await picture(page, "connect-opcua-settings");
    await next(page);
    await page.getByRole("button", { name: "Look at the certificate" }).click();
    await page.locator(".certificate").waitFor();
    wrong.push(...(await look(tab, "machines-trust", 1440)));
    await page.emulateMedia({ colorScheme: "light" });
    await picture(page, "connect-opcua-trust");
    await page.getByLabel(/I have compared/).check();
    await page.getByRole("button", { name: "Trust it" }).click();
    await page.getByText(/^Everything works/).waitFor();
    await next(page);
    await page
      .getByRole("treeitem", { name: /Filler 1/ })
      .getByRole("button", { name: "all below" })
      .click();
    await page.getByText("6 ticked").waitFor();
    await page.getByRole("treeitem", { name: /Filler 1/ }).click();
    await page.getByRole("treeitem", { name: /Drive/ }).click();
    await page.getByRole("treeitem", { name: /Speed/ }).waitFor();
    wrong.push(...(await look(tab, "machines-browse", 1440)));
    await page.emulateMedia({ colorScheme: "light" });
    await picture(page, "connect-opcua-browse");
    await page.getByRole("link", { name: "Apply" }).click();
    await page.getByRole("button", { name: /^Apply \d/ }).click();
    await expect.poll(() => page.locator(".cell-value").count(), within).toBe(6);
    await page.locator(".toast button").click();
    await picture(page, "connect-opcua-live");
    await page.getByRole("button", { name: "Certificates" }).click();
    await page.getByRole("region", { name: "Trusted" }).locator(".certificate").waitFor();
    wrong.push(...(await look(tab, "machines-certificates", 1440)));
    await tab.close();
    expect([...wrong.splice(0), ...tab.faults.filter((fault) => !told.test(fault))]).toEqual([]);
  });

  it("MQTT: proposals from an external server, and devices at the embedded broker", async () => {
    const tab = await openTab(1440, "en-GB");
    const { page } = tab;
    page.setDefaultTimeout(30_000);
    await tab.goto("/connections?add=kind");
    await begin(page, /^MQTT 3/, "plant-mqtt");
    await page.getByLabel("Host").fill("127.0.0.1");
    await page.getByRole("spinbutton", { name: "Port" }).fill(new URL(server.mqttUrl).port);
    await page.locator(".form-group").getByLabel("User", { exact: true }).fill("reader");
    await page.locator(".form-group").getByLabel("Password").fill("mqtt-reader");
    await picture(page, "connect-mqtt-settings");
    await next(page);
    await page.getByRole("button", { name: "Check again" }).and(page.locator(":enabled")).waitFor();
    await next(page);
    await page.getByLabel("Listen to").fill("Westgate/#");
    await page.getByLabel("For").selectOption("5");
    await page.getByRole("button", { name: "Listen and propose" }).click();
    await page.getByRole("checkbox").first().check();
    wrong.push(...(await look(tab, "machines-templates", 1440)));
    await page.emulateMedia({ colorScheme: "light" });
    await picture(page, "connect-mqtt-topics");
    await page.getByRole("button", { name: "Leave" }).click();

    await tab.goto("/connections?add=kind");
    await begin(page, /^MQTT devices at the embedded/, "sensors");
    await page.getByRole("link", { name: "Tags" }).click();
    await page.getByRole("button", { name: "Make a key for the device" }).click();
    await page.getByText(/^Address: mqtt:/).waitFor();
    await page.getByRole("textbox", { name: "Template" }).fill("Westgate/{line}/{machine}/temperature");
    await page.getByRole("button", { name: "Add the template" }).click();
    wrong.push(...(await look(tab, "machines-device", 1440)));
    await page.emulateMedia({ colorScheme: "light" });
    await picture(page, "connect-mqtt-device");
    await tab.goto("/connections?name=gateway");
    await expect.poll(() => page.locator(".cell-value").count(), within).toBeGreaterThan(3);
    await picture(page, "connect-mqtt-live");
    await tab.close();
    expect([...wrong.splice(0), ...tab.faults.filter((fault) => !told.test(fault))]).toEqual([]);
  });

  it("Sparkplug: what edge nodes announce is there", async () => {
    const tab = await openTab(1440, "en-GB");
    const { page } = tab;
    page.setDefaultTimeout(30_000);
    await tab.goto("/connections?add=kind");
    await begin(page, /^Sparkplug B 3.0 at the embedded/, "more-presses");
    await page.getByRole("link", { name: "Tags" }).click();
    await page.getByText(/edge nodes announce their tags/).waitFor();
    await page.getByText(/^Address: mqtt:/).waitFor();
    await picture(page, "connect-sparkplug-device");
    await page.getByRole("button", { name: "Leave" }).click();
    await tab.goto("/connections?name=presses");
    await page
      .getByRole("row", { name: /Temperature/ })
      .locator(".cell-value")
      .waitFor();
    await picture(page, "connect-sparkplug-live");
    await tab.close();
    expect(tab.faults.filter((fault) => !told.test(fault))).toEqual([]);
  });
});
