// Master data in a real Chromium: each kind by its schema, dated, revised, and put in order by hand, as engineers and masters do it.
import { mkdirSync } from "node:fs";
import type { MasterDataItem, Recorded } from "@lineshaft/contract/api";
import { hasPeer } from "@lineshaft/testkit";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ConsoleTab, launchBrowser, type TabOptions } from "./support/browser.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";
import { look, pictures } from "./support/views.ts";

/** Answers that a form is to show, and not faults of the page. */
const told = /^(409|412|422): /;

describe.skipIf(!hasPeer("chromium"))("master data in the console", { timeout: 60_000 }, () => {
  const dir = tempDir();
  let server: ServerProcess;
  let browser: Browser;
  let rest: Rest;
  let tab: ConsoleTab;
  const ids: Record<string, number> = {};

  const open = async (options: Partial<TabOptions> = {}): Promise<Page> => {
    tab = await ConsoleTab.open(browser, { url: server.url, secret: server.adminSecret ?? "", ...options });
    return tab.page;
  };
  const send = async <T>(method: string, path: string, body: object): Promise<T> => {
    const response = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${server.adminSecret}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(response.ok, `${method} ${path}`).toBe(true);
    return (await response.json()) as T;
  };
  const put = (path: string, item: object) => send("PUT", path, item);
  const itemsOf = async <T>(path: string): Promise<Recorded<T>[]> =>
    (await rest.get<{ items: Recorded<T>[] }>(`/api/v1${path}`)).items;

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    [server, browser] = await Promise.all([
      ServerProcess.start({ dataDir: dir.path, env: { LINESHAFT_CONSOLE: "" } }),
      launchBrowser(),
    ]);
    rest = new Rest(server.url, server.adminSecret ?? "");
    const create = async (level: string, name: string, parentId?: number): Promise<number> => {
      const parent = parentId === undefined ? {} : { parentId };
      const { item } = await send<{ item: { id: number } }>("POST", "/equipment", { level, name, ...parent });
      ids[name] = item.id;
      return item.id;
    };
    const line = await create("workCenter", "Line 1", await create("site", "Westgate"));
    for (const name of ["Press 1", "Press 2", "Oven"]) await create("workUnit", name, line);
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

  it("materials, ideal cycle times and reasons of one's own", async () => {
    const page = await open();
    await tab.goto("/materials");
    await page.getByRole("button", { name: "New material" }).first().click();
    await page.getByLabel("Material", { exact: true }).fill("CAP-28");
    await page.getByLabel("Name", { exact: true }).fill("Cap 28 mm");
    await page.getByRole("button", { name: "Add a row" }).click();
    await page.getByLabel("Factor, row 1").fill("0,0025");
    await page.getByLabel("Unit, row 1").fill("kg");
    await page.getByRole("button", { name: "Save" }).click();
    const cap = page.getByRole("row", { name: /CAP-28 Cap 28 mm pieces 1 = 0.0025 kg/ });
    await cap.dblclick();
    await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByRole("button", { name: "Really remove" }).click();
    await cap.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo" }).click();
    await cap.waitFor();

    await tab.goto("/materials?view=cycles");
    await page.getByRole("button", { name: "New ideal cycle time" }).first().click();
    await page.getByLabel("Material", { exact: true }).fill("CAP-28");
    await page.getByLabel("Cycle in s").fill("0");
    await page.getByText("An ideal cycle takes time: more than 0 s.").waitFor();
    await page.getByLabel("Cycle in s").fill("1.5");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("row", { name: /CAP-28 1.5 s 1 2,400/ }).waitFor();

    await tab.goto("/materials?view=reasons&at=3100000");
    await page.getByRole("button", { name: "New below Micro stop" }).click();
    await page.getByLabel("Name, German").fill("Folie gerissen");
    await page.getByLabel("Name, English").fill("Film torn");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("treeitem", { name: /Film torn/ }).waitFor();
    expect((await rest.get<Recorded<MasterDataItem<"reason">>>("/api/v1/reasons/3100001")).item).toMatchObject({
      parent: 3_100_000,
      planned: null,
    });
    // A tree that bites its tail is refused.
    await put("/reasons/3100002", {
      number: 3_100_002,
      parent: 3_100_001,
      name: { en: "Left edge", de: "Kante links" },
      itemState: null,
      operationMode: null,
      planned: null,
      loss: null,
    });
    await page.getByRole("treeitem", { name: /Left edge/ }).waitFor();
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByLabel("Below", { exact: true }).selectOption("3100002");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("The tree of reasons would bite its own tail.").waitFor();
  });

  it("what a machine tells is said once: a look-up with its dates, and the rule that takes it", async () => {
    const page = await open();
    await tab.goto("/materials?view=lookUps");
    await page.getByRole("button", { name: "New look-up" }).first().click();
    await page.getByLabel("Look-up", { exact: true }).fill("recipes");
    await page.getByLabel("Value, row 1").fill("07");
    await page.getByLabel("Stands for, row 1").fill("CAP-28");
    await page.getByLabel("Until, row 1").fill("2026-11-01T06:00:00");
    await page.getByRole("button", { name: "Add a row" }).click();
    await page.getByLabel("Value, row 2").fill("07");
    await page.getByLabel("Stands for, row 2").fill("CAP-30");
    await page.getByLabel("From, row 2").fill("2026-11-01T06:00:00");
    const wrong = await look(tab, "look-up-form", 1440);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("row", { name: /recipes Material 2 07 → CAP-28; 07 → CAP-30/ }).waitFor();

    await tab.goto("/materials?view=rules");
    await page.getByRole("button", { name: "New rule" }).first().click();
    await page.getByLabel("Tells").selectOption("material");
    await page.getByLabel("Property").fill("recipe");
    await page.getByLabel("Look-up", { exact: true }).selectOption("recipes");
    await page.getByLabel("Stands for nothing").fill("0");
    wrong.push(...(await look(tab, "identifier-rule-form", 1440)));
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("row", { name: /Material recipe recipes/ }).waitFor();
    const { items } = await rest.get<{ items: Recorded<MasterDataItem<"identifierRule">>[] }>(
      "/api/v1/identifier-rules",
    );
    expect(items).toMatchObject([
      { item: { dimension: "material", property: "recipe", lookUp: "recipes", none: "0" } },
    ]);
    const changed = Date.parse("2026-11-01T06:00:00+01:00") * 1000;
    const { item } = await rest.get<Recorded<MasterDataItem<"lookUp">>>("/api/v1/look-ups/recipes");
    expect(item.rows.map(({ fromUs, toUs }) => [fromUs, toUs])).toEqual([
      [0, changed],
      [changed, null],
    ]);
    expect(wrong).toEqual([]);
  });

  it("a line is put in order by keyboard and by hand: stages, parallel machines, what limits it", async () => {
    const page = await open();
    await tab.goto("/materials?view=lines");
    await page.getByRole("button", { name: "New topology" }).first().click();
    await page.getByRole("button", { name: "All 3 machines of the line" }).click();
    const handle = (machine: string) => page.getByRole("button", { name: `Move ${machine}: arrow keys` });
    // By name the oven comes first; it is the end of the line.
    await handle("Oven").focus();
    await page.keyboard.press("ArrowDown");
    await page.getByText("Oven is now stage 2.").waitFor({ state: "attached" });
    await page.keyboard.press("ArrowDown");
    await page.getByText("Oven is now stage 3.").waitFor({ state: "attached" });
    await page.getByLabel("Press 2 is parallel to the one above").check();
    await page.getByLabel("Press 1 limits the line").check();
    await page.getByLabel("The output of Oven is the line's").check();
    await page.getByLabel("Units per count of Oven").fill("0");
    await page.getByText("More than 0.").waitFor();
    await page.getByLabel("Units per count of Oven").fill("0,5");
    const wrong = await look(tab, "topology-form", 1440);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("row", { name: /Line 1.*Press 1 → Press 2 → Oven always/ }).waitFor();
    const [{ item }] = await itemsOf<MasterDataItem<"lineTopology">>("/line-topologies");
    expect(item).toEqual({
      equipmentId: ids["Line 1"],
      constraint: ids["Press 1"],
      constraintOf: [],
      output: ids.Oven,
      members: [
        { equipmentId: ids["Press 1"], stage: 1, unitsPerCount: 1 },
        { equipmentId: ids["Press 2"], stage: 1, unitsPerCount: 1 },
        { equipmentId: ids.Oven, stage: 2, unitsPerCount: 0.5 },
      ],
      ...{ fromUs: 0, toUs: null },
    });
    expect(wrong).toEqual([]);
  });

  it("a policy changes from a date on: what held before stays, and both are one change or none", async () => {
    const page = await open();
    await tab.goto("/materials?view=policies");
    await page.getByRole("button", { name: "New policy" }).first().click();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Is missing.").waitFor();
    await page.getByLabel("Version").fill("2026-1");
    await page.getByLabel("Micro stops shorter than, s").fill("120");
    await page.getByLabel("Micro stops count in").selectOption("effectiveness");
    await page.getByLabel("From", { exact: true }).fill("2026-01-01T00:00:00");
    await page.getByRole("button", { name: "Save" }).click();
    const first = page.getByRole("row", { name: /2026-1 120 s Effectiveness/ });
    await first.dblclick();
    await page.getByLabel("Version").fill("2026-2");
    await page.getByLabel("Micro stops shorter than, s").fill("60");
    await page.getByRole("button", { name: "from a date on" }).click();
    await page.getByLabel("from a date on", { exact: true }).fill("2025-06-01T00:00:00");
    await page.getByText("It must lie in the time in which this holds.").waitFor();
    await page.getByLabel("from a date on", { exact: true }).fill("2026-06-01T00:00:00");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("row", { name: /2026-2 60 s Effectiveness/ }).waitFor();
    const june = Date.parse("2026-06-01T00:00:00+02:00") * 1000;
    const items = await itemsOf<MasterDataItem<"policyAssignment">>("/oee-policies");
    expect(items.map(({ item }) => [item.policy.version, item.policy.microStopUs, item.toUs]).sort()).toEqual([
      ["2026-1", 120e6, june],
      ["2026-2", 60e6, null],
    ]);
  });

  it.each([
    ["on a desk, in English", 1440, "en-GB"],
    ["on a tablet, in German", 834, "de-DE"],
  ] as const)("%s: nothing inaccessible, nothing cut off", async (_, width, locale) => {
    const page = await open({ width, locale, touch: width < 1000 });
    const wrong: string[] = [];
    for (const view of ["lookUps", "rules", "lines", "policies"]) {
      await tab.goto(`/materials?view=${view}`);
      await page.locator(".grid-row").first().waitFor();
      wrong.push(...(await look(tab, `master-data-${view}`, width)));
    }
    await tab.goto("/materials?view=reasons&at=3100001");
    await page.locator(".tree").waitFor();
    wrong.push(...(await look(tab, "reasons", width)));
    expect(wrong).toEqual([]);
  });
});
