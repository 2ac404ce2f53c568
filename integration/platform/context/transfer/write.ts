import type { Micros } from "@lineshaft/contract/api";
import { type WrittenCell, writeWorkbook } from "../../configuration/workbook/write.ts";
import { decimalText, shifted, timeText } from "./cell.ts";
import type { Field, Group, Table } from "./fields.ts";
import { columnsOf } from "./tables.ts";
import { at, needsMark } from "./values.ts";

/** What values are written with. */
export interface Wording {
  pathOf(equipmentId: number): string;
  zoneOf(equipmentId: number | null): string;
}
interface Level {
  fields: readonly Field[];
  groups: readonly Group[];
}
/** A number as decimal text is a number; a text is none, whatever it looks like. */
type Cell = { text: string; number: boolean };
type Line = Map<string, Cell>;

/** Items as rows: one for each innermost part, what is common to several stands in each. */
export function writeRows(table: Table, items: readonly { id: string; item: unknown }[], words: Wording): Cell[][] {
  const names = [table.id.column, ...columnsOf(table).map(({ column }) => column)];
  const none: Cell = { text: "", number: false };
  const lines = items.flatMap(({ id, item }) =>
    linesOf(table, item, words).map((line) =>
      line.set(table.id.column, { text: id, number: table.id.number !== undefined }),
    ),
  );
  return [
    names.map((text) => ({ text, number: false })),
    ...lines.map((line) => names.map((name) => line.get(name) ?? none)),
  ];
}

function linesOf(level: Level, value: unknown, words: Wording): Line[] {
  const place = level.fields.find(({ type }) => type === "equipment");
  const zone = words.zoneOf(place === undefined ? null : (at(value, place.path) as number));
  const own = level.fields.map((field): [string, Cell] => [
    field.column,
    cellOf(field, at(value, field.path), zone, words),
  ]);
  const below = level.groups.flatMap((group) =>
    ((at(value, [group.list]) as unknown[] | undefined) ?? []).flatMap((element) =>
      linesOf(
        { fields: group.key === undefined ? group.fields : [group.key, ...group.fields], groups: group.groups },
        element,
        words,
      ),
    ),
  );
  return below.length === 0 ? [new Map(own)] : below.map((line) => new Map([...own, ...line]));
}

function cellOf({ type }: Field, value: unknown, zone: string, words: Wording): Cell {
  if (value === null || value === undefined) return { text: "", number: false };
  switch (type) {
    case "number":
      return { text: decimalText(value as number), number: true };
    case "seconds":
      return { text: shifted(decimalText(value as number), -6), number: true };
    case "time":
      return { text: timeText(value as Micros, zone), number: false };
    case "equipment":
      return { text: words.pathOf(value as number), number: false };
    default:
      return { text: String(value), number: false };
  }
}

const mark = "\ufeff";

/** UTF-8 with a byte order mark, by which spreadsheets know it; RFC 4180. */
export function asCsv(rows: readonly (readonly Cell[])[], decimal: "point" | "comma"): Uint8Array {
  const separator = decimal === "comma" ? ";" : ",";
  const cell = ({ text, number }: Cell): string => {
    if (number) return decimal === "comma" ? text.replace(".", ",") : text;
    const safe = needsMark(text) ? `'${text}` : text;
    return /[",;\t\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const lines = rows.map((row) => row.map(cell).join(separator));
  return new TextEncoder().encode(`${mark}${lines.join("\r\n")}\r\n`);
}

export function asWorkbook(rows: readonly (readonly Cell[])[], sheet: string): Uint8Array {
  const cell = ({ text, number }: Cell): WrittenCell =>
    number && text !== "" ? { number: text } : needsMark(text) ? `'${text}` : text;
  return writeWorkbook(
    sheet,
    rows.map((row) => row.map(cell)),
  );
}
