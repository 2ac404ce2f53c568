import { ColumnsBuilder, type Value, valueToJson } from "@lineshaft/contract/api";
import {
  encodeJson,
  encodePoints,
  encodeVerdict,
  type Frame,
  type NewRecord,
  recordType,
} from "@lineshaft/contract/ports";
import { SimDisk } from "@lineshaft/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LastValueTable, loadSnapshot, saveSnapshot, Views, type ViewTargets } from "./index.ts";

interface Row {
  tag: number;
  time: number;
  ordinal: number;
  value: Value;
}

/** As JSON has it: an int64 within ±2^53 is a plain number; its type stands beside it. */
const jsonOf = (of: Value) => valueToJson(typeof of === "bigint" && Number.isSafeInteger(Number(of)) ? Number(of) : of);

const columnsOf = (rows: readonly Row[]) => {
  const builder = new ColumnsBuilder();
  for (const { tag, time, value, ordinal } of rows) builder.add(tag, time, value, 0, ordinal);
  return builder.build();
};

/** The oracle: of all rows of a tag the one with the greatest (time, ordinal). */
function newestOf(rows: readonly Row[], tag: number): Row | null {
  let newest: Row | null = null;
  for (const row of rows) {
    if (row.tag !== tag) continue;
    if (newest === null || row.time > newest.time || (row.time === newest.time && row.ordinal > newest.ordinal))
      newest = row;
  }
  return newest;
}

const value = fc.oneof(
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.string({ maxLength: 4 }),
  fc.constant(null),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
/** Each (tag, time, ordinal) once: equal identities are history's to judge. */
const distinctRows = fc.uniqueArray(
  fc.record({ tag: fc.integer({ min: 1, max: 3 }), time: fc.integer({ min: 0, max: 5 }), ordinal: fc.nat(2), value }),
  { selector: ({ tag, time, ordinal }) => `${tag}@${time}/${ordinal}`, maxLength: 40 },
);

describe("last values", () => {
  test("in any order and any batches the greatest (sourceTime, ordinal) stands, exactly", () => {
    fc.assert(
      fc.property(distinctRows, fc.integer({ min: 1, max: 7 }), (rows, batch) => {
        const table = new LastValueTable();
        for (let i = 0; i < rows.length; i += batch)
          table.apply(columnsOf(rows.slice(i, i + batch)), i + 1, 1_000, new Uint32Array(0), false);
        for (const tag of [1, 2, 3]) {
          const newest = newestOf(rows, tag);
          const [last] = table.get([tag]);
          if (newest === null) expect(last).toMatchObject({ time: null, lsn: null });
          else expect(last).toMatchObject({ time: newest.time, value: jsonOf(newest.value) });
        }
      }),
    );
  });

  test("rows to skip change nothing; a correction replaces at its own identity, also by a smaller value", () => {
    const table = new LastValueTable();
    const row = (time: number, of: number): Row => ({ tag: 1, time, ordinal: 0, value: of });
    table.apply(columnsOf([row(5, 1), row(6, 2)]), 1, 1, Uint32Array.of(1), false);
    expect(table.get([1])[0]).toMatchObject({ time: 5, value: 1 });
    table.apply(columnsOf([row(5, 0)]), 2, 1, new Uint32Array(0), false);
    expect(table.get([1])[0]).toMatchObject({ value: 1, lsn: 1 });
    table.apply(columnsOf([row(5, 0)]), 3, 1, new Uint32Array(0), true);
    expect(table.get([1])[0]).toMatchObject({ value: 0, lsn: 3 });
  });

  test("a tag that nobody has sent is null, not zero", () => {
    expect(new LastValueTable().get([7])).toEqual([
      { tag: 7, time: null, value: null, type: "null", status: 0, receivedTime: null, lsn: null },
    ]);
  });
});

const counting = () => {
  const sums = { stored: 0, pending: 0, repeats: 0, rejected: 0, dropped: 0 };
  const targets: ViewTargets = {
    sums: {
      points: (_, rows, suspect) => {
        sums.stored += rows - suspect;
        sums.pending += suspect;
      },
      judged: (_, stored, repeats) => {
        sums.pending -= stored + repeats;
        sums.stored += stored;
        sums.repeats += repeats;
      },
      rejected: (_, points) => {
        sums.rejected += points;
      },
      dropped: (_, points) => {
        sums.dropped += points;
      },
    },
    received: () => {},
  };
  return { sums, targets };
};

const frame = (lsn: number, type: NewRecord["type"], payload: Uint8Array): Frame => ({
  lsn,
  type,
  payload,
  generation: 1,
  tenant: 1,
  partition: 0,
  recordedTime: lsn,
});

const points = (lsn: number, rows: Row[], suspect: number[] = []): Frame =>
  frame(
    lsn,
    recordType.points,
    encodePoints({
      connectionId: 1,
      generation: 0,
      sequence: lsn,
      mode: "append",
      receivedTime: lsn,
      sourceCursor: null,
      suspect: Uint32Array.from(suspect),
      columns: columnsOf(rows),
    }),
  );

describe("views of the log", () => {
  const rows: Row[] = [
    { tag: 1, time: 10, ordinal: 0, value: 1 },
    { tag: 1, time: 5, ordinal: 0, value: 2 },
  ];
  const verdict = (lsn: number) =>
    frame(
      lsn,
      recordType.verdict,
      encodeVerdict({
        batchLsn: 1,
        connectionId: 1,
        new: 1,
        repeats: 0,
        corrections: 0,
        corrected: [],
        columns: columnsOf([rows[1]]),
      }),
    );
  const frames = [
    points(1, rows, [1]),
    frame(2, recordType.rejected, encodeJson({ connectionId: null, points: 3 })),
    frame(3, recordType.gap, encodeJson({ connectionId: 1, points: 4 })),
    verdict(4),
  ];

  test("count each record once, however often and in whatever portions it comes", () => {
    for (const cut of [1, 2, 3, 4]) {
      const { sums, targets } = counting();
      const views = new Views(targets, null);
      views.apply(frames.slice(0, cut));
      views.apply(frames);
      views.apply([verdict(5)]);
      expect(sums).toEqual({ stored: 2, pending: 0, repeats: 0, rejected: 3, dropped: 4 });
      expect(views.appliedLsn).toBe(5);
      expect(views.unjudged.size).toBe(0);
    }
  });

  test("go on from a snapshot as if they had never stopped; a damaged one falls back to the one before", async () => {
    const disk = new SimDisk();
    const { targets } = counting();
    const views = new Views(targets, null);
    const save = () =>
      saveSnapshot(
        disk,
        "/views",
        {
          appliedLsn: views.appliedLsn,
          generation: 1,
          unjudged: [...views.unjudged],
          sums: {},
          connections: [],
          values: views.values,
        },
        2,
      );
    views.apply(frames.slice(0, 1));
    await save();
    views.apply(frames.slice(1, 3));
    await save();
    const whole = await loadSnapshot(disk, "/views", 1);
    expect(whole).toMatchObject({ newest: { appliedLsn: 3, unjudged: [1] }, oldestLsn: 1 });
    const { sums, targets: again } = counting();
    const resumed = new Views(again, whole.newest);
    resumed.apply(frames);
    expect(sums).toMatchObject({ stored: 1, pending: -1 });
    expect(resumed.values.get([1])).toEqual([expect.objectContaining({ time: 10, value: 1, lsn: 1 })]);

    const file = await disk.open("/views/snapshot", "readWrite");
    await file.write(40, [Uint8Array.of(255, 254, 253)]);
    await file.close();
    expect(await loadSnapshot(disk, "/views", 1)).toMatchObject({ newest: { appliedLsn: 1 }, oldestLsn: 1 });
    expect(await loadSnapshot(disk, "/views", 2)).toEqual({ newest: null, oldestLsn: 0 });
  });
});
