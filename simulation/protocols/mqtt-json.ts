import { secondUs } from "@lineshaft/contract/api";
import type { MqttClient } from "mqtt";
import type { Signal } from "../plant/index.ts";
import { isCounter } from "../plant/signal.ts";
import { machineOf } from "../plant/wiring.ts";
import { type FaultKind, type PlantRow, type ProtocolEnd, valueFaults, type Waiting } from "./end.ts";
import { MqttLink } from "./mqtt-link.ts";

export interface MqttJsonOptions {
  url: string;
  key?: string;
  /** Topics begin with it. */
  prefix: string;
  machines: readonly { name: string; signals: readonly Signal[] }[];
  repeatSeconds?: number;
  /** Messages that are kept while nobody acknowledges them. */
  queueMax?: number;
  nowMs(): number;
  waiting: Waiting;
  say(text: string): void;
}

interface Message {
  topic: string;
  payload: string;
  acknowledged: boolean;
}

/** The DI card of one machine: inputs and counters as they stand. */
interface Card {
  inputs: readonly string[];
  counters: readonly string[];
  values: Map<string, number>;
  toldUs: number;
}

/** A value that did not change is told again after so long: whoever comes later knows all of them soon. */
const repeatSecondsDefault = 10;
const inFlightMax = 20;
/** A broker that is silent for so long is left for a new connection; then everything that it did not acknowledge is sent again. */
const acknowledgeMs = 20_000;

/**
 * A gateway as plants have many of: its DI card as `{ts, di, cnt, seq}` on `<prefix>/<machine>/io`, other values as `{value, timestamp}` on a topic each.
 * A value that stays the same is told every ten seconds. At QoS 1; it keeps what was not acknowledged and sends it again in a new session, where the receiver knows a repeat by `seq` or by its timestamp.
 */
export class MqttJsonGateway implements ProtocolEnd {
  readonly protocol = "mqtt";
  readonly sums = { acknowledged: 0, dropped: 0 };
  readonly #options: MqttJsonOptions;
  readonly #link: MqttLink;
  readonly #cards = new Map<string, Card>();
  readonly #queue: Message[] = [];
  /** The newest row of each signal with a topic of its own, and when it was told. */
  readonly #told = new Map<string, PlantRow>();
  #client: MqttClient | null = null;
  /** How many of the queue are out in this session; the first of them that is not acknowledged is the head. */
  #out = 0;
  #inFlight = 0;
  #seq = 0;
  #lastAnswerMs = 0;
  #off = false;
  #doubleUntilMs = 0;
  #alarm: { cancel(): void } | null = null;

  constructor(options: MqttJsonOptions) {
    this.#options = options;
    for (const { name, signals } of options.machines)
      this.#cards.set(name, {
        inputs: signals.filter(({ type }) => type === "boolean").map(({ address }) => address),
        counters: signals.filter((signal) => isCounter(signal.address)).map(({ address }) => address),
        values: new Map(),
        toldUs: Infinity,
      });
    this.#link = new MqttLink({
      url: options.url,
      key: options.key,
      waiting: options.waiting,
      say: (text) => options.say(`MQTT gateway: ${text}`),
      connectOptions: () => ({ clientId: `gateway-${options.prefix.replaceAll("/", "-")}` }),
      up: (client) => {
        this.#client = client;
        this.#restart();
        this.#pump();
      },
      down: () => {
        this.#client = null;
        this.#restart();
      },
    });
  }

  start(): void {
    this.#link.start();
  }

  accept(rows: readonly PlantRow[]): void {
    if (this.#off) return;
    const repeatUs = (this.#options.repeatSeconds ?? repeatSecondsDefault) * secondUs;
    for (let i = 0; i < rows.length; ) {
      // One scan has one time: what changed in it on a card is one message.
      const { timeUs } = rows[i];
      const changed = new Set<string>();
      for (; i < rows.length && rows[i].timeUs === timeUs; i++) {
        const machine = machineOf(rows[i].signal);
        if (this.#onCard(machine, rows[i])) changed.add(machine);
        else this.#tell(rows[i]);
      }
      for (const [machine, { toldUs }] of this.#cards) if (timeUs - toldUs >= repeatUs) changed.add(machine);
      for (const machine of changed) this.#sendCard(machine, timeUs);
      for (const row of this.#told.values()) if (timeUs - row.timeUs >= repeatUs) this.#tell({ ...row, timeUs });
    }
    if (this.#inFlight > 0 && this.#options.nowMs() - this.#lastAnswerMs > acknowledgeMs) this.#link.cut(0);
    this.#pump();
  }

  faultsOf(): readonly FaultKind[] {
    return ["cut", "restart", "duplicate", ...valueFaults];
  }

  fault(_machine: string, kind: FaultKind, ms: number): readonly string[] | null {
    const { waiting, nowMs, machines } = this.#options;
    if (kind === "duplicate") this.#doubleUntilMs = nowMs() + ms;
    else if (kind !== "cut" && kind !== "restart") return null;
    else {
      if (kind === "restart") {
        // A gateway without a disk: its queue and its numbers are gone with the power.
        this.#queue.length = 0;
        this.#restart();
        this.#seq = 0;
        this.#off = true;
        this.#alarm?.cancel();
        this.#alarm = waiting.alarm(ms, () => {
          this.#off = false;
        });
      }
      this.#link.cut(ms);
    }
    return machines.map(({ name }) => name);
  }

  async close(): Promise<void> {
    this.#alarm?.cancel();
    await this.#link.stop();
  }

  #tell(row: PlantRow): void {
    const { signal, timeUs, value } = row;
    this.#told.set(signal.address, row);
    this.#enqueue(this.#topicOf(signal), { value: plain(value), timestamp: iso(timeUs) });
  }

  #onCard(machine: string, { signal, value }: PlantRow): boolean {
    const card = this.#cards.get(machine);
    if (card === undefined || (signal.type !== "boolean" && !isCounter(signal.address))) return false;
    card.values.set(signal.address, Number(value));
    return true;
  }

  #sendCard(machine: string, timeUs: number): void {
    const card = this.#cards.get(machine);
    if (card === undefined) return;
    card.toldUs = timeUs;
    const read = (address: string): number => card.values.get(address) ?? 0;
    this.#enqueue(`${this.#options.prefix}/${machine}/io`, {
      ts: Math.floor(timeUs / 1000),
      di: card.inputs.map(read),
      cnt: card.counters.map(read),
      seq: this.#seq++,
    });
  }

  #topicOf(signal: Signal): string {
    const machine = machineOf(signal);
    const name = signal.address.slice(machine.length + 1).replaceAll(".", "/");
    return `${this.#options.prefix}/${machine}/${name}`;
  }

  #enqueue(topic: string, payload: object): void {
    this.#queue.push({ topic, payload: JSON.stringify(payload), acknowledged: false });
    const excess = this.#queue.length - (this.#options.queueMax ?? 50_000);
    if (excess <= 0) return;
    // Full: the oldest goes. The receiver sees it by the jump in seq.
    this.#queue.splice(0, excess);
    this.#out = Math.max(0, this.#out - excess);
    if (this.sums.dropped === 0) this.#options.say("MQTT gateway: the queue is full; the oldest messages go.");
    this.sums.dropped += excess;
  }

  /** Everything that is not acknowledged has to go out (again). */
  #restart(): void {
    this.#out = 0;
    this.#inFlight = 0;
  }

  #pump(): void {
    const client = this.#client;
    if (client === null) return;
    while (this.#inFlight < inFlightMax && this.#out < this.#queue.length) {
      const message = this.#queue[this.#out++];
      if (message.acknowledged) continue;
      if (this.#inFlight++ === 0) this.#lastAnswerMs = this.#options.nowMs();
      const { topic, payload } = message;
      client.publish(topic, payload, { qos: 1 }, (error) => {
        if (client !== this.#client) return;
        this.#inFlight--;
        if (error) return;
        message.acknowledged = true;
        this.#lastAnswerMs = this.#options.nowMs();
        this.#forget();
        this.#pump();
      });
      if (this.#doubleUntilMs > this.#options.nowMs()) client.publish(topic, payload, { qos: 1 }, () => undefined);
    }
  }

  #forget(): void {
    let done = 0;
    while (done < this.#queue.length && this.#queue[done].acknowledged) done++;
    this.#queue.splice(0, done);
    this.#out = Math.max(0, this.#out - done);
    this.sums.acknowledged += done;
  }
}

function iso(timeUs: number): string {
  return new Date(Math.floor(timeUs / 1000)).toISOString();
}

/** JSON has no integers beyond 2^53 that every reader keeps: those travel as text. */
function plain(value: PlantRow["value"]): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
