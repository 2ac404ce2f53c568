import type { Socket } from "node:net";
import { ConnectionError } from "@lineshaft/contract/ports";
import type { Aedes, AedesPublishPacket, AuthenticateError, Client, ConnectPacket, PublishPacket } from "aedes";
import { type MqttPrincipal, mayPublish, mayReceive, maySubscribe } from "./broker-access.ts";
import { BrokerDoors } from "./broker-doors.ts";
import { type Entrant, judgeEntrant, refusal } from "./broker-entry.ts";
import {
  type BrokerEvent,
  type BrokerLimits,
  type BrokerListener,
  type BrokerOptions,
  defaultLimits,
} from "./broker-options.ts";
import { BrokerSource, type Claims } from "./broker-source.ts";
import { BrokerStore, defaultStoreLimits } from "./broker-store.ts";
import { ClientIdOwners } from "./client-id-owners.ts";
import { Emitter } from "./emitter.ts";

import type { MqttMessage, MqttSource } from "./source.ts";
import { topicNameFault } from "./topic.ts";

interface Session {
  principal: string;
  /** As the client spells it. */
  clientId: string;
  remoteAddress: string;
  violations: number;
  /** Has it a subscription above QoS 0? Only then must it not miss anything. */
  reliable: boolean;
  /** QoS 2 messages under way by packet number: a repeat waits for the first. */
  receiving: Map<number, Promise<boolean>>;
}

/** MQTT 5, 2.4. */
const reason = {
  notAuthorised: 0x87,
  topicNameInvalid: 0x90,
  receiveMaximum: 0x93,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
} as const;
/** The platform's own publications; no client's identifier begins so. */
const ownClientId = (realm: string): string => `$lineshaft/${realm}`;

/**
 * The embedded MQTT broker (3.1.1 and 5) on aedes. A PUBLISH that somebody of the platform has claimed is acknowledged only after the claim's handler has
 * resolved, i.e. after it is durable; all rights are checked at connect, publish, subscribe and again at delivery.
 */
export class EmbeddedBroker {
  readonly #o: BrokerOptions;
  readonly #limits: BrokerLimits;
  readonly #store: BrokerStore;
  readonly #claims: Claims;
  readonly #entrants = new WeakMap<Client, Entrant>();
  readonly #sessions = new WeakMap<object, Session>();
  /** Whose a client id is: of the first who used it. Retained messages are judged by it too. */
  readonly #owners = new ClientIdOwners();
  readonly #clients = new Set<Client>();
  readonly #doors: BrokerDoors;
  #aedes: Aedes | null = null;
  #starting: Promise<void> | null = null;
  #closed = false;
  readonly #counts = { received: 0, refused: 0, unclaimed: 0, unacknowledged: 0, droppedAtSubscribers: 0, cut: 0 };

  constructor(options: BrokerOptions) {
    this.#o = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#store = new BrokerStore({ ...defaultStoreLimits, ...options.storeLimits }, (id) => this.#realmOf(id));
    this.#claims = { clock: options.clock, holdMs: this.#limits.holdMs, sources: new Set() };
    this.#doors = new BrokerDoors(this.#limits, options.clock, (socket) => this.#aedes?.handle(socket));
  }

  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { Aedes } = await import("aedes");
    const limits = this.#limits;
    this.#aedes = await Aedes.createBroker({
      mq: new Emitter(),
      persistence: this.#store,
      connectTimeout: limits.connectTimeoutMs,
      drainTimeout: limits.drainTimeoutMs,
      keepaliveLimit: limits.keepAliveSeconds,
      maximumPacketSize: limits.packetBytes,
      receiveMaximum: this.#store.limits.unreleased,
      // Twelve levels are ours and answered with a reason; this one only keeps nonsense away from the trees.
      maxTopicLevels: 100,
      sessionExpiryIntervalLimit: 86_400,
      pendingSessionsLimit: this.#store.limits.sessions,
      preConnect: (client, packet, done) => {
        if (packet.protocolVersion !== 4 && packet.protocolVersion !== 5)
          done(new Error("Only MQTT 3.1.1 and 5 are spoken."), false);
        else if (userProperties(packet) > limits.userProperties) done(new Error("Too many user properties."), false);
        else
          this.#judge(client, packet).then(
            () => done(null, true),
            (error: Error) => done(error, false),
          );
      },
      authenticate: (client, _username, _password, done) => {
        const refused = this.#enter(client);
        done(refused, refused === null);
      },
      authorizePublish: (client, packet, done) => this.#publish(client, packet, done),
      authorizeSubscribe: (client, subscription, done) => {
        const { session, principal } = this.#who(client);
        if (session !== null && principal !== null && maySubscribe(principal, subscription.topic)) {
          if (subscription.qos > 0) session.reliable = true;
          return done(null, subscription);
        }
        this.#violation(client, session, `subscribe ${subscription.topic.slice(0, 200)}`);
        done(null, null);
      },
      authorizeForward: (client, packet) => this.#forward(client, packet),
    });
    this.#aedes.on("clientReady", (client) => {
      // It may have gone while it was being let in.
      if (!client.closed) this.#clients.add(client);
    });
    this.#aedes.on("clientDisconnect", (client) => {
      this.#clients.delete(client);
      this.#tell("disconnected", client, "");
    });
    // aedes tears a connection down itself; what it says is for the audit.
    this.#aedes.on("clientError", (client, error) => this.#tell("cut", client, error.message));
    this.#aedes.on("connectionError", (client, error) => this.#tell("refused", client, error.message));
  }

  /** Opens one port more; resolves with the port. */
  async listen(listener: BrokerListener): Promise<number> {
    await this.start();
    return this.#doors.open(listener);
  }

  /** The messages of one realm, for a codec to claim; `accepts` says whose. */
  source(realm: string, accepts: (publisher: MqttPrincipal) => boolean = () => true): BrokerSource {
    const publish: MqttSource["publish"] = async (topic, payload, { qos, retain }) => {
      const packet = { cmd: "publish", topic, payload: Buffer.from(payload), qos, retain, dup: false } as const;
      // The connections stand before the first door opens, and say so (Sparkplug's STATE): what is retained waits behind the door.
      await this.start();
      const aedes = this.#closed ? null : this.#aedes;
      if (aedes === null) throw new ConnectionError("lost", "The broker has ended.", "It comes back with the server.");
      await new Promise<void>((resolve, reject) => {
        const stamped: PublishPacket & { clientId: string } = { ...packet, clientId: ownClientId(realm) };
        aedes.publish(stamped, (error) => (error ? reject(error) : resolve()));
      });
    };
    return new BrokerSource(realm, this.#claims, publish, accepts);
  }

  /** Ends the connections whose principal is no more: revoked, expired. What it may not do it could not do before either; the host asks every second or so. */
  cutRevoked(): void {
    for (const client of this.#clients) {
      const { session, principal } = this.#who(client);
      if (session === null || principal !== null) continue;
      this.#counts.cut++;
      this.#tell("cut", client, "The credential has been revoked or has expired.");
      client.disconnect({ reasonCode: reason.notAuthorised });
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const source of this.#claims.sources) source.end();
    const stopped = this.#doors.close();
    await this.#starting;
    const aedes = this.#aedes;
    if (aedes !== null) await new Promise<void>((resolve) => aedes.close(resolve));
    // Connections that never said CONNECT are unknown to aedes.
    this.#doors.dismiss();
    await stopped;
  }

  diagnose(): Record<string, unknown> {
    return { connections: this.#doors.connections, ...this.#doors.counts, ...this.#counts, ...this.#store.counts() };
  }

  // ── connect ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Before aedes takes the client identifier: from here on it begins with the realm. */
  async #judge(client: Client, packet: ConnectPacket): Promise<void> {
    const entrant = await judgeEntrant(this.#o, packet, client.conn as Socket);
    this.#entrants.set(client, entrant);
    const { admitted, clientId } = entrant;
    if (!(admitted instanceof Error) && clientId !== "")
      packet.clientId = ClientIdOwners.inside(admitted.realm, clientId);
  }

  #enter(client: Client): AuthenticateError | null {
    const entrant = this.#entrants.get(client) as Entrant;
    const refused = this.#refusal(client, entrant);
    if (refused !== null) {
      this.#counts.refused++;
      return refused;
    }
    const { name, realm } = entrant.admitted as MqttPrincipal;
    const clientId = entrant.clientId === "" ? client.id : entrant.clientId;
    const { remoteAddress } = entrant;
    this.#sessions.set(client, {
      principal: name,
      clientId,
      remoteAddress,
      violations: 0,
      reliable: false,
      receiving: new Map(),
    });
    if (this.#owners.bind(client.id, { principal: name, realm }, this.#limits.clientIds)) this.#store.forget(client.id);
    this.#tell("connected", client, "");
    return null;
  }

  /** A22: whoever takes a client id over takes the session with it, so it stays with the principal that used it first, as long as that one may connect. */
  #refusal(client: Client, { admitted }: Entrant): AuthenticateError | null {
    if (admitted instanceof Error) return admitted;
    const owner = this.#owners.get(client.id)?.principal ?? admitted.name;
    if (owner === admitted.name || this.#o.principal(owner) === null) return null;
    return refusal("identifierRejected", `"${admitted.name}" may not use the client identifier of another.`);
  }

  /** Whose publications a client's are; null: nobody knows any more. */
  #realmOf(clientId: string): string | null {
    const own = ownClientId("");
    return clientId.startsWith(own) ? clientId.slice(own.length) : (this.#owners.get(clientId)?.realm ?? null);
  }

  // ── publish ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** aedes acknowledges as soon as `done` is called, so it is called when the message is durable (FACTS: Transport). */
  #publish(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
    if (client === null) {
      done(new Error("Nobody published this."));
      return;
    }
    const { session, principal } = this.#who(client);
    const { topic } = packet;
    if (principal === null || session === null || !mayPublish(principal, topic)) {
      const invalid = topicNameFault(topic);
      this.#violation(client, session, `publish ${topic.slice(0, 200)}`);
      if (invalid !== null && client.connected) {
        client.disconnect({ reasonCode: reason.topicNameInvalid });
        return;
      }
      done(new Error("not authorised"));
      return;
    }
    if (userProperties(packet) > this.#limits.userProperties) {
      this.#violation(client, session, "too many user properties");
      client.disconnect({ reasonCode: reason.packetTooLarge });
      return;
    }
    this.#counts.received++;
    // Survives aedes' copies, so that the publisher is known at delivery and with the retained message.
    (packet as PublishPacket & { clientId?: string }).clientId = client.id;
    const settled = (durable: boolean): void => {
      if (durable) {
        done();
        return;
      }
      this.#counts.unacknowledged++;
      // An error would be answered by MQTT 5 with a refusal, after which the sender forgets the message. Without an answer it sends it again.
      if (packet.qos === 0) done();
      else client.close();
    };
    if (packet.qos !== 2 || packet.messageId === undefined) {
      this.#hand(client, principal, packet, settled);
      return;
    }
    this.#publishOnce(client, session, principal, packet as PublishPacket & { messageId: number }, settled);
  }

  /** QoS 2: a repeat of what is durable, or on its way there, is acknowledged and not handed over again (4.3.3). */
  #publishOnce(
    client: Client,
    session: Session,
    principal: MqttPrincipal,
    packet: PublishPacket & { messageId: number },
    settled: (durable: boolean) => void,
  ): void {
    const { messageId } = packet;
    if (this.#store.isUnreleased(client.id, messageId)) {
      settled(true);
      return;
    }
    const first = session.receiving.get(messageId);
    if (first !== undefined) return void first.then(settled);
    if (this.#store.unreleasedFull(client.id)) {
      client.disconnect({ reasonCode: reason.receiveMaximum });
      return;
    }
    const outcome = new Promise<boolean>((resolve) => this.#hand(client, principal, packet, resolve));
    session.receiving.set(messageId, outcome);
    void outcome.then((durable) => {
      settled(durable);
      session.receiving.delete(messageId);
    });
  }

  #hand(client: Client, principal: MqttPrincipal, packet: PublishPacket, settled: (durable: boolean) => void): void {
    const message: MqttMessage = {
      topic: packet.topic,
      payload: packet.payload as Buffer,
      qos: packet.qos,
      retain: packet.retain,
      dup: packet.dup ?? false,
      packetId: packet.messageId ?? null,
      clientId: this.#sessions.get(client)?.clientId ?? client.id,
      receivedUs: this.#o.clock.nowUs(),
    };
    const pending: Promise<void>[] = [];
    for (const source of this.#claims.sources) {
      if (source.realm !== principal.realm || !source.accepts(principal)) continue;
      const handled = source.hand(message);
      if (handled !== null) pending.push(handled);
    }
    if (pending.length === 0) {
      this.#counts.unclaimed++;
      settled(true);
      return;
    }
    const all: Promise<unknown> = pending.length === 1 ? pending[0] : Promise.all(pending);
    all.then(
      () => settled(true),
      () => settled(false),
    );
  }

  // ── deliver ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The last check before a message leaves: rights now, realm, and whether the subscriber still takes anything. */
  #forward(client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
    const { session, principal } = this.#who(client);
    if (session === null || principal === null || !mayReceive(principal, packet.topic)) return null;
    const publisher =
      (packet as { clientId?: string }).clientId ?? this.#store.publisherOf(packet.payload as Buffer) ?? null;
    if (publisher === null || !this.#mayComeFrom(publisher, principal.realm, packet.topic)) return null;
    if ((client.conn as Socket).writableLength > this.#limits.backlogBytes) {
      if (packet.qos === 0 || !session.reliable) {
        this.#counts.droppedAtSubscribers++;
      } else {
        this.#counts.cut++;
        this.#tell("cut", client, "The subscriber does not keep up.");
        client.disconnect({ reasonCode: reason.quotaExceeded });
      }
      return null;
    }
    return packet;
  }

  /** A26: what a client published, or left as retained, counts only as long as it may publish there. */
  #mayComeFrom(clientId: string, realm: string, topic: string): boolean {
    if (clientId === ownClientId(realm)) return true;
    const name = this.#owners.get(clientId)?.principal;
    const owner = name === undefined ? null : this.#o.principal(name);
    return owner !== null && owner.realm === realm && mayPublish(owner, topic);
  }

  #who(client: Client): { session: Session | null; principal: MqttPrincipal | null } {
    const session = this.#sessions.get(client) ?? null;
    return { session, principal: session === null ? null : this.#o.principal(session.principal) };
  }

  #violation(client: Client, session: Session | null, detail: string): void {
    this.#counts.refused++;
    this.#tell("refused", client, detail);
    if (session === null || ++session.violations < this.#limits.violations) return;
    this.#counts.cut++;
    this.#tell("cut", client, `${session.violations} refusals`);
    client.disconnect({ reasonCode: reason.notAuthorised });
  }

  #tell(event: BrokerEvent["event"], client: Client, detail: string): void {
    const session = this.#sessions.get(client);
    const entrant = session ?? this.#entrants.get(client);
    this.#o.audit?.({
      event,
      clientId: entrant?.clientId ?? client.id,
      principal: session?.principal ?? null,
      remoteAddress: entrant?.remoteAddress ?? (client.conn as Socket).remoteAddress ?? "",
      detail,
    });
  }
}

/** How many a packet carries; the same name may stand several times. */
function userProperties(packet: PublishPacket | ConnectPacket): number {
  let count = 0;
  const given = packet.properties?.userProperties ?? {};
  for (const name in given) count += Array.isArray(given[name]) ? given[name].length : 1;
  return count;
}
