/** The SDK: Lineshaft over HTTP and WebSocket, for Node and browsers. Start with `connectLineshaft`. */
import type { BackOff } from "./back-off.ts";
import { Platform } from "./platform.ts";
import { networkTransport, type WebSocketConstructor } from "./transport.ts";

export {
  type ApplicationProgram,
  type Compute,
  type ComputedResult,
  orderIdOf,
  type ReadOptions,
  type RunOptions,
  readViews,
  runApplication,
  type View,
} from "./application.ts";
export type { BackOff } from "./back-off.ts";
export { type CallOptions, toProblemError, UnreachableError } from "./call.ts";
export type { FollowOptions } from "./follow.ts";
export { Platform } from "./platform.ts";
export { eventFromJson, type NamedColumns, type PointInput, toNamedColumns } from "./points.ts";
export type { WebSocketConstructor, WebSocketLike } from "./transport.ts";
export { Writer, type WriterOptions } from "./writer.ts";

export interface ConnectOptions {
  /** Root of the server, e.g. `http://localhost:4840`. */
  url: string;
  /** API key or admin secret. */
  key?: string;
  /** In a browser: use the session cookie of the signed-in person instead of a key. */
  session?: true;
  fetch?: typeof globalThis.fetch;
  WebSocket?: WebSocketConstructor;
  backOff?: BackOff;
}

/** Connects nothing yet: each call and stream does so when it is used. */
export function connectLineshaft(options: ConnectOptions): Platform {
  const { url, key, session, backOff } = options;
  if (key === undefined && session === undefined) throw new TypeError("Give a key, or session: true in a browser.");
  const fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  const WebSocket = options.WebSocket ?? (globalThis.WebSocket as unknown as WebSocketConstructor);
  return new Platform(networkTransport({ url, key: key ?? null, fetch, WebSocket }), backOff);
}
