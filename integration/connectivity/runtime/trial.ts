import type { Proposals } from "@lineshaft/contract/api";
import {
  type BrowseItem,
  type Clock,
  ConnectionError,
  type ConnectorSink,
  type ConnectorType,
} from "@lineshaft/contract/ports";
import type { LiveConnector } from "./managed-connection.ts";
import { cannotBrowse } from "./plain-error.ts";

/** A connector on a configuration that is not saved: made, used once and closed. Nothing is retried and nothing is stored. */
export interface Trial {
  type: ConnectorType;
  /** Defaults filled in and checked. */
  config: unknown;
  open(config: unknown): Promise<LiveConnector>;
  clock: Clock;
}

export async function* browseOnce(
  { type, config, open }: Trial,
  address: string,
  signal: AbortSignal,
): AsyncGenerator<BrowseItem> {
  const connector = await open(config);
  try {
    if (connector.browse === undefined) throw cannotBrowse(type.kind);
    await connector.connect(signal);
    yield* connector.browse(address, signal);
  } finally {
    await connector.close().catch(() => undefined);
  }
}

export async function learnOnce(
  { type, config, open, clock }: Trial,
  look: { filters: readonly string[]; seconds: number; unique: string },
  signal: AbortSignal,
): Promise<Proposals> {
  const { learning } = type;
  if (learning === undefined) {
    const hint = "Browse it, or write its addresses by hand.";
    throw new ConnectionError("misconfigured", `Connections of kind "${type.kind}" learn nothing from traffic.`, hint);
  }
  const connector = await open(learning.config(config, look.filters, look.unique));
  const over = new AbortController();
  try {
    await connector.connect(signal);
    const enough = AbortSignal.any([signal, over.signal]);
    const reading = connector.read([], null, nowhere, enough);
    reading.catch(() => undefined);
    await Promise.race([reading, clock.sleep(look.seconds * 1000, enough)]);
    return learning.proposals(await connector.diagnose());
  } finally {
    over.abort(new Error("It has been looked at for long enough."));
    await connector.close().catch(() => undefined);
  }
}

/** Takes nothing: what only looks has nothing to offer. */
const nowhere: ConnectorSink = {
  offer: async () => ({ kind: "rejected", code: "internal", detail: "Nothing is stored while learning.", lsn: null }),
  credit: () => ({ rows: 1, bytes: 1 }),
  ready: async () => undefined,
  reject: async () => undefined,
  gap: async () => undefined,
  stale: async () => undefined,
};
