import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import fastifyCookie from "@fastify/cookie";
import { apiBase, ProblemError, type Route, type RouteName, routes } from "@lineshaft/contract/api";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { createStreams, type MemoryConnection, type MemorySocket } from "../stream/index.ts";
import {
  authenticate,
  type Caller,
  checkOrigin,
  isLocal,
  refuseCredentialInUrl,
  requireOwnPage,
  sessionCookie,
} from "./auth.ts";
import { RequestBody, readBody } from "./body.ts";
import type { Call, Handlers } from "./call.ts";
import { checkBody, checkText, compileChecks } from "./check.ts";
import { serveConsole } from "./console.ts";
import { CursorSeal } from "./cursor.ts";
import { createHandlers, requirePermission } from "./handlers.ts";
import { assertCleanTexts, parseJson } from "./json.ts";
import { openApiDocument } from "./openapi.ts";
import { clientErrorProblem, problemMediaType, toProblem, writeRawProblem } from "./problems.ts";
import { requireAcceptable, send } from "./send.ts";
import { defaultHttpLimits, type HttpOptions, type Services } from "./services.ts";

export { openApiDocument } from "./openapi.ts";
export type { HttpLimits, HttpOptions, InterfaceLog, Services } from "./services.ts";

/** The server: Fastify's own object, plus the stream for callers within the process. */
export type HttpServer = FastifyInstance & {
  /**
   * An event stream without a network, for the client's in-memory transport. It takes the same headers and passes the same
   * checks as a WebSocket.
   */
  connectStream(headers: Record<string, string>, socket: MemorySocket): MemoryConnection;
  /** How many event streams are open. */
  readonly streamCount: number;
};

/**
 * REST v1, event stream, probes and console over the given ports. Routes come from the contract's table; each request passes, in this
 * order: URL, origin, credential, permission, media types, body bounds, schema, and then its handler. Every failure is
 * answered as RFC 9457 problem.
 */
export async function createHttpServer(services: Services, options: HttpOptions = {}): Promise<HttpServer> {
  const limits = { ...defaultHttpLimits, ...options.limits };
  const { log } = options;
  const boot = randomBytes(4).toString("hex");
  let requests = 0;
  const http = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(5_000, limits.headersTimeoutMs),
  };
  const app = fastify({
    ...(options.tls === undefined ? { http } : { https: { ...http, ...options.tls } }),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    genReqId: () => `${boot}-${(++requests).toString(36)}`,
    return503OnClosing: false,
    forceCloseConnections: "idle",
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: 2048, ignoreTrailingSlash: false },
    clientErrorHandler: (error, socket) => writeRawProblem(socket, clientErrorProblem(error)),
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply),
  }) as unknown as FastifyInstance;
  await app.register(fastifyCookie);

  const secure = options.tls !== undefined || options.behindTls === true;
  const allowedOrigins = options.allowedOrigins ?? [];
  const cursors = new CursorSeal(options.cursorSecret ?? randomBytes(32));
  const handlers = createHandlers(services, { demo: options.demo ?? false, cursors, limits });
  const streams = createStreams(services, { allowedOrigins, streamsMax: limits.streams, log });
  let closing = false;

  function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const problem = toProblem(error, request.id, log);
    if (problem.retryAfterSeconds !== undefined) reply.header("retry-after", Math.ceil(problem.retryAfterSeconds));
    if (problem.status === 401) reply.header("www-authenticate", "Bearer");
    return reply.code(problem.status).type(problemMediaType).send(JSON.stringify(problem));
  }

  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  // Bodies are read here as bytes, whatever their type; the route decides what they mean.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (request: FastifyRequest) => readBody(request.raw, limits.bodyBytes));

  app.addHook("onRequest", async (request, reply) => {
    reply.headers(secure ? secureHeaders : commonHeaders);
    refuseCredentialInUrl(request.url);
    const origin = checkOrigin(callerOf(request), allowedOrigins);
    if (origin === "allowed") {
      reply.headers({ "access-control-allow-origin": request.headers.origin, vary: "Origin", ...corsHeaders });
      if (request.method === "OPTIONS") return reply.code(204).send();
    }
    if (closing) throw new ProblemError("shutting_down", "The server is stopping.", { retryAfterSeconds: 2 });
  });
  // While stopping, an answered connection must not stay open for the next request: nobody would ever close it.
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (closing) reply.header("connection", "close");
    done();
  });

  for (const name of Object.keys(routes) as RouteName[]) registerRoute(name);
  registerProbes();
  streams.registerSse(app, (request) => callerOf(request));
  app.server.on("upgrade", (request, socket: Duplex, head: Buffer) => streams.upgrade(request, socket, head));

  const consoleFallback = options.consoleDir === undefined ? null : await serveConsole(app, options.consoleDir, secure);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0];
    const allowed = methodsOf(path);
    if (allowed.length > 0) {
      reply.header("allow", allowed.join(", "));
      throw new ProblemError("method_not_allowed", `${request.method} is not a method of ${path.slice(0, 200)}.`);
    }
    if (consoleFallback !== null && !path.startsWith("/api/")) return consoleFallback(request, reply);
    throw new ProblemError("not_found", "There is nothing at this address.");
  });
  app.addHook("preClose", async () => {
    closing = true;
    await streams.close();
  });

  function registerRoute<N extends RouteName>(name: N): void {
    const route: Route = routes[name];
    const checks = compileChecks(name);
    const handler = handlers[name] as Handlers[N];
    const writes = route.method !== "GET";
    app.route({
      method: route.method,
      url: apiBase + route.path.replaceAll(/\{(\w+)\}/g, ":$1"),
      // Before the body is read: who may not send gets no byte kept.
      preParsing: async (request) => {
        const caller = callerOf(request);
        const origin = checkOrigin(caller, allowedOrigins);
        if (route.permission === null) {
          if (writes && (caller.session !== undefined || origin !== "none")) requireOwnPage(caller, origin);
        } else {
          request.principal = authenticate(services.identity, caller, origin, writes);
          requirePermission(request.principal, route.permission);
        }
        requireAcceptable(request.headers.accept, name);
      },
      handler: async (request, reply) => {
        // Points never wait for a configuration that is being saved; all else reads and writes what is decided.
        if (name !== "ingest") await services.registry.settled();
        const caller = callerOf(request);
        const raw = request.body instanceof RequestBody ? request.body : null;
        const call = {
          principal: request.principal,
          params: checkText(checks.params, request.params as Record<string, unknown>, "path"),
          query: checkText(checks.query, request.query as Record<string, unknown>, "query"),
          body: checks.body === null ? undefined : checkBody(checks.body, readJsonBody(raw)),
          raw,
          url: request.url,
          address: caller.address,
          session: caller.session,
          accept: request.headers.accept ?? "",
          ifMatch: request.headers["if-match"],
          header: (header: string, value: string) => void reply.header(header, value),
          setSession: (session: { value: string; maxAgeSeconds: number } | null) => setSession(reply, session),
          get signal() {
            return goneSignal(reply);
          },
        };
        const answer = await handler(call as unknown as Call<N>);
        return send(request, reply.code(route.status ?? 200), answer);
      },
    });
  }

  function setSession(reply: FastifyReply, session: { value: string; maxAgeSeconds: number } | null): void {
    const cookie = { path: "/", httpOnly: true, sameSite: "strict", secure } as const;
    if (session === null) reply.clearCookie(sessionCookie, cookie);
    else reply.setCookie(sessionCookie, session.value, { ...cookie, maxAge: session.maxAgeSeconds });
  }

  function registerProbes(): void {
    app.get("/healthz", (_request, reply) => reply.type("text/plain").send("ok\n"));
    app.get("/readyz", (_request, reply) => {
      const { ready, reasons } = services.system.ready();
      return reply.code(ready ? 200 : 503).send({ ready, reasons });
    });
    app.get("/metrics", async (request, reply) => {
      const caller = callerOf(request);
      if (!isLocal(caller, "x-forwarded-for" in request.headers || "forwarded" in request.headers)) {
        const principal = authenticate(services.identity, caller, checkOrigin(caller, allowedOrigins), false);
        requirePermission(principal, "read");
      }
      return reply.type("text/plain; version=0.0.4; charset=utf-8").send(await services.system.metrics());
    });
    const openApi = JSON.stringify(openApiDocument());
    app.get(`${apiBase}/openapi.json`, (_request, reply) => reply.type("application/json").send(openApi));
  }

  await app.ready();
  return Object.defineProperties(app, {
    connectStream: { value: streams.connectMemory },
    streamCount: { get: () => streams.count },
  }) as HttpServer;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Set by the route's check of credentials; absent where none is needed. */
    principal?: import("@lineshaft/contract/api").Principal;
  }
}

const commonHeaders = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};
const secureHeaders = { ...commonHeaders, "strict-transport-security": "max-age=31536000" };
const corsHeaders = {
  "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers": "authorization, content-type, content-encoding, if-match",
  "access-control-expose-headers": "etag, link, location, lineshaft-cursor, lineshaft-warnings, retry-after",
  "access-control-max-age": "600",
  "cross-origin-resource-policy": "cross-origin",
};

function callerOf(request: FastifyRequest): Caller {
  const { headers } = request;
  return {
    authorization: headers.authorization,
    session: request.cookies[sessionCookie],
    origin: headers.origin,
    host: headers.host,
    fetchSite: headers["sec-fetch-site"] as string | undefined,
    address: request.socket.remoteAddress ?? "",
  };
}

function readJsonBody(raw: RequestBody | null): unknown {
  if (raw === null) throw new ProblemError("json_invalid", "The body is empty.");
  const { bytes } = raw;
  if (raw.mediaType !== "application/json")
    throw new ProblemError(
      "media_type_unsupported",
      `The body is "${raw.mediaType.slice(0, 80)}"; this address takes JSON.`,
    );
  const { value, escapes } = parseJson(bytes);
  if (escapes) assertCleanTexts(value);
  return value;
}

function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}

const templates = Object.values(routes as Record<string, Route>).map(({ method, path }) => ({
  method,
  pattern: new RegExp(`^${apiBase}${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
}));

/** The methods of an address, where it has any. */
function methodsOf(path: string): string[] {
  return [...new Set(templates.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
}
