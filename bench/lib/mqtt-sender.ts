import { Helper } from "./child.ts";

/** Machines that one sender process plays: each a client with a connection of its own. */
export interface MqttSenderJob {
  host: string;
  port: number;
  username: string | null;
  password: string | null;
  clockOffsetUs: number;
  clients: number;
  /** Number of the first client; another process has those before. */
  firstClient: number;
  /** The clients dial from 127.0.0.1 and so many further loopback addresses by turns: one address has some 28,000 ports. */
  addresses: number;
  /**
   * `scalar`: one bare number a message, but the first client sends it as JSON with its time. `json`: ten values and their time. `sparkplug`: each client is an edge node
   * with two devices of 50 metrics each.
   */
  traffic: "scalar" | "json" | "sparkplug";
  qos: 0 | 1;
  /** Messages of one client that may be unacknowledged; at QoS 0 what TCP takes is the bound. */
  inFlight: number;
  /** Messages of all clients beyond what `taken` has told; null: no such bound. */
  outstandingMax: number | null;
  /** Messages a second, sent on time; null: as fast as they are acknowledged. `rate` changes it. */
  ratePerSecond: number | null;
  /** Stops by itself after this; null: at the command `stop`. */
  seconds: number | null;
}

export interface Percentiles {
  count: number;
  p50: number;
  p99: number;
  max: number;
}

export interface MqttSenderResult {
  /** Of messages and their datapoints; births are not counted. */
  sent: number;
  points: number;
  acknowledged: number;
  /** Connections that ended before the sender was told to stop. */
  lost: number;
  seconds: number;
  /** Since `go`. */
  cpuSeconds: number;
  /** Of the whole run, and by phases (command `phase`). A message that had to wait for its turn counts from when it was due. */
  ackMs: Percentiles;
  phases: (Percentiles & { seconds: number })[];
}

export type MqttSenderMessage =
  /** All clients are connected, births are acknowledged. */
  | { event: "ready"; birthPoints: number }
  | { event: "progress"; sent: number; acknowledged: number; lost: number }
  | { event: "done"; result: MqttSenderResult };

export const metricsPerDevice = 50;
export const devicesPerNode = 2;
export const jsonValues = 10;

export class MqttSender extends Helper<MqttSenderJob, MqttSenderMessage> {
  sent = 0;
  acknowledged = 0;
  lost = 0;

  constructor(job: MqttSenderJob) {
    super("mqtt-sender-main.ts", job, (message) => {
      if (message.event !== "progress") return;
      this.sent = message.sent;
      this.acknowledged = message.acknowledged;
      this.lost = message.lost;
    });
  }

  async ready(): Promise<number> {
    return (await this.next("ready")).birthPoints;
  }

  go(): void {
    this.send({ command: "go" });
  }

  /** From now on acknowledgements count to a new phase. */
  phase(): void {
    this.send({ command: "phase" });
  }

  /** So many messages have arrived: there is room for more. */
  taken(count: number): void {
    this.send({ command: "taken", count });
  }

  rate(count: number): void {
    this.send({ command: "rate", count });
  }

  stop(): void {
    this.send({ command: "stop" });
  }

  async done(): Promise<MqttSenderResult> {
    return (await this.next("done")).result;
  }
}

export const mqttSenderDefaults = {
  host: "127.0.0.1",
  username: null,
  password: null,
  clients: 500,
  firstClient: 0,
  addresses: 0,
  traffic: "scalar",
  qos: 1,
  // The bound that Paho's and mosquitto's clients have by default.
  inFlight: 20,
  outstandingMax: null,
  ratePerSecond: null,
  seconds: null,
} as const satisfies Partial<MqttSenderJob>;
