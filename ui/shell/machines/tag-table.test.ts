import { describe, expect, it } from "vitest";
import { cellsOf, tagsOfCells, textOf } from "./tag-table.ts";

describe("a table of tags", () => {
  it.each([
    [
      "from a spreadsheet's clipboard",
      "a\tb\nc\td\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "German CSV",
      'a;"b; ""c"""\r\n;\r\nd;e',
      [
        ["a", 'b; "c"'],
        ["d", "e"],
      ],
    ],
    ["one column", "holding:1\nholding:2", [["holding:1"], ["holding:2"]]],
  ])("%s", (_, text, cells) => expect(cellsOf(text)).toEqual(cells));

  it("takes the columns by their names, in any order", () => {
    const { tags, faults } = tagsOfCells(cellsOf("Bezeichnung;Adresse;Einheit;Typ\nDruck;holding:4;bar;FLOAT32"), true);
    expect([tags, faults]).toEqual([
      [{ address: "holding:4", name: "Druck", unit: "bar", options: { dataType: "float32" } }],
      [],
    ]);
  });

  it("names each row that cannot be", () => {
    const { tags, faults } = tagsOfCells(cellsOf("a\tA\n\tB\n1,23E+11\tC\na\tD"), false);
    expect(tags).toEqual([{ address: "a", name: "A" }]);
    expect(faults.map(({ row, code }) => [row, code])).toEqual([
      [2, "noAddress"],
      [3, "damaged"],
      [4, "twice"],
    ]);
  });

  it("reads Windows-1252 where it is no UTF-8", () => {
    expect(textOf(new Uint8Array([0xd6, 0x6c]).buffer)).toBe("Öl");
  });
});
