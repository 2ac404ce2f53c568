import { type LastValue, statusBadNoCommunication, valueAt } from "@lineshaft/contract/api";
import { expect, test } from "vitest";
import { standingOf } from "./standing.ts";

const last = (tag: number, more: Partial<LastValue>): LastValue => ({
  tag,
  time: 1000 + tag,
  value: 7,
  type: "double",
  status: 0,
  receivedTime: 5000,
  lsn: 1,
  ...more,
});
const rows: LastValue[] = [
  last(0, { value: { int64: "9007199254740993" }, type: "int64" }),
  last(1, { value: "running", type: "string" }),
  last(2, { value: 3, type: "int64" }),
  last(3, { status: statusBadNoCommunication }),
  last(4, { time: null, value: null, type: "null", receivedTime: null, lsn: null }),
  last(5, { value: null, type: "null", status: 0x808b0000 }),
];
const values = { get: (tags: readonly number[]) => tags.map((tag) => rows[tag]) };
const tags = new Map(rows.map(({ tag }) => [`tag ${tag}`, tag]));

test("what looks live stands, exactly as it was; what is marked or never came does not", () => {
  const standing = standingOf({ tags, lastBatchUs: 6000 }, values);
  expect(standing?.heardUs).toBe(6000);
  expect(standing?.names).toEqual(["tag 0", "tag 1", "tag 2", "tag 5"]);
  const { columns } = standing!;
  expect([0, 1, 2, 3].map((row) => valueAt(columns, row))).toEqual([9007199254740993n, "running", 3, null]);
  expect([...columns.type!]).toEqual([1, 3, 1, 5]);
  expect([...columns.time]).toEqual([1000, 1001, 1002, 1005]);
});

test("a connection that never spoke has nothing standing", () => {
  expect(standingOf({ tags: new Map(), lastBatchUs: null }, values)).toBe(null);
  expect(standingOf(undefined, values)).toBe(null);
});
