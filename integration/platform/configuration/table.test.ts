import { type Configuration, ProblemError } from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mergeTags, readTagTable } from "./table.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const cells = (text: string | Uint8Array) => {
  const table = readTagTable(typeof text === "string" ? bytes(text) : text);
  return table.rows.map((row) =>
    Object.fromEntries(Object.entries(row.cells).map(([name, cell]) => [name, cell.text])),
  );
};
const refused = (text: string | Uint8Array): string => {
  try {
    readTagTable(typeof text === "string" ? bytes(text) : text);
    return "";
  } catch (error) {
    if (error instanceof ProblemError && error.code === "csv_invalid") return error.message;
    throw error;
  }
};

describe("tables as people have them", () => {
  test.each<[string, string]>([
    ["semicolons", 'address;name\nDB1.W4;"Öl; ""vorn"""\n'],
    ["commas and CRLF", 'address,name\r\nDB1.W4,"Öl; ""vorn"""\r\n'],
    ["tabs, an old Mac, no end", 'address\tname\rDB1.W4\tÖl; "vorn"'],
    ["a BOM, German names, empty lines", '\ufeffAdresse;Bezeichnung\n\nDB1.W4;"Öl; ""vorn"""\n;\n'],
  ])("%s", (_what, text) => {
    expect(cells(text)).toEqual([{ address: "DB1.W4", name: 'Öl; "vorn"' }]);
  });

  test("Windows-1252 and UTF-8 are told apart; what is neither text nor a workbook is refused", () => {
    const windows = Uint8Array.from([...bytes("address;unit\nA;"), 0xb0, 0x43, 0x0a]);
    expect(readTagTable(windows)).toMatchObject({ encoding: "windows-1252", separator: ";" });
    expect(cells(windows)).toEqual([{ address: "A", unit: "°C" }]);
    expect(readTagTable(bytes("address;unit\nA;°C")).encoding).toBe("utf-8");
    expect(refused(Uint8Array.from([0x50, 0x4b, 9, 4, 0, 0]))).toContain("neither text nor a workbook");
  });

  test("a table that cannot be understood is refused with what is wrong", () => {
    expect(refused("")).toContain("empty");
    expect(refused("adress;name\nA;b")).toContain('Did you mean "address"?');
    expect(refused("name\nA")).toContain("no column `address`");
    expect(refused("address;Adresse\nA;b")).toContain("twice");
    expect(refused('address;name\nA;"b')).toContain("line 2");
    expect(refused('address;name\nA;"b"c')).toContain("line 2");
  });

  test("cells that a spreadsheet has changed are named by row", () => {
    const faults = (text: string): [number | undefined, number | undefined, string][] =>
      readTagTable(bytes(text)).problems.map(({ line, column, code }) => [line, column, code]);
    expect(faults('address;name\n1,23E+11;ok\nA;"two\nlines"\nB;#NAME?\n1.5e3;')).toEqual([
      [2, 1, "cell_damaged"],
      [5, 2, "cell_damaged"],
      [6, 1, "cell_damaged"],
    ]);
    expect(faults("address\n0042\n0043\n44\n7")).toEqual([
      [4, 1, "cell_damaged"],
      [5, 1, "cell_damaged"],
    ]);
    expect(faults("address\n40001\n40002\n7")).toEqual([]);
    expect(faults("address;name\n;x\nA;b;c")).toEqual([
      [2, 1, "csv_invalid"],
      [3, 3, "csv_invalid"],
    ]);
    expect(faults("address\n1E5X\nE5\nEv.1e5.x")).toEqual([]);
  });

  const current: Configuration = {
    version: 1,
    models: [{ name: "filler", version: "1.0.0", properties: [{ name: "state", kind: "itemState" }] }],
    equipment: [
      { path: "N", level: "site" },
      { path: "N/F", level: "workUnit", model: "filler@1.0.0" },
    ],
    connections: [
      { name: "other", kind: "http", tags: [{ address: "x" }] },
      {
        name: "plc",
        kind: "http",
        scope: "N",
        tags: [{ address: "A", name: "old", unit: "bar", options: { a: 1 } }, { address: "Z" }],
      },
    ],
  };
  const merge = (text: string) => mergeTags(current, current.connections?.[1] as never, readTagTable(bytes(text)), {});

  test("rows are added or change what they name; the rest stays", () => {
    const { wanted, problems } = merge("address;name;equipment;property\nA;new;N/F;state\nB;;N/F;\n");
    expect(problems).toEqual([]);
    expect(wanted.connections).toEqual([
      {
        name: "plc",
        kind: "http",
        scope: "N",
        tags: [
          {
            address: "A",
            name: "new",
            unit: "bar",
            options: { a: 1 },
            equipment: "N/F",
            bind: [{ property: "state" }],
          },
          { address: "Z" },
          { address: "B", equipment: "N/F" },
        ],
      },
      { name: "other", kind: "http", tags: [{ address: "x" }] },
    ]);
  });

  test("what a row means is checked, and told by its row and column", () => {
    const { problems } = merge("address;unit;equipment;property\nA;banana;;\nB;;N/G;\nC;;N/F;stat\nA;;;\n");
    expect(problems.map(({ line, column, code }) => [line, column, code])).toEqual([
      [2, 2, "unit_unknown"],
      [3, 3, "reference_unknown"],
      [4, 4, "reference_unknown"],
      [5, 1, "csv_invalid"],
    ]);
  });

  test("any bytes: a table or csv_invalid, in time that grows with them", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc
            .string({ unit: fc.constantFrom('"', ";", ",", "\n", "\r", "a", "address", " ", "\t", "0", "e") })
            .map((text) => bytes(`address;name\n${text}`)),
        ),
        (input) => {
          try {
            for (const { line } of readTagTable(input).rows) expect(line).toBeGreaterThan(1);
          } catch (error) {
            expect(error).toBeInstanceOf(ProblemError);
          }
        },
      ),
    );
    const began = performance.now();
    refused(`address;name\n${'"'.repeat(200_001)}`);
    refused(`address;name\n"${'""'.repeat(200_000)}`);
    cells(`address;name\n${"A;b\n".repeat(50_000)}`);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
