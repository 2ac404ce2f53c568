// Workbooks that another program has written, and ours read by it.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasPeer } from "@lineshaft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSheet } from "./index.ts";
import { writeWorkbook } from "./write.ts";

const python = (program: string, ...more: string[]): string =>
  // What it warns of is a fault of ours.
  execFileSync("/usr/bin/python3", ["-W", "error:Workbook", "-c", program, ...more], { encoding: "utf8" });

/** What people have in their tables: texts with zeros in front, dates, numbers of all kinds, formulas, a cover sheet and a hidden one. */
const write = `
import datetime, sys, openpyxl
book = openpyxl.Workbook()
cover = book.active
cover.title = "Read me"
cover["A1"] = "Not this one"
hidden = book.create_sheet("Old")
hidden.sheet_state = "hidden"
sheet = book.create_sheet("Material")
sheet.append(["id", "text", "whole", "part", "day", "moment", "true", "sum", "empty", "share"])
sheet.append(["0012", "Größe & <Maß>", 7, 2.5, datetime.date(2026, 11, 26), datetime.datetime(2026, 11, 26, 6, 30), True, "=1+1", None, 0.25])
sheet["J2"].number_format = "0%"
sheet.append([])
sheet.append(["A\\nB", " kept ", -3, 1e-7, None, None, False, None, None, 123000000000])
sheet["J4"].number_format = "0.00E+00"
sheet["A5"] = 12
sheet["A5"].number_format = "0000"
book.save(sys.argv[1])
`;
const read = `
import json, sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1])
sheet = book.worksheets[0]
print(json.dumps({"name": sheet.title, "frozen": sheet.freeze_panes, "formats": [cell.number_format for cell in sheet[2]],
  "rows": [[cell for cell in row] for row in sheet.iter_rows(values_only=True)]}))
`;

describe.skipIf(!hasPeer("openpyxl"))("workbooks of another program", () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "lineshaft-workbook-"));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it("are read by the sheet's name: texts with their zeros, dates as days, shown exponents as damage", () => {
    const path = join(dir, "theirs.xlsx");
    python(write, path);
    const sheet = readSheet(readFileSync(path), "Material", 100);
    expect(sheet.name).toBe("Material");
    expect(sheet.rows.map(({ line }) => line)).toEqual([1, 2, 4, 5]);
    const [, first, second, padded] = sheet.rows.map(({ cells }) => cells);
    expect(first.map(({ text }) => text).slice(0, 4)).toEqual(["0012", "Größe & <Maß>", "7", "2.5"]);
    expect(first[4].date).toBe(46_352);
    expect(first[5].date).toBeCloseTo(46_352 + 6.5 / 24, 9);
    expect([first[2].number, first[6].text.toLowerCase(), first[9].number]).toEqual([7, "true", 0.25]);
    expect(second.map(({ text }) => text).slice(0, 4)).toEqual(["A\nB", " kept ", "-3", "1e-07"]);
    expect(second[9].damage).toMatch(/its digits are lost/);
    expect(padded[0].text).toBe("0012");
  });

  it("and ours are read by it: names, texts as texts, numbers as numbers, the head in sight", () => {
    const path = join(dir, "ours.xlsx");
    const rows = [
      ["id", "name", "cycle"],
      ["0012", 'Größe & "<Maß>"', { number: "2.5" }],
      ["=1+1", " kept\nhere ", { number: "123000000000" }],
    ];
    writeFileSync(path, writeWorkbook("Material", rows));
    expect(JSON.parse(python(read, path))).toEqual({
      ...{ name: "Material", frozen: "A2", formats: ["@", "@", "General"] },
      rows: [
        ["id", "name", "cycle"],
        ["0012", 'Größe & "<Maß>"', 2.5],
        ["=1+1", " kept\nhere ", 123_000_000_000],
      ],
    });
  });
});
