import { recordType } from "@lineshaft/contract/ports";
import { SimDisk } from "@lineshaft/testkit";
import { describe, expect, test } from "vitest";
import { append, openOn, payloadOf, readAll } from "./testing.ts";

const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "durable",
    (error: { code: string }) => error.code,
  );

/** Lets everything that needs no clock run to its end. */
const settled = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe("when the disk fails", () => {
  test.each(["once", "forever"] as const)(
    "F8 a sync fails %s: nothing is acknowledged from then on, reading goes on, no number comes twice",
    async (times) => {
      const disk = new SimDisk();
      const { log, codes } = await openOn(disk.boot());
      const good = append(log, payloadOf(1, 100));
      await good.durable;
      disk.failSync(1, times);
      const inFlight = append(log, payloadOf(2, 100));
      const results = code(inFlight.durable);
      await null;
      await null;
      const queued = append(log, payloadOf(3, 100));
      expect(await Promise.all([results, code(queued.durable)])).toEqual([
        "storage_unavailable",
        "storage_unavailable",
      ]);
      const late = append(log, payloadOf(4, 100));
      expect([late.lsn, await code(late.durable)]).toEqual([0, "storage_unavailable"]);
      expect(codes()).toEqual(["storage_failed"]);
      expect(log.status).toMatchObject({ state: "failed", durableLsn: good.lsn });
      expect((await readAll(log)).at(-1)?.lsn).toBe(good.lsn);
      // Not one more sync was asked for on that file.
      const { sync } = disk.counts;
      await settled();
      expect(disk.counts.sync).toBe(sync);

      disk.kill();
      disk.healSync();
      const again = await openOn(disk.boot());
      const next = append(again.log, payloadOf(5, 100));
      await next.durable;
      expect(next.lsn).toBeGreaterThan(queued.lsn);
      const served = (await readAll(again.log)).map((f) => f.lsn);
      expect(served).toContain(good.lsn);
      expect(served).not.toContain(queued.lsn);
      // What is served now has been made durable, although its first sync failed.
      disk.cutPower();
      const last = await openOn(disk.boot());
      expect((await readAll(last.log)).map((f) => f.lsn)).toEqual(served);
    },
  );

  test("F8 the disk fails while opening: reads only, and only what is surely durable", async () => {
    const disk = new SimDisk();
    const first = await openOn(disk.boot());
    for (let i = 0; i < 5; i++) await append(first.log, payloadOf(i, 50)).durable;
    disk.kill();
    disk.failSync(2, "forever");
    const { log, codes } = await openOn(disk.boot());
    expect(codes()).toEqual(["storage_failed"]);
    expect(log.status.state).toBe("failed");
    expect((await readAll(log)).map((f) => f.lsn)).toEqual([1, 2, 3, 4, 5]);
    expect(await code(append(log, payloadOf(9, 9)).durable)).toBe("storage_unavailable");
    await log.close();
  });

  test("F9 the disk fills: told at 90 %, sources refused before it is full, nothing acknowledged lost, heals by itself", async () => {
    const disk = new SimDisk({ capacityBytes: 100_000 });
    const { log, clock, codes } = await openOn(disk.boot(), { segmentBytes: 20_000 });
    const acknowledged: number[] = [];
    let last = "";
    while (last !== "disk_full") {
      clock.advanceMs(1_000);
      const { lsn, durable } = append(log, payloadOf(1, 300));
      last = await code(durable);
      if (last === "durable") acknowledged.push(lsn);
      await settled();
    }
    expect(codes()).toEqual(["disk_low", "disk_full"]);
    expect(log.status.state).toBe("diskFull");
    // What the platform must say may still be written.
    await append(log, payloadOf(2, 10), recordType.verdict).durable;
    expect((await readAll(log)).filter((f) => f.type === recordType.points).map((f) => f.lsn)).toEqual(acknowledged);

    disk.capacityBytes = 200_000;
    clock.advanceMs(1_000);
    await settled();
    expect(codes().slice(2)).toEqual(["disk_recovered"]);
    expect(log.status.state).toBe("writable");
    await append(log, payloadOf(3, 300)).durable;
    await log.close();
  });

  test("F9 no space at all in the middle of a write: nothing of it is kept, a restart on the full disk works, then it heals", async () => {
    const disk = new SimDisk({ capacityBytes: 10_000 });
    const space = { refuseAt: 1 };
    const { log, codes } = await openOn(disk.boot(), { space });
    const acknowledged: number[] = [];
    for (;;) {
      // One commit: the small record still fits when the large one no longer does.
      const { lsn, durable } = append(log, payloadOf(8, 8));
      const queued = append(log, payloadOf(7, 700));
      const results = await Promise.all([code(durable), code(queued.durable)]);
      if (results[0] !== "durable") {
        expect(results).toEqual(["disk_full", "disk_full"]);
        break;
      }
      acknowledged.push(lsn, queued.lsn);
    }
    expect(codes()).toContain("disk_full");
    const refused = append(log, payloadOf(9, 9));
    expect([refused.lsn, await code(refused.durable)]).toEqual([0, "disk_full"]);
    const readBack = async (from: typeof log) =>
      (await readAll(from)).filter((f) => f.type === recordType.points).map((f) => f.lsn);
    expect(await readBack(log)).toEqual(acknowledged);

    disk.kill();
    disk.capacityBytes = 0;
    const again = await openOn(disk.boot(), { space });
    expect(again.log.status.state).toBe("diskFull");
    expect(await readBack(again.log)).toEqual(acknowledged);
    expect(await code(append(again.log, payloadOf(1, 1)).durable)).toBe("disk_full");
    disk.capacityBytes = 50_000;
    again.clock.advanceMs(1_000);
    await settled();
    const healed = append(again.log, payloadOf(1, 1));
    await healed.durable;
    expect(healed.lsn).toBeGreaterThan(acknowledged.at(-1) ?? 0);
    expect(await readBack(again.log)).toEqual([...acknowledged, healed.lsn]);
    await again.log.close();
  });

  test("F9 a fresh log on a full disk opens, refuses, and begins with its generation record when there is space", async () => {
    const disk = new SimDisk({ capacityBytes: 0 });
    const { log, clock } = await openOn(disk.boot());
    expect(log.status).toMatchObject({ state: "diskFull", durableLsn: 0 });
    disk.capacityBytes = 100_000;
    clock.advanceMs(1_000);
    await settled();
    await append(log, payloadOf(1, 1)).durable;
    expect((await readAll(log)).map((f) => [f.lsn, f.type, f.generation])).toEqual([
      [1, recordType.generationStarted, 1],
      [2, recordType.points, 1],
    ]);
    await log.close();
  });

  test("F10 a sync takes 500 ms: groups grow, nothing is refused, slow_commit is told once", async () => {
    const disk = new SimDisk();
    const { log, clock, codes } = await openOn(disk.boot());
    disk.slowSync(clock, 500);
    const before = disk.counts.sync;
    const all: Promise<void>[] = [];
    for (let i = 0; i < 300; i++) {
      all.push(append(log, payloadOf(i, 1_000)).durable);
      await settled();
      clock.advanceMs(10);
    }
    for (let i = 0; i < 100; i++) {
      clock.advanceMs(10);
      await settled();
    }
    await Promise.all(all);
    // 3 s of records in commits of half a second each.
    expect(disk.counts.sync - before).toBeLessThanOrEqual(8);
    expect(codes()).toEqual(["slow_commit"]);
    expect(log.status.commitP50Ms).toBeGreaterThan(400);
    expect(log.status.commitP99Ms).toBeLessThan(650);
    disk.slowSync(clock, 0);
    await log.close();
  });

  test("at the bound of waiting records new ones are refused as overloaded, those waiting are kept", async () => {
    const disk = new SimDisk();
    const { log, clock } = await openOn(disk.boot(), { pendingRecordsMax: 10 });
    disk.slowSync(clock, 100);
    const first = append(log, payloadOf(0, 1));
    await settled();
    const waiting = Array.from({ length: 10 }, (_, i) => append(log, payloadOf(i, 1)));
    const refused = append(log, payloadOf(99, 1));
    expect([refused.lsn, await code(refused.durable)]).toEqual([0, "overloaded"]);
    clock.advanceMs(100);
    await settled();
    clock.advanceMs(100);
    await Promise.all([first, ...waiting].map((a) => a.durable));
    disk.slowSync(clock, 0);
    await log.close();
  });
});
