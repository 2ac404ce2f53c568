import type { Micros } from "@lineshaft/contract/api";
import type { SparkplugTopic } from "./topic.ts";

/** One metric as its birth certificate declared it. The object stays the same over rebirths, so that writers may hang their own index on it. */
export interface MetricEntry {
  address: string;
  type: number;
  /** The alias is given to another metric as well, so a value under it cannot be told apart. */
  ambiguous: boolean;
  /** Members of a template instance, by name. */
  members: Map<string, MetricEntry> | null;
  unit: string | null;
  /** Its place in the batcher (`RowSlot`). */
  batch: number;
  list: number;
  index: number;
}

/** The node itself (device null) or one of its devices. */
export interface MetricTable {
  device: string | null;
  online: boolean;
  /** Born since the last NBIRTH? Else its aliases are those of an earlier session. */
  born: boolean;
  metrics: Map<string, MetricEntry>;
}

/** A message that waits: for a missing one before it, or for a birth. The bytes are a copy. */
export interface RawMessage {
  server: number;
  topic: Exclude<SparkplugTopic, { verb: "STATE" }>;
  payload: Uint8Array;
  receivedUs: Micros;
  /** Its sequence number has been judged already. */
  judged: boolean;
}

export interface EdgeNode {
  group: string;
  node: string;
  /** The server over which its birth came; commands go there. */
  server: number;
  /** `unknown`: no birth since we started. `gap`: a message is missing for good, a rebirth has been asked for. */
  phase: "unknown" | "online" | "gap" | "offline";
  bdSeq: number | null;
  /** Null: the next one is taken as it comes. */
  expectedSeq: number | null;
  lastMessageUs: Micros | null;
  bornMs: number;
  self: MetricTable;
  devices: Map<string, MetricTable>;
  /** Aliases are unique per edge node, its devices included (6.4.8). */
  aliases: Map<number, MetricEntry>;
  reorder: { sinceMs: number; messages: Map<number, RawMessage>; bytes: number } | null;
  parked: { sinceMs: number; messages: RawMessage[]; bytes: number } | null;
  rebirthMs: number;
  collisionAsked: boolean;
}

export function newNode(group: string, node: string, server: number): EdgeNode {
  return {
    group,
    node,
    server,
    phase: "unknown",
    bdSeq: null,
    expectedSeq: null,
    lastMessageUs: null,
    bornMs: 0,
    self: newTable(null),
    devices: new Map(),
    aliases: new Map(),
    reorder: null,
    parked: null,
    rebirthMs: Number.NEGATIVE_INFINITY,
    collisionAsked: false,
  };
}

export const newTable = (device: string | null): MetricTable => ({
  device,
  online: false,
  born: false,
  metrics: new Map(),
});

export const newEntry = (address: string, type: number): MetricEntry => ({
  address,
  type,
  ambiguous: false,
  members: null,
  unit: null,
  batch: -1,
  list: -1,
  index: -1,
});

/** All addresses below a table, members of templates included. */
export function addressesOf(table: MetricTable): string[] {
  const found: string[] = [];
  const visit = (entry: MetricEntry): void => {
    if (entry.members === null) found.push(entry.address);
    else for (const member of entry.members.values()) visit(member);
  };
  for (const entry of table.metrics.values()) visit(entry);
  return found;
}
