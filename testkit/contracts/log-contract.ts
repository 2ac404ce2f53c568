import type { Clock, Frame, Log, LogReader } from "@lineshaft/contract/ports";
import { recordType } from "@lineshaft/contract/ports";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock } from "../clock.ts";

/** One store, opened as often as a test likes, one after the other. */
export interface LogStore {
  open(clock: Clock): Promise<Log>;
  /** After the last log was closed. */
  dispose(): Promise<void>;
}

const record = (payload: Uint8Array, tenant = 1, partition = 0) => ({
  tenant,
  partition,
  type: recordType.points,
  payload,
});
const bytes = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7 + (i >> 3)) & 255);

/** Reads until `lsn` is reached. */
async function readTo(reader: LogReader, lsn: number, maxBytes = 4096): Promise<Frame[]> {
  const frames: Frame[] = [];
  while (frames.length === 0 || frames[frames.length - 1].lsn < lsn) frames.push(...(await reader.next(maxBytes)));
  return frames;
}

/** What every implementation of the `Log` port promises. */
export function logContract(name: string, create: () => Promise<LogStore>): void {
  describe(`Log contract: ${name}`, () => {
    let store: LogStore;
    let clock: FakeClock;
    let log: Log;

    beforeEach(async () => {
      store = await create();
      clock = new FakeClock();
      log = await store.open(clock);
    });
    afterEach(async () => {
      await log.close();
      await store.dispose();
    });

    test("a fresh log begins with a generation record and LSN 1", async () => {
      const [first] = await log.reader(1).next(1);
      expect(first).toMatchObject({ lsn: 1, type: recordType.generationStarted, generation: log.status.generation });
      expect(log.status).toMatchObject({ state: "writable", firstLsn: 1, durableLsn: 1, quarantined: [] });
    });

    test("LSNs are given at once, ascend by one and become durable in order", async () => {
      const done: number[] = [];
      const appended = Array.from({ length: 50 }, (_, i) => log.append(record(bytes(i, i))));
      const first = appended[0].lsn;
      expect(appended.map((a) => a.lsn)).toEqual(appended.map((_, i) => first + i));
      await Promise.all(appended.map((a) => a.durable.then(() => done.push(a.lsn))));
      expect(done).toEqual(appended.map((a) => a.lsn));
      expect(log.status.durableLsn).toBe(first + 49);
    });

    test("a reader gets exactly what was appended, 8-byte aligned, live and after opening again", async () => {
      const lengths = [0, 1, 7, 8, 9, 4095, 65_536, 3_000_000, 5];
      const given = lengths.map((length, i) => record(bytes(length, i), i + 1, i));
      const lsns = given.map((r) => log.append(r));
      await lsns[lsns.length - 1].durable;
      const check = async () => {
        const reader = log.reader(lsns[0].lsn);
        const frames = await readTo(reader, lsns[lsns.length - 1].lsn);
        reader.close();
        expect(frames.map((f) => f.lsn)).toEqual(lsns.map((l) => l.lsn));
        frames.forEach((frame, i) => {
          expect(frame).toMatchObject({ tenant: i + 1, partition: i, type: recordType.points });
          expect(frame.recordedTime).toBe(lsns[i].recordedTime);
          expect(frame.payload.byteOffset % 8).toBe(0);
          expect(Buffer.compare(frame.payload, given[i].payload)).toBe(0);
        });
      };
      await check();
      await log.close();
      log = await store.open(clock);
      await check();
    });

    test("what is appended may be changed by the caller afterwards", async () => {
      const payload = bytes(64, 1);
      const { lsn, durable } = log.append(record(payload));
      payload.fill(0);
      await durable;
      const [frame] = await log.reader(lsn).next(1);
      expect(Buffer.compare(frame.payload, bytes(64, 1))).toBe(0);
    });

    test("a reader waits for the next record and never sees one that is not durable", async () => {
      const reader = log.reader(log.status.durableLsn + 1);
      const next = reader.next(1000);
      let durable = false;
      const appended = log.append(record(bytes(10, 1)));
      void appended.durable.then(() => {
        durable = true;
      });
      const frames = await next;
      expect(durable).toBe(true);
      expect(frames.map((f) => f.lsn)).toEqual([appended.lsn]);
      expect(reader.position).toBe(appended.lsn + 1);
      reader.close();
    });

    test("next() ends with the signal's reason, and the reader goes on afterwards", async () => {
      const reader = log.reader(log.status.durableLsn + 1);
      const abort = new AbortController();
      const next = reader.next(1000, abort.signal);
      abort.abort(new Error("enough"));
      await expect(next).rejects.toThrow("enough");
      const { lsn } = log.append(record(bytes(10, 1)));
      expect((await reader.next(1000))[0].lsn).toBe(lsn);
      reader.close();
    });

    test("pages hold at least one record and about as much as asked for", async () => {
      const all = Array.from({ length: 200 }, (_, i) => log.append(record(bytes(1000, i))));
      const last = all[all.length - 1];
      await last.durable;
      const check = async () => {
        const reader = log.reader(all[0].lsn);
        const seen: number[] = [];
        while (seen.length < 200) {
          const frames = await reader.next(3000);
          expect(frames.length).toBeGreaterThan(0);
          expect(frames.length).toBeLessThanOrEqual(4);
          seen.push(...frames.map((f) => f.lsn));
        }
        expect(seen).toEqual(all.map((a) => a.lsn));
        reader.close();
      };
      await check();
      await log.close();
      log = await store.open(clock);
      await check();
    });

    test("every position can be read from, while others append", async () => {
      const first = log.status.durableLsn + 1;
      const writer = (async () => {
        for (let i = 0; i < 100; i++) await log.append(record(bytes(i * 3, i))).durable;
      })();
      await Promise.all(
        [0, 1, 50, 99].map(async (skip) => {
          const reader = log.reader(first + skip);
          const frames = await readTo(reader, first + 99, 500);
          expect(frames.map((f) => f.lsn)).toEqual(Array.from({ length: 100 - skip }, (_, i) => first + skip + i));
          reader.close();
        }),
      );
      await writer;
    });

    test("after opening again everything acknowledged is there and numbers go up", async () => {
      const before = log.append(record(bytes(10, 1)));
      await before.durable;
      await log.close();
      log = await store.open(clock);
      expect(log.status.durableLsn).toBe(before.lsn);
      const after = log.append(record(bytes(10, 2)));
      expect(after.lsn).toBe(before.lsn + 1);
      await after.durable;
      const reader = log.reader(before.lsn);
      expect((await readTo(reader, after.lsn)).map((f) => f.lsn)).toEqual([before.lsn, after.lsn]);
      reader.close();
    });

    test("lsnAt finds the first record at or after a time", async () => {
      const times: { lsn: number; recordedTime: number }[] = [];
      for (let i = 0; i < 30; i++) {
        clock.advanceMs(1000);
        const appended = log.append(record(bytes(100, i)));
        times.push(appended);
        await appended.durable;
      }
      for (const { lsn, recordedTime } of times) {
        expect(await log.lsnAt(recordedTime)).toBe(lsn);
        expect(await log.lsnAt(recordedTime - 999_999)).toBe(lsn);
        expect(await log.lsnAt(recordedTime + 1)).toBe(lsn + 1);
      }
      expect(await log.lsnAt(0)).toBe(log.status.firstLsn);
    });

    test("recordedTime never goes back within a generation", async () => {
      clock.jumpUs(3_600_000_000);
      const early = log.append(record(bytes(1, 1)));
      clock.jumpUs(-7_200_000_000);
      const late = log.append(record(bytes(1, 1)));
      await late.durable;
      expect(late.recordedTime).toBeGreaterThanOrEqual(early.recordedTime);
    });

    test("a new generation continues the numbers and stands in every record", async () => {
      const before = log.append(record(bytes(1, 1)));
      await log.newGeneration();
      const after = log.append(record(bytes(1, 2)));
      await after.durable;
      const frames = await readTo(log.reader(before.lsn), after.lsn);
      expect(frames.map((f) => [f.lsn, f.type])).toEqual([
        [before.lsn, recordType.points],
        [before.lsn + 1, recordType.generationStarted],
        [before.lsn + 2, recordType.points],
      ]);
      expect(frames[1].generation).toBe(frames[0].generation + 1);
      expect(frames[2].generation).toBe(log.status.generation);
    });

    test("close finishes what was appended, then refuses; waiting readers are told", async () => {
      const reader = log.reader(log.status.durableLsn + 2);
      const waiting = reader.next(1);
      waiting.catch(() => {});
      const last = log.append(record(bytes(1, 1)));
      await log.close();
      await expect(last.durable).resolves.toBeUndefined();
      await expect(waiting).rejects.toMatchObject({ code: "shutting_down" });
      await expect(log.append(record(bytes(1, 1))).durable).rejects.toMatchObject({ code: "shutting_down" });
      expect(log.status.state).toBe("closed");
    });
  });
}
