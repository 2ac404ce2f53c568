import {
  apiBase,
  columnsMediaType,
  type IngestReceipt,
  type RouteBody,
  type RouteName,
  type RouteParams,
  type RouteQuery,
  type RouteResponse,
  routes,
} from "@lineshaft/contract/api";

/** What a call needs beyond its name; parts that the route does not have are left out. */
export interface Call<N extends RouteName> {
  params?: RouteParams<N>;
  query?: RouteQuery<N>;
  body?: RouteBody<N>;
  /** The revision that the change builds on. */
  ifMatch?: number;
}

/** The platform as the plant sees it: its REST routes, and batches of points. */
export interface Platform {
  call<N extends RouteName>(name: N, call: Call<N>, signal: AbortSignal): Promise<RouteResponse<N>>;
  ingest(
    connection: string,
    frame: Uint8Array,
    query: RouteQuery<"ingest">,
    signal: AbortSignal,
  ): Promise<IngestReceipt>;
}

/** The platform refused, or could not be reached. */
export class PlatformError extends Error {
  override name = "PlatformError";
  /** HTTP status; 0: no answer. */
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** `later`: the same request may succeed; `credential`: only after somebody changed the key; `never`: not as it is. */
  get retry(): "later" | "credential" | "never" {
    if (this.status === 401 || this.status === 403) return "credential";
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500 ? "later" : "never";
  }
}

/** A stalled server is treated like one that is away. */
const requestTimeoutMs = 15_000;

export function httpPlatform(url: string, key: string | undefined): Platform {
  const base = url.replace(/\/+$/, "") + apiBase;
  const credential: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};

  async function send<T>(path: string, init: RequestInit & { headers: Record<string, string> }, signal: AbortSignal) {
    let answer: Response;
    try {
      const until = AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]);
      answer = await fetch(base + path, { ...init, headers: { ...credential, ...init.headers }, signal: until });
      const text = await answer.text();
      if (answer.ok) return JSON.parse(text) as T;
      throw problemOf(answer.status, text);
    } catch (error) {
      if (error instanceof PlatformError) throw error;
      signal.throwIfAborted();
      throw new PlatformError(0, "unreachable", `${url} does not answer: ${causeOf(error)}`);
    }
  }

  return {
    call(name, { params, query, body, ifMatch }, signal) {
      const { method, path } = routes[name];
      const filled = path.replace(/\{(\w+)\}/g, (_, key: string) =>
        encodeURIComponent(String((params as Record<string, unknown> | undefined)?.[key])),
      );
      const headers: Record<string, string> = {};
      if (body !== undefined) headers["content-type"] = "application/json";
      if (ifMatch !== undefined) headers["if-match"] = `"${ifMatch}"`;
      const init = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
      return send(filled + queryText(query), init, signal);
    },
    ingest(connection, frame, query, signal) {
      const headers = { "content-type": columnsMediaType };
      const init = { method: "POST", headers, body: frame as Uint8Array<ArrayBuffer> };
      return send(`/ingest/${encodeURIComponent(connection)}${queryText(query)}`, init, signal);
    },
  };
}

function queryText(query: object | undefined): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (given.length === 0) return "";
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

function problemOf(status: number, text: string): PlatformError {
  try {
    const { code, title, detail, action } = JSON.parse(text) as Record<string, string | undefined>;
    return new PlatformError(status, code ?? "unknown", [title, detail, action].filter(Boolean).join(" "));
  } catch {
    return new PlatformError(status, "unknown", `HTTP ${status}: ${text.slice(0, 200)}`);
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message;
}
