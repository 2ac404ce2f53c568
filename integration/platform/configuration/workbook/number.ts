import { readXml } from "./xml.ts";

export interface SheetCell {
  text: string;
  /** Why the text is not what somebody entered. */
  damage?: string;
  /** The number that the cell holds, where it holds one. */
  number?: number;
  /** It is shown as a date: local time as days since 1899-12-30. */
  date?: number;
}

/** How a cell's number is shown. */
export type NumberFormat =
  | { kind: "plain" }
  | { kind: "date" }
  | { kind: "exponent" }
  | { kind: "padded"; digits: number };

/** Formats by the number that cells give: the order of `cellXfs`. */
export function numberFormats(xml: string): NumberFormat[] {
  const codes = new Map<number, string>();
  const formats: NumberFormat[] = [];
  let inCells = false;
  readXml(xml, {
    open(name, attributes) {
      if (name === "numFmt") codes.set(Number(attributes.get("numFmtId")), attributes.get("formatCode") ?? "");
      else if (name === "cellXfs") inCells = true;
      else if (name === "xf" && inCells) {
        const id = Number(attributes.get("numFmtId") ?? 0);
        formats.push(formatOf(id, codes.get(id)));
      }
    },
    text: () => undefined,
    close(name) {
      if (name === "cellXfs") inCells = false;
    },
  });
  return formats;
}

/** The built-in ones (ISO/IEC 29500-1, 18.8.30): 14–22 and 45–47 are dates and times, 11 and 48 have an exponent. */
function formatOf(id: number, code: string | undefined): NumberFormat {
  if (code === undefined) {
    if ((id >= 14 && id <= 22) || (id >= 45 && id <= 47)) return { kind: "date" };
    return id === 11 || id === 48 ? { kind: "exponent" } : { kind: "plain" };
  }
  const bare = code.replace(/"[^"]*"|\\.|\[[^\]]*\]|_./g, "");
  if (/^0{2,}$/.test(bare)) return { kind: "padded", digits: bare.length };
  if (/e\+/i.test(bare)) return { kind: "exponent" };
  return /[ydhs]/i.test(bare) ? { kind: "date" } : { kind: "plain" };
}

/** A number as text. Beyond 15 digits a spreadsheet has lost some; an address that became a date, or is shown with an exponent, is not what was entered. */
export function numberText(raw: string, format: NumberFormat = { kind: "plain" }): SheetCell {
  const value = Number(raw);
  if (!Number.isFinite(value)) return { text: raw, damage: `${JSON.stringify(raw.slice(0, 50))} is no number.` };
  const text = Number.isInteger(value) && Math.abs(value) < 1e15 ? String(value) : raw;
  if (format.kind === "date")
    return {
      text,
      damage: `The cell is shown as a date; whatever was entered, ${text} is left of it.`,
      number: value,
      date: value,
    };
  if (format.kind === "exponent" || Math.abs(value) >= 1e15)
    return { text, damage: `${JSON.stringify(raw)} was a long number; its digits are lost.`, number: value };
  if (format.kind === "padded" && Number.isInteger(value) && value >= 0)
    return { text: text.padStart(format.digits, "0"), number: value };
  return { text, number: value };
}
