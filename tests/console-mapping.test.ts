// What raw values mean is said in a real Chromium, beside what it makes of the values that were recorded: as an engineer does it.
import type { Configuration, Equipment, MachineFactsBody, MappingErrors } from "@lineshaft/contract/api";
import { hasPeer } from "@lineshaft/testkit";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ConsoleTab, launchBrowser, tagNamed } from "./support/browser.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

const within = { timeout: 30_000, interval: 100 };
const minuteUs = 60_000_000;
/** As the browser's field wants it, in the zone of the tab. */
const localTime = (us: number): string =>
  new Date(us / 1000).toLocaleString("sv-SE", { timeZone: "Europe/Berlin" }).replace(" ", "T");

describe.skipIf(!hasPeer("chromium"))("the meaning of values in the console", { timeout: 120_000 }, () => {
  const dir = tempDir();
  // Twenty hours ago: recorded before anybody says what it means.
  const first = Math.floor(Date.now() / 60_000) * minuteUs - 20 * 60 * minuteUs;
  const recorded = [0, 3, 2, 3, 1, 3];
  let server: ServerProcess;
  let rest: Rest;
  let browser: Browser;
  let tab: ConsoleTab;
  let word = 0;
  let press = 0;

  const send = (values: readonly [minute: number, value: number][]): Promise<unknown> =>
    rest.ingest(
      "press",
      values.map(([minute, value]) => ({ tag: "word", time: first + minute * minuteUs, value })),
    );
  const configuration = (): Promise<Configuration> => rest.get("/api/v1/configuration");
  const open = async (path: string): Promise<Page> => {
    tab = await ConsoleTab.open(browser, { url: server.url, secret: server.adminSecret ?? "" });
    await tab.goto(path);
    return tab.page;
  };

  beforeAll(async () => {
    [browser, server] = await Promise.all([
      launchBrowser(),
      ServerProcess.start({ dataDir: dir.path, env: { LINESHAFT_CONSOLE: "" } }),
    ]);
    rest = new Rest(server.url, server.adminSecret ?? "");
    await send(recorded.map((value, i) => [i * 10, value]));
    const { body, etag } = await rest.request<Configuration>("GET", "/api/v1/configuration");
    const put = await rest.request(
      "PUT",
      "/api/v1/configuration",
      {
        ...body,
        models: [{ name: "press", version: "1.0.0", properties: [{ name: "state", kind: "itemState" }] }],
        equipment: [
          { path: "site", level: "site" },
          { path: "site/press-7", level: "workUnit", model: "press@1.0.0" },
        ],
        connections: [{ name: "press", kind: "http", tags: [{ address: "word", equipment: "site/press-7" }] }],
      },
      { "if-match": etag },
    );
    expect(put, JSON.stringify(put.body)).toMatchObject({ status: 200 });
    word = await tagNamed(rest, "word");
    const { items } = await rest.get<{ items: Equipment[] }>("/api/v1/equipment");
    press = items.find(({ path }) => path.endsWith("press-7"))?.id ?? 0;
  }, 120_000);
  afterEach(async () => {
    await tab?.close();
    expect(tab.faults).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.kill("SIGTERM");
    dir.remove();
  });

  it("is said in a table, seen on what was recorded, planned, applied; yesterday's facts follow", async () => {
    const page = await open(`/equipment?tag=${word}`);
    await page.getByRole("button", { name: "Meaning" }).click();
    await page.getByRole("button", { name: "Add a meaning" }).click();
    await page.getByRole("button", { name: "What the values mean: state" }).click();
    const editor = page.getByRole("dialog", { name: "What the values of word mean: state" });
    const seen = editor.getByRole("table", { name: "Recorded" });
    const becomes = (value: number) =>
      seen.locator("tr", { has: page.locator("td").first().getByText(String(value), { exact: true }) });
    // The standard's own numbers say something of all four until the engineer knows better.
    await becomes(3).getByText("Executing", { exact: true }).waitFor();
    await editor.getByText("4 different values, each with a meaning.").waitFor();
    await editor.getByLabel("Ready-made table").selectOption("");
    await editor.getByText("4 of 4 different values without a meaning").waitFor();

    const meanings = [
      [0, "NotExecuting"],
      [1, "OutOfService"],
      [2, "NotExecuting"],
    ] as const;
    for (const [i, [value, state]] of meanings.entries()) {
      // The table scrolls and a live value may stand above: what was recorded has its own button.
      await seen.getByRole("button", { name: `Say what it means: ${value}` }).click();
      const field = editor.getByLabel(`Item state, row ${i + 1}`);
      await expect.poll(() => field.evaluate((one) => one === document.activeElement), within).toBe(true);
      await field.selectOption(state);
    }
    await editor.getByText("1 of 4 different values without a meaning").waitFor();
    await becomes(1).getByText("Out of service").waitFor();
    // A range does for 3 what a value did for the others.
    await editor.getByRole("button", { name: "Add a row" }).click();
    await editor.getByLabel("By what, row 4").selectOption("range");
    await editor.getByLabel("From, row 4").fill("2,5");
    const plan = editor.getByRole("button", { name: "Show what it would change" });
    expect(await plan.isDisabled()).toBe(true);
    await editor.getByLabel("Item state, row 4").selectOption("Executing");
    await editor.getByText("4 different values, each with a meaning.").waitFor();
    await becomes(3).getByText("Executing", { exact: true }).waitFor();

    // A value that comes in is judged as it comes.
    const live = editor.getByRole("table", { name: "As they come in" });
    await send([[19 * 60, 7]]);
    await live.getByRole("row", { name: /7 Executing/ }).waitFor();
    expect((await configuration()).connections?.[0].tags?.[0].bind).toBeUndefined();

    await plan.click();
    await page.getByText("Adds 1 meaning").waitFor();
    await page.getByRole("button", { name: /^Apply \d+ change/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
    expect((await configuration()).connections?.[0].tags?.[0].bind).toEqual([
      {
        property: "state",
        mapping: {
          states: [
            ...meanings.map(([value, itemState]) => ({ value, itemState })),
            { from: 2.5, itemState: "Executing" },
          ],
        },
      },
    ]);
    const states = async (): Promise<unknown[][]> => {
      const { states, repairing } = await rest.get<MachineFactsBody>(
        `/api/v1/facts/machines/${press}?from=${first}&to=${first + 60 * minuteUs}`,
      );
      return repairing ? [] : states.time.map((time, i) => [(time - first) / minuteUs, states.itemState[i]]);
    };
    await expect.poll(states, within).toEqual([
      [0, "NotExecuting"],
      [10, "Executing"],
      [20, "NotExecuting"],
      [30, "Executing"],
      [40, "OutOfService"],
      [50, "Executing"],
    ]);
  });

  it("tells of values that no row has, and leads to them", async () => {
    await send([[19 * 60 + 10, -4]]);
    const errors = async (): Promise<MappingErrors[]> =>
      (await rest.get<{ items: MappingErrors[] }>("/api/v1/facts/mapping-errors")).items;
    await expect.poll(errors, within).toEqual([{ tagId: word, equipmentId: press, values: 1 }]);
    const page = await open("/equipment");
    await page.getByText("1 tag has values that nothing gives a meaning").click();
    await page.getByRole("link", { name: "word", exact: true }).click();
    await page.getByRole("button", { name: "Meaning" }).click();
    await page.getByRole("button", { name: "What the values mean: state" }).click();
    const editor = page.getByRole("dialog", { name: "What the values of word mean: state" });
    // The table that is in force has come back into its fields.
    expect(await editor.getByLabel("From, row 4").inputValue()).toBe("2.5");
    await editor.getByText("1 of 6 different values without a meaning").waitFor();
    await editor
      .getByRole("table", { name: "Recorded" })
      .getByRole("button", { name: "Say what it means: -4" })
      .waitFor();
    // A condition is typed here and judged by the server.
    await editor.getByRole("button", { name: "Add a row" }).click();
    await editor.getByLabel("By what, row 5").selectOption("when");
    await editor.getByLabel("Condition, row 5").fill("value < 0.0 && value > -5.0");
    await editor.getByLabel("Item state, row 5").selectOption("OutOfService");
    // The server alone asks it: the mistake stands at its place, and what is sound is judged beside it.
    const recorded = editor.getByRole("table", { name: "Recorded" });
    await recorded.getByRole("row", { name: /^-4.*Out of service/ }).waitFor();
    await editor.getByLabel("Condition, row 5").fill("value < 0.0 && speed > -5.0");
    await editor
      .getByRole("alert")
      .getByText(/At character 16: There is no "speed" here/)
      .waitFor();
    await editor.getByLabel("Condition, row 5").fill("value < 0.0 && value > -5.0");
    await editor.getByRole("alert").waitFor({ state: "detached" });
    // From a date on; what holds before stays as it is, although a plan was looked at and left in between.
    await editor.getByRole("button", { name: "Show what it would change" }).click();
    await page.getByText("Changes 1 meaning").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "What the values mean: state" }).click();
    await editor.getByRole("button", { name: "From a date on" }).click();
    await editor.getByLabel("Valid from").fill(localTime(first + 30 * minuteUs));
    await editor.getByRole("button", { name: "Show what it would change" }).click();
    await page.getByRole("button", { name: /^Apply \d+ change/ }).click();
    await page.getByText(/in force, as revision/).waitFor();
    await expect.poll(errors, within).toEqual([]);
    const bind = (await configuration()).connections?.[0].tags?.[0].bind ?? [];
    expect(bind.map(({ mapping, validFrom, validTo }) => [mapping?.states?.length, validFrom, validTo])).toEqual([
      [4, undefined, bind[1].validFrom],
      [5, new Date((first + 30 * minuteUs) / 1000).toISOString().replace(".000", ""), undefined],
    ]);
  });

  it("shows, at a tag that conditions name, what they say, what all of them tell now, and what follows", async () => {
    const now = Date.now() * 1000;
    const at = { tag: "speed", time: now - 5_000_000 };
    await rest.ingest("mill", [
      { ...at, value: 1450 },
      { ...at, tag: "guard", value: false },
    ]);
    const { body, etag } = await rest.request<Configuration>("GET", "/api/v1/configuration");
    const bound = (address: string) => ({ address, equipment: "site/mill", bind: [{ property: address }] });
    const conditions = [
      { when: "speed > 100.0 && !guard", itemState: "Executing" },
      { when: "true", itemState: "OutOfService" },
    ];
    const properties = [
      { name: "state", kind: "itemState", conditions },
      { name: "speed", kind: "processValue" },
      { name: "guard", kind: "processValue", type: "boolean" },
    ];
    const put = await rest.request(
      "PUT",
      "/api/v1/configuration",
      {
        ...body,
        models: [...(body.models ?? []), { name: "mill", version: "1.0.0", properties }],
        equipment: [...(body.equipment ?? []), { path: "site/mill", level: "workUnit", model: "mill@1.0.0" }],
        connections: [
          ...(body.connections ?? []),
          { name: "mill", kind: "http", tags: [bound("speed"), bound("guard")] },
        ],
      },
      { "if-match": etag },
    );
    expect(put, JSON.stringify(put.body)).toMatchObject({ status: 200 });
    const page = await open(`/equipment?tag=${await tagNamed(rest, "speed")}`);
    await page.getByRole("button", { name: "Meaning" }).click();
    const view = page.getByRole("region", { name: "state, told by conditions" });
    const values = view.getByRole("table", { name: "What they name, now" });
    await values.getByRole("row", { name: /^speed 1450/ }).waitFor();
    await values.getByRole("row", { name: /^guard false/ }).waitFor();
    const outcome = view.getByRole("status", { name: "The machine by the server:" });
    await outcome.getByText("Executing", { exact: true }).waitFor();
    await rest.ingest("mill", [{ tag: "guard", time: Date.now() * 1000, value: true }]);
    await values.getByRole("row", { name: /^guard true/ }).waitFor();
    // The watermark follows what is heard of the connection.
    await rest.ingest("mill", [{ tag: "speed", time: Date.now() * 1000, value: 1451 }]);
    await outcome.getByText("Out of service").waitFor();

    // A mistake is told at its place while it is typed; what is sound says what it makes of the present values.
    await view.getByRole("button", { name: "Change the conditions" }).click();
    const editor = page.getByRole("dialog", { name: "state by conditions over several tags" });
    const first = editor.getByLabel("Condition, row 1");
    await first.fill("speed > && !guard");
    await editor.getByRole("alert").getByText("At character 9:").waitFor();
    expect(await editor.getByRole("button", { name: "Show what it would change" }).isDisabled()).toBe(true);
    await first.fill("speed > 1000.0 && guard");
    await editor.getByLabel("Item state, row 1").selectOption("NotExecuting");
    const wouldBe = editor.getByRole("status", { name: "By the present values:" });
    await wouldBe.getByText("Not executing").waitFor();
    await editor.getByRole("button", { name: "Show what it would change" }).click();
    await page.getByRole("button", { name: /^Apply \d+ change/ }).click();
    await page.getByText(/in force, as revision/).waitFor();
    const changed = await configuration();
    expect(changed.equipment?.find(({ path }) => path === "site/mill")?.model).toBe("mill@1.0.1");
    const published = changed.models?.filter(({ name }) => name === "mill").map(({ version }) => version);
    expect(published).toEqual(["1.0.0", "1.0.1"]);
  });

  it("says what alarms are and what identifiers stand for, beside what was told", async () => {
    const at = (tag: string, minute: number, value: number | string) => ({
      tag,
      time: first + minute * minuteUs,
      value,
    });
    const alarms = [17, 0, 150, 0, 901, 0].map((value, i) => at("code", i, value));
    await rest.ingest("winder", [...alarms, at("recipe", 0, "07"), at("recipe", 1, "08")]);
    const { body, etag } = await rest.request<Configuration>("GET", "/api/v1/configuration");
    const properties = [
      { name: "alarm", kind: "alarm" },
      { name: "recipe", kind: "identifier", type: "string" },
    ];
    const bound = (address: string, property: string) => ({ address, equipment: "site/winder", bind: [{ property }] });
    const next = {
      ...body,
      models: [...(body.models ?? []), { name: "winder", version: "1.0.0", properties }],
      equipment: [...(body.equipment ?? []), { path: "site/winder", level: "workUnit", model: "winder@1.0.0" }],
      connections: [
        ...(body.connections ?? []),
        { name: "winder", kind: "http", tags: [bound("code", "alarm"), bound("recipe", "recipe")] },
      ],
    };
    const put = await rest.request("PUT", "/api/v1/configuration", next, { "if-match": etag });
    expect(put, JSON.stringify(put.body)).toMatchObject({ status: 200 });

    const page = await open(`/equipment?tag=${await tagNamed(rest, "code")}`);
    await page.getByRole("button", { name: "Meaning" }).click();
    await page.getByRole("button", { name: "What the values mean: alarm" }).click();
    const editor = page.getByRole("dialog", { name: "What the values of code mean: alarm" });
    const seen = editor.getByRole("table", { name: "Recorded" });
    await editor.getByText("3 alarms have no text yet").waitFor();
    await seen.getByRole("button", { name: "Say what it means: 17" }).click();
    await editor.getByLabel("German text, row 1").fill("Bahn gerissen");
    await editor.getByLabel("English text, row 1").fill("Web torn");
    await editor.getByLabel("Severity, row 1").fill("1001");
    await editor.getByText("A whole number from 1 to 1000.").waitFor();
    await editor.getByLabel("Severity, row 1").fill("900");
    await editor.getByLabel("Reason, row 1").hover();
    await editor.getByLabel("Reason, row 1").selectOption("4000000");
    await seen.getByText("Web torn").waitFor();
    await editor.getByText("2 alarms have no text yet").waitFor();
    await editor.getByRole("button", { name: "Add a row" }).click();
    await editor.getByLabel("By what, row 2").selectOption("range");
    await editor.getByLabel("From, row 2").fill("900");
    await editor.getByLabel("What it is, row 2").selectOption("none");
    await editor.getByText("1 alarm has no text yet").waitFor();
    await editor.getByRole("button", { name: "Show what it would change" }).click();
    await page.getByRole("button", { name: /^Apply \d+ change/ }).click();
    await page.getByText(/in force, as revision/).waitFor();
    const winder = (await configuration()).connections?.find(({ name }) => name === "winder");
    expect(winder?.tags?.find(({ address }) => address === "code")?.bind?.[0].mapping).toEqual({
      alarm: {
        rows: [
          { value: 17, text: { de: "Bahn gerissen", en: "Web torn" }, severity: 900, cause: 4_000_000 },
          { from: 900, active: false },
        ],
      },
    });

    const item = { dimension: "material", rows: [{ value: "07", id: "CAP-28", fromUs: 0, toUs: null }] };
    const made = await rest.request("PUT", "/api/v1/look-ups/recipes", item);
    expect(made.status, JSON.stringify(made.body)).toBe(200);
    await tab.goto(`/equipment?tag=${await tagNamed(rest, "recipe")}`);
    await page.getByRole("button", { name: "Meaning" }).click();
    await page.getByRole("button", { name: "What the values mean: recipe" }).click();
    await page.getByText("No rule takes it yet").waitFor();
    await page.getByRole("button", { name: "New rule" }).click();
    expect(await page.getByLabel("Property", { exact: true }).inputValue()).toBe("recipe");
    await page.getByLabel("Tells").selectOption("material");
    await page.getByLabel("Look-up", { exact: true }).selectOption("recipes");
    await page.getByLabel("From", { exact: true }).fill("");
    await page.getByRole("button", { name: "Save" }).click();
    const told = page.getByRole("table", { name: "Recorded" });
    await told.getByRole("row", { name: /07.*Material CAP-28/ }).waitFor();
    await told.getByRole("button", { name: "Say what it means: 08" }).click();
    await page.getByLabel("Stands for, row 1").fill("CAP-30");
    await page.getByRole("button", { name: "Save" }).click();
    await told.getByRole("row", { name: /08.*Material CAP-30/ }).waitFor();
  });
});
