import { statusBadNoCommunication } from "@lineshaft/contract/api";
import {
  type BrowseItem,
  ConnectionError,
  type Connector,
  type ConnectorContext,
  type ConnectorSink,
  type RestsOn,
  type TagBinding,
} from "@lineshaft/contract/ports";
import { Batcher } from "../../kit/mqtt/batcher.ts";
import type { MqttClaim, MqttMessage, MqttSource } from "../../kit/mqtt/source.ts";
import { takenOf } from "../../kit/mqtt/taking.ts";
import { browseNodes } from "./browse.ts";
import type { SparkplugReading } from "./config.ts";
import { PayloadDecoder, SparkplugError } from "./decode.ts";
import { HostPresence, hostFilters, sendRebirth } from "./host.ts";
import { type Effect, type HostState, type Now, newHostState, serverLost, step, tick } from "./machine.ts";
import type { RawMessage } from "./node.ts";
import { SparkplugPayload } from "./payload.ts";
import { type RowCounts, RowWriter } from "./rows.ts";
import { parseState, parseTopic, type SparkplugTopic } from "./topic.ts";

/** The session with one server, from its CONNECT to its end. */
interface Link {
  server: number;
  where: string;
  source: MqttSource & { diagnose?(): Record<string, unknown> };
  presence: HostPresence;
  /** Has the birth of this session been published? */
  announced: boolean;
  /** Set when it has broken. */
  failure: Error | null;
  close(): Promise<void>;
}

/** A server that the host may be present on: an external one, or the embedded broker. */
export interface HostServer {
  /** For people: where it is. */
  where: string;
  open(
    presence: HostPresence,
    signal: AbortSignal,
  ): Promise<MqttSource & { close(): Promise<void> | void; diagnose?(): Record<string, unknown> }>;
}

const tickMs = 200;
/** With some servers up, the others are dialled again so often: by ending `read`, since the runtime owns all retry. */
const standbyMs = 60_000;
const topicsMax = 100_000;

/** What one `read` works with. */
interface Reading {
  sink: ConnectorSink;
  batcher: Batcher;
  writer: RowWriter;
  signal: AbortSignal;
  /** What the message under way has caused beside rows; it is acknowledged after that. */
  waits: Promise<void>[];
  fail(error: unknown): void;
}

export class SparkplugConnector implements Connector {
  readonly #config: SparkplugReading;
  readonly #servers: readonly HostServer[];
  readonly #context: ConnectorContext;
  readonly #state: HostState;
  readonly #decoder = new PayloadDecoder();
  readonly #payload = new SparkplugPayload();
  readonly #topics = new Map<string, SparkplugTopic | null>();
  #links: (Link | null)[];
  #counts: RowCounts | null = null;
  #undecodable = 0;

  constructor(config: SparkplugReading, servers: readonly HostServer[], context: ConnectorContext) {
    this.#config = config;
    this.#servers = servers;
    this.#context = context;
    this.#state = newHostState({ reorderMs: config.reorderTimeoutMs, rebirth: config.rebirth === "ask" });
    this.#links = servers.map(() => null);
  }

  /** Dials every server that is not up. One is enough to go on with. */
  async connect(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const failures: unknown[] = [];
    await Promise.all(
      this.#servers.map(async (_, server) => {
        const link = this.#links[server];
        if (link !== null && link.failure === null) return;
        try {
          this.#links[server] = await this.#dial(server, signal);
        } catch (error) {
          this.#links[server] = null;
          failures.push(error);
        }
      }),
    );
    signal.throwIfAborted();
    if (this.#links.every((link) => link === null)) throw failures[0];
  }

  async #dial(server: number, signal: AbortSignal): Promise<Link> {
    const { where, open } = this.#servers[server];
    // The time of this very CONNECT, in its will and later in the birth.
    const presence = new HostPresence(this.#config.hostId, this.#context);
    const session = await open(presence, signal);
    const link: Link = {
      server,
      where,
      source: session,
      presence,
      announced: false,
      failure: null,
      close: async () => {
        if (link.announced && link.failure === null) {
          const over = new AbortController();
          // A server that does not answer must not hold up our end.
          const limit = this.#context.clock.sleep(1000, over.signal).catch(() => undefined);
          await Promise.race([presence.retire(session).catch(() => undefined), limit]);
          over.abort();
        }
        await session.close();
      },
    };
    void session.lost.then((error) => {
      link.failure = error;
    });
    return link;
  }

  async read(
    bindings: readonly TagBinding[],
    _resumeFrom: string | null,
    sink: ConnectorSink,
    signal: AbortSignal,
  ): Promise<never> {
    signal.throwIfAborted();
    const links = this.#links.filter((link) => link !== null);
    if (links.length === 0) throw new ConnectionError("lost", "No server is connected.", "Connect first.");
    const stop = new AbortController();
    const inner = AbortSignal.any([signal, stop.signal]);
    const batcher = new Batcher(sink, inner);
    const only = takenOf(this.#config.take, bindings);
    const writer = new RowWriter(batcher, only);
    this.#counts = writer.counts;
    const claims: MqttClaim[] = [];
    try {
      return await new Promise<never>((_, reject) => {
        const reading: Reading = { sink, batcher, writer, signal: inner, waits: [], fail: reject };
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        for (const link of links) {
          void link.source.lost.then((error) => {
            this.#perform(serverLost(this.#state, link.server, this.#now()), reading);
            // The rows of the loss are offered before the end is told.
            void batcher.settled().then(
              () => reject(error),
              () => reject(error),
            );
          });
          this.#attend(link, reading, claims).catch(reject);
        }
        this.#keepTime(reading, links.length < this.#servers.length).catch(reject);
      });
    } finally {
      stop.abort(signal.aborted ? signal.reason : new Error("The reading has ended."));
      // Handlers that still wait for a verdict end when it comes; the end of the reading does not wait for them.
      for (const claim of claims) void claim.release();
    }
  }

  /** 5.3: subscribes first, to our own STATE and to the groups, and only then says that we are there. */
  async #attend(link: Link, reading: Reading, claims: MqttClaim[]): Promise<void> {
    const filters = hostFilters(this.#config.hostId, this.#config.groups);
    claims.push(await link.source.claim(filters, (message) => this.#handle(link, message, reading)));
    if (link.announced) return;
    link.announced = true;
    await link.presence.announce(link.source);
  }

  async #keepTime({ signal, ...rest }: Reading, standby: boolean): Promise<void> {
    const { clock } = this.#context;
    const begin = clock.monotonicMs();
    while (!signal.aborted) {
      await clock.sleep(tickMs, signal);
      this.#perform(tick(this.#state, this.#now()), { signal, ...rest });
      rest.waits.length = 0;
      if (!standby || clock.monotonicMs() - begin < standbyMs) continue;
      const up = this.#links.flatMap((link) => (link === null ? [] : [link.where])).join(", ");
      const hint = "Data still come over the others; this one is dialled again.";
      throw new ConnectionError("lost", `One of the servers cannot be reached; connected: ${up}.`, hint);
    }
  }

  async #handle(link: Link, message: MqttMessage, reading: Reading): Promise<void> {
    const topic = this.#topic(message.topic);
    // Not Sparkplug, e.g. `spBv1.0` used by somebody for something else; or a host's old STATE.
    if (topic === null) return;
    if (topic.verb === "STATE") {
      const state = topic.host === this.#config.hostId ? parseState(message.payload) : null;
      if (state !== null && !state.online && link.announced) await link.presence.announce(link.source);
      return;
    }
    const { payload, receivedUs } = message;
    // A will that the server kept from an earlier session, or a birth that it should not have kept.
    this.#take({ server: link.server, topic, payload, receivedUs, judged: false }, reading);
    const waits = reading.waits.splice(0);
    await reading.batcher.settled();
    if (waits.length > 0) await Promise.all(waits);
  }

  #take(message: RawMessage, reading: Reading): void {
    const { topic } = message;
    try {
      this.#decoder.decode(message.payload, this.#payload);
    } catch (error) {
      if (!(error instanceof SparkplugError)) throw error;
      this.#undecodable++;
      const device = topic.device === null ? "" : `/${topic.device}`;
      const detail = `${topic.verb} of ${topic.group}/${topic.node}${device}: ${error.message}`;
      this.#perform([{ kind: "reject", code: error.code, detail, payload: message.payload }], reading);
      return;
    }
    this.#perform(step(this.#state, message, this.#payload, this.#now()), reading);
  }

  #perform(effects: Effect[], reading: Reading): void {
    const { sink } = reading;
    // A sink that takes nothing ends the reading; what was not acknowledged comes again.
    const watch = (done: Promise<void>): void => {
      done.catch(reading.fail);
      reading.waits.push(done);
    };
    for (const effect of effects) {
      switch (effect.kind) {
        case "values":
          reading.writer.write(effect, this.#payload);
          break;
        case "replay":
          for (const message of effect.messages) this.#take(message, reading);
          break;
        case "stale":
          if (effect.addresses.length === 0) break;
          reading.batcher.cut();
          // Behind the values that came before.
          watch(
            reading.batcher.settled().then(() => sink.stale(effect.addresses, statusBadNoCommunication, effect.atUs)),
          );
          break;
        case "reject": {
          const payload = effect.payload === null ? null : effect.payload.slice();
          watch(sink.reject({ code: effect.code, detail: effect.detail, payload }));
          break;
        }
        case "gap":
          watch(sink.gap({ fromUs: effect.fromUs, toUs: effect.toUs, points: null, reason: effect.reason }));
          break;
        case "rebirth": {
          const link = this.#links[effect.server];
          if (link === null || link.failure !== null) break;
          sendRebirth(link.source, effect.group, effect.node, this.#context.clock.nowUs()).catch(() => undefined);
          break;
        }
      }
    }
  }

  #topic(text: string): SparkplugTopic | null {
    let topic = this.#topics.get(text);
    if (topic === undefined) {
      if (this.#topics.size >= topicsMax) this.#topics.clear();
      topic = parseTopic(text);
      this.#topics.set(text, topic);
    }
    return topic;
  }

  #now(): Now {
    const { clock } = this.#context;
    return { us: clock.nowUs(), ms: clock.monotonicMs() };
  }

  async close(): Promise<void> {
    const links = this.#links;
    this.#links = this.#servers.map(() => null);
    await Promise.all(links.map((link) => link?.close()));
  }

  /** Edge nodes, their devices, and the metrics of their births: as far as they have been heard of. */
  async *browse(address: string): AsyncGenerator<BrowseItem> {
    yield* browseNodes(this.#state.nodes.values(), address);
  }

  diagnose(): Record<string, unknown> {
    const nodes = [...this.#state.nodes.values()];
    return {
      servers: this.#servers.map(({ where }, i) => ({
        server: where,
        connected: this.#links[i] !== null && this.#links[i].failure === null,
        announced: this.#links[i]?.announced ?? false,
        stateTimestamp: this.#links[i]?.presence.timestamp ?? null,
      })),
      certificates: this.#links.flatMap(
        (link) => (link?.source.diagnose?.().certificates as RestsOn[] | undefined) ?? [],
      ),
      edgeNodes: nodes.length,
      online: nodes.filter((node) => node.phase === "online").length,
      offline: nodes
        .filter((node) => node.phase === "offline")
        .map((node) => `${node.group}/${node.node}`)
        .slice(0, 100),
      waitingBytes: this.#state.waitingBytes,
      undecodable: this.#undecodable,
      ...this.#state.counts,
      ...this.#counts,
    };
  }
}
