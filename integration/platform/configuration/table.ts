import {
  type Configuration,
  type ConfigurationProblem,
  type ConnectionEntry,
  configurationProblem,
  ProblemError,
  type TagEntry,
} from "@lineshaft/contract/api";
import { type MeaningOptions, meaningProblems } from "./meaning.ts";
import { damageOf, type RawRow, type RawTable, readRawTable, withoutZeros } from "./raw-table.ts";
import { didYouMean } from "./suggest.ts";

/** Columns of a table of tags, and the words that people use for them. */
const columns = {
  address: ["address", "adresse", "tag", "node", "nodeid"],
  name: ["name", "bezeichnung"],
  equipment: ["equipment", "path", "anlage", "pfad"],
  unit: ["unit", "einheit"],
  class: ["class", "klasse"],
  property: ["property", "merkmal"],
} as const;
type Column = keyof typeof columns;

export interface TagRow {
  /** The line of the text where the row begins, from 1. */
  line: number;
  cells: Partial<Record<Column, { text: string; column: number; damage?: string }>>;
}
export interface TagTable extends Omit<RawTable, "rows"> {
  rows: TagRow[];
  problems: ConfigurationProblem[];
}

const maxRows = 100_000;

/** The sheet that is read where a workbook has several. */
const preferredSheet = "Tags";

/** A table as spreadsheets write it, with a first row of names: a workbook, or text with `;`, `,` or tabs, in UTF-8 or Windows-1252. */
export function readTagTable(bytes: Uint8Array): TagTable {
  const { rows, ...told } = readRawTable(bytes, preferredSheet, maxRows);
  return { ...told, ...tagRows(rows) };
}

function tagRows([head, ...rest]: readonly RawRow[]): Pick<TagTable, "rows" | "problems"> {
  const refuse = (message: string): never => {
    throw new ProblemError("csv_invalid", message, {
      errors: [{ path: "", message, line: head?.line ?? 1, column: 1 }],
    });
  };
  if (head === undefined) return refuse("The table is empty.");
  if (rest.length > maxRows) refuse(`The table has ${rest.length} rows; at most ${maxRows} are taken at once.`);
  const names = head.cells.map((cell) => columnOf(cell.text));
  const unknown = head.cells.find((cell, i) => names[i] === null && cell.text.trim() !== "");
  if (unknown !== undefined) {
    const known = Object.keys(columns);
    refuse(
      `There is no column ${JSON.stringify(unknown.text)}.${didYouMean(unknown.text, known) || ` There are: ${known.join(", ")}.`}`,
    );
  }
  if (!names.includes("address")) refuse("The table has no column `address`.");
  const twice = names.find((name, i) => name !== null && names.indexOf(name) !== i);
  if (twice != null) refuse(`The column ${twice} stands there twice.`);

  const problems: ConfigurationProblem[] = [];
  const rows = rest.map(({ line, cells }): TagRow => {
    const row: TagRow = { line, cells: {} };
    for (const [i, cell] of cells.entries()) {
      const name = names[i];
      const text = cell.text.trim();
      if (text === "") continue;
      if (name == null) problems.push(at(line, i, "csv_invalid", "The row has more cells than there are names."));
      else row.cells[name] = { text, column: i + 1, ...(cell.damage === undefined ? {} : { damage: cell.damage }) };
    }
    return row;
  });
  // A slip of the file's end, or a line left empty, is no tag.
  const kept = rows.filter(({ cells }) => Object.keys(cells).length > 0);
  for (const { line, cells } of kept) {
    if (cells.address === undefined)
      problems.push(at(line, names.indexOf("address"), "csv_invalid", "The row has no address."));
    for (const cell of Object.values(cells)) {
      const fault = cell.damage ?? damageOf(cell.text);
      if (fault !== null) problems.push(at(line, cell.column - 1, "cell_damaged", fault));
    }
  }
  problems.push(...lostZeros(kept));
  return { rows: kept, problems: problems.sort(byCell) };
}

function at(line: number, index: number, code: "csv_invalid" | "cell_damaged", message: string): ConfigurationProblem {
  return { ...configurationProblem(code, "", message), line, column: index + 1 };
}

/** Addresses that are numbers of one length, but for some that are shorter by their leading zeros. */
function lostZeros(rows: readonly TagRow[]): ConfigurationProblem[] {
  const addresses = rows.flatMap(({ line, cells }) =>
    cells.address === undefined ? [] : [{ line, ...cells.address }],
  );
  return withoutZeros(addresses).map(({ line, column, message }) => at(line, column - 1, "cell_damaged", message));
}

function columnOf(text: string): Column | null {
  const word = text.trim().toLowerCase();
  const found = Object.entries(columns).find(([, words]) => (words as readonly string[]).includes(word));
  return found === undefined ? null : (found[0] as Column);
}

/** The configuration with the table's tags added to a connection, or changed there. A cell that is empty leaves what there is. */
export function mergeTags(
  current: Configuration,
  connection: ConnectionEntry,
  table: TagTable,
  options: MeaningOptions,
): { wanted: Configuration; problems: ConfigurationProblem[] } {
  const tags = new Map((connection.tags ?? []).map((tag) => [tag.address, tag]));
  const problems = [...table.problems];
  const seen = new Map<string, TagRow>();
  for (const row of table.rows) {
    const address = row.cells.address?.text;
    if (address === undefined) continue;
    const first = seen.get(address);
    if (first !== undefined)
      problems.push(
        at(
          row.line,
          (row.cells.address?.column ?? 1) - 1,
          "csv_invalid",
          `The address ${JSON.stringify(address)} already stands in line ${first.line}.`,
        ),
      );
    else seen.set(address, row);
    tags.set(address, merged(tags.get(address) ?? { address }, row));
  }
  const list = [...tags.values()];
  const others = (current.connections ?? []).filter(({ name }) => name !== connection.name);
  const wanted: Configuration = { version: 1, connections: [{ ...connection, tags: list }, ...others] };
  // The table's connection stands first, so that what is wrong leads back to a row.
  for (const problem of meaningProblems(wanted, { ...options, current })) {
    const [, , index, , tag, field] = problem.path.split("/");
    const row = index === "0" && tag !== undefined ? seen.get(list[Number(tag)]?.address ?? "") : undefined;
    if (row === undefined) continue;
    const cell = row.cells[(field === "bind" ? "property" : field) as Column];
    problems.push({ ...problem, path: "", line: row.line, column: cell?.column ?? 1 });
  }
  return { wanted, problems: problems.sort(byCell) };
}

const byCell = (a: ConfigurationProblem, b: ConfigurationProblem): number =>
  (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);

function merged(tag: TagEntry, { cells }: TagRow): TagEntry {
  const property = cells.property?.text;
  return {
    ...tag,
    ...(cells.name === undefined ? {} : { name: cells.name.text }),
    ...(cells.equipment === undefined ? {} : { equipment: cells.equipment.text }),
    ...(cells.unit === undefined ? {} : { unit: cells.unit.text }),
    ...(cells.class === undefined ? {} : { class: cells.class.text }),
    ...(property === undefined || tag.bind?.some((binding) => binding.property === property)
      ? {}
      : { bind: [...(tag.bind ?? []), { property }] }),
  };
}
