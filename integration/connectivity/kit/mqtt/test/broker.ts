import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "@lineshaft/contract/ports";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { EmbeddedBroker } from "../broker.ts";
import type { MqttPrincipal } from "../broker-access.ts";
import type { BrokerEvent, BrokerOptions } from "../broker-options.ts";

export const realClock: Clock = {
  nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal, ref: false });
  },
};

export const principal = (name: string, change: Partial<MqttPrincipal> = {}): MqttPrincipal => ({
  name,
  realm: "acme",
  clientIds: [name, `${name}-*`],
  publish: ["acme/#"],
  subscribe: ["acme/#"],
  ...change,
});

export interface TestBroker {
  broker: EmbeddedBroker;
  port: number;
  principals: Map<string, MqttPrincipal>;
  events: BrokerEvent[];
  connect(user: string, options?: IClientOptions): Promise<MqttClient>;
  close(): Promise<void>;
}

/** A broker on a free port; every principal's password is its name. */
export async function testBroker(
  people: readonly MqttPrincipal[],
  change: Partial<BrokerOptions> = {},
): Promise<TestBroker> {
  const principals = new Map(people.map((p) => [p.name, p]));
  const events: BrokerEvent[] = [];
  const broker = new EmbeddedBroker({
    clock: realClock,
    authenticate: async ({ username, password, certificate }) => {
      if (certificate !== null) return certificate.commonName;
      return username !== null && Buffer.from(password ?? []).toString() === username ? username : null;
    },
    principal: (name) => principals.get(name) ?? null,
    audit: (event) => void events.push(event),
    ...change,
  });
  const port = await broker.listen({ host: "127.0.0.1", port: 0 });
  const clients: MqttClient[] = [];
  return {
    broker,
    port,
    principals,
    events,
    connect: async (user, options = {}) => {
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
        clientId: user,
        username: user,
        password: user,
        protocolVersion: 5,
        reconnectPeriod: 0,
        connectTimeout: 3000,
        ...options,
      });
      clients.push(client);
      client.on("error", () => {});
      return client;
    },
    close: async () => {
      for (const client of clients) client.end(true);
      await broker.close();
    },
  };
}

export async function until(condition: () => boolean, what: string, timeoutMs = 5000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Timed out: ${what}.`);
    await sleep(5);
  }
}
