import { type AddressInfo, createServer, type Server } from "node:net";
import { realClock } from "@lineshaft/testkit";
import { type Call, RawChannel, service } from "./raw-channel.ts";
import { RawSubscription, type Source } from "./raw-subscription.ts";
import { builtIn, Reader, type WireValue, Writer } from "./wire.ts";

export const status = {
  badSessionIdInvalid: 0x80250000,
  badTooManyPublishRequests: 0x80780000,
  badServiceUnsupported: 0x800b0000,
  badSubscriptionIdInvalid: 0x80280000,
  badNoSubscription: 0x80790000,
  badMessageNotAvailable: 0x807b0000,
  badNodeIdUnknown: 0x80340000,
  badAttributeIdInvalid: 0x80350000,
  badHistoryOperationUnsupported: 0x80720000,
} as const;

/** Attributes of a node (Part 6, A.1). */
export const attribute = {
  nodeClass: 2,
  browseName: 3,
  displayName: 4,
  description: 5,
  value: 13,
  dataType: 14,
  valueRank: 15,
  accessLevel: 17,
  userAccessLevel: 18,
  historizing: 20,
} as const;

export interface RawReference {
  nodeId: string;
  name: string;
  nodeClass: "object" | "variable";
  typeDefinition?: string;
  referenceType?: string;
}

/** What a raw server shows. */
export interface Plant {
  /** A value, or a StatusCode. */
  read(nodeId: string, attributeId: number): { value: WireValue; sourceUs?: number } | number;
  children(nodeId: string): readonly RawReference[];
  /** Target of a property by its name; null: there is none. */
  property?(nodeId: string, name: string): string | null;
  /** Values in [from, to), oldest first; null: there is no history of this node. */
  history?(nodeId: string, fromUs: number, toUs: number): readonly { us: number; value: WireValue }[] | null;
  source: Source;
}

export interface RawServerOptions {
  port?: number;
  plant: Plant;
  /** Answers a call in the server's place, or not at all; true: it has been seen to. */
  intercept?(call: Call): boolean;
  onHello?(channel: RawChannel): boolean;
  /** What GetEndpoints says of this server's address. */
  endpointUrl?(own: string): string;
  nowUs?(): number;
}

const nothing = new Uint8Array(0);
const publishRequestsMax = 10;

interface Session {
  id: string;
  channel: RawChannel | null;
  /** Publish requests that wait for something to say. */
  waiting: Call[];
  subscriptions: Set<RawSubscription>;
}

/** A server without security, written from the standard and not from the library: fast enough to load a connector, and free to misbehave. */
export class RawServer {
  readonly #server: Server;
  readonly #options: RawServerOptions;
  readonly #channels = new Set<RawChannel>();
  readonly #sessions = new Map<string, Session>();
  readonly subscriptions = new Map<number, RawSubscription>();
  readonly #pages = new Map<string, readonly RawReference[]>();
  #numbers = 0;
  /** Connections taken since the start. */
  connections = 0;
  /** Notifications that were acknowledged. */
  acknowledged = 0;

  static async start(options: RawServerOptions): Promise<RawServer> {
    const server = new RawServer(options);
    await new Promise<void>((resolve) => server.#server.listen(options.port ?? 0, "127.0.0.1", resolve));
    return server;
  }

  private constructor(options: RawServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => {
      this.connections += 1;
      const channel = new RawChannel(socket, ++this.#numbers, {
        nowUs: () => this.nowUs(),
        onCall: (call) => this.#dispatch(call),
        onHello: options.onHello,
        onClose: (closed) => this.#left(closed),
      });
      this.#channels.add(channel);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `opc.tcp://127.0.0.1:${this.port}`;
  }

  /** Publish requests that wait. */
  get waiting(): number {
    let sum = 0;
    for (const session of this.#sessions.values()) sum += session.waiting.length;
    return sum;
  }

  nowUs(): number {
    return this.#options.nowUs?.() ?? realClock.nowUs();
  }

  /** Ends all connections; sessions and subscriptions stay. */
  drop(): void {
    for (const { socket } of this.#channels) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    for (const subscription of this.subscriptions.values()) subscription.end();
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #left(channel: RawChannel): void {
    this.#channels.delete(channel);
    for (const session of this.#sessions.values()) {
      if (session.channel !== channel) continue;
      session.channel = null;
      session.waiting = [];
    }
  }

  #dispatch(call: Call): void {
    if (this.#options.intercept?.(call) === true) return;
    const { channel } = call;
    const session = this.#sessions.get(call.token);
    if (call.service === service.getEndpoints) channel.answer(call, (out) => this.#endpoints(out));
    else if (call.service === service.createSession) this.#createSession(call);
    else if (call.service === service.closeChannel) channel.socket.end();
    else if (session === undefined) channel.refuse(call, status.badSessionIdInvalid);
    else (this.#services.get(call.service) ?? this.#onSubscription)(call, session);
  }

  readonly #services = new Map<number, (call: Call, session: Session) => void>([
    [service.activateSession, (call, session) => this.#activate(call, session)],
    [service.closeSession, (call, session) => this.#closeSession(call, session)],
    [service.read, (call) => this.#read(call)],
    [service.browse, (call) => this.#browse(call)],
    [service.browseNext, (call) => this.#browseNext(call)],
    [service.translate, (call) => this.#translate(call)],
    [service.historyRead, (call) => this.#historyRead(call)],
    [service.createSubscription, (call, session) => this.#createSubscription(call, session)],
    [service.publish, (call, session) => this.#publish(call, session)],
    [service.transfer, (call, session) => this.#transfer(call, session)],
    [service.deleteSubscriptions, (call) => this.#deleteSubscriptions(call)],
  ]);

  /** Services whose first argument is a subscription. */
  readonly #onSubscription = (call: Call): void => {
    const { channel, body } = call;
    const subscription = this.subscriptions.get(body.u32());
    if (subscription === undefined) channel.refuse(call, status.badSubscriptionIdInvalid);
    else if (call.service === service.createItems)
      subscription.createItems(call, (nodeId) => this.#options.plant.read(nodeId, attribute.value));
    else if (call.service === service.deleteItems) subscription.deleteItems(call);
    else if (call.service === service.republish) {
      const message = subscription.kept.get(body.u32());
      if (message === undefined) channel.refuse(call, status.badMessageNotAvailable);
      else channel.answer(call, (out) => out.raw(message), message.length + 64);
    } else channel.refuse(call, status.badServiceUnsupported);
  };

  #activate(call: Call, session: Session): void {
    session.channel = call.channel;
    session.waiting = [];
    call.channel.answer(call, (out) => out.bytes(nothing).u32(0).u32(0));
  }

  #closeSession(call: Call, session: Session): void {
    for (const subscription of session.subscriptions) this.#end(subscription);
    this.#sessions.delete(call.token);
    call.channel.answer(call, () => {});
  }

  #createSubscription(call: Call, session: Session): void {
    const { source } = this.#options.plant;
    const subscription = new RawSubscription(++this.#numbers, call.body, source, () => this.nowUs());
    this.subscriptions.set(subscription.id, subscription);
    this.#attach(subscription, session);
    call.channel.answer(call, (out) => subscription.revised(out));
  }

  #deleteSubscriptions(call: Call): void {
    const ids = call.body.array(() => call.body.u32());
    for (const id of ids) this.#end(this.subscriptions.get(id));
    call.channel.answer(call, (out) => out.array(ids, () => out.u32(0)).u32(0));
  }

  // ── endpoints and sessions ────────────────────────────────────────────────────────────────────────────────────────
  #endpoints(out: Writer): Writer {
    const url = this.#options.endpointUrl?.(this.url) ?? this.url;
    const transport = "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary";
    return out.array([url], () => {
      out.string(url);
      out.string("urn:lineshaft:raw-server").string("urn:lineshaft").localizedText("Raw server").u32(0);
      out
        .string(null)
        .string(null)
        .array([url], () => out.string(url));
      out.bytes(null).u32(1).string("http://opcfoundation.org/UA/SecurityPolicy#None");
      out.array(["anonymous"], (id) => out.string(id).u32(0).string(null).string(null).string(null));
      out.string(transport).u8(0);
    });
  }

  #createSession(call: Call): void {
    const number = ++this.#numbers;
    const token = `ns=1;i=${number + 100_000}`;
    this.#sessions.set(token, { id: token, channel: call.channel, waiting: [], subscriptions: new Set() });
    call.channel.answer(call, (out) => {
      out.nodeId(`ns=1;i=${number}`).nodeId(token).f64(300_000).bytes(Buffer.alloc(32, 1)).bytes(null);
      this.#endpoints(out).u32(0).string(null).bytes(null).u32(0);
    });
  }

  #attach(subscription: RawSubscription, session: Session): void {
    for (const other of this.#sessions.values()) other.subscriptions.delete(subscription);
    session.subscriptions.add(subscription);
    subscription.attach({
      take: () => session.waiting.shift() ?? null,
      back: (call) => void session.waiting.unshift(call),
    });
  }

  #end(subscription: RawSubscription | undefined): void {
    if (subscription === undefined) return;
    subscription.end();
    this.subscriptions.delete(subscription.id);
    for (const session of this.#sessions.values()) session.subscriptions.delete(subscription);
  }

  #publish(call: Call, session: Session): void {
    const acknowledged = call.body.array(() => [call.body.u32(), call.body.u32()]);
    for (const [id, sequence] of acknowledged)
      if (this.subscriptions.get(id)?.kept.delete(sequence)) this.acknowledged += 1;
    const [subscription] = session.subscriptions;
    if (subscription === undefined) call.channel.refuse(call, status.badNoSubscription);
    else if (session.waiting.length >= publishRequestsMax) call.channel.refuse(call, status.badTooManyPublishRequests);
    else {
      session.waiting.push(call);
      subscription.asked();
    }
  }

  #transfer(call: Call, session: Session): void {
    const ids = call.body.array(() => call.body.u32());
    call.channel.answer(call, (out) => {
      out.array(ids, (id) => {
        const subscription = this.subscriptions.get(id);
        if (subscription !== undefined) this.#attach(subscription, session);
        out.u32(subscription === undefined ? status.badSubscriptionIdInvalid : 0);
        out.array([...(subscription?.kept.keys() ?? [])], (sequence) => out.u32(sequence));
      });
      out.u32(0);
    });
  }

  // ── nodes ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  #read(call: Call): void {
    const { body } = call;
    body.f64();
    body.u32();
    const wanted = body.array(() => {
      const one = { nodeId: body.nodeId(), attributeId: body.u32() };
      body.string();
      body.qualifiedName();
      return one;
    });
    call.channel.answer(call, (out) => {
      out.array(wanted, ({ nodeId, attributeId }) => {
        const found = this.#own(nodeId, attributeId) ?? this.#options.plant.read(nodeId, attributeId);
        if (typeof found === "number") out.dataValue(null, found);
        else out.dataValue(found.value, 0, found.sourceUs ?? 0, this.nowUs());
      });
      out.u32(0);
    });
  }

  /** The nodes that every server has. */
  #own(nodeId: string, attributeId: number): { value: WireValue; sourceUs?: number } | null {
    if (attributeId !== attribute.value) return null;
    if (nodeId === "i=2258") return { value: { type: builtIn.dateTime, value: this.nowUs() } };
    if (nodeId === "i=2259") return { value: { type: builtIn.int32, value: 0 } };
    if (nodeId === "i=2255")
      return { value: { type: builtIn.string, value: ["http://opcfoundation.org/UA/", "urn:lineshaft:raw"] } };
    return null;
  }

  #browse(call: Call): void {
    const { body } = call;
    body.nodeId();
    body.time();
    body.u32();
    const most = body.u32();
    const wanted = body.array(() => {
      const nodeId = body.nodeId();
      body.u32();
      const referenceType = body.nodeId();
      body.bool();
      body.u32();
      body.u32();
      return { nodeId, referenceType };
    });
    call.channel.answer(call, (out) => {
      out.array(wanted, ({ nodeId, referenceType }) => {
        const all = this.#options.plant.children(nodeId);
        // Asked by one exact type: HasComponent and the like; else all hierarchical ones.
        const hierarchical = referenceType === "i=33" || referenceType === "i=31";
        const fitting = hierarchical ? all : all.filter((r) => (r.referenceType ?? "i=35") === referenceType);
        this.#page(out, fitting, most);
      });
      out.u32(0);
    });
  }

  #browseNext(call: Call): void {
    const release = call.body.bool();
    const most = 1_000;
    const points = call.body.array(() => call.body.bytes()?.toString() ?? "");
    call.channel.answer(call, (out) => {
      out.array(points, (point) => {
        const rest = this.#pages.get(point) ?? [];
        this.#pages.delete(point);
        this.#page(out, release ? [] : rest, most);
      });
      out.u32(0);
    });
  }

  #page(out: Writer, references: readonly RawReference[], most: number): void {
    const now = most > 0 ? references.slice(0, most) : references;
    const rest = references.slice(now.length);
    let point: Buffer | null = null;
    if (rest.length > 0) {
      const name = `page-${++this.#numbers}`;
      this.#pages.set(name, rest);
      point = Buffer.from(name);
    }
    out.u32(0).bytes(point);
    out.array(now, (r) => {
      out
        .nodeId(r.referenceType ?? "i=35")
        .bool(true)
        .nodeId(r.nodeId)
        .qualifiedName(r.name, 1);
      out
        .localizedText(r.name)
        .u32(r.nodeClass === "object" ? 1 : 2)
        .nodeId(r.typeDefinition ?? "i=63");
    });
  }

  #translate(call: Call): void {
    const { body } = call;
    const paths = body.array(() => {
      const nodeId = body.nodeId();
      const names = body.array(() => {
        body.nodeId();
        body.bool();
        body.bool();
        return body.qualifiedName();
      });
      return { nodeId, name: names.at(-1) ?? "" };
    });
    call.channel.answer(call, (out) => {
      out.array(paths, ({ nodeId, name }) => {
        const target = this.#options.plant.property?.(nodeId, name) ?? null;
        out.u32(target === null ? 0x806f0000 : 0);
        out.array(target === null ? [] : [target], (found) => out.nodeId(found).u32(0xffffffff));
      });
      out.u32(0);
    });
  }

  #historyRead(call: Call): void {
    const { body } = call;
    const details = new Reader(body.structure()?.body ?? Buffer.alloc(0));
    details.bool();
    const [fromUs, toUs, most] = [details.time(), details.time(), details.u32()];
    body.u32();
    const release = body.bool();
    const wanted = body.array(() => {
      const nodeId = body.nodeId();
      body.string();
      body.qualifiedName();
      return { nodeId, point: body.bytes()?.toString() ?? null };
    });
    call.channel.answer(call, (out) => {
      out.array(wanted, ({ nodeId, point }) => {
        const all = release ? [] : this.#options.plant.history?.(nodeId, point === null ? fromUs : Number(point), toUs);
        if (all === null || all === undefined)
          return out.u32(status.badHistoryOperationUnsupported).bytes(null).noStructure();
        const now = all.slice(0, most);
        const next = all[now.length];
        const data = new Writer();
        data.array(now, ({ us, value }) => data.dataValue(value, 0, us, us));
        out
          .u32(0)
          .bytes(next === undefined ? null : Buffer.from(String(next.us)))
          .structure(658, data.build());
      });
      out.u32(0);
    });
  }
}
