import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectionError } from "@lineshaft/contract/ports";
import { generate, type Packet, parser } from "mqtt-packet";
import { afterEach, describe, expect, it } from "vitest";
import { type MqttSession, type MqttSessionOptions, openMqttSession } from "./session.ts";
import type { MqttMessage } from "./source.ts";
import { principal, realClock, testBroker, until } from "./test/broker.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});
const never = new AbortController().signal;

async function dial(port: number, change: Partial<MqttSessionOptions> = {}): Promise<MqttSession> {
  const session = await openMqttSession(
    {
      clock: realClock,
      host: "127.0.0.1",
      port,
      version: 5,
      clientId: "hub",
      username: "hub",
      password: "hub",
      clean: false,
      keepAliveSeconds: 30,
      qos: 1,
      ...change,
    },
    never,
  );
  cleanUp.push(() => session.close());
  return session;
}

/** A server that answers CONNECT with `connack` and leaves the rest to the test. */
async function fakeServer(
  connack: Packet | null,
  onPacket: (packet: Packet, socket: Socket) => void = () => {},
  protocolVersion: 4 | 5 = 5,
): Promise<{ port: number; connects: Packet[]; sockets: Socket[] }> {
  const connects: Packet[] = [];
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    const decode = parser({ protocolVersion });
    decode.on("packet", (packet) => {
      if (packet.cmd !== "connect") return onPacket(packet, socket);
      connects.push(packet);
      if (connack !== null) socket.write(generate(connack, { protocolVersion }));
    });
    socket.on("data", (bytes) => void decode.parse(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as { port: number }).port, connects, sockets };
}
const accepted: Packet = { cmd: "connack", reasonCode: 0, returnCode: 0, sessionPresent: false };
const failure = (promise: Promise<unknown>): Promise<ConnectionError> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error: ConnectionError) => error,
  );
const publish = (id: number, change: Partial<Packet> = {}): Buffer =>
  generate(
    {
      cmd: "publish",
      topic: "a/x",
      payload: String(id),
      qos: 1,
      messageId: id,
      dup: false,
      retain: false,
      ...change,
    } as Packet,
    {
      protocolVersion: 5,
    },
  );

describe("acknowledge last", () => {
  it("PUBACKs leave in the order of arrival, each only after its handler has resolved", async () => {
    const acks: number[] = [];
    const server = await fakeServer(accepted, (packet, socket) => {
      if (packet.cmd === "puback") acks.push(packet.messageId!);
      if (packet.cmd !== "subscribe") return;
      socket.write(generate({ cmd: "suback", messageId: packet.messageId, granted: [1] }, { protocolVersion: 5 }));
      for (const id of [11, 12, 13]) socket.write(publish(id));
    });
    const session = await dial(server.port);
    const durable = new Map<string, () => void>();
    await session.claim(
      ["a/#"],
      (m) => new Promise((resolve) => durable.set(Buffer.from(m.payload).toString(), resolve)),
    );
    await until(() => durable.size === 3, "three messages");
    durable.get("12")!();
    await sleep(20);
    expect(acks).toEqual([]);
    durable.get("11")!();
    await until(() => acks.length === 2, "two acknowledgements");
    expect(acks).toEqual([11, 12]);
    durable.get("13")!();
    await until(() => acks.length === 3, "the third");
  });

  it("a handler that rejects ends the session; nothing behind it is acknowledged", async () => {
    const acks: number[] = [];
    const server = await fakeServer(accepted, (packet, socket) => {
      if (packet.cmd === "puback") acks.push(packet.messageId!);
      if (packet.cmd !== "subscribe") return;
      socket.write(generate({ cmd: "suback", messageId: packet.messageId, granted: [1] }, { protocolVersion: 5 }));
      for (const id of [1, 2, 3]) socket.write(publish(id));
    });
    const session = await dial(server.port);
    await session.claim(["a/#"], async (m) => {
      if (m.packetId === 2) throw new Error("disk full");
    });
    expect(await session.lost).toMatchObject({ fault: "lost", technical: "disk full" });
    await sleep(20);
    expect(acks).toEqual([1]);
  });

  it("messages that come before the first claim wait for it, unacknowledged", async () => {
    const acks: number[] = [];
    const server = await fakeServer(accepted, (packet, socket) => {
      if (packet.cmd === "puback") acks.push(packet.messageId!);
      if (packet.cmd !== "subscribe") return;
      socket.write(generate({ cmd: "suback", messageId: packet.messageId, granted: [1] }, { protocolVersion: 5 }));
    });
    const session = await dial(server.port);
    for (const id of [1, 2]) server.sockets[0].write(publish(id));
    await sleep(30);
    expect(acks).toEqual([]);
    const seen: number[] = [];
    const claim = await session.claim(["a/#"], async (m) => void seen.push(m.packetId!));
    await until(() => acks.length === 2, "both");
    expect(seen).toEqual([1, 2]);
    await claim.release();
    server.sockets[0].write(publish(3));
    await sleep(30);
    expect(acks).toEqual([1, 2]);
    await session.claim(["a/#"], async (m) => void seen.push(m.packetId!));
    await until(() => acks.length === 3, "the third");
    expect(seen).toEqual([1, 2, 3]);
  });

  it("QoS 2: PUBREC after the handler; a repeated PUBLISH is not handed over again, also in the next session", async () => {
    const answers: string[] = [];
    const server = await fakeServer({ ...accepted, sessionPresent: true } as Packet, (packet, socket) => {
      if (packet.cmd === "pubrec" || packet.cmd === "pubcomp") answers.push(`${packet.cmd} ${packet.messageId}`);
      if (packet.cmd !== "subscribe") return;
      socket.write(generate({ cmd: "suback", messageId: packet.messageId, granted: [2] }, { protocolVersion: 5 }));
      socket.write(publish(5, { qos: 2 }));
    });
    const unreleased = new Set<number>();
    let handed = 0;
    const first = await dial(server.port, { unreleased, qos: 2 });
    await first.claim(["a/#"], async () => void handed++);
    await until(() => answers.length === 1, "PUBREC");
    first.destroy();
    const second = await dial(server.port, { unreleased, qos: 2 });
    await second.claim(["a/#"], async () => void handed++);
    await until(() => answers.length === 2, "PUBREC again");
    expect(handed).toBe(1);
    server.sockets[1].write(generate({ cmd: "pubrel", messageId: 5 }, { protocolVersion: 5 }));
    await until(() => answers.length === 3, "PUBCOMP");
    expect(answers).toEqual(["pubrec 5", "pubrec 5", "pubcomp 5"]);
    expect(unreleased.size).toBe(0);
  });

  it("what may be at the handlers is bounded: the socket is not read meanwhile", async () => {
    const server = await fakeServer(accepted, (packet, socket) => {
      if (packet.cmd !== "subscribe") return;
      socket.write(generate({ cmd: "suback", messageId: packet.messageId, granted: [0] }, { protocolVersion: 5 }));
      const one = publish(1, { qos: 0, payload: Buffer.alloc(1000) });
      for (let i = 0; i < 40; i++) socket.write(Buffer.concat(Array.from({ length: 500 }, () => one)));
    });
    const session = await dial(server.port, { inFlightMax: 50 });
    let handed = 0;
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    await session.claim(["a/#"], () => {
      handed++;
      return gate;
    });
    await sleep(100);
    // At most the bound and the rest of the chunk that was being read.
    expect(handed).toBeLessThan(50 + 200);
    release();
    await until(() => handed === 20_000, "everything, once there is room");
  });
});

describe("connect and lose", () => {
  const refusals = [
    [5, 0x87, "unauthorised"],
    [5, 0x86, "unauthorised"],
    [5, 0x85, "misconfigured"],
    [5, 0x84, "misconfigured"],
    [5, 0x88, "unreachable"],
    [5, 0x80, "protocol"],
    [4, 5, "unauthorised"],
    [4, 2, "misconfigured"],
    [4, 3, "unreachable"],
    [4, 1, "misconfigured"],
  ] as const;
  for (const [version, code, fault] of refusals) {
    it(`MQTT ${version} CONNACK 0x${code.toString(16)} → ${fault}, one attempt`, async () => {
      const connack: Packet = { cmd: "connack", reasonCode: code, returnCode: code, sessionPresent: false };
      const server = await fakeServer(connack, () => {}, version);
      expect(await failure(dial(server.port, { version }))).toMatchObject({ name: "ConnectionError", fault });
      expect(server.connects).toHaveLength(1);
    });
  }

  it("nobody there, no answer, and no MQTT", async () => {
    expect(await failure(dial(1))).toMatchObject({ fault: "unreachable", hint: expect.stringContaining("port") });
    const silent = await fakeServer(null);
    expect(await failure(dial(silent.port, { connectTimeoutMs: 50 }))).toMatchObject({ fault: "unreachable" });
    const other = createServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    cleanUp.push(() => other.close());
    expect(await failure(dial((other.address() as { port: number }).port))).toMatchObject({ fault: "protocol" });
  });

  it("an abort ends the attempt at once with the signal's reason", async () => {
    const silent = await fakeServer(null);
    const stop = new AbortController();
    const options = { clock: realClock, host: "127.0.0.1", port: silent.port, version: 5, clientId: "hub" } as const;
    const attempt = openMqttSession({ ...options, clean: true, keepAliveSeconds: 30, qos: 1 }, stop.signal);
    setTimeout(() => stop.abort(new Error("enough")), 20);
    await expect(attempt).rejects.toThrow("enough");
  });

  it("F2: a peer that falls silent is found within 1.5 × keep-alive", async () => {
    const server = await fakeServer(accepted);
    const session = await dial(server.port, { keepAliveSeconds: 1 });
    const begin = performance.now();
    expect(await session.lost).toMatchObject({ fault: "lost", technical: expect.stringContaining("PINGREQ") });
    expect(performance.now() - begin).toBeLessThan(1500);
  });

  it("a server's DISCONNECT says why", async () => {
    const server = await fakeServer(accepted);
    const session = await dial(server.port);
    server.sockets[0].write(generate({ cmd: "disconnect", reasonCode: 0x8e }, { protocolVersion: 5 }));
    expect(await session.lost).toMatchObject({
      fault: "lost",
      technical: "DISCONNECT 0x8e",
      hint: expect.stringContaining("Another client"),
    });
  });

  it("a refused subscription is said", async () => {
    const b = await testBroker([principal("hub", { subscribe: ["acme/#"] })]);
    cleanUp.push(() => b.close());
    const session = await dial(b.port);
    expect(await failure(session.claim(["other/#"], async () => {}))).toMatchObject({
      fault: "unauthorised",
      technical: "SUBACK 0x87",
    });
  });
});

describe("a real broker", () => {
  it("the embedded one: publish and receive at QoS 0 and 1, will on a broken connection only", async () => {
    const b = await testBroker([principal("hub"), principal("press")]);
    cleanUp.push(() => b.close());
    for (const version of [4, 5] as const) {
      const will = { topic: "acme/hub/gone", payload: Buffer.from("yes"), qos: 1, retain: false } as const;
      const session = await dial(b.port, { version, will, clean: true });
      const seen: MqttMessage[] = [];
      await session.claim(["acme/press/#"], async (m) => void seen.push({ ...m, payload: Buffer.from(m.payload) }));
      const press = await b.connect("press", { protocolVersion: version });
      const heard: string[] = [];
      press.on("message", (topic) => void heard.push(topic));
      await press.subscribeAsync("acme/hub/#", { qos: 1 });
      await session.publish("acme/hub/cmd", Buffer.from("go"), { qos: 1, retain: false });
      await session.publish("acme/hub/cmd0", Buffer.from("go"), { qos: 0, retain: false });
      await press.publishAsync("acme/press/t", "20", { qos: 1 });
      await press.publishAsync("acme/press/t", "21", { qos: 0 });
      await until(() => seen.length === 2 && heard.length === 2, "both ways");
      expect(seen.map((m) => [m.qos, Buffer.from(m.payload).toString()])).toEqual([
        [1, "20"],
        [0, "21"],
      ]);
      await session.close();
      await sleep(20);
      expect(heard).not.toContain("acme/hub/gone");
      const broken = await dial(b.port, { version, will, clean: true });
      broken.destroy();
      await until(() => heard.includes("acme/hub/gone"), "the will");
      press.end(true);
      await until(() => b.broker.diagnose().connections === 0, "all gone");
    }
  });
});
