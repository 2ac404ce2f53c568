import { createConnection, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import { generate, type Packet, parser } from "mqtt-packet";
import { afterEach, describe, expect, it } from "vitest";
import { EmbeddedBroker } from "./broker.ts";
import type { MqttPrincipal } from "./broker-access.ts";
import type { BrokerOptions } from "./broker-options.ts";
import type { MqttMessage } from "./source.ts";
import { principal, realClock, type TestBroker, testBroker, until } from "./test/broker.ts";

const open: TestBroker[] = [];
afterEach(async () => {
  for (const broker of open.splice(0)) await broker.close();
});
async function start(people: MqttPrincipal[], change: Partial<BrokerOptions> = {}): Promise<TestBroker> {
  const broker = await testBroker(people, change);
  open.push(broker);
  return broker;
}
const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "accepted",
    (error: { code?: unknown }) => error.code,
  );
const collect = (client: MqttClient): string[] => {
  const seen: string[] = [];
  client.on("message", (topic, payload) => void seen.push(`${topic}=${payload.toString()}`));
  return seen;
};

/** Bytes on a plain socket, for what no client library would send. */
async function raw(
  port: number,
  ...packets: (Packet | Buffer)[]
): Promise<{ socket: Socket; packets: Packet[]; closed: Promise<void> }> {
  const socket = createConnection(port, "127.0.0.1");
  const seen: Packet[] = [];
  const decode = parser({ protocolVersion: 5 });
  decode.on("packet", (packet) => void seen.push(packet));
  socket.on("data", (bytes) => void decode.parse(bytes));
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
  await new Promise<void>((resolve) => void socket.once("connect", () => resolve()));
  for (const packet of packets) {
    socket.write(Buffer.isBuffer(packet) ? packet : generate(packet, { protocolVersion: 5 }));
  }
  return { socket, packets: seen, closed };
}
const connectPacket = (name: string): Packet => ({
  cmd: "connect",
  clientId: name,
  protocolVersion: 5,
  protocolId: "MQTT",
  clean: true,
  keepalive: 30,
  username: name,
  password: Buffer.from(name),
});

describe("acknowledge last", () => {
  for (const protocolVersion of [4, 5] as const) {
    it(`PUBACK comes after the handler has resolved (MQTT ${protocolVersion === 4 ? "3.1.1" : "5"})`, async () => {
      const b = await start([principal("press")]);
      const source = b.broker.source("acme");
      const seen: MqttMessage[] = [];
      const durable: (() => void)[] = [];
      await source.claim(["acme/press/#"], (message) => {
        seen.push(message);
        return new Promise((resolve) => durable.push(resolve));
      });
      const client = await b.connect("press", { protocolVersion });
      let acknowledged = 0;
      for (const value of ["1", "2", "3"]) {
        void client.publishAsync("acme/press/speed", value, { qos: 1 }).then(() => acknowledged++);
      }
      await until(() => seen.length === 3, "three messages at the handler");
      await sleep(30);
      expect(acknowledged).toBe(0);
      expect(seen.map((m) => Buffer.from(m.payload).toString())).toEqual(["1", "2", "3"]);
      expect(seen[0]).toMatchObject({ topic: "acme/press/speed", qos: 1, clientId: "press", retain: false });
      durable[0]();
      await until(() => acknowledged === 1, "the first acknowledgement");
      durable[1]();
      durable[2]();
      await until(() => acknowledged === 3, "all acknowledgements");
    });
  }

  it("a message whose handler rejects is not acknowledged: the sender is cut off and sends it again", async () => {
    const b = await start([principal("press")]);
    let attempts = 0;
    await b.broker.source("acme").claim(["acme/#"], async () => {
      if (++attempts === 1) throw new Error("disk full");
    });
    const client = await b.connect("press", {
      reconnectPeriod: 20,
      clean: false,
      properties: { sessionExpiryInterval: 60 },
    });
    await client.publishAsync("acme/x", "1", { qos: 1 });
    expect(attempts).toBe(2);
  });

  it("QoS 2: handed over once, though PUBLISH comes twice; PUBREC only when durable", async () => {
    const b = await start([principal("press")]);
    let handed = 0;
    const durable: (() => void)[] = [];
    await b.broker.source("acme").claim(["acme/#"], () => {
      handed++;
      return new Promise((resolve) => durable.push(resolve));
    });
    const publish: Packet = {
      cmd: "publish",
      topic: "acme/x",
      payload: "1",
      qos: 2,
      messageId: 7,
      dup: false,
      retain: false,
    };
    const peer = await raw(b.port, connectPacket("press"), publish, { ...publish, dup: true });
    await until(() => handed === 1, "the first");
    await sleep(20);
    expect(peer.packets.map((p) => p.cmd)).toEqual(["connack"]);
    durable[0]();
    await until(() => peer.packets.length === 3, "two PUBRECs");
    expect(peer.packets.slice(1).map((p) => p.cmd)).toEqual(["pubrec", "pubrec"]);
    expect(handed).toBe(1);
  });

  it("between two claims a message waits instead of being acknowledged and lost", async () => {
    const b = await start([principal("press")]);
    const source = b.broker.source("acme");
    source.reserve(["acme/#"]);
    const client = await b.connect("press");
    let acknowledged = false;
    const sent = client.publishAsync("acme/x", "1", { qos: 1 }).then(() => {
      acknowledged = true;
    });
    await sleep(40);
    expect(acknowledged).toBe(false);
    const seen: string[] = [];
    const claim = await source.claim(["acme/#"], async (m) => void seen.push(m.topic));
    await sent;
    expect(seen).toEqual(["acme/x"]);
    await claim.release();
  });

  it("a will goes through the handler too", async () => {
    const b = await start([principal("press")]);
    const seen: string[] = [];
    await b.broker
      .source("acme")
      .claim(["acme/#"], async (m) => void seen.push(`${m.topic}=${Buffer.from(m.payload)}`));
    const client = await b.connect("press", {
      will: { topic: "acme/press/dead", payload: Buffer.from("yes"), qos: 1, retain: false },
    });
    client.stream.destroy();
    await until(() => seen.length === 1, "the will");
    expect(seen).toEqual(["acme/press/dead=yes"]);
  });
});

describe("who may do what (FAULTS A18 to A27)", () => {
  it("A18 anonymous → CONNACK 0x87, wrong password → 0x86", async () => {
    const b = await start([principal("press")]);
    expect(await reasonOf(b.connect("press", { username: undefined, password: undefined }))).toBe(0x87);
    expect(await reasonOf(b.connect("press", { password: "guess" }))).toBe(0x86);
    expect(b.broker.diagnose().refused).toBe(2);
  });

  it("A19 publish to another's topic → PUBACK 0x87, told, and cut after ten", async () => {
    const b = await start([principal("press", { publish: ["acme/press/#"] })]);
    const client = await b.connect("press");
    for (let i = 0; i < 9; i++) expect(await reasonOf(client.publishAsync("acme/oven/t", "1", { qos: 1 }))).toBe(0x87);
    expect(b.events.filter((e) => e.event === "refused" && e.principal === "press")).toHaveLength(9);
    client.publish("acme/oven/t", "1", { qos: 1 });
    await until(() => !client.connected, "cut off");
  });

  it("A20 a will on a foreign topic → CONNECT refused 0x87", async () => {
    const b = await start([principal("press", { publish: ["acme/press/#"] })]);
    const will = { topic: "acme/oven/t", payload: Buffer.from("x"), qos: 1 as const, retain: true };
    expect(await reasonOf(b.connect("press", { will }))).toBe(0x87);
  });

  it("A21 subscriptions wider than granted, and $ topics, are refused", async () => {
    const b = await start([principal("press", { subscribe: ["acme/press/+/cmd", "acme/press/log/#"] })]);
    const topics = [
      "#",
      "+/+/#",
      "$SYS/#",
      "acme/press/+/+",
      "$share/x/acme/press/a/cmd",
      "acme/press/a/cmd",
      "acme/press/log/+/x",
    ];
    const subscribes = topics.map(
      (topic, i): Packet => ({ cmd: "subscribe", messageId: i + 1, subscriptions: [{ topic, qos: 1 }] }),
    );
    const peer = await raw(b.port, connectPacket("press"), ...subscribes);
    await until(() => peer.packets.length === 1 + topics.length, "all answers");
    const granted = peer.packets.flatMap((p) => (p.cmd === "suback" ? (p.granted as number[]) : []));
    // aedes answers shared subscriptions itself: "not supported".
    expect(granted).toEqual([0x87, 0x87, 0x87, 0x87, 0x9e, 1, 1]);
  });

  it("A22 a stolen client id → 0x85; the victim stays", async () => {
    const b = await start([principal("press"), principal("thief")]);
    const victim = await b.connect("press");
    expect(await reasonOf(b.connect("thief", { clientId: "press" }))).toBe(0x85);
    expect(victim.connected).toBe(true);
  });

  it("A22 any client id is bound to the principal that used it first, as long as that one may connect", async () => {
    const anyId = { clientIds: ["*"] };
    const b = await start([principal("press", anyId), principal("thief", anyId)], {
      clientIdOwner: (clientId) => (clientId.startsWith("press-") ? "press" : null),
    });
    const victim = await b.connect("press", { clientId: "filler" });
    expect(await reasonOf(b.connect("thief", { clientId: "filler" }))).toBe(0x85);
    expect(victim.connected).toBe(true);
    await victim.endAsync();
    expect(await reasonOf(b.connect("thief", { clientId: "filler" }))).toBe(0x85);
    expect(await reasonOf(b.connect("thief", { clientId: "press-2" }))).toBe(0x85);
    b.principals.delete("press");
    expect(await reasonOf(b.connect("thief", { clientId: "filler" }))).toBe("accepted");
  });

  it("A23 a topic that is too long or too deep → 0x90", async () => {
    const b = await start([principal("press")]);
    for (const topic of [`acme/${"x".repeat(65_000)}`, `acme${"/x".repeat(30)}`]) {
      const publish: Packet = { cmd: "publish", topic, payload: "1", qos: 1, messageId: 1, dup: false, retain: false };
      const peer = await raw(b.port, connectPacket("press"), publish);
      await peer.closed;
      expect(peer.packets.at(-1)).toMatchObject({ cmd: "disconnect", reasonCode: 0x90 });
    }
    const deep: Packet = { cmd: "publish", topic: "/".repeat(10_000), payload: "", qos: 0, dup: false, retain: false };
    await (await raw(b.port, connectPacket("press"), deep)).closed;
  });

  it("A24 a packet above 1 MiB → 0x95", async () => {
    const b = await start([principal("press")]);
    const peer = await raw(b.port, connectPacket("press"));
    await until(() => peer.packets.length === 1, "CONNACK");
    // The header of a PUBLISH of 1 MiB and one byte.
    peer.socket.write(Buffer.from([0x32, 0x81, 0x80, 0x40, 0, 1, 97]));
    await peer.closed;
    expect(peer.packets.at(-1)).toMatchObject({ cmd: "disconnect", reasonCode: 0x95 });
  });

  it("A24 user properties without end → 0x95, in CONNECT no entry; the next client is served", async () => {
    const b = await start([principal("press")]);
    const many = { userProperties: { name: Array.from({ length: 90_000 }, () => "v") } };
    const publish: Packet = {
      cmd: "publish",
      topic: "acme/x",
      payload: "",
      qos: 1,
      messageId: 1,
      dup: false,
      retain: true,
    };
    const peer = await raw(b.port, connectPacket("press"), { ...publish, properties: { userProperties: { a: "b" } } });
    await until(() => peer.packets.length === 2, "PUBACK: a few are welcome");
    peer.socket.write(generate({ ...publish, properties: many }, { protocolVersion: 5 }));
    await peer.closed;
    expect(peer.packets.at(-1)).toMatchObject({ cmd: "disconnect", reasonCode: 0x95 });
    const greedy = await raw(b.port, { ...connectPacket("press"), properties: many } as Packet);
    await greedy.closed;
    expect(greedy.packets.some((p) => p.cmd === "connack" && p.reasonCode === 0)).toBe(false);
    expect((await b.connect("press")).connected).toBe(true);
  });

  it("A25 QoS 2 without PUBREL → 0x93 at the receive maximum", async () => {
    const b = await start([principal("press")], { storeLimits: { unreleased: 16 } });
    await b.broker.source("acme").claim(["acme/#"], async () => {});
    const publishes = Array.from(
      { length: 20 },
      (_, i): Packet => ({
        cmd: "publish",
        topic: "acme/x",
        payload: "1",
        qos: 2,
        messageId: i + 1,
        dup: false,
        retain: false,
      }),
    );
    const peer = await raw(b.port, connectPacket("press"));
    await until(() => peer.packets.length === 1, "CONNACK");
    const again = await raw(b.port, connectPacket("press"), ...publishes.slice(0, 16));
    await until(() => again.packets.filter((p) => p.cmd === "pubrec").length === 16, "sixteen are taken");
    const last = await raw(b.port, { ...connectPacket("press"), clean: false } as Packet, publishes[16]);
    await last.closed;
    expect(last.packets.at(-1)).toMatchObject({ cmd: "disconnect", reasonCode: 0x93 });
  });

  it("A26 retained messages of a revoked publisher are not delivered, nor anything to a revoked subscriber", async () => {
    const b = await start([principal("press"), principal("screen")]);
    const press = await b.connect("press");
    await press.publishAsync("acme/press/t", "21", { qos: 1, retain: true });
    const screen = await b.connect("screen");
    const seen = collect(screen);
    await screen.subscribeAsync("acme/press/t");
    await until(() => seen.length === 1, "the retained message");
    b.principals.delete("press");
    await screen.unsubscribeAsync("acme/press/t");
    await screen.subscribeAsync("acme/press/t");
    await sleep(30);
    expect(seen).toHaveLength(1);
    b.principals.set("press", principal("press"));
    b.principals.set("screen", principal("screen", { subscribe: [] }));
    await press.publishAsync("acme/press/t", "22", { qos: 1 });
    await sleep(30);
    expect(seen).toHaveLength(1);
    b.principals.delete("screen");
    b.broker.cutRevoked();
    await until(() => !screen.connected, "the revoked client is cut off");
  });

  it("A26 the will of a revoked client is nobody's: neither stored nor delivered", async () => {
    const b = await start([principal("press"), principal("screen")]);
    const stored: string[] = [];
    await b.broker.source("acme").claim(["acme/#"], async (m) => void stored.push(m.topic));
    const screen = await b.connect("screen");
    const seen = collect(screen);
    await screen.subscribeAsync("acme/#");
    const will = { topic: "acme/press/gone", payload: Buffer.from("x"), qos: 1 as const, retain: true };
    const press = await b.connect("press", { will });
    b.principals.delete("press");
    press.stream.destroy();
    await until(
      () => b.events.some((e) => e.event === "refused" && e.detail.includes("acme/press/gone")),
      "it is refused",
    );
    await screen.publishAsync("acme/last", "1", { qos: 1 });
    await until(() => seen.length > 0, "what comes behind it");
    expect([press.connected, stored, seen]).toEqual([false, ["acme/last"], ["acme/last=1"]]);
  });

  it("A27 what is not CONNECT first, or announces 200 MB, is closed at once", async () => {
    const b = await start([principal("press")]);
    const publish: Packet = { cmd: "publish", topic: "acme/x", payload: "1", qos: 0, dup: false, retain: false };
    await (await raw(b.port, publish)).closed;
    // CONNECT with a remaining length of 200 MB: closed from its header alone.
    await (await raw(b.port, Buffer.from([0x10, 0x80, 0xa8, 0xaf, 0x5f, 0, 4]))).closed;
    await (await raw(b.port, Buffer.from("GET / HTTP/1.1\r\n\r\n"))).closed;
  });

  it("realms never mix, even with the same topics", async () => {
    const b = await start([principal("press"), principal("spy", { realm: "other" })]);
    const seen: string[] = [];
    await b.broker.source("other").claim(["acme/#"], async (m) => void seen.push(m.topic));
    const spy = await b.connect("spy");
    const heard = collect(spy);
    await spy.subscribeAsync("acme/#");
    const press = await b.connect("press");
    await press.publishAsync("acme/x", "1", { qos: 1, retain: true });
    await b.broker.source("acme").publish("acme/y", Buffer.from("1"), { qos: 1, retain: false });
    await spy.publishAsync("acme/z", "1", { qos: 1 });
    await until(() => heard.length === 1, "its own message");
    expect(heard).toEqual(["acme/z=1"]);
    expect(seen).toEqual(["acme/z"]);
  });

  it("two realms have the same client ids and the same retained topics, and neither knows", async () => {
    const anyId = { clientIds: ["*"], publish: ["#"], subscribe: ["#"] };
    const b = await start([principal("press", anyId), principal("spy", { ...anyId, realm: "other" })]);
    const kept = { clean: false, properties: { sessionExpiryInterval: 60 } };
    const clients = {
      press: await b.connect("press", { clientId: "line-1" }),
      spy: await b.connect("spy", { clientId: "line-1", ...kept }),
    };
    await clients.spy.subscribeAsync("plant/#", { qos: 1 });
    await clients.press.publishAsync("plant/t", "ours", { qos: 1, retain: true });
    await clients.spy.publishAsync("plant/t", "theirs", { qos: 1, retain: true });
    for (const [name, own] of [
      ["press", "ours"],
      ["spy", "theirs"],
    ] as const) {
      const screen = await b.connect(name, { clientId: "screen" });
      const seen = collect(screen);
      await screen.subscribeAsync("plant/t", { qos: 1 });
      await until(() => seen.length > 0, "the retained message");
      expect(seen).toEqual([`plant/t=${own}`]);
    }
    expect([clients.press.connected, clients.spy.connected]).toEqual([true, true]);
    // What one realm sends fills no queue of the other.
    await clients.spy.endAsync();
    const queued = b.broker.diagnose().queuedBytes;
    await clients.press.publishAsync("plant/u", "x".repeat(1000), { qos: 1 });
    expect(b.broker.diagnose().queuedBytes).toBe(queued);
  });

  it("a client id that changes hands brings nothing of its former owner along", async () => {
    const anyId = { clientIds: ["*"] };
    const b = await start([principal("old", anyId), principal("new", anyId), principal("screen")]);
    const kept = { clientId: "filler", clean: false, properties: { sessionExpiryInterval: 60 } };
    const old = await b.connect("old", kept);
    await old.subscribeAsync("acme/orders", { qos: 1 });
    await old.publishAsync("acme/filler/t", "1", { qos: 1, retain: true });
    await old.endAsync();
    const screen = await b.connect("screen");
    await screen.publishAsync("acme/orders", "for the old one", { qos: 1 });
    expect(b.broker.diagnose()).toMatchObject({ retained: 1, queues: 1 });
    b.principals.delete("old");
    const next = await b.connect("new", { ...kept, reconnectPeriod: 0 });
    const seen = collect(next);
    expect(b.broker.diagnose()).toMatchObject({ retained: 0, retainedBytes: 0, queues: 0, queuedBytes: 0 });
    await screen.publishAsync("acme/orders", "nor this", { qos: 1 });
    await next.subscribeAsync("acme/last", { qos: 1 });
    await screen.publishAsync("acme/last", "1", { qos: 1 });
    await until(() => seen.length > 0, "its own");
    expect(seen).toEqual(["acme/last=1"]);
  });

  it("a client without an identifier gets one (MQTT 5 is told which)", async () => {
    const b = await start([principal("press", { clientIds: ["*"] }), principal("bound")]);
    const peer = await raw(b.port, { ...connectPacket("press"), clientId: "" } as Packet);
    await until(() => peer.packets.length === 1, "CONNACK");
    expect(peer.packets[0]).toMatchObject({
      reasonCode: 0,
      properties: { assignedClientIdentifier: expect.any(String) },
    });
    const bound = await raw(b.port, { ...connectPacket("bound"), clientId: "" } as Packet);
    await until(() => bound.packets.length === 1, "CONNACK");
    expect(bound.packets[0]).toMatchObject({ reasonCode: 0x85 });
  });

  it("a keep-alive beyond 300 s is refused (3.1.1) or shortened (5)", async () => {
    const b = await start([principal("press")]);
    expect(await reasonOf(b.connect("press", { protocolVersion: 4, keepalive: 301 }))).not.toBe("accepted");
    const peer = await raw(b.port, { ...connectPacket("press"), keepalive: 3600 } as Packet);
    await until(() => peer.packets.length === 1, "CONNACK");
    expect(peer.packets[0]).toMatchObject({
      reasonCode: 0,
      properties: { serverKeepAlive: 300, maximumPacketSize: 1024 * 1024 },
    });
  });
});

describe("fan-out", () => {
  it("what a connection says before the first door opens is retained behind it", async () => {
    const early = new EmbeddedBroker({
      clock: realClock,
      authenticate: async ({ username }) => username,
      principal: (name) => principal(name),
      audit: () => {},
    });
    try {
      const said = early.source("acme").publish("acme/STATE", Buffer.from("online"), { qos: 1, retain: true });
      const port = await early.listen({ host: "127.0.0.1", port: 0 });
      await said;
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
        clientId: "press",
        username: "press",
        password: "press",
      });
      const seen = collect(client);
      await client.subscribeAsync("acme/#");
      await until(() => seen.length === 1, "the retained message");
      expect(seen).toEqual(["acme/STATE=online"]);
      client.end(true);
    } finally {
      await early.close();
    }
  });

  it("many publishers, many subscribers, mixed QoS: everything arrives, in order per publisher", async () => {
    const names = Array.from({ length: 8 }, (_, i) => `m${i}`);
    const b = await start([...names.map((n) => principal(n)), principal("screen")]);
    const screen = await b.connect("screen");
    const seen = collect(screen);
    await screen.subscribeAsync("acme/#", { qos: 1 });
    await Promise.all(
      names.map(async (name) => {
        const client = await b.connect(name);
        const sent = Array.from({ length: 100 }, (_, i) =>
          client.publishAsync(`acme/${name}`, String(i), { qos: i % 2 === 0 ? 1 : 0 }),
        );
        await Promise.all(sent);
      }),
    );
    await until(() => seen.length === 800, "800 messages");
    // MQTT keeps the order of one publisher's messages within a QoS (4.6).
    for (const name of names) {
      const own = seen.filter((s) => s.startsWith(`acme/${name}=`)).map((s) => Number(s.split("=")[1]));
      expect(own.filter((i) => i % 2 === 0)).toEqual(Array.from({ length: 50 }, (_, i) => 2 * i));
      expect(own.filter((i) => i % 2 === 1)).toEqual(Array.from({ length: 50 }, (_, i) => 2 * i + 1));
    }
  });

  it("F2: a client that falls silent is ended after 1.5 × keep-alive, and its will is published", async () => {
    const b = await start([principal("press")]);
    const seen: string[] = [];
    await b.broker.source("acme").claim(["acme/#"], async (m) => void seen.push(m.topic));
    const begin = performance.now();
    const will = { topic: "acme/press/gone", payload: Buffer.from("x"), qos: 1 as const, retain: false };
    const peer = await raw(b.port, { ...connectPacket("press"), keepalive: 1, will } as Packet);
    await peer.closed;
    expect(performance.now() - begin).toBeGreaterThan(1000);
    expect(performance.now() - begin).toBeLessThan(7500);
    await until(() => seen.length === 1, "the will");
  });

  it("F36: everybody at once: so many a second are let in, the others wait in line, what would wait too long is turned away", async () => {
    const names = Array.from({ length: 60 }, (_, i) => `m${i}`);
    let now = 0;
    const b = await start(
      names.map((name) => principal(name)),
      {
        clock: { ...realClock, monotonicMs: () => now },
        limits: { connectsPerSecond: 50, connectTimeoutMs: 800 },
      },
    );
    const clients = names.map((name) => b.connect(name, { connectTimeout: 20_000 }));
    const outcomes = Promise.allSettled(clients);
    const entered = (): number => b.events.filter(({ event }) => event === "connected").length;
    const figures = (): Record<string, number> => b.broker.diagnose() as Record<string, number>;
    await until(() => figures().turnedAway === 10, "the line is full");
    await until(() => entered() === 10, "the first ten are in");
    expect(figures().waited).toBe(40);
    for (const ten of [1, 2, 3, 4]) {
      now += 200;
      await until(() => entered() === 10 + 10 * ten, `after ${now} ms`);
    }
    expect((await outcomes).filter(({ status }) => status === "fulfilled")).toHaveLength(50);
  });

  it("F33: a frozen subscriber is cut off and holds nobody up", async () => {
    const b = await start([principal("press"), principal("frozen"), principal("screen")], {
      limits: { drainTimeoutMs: 150, backlogBytes: 256 * 1024 },
    });
    const frozen = createConnection(b.port, "127.0.0.1");
    frozen.on("error", () => {});
    frozen.write(generate(connectPacket("frozen"), { protocolVersion: 5 }));
    frozen.write(
      generate(
        { cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "acme/#", qos: 0 }] },
        { protocolVersion: 5 },
      ),
    );
    await until(() => b.events.some((e) => e.event === "connected"), "connected");
    await sleep(50);
    frozen.pause();
    const screen = await b.connect("screen");
    const seen = collect(screen);
    await screen.subscribeAsync("acme/#");
    const press = await b.connect("press");
    const payload = "x".repeat(100_000);
    for (let i = 0; i < 200; i++) await press.publishAsync("acme/x", payload, { qos: 1 });
    await until(() => seen.length === 200, "the other subscriber has everything");
    await until(() => b.events.some((e) => e.clientId === "frozen" && e.event === "disconnected"), "cut off", 2000);
    expect(b.broker.diagnose().droppedAtSubscribers).toBeGreaterThan(0);
    frozen.destroy();
  });
});
