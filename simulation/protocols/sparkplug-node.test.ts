import { secondUs } from "@lineshaft/contract/api";
import { connectAsync, type MqttClient } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { SparkplugNode } from "./sparkplug-node.ts";
import { dataType, decodeCommand, encodePayload } from "./sparkplug-payload.ts";
import { type Broker, changesOf, feedOf, startBroker, startUs, truth, until, waiting } from "./test/rig.ts";
import { type ReadPayload, readPayload, rebirthCommand } from "./test/sparkplug-reader.ts";

const line = "northfield-bottling-1";
const machines = ["Filler1", "Capper1", "Labeller1"];

interface Seen extends ReadPayload {
  verb: string;
  device: string | undefined;
  qos: number;
  retain: boolean;
}

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  while (closing.length > 0) await closing.pop()?.();
});

/** A broker, a host that listens to everything, and the edge node with the line that feeds it. */
async function rig(options: { primaryHost?: string; storedMax?: number } = {}) {
  const broker = await startBroker();
  closing.push(() => broker.close());
  const seen: Seen[] = [];
  const subscriptions: string[] = [];
  broker.aedes.on("subscribe", (filters) => subscriptions.push(...filters.map(({ topic }) => topic)));
  const host: MqttClient = await connectAsync(broker.url, { clientId: "host", reconnectPeriod: 0 });
  closing.push(async () => host.connected && (await host.endAsync(true)));
  host.on("message", (topic, payload, { qos, retain }) => {
    const [, , verb, , device] = topic.split("/");
    if (verb !== "NCMD") seen.push({ verb, device, qos, retain, ...readPayload(payload) });
  });
  await host.subscribeAsync("spBv1.0/Northfield/#", { qos: 1 });
  subscriptions.length = 0;
  const feed = feedOf(line);
  const node = new SparkplugNode({
    url: broker.url,
    group: "Northfield",
    edgeNode: "Bottling-1",
    devices: machines.map((name) => ({ name, signals: feed.signalsOf(name) })),
    primaryHost: options.primaryHost ?? null,
    storedMax: options.storedMax,
    nowMs: Date.now,
    waiting,
    say: () => undefined,
  });
  closing.push(() => node.close());
  for (const machine of machines) feed.attach(machine, node);
  // The controllers ran before the edge node came up: it knows every value.
  feed.advance(startUs + secondUs);
  const of = (verb: string, device?: string) => seen.filter((m) => m.verb === verb && m.device === device);
  return { broker, host, seen, subscriptions, feed, node, of };
}

const tellState = (host: MqttClient, online: boolean, timestamp: number) =>
  host.publishAsync("spBv1.0/STATE/host", JSON.stringify({ online, timestamp }), { qos: 1, retain: true });

/** Values by metric name, decoded with the births' aliases alone, as a host has to. */
function valuesOf(seen: readonly Seen[], device: string, historical?: boolean) {
  const names = new Map<number | undefined, string>();
  const values: [name: string, timeMs: number, value: unknown][] = [];
  for (const { verb, metrics } of seen.filter((m) => m.device === device)) {
    for (const metric of metrics) {
      if (verb === "DBIRTH") names.set(metric.alias, metric.name ?? "");
      else if (historical === undefined || historical === metric.historical)
        values.push([names.get(metric.alias) ?? "?", metric.timeMs ?? 0, Number(metric.value) || metric.value]);
    }
  }
  return values;
}

function truthOf(device: string, fromSeconds: number, toSeconds: number) {
  return changesOf(truth(line, device, toSeconds))
    .filter(({ timeUs }) => timeUs >= startUs + fromSeconds * secondUs)
    .map(({ signal, timeUs, value }) => [
      signal.address.slice(device.length + 1).replaceAll(".", "/"),
      Math.floor(timeUs / 1000),
      signal.type === "int64" && !signal.address.endsWith("StateCurrent")
        ? Number(value) || 0n
        : Number(value) || value,
    ]);
}

describe("the edge node's births", () => {
  it("subscribes to commands first, then NBIRTH with seq 0, then every device with every metric, type and alias", async () => {
    const { node, seen, subscriptions, broker } = await rig();
    const order: string[] = [];
    broker.aedes.on("subscribe", () => order.push("subscribe"));
    broker.aedes.on("publish", ({ topic }) => topic.startsWith("spBv1.0") && order.push(topic.split("/")[2]));
    node.start();
    await until(() => seen.length >= 4);
    expect(subscriptions).toEqual(["spBv1.0/Northfield/NCMD/Bottling-1"]);
    expect(order).toEqual(["subscribe", "NBIRTH", "DBIRTH", "DBIRTH", "DBIRTH"]);
    expect(seen.map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
    expect(seen.every(({ qos, retain }) => qos === 0 && !retain)).toBe(true);
    const [birth, filler] = seen;
    expect(birth.metrics.map(({ name, type, value }) => [name, type, value])).toEqual([
      ["bdSeq", dataType.int64, 0n],
      ["Node Control/Rebirth", dataType.boolean, false],
    ]);
    expect(birth.metrics[1].alias).toBeUndefined();
    const aliases = seen.flatMap(({ metrics }) => metrics.map(({ alias }) => alias)).filter((a) => a !== undefined);
    expect(new Set(aliases).size).toBe(aliases.length);
    expect(filler.metrics).toHaveLength(10);
    for (const metric of filler.metrics)
      expect(metric).toMatchObject({
        isNull: false,
        historical: false,
        timeMs: expect.any(Number),
        type: expect.any(Number),
      });
    expect(filler.metrics.find(({ name }) => name === "PV/BowlPressure")).toMatchObject({ type: 10, unit: "kPa" });
    expect(filler.metrics.find(({ name }) => name === "Status/StateCurrent")).toMatchObject({ type: 3, value: 6 });
  });

  it("a rebirth on command keeps the bdSeq and begins the sequence again; other commands do nothing", async () => {
    const { node, host, of, seen } = await rig();
    node.start();
    await until(() => seen.length >= 4);
    await host.publishAsync("spBv1.0/Northfield/NCMD/Bottling-1", Buffer.from([255, 255, 255]));
    await host.publishAsync("spBv1.0/Northfield/NCMD/Bottling-1", rebirthCommand());
    await until(() => seen.length >= 8);
    expect(of("NBIRTH").map(({ seq, metrics }) => [seq, metrics[0].value])).toEqual([
      [0, 0n],
      [0, 0n],
    ]);
    expect(seen).toHaveLength(8);
  });
});

describe("the edge node's data", () => {
  it("by exception, by alias, in order, without a gap over 255, and the same as the model says", async () => {
    const { node, feed, seen } = await rig();
    node.start();
    await until(() => seen.length >= 4);
    for (let scan = 6; scan <= 200; scan++) feed.advance(startUs + (scan * secondUs) / 5);
    const expected = machines.map((device) => truthOf(device, 1, 40));
    await until(() => machines.every((device, i) => valuesOf(seen, device).length >= expected[i].length));
    const data = seen.filter(({ verb }) => verb === "DDATA");
    expect(data.length).toBeGreaterThan(300);
    expect(data.flatMap(({ metrics }) => metrics).filter((m) => m.name !== undefined || m.type !== undefined)).toEqual(
      [],
    );
    expect(data.every(({ qos, retain }) => qos === 0 && !retain)).toBe(true);
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, i) => i % 256));
    for (const [i, device] of machines.entries()) expect(valuesOf(seen, device)).toEqual(expected[i]);
  });

  it("a machine out of reach dies and is born again, in the node's sequence", async () => {
    const { node, feed, seen, of } = await rig();
    node.start();
    await until(() => seen.length >= 4);
    expect(node.fault("Capper1", "cut", 60)).toEqual(["Capper1"]);
    feed.advance(startUs + 3 * secondUs);
    await until(() => of("DBIRTH", "Capper1").length === 2);
    feed.advance(startUs + 5 * secondUs);
    await until(() => of("DDATA", "Capper1").length === 1);
    expect(of("DDEATH", "Capper1")).toMatchObject([{ seq: 4, qos: 0 }]);
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, i) => i));
  });
});

describe("faults on the way", () => {
  it("F21: births that get lost leave data that nobody can read, until births come through again", async () => {
    const { node, feed, seen, of } = await rig();
    node.start();
    await until(() => seen.length >= 4);
    node.fault("Bottling-1", "dropBirth", 60_000);
    const began = seen.length;
    let scan = 5;
    // The new session counts from 0 as if its births had been heard.
    await until(() => {
      feed.advance(startUs + (++scan * secondUs) / 5);
      return seen.slice(began).some(({ verb }) => verb === "DDATA");
    });
    expect(of("NBIRTH")).toHaveLength(1);
    expect(seen.slice(began).find(({ verb }) => verb === "DDATA")?.seq).toBeGreaterThan(3);
    node.fault("Bottling-1", "dropBirth", 0);
    await until(() => of("NBIRTH").length === 2);
  });

  it("F21: messages overtake one another, and their numbers tell", async () => {
    const { node, feed, seen, of } = await rig();
    node.start();
    await until(() => seen.length >= 4);
    expect(node.fault("Bottling-1", "reorder", 60_000)).toContain("Filler1");
    for (let scan = 6; scan <= 25; scan++) feed.advance(startUs + (scan * secondUs) / 5);
    await until(() => of("DDATA", "Filler1").length > 5);
    const numbers = seen.slice(4, 10).map(({ seq }) => seq);
    expect(numbers).toEqual([5, 4, 7, 6, 9, 8]);
  });

  it("a download takes a machine away and brings it back by its birth", async () => {
    const { node, seen, of } = await rig();
    node.start();
    await until(() => seen.length >= 4);
    expect(node.fault("Capper1", "plcDownload", 60)).toEqual(["Capper1"]);
    await until(() => of("DBIRTH", "Capper1").length === 2);
    expect(of("DDEATH", "Capper1")).toHaveLength(1);
    expect(node.fault("Capper1", "skew", 60)).toBeNull();
    expect(node.faultsOf("Bottling-1")).not.toContain("skew");
    expect(node.faultsOf("Capper1")).toContain("skew");
  });
});

describe("deaths and what is kept meanwhile", () => {
  it("a cut network: the broker tells the will, the next session has the next bdSeq, and what was missed comes as historical", async () => {
    const { node, feed, seen, of } = await rig();
    node.start();
    await until(() => seen.length >= 4);
    node.fault("Bottling-1", "cut", 150);
    await until(() => of("NDEATH").length === 1);
    for (let scan = 6; scan <= 100; scan++) feed.advance(startUs + (scan * secondUs) / 5);
    const expected = truthOf("Filler1", 1, 20);
    await until(() => valuesOf(seen, "Filler1").length >= expected.length);
    expect(of("NDEATH")[0]).toMatchObject({ qos: 1, retain: false, metrics: [{ name: "bdSeq", value: 0n }] });
    expect(of("NDEATH")[0].seq).toBeUndefined();
    expect(of("NBIRTH").map(({ metrics }) => metrics[0].value)).toEqual([0n, 1n]);
    expect(valuesOf(seen, "Filler1", true)).toEqual(expected);
    expect(valuesOf(seen, "Filler1", false)).toEqual([]);
  });

  it("without its primary host it is not born; when the host goes it dies, stores and comes back", async () => {
    const { node, feed, host, seen, of } = await rig({ primaryHost: "host" });
    await tellState(host, false, 1_000);
    node.start();
    feed.advance(startUs + 10 * secondUs);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(seen).toEqual([]);
    await tellState(host, true, 2_000);
    const stored = truthOf("Filler1", 1, 10);
    await until(() => valuesOf(seen, "Filler1").length >= stored.length);
    expect(valuesOf(seen, "Filler1", true)).toEqual(stored);
    // An old will that comes late is no news.
    await tellState(host, false, 1_500);
    await tellState(host, false, 2_000);
    await until(() => of("NDEATH").length === 1);
    await tellState(host, true, 3_000);
    await until(() => of("NBIRTH").length === 2);
    expect(of("NBIRTH")[1].metrics[0].value).toBe((of("NDEATH")[0].metrics[0].value as bigint) + 1n);
  });

  it("a full store loses its oldest values, and counts them", async () => {
    const { node, feed, seen, host } = await rig({ primaryHost: "host", storedMax: 30 });
    node.start();
    feed.advance(startUs + 20 * secondUs);
    const all = machines.map((device) => truthOf(device, 1, 20));
    expect(node.sums.dropped).toBe(all.flat().length - 30);
    await tellState(host, true, 1);
    await until(() => valuesOf(seen, "Labeller1").length === 10);
    expect(valuesOf(seen, "Filler1", true)).toEqual(all[0].slice(-10));
  });

  it("says NDEATH itself before it leaves", async () => {
    const { node, seen, of } = await rig();
    node.start();
    await until(() => seen.length >= 4);
    await node.close();
    await until(() => of("NDEATH").length === 1);
    expect(of("NDEATH")[0]).toMatchObject({ metrics: [{ name: "bdSeq", value: 0n }] });
  });

  it("a broker that comes late or comes back is found", async () => {
    const { node, broker, seen } = await rig();
    node.start();
    await until(() => seen.length >= 4);
    const port = Number(new URL(broker.url).port);
    await broker.close();
    const again: Broker = await startBroker(port);
    closing.push(() => again.close());
    const births: string[] = [];
    again.aedes.on("publish", ({ topic }) => topic.includes("NBIRTH") && births.push(topic));
    await until(() => births.length === 1);
  });
});

describe("the payload", () => {
  it("keeps what protobuf makes difficult: negative, beyond 2^53, not a number, nothing at all", () => {
    const base = { timeMs: 1_763_792_400_123, tellType: true };
    const values = [
      { ...base, type: dataType.int32, value: -1 },
      { ...base, type: dataType.int64, value: -9_007_199_254_740_993n },
      { ...base, type: dataType.double, value: Number.NaN },
      { ...base, type: dataType.string, value: "Größe 5″" },
      { ...base, type: dataType.boolean, value: false },
      { ...base, type: dataType.double, value: null },
    ];
    const read = readPayload(encodePayload({ timeMs: base.timeMs, seq: 255, metrics: values }));
    expect(read).toMatchObject({ timeMs: base.timeMs, seq: 255 });
    expect(read.metrics.map(({ value }) => value)).toEqual(values.map(({ value }) => value));
    expect(read.metrics.map(({ isNull }) => isNull)).toEqual([false, false, false, false, false, true]);
  });

  it.each([
    ["empty", "", []],
    ["a rebirth", rebirthCommand().toString("hex"), [{ name: "Node Control/Rebirth", boolean: true }]],
    ["cut short", rebirthCommand().subarray(0, 9).toString("hex"), null],
    ["an endless varint", "ffffffffffffffffffffffff", null],
    ["no protobuf", Buffer.from("ONLINE").toString("hex"), null],
  ])("reads a command: %s", (_, hex, expected) => {
    expect(decodeCommand(Buffer.from(hex, "hex"))).toEqual(expected);
  });
});
