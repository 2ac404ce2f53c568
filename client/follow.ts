import {
  apiBase,
  decodePointsFrame,
  type Problem,
  ProblemError,
  type StreamEvent,
  type StreamRequest,
} from "@lineshaft/contract/api";
import { type BackOff, pauseMs, sleep } from "./back-off.ts";
import { call, isTemporary, toProblemError, UnreachableError } from "./call.ts";
import { eventFromJson } from "./points.ts";
import type { Socket, Transport } from "./transport.ts";

export interface FollowOptions {
  signal?: AbortSignal;
  /**
   * Where the stream stands: everything up to there has been taken, or left out by the filter. Keep it to resume later.
   */
  onCursor?: (cursor: string) => void;
  /** Told once when the stream is lost and once when it is back. */
  onState?: (state: "open" | "waiting", cause?: unknown) => void;
}

/** Unread messages kept; beyond it the socket is closed, and opened again at the last one kept when they are read. */
const queuedBytesMax = 32 * 1024 * 1024;
/** A server tells at least its cursor every 5 s; after this long without a word the connection is dead. */
const silenceMs = 20_000;

/**
 * The event stream from the request's start on, for ever: it reconnects and resumes at the last cursor, without gap or repeat. Ends
 * when the signal is aborted; throws ProblemError when the server says that trying again is of no use.
 */
export async function* follow(
  transport: Transport,
  request: StreamRequest,
  backOff: BackOff,
  { signal, onCursor, onState }: FollowOptions,
): AsyncGenerator<StreamEvent, void, void> {
  let resume: StreamRequest = { format: "columns", ...request };
  let failures = 0;
  let state: "open" | "waiting" | null = null;
  const tell = (next: "open" | "waiting", cause?: unknown): void => {
    if (next !== state) onState?.(next, cause);
    state = next;
  };
  const moveTo = (cursor: string): void => {
    const { from: _, ...rest } = resume;
    resume = { ...rest, cursor };
    failures = 0;
    onCursor?.(cursor);
  };
  while (!signal?.aborted) {
    const incoming = new Incoming(transport, resume, signal, () => tell("open"));
    let end: unknown = null;
    try {
      for await (const message of incoming) {
        const read = readMessage(message);
        if ("type" in read) yield read;
        // Only now has the caller taken it.
        moveTo(read.cursor);
      }
      // Closed by ourselves: too much unread. Go on at once.
      if (incoming.overflowed) continue;
      end = new UnreachableError("The stream was closed.");
    } catch (error) {
      end = error;
    } finally {
      incoming.close();
    }
    if (signal?.aborted) return;
    if (!incoming.opened) end = await whyRefused(transport, end, signal);
    if (!isTemporary(end)) throw end;
    tell("waiting", end);
    const after = end instanceof ProblemError ? (end.retryAfterSeconds ?? 0) * 1000 : 0;
    await sleep(Math.max(after, pauseMs(backOff, ++failures)), signal).catch(() => {});
  }
}

function readMessage(message: string | Uint8Array): StreamEvent | { cursor: string } {
  if (typeof message !== "string") return decodePointsFrame(message);
  const json = JSON.parse(message) as Record<string, unknown>;
  if (json.problem !== undefined) throw toProblemError(json.problem as Problem);
  return typeof json.type === "string" ? eventFromJson(json) : (json as { cursor: string });
}

/** A WebSocket that is refused does not say why; an ordinary request with the same credential does. */
async function whyRefused(transport: Transport, error: unknown, signal: AbortSignal | undefined): Promise<unknown> {
  if (error instanceof ProblemError) return error;
  try {
    await call(transport, "getSession", { signal });
    return error;
  } catch (reason) {
    return reason;
  }
}

/** One socket's messages as an async iterable with a bounded queue. */
class Incoming implements AsyncIterable<string | Uint8Array> {
  opened = false;
  overflowed = false;
  readonly #socket: Socket;
  readonly #queue: { data: string | Uint8Array; taken: () => void }[] = [];
  #queuedBytes = 0;
  #ended = false;
  #wake: () => void = () => {};
  #silence: ReturnType<typeof setTimeout> | undefined;
  readonly #signal: AbortSignal | undefined;

  constructor(transport: Transport, request: StreamRequest, signal: AbortSignal | undefined, onOpen: () => void) {
    this.#signal = signal;
    signal?.addEventListener("abort", this.close);
    this.#listen();
    this.#socket = transport.socket(`${apiBase}/stream`, {
      open: () => {
        this.opened = true;
        this.#socket.send(JSON.stringify({ subscribe: request }));
        onOpen();
      },
      message: (data) => this.#message(data),
      closed: () => this.#end(),
    });
  }

  #message(data: string | Uint8Array): Promise<void> {
    this.#listen();
    if (this.#ended) return Promise.resolve();
    this.#queuedBytes += data.length;
    const taken = new Promise<void>((resolve) => {
      this.#queue.push({ data, taken: resolve });
    });
    this.#wake();
    if (this.#queuedBytes > queuedBytesMax) {
      this.overflowed = true;
      this.#end();
      this.#socket.close();
    }
    return taken;
  }

  /** Starts the watch for silence anew. */
  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(this.close, silenceMs);
  }

  #end(): void {
    this.#ended = true;
    clearTimeout(this.#silence);
    this.#signal?.removeEventListener("abort", this.close);
    this.#wake();
  }

  readonly close = (): void => {
    if (this.#ended) return;
    this.#end();
    this.#socket.close();
  };

  async *[Symbol.asyncIterator](): AsyncGenerator<string | Uint8Array, void, void> {
    for (;;) {
      const next = this.#queue.shift();
      if (next !== undefined) {
        if (this.#signal?.aborted) return;
        this.#queuedBytes -= next.data.length;
        yield next.data;
        next.taken();
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
