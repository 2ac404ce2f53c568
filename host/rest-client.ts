import { apiBase, type Problem } from "@lineshaft/contract/api";

export type Answer<T> = { body: T } | { problem: Problem };

/** Writes to `/api/v1` as any stranger's program would: with a key, and with the revision that was seen. Rejects when nobody answers. */
export interface RestClient {
  send<T>(method: string, path: string, more?: { body?: unknown; revision?: number }): Promise<Answer<T>>;
}

export function restClient(url: string, key: string): RestClient {
  return {
    async send<T>(method: string, path: string, more: { body?: unknown; revision?: number } = {}): Promise<Answer<T>> {
      const response = await fetch(`${url}${apiBase}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(more.body === undefined ? {} : { "content-type": "application/json" }),
          ...(more.revision === undefined ? {} : { "if-match": `"${more.revision}"` }),
        },
        ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
      });
      const answer: unknown = await response.json();
      return response.ok ? { body: answer as T } : { problem: answer as Problem };
    },
  };
}
