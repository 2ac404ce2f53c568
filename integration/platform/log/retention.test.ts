import { SimDisk } from "@lineshaft/testkit";
import { describe, expect, test } from "vitest";
import { append, type Opened, openOn, payloadOf, readAll } from "./testing.ts";

const hourMs = 3_600_000;
const hourUs = hourMs * 1_000;
const yearUs = 365 * 24 * hourUs;

const settled = async (): Promise<void> => {
  for (let i = 0; i < 30; i++) await new Promise((resolve) => setImmediate(resolve));
};

async function fill({ log, clock }: Opened, records: number, stepMs: number): Promise<void> {
  for (let i = 0; i < records; i++) {
    clock.advanceMs(stepMs);
    await append(log, payloadOf(i, 100)).durable;
  }
  await settled();
}

const opened = (retention: { windowMs?: number; maxBytes?: number }, disk = new SimDisk()) =>
  openOn(disk, { segmentBytes: 600, retention });

describe("retention", () => {
  test("whole segments older than the window go, and a reader behind them is told", async () => {
    const it = await opened({ windowMs: 2 * hourMs });
    const reader = it.log.reader(1);
    await fill(it, 100, hourMs / 20);
    const { firstLsn } = it.log.status;
    expect(firstLsn).toBeGreaterThan(40);
    expect(firstLsn).toBeLessThan(61);
    await expect(reader.next(1)).rejects.toMatchObject({ code: "cursor_expired" });
    expect(() => it.log.reader(firstLsn - 1)).toThrow(expect.objectContaining({ code: "cursor_expired" }));
    expect((await readAll(it.log)).map((f) => f.lsn)).toEqual(
      Array.from({ length: 102 - firstLsn }, (_, i) => firstLsn + i),
    );
    await it.log.close();
  });

  test("what was dropped stays expired after opening again", async () => {
    const disk = new SimDisk();
    const it = await opened({ windowMs: hourMs }, disk);
    await fill(it, 100, hourMs / 20);
    const { firstLsn } = it.log.status;
    await it.log.close();
    const again = await openOn(disk, { clock: it.clock });
    expect(again.log.status.firstLsn).toBe(firstLsn);
    expect(() => again.log.reader(firstLsn - 1)).toThrow(expect.objectContaining({ code: "cursor_expired" }));
    await again.log.close();
  });

  test("a pin holds its segment and all after it until it moves on", async () => {
    const it = await opened({ windowMs: hourMs });
    it.log.pin("history", 5);
    await fill(it, 100, hourMs / 20);
    expect(it.log.status.firstLsn).toBeLessThanOrEqual(5);
    expect((await readAll(it.log, 5)).length).toBe(97);
    it.log.pin("history", 70);
    await fill(it, 10, hourMs / 20);
    expect(it.log.status.firstLsn).toBeGreaterThan(60);
    expect(it.log.status.firstLsn).toBeLessThanOrEqual(70);
    it.log.unpin("history");
    await fill(it, 10, hourMs / 20);
    expect(it.log.status.firstLsn).toBeGreaterThan(90);
    await it.log.close();
  });

  test("after a start nothing goes before all who pin have said what they need", async () => {
    const disk = new SimDisk();
    const it = await opened({ windowMs: hourMs }, disk);
    it.log.pin("history", 1);
    await fill(it, 40, 1_000);
    await it.log.close();
    it.clock.advanceMs(30 * 60_000);
    const retention = { windowMs: hourMs / 4, pinnedBy: ["history", "views"] };
    const again = await openOn(disk, { clock: it.clock, retention, segmentBytes: 600 });
    await fill(again, 5, 1_000);
    again.log.pin("views", 30);
    await fill(again, 5, 1_000);
    expect(again.log.status.firstLsn).toBe(1);
    again.log.pin("history", 20);
    await settled();
    expect(again.log.status.firstLsn).toBeGreaterThan(10);
    expect(again.log.status.firstLsn).toBeLessThanOrEqual(20);
    await again.log.close();
  });

  test("at the byte bound the oldest goes; where a pin holds it, sources wait until the pin moves", async () => {
    const it = await opened({ maxBytes: 10_000 });
    await fill(it, 200, 1);
    expect(it.log.status.bytes).toBeLessThan(10_000 + 600);
    const pinned = it.log.status.firstLsn;
    it.log.pin("history", pinned);
    const refusals: string[] = [];
    for (let i = 0; i < 200 && refusals.length === 0; i++) {
      await append(it.log, payloadOf(i, 100)).durable.catch((e: { code: string }) => refusals.push(e.code));
      await settled();
    }
    expect(refusals).toEqual(["disk_full"]);
    expect(it.log.status).toMatchObject({ state: "diskFull", firstLsn: pinned });
    expect(it.log.status.bytes).toBeLessThan(10_000 + 2 * 1_250);
    it.log.pin("history", it.log.status.durableLsn);
    await settled();
    expect(it.log.status.state).toBe("writable");
    await append(it.log, payloadOf(1, 100)).durable;
    expect(it.codes().filter((c) => c !== "segment_dropped")).toEqual(["disk_full", "disk_recovered"]);
    await it.log.close();
  });
});

describe("F15 the wall clock jumps", () => {
  test.each([
    ["+1 h", hourUs],
    ["−1 h", -hourUs],
    ["+1 y", yearUs],
    ["to 1970", -1_795_000_000_000_000],
  ])("F15 %s: order and times ascend, the jump is told, nothing is purged wrongly", async (_, jumpUs) => {
    const it = await opened({ windowMs: 2 * hourMs });
    await fill(it, 30, 1_000);
    it.clock.jumpUs(jumpUs);
    await fill(it, 30, 1_000);
    expect(it.codes().filter((c) => c === "clock_jump").length).toBe(1);
    expect(it.codes().filter((c) => c === "segment_dropped").length).toBeLessThanOrEqual(1);
    const frames = await readAll(it.log);
    const { firstLsn } = it.log.status;
    expect(firstLsn).toBeLessThanOrEqual(7);
    expect(frames.map((f) => f.lsn)).toEqual(Array.from({ length: 62 - firstLsn }, (_, i) => firstLsn + i));
    for (let i = 1; i < frames.length; i++)
      expect(frames[i].recordedTime).toBeGreaterThanOrEqual(frames[i - 1].recordedTime);
    await it.log.close();
  });

  test("F15 after a year's jump at most one old segment an hour goes, and all once the window has really passed", async () => {
    const it = await opened({ windowMs: 24 * hourMs });
    await fill(it, 60, 1_000);
    const before = it.log.status.segments;
    it.clock.jumpUs(yearUs);
    for (let hour = 1; hour <= 5; hour++) {
      for (let minute = 0; minute < 30; minute++) await fill(it, 1, 2 * 60_000);
      const dropped = it.codes().filter((c) => c === "segment_dropped").length;
      expect(dropped).toBeLessThanOrEqual(hour);
    }
    expect(it.codes().filter((c) => c === "segment_dropped").length).toBeGreaterThanOrEqual(4);
    await fill(it, 20, 2 * hourMs);
    expect(it.codes().filter((c) => c === "segment_dropped").length).toBeGreaterThanOrEqual(before - 1);
    await it.log.close();
  });

  test("F15 a clock that is a year ahead at the start purges at most one segment", async () => {
    const disk = new SimDisk();
    const it = await opened({ windowMs: 2 * hourMs }, disk);
    await fill(it, 60, 1_000);
    await it.log.close();
    it.clock.jumpUs(yearUs);
    const again = await openOn(disk, { clock: it.clock, retention: { windowMs: 2 * hourMs }, segmentBytes: 600 });
    await settled();
    await fill(again, 30, 1_000);
    expect(again.codes().filter((c) => c === "segment_dropped").length).toBeLessThanOrEqual(1);
    await again.log.close();
  });
});
