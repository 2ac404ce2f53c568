import type { DraftTag } from "./draft.ts";

/** Cells as they come from a spreadsheet's clipboard or a CSV file, and tags made of them. Pure. */

const words = {
  address: ["address", "adresse", "tag", "node", "nodeid", "register"],
  name: ["name", "bezeichnung"],
  unit: ["unit", "einheit"],
  dataType: ["type", "typ", "datatype", "datentyp"],
} as const;
type ColumnName = keyof typeof words;

export interface TableFault {
  /** From 1, as the spreadsheet counts. */
  row: number;
  code: "noAddress" | "damaged" | "twice";
  text: string;
}

/** Rows of cells; tabs win over semicolons, those over commas. Quotes hold separators and line breaks. */
export function cellsOf(text: string): string[][] {
  const first = text.slice(0, /[\r\n]/.exec(text)?.index ?? text.length);
  const separator = ["\t", ";", ","].find((mark) => first.includes(mark)) ?? "\t";
  const rows: string[][] = [[""]];
  let quoted = false;
  const put = (character: string): void => {
    const row = rows[rows.length - 1];
    row[row.length - 1] += character;
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (quoted) {
      if (character !== '"') put(character);
      else if (text[i + 1] === '"') put(text[++i]);
      else quoted = false;
    } else if (character === '"' && rows[rows.length - 1].at(-1) === "") quoted = true;
    else if (character === separator) rows[rows.length - 1].push("");
    else if (character === "\n") rows.push([""]);
    else if (character !== "\r") put(character);
  }
  return rows.map((row) => row.map((cell) => cell.trim())).filter((row) => row.some((cell) => cell !== ""));
}

function columnOf(word: string): ColumnName | null {
  const plain = word.toLowerCase();
  return (
    (Object.keys(words) as ColumnName[]).find((name) => (words[name] as readonly string[]).includes(plain)) ?? null
  );
}

/** What a spreadsheet program makes of long numbers: 1,23E+11. */
const damaged = /^\d[.,]\d+E\+\d+$/i;

/** Tags of rows. A first row of names says which column is what; without it they are address, name, unit, type. */
export function tagsOfCells(
  cells: readonly (readonly string[])[],
  typed: boolean,
): { tags: DraftTag[]; faults: TableFault[] } {
  const named = cells[0]?.map(columnOf) ?? [];
  const hasHead = named.includes("address");
  const columns: readonly (ColumnName | null)[] = hasHead ? named : ["address", "name", "unit", "dataType"];
  const tags: DraftTag[] = [];
  const faults: TableFault[] = [];
  const known = new Set<string>();
  for (const [i, row] of cells.entries()) {
    if (i === 0 && hasHead) continue;
    const at = (column: ColumnName): string => row[columns.indexOf(column)] ?? "";
    const address = at("address");
    const fault = (code: TableFault["code"], text: string): void => void faults.push({ row: i + 1, code, text });
    if (address === "") fault("noAddress", row.join(" "));
    else if (damaged.test(address)) fault("damaged", address);
    else if (known.has(address)) fault("twice", address);
    else {
      known.add(address);
      tags.push({
        address,
        ...(at("name") === "" ? {} : { name: at("name") }),
        ...(at("unit") === "" ? {} : { unit: at("unit") }),
        ...(typed && at("dataType") !== "" ? { options: { dataType: at("dataType").toLowerCase() } } : {}),
      });
    }
  }
  return { tags, faults };
}

/** A file's text as spreadsheets write it: UTF-8, or else Windows-1252. */
export function textOf(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}
