import { statusBadNoCommunication } from "@lineshaft/contract/api";
import {
  ConnectionError,
  type Connector,
  type ConnectorContext,
  type ConnectorSink,
  type TagBinding,
} from "@lineshaft/contract/ports";
import type { StatusCode } from "node-opcua-client";
import { browseNode } from "./browse.ts";
import { type CertificateSummary, certificatesOf, restsOn } from "./certificates.ts";
import { type OpcuaConfig, readConfig } from "./config.ts";
import { describeItems } from "./describe.ts";
import { connectFailure, lost } from "./failure.ts";
import { Feed, publishRequestsMax, SubscriptionGone } from "./feed.ts";
import { fillGap } from "./fill.ts";
import { type Item, ItemTable, monitor, readLimits, resolveItems, type ServerLimits, unmonitor } from "./items.ts";
import { loadOpcua, type Opcua } from "./library.ts";
import { type Link, leave, openLink, orAborted, type RawSession } from "./link.ts";
import { type Counters, Reader, SinkFailure } from "./reader.ts";
import { readPresent } from "./refresh.ts";
import { watchPeer } from "./watch.ts";

/** Refused tags are offered to the server again so often: a node may appear later. */
const refusedAgainMs = 60_000;
/** A subscription lives at least so many keep-alives long (Part 4, 5.14.2). */
const keepAlivesMin = 3;

type Promotable = Parameters<Opcua["promoteOpaqueStructure"]>[1];

/** What one read shares with its helpers. */
interface Reading {
  opcua: Opcua;
  link: Link;
  limits: ServerLimits;
  feed: Feed;
  reader: Reader;
  sink: ConnectorSink;
  signal: AbortSignal;
}

/** One server: its session and one subscription, which outlive a lost channel (Part 4, 6.7: reactivate, transfer, republish, else anew). */
export class OpcuaConnector implements Connector {
  readonly #input: unknown;
  /** Ends whatever is under way when `close` is called; renewed by it. */
  #life = new AbortController();
  #connecting: Promise<void> = Promise.resolve();
  #leaving: Promise<void> = Promise.resolve();
  readonly #context: ConnectorContext;
  #config: OpcuaConfig | null = null;
  #opcua: Opcua | null = null;
  #link: Link | null = null;
  #limits: ServerLimits | null = null;
  /** Kept over losses, so that the server may go on with it. */
  #session: RawSession | null = null;
  #feed: Feed | null = null;
  /** A subscription that is gone, with messages that may still have to be delivered. */
  #former: Feed | null = null;
  readonly #items = new ItemTable();
  readonly #counters: Counters = { rows: 0, bad: 0, overflows: 0, gaps: 0, filledRows: 0 };
  #reading: Promise<void> = Promise.resolve();
  #reader: Reader | null = null;
  #ownCertificate: CertificateSummary | null = null;
  #warned = false;
  /** When the last loss was, by the server's clock; null: none that is not made good. */
  #lostUs: number | null = null;
  #recreations = 0;

  constructor(config: unknown, context: ConnectorContext) {
    this.#input = config;
    this.#context = context;
  }

  async connect(signal: AbortSignal): Promise<void> {
    const connecting = this.#connect(AbortSignal.any([signal, this.#life.signal]));
    this.#connecting = connecting.catch(() => {});
    await connecting;
  }

  async #connect(signal: AbortSignal): Promise<void> {
    this.#config ??= readConfig(this.#input);
    const config = this.#config;
    const opcua = await orAborted(signal, loadOpcua());
    this.#opcua = opcua;
    await this.#leave();
    const context = this.#context;
    const link = await openLink({ opcua, config, context, signal, previous: this.#session });
    this.#link = link;
    this.#session = link.session;
    try {
      this.#ownCertificate = (await certificatesOf(context).own(opcua)).summary;
      this.#limits = await orAborted(signal, readLimits(opcua, link.session));
      if (this.#feed !== null) await orAborted(signal, this.#carryOver(this.#feed, link));
    } catch (error) {
      await this.#leave();
      signal.throwIfAborted();
      throw connectFailure(error, config.endpointUrl);
    }
    this.#warn(link);
  }

  /** The subscription over the new channel, with what was not received; dropped when the server does not have it any more. */
  async #carryOver(feed: Feed, link: Link): Promise<void> {
    try {
      if (!link.resumed) {
        const status = await transfer(link.session, feed.id);
        if (status.isBad()) throw new SubscriptionGone(status.toString());
      }
      await feed.resume(link.session);
    } catch (error) {
      // Servers without TransferSubscriptions refuse the service itself.
      if (!(error instanceof SubscriptionGone) && !/BadServiceUnsupported|BadNotImplemented/.test(String(error)))
        throw error;
      this.#former = feed;
      this.#feed = null;
    }
  }

  #warn(link: Link): void {
    if (link.policy !== "None" || this.#warned) return;
    this.#warned = true;
    this.#context.log(
      "warning",
      "This connection is not secured: everybody on the network can read and forge its values.",
    );
  }

  async read(
    bindings: readonly TagBinding[],
    resumeFrom: string | null,
    sink: ConnectorSink,
    signal: AbortSignal,
  ): Promise<never> {
    const ended = AbortSignal.any([signal, this.#life.signal]);
    ended.throwIfAborted();
    const [opcua, link, limits, config] = [this.#opcua, this.#link, this.#limits, this.#config];
    if (opcua === null || link === null || limits === null || config === null)
      throw new ConnectionError("lost", "There is no connection.", "Connect first.");
    // The former reader has to be through with its last call, or both would work on one subscription.
    await orAborted(ended, this.#reading);
    const end = new AbortController();
    const inner = AbortSignal.any([ended, end.signal]);
    const work = this.#work({ opcua, link, limits, config, bindings, resumeFrom, sink, signal: inner });
    this.#reading = work.then(() => {}).catch(() => {});
    try {
      return await orAborted(ended, Promise.race([work, link.gone, this.#watch(inner, opcua, link, config)]));
    } catch (error) {
      ended.throwIfAborted();
      if (error instanceof SinkFailure) throw error.cause;
      // By the server's clock, as all other rows: else the next changes could seem older than the loss.
      this.#lostUs = this.#context.clock.nowUs() + (this.#feed?.skewUs ?? 0);
      // Not waited for: a stalled sink must not keep the loss from being told.
      sink.stale("all", statusBadNoCommunication, this.#lostUs).catch(() => {});
      // Away with the channel, so that no half-open one stays; the session is kept for the next connect. A dead peer's farewell is not waited for.
      this.#leaving = this.#leave();
      throw lost(config.endpointUrl, error);
    } finally {
      end.abort(new Error("the read has ended"));
    }
  }

  async #work(given: {
    opcua: Opcua;
    link: Link;
    limits: ServerLimits;
    config: OpcuaConfig;
    bindings: readonly TagBinding[];
    resumeFrom: string | null;
    sink: ConnectorSink;
    signal: AbortSignal;
  }): Promise<never> {
    const { opcua, link, limits, sink, signal, resumeFrom } = given;
    const removed = this.#items.rebind(given.bindings);
    const anew = this.#feed === null;
    const feed = this.#feed ?? (await this.#subscribe(opcua, link));
    const resumeUs = resumeFrom !== null && /^\d{1,17}$/.test(resumeFrom) ? Number(resumeFrom) : null;
    const reader: Reader = new Reader({
      feed,
      items: this.#items,
      sink,
      clock: this.#context.clock,
      counters: this.#counters,
      resolve: (values) => opcua.promoteOpaqueStructure(link.session, values as unknown as Promotable),
      onCaughtUp: () => this.#refresh(reading),
      onLoss: (count) => this.#fill(reading, this.#items.all(), null, `The server lost ${count} messages.`),
    });
    const reading: Reading = { opcua, link, limits, feed, reader, sink, signal };
    this.#reader = reader;
    // A new process of ours: its tags were marked when the former one ended, or are now.
    if (anew && this.#lostUs === null) this.#lostUs = resumeUs;
    if (this.#lostUs !== null) feed.announceCatchUp();
    if (anew) await this.#begin(reading, resumeUs);
    else {
      await unmonitor(link.session, feed.id, removed, limits);
      await this.#watchItems(
        reading,
        this.#items.all().filter((i) => i.monitoredItemId === null && i.refusal === 0),
      );
    }
    return Promise.race([reader.run(signal), this.#askRefusedAgain(reading)]);
  }

  /** Fills a new subscription with what is bound. */
  async #begin(reading: Reading, resumeUs: number | null): Promise<void> {
    const { link, feed } = reading;
    try {
      const reason = "The server did not keep the subscription.";
      const all = this.#items.all();
      // What takes long comes before the server watches them, so that its queues do not overflow meanwhile.
      await this.#describe(reading, all);
      await this.#fill(reading, all, resumeUs, reason, true);
      await this.#watchItems(reading, all);
      await this.#fill(reading, all, resumeUs, reason);
      this.#feed = feed;
      this.#former?.bequeath(feed);
      this.#former = null;
    } catch (error) {
      // Half filled, it would be nobody's: the next read makes another.
      link.session.deleteSubscriptions({ subscriptionIds: [feed.id] }, () => {});
      throw error;
    }
  }

  async #subscribe(opcua: Opcua, link: Link): Promise<Feed> {
    const config = this.#config!;
    // A keep-alive comes early enough to spare the question whether the server lives.
    const keepAliveCount = Math.max(1, Math.floor((config.keepAliveMs * 0.8) / config.publishingMs));
    const answer = await link.session.createSubscription({
      requestedPublishingInterval: config.publishingMs,
      requestedMaxKeepAliveCount: keepAliveCount,
      requestedLifetimeCount: Math.max(
        keepAlivesMin * keepAliveCount,
        Math.ceil(config.lifetimeMs / config.publishingMs),
      ),
      maxNotificationsPerPublish: config.notificationsPerPublish,
      publishingEnabled: true,
      priority: 0,
    });
    this.#recreations += 1;
    const quietMs = answer.revisedPublishingInterval * answer.revisedMaxKeepAliveCount;
    // A quiet server answers one of the waiting requests at each keep-alive: the last one waits for all others.
    const timeoutMs = Math.max((publishRequestsMax + 1) * quietMs, 2 * config.keepAliveMs, config.requestTimeoutMs);
    return new Feed(opcua, link.session, this.#context.clock, answer.subscriptionId, timeoutMs);
  }

  async #watchItems(reading: Reading, items: readonly Item[]): Promise<void> {
    const { opcua, link, limits, feed, reader, signal } = reading;
    await this.#describe(reading, items);
    await monitor(opcua, link.session, feed.id, items, this.#config!, limits);
    await reader.offerRefusals(items, signal);
  }

  #describe({ opcua, link, limits }: Reading, items: readonly Item[]): Promise<void> {
    resolveItems(opcua, items, limits);
    const unknown = items.filter((item) => !item.described);
    return describeItems(opcua, link.session, unknown, limits);
  }

  #fill(
    reading: Reading,
    items: readonly Item[],
    resumeUs: number | null,
    reason: string,
    quiet = false,
  ): Promise<void> {
    const { opcua, link, limits, sink, signal, reader } = reading;
    return fillGap({
      opcua,
      session: link.session,
      config: this.#config!,
      limits,
      sink,
      clock: this.#context.clock,
      counters: this.#counters,
      items,
      resumeUs,
      reason,
      quiet,
      signal,
      offer: (rows) => reader.offerRows(rows, signal),
    });
  }

  /** Tags without a row since the loss have one that says what they are now. */
  async #refresh({ opcua, link, limits, feed, reader, signal }: Reading): Promise<void> {
    const { clock } = this.#context;
    const lostUs = this.#lostUs ?? 0;
    const silent = this.#items
      .all()
      .filter((item) => item.nodeId !== null && item.refusal === 0 && !(item.lastUs > lostUs));
    for await (const { rows, serverUs } of readPresent(opcua, link.session, silent, limits)) {
      const atUs = Number.isNaN(serverUs) ? clock.nowUs() + feed.skewUs : serverUs;
      await reader.offerRows(rows, signal, Math.max(atUs, lostUs + 2));
    }
    this.#lostUs = null;
  }

  async #askRefusedAgain(reading: Reading): Promise<never> {
    const { opcua, link, limits, feed, signal } = reading;
    for (;;) {
      await this.#context.clock.sleep(refusedAgainMs, signal);
      const refused = this.#items.all().filter((item) => item.refusal !== 0);
      if (refused.length === 0) continue;
      await monitor(opcua, link.session, feed.id, refused, this.#config!, limits);
      await describeItems(opcua, link.session, refused, limits);
    }
  }

  #watch(signal: AbortSignal, opcua: Opcua, link: Link, config: OpcuaConfig): Promise<never> {
    return watchPeer({
      opcua,
      session: link.session,
      clock: this.#context.clock,
      keepAliveMs: config.keepAliveMs,
      signal,
      heardMs: () => this.#feed?.heardMs ?? 0,
      tick: async () => this.#reader?.flush(),
    });
  }

  async close(): Promise<void> {
    this.#life.abort(new ConnectionError("lost", "The connection was closed.", "Connect again."));
    this.#life = new AbortController();
    await this.#connecting;
    const [link, session] = [this.#link, this.#session];
    this.#feed = null;
    this.#former = null;
    this.#session = null;
    this.#lostUs = null;
    if (link !== null && session !== null) {
      const done = new AbortController();
      const closing = session
        .close(true)
        .catch(() => {})
        .finally(() => done.abort());
      await Promise.race([closing, this.#context.clock.sleep(400, done.signal).catch(() => {})]);
    }
    await this.#leave();
  }

  async #leave(): Promise<void> {
    const link = this.#link;
    this.#link = null;
    await this.#leaving;
    if (link !== null) await leave(link.client, this.#context);
  }

  browse(address: string, signal: AbortSignal) {
    const [opcua, link, limits] = [this.#opcua, this.#link, this.#limits];
    if (opcua === null || link === null || limits === null)
      throw new ConnectionError("lost", "There is no connection to browse.", "Connect first.");
    return browseNode(opcua, link.session, limits, address, signal);
  }

  diagnose(): Record<string, unknown> {
    const items = this.#items.all();
    const refused = items.filter((item) => item.refusal !== 0);
    return {
      connected: this.#link !== null,
      endpointUrl: this.#config?.endpointUrl ?? null,
      securityPolicy: this.#link?.policy ?? null,
      securityMode: this.#link?.mode ?? null,
      certificates: restsOn(this.#link, this.#ownCertificate),
      subscriptionId: this.#feed?.id ?? null,
      subscriptionsMade: this.#recreations,
      republished: this.#feed?.republished ?? 0,
      silentMs: this.#feed === null ? null : Math.round(this.#context.clock.monotonicMs() - this.#feed.heardMs),
      tags: items.length,
      tagsWatched: items.filter((item) => item.monitoredItemId !== null).length,
      tagsWithHistory: items.filter((item) => item.history).length,
      tagsRefused: refused.length,
      refusedExamples: refused.slice(0, 20).map((i) => ({ address: i.address, status: `0x${i.refusal.toString(16)}` })),
      ...this.#counters,
    };
  }
}

function transfer(session: RawSession, subscriptionId: number): Promise<StatusCode> {
  return new Promise((resolve, reject) => {
    session.transferSubscriptions(
      { subscriptionIds: [subscriptionId], sendInitialValues: false },
      (error, response) => {
        const status = response?.results?.[0]?.statusCode;
        if (status === undefined) reject(error ?? new SubscriptionGone("no answer to TransferSubscriptions"));
        else resolve(status);
      },
    );
  });
}
