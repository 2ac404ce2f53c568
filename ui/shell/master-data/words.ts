import { fmt, type MessageKey, type PlainKey, t } from "../i18n.ts";
import { masterDataEn } from "../messages/master-data-en.ts";
import type { FieldEntry, FieldFault } from "./fields.ts";

/** Words of fields, the most particular first: those of the kind or of the list in which the field stands, then those of its name anywhere. */

const isKnown = (key: string): key is PlainKey & MessageKey => key in masterDataEn;

/** The key of a field's name; null: nobody has given it one. */
export const labelKey = (place: string, name: string): PlainKey | null =>
  [`field.${place}.${name}`, `field.${name}`].find(isKnown) ?? null;
export const hintKey = (place: string, name: string): PlainKey | null =>
  [`hint.${place}.${name}`, `hint.${name}`].find(isKnown) ?? null;
export const choiceKey = (choice: string): PlainKey | null => [`choice.${choice}`].find(isKnown) ?? null;

/** What has no word stands for itself. */
export function labelOf(place: string, name: string): string {
  const key = labelKey(place, name);
  return key === null ? name : t(key);
}

/** The head of a column, where the name of the field is too long for one. */
export function columnLabel(place: string, name: string): string {
  const key = [`column.${name}`].find(isKnown);
  return key === undefined ? labelOf(place, name) : t(key);
}

export function hintOf(place: string, name: string): string | undefined {
  const key = hintKey(place, name);
  return key === null ? undefined : t(key);
}

export function choiceText(choice: string): string {
  const key = choiceKey(choice);
  return key === null ? choice : t(key);
}

export function faultText(fault: FieldFault | undefined, { name, type, least, most }: FieldEntry): string | null {
  if (fault === undefined) return null;
  if (fault === "least" || fault === "rows") return t(`fault.${fault}`, { n: least ?? 0 });
  if (fault === "most") return t("fault.most", { n: most ?? 0 });
  if (fault === "positive" && type === "duration" && name === "cycleUs") return t("cycle.zero");
  return t(`fault.${fault}`);
}

/** A value of an item as people read it in a table; times and equipment are the caller's. */
export function valueText({ type }: FieldEntry, value: unknown): string {
  if (value === null || value === undefined || value === "") return "";
  if (type === "choice") return choiceText(String(value));
  if (type === "yesNo") return value === true ? t("item.yes") : t("item.none");
  if (type === "duration") return `${fmt.number(Number(value) / 1e6, 6)} s`;
  return typeof value === "number" ? fmt.number(value, 9) : String(value);
}
