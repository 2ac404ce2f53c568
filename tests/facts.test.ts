import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { FactsChangedData, MachineFactsBody, Mapping } from "@lineshaft/contract/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";
import { Stream } from "./support/stream.ts";

const minuteUs = 60_000_000;
/** Three days before now, on a whole hour: recorded before anybody says what it means. */
const monday = Math.floor((Date.now() * 1000 - 72 * 60 * minuteUs) / (60 * minuteUs)) * 60 * minuteUs;
const at = (minute: number): number => monday + minute * minuteUs;

interface Told {
  states: unknown[][];
  counts: unknown[][];
}

/** From minute 20 on the machine makes order 00417 under alarm E7, which the mapping knows. */
const named = {
  identifiers: [
    [-10, null],
    [20, "00417"],
  ],
  alarms: [
    [-10, null, null, null],
    [20, "E7", 900, "Guard open"],
    [25, "E8", 500, null],
  ],
};
const faults = { alarm: { rows: [{ value: "E7", severity: 900, text: { en: "Guard open" } }] } };

/** Raw points first, their meaning afterwards; then late points, other meanings and a kill. Facts follow each time. */
describe("facts of a machine", { timeout: 120_000 }, () => {
  const dir = tempDir();
  let server: ServerProcess;
  let rest: Rest;
  let secret = "";
  let machine = 0;

  const send = async (points: [string, number, number | string | boolean][]): Promise<void> => {
    const body = points.map(([tag, minute, value]) => ({ tag, time: at(minute), value }));
    const { status } = await rest.ingest("press", body);
    expect(status).toBe(200);
  };
  const facts = (): Promise<MachineFactsBody> =>
    rest.get(`/api/v1/facts/machines/${machine}?from=${at(-10)}&to=${at(600)}`);
  const told = ({ states, increments }: MachineFactsBody): Told => ({
    states: states.time.map((t, i) => [(t - monday) / minuteUs, states.itemState[i]]),
    counts: increments.time.map((t, i) => [
      (t - monday) / minuteUs,
      increments.kind[i],
      increments.n[i],
      increments.flags[i],
    ]),
  });

  /** Facts come a moment after what they rest on. */
  async function factsBecome(expected: Told): Promise<void> {
    const end = performance.now() + 30_000;
    for (;;) {
      const found = await facts();
      if (!found.repairing && JSON.stringify(told(found)) === JSON.stringify(expected)) return;
      if (performance.now() > end) return expect(told(found)).toEqual(expected);
      await sleep(50);
    }
  }

  async function expectNamed(): Promise<void> {
    const { identifiers, alarms } = await facts();
    const minute = (t: number): number => (t - monday) / minuteUs;
    expect(identifiers.time.map((t, i) => [minute(t), identifiers.value[i]])).toEqual(named.identifiers);
    const rows = alarms.time.map((t, i) => [minute(t), alarms.code[i], alarms.severity[i], alarms.text[i]?.en ?? null]);
    expect(rows).toEqual(named.alarms);
  }

  const apply = (meaning: Mapping): Promise<void> =>
    applyModel(
      "1.0.0",
      [
        { name: "state", kind: "itemState" },
        { name: "order", kind: "identifier" },
        { name: "fault", kind: "alarm", mapping: faults },
      ],
      {
        word: { property: "state", mapping: meaning },
        order: { property: "order" },
        fault: { property: "fault" },
      },
    );

  /** A model of these properties and a counter, and what tags beside that mean. */
  async function applyModel(version: string, properties: object[], bound: Record<string, object>): Promise<void> {
    const { response, revision } = await current();
    const mapping = { counter: { width: "uint16", maxPerSecond: 1 } };
    const tags = Object.entries({ ...bound, strokes: { property: "good" } });
    const configuration = {
      ...response,
      models: [
        {
          name: "press",
          version,
          properties: [...properties, { name: "good", kind: "counter", counts: "good", mapping }],
        },
      ],
      equipment: [
        { path: "site", level: "site" },
        { path: "site/press-7", level: "workUnit", model: `press@${version}` },
      ],
      connections: [
        {
          name: "press",
          kind: "http",
          tags: tags.map(([address, bind]) => ({ address, equipment: "site/press-7", bind: [bind] })),
        },
      ],
    };
    const put = await rest.request("PUT", "/api/v1/configuration", configuration, { "if-match": revision });
    expect(put, JSON.stringify(put.body)).toMatchObject({ status: 200 });
  }
  async function current(): Promise<{ response: object; revision: string }> {
    const response = await fetch(`${server.url}/api/v1/configuration`, {
      headers: { authorization: `Bearer ${secret}` },
    });
    return { response: (await response.json()) as object, revision: response.headers.get("etag") ?? "" };
  }

  beforeAll(async () => {
    server = await ServerProcess.start({ dataDir: dir.path });
    secret = server.adminSecret ?? "";
    rest = new Rest(server.url, secret);
  });
  afterAll(async () => {
    await server.kill("SIGTERM");
    dir.remove();
  });

  const counts = [
    [0, "good", 0, 1],
    [1, "good", 10, 0],
    [2, "good", 16, 4],
    [200, "good", 500, 0],
  ];

  test("are derived from what was recorded before its meaning was known", async () => {
    await send([
      ["word", 0, 6],
      ["strokes", 0, 65_520],
      ["strokes", 1, 65_530],
      ["strokes", 2, 10],
      ["word", 30, 11],
      ["word", 90, 6],
      ["strokes", 200, 510],
      ["order", 20, "00417"],
      ["fault", 20, "E7"],
      ["fault", 25, "E8"],
    ]);
    await apply({ preset: "packml" });
    const { items } = await rest.get<{ items: { id: number; path: string }[] }>("/api/v1/equipment");
    machine = items.find(({ path }) => path.endsWith("press-7"))?.id ?? 0;
    await factsBecome({
      states: [
        [-10, null],
        [0, "Executing"],
        [30, "NotExecuting"],
        [90, "Executing"],
      ],
      counts,
    });
    await expectNamed();
  });

  const late = {
    states: [
      [-10, null],
      [0, "Executing"],
      [30, "NotExecuting"],
      [45, "OutOfService"],
      [90, "Executing"],
    ],
    counts,
  };

  test("follow a point that comes late", async () => {
    await send([["word", 45, 9]]);
    await factsBecome(late);
  });

  test("survive kill −9 between the log and what is saved of them", async () => {
    await send([["word", 300, 4]]);
    await server.kill("SIGKILL");
    server = await ServerProcess.start({ dataDir: dir.path });
    rest = new Rest(server.url, secret);
    await factsBecome({ ...late, states: [...late.states, [300, "NotExecuting"]] });
    await expectNamed();
    expect((await rest.system()).events.filter(({ code }) => code === "facts_rebuilt")).toEqual([]);
  });

  test("are derived again where what was saved is damaged, and that is said", async () => {
    await server.kill("SIGTERM");
    writeFileSync(`${dir.path}/facts.sqlite`, "no database ".repeat(1000));
    server = await ServerProcess.start({ dataDir: dir.path });
    rest = new Rest(server.url, secret);
    await factsBecome({ ...late, states: [...late.states, [300, "NotExecuting"]] });
    await expectNamed();
    const said = (await rest.system()).events.filter(({ code }) => code === "facts_rebuilt");
    expect(said.length).toBe(1);
  });

  test("are others when the meaning is another", async () => {
    await apply({
      states: [
        { value: 6, itemState: "NotAvailable" },
        { value: 11, itemState: "Executing" },
      ],
    });
    await factsBecome({
      states: [
        [-10, null],
        [0, "NotAvailable"],
        [30, "Executing"],
        [45, null],
        [90, "NotAvailable"],
        [300, null],
      ],
      counts,
    });
  });

  test("are told by conditions over several tags, recorded before anybody asked, and the same after kill −9", async () => {
    await send([
      ["speed", 400, 150],
      ["guard", 400, true],
      ["guard", 410, false],
      ["speed", 420, 0],
      ["guard", 430, true],
      ["speed", 440, 200],
    ]);
    const conditions = [
      { when: "speed > 100.0 && !guard", itemState: "Executing" },
      { when: "guard", itemState: "OutOfService" },
      { when: "true", itemState: "NotExecuting" },
    ];
    const value = { kind: "processValue" };
    await applyModel(
      "2.0.0",
      [
        { name: "state", kind: "itemState", conditions },
        { name: "speed", ...value },
        { name: "guard", ...value, type: "boolean" },
      ],
      { speed: { property: "speed" }, guard: { property: "guard" } },
    );
    const states = [
      [-10, null],
      [400, "OutOfService"],
      [410, "Executing"],
      [420, "NotExecuting"],
      [430, "OutOfService"],
    ];
    await factsBecome({ states, counts });
    await send([["guard", 435, false]]);
    const repaired = [...states, [435, "NotExecuting"], [440, "Executing"]];
    await factsBecome({ states: repaired, counts });
    await server.kill("SIGKILL");
    server = await ServerProcess.start({ dataDir: dir.path });
    rest = new Rest(server.url, secret);
    await factsBecome({ states: repaired, counts });
    expect((await rest.system()).events.filter(({ code }) => code === "facts_rebuilt")).toEqual([]);
  });

  test("are hidden like their machine", async () => {
    const { status } = await rest.request("GET", `/api/v1/facts/machines/${machine + 999}?from=0&to=1`);
    expect(status).toBe(404);
  });
});

/** What somebody knows of a machine who only follows the stream: takes away what a range had, puts in what the event has. */
function statesTold(stream: Stream): unknown[][] {
  let known: [number, unknown][] = [];
  for (const { type, data } of stream.messages) {
    if (type !== "facts.changed") continue;
    const { ranges, states } = data as unknown as FactsChangedData;
    for (const { what, fromUs, toUs } of ranges.filter((range) => range.what === "states")) {
      expect(what).toBe("states");
      const within = (time: number): boolean => time >= fromUs && time <= toUs;
      const rows = states.time.map((time, i): [number, unknown] => [time, states.itemState[i]]);
      known = [...known.filter(([time]) => !within(time)), ...rows.filter(([time]) => within(time))];
    }
  }
  const ordered = known.sort(([a], [b]) => a - b).map(([time, state]) => [(time - monday) / 1_000_000, state]);
  return ordered.filter(([, state], i) => i === 0 || state !== ordered[i - 1][1]);
}

/** A press that tells nothing but its pulses: what is a stop is told by the ideal cycle of the order in work. */
describe("stops of a press with two pulses", { timeout: 120_000 }, () => {
  const dir = tempDir();
  let server: ServerProcess;
  let rest: Rest;
  let secret = "";
  let press = 0;
  let stream: Stream;
  const second = (at: number): number => monday + at * 1_000_000;
  const published: { asOf: number; expected: unknown[][] }[] = [];

  const put = async (path: string, item: object): Promise<string> => {
    const answer = await rest.request<object>("PUT", `/api/v1${path}`, item);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.etag;
  };
  async function statesBecome(expected: unknown[][]): Promise<void> {
    const end = performance.now() + 30_000;
    for (;;) {
      const { states, repairing } = await rest.get<MachineFactsBody>(
        `/api/v1/facts/machines/${press}?from=${second(0)}&to=${second(900)}`,
      );
      const found = states.time.map((t, i) => [(t - monday) / 1_000_000, states.itemState[i]]);
      if (!repairing && JSON.stringify(found) === JSON.stringify(expected)) break;
      if (performance.now() > end) return expect(found).toEqual(expected);
      await sleep(50);
    }
    // Before its first fact nothing is told of a machine.
    await stream.until(
      () =>
        JSON.stringify(statesTold(stream).filter(([at]) => (at as number) > 0)) === JSON.stringify(expected.slice(1)),
      `${JSON.stringify(expected)} in the stream`,
    );
    published.push({ asOf: stream.messages.findLast(({ type }) => type === "facts.changed")?.lsn ?? 0, expected });
    // Whatever was published once can be read as it was then.
    for (const { asOf, expected: then } of published) {
      const { states } = await rest.get<MachineFactsBody>(
        `/api/v1/facts/machines/${press}?from=${second(0)}&to=${second(900)}&asOf=${asOf}`,
      );
      const found = states.time.map((t, i) => [(t - monday) / 1_000_000, states.itemState[i]]);
      expect(found.filter(([at]) => (at as number) > 0)).toEqual(then.slice(1));
    }
  }

  beforeAll(async () => {
    server = await ServerProcess.start({ dataDir: dir.path });
    secret = server.adminSecret ?? "";
    rest = new Rest(server.url, secret);
    const pulse = { kind: "pulse", mapping: { pulse: { stopAfterCycles: 3, idealCycleMs: 20_000 } } };
    const bound = (address: string, property: string): object => ({
      ...{ address, equipment: "site/press", bind: [{ property }] },
    });
    const configuration = {
      version: 1,
      models: [
        {
          ...{ name: "press", version: "1.0.0" },
          properties: [
            { ...pulse, name: "good", counts: "good" },
            { ...pulse, name: "reject", counts: "scrap" },
          ],
        },
      ],
      equipment: [
        { path: "site", level: "site" },
        { path: "site/press", level: "workUnit", model: "press@1.0.0" },
      ],
      connections: [{ name: "press", kind: "http", tags: [bound("good", "good"), bound("reject", "reject")] }],
    };
    const now = await rest.request("GET", "/api/v1/configuration");
    const applied = await rest.request("PUT", "/api/v1/configuration", configuration, { "if-match": now.etag });
    expect(applied.status, JSON.stringify(applied.body)).toBe(200);
    const { items } = await rest.get<{ items: { id: number; path: string }[] }>("/api/v1/equipment?under=site");
    press = items.find(({ path }) => path === "site/press")?.id ?? 0;
    stream = new Stream(server.url, secret, { types: ["facts.changed"], equipment: "site/press" });
    await stream.until(() => stream.messages.length > 0, "the subscription");
    const pulses = [10, 30, 50, 70, 200, 220, 240, 400, 420, 440, 700];
    const points = pulses.map((at) => ({ tag: at === 50 ? "reject" : "good", time: second(at), value: 1 }));
    expect((await rest.ingest("press", points)).status).toBe(200);
  });
  afterAll(async () => {
    stream.socket.close();
    await server.kill("SIGTERM");
    dir.remove();
  });

  test("are by the mapping's ideal cycle while no order tells another", async () => {
    await statesBecome([
      [0, null],
      [10, "Executing"],
      [70, "NotExecuting"],
      [180, "Executing"],
      [240, "NotExecuting"],
      [380, "Executing"],
      [440, "NotExecuting"],
      [680, "Executing"],
      [700, "NotExecuting"],
    ]);
  });

  test("are others when an order is booked afterwards, whose material takes longer, and only where it ran", async () => {
    const valid = { fromUs: second(-1000), toUs: null };
    await put("/ideal-cycle-times/slow", {
      equipmentId: press,
      material: "slow",
      cycleUs: 100_000_000,
      unitsPerCycle: 1,
      ...valid,
    });
    const executions = [{ equipmentId: press, fromUs: second(60), toUs: second(300) }];
    const operations = [{ id: "10", name: null, executions }];
    await put("/orders/A", { material: "slow", unit: "1", quantity: 10, operations });
    await statesBecome([
      [0, null],
      // The pulses at 70 and 240 are of the order: after them 300 s may pass.
      [10, "Executing"],
      [440, "NotExecuting"],
      [680, "Executing"],
      [700, "NotExecuting"],
    ]);
  });

  test("are the first again when the order is taken back, also after kill −9", async () => {
    const { etag } = await rest.request("GET", "/api/v1/orders/A");
    const removed = await rest.request("DELETE", "/api/v1/orders/A", undefined, { "if-match": etag });
    expect(removed.status, JSON.stringify(removed.body)).toBe(200);
    const first = [70, 180, 240, 380, 440, 680, 700].map((at, i) => [at, i % 2 === 0 ? "NotExecuting" : "Executing"]);
    await statesBecome([[0, null], [10, "Executing"], ...first]);
    await server.kill("SIGKILL");
    server = await ServerProcess.start({ dataDir: dir.path });
    rest = new Rest(server.url, secret);
    // Whoever goes on at its cursor hears what came meanwhile, and nothing twice.
    const { messages, cursor } = stream;
    const ranges = () => stream.messages.filter(({ type }) => type === "facts.changed").length;
    const before = ranges();
    stream = new Stream(server.url, secret, { types: ["facts.changed"], equipment: "site/press", cursor });
    stream.messages.push(...messages);
    expect((await rest.ingest("press", [{ tag: "good", time: second(890), value: 1 }])).status).toBe(200);
    await statesBecome([[0, null], [10, "Executing"], ...first, [870, "Executing"], [890, "NotExecuting"]]);
    expect(ranges() - before).toBeLessThanOrEqual(3);
  });
});
