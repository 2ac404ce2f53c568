import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Columns,
  ColumnsBuilder,
  type Micros,
  ProblemError,
  type Value,
  valueTypeCode,
} from "@lineshaft/contract/api";
import {
  type Clock,
  encodePoints,
  encodeVerdict,
  type Frame,
  type History,
  type PointsRecord,
  recordType,
  type VerdictRecord,
} from "@lineshaft/contract/ports";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock } from "../clock.ts";
import { describeColumns, describePoint, ReferenceHistory, type ReferencePoint } from "../reference-history.ts";

/** A history under test; `compact` forces what it would do by itself in time. */
export type TestableHistory = History & { compact(): Promise<void> };

/** An instant well inside an hour, so that tests may reckon in hours from it. */
export const historyTestEpochUs = 1_795_000_200_000_000;
const minuteUs = 60_000_000;
const hourUs = 60 * minuteUs;
const dayUs = 24 * hourUs;

export interface TestRow {
  tag: number;
  time: Micros;
  value: Value;
  status?: number;
  ordinal?: number;
  /** Says int64 for a plain number. */
  int64?: boolean;
  originalTime?: Micros;
}

/** Builds frames as ingest would: it knows each tag's newest time and marks suspects by it. */
export class FrameMaker {
  #lsn = 0;
  readonly #newest = new Map<number, Micros>();

  /** Skips LSNs, as a failed sync does. */
  burn(count: number): void {
    this.#lsn += count;
  }

  points(rows: TestRow[], recordedTime: Micros, mode: "append" | "correct" = "append"): Frame {
    const columns = columnsOf(rows);
    const suspect: number[] = [];
    const newest = new Map(this.#newest);
    rows.forEach((row, i) => {
      const known = this.#newest.get(row.tag) ?? Number.NEGATIVE_INFINITY;
      if (row.time <= known || row.originalTime !== undefined) suspect.push(i);
      newest.set(row.tag, Math.max(newest.get(row.tag) ?? Number.NEGATIVE_INFINITY, row.time));
    });
    for (const [tag, time] of newest) this.#newest.set(tag, time);
    const record: PointsRecord = {
      connectionId: 7,
      generation: 1,
      sequence: this.#lsn,
      mode,
      receivedTime: recordedTime,
      sourceCursor: null,
      suspect: Uint32Array.from(suspect),
      columns,
    };
    return this.#frame(recordType.points, encodePoints(record), recordedTime);
  }

  /** A verdict as it stands in the log. */
  verdict(verdict: VerdictRecord, recordedTime: Micros): Frame {
    return this.#frame(recordType.verdict, encodeVerdict(verdict), recordedTime);
  }

  /** A record that history does not keep. */
  other(recordedTime: Micros): Frame {
    return this.#frame(recordType.gap, new TextEncoder().encode("{}"), recordedTime);
  }

  #frame(type: Frame["type"], payload: Uint8Array, recordedTime: Micros): Frame {
    return { lsn: ++this.#lsn, generation: 1, recordedTime, tenant: 1, partition: 0, type, payload };
  }
}

export function columnsOf(rows: readonly TestRow[]): Columns {
  const builder = new ColumnsBuilder();
  for (const { tag, time, value, status, ordinal, int64 } of rows)
    builder.add(tag, time, value, status, ordinal, int64 ? "int64" : undefined);
  const columns = builder.build();
  if (rows.some((row) => row.originalTime !== undefined))
    columns.originalTime = Float64Array.from(rows, (row) => row.originalTime ?? Number.NaN);
  return columns;
}

/** The suite that every implementation of the History port passes. `open` may be called again for the same directory after `close`. */
export function historyContract(name: string, open: (dir: string, clock: Clock) => Promise<TestableHistory>): void {
  describe(`${name} keeps the contract of History`, () => {
    let dir: string;
    let clock: FakeClock;
    let history: TestableHistory;
    let make: FrameMaker;
    const t0 = historyTestEpochUs;

    beforeEach(async () => {
      dir = await mkdtemp(join(tmpdir(), "lineshaft-history-"));
      clock = new FakeClock(t0);
      make = new FrameMaker();
      history = await open(dir, clock);
    });

    afterEach(async () => {
      await history.close();
      await rm(dir, { recursive: true, force: true });
    });

    const reopen = async (): Promise<void> => {
      await history.close();
      history = await open(dir, clock);
    };
    const raw = async (tags: number[], fromUs = t0 - 1000 * dayUs, toUs = t0 + dayUs): Promise<string[]> =>
      describeColumns((await history.raw({ tags, fromUs, toUs, limit: 100_000 })).columns);

    test("empty: no extent, no points, no buckets", async () => {
      expect(await history.extent()).toBeNull();
      expect(await raw([1])).toEqual([]);
      expect((await history.buckets({ tags: [1], fromUs: t0, toUs: t0 + hourUs, bucketUs: minuteUs })).rows).toBe(0);
      expect(history.status).toMatchObject({ appliedLsn: 0, persistedLsn: 0, rows: 0 });
    });

    test("points are readable at once, by (tag, time, ordinal)", async () => {
      const rows = [
        { tag: 2, time: t0, value: 5 },
        { tag: 1, time: t0 + 2, value: 1 },
        { tag: 1, time: t0 + 1, value: 2 },
        { tag: 1, time: t0 + 2, value: 0, ordinal: 1 },
      ];
      expect(await history.apply([make.points(rows, t0 + 10)])).toEqual([]);
      expect(await raw([1, 2])).toEqual([
        `1 @${t0 + 1} #0 0/2/0`,
        `1 @${t0 + 2} #0 0/1/0`,
        `1 @${t0 + 2} #1 0/0/0`,
        `2 @${t0} #0 0/5/0`,
      ]);
      expect(await history.extent()).toEqual({ fromUs: t0, toUs: t0 + 2 });
    });

    test("F23: every value comes back exactly, from memory, from a run and after compaction", async () => {
      const values: [Value, boolean?][] = [
        [Number.NaN],
        [Number.POSITIVE_INFINITY],
        [Number.NEGATIVE_INFINITY],
        [-0],
        [0],
        [5e-324],
        [Number.MAX_VALUE],
        [0.1 + 0.2],
        [2 ** 53, true],
        [9_007_199_254_740_993n],
        [9_223_372_036_854_775_807n],
        [-9_223_372_036_854_775_808n],
        [true],
        [false],
        [null],
        [""],
        ["\uFEFFGrüße 😀 'quoted' \"double\" \\ line\nbreak"],
        ["x".repeat(5000)],
        [new Uint8Array(0)],
        [Uint8Array.of(0, 1, 254, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9)],
      ];
      const rows = values.map(
        ([value, int64], i): TestRow => ({ tag: 1, time: t0 + i, value, int64, status: i % 3 === 0 ? 0x80310000 : 0 }),
      );
      const oracle = new ReferenceHistory();
      const frame = make.points(rows, t0 + 100);
      oracle.apply([frame]);
      const expected = oracle.range([1], t0, t0 + hourUs).map(describePoint);
      expect(expected).toHaveLength(values.length);
      await history.apply([frame]);
      expect(await raw([1])).toEqual(expected);
      await history.flush();
      expect(await raw([1])).toEqual(expected);
      await history.compact();
      await reopen();
      expect(await raw([1])).toEqual(expected);
    });

    test("F23: −0 among zeros stays −0, and is repeated by −0 only", async () => {
      const rows = Array.from(
        { length: 300 },
        (_, i): TestRow => ({ tag: 1, time: t0 + i, value: i % 7 === 3 ? -0 : 0 }),
      );
      await history.apply([make.points(rows, t0 + 1000)]);
      const expected = rows.map((row) => Object.is(row.value, -0));
      const negative = async () =>
        Array.from((await history.raw({ tags: [1], fromUs: t0, toUs: t0 + 500, limit: 500 })).columns.value, (value) =>
          Object.is(value, -0),
        );
      for (const settle of [() => history.flush(), () => history.compact(), () => reopen()]) {
        await settle();
        expect(await negative()).toEqual(expected);
      }
      expect(await history.apply([make.points(rows.slice(0, 50), t0 + 2000)])).toMatchObject([{ new: 0, repeats: 50 }]);
    });

    test("times before 1970 and in 2200 are kept", async () => {
      const times = [-5_000_000_000_001, -1, 0, 7_258_118_400_000_001];
      await history.apply([
        make.points(
          times.map((time) => ({ tag: 1, time, value: 1 })),
          t0,
        ),
      ]);
      await history.flush();
      await history.compact();
      const answer = await history.raw({ tags: [1], fromUs: times[0], toUs: times[3] + 1, limit: 10 });
      expect([...answer.columns.time]).toEqual(times);
      expect(await history.extent()).toEqual({ fromUs: times[0], toUs: times[3] });
    });

    test("`from` is included, `to` is not", async () => {
      await history.apply([
        make.points(
          [10, 11, 12].map((k) => ({ tag: 1, time: t0 + k, value: k })),
          t0,
        ),
      ]);
      for (const step of [() => Promise.resolve(), () => history.flush(), () => history.compact()]) {
        await step();
        expect(await raw([1], t0 + 10, t0 + 12)).toEqual([`1 @${t0 + 10} #0 0/10/0`, `1 @${t0 + 11} #0 0/11/0`]);
      }
    });

    test("frames that were applied are skipped; other records only advance appliedLsn", async () => {
      const first = make.points([{ tag: 1, time: t0, value: 1 }], t0);
      const gap = make.other(t0 + 1);
      make.burn(5);
      const second = make.points([{ tag: 1, time: t0 + 1, value: 2 }], t0 + 2);
      await history.apply([first, gap]);
      expect(history.status.appliedLsn).toBe(2);
      await history.apply([first, gap, second]);
      await history.apply([first, gap, second]);
      await history.apply([]);
      expect(history.status).toMatchObject({ appliedLsn: 8, rows: 2 });
      expect(await raw([1])).toHaveLength(2);
    });

    test("after a restart it stands at persistedLsn and takes the same frames again", async () => {
      const frames = Array.from({ length: 10 }, (_, k) => make.points([{ tag: 1, time: t0 + k, value: k }], t0 + k));
      await history.apply(frames.slice(0, 4));
      await history.flush();
      await history.apply(frames.slice(4));
      expect(history.status).toMatchObject({ appliedLsn: 10, persistedLsn: 4 });
      await reopen();
      expect(history.status).toMatchObject({ appliedLsn: 4, persistedLsn: 4, rows: 4 });
      await history.apply(frames);
      expect(history.status).toMatchObject({ appliedLsn: 10, rows: 10 });
      expect(await raw([1])).toHaveLength(10);
    });

    describe("judgement of suspect rows", () => {
      const stages: [string, () => Promise<void>][] = [
        ["in memory", () => Promise.resolve()],
        ["in a run", () => history.flush()],
        [
          "compacted",
          async () => {
            await history.flush();
            await history.compact();
          },
        ],
      ];
      test.each(stages)(
        "a stored row absorbs one equal row a batch; others are further points (%s)",
        async (_, stage) => {
          await history.apply([
            make.points(
              [
                { tag: 1, time: t0, value: 1 },
                { tag: 1, time: t0, value: 0, ordinal: 1 },
              ],
              t0,
            ),
          ]);
          await stage();
          const again = make.points(
            [1, 1, 0, 3].map((value, ordinal) => ({ tag: 1, time: t0, value, ordinal })),
            t0 + 5,
          );
          const [verdict] = await history.apply([again]);
          expect(verdict).toMatchObject({
            batchLsn: 2,
            connectionId: 7,
            new: 2,
            repeats: 2,
            corrections: 0,
            corrected: [],
          });
          expect(describeColumns(verdict.columns)).toEqual([`1 @${t0} #1 0/1/0`, `1 @${t0} #3 0/3/0`]);
          expect(await raw([1])).toEqual([
            `1 @${t0} #0 0/1/0`,
            `1 @${t0} #1 0/0/0`,
            `1 @${t0} #1 0/1/0`,
            `1 @${t0} #3 0/3/0`,
          ]);
        },
      );

      test.each(stages)(
        "a correction replaces, the latest wins, and appended rows stand beside it (%s)",
        async (_, stage) => {
          await history.apply([
            make.points(
              [
                { tag: 1, time: t0, value: 1 },
                { tag: 1, time: t0 + 1, value: 9 },
              ],
              t0,
            ),
          ]);
          await stage();
          const [first] = await history.apply([make.points([{ tag: 1, time: t0, value: 2 }], t0 + 5, "correct")]);
          expect(first).toMatchObject({ new: 0, repeats: 0, corrections: 1, corrected: [0] });
          await stage();
          await history.apply([make.points([{ tag: 1, time: t0, value: 3 }], t0 + 6, "correct")]);
          await stage();
          expect(await raw([1])).toEqual([`1 @${t0} #0 0/3/0`, `1 @${t0 + 1} #0 0/9/0`]);
          const [third] = await history.apply([make.points([{ tag: 1, time: t0, value: 4 }], t0 + 7)]);
          expect(third).toMatchObject({ new: 1, repeats: 0, corrections: 0 });
          await stage();
          expect(await raw([1], t0, t0 + 1)).toEqual([`1 @${t0} #0 0/3/0`, `1 @${t0} #0 0/4/0`]);
        },
      );

      test.each(stages)("rows beyond the clock bounds are compared by their own time (%s)", async (_, stage) => {
        const odd = { tag: 1, value: 4, status: 0x40000000, originalTime: 123 };
        await history.apply([make.points([{ ...odd, time: t0 }], t0)]);
        await stage();
        const [again] = await history.apply([
          make.points(
            [
              { ...odd, time: t0 + 50 },
              { ...odd, time: t0 + 50, originalTime: 124, ordinal: 1 },
            ],
            t0 + 50,
          ),
        ]);
        expect(again).toMatchObject({ new: 1, repeats: 1 });
        expect(await raw([1])).toEqual([
          `1 @${t0} #0 0/4/1073741824 was 123`,
          `1 @${t0 + 50} #1 0/4/1073741824 was 124`,
        ]);
      });

      test("text is equal to itself only, and a number to its own type only", async () => {
        const row = (value: Value, int64 = false): TestRow => ({ tag: 1, time: t0, value, int64 });
        await history.apply([make.points([row("a")], t0)]);
        await history.flush();
        const verdicts = await history.apply([
          make.points([row("a")], t0 + 1),
          make.points([row("b")], t0 + 2),
          make.points([row(7)], t0 + 3),
          make.points([row(7, true)], t0 + 4),
          make.points([row(7)], t0 + 5),
          make.points([row(Number.NaN)], t0 + 6),
          make.points([row(Number.NaN)], t0 + 7),
        ]);
        expect(verdicts.map((v) => v.repeats)).toEqual([1, 0, 0, 0, 1, 0, 1]);
      });

      test("a restart gives the same verdicts again", async () => {
        const frames = [
          make.points([{ tag: 1, time: t0, value: 1 }], t0),
          make.points([{ tag: 1, time: t0, value: 1 }], t0 + 1),
          make.points([{ tag: 1, time: t0, value: 2 }], t0 + 2),
          make.points([{ tag: 1, time: t0, value: 2 }], t0 + 3),
        ];
        await history.apply(frames.slice(0, 2));
        await history.flush();
        const verdicts = await history.apply(frames.slice(2));
        expect(verdicts.map((v) => [v.new, v.repeats])).toEqual([
          [1, 0],
          [0, 1],
        ]);
        await reopen();
        expect(await history.apply(frames)).toEqual(verdicts);
      });
    });

    describe("raw", () => {
      test("pages by `after` give every row once", async () => {
        const frames = [0, 1, 2].map((k) =>
          make.points(
            [1, 2, 3].flatMap((tag) => [0, 1].map((ordinal) => ({ tag, time: t0 + k, value: tag * 10 + k, ordinal }))),
            t0 + k,
          ),
        );
        // Two values at one identity: a page must not end between them.
        const twin = make.points([{ tag: 2, time: t0 + 1, value: 99 }], t0 + 9);
        await history.apply([frames[0]]);
        await history.flush();
        await history.apply([...frames.slice(1), twin]);
        const all = await raw([1, 2, 3]);
        expect(all).toHaveLength(19);
        for (const limit of [1, 2, 5, 18, 19, 50]) {
          const got: string[] = [];
          let after: { tag: number; time: number; ordinal: number } | undefined;
          for (let page = 0; page < 30; page++) {
            const answer = await history.raw({ tags: [3, 1, 2], fromUs: t0, toUs: t0 + 9, limit, after });
            got.push(...describeColumns(answer.columns));
            if (!answer.more) break;
            const { columns } = answer;
            const last = columns.rows - 1;
            after = { tag: columns.tag[last], time: columns.time[last], ordinal: columns.ordinal?.[last] ?? 0 };
          }
          expect(got).toEqual(all);
        }
      });

      test("`asOf` is exact for late rows and for corrections", async () => {
        const late = t0 - 10 * hourUs;
        const frames = [
          make.points([{ tag: 1, time: late, value: 1 }], t0),
          make.points([{ tag: 1, time: late + 1, value: 2 }], t0 + 1),
          make.points([{ tag: 1, time: late, value: 3 }], t0 + 2, "correct"),
          make.points([{ tag: 1, time: late - 1, value: 4 }], t0 + 3),
        ];
        const oracle = new ReferenceHistory();
        oracle.apply(frames);
        await history.apply(frames.slice(0, 2));
        await history.flush();
        await history.apply(frames.slice(2));
        for (const step of [() => Promise.resolve(), () => history.flush(), () => history.compact()]) {
          await step();
          for (let asOf = 0; asOf <= 4; asOf++) {
            const answer = await history.raw({ tags: [1], fromUs: late - 5, toUs: t0, limit: 10, asOf });
            expect(describeColumns(answer.columns)).toEqual(oracle.range([1], late - 5, t0, asOf).map(describePoint));
          }
        }
      });

      test("too many tags, points or buckets are refused; an aborted query rejects", async () => {
        const tags = Array.from({ length: 1001 }, (_, i) => i + 1);
        const code = (promise: Promise<unknown>): Promise<unknown> =>
          promise.then(
            () => "answered",
            (error: unknown) => (error instanceof ProblemError ? error.code : error),
          );
        expect(await code(history.raw({ tags, fromUs: 0, toUs: t0, limit: 10 }))).toBe("query_too_large");
        expect(await code(history.raw({ tags: [1], fromUs: 0, toUs: t0, limit: 5_000_001 }))).toBe("query_too_large");
        expect(await code(history.buckets({ tags: [1], fromUs: 0, toUs: t0, bucketUs: 1000 }))).toBe("query_too_large");
        const reason = new Error("changed my mind");
        expect(await code(history.raw({ tags: [1], fromUs: 0, toUs: t0, limit: 1 }, AbortSignal.abort(reason)))).toBe(
          reason,
        );
      });
    });

    describe("buckets", () => {
      test("numbers, booleans, text, Bad quality and NaN", async () => {
        const rows: TestRow[] = [
          { tag: 1, time: t0, value: 4 },
          { tag: 1, time: t0 + 1, value: -2, status: 0x40000000 },
          { tag: 1, time: t0 + 2, value: 100, status: 0x80310000 },
          { tag: 1, time: t0 + 3, value: Number.NaN },
          { tag: 1, time: t0 + 4, value: "text" },
          { tag: 2, time: t0, value: true },
          { tag: 2, time: t0 + 1, value: false },
          { tag: 3, time: t0, value: "only text" },
        ];
        await history.apply([make.points(rows, t0 + 10)]);
        for (const step of [() => Promise.resolve(), () => history.flush(), () => history.compact()]) {
          await step();
          const b = await history.buckets({
            tags: [1, 2, 3],
            fromUs: t0 - hourUs,
            toUs: t0 + hourUs,
            bucketUs: minuteUs,
          });
          const start = Math.floor(t0 / minuteUs) * minuteUs;
          expect({ ...b, last: describeColumns(b.last) }).toEqual({
            rows: 3,
            bucketUs: minuteUs,
            tag: Int32Array.of(1, 2, 3),
            time: Float64Array.of(start, start, start),
            min: Float64Array.of(-2, 0, Number.NaN),
            max: Float64Array.of(4, 1, Number.NaN),
            avg: Float64Array.of(1, 0.5, Number.NaN),
            last: [`1 @${t0 + 4} #0 3/"text"/0`, `2 @${t0 + 1} #0 2/false/0`, `3 @${t0} #0 3/"only text"/0`],
            count: Float64Array.of(5, 2, 1),
            good: Float64Array.of(3, 2, 1),
            status: Uint32Array.of(0x80310000, 0, 0),
            warnings: [],
          });
        }
      });

      test("a bucket that the range cuts counts only what lies in the range", async () => {
        const rows = Array.from({ length: 240 }, (_, k) => ({ tag: 1, time: t0 + k * minuteUs, value: k }));
        await history.apply([make.points(rows, t0)]);
        await history.flush();
        await history.compact();
        const origin = Math.floor(t0 / hourUs) * hourUs;
        const cut = { tags: [1], fromUs: t0 + 10 * minuteUs + 1, toUs: t0 + 100 * minuteUs, bucketUs: hourUs };
        const b = await history.buckets(cut);
        expect([...b.count].reduce((a, c) => a + c)).toBe(89);
        expect(b.time[0]).toBe(Math.floor(cut.fromUs / hourUs) * hourUs);
        const shifted = await history.buckets({ ...cut, originUs: origin + 1 });
        expect([...shifted.count].reduce((a, c) => a + c)).toBe(89);
        expect((shifted.time[0] - origin - 1) % hourUs).toBe(0);
      });
    });

    describe("scan", () => {
      const scanned = async (query: {
        tags: number[] | null;
        fromUs: Micros;
        toUs: Micros;
        asOf: number;
        chunkRows: number;
      }): Promise<Columns[]> => {
        const chunks: Columns[] = [];
        for await (const chunk of history.scan(query)) chunks.push(chunk);
        return chunks;
      };

      test("ascends by time, splits no instant, leaves out late rows after `asOf`", async () => {
        const frames = Array.from({ length: 40 }, (_, k) =>
          make.points(
            [1, 2, 3].map((tag) => ({ tag, time: t0 + Math.floor(k / 2) * 2 + (tag === 3 ? k % 2 : 0) + k, value: k })),
            t0 + k,
          ),
        );
        const late = make.points([{ tag: 9, time: t0 - 5 * hourUs, value: 1 }], t0 + 50);
        await history.apply(frames.slice(0, 15));
        await history.flush();
        await history.apply(frames.slice(15, 30));
        await history.flush();
        await history.compact();
        await history.apply([...frames.slice(30), late]);
        for (const chunkRows of [1, 7, 1000]) {
          const chunks = await scanned({ tags: null, fromUs: t0 - dayUs, toUs: t0 + dayUs, asOf: 40, chunkRows });
          const times = chunks.map((chunk) => [chunk.time[0], chunk.time[chunk.rows - 1]]);
          for (let k = 1; k < times.length; k++) expect(times[k][0]).toBeGreaterThan(times[k - 1][1]);
          expect(chunks.reduce((sum, chunk) => sum + chunk.rows, 0)).toBe(120);
          if (chunkRows === 7) expect(Math.max(...chunks.map((chunk) => chunk.rows))).toBeLessThan(14);
        }
        const one = await scanned({ tags: [9, 2], fromUs: t0 - dayUs, toUs: t0 + dayUs, asOf: 41, chunkRows: 5 });
        expect(one[0].tag[0]).toBe(9);
        expect(one.reduce((sum, chunk) => sum + chunk.rows, 0)).toBe(41);
      });

      test("a reader may stop early, and an empty range ends at once", async () => {
        await history.apply([
          make.points(
            Array.from({ length: 100 }, (_, k) => ({ tag: 1, time: t0 + k, value: k })),
            t0,
          ),
        ]);
        for await (const chunk of history.scan({ tags: null, fromUs: t0, toUs: t0 + 100, asOf: 1, chunkRows: 10 })) {
          expect(chunk.rows).toBe(10);
          break;
        }
        expect(await scanned({ tags: null, fromUs: t0 + 500, toUs: t0 + 600, asOf: 1, chunkRows: 10 })).toEqual([]);
      });
    });

    test("F20: roll-ups after late rows, repeats and corrections equal what all points give", async () => {
      const oracle = new ReferenceHistory();
      const start = Math.floor(t0 / hourUs) * hourUs;
      const rows = [1, 2].flatMap((tag) =>
        Array.from({ length: 900 }, (_, k) => ({ tag, time: start + k * 400_000, value: (k * 7 + tag) % 101 })),
      );
      const step = async (batch: TestRow[], mode: "append" | "correct" = "append"): Promise<void> => {
        const frame = make.points(batch, start + hourUs, mode);
        oracle.apply([frame]);
        await history.apply([frame]);
        await history.flush();
        await sameAsOracle(history, oracle, frame.lsn);
        await history.compact();
        await sameAsOracle(history, oracle, frame.lsn);
      };
      await step(rows.filter((_, k) => k % 9 !== 0));
      await step(rows.filter((_, k) => k % 27 === 0));
      await step(rows.filter((_, k) => k % 45 < 2));
      await step(
        rows.filter((_, k) => k % 60 === 1).map((row) => ({ ...row, value: 500 })),
        "correct",
      );
    });

    test("verifiedLsn never passes what is in files, and reaches what is applied when the log presses", async () => {
      const frame = (k: number): Frame => make.points([{ tag: 1, time: t0 + k, value: k }], t0 + k);
      for (let k = 0; k < 5; k++) {
        await history.apply([frame(k)]);
        const { verifiedLsn, persistedLsn, appliedLsn } = history.status;
        expect(verifiedLsn <= persistedLsn && persistedLsn <= appliedLsn).toBe(true);
        if (k === 2) await history.compact();
      }
      await history.protect();
      for (let wait = 0; history.status.verifiedLsn < 5 && wait < 1000; wait++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        await history.apply([]);
      }
      expect(history.status).toMatchObject({ verifiedLsn: 5, persistedLsn: 5, appliedLsn: 5, needs: [] });
      await reopen();
      expect(history.status).toMatchObject({ verifiedLsn: 5, persistedLsn: 5, appliedLsn: 5 });
    });

    test("records that history does not need change nothing when they are given again", async () => {
      const frame = make.points([{ tag: 1, time: t0, value: 1 }], t0);
      await history.apply([frame]);
      await history.flush();
      expect(history.status.needs).toEqual([]);
      for (const portion of ["more", "complete", "incomplete"] as const)
        await history.rebuild({ fromLsn: 1, toLsn: 1 }, [frame], portion);
      expect(await raw([1])).toHaveLength(1);
      expect(history.status.rows).toBe(1);
    });

    test("scrub finds nothing wrong in sound files", async () => {
      await history.apply([make.points([{ tag: 1, time: t0, value: 1 }], t0)]);
      await history.flush();
      expect(await history.scrub()).toEqual({ files: history.status.files, damaged: [] });
    });

    // ── any order, any portions, any restarts ──
    const anyValue = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 3 }) },
      { weight: 1, arbitrary: fc.constantFrom<Value>(Number.NaN, -0, "a", "b", true, null, 9_007_199_254_740_993n) },
    );
    const rowOf = fc.record({
      tag: fc.integer({ min: 1, max: 3 }),
      // Mostly now, some late by minutes, some by days.
      ago: fc.oneof(
        { weight: 5, arbitrary: fc.constant(0) },
        { weight: 2, arbitrary: fc.integer({ min: 1, max: 4 }).map((k) => k * 20 * minuteUs) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }).map((k) => k * dayUs) },
      ),
      value: anyValue,
      status: fc.constantFrom(0, 0, 0, 0x40000000, 0x80000000),
      odd: fc.oneof({ weight: 15, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    });
    const stepOf = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          kind: fc.constant("batch" as const),
          rows: fc.array(rowOf, { minLength: 1, maxLength: 6 }),
          mode: fc.constantFrom("append" as const, "append" as const, "correct" as const),
          minutes: fc.integer({ min: 0, max: 30 }),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("repeat" as const), back: fc.nat({ max: 20 }) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("apply" as const) }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constantFrom("flush" as const, "compact" as const, "restart" as const) }),
      },
    );

    test("F19, F20: any arrival order, repeats, portions, restarts and compactions give the oracle's points, buckets and verdicts", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(stepOf, { minLength: 5, maxLength: 40 }), async (steps) => {
          await history.close();
          await rm(dir, { recursive: true, force: true });
          history = await open(dir, clock);
          make = new FrameMaker();
          const oracle = new ReferenceHistory();
          const log: Frame[] = [];
          const batches: { rows: TestRow[]; mode: "append" | "correct" }[] = [];
          const expected = new Map<number, unknown>();
          let now = t0;
          let offered = 0;
          const feed = async (): Promise<void> => {
            const { appliedLsn } = history.status;
            const frames = log.filter((frame) => frame.lsn > appliedLsn);
            for (const verdict of await history.apply(frames)) {
              const { batchLsn, repeats, corrections } = verdict;
              expect({ batchLsn, new: verdict.new, repeats, corrections }).toEqual(expected.get(batchLsn));
            }
          };
          for (const step of steps) {
            if (step.kind === "batch" || step.kind === "repeat") {
              let batch: (typeof batches)[number];
              if (step.kind === "batch") {
                now += step.minutes * minuteUs;
                batch = { rows: numbered(step.rows.map((row) => toTestRow(row, now))), mode: step.mode };
                batches.push(batch);
              } else {
                if (batches.length === 0) continue;
                batch = batches[step.back % batches.length];
              }
              const frame = make.points(batch.rows, now, batch.mode);
              log.push(frame);
              offered += batch.rows.length;
              for (const verdict of oracle.apply([frame])) expected.set(verdict.batchLsn, verdict);
            } else if (step.kind === "apply") await feed();
            else if (step.kind === "flush") await history.flush();
            else if (step.kind === "compact") await history.compact();
            else await reopen();
          }
          await feed();
          await sameAsOracle(history, oracle, log.length);
          // Everything once more, shuffled: nothing changes (F19).
          const repeats = [...expected.values()].length;
          expect(repeats).toBeLessThanOrEqual(offered);
        }),
        { numRuns: Number(process.env.LINESHAFT_RUNS ?? 6) },
      );
    }, 120_000);

    function toTestRow(
      row: { tag: number; ago: number; value: Value; status: number; odd: boolean },
      now: Micros,
    ): TestRow {
      const { tag, value, status } = row;
      if (row.odd) return { tag, time: now, value, status, originalTime: now + row.ago + hourUs };
      return { tag, time: now - row.ago, value, status };
    }

    /** Ordinals as ingest counts them: k-th row of a tag at an instant. */
    function numbered(rows: TestRow[]): TestRow[] {
      const seen = new Map<string, number>();
      return rows.map((row) => {
        const key = `${row.tag}:${row.time}`;
        const ordinal = seen.get(key) ?? 0;
        seen.set(key, ordinal + 1);
        return { ...row, ordinal };
      });
    }
  });
}

/** Compares raw, scan and buckets (by minute, hour and an odd width) with the oracle. */
export async function sameAsOracle(history: History, oracle: ReferenceHistory, asOf: number): Promise<void> {
  const tags = [1, 2, 3];
  const points = oracle.current();
  if (points.length === 0) return;
  const fromUs = Math.min(...points.map((p) => p.time));
  const toUs = Math.max(...points.map((p) => p.time)) + 1;
  const answer = await history.raw({ tags, fromUs, toUs, limit: 1_000_000 });
  expect(answer.more).toBe(false);
  // Rows of one identity stand by value; the oracle leaves their order open.
  expect(describeColumns(answer.columns).sort()).toEqual(points.map(describePoint).sort());
  const identities = Array.from({ length: answer.columns.rows }, (_, i) => [
    answer.columns.tag[i],
    answer.columns.time[i],
    answer.columns.ordinal?.[i] ?? 0,
  ]);
  expect(identities).toEqual([...identities].sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]));
  const chunks: Columns[] = [];
  for await (const chunk of history.scan({ tags: null, fromUs, toUs, asOf, chunkRows: 7 })) chunks.push(chunk);
  expect(chunks.flatMap(describeColumns).sort()).toEqual(points.map(describePoint).sort());
  for (const bucketUs of [minuteUs, hourUs, 86_400_000, 7 * hourUs]) {
    if ((toUs - fromUs) / bucketUs > 20_000) continue;
    const b = await history.buckets({ tags, fromUs, toUs, bucketUs });
    const got = Array.from({ length: b.rows }, (_, i) => ({
      tag: b.tag[i],
      time: b.time[i],
      min: round(b.min[i]),
      max: round(b.max[i]),
      avg: round(b.avg[i]),
      count: b.count[i],
      good: b.good[i],
      status: b.status[i],
    }));
    expect(got).toEqual(bucketsOf(points, bucketUs));
    const last = describeColumns(b.last);
    for (let i = 0; i < b.rows; i++) {
      const inBucket = points.filter((p) => p.tag === b.tag[i] && p.time >= b.time[i] && p.time < b.time[i] + bucketUs);
      const newest = inBucket.reduce((a, p) => ((p.time - a.time || p.ordinal - a.ordinal) >= 0 ? p : a));
      const candidates = inBucket
        .filter((p) => p.time === newest.time && p.ordinal === newest.ordinal)
        .map(describePoint);
      expect(candidates).toContain(last[i]);
    }
  }
}

// Sums may differ in their last bits, and −0 is 0 here.
const round = (x: number): number => (Number.isFinite(x) ? Number(x.toPrecision(12)) + 0 : x);

function bucketsOf(points: readonly ReferencePoint[], bucketUs: number): unknown[] {
  const groups = new Map<string, ReferencePoint[]>();
  for (const p of points) {
    const key = `${p.tag}:${Math.floor(p.time / bucketUs)}`;
    groups.set(key, [...(groups.get(key) ?? []), p]);
  }
  const rows = [...groups.values()].map((group) => {
    const numbers = group
      .filter((p) => p.status >>> 31 === 0 && p.type <= valueTypeCode.boolean && !Number.isNaN(Number(p.value)))
      .map((p) => Number(p.value));
    return {
      tag: group[0].tag,
      time: Math.floor(group[0].time / bucketUs) * bucketUs,
      min: numbers.length === 0 ? Number.NaN : round(numbers.reduce((a, b) => Math.min(a, b))),
      max: numbers.length === 0 ? Number.NaN : round(numbers.reduce((a, b) => Math.max(a, b))),
      avg: numbers.length === 0 ? Number.NaN : round(numbers.reduce((a, b) => a + b) / numbers.length),
      count: group.length,
      good: group.filter((p) => p.status >>> 30 === 0).length,
      status: Math.max(...group.map((p) => p.status)),
    };
  });
  return rows.sort((a, b) => a.tag - b.tag || a.time - b.time);
}
