import {
  type Principal,
  ProblemError,
  type RouteBody,
  type RouteName,
  type RouteParams,
  type RouteQuery,
  type RouteResponse,
  type routes,
} from "@lineshaft/contract/api";
import type { RequestBody } from "./body.ts";

/** One checked request: who asks, typed parameters, and what the handler may do beyond its answer. */
export interface Call<N extends RouteName> {
  /** null only where the route needs no credential. */
  principal: (typeof routes)[N]["permission"] extends null ? null : Principal;
  params: RouteParams<N>;
  query: RouteQuery<N>;
  body: RouteBody<N>;
  raw: RequestBody | null;
  url: string;
  address: string;
  session: string | undefined;
  accept: string;
  ifMatch: string | undefined;
  header(name: string, value: string): void;
  /** Sets the session cookie; null takes it away. */
  setSession(session: { value: string; maxAgeSeconds: number } | null): void;
  /** Aborted when the caller has gone. */
  signal: AbortSignal;
}

/** An answer that is not one small JSON object: text in pieces, or bytes. */
export class Answer {
  readonly mediaType: string;
  readonly content: Iterable<string> | AsyncIterable<string> | Uint8Array;
  /** Worth compressing and sending piece by piece? */
  readonly large: boolean;

  constructor(mediaType: string, content: Answer["content"], large: boolean) {
    this.mediaType = mediaType;
    this.content = content;
    this.large = large;
  }
}

type Handler<N extends RouteName> = (call: Call<N>) => RouteResponse<N> | Answer | Promise<RouteResponse<N> | Answer>;
/** One handler for each route of the contract; a missing one does not compile. */
export type Handlers = { [N in RouteName]: Handler<N> };

/** The revision that a change is based on. Throws `precondition_required`. */
export function baseRevision(ifMatch: string | undefined): number {
  const match = /^(?:W\/)?"(\d{1,15})"$/.exec(ifMatch ?? "");
  if (match === null) {
    const what = ifMatch === undefined ? "There is no If-Match." : "If-Match is not an ETag of this item.";
    throw new ProblemError("precondition_required", what);
  }
  return Number(match[1]);
}
