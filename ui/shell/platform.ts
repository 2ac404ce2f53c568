import { type CallOptions, connectLineshaft, toProblemError, UnreachableError } from "@lineshaft/client";
import {
  apiBase,
  type Problem,
  ProblemError,
  type RouteName,
  type RouteResponse,
  type StreamEvent,
  type StreamRequest,
} from "@lineshaft/contract/api";

export { UnreachableError };

/** The console has no door of its own: it uses the SDK that everybody uses, with the cookie of who is signed in. */
const platform = connectLineshaft({ url: location.origin, session: true });

const listeners = new Set<() => void>();
/** Tells that a call was refused for want of a session, wherever it happened. */
export function observeSignedOut(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** How often somebody has signed in on this page. */
let signIns = 0;

const signedOutCodes: readonly string[] = ["auth_missing", "auth_invalid", "key_expired", "key_revoked"];

/** `asOf`: sign-ins when the call began; what was refused to the session before says nothing of the one that has begun since. */
function noticeSignedOut(error: unknown, asOf: number): void {
  if (asOf === signIns && error instanceof ProblemError && signedOutCodes.includes(error.code))
    for (const listener of listeners) listener();
}

type Rest<N extends RouteName> = object extends CallOptions<N> ? [options?: CallOptions<N>] : [options: CallOptions<N>];

/** One call of the REST API by its name in the route table. Rejects with ProblemError or UnreachableError. */
export async function call<N extends RouteName>(name: N, ...rest: Rest<N>): Promise<RouteResponse<N>> {
  const asOf = signIns;
  try {
    const answer = await platform.call(name, ...rest);
    if (name === "signIn") signIns++;
    return answer;
  } catch (error) {
    if (name !== "signIn") noticeSignedOut(error, asOf);
    throw error;
  }
}

export type StreamState = "connecting" | "open" | "waiting";
export interface StreamHandlers {
  onEvent(event: StreamEvent): void;
  onState(state: StreamState): void;
}

const restartMs = 2_000;

/** Follows the event stream; the SDK comes back by itself where it stopped. Returns how to close it. */
export function openStream(request: StreamRequest, handlers: StreamHandlers): () => void {
  const abort = new AbortController();
  void followForEver(request, handlers, abort.signal);
  return () => abort.abort();
}

async function followForEver(request: StreamRequest, handlers: StreamHandlers, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    handlers.onState("connecting");
    const asOf = signIns;
    try {
      const onState = (state: StreamState): void => {
        if (!signal.aborted) handlers.onState(state);
      };
      for await (const event of platform.subscribe(request, { signal, onState })) {
        if (signal.aborted) return;
        handlers.onEvent(event);
      }
    } catch (error) {
      if (signal.aborted) return;
      noticeSignedOut(error, asOf);
    }
    // The server says that resuming makes no sense (its log has moved on, or was restored): a live view begins again from now.
    if (!signal.aborted) {
      handlers.onState("waiting");
      await new Promise((wake) => setTimeout(wake, restartMs));
    }
  }
}

export interface AskOptions {
  body?: BodyInit;
  type?: string;
  accept?: string;
  revision?: number;
  signal?: AbortSignal;
}

/** What travels as something other than one JSON value: configurations as text, tables, answers line by line. Refusals become errors as with `call`. */
export async function ask(method: string, path: string, options: AskOptions = {}): Promise<Response> {
  const { body, type, accept = "application/json", revision, signal } = options;
  const asOf = signIns;
  let response: Response;
  try {
    response = await fetch(`${apiBase}${path}`, {
      method,
      headers: {
        accept,
        ...(type === undefined ? {} : { "content-type": type }),
        ...(revision === undefined ? {} : { "if-match": `"${revision}"` }),
      },
      credentials: "same-origin",
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new UnreachableError(`${method} ${path} got no answer.`, { cause });
  }
  if (response.ok) return response;
  const error = await refusalOf(response, `${method} ${path}`);
  noticeSignedOut(error, asOf);
  throw error;
}

async function refusalOf(response: Response, what: string): Promise<Error> {
  try {
    return toProblemError((await response.json()) as Problem);
  } catch (cause) {
    return new UnreachableError(`${what}: ${response.status}, which is no answer of Lineshaft's.`, { cause });
  }
}

/** The values of an answer that comes as lines of JSON, each as soon as it is there. */
export async function* linesOf<T>(response: Response): AsyncGenerator<T> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return;
  let rest = "";
  try {
    for (;;) {
      const { done, value = "" } = await reader.read();
      const lines = (rest + value).split("\n");
      rest = done ? "" : (lines.pop() ?? "");
      for (const line of lines) if (line !== "") yield JSON.parse(line) as T;
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
