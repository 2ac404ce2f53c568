import { setTimeout as sleep } from "node:timers/promises";
import type { LastValue } from "@lineshaft/contract/api";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import type { Rest } from "./rest.ts";
import type { ServerProcess } from "./server-process.ts";

/** Puts the configuration's connections in, as an operator would. */
export async function declare(rest: Rest, connections: readonly Record<string, unknown>[]): Promise<void> {
  const { etag } = await rest.request("GET", "/api/v1/configuration");
  const wanted = { version: 1, connections };
  const { status, body } = await rest.request("PUT", "/api/v1/configuration", wanted, { "if-match": etag });
  if (status !== 200) throw new Error(`The configuration was refused: ${status} ${JSON.stringify(body)}`);
}

/** Waits until a connection takes messages, at the embedded broker or from an external one. */
export async function reading(rest: Rest, connection: string): Promise<void> {
  type Found = { connector?: { source?: { claimed?: boolean; subscriptions?: string[] } } };
  const look = (): Promise<{ status: number; body: Found }> =>
    rest.request<Found>("GET", `/api/v1/connections/${connection}/diagnosis`);
  await until(`"${connection}" reads`, look, ({ body }) => {
    const source = body.connector?.source;
    return source?.claimed ?? (source?.subscriptions ?? []).length > 0;
  });
}

/** A key for one device; its id is its user name too. */
export async function deviceKey(
  rest: Rest,
  name: string,
  change: Record<string, unknown> = {},
): Promise<{ id: string; secret: string }> {
  const { status, body } = await rest.request<{ key: { id: string }; secret: string }>("POST", "/api/v1/keys", {
    name,
    role: "source",
    ...change,
  });
  if (status >= 300) throw new Error(`The key was refused: ${status} ${JSON.stringify(body)}`);
  return { id: body.key.id, secret: body.secret };
}

/** A client that we did not write, signed in with a key. It does not dial again by itself unless told to. */
export function dial(
  { mqttUrl }: Pick<ServerProcess, "mqttUrl">,
  key: { id: string; secret: string },
  options: IClientOptions = {},
): Promise<MqttClient> {
  return connectAsync(
    mqttUrl,
    { clientId: key.id, username: key.id, password: key.secret, protocolVersion: 5, reconnectPeriod: 0, ...options },
    false,
  ).then((client) => {
    client.on("error", () => undefined);
    return client;
  });
}

/** The last value of an address; null while there is none. */
export async function lastValue(rest: Rest, connection: string, address: string): Promise<LastValue | null> {
  const query = new URLSearchParams({ connection, search: address });
  const { items: tags } = await rest.get<{ items: { id: number; address: string }[] }>(`/api/v1/tags?${query}`);
  const tag = tags.find((item) => item.address === address);
  if (tag === undefined) return null;
  const { items } = await rest.get<{ items: LastValue[] }>(`/api/v1/values?tag=${tag.id}`);
  return items[0] ?? null;
}

/** Looks again and again until it holds; tells what it was when it does not. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  holds: (found: T) => boolean = Boolean,
  patienceMs = 20_000,
): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (holds(found)) return found;
    if (performance.now() > end) throw new Error(`${what} did not happen; it is ${JSON.stringify(found)}`);
    await sleep(25);
  }
}
