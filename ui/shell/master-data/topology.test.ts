import { expect, it } from "vitest";
import { fieldsOfKind, type RowDraft } from "./fields.ts";
import { added, inFlow, isBeside, joined, moved, without } from "./topology.ts";

const fields = fieldsOfKind("lineTopology").find(({ name }) => name === "members")?.fields ?? [];
const told = (rows: readonly RowDraft[]): string =>
  rows.map((row) => `${row.fields.equipmentId}@${row.fields.stage}`).join(" ");

it("puts machines into the flow of material, one stage each, until some stand in parallel", () => {
  let rows = added([], fields, [1, 2, 3, 4]);
  expect(told(rows)).toBe("1@1 2@2 3@3 4@4");
  rows = joined(rows, 2, true);
  expect(told(rows)).toBe("1@1 2@2 3@2 4@3");
  expect(rows.map((_, i) => isBeside(rows, i))).toEqual([false, false, true, false]);
  // What is moved out of a pair stands alone, and what it leaves begins the stage.
  expect(told(moved(rows, 1, 3))).toBe("1@1 3@2 4@3 2@4");
  expect(told(moved(rows, 3, 2))).toBe("1@1 2@2 4@2 3@2");
  expect(told(moved(rows, 0, 9))).toBe(told(rows));
  expect(told(without(rows, 1))).toBe("1@1 3@2 4@3");
  expect(told(joined(rows, 2, false))).toBe("1@1 2@2 3@3 4@4");
  expect(told(added(rows, fields, [9]))).toBe("1@1 2@2 3@2 4@3 9@4");
  expect(told(inFlow([rows[3], rows[0], rows[1]]))).toBe("1@1 2@2 4@3");
});
