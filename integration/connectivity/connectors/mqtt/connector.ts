import type { Micros } from "@lineshaft/contract/api";
import {
  type BrowseItem,
  ConnectionError,
  type Connector,
  type ConnectorSink,
  type TagBinding,
} from "@lineshaft/contract/ports";
import { Batcher, type RowSlot } from "../../kit/mqtt/batcher.ts";
import type { MqttMessage, MqttSource } from "../../kit/mqtt/source.ts";
import { takenOf } from "../../kit/mqtt/taking.ts";
import { topicMatches } from "../../kit/mqtt/topic.ts";
import type { MqttReading } from "./config.ts";
import { Learner } from "./learn.ts";
import { PayloadError, type PayloadValue, readPayload, statusLastUsable } from "./payload.ts";
import { readTemplate, type Template } from "./template.ts";

interface Slot extends RowSlot {
  wanted: boolean;
  /** Of the last row in the open batch. */
  time: Micros;
  message: number;
}

/** What is known of one topic. */
interface Topic {
  template: Template;
  address: string;
  slots: Map<string | null, Slot>;
}

/** Messages of an external server, or of the embedded broker. */
export interface OpenSource extends MqttSource {
  diagnose(): Record<string, unknown>;
  close(): Promise<void> | void;
}
/** Opens the source once; `filters` is what will be claimed of it. */
export type Open = (filters: readonly string[], unreleased: Set<number>, signal: AbortSignal) => Promise<OpenSource>;

const topicsMax = 100_000;
const slotsMax = 10_000;

export class MqttConnector implements Connector {
  readonly #config: MqttReading;
  readonly #open: Open;
  readonly #templates: Template[] = [];
  readonly #fault: string | null;
  readonly #learner = new Learner();
  readonly #unreleased = new Set<number>();
  readonly #topics = new Map<string, Topic | null>();
  #source: OpenSource | null = null;
  #messages = 0;
  readonly #counts = { messages: 0, rows: 0, undecodable: 0, unmatched: 0, retainedIgnored: 0 };

  constructor(config: MqttReading, open: Open) {
    this.#config = config;
    this.#open = open;
    let fault: string | null = null;
    for (const template of config.templates) {
      const ready = readTemplate(template);
      if (typeof ready === "string") fault ??= `Template "${template.topic}": ${ready}`;
      else this.#templates.push(ready);
    }
    this.#fault = fault;
  }

  async connect(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#fault !== null) throw new ConnectionError("misconfigured", this.#fault, "Correct the template.");
    if (this.#templates.length === 0 && this.#config.learn.length === 0) {
      const hint = "Add a template, or a filter to learn from.";
      throw new ConnectionError("misconfigured", "No topic is read: there is no template.", hint);
    }
    await this.close();
    this.#source = await this.#open(this.#filters(), this.#unreleased, signal);
  }

  async read(
    bindings: readonly TagBinding[],
    _resumeFrom: string | null,
    sink: ConnectorSink,
    signal: AbortSignal,
  ): Promise<never> {
    signal.throwIfAborted();
    const source = this.#source;
    if (source === null) throw new ConnectionError("lost", "The server is not connected.", "Connect first.");
    const stop = new AbortController();
    const batcher = new Batcher(sink, AbortSignal.any([signal, stop.signal]));
    const wanted = takenOf(this.#config.take, bindings);
    this.#topics.clear();
    const filters = this.#filters();
    let claim: { release(): Promise<void> } | null = null;
    try {
      claim = await Promise.race([
        source.claim(filters, (message) => this.#handle(message, wanted, sink, batcher)),
        aborted(signal),
      ]);
      throw await Promise.race([source.lost, aborted(signal)]);
    } finally {
      stop.abort(signal.aborted ? signal.reason : new Error("The reading has ended."));
      // Handlers that still wait for a verdict acknowledge when it comes; the end of the reading does not wait for them.
      void claim?.release();
    }
  }

  async #handle(
    message: MqttMessage,
    wanted: ReadonlySet<string> | null,
    sink: ConnectorSink,
    batcher: Batcher,
  ): Promise<void> {
    this.#counts.messages++;
    const topic = this.#topic(message.topic);
    if (topic === null) {
      this.#counts.unmatched++;
      if (this.#config.learn.some((filter) => topicMatches(filter, message.topic)))
        this.#learner.observe(message.topic, message.payload);
      return;
    }
    const { config } = topic.template;
    // 3.3.1.3: an empty retained message only clears what was retained.
    if (message.payload.length === 0) return;
    if (message.retain && config.retained === "ignore") {
      this.#counts.retainedIgnored++;
      return;
    }
    let values: PayloadValue[];
    try {
      values = readPayload(config, message.payload);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      this.#counts.undecodable++;
      const detail = `Topic "${message.topic.slice(0, 300)}": ${error.message}`;
      // Kept with its reason, then acknowledged: it would never become readable, and must not hold up the others.
      await sink.reject({ code: error.code, detail, payload: message.payload.slice() });
      return;
    }
    this.#messages++;
    for (const value of values) this.#row(topic, value, message.retain, wanted, batcher);
    await batcher.settled();
  }

  #row(
    topic: Topic,
    { name, time, value, status }: PayloadValue,
    retained: boolean,
    wanted: ReadonlySet<string> | null,
    batcher: Batcher,
  ): void {
    let slot = topic.slots.get(name);
    if (slot === undefined) {
      const address = name === null ? topic.address : `${topic.address}/${name}`;
      const place = { batch: -1, list: -1, index: -1 };
      slot = { address, ...place, wanted: wanted === null || wanted.has(address), time: NaN, message: -1 };
      if (topic.slots.size < slotsMax) topic.slots.set(name, slot);
    }
    if (!slot.wanted) return;
    // The same instant in another message: a repeat, or a further value, is judged between batches, not within one (DESIGN §4, row identity).
    if (slot.time === time && slot.message !== this.#messages && batcher.holds(slot)) batcher.cut();
    slot.time = time;
    slot.message = this.#messages;
    this.#counts.rows++;
    // A retained value without a time of its own is of unknown age.
    const aged = retained && Number.isNaN(time) && status === 0;
    batcher.add(slot, time, value, aged ? statusLastUsable : status, false);
  }

  #topic(text: string): Topic | null {
    const known = this.#topics.get(text);
    if (known !== undefined) return known;
    let topic: Topic | null = null;
    for (const template of this.#templates) {
      const address = template.match(text);
      if (address === null) continue;
      topic = { template, address, slots: new Map() };
      break;
    }
    if (this.#topics.size >= topicsMax) this.#topics.clear();
    this.#topics.set(text, topic);
    return topic;
  }

  async close(): Promise<void> {
    const source = this.#source;
    this.#source = null;
    await source?.close();
  }

  #filters(): string[] {
    return [...new Set([...this.#templates.map(({ filter }) => filter), ...this.#config.learn])];
  }

  /** What the learning filters have shown so far, as templates to take over. */
  async *browse(address: string): AsyncGenerator<BrowseItem> {
    if (address !== "") return;
    for (const proposal of this.#learner.proposals()) {
      const { topic, payload, timePath, values, topics, example } = proposal;
      const time = timePath === undefined ? "" : `, time at ${timePath}`;
      const description = `${topics} topics, e.g. ${example}; ${payload}: ${values.map(({ path }) => path).join(", ") || "the value"}${time}`;
      yield { address: topic, name: topic, readable: true, expandable: false, description: description.slice(0, 500) };
    }
  }

  diagnose(): Record<string, unknown> {
    const proposals = this.#learner.proposals().slice(0, 100);
    const learning = { proposals, overlooked: this.#learner.overlooked };
    const source = this.#source?.diagnose() ?? null;
    const { certificates = [] } = source ?? {};
    return { source, certificates, topics: this.#topics.size, ...this.#counts, learning };
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
