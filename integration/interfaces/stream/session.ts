import {
  type EventType,
  eventTypes,
  type Principal,
  ProblemError,
  parseTimeUs,
  type StreamRequest,
} from "@lineshaft/contract/api";
import type { EventItem, EventReader } from "@lineshaft/contract/ports";
import type { Services } from "../rest/services.ts";
import { type TagDirectory, Visibility } from "./visibility.ts";

/** Where a stream's events go: a WebSocket, an SSE answer, a caller in the process. */
export interface Peer {
  event(item: EventItem): void;
  /** Tells where the stream stands when nothing passed the filter. */
  cursor(cursor: string): void;
  ping(): void;
  /** Bytes accepted but not yet taken by the other side. */
  readonly buffered: number;
  /** Resolves at the next progress of what is buffered. */
  progress(): Promise<void>;
}

/** Payload bytes of the log read in one go. */
const pullBytes = 256 * 1024;
/** Above this much unsent nothing more is read from the log: a slow reader costs this much memory and no more (F32). */
const bufferedMax = 1024 * 1024;
const slowMs = 60_000;
const rightsMs = 4_000;
const idleCursorMs = 5_000;
const pingMs = 15_000;
const tickMs = 1_000;

export interface SessionParts {
  services: Services;
  directory: TagDirectory;
}

/**
 * Runs one stream until the signal aborts: pulls from its own reader as fast as the peer takes it. Rejects with the ProblemError that ended
 * it: cursor_invalid, cursor_foreign, cursor_expired, slow_consumer, scope_changed or key_revoked.
 */
export async function runStream(
  { services, directory }: SessionParts,
  principal: Principal,
  request: StreamRequest,
  peer: Peer,
  /** Throws the problem that ends the stream when the principal is no longer what it was. */
  checkRights: () => void,
  outer: AbortSignal,
): Promise<void> {
  const { clock, registry } = services;
  const types: ReadonlySet<EventType> = new Set(request.types ?? eventTypes);
  const visibility = new Visibility({ registry, directory, clock }, principal, request, types);
  const reader = await services.events.open(principal.tenant, startOf(request), {
    types,
    accept: visibility.open ? null : visibility.accept,
    tags: visibility.listTags(),
  });
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const state: PullState = { waiting: false, lastSentMs: clock.monotonicMs() };
  try {
    peer.cursor(reader.cursor);
    await Promise.race([
      pull(services, reader, visibility, peer, state, signal),
      watch(services, reader, peer, state, checkRights, signal),
    ]);
  } catch (error) {
    if (!outer.aborted) throw error;
  } finally {
    stop.abort();
    reader.close();
  }
}

interface PullState {
  /** True while everything read has been sent: only then does `reader.cursor` promise nothing too much. */
  waiting: boolean;
  lastSentMs: number;
}

async function pull(
  { clock }: Services,
  reader: EventReader,
  visibility: Visibility,
  peer: Peer,
  state: PullState,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    state.waiting = true;
    const items = await reader.next(pullBytes, signal);
    state.waiting = false;
    for (const item of items) {
      const seen = await visibility.admit(item);
      if (seen === null) continue;
      peer.event(seen);
      state.lastSentMs = clock.monotonicMs();
      if (peer.buffered > bufferedMax) await drain(clock, peer, signal);
    }
  }
}

async function drain(clock: Services["clock"], peer: Peer, signal: AbortSignal): Promise<void> {
  let least = peer.buffered;
  let since = clock.monotonicMs();
  while (peer.buffered > bufferedMax / 2) {
    if (signal.aborted) return;
    const timer = new AbortController();
    await Promise.race([peer.progress(), clock.sleep(tickMs, AbortSignal.any([signal, timer.signal])).catch(() => {})]);
    timer.abort();
    if (peer.buffered < least) {
      least = peer.buffered;
      since = clock.monotonicMs();
    } else if (clock.monotonicMs() - since >= slowMs) {
      throw new ProblemError("slow_consumer", `Nothing was read for ${slowMs / 1000} s; ${peer.buffered} bytes wait.`);
    }
  }
}

/** Rights, pings, and cursors while the filter leaves everything out. */
async function watch(
  { clock }: Services,
  reader: EventReader,
  peer: Peer,
  state: PullState,
  checkRights: () => void,
  signal: AbortSignal,
): Promise<void> {
  let rightsAt = clock.monotonicMs();
  let pingAt = rightsAt;
  while (!signal.aborted) {
    await clock.sleep(tickMs, signal);
    const now = clock.monotonicMs();
    if (now - rightsAt >= rightsMs) {
      rightsAt = now;
      checkRights();
    }
    if (now - pingAt >= pingMs) {
      pingAt = now;
      peer.ping();
    }
    if (state.waiting && now - state.lastSentMs >= idleCursorMs - tickMs) {
      // Also when it has not moved: to a browser, which sees no pings, it is the proof of life.
      peer.cursor(reader.cursor);
      state.lastSentMs = now;
    }
  }
}

function startOf(request: StreamRequest): { cursor: string } | { fromUs: number } | "now" {
  if (request.cursor !== undefined) return { cursor: request.cursor };
  if (request.from === undefined) return "now";
  const fromUs = parseTimeUs(request.from);
  if (fromUs === null)
    throw new ProblemError("time_invalid", "from is neither µs since 1970 nor RFC 3339 text with a zone.");
  return { fromUs };
}
