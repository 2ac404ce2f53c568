import type { Clock, ConnectorSink } from "@lineshaft/contract/ports";
import type { OpcuaConfig } from "./config.ts";
import type { WireDataValue } from "./decode.ts";
import { timeOf } from "./decode.ts";
import { readHistory } from "./history.ts";
import type { Item, ServerLimits } from "./items.ts";
import type { Opcua } from "./library.ts";
import type { RawSession } from "./link.ts";
import { type Counters, SinkFailure } from "./reader.ts";

const hourUs = 3_600_000_000;
const batchRows = 5_000;
/** A cursor is the server's clock, and values may have been queued with times a little before it. What comes twice is known by its time. */
const overlapUs = 2_000_000;

export interface FillOptions {
  opcua: Opcua;
  session: RawSession;
  config: OpcuaConfig;
  limits: ServerLimits;
  sink: ConnectorSink;
  clock: Clock;
  counters: Counters;
  items: readonly Item[];
  /** Where a tag without a value of its own in this process goes on; null = nothing was read before. */
  resumeUs: number | null;
  /** What happened, for the gap record. */
  reason: string;
  /** Only the tags with history, and no record for the others: a later call says it for them. */
  quiet?: boolean;
  signal: AbortSignal;
  offer(rows: readonly { item: Item; data: WireDataValue }[]): Promise<void>;
}

/** Reads what was missed from the server's history, and records as a gap what the server does not have. */
export async function fillGap(options: FillOptions): Promise<void> {
  const { items, resumeUs, config, opcua, session, limits, quiet, counters } = options;
  const known = items.flatMap((item) => {
    const fromUs = Number.isNaN(item.lastUs) ? resumeUs && resumeUs - overlapUs : item.lastUs;
    return fromUs === null ? [] : [{ item, fromUs }];
  });
  if (known.length === 0) return;
  const toUs = await serverNow(options);
  const earliest = toUs - config.historyHours * hourUs;
  const open = known.filter(
    ({ item, fromUs }) => config.history && item.history && item.nodeId !== null && fromUs < toUs,
  );
  const missing = new Map(known.filter((k) => !open.includes(k)).map((k) => [k.item, k.fromUs]));
  const from = new Map(open.map(({ item, fromUs }) => [item, Math.max(fromUs, earliest)]));
  for (const { item, fromUs } of open) if (fromUs < earliest) missing.set(item, fromUs);
  const failed = new Set<Item>();
  try {
    const wanted = open.map(({ item }) => ({ item, fromUs: from.get(item) ?? earliest }));
    let rows: { item: Item; data: WireDataValue }[] = [];
    for await (const page of readHistory(opcua, session, wanted, toUs, limits)) {
      for (const item of page.failed) failed.add(item);
      // The newest known one comes again with the page; it is not offered twice.
      rows.push(...page.rows.filter(({ item, data }) => timeOf(data) > (from.get(item) ?? 0)));
      if (rows.length < batchRows) continue;
      counters.filledRows += rows.length;
      await options.offer(rows);
      rows = [];
    }
    counters.filledRows += rows.length;
    await options.offer(rows);
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof SinkFailure) throw error;
    // Either the channel is broken, which this finds too, or the server has no history after all, which leaves a gap.
    await serverNow(options);
    for (const { item } of open) failed.add(item);
  }
  for (const item of failed) missing.set(item, from.get(item) ?? earliest);
  if (missing.size === 0 || quiet) return;
  counters.gaps += 1;
  const names = [...missing.keys()].slice(0, 5).map((item) => item.address);
  await options.sink.gap({
    fromUs: Math.min(...missing.values()),
    toUs,
    points: null,
    reason: `${options.reason} No history for ${missing.size} of ${items.length} tags (${names.join(", ")}${missing.size > 5 ? ", …" : ""}).`,
  });
}

/** The server's own clock, in which its source times mostly are; ours, where it does not tell. */
async function serverNow({ opcua, session, clock }: FillOptions): Promise<number> {
  const nodeId = opcua.coerceNodeId(opcua.VariableIds.Server_ServerStatus_CurrentTime);
  const answer = await session.read({ nodeId, attributeId: opcua.AttributeIds.Value });
  const time: unknown = answer.value?.value;
  return time !== null && typeof time === "object" && "getTime" in time
    ? (time as { getTime(): number }).getTime() * 1000
    : clock.nowUs();
}
