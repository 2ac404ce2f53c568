import { setTimeout as sleep } from "node:timers/promises";
import { type ComputedResult, connectLineshaft, type Platform, runApplication, type View } from "@lineshaft/client";
import {
  type Executions,
  hourUs,
  type IdentifierFinding,
  type MachineFactsBody,
  type MasterDataItem,
  type OrderProgress,
  type Result,
  secondUs,
} from "@lineshaft/contract/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

/** Yesterday, on a whole hour. */
const yesterday = Math.floor((Date.now() * 1000 - 24 * hourUs) / hourUs) * hourUs;
const at = (second: number): number => yesterday + second * secondUs;

/** Seconds that the machine produced. */
const produced = ({ cells }: View): ComputedResult => {
  const apt = (cells?.cells ?? []).reduce((sum, { timeUs }) => sum + timeUs.apt / secondUs, 0);
  return { values: { apt }, coverage: 1, detail: null, evidence: [] };
};

/** A press that tells its pulses and what it works at: nobody books, and its stops are told by the ideal cycle of the order that it names. */
describe("a machine that tells its order", { timeout: 60_000 }, () => {
  const dir = tempDir();
  let server: ServerProcess;
  let rest: Rest;
  let platform: Platform;
  let running: Promise<void> = Promise.resolve();
  const stop = new AbortController();
  let press = 0;
  const etags = new Map<string, string>();

  const put = async (path: string, item: object): Promise<void> => {
    const etag = etags.get(path);
    const answer = await rest.request<object>(
      "PUT",
      `/api/v1${path}`,
      item,
      etag === undefined ? {} : { "if-match": etag },
    );
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    etags.set(path, answer.etag);
  };
  async function becomes<T>(expected: T, read: () => Promise<T>): Promise<void> {
    const end = performance.now() + 20_000;
    for (;;) {
      const found = await read();
      if (JSON.stringify(found) === JSON.stringify(expected)) return;
      if (performance.now() > end) return expect(found, server.stderr).toEqual(expected);
      await sleep(50);
    }
  }
  const send = async (...points: [string, number, number | string][]): Promise<void> => {
    const rows = points.map(([tag, second, value]) => ({ tag, time: at(second), value }));
    expect((await rest.ingest("press", rows)).status).toBe(200);
  };
  const states = async (): Promise<unknown> => {
    const found = await rest.get<MachineFactsBody>(`/api/v1/facts/machines/${press}?from=${at(0)}&to=${at(900)}`);
    if (found.repairing) return "repairing";
    return found.states.time.map((t, i) => [(t - yesterday) / secondUs, found.states.itemState[i]]);
  };
  const executions = async (): Promise<unknown> => {
    const path = `/api/v1/equipment/${press}/executions?from=${at(0)}&to=${at(900)}`;
    const { executions: all } = await rest.get<Executions>(path);
    const seconds = (t: number | null) => (t === null ? null : (t - yesterday) / secondUs);
    return all.map(({ order, fromUs, toUs, by }) => [order, seconds(fromUs), seconds(toUs), by]);
  };
  /** Seconds of production by order, as they were published. */
  const results = async (): Promise<unknown> => {
    const path = `/api/v1/results?application=seconds&equipmentId=${press}&period=order`;
    const { items } = await rest.get<{ items: Result[] }>(path);
    const known = items.filter(({ values }) => values.apt !== 0).map(({ key, values }) => [key, values.apt]);
    return Object.fromEntries(known.sort());
  };
  const order = (material: string, booked: [number, number][] = []): MasterDataItem<"order"> => ({
    ...{ material, unit: "1", quantity: 10 },
    operations: [
      {
        ...{ id: "10", name: null },
        executions: booked.map(([from, to]) => ({ equipmentId: press, fromUs: at(from), toUs: at(to) })),
      },
    ],
  });
  const row = (value: string, id: string, from: number | null = null) => ({
    ...{ value, id, fromUs: from === null ? 0 : at(from), toUs: null },
  });

  beforeAll(async () => {
    server = await ServerProcess.start({ dataDir: dir.path });
    rest = new Rest(server.url, server.adminSecret ?? "");
    const pulse = { kind: "pulse", mapping: { pulse: { stopAfterCycles: 3, idealCycleMs: 20_000 } } };
    const bound = (address: string): object => ({
      ...{ address, equipment: "site/press", bind: [{ property: address }] },
    });
    const properties = [
      { ...pulse, name: "good", counts: "good" },
      { ...pulse, name: "reject", counts: "scrap" },
      { name: "orderNumber", kind: "identifier" },
    ];
    const configuration = {
      version: 1,
      models: [{ name: "press", version: "1.0.0", properties }],
      equipment: [
        { path: "site", level: "site" },
        { path: "site/press", level: "workUnit", model: "press@1.0.0" },
      ],
      connections: [{ name: "press", kind: "http", tags: ["good", "reject", "orderNumber"].map(bound) }],
    };
    const now = await rest.request("GET", "/api/v1/configuration");
    const applied = await rest.request("PUT", "/api/v1/configuration", configuration, { "if-match": now.etag });
    expect(applied.status, JSON.stringify(applied.body)).toBe(200);
    const { items } = await rest.get<{ items: { id: number; path: string }[] }>("/api/v1/equipment?under=site");
    press = items.find(({ path }) => path === "site/press")?.id ?? 0;
    const valid = { fromUs: 0, toUs: null };
    await put("/ideal-cycle-times/slow", {
      equipmentId: press,
      material: "slow",
      cycleUs: 100e6,
      unitsPerCycle: 1,
      ...valid,
    });
    await put("/orders/A", order("fast"));
    await put("/orders/B", order("slow"));
    platform = connectLineshaft({ url: server.url, key: server.adminSecret ?? "" });
    const program = { name: "seconds", ruleVersion: "1", periods: ["order" as const], compute: produced };
    running = runApplication(platform, program, { signal: stop.signal, log: () => {} });
  });
  afterAll(async () => {
    stop.abort();
    await running;
    platform.close();
    await server.kill("SIGTERM");
    dir.remove();
  });

  test("runs what it tells; what no look-up knows is named, and is no order", async () => {
    const pulses = [10, 30, 50, 70, 200, 220, 240, 400, 420, 440, 700].map((s): [string, number, number] => [
      "good",
      s,
      1,
    ]);
    await send(...pulses, ["orderNumber", 5, "A"], ["orderNumber", 60, "7"], ["orderNumber", 300, "A"]);
    // Of B nobody has heard yet: the cycle of the mapping, 20 s.
    const stops = [70, 180, 240, 380, 440, 680, 700].map((s, i) => [s, i % 2 === 0 ? "NotExecuting" : "Executing"]);
    await becomes([[0, null], [10, "Executing"], ...stops], states);
    await put("/look-ups/orders", { dimension: "order", rows: [row("A", "A")] });
    await put("/identifier-rules/press", {
      ...{ equipmentId: press, dimension: "order", property: "orderNumber", prefix: null, padTo: null, none: null },
      ...{ lookUp: "orders", fromUs: 0, toUs: null },
    });
    await becomes(
      [
        ["A", 5, 60, "identifier"],
        ["A", 300, null, "identifier"],
      ],
      executions,
    );
    const { items } = await rest.get<{ items: IdentifierFinding[] }>("/api/v1/identifier-findings");
    expect(items).toMatchObject([{ equipmentId: press, code: "lookUpMissing", value: "7", times: 1 }]);
    // 10 to 60 and, from 380 on, 60 and 20.
    await becomes({ A: 130 }, results);
  });

  test("a look-up row that comes late corrects yesterday: the order, its stops, and the numbers of both orders", async () => {
    await put("/look-ups/orders", { dimension: "order", rows: [row("A", "A"), row("7", "B")] });
    await becomes(
      [
        ["A", 5, 60, "identifier"],
        ["B", 60, 300, "identifier"],
        ["A", 300, null, "identifier"],
      ],
      executions,
    );
    // After the pulses at 70 and 240, which are of B, 300 s may pass.
    await becomes(
      [
        [0, null],
        [10, "Executing"],
        [440, "NotExecuting"],
        [680, "Executing"],
        [700, "NotExecuting"],
      ],
      states,
    );
    await becomes({ A: 50 + 140 + 20, B: 240 }, results);
    expect((await rest.get<{ items: unknown[] }>("/api/v1/identifier-findings")).items).toEqual([]);
  });

  test("a value that comes late, and what was booked, which wins", async () => {
    await send(["orderNumber", 235, "A"]);
    await becomes(
      [
        ["A", 5, 60, "identifier"],
        ["B", 60, 235, "identifier"],
        ["A", 235, null, "identifier"],
      ],
      executions,
    );
    // The pulse at 240 is of A, whose pieces take 20 s.
    const stops = [240, 380, 440, 680, 700].map((s, i) => [s, i % 2 === 0 ? "NotExecuting" : "Executing"]);
    await becomes([[0, null], [10, "Executing"], ...stops], states);
    await becomes({ A: 50 + 5 + 60 + 20, B: 175 }, results);
    await put("/orders/C", order("slow", [[30, 80]]));
    await becomes(
      [
        ["A", 5, 30, "identifier"],
        ["C", 30, 80, "booking"],
        ["B", 80, 235, "identifier"],
        ["A", 235, null, "identifier"],
      ],
      executions,
    );
    await becomes({ A: 20 + 5 + 60 + 20, B: 155, C: 50 }, results);
  });

  test("progress tells what the machine told like what was booked, page by page or by name", async () => {
    const told = async (query: string): Promise<unknown> => {
      const { items } = await rest.get<{ items: OrderProgress[] }>(`/api/v1/order-progress?${query}`);
      return items.map(({ order: id, state, runs, made }) => [id, state, runs.map(({ by }) => by), made?.good ?? null]);
    };
    await becomes(
      [
        // Pulses at 10 and 30, and five from 240 on; C took those at 50 and 70.
        ["A", "running", ["identifier", "identifier"], 7],
        ["B", "interrupted", ["identifier"], 2],
      ],
      () => told("order=B&order=A&order=nobody").then((all) => (all as unknown[]).sort()),
    );
    const first = await rest.get<{ items: OrderProgress[]; cursor: string }>("/api/v1/order-progress?limit=2");
    expect(first.items.map(({ order: id }) => id)).toEqual(["A", "B"]);
    expect(await told(`limit=2&cursor=${encodeURIComponent(first.cursor)}`)).toMatchObject([
      ["C", "interrupted", ["booking"], 2],
    ]);
    expect((await rest.request("GET", `/api/v1/order-progress?${"order=x&".repeat(201)}`)).status).toBe(422);
  });
});
