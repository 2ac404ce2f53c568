import type { Clock, Disk } from "@lineshaft/contract/ports";
import type { LogEventSink } from "./events.ts";
import type { SpaceLimits } from "./space.ts";

export interface LogOptions {
  dir: string;
  disk: Disk;
  clock: Clock;
  /** A new file begins when this one would grow beyond; default 64 MiB. */
  segmentBytes?: number;
  /** Newest records kept in memory for live readers; default 64 MiB. */
  tailBytes?: number;
  /**
   * What is dropped: whole segments, never past a pin. Default 24 h and 32 GiB. Pins live in memory, so nothing is dropped after a start before
   * all of `pinnedBy` have set theirs: until then nobody knows what they still need.
   */
  retention?: { windowMs?: number; maxBytes?: number; pinnedBy?: readonly string[] };
  /** Default: warn at 90 % used, refuse sources at 99 %, or below 1 GiB free on large disks. */
  space?: Partial<SpaceLimits>;
  /** Records and bytes that may wait for the commit in flight; beyond, `overloaded`. Default 16,384 and 64 MiB. */
  pendingRecordsMax?: number;
  pendingBytesMax?: number;
  /** Commits slower than this are told as `slow_commit`; default 250 ms. */
  slowCommitMs?: number;
  /** The wall clock moving this far against the monotonic one is told as `clock_jump`; default 2 s. */
  clockJumpMs?: number;
  /** How often a full disk is looked at again; default 1 s. */
  probeMs?: number;
  onEvent?: LogEventSink;
  /** Called at K2 … K6 (FAULTS 1.4); tests let the process die there. */
  crashPoint?: (name: string) => void;
  /** 0 ≤ random < 1. */
  random?: () => number;
}

export interface Settings {
  segmentBytes: number;
  tailBytes: number;
  windowMs: number;
  maxBytes: number;
  pinnedBy: readonly string[];
  space: SpaceLimits;
  pendingRecordsMax: number;
  pendingBytesMax: number;
  slowCommitMs: number;
  clockJumpMs: number;
  probeMs: number;
  salt: number;
  /** By how much numbering jumps after an unclean end: more than were ever handed out above the last durable one. */
  burnt: number;
}

const mebibyte = 1024 * 1024;

export function settle(options: LogOptions): Settings {
  const pendingRecordsMax = options.pendingRecordsMax ?? 16_384;
  const maxBytes = options.retention?.maxBytes ?? 32 * 1024 * mebibyte;
  return {
    // The byte bound is kept by dropping whole segments, so it must hold several.
    segmentBytes: Math.min(options.segmentBytes ?? 64 * mebibyte, Math.ceil(maxBytes / 8)),
    tailBytes: options.tailBytes ?? 64 * mebibyte,
    windowMs: options.retention?.windowMs ?? 24 * 3_600_000,
    maxBytes,
    pinnedBy: options.retention?.pinnedBy ?? [],
    space: { warnAt: 0.9, refuseAt: 0.99, reserveBytesMax: 1024 * mebibyte, ...options.space },
    pendingRecordsMax,
    pendingBytesMax: options.pendingBytesMax ?? 64 * mebibyte,
    slowCommitMs: options.slowCommitMs ?? 250,
    clockJumpMs: options.clockJumpMs ?? 2_000,
    probeMs: options.probeMs ?? 1_000,
    salt: Math.floor((options.random ?? Math.random)() * 4_294_967_296),
    burnt: 4 * pendingRecordsMax,
  };
}
