import { setTimeout as sleep } from "node:timers/promises";
import { dayUs, minuteUs, type Result, secondUs, type WriteReceipt } from "@lineshaft/contract/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Rest } from "../support/rest.ts";
import { ServerProcess, tempDir } from "../support/server-process.ts";

/** A day three days ago, from its first minute on: recorded before anybody says anything of it. */
const midnight = Math.floor((Date.now() * 1000 - 3 * dayUs) / dayUs) * dayUs;
const day = new Date(midnight / 1000).toISOString().slice(0, 10);
const at = (minute: number): number => midnight + minute * minuteUs;

/** The press: a pulse for each good part and for each reject, nothing else. µs. */
interface Pulse {
  t: number;
  good: boolean;
}
const shift = { from: at(360), to: at(600) };
const pause = { from: at(480), to: at(510) };
/** Which material, so which ideal cycle, holds when. */
interface Run {
  from: number;
  to: number;
  priUs: number;
}
const stopAfterCycles = 3;

/** Every 12 s a part, each 20th a reject; it stands in the break, and twice for a while. A minute runs slowly. */
function pulsesOfTheDay(): Pulse[] {
  const pulses: Pulse[] = [];
  for (let t = at(350), n = 0; t < at(620); n++) {
    pulses.push({ t, good: n % 20 !== 7 });
    const minute = (t - midnight) / minuteUs;
    if (minute >= 400 && minute < 401) t = at(422) + 3 * secondUs;
    else if (minute >= 482 && minute < 509) t = at(511);
    else if (minute >= 560 && minute < 561) t += 47 * secondUs;
    else t += minute >= 550 && minute < 552 ? 25 * secondUs : 12 * secondUs;
  }
  return pulses;
}

/**
 * OEE of the shift from pulses, by RULES 2 and 5 and nothing of ours: a pause longer than k × PRI is a stop [last pulse, next − PRI); what runs outside the planned
 * time joins it. Σ PRI·GQ / PBT'.
 */
function oeeOf(pulses: readonly Pulse[], runs: readonly Run[], window: { from: number; to: number }): number {
  const priAt = (t: number): number => runs.find(({ from, to }) => from <= t && t < to)?.priUs as number;
  const overlap = (a: number, b: number, c: number, d: number) => Math.max(0, Math.min(b, d) - Math.max(a, c));
  let runsInBreak = 0;
  let priGq = 0;
  for (const [i, { t, good }] of pulses.entries()) {
    if (good && t > window.from && t <= window.to) priGq += priAt(t - 1);
    const next = pulses[i + 1]?.t;
    if (next === undefined) continue;
    const stopTo = next - t > stopAfterCycles * priAt(t) ? Math.max(t, next - priAt(next)) : t;
    runsInBreak += overlap(stopTo, next, pause.from, pause.to);
  }
  const planned = window.to - window.from - overlap(window.from, window.to, pause.from, pause.to);
  return priGq / (planned + runsInBreak);
}

/**
 * The same by RULES 1, 2, 5, 8 and 11 where people have booked: a planned reason takes the stop that it stands for out of the planned time, what is made in set-up is no part of the headline, and
 * what turned out to be scrap was none when it was made.
 */
function oeeOfBookedShift(
  pulses: readonly Pulse[],
  of: { from: number; to: number },
  next: (minute: number) => number,
) {
  const priAt = (t: number): number => (t < next(540) ? 10e6 : 8e6);
  const overlap = (a: number, b: number, c: number, d: number) => Math.max(0, Math.min(b, d) - Math.max(a, c));
  const rest = { from: next(480), to: next(510) };
  const setUp = { from: next(530), to: next(536) };
  let [priGq, good, scrap, runsInBreak, plannedStop] = [0, 0, 0, 0, 0];
  for (const [i, { t, good: isGood }] of pulses.entries()) {
    if (t > of.from && t <= of.to) {
      if (isGood) good++;
      else scrap++;
      if (isGood && !(t > setUp.from && t <= setUp.to)) priGq += priAt(t - 1);
    }
    const following = pulses[i + 1]?.t;
    if (following === undefined) continue;
    const stopTo = following - t > stopAfterCycles * priAt(t) ? Math.max(t, following - priAt(following)) : t;
    runsInBreak += overlap(stopTo, following, rest.from, rest.to);
    if (t < next(411) && stopTo > next(411)) plannedStop += overlap(t, stopTo, of.from, of.to);
  }
  const pbtUs = of.to - of.from - (rest.to - rest.from) + runsInBreak - plannedStop;
  return { oee: (priGq - 5 * 10e6) / pbtUs, good: good - 5, scrap: scrap + 5, setUpUs: setUp.to - setUp.from, pbtUs };
}

describe("the OEE application", { timeout: 180_000 }, () => {
  const dir = tempDir();
  const pulses = pulsesOfTheDay();
  let server: ServerProcess;
  let rest: Rest;
  let secret = "";
  let ids: Map<string, number>;

  const start = async (): Promise<void> => {
    server = await ServerProcess.start({ dataDir: dir.path, flags: ["--applications", "oee"] });
    secret ||= server.adminSecret ?? "";
    rest = new Rest(server.url, secret);
  };
  const put = async (path: string, item: object, etag?: string): Promise<{ etag: string; lsn: number }> => {
    const headers: Record<string, string> = etag === undefined ? {} : { "if-match": etag };
    const answer = await rest.request<{ receipt: WriteReceipt }>("PUT", `/api/v1${path}`, item, headers);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return { etag: answer.etag, lsn: answer.body.receipt.lsn as number };
  };
  /** After a start the application looks once through all that was recorded; what is booked then has its own cause. */
  async function lookedThrough(): Promise<void> {
    const taking = { ruleVersion: "oee-1", periods: ["hour", "shift", "productionDay", "order", "operation"] };
    for (const end = performance.now() + 60_000; performance.now() < end; await sleep(50)) {
      const answer = await rest.request<{ dirty: number }>("PUT", "/api/v1/applications/oee", taking);
      if (answer.status === 200 && answer.body.dirty === 0) return;
    }
    throw new Error(`It never comes to rest: ${server.stderr.slice(-2000)}`);
  }
  const idOf = (path: string): number => ids.get(path) as number;
  const results = async (query: string): Promise<Result[]> =>
    (await rest.get<{ items: Result[] }>(`/api/v1/results?application=oee&${query}`)).items;
  const key = `always/${day}/Early`;
  const resultOf = (path: string, period: string, of: string, more = "") =>
    results(`equipmentId=${idOf(path)}&period=${period}&periodKey=${encodeURIComponent(of)}${more}`);

  /** Results come a moment after what they rest on. */
  async function until(
    what: string,
    read: () => Promise<Result[]>,
    holds: (result: Result) => boolean,
  ): Promise<Result> {
    const end = performance.now() + 60_000;
    for (;;) {
      const found = await read();
      const result = found.find((each) => !each.stale && holds(each));
      if (result !== undefined) return result;
      if (performance.now() > end)
        throw new Error(`${what}: there is ${JSON.stringify(found)?.slice(0, 2000)}\n${server.stderr.slice(-2000)}`);
      await sleep(50);
    }
  }
  const shiftBecomes = (what: string, oee: number, revision: number): Promise<Result> =>
    until(
      what,
      () => resultOf("site/press", "shift", key),
      ({ state, values, revision: is }) =>
        state === "final" && is === revision && Math.abs((values.oeeIndex ?? Number.NaN) - oee) < 1e-6,
    );

  const early = (start: string) => ({
    ...{ name: "always", timeZone: "Etc/UTC", holidays: [], exceptions: [] },
    shifts: [{ name: "Early", start, end: "10:00", breaks: [{ start: "08:00", minutes: 30 }] }],
    rotation: { anchor: "2024-01-01", days: [[{ shift: "Early" }]] },
  });
  const order = (material: string, from: number, to: number) => ({
    ...{ material, unit: "1", quantity: 1000 },
    operations: [{ id: "10", name: null, executions: [{ equipmentId: idOf("site/press"), fromUs: from, toUs: to }] }],
  });
  let calendar = { etag: "", lsn: 0 };
  let orderA = { etag: "", lsn: 0 };

  beforeAll(async () => {
    await start();
    const pulse = { pulse: { stopAfterCycles, idealCycleMs: 10_000 } };
    const tag = (address: string) => ({ address, equipment: "site/press", bind: [{ property: address }] });
    const configuration = {
      version: 1,
      models: [
        {
          name: "press",
          version: "1.0.0",
          properties: [
            { name: "good", kind: "pulse", counts: "good", mapping: pulse },
            { name: "reject", kind: "pulse", counts: "scrap", mapping: pulse },
          ],
        },
      ],
      equipment: [
        { path: "site", level: "site" },
        { path: "site/press", level: "workUnit", model: "press@1.0.0" },
      ],
      connections: [{ name: "press", kind: "http", tags: [tag("good"), tag("reject")] }],
    };
    const now = await rest.request("GET", "/api/v1/configuration");
    const applied = await rest.request("PUT", "/api/v1/configuration", configuration, { "if-match": now.etag });
    expect(applied.status, JSON.stringify(applied.body)).toBe(200);
    const { items } = await rest.get<{ items: { id: number; path: string }[] }>("/api/v1/equipment");
    ids = new Map(items.map(({ id, path }) => [path, id]));

    calendar = await put("/calendars/always", early("06:00"));
    const assignment = { equipmentId: idOf("site"), calendar: "always", fromUs: 0, toUs: null };
    await put("/calendar-assignments/site", assignment);
    for (const [material, cycleUs] of [
      ["M", 10e6],
      ["N", 8e6],
    ]) {
      const cycle = { equipmentId: idOf("site/press"), material, cycleUs, unitsPerCycle: 1, fromUs: 0, toUs: null };
      await put(`/ideal-cycle-times/${material}`, cycle);
    }
    orderA = await put("/orders/A", order("M", at(340), at(660)));
    const points = pulses.map(({ t, good }) => ({ tag: good ? "good" : "reject", time: t, value: 1 }));
    expect((await rest.ingest("press", points)).status).toBe(200);
  });
  afterAll(async () => {
    await server.kill("SIGTERM");
    dir.remove();
  });

  const onlyM = [{ from: at(0), to: at(1440), priUs: 10e6 }];
  const thenN = [
    { from: at(0), to: at(540), priUs: 10e6 },
    { from: at(540), to: at(1440), priUs: 8e6 },
  ];
  let first: Result;

  test("the shift of a two-pulse press is what its pulses say, and so is the site's", async () => {
    first = await shiftBecomes("first", oeeOf(pulses, onlyM, shift), 1);
    expect(first).toMatchObject({ application: "oee", coverage: 1, cause: { kind: expect.any(String) } });
    const site = await until(
      "the site",
      () => resultOf("site", "shift", key),
      ({ values }) => values.oeeIndex === first.values.oeeIndex,
    );
    expect(site.values.goodQuantity).toBe(first.values.goodQuantity);
    const good = pulses.filter(({ t, good }) => good && t > shift.from && t <= shift.to).length;
    expect(first.values.goodQuantity).toBe(good);
  });

  test("hours, shift and order agree", async () => {
    const hours = await results(`equipmentId=${idOf("site/press")}&period=hour&from=${shift.from}&to=${shift.to}`);
    expect(hours).toHaveLength(4);
    const sum = (name: string) => hours.reduce((total, { values }) => total + (values[name] as number), 0);
    for (const name of ["plannedBusyTimeUs", "actualProductionTimeUs", "goodQuantity", "scrapQuantity"])
      expect(sum(name), name).toBe(first.values[name]);
    const made = await until(
      "the order",
      () => resultOf("site/press", "order", "A"),
      ({ state }) => state === "final",
    );
    expect(made.values.goodQuantity).toBe(pulses.filter(({ good }) => good).length);
    expect(made.values.orderProgress).toBe((made.values.goodQuantity as number) / 1000);
  });

  test("an order that is booked late makes a revision with its cause; what was published stays readable, also over a kill", async () => {
    await put("/orders/A", order("M", at(340), at(540)), orderA.etag);
    await server.kill("SIGKILL");
    await start();
    await lookedThrough();
    const booked = await put("/orders/B", order("N", at(540), at(660)));
    const second = await until(
      "the late order",
      () => resultOf("site/press", "shift", key),
      ({ state, values }) =>
        state === "final" && Math.abs((values.oeeIndex ?? Number.NaN) - oeeOf(pulses, thenN, shift)) < 1e-6,
    );
    expect(second.revision).toBeGreaterThan(1);
    expect(second).toMatchObject({ cause: { kind: "context", text: expect.stringContaining("order B") } });
    expect(second.basisLsn).toBeGreaterThanOrEqual(booked.lsn);

    const query = `application=oee&equipmentId=${idOf("site/press")}&period=shift&periodKey=${encodeURIComponent(key)}`;
    const { items } = await rest.get<{ items: (Result & { evidence: { term: string; value: number | null }[] })[] }>(
      `/api/v1/results/revisions?${query}`,
    );
    expect(items[0]).toMatchObject({ revision: second.revision, values: second.values });
    const original = items.find(({ revision }) => revision === 1);
    expect(original?.values).toEqual(first.values);
    const term = (name: string) => items[0].evidence.find(({ term: is }) => is === name)?.value as number;
    expect(term("PRI·GQ") / term("PBT'")).toBeCloseTo(second.values.oeeIndex as number, 9);
    const [then] = await resultOf("site/press", "shift", key, `&asOf=${first.lsn}`);
    expect(then).toMatchObject({ revision: 1, values: first.values });
  });

  test("a shift that is moved afterwards makes another revision", async () => {
    await lookedThrough();
    const moved = await put("/calendars/always", early("06:30"), calendar.etag);
    const third = await until(
      "the moved shift",
      () => resultOf("site/press", "shift", key),
      ({ state, fromUs, values }) =>
        state === "final" &&
        fromUs === at(390) &&
        Math.abs((values.oeeIndex ?? Number.NaN) - oeeOf(pulses, thenN, { ...shift, from: at(390) })) < 1e-6,
    );
    expect(third).toMatchObject({ cause: { kind: "context" } });
    expect(third.cause.lsn ?? moved.lsn).toBeGreaterThanOrEqual(moved.lsn);
    await until(
      "the site follows",
      () => resultOf("site", "shift", key),
      ({ values }) => values.oeeIndex === third.values.oeeIndex,
    );
  });

  test("what a terminal books at the press, whenever it arrives, makes the OEE of a shift that its pulses and bookings say", async () => {
    // The day after: the same pulses, and everything else as people at the terminal say it.
    const next = (minute: number): number => at(minute) + dayUs;
    const made = pulses.map(({ t, good }) => ({ t: t + dayUs, good }));
    const points = made.map(({ t, good }) => ({ tag: good ? "good" : "reject", time: t, value: 1 }));
    expect((await rest.ingest("press", points)).status).toBe(200);
    for (const [id, material] of [
      ["C", "M"],
      ["D", "N"],
    ])
      await put(`/orders/${id}`, {
        ...{ material, unit: "1", quantity: 1000 },
        operations: [{ id: "10", name: null, executions: [] }],
      });
    const says = [
      { atUs: next(340), intent: { kind: "startOrder", order: "C" } },
      { atUs: next(530), intent: { kind: "setUpBegin" } },
      { atUs: next(536), intent: { kind: "setUpEnd" } },
      { atUs: next(540), intent: { kind: "startOrder", order: "D" } },
      // Preventive maintenance: planned, while the press stood.
      { atUs: next(425), intent: { kind: "reason", fromUs: next(401), toUs: next(422), reason: 7_400_000 } },
      {
        atUs: next(610),
        intent: { kind: "scrap", order: "C", quantity: 5, madeUs: { fromUs: next(450), toUs: next(460) } },
      },
      { atUs: next(660), intent: { kind: "finishOrder", order: "D" } },
    ];
    // A terminal without connection keeps what was entered; here the last word comes first.
    for (const [i, { atUs, intent }] of says.toReversed().entries()) {
      const body = { id: `terminal-${i}`, atUs, intent };
      const { status, body: answer } = await rest.request(
        "POST",
        `/api/v1/equipment/${idOf("site/press")}/bookings`,
        body,
      );
      expect(status, JSON.stringify(answer)).toBeLessThan(300);
    }
    const of = { from: at(390) + dayUs, to: shift.to + dayUs };
    const truth = oeeOfBookedShift(made, of, next);
    const nextDay = new Date(next(0) / 1000).toISOString().slice(0, 10);
    const result = await until(
      "the shift of the terminal",
      () => resultOf("site/press", "shift", `always/${nextDay}/Early`),
      ({ state, values }) => state === "final" && Math.abs((values.oeeIndex ?? Number.NaN) - truth.oee) < 1e-6,
    );
    expect(result.values).toMatchObject({
      ...{ goodQuantity: truth.good, scrapQuantity: truth.scrap, actualUnitSetupTimeUs: truth.setUpUs },
      plannedBusyTimeUs: truth.pbtUs,
    });
  });
});
