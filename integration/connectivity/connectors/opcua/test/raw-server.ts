import { type AddressInfo, createServer, type Server } from "node:net";
import { realClock } from "@lineshaft/testkit";
import { type Call, RawChannel, service } from "./raw-channel.ts";
import { attribute, type Plant, RawNodes, status } from "./raw-nodes.ts";
import { RawSubscription } from "./raw-subscription.ts";
import type { Writer } from "./wire.ts";

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
  readonly #nodes: RawNodes;
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
    this.#nodes = new RawNodes(options.plant, () => this.nowUs());
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
    [service.read, (call) => this.#nodes.read(call)],
    [service.browse, (call) => this.#nodes.browse(call)],
    [service.browseNext, (call) => this.#nodes.browseNext(call)],
    [service.translate, (call) => this.#nodes.translate(call)],
    [service.historyRead, (call) => this.#nodes.historyRead(call)],
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
}
