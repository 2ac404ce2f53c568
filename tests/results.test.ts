import { setTimeout as sleep } from "node:timers/promises";
import { connectLineshaft, type Platform, runApplication, type View } from "@lineshaft/client";
import { hourUs, type MasterDataItem, minuteUs, type Result, type ResultKey } from "@lineshaft/contract/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

/** A day before now, on a whole hour: recorded before anybody says anything of it. */
const hour = Math.floor((Date.now() * 1000 - 24 * hourUs) / hourUs) * hourUs;
const at = (minute: number): number => hour + minute * minuteUs;

/** The smallest application there is: how many minutes a machine produced, by its cells, and the sum of what stands below. */
function minutesProduced({ cells, below }: View) {
  const own = (cells?.cells ?? []).reduce((sum, { timeUs }) => sum + timeUs.apt / minuteUs, 0);
  const sum = below.reduce((total, { values }) => total + (values.produced ?? 0), own);
  return { values: { produced: sum }, coverage: 1, detail: null, evidence: [] };
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
    await put("/orders/early", {
      ...{ material: "M", unit: "1", quantity: 100 },
      operations: [
        {
          ...{ id: "10", name: null },
          executions: [{ equipmentId: id("site/hall/one"), fromUs: at(0), toUs: at(180) }],
        },
      ],
    } satisfies MasterDataItem<"order">);
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
    for (const [path, produced] of [
      ["site/hall/one", 50],
      ["site/hall/two", 20],
      ["site/hall", 70],
      ["site", 70],
      ["", 70],
    ] as const) {
      const found = await until(
        path,
        () => result(hourOf(path, 0)),
        (each) => each?.state === "final",
      );
      expect(found).toMatchObject({ revision: 1, values: { produced }, stale: false, ruleVersion: "1" });
      expect([found?.fromUs, found?.toUs]).toEqual([at(0), at(60)]);
    }
    expect(lines).toEqual([]);
  });
});
