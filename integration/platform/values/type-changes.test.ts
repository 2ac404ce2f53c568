import { ColumnsBuilder, type Value } from "@lineshaft/contract/api";
import { expect, test } from "vitest";
import { LastValueTable } from "./last-values.ts";

const none = new Uint32Array(0);
let lsn = 0;
function apply(table: LastValueTable, rows: [tag: number, time: number, value: Value, type?: "int64"][]): void {
  const builder = new ColumnsBuilder(rows.length);
  for (const [tag, time, value, type] of rows) builder.add(tag, time, value, 0, 0, type);
  table.apply(builder.build(), ++lsn, lsn, none, false);
}
const told = (table: LastValueTable, nowMs: number) => [...table.typeChanges.take(nowMs)];

test("F30: another type than before is told once, an empty value is of no type, the first is no change", () => {
  const table = new LastValueTable();
  apply(table, [[1, 1, 5, "int64"]]);
  expect(told(table, 0)).toEqual([]);
  apply(table, [
    [1, 2, null],
    [1, 3, 6, "int64"],
    [2, 3, true],
  ]);
  expect(told(table, 0)).toEqual([]);
  apply(table, [[1, 4, 6.5]]);
  expect(told(table, 0)).toEqual([[1, { before: "int64", type: "double" }]]);
  apply(table, [[1, 5, 7.5]]);
  expect(told(table, 0)).toEqual([]);
  // The value itself stays what it came as.
  expect(table.get([1])[0]).toMatchObject({ value: 7.5, type: "double" });
});

test("a tag that flickers is told once a minute, as it is then; one that is back has not changed", () => {
  const table = new LastValueTable();
  apply(table, [[1, 1, 1]]);
  apply(table, [[1, 2, "on"]]);
  expect(told(table, 1000)).toEqual([[1, { before: "double", type: "string" }]]);
  for (let i = 0; i < 10; i++) apply(table, [[1, 3 + i, i % 2 === 0 ? 2 : "on"]]);
  expect(told(table, 2000)).toEqual([]);
  apply(table, [[1, 20, true]]);
  expect(told(table, 30_000)).toEqual([]);
  expect(told(table, 61_000)).toEqual([[1, { before: "string", type: "boolean" }]]);
});

test("what a snapshot knew is known after a start", () => {
  const before = new LastValueTable();
  apply(before, [
    [1, 1, "a"],
    [2, 1, null],
  ]);
  const { arrays, exact } = before.snapshot(8);
  const table = new LastValueTable();
  table.restore(arrays as never, exact);
  apply(table, [
    [1, 2, 3],
    [2, 2, 3],
    [3, 2, "new"],
  ]);
  expect(told(table, 0)).toEqual([[1, { before: "string", type: "double" }]]);
});
