/** One request on the wire; paths begin with "/". */
export interface WireRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
  signal?: AbortSignal;
}

export interface WireResponse {
  status: number;
  header(name: string): string | null;
  bytes(): Promise<Uint8Array>;
}

/** What a stream's socket tells; each `message` may be answered with a promise that holds the next ones back. */
export interface SocketEvents {
  open(): void;
  message(data: string | Uint8Array): void | Promise<void>;
  closed(code: number, reason: string): void;
}

export interface Socket {
  send(text: string): void;
  close(): void;
}

/** How the SDK reaches a server: over the network, or in the same process. Both carry the same credential. */
export interface Transport {
  /** Rejects when the server cannot be reached; every answer, refusals included, resolves. */
  request(request: WireRequest): Promise<WireResponse>;
  socket(path: string, events: SocketEvents): Socket;
}

/** What we use of a WebSocket; the browser's, Node's and the `ws` package's all fit. */
export interface WebSocketLike {
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(): void;
}

export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike;

export interface NetworkOptions {
  url: string;
  /** API key or admin secret; null: the browser's session cookie. */
  key: string | null;
  fetch: typeof fetch;
  WebSocket: WebSocketConstructor;
}

/** Subprotocol of the event stream; the key travels beside it, since browsers cannot send headers with a WebSocket. */
const streamProtocol = "lineshaft.v1";

export function networkTransport({ url, key, fetch, WebSocket }: NetworkOptions): Transport {
  const base = url.replace(/\/+$/, "");
  const always: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}`, ...encodingFor(url) };
  return {
    async request({ method, path, headers, body, signal }) {
      const response = await fetch(base + path, {
        method,
        headers: { ...always, ...headers },
        ...(body === undefined ? {} : { body: body as BodyInit }),
        ...(key === null ? { credentials: "same-origin" } : {}),
        ...(signal === undefined ? {} : { signal }),
      });
      return {
        status: response.status,
        header: (name) => response.headers.get(name),
        bytes: async () => new Uint8Array(await response.arrayBuffer()),
      };
    },
    socket(path, events) {
      const protocols = key === null ? [streamProtocol] : [streamProtocol, `bearer.${key}`];
      const socket = new WebSocket(base.replace(/^http/, "ws") + path, protocols);
      socket.binaryType = "arraybuffer";
      let ended = false;
      const end = (code: number, reason: string): void => {
        if (!ended) events.closed(code, reason);
        ended = true;
      };
      socket.onopen = () => events.open();
      socket.onmessage = ({ data }: { data: string | ArrayBuffer }) =>
        void events.message(typeof data === "string" ? data : new Uint8Array(data));
      socket.onclose = ({ code, reason }: { code: number; reason: string }) => end(code, reason);
      // Always followed by a close event.
      socket.onerror = () => {};
      return { send: (text) => socket.send(text), close: () => socket.close() };
    },
  };
}

/** Within one machine copying bytes costs less than packing them. */
function encodingFor(url: string): Record<string, string> {
  const { hostname } = new URL(url);
  return ["localhost", "127.0.0.1", "[::1]"].includes(hostname) ? { "accept-encoding": "identity" } : {};
}
