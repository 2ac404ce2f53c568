/**
 * The SDK inside the server's process, without a network. Not a back door: each request and stream carries a credential and passes the
 * same checks as one from outside.
 */
import { Platform } from "./platform.ts";
import type { SocketEvents, Transport } from "./transport.ts";

/** What the transport uses of the server; `createHttpServer` gives one. */
export interface MemoryServer {
  inject(request: {
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
    url: string;
    headers: Record<string, string>;
    payload?: string | Buffer;
  }): PromiseLike<{ statusCode: number; headers: Record<string, unknown>; rawPayload: Uint8Array }>;
  connectStream(
    headers: Record<string, string>,
    socket: Pick<SocketEvents, "message" | "closed">,
  ): { send(text: string): void; close(): void };
}

/** The platform as the holder of `key` sees it. */
export function memoryPlatform(server: MemoryServer, key: string): Platform {
  const authorization = `Bearer ${key}`;
  const transport: Transport = {
    async request({ method, path, headers, body, signal }) {
      signal?.throwIfAborted();
      const answer = await server.inject({
        method: method as "GET",
        url: path,
        headers: { ...headers, authorization },
        ...(body === undefined ? {} : { payload: typeof body === "string" ? body : Buffer.from(body) }),
      });
      signal?.throwIfAborted();
      return {
        status: answer.statusCode,
        header: (name) => {
          const value = answer.headers[name.toLowerCase()];
          return value === undefined ? null : String(value);
        },
        bytes: async () => answer.rawPayload,
      };
    },
    socket(_path, events) {
      let ended = false;
      let connection: { send(text: string): void; close(): void } | null = null;
      // Like a network: nothing happens before the caller has its end.
      queueMicrotask(() => {
        if (ended) return;
        connection = server.connectStream(
          { authorization },
          {
            message: (data) => (ended ? undefined : events.message(data)),
            closed: (code, reason) => {
              if (!ended) events.closed(code, reason);
              ended = true;
            },
          },
        );
        if (!ended) events.open();
      });
      return {
        send: (text) => connection?.send(text),
        close: () => {
          ended = true;
          connection?.close();
        },
      };
    },
  };
  return new Platform(transport);
}
