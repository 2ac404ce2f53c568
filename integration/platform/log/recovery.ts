import { type Micros, ProblemError } from "@lineshaft/contract/api";
import { type Disk, type DiskFile, decodeJson, encodeJson, type Lsn } from "@lineshaft/contract/ports";
import type { LogEventSink } from "./events.ts";
import { Quarantine } from "./quarantine.ts";
import { type Damage, SegmentScanner } from "./scan.ts";
import { emptySegment, noteFrame, parseSegmentName, type Segment, withFile } from "./segment.ts";
import { isFull } from "./space.ts";

const formatFile = "format.json";
/** Left by an orderly close. A hint: it saves a jump in the numbers and tells a lost record from one never finished. */
const closedFile = "closed.json";
export const formatVersion = 1;
const blockBytes = 4 * 1024 * 1024;

export interface Recovered {
  segments: Segment[];
  quarantine: Quarantine;
  generation: number;
  durableLsn: Lsn;
  lastTime: Micros;
  /** Set after an orderly close: no LSN above it was ever handed out. */
  closedAt: Lsn | null;
  /** Greatest LSN that the name of any segment vouches for; each run makes its first segment before it hands out numbers. */
  namedLsn: Lsn;
  /** Segments in which nothing was ever written; removed when the next one stands. */
  empty: Segment[];
  /** Why the newest segment cannot be made durable; the log then serves reads only. */
  failure: unknown;
}

/**
 * Brings the directory into a known state. Everything is derived from the segments; other files are hints. What is served afterwards is
 * durable, even where a failed sync left pages in the cache that are not on the disk.
 */
export async function recover(disk: Disk, dir: string, emit: LogEventSink): Promise<Recovered> {
  const names = await disk.list(dir);
  await checkFormat(disk, dir);
  const quarantine = new Quarantine(disk, dir, names, emit);
  const segments: Segment[] = [];
  let namedLsn = 0;
  for (const name of names.sort()) {
    const parsed = parseSegmentName(name);
    namedLsn = Math.max(namedLsn, (parsed ?? parseSegmentName(name.replace(/\.damaged$/, "")))?.firstLsn ?? 0);
    if (parsed) segments.push(emptySegment(dir, parsed.firstLsn, parsed.salt));
    else if (name !== formatFile && name !== closedFile && !Quarantine.isName(name))
      emit({ code: "orphan_found", text: `${dir}/${name} does not belong to the log; it was left alone.`, name });
  }
  segments.sort((a, b) => a.firstLsn - b.firstLsn);

  const closed = await readClosed(disk, dir);
  const empty: Segment[] = [];
  let failure: unknown = null;
  // The newest segment with a record in it is scanned whole; those behind it hold nothing and are set aside.
  for (let last = segments.at(-1); last !== undefined; last = segments.at(-1)) {
    const outcome = await scanWhole(disk, last);
    if (outcome.frames > 0) {
      failure = await settle(disk, last, outcome, closed, quarantine);
      break;
    }
    if (outcome.size === 0) empty.push(last);
    else await setAside(disk, dir, last, outcome.size, emit);
    segments.pop();
  }
  for (const segment of segments.slice(0, -1)) await readHead(disk, segment);
  linkHeadless(segments);
  const newest = segments.at(-1);
  const durableLsn = newest?.lastLsn ?? 0;
  return {
    segments,
    quarantine,
    generation: newest?.generation ?? 0,
    durableLsn,
    lastTime: newest?.lastTime ?? 0,
    closedAt: closed !== null && closed.lastLsn >= Math.max(durableLsn, namedLsn - 1) ? closed.lastLsn : null,
    namedLsn,
    empty,
    failure,
  };
}

async function checkFormat(disk: Disk, dir: string): Promise<void> {
  const bytes = await disk.readFile(`${dir}/${formatFile}`);
  // Missing or damaged: the segments say it themselves, every frame carries its version.
  const version = bytes && parseOrNull<{ version?: unknown }>(bytes)?.version;
  if (typeof version === "number" && version > formatVersion)
    throw new ProblemError(
      "data_dir_version",
      `${dir} was written in log format ${version}; this version reads up to ${formatVersion}.`,
    );
}

/** Writes the marker that lets older versions refuse newer data. */
export async function writeFormat(disk: Disk, dir: string): Promise<void> {
  if (((await disk.readFile(`${dir}/${formatFile}`))?.length ?? 0) === 0)
    await writeWhole(disk, `${dir}/${formatFile}`, { version: formatVersion });
}

interface Closed {
  /** The last LSN handed out. */
  lastLsn: Lsn;
  /** The last record written. */
  durableLsn: Lsn;
}

export async function writeClosed(disk: Disk, dir: string, closed: Closed): Promise<void> {
  await writeWhole(disk, `${dir}/${closedFile}`, closed);
  await disk.syncDir(dir);
}

/** Must be durable before the first LSN is handed out. */
export async function removeClosed(disk: Disk, dir: string): Promise<void> {
  if (!(await disk.list(dir)).includes(closedFile)) return;
  await disk.remove(`${dir}/${closedFile}`);
  await disk.syncDir(dir);
}

async function writeWhole(disk: Disk, path: string, content: object): Promise<void> {
  const file = await disk.open(path, "create");
  try {
    const bytes = encodeJson(content);
    await file.truncate(0);
    await file.write(0, [bytes]);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readClosed(disk: Disk, dir: string): Promise<Closed | null> {
  const bytes = await disk.readFile(`${dir}/${closedFile}`);
  const closed = bytes && parseOrNull<Partial<Closed>>(bytes);
  return Number.isSafeInteger(closed?.lastLsn) && Number.isSafeInteger(closed?.durableLsn) ? (closed as Closed) : null;
}

function parseOrNull<T>(bytes: Uint8Array): T | null {
  try {
    return decodeJson<T>(bytes);
  } catch {
    return null;
  }
}

interface Scan {
  frames: number;
  size: number;
  damages: Damage[];
  provenLsn: Lsn;
  /** Where the records begin that are not proven synced. */
  unprovenOffset: number;
}

async function scanWhole(disk: Disk, segment: Segment): Promise<Scan> {
  return withFile(disk, segment.path, async (file) => {
    const size = await file.size();
    const scanner = new SegmentScanner(file, segment.salt, () => size, { offset: 0, lastLsn: segment.firstLsn - 1 });
    const scan: Scan = { frames: 0, size, damages: [], provenLsn: 0, unprovenOffset: 0 };
    // Frames that a later one has not yet proven: those of the newest groups, so few.
    let unproven: { lsn: Lsn; offset: number }[] = [];
    for (let block = await scanner.next(blockBytes); block !== null; block = await scanner.next(blockBytes)) {
      if (block.damage !== null) scan.damages.push(block.damage);
      for (let i = 0; i < block.frames.length; i++) {
        noteFrame(segment, block.frames[i], block.offsets[i]);
        unproven.push({ lsn: block.frames[i].lsn, offset: block.offsets[i] });
      }
      scan.frames += block.frames.length;
      if (block.frames.length > 0) {
        segment.bytes = scanner.offset;
        segment.generation = block.frames[block.frames.length - 1].generation;
      }
      unproven = unproven.filter((f) => f.lsn > scanner.provenLsn);
    }
    segment.previousLsn = linkOf(segment, scanner);
    scan.provenLsn = scanner.provenLsn;
    scan.unprovenOffset = unproven[0]?.offset ?? segment.bytes;
    return scan;
  });
}

/** Where the first frames of the segment are damaged, the first good one refers to one of them. */
function linkOf(segment: Segment, { firstPreviousLsn }: SegmentScanner): Lsn | null {
  return firstPreviousLsn !== null && firstPreviousLsn < segment.firstLsn ? firstPreviousLsn : null;
}

/** Names the damage, cuts off the torn tail and makes the records that may exist only in the page cache durable. */
async function settle(
  disk: Disk,
  segment: Segment,
  scan: Scan,
  closed: Closed | null,
  quarantine: Quarantine,
): Promise<unknown> {
  // Only a later frame or an orderly close proves that a damaged one had been synced; without proof it is a write never finished.
  const provenLsn = Math.max(scan.provenLsn, closed?.durableLsn ?? 0);
  let torn = false;
  for (const damage of scan.damages) {
    const rot = provenLsn >= damage.fromLsn;
    if (damage.tail && !rot) torn = true;
    await quarantine.add(segment, damage, damage.tail && rot ? provenLsn : damage.toLsn, rot ? "rot" : "torn");
  }
  if (closed?.durableLsn === segment.lastLsn && !torn) return null;
  try {
    const file = await disk.open(segment.path, "readWrite");
    try {
      if (torn) await file.truncate(segment.bytes);
      await rewrite(file, scan.unprovenOffset, segment.bytes).catch((error) => {
        // Where even the same bytes need new space (copy on write), the sync must do.
        if (!isFull(error)) throw error;
      });
      await file.sync();
    } finally {
      await file.close();
    }
    await disk.syncDir(segment.path.slice(0, segment.path.lastIndexOf("/")));
    return null;
  } catch (error) {
    // Serve only what is surely on the disk.
    segment.bytes = scan.unprovenOffset;
    segment.lastLsn = scan.provenLsn;
    return error;
  }
}

/**
 * The same bytes over themselves. After a failed sync the kernel may call pages clean that never reached the disk; writing them again
 * makes the next sync mean something.
 */
async function rewrite(file: DiskFile, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += blockBytes) {
    await file.write(at, [await file.read(at, Math.min(blockBytes, to - at))]);
  }
}

/** A newest segment without one complete record: nothing in it was acknowledged, but bytes are never thrown away unread. */
async function setAside(disk: Disk, dir: string, segment: Segment, bytes: number, emit: LogEventSink): Promise<void> {
  try {
    await disk.rename(segment.path, `${segment.path}.damaged`);
    await disk.syncDir(dir);
  } catch {
    // Tried again at the next start; the file holds no record either way.
  }
  const text = `${segment.name} holds no complete record; it was kept as ${segment.name}.damaged.`;
  emit({ code: "torn_tail", text, lastLsn: segment.firstLsn - 1, bytes });
}

/** First valid frame of a sealed segment: time, generation and neighbour. */
async function readHead(disk: Disk, segment: Segment): Promise<void> {
  await withFile(disk, segment.path, async (file) => {
    const size = await file.size();
    segment.bytes = size;
    const scanner = new SegmentScanner(file, segment.salt, () => size, { offset: 0, lastLsn: segment.firstLsn - 1 });
    for (let block = await scanner.next(1); block !== null; block = await scanner.next(1)) {
      if (block.frames.length === 0) continue;
      segment.firstTime = block.frames[0].recordedTime;
      segment.generation = block.frames[0].generation;
      segment.previousLsn = linkOf(segment, scanner);
      return;
    }
  });
}

/** A sealed segment whose every frame is damaged takes its neighbour's time and generation; readers will name the loss. */
function linkHeadless(segments: Segment[]): void {
  for (let i = 0; i < segments.length; i++) {
    if (segments[i].generation !== 0) continue;
    const neighbour = segments[i - 1] ?? segments.find((s) => s.generation !== 0);
    segments[i].previousLsn = null;
    segments[i].generation = neighbour?.generation ?? 1;
    segments[i].firstTime = neighbour?.firstTime ?? 0;
  }
}
