import { Readable } from "node:stream";
import { TopicTree, topicMatches } from "./topic.ts";

/** What the store needs of aedes' packets. */
export interface StoredPacket {
  cmd: string;
  topic: string;
  payload: Uint8Array;
  qos: number;
  retain: boolean;
  messageId?: number;
  brokerId?: string;
  brokerCounter?: number;
  clientId?: string;
  /** MQTT 5: ms since 1970, absent: never. */
  messageExpiry?: number;
}

interface StoredSubscription {
  topic: string;
  qos: number;
  rh?: number;
  rap?: boolean;
  nl?: boolean;
  subscriptionIdentifier?: number;
}

interface Identified {
  id: string;
}

export interface BrokerStoreLimits {
  retainedMessages: number;
  retainedBytes: number;
  /** Per client with a session that outlives its connection. */
  queuedMessages: number;
  queuedBytes: number;
  /** Of all clients together. */
  queuedBytesTotal: number;
  /** QoS 2 messages of one client between PUBLISH and PUBREL. */
  unreleased: number;
  /** Sessions that outlive their connection. */
  sessions: number;
}

export const defaultStoreLimits: BrokerStoreLimits = {
  retainedMessages: 50_000,
  retainedBytes: 64 * 1024 * 1024,
  queuedMessages: 1000,
  queuedBytes: 8 * 1024 * 1024,
  queuedBytesTotal: 128 * 1024 * 1024,
  unreleased: 256,
  sessions: 20_000,
};

interface Queue {
  packets: StoredPacket[];
  bytes: number;
}

/**
 * The sessions and retained messages of the embedded broker, in memory, as aedes asks for them ("persistence"). Everything is bounded: at the bound a message for
 * a subscriber is dropped and counted, never one for the platform, which has the log.
 */
export class BrokerStore {
  readonly limits: BrokerStoreLimits;
  /** By topic, then by realm: tenants do not overwrite one another's. */
  readonly #retained = new Map<string, Map<string, StoredPacket>>();
  /** By the payload that is kept: aedes hands out retained messages without saying whose they are. */
  readonly #publishers = new WeakMap<Uint8Array, string>();
  readonly #realmOf: (clientId: string) => string | null;
  readonly #subscriptions = new Map<string, Map<string, StoredSubscription>>();
  readonly #byTopic = new TopicTree<StoredSubscription & { clientId: string }>();
  readonly #queues = new Map<string, Queue>();
  readonly #unreleased = new Map<string, Set<number>>();
  #retainedCount = 0;
  #retainedBytes = 0;
  #queuedBytes = 0;
  retainedRefused = 0;
  queueDropped = 0;

  constructor(limits: BrokerStoreLimits, realmOf: (clientId: string) => string | null) {
    this.limits = limits;
    this.#realmOf = realmOf;
  }

  async setup(): Promise<void> {}

  counts(): {
    retained: number;
    retainedBytes: number;
    retainedRefused: number;
    queues: number;
    queuedBytes: number;
    queueDropped: number;
  } {
    return {
      retained: this.#retainedCount,
      retainedBytes: this.#retainedBytes,
      retainedRefused: this.retainedRefused,
      queues: this.#queues.size,
      queuedBytes: this.#queuedBytes,
      queueDropped: this.queueDropped,
    };
  }

  // ── retained ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async storeRetained(packet: StoredPacket): Promise<void> {
    const { topic, clientId, payload } = packet;
    // aedes itself takes away what has expired, and then does not say whose it was: what expired first.
    const realm = clientId === undefined ? this.#firstToExpire(topic) : this.#realmOf(clientId);
    if (realm === null) return;
    this.#dropRetained(topic, realm);
    // 3.3.1.3: an empty retained message only removes the one before.
    if (payload.length === 0) return;
    const { retainedMessages, retainedBytes } = this.limits;
    if (this.#retainedCount >= retainedMessages || this.#retainedBytes + payload.length > retainedBytes) {
      this.retainedRefused++;
      return;
    }
    // A copy of its own: the payload may be a view into a large network buffer.
    const kept = Object.assign({}, packet, { payload: Buffer.from(payload) });
    this.#publishers.set(kept.payload, clientId as string);
    const here = this.#retained.get(topic) ?? new Map<string, StoredPacket>();
    this.#retained.set(topic, here);
    here.set(realm, kept);
    this.#retainedCount++;
    this.#retainedBytes += payload.length;
  }

  #firstToExpire(topic: string): string | null {
    let first: [realm: string, atMs: number] | null = null;
    for (const [realm, { messageExpiry = Number.POSITIVE_INFINITY }] of this.#retained.get(topic) ?? [])
      if (first === null || messageExpiry < first[1]) first = [realm, messageExpiry];
    return first?.[0] ?? null;
  }

  #dropRetained(topic: string, realm: string): void {
    const here = this.#retained.get(topic);
    const before = here?.get(realm);
    if (here === undefined || before === undefined) return;
    here.delete(realm);
    if (here.size === 0) this.#retained.delete(topic);
    this.#retainedCount--;
    this.#retainedBytes -= before.payload.length;
  }

  /** Who left the retained message with this very payload. */
  publisherOf(payload: Uint8Array): string | undefined {
    return this.#publishers.get(payload);
  }

  /** The client identifier has another owner now: nothing of the one before is left. */
  forget(clientId: string): void {
    for (const [topic, here] of this.#retained)
      for (const [realm, packet] of here) if (packet.clientId === clientId) this.#dropRetained(topic, realm);
    const own = this.#subscriptions.get(clientId);
    for (const topic of own?.keys() ?? []) this.#byTopic.remove(topic, (value) => value.clientId === clientId);
    this.#subscriptions.delete(clientId);
    this.#unreleased.delete(clientId);
    this.#queuedBytes -= this.#queues.get(clientId)?.bytes ?? 0;
    this.#queues.delete(clientId);
  }

  createRetainedStream(filter: string): Readable {
    return this.createRetainedStreamCombi([filter]);
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    return Readable.from(this.retainedMatching(filters));
  }

  *retainedMatching(filters: readonly string[]): Generator<StoredPacket> {
    for (const filter of filters) {
      for (const [topic, here] of this.#retained) if (topicMatches(filter, topic)) yield* here.values();
    }
  }

  // ── subscriptions of sessions that outlive their connection ───────────────────────────────────────────────────────

  async addSubscriptions(client: Identified, subscriptions: readonly StoredSubscription[]): Promise<void> {
    let own = this.#subscriptions.get(client.id);
    if (own === undefined) {
      if (this.#subscriptions.size >= this.limits.sessions) throw new Error("The broker keeps no more sessions.");
      own = new Map();
      this.#subscriptions.set(client.id, own);
    }
    for (const subscription of subscriptions) {
      this.#byTopic.remove(subscription.topic, (value) => value.clientId === client.id);
      const record = { ...subscription };
      own.set(subscription.topic, record);
      if (subscription.qos > 0) this.#byTopic.add(subscription.topic, { ...record, clientId: client.id });
    }
  }

  async removeSubscriptions(client: Identified, topics: readonly string[]): Promise<void> {
    const own = this.#subscriptions.get(client.id);
    if (own === undefined) return;
    for (const topic of topics) {
      if (own.delete(topic)) this.#byTopic.remove(topic, (value) => value.clientId === client.id);
    }
    if (own.size === 0) this.#subscriptions.delete(client.id);
  }

  async subscriptionsByClient(client: Identified): Promise<StoredSubscription[]> {
    return [...(this.#subscriptions.get(client.id)?.values() ?? [])];
  }

  async subscriptionsByTopic(topic: string): Promise<(StoredSubscription & { clientId: string })[]> {
    return this.#byTopic.match(topic);
  }

  async cleanSubscriptions(client: Identified): Promise<void> {
    const own = this.#subscriptions.get(client.id);
    if (own !== undefined) await this.removeSubscriptions(client, [...own.keys()]);
    this.#unreleased.delete(client.id);
  }

  // ── queues towards subscribers ────────────────────────────────────────────────────────────────────────────────────

  async outgoingEnqueue(subscription: { clientId: string }, packet: StoredPacket): Promise<void> {
    let queue = this.#queues.get(subscription.clientId);
    if (queue === undefined) {
      queue = { packets: [], bytes: 0 };
      this.#queues.set(subscription.clientId, queue);
    }
    const { queuedMessages, queuedBytes, queuedBytesTotal } = this.limits;
    const bytes = packet.payload.length;
    const full = queue.packets.length >= queuedMessages || queue.bytes + bytes > queuedBytes;
    if (full || this.#queuedBytes + bytes > queuedBytesTotal) {
      this.queueDropped++;
      return;
    }
    queue.packets.push(Object.assign({}, packet, { payload: Buffer.from(packet.payload) }));
    queue.bytes += bytes;
    this.#queuedBytes += bytes;
  }

  async outgoingEnqueueCombi(subscriptions: readonly { clientId: string }[], packet: StoredPacket): Promise<void> {
    const realm = this.#realmOf(packet.clientId ?? "");
    if (realm === null) return;
    for (const subscription of subscriptions)
      if (this.#realmOf(subscription.clientId) === realm) await this.outgoingEnqueue(subscription, packet);
  }

  /** A packet number was given, or a PUBLISH became a PUBREL. What the bound dropped is not found, and is delivered once at most. */
  async outgoingUpdate(client: Identified, packet: StoredPacket): Promise<void> {
    const queue = this.#queues.get(client.id);
    if (queue === undefined) return;
    for (let i = 0; i < queue.packets.length; i++) {
      const queued = queue.packets[i];
      if (packet.cmd === "publish") {
        if (queued.brokerId !== packet.brokerId || queued.brokerCounter !== packet.brokerCounter) continue;
        queued.messageId = packet.messageId;
        return;
      }
      if (queued.messageId !== packet.messageId) continue;
      queue.bytes -= queued.payload.length;
      this.#queuedBytes -= queued.payload.length;
      queue.packets[i] = Object.assign({}, packet, { payload: Buffer.alloc(0) });
      return;
    }
  }

  async outgoingClearMessageId(client: Identified, packet: StoredPacket): Promise<StoredPacket | undefined> {
    const queue = this.#queues.get(client.id);
    if (queue === undefined) return undefined;
    const at = queue.packets.findIndex((queued) =>
      packet.messageId === undefined
        ? queued.brokerId === packet.brokerId && queued.brokerCounter === packet.brokerCounter
        : queued.messageId === packet.messageId,
    );
    if (at === -1) return undefined;
    const [cleared] = queue.packets.splice(at, 1);
    queue.bytes -= cleared.payload.length;
    this.#queuedBytes -= cleared.payload.length;
    if (queue.packets.length === 0) this.#queues.delete(client.id);
    return cleared;
  }

  outgoingStream(client: Identified): Readable {
    return Readable.from([...(this.#queues.get(client.id)?.packets ?? [])]);
  }

  // ── QoS 2 from clients: only the numbers are kept, the content is durable in the log ──────────────────────────────

  isUnreleased(clientId: string, messageId: number): boolean {
    return this.#unreleased.get(clientId)?.has(messageId) ?? false;
  }

  /** 3.3.4: no more than the receive maximum may be open. */
  unreleasedFull(clientId: string): boolean {
    return (this.#unreleased.get(clientId)?.size ?? 0) >= this.limits.unreleased;
  }

  async incomingStorePacket(client: Identified, packet: { messageId: number }): Promise<void> {
    let open = this.#unreleased.get(client.id);
    if (open === undefined) {
      open = new Set();
      this.#unreleased.set(client.id, open);
    }
    open.add(packet.messageId);
  }

  async incomingGetPacket(client: Identified, packet: { messageId: number }): Promise<{ messageId: number }> {
    if (!this.isUnreleased(client.id, packet.messageId)) throw new Error("This packet number is not open.");
    return packet;
  }

  async incomingDelPacket(client: Identified, packet: { messageId: number }): Promise<void> {
    const open = this.#unreleased.get(client.id);
    open?.delete(packet.messageId);
    if (open?.size === 0) this.#unreleased.delete(client.id);
  }

  // ── wills: aedes keeps a living client's will itself; there is no other broker whose wills we would have to publish ─

  async putWill(): Promise<void> {}
  async getWill(): Promise<undefined> {}
  async delWill(): Promise<undefined> {}

  streamWill(): Readable {
    return Readable.from([]);
  }

  async destroy(): Promise<void> {
    this.#retained.clear();
    this.#queues.clear();
  }
}
