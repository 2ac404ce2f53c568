import { secondUs } from "@lineshaft/contract/api";
import { connectAsync } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { MqttJsonGateway } from "./mqtt-json.ts";
import { feedOf, startBroker, startUs, truth, until, waiting } from "./test/rig.ts";

const parts = "eastgate-parts-2";
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  while (closing.length > 0) await closing.pop()?.();
});

interface Seen {
  topic: string;
  qos: number;
  body: { ts: number; di: number[]; cnt: number[]; seq: number; value: unknown; timestamp: string };
}

async function rig(options: { queueMax?: number; repeatSeconds?: number } = {}) {
  const broker = await startBroker();
  closing.push(() => broker.close());
  const seen: Seen[] = [];
  const reader = await connectAsync(broker.url, { reconnectPeriod: 0 });
  closing.push(async () => reader.connected && (await reader.endAsync(true)));
  reader.on("message", (topic, payload, { qos }) => seen.push({ topic, qos, body: JSON.parse(payload.toString()) }));
  await reader.subscribeAsync("eastgate/#", { qos: 1 });
  const feed = feedOf(parts);
  const gateway = new MqttJsonGateway({
    url: broker.url,
    prefix: "eastgate/parts-2",
    machines: [{ name: "IMM1", signals: feed.signalsOf("IMM1") }],
    nowMs: Date.now,
    waiting,
    say: () => undefined,
    repeatSeconds: Infinity,
    ...options,
  });
  closing.push(() => gateway.close());
  feed.attach("IMM1", gateway);
  const cards = () => seen.filter(({ topic }) => topic.endsWith("/io"));
  return { broker, seen, feed, gateway, cards };
}

/** One message for each scan in which the card changed, one for each other row. */
function expectedOf(seconds: number) {
  const rows = truth(parts, "IMM1", seconds);
  const onCard = ({ signal }: (typeof rows)[number]) => signal.type === "boolean" || /\w+Count$/.test(signal.address);
  return {
    cards: new Set(rows.filter(onCard).map(({ timeUs }) => timeUs)).size,
    values: rows
      .filter((row) => !onCard(row))
      .map(({ signal, timeUs, value }) => [
        `eastgate/parts-2/${signal.address.replaceAll(".", "/")}`,
        new Date(Math.floor(timeUs / 1000)).toISOString(),
        value,
      ]),
    last: (address: string) => Number(rows.findLast(({ signal }) => signal.address === address)?.value),
  };
}

const valuesOf = (seen: readonly Seen[]) =>
  seen.filter(({ topic }) => !topic.endsWith("/io")).map(({ topic, body }) => [topic, body.timestamp, body.value]);

describe("the gateway's messages", () => {
  it("carry what the model says: card and values, at QoS 1, each once, in order", async () => {
    const { seen, feed, gateway, cards } = await rig();
    gateway.start();
    feed.advance(startUs + 60 * secondUs);
    const expected = expectedOf(60);
    await until(() => seen.length >= expected.cards + expected.values.length);
    expect(valuesOf(seen)).toEqual(expected.values);
    expect(cards().map(({ body }) => body.seq)).toEqual(Array.from({ length: expected.cards }, (_, i) => i));
    expect(seen.every(({ qos }) => qos === 1)).toBe(true);
    expect(cards().at(-1)?.body).toMatchObject({
      ts: expect.any(Number),
      di: [expected.last("IMM1.MouldClosed")],
      cnt: [expected.last("IMM1.PartCount"), expected.last("IMM1.RejectCount")],
    });
    await until(() => gateway.sums.acknowledged === seen.length);
  });
});

describe("what does not change", () => {
  it("is told every ten seconds: whoever listens later knows all of it soon", async () => {
    const { feed, gateway, seen, cards } = await rig({ repeatSeconds: 10 });
    gateway.start();
    const orders = () => seen.filter(({ topic }) => topic.endsWith("/OrderNumber"));
    for (let second = 1; second <= 32; second++) feed.advance(startUs + second * secondUs);
    await until(() => orders().length >= 4 && cards().length >= 3);
    const times = orders().map(({ body }) => Date.parse(body.timestamp));
    for (let i = 1; i < 4; i++) expect(times[i] - times[i - 1]).toBeGreaterThanOrEqual(10_000);
    expect(new Set(orders().map(({ body }) => body.value)).size).toBe(1);
  });
});

describe("what is not acknowledged", () => {
  it("is kept through a cut and sent again: repeats perhaps, but nothing is missing", async () => {
    const { seen, feed, gateway, broker } = await rig();
    // A broker that acknowledges nothing until the cut: all of it has to come again.
    let deaf = true;
    broker.aedes.authorizePublish = (_client, _packet, done) => {
      if (!deaf) done(null);
    };
    gateway.start();
    feed.advance(startUs + 10 * secondUs);
    await until(() => broker.aedes.connectedClients === 2);
    deaf = false;
    gateway.fault("IMM1", "cut", 50);
    feed.advance(startUs + 20 * secondUs);
    const expected = expectedOf(20);
    // What the broker read in the very moment of the cut may come twice; the receiver knows it by topic and time, or by seq.
    const distinct = () => [...new Map(seen.map((m) => [JSON.stringify(m), m])).values()];
    await until(() => distinct().length >= expected.cards + expected.values.length);
    expect(valuesOf(distinct())).toEqual(expected.values);
    const numbers = distinct().flatMap(({ topic, body }) => (topic.endsWith("/io") ? [body.seq] : []));
    expect(numbers).toEqual(Array.from({ length: expected.cards }, (_, i) => i));
  });

  it("is bounded: the oldest goes, and is counted", async () => {
    const { seen, feed, gateway, cards } = await rig({ queueMax: 200 });
    feed.advance(startUs + 60 * secondUs);
    const all = expectedOf(60);
    expect(gateway.sums.dropped).toBe(all.cards + all.values.length - 200);
    gateway.start();
    await until(() => seen.length === 200);
    expect(cards().at(-1)?.body.seq).toBe(all.cards - 1);
  });

  it("comes twice when the gateway is told to stutter", async () => {
    const { seen, feed, gateway } = await rig();
    gateway.start();
    expect(gateway.fault("IMM1", "duplicate", 60_000)).toEqual(["IMM1"]);
    expect(gateway.fault("IMM1", "rebirth", 1_000)).toBeNull();
    feed.advance(startUs + 2 * secondUs);
    const expected = expectedOf(2);
    await until(() => seen.length === 2 * (expected.cards + expected.values.length));
    for (let i = 0; i < seen.length; i += 2) expect(seen[i]).toEqual(seen[i + 1]);
  });
});
