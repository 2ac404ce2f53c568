/** Shared by the tests of this folder only. */
import { crc32 } from "node:zlib";
import { type Disk, type Frame, type Log, recordType } from "@lineshaft/contract/ports";
import { FakeClock } from "@lineshaft/testkit";
import { type LogEvent, type LogOptions, openLog } from "./index.ts";

export interface Opened {
  log: Log;
  clock: FakeClock;
  events: LogEvent[];
  codes(): string[];
}

/** The log in /log (or `dir`) of a disk, with its own clock. */
export async function openOn(disk: Disk, options: Partial<LogOptions> & { clock?: FakeClock } = {}): Promise<Opened> {
  const clock = options.clock ?? new FakeClock();
  const events: LogEvent[] = [];
  const onEvent = (event: LogEvent): void => void events.push(event);
  const log = await openLog({ dir: "/log", disk, tailBytes: 0, onEvent, ...options, clock });
  return { log, clock, events, codes: () => events.map((e) => e.code) };
}

/** `length` bytes that tell which record they belong to. */
export const payloadOf = (key: number, length: number): Buffer => Buffer.alloc(length, `${key};`);

export function append(log: Log, payload: Uint8Array, type: Frame["type"] = recordType.points) {
  return log.append({ tenant: 1, partition: 0, type, payload });
}

/** Everything that the log serves from `from` on. */
export async function readAll(log: Log, from = log.status.firstLsn): Promise<Frame[]> {
  const frames: Frame[] = [];
  if (log.status.durableLsn === 0) return frames;
  const reader = log.reader(from);
  while (reader.position <= log.status.durableLsn) frames.push(...(await reader.next(100_000)));
  reader.close();
  return frames;
}

/** A second, independent reading of the format in frame.ts, for frames without damage: the oracle of the damage tests. */
export function tinyReader(file: Buffer): { lsn: number; offset: number; end: number; payload: Buffer }[] {
  const found = [];
  let offset = 0;
  while (offset + 48 <= file.length) {
    const length = file.readUInt32LE(offset);
    const end = offset + 48 + Math.ceil(length / 8) * 8;
    if (end > file.length) break;
    const covered = file.subarray(offset + 8, offset + 48 + length);
    if (crc32(covered, length) !== file.readUInt32LE(offset + 4)) break;
    const lsn = Number(file.readBigUInt64LE(offset + 8));
    found.push({ lsn, offset, end, payload: Buffer.from(covered.subarray(40)) });
    offset = end;
  }
  return found;
}
