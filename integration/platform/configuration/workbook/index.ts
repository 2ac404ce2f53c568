import { ProblemError } from "@lineshaft/contract/api";
import { Archive } from "./archive.ts";
import { type NumberFormat, numberFormats, numberText, type SheetCell } from "./number.ts";
import { readXml } from "./xml.ts";

/** Rows of one sheet of a workbook (ISO/IEC 29500, "xlsx"), as texts. */
export interface Sheet {
  name: string;
  rows: SheetRow[];
}
export interface SheetRow {
  /** As the spreadsheet program counts it, from 1. */
  line: number;
  cells: SheetCell[];
}
const columnsMax = 100;
const cellChars = 32_767;

/** Is it a workbook, or at least one that was meant to be? */
export function isWorkbook(bytes: Uint8Array): boolean {
  const [a, b, c, d] = bytes;
  const zip = a === 0x50 && b === 0x4b && (c === 3 || c === 5);
  return zip || (a === 0xd0 && b === 0xcf && c === 0x11 && d === 0xe0);
}

/** The sheet called `preferred`, else the first that is visible. */
export function readSheet(bytes: Uint8Array, preferred: string, rowsMax: number): Sheet {
  if (bytes[0] === 0xd0)
    throw new ProblemError("archive_invalid", "The workbook is protected by a password, or of a format before 2007.");
  const archive = new Archive(bytes);
  const { name, part, daysFrom1900 } = chooseSheet(archive, preferred);
  const strings = archive.has("xl/sharedStrings.xml") ? sharedStrings(archive.text("xl/sharedStrings.xml")) : [];
  const formats = archive.has("xl/styles.xml") ? numberFormats(archive.text("xl/styles.xml")) : [];
  const rows = rowsOf(archive.text(part), strings, formats, rowsMax);
  for (const cell of rows.flatMap((row) => row.cells)) if (cell?.date !== undefined) cell.date += daysFrom1900;
  return { name, rows };
}

/** Between the two ways in which workbooks count days (ISO/IEC 29500-1, 18.17.4.1). */
const daysTo1904 = 1462;

function chooseSheet(archive: Archive, preferred: string): { name: string; part: string; daysFrom1900: number } {
  if (!archive.has("xl/workbook.xml"))
    throw new ProblemError("archive_invalid", "The archive is no workbook: xl/workbook.xml is missing.");
  const sheets: { name: string; relation: string; visible: boolean }[] = [];
  let daysFrom1900 = 0;
  readXml(archive.text("xl/workbook.xml"), {
    ...ignore,
    open(element, attributes) {
      if (element === "workbookPr" && /^(1|true)$/.test(attributes.get("date1904") ?? "")) daysFrom1900 = daysTo1904;
      if (element !== "sheet") return;
      const relation = [...attributes].find(([key]) => /(^|:)id$/.test(key))?.[1] ?? "";
      const visible = (attributes.get("state") ?? "visible") === "visible";
      sheets.push({ name: attributes.get("name") ?? "", relation, visible });
    },
  });
  const targets = new Map<string, string>();
  readXml(archive.text("xl/_rels/workbook.xml.rels"), {
    ...ignore,
    open(_, attributes) {
      const [id, target] = [attributes.get("Id"), attributes.get("Target")];
      if (id !== undefined && target !== undefined) targets.set(id, target);
    },
  });
  const visible = sheets.filter((sheet) => sheet.visible);
  const chosen = visible.find(({ name }) => name.toLowerCase() === preferred.toLowerCase()) ?? visible[0];
  const target = chosen === undefined ? undefined : targets.get(chosen.relation);
  if (target === undefined) throw new ProblemError("archive_invalid", "The workbook has no sheet that is visible.");
  return { name: chosen.name, daysFrom1900, part: target.startsWith("/") ? target.slice(1) : `xl/${target}` };
}

/** Texts that cells refer to by number: the runs of each joined, without its phonetic reading. */
function sharedStrings(xml: string): string[] {
  const strings: string[] = [];
  let text = "";
  let inText = false;
  let phonetic = false;
  readXml(xml, {
    open(name) {
      if (name === "si") text = "";
      if (name === "rPh") phonetic = true;
      inText = name === "t" && !phonetic;
    },
    text(part) {
      if (inText) text += part;
    },
    close(name) {
      if (name === "si") strings.push(text);
      if (name === "rPh") phonetic = false;
      inText = false;
    },
  });
  return strings;
}

function rowsOf(
  xml: string,
  strings: readonly string[],
  formats: readonly NumberFormat[],
  rowsMax: number,
): SheetRow[] {
  const rows: SheetRow[] = [];
  let row: SheetRow = { line: 0, cells: [] };
  let cell = { column: 0, type: "n", format: undefined as NumberFormat | undefined, text: "" };
  let taking = false;
  readXml(xml, {
    open(name, attributes) {
      if (name === "row") {
        row = { line: Number(attributes.get("r") ?? row.line + 1), cells: [] };
      } else if (name === "c") {
        const column = columnOf(attributes.get("r")) ?? row.cells.length;
        if (column >= columnsMax)
          throw new ProblemError(
            "csv_invalid",
            `Row ${row.line} has a cell in column ${column + 1}; at most ${columnsMax} are read.`,
          );
        const format = formats[Number(attributes.get("s") ?? 0)];
        cell = { column, type: attributes.get("t") ?? "n", format, text: "" };
      } else taking = name === "v" || name === "t";
    },
    text(part) {
      if (taking && cell.text.length < cellChars) cell.text += part;
    },
    close(name) {
      taking = false;
      if (name === "c") {
        while (row.cells.length < cell.column) row.cells.push({ text: "" });
        row.cells[cell.column] = cellOf(cell, strings);
      } else if (name === "row" && row.cells.some(({ text }) => text.trim() !== "")) {
        if (rows.push(row) > rowsMax + 1)
          throw new ProblemError(
            "csv_invalid",
            `The sheet has more than ${rowsMax} rows; at most so many are taken at once.`,
          );
      }
    },
  });
  return rows;
}

function cellOf(
  { type, text: whole, format }: { type: string; text: string; format: NumberFormat | undefined },
  strings: readonly string[],
): SheetCell {
  const text = whole.slice(0, cellChars);
  if (type === "s") return { text: strings[Number(text)] ?? "" };
  if (type === "b") return { text: text === "1" ? "TRUE" : "FALSE" };
  if (type !== "n" || text === "") return { text };
  return numberText(text, format);
}

/** `B7` → 1. */
function columnOf(reference: string | undefined): number | null {
  const letters = /^([A-Z]{1,3})\d+$/.exec(reference ?? "")?.[1];
  if (letters === undefined) return null;
  return [...letters].reduce((column, letter) => column * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

const ignore = { text: () => undefined, close: () => undefined };
