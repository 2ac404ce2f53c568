import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ConnectionError } from "@lineshaft/contract/ports";
import { ChaosProxy, RecordingSink, realClock } from "@lineshaft/testkit";
import { DataType } from "node-opcua-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Bench } from "./test/bench.ts";
import { TestServer } from "./test/server.ts";

const folder = mkdtempSync(join(tmpdir(), "opcua-recovery-"));
const benches: Bench[] = [];
const open = async (url: string, more?: Record<string, unknown>): Promise<Bench> => {
  const bench = await Bench.make(url, folder, more);
  benches.push(bench);
  return bench;
};
afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("A channel that is lost while the server lives", () => {
  let server: TestServer;
  let proxy: ChaosProxy;
  beforeAll(async () => {
    server = await TestServer.start({ folder });
    proxy = await ChaosProxy.start({ host: "127.0.0.1", port: server.port });
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });
  const url = (): string => `opc.tcp://127.0.0.1:${proxy.address.port}`;
  const count = async (tag: string, from: number, to: number): Promise<void> => {
    for (let i = from; i <= to; i++) {
      server.set(tag, DataType.Int32, i);
      await sleep(25);
    }
  };
  const numbers = (to: number): number[] => Array.from({ length: to + 1 }, (_, i) => i);

  test("session and subscription go on, and nothing is missing (F1)", async () => {
    const tag = server.add("counter");
    const bench = await open(url(), { queueSize: 100 });
    await bench.connect();
    bench.read([tag]);
    await bench.until("the first value", () => bench.values(tag).includes(0));
    await count(tag, 1, 10);
    proxy.mode = "refuse";
    proxy.drop();
    expect(await bench.ended).toMatchObject({ fault: "lost" });
    await count(tag, 11, 30);
    proxy.mode = "pass";
    await bench.connect();
    bench.read([tag]);
    await count(tag, 31, 35);
    await bench.until("the last value", () => bench.values(tag).includes(35));
    expect(bench.distinct(tag)).toEqual(numbers(35));
    expect(bench.sink.gaps).toEqual([]);
    expect(bench.connector.diagnose()).toMatchObject({ subscriptionsMade: 1, gaps: 0 });
  });

  test("a new process of ours says what stands: a value that did not change is good again at a time after the restart", async () => {
    const [tag, moving] = [server.add("constant", DataType.Double, 7), server.add("counter")];
    const first = await open(url());
    await first.connect();
    first.read([tag, moving]);
    await first.until("the first value", () => first.values(tag).includes(7));
    await first.until("a cursor", () => first.sink.batches.some((batch) => batch.sourceCursor));
    await first.stop();
    const cursor = first.sink.batches.findLast((batch) => batch.sourceCursor)?.sourceCursor ?? null;
    const second = await open(url());
    await second.connect();
    second.read([tag, moving], cursor);
    const later = () => second.sink.rows.filter((row) => row.tag === tag && row.time > Number(cursor));
    await second.until("it again", () => later().length > 0);
    expect(later()).toMatchObject([{ value: 7, status: 0 }]);
  });

  test("the subscription is taken over by a new session when the server has forgotten the old one", async () => {
    const tag = server.add("counter");
    const bench = await open(url(), { queueSize: 100 });
    await bench.connect();
    bench.read([tag]);
    await bench.until("the first value", () => bench.values(tag).includes(0));
    await count(tag, 1, 5);
    proxy.mode = "refuse";
    proxy.drop();
    await bench.ended;
    server.forgetSessions();
    await count(tag, 6, 15);
    proxy.mode = "pass";
    await bench.connect();
    bench.read([tag]);
    await count(tag, 16, 18);
    await bench.until("the last value", () => bench.values(tag).includes(18));
    expect(bench.distinct(tag)).toEqual(numbers(18));
    expect(bench.connector.diagnose()).toMatchObject({ subscriptionsMade: 1, gaps: 0 });
  });

  test("a half-open connection is found within 1.5 keep-alives, and nothing is missing after it (F2)", async () => {
    const tag = server.add("counter");
    const bench = await open(url(), { queueSize: 100, keepAliveMs: 600 });
    await bench.connect();
    bench.read([tag]);
    await bench.until("the first value", () => bench.values(tag).includes(0));
    await count(tag, 1, 5);
    await bench.until("the last value", () => bench.values(tag).includes(5));
    proxy.mode = "blackHole";
    const cut = performance.now();
    const writing = count(tag, 6, 20);
    const error = await bench.ended;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ technical: expect.stringContaining("no answer for 900 ms") });
    // By its own clock it is 1.5 keep-alives; the rest is leave for a busy machine.
    expect(performance.now() - cut).toBeLessThan(5 * 1.5 * 600);
    await writing;
    proxy.drop();
    proxy.mode = "pass";
    await bench.connect();
    bench.read([tag]);
    await count(tag, 21, 22);
    await bench.until("the last value", () => bench.values(tag).includes(22));
    expect(bench.distinct(tag)).toEqual(numbers(22));
  });

  test("a value that did not change is good again after the loss, at a time after it", async () => {
    const [tag, moving] = [server.add("constant", DataType.Double, 7), server.add("counter")];
    const bench = await open(url());
    await bench.connect();
    bench.read([tag, moving]);
    await bench.until("the first value", () => bench.values(tag).includes(7));
    proxy.drop();
    await bench.ended;
    const [stale] = bench.sink.staled;
    expect(stale).toMatchObject({ names: "all", status: 0x80310000 });
    server.set(moving, DataType.Int32, 1);
    await bench.connect();
    bench.read([tag, moving]);
    // This server also sends its last values again, with their old times.
    const later = () => bench.sink.rows.filter((row) => row.tag === tag && row.time > stale.atUs);
    await bench.until("it again", () => later().length > 0);
    expect(later()).toMatchObject([{ value: 7, status: 0 }]);
    expect(bench.distinct(moving)).toEqual([0, 1]);
    expect(bench.sink.staled.length).toBe(1);
  });

  test("what the sink did not make durable is offered again after the loss", async () => {
    const tag = server.add("counter");
    const bench = await open(url(), { queueSize: 100 });
    const broken = new RecordingSink();
    broken.offer = () => Promise.reject(new Error("the disk is full"));
    await bench.connect();
    bench.read([tag], null, broken);
    expect(await bench.ended).toMatchObject({ message: "the disk is full" });
    bench.read([tag]);
    await bench.until("the value", () => bench.values(tag).includes(0));
  });
});

// Each starts processes that load whole nodesets.
describe("A server that is killed", { timeout: 120_000 }, () => {
  const children: ChildProcess[] = [];
  interface Started {
    kept: string;
    plain: string;
    recipe: string;
    port: number;
  }
  const start = (port: number, startMs: number): Promise<Started> => {
    const child = fork(new URL("./test/server-main.ts", import.meta.url), [folder, String(port), String(startMs)]);
    children.push(child);
    return new Promise((resolve, reject) => {
      child.once("message", (message) => resolve(message as Started));
      child.once("exit", () => reject(new Error("the server ended")));
    });
  };
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
  });

  test("comes back: the gap is filled from its history, or recorded where it has none (F3)", async () => {
    const startMs = Math.floor(realClock.nowUs() / 1000);
    const { kept, plain, port } = await start(0, startMs);
    const bench = await open(`opc.tcp://127.0.0.1:${port}`);
    await bench.connect();
    bench.read([kept, plain]);
    await bench.until("values", () => bench.distinct(kept).length > 20);
    children[0].kill("SIGKILL");
    expect(await bench.ended).toMatchObject({ fault: "lost" });
    const before = Math.max(...bench.distinct(kept));
    await sleep(500);
    await start(port, startMs);
    const back = performance.now();
    await bench.connect();
    bench.read([kept, plain]);
    await bench.until("a value after the kill", () => Math.max(...bench.distinct(plain)) > before);
    const firstMs = performance.now() - back;
    await bench.until("later values", () => Math.max(...bench.distinct(kept)) > before + 40);
    // Back-fill brings later values before the record of what could not be filled.
    await bench.until("the gap record", () => bench.sink.gaps.length > 0);
    const seen = bench.distinct(kept);
    const from = seen[0];
    expect(seen, "every count, also those of the time that nobody listened").toEqual(seen.map((_, i) => from + i));
    expect(bench.sink.gaps).toMatchObject([{ reason: expect.stringContaining(plain) }]);
    expect(bench.sink.gaps[0].fromUs).toBeLessThanOrEqual((startMs + (before + 1) * 50) * 1000);
    const { filledRows } = bench.connector.diagnose();
    console.log(`first value ${firstMs.toFixed(0)} ms after the server was back; ${filledRows} values filled`);
    expect(firstMs).toBeLessThan(15_000);
  });

  test("a structure that only another process knows is explained by the server", async () => {
    const { recipe, port } = await start(0, Math.floor(realClock.nowUs() / 1000));
    const bench = await open(`opc.tcp://127.0.0.1:${port}`);
    await bench.connect();
    bench.read([recipe]);
    await bench.until("a row", () => bench.values(recipe).length > 0);
    expect(bench.values(recipe)[0]).toBe('{"speed":1.5,"count":9007199254740993,"label":"A"}');
  });

  test("a new process of ours goes on from its cursor", async () => {
    const startMs = Math.floor(realClock.nowUs() / 1000);
    const { kept, plain, port } = await start(0, startMs);
    const first = await open(`opc.tcp://127.0.0.1:${port}`);
    await first.connect();
    first.read([kept, plain]);
    await first.until("values", () => first.distinct(kept).length > 10);
    await first.stop();
    const cursor = first.sink.batches.findLast((batch) => batch.sourceCursor)?.sourceCursor ?? null;
    expect(cursor).toMatch(/^\d{16}$/);
    const last = Math.max(...first.distinct(kept));
    await sleep(400);
    const second = await open(`opc.tcp://127.0.0.1:${port}`);
    await second.connect();
    second.read([kept, plain], cursor);
    await second.until("later values", () => Math.max(...second.distinct(kept)) > last + 20);
    await second.until("the gap record", () => second.sink.gaps.length > 0);
    const seen = new Set([...first.distinct(kept), ...second.distinct(kept)]);
    expect([...seen].sort((a, b) => a - b)).toEqual([...seen].map((_, i) => Math.min(...seen) + i));
    expect(second.sink.gaps).toMatchObject([{ reason: expect.stringContaining("No history for 1 of 2 tags") }]);
  });
});
