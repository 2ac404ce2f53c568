import { setTimeout as sleep } from "node:timers/promises";
import { type ComputedResult, connectLineshaft, type Platform, runApplication, type View } from "@lineshaft/client";
import {
  type Cell,
  type EvidenceTerm,
  hourUs,
  type MasterDataItem,
  minuteUs,
  type OtherEvent,
  type Result,
  type ResultKey,
  type WorkItem,
} from "@lineshaft/contract/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

/** A day before now, on a whole hour: recorded before anybody says anything of it. */
const hour = Math.floor((Date.now() * 1000 - 24 * hourUs) / hourUs) * hourUs;
const at = (minute: number): number => hour + minute * minuteUs;

/** The smallest application there is: how many minutes a machine produced, in all and under orders, by its cells; above it the sum of what stands below. */
function minutesProduced({ cells, below }: View): ComputedResult {
  const minutes = (of: (cell: Cell) => boolean, name: "produced" | "ordered"): number => {
    const own = (cells?.cells ?? []).filter(of).reduce((sum, { timeUs }) => sum + timeUs.apt / minuteUs, 0);
    return below.reduce((total, { values }) => total + (values[name] ?? 0), own);
  };
  const values = {
    produced: minutes(() => true, "produced"),
    ordered: minutes(({ order }) => order !== null, "ordered"),
    scrap: (cells?.cells ?? []).reduce((sum, { quantities }) => sum + quantities.known.sq, 0),
  };
  return { values, coverage: 1, detail: null, evidence: [] };
}

/** What a stranger's application sees of the platform, over the network, on a real server. */
describe("results of an application", () => {
  const dir = tempDir();
  let server: ServerProcess;
  let rest: Rest;
  let key = "";
  let platform: Platform;
  let stop = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const ids = new Map<string, number>();
  const lines: string[] = [];
  let etag = "";
  const orderOn = (path: string): MasterDataItem<"order"> => ({
    ...{ material: "M", unit: "1", quantity: 100 },
    operations: [{ id: "10", name: null, executions: [{ equipmentId: id(path), fromUs: at(0), toUs: at(180) }] }],
  });
  const id = (path: string): number => ids.get(path) as number;

  const put = async (path: string, item: object, etag?: string): Promise<{ etag: string; lsn: number }> => {
    const headers: Record<string, string> = etag === undefined ? {} : { "if-match": etag };
    const answer = await rest.request<{ receipt: { lsn: number } }>("PUT", `/api/v1${path}`, item, headers);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return { etag: answer.etag, lsn: answer.body.receipt.lsn };
  };
  const run = (): void => {
    platform = connectLineshaft({ url: server.url, key });
    stop = new AbortController();
    const program = {
      name: "minutes",
      ruleVersion: "1",
      periods: ["hour", "shift", "productionDay", "order"] as const,
      compute: minutesProduced,
    };
    running = runApplication(
      platform,
      { ...program, periods: [...program.periods] },
      { signal: stop.signal, log: (text) => lines.push(text) },
    );
  };
  const halt = async (): Promise<void> => {
    stop.abort();
    await running;
    platform.close();
  };
  const result = async ({ equipmentId, period, key: of }: ResultKey): Promise<Result | null> => {
    const query = `application=minutes&equipmentId=${equipmentId}&period=${period}&periodKey=${encodeURIComponent(of)}`;
    const { items } = await rest.get<{ items: Result[] }>(`/api/v1/results?${query}`);
    return items[0] ?? null;
  };
  const hourOf = (path: string, minute: number): ResultKey => ({
    equipmentId: id(path),
    period: "hour",
    key: String(at(minute)),
  });
  async function until<T>(what: string, read: () => Promise<T>, holds: (found: T) => boolean): Promise<T> {
    const end = performance.now() + 20_000;
    for (;;) {
      const found = await read();
      if (holds(found)) return found;
      if (performance.now() > end)
        throw new Error(`${what}: it is ${JSON.stringify(found)}\n${lines.join("\n")}\n${server.stderr}`);
      await sleep(50);
    }
  }
  const begin = async (): Promise<void> => {
    server = await ServerProcess.start({
      dataDir: dir.path,
      env: { LINESHAFT_ADMIN_SECRET: "a-secret-for-this-test-only" },
    });
    rest = new Rest(server.url, "a-secret-for-this-test-only");
  };

  beforeAll(async () => {
    await begin();
    const presses = ["one", "two"];
    const configuration = {
      version: 1,
      models: [{ name: "press", version: "1.0.0", properties: [{ name: "state", kind: "itemState" }] }],
      equipment: [
        { path: "site", level: "site" },
        { path: "site/hall", level: "area" },
        ...presses.map((name) => ({ path: `site/hall/${name}`, level: "workUnit", model: "press@1.0.0" })),
      ],
      connections: presses.map((name) => ({
        name,
        kind: "http",
        tags: [
          {
            address: "state",
            equipment: `site/hall/${name}`,
            bind: [{ property: "state", mapping: { preset: "running" } }],
          },
        ],
      })),
    };
    const now = await rest.request("GET", "/api/v1/configuration");
    const applied = await rest.request("PUT", "/api/v1/configuration", configuration, { "if-match": now.etag });
    expect(applied.status, JSON.stringify(applied.body)).toBe(200);
    const { items } = await rest.get<{ items: { id: number; path: string }[] }>("/api/v1/equipment");
    for (const each of items) ids.set(each.path, each.id);
    // One runs from the 10th minute on, two from the 40th.
    for (const [name, from] of [
      ["one", 10],
      ["two", 40],
    ] as const)
      await rest.ingest(name, [
        { tag: "state", time: at(0), value: 0 },
        { tag: "state", time: at(from), value: 1 },
        { tag: "state", time: at(150), value: 0 },
      ]);
    etag = (await put("/orders/early", orderOn("site/hall/one"))).etag;
    const created = await rest.request<{ secret: string }>("POST", "/api/v1/keys", {
      name: "minutes",
      role: "application",
    });
    key = created.body.secret;
    run();
  });
  afterAll(async () => {
    await halt();
    await server.kill("SIGTERM");
    dir.remove();
  });

  test("hours of machines and of all above them are published, and are final", async () => {
    for (const [path, produced, ordered] of [
      ["site/hall/one", 50, 50],
      ["site/hall/two", 20, 0],
      ["site/hall", 70, 50],
      ["site", 70, 50],
      ["", 70, 50],
    ] as const) {
      const found = await until(
        path,
        () => result(hourOf(path, 0)),
        (each) => each?.state === "final",
      );
      expect(found).toMatchObject({ revision: 1, values: { produced, ordered }, stale: false, ruleVersion: "1" });
      expect([found?.fromUs, found?.toUs]).toEqual([at(0), at(60)]);
    }
    expect(lines).toEqual([]);
  });

  const settled = (path: string, ordered: number) =>
    until(
      `${path} has ${ordered} minutes under an order`,
      () => result(hourOf(path, 0)),
      (each) => each?.values.ordered === ordered && !each.stale,
    );

  test("an order that was booked on the wrong machine corrects the numbers of both, and each correction names it", async () => {
    // Everything is final before.
    await until(
      "the order is final",
      () => result({ equipmentId: id("site/hall/one"), period: "order", key: "early" }),
      (each) => each?.state === "final",
    );
    const untouched = await until(
      "the hour before",
      () => result(hourOf("site/hall/one", 240)),
      (each) => each?.state === "final",
    );
    const events: OtherEvent[] = [];
    const listening = new AbortController();
    const following = (async () => {
      for await (const event of platform.subscribe(
        { types: ["result.published"], equipment: "site/hall/one" },
        { signal: listening.signal },
      ))
        events.push(event as OtherEvent);
    })();
    await platform.session();

    const booked = await put("/orders/early", orderOn("site/hall/two"), etag);
    etag = booked.etag;
    await settled("site/hall/one", 0);
    await settled("site/hall/two", 20);
    const above = await settled("site/hall", 20);
    expect(above?.values.produced).toBe(70);
    expect(above?.revision).toBeGreaterThan(1);
    expect(above?.cause).toMatchObject({ kind: "below", lsn: booked.lsn });
    const query = `application=minutes&equipmentId=${id("site/hall/two")}&period=hour&periodKey=${at(0)}`;
    const { items } = await rest.get<{ items: (Result & { evidence: EvidenceTerm[] })[] }>(
      `/api/v1/results/revisions?${query}`,
    );
    expect(items.map(({ revision, values, cause }) => [revision, values.ordered, cause.kind])).toEqual([
      [2, 20, "context"],
      [1, 0, "first"],
    ]);
    expect(items[0].cause).toMatchObject({ text: "order early was changed.", lsn: booked.lsn });
    expect(items[0].cause.actor).toBeTruthy();
    // As it was published before the booking.
    const asOf = await rest.get<{ items: Result[] }>(`/api/v1/results?${query}&asOf=${booked.lsn}`);
    expect(asOf.items.map(({ revision, values }) => [revision, values.ordered])).toEqual([[1, 0]]);
    expect((await result(hourOf("site/hall/one", 240)))?.lsn).toBe(untouched?.lsn);

    const early = (event: OtherEvent) => (event.data.items as Result[]).filter(({ key: of }) => of === String(at(0)));
    await until(
      "the event",
      async () => events.flatMap(early),
      (found) => found.length > 0,
    );
    expect(events.flatMap(early)).toMatchObject([
      { equipmentId: id("site/hall/one"), revision: 2, values: { ordered: 0 } },
    ]);
    expect(
      events.flatMap(({ data }) => data.items as { path: string }[]).every(({ path }) => path === "site/hall/one"),
    ).toBe(true);
    listening.abort();
    await following;
    expect(lines).toEqual([]);
  });

  test("what was answered is there after kill −9, and what was dirty is computed then", async () => {
    await halt();
    // Nobody computes while it is booked back; one key is published by hand.
    etag = (await put("/orders/early", orderOn("site/hall/one"), etag)).etag;
    const params = { application: "minutes" };
    const own = connectLineshaft({ url: server.url, key });
    const wanted = hourOf("site/hall/two", 0);
    const taken: WorkItem[] = [];
    const item = await until(
      "the key is told",
      async () => {
        taken.push(...(await own.call("takeWork", { params, body: { waitMs: 1000 } })).items);
        return taken.findLast(
          (each) => each.equipmentId === wanted.equipmentId && each.period === "hour" && each.key === wanted.key,
        );
      },
      (found) => found !== undefined,
    );
    const { basisLsn } = item as WorkItem;
    const content = { values: { produced: 20, ordered: 0, scrap: 0 }, coverage: 1, detail: null, evidence: [] };
    const answer = await own.call("publishResults", { params, body: { items: [{ ...wanted, basisLsn, ...content }] } });
    await server.kill("SIGKILL");
    own.close();
    expect(answer).toMatchObject({ published: 1, faults: [] });

    await begin();
    expect(await result(wanted)).toMatchObject({
      revision: 3,
      lsn: answer.lsn,
      values: { ordered: 0 },
      cause: { kind: "context" },
    });
    run();
    await settled("site/hall/one", 50);
    const above = await settled("site/hall", 50);
    expect(above?.values.produced).toBe(70);
    // The same again is no news, and neither is it after a restart.
    expect((await result(wanted))?.revision).toBe(3);
    expect(lines).toEqual([]);
  });

  test("a line has the time of its constraint and is summed up in place of its machines", async () => {
    const topology: MasterDataItem<"lineTopology"> = {
      ...{
        equipmentId: id("site/hall"),
        constraint: id("site/hall/two"),
        constraintOf: [],
        output: id("site/hall/one"),
      },
      members: [
        { equipmentId: id("site/hall/two"), stage: 1, unitsPerCount: 1 },
        { equipmentId: id("site/hall/one"), stage: 2, unitsPerCount: 1 },
      ],
      ...{ fromUs: at(-60), toUs: null },
    };
    await put("/line-topologies/hall", topology);
    const line = await until(
      "the line",
      () => result(hourOf("site/hall", 0)),
      (each) => each?.values.produced === 20,
    );
    expect(line?.state).toBe("final");
    const site = await until(
      "the site",
      () => result(hourOf("site", 0)),
      (each) => each?.values.produced === 20,
    );
    expect(site?.cause.kind).toBe("below");
    // Its machines stay what they are.
    expect((await result(hourOf("site/hall/one", 0)))?.values.produced).toBe(50);
  });

  describe("late scrap", () => {
    const scrapIs = (expected: number[]) =>
      until(
        `scrap by hour is ${expected}`,
        () => Promise.all([0, 60, 120].map((minute) => result(hourOf("site/hall/one", minute)))),
        (found) => JSON.stringify(found.map((each) => each?.values.scrap)) === JSON.stringify(expected),
      );
    const scrap: MasterDataItem<"lateScrap"> = {
      ...{ equipmentId: 0, order: "early", operation: "10", quantity: 2, bookedUs: at(170), madeUs: null },
    };
    const record = (items: object[]) => rest.request<{ lsn: number }>("POST", "/api/v1/facts/records", { items });
    const made = (serial: string, minute: number, revision = 0) => ({
      ...{ kind: "unitProduced", id: serial, equipmentId: id("site/hall/one"), serial, verdict: "good", revision },
      toUs: at(minute),
    });

    test("by serial number counts where the order last produced until the units are recorded, then where they were made", async () => {
      await put("/late-scrap/by-serial", { ...scrap, equipmentId: id("site/hall/one"), serials: ["S1", "S2"] });
      // One run from the 10th to the 150th minute: a quarter and three quarters into it.
      await scrapIs([1, 1, 0]);
      const untouched = await result(hourOf("site/hall/two", 0));
      const { body } = await record([made("S1", 20), made("S2", 130)]);
      const [first] = await scrapIs([1, 0, 1]);
      expect(first?.cause.kind).not.toBe("facts");
      expect((await result(hourOf("site/hall/one", 60)))?.cause).toMatchObject({ kind: "facts", lsn: body.lsn });
      expect((await result(hourOf("site/hall/two", 0)))?.lsn).toBe(untouched?.lsn);
      // A correction moves it again, a retraction puts it back.
      await record([made("S2", 70, 1)]);
      await scrapIs([1, 1, 0]);
      await record([{ kind: "retraction", id: "S2", revision: 2 }]);
      await scrapIs([1, 1, 0]);
      await record([made("S2", 30, 3)]);
      await scrapIs([2, 0, 0]);
    });

    test("without a known time follows the last producing interval when late points move that", async () => {
      await put("/late-scrap/unknown", { ...scrap, equipmentId: id("site/hall/one"), quantity: 1 });
      await scrapIs([2, 1, 0]);
      await rest.ingest("one", [
        { tag: "state", time: at(70), value: 0 },
        { tag: "state", time: at(130), value: 1 },
      ]);
      await scrapIs([2, 0, 1]);
    });
  });
});
