// Hot path: `step` runs for every message. The host application's side of Sparkplug 3.0, without clock and network: what a message
// means for the edge node it comes from, and what is to be done about it.
import type { Micros, ProblemCode } from "@lineshaft/contract/api";
import { bdSeqOf, takeBirth } from "./birth.ts";
import {
  addressesOf,
  type EdgeNode,
  type MetricEntry,
  type MetricTable,
  newNode,
  newTable,
  type RawMessage,
} from "./node.ts";
import type { SparkplugPayload } from "./payload.ts";
import type { SparkplugTopic } from "./topic.ts";

export interface HostSettings {
  /** How long a missing message is waited for (5.10: Reorder Timeout); 0: not at all. */
  reorderMs: number;
  /** How long data waits for a birth before it is given up. */
  parkMs: number;
  /** Bytes that may wait at one edge node, and at all of them. */
  parkBytes: number;
  parkBytesTotal: number;
  /** At most one rebirth request an edge node in this time (F21). */
  rebirthMs: number;
  rebirth: boolean;
  nodes: number;
  devices: number;
}

export const defaultSettings: HostSettings = {
  reorderMs: 2000,
  parkMs: 10_000,
  parkBytes: 1024 * 1024,
  parkBytesTotal: 64 * 1024 * 1024,
  rebirthMs: 10_000,
  rebirth: true,
  nodes: 10_000,
  devices: 10_000,
};

export interface HostState {
  settings: HostSettings;
  nodes: Map<string, EdgeNode>;
  waitingBytes: number;
  counts: {
    births: number;
    deaths: number;
    deathsIgnored: number;
    gaps: number;
    rebirths: number;
    parked: number;
    duplicates: number;
  };
}

export const newHostState = (settings: Partial<HostSettings> = {}): HostState => ({
  settings: { ...defaultSettings, ...settings },
  nodes: new Map(),
  waitingBytes: 0,
  counts: { births: 0, deaths: 0, deathsIgnored: 0, gaps: 0, rebirths: 0, parked: 0, duplicates: 0 },
});

export interface Now {
  us: Micros;
  /** Monotonic. */
  ms: number;
}

/** What is to be done, in this order. `begins`: it is the birth of what was not online before. `values` refers to the payload that was passed to `step` and must be used before the next call. */
export type Effect =
  | {
      kind: "values";
      node: EdgeNode;
      table: MetricTable;
      entries: (MetricEntry | null)[];
      birth: boolean;
      begins: boolean;
    }
  | { kind: "stale"; addresses: string[]; atUs: Micros; who: string }
  | { kind: "rebirth"; server: number; group: string; node: string }
  | { kind: "reject"; code: ProblemCode; detail: string; payload: Uint8Array | null }
  | { kind: "gap"; fromUs: Micros; toUs: Micros; reason: string }
  /** To be passed to `step` again, decoded afresh, before anything newer. */
  | { kind: "replay"; messages: RawMessage[] };

type NodeTopic = Exclude<SparkplugTopic, { verb: "STATE" }>;
const millisecond = 1000;
const nameOf = (node: EdgeNode, device: string | null = null): string =>
  `${node.group}/${node.node}${device === null ? "" : `/${device}`}`;

/** One message of an edge node, decoded into `payload`. `raw` is what is kept if it has to wait. */
export function step(state: HostState, message: RawMessage, payload: SparkplugPayload, now: Now): Effect[] {
  const { topic } = message;
  if (topic.verb === "NCMD" || topic.verb === "DCMD") return [];
  const key = `${topic.group}/${topic.node}`;
  let node = state.nodes.get(key);
  if (node === undefined) {
    if (state.nodes.size >= state.settings.nodes) {
      const detail = `More than ${state.settings.nodes} edge nodes.`;
      return [{ kind: "reject", code: "spb_limits", detail, payload: message.payload }];
    }
    node = newNode(topic.group, topic.node, message.server);
    state.nodes.set(key, node);
  }
  if (topic.verb === "NBIRTH") return nodeBirth(state, node, message, payload, now);
  if (topic.verb === "NDEATH") return nodeDeath(state, node, message, payload, now);
  if (node.phase !== "online") return park(state, node, message, now, []);
  return message.judged ? apply(state, node, message, payload, now) : inOrder(state, node, message, payload, now);
}

// ── births and deaths of the node ───────────────────────────────────────────────────────────────────────────────────

function nodeBirth(
  state: HostState,
  node: EdgeNode,
  message: RawMessage,
  payload: SparkplugPayload,
  now: Now,
): Effect[] {
  state.counts.births++;
  const bdSeq = bdSeqOf(payload.metrics);
  // A new session without a death before it: what waits belongs to the one before, and its aliases are gone.
  const sameSession = node.bdSeq === null || bdSeq === null || node.bdSeq === bdSeq;
  node.server = message.server;
  node.phase = "online";
  node.bdSeq = bdSeq;
  // 6.4.4 allows any number here, though 5.2 wants 0; what follows counts on from it.
  node.expectedSeq = payload.seq === -1 ? null : (payload.seq + 1) & 255;
  node.lastMessageUs = message.receivedUs;
  node.bornMs = now.ms;
  // Devices are born anew after their node (5.6); until then nothing of theirs can be read.
  node.aliases.clear();
  for (const device of node.devices.values()) device.born = false;
  const effects: Effect[] = [];
  const waiting = unwait(state, node);
  birth(state, node, node.self, message, payload, now, effects);
  if (sameSession) release(state, node, waiting, now, effects);
  else for (const raw of waiting) effects.push(givenUp(raw, "The edge node began a new session meanwhile."));
  return effects;
}

function birth(
  state: HostState,
  node: EdgeNode,
  table: MetricTable,
  message: RawMessage,
  payload: SparkplugPayload,
  now: Now,
  effects: Effect[],
): void {
  const begins = !table.online;
  const { entries, nameless, collisions } = takeBirth(node, table, payload.metrics);
  effects.push({ kind: "values", node, table, entries, birth: true, begins });
  const who = nameOf(node, table.device);
  if (nameless > 0) {
    const detail = `The birth of ${who} has ${nameless} metrics without a name.`;
    effects.push({ kind: "reject", code: "spb_alias_unknown", detail, payload: message.payload });
  }
  if (collisions.length > 0) {
    const detail = `The birth of ${who} gives an alias twice, e.g. to "${collisions[0].slice(0, 200)}".`;
    effects.push({ kind: "reject", code: "spb_alias_ambiguous", detail, payload: message.payload });
    // Once: a node that does this at each birth would be asked for ever.
    if (!node.collisionAsked) askRebirth(state, node, now, effects);
    node.collisionAsked = true;
  }
}

function nodeDeath(
  state: HostState,
  node: EdgeNode,
  message: RawMessage,
  payload: SparkplugPayload,
  now: Now,
): Effect[] {
  const bdSeq = bdSeqOf(payload.metrics);
  const alive = node.phase === "online" || node.phase === "gap";
  // 5.7: the will of an earlier connection may come after the birth of the next one, also over another server.
  const foreign =
    alive && (node.server !== message.server || (bdSeq !== null && node.bdSeq !== null && bdSeq !== node.bdSeq));
  if (foreign) {
    state.counts.deathsIgnored++;
    return [];
  }
  state.counts.deaths++;
  const effects: Effect[] = [];
  for (const raw of unwait(state, node)) effects.push(givenUp(raw, "The edge node died before a birth came."));
  node.phase = "offline";
  node.bdSeq = null;
  node.expectedSeq = null;
  // Host time: the will was written when the connection began (5.11).
  const addresses: string[] = [];
  for (const table of [node.self, ...node.devices.values()]) {
    if (table.online) addresses.push(...addressesOf(table));
    table.online = false;
    table.born = false;
  }
  if (alive) effects.push({ kind: "stale", addresses, atUs: now.us, who: nameOf(node) });
  return effects;
}

// ── order ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function inOrder(state: HostState, node: EdgeNode, message: RawMessage, payload: SparkplugPayload, now: Now): Effect[] {
  const { seq } = payload;
  const ahead = node.expectedSeq === null || seq === -1 ? 0 : (seq - node.expectedSeq) & 255;
  if (ahead === 0) {
    if (seq !== -1) node.expectedSeq = (seq + 1) & 255;
    const effects = apply(state, node, message, payload, now);
    if (node.reorder !== null) nextInOrder(state, node, effects);
    return effects;
  }
  if (ahead === 255 && message.receivedUs - (node.lastMessageUs ?? 0) < 1_000_000) {
    // The one just taken, again: a repeat by the broker.
    state.counts.duplicates++;
    return [];
  }
  if (ahead >= 128) {
    // An old number: the node has begun to count anew without a birth.
    node.expectedSeq = (seq + 1) & 255;
    const effects = apply(state, node, message, payload, now);
    askRebirth(state, node, now, effects);
    return effects;
  }
  node.reorder ??= { sinceMs: now.ms, messages: new Map(), bytes: 0 };
  const { reorder } = node;
  const bytes = message.payload.length;
  const room =
    reorder.bytes + bytes <= state.settings.parkBytes && state.waitingBytes + bytes <= state.settings.parkBytesTotal;
  if (!reorder.messages.has(seq)) {
    if (!room) return missing(state, node, now, [message]);
    reorder.messages.set(seq, keep(message));
    reorder.bytes += bytes;
    state.waitingBytes += bytes;
  }
  return state.settings.reorderMs === 0 ? missing(state, node, now, []) : [];
}

/** After the missing message has come: the one behind it, which in turn calls the next. */
function nextInOrder(state: HostState, node: EdgeNode, effects: Effect[]): void {
  const { reorder } = node;
  if (reorder === null || node.expectedSeq === null) return;
  const next = reorder.messages.get(node.expectedSeq);
  if (next === undefined) {
    if (reorder.messages.size === 0) node.reorder = null;
    return;
  }
  reorder.messages.delete(node.expectedSeq);
  reorder.bytes -= next.payload.length;
  state.waitingBytes -= next.payload.length;
  if (reorder.messages.size === 0) node.reorder = null;
  effects.push({ kind: "replay", messages: [next] });
}

/** The message did not come in time: what stands behind it waits for the rebirth, since the lost one may have been a birth. */
function missing(state: HostState, node: EdgeNode, now: Now, more: RawMessage[]): Effect[] {
  state.counts.gaps++;
  const expected = node.expectedSeq ?? 0;
  const kept = [...(node.reorder?.messages ?? [])].sort(([a], [b]) => ((a - expected) & 255) - ((b - expected) & 255));
  const reason = `Sparkplug: message ${expected} of edge node ${nameOf(node)} is missing.`;
  const effects: Effect[] = [{ kind: "gap", fromUs: node.lastMessageUs ?? now.us, toUs: now.us, reason }];
  state.waitingBytes -= node.reorder?.bytes ?? 0;
  node.reorder = null;
  node.expectedSeq = null;
  if (!state.settings.rebirth) {
    // Nobody will explain more than the birth that we have.
    const messages = [...kept.map(([, message]) => message), ...more.map(keep)];
    if (messages.length > 0)
      effects.push({ kind: "replay", messages: messages.map((raw) => ({ ...raw, judged: true })) });
    return effects;
  }
  node.phase = "gap";
  askRebirth(state, node, now, effects);
  for (const [, message] of kept) park(state, node, message, now, effects);
  for (const message of more) park(state, node, message, now, effects);
  return effects;
}

// ── what a message in order does ────────────────────────────────────────────────────────────────────────────────────

function apply(state: HostState, node: EdgeNode, message: RawMessage, payload: SparkplugPayload, now: Now): Effect[] {
  const topic: NodeTopic = message.topic;
  node.lastMessageUs = message.receivedUs;
  const effects: Effect[] = [];
  if (topic.verb === "DBIRTH") {
    let table = node.devices.get(topic.device);
    if (table === undefined) {
      if (node.devices.size >= state.settings.devices) {
        const detail = `More than ${state.settings.devices} devices at ${nameOf(node)}.`;
        return [{ kind: "reject", code: "spb_limits", detail, payload: message.payload }];
      }
      table = newTable(topic.device);
      node.devices.set(topic.device, table);
    }
    state.counts.births++;
    birth(state, node, table, message, payload, now, effects);
    if (node.parked !== null) release(state, node, unwait(state, node), now, effects);
    return effects;
  }
  const table = topic.device === null ? node.self : node.devices.get(topic.device);
  if (topic.verb === "DDEATH") {
    if (table === undefined || !table.online) return effects;
    state.counts.deaths++;
    table.online = false;
    table.born = false;
    // 5.12: with the time that the payload gives.
    const atUs = Number.isNaN(payload.timeMs) ? now.us : payload.timeMs * millisecond;
    effects.push({ kind: "stale", addresses: addressesOf(table), atUs, who: nameOf(node, topic.device) });
    return effects;
  }
  if (table === undefined || !table.born) return park(state, node, { ...message, judged: true }, now, effects);
  const { metrics } = payload;
  const entries: (MetricEntry | null)[] = new Array(metrics.count);
  let unknown = 0;
  for (let row = 0; row < metrics.count; row++) {
    const alias = metrics.alias[row];
    let entry = Number.isNaN(alias) ? undefined : node.aliases.get(alias);
    if (entry === undefined) {
      const name = metrics.name[row];
      if (name !== null) entry = table.metrics.get(name);
    }
    if (entry === undefined) unknown++;
    entries[row] = entry ?? null;
  }
  // Waits whole for the rebirth that explains it; when it comes back from there, the rest of it is taken.
  if (unknown > 0 && !message.judged) return park(state, node, { ...message, judged: true }, now, effects);
  effects.push({ kind: "values", node, table, entries, birth: false, begins: false });
  return effects;
}

// ── waiting for a birth ─────────────────────────────────────────────────────────────────────────────────────────────

const keep = (message: RawMessage): RawMessage => ({ ...message, payload: message.payload.slice() });

function park(state: HostState, node: EdgeNode, message: RawMessage, now: Now, effects: Effect[]): Effect[] {
  askRebirth(state, node, now, effects);
  // A device's death without its birth says nothing that we could store.
  if (message.topic.verb === "DDEATH") return effects;
  // A device's birth explains its data, but only in the table of a node that is born.
  const bytes = message.payload.length;
  node.parked ??= { sinceMs: now.ms, messages: [], bytes: 0 };
  const { parked } = node;
  if (parked.bytes + bytes > state.settings.parkBytes || state.waitingBytes + bytes > state.settings.parkBytesTotal) {
    effects.push(givenUp(message, "Too much waits for the birth of this edge node."));
    return effects;
  }
  state.counts.parked++;
  parked.messages.push(keep(message));
  parked.bytes += bytes;
  state.waitingBytes += bytes;
  return effects;
}

/** Everything that waits at the node, which waits no more. */
function unwait(state: HostState, node: EdgeNode): RawMessage[] {
  const messages = [...(node.parked?.messages ?? []), ...(node.reorder?.messages.values() ?? [])];
  for (const message of messages) state.waitingBytes -= message.payload.length;
  node.parked = null;
  node.reorder = null;
  return messages;
}

/** After a birth: what it explains goes on; what needs the birth of a device waits further. A birth that waited is older than this one and done with. */
function release(state: HostState, node: EdgeNode, waiting: RawMessage[], now: Now, effects: Effect[]): void {
  const ready: RawMessage[] = [];
  for (const message of waiting) {
    const { device, verb } = message.topic;
    if (verb === "DBIRTH" || verb === "DDEATH") continue;
    const table = device === null ? node.self : node.devices.get(device);
    if (table?.born === true) ready.push({ ...message, judged: true });
    else {
      node.parked ??= { sinceMs: now.ms, messages: [], bytes: 0 };
      node.parked.messages.push(message);
      node.parked.bytes += message.payload.length;
      state.waitingBytes += message.payload.length;
    }
  }
  if (ready.length > 0) effects.push({ kind: "replay", messages: ready });
}

const givenUp = (message: RawMessage, why: string): Effect => {
  const { group, node, device, verb } = message.topic;
  const from = `${verb} of ${group}/${node}${device === null ? "" : `/${device}`}`;
  return { kind: "reject", code: "spb_birth_missing", detail: `${from}: ${why}`, payload: message.payload };
};

function askRebirth(state: HostState, node: EdgeNode, now: Now, effects: Effect[]): void {
  if (!state.settings.rebirth || now.ms - node.rebirthMs < state.settings.rebirthMs) return;
  node.rebirthMs = now.ms;
  state.counts.rebirths++;
  effects.push({ kind: "rebirth", server: node.server, group: node.group, node: node.node });
}

// ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What the passing of time does; to be called several times a second. */
export function tick(state: HostState, now: Now): Effect[] {
  const effects: Effect[] = [];
  const { reorderMs, parkMs } = state.settings;
  for (const node of state.nodes.values()) {
    if (node.reorder !== null && now.ms - node.reorder.sinceMs >= reorderMs)
      effects.push(...missing(state, node, now, []));
    if (node.parked !== null && now.ms - node.parked.sinceMs >= parkMs) effects.push(...notBorn(state, node));
    else if (node.phase === "gap" && node.parked === null && now.ms - node.rebirthMs >= parkMs) node.phase = "online";
    if (node.phase !== "online" || now.ms - node.bornMs < parkMs) continue;
    for (const device of node.devices.values()) {
      if (!device.online || device.born) continue;
      // Its node was born again, and it was not.
      device.online = false;
      effects.push({ kind: "stale", addresses: addressesOf(device), atUs: now.us, who: nameOf(node, device.device) });
    }
  }
  return effects;
}

/**
 * No rebirth in time. Within a session whose birth we know, data that only stood behind a lost message is read by that birth (the gap
 * is on record); a table that we never saw, or of another session, is not guessed.
 */
function notBorn(state: HostState, node: EdgeNode): Effect[] {
  const effects: Effect[] = [];
  const known = node.phase === "gap" || node.phase === "online";
  const ready: RawMessage[] = [];
  for (const message of unwait(state, node)) {
    const { device, verb } = message.topic;
    const table = device === null ? node.self : node.devices.get(device);
    if (known && (table?.born === true || verb === "DBIRTH")) ready.push({ ...message, judged: true });
    else effects.push(givenUp(message, `No birth came within ${state.settings.parkMs / 1000} s.`));
  }
  if (known) {
    node.phase = "online";
    if (ready.length > 0) effects.push({ kind: "replay", messages: ready });
  }
  return effects;
}

/** A session with a server is gone: what came over it can no longer be known to be alive. */
export function serverLost(state: HostState, server: number, now: Now): Effect[] {
  const effects: Effect[] = [];
  for (const node of state.nodes.values()) {
    if (node.server !== server || node.phase === "offline") continue;
    for (const raw of unwait(state, node)) effects.push(givenUp(raw, "The connection to the server broke."));
    const addresses: string[] = [];
    for (const table of [node.self, ...node.devices.values()]) {
      if (table.online) addresses.push(...addressesOf(table));
      table.online = false;
      table.born = false;
    }
    node.phase = "unknown";
    node.expectedSeq = null;
    // The next session must be free to ask at once.
    node.rebirthMs = Number.NEGATIVE_INFINITY;
    if (addresses.length > 0) effects.push({ kind: "stale", addresses, atUs: now.us, who: nameOf(node) });
  }
  return effects;
}
