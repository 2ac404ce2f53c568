import type { Connection } from "@lineshaft/contract/api";
import type { ServerProcess } from "./server.ts";
import { sleep } from "./stats.ts";

/** What a plant says without security; the benches measure the connector and the platform, not AES. */
export const plainConnection = (port: number): Record<string, unknown> => ({
  endpointUrl: `opc.tcp://127.0.0.1:${port}`,
  securityPolicy: "none",
  allowInsecure: true,
});

/** Configures the connection `plant` as a person would, and waits until it stands. */
export async function configure(
  server: ServerProcess,
  config: Record<string, unknown>,
  addresses: readonly string[],
): Promise<void> {
  const { api } = server;
  const headers = { authorization: `Bearer ${api.key}`, "content-type": "application/json" };
  const url = `${server.url}/api/v1/configuration`;
  const present = await fetch(url, { headers });
  await present.body?.cancel();
  const tags = addresses.map((address) => ({ address }));
  const body = JSON.stringify({ version: 1, connections: [{ name: "plant", kind: "opcua", config, tags }] });
  const put = await fetch(url, {
    method: "PUT",
    body,
    headers: { ...headers, "if-match": present.headers.get("etag") ?? "" },
  });
  if (!put.ok) throw new Error(`PUT /configuration: HTTP ${put.status} ${await put.text()}`);
  await put.body?.cancel();
}

export async function untilHealth(server: ServerProcess, states: readonly string[], timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { health } = await server.api.get<Connection>("/connections/plant");
    if (health != null && states.includes(health.state)) return;
    if (performance.now() > deadline) throw new Error(`The connection is not ${states}: ${JSON.stringify(health)}`);
    await sleep(50);
  }
}

/** Ids of the connection's tags, by their addresses. */
export async function tagIds(server: ServerProcess): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = `/tags?connection=plant&limit=1000${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
    const page = await server.api.get<{ items: { id: number; address: string }[]; cursor: string | null }>(query);
    for (const { id, address } of page.items) found.set(address, id);
    cursor = page.cursor;
  }
  return found;
}
