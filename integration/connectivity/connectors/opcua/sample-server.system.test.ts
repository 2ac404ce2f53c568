import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowseItem, type CheckStep, ConnectionError } from "@lineshaft/contract/ports";
import { realClock } from "@lineshaft/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { opcua } from "./index.ts";
import { Bench } from "./test/bench.ts";
import { fanSpeed, SampleServer, sampleUser } from "./test/sample-server.ts";

/** Against a server program that others have written: the sample server of node-opcua, killed and frozen under load. */
const security = { securityPolicy: "Basic256Sha256", securityMode: "signAndEncrypt" };
const identity = { kind: "user", userName: sampleUser.name, password: "pw" };
const never = new AbortController().signal;

describe("The sample server of node-opcua", { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "opcua-sample-"));
  const benches: Bench[] = [];
  let server: SampleServer;
  beforeAll(async () => {
    server = await SampleServer.start(folder);
  }, 180_000);
  afterEach(async () => {
    for (const bench of benches.splice(0)) {
      await bench.stop();
      expect(bench.sink.breaches).toEqual([]);
    }
  });
  afterAll(async () => {
    await server?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const config = () => ({
    endpointUrl: server.url,
    ...security,
    identity,
    // A busy machine is silent for long while it sends the large arrays.
    keepAliveMs: 20_000,
    requestTimeoutMs: 30_000,
    queueSize: 10_000,
  });
  async function open(more: Record<string, unknown> = {}): Promise<Bench> {
    const bench = await Bench.make(server.url, folder, { ...config(), ...more });
    bench.secrets.set("pw", sampleUser.password);
    benches.push(bench);
    return bench;
  }
  async function check(bench: Bench): Promise<CheckStep[]> {
    const steps: CheckStep[] = [];
    for await (const step of opcua.check(config() as never, bench.context, never)) steps.push(step);
    return steps;
  }
  async function children(bench: Bench, address: string): Promise<BrowseItem[]> {
    const items: BrowseItem[] = [];
    for await (const item of bench.connector.browse?.(address, never) ?? []) items.push(item);
    return items;
  }
  /** The addresses of all that can be read below the node at the end of these names, found level by level. */
  async function variablesAt(bench: Bench, path: readonly string[]): Promise<string[]> {
    let address = "";
    for (const name of path) {
      const item = (await children(bench, address)).find((child) => child.name === name);
      if (item === undefined) throw new Error(`There is no ${name} below "${address}".`);
      address = item.address;
    }
    const found: string[] = [];
    const ahead = [address];
    for (let at = ahead.pop(); at !== undefined; at = ahead.pop())
      for (const item of await children(bench, at)) {
        if (item.readable) found.push(item.address);
        if (item.expandable) ahead.push(item.address);
      }
    return [...new Set(found)];
  }
  /** Connects and reads as soon as the server lets us, as the runtime would. */
  async function again(bench: Bench, tags: readonly string[]): Promise<void> {
    for (const end = performance.now() + 60_000; ; ) {
      try {
        await bench.connect();
        bench.read(tags);
        return;
      } catch (error) {
        if (performance.now() > end) throw error;
      }
    }
  }
  const changes = (bench: Bench): number => new Set(bench.values(fanSpeed)).size;
  /** The fan's values go on to come; a connection that ends instead says why. */
  const flowing = async (bench: Bench): Promise<void> => {
    const from = changes(bench);
    const ended = bench.ended.then((error) => Promise.reject(error));
    await Promise.race([bench.until("the fan goes on", () => changes(bench) > from + 50, 60_000), ended]);
  };

  test("a check leads to trust by thumbprint, and then through all steps", async () => {
    const bench = await open();
    rmSync(join(bench.stateDir, "pki", "trusted"), { recursive: true });
    const before = await check(bench);
    expect(before.filter((step) => step.ok).map((step) => step.step)).toEqual(["dial", "endpoints", "policy"]);
    expect(before.at(-1)).toMatchObject({ step: "certificate", ok: false });
    expect(before.at(-1)?.detail).toContain("BadCertificateUntrusted");
    await expect(bench.connect()).rejects.toMatchObject({ fault: "untrusted" });

    const { fingerprint256 } = new X509Certificate(readFileSync(join(folder, "server.pem")));
    const thumbprint = fingerprint256.replaceAll(":", "");
    expect(before.at(-1)?.detail).toContain(thumbprint);
    expect(await opcua.certificates?.(bench.stateDir).trust(thumbprint)).toMatchObject({ thumbprint });
    const after = await check(bench);
    expect(after.map(({ step, ok }) => [step, ok])).toEqual(
      ["dial", "endpoints", "policy", "certificate", "session", "read", "validity", "validity"].map((s) => [s, true]),
    );
    expect(after[2].detail).toContain("Basic256Sha256");
  });

  test("a wrong password is said to be one", async () => {
    const bench = await open();
    bench.secrets.set("pw", "password2");
    await expect(bench.connect()).rejects.toMatchObject({ fault: "unauthorised" });
  });

  test("its address space is browsed, and values of all types in it arrive encrypted", async () => {
    const bench = await open();
    await bench.connect();
    expect(bench.connector.diagnose()).toMatchObject({ securityMode: "signAndEncrypt" });
    const devices = (await children(bench, "")).find((item) => item.name === "MyDevices");
    const below = await children(bench, devices?.address ?? "");
    expect(below.find((item) => item.address === fanSpeed)).toMatchObject({ dataType: "Double", readable: true });
    expect(below.find((item) => item.name === "TemperatureAnalogItem")).toMatchObject({ unit: "Cel" });
    const constants = new Map<string, unknown>([
      ["ns=1;s=Matrix", "[[1,2,3],[4,5,6],[7,8,9]]"],
      ["ns=1;s=Position", "[1,2,3,4]"],
      ["ns=1;s=SomeDate", 1_476_348_000_000_000],
    ]);
    const tags = [fanSpeed, ...constants.keys(), ...(await variablesAt(bench, ["Simulation"]))];
    expect(tags.length, "one of each data type, as scalar, array and matrix, and in mass").toBeGreaterThan(200);
    bench.read(tags);
    await flowing(bench);
    const seen = (): Set<unknown> => new Set(bench.sink.rows.map((row) => row.tag));
    await bench.until("a value of each", () => seen().size === tags.length, 60_000);
    for (const [tag, value] of constants) expect(bench.values(tag)[0], tag).toEqual(value);
    const simulated = tags.find((tag) => tag.endsWith("Scalar_Simulation_Double")) ?? "";
    await bench.until("a simulated value changes", () => new Set(bench.values(simulated)).size > 1, 60_000);
    const bad = bench.sink.rows.filter((row) => row.status >= 0x80000000);
    // Bad_EncodingLimitsExceeded: arrays whose text is longer than we take.
    expect(bad.filter((row) => row.status !== 0x80080000 || !row.tag?.includes("_Large_Array_"))).toEqual([]);
    expect(bench.sink.rejected).toEqual([]);
  });

  test("F1, F3: killed three times in a row under load, it is lost each time, and comes back with a gap record", async () => {
    const bench = await open();
    await bench.connect();
    const tags = [fanSpeed, ...(await variablesAt(bench, ["Simulation", "Dynamic"]))];
    bench.read(tags);
    await flowing(bench);
    for (let round = 1; round <= 3; round++) {
      await server.kill();
      expect(await bench.ended).toMatchObject({ fault: "lost" });
      const killedUs = realClock.nowUs();
      const last = Math.max(...bench.sink.rows.filter((row) => row.tag === fanSpeed).map((row) => row.time));
      expect(bench.sink.staled.length).toBe(round);
      expect(bench.sink.staled.at(-1)).toMatchObject({ names: "all", status: 0x80310000 });
      await server.restart();
      await again(bench, tags);
      await flowing(bench);
      await bench.until("the gap record", () => bench.sink.gaps.length === round, 60_000);
      const { fromUs, toUs, reason } = bench.sink.gaps[round - 1];
      expect(reason).toContain(fanSpeed);
      expect(fromUs).toBeLessThanOrEqual(last);
      expect(toUs).toBeGreaterThan(killedUs);
    }
    expect(bench.connector.diagnose()).toMatchObject({ subscriptionsMade: 4, gaps: 3 });
  });

  test("F2: frozen, it is found out by the keep-alive; thawed, it goes on with the same subscription", async () => {
    const keepAliveMs = 2_000;
    const bench = await open({ keepAliveMs, requestTimeoutMs: 5_000 });
    await bench.connect();
    bench.read([fanSpeed]);
    await flowing(bench);
    server.freeze();
    const frozen = performance.now();
    try {
      expect(await bench.ended).toMatchObject({
        fault: "lost",
        technical: expect.stringContaining("no answer for 3000 ms"),
      });
      // By its own clock it is 1.5 keep-alives; the rest is leave for a busy machine.
      expect(performance.now() - frozen).toBeLessThan(10 * 1.5 * keepAliveMs);
      expect(await bench.connect().catch((error: unknown) => error)).toBeInstanceOf(ConnectionError);
    } finally {
      server.thaw();
    }
    await again(bench, [fanSpeed]);
    await flowing(bench);
    expect(bench.sink.gaps).toEqual([]);
    expect(bench.connector.diagnose()).toMatchObject({ subscriptionsMade: 1, gaps: 0 });
  });
});
