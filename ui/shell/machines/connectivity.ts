import type {
  BrowseItem,
  Certificates,
  CheckStep,
  LinesEnd,
  LinesFailure,
  Proposal,
  WireRecord,
} from "@lineshaft/contract/api";
import { ask, linesOf } from "../platform.ts";
import type { Schema } from "./schema.ts";

/** What the console asks the server about connections, beyond the plain routes. */

export interface Kind {
  kind: string;
  title: string;
  mode: "connects" | "listens";
  config: Schema;
  tagOptions: Schema;
}

/** A failure told at the end of an answer that had begun already. */
export interface Failure {
  fault: string;
  message: string;
  hint: string;
  technical: string;
}

export class ConnectionFailure extends Error {
  override name = "ConnectionFailure";
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

const json = (body: unknown, signal?: AbortSignal) => ({
  body: JSON.stringify(body),
  type: "application/json",
  ...(signal === undefined ? {} : { signal }),
});

/** Each step as soon as it is done. */
export async function* checkSteps(
  kind: string,
  config: Record<string, unknown>,
  signal: AbortSignal,
): AsyncGenerator<CheckStep> {
  const response = await ask("POST", "/connections/check", json({ kind, config }, signal));
  yield* linesOf<CheckStep>(response);
}

/** The lines of an answer that says how it ended. Throws its failure; returns whether there was more. */
export async function* framed<T extends object>(response: Response): AsyncGenerator<T, boolean> {
  for await (const line of linesOf<T | LinesEnd | LinesFailure>(response)) {
    if ("error" in line) throw new ConnectionFailure({ fault: "", ...line.error });
    if ("end" in line) return line.end.more;
    yield line;
  }
  throw new ConnectionFailure({
    fault: "lost",
    message: "The answer was cut off.",
    hint: "Try again; look whether the server was restarted.",
    technical: "no end line",
  });
}

/** A running connection, or a configuration that is not saved yet. */
export type Peer = { connection: string } | { kind: string; config: Record<string, unknown> };

async function collected<T extends object>(response: Response): Promise<{ items: T[]; more: boolean }> {
  const items: T[] = [];
  const lines = framed<T>(response);
  for (;;) {
    const { done, value } = await lines.next();
    if (done) return { items, more: value };
    items.push(value);
  }
}

/** Children one level below an address; "" is the root. */
export async function browseLevel(
  peer: Peer,
  from: string,
  signal: AbortSignal,
): Promise<{ items: BrowseItem[]; more: boolean }> {
  return collected<BrowseItem>(
    await ask("POST", "/connections/browse", json({ ...peer, from, limit: 10_000 }, signal)),
  );
}

export interface Proposals {
  items: Proposal[];
  /** There were topics that could not be looked at. */
  more: boolean;
}

/** What was heard in some seconds, as templates. */
export async function propose(peer: Peer, seconds: number, filters: string[], signal: AbortSignal): Promise<Proposals> {
  return collected<Proposal>(await ask("POST", "/connections/propose", json({ ...peer, seconds, filters }, signal)));
}

/** Where certificates are kept: by connection, or by kind before there is one. */
export type Store = { connection: string } | { kind: string };
const storePath = (store: Store): string =>
  "connection" in store
    ? `/connections/${encodeURIComponent(store.connection)}/certificates`
    : `/connection-kinds/${encodeURIComponent(store.kind)}/certificates`;

export async function readCertificates(store: Store, signal?: AbortSignal): Promise<Certificates> {
  const response = await ask("GET", storePath(store), signal === undefined ? {} : { signal });
  return (await response.json()) as Certificates;
}
export async function trustCertificate(store: Store, thumbprint: string): Promise<void> {
  await ask("POST", `${storePath(store)}/${thumbprint}/trust`);
}
export async function distrustCertificate(store: Store, thumbprint: string): Promise<void> {
  await ask("DELETE", `${storePath(store)}/${thumbprint}`);
}

/** Raw traffic of a running connection, as it passes. */
export async function* wireOf(connection: string, seconds: number, signal: AbortSignal): AsyncGenerator<WireRecord> {
  const path = `/connections/${encodeURIComponent(connection)}/wire?seconds=${seconds}`;
  yield* framed<WireRecord>(await ask("GET", path, { signal }));
}
