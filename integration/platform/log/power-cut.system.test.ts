import { type Frame, type Log, recordType } from "@lineshaft/contract/ports";
import { FakeClock, SimDisk, seeded } from "@lineshaft/testkit";
import { describe, expect, test } from "vitest";
import { type LogEvent, openLog } from "./index.ts";

const seeds = process.env.LINESHAFT_LONG ? 10_000 : process.env.CI ? 1_000 : 300;

/** What the writer believes: an oracle apart from everything that the log keeps itself. */
interface Belief {
  /** By LSN: what was handed in under it. */
  given: Map<number, Buffer>;
  acknowledged: Set<number>;
  /** What a reader has seen must never be unseen, acknowledged or not. */
  served: Set<number>;
}

const open = (disk: SimDisk, random: () => number, events: LogEvent[]): Promise<Log> =>
  openLog({
    dir: "/log",
    disk: disk.boot(),
    clock: new FakeClock(),
    segmentBytes: 500 + Math.floor(random() * 10_000),
    tailBytes: 0,
    onEvent: (event) => events.push(event),
    random,
  });

function randomPayload(random: () => number): Buffer {
  const pattern = Uint32Array.of(random() * 2 ** 32, random() * 2 ** 32, random() * 2 ** 32);
  return Buffer.alloc(Math.floor(random() * (random() < 0.1 ? 5_000 : 200)), new Uint8Array(pattern.buffer));
}

/** Appends until the power goes. */
async function writeUntilCut(log: Log, disk: SimDisk, random: () => number, belief: Belief): Promise<void> {
  disk.cutPowerAfter(1 + Math.floor(random() * 60), random() < 0.7 ? "power" : "process");
  const trouble = random();
  if (trouble < 0.2) disk.failSync(1 + Math.floor(random() * 10));
  else if (trouble < 0.4) disk.capacityBytes = disk.usedBytes + Math.floor(random() * 3_000);
  for (let on = true; on; ) {
    const burst = Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
      const payload = randomPayload(random);
      const { lsn, durable } = log.append({ tenant: 1, partition: 0, type: recordType.points, payload });
      if (lsn !== 0) {
        expect(belief.given.has(lsn), `LSN ${lsn} was given twice`).toBe(false);
        belief.given.set(lsn, payload);
      }
      return durable.then(
        () => {
          belief.acknowledged.add(lsn);
          return true;
        },
        () => false,
      );
    });
    if (random() < 0.8) on = (await Promise.all(burst)).every(Boolean);
  }
  if (random() < 0.3) await log.close();
  disk.kill();
  disk.healSync();
  disk.capacityBytes = Infinity;
}

async function readAll(log: Log): Promise<Frame[]> {
  const frames: Frame[] = [];
  if (log.status.durableLsn === 0) return frames;
  const reader = log.reader(1);
  while (reader.position <= log.status.durableLsn) frames.push(...(await reader.next(10_000)));
  reader.close();
  return frames;
}

function check(frames: Frame[], belief: Belief): void {
  const served = new Map(frames.map((f) => [f.lsn, f]));
  for (const lsn of belief.acknowledged) expect(served.has(lsn), `acknowledged LSN ${lsn} is lost`).toBe(true);
  for (const lsn of belief.served) expect(served.has(lsn), `LSN ${lsn} was served and is gone`).toBe(true);
  for (const lsn of served.keys()) belief.served.add(lsn);
  frames.forEach((frame, i) => {
    if (i > 0) expect(frame.lsn).toBeGreaterThan(frames[i - 1].lsn);
    if (frame.type === recordType.generationStarted) return;
    const given = belief.given.get(frame.lsn);
    expect(given?.equals(frame.payload), `LSN ${frame.lsn} is not what was given`).toBe(true);
  });
}

async function live(seed: number): Promise<void> {
  const random = seeded(seed);
  const disk = new SimDisk({ seed });
  const belief: Belief = { given: new Map(), acknowledged: new Set(), served: new Set() };
  const events: LogEvent[] = [];
  for (let round = 0; round < 3; round++) {
    // The power may also go while the log is being opened or read, again and again.
    let log: Log | null = null;
    for (let attempt = 0; log === null; attempt++) {
      if (attempt < 3 && random() < 0.3) disk.cutPowerAfter(1 + Math.floor(random() * 25));
      try {
        log = await open(disk, random, events);
        check(await readAll(log), belief);
        if (log.status.state === "failed") log = null;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EIO") throw error;
        log = null;
      }
    }
    await writeUntilCut(log, disk, random, belief);
  }
  const log = await open(disk, random, events);
  check(await readAll(log), belief);
  expect(events.filter((e) => e.code === "frame_quarantined" || e.code === "records_missing")).toEqual([]);
}

describe("F7 power cut", () => {
  test(`nothing acknowledged is lost, nothing torn is served, order and numbers are kept: ${seeds} seeds`, async () => {
    const only = process.env.SEED;
    for (let seed = only ? Number(only) : 1; seed <= (only ? Number(only) : seeds); seed++) {
      await live(seed).catch((error: Error) => {
        error.message = `SEED=${seed}: ${error.message}`;
        throw error;
      });
    }
  }, 600_000);
});
