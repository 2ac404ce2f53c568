import { deflateRawSync } from "node:zlib";

/** A ZIP archive for tests, written by the format's specification (APPNOTE 6.3.10) and nothing of the reader's. */
export function zip(
  files: Record<string, string | Uint8Array>,
  change: { flags?: number; unixMode?: number; stored?: boolean; entries?: number; claimedBytes?: number } = {},
): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const raw = Buffer.from(content);
    const packed = change.stored === true ? raw : deflateRawSync(raw);
    const method = change.stored === true ? 0 : 8;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(packed.length, 18);
    local.writeUInt32LE(raw.length, 22);
    local.writeUInt16LE(Buffer.byteLength(name), 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(change.flags ?? 0, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(packed.length, 20);
    central.writeUInt32LE(change.claimedBytes ?? raw.length, 24);
    central.writeUInt16LE(Buffer.byteLength(name), 28);
    central.writeUInt32LE(((change.unixMode ?? 0o100644) << 16) >>> 0, 38);
    central.writeUInt32LE(offset, 42);
    parts.push(local, Buffer.from(name), packed);
    directory.push(central, Buffer.from(name));
    offset += local.length + Buffer.byteLength(name) + packed.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(change.entries ?? Object.keys(files).length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, list, end]);
}

/** Sheets of a workbook: each a list of rows of `<c>` elements, whose `r` the caller writes where it matters. */
export function workbook(
  sheets: { name: string; rows: string[][]; state?: string }[],
  more: { strings?: string[]; formats?: string; sheet?: string } = {},
): Record<string, string> {
  const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
  const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
  const list = sheets.map(
    ({ name, state }, i) =>
      `<sheet name="${name}" sheetId="${i + 1}"${state === undefined ? "" : ` state="${state}"`} r:id="rId${i + 1}"/>`,
  );
  const relations = sheets.map((_, i) => `<Relationship Id="rId${i + 1}" Target="worksheets/sheet${i + 1}.xml"/>`);
  return {
    "xl/workbook.xml": `${head}<workbook ${main}><sheets>${list.join("")}</sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": `${head}<Relationships>${relations.join("")}</Relationships>`,
    ...(more.strings === undefined
      ? {}
      : { "xl/sharedStrings.xml": `${head}<sst ${main}>${more.strings.join("")}</sst>` }),
    ...(more.formats === undefined
      ? {}
      : { "xl/styles.xml": `${head}<styleSheet ${main}>${more.formats}</styleSheet>` }),
    ...Object.fromEntries(
      sheets.map(({ rows }, i) => [
        `xl/worksheets/sheet${i + 1}.xml`,
        more.sheet ??
          `${head}<worksheet ${main}><sheetData>${rows.map((cells, r) => `<row r="${r + 1}">${cells.join("")}</row>`).join("")}</sheetData></worksheet>`,
      ]),
    ),
  };
}

export const inline = (text: string): string => `<c t="inlineStr"><is><t>${text}</t></is></c>`;
