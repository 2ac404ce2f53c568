import { damageOf } from "../../configuration/raw-table.ts";
import type { SheetCell } from "../../configuration/workbook/number.ts";
import type { Group } from "./fields.ts";

/** What spreadsheets make of numbers that are meant as names; a name such as 1E5 is one. */
export function changedText(text: string): string | null {
  return /^[+-]?\d+([.,]\d+)?[eE]\d+$/.test(text.trim()) ? null : damageOf(text.trim());
}

/** An export puts an apostrophe before texts that a spreadsheet would reckon with; it is no part of them. */
export const needsMark = (text: string): boolean =>
  /^'*[=+\-@\t\r]/.test(text) || /^'*\s*[+-]?\d+([.,]\d+)?[eE][+-]\d+\s*$/.test(text);
export const unmarked = (cell: SheetCell): string =>
  cell.text.startsWith("'") && needsMark(cell.text.slice(1)) ? cell.text.slice(1) : cell.text;

/** The element with the same key as it is now, for lists below it that the table does not have. */
export function elementLike(
  group: Group,
  current: Record<string, unknown>,
  like: unknown,
): Record<string, unknown> | null {
  if (group.key === undefined) return null;
  const { path } = group.key;
  const list = (current[group.list] ?? []) as Record<string, unknown>[];
  return list.find((one) => at(one, path) === at(like, path)) ?? null;
}

export function put(into: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path;
  if (rest.length === 0) into[name] = value;
  else {
    into[name] ??= {};
    put(into[name] as Record<string, unknown>, rest, value);
  }
}

export function at(value: unknown, path: readonly string[]): unknown {
  let here = value;
  for (const step of path) here = (here as Record<string, unknown> | null | undefined)?.[step];
  return here;
}

/** Takes out those objects in which everything is empty. */
export function dropEmpty(from: Record<string, unknown>, names: readonly string[] = []): void {
  for (const name of names) {
    const value = from[name] as Record<string, unknown> | undefined;
    if (value !== undefined && Object.values(value).every((one) => one === null)) delete from[name];
  }
}
