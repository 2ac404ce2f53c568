import { type Columns, type Value, valueAt, valueTypeCode } from "@lineshaft/contract/api";
import { FakeClock, RecordingSink } from "@lineshaft/testkit";
import { describe, expect, it } from "vitest";
import { Outlet } from "./outlet.ts";
import { PollRows } from "./rows.ts";

const { double, string, int64 } = valueTypeCode;
const values = (columns: Columns): Value[] => Array.from({ length: columns.rows }, (_, row) => valueAt(columns, row));
const rule = (name: number, heartbeatMs = 1000) => ({ name, heartbeatMs, count: null });

describe("PollRows", () => {
  const rows = (n = 1, heartbeatMs = 1000): PollRows =>
    new PollRows(
      Array.from({ length: n }, (_, i) => rule(i + 10, heartbeatMs)),
      () => null,
    );
  /** What polls report that bring these values one after the other. */
  function reported(polls: ((rows: PollRows) => void)[], of = rows()): Value[][] {
    return polls.map((poll, i) => {
      of.begin(i);
      poll(of);
      return values(of.take(5));
    });
  }
  const number = (value: number) => (of: PollRows) => of.number(0, value, double);
  const text = (value: string) => (of: PollRows) => of.exact(0, value, string);
  const exact = (value: bigint) => (of: PollRows) => of.exact(0, value, int64);
  const bad = (code: number) => (of: PollRows) => of.bad(0, code);

  it("reports what differs, bit by bit", () => {
    expect(reported([number(0), number(0), number(-0), number(NaN), number(NaN), number(1)])).toEqual([
      [0],
      [],
      [-0],
      [NaN],
      [],
      [1],
    ]);
    expect(reported([text("a"), text("a"), text("b")])).toEqual([["a"], [], ["b"]]);
    // Both are the same float64.
    expect(reported([exact(2n ** 60n), exact(2n ** 60n + 1n)])).toEqual([[2n ** 60n], [2n ** 60n + 1n]]);
  });

  it("reports a change of quality or type, and the same value after it", () => {
    expect(reported([text("a"), bad(0x80000000), bad(0x80000000), bad(0x80010000), text("a")])).toEqual([
      ["a"],
      [null],
      [],
      [null],
      ["a"],
    ]);
    expect(reported([number(1), (of) => of.number(0, 1, int64)])).toEqual([[1], [1]]);
  });

  it("reports everything again after it was forgotten, and everything where each value counts", () => {
    const of = rows();
    expect(reported([number(1), () => of.forget(), number(1), number(1)], of)).toEqual([[1], [], [1], []]);
    expect(reported([number(1), number(1)], rows(1, 0))).toEqual([[1], [1]]);
  });

  it("gives columns that are their own, with the names of the batch", () => {
    const of = rows(2);
    of.begin(0);
    of.number(1, 7, double);
    const first = of.take(99);
    of.begin(1);
    of.number(1, 8, double);
    of.bad(0, 0x80000000);
    const second = of.take(100);
    expect([first.tag, first.value, first.time, first.status]).toEqual([
      Int32Array.of(11),
      Float64Array.of(7),
      Float64Array.of(99),
      null,
    ]);
    expect([second.tag, second.status]).toEqual([Int32Array.of(11, 10), Uint32Array.of(0, 0x80000000)]);
  });
});

describe("Outlet", () => {
  const names = ["a", "b", "c", "d", "e"];
  const never = new AbortController().signal;

  function poll(): Columns {
    const rows = new PollRows(
      names.map((_, i) => rule(i)),
      () => null,
    );
    rows.begin(0);
    rows.number(0, 1, double);
    rows.exact(1, "two", string);
    rows.bad(2, 0x80000000);
    rows.exact(3, 2n ** 60n + 1n, int64);
    rows.exact(4, "five", string);
    return rows.take(1000);
  }

  it("parts a poll that is larger than the credit, and loses nothing of it", async () => {
    const sink = new RecordingSink(2);
    const outlet = new Outlet({ clock: new FakeClock(), log: () => {} });
    await outlet.put(names, poll(), { atUs: 1000, periodMs: 100 }, sink, never, () => {});
    expect(sink.batches.map(({ columns }) => columns.rows)).toEqual([2, 2, 1]);
    expect(sink.rows.map(({ tag, value }) => [tag, value])).toEqual([
      ["a", 1],
      ["b", "two"],
      ["c", null],
      ["d", 2n ** 60n + 1n],
      ["e", "five"],
    ]);
    expect([sink.overdrafts, sink.breaches, sink.gaps]).toEqual([0, [], []]);
  });

  it("keeps a gap until the sink takes it; several become one", async () => {
    const sink = new RecordingSink();
    const take = sink.gap.bind(sink);
    sink.gap = () => Promise.reject(new Error("disk_full"));
    const outlet = new Outlet({ clock: new FakeClock(), log: () => {} });
    const put = () => outlet.put(names, poll(), { atUs: 1000, periodMs: 100 }, sink, never, () => {});
    outlet.missed({ fromUs: 10, toUs: 20, points: 3, reason: "x" });
    await put();
    outlet.missed({ fromUs: 15, toUs: 30, points: 4, reason: "y" });
    sink.gap = take;
    await put();
    await put();
    expect(sink.gaps).toEqual([{ fromUs: 10, toUs: 30, points: 7, reason: "x; y" }]);
  });

  it("tells a rejection once", async () => {
    const logged: string[] = [];
    const outlet = new Outlet({ clock: new FakeClock(), log: (_, text) => logged.push(text) });
    const sink = new RecordingSink();
    sink.offer = async () => ({ kind: "rejected", code: "quota_tags", detail: "Too many tags.", lsn: null });
    for (let i = 0; i < 2; i++) await outlet.put(names, poll(), { atUs: 1000, periodMs: 100 }, sink, never, () => {});
    await Promise.resolve();
    expect(logged).toEqual(["The platform rejected values: Too many tags."]);
    expect(outlet.rejectedBatches).toBe(2);
  });
});
