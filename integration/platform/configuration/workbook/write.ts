import { crc32, deflateRawSync } from "node:zlib";

/** A cell of a workbook that is written: a number as decimal text, or a text that stays one, with its leading zeros. */
export type WrittenCell = string | { number: string };

const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const packageRelations = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"';
const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const sheetType = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/** A workbook of one sheet (ISO/IEC 29500). Its first row is set bold and stays in sight; all cells are formatted as text, so that what people type keeps its zeros. */
export function writeWorkbook(sheet: string, rows: readonly (readonly WrittenCell[])[]): Uint8Array {
  const columns = Math.max(1, rows[0]?.length ?? 1);
  const lines = rows.map((row, r) => {
    const cells = row.map((cell, c) => cellXml(cell, `${letters(c)}${r + 1}`, r === 0 ? 2 : 1));
    return `<row r="${r + 1}">${cells.join("")}</row>`;
  });
  const files: Record<string, string> = {
    "[Content_Types].xml": `${head}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${sheetType}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${sheetType}.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="${sheetType}.styles+xml"/></Types>`,
    "_rels/.rels": `${head}<Relationships ${packageRelations}><Relationship Id="rId1" Type="${relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    "xl/workbook.xml": `${head}<workbook ${main} xmlns:r="${relations}"><sheets><sheet name="${escaped(sheet)}" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": `${head}<Relationships ${packageRelations}><Relationship Id="rId1" Type="${relations}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="${relations}/styles" Target="styles.xml"/></Relationships>`,
    // Format 49 is text (18.8.30).
    "xl/styles.xml": `${head}<styleSheet ${main}><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/><xf numFmtId="49" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" applyNumberFormat="1" applyFont="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`,
    "xl/worksheets/sheet1.xml": `${head}<worksheet ${main}><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols><col min="1" max="${columns}" width="18" style="1" customWidth="1"/></cols><sheetData>${lines.join("")}</sheetData></worksheet>`,
  };
  return archive(files);
}

function cellXml(cell: WrittenCell, at: string, style: number): string {
  if (cell === "") return "";
  if (typeof cell !== "string") return `<c r="${at}"><v>${cell.number}</v></c>`;
  return `<c r="${at}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${escaped(cell)}</t></is></c>`;
}

/** Line ends are written by number: a parser would make one of `\r\n`. */
const escaped = (text: string): string =>
  text.replace(
    /[&<>"\r\n\t]/g,
    (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] ?? `&#${c.charCodeAt(0)};`,
  );

function letters(column: number): string {
  const last = String.fromCharCode(65 + (column % 26));
  return column < 26 ? last : letters(Math.floor(column / 26) - 1) + last;
}

/** A ZIP archive (APPNOTE 6.3.10), dated 1980-01-01: the same content is the same file. */
function archive(files: Readonly<Record<string, string>>): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const raw = Buffer.from(content);
    const packed = deflateRawSync(raw);
    const title = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    common(local, 6, raw, packed, title);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(20, 4);
    central.writeUInt16LE(20, 6);
    common(central, 8, raw, packed, title);
    central.writeUInt32LE(offset, 42);
    parts.push(local, title, packed);
    directory.push(central, title);
    offset += local.length + title.length + packed.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 8);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, list, end]);
}

/** What both headers of a file hold, from its flags on. */
function common(header: Buffer, at: number, raw: Buffer, packed: Buffer, title: Buffer): void {
  // Names are UTF-8.
  header.writeUInt16LE(0x0800, at);
  header.writeUInt16LE(8, at + 2);
  header.writeUInt16LE((1 << 5) | 1, at + 6);
  header.writeUInt32LE(crc32(raw), at + 8);
  header.writeUInt32LE(packed.length, at + 12);
  header.writeUInt32LE(raw.length, at + 16);
  header.writeUInt16LE(title.length, at + 20);
}
