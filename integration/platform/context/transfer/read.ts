import { type LocalTimeRule, type ProblemCode, ProblemError, problemCatalogue } from "@lineshaft/contract/api";
import { type RawRow, type RawTable, withoutZeros } from "../../configuration/raw-table.ts";
import { didYouMean } from "../../configuration/suggest.ts";
import type { SheetCell } from "../../configuration/workbook/number.ts";
import { type Decimal, readClock, readDay, readNumber, readTime, shifted } from "./cell.ts";
import type { Field, Group, Surroundings, Table } from "./fields.ts";
import { columnsOf, kindNamed } from "./tables.ts";
import { at, changedText, dropEmpty, elementLike, put, unmarked } from "./values.ts";

export interface CellFault {
  code: ProblemCode;
  path: string;
  message: string;
  action: string;
  line: number;
  column: number;
}
export interface TimeNote {
  line: number;
  column: number;
  rule: Exclude<LocalTimeRule, "exact">;
  message: string;
}
export interface ReadItem {
  id: string;
  line: number;
  item: Record<string, unknown>;
  /** The cell that a JSON pointer into the item came from, or its nearest neighbour. */
  placeOf(path: string): { line: number; column: number };
}

type Cell = SheetCell & { column: number };
interface Row {
  line: number;
  cells: Map<string, Cell>;
}

const fault = (code: ProblemCode, line: number, column: number, message: string): CellFault => ({
  code,
  path: "",
  message,
  action: problemCatalogue[code].action,
  line,
  column,
});

/** A table's rows as items of its kind. What is wrong with one cell does not hide what is wrong with the next. */
export function readItems(table: Table, raw: RawTable, around: Surroundings) {
  return new TableReader(table, raw, around).read();
}

class TableReader {
  readonly #table: Table;
  readonly #raw: RawTable;
  readonly #around: Surroundings;
  readonly #faults: CellFault[] = [];
  readonly #notes: TimeNote[] = [];
  readonly #decimal: Decimal;
  /** Names of the columns that the table has. */
  #head: ReadonlyMap<string, number> = new Map();
  /** Of the item that is being read: where its values stood. */
  #places = new Map<string, { line: number; column: number }>();

  constructor(table: Table, raw: RawTable, around: Surroundings) {
    this.#table = table;
    this.#raw = raw;
    this.#around = around;
    // Semicolons are what spreadsheets use where the comma is taken.
    this.#decimal = raw.separator === "," ? "point" : raw.separator === ";" ? "comma" : "either";
  }

  read(): { items: ReadItem[]; faults: CellFault[]; notes: TimeNote[]; rows: number } {
    const [head, ...rest] = this.#raw.rows;
    const rows = this.#rows(head, rest);
    const byId = new Map<string, Row[]>();
    for (const row of rows) {
      const id = this.#idOf(row);
      if (id === null) continue;
      const known = byId.get(id);
      if (known === undefined) byId.set(id, [row]);
      else known.push(row);
    }
    const items = [...byId].map(([id, own]) => this.#item(id, own));
    this.#lostZeros(rows);
    const faults = this.#faults.sort((a, b) => a.line - b.line || a.column - b.column);
    return { items, faults, notes: this.#notes, rows: rows.length };
  }

  #complain(code: ProblemCode, row: Row, field: { column: string }, message: string): void {
    const column = row.cells.get(field.column)?.column ?? this.#head.get(field.column) ?? 1;
    this.#faults.push(fault(code, row.line, column, message));
  }

  /** Throws where the head cannot be read: then no row can. */
  #rows(head: RawRow | undefined, rest: readonly RawRow[]): Row[] {
    const refuse = (message: string, column = 1): never => {
      const line = head?.line ?? 1;
      throw new ProblemError("import_invalid", message, { errors: [fault("csv_invalid", line, column, message)] });
    };
    if (head === undefined) return refuse("The table is empty.");
    const { id } = this.#table;
    const known: { column: string; words: readonly string[] }[] = [id, ...columnsOf(this.#table)];
    const names = head.cells.map(({ text }) => {
      const word = text.trim().toLowerCase();
      const exact = known.find(({ column }) => column.toLowerCase() === word);
      return (exact ?? known.find(({ words }) => words.includes(word)))?.column ?? null;
    });
    for (const [i, { text }] of head.cells.entries()) {
      if (names[i] === null && text.trim() !== "") {
        const all = known.map(({ column }) => column);
        const meant = didYouMean(text, all);
        refuse(
          `There is no column ${JSON.stringify(text)}.${meant === "" ? ` There are: ${all.join(", ")}.` : meant}`,
          i + 1,
        );
      }
      if (names[i] !== null && names.indexOf(names[i]) !== i)
        refuse(`The column ${names[i]} stands there twice.`, i + 1);
    }
    if (!names.includes(id.column)) refuse(`The table has no column \`${id.column}\`.`);
    this.#head = new Map(names.flatMap((name, i) => (name === null ? [] : [[name, i + 1]])));
    return rest.flatMap(({ line, cells }) => {
      const row: Row = { line, cells: new Map() };
      for (const [i, cell] of cells.entries()) {
        if (cell === undefined || cell.text === "") continue;
        const name = names[i];
        if (name != null) row.cells.set(name, { ...cell, column: i + 1 });
        else if (cell.text.trim() !== "")
          this.#faults.push(fault("csv_invalid", line, i + 1, "The row has more cells than there are names."));
      }
      return [...row.cells.values()].some(({ text }) => text.trim() !== "") ? [row] : [];
    });
  }

  #idOf(row: Row): string | null {
    const { id } = this.#table;
    const cell = row.cells.get(id.column);
    const text = cell === undefined ? "" : unmarked(cell).trim();
    if (cell === undefined || text === "") {
      this.#complain("cell_missing", row, id, `The row has no ${id.column}.`);
      return null;
    }
    if (!this.#sound(cell, row, id)) return null;
    const lost = this.#around.zerosLost("own", text);
    if (lost !== null)
      this.#complain("cell_damaged", row, id, `${JSON.stringify(text)} has lost its leading zeros: there is ${lost}.`);
    return text;
  }

  /** Not changed by a spreadsheet program; workbooks keep texts as they were entered. */
  #sound(cell: Cell, row: Row, field: { column: string }): boolean {
    const damaged = cell.damage ?? (this.#raw.sheet === null ? changedText(cell.text) : null);
    if (damaged === null) return true;
    this.#complain("cell_damaged", row, field, damaged);
    return false;
  }

  #item(id: string, rows: readonly Row[]): ReadItem {
    const places = new Map<string, { line: number; column: number }>();
    this.#places = places;
    const { flat } = this.#table;
    const found = this.#around.current(id);
    const current = found && (flat?.to(found) ?? found);
    const item: Record<string, unknown> = {};
    const where = { own: rows, equipment: this.#equipmentOf(this.#table.fields, rows) };
    this.#fill(item, this.#table.fields, where, "", current);
    if (this.#table.id.number !== undefined) {
      const value = Number(id);
      item[this.#table.id.number] = value;
      places.set(`/${this.#table.id.number}`, this.#placeOf(rows[0], this.#table.id));
      if (!/^\d+$/.test(id))
        this.#complain("cell_unreadable", rows[0], this.#table.id, `${JSON.stringify(id)} is no whole number.`);
    }
    this.#lists(item, this.#table.groups, rows, "", current);
    for (const name of this.#table.nullable ?? []) {
      const value = item[name] as Record<string, unknown> | null | undefined;
      if (value == null || Object.values(value).every((one) => one === null)) item[name] = null;
    }
    dropEmpty(item, this.#table.droppable);
    const first = { line: rows[0].line, column: this.#head.get(this.#table.id.column) ?? 1 };
    const placeOf = (path: string): { line: number; column: number } => {
      for (let at = flat?.place(path) ?? path; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
        const found = places.get(at);
        if (found !== undefined) return found;
      }
      return first;
    };
    return { id, line: rows[0].line, item: flat?.from(item, id) ?? item, placeOf };
  }

  #list(
    group: Group,
    siblings: readonly Group[],
    rows: readonly Row[],
    base: string,
    current: Record<string, unknown> | null,
  ): unknown[] {
    const fields = group.key === undefined ? group.fields : [group.key, ...group.fields];
    // A table without the group's columns says nothing of it.
    if (!this.#head.has(group.mark)) return (current?.[group.list] as unknown[] | undefined) ?? [];
    const others = siblings.filter((one) => one !== group);
    const own = rows.filter(
      ({ cells }) =>
        cells.has(group.mark) ||
        (!others.some(({ mark }) => cells.has(mark)) &&
          (fields.some(({ column }) => cells.has(column)) || group.groups.some(({ mark }) => cells.has(mark)))),
    );
    const parts = new Map<string, Row[]>();
    for (const row of own) {
      const key = group.key === undefined ? String(parts.size) : (row.cells.get(group.mark)?.text.trim() ?? "");
      parts.set(key, [...(parts.get(key) ?? []), row]);
    }
    return [...parts.values()].map((its, i) => {
      const path = `${base}/${group.list}/${i}`;
      this.#places.set(path, this.#placeOf(its[0], { column: group.mark }));
      const element: Record<string, unknown> = {};
      this.#fill(element, fields, { own: its, equipment: this.#equipmentOf(fields, its) }, path, null);
      this.#keep(element, fields, (current?.[group.list] ?? []) as Record<string, unknown>[]);
      this.#lists(element, group.groups, its, path, current === null ? null : elementLike(group, current, element));
      dropEmpty(element, group.droppable);
      return element;
    });
  }

  /** Of the same place and beginning as one that is there: what the table has no column for stays. */
  #keep(element: Record<string, unknown>, fields: readonly Field[], known: readonly Record<string, unknown>[]): void {
    const { equipmentId, fromUs } = element;
    const like = known.find((one) => one.equipmentId === equipmentId && one.fromUs === fromUs);
    if (like === undefined || equipmentId === undefined) return;
    for (const { column, path } of fields) {
      const value = this.#head.has(column) ? undefined : at(like, path);
      if (value !== undefined) put(element, path, value);
    }
  }

  #lists(
    into: Record<string, unknown>,
    groups: readonly Group[],
    rows: readonly Row[],
    base: string,
    current: Record<string, unknown> | null,
  ): void {
    for (const group of groups) {
      const list = this.#list(group, groups, rows, base, current);
      if (list.length > 0 || group.optional !== true) into[group.list] = list;
    }
  }

  #placeOf(row: Row, field: { column: string }): { line: number; column: number } {
    return { line: row.line, column: row.cells.get(field.column)?.column ?? this.#head.get(field.column) ?? 1 };
  }

  #equipmentOf(fields: readonly Field[], rows: readonly Row[]): number | null {
    const field = fields.find(({ type }) => type === "equipment");
    const cell = field === undefined ? undefined : rows[0].cells.get(field.column);
    return cell === undefined ? null : this.#around.equipment(unmarked(cell).trim());
  }

  /** Puts the fields' values where they belong; a value that stands in several rows must be the same in each. */
  #fill(
    into: Record<string, unknown>,
    fields: readonly Field[],
    rows: { own: readonly Row[]; equipment: number | null },
    base: string,
    current: Record<string, unknown> | null,
  ): void {
    const zone = this.#around.zoneOf(rows.equipment);
    for (const field of fields) {
      const row = rows.own.find(({ cells }) => cells.has(field.column)) ?? rows.own[0];
      const cell = row.cells.get(field.column);
      const other = rows.own.find(
        ({ cells }) => cells.has(field.column) && cells.get(field.column)?.text !== cell?.text,
      );
      if (other !== undefined)
        this.#complain(
          "cell_unreadable",
          other,
          field,
          `${field.column} is another than in line ${row.line}, but both are of one item.`,
        );
      this.#places.set(`${base}/${field.path.join("/")}`, this.#placeOf(row, field));
      const kept = !this.#head.has(field.column) && current !== null;
      const value = kept ? at(current, field.path) : this.#value(field, cell, row, zone);
      if (value !== undefined) put(into, field.path, value);
    }
  }

  #value(field: Field, cell: Cell | undefined, row: Row, zone: string): unknown {
    const text = cell === undefined ? "" : unmarked(cell);
    if (cell === undefined || (field.type !== "text" && text.trim() === "")) {
      if (field.empty === "absent") return undefined;
      if (field.empty !== "missing") return field.empty.is;
      this.#complain("cell_missing", row, field, `The row has no ${field.column}.`);
      return undefined;
    }
    const unreadable = (message: string): undefined => {
      this.#complain("cell_unreadable", row, field, message);
      return undefined;
    };
    const shown = JSON.stringify(text.slice(0, 80));
    switch (field.type) {
      case "number":
      case "seconds": {
        const value = readNumber({ ...cell, text }, this.#decimal);
        if (value === null)
          return unreadable(
            `${shown} is no number, or it could mean two: write it without a thousands separator, e.g. 1234${this.#decimal === "point" ? "." : ","}5.`,
          );
        const number = Number(field.type === "number" ? value : shifted(value, 6));
        if (field.wholeTo === undefined || (Number.isInteger(number) && number >= 1 && number <= field.wholeTo))
          return number;
        return unreadable(`${shown} is no whole number from 1 to ${field.wholeTo}.`);
      }
      case "clock":
        return readClock({ ...cell, text }) ?? unreadable(`${shown} is no time on the clock. Write 06:00.`);
      case "day":
        return readDay({ ...cell, text }) ?? unreadable(`${shown} is no date. Write 2026-11-26 or 26.11.2026.`);
      case "time": {
        const found = readTime({ ...cell, text }, zone);
        if (found === null) return unreadable(`${shown} is no time. Write 2026-11-26 06:00 or 26.11.2026 06:00.`);
        if (found.rule !== "exact") {
          const what =
            found.rule === "firstOfTwo"
              ? "came twice; the first is taken"
              : "did not come; the moment of the change is taken";
          const message = `${shown} in ${zone} ${what}.`;
          this.#notes.push({ ...this.#placeOf(row, field), rule: found.rule, message });
        }
        return found.at;
      }
      case "flag":
        if (/^(true|yes|ja|wahr|x|1)$/i.test(text.trim())) return true;
        return /^(false|no|nein|falsch|0)$/i.test(text.trim())
          ? false
          : unreadable(`${shown} is neither true nor false.`);
      case "choice": {
        const known = field.choices?.find((one) => one.toLowerCase() === text.trim().toLowerCase());
        return (
          known ??
          unreadable(`${shown} is none of ${field.choices?.join(", ")}.${didYouMean(text, field.choices ?? [])}`)
        );
      }
      case "equipment": {
        const id = this.#around.equipment(text.trim());
        if (id === null)
          this.#complain(
            "equipment_unknown",
            row,
            field,
            `There is no equipment ${shown} that you may see.${didYouMean(text.trim(), this.#around.equipmentPaths())}`,
          );
        return id ?? undefined;
      }
      case "key":
      case "text": {
        if (!this.#sound(cell, row, field)) return undefined;
        const name = field.type === "key" ? text.trim() : text;
        const kind = kindNamed(field, row.cells.get("dimension")?.text);
        const lost = kind === null ? null : this.#around.zerosLost(kind, name);
        if (lost !== null)
          this.#complain(
            "cell_damaged",
            row,
            field,
            `${shown} has lost its leading zeros: there is a ${kind} ${lost}.`,
          );
        return name;
      }
    }
  }

  /** Ids and names of things that are numbers of one length, but for some that are shorter. */
  #lostZeros(rows: readonly Row[]): void {
    const named = columnsOf(this.#table).filter(
      ({ type, names, ofOneLength }) => type === "key" && (names !== undefined || ofOneLength === true),
    );
    const columns = this.#table.id.number === undefined ? [this.#table.id, ...named] : named;
    for (const { column } of columns) {
      const cells = rows.flatMap((row) => {
        const cell = row.cells.get(column);
        return cell === undefined ? [] : [{ text: cell.text.trim(), row }];
      });
      for (const { row, message } of withoutZeros(cells))
        if (!this.#faults.some((one) => one.line === row.line && one.column === row.cells.get(column)?.column))
          this.#complain("cell_damaged", row, { column }, message);
    }
  }
}
