import { apiBase, type Problem } from "@lineshaft/contract/api";
import { UsageError } from "./config.ts";

type Env = Record<string, string | undefined>;
type Answer<T> = { body: T } | { problem: Problem };

/** The server that a command talks to: its address by flag or environment, its key by environment only, so that no list of processes shows it. */
export function server(url: string | undefined, env: Env) {
  const base = url ?? env.LINESHAFT_URL ?? "http://127.0.0.1:8750";
  const key = env.LINESHAFT_KEY;
  if (key === undefined) throw new UsageError("Give an API key or the admin secret in LINESHAFT_KEY.");
  const request = (method: string, path: string, more: { body?: unknown; revision?: number } = {}): Promise<Response> =>
    fetch(`${base}${apiBase}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(more.body === undefined ? {} : { "content-type": "application/json" }),
        ...(more.revision === undefined ? {} : { "if-match": `"${more.revision}"` }),
      },
      ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
    }).catch((error: unknown) => {
      throw new UsageError(`${base} does not answer: ${String((error as Error).cause ?? error)}.`);
    });
  return {
    async send<T>(method: string, path: string, more: { body?: unknown; revision?: number } = {}): Promise<Answer<T>> {
      const response = await request(method, path, more);
      const answer: unknown = await response.json();
      return response.ok ? { body: answer as T } : { problem: answer as Problem };
    },
    /** An answer of one JSON object a line, as the lines come. */
    async lines(path: string): Promise<{ lines: AsyncIterable<Record<string, unknown>> } | { problem: Problem }> {
      const response = await request("GET", path);
      if (!response.ok || response.body === null) return { problem: (await response.json()) as Problem };
      return { lines: linesOf(response.body) };
    },
  };
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
