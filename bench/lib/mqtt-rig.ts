import type { Connection, ConnectionEntry, SystemStatus } from "@lineshaft/contract/api";
import { Consumer, type ConsumerResult } from "./consumer.ts";
import {
  jsonValues,
  MqttSender,
  type MqttSenderJob,
  type MqttSenderResult,
  metricsPerDevice,
  mqttSenderDefaults,
} from "./mqtt-sender.ts";
import type { ServerProcess } from "./server.ts";
import { round, SharedClock, sleep } from "./stats.ts";

export interface MqttRigOptions {
  /** What the platform reads the messages by. */
  connection: ConnectionEntry;
  /** What else is configured with it: models, equipment. */
  configuration?: object;
  /** What people say of the equipment, before the machines come. */
  prepare?(server: ServerProcess): Promise<void>;
  /** Does the connector's diagnosis say that it is there for the first message? */
  attached(diagnosis: Diagnosis): boolean;
  /** Where the machines dial, and what they send. */
  sender: Partial<MqttSenderJob> & Pick<MqttSenderJob, "port">;
}

/** As `GET /connections/{connection}/diagnosis` answers it for the MQTT kinds. */
export interface Diagnosis {
  connector: {
    source?: { subscriptions?: string[]; claimed?: boolean } | null;
    servers?: { announced: boolean }[];
    gaps?: number;
    [count: string]: unknown;
  };
}

const stallMs = 120_000;

/** A server whose connection is fed by machines in a process of their own, and a consumer that follows. */
export class MqttRig {
  readonly sender: MqttSender;
  readonly consumer: Consumer;
  readonly #server: ServerProcess;
  readonly #connection: string;
  readonly #pointsPerMessage: number;
  readonly #before: number;
  #relay: NodeJS.Timeout | null = null;
  #serverCpuAtGo = 0;

  private constructor(
    server: ServerProcess,
    connection: string,
    sender: MqttSender,
    consumer: Consumer,
    pointsPerMessage: number,
    before: number,
  ) {
    this.#server = server;
    this.#connection = connection;
    this.sender = sender;
    this.consumer = consumer;
    this.#pointsPerMessage = pointsPerMessage;
    this.#before = before;
  }

  /** Everything connected, births stored; no data sent yet. */
  static async ready(server: ServerProcess, options: MqttRigOptions): Promise<MqttRig> {
    const { connection, attached } = options;
    await server.api.configure({ version: 1, ...options.configuration, connections: [connection] });
    await options.prepare?.(server);
    await untilAttached(server, connection.name, attached);
    const clock = new SharedClock();
    const job: MqttSenderJob = { ...mqttSenderDefaults, ...options.sender, clockOffsetUs: clock.offsetUs };
    const sender = new MqttSender(job);
    const births = await sender.ready();
    const markers = markerAddresses(job);
    const { ids } = await server.api.post<{ ids: (number | null)[] }>(`/connections/${connection.name}/tags/resolve`, {
      addresses: markers,
    });
    const { sums } = await until(server, ({ sums: { stored } }) => stored >= births, stallMs);
    const { url, api } = server;
    const consumer = new Consumer({
      ...{ url, key: api.key, clockOffsetUs: clock.offsetUs, fromUs: null, rows: null },
      markerTags: ids.filter((id) => id !== null),
    });
    await consumer.ready();
    return new MqttRig(server, connection.name, sender, consumer, pointsOf(job), sums.stored);
  }

  go(): void {
    this.#serverCpuAtGo = this.#server.figures().cpuSeconds;
    this.sender.go();
    this.#relay = setInterval(() => this.sender.taken(Math.floor(this.consumer.rows / this.#pointsPerMessage)), 10);
  }

  serverCpuSeconds(): number {
    return round(this.#server.figures().cpuSeconds - this.#serverCpuAtGo);
  }

  /** Waits until all that was sent is consumed and settled in history. Throws when it stalls, or when not all of it arrives. */
  async settled(points: number): Promise<SystemStatus> {
    const wanted = this.#before + points;
    const status = await until(
      this.#server,
      ({ sums, history, log }) =>
        sums.stored >= wanted &&
        sums.pending === 0 &&
        history.appliedLsn >= log.durableLsn &&
        this.consumer.rows >= points,
      stallMs,
    );
    const { sums } = status;
    if (sums.stored !== wanted || !sums.balanced || this.consumer.rows !== points)
      throw new Error(`Sent ${points} points; consumed are ${this.consumer.rows}, and ${JSON.stringify(sums)}.`);
    return status;
  }

  /** Waits until a connection has stored so many points since `go`, neither more nor fewer. */
  async stored(connection: string, points: number): Promise<void> {
    let found = -1;
    for (const end = performance.now() + stallMs; performance.now() < end; await sleep(100)) {
      const { sums } = await this.#server.api.get<Connection>(`/connections/${connection}`);
      found = sums.stored;
      if (found === points && sums.pending === 0) return;
    }
    throw new Error(`Sent ${points} points over "${connection}"; it has stored ${found}.`);
  }

  diagnose(): Promise<Diagnosis> {
    return this.#server.api.get<Diagnosis>(`/connections/${this.#connection}/diagnosis`);
  }

  async consumed(): Promise<ConsumerResult> {
    this.consumer.stop();
    return this.consumer.done();
  }

  end(): void {
    if (this.#relay !== null) clearInterval(this.#relay);
    this.sender.end();
    this.consumer.end();
  }
}

/** The CPU seconds and the memory that belong into every line. */
export function loadOf(
  server: ServerProcess,
  rig: MqttRig,
  sent: MqttSenderResult,
  consumed: ConsumerResult,
): { cpuSeconds: Record<string, number>; rssMaxMB: number } {
  return {
    cpuSeconds: { server: rig.serverCpuSeconds(), sender: sent.cpuSeconds, consumer: consumed.cpuSeconds },
    rssMaxMB: Math.round(server.figures().rssMaxBytes / 1e6),
  };
}

/** Tags whose values carry the time at which the machine made them. */
function markerAddresses({ traffic, clients, firstClient }: MqttSenderJob): string[] {
  const name = (i: number): string => `machine-${String(firstClient + i).padStart(5, "0")}`;
  if (traffic === "scalar") return [`marker/${name(0)}/value/v0`];
  const addressOf = (i: number): string =>
    traffic === "json" ? `plant/${name(i)}/values/v0` : `bench/${name(i)}/device-0/state-0`;
  return Array.from({ length: Math.min(1000, clients) }, (_, i) => addressOf(i));
}

function pointsOf({ traffic }: MqttSenderJob): number {
  return traffic === "scalar" ? 1 : traffic === "json" ? jsonValues : metricsPerDevice;
}

async function untilAttached(
  server: ServerProcess,
  connection: string,
  attached: MqttRigOptions["attached"],
): Promise<void> {
  let found: Diagnosis | null = null;
  for (const end = performance.now() + 30_000; performance.now() < end; await sleep(50)) {
    found = await server.api.get<Diagnosis>(`/connections/${connection}/diagnosis`).catch(() => null);
    if (found !== null && attached(found)) return;
  }
  throw new Error(`The connection does not come up: ${JSON.stringify(found)}`);
}

/** Waits as long as more is stored from time to time. */
async function until(
  server: ServerProcess,
  holds: (status: SystemStatus) => boolean,
  timeoutMs: number,
): Promise<SystemStatus> {
  let last = -1;
  let movedAt = performance.now();
  for (;;) {
    const status = await server.system();
    if (holds(status)) return status;
    if (status.sums.stored !== last) {
      last = status.sums.stored;
      movedAt = performance.now();
    }
    if (performance.now() - movedAt > timeoutMs) {
      const { sums, history, log } = status;
      throw new Error(`Nothing more comes: ${JSON.stringify({ sums, history, log })}`);
    }
    await sleep(10);
  }
}
