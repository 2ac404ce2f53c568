import type { IClientOptions, MqttClient } from "mqtt";
import type { Signal } from "../plant/index.ts";
import { machineOf } from "../plant/wiring.ts";
import { type FaultKind, type PlantRow, type ProtocolEnd, valueFaults, type Waiting } from "./end.ts";
import { MqttLink } from "./mqtt-link.ts";
import { SparkplugDevice } from "./sparkplug-device.ts";
import { dataType, decodeCommand, encodePayload, type Metric } from "./sparkplug-payload.ts";

export interface SparkplugOptions {
  url: string;
  key?: string;
  group: string;
  edgeNode: string;
  devices: readonly { name: string; signals: readonly Signal[] }[];
  /** The host without which nothing is published but stored; null: a broker is enough. */
  primaryHost: string | null;
  /** How many values are kept while they cannot be published. */
  storedMax?: number;
  nowMs(): number;
  waiting: Waiting;
  say(text: string): void;
}

const rebirthName = "Node Control/Rebirth";
/** Stored values go out in messages of this many. */
const storedPerMessage = 500;

/** NDEATH is QoS 1, all others are QoS 0, and none is retained (Sparkplug 3.0, tck-id-payloads-ndeath-will-message-qos and its neighbours). */
type Verb = "NBIRTH" | "NDEATH" | "DBIRTH" | "DDEATH" | "DDATA";

/**
 * An edge node after the assertions of Sparkplug 3.0: death certificate as will, births with every metric, data by exception with aliases, one sequence
 * number for all its messages, rebirth on command, and store and forward while it may not publish.
 */
export class SparkplugNode implements ProtocolEnd {
  readonly protocol = "sparkplug";
  readonly sums = { published: 0, stored: 0, dropped: 0 };
  readonly #options: SparkplugOptions;
  readonly #link: MqttLink;
  readonly #devices: SparkplugDevice[];
  readonly #bdSeqAlias: number;
  readonly #alarms = new Map<string, { cancel(): void }>();
  /** The session: null without a connection to the broker. */
  #client: MqttClient | null = null;
  /** NBIRTH is out and no death followed. */
  #born = false;
  /** The computer of the edge node is off: nothing is stored. */
  #off = true;
  #bdSeq = -1;
  #seq = 0;
  #hostTimestamp = 0;
  /** The session in which stored values are on their way. */
  #forwarding: MqttClient | null = null;
  #doubleUntilMs = 0;
  #birthlessUntilMs = 0;
  #reorderUntilMs = 0;
  /** A message that the next one overtakes. */
  #overtaken: (() => void) | null = null;

  constructor(options: SparkplugOptions) {
    this.#options = options;
    let alias = 0;
    this.#bdSeqAlias = ++alias;
    this.#devices = options.devices.map(({ name, signals }) => new SparkplugDevice(name, signals, () => ++alias));
    const { url, key, waiting, say } = options;
    this.#link = new MqttLink({
      url,
      key,
      waiting,
      say: (text) => say(`${options.edgeNode}: ${text}`),
      connectOptions: () => this.#connectOptions(),
      up: (client) => this.#up(client),
      message: (topic, payload) => this.#message(topic, payload),
      down: () => {
        this.#client = null;
        this.#born = false;
        this.#overtaken = null;
      },
    });
  }

  /** Begins to store what changes, without a network. Values that came before are known and go into the births. */
  switchOn(): void {
    this.#off = false;
  }

  start(): void {
    this.switchOn();
    this.#link.start();
  }

  accept(rows: readonly PlantRow[]): void {
    for (const device of this.#devices) {
      if (!device.reachable) continue;
      const changed = device.changes(rows.filter(({ signal }) => machineOf(signal) === device.name));
      if (changed.length === 0) continue;
      if (this.#born) this.#tell("DDATA", changed, device.name);
      else if (!this.#off) this.#store(device, changed);
    }
  }

  faultsOf(machine: string): readonly FaultKind[] {
    const wire = ["cut", "restart", "duplicate", "reorder", "rebirth", "dropBirth"] as const;
    return machine === this.#options.edgeNode ? wire : [...new Set([...wire, ...valueFaults])];
  }

  /** By the name of a device: its line to the edge node. By the edge node's: the edge node itself and its network. */
  fault(machine: string, kind: FaultKind, ms: number): readonly string[] | null {
    const device = this.#devices.find(({ name }) => name === machine);
    const untilMs = this.#options.nowMs() + ms;
    switch (kind) {
      case "cut":
      case "plcDownload":
        if (device === undefined) this.#link.cut(ms);
        else this.#loseDevice(device, ms);
        if (device !== undefined) return [device.name];
        break;
      case "restart":
        this.#off = true;
        for (const each of this.#devices) each.stored.length = 0;
        this.#later("", ms, () => {
          this.#off = false;
        });
        this.#link.cut(ms);
        break;
      case "duplicate":
        this.#doubleUntilMs = untilMs;
        break;
      case "reorder":
        this.#reorderUntilMs = untilMs;
        break;
      case "rebirth":
        if (this.#born) this.#birth();
        break;
      case "dropBirth":
        this.#birthlessUntilMs = untilMs;
        // A new session begins with births, which then are missing.
        this.#link.cut(0);
        break;
      default:
        return null;
    }
    return [this.#options.edgeNode, ...this.#devices.map(({ name }) => name)];
  }

  async close(): Promise<void> {
    for (const alarm of this.#alarms.values()) alarm.cancel();
    // tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath: a clean DISCONNECT lets the broker forget the will, so NDEATH is said first.
    if (this.#born) this.#tell("NDEATH");
    this.#born = false;
    await this.#link.stop();
  }

  #connectOptions(): IClientOptions {
    // tck-id-topics-nbirth-bdseq-increment: one more with each CONNECT, 0 to 255.
    this.#bdSeq = (this.#bdSeq + 1) % 256;
    const { group, edgeNode } = this.#options;
    return {
      clientId: `${group}-${edgeNode}`,
      will: { topic: this.#topic("NDEATH"), payload: this.#death(), qos: 1, retain: false },
    };
  }

  #up(client: MqttClient): void {
    this.#client = client;
    const { primaryHost } = this.#options;
    const filters = [this.#topic("NCMD"), ...(primaryHost === null ? [] : [`spBv1.0/STATE/${primaryHost}`])];
    // tck-id-message-flow-edge-node-ncmd-subscribe: before NBIRTH. Nothing of these machines can be written, so there is no DCMD to subscribe to.
    client.subscribe(filters, { qos: 1 }, (error) => {
      if (error) this.#link.reconnect();
      else if (primaryHost === null && client === this.#client) this.#birth();
    });
  }

  #message(topic: string, payload: Buffer): void {
    if (topic === `spBv1.0/STATE/${this.#options.primaryHost}`) this.#hostState(payload);
    else if (
      topic === this.#topic("NCMD") &&
      decodeCommand(payload)?.some(({ name, boolean }) => name === rebirthName && boolean) &&
      this.#born
    )
      this.#birth();
  }

  #hostState(payload: Buffer): void {
    const state = parseState(payload);
    // tck-id-message-flow-edge-node-birth-publish-phid-wait-timestamp: what is older than the last word is an old will that comes late.
    if (state === null || state.timestamp < this.#hostTimestamp) return;
    this.#hostTimestamp = state.timestamp;
    if (state.online && !this.#born) this.#birth();
    else if (!state.online && this.#born) {
      // tck-id-message-flow-edge-node-birth-publish-phid-offline: NDEATH, disconnect, and wait for the host in a new session.
      this.#tell("NDEATH");
      this.#born = false;
      this.#link.reconnect();
    }
  }

  #birth(): void {
    // The rebirth keeps the bdSeq of its session and begins the sequence again (tck-id-payloads-nbirth-seq, tck-id-operational-behavior-data-commands-rebirth-action-3).
    this.#born = true;
    this.#seq = 0;
    const timeMs = this.#options.nowMs();
    const told = { timeMs, tellType: true };
    this.#tell("NBIRTH", [
      { ...told, name: "bdSeq", alias: this.#bdSeqAlias, type: dataType.int64, value: this.#bdSeq },
      // tck-id-operational-behavior-data-commands-rebirth-name-aliases: this one never has an alias.
      { ...told, name: rebirthName, type: dataType.boolean, value: false },
    ]);
    for (const device of this.#devices) {
      if (device.reachable) this.#tell("DBIRTH", device.birthMetrics(), device.name);
    }
    void this.#forward();
  }

  /** What was stored goes out after the births, oldest first, marked as historical: it must not become anybody's current value. */
  async #forward(): Promise<void> {
    const client = this.#client;
    if (client === null || this.#forwarding === client) return;
    this.#forwarding = client;
    for (const device of this.#devices) {
      const { name, stored } = device;
      while (stored.length > 0 && device.reachable && this.#born) {
        const metrics = stored.slice(0, storedPerMessage);
        const sent = await this.#publish("DDATA", metrics, name);
        // A session that is over has no business with the store any more: the next one begins at its head.
        if (client !== this.#client) return;
        if (!sent) break;
        stored.splice(0, metrics.length);
      }
    }
    this.#forwarding = null;
  }

  #store(device: SparkplugDevice, metrics: readonly Metric[]): void {
    const room = this.#options.storedMax ?? 200_000;
    for (const metric of metrics) device.stored.push({ ...metric, historical: true });
    this.sums.stored += metrics.length;
    const excess = device.stored.length - Math.floor(room / this.#devices.length);
    if (excess <= 0) return;
    device.stored.splice(0, excess);
    if (this.sums.dropped === 0)
      this.#options.say(`${this.#options.edgeNode}: the store is full; the oldest values go.`);
    this.sums.dropped += excess;
  }

  #loseDevice(device: SparkplugDevice, ms: number): void {
    if (device.reachable && this.#born) this.#tell("DDEATH", [], device.name);
    device.reachable = false;
    this.#later(device.name, ms, () => {
      device.reachable = true;
      if (!this.#born) return;
      this.#tell("DBIRTH", device.birthMetrics(), device.name);
      void this.#forward();
    });
  }

  #later(name: string, ms: number, then: () => void): void {
    this.#alarms.get(name)?.cancel();
    this.#alarms.set(name, this.#options.waiting.alarm(ms, then));
  }

  #tell(verb: Verb, metrics: readonly Metric[] = [], device?: string): void {
    void this.#publish(verb, metrics, device);
  }

  /** Resolves with false when the message did not get as far as the network. */
  #publish(verb: Verb, metrics: readonly Metric[] = [], device?: string): Promise<boolean> {
    const client = this.#client;
    if (client === null) return Promise.resolve(false);
    const death = verb === "NDEATH";
    const payload = death ? this.#death() : encodePayload({ timeMs: this.#options.nowMs(), seq: this.#seq, metrics });
    // One sequence for all messages of the node and its devices; NDEATH has none. It runs 0–255, so 0 follows 255 and is not a gap.
    if (!death) this.#seq = (this.#seq + 1) % 256;
    this.sums.published += metrics.length;
    const topic = this.#topic(verb, device);
    const now = this.#options.nowMs();
    // It got lost on the way: the node does not know.
    if (verb.endsWith("BIRTH") && this.#birthlessUntilMs > now) return Promise.resolve(true);
    const options = { qos: death ? 1 : 0, retain: false } as const;
    return new Promise<boolean>((resolve) => {
      const send = (): void => {
        client.publish(topic, payload, options, (error) => resolve(!error));
        if (this.#doubleUntilMs > now) client.publish(topic, payload, options, () => undefined);
      };
      const overtaken = this.#overtaken;
      this.#overtaken = null;
      if (overtaken === null && verb === "DDATA" && this.#reorderUntilMs > now) this.#overtaken = send;
      else send();
      overtaken?.();
    });
  }

  /** tck-id-payloads-ndeath-bdseq, tck-id-payloads-ndeath-seq: the bdSeq of this session and nothing else, no sequence number. */
  #death(): Buffer {
    const timeMs = this.#options.nowMs();
    return encodePayload({
      timeMs,
      metrics: [{ name: "bdSeq", timeMs, type: dataType.int64, tellType: true, value: this.#bdSeq }],
    });
  }

  #topic(verb: Verb | "NCMD", device?: string): string {
    const { group, edgeNode } = this.#options;
    return `spBv1.0/${group}/${verb}/${edgeNode}${device === undefined ? "" : `/${device}`}`;
  }
}

/** The payload of a STATE message (tck-id-host-topic-phid-birth-payload); null: something else, as hosts before version 3 sent. */
function parseState(payload: Buffer): { online: boolean; timestamp: number } | null {
  try {
    const state: unknown = JSON.parse(payload.toString("utf8"));
    if (typeof state !== "object" || state === null || !("online" in state) || !("timestamp" in state)) return null;
    const { online, timestamp } = state;
    return typeof online === "boolean" && typeof timestamp === "number" ? { online, timestamp } : null;
  } catch {
    return null;
  }
}
