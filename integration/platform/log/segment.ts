import type { Micros } from "@lineshaft/contract/api";
import type { Disk, DiskFile, Frame, Lsn } from "@lineshaft/contract/ports";

/** One file of the log. Its name carries the LSN it starts with and the salt of its frames: nothing else describes it. */
export interface Segment {
  name: string;
  path: string;
  firstLsn: Lsn;
  salt: number;
  /** Bytes that hold committed frames. */
  bytes: number;
  generation: number;
  firstTime: Micros;
  /** LSN of the record before the first of this segment; 0: there is none; null: unknown, the first frame is damaged. */
  previousLsn: Lsn | null;
  /** Known for segments written or scanned in this run; else 0. */
  lastLsn: Lsn;
  lastTime: Micros;
  /** Every so many bytes, where a frame begins; for seeking. */
  index: IndexEntry[];
}

export interface IndexEntry {
  lsn: Lsn;
  offset: number;
  time: Micros;
}

const namePattern = /^(\d{16})-([0-9a-f]{8})\.log$/;
const indexStepBytes = 1024 * 1024;

export const segmentName = (firstLsn: Lsn, salt: number): string =>
  `${String(firstLsn).padStart(16, "0")}-${salt.toString(16).padStart(8, "0")}.log`;

export function parseSegmentName(name: string): { firstLsn: Lsn; salt: number } | null {
  const match = namePattern.exec(name);
  return match && { firstLsn: Number(match[1]), salt: Number.parseInt(match[2], 16) };
}

export function emptySegment(dir: string, firstLsn: Lsn, salt: number): Segment {
  const name = segmentName(firstLsn, salt);
  return {
    name,
    path: `${dir}/${name}`,
    firstLsn,
    salt,
    bytes: 0,
    generation: 0,
    firstTime: 0,
    previousLsn: 0,
    lastLsn: 0,
    lastTime: 0,
    index: [],
  };
}

/** Notes a frame that now belongs to the segment. */
export function noteFrame(segment: Segment, frame: Pick<Frame, "lsn" | "recordedTime">, offset: number): void {
  const last = segment.index.at(-1);
  if (last === undefined || offset - last.offset >= indexStepBytes)
    segment.index.push({ lsn: frame.lsn, offset, time: frame.recordedTime });
  if (segment.lastLsn === 0) segment.firstTime = frame.recordedTime;
  segment.lastLsn = frame.lsn;
  segment.lastTime = frame.recordedTime;
}

/** Where to begin reading for the first frame that fulfils a condition which, once true, stays true. */
export function seek(segment: Segment, before: (entry: IndexEntry) => boolean): { offset: number; lastLsn: Lsn } {
  let found: IndexEntry | undefined;
  for (const entry of segment.index) {
    if (!before(entry)) break;
    found = entry;
  }
  return found === undefined
    ? { offset: 0, lastLsn: segment.firstLsn - 1 }
    : { offset: found.offset, lastLsn: found.lsn - 1 };
}

/** The last LSN that can stand before the segment. */
export const lsnBefore = (segment: Segment): Lsn => segment.previousLsn ?? segment.firstLsn - 1;

/** Runs `work` with the file open for reading. */
export async function withFile<T>(disk: Disk, path: string, work: (file: DiskFile) => Promise<T>): Promise<T> {
  const file = await disk.open(path, "read");
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}
