import { apiBase, type Problem } from "@lineshaft/contract/api";
import { UsageError } from "./config.ts";

type Env = Record<string, string | undefined>;
export type Answer<T> = { body: T } | { problem: Problem };

/** Calls `/api/v1` as any stranger's program would: with a key, and with the revision that was seen. */
export interface RestClient {
  send<T>(method: string, path: string, more?: { body?: unknown; revision?: number }): Promise<Answer<T>>;
  /** An answer of one JSON object a line, as the lines come. */
  lines(path: string): Promise<{ lines: AsyncIterable<Record<string, unknown>> } | { problem: Problem }>;
}

/** Rejects with what `unreachable` makes of it when nobody answers. */
export function restClient(url: string, key: string, unreachable = (error: unknown) => error): RestClient {
  const request = (method: string, path: string, more: { body?: unknown; revision?: number } = {}): Promise<Response> =>
    fetch(`${url}${apiBase}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(more.body === undefined ? {} : { "content-type": "application/json" }),
        ...(more.revision === undefined ? {} : { "if-match": `"${more.revision}"` }),
      },
      ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
    }).catch((error: unknown) => {
      throw unreachable(error);
    });
  return {
    async send<T>(method: string, path: string, more: { body?: unknown; revision?: number } = {}): Promise<Answer<T>> {
      const response = await request(method, path, more);
      const answer: unknown = await response.json();
      return response.ok ? { body: answer as T } : { problem: answer as Problem };
    },
    async lines(path) {
      const response = await request("GET", path);
      if (!response.ok || response.body === null) return { problem: (await response.json()) as Problem };
      return { lines: linesOf(response.body) };
    },
  };
}

/** The server that a command talks to: its address by flag or environment, its key by environment only, so that no list of processes shows it. */
export function server(url: string | undefined, env: Env): RestClient {
  const base = url ?? env.LINESHAFT_URL ?? "http://127.0.0.1:8750";
  const key = env.LINESHAFT_KEY;
  if (key === undefined) throw new UsageError("Give an API key or the admin secret in LINESHAFT_KEY.");
  return restClient(
    base,
    key,
    (error) => new UsageError(`${base} does not answer: ${String((error as Error).cause ?? error)}.`),
  );
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Record<string, unknown>> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as Record<string, unknown>;
  }
}
