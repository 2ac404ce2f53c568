import { ProblemError } from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTagTable } from "../table.ts";
import { inline, workbook, zip } from "./testing.ts";
import { readXml } from "./xml.ts";

const table = (rows: string[][], more?: Parameters<typeof workbook>[1]) =>
  readTagTable(zip(workbook([{ name: "Sheet1", rows }], more)));
const addresses = (read: ReturnType<typeof readTagTable>): (string | undefined)[] =>
  read.rows.map(({ cells }) => cells.address?.text);
const code = (work: () => unknown): string => {
  try {
    work();
    return "";
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
};
const head = [inline("address"), inline("name")];

describe("workbooks", () => {
  test("are read as spreadsheet programs write them: shared and rich strings, gaps, booleans, formulas", () => {
    const strings = [
      "<si><t>Adresse</t></si>",
      "<si><t>Bezeichnung</t></si>",
      '<si><r><t>Öl</t></r><r><rPr><b/></rPr><t xml:space="preserve"> &amp; Wasser</t></r><rPh><t>phonetic</t></rPh></si>',
      "<si><t>Einheit</t></si>",
    ];
    const rows = [
      ['<c r="A1" t="s"><v>0</v></c>', '<c r="B1" t="s"><v>1</v></c>', '<c r="D1" t="s"><v>3</v></c>'],
      [],
      [
        '<c r="A3" t="str"><f>"DB"&amp;1</f><v>DB1</v></c>',
        '<c r="B3" t="s"><v>2</v></c>',
        '<c r="D3" t="inlineStr"><is><t>Cel</t></is></c>',
      ],
      ['<c r="A4"><v>40001</v></c>', '<c r="B4" t="b"><v>1</v></c>'],
    ];
    const read = table(rows, { strings });
    expect(read).toMatchObject({ encoding: null, separator: null, sheet: "Sheet1", problems: [] });
    expect(read.rows).toEqual([
      {
        line: 3,
        cells: {
          address: { text: "DB1", column: 1 },
          name: { text: "Öl & Wasser", column: 2 },
          unit: { text: "Cel", column: 4 },
        },
      },
      { line: 4, cells: { address: { text: "40001", column: 1 }, name: { text: "TRUE", column: 2 } } },
    ]);
  });

  test("the sheet called Tags is read, else the first that is visible", () => {
    const of = (name: string, state?: string) => ({ name, state, rows: [[inline("address")], [inline(name)]] });
    const read = (...sheets: Parameters<typeof workbook>[0]) => readTagTable(zip(workbook(sheets), { stored: true }));
    expect(addresses(read(of("Notes"), of("tags")))).toEqual(["tags"]);
    expect(read(of("Old", "hidden"), of("New"))).toMatchObject({ sheet: "New" });
    expect(code(() => read(of("Old", "veryHidden")))).toBe("archive_invalid");
  });

  test("what the program made of an address is refused with its row: exponents, lost digits, dates, failed formulas", () => {
    const formats =
      '<numFmts><numFmt numFmtId="164" formatCode="00000"/><numFmt numFmtId="165" formatCode="dd\\.mm\\.yyyy"/></numFmts>' +
      '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>' +
      '<cellXfs><xf numFmtId="0"/><xf numFmtId="11"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs>';
    const cells = [
      "<c><v>123456789012</v></c>",
      '<c s="1"><v>123000000000</v></c>',
      "<c><v>1.2345678901234568E+19</v></c>",
      '<c s="2"><v>45992</v></c>',
      '<c s="4"><v>45992</v></c>',
      inline("1,23E+11"),
      '<c t="e"><v>#REF!</v></c>',
      "<c><v>0.5</v></c>",
    ];
    const read = table([head, ...cells.map((cell) => [cell])], { formats });
    expect(read.problems.map(({ line, code: what }) => [line, what])).toEqual(
      [3, 4, 5, 6, 7, 8].map((line) => [line, "cell_damaged"]),
    );
    expect(addresses(read)[0]).toBe("123456789012");
    expect(addresses(table([head, ['<c s="3"><v>77</v></c>']], { formats }))).toEqual(["00077"]);
    const lost = table([head, [inline("00123")], ["<c><v>77</v></c>"]]);
    expect(lost.problems).toMatchObject([{ line: 3, message: expect.stringContaining("lost its leading zeros") }]);
  });

  test("A54: bombs, floods of entries, links, names that lead elsewhere and broken archives are refused", () => {
    const files = workbook([{ name: "Tags", rows: [head] }]);
    const sheet = "xl/worksheets/sheet1.xml";
    const bomb = { ...files, [sheet]: Buffer.alloc(64 * 1024 * 1024, " ") };
    const read = (...args: Parameters<typeof zip>) => code(() => readTagTable(zip(...args)));
    expect(read(files)).toBe("");
    expect(zip(bomb).length).toBeLessThan(100_000);
    expect(read(bomb)).toBe("archive_limits");
    // What the directory says of the size is not believed.
    expect(read(bomb, { claimedBytes: 10 })).toBe("archive_limits");
    expect(read(files, { entries: 65_535 })).toBe("archive_limits");
    expect(read({ ...files, "../evil": "x" })).toBe("archive_invalid");
    expect(read({ ...files, "/etc/passwd": "x" })).toBe("archive_invalid");
    expect(read(files, { unixMode: 0o120777 })).toBe("archive_invalid");
    expect(read(files, { flags: 1 })).toBe("archive_invalid");
    expect(read({ "word/document.xml": "<w/>" })).toBe("archive_invalid");
    expect(code(() => readTagTable(Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0)))).toBe("archive_invalid");
    const whole = zip(files);
    for (let length = 4; length < whole.length; length += 7)
      expect(code(() => readTagTable(whole.subarray(0, length)))).toBe("archive_invalid");
  });

  test("A54: a damaged workbook is refused by a code, never by anything else", () => {
    const whole = zip(workbook([{ name: "Tags", rows: [head, [inline("A")]] }]));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        if (at < 4) return;
        const hurt = Uint8Array.from(whole);
        hurt[at] ^= by;
        code(() => readTagTable(hurt));
      }),
      { numRuns: 300 },
    );
  });

  test.each<[string, string, string]>([
    ["A49: an external entity", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "xml_doctype"],
    ["A50: a billion laughs", '<!DOCTYPE a [<!ENTITY l "ha"><!ENTITY m "&l;&l;">]><a>&m;</a>', "xml_doctype"],
    ["A50: an entity that nobody declares", "<a>&lol;</a>", "xml_invalid"],
    ["A51: 20,000 nested elements", "<a>".repeat(20_000), "xml_limits"],
    [
      "A51: 1,000,000 attributes",
      `<a ${Array.from({ length: 1_000_000 }, (_, i) => `b${i}=""`).join(" ")}/>`,
      "xml_limits",
    ],
    ["an end that is missing", "<a><b></b>", "xml_invalid"],
    ["an end that closes another", "<a><b></a></b>", "xml_invalid"],
    ["a surrogate out of bounds", "<a>&#x110000;</a>", "xml_invalid"],
  ])("%s is refused", (_, sheet, expected) => {
    expect(code(() => table([], { sheet }))).toBe(expected);
  });

  test("A51: a million numeric references are only read", () => {
    expect(addresses(table([head, [inline("&#65;".repeat(1_000_000))]]))[0]).toHaveLength(32_767);
  });

  test("XML is told in its order, and a comment or CDATA is what it is", () => {
    const told: string[] = [];
    readXml("<?xml version='1.0'?><x:a b='1 &lt; 2'><!-- <c/> -->t<![CDATA[<&]]><d/></x:a>", {
      open: (name, attributes) => void told.push(`${name} ${[...attributes].join()}`),
      text: (text) => void told.push(text),
      close: (name) => void told.push(`/${name}`),
    });
    expect(told).toEqual(["a b,1 < 2", "t", "<&", "d ", "/d", "/a"]);
  });
});
