import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProblemError } from "@lineshaft/contract/api";
import { encodePoints, type Lsn, recordType } from "@lineshaft/contract/ports";
import { columnsOf, FakeClock, MemoryLog, type TestRow } from "@lineshaft/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HistoryFeeder } from "../feeder/index.ts";
import { type LocalHistory, openHistory } from "./index.ts";
import { Plant, series, sleep, t0 } from "./testing.ts";

/** A log whose window has passed what lies before `firstLsn`, and that tells a size. */
class WindowLog extends MemoryLog {
  firstLsn: Lsn = 1;
  bytes = 0;

  override get status() {
    return { ...super.status, firstLsn: this.firstLsn, bytes: this.bytes };
  }
}

let dir: string;
let clock: FakeClock;
let log: WindowLog;
let history: LocalHistory;
let feeder: HistoryFeeder;
let failed: unknown;
const missing: [Lsn, Lsn][] = [];

const limits = { memoryMb: 64, threads: 1, runsPerMerge: 100 };

async function start(): Promise<void> {
  history = await openHistory({ dir, clock, limits });
  feeder = new HistoryFeeder({
    log,
    history,
    clock,
    logBytesMax: 4000,
    onMissing: (from, to) => missing.push([from, to]),
  });
  feeder.run((error) => {
    failed = error;
  });
}

async function stop(): Promise<void> {
  await feeder.stop();
  await history.close();
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "lineshaft-feeding-"));
  clock = new FakeClock(t0);
  log = new WindowLog(clock);
  failed = null;
  missing.length = 0;
  await start();
});

afterEach(async () => {
  await stop();
  await rm(dir, { recursive: true, force: true });
  expect(failed).toBeNull();
});

async function offer(rows: TestRow[], suspect: number[] = []): Promise<void> {
  const { durable } = log.append({
    tenant: 1,
    partition: 0,
    type: recordType.points,
    payload: encodePoints({
      connectionId: 1,
      generation: 1,
      sequence: 1,
      mode: "append",
      receivedTime: clock.nowUs(),
      sourceCursor: null,
      suspect: Uint32Array.from(suspect),
      columns: columnsOf(rows),
    }),
  });
  await durable;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let k = 0; !holds(); k++) {
    if (k === 1000) throw new Error(`In vain: ${what}; ${JSON.stringify(history.status)}`);
    clock.advanceMs(100);
    await sleep(5);
  }
}

const applied = (): Promise<void> => until("all is applied", () => history.status.appliedLsn === log.status.durableLsn);

test("the feeder gives back what a damaged run held, verdicts from far behind included, and judges nothing twice", async () => {
  await offer(series(1, t0, 10));
  await applied();
  // Nine repeats and one new row; then the same once more, in the next run.
  await offer(series(1, t0, 11).slice(1), [...Array(10).keys()]);
  await applied();
  await history.flush();
  await offer(series(1, t0, 11).slice(1), [...Array(10).keys()]);
  await applied();
  await history.flush();
  const before = await history.raw({ tags: [1], fromUs: 0, toUs: t0 * 2, limit: 100 });
  expect(before.columns.rows).toBe(11);
  const verdicts = log.frames.filter((frame) => frame.type === recordType.verdict).length;
  expect(verdicts).toBe(2);
  await stop();
  const plant = new Plant(dir);
  const runs = await plant.files("run");
  for (const run of runs) await plant.ruin(run, "zeroed", 100);
  await start();
  await until("the runs are rebuilt", () => history.status.quarantined.length === 0);
  const after = await history.raw({ tags: [1], fromUs: 0, toUs: t0 * 2, limit: 100 });
  expect(after).toEqual(before);
  expect(log.frames.filter((frame) => frame.type === recordType.verdict)).toHaveLength(verdicts);
});

test("the log is pinned behind what has no copy, and history hurries when the log's bound comes near", async () => {
  await offer(series(1, t0, 10));
  await applied();
  await until("the log is pinned", () => log.pins.get("history") === 1);
  log.bytes = 3000;
  await until("the pin has moved on", () => log.pins.get("history") === log.status.durableLsn + 1);
  expect(history.status.verifiedLsn).toBe(1);
});

test("F9: a verdict that the log has no space for waits, and feeding goes on when there is space", async () => {
  await offer(series(1, t0, 10));
  await applied();
  await offer(series(1, t0, 10), [...Array(10).keys()]);
  log.failWith = new ProblemError("disk_full", "The disk is full.");
  await until("the batch is judged", () => history.status.appliedLsn === 2);
  clock.advanceMs(5000);
  await sleep(20);
  log.failWith = null;
  await until("the verdict is in the log", () => log.frames.some((frame) => frame.type === recordType.verdict));
  await offer(series(1, t0 + 60_000_000, 10));
  await applied();
  expect(history.status.rows).toBe(20);
});

test("records that neither history nor the log has are named, and the rest is taken", async () => {
  await offer(series(1, t0, 10));
  await offer(series(1, t0 + 60_000_000, 10));
  await stop();
  await rm(dir, { recursive: true });
  log.firstLsn = 2;
  await start();
  await applied();
  expect(missing).toEqual([[1, 1]]);
  expect(history.status.rows).toBe(10);
});
