import { ConnectionError } from "@lineshaft/contract/ports";
import { ChaosProxy, realClock } from "@lineshaft/testkit";
import { afterEach, describe, expect, test } from "vitest";
import { Bench } from "./test/bench.ts";
import { RawMachine } from "./test/raw-machine.ts";
import { RawProcess } from "./test/raw-process.ts";
import { RawServer } from "./test/raw-server.ts";

/** Faults against a server that shares no code with the library that the connector is built on. */
const [first, second] = ["ns=1;i=1", "ns=1;i=2"];
const stepUs = 20_000;
const keepAliveMs = 600;
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});

const job = (more: { withHistory?: number } = {}) => ({
  port: 0,
  startUs: realClock.nowUs(),
  stepUs,
  tags: 2,
  withHistory: 0,
  ...more,
});
async function reading(url: string, more: Record<string, unknown> = {}): Promise<Bench> {
  const bench = await Bench.makePlain(url, { queueSize: 10_000, keepAliveMs, ...more });
  cleanUp.push(() => bench.stop());
  await bench.connect();
  bench.read([first, second]);
  await bench.until("values", () => bench.distinct(first).length > 10);
  return bench;
}
async function machineHere(more: { stepUs?: number } = {}): Promise<{ machine: RawMachine; server: RawServer }> {
  const nowUs = (): number => realClock.nowUs();
  const machine = new RawMachine({ ...job(), ...more, nowUs });
  const server = await RawServer.start({ plant: machine, nowUs });
  cleanUp.push(() => server.stop());
  return { machine, server };
}
async function process(more: { withHistory?: number } = {}): Promise<RawProcess> {
  const started = await RawProcess.start(job(more));
  cleanUp.push(() => started.kill());
  return started;
}
/** Connects as soon as the server lets us, as the runtime would. */
async function again(bench: Bench): Promise<void> {
  for (const end = performance.now() + 20_000; ; ) {
    try {
      await bench.connect();
      bench.read([first, second]);
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}
const newest = (bench: Bench): number => bench.distinct(first).at(-1) ?? -1;
/** Every count from the first to the last, and none twice; after a back-fill the last known one may be repeated, which ingest knows by its time. */
function expectWhole(bench: Bench, tag: string, repeats = false): void {
  const seen = bench.distinct(tag);
  expect(seen).toEqual(seen.map((_, i) => seen[0] + i));
  const good = bench.sink.rows.filter((row) => row.tag === tag);
  const instants = new Set(good.map((row) => row.time)).size;
  if (repeats)
    expect(new Set(good.map((row) => `${row.time} ${row.value}`)).size, "an instant has one value").toBe(instants);
  else expect(good.length, "an instant comes once").toBe(instants);
}

describe("A server that stops answering", { timeout: 120_000 }, () => {
  test("F2: frozen, it is found out by the keep-alive, and what it queued meanwhile is all there", async () => {
    const server = await process();
    const bench = await reading(server.url, { requestTimeoutMs: 1_000 });
    server.freeze();
    const frozen = performance.now();
    const error = await bench.ended;
    const detectedMs = performance.now() - frozen;
    expect(error).toMatchObject({ fault: "lost", technical: expect.stringContaining("no answer for 900 ms") });
    console.log(`found after ${detectedMs.toFixed(0)} ms of ${1.5 * keepAliveMs} allowed`);
    expect(detectedMs).toBeLessThan(5 * 1.5 * keepAliveMs);
    expect(bench.sink.staled).toMatchObject([{ names: "all", status: 0x80310000 }]);
    // Nobody is there: an attempt ends by its time limit, and is no success.
    expect(await bench.connect().catch((e: unknown) => e)).toBeInstanceOf(ConnectionError);
    const before = newest(bench);
    server.thaw();
    await again(bench);
    await bench.until("later values", () => newest(bench) > before + 100, 20_000);
    for (const tag of [first, second]) expectWhole(bench, tag);
    expect(bench.sink.gaps).toEqual([]);
  });

  test("F28: acknowledgements that got lost are given again, and nothing comes twice", async () => {
    const { server } = await machineHere();
    const proxy = await ChaosProxy.start({ host: "127.0.0.1", port: server.port });
    cleanUp.push(() => proxy.stop());
    const bench = await reading(`opc.tcp://127.0.0.1:${proxy.address.port}`);
    proxy.mode = "noRequests";
    expect(await bench.ended).toMatchObject({ fault: "lost" });
    const [subscription] = server.subscriptions.values();
    const kept = subscription.kept.size;
    expect(kept, "messages that were received and could not be acknowledged").toBeGreaterThan(0);
    const before = newest(bench);
    proxy.drop();
    proxy.mode = "pass";
    await again(bench);
    await bench.until("later values", () => newest(bench) > before + 50);
    for (const tag of [first, second]) expectWhole(bench, tag);
    await bench.until("they are acknowledged", () => subscription.kept.size <= 5);
    expect(bench.connector.diagnose()).toMatchObject({ subscriptionsMade: 1, gaps: 0 });
  });

  test("F1: a subscription that the server moved away from our session goes on by republish", async () => {
    const { server } = await machineHere();
    const bench = await reading(server.url);
    for (let round = 0; round < 5; round++) {
      const before = newest(bench);
      server.drop();
      expect(await bench.ended).toMatchObject({ fault: "lost" });
      await again(bench);
      await bench.until("later values", () => newest(bench) > before + 20);
    }
    for (const tag of [first, second]) expectWhole(bench, tag);
    expect(bench.sink.gaps).toEqual([]);
    expect(bench.connector.diagnose()).toMatchObject({ subscriptionsMade: 1 });
  });

  test("F35: a burst and then silence is no loss: a request may wait for as many keep-alives as there are requests", async () => {
    const { machine, server } = await machineHere();
    const bench = await reading(server.url, { keepAliveMs: 1_500, requestTimeoutMs: 1_000 });
    const [subscription] = server.subscriptions.values();
    // Verdicts that come one by one: each brings a request that carries nothing but its acknowledgement.
    const verdicts: (() => void)[] = [];
    const offer = bench.sink.offer.bind(bench.sink);
    bench.sink.offer = async (batch) => {
      await new Promise<void>((resolve) => verdicts.push(resolve));
      return offer(batch);
    };
    await bench.until("offers wait", () => verdicts.length > 4);
    // From now on nothing changes: each keep-alive answers one of the requests that wait.
    machine.frozen = true;
    bench.sink.offer = offer;
    for (const give of verdicts.splice(0)) {
      give();
      await new Promise(setImmediate);
    }
    await bench.until("all requests wait", () => server.waiting === 5);
    const from = subscription.keepAlives;
    await bench.until("keep-alives", () => subscription.keepAlives > from + 4, 20_000);
    expect(server.connections, "no second attempt").toBe(2);
    machine.frozen = false;
    const before = newest(bench);
    await bench.until("later values", () => newest(bench) > before + 10);
    expect(bench.sink.staled).toEqual([]);
  });
});

describe("A server that is killed under load", { timeout: 120_000 }, () => {
  test("F3: three times in a row; history fills what is missing, and the rest is a gap record", async () => {
    const server = await process({ withHistory: 1 });
    const bench = await reading(server.url);
    for (let round = 0; round < 3; round++) {
      const before = newest(bench);
      await server.kill();
      expect(await bench.ended).toMatchObject({ fault: "lost" });
      await server.restart();
      await again(bench);
      // Of the tag without history, so that back-fill is over.
      await bench.until("live values", () => (bench.distinct(second).at(-1) ?? 0) > before + 50, 20_000);
    }
    await bench.until("the gap records", () => bench.sink.gaps.length > 2);
    expectWhole(bench, first, true);
    expect(bench.sink.gaps.length).toBe(3);
    const missing = bench.distinct(second);
    const holes = missing.flatMap((count, i) => (i > 0 && count !== missing[i - 1] + 1 ? [missing[i - 1] + 1] : []));
    expect(holes.length, "the tag without history has holes").toBe(3);
    for (const { reason } of bench.sink.gaps) expect(reason).toContain(second);
    expect(bench.connector.diagnose()).toMatchObject({ subscriptionsMade: 4, gaps: 3 });
  });
});

describe("A queue that is too short", () => {
  test("F4: each loss is flagged in the row after it and lies within a gap record", async () => {
    const { machine, server } = await machineHere({ stepUs: 5_000 });
    const bench = await reading(server.url, { queueSize: 5, publishingMs: 200 });
    await bench.until("overflows", () => machine.overflowed > 200);
    await bench.until("the gap record", () => bench.sink.gaps.length > 0);
    const rows = bench.sink.rows.filter((row) => row.tag === first);
    const to = bench.sink.gaps[0].toUs ?? 0;
    for (const [i, row] of rows.entries()) {
      if (i === 0) continue;
      const jumped = Number(row.value) !== Number(rows[i - 1].value) + 1;
      expect((row.status & 0x480) === 0x480, `row ${i} with ${row.value}`).toBe(jumped);
      if (!jumped || row.time > to) continue;
      expect(bench.sink.gaps[0].fromUs).toBeLessThanOrEqual(rows[i - 1].time);
    }
    expect(bench.sink.gaps[0].reason).toContain(first);
  });
});
