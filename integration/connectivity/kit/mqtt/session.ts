// Hot path: long and imperative on purpose. A session with an external broker that acknowledges only what is durable; mqtt.js cannot do that
// without handling one message at a time (FACTS: Transport).
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Clock, ConnectionError, type ConnectorContext, type RestsOn } from "@lineshaft/contract/ports";
import { generate, type IConnackPacket, type IPublishPacket, type Packet, parser } from "mqtt-packet";
import { restsOn } from "./certificates.ts";
import { connackFault, disconnectFault, protocolFault, socketFault, subscribeFault } from "./session-faults.ts";
import type { MqttClaim, MqttMessage, MqttSource } from "./source.ts";
import { TopicTree } from "./topic.ts";
import { packetNote } from "./wire.ts";

export interface MqttSessionOptions {
  clock: Clock;
  host: string;
  port: number;
  tls?: { authorities?: string; key?: string; certificate?: string; serverName?: string };
  version: 4 | 5;
  clientId: string;
  username?: string;
  password?: string;
  /** False: the broker keeps the session, so that unacknowledged messages come again after a break. */
  clean: boolean;
  /** How long the broker keeps it (MQTT 5); ignored for a clean session, which ends with its connection. */
  sessionExpirySeconds?: number;
  keepAliveSeconds: number;
  will?: { topic: string; payload: Uint8Array; qos: 0 | 1; retain: boolean };
  /** QoS that subscriptions ask for. */
  qos: 0 | 1 | 2;
  /** Messages that may be at the handlers; beyond, reading from the socket pauses. */
  inFlightMax?: number;
  packetBytesMax?: number;
  connectTimeoutMs?: number;
  /** QoS 2 numbers between PUBLISH and PUBREL; kept by the caller across sessions. */
  unreleased?: Set<number>;
  /** Asked for each packet: somebody may begin to look, or cease to, at any time. */
  wire?(): ConnectorContext["wire"];
}

interface Claim {
  handler: (message: MqttMessage) => Promise<void>;
  active: number;
  idle: (() => void) | null;
}

/** A message above QoS 0 from its arrival to its acknowledgement; acknowledged in the order of arrival (MQTT 4.6). */
interface Unacknowledged {
  qos: 1 | 2;
  id: number;
  durable: boolean;
}

interface Waiter {
  resolve(packet: Packet): void;
  reject(error: Error): void;
}

const writeBacklogMax = 4 * 1024 * 1024;
const waitersMax = 1000;

/** Dials the broker once and resolves when it has accepted us; rejects with ConnectionError. */
export async function openMqttSession(options: MqttSessionOptions, signal: AbortSignal): Promise<MqttSession> {
  signal.throwIfAborted();
  const session = new MqttSession(options);
  const abort = (): void => session.destroy(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await session.open();
    return session;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

export class MqttSession implements MqttSource {
  readonly lost: Promise<Error>;
  /** Did the broker still know our session? */
  sessionPresent = false;
  readonly #o: MqttSessionOptions;
  readonly #where: string;
  readonly #socket: Socket;
  readonly #parser: ReturnType<typeof parser>;
  readonly #claims = new TopicTree<Claim>();
  readonly #subscribed = new Set<string>();
  readonly #waiters = new Map<number, Waiter>();
  readonly #unreleased: Set<number>;
  readonly #inFlightMax: number;
  readonly #packetBytesMax: number;
  readonly #timers = new AbortController();
  #unacknowledged: Unacknowledged[] = [];
  /** Arrived while nobody had claimed anything; they wait, and the socket with them. Bounded above QoS 0 by the broker's own window. */
  #held: IPublishPacket[] = [];
  #inFlight = 0;
  #claimCount = 0;
  #nextId = 0;
  #connack: ((packet: IConnackPacket) => void) | null = null;
  #established = false;
  #ended: Error | null = null;
  #end!: (error: Error) => void;
  #lastReceivedMs = 0;
  #lastSentMs = 0;
  #pingSentMs: number | null = null;
  #paused = false;
  #acknowledging = false;
  #certificates: RestsOn[] = [];
  readonly #counts = { received: 0, acknowledged: 0, unclaimed: 0, dropped: 0, published: 0 };

  constructor(options: MqttSessionOptions) {
    this.#o = options;
    this.#where = `${options.host}:${options.port}`;
    this.#unreleased = options.unreleased ?? new Set();
    this.#inFlightMax = options.inFlightMax ?? 1024;
    this.#packetBytesMax = options.packetBytesMax ?? 16 * 1024 * 1024;
    this.lost = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#parser = parser({ protocolVersion: options.version });
    this.#parser.on("packet", (packet) => this.#onPacket(packet));
    this.#parser.on("error", (error: Error) => this.#fail(protocolFault(this.#where, error.message, error)));
    const { host, port, tls } = options;
    this.#socket =
      tls === undefined
        ? connectTcp({ host, port, noDelay: true })
        : connectTls({
            host,
            port,
            servername: tls.serverName ?? (/^[\d.]+$|:/.test(host) ? undefined : host),
            ca: tls.authorities,
            key: tls.key,
            cert: tls.certificate,
            minVersion: "TLSv1.2",
          });
    this.#socket.on("error", (error) => this.#fail(socketFault(error, this.#where, this.#established)));
    this.#socket.on("close", () => {
      const error = new Error("The broker closed the connection.");
      this.#fail(socketFault(error, this.#where, this.#established));
    });
    this.#socket.on("data", (bytes: Buffer) => this.#onData(bytes));
  }

  async open(): Promise<void> {
    const { clock, version, tls } = this.#o;
    const timeoutMs = this.#o.connectTimeoutMs ?? 10_000;
    clock.sleep(timeoutMs, this.#timers.signal).then(
      () => {
        if (this.#established) return;
        const error = new Error(`No answer within ${timeoutMs / 1000} s.`);
        this.#fail(socketFault(error, this.#where, false));
      },
      () => {},
    );
    const accepted = new Promise<IConnackPacket>((resolve) => {
      this.#connack = resolve;
    });
    this.#socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      this.#socket.setNoDelay(true);
      this.#socket.write(generate(this.#connectPacket(), { protocolVersion: version }));
      this.#lastSentMs = clock.monotonicMs();
      this.#o.wire?.()?.("out", new Uint8Array(), "CONNECT (content hidden: it holds the credential)");
    });
    const first = await Promise.race([accepted, this.lost]);
    if (first instanceof Error) throw first;
    const code = (version === 5 ? first.reasonCode : first.returnCode) ?? 0;
    if (code !== 0) {
      const fault = connackFault(version, code, this.#where);
      this.#fail(fault);
      throw fault;
    }
    this.sessionPresent = first.sessionPresent;
    // What the broker has forgotten can never be released.
    if (!this.sessionPresent) this.#unreleased.clear();
    this.#established = true;
    this.#certificates = restsOn(this.#socket, tls?.certificate);
    const keepAliveMs = 1000 * (first.properties?.serverKeepAlive ?? this.#o.keepAliveSeconds);
    if (keepAliveMs > 0) void this.#keepAlive(keepAliveMs);
    this.#flow();
  }

  async claim(filters: readonly string[], handler: Claim["handler"]): Promise<MqttClaim> {
    if (this.#ended !== null) throw this.#ended;
    const claim: Claim = { handler, active: 0, idle: null };
    for (const filter of filters) this.#claims.add(filter, claim);
    this.#claimCount++;
    const held = this.#held;
    this.#held = [];
    for (const packet of held) this.#deliver(packet);
    this.#flow();
    const missing = filters.filter((filter) => !this.#subscribed.has(filter));
    if (missing.length > 0) await this.#subscribe(missing);
    return {
      release: async () => {
        for (const filter of filters) this.#claims.remove(filter, (value) => value === claim);
        this.#claimCount--;
        this.#flow();
        if (claim.active > 0 && this.#ended === null) {
          const idle = new Promise<void>((resolve) => {
            claim.idle = resolve;
          });
          await Promise.race([idle, this.lost]);
        }
      },
    };
  }

  async publish(topic: string, payload: Uint8Array, options: { qos: 0 | 1; retain: boolean }): Promise<void> {
    if (this.#ended !== null) throw this.#ended;
    if (this.#socket.writableLength > writeBacklogMax)
      throw socketFault(new Error("The broker takes nothing at the moment."), this.#where, true);
    const { qos, retain } = options;
    const packet = { cmd: "publish", topic, payload: Buffer.from(payload), qos, retain, dup: false } as const;
    this.#counts.published++;
    if (qos === 0) return this.#send(packet);
    const answer = await this.#ask((messageId) => ({ ...packet, messageId }));
    const code = "reasonCode" in answer ? (answer.reasonCode ?? 0) : 0;
    if (code >= 0x80) {
      const hint = "Allow this topic for the connection's user at the broker.";
      const technical = `PUBACK 0x${code.toString(16)}`;
      throw new ConnectionError("unauthorised", `${this.#where} refuses to publish on "${topic}".`, hint, technical);
    }
  }

  /** Ends the session in order; the will is not sent. */
  async close(): Promise<void> {
    if (this.#ended !== null) return;
    this.#acknowledgeDurable();
    this.#send({ cmd: "disconnect", reasonCode: 0 });
    const closed = new Promise<void>((resolve) => void this.#socket.once("close", () => resolve()));
    const { clock } = this.#o;
    this.#stop(new ConnectionError("lost", `The session with ${this.#where} was closed.`, "Connect again."));
    this.#socket.end();
    const over = new AbortController();
    await Promise.race([closed, clock.sleep(500, over.signal).catch(() => undefined)]);
    over.abort();
    this.#socket.destroy();
  }

  /** Ends it without a word; the broker sends the will. */
  destroy(reason?: unknown): void {
    const detail = reason instanceof Error ? reason.message : "";
    this.#fail(new ConnectionError("lost", `The session with ${this.#where} was ended.`, "Connect again.", detail));
  }

  diagnose(): Record<string, unknown> {
    return {
      broker: this.#where,
      clientId: this.#o.clientId,
      established: this.#established && this.#ended === null,
      sessionPresent: this.sessionPresent,
      subscriptions: [...this.#subscribed],
      inFlight: this.#inFlight,
      held: this.#held.length,
      paused: this.#paused,
      certificates: this.#certificates,
      ...this.#counts,
    };
  }

  // ── what comes in ─────────────────────────────────────────────────────────────────────────────────────────────────

  #onData(bytes: Buffer): void {
    this.#lastReceivedMs = this.#o.clock.monotonicMs();
    // What is left in the parser is one unfinished packet: bounded whatever length it announces.
    if (this.#parser.parse(bytes) > this.#packetBytesMax + 65_536) {
      this.#fail(protocolFault(this.#where, `A packet above ${this.#packetBytesMax} bytes.`));
    }
  }

  #onPacket(packet: Packet): void {
    if (this.#ended !== null) return;
    const wire = this.#o.wire?.();
    // Packet by packet, whatever the pieces of the stream were: a capture may begin at any time.
    wire?.("in", generate(packet, { protocolVersion: this.#o.version }), packetNote(packet));
    switch (packet.cmd) {
      case "connack":
        this.#connack?.(packet);
        this.#connack = null;
        return;
      case "publish":
        this.#onPublish(packet);
        return;
      case "pubrel":
        this.#unreleased.delete(packet.messageId!);
        this.#send({ cmd: "pubcomp", messageId: packet.messageId, reasonCode: 0 });
        return;
      case "pingresp":
        this.#pingSentMs = null;
        return;
      case "puback":
      case "suback":
      case "unsuback": {
        const waiter = this.#waiters.get(packet.messageId!);
        this.#waiters.delete(packet.messageId!);
        waiter?.resolve(packet);
        this.#flow();
        return;
      }
      case "disconnect":
        this.#fail(disconnectFault(packet.reasonCode ?? 0, this.#where));
        return;
      default:
        // 3.1.1, 4.8: what a server must not send ends the connection.
        this.#fail(protocolFault(this.#where, `Unexpected ${packet.cmd}.`));
        return;
    }
  }

  #onPublish(packet: IPublishPacket): void {
    this.#counts.received++;
    if (this.#claimCount === 0) {
      if (packet.qos > 0 || this.#held.length < this.#inFlightMax) this.#held.push(packet);
      else this.#counts.dropped++;
      this.#flow();
      return;
    }
    this.#deliver(packet);
  }

  #deliver(packet: IPublishPacket): void {
    const { qos, topic } = packet;
    let entry: Unacknowledged | null = null;
    if (qos > 0) {
      entry = { qos: qos as 1 | 2, id: packet.messageId!, durable: false };
      this.#unacknowledged.push(entry);
    }
    // 4.3.3: a QoS 2 message whose PUBREC was lost comes again and is not handed over again.
    const repeated = qos === 2 && this.#unreleased.has(packet.messageId!);
    const claims = repeated ? [] : this.#claims.match(topic);
    if (claims.length === 0) {
      if (!repeated) this.#counts.unclaimed++;
      if (entry !== null) entry.durable = true;
      this.#acknowledge();
      return;
    }
    const message: MqttMessage = {
      topic,
      payload: packet.payload as Buffer,
      qos,
      retain: packet.retain,
      dup: packet.dup,
      packetId: packet.messageId ?? null,
      clientId: null,
      receivedUs: this.#o.clock.nowUs(),
    };
    this.#inFlight++;
    const one = claims.length === 1 || claims.every((claim) => claim === claims[0]);
    const handled: Promise<unknown> = one
      ? run(claims[0], message)
      : Promise.all([...new Set(claims)].map((claim) => run(claim, message)));
    handled.then(
      () => {
        this.#inFlight--;
        if (entry !== null) entry.durable = true;
        this.#acknowledge();
        this.#flow();
      },
      (error: unknown) => {
        this.#inFlight--;
        if (entry === null) return this.#flow();
        this.#acknowledgeDurable();
        // Only a new session makes the broker send it again (4.4).
        const technical = error instanceof Error ? error.message : String(error);
        const hint = "The broker sends what was not acknowledged again after the next connect.";
        this.#fail(new ConnectionError("lost", "A message could not be stored.", hint, technical, { cause: error }));
      },
    );
    if (this.#inFlight >= this.#inFlightMax) this.#flow();
  }

  /** Many become durable in one instant: they are acknowledged in one write, after the last of them. */
  #acknowledge(): void {
    if (this.#acknowledging) return;
    this.#acknowledging = true;
    queueMicrotask(() => {
      this.#acknowledging = false;
      this.#acknowledgeDurable();
    });
  }

  #acknowledgeDurable(): void {
    if (this.#ended !== null) return;
    const queue = this.#unacknowledged;
    let done = 0;
    while (done < queue.length && queue[done].durable) done++;
    if (done === 0) return;
    const wire = this.#o.wire?.();
    const bytes = Buffer.allocUnsafe(4 * done);
    for (let i = 0; i < done; i++) {
      const { qos, id } = queue[i];
      if (qos === 2) this.#unreleased.add(id);
      // PUBACK and PUBREC without a reason, which says success in MQTT 5 as well (3.4.2.1).
      bytes.writeUInt16BE(qos === 1 ? 0x4002 : 0x5002, 4 * i);
      bytes.writeUInt16BE(id, 4 * i + 2);
      const cmd = qos === 1 ? "puback" : "pubrec";
      wire?.("out", bytes.subarray(4 * i, 4 * i + 4), packetNote({ cmd, messageId: id }));
    }
    this.#unacknowledged = queue.slice(done);
    this.#counts.acknowledged += done;
    this.#write(bytes);
  }

  /** Reads only while somebody wants messages and there is room; TCP holds the broker back. */
  #flow(): void {
    const waiting = (this.#claimCount === 0 && this.#held.length > 0) || this.#inFlight >= this.#inFlightMax;
    // An answer that we asked for lies behind the messages, so it is read on to it.
    const stop = this.#established && waiting && this.#waiters.size === 0;
    if (stop === this.#paused || this.#ended !== null) return;
    this.#paused = stop;
    if (stop) {
      this.#socket.pause();
    } else {
      // Answers may have waited unread meanwhile.
      this.#lastReceivedMs = this.#o.clock.monotonicMs();
      this.#pingSentMs = null;
      this.#socket.resume();
    }
  }

  // ── what goes out ─────────────────────────────────────────────────────────────────────────────────────────────────

  #connectPacket(): Packet {
    const { version, clientId, username, password, clean, keepAliveSeconds, will } = this.#o;
    return {
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: version,
      clientId,
      clean,
      keepalive: keepAliveSeconds,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password: Buffer.from(password) }),
      ...(will === undefined ? {} : { will: { ...will, payload: Buffer.from(will.payload) } }),
      ...(version === 4
        ? {}
        : {
            properties: {
              sessionExpiryInterval: clean ? 0 : (this.#o.sessionExpirySeconds ?? 86_400),
              receiveMaximum: Math.min(65_535, this.#inFlightMax),
              maximumPacketSize: this.#packetBytesMax,
            },
          }),
    };
  }

  async #subscribe(filters: readonly string[]): Promise<void> {
    const { qos, clean, version } = this.#o;
    // A session that the broker kept need not bring its retained messages again (MQTT 5: retain handling 1).
    const retained = version === 5 && !clean ? { rh: 1 } : {};
    const subscriptions = filters.map((topic) => ({ topic, qos, nl: false, rap: true, ...retained }));
    const answer = await this.#ask((messageId) => ({ cmd: "subscribe", messageId, subscriptions }));
    const granted = answer.cmd === "suback" ? (answer.granted as number[]) : [];
    for (let i = 0; i < filters.length; i++) {
      if (granted[i] >= 0x80) throw subscribeFault(granted[i], filters[i], this.#where);
      this.#subscribed.add(filters[i]);
    }
  }

  #ask(packet: (messageId: number) => Packet): Promise<Packet> {
    if (this.#waiters.size >= waitersMax) return Promise.reject(new Error("Too many packets wait for the broker."));
    do this.#nextId = (this.#nextId % 65_535) + 1;
    while (this.#waiters.has(this.#nextId));
    const id = this.#nextId;
    return new Promise((resolve, reject) => {
      this.#waiters.set(id, { resolve, reject });
      this.#send(packet(id));
      this.#flow();
    });
  }

  #send(packet: Packet): void {
    if (this.#ended !== null) return;
    const bytes = generate(packet, { protocolVersion: this.#o.version });
    this.#o.wire?.()?.("out", bytes, packetNote(packet));
    this.#write(bytes);
  }

  #write(bytes: Buffer): void {
    this.#lastSentMs = this.#o.clock.monotonicMs();
    this.#socket.write(bytes);
  }

  /** F2: a peer that has gone silent is found within 1.5 × keep-alive: asked after half of it, given up half of it later. */
  async #keepAlive(keepAliveMs: number): Promise<void> {
    const { clock } = this.#o;
    this.#lastReceivedMs = clock.monotonicMs();
    try {
      for (;;) {
        await clock.sleep(keepAliveMs / 8, this.#timers.signal);
        const now = clock.monotonicMs();
        if (!this.#paused && this.#pingSentMs !== null && now - this.#pingSentMs >= keepAliveMs / 2) {
          const error = new Error(`No answer to PINGREQ within ${keepAliveMs / 2000} s.`);
          return this.#fail(socketFault(error, this.#where, true));
        }
        const quiet = now - Math.min(this.#lastReceivedMs, this.#lastSentMs) >= keepAliveMs / 2;
        if (!quiet || (this.#pingSentMs !== null && !this.#paused)) continue;
        this.#pingSentMs = now;
        this.#send({ cmd: "pingreq" });
      }
    } catch {
      // Closed.
    }
  }

  #fail(error: Error): void {
    if (this.#ended !== null) return;
    this.#stop(error);
    this.#socket.destroy();
  }

  #stop(error: Error): void {
    this.#ended = error;
    this.#timers.abort();
    this.#held = [];
    this.#unacknowledged = [];
    for (const waiter of this.#waiters.values()) waiter.reject(error);
    this.#waiters.clear();
    this.#end(error);
  }
}

async function run(claim: Claim, message: MqttMessage): Promise<void> {
  claim.active++;
  try {
    await claim.handler(message);
  } finally {
    claim.active--;
    if (claim.active === 0) claim.idle?.();
  }
}
