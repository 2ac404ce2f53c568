import { type Columns, ColumnsBuilder, ProblemError, valueAt } from "@lineshaft/contract/api";
import {
  decodeJson,
  decodePoints,
  type Offer,
  type RejectedRecord,
  recordType,
  type SourceBatch,
  type TagRegisteredRecord,
} from "@lineshaft/contract/ports";
import { FakeClock, MemoryLog } from "@lineshaft/testkit";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Ingest, SumLedger, TagDirectory } from "./index.ts";

const t0 = 1_795_000_000_000_000;
let clock: FakeClock;
let log: MemoryLog;
let ingest: Ingest;
let directory: TagDirectory;
let sums: SumLedger;

beforeEach(() => {
  clock = new FakeClock(t0);
  log = new MemoryLog(clock);
  directory = new TagDirectory();
  sums = new SumLedger();
  ingest = new Ingest({ log, clock, directory, sums });
});

type Row = [tag: number, time: number, value: number, ordinal?: number];

function batch(rows: Row[], names: string[] | null, more: Partial<SourceBatch> = {}): SourceBatch {
  const builder = new ColumnsBuilder();
  for (const [tag, time, value, ordinal] of rows) builder.add(tag, time, value, 0, ordinal ?? 0);
  return {
    connection: "press",
    generation: 0,
    sequence: null,
    mode: "append",
    sourceCursor: null,
    names,
    columns: builder.build(),
    ordinalsGiven: false,
    faults: [],
    faultSamples: [],
    ...more,
  };
}

const points = () => log.frames.filter((f) => f.type === recordType.points).map((f) => decodePoints(f.payload));
const rejected = () =>
  log.frames.filter((f) => f.type === recordType.rejected).map((f) => decodeJson<RejectedRecord>(f.payload));
const durable = (offer: Offer) => {
  if (offer.kind !== "durable") throw new Error(offer.detail);
  return offer;
};
const rowsOf = (c: Columns) =>
  Array.from({ length: c.rows }, (_, i) => [c.tag[i], c.time[i], valueAt(c, i), c.ordinal?.[i] ?? 0]);

describe("ingest", () => {
  it("hands on what a source says of units, by tag, once their names are visible to readers", async () => {
    const steps: unknown[] = [];
    ingest = new Ingest({
      log,
      clock,
      directory,
      sums,
      namesVisible: async (lsn) => void steps.push(lsn),
      noteUnits: async (tenant, connection, units) => void steps.push([tenant, connection, [...units]]),
    });
    const { lsn } = await ingest.offer(1, batch([[0, t0, 1]], ["a", "b"]));
    steps.length = 0;
    await ingest.units(
      1,
      "press",
      new Map([
        ["a", "bar"],
        ["never came", "m"],
      ]),
    );
    expect(steps).toEqual([lsn, [1, 1, [[1, "bar"]]]]);
    await ingest.units(1, "unknown", new Map([["a", "bar"]]));
    expect(steps).toHaveLength(2);
  });

  it("refuses points of a period that retention has removed, row by row", async () => {
    ingest = new Ingest({ log, clock, directory, sums, frozenBefore: () => t0 });
    const rows: Row[] = [
      [0, t0 - 1, 1],
      [0, t0, 2],
      [0, 5, 3],
    ];
    const offer = durable(await ingest.offer(1, batch(rows, ["a"])));
    expect(offer.faults).toEqual([expect.objectContaining({ row: 0, code: "period_frozen" })]);
    // A time before 2000 is a clock that is wrong: such a point is kept at our time.
    expect(points()[0].columns.rows).toBe(2);
    expect(rejected()[0]).toMatchObject({ code: "period_frozen", points: 1 });
  });

  it("registers unknown names in the log before the points that use them", async () => {
    const offer = durable(
      await ingest.offer(
        1,
        batch(
          [
            [0, t0, 1],
            [1, t0, 2],
          ],
          ["temp", 'état 🏭 "x"'],
        ),
      ),
    );
    expect(log.frames.map((f) => f.type)).toEqual([recordType.tagRegistered, recordType.points]);
    expect(decodeJson<TagRegisteredRecord>(log.frames[0].payload)).toMatchObject({
      connection: "press",
      newConnection: true,
      ids: [1, 2],
      addresses: ["temp", 'état 🏭 "x"'],
    });
    expect(offer).toMatchObject({ lsn: 2, offered: 2, accepted: 2, suspect: 0, rejected: 0 });
  });

  it("keeps a name's id, and takes ids directly", async () => {
    await ingest.offer(1, batch([[0, t0, 1]], ["a"]));
    await ingest.offer(1, batch([[0, t0 + 1, 2]], ["a"]));
    await ingest.offer(1, batch([[1, t0 + 2, 3]], null));
    expect(points().map((p) => p.columns.tag[0])).toEqual([1, 1, 1]);
  });

  it("counts occurrences within one message: 0→1→0 in one instant is three points", async () => {
    const offer = durable(
      await ingest.offer(
        1,
        batch(
          [
            [0, t0, 0],
            [0, t0, 1],
            [0, t0, 0],
          ],
          ["a"],
        ),
      ),
    );
    expect(offer).toMatchObject({ accepted: 3, suspect: 0 });
    expect(rowsOf(points()[0].columns).map((r) => r[3])).toEqual([0, 1, 2]);
  });

  it("counts occurrences also where a tag's times jump back within the message", async () => {
    await ingest.offer(
      1,
      batch(
        [
          [0, t0, 0],
          [0, t0 + 5, 1],
          [0, t0, 2],
          [0, t0 + 5, 3],
        ],
        ["a"],
      ),
    );
    expect(rowsOf(points()[0].columns).map((r) => r[3])).toEqual([0, 0, 1, 1]);
  });

  it("leaves rows as old as or older than the newest of their tag to history", async () => {
    await ingest.offer(1, batch([[0, t0, 0]], ["a"]));
    const offer = durable(
      await ingest.offer(
        1,
        batch(
          [
            [0, t0, 0],
            [0, t0 - 1, 1],
            [1, t0 - 1, 2],
            [0, t0 + 1, 3],
          ],
          ["a", "b"],
        ),
      ),
    );
    expect(offer).toMatchObject({ accepted: 2, suspect: 2 });
    expect([...points()[1].suspect]).toEqual([0, 1]);
  });

  it("rows of one instant share the fate of its first row", async () => {
    await ingest.offer(1, batch([[0, t0, 0]], ["a"]));
    await ingest.offer(
      1,
      batch(
        [
          [0, t0, 1],
          [0, t0, 2],
        ],
        ["a"],
      ),
    );
    expect([...points()[1].suspect]).toEqual([0, 1]);
  });

  it("keeps a time beyond the clock bounds beside ours, quality Uncertain (1970, 2100)", async () => {
    await ingest.offer(
      1,
      batch(
        [
          [0, 12_000_000, 1],
          [0, 4_102_444_800_000_000, 2],
          [1, NaN, 3],
        ],
        ["a", "b"],
      ),
    );
    const { columns, suspect } = points()[0];
    expect([...columns.time]).toEqual([t0, t0, t0]);
    expect([...columns.originalTime!]).toEqual([12_000_000, 4_102_444_800_000_000, NaN]);
    expect(columns.status![0] >>> 30).toBe(1);
    expect(columns.status![2]).toBe(0);
    expect([...suspect]).toEqual([0, 1]);
  });

  it("bare values never share an instant by our doing", async () => {
    await ingest.offer(1, batch([[0, NaN, 7]], ["a"]));
    await ingest.offer(1, batch([[0, NaN, 7]], ["a"]));
    expect(points()[1].columns.time[0]).toBeGreaterThan(points()[0].columns.time[0]);
    expect(points()[1].suspect.length).toBe(0);
  });

  it("refuses bad rows with their reason and stores the rest of the batch", async () => {
    const more = {
      faults: [{ row: 9, code: "value_invalid", detail: "no" }],
      faultSamples: [{ tag: "c", time: null, value: { a: 1 } }],
    };
    const offer = durable(
      await ingest.offer(
        1,
        batch(
          [
            [0, t0, 1],
            [1, t0, 2],
            [2, t0, 3],
          ],
          ["ok", "bad\u0000name", "x".repeat(10_240)],
          more,
        ),
      ),
    );
    expect(offer).toMatchObject({ offered: 4, accepted: 1, rejected: 3 });
    expect(rejected().map((r) => [r.code, r.points])).toEqual([
      ["value_invalid", 1],
      ["name_invalid", 2],
    ]);
    expect(rejected()[1].sample.map((s) => s.value)).toEqual([2, 3]);
  });

  it("F25: a million new names stop at the connection's quota; the excess is kept as refused", async () => {
    ingest = new Ingest({ log, clock, directory, sums, tagQuota: 1000 });
    const names = Array.from({ length: 5000 }, (_, i) => `tag-${i}`);
    const offer = durable(
      await ingest.offer(
        1,
        batch(
          names.map((_, i) => [i, t0, i]),
          names,
        ),
      ),
    );
    expect(offer).toMatchObject({ accepted: 1000, rejected: 4000 });
    expect(rejected()).toHaveLength(1);
    expect(rejected()[0]).toMatchObject({ code: "quota_tags", points: 4000 });
    expect(directory.tagCount).toBe(1000);
  });

  it("a list of names that is kept is looked up once and may grow; what was refused is asked for again", async () => {
    ingest = new Ingest({ log, clock, directory, sums, tagQuota: 2 });
    const names = ["a", "b", "never sent"];
    const kept = (rows: Row[]) => ingest.offer(1, batch(rows, names, { namesKept: true })).then(durable);
    expect(
      await kept([
        [0, t0, 1],
        [1, t0, 2],
        [0, t0 + 1, 3],
      ]),
    ).toMatchObject({ accepted: 3 });
    names.push("c");
    expect(await kept([[3, t0, 4]])).toMatchObject({ accepted: 0, rejected: 1 });
    expect(rejected()[0].sample).toMatchObject([{ tag: "c", value: 4 }]);
    const connection = directory.connection(1, "press")!;
    connection.tagQuota = 3;
    expect(
      await kept([
        [3, t0, 4],
        [1, t0 + 1, 5],
      ]),
    ).toMatchObject({ accepted: 2 });
    expect(points().map(({ columns }) => [...columns.tag])).toEqual([
      [1, 2, 1],
      [3, 2],
    ]);
    expect([...connection.tags.keys()]).toEqual(["a", "b", "c"]);
    // Another list has its own places.
    expect(durable(await ingest.offer(1, batch([[0, t0 + 2, 6]], ["b"], { namesKept: true })))).toMatchObject({
      accepted: 1,
    });
    expect([...points()[2].columns.tag]).toEqual([2]);
  });

  it("does not take another connection's tag id", async () => {
    await ingest.offer(1, batch([[0, t0, 1]], ["a"]));
    const offer = durable(await ingest.offer(1, batch([[1, t0, 1]], null, { connection: "other" })));
    expect(offer).toMatchObject({ accepted: 0, rejected: 1 });
    expect(rejected()[0].code).toBe("tag_unknown");
  });

  it("recognises a batch sent twice by its sequence, also when it overtook another", async () => {
    const send = (sequence: number, time: number) =>
      ingest.offer(1, batch([[0, time, 1]], ["a"], { generation: 7, sequence }));
    durable(await send(2, t0 + 2));
    expect(durable(await send(1, t0 + 3))).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(durable(await send(2, t0 + 2))).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(
      durable(await ingest.offer(1, batch([[0, t0 + 9, 1]], ["a"], { generation: 8, sequence: 2 }))),
    ).toMatchObject({ accepted: 1 });
  });

  it("takes the same batch again when the first try was not durable, with its names", async () => {
    const b = () => batch([[0, t0, 1]], ["a"], { generation: 1, sequence: 1 });
    log.failWith = new ProblemError("disk_full", "full");
    await expect(ingest.offer(1, b())).rejects.toMatchObject({ code: "disk_full" });
    log.failWith = null;
    expect(durable(await ingest.offer(1, b()))).toMatchObject({ duplicates: 0 });
    expect(log.frames.map((f) => f.type)).toEqual([recordType.tagRegistered, recordType.points]);
  });

  it("refuses more than may be in flight", async () => {
    ingest = new Ingest({ log, clock, directory, sums, maxInFlight: { rows: 2, bytes: 1e9 } });
    const first = ingest.offer(
      1,
      batch(
        [
          [0, t0, 1],
          [0, t0 + 1, 1],
        ],
        ["a"],
      ),
    );
    expect(ingest.credit().rows).toBe(0);
    await expect(ingest.offer(1, batch([[0, t0 + 2, 1]], ["a"]))).rejects.toMatchObject({ code: "overloaded" });
    await first;
    expect(ingest.credit().rows).toBe(2);
  });

  it("classifies like a naive reference for any batches", async () => {
    const row = fc.tuple(
      fc.integer({ min: 0, max: 2 }),
      fc.integer({ min: 0, max: 6 }),
      fc.integer({ min: 0, max: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(row, { minLength: 1, maxLength: 8 }), { maxLength: 12 }), async (batches) => {
        log = new MemoryLog(clock);
        ingest = new Ingest({ log, clock, directory: new TagDirectory(), sums });
        const newest = new Map<number, number>();
        for (const rows of batches) {
          await ingest.offer(
            1,
            batch(
              rows.map(([tag, dt, v]) => [tag, t0 + dt, v]),
              ["a", "b", "c"],
            ),
          );
          const expected: number[] = [];
          const fate = new Map<string, boolean>();
          rows.forEach(([tag, dt], i) => {
            const key = `${tag}@${dt}`;
            const previous = rows
              .slice(0, i)
              .filter((r) => r[0] === tag)
              .at(-1);
            const suspect = previous?.[1] === dt ? (fate.get(key) ?? false) : dt <= (newest.get(tag) ?? -1);
            fate.set(key, suspect);
            if (suspect) expected.push(i);
            newest.set(tag, Math.max(newest.get(tag) ?? -1, dt));
          });
          const last = points().at(-1)!;
          expect([...last.suspect]).toEqual(expected);
          const ordinals = rows.map(
            ([tag, dt], i) => rows.slice(0, i).filter((r) => r[0] === tag && r[1] === dt).length,
          );
          expect(rowsOf(last.columns).map((r) => r[3])).toEqual(ordinals);
        }
      }),
      { numRuns: 200 },
    );
  });
});
