import {
  apiBase,
  type Problem,
  type ProblemCode,
  ProblemError,
  problemCatalogue,
  type RouteBody,
  type RouteContent,
  type RouteName,
  type RouteParams,
  type RouteQuery,
  type RouteResponse,
  routes,
} from "@lineshaft/contract/api";
import type { Transport, WireResponse } from "./transport.ts";

/** What a call carries; the parts that the route has, and no others. */
export type CallOptions<N extends RouteName> = (RouteParams<N> extends undefined
  ? object
  : { params: RouteParams<N> }) &
  (RouteQuery<N> extends undefined ? object : { query?: RouteQuery<N> }) &
  (RouteBody<N> extends undefined ? object : { body: RouteBody<N> }) &
  (RouteContent<N> extends undefined ? object : { body: RouteContent<N> }) & {
    /** The revision that a change is based on (If-Match). */
    revision?: number;
    signal?: AbortSignal;
  };

/** The server could not be reached, or something in between answered in its place. Trying again makes sense. */
export class UnreachableError extends Error {
  override name = "UnreachableError";
}

/** One call of the REST API, typed by the route table. Rejects with ProblemError, or UnreachableError without an answer. */
export async function call<N extends RouteName>(
  transport: Transport,
  name: N,
  options: CallOptions<N>,
): Promise<RouteResponse<N>> {
  const { body, revision, signal } = options as { body?: unknown; revision?: number; signal?: AbortSignal };
  const response = await send(transport, {
    method: routes[name].method,
    path: pathOf(name, options as { params?: unknown; query?: unknown }),
    headers: {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(revision === undefined ? {} : { "if-match": `"${revision}"` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal,
  });
  return parse<RouteResponse<N>>(await response.bytes());
}

/** Address of a route with its parameters filled in, below the server's root. */
export function pathOf(name: RouteName, options: { params?: unknown; query?: unknown }): string {
  const params = (options.params ?? {}) as Record<string, string | number>;
  const path = routes[name].path.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(String(params[key])));
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(options.query ?? {})) {
    if (value === undefined || value === null) continue;
    // Numbers stand in one parameter; texts may hold a comma.
    if (Array.isArray(value) && typeof value[0] === "string") for (const each of value) query.append(key, each);
    else query.append(key, Array.isArray(value) ? value.join(",") : String(value));
  }
  return `${apiBase}${path}${query.size > 0 ? `?${query}` : ""}`;
}

/** Sends and turns refusals into errors. */
export async function send(transport: Transport, request: Parameters<Transport["request"]>[0]): Promise<WireResponse> {
  let response: WireResponse;
  try {
    response = await transport.request(request);
  } catch (cause) {
    if (request.signal?.aborted) throw cause;
    throw new UnreachableError(`${request.method} ${request.path} got no answer.`, { cause });
  }
  if (response.status < 400) return response;
  throw problemOf(await response.bytes(), `${request.method} ${request.path}: ${response.status}`);
}

/** The problem in an answer; UnreachableError when it is not one of ours (a proxy's page, for example). */
function problemOf(bytes: Uint8Array, what: string): Error {
  try {
    return toProblemError(parse<Problem>(bytes));
  } catch (cause) {
    return new UnreachableError(`${what}, which is no answer of Lineshaft's.`, { cause });
  }
}

/** Throws when it is no problem. A code that we do not know yet keeps its sense as far as we can tell. */
export function toProblemError(problem: Problem): ProblemError {
  if (typeof problem?.code !== "string") throw new TypeError("This is no problem.");
  const { retryAfterSeconds, errors } = problem;
  if (problem.code in problemCatalogue)
    return new ProblemError(problem.code as ProblemCode, problem.detail, { retryAfterSeconds, errors });
  const code = problem.retry === "later" ? "overloaded" : "request_invalid";
  return new ProblemError(code, `${problem.code}: ${problem.detail}`, { retryAfterSeconds, errors });
}

const decoder = new TextDecoder();
const parse = <T>(bytes: Uint8Array): T => JSON.parse(decoder.decode(bytes)) as T;

/** May the same request succeed later? */
export function isTemporary(error: unknown): boolean {
  return error instanceof UnreachableError || (error instanceof ProblemError && error.retry === "later");
}
