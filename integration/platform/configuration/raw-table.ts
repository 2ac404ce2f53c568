import { ProblemError } from "@lineshaft/contract/api";
import { isWorkbook, readSheet } from "./workbook/index.ts";
import type { SheetCell } from "./workbook/number.ts";

/** A table as spreadsheets write it, before anybody has said what its columns mean. */
export interface RawTable {
  rows: RawRow[];
  /** null: a workbook. */
  encoding: "utf-8" | "windows-1252" | null;
  separator: "," | ";" | "\t" | null;
  /** null: no workbook. */
  sheet: string | null;
}
export interface RawRow {
  /** The line of the text where the row begins, or the row of the sheet, from 1. */
  line: number;
  cells: SheetCell[];
}

/** A workbook (its sheet `preferredSheet`, else the first), or text with `;`, `,` or tabs, in UTF-8 or Windows-1252. */
export function readRawTable(bytes: Uint8Array, preferredSheet: string, maxRows: number): RawTable {
  if (isWorkbook(bytes)) {
    const { name, rows } = readSheet(bytes, preferredSheet, maxRows);
    return { encoding: null, separator: null, sheet: name, rows };
  }
  const { text, encoding } = decode(bytes);
  const firstLine = text.slice(0, /[\r\n]/.exec(text)?.index ?? text.length);
  const separator = ([";", "\t", ","] as const).find((mark) => firstLine.includes(mark)) ?? ",";
  return { encoding, separator, sheet: null, rows: splitTable(text, separator) };
}

/** What spreadsheet programs make of text that looks like a number or a date. */
export function damageOf(text: string): string | null {
  if (/^[+-]?\d+([.,]\d+)?[eE][+-]?\d+$/.test(text))
    return `${JSON.stringify(text)} was a long number; its digits are lost.`;
  if (/^#(NAME|REF|VALUE|WERT|BEZUG|N\/?A|NV|DIV\/0|NULL|NUM|ZAHL)[?!]?$/i.test(text))
    return `${JSON.stringify(text)} is what a failed formula leaves.`;
  if (text.includes("\ufffd")) return `${JSON.stringify(text)} holds characters that were lost.`;
  return null;
}

/** Numbers of one length, but for some that are shorter by their leading zeros: those, each with what is wrong. */
export function withoutZeros<C extends { text: string }>(cells: readonly C[]): (C & { message: string })[] {
  const numbers = cells.filter(({ text }) => /^\d+$/.test(text));
  const padded = numbers.filter(({ text }) => text.length > 1 && text.startsWith("0"));
  const [example] = padded;
  // Only a column that has numbers with leading zeros can have lost some.
  if (example === undefined || padded.some(({ text }) => text.length !== example.text.length)) return [];
  return numbers
    .filter(({ text }) => text.length < example.text.length)
    .map((cell) => ({
      ...cell,
      message: `${JSON.stringify(cell.text)} has lost its leading zeros; others have ${example.text.length} digits, like ${example.text}.`,
    }));
}

/** UTF-8 where it is that, else the code page of Western Windows; a BOM is no part of the text. */
function decode(bytes: Uint8Array): { text: string; encoding: "utf-8" | "windows-1252" } {
  if (bytes.includes(0))
    throw new ProblemError("csv_invalid", "The file is neither text nor a workbook. Save it as CSV or XLSX.");
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), encoding: "utf-8" };
  } catch {
    return { text: new TextDecoder("windows-1252").decode(bytes), encoding: "windows-1252" };
  }
}

/** RFC 4180 with any of the line ends; a quote within an unquoted cell is a quote. */
function splitTable(text: string, separator: string): RawRow[] {
  const rows: RawRow[] = [];
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|(?!")([^${separator}\\r\\n]*))(${separator}|\\r\\n|\\n|\\r|$)`, "y");
  let line = 1;
  let row: RawRow = { line, cells: [] };
  while (cell.lastIndex < text.length) {
    const from = cell.lastIndex;
    const match = cell.exec(text);
    if (match === null) {
      const message = `In line ${line} a cell has text behind its closing quote, or a quote is never closed.`;
      throw new ProblemError("csv_invalid", message, {
        errors: [{ path: "", message, line, column: row.cells.length + 1 }],
      });
    }
    const [whole, quoted, plain, end] = match;
    row.cells.push({ text: quoted === undefined ? plain : quoted.replaceAll('""', '"') });
    line += whole.split(/\r\n|\n|\r/).length - 1;
    if (end !== separator) {
      rows.push(row);
      row = { line, cells: [] };
    }
    if (cell.lastIndex === from) break;
  }
  if (row.cells.length > 0) rows.push(row);
  return rows;
}
