import { statusBadNoCommunication, type Value } from "@lineshaft/contract/api";
import type { Connector, ConnectorContext, TagBinding } from "@lineshaft/contract/ports";
import { RecordingSink, realClock } from "@lineshaft/testkit";
import { Value as Schema } from "typebox/value";
import { afterEach, describe, expect, it } from "vitest";
import { configSchema, type ModbusConfig } from "./config.ts";
import { modbus } from "./index.ts";
import { type Asked, type Behaviour, frame, MisbehavingServer, refusal, right } from "./misbehaving-server.fixture.ts";
import { status } from "./status.ts";

const never = new AbortController().signal;
const soon = <T>(what: () => T) => expect.poll(what, { interval: 2 });
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
});

async function rig(behaviour: Behaviour = right, more: Record<string, unknown> = {}) {
  const server = await MisbehavingServer.start(behaviour);
  cleanUp.push(() => server.stop());
  const logged: string[] = [];
  const context: ConnectorContext = {
    clock: realClock,
    secret: () => null,
    stateDir: "",
    share: (_, make) => make(),
    log: (_, text) => logged.push(text),
  };
  const own = { host: "127.0.0.1", port: server.port, periodMs: 10, timeoutMs: 2000, probe: "", ...more };
  const config = Schema.Parse(configSchema, Schema.Default(configSchema, own)) as ModbusConfig;
  const connector = modbus.create(config, context);
  cleanUp.push(() => connector.close());
  await connector.connect(never);
  return { server, connector, logged, config, context };
}

function read(connector: Connector, addresses: (string | TagBinding)[], sink = new RecordingSink()) {
  const stop = new AbortController();
  const bindings = addresses.map((a) => (typeof a === "string" ? { address: a } : a));
  const ended = connector.read(bindings, null, sink, stop.signal).catch((error: unknown) => error);
  cleanUp.push(() => stop.abort(new Error("over")));
  const last = (tag: string) => sink.rows.findLast((row) => row.tag === tag);
  /** The values of a tag as they came, bad ones by their status. */
  const values = (tag: string): (Value | { bad: number })[] =>
    sink.rows.filter((row) => row.tag === tag).map((row) => (row.status === 0 ? row.value : { bad: row.status }));
  return { sink, ended, stop, last, values };
}

/** Refuses reads over these addresses with exception 2. */
const refusing =
  (...addresses: number[]): Behaviour =>
  (asked) =>
    addresses.some((at) => at >= asked.start && at < asked.start + asked.count) ? refusal(asked, 2) : right(asked);
const reads = (asked: readonly Asked[]): string[] => asked.map(({ start, count }) => `${start}+${count}`);

describe("values", () => {
  it("come from all tables in few reads, one poll in one batch at one instant", async () => {
    const { server, connector } = await rig();
    const addresses = [
      "holding:258",
      "holding:259:uint32",
      "40270",
      "input:7.1",
      "coil:3",
      "discrete:4",
      "holding:16961:string(2)",
    ];
    const { sink } = read(connector, addresses);
    await soon(() => sink.rows.length).toBe(addresses.length);
    const [batch] = sink.batches;
    expect(sink.rows.map(({ value }) => value).sort()).toEqual(
      [258, 259 * 65536 + 260, 269, true, true, false, "BABB"].sort(),
    );
    expect(new Set(batch.columns.time).size).toBe(1);
    expect(batch.columns.rows).toBe(addresses.length);
    expect(reads(server.asked.slice(0, 5)).sort()).toEqual(["16961+2", "258+12", "3+1", "4+1", "7+1"].sort());
    expect(sink.breaches).toEqual([]);
  });

  it("are reported when they change, and at the heartbeat", async () => {
    let value = 5;
    const behaviour: Behaviour = ({ transaction, unit }) => frame(transaction, unit, [3, 2, 0, value]);
    const { server, connector } = await rig(behaviour, { heartbeatMs: 150, periodMs: 10 });
    const { values } = read(connector, ["holding:1"]);
    await soon(() => values("holding:1").length).toBe(2);
    expect(server.asked.length).toBeGreaterThanOrEqual(3);
    value = 6;
    await soon(() => values("holding:1").slice(0, 3)).toEqual([5, 5, 6]);
  });

  it("are reported at each poll where that is asked for, tag by tag too", async () => {
    const { connector } = await rig();
    const { values } = read(connector, ["holding:1", { address: "holding:2", options: { report: "always" } }]);
    await soon(() => values("holding:2").length).toBeGreaterThan(3);
    expect(values("holding:1")).toEqual([1]);
  });

  it("are polled by the period of their class", async () => {
    const { connector, server } = await rig();
    const slow = { address: "input:1", class: { samplingMs: 5000, queueSize: 1 } };
    const { values } = read(connector, ["holding:1", slow]);
    await soon(() => server.asked.filter((a) => a.function === 3).length).toBeGreaterThan(4);
    expect(server.asked.filter((a) => a.function === 4)).toHaveLength(1);
    expect(values("input:1")).toEqual([1]);
  });

  it("of unusable bindings are bad from the start, and do not stop the others", async () => {
    const { connector, logged } = await rig();
    const bad = ["holding:70000", "42", "coil:1:int16"];
    const options = [
      { address: "holding:9", options: { dataType: "real" } },
      { address: "holding:8", options: { count: {} } },
    ];
    const { values } = read(connector, ["holding:1", ...bad, ...options]);
    await soon(() => values("holding:8").length).toBe(1);
    await soon(() => values("holding:1")).toEqual([1]);
    for (const tag of [...bad, "holding:9", "holding:8"])
      expect(values(tag)).toEqual([{ bad: status.badConfigurationError }]);
    expect(logged.filter((text) => text.includes("cannot be read"))).toHaveLength(5);
    expect(connector.diagnose()).toMatchObject({ refusedCount: 5 });
  });

  it("count pulses between polls, across a reconnect", async () => {
    let level = 0;
    const { server, connector } = await rig(({ transaction, unit }) => frame(transaction, unit, [2, 1, level]), {
      periodMs: 10,
    });
    const tag = { address: "discrete:0", options: { count: { edge: "rising" } } };
    const first = read(connector, [tag]);
    const pulse = async (to: number): Promise<void> => {
      const polls = server.asked.length + 2;
      level = to;
      await soon(() => server.asked.length).toBeGreaterThanOrEqual(polls);
    };
    await pulse(0);
    for (let i = 0; i < 3; i++) {
      await pulse(1);
      await pulse(0);
    }
    expect(first.values("discrete:0")).toEqual([0, 1, 2, 3]);
    server.drop();
    await first.ended;
    level = 1;
    await connector.connect(never);
    const again = read(connector, [tag]);
    await soon(() => again.values("discrete:0")).toEqual([4]);
  });
});

describe("what the device refuses", () => {
  it("a write-only gap is read once and never again", async () => {
    const { server, connector } = await rig(refusing(12));
    const { values } = read(connector, ["holding:10", "holding:14"]);
    await soon(() => server.asked.length).toBeGreaterThan(8);
    expect([...values("holding:10"), ...values("holding:14")]).toEqual([10, 14]);
    const asked = reads(server.asked);
    expect(asked.slice(0, 3)).toEqual(["10+5", "10+1", "14+1"]);
    expect(asked.filter((text) => text === "10+5")).toHaveLength(1);
  });

  it("neverRead is not even read once", async () => {
    const { server, connector } = await rig(refusing(12), { neverRead: ["holding:11-12"] });
    read(connector, ["holding:10", "holding:13"]);
    await soon(() => server.asked.length).toBeGreaterThan(3);
    expect(reads(server.asked.slice(0, 2))).toEqual(["10+1", "13+1"]);
  });

  it("one unreadable tag is found within one poll, told once, and left alone for a while", async () => {
    const { server, connector, logged } = await rig(refusing(37));
    const addresses = Array.from({ length: 60 }, (_, i) => `holding:${i}`);
    const { sink, values } = read(connector, addresses);
    await soon(() => sink.rows.length).toBe(60);
    expect(sink.batches).toHaveLength(1);
    expect(values("holding:37")).toEqual([{ bad: 0x803e0000 }]);
    expect(addresses.filter((a) => a !== "holding:37").flatMap(values)).toEqual(
      addresses.flatMap((_, i) => (i === 37 ? [] : [i])),
    );
    await soon(() => server.asked.length).toBeGreaterThan(40);
    expect(reads(server.asked).filter((text) => text === "37+1")).toHaveLength(1);
    expect(logged).toEqual(["holding:37 cannot be read: exception 2 (illegal data address)"]);
    expect(connector.diagnose()).toMatchObject({ refused: { "holding:37": "exception 2 (illegal data address)" } });
  });

  it.each([
    [1, 0x803d0000],
    [4, 0x808b0000],
    [6, 0x80040000],
    [11, statusBadNoCommunication],
    [77, status.badDataUnavailable],
  ])("exception %i is bad with its status, poll after poll without an end of the connection", async (code, bad) => {
    let broken = true;
    const { connector, server } = await rig((asked) => (broken ? refusal(asked, code) : right(asked)));
    const { values } = read(connector, ["holding:1", "holding:2"]);
    await soon(() => server.asked.length).toBeGreaterThan(4);
    broken = false;
    await soon(() => values("holding:2")).toEqual([{ bad }, 2]);
  });
});

describe("trouble", () => {
  it("a silent unit behind a gateway costs the others little, and is told once", async () => {
    let dead = true;
    const { connector, server, logged } = await rig((asked) => (asked.unit === 2 && dead ? null : right(asked)), {
      timeoutsUntilLost: 2,
      timeoutMs: 60,
    });
    const { values, sink } = read(connector, ["1/holding:1", "2/holding:2", "2/holding:500", "3/holding:3"]);
    await soon(() => logged.length).toBe(1);
    expect(values("2/holding:500")).toEqual([{ bad: status.badTimeout }]);
    expect([...values("1/holding:1"), ...values("3/holding:3")]).toEqual([1, 3]);
    const before = server.asked.length;
    await soon(() => server.asked.length).toBeGreaterThan(before + 10);
    expect(server.asked.filter(({ unit }) => unit === 2)).toHaveLength(3);
    expect(connector.diagnose()).toMatchObject({ silentUnits: [2] });
    dead = false;
    expect(sink.breaches).toEqual([]);
  });

  it("a device that falls silent is lost, after its values were bad (F2)", async () => {
    const { connector, server } = await rig(right, { timeoutMs: 60 });
    const { ended, last } = read(connector, ["holding:1"]);
    await soon(() => last("holding:1")?.value).toBe(1);
    server.behaviour = () => null;
    expect(await ended).toMatchObject({ fault: "lost", technical: expect.stringContaining("without an answer") });
    expect(last("holding:1")?.status).toBe(status.badTimeout);
  });

  it.each<[string, Behaviour]>([
    ["unit", (a) => right({ ...a, unit: 77 })],
    ["function", (a) => right({ ...a, function: 4 })],
    ["length", (a) => right({ ...a, count: 9 })],
    ["transaction", (a) => right({ ...a, transaction: a.transaction ^ 0x8000 })],
  ])("answers with a wrong %s are bad, and the connection ends when it goes on (A45)", async (violation, wrong) => {
    const { connector, server } = await rig(right, { violationsUntilError: 3, timeoutsUntilLost: 9, timeoutMs: 60 });
    const { ended, last, sink } = read(connector, ["holding:1"]);
    await soon(() => last("holding:1")?.value).toBe(1);
    server.behaviour = wrong;
    expect(await ended).toMatchObject({ fault: "protocol" });
    expect(last("holding:1")?.status).toBe(
      violation === "transaction" ? status.badTimeout : status.badCommunicationError,
    );
    expect(sink.rows.filter((row) => row.status === 0).map((row) => row.value)).toEqual([1]);
    expect(connector.diagnose()).toMatchObject({ wrongAnswers: { [violation]: 3 } });
  });

  it("polls missed while disconnected are a gap", async () => {
    const { connector, server } = await rig();
    const first = read(connector, ["holding:1"]);
    await soon(() => first.last("holding:1")?.value).toBe(1);
    server.drop();
    expect(await first.ended).toMatchObject({ fault: "lost" });
    await realClock.sleep(50);
    await connector.connect(never);
    const { sink } = read(connector, ["holding:1"]);
    await soon(() => sink.rows.length).toBe(1);
    const [gap] = sink.gaps;
    expect(gap.reason).toContain("disconnected");
    expect(gap.toUs).toBe(sink.rows[0].time);
    expect(gap.toUs! - gap.fromUs).toBeGreaterThan(40_000);
  });

  it("rows that the platform did not take are a gap, and are reported again", async () => {
    const { connector } = await rig();
    const sink = new RecordingSink();
    let failing = true;
    const offer = sink.offer.bind(sink);
    sink.offer = (batch) => (failing ? Promise.reject(new Error("disk_full")) : offer(batch));
    read(connector, ["holding:1"], sink);
    await soon(() => sink.gaps.length).toBeGreaterThan(0);
    failing = false;
    await soon(() => sink.rows.map(({ value }) => value)).toEqual([1]);
    expect(sink.gaps[0]).toMatchObject({ points: expect.any(Number), reason: expect.stringContaining("disk_full") });
  });

  it("a stalled platform stops the polls, and what was not polled is a gap", async () => {
    const { connector, server } = await rig(right, { report: "always" });
    const sink = new RecordingSink(5);
    sink.hold();
    read(connector, ["holding:1", "holding:2"], sink);
    await soon(() => sink.credit().rows).toBe(0);
    await realClock.sleep(60);
    const asked = server.asked.length;
    await realClock.sleep(60);
    expect(server.asked.length).toBe(asked);
    sink.release();
    await expect
      .poll(() => sink.gaps.map(({ reason }) => reason))
      .toEqual(["not polled while the platform took nothing"]);
    expect([sink.overdrafts, sink.breaches]).toEqual([0, []]);
  });

  it("connect tells a silent peer, another protocol, and a wrong range", async () => {
    const { context, config, server } = await rig(right, { timeoutMs: 60 });
    const connect = (more: object) => modbus.create({ ...config, ...more }, context).connect(never);
    server.behaviour = () => null;
    await expect(connect({ probe: "holding:0" })).rejects.toMatchObject({ fault: "unreachable" });
    server.behaviour = () => new TextEncoder().encode("SSH-2.0-OpenSSH_9.2");
    await expect(connect({ probe: "9/input:0" })).rejects.toMatchObject({ fault: "protocol" });
    server.behaviour = (asked) => right({ ...asked, unit: 3 });
    await expect(connect({ probe: "holding:0" })).rejects.toMatchObject({ fault: "protocol" });
    await expect(connect({ neverRead: ["holding:9-1"] })).rejects.toMatchObject({ fault: "misconfigured" });
  });
});

it("check tells which units answer", async () => {
  const { config, context } = await rig((asked) => (asked.unit === 2 ? right(asked) : refusal(asked, 11)));
  const steps = [];
  for await (const step of modbus.check({ ...config, unitId: 2 }, context, never)) steps.push(step);
  expect(steps.map(({ ok }) => ok)).toEqual([true, true, true]);
  expect(steps[2].detail).toBe("These answer: 2.");
  const wrong = [];
  for await (const step of modbus.check({ ...config, unitId: 7 }, context, never)) wrong.push(step);
  expect(wrong.map(({ ok }) => ok)).toEqual([true, false, true]);
  expect(wrong[1].hint).toContain("unit id");
});
