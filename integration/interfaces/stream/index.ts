import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import {
  apiBase,
  may,
  type Principal,
  ProblemError,
  type StreamRequest,
  StreamRequestSchema,
} from "@lineshaft/contract/api";
import type { EventItem } from "@lineshaft/contract/ports";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Compile } from "typebox/compile";
import { type WebSocket, WebSocketServer } from "ws";
import { authenticate, type Caller, checkOrigin, refuseCredentialInUrl, sessionCookie } from "../rest/auth.ts";
import { parseJson } from "../rest/json.ts";
import { closeCodeOf, toProblem, writeRawProblem } from "../rest/problems.ts";
import type { InterfaceLog, Services } from "../rest/services.ts";
import { ItemEncoder } from "./encode.ts";
import { type Peer, runStream } from "./session.ts";
import { TagDirectory } from "./visibility.ts";

/** Where the WebSocket stream is; the SSE stream is beside it. */
export const streamPath = `${apiBase}/stream`;
export const eventsPath = `${apiBase}/events`;

/** Subprotocol for browsers, which cannot send headers with a WebSocket: offer it together with `bearer.<key>`. */
export const streamProtocol = "lineshaft.v1";

/** The caller's end of a stream inside the process. */
export interface MemorySocket {
  /** A message from the server. It counts as taken when the promise resolves. */
  message(data: string | Uint8Array): void | Promise<void>;
  closed(code: number, reason: string): void;
}

/** The server's end, given to the caller. */
export interface MemoryConnection {
  send(text: string): void;
  close(): void;
}

export interface StreamOptions {
  allowedOrigins: readonly string[];
  streamsMax: number;
  log: InterfaceLog | undefined;
}

export interface Streams {
  readonly count: number;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  registerSse(app: FastifyInstance, callerOf: (request: FastifyRequest) => Caller): void;
  connectMemory(headers: Record<string, string>, socket: MemorySocket): MemoryConnection;
  /** Ends all streams; readers resume elsewhere or later. */
  close(): Promise<void>;
}

/** What a message-based transport must do for us: a WebSocket, or its likeness in memory. */
interface Transport {
  send(data: string | Uint8Array, taken: () => void): void;
  ping(): void;
  /** A polite end: the message, then the close code. */
  close(code: number, reason: string): void;
  /** An end without waiting for a reader who does not read. */
  cut(): void;
  readonly buffered: number;
}

const subscribeMs = 10_000;
const subscribeBytesMax = 2 * 1024 * 1024;
const validator = Compile(StreamRequestSchema);

/** The event stream of DESIGN §9 over WebSocket, SSE and in memory: one session logic, three ends. */
export function createStreams(services: Services, options: StreamOptions): Streams {
  const { identity, clock } = services;
  const directory = new TagDirectory(services.registry, clock);
  const encoder = new ItemEncoder();
  const open = new Set<() => void>();
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: subscribeBytesMax,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(streamProtocol) ? streamProtocol : false),
  });

  function admit(caller: Caller, transport: "socket" | "get"): Principal {
    const origin = checkOrigin(caller, options.allowedOrigins);
    if (open.size >= options.streamsMax)
      throw new ProblemError("too_many_streams", `${open.size} streams are open already.`, { retryAfterSeconds: 5 });
    // CORS does not guard WebSockets: there a session must prove its page like a write does.
    const principal = authenticate(identity, caller, origin, transport === "socket");
    if (!may(principal, "read"))
      throw new ProblemError("forbidden", `The role "${principal.role}" does not include the permission "read".`);
    return principal;
  }

  /** Says precisely why a principal is no longer what it was; a key that still works has other rights now (A69). */
  function checkRights(principal: Principal, caller: Caller): void {
    if (identity.stillValid(principal)) return;
    const { authorization, session, address } = caller;
    identity.authenticate({ ...(authorization === undefined ? { session } : { authorization }), address });
    throw new ProblemError("scope_changed", `The rights of "${principal.name}" have changed.`);
  }

  function run(
    principal: Principal,
    caller: Caller,
    request: StreamRequest,
    peer: Peer,
    signal: AbortSignal,
  ): Promise<void> {
    return runStream({ services, directory }, principal, request, peer, () => checkRights(principal, caller), signal);
  }

  /** A stream over messages: waits for the subscription, runs it, and tells at the end what ended it. */
  function serve(
    principal: Principal,
    caller: Caller,
    transport: Transport,
  ): { message(data: Uint8Array): void; gone(): void } {
    const stop = new AbortController();
    let subscribed = false;
    const finish = (error: unknown): void => {
      if (stop.signal.aborted) return;
      stop.abort();
      open.delete(shutDown);
      const problem = toProblem(error, "stream", options.log);
      transport.send(JSON.stringify({ problem }), () => {});
      transport.close(4000 + problem.status, problem.code);
      if (problem.code === "slow_consumer") transport.cut();
    };
    const shutDown = (): void => finish(new ProblemError("shutting_down", "The server is stopping."));
    open.add(shutDown);
    void clock.sleep(subscribeMs, stop.signal).then(
      () => {
        if (!subscribed) finish(new ProblemError("request_timeout", "No subscription came within 10 s."));
      },
      () => {},
    );
    return {
      message: (data) => {
        try {
          if (subscribed)
            throw new ProblemError("request_invalid", "A stream takes one subscription; open another one.");
          subscribed = true;
          const request = readSubscription(data);
          const peer = messagePeer(transport, encoder, request.format === "columns");
          run(principal, caller, request, peer, stop.signal).catch(finish);
        } catch (error) {
          finish(error);
        }
      },
      gone: () => {
        open.delete(shutDown);
        stop.abort();
      },
    };
  }

  let closing = false; // What begins later nobody else would ever end.
  function serveWebSocket(socket: WebSocket, principal: Principal, caller: Caller): void {
    let alive = true;
    const end = serve(principal, caller, {
      send: (data, taken) => socket.send(data, taken),
      ping: () => {
        // Two pings without an answer: the other side is gone, whatever TCP believes.
        if (!alive) socket.terminate();
        alive = false;
        socket.ping();
      },
      close: (code, reason) => socket.close(code, reason),
      cut: () => socket.terminate(),
      get buffered() {
        return socket.bufferedAmount;
      },
    });
    socket.on("pong", () => {
      alive = true;
    });
    socket.on("message", (data: Buffer) => end.message(data));
    socket.on("error", () => socket.terminate());
    socket.on("close", () => end.gone());
  }

  return {
    get count() {
      return open.size;
    },

    upgrade(request, socket, head) {
      socket.on("error", () => socket.destroy());
      try {
        const url = request.url ?? "/";
        refuseCredentialInUrl(url);
        if (url.split("?", 1)[0] !== streamPath)
          throw new ProblemError("not_found", `The event stream is at ${streamPath}.`);
        const caller = callerOfUpgrade(request);
        const principal = admit(caller, "socket");
        const begin = (one: WebSocket) => (closing ? one.terminate() : serveWebSocket(one, principal, caller));
        server.handleUpgrade(request, socket, head, begin);
      } catch (error) {
        writeRawProblem(socket, toProblem(error, "stream", options.log));
      }
    },

    registerSse(app, callerOf) {
      app.get(eventsPath, async (request, reply) => {
        const caller = callerOf(request);
        const principal = admit(caller, "get");
        const subscription = readSseRequest(request);
        const stop = new AbortController();
        let problem: unknown = null;
        const shutDown = (): void => stop.abort();
        open.add(shutDown);
        reply.raw.on("close", () => stop.abort());
        const peer = ssePeer(reply.raw, encoder, () => {
          reply.hijack();
          reply.raw.writeHead(200, {
            ...reply.getHeaders(),
            "content-type": "text/event-stream",
            "cache-control": "no-store",
          } as Record<string, string>);
        });
        try {
          await run(principal, caller, subscription, peer, stop.signal);
        } catch (error) {
          problem = error;
          // Before the first byte it is an ordinary answer with its status.
          if (!reply.raw.headersSent) throw error;
        } finally {
          open.delete(shutDown);
          if (reply.raw.headersSent) {
            if (problem !== null) {
              const data = JSON.stringify({ problem: toProblem(problem, request.id, options.log) });
              reply.raw.write(`event: problem\ndata: ${data}\n\n`);
            }
            reply.raw.end();
          }
        }
        return reply;
      });
    },

    connectMemory(headers, socket) {
      const caller: Caller = {
        authorization: headers.authorization,
        session: headers.session,
        origin: undefined,
        host: undefined,
        fetchSite: headers.session === undefined ? undefined : "same-origin",
        address: "memory",
      };
      const transport = memoryTransport(socket);
      let end: ReturnType<typeof serve>;
      try {
        end = serve(admit(caller, "socket"), caller, transport);
      } catch (error) {
        const problem = toProblem(error, "stream", options.log);
        transport.send(JSON.stringify({ problem }), () => {});
        transport.close(4000 + problem.status, problem.code);
        return { send: () => {}, close: () => {} };
      }
      return {
        send: (text) => end.message(Buffer.from(text)),
        close: () => {
          end.gone();
          socket.closed(1000, "");
        },
      };
    },

    async close() {
      closing = true;
      for (const shutDown of open) shutDown();
      for (const socket of server.clients) socket.close(closeCodeOf("shutting_down"), "shutting_down");
      const cut = new AbortController();
      const allGone = Promise.all([...server.clients].map((s) => new Promise((done) => s.once("close", done))));
      await Promise.race([clock.sleep(500, cut.signal).catch(() => {}), allGone]);
      cut.abort();
      for (const socket of server.clients) socket.terminate();
    },
  };
}

function messagePeer(transport: Transport, encoder: ItemEncoder, binary: boolean): Peer {
  let taken: () => void = () => {};
  let progress: Promise<void> | null = null;
  const sent = (): void => {
    progress = null;
    taken();
  };
  return {
    event: (item: EventItem) =>
      transport.send(binary && item.columns !== null ? encoder.frame(item) : encoder.json(item), sent),
    cursor: (cursor) => transport.send(JSON.stringify({ cursor }), sent),
    ping: () => transport.ping(),
    get buffered() {
      return transport.buffered;
    },
    progress: () => {
      progress ??= new Promise((resolve) => {
        taken = resolve;
      });
      return progress;
    },
  };
}

function ssePeer(answer: import("node:http").ServerResponse, encoder: ItemEncoder, start: () => void): Peer {
  const write = (text: string): void => {
    if (!answer.headersSent) start();
    answer.write(text);
  };
  return {
    event: (item) => write(`id: ${item.cursor}\nevent: ${item.type}\ndata: ${encoder.json(item)}\n\n`),
    // An event without data only moves the reader's Last-Event-ID; the comment keeps proxies awake.
    cursor: (cursor) => write(`id: ${cursor}\nevent: cursor\ndata: ${JSON.stringify({ cursor })}\n\n`),
    ping: () => write(": ping\n\n"),
    get buffered() {
      return answer.writableLength;
    },
    progress: () => new Promise((resolve) => answer.once("drain", resolve)),
  };
}

function memoryTransport(socket: MemorySocket): Transport {
  let buffered = 0;
  let ended = false;
  return {
    send: (data, taken) => {
      if (ended) return;
      buffered += data.length;
      void Promise.resolve(socket.message(data)).finally(() => {
        buffered -= data.length;
        taken();
      });
    },
    ping: () => {},
    close: (code, reason) => {
      if (!ended) socket.closed(code, reason);
      ended = true;
    },
    cut: () => {},
    get buffered() {
      return buffered;
    },
  };
}

function readSubscription(data: Uint8Array): StreamRequest {
  const { value } = parseJson(data);
  const subscribe = (value as { subscribe?: unknown } | null)?.subscribe;
  if (subscribe === undefined) throw new ProblemError("request_invalid", 'The first message is {"subscribe": {…}}.');
  return checkRequest(subscribe);
}

function checkRequest(request: unknown): StreamRequest {
  if (validator.Check(request)) return request;
  const errors = validator.Errors(request).map(({ instancePath, message }) => ({ path: instancePath, message }));
  throw new ProblemError("request_invalid", "The subscription does not have the expected shape.", {
    errors: errors.slice(0, 100),
  });
}

/** `?types=points.recorded&tags=1,2&from=…`; Last-Event-ID of a browser that reconnects wins over `cursor`. */
function readSseRequest(request: FastifyRequest): StreamRequest {
  const query = request.query as Record<string, string | string[]>;
  const list = (value: string | string[]): string[] => [value].flat().flatMap((part) => part.split(","));
  const subscription: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(query)) {
    if (key === "tags") subscription.tags = list(value).map(Number);
    else if (key === "types" || key === "connections") subscription[key] = list(value);
    else subscription[key] = value;
  }
  const last = request.headers["last-event-id"];
  if (typeof last === "string" && last !== "") {
    subscription.cursor = last;
    delete subscription.from;
  }
  const checked = checkRequest(subscription);
  if (checked.format === "columns") throw new ProblemError("request_invalid", "Binary frames need a WebSocket.");
  return checked;
}

function callerOfUpgrade(request: IncomingMessage): Caller {
  const { headers } = request;
  const bearer = (headers["sec-websocket-protocol"] ?? "")
    .split(",")
    .map((part) => part.trim())
    .find((part) => part.startsWith("bearer."));
  const session = new RegExp(`(?:^|;\\s*)${sessionCookie}=([^;]+)`).exec(headers.cookie ?? "")?.[1];
  return {
    authorization: headers.authorization ?? (bearer === undefined ? undefined : `Bearer ${bearer.slice(7)}`),
    session: session === undefined ? undefined : decodeURIComponent(session),
    origin: headers.origin,
    host: headers.host,
    fetchSite: headers["sec-fetch-site"] as string | undefined,
    address: request.socket.remoteAddress ?? "",
  };
}
