import { UnreachableError } from "@lineshaft/client";
import { type FactLot, type FactUnit, ProblemError } from "@lineshaft/contract/api";

/** What a scanned code names, as far as it says so itself; null: a serial number or a lot, whichever is known. */
export interface Code {
  text: string;
  as: "serial" | "lot" | null;
}

/** GS1 separates elements by this, where a length is not fixed. */
const groupEnd = "\u001d";

/** A serial number or a lot as it stands on a label: plain, with a word before it, or as GS1 has it, (21) or (10). */
export function readThing(code: string): Code {
  // Some scanners put the kind of symbol first (AIM identifier).
  const text = code
    .trim()
    .replace(/^\][A-Za-z]\d/, "")
    .trim();
  const word = /^(serial|sn|lot|batch|charge|los)[:;=]\s*(.+)$/i.exec(text);
  if (word !== null) return { text: word[2], as: /^s/i.test(word[1]) ? "serial" : "lot" };
  for (const [element, as] of [
    ["21", "serial"],
    ["10", "lot"],
  ] as const) {
    const found = new RegExp(`\\(${element}\\)([^(${groupEnd}]+)`).exec(text);
    if (found !== null) return { text: found[1].trim(), as };
  }
  return { text, as: null };
}

/** What is told to be scrap: units by their serial numbers, or something of a lot; null: nobody says which. */
export type Subject = { serials: readonly Serial[] } | { lot: string; checked: boolean } | null;
export interface Serial {
  serial: string;
  /** The server knows it. False: it could not be asked. */
  checked: boolean;
}

/** What the server knows of a code. `elsewhere`: it was not produced at this machine. */
export type Known =
  | { what: "serial" | "lot"; id: string; elsewhere: boolean; checked: true }
  | { what: "serial" | "lot"; id: string; checked: false }
  | { what: "unknown"; id: string };

export interface ThingApi {
  unit(serial: string): Promise<FactUnit>;
  lot(lot: string): Promise<FactLot>;
}

/** Asks the server what a code names. Where it does not answer the code is taken as it stands: it is checked when the booking arrives. */
export async function lookedUp({ text: id, as }: Code, api: ThingApi, equipmentId: number): Promise<Known> {
  try {
    const unit = as === "lot" ? null : await foundOrNull(api.unit(id));
    if (unit !== null)
      return { what: "serial", id, checked: true, elsewhere: madeElsewhere(unit.produced.items, equipmentId) };
    const lot = as === "serial" ? null : await foundOrNull(api.lot(id));
    if (lot !== null)
      return { what: "lot", id, checked: true, elsewhere: madeElsewhere(lot.produced.items, equipmentId) };
    return { what: "unknown", id };
  } catch (error) {
    if (!(error instanceof UnreachableError) && !(error instanceof ProblemError && error.retry === "later"))
      throw error;
    return { what: as ?? "serial", id, checked: false };
  }
}

async function foundOrNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ProblemError && error.code === "not_found") return null;
    throw error;
  }
}

const madeElsewhere = (produced: FactUnit["produced"]["items"], equipmentId: number): boolean =>
  produced.length > 0 && produced.every(({ item }) => item.equipmentId !== equipmentId);

/** Units come one to another, a lot stands alone; the same again changes nothing. */
export function withThing(subject: Subject, known: Exclude<Known, { what: "unknown" }>): Subject {
  const { id, checked } = known;
  if (known.what === "lot") return { lot: id, checked };
  const serials = subject !== null && "serials" in subject ? subject.serials : [];
  return serials.some(({ serial }) => serial === id) ? subject : { serials: [...serials, { serial: id, checked }] };
}

export function withoutSerial(subject: Subject, gone: string): Subject {
  if (subject === null || !("serials" in subject)) return null;
  const serials = subject.serials.filter(({ serial }) => serial !== gone);
  return serials.length === 0 ? null : { serials };
}

/** As a booking says it. */
export const saidOf = (subject: Subject): { serials?: string[]; lot?: string } =>
  subject === null
    ? {}
    : "lot" in subject
      ? { lot: subject.lot }
      : { serials: subject.serials.map(({ serial }) => serial) };
