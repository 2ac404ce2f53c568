import { setTimeout as sleep } from "node:timers/promises";
import { type Cells, minuteUs, type WriteReceipt } from "@lineshaft/contract/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { by, kpisOf, paretoOf, sumsBy, sumsOf } from "../../applications/oee/index.ts";
import { Rest } from "../support/rest.ts";
import { ServerProcess, tempDir } from "../support/server-process.ts";

/** Three days before now, on a whole hour: recorded before anybody says anything of it. */
const hour = Math.floor((Date.now() * 1000 - 72 * 60 * minuteUs) / (60 * minuteUs)) * 60 * minuteUs;
const at = (minute: number): number => hour + minute * minuteUs;

/** From raw points and bookings over HTTP to OEE: what a stranger's program would do. */
describe("cells of a work unit", () => {
  const dir = tempDir();
  let server: ServerProcess;
  let rest: Rest;
  let press = 0;

  const put = async (path: string, item: object, etag?: string): Promise<{ etag: string; lsn: number }> => {
    const headers: Record<string, string> = etag === undefined ? {} : { "if-match": etag };
    const answer = await rest.request<{ receipt: WriteReceipt }>("PUT", `/api/v1${path}`, item, headers);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return { etag: answer.etag, lsn: answer.body.receipt.lsn as number };
  };
  const cells = (query = ""): Promise<Cells> =>
    rest.get(`/api/v1/equipment/${press}/cells?from=${at(0)}&to=${at(120)}${query}`);
  const sumsOfAll = ({ cells: all, policies }: Cells) =>
    sumsOf(all, new Map(policies.map((each) => [each.version, each])));

  beforeAll(async () => {
    server = await ServerProcess.start({ dataDir: dir.path });
    rest = new Rest(server.url, server.adminSecret as string);
    const configuration = {
      version: 1,
      models: [
        {
          name: "press",
          version: "1.0.0",
          properties: [
            { name: "state", kind: "itemState" },
            { name: "good", kind: "counter", counts: "good" },
          ],
        },
      ],
      equipment: [
        { path: "site", level: "site" },
        { path: "site/press", level: "workUnit", model: "press@1.0.0" },
      ],
      connections: [
        {
          name: "press",
          kind: "http",
          tags: [
            {
              address: "state",
              equipment: "site/press",
              bind: [{ property: "state", mapping: { preset: "running" } }],
            },
            { address: "good", equipment: "site/press", bind: [{ property: "good" }] },
          ],
        },
      ],
    };
    const now = await rest.request("GET", "/api/v1/configuration");
    const applied = await rest.request("PUT", "/api/v1/configuration", configuration, { "if-match": now.etag });
    expect(applied.status, JSON.stringify(applied.body)).toBe(200);
    const { items } = await rest.get<{ items: { id: number; path: string }[] }>("/api/v1/equipment?under=site");
    press = items.find(({ path }) => path === "site/press")?.id as number;

    // Two hours, half an hour of them standing; a piece every two minutes of running.
    const points: { tag: string; time: number; value: number }[] = [
      { tag: "state", time: at(-10), value: 1 },
      { tag: "state", time: at(30), value: 0 },
      { tag: "state", time: at(60), value: 1 },
      { tag: "state", time: at(130), value: 0 },
    ];
    let good = 100;
    for (let minute = -10; minute <= 120; minute += 2) {
      if (minute > 0 && (minute <= 30 || minute > 60)) good++;
      points.push({ tag: "good", time: at(minute), value: good });
    }
    expect((await rest.ingest("press", points)).status).toBe(200);
  });
  afterAll(async () => {
    await server.kill("SIGTERM");
    dir.remove();
  });

  /** Cells come a moment after what they rest on. */
  async function until(what: string, holds: (found: Cells) => boolean, query = ""): Promise<Cells> {
    const end = performance.now() + 30_000;
    for (;;) {
      const found = await cells(query);
      if (!found.repairing && holds(found)) return found;
      if (performance.now() > end) throw new Error(`${what}: it is ${JSON.stringify(sumsOfAll(found))}`);
      await sleep(50);
    }
  }

  test("OEE from raw points, a calendar, an order and an ideal cycle; then as it was known before", async () => {
    const calendar = {
      name: "always",
      timeZone: "Etc/UTC",
      shifts: [{ name: "Day", start: "00:00", end: "00:00", breaks: [] }],
      rotation: { anchor: "2024-01-01", days: [[{ shift: "Day" }]] },
      holidays: [],
      exceptions: [],
    };
    await put("/calendars/always", calendar);
    const { items } = await rest.get<{ items: { id: number; path: string }[] }>("/api/v1/equipment");
    const site = items.find(({ path }) => path === "site")?.id;
    await put("/calendar-assignments/site", { equipmentId: site, calendar: "always", fromUs: 0, toUs: null });
    await put("/ideal-cycle-times/p", {
      equipmentId: press,
      material: "M",
      cycleUs: 60e6,
      unitsPerCycle: 1,
      fromUs: 0,
      toUs: null,
    });
    const order = (toUs: number | null) => ({
      material: "M",
      unit: "1",
      quantity: 100,
      operations: [{ id: "10", name: null, executions: [{ equipmentId: press, fromUs: at(0), toUs }] }],
    });
    const booked = await put("/orders/A", order(null));
    const found = await until("two hours known", (got) => sumsOfAll(got).pbtKnownUs === 120 * minuteUs);
    const sums = sumsOfAll(found);
    expect(kpisOf(sums)).toMatchObject({
      availability: 0.75,
      effectiveness: 0.5,
      qualityRatio: 1,
      oeeIndex: 0.375,
      hints: [],
    });
    expect(sumsBy(found.cells, by.order).get("A")?.timeUs.apt).toBe(90 * minuteUs);

    // The order ended after an hour, somebody says later: both parts change, and what was known before stays readable.
    await put("/orders/A", order(at(60)), booked.etag);
    const after = await cells();
    expect(sumsBy(after.cells, by.order).get("A")?.timeUs).toMatchObject({ apt: 30 * minuteUs, adet: 30 * minuteUs });
    expect(sumsBy(after.cells, by.order).get(null)?.timeUs.apt).toBe(60 * minuteUs);
    expect(kpisOf(sumsOfAll(after)).missingIdealCycles).toEqual([{ material: null, unit: "1", quantity: 30 }]);
    const before = await cells(`&asOf=${booked.lsn}`);
    expect(before.cells).toEqual(found.cells);
  });

  test("a reason that somebody gave stands in the Pareto, one without a stop is told", async () => {
    const note = { equipmentId: press, kind: "reason", fromUs: at(35), toUs: at(40), reason: 7_100_000, text: "Belt" };
    await put("/annotations/belt", { ...note, anchorUs: at(36) });
    await put("/annotations/lost", { ...note, fromUs: at(90), toUs: at(95), anchorUs: at(91) });
    const found = await cells();
    expect(paretoOf(sumsOfAll(found), { reasons: found.reasons })).toMatchObject([
      { reason: 7_100_000, us: 30 * minuteUs, count: 1 },
    ]);
    expect(found.orphanedAnnotations).toEqual(["lost"]);
  });

  test("a range that is none or too long has its code; an equipment out of sight is not there", async () => {
    const code = async (path: string) =>
      (await rest.request<{ code: string }>("GET", `/api/v1/equipment/${path}`)).body.code;
    expect(await code(`${press}/cells?from=${at(5)}&to=${at(5)}`)).toBe("range_invalid");
    expect(await code(`${press}/cells?from=${at(0)}&to=${at(60 * 24 * 32)}`)).toBe("query_too_large");
    expect(await code(`4711/cells?from=${at(0)}&to=${at(5)}`)).toBe("not_found");
  });
});
