import { type Format, fillMessage, makeFormat, type PlainKeyOf, type Translate } from "../kit/index.ts";
import { type En, en } from "./messages/en.ts";

export const locales = ["de", "en"] as const;
export type Locale = (typeof locales)[number];
export type MessageKey = keyof En & string;
/** A message without parameters, e.g. for a table of titles. */
export type PlainKey = PlainKeyOf<En>;

type Catalogue = Record<MessageKey, string>;
/** Every language has every key, with the parameters of the English text: a missing one does not compile. Nobody loads what he does not read. */
const loaders: Record<Locale, () => Promise<Catalogue>> = {
  de: () => import("./messages/de.ts").then(({ de }) => de),
  en: async () => en,
};
let texts: Catalogue = en;
const stored = "lineshaft.locale";

function preferred(): Locale {
  try {
    const kept = localStorage.getItem(stored);
    if (kept === "de" || kept === "en") return kept;
  } catch {
    // A browser that keeps nothing still has a language.
  }
  return navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag === "de" || tag === "en") === "de"
    ? "de"
    : "en";
}

// The region of the reader decides how numbers and dates look, within the language that was chosen.
const regional = (language: Locale): string =>
  navigator.languages.find((tag) => tag.startsWith(language)) ?? (language === "en" ? "en-GB" : "de-DE");

let locale: Locale = "en";
const listeners = new Set<() => void>();

/** Numbers and times in the chosen language. Read it when rendering; it is replaced when the language changes. */
export let fmt: Format = makeFormat("en-GB");

/** Rejects when the texts cannot be loaded; then everything stays as it was. */
export async function setLocale(next: Locale, keep = true): Promise<void> {
  texts = await loaders[next]();
  locale = next;
  fmt = makeFormat(regional(next));
  document.documentElement.lang = next;
  if (keep) {
    try {
      localStorage.setItem(stored, next);
    } catch {
      // Not kept then; it still holds for this visit.
    }
  }
  for (const listener of listeners) listener();
}

export const getLocale = (): Locale => locale;
export function observeLocale(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
export async function startLocale(): Promise<void> {
  // The server may go in this moment: then it is English that says so.
  await setLocale(preferred(), false).catch(() => setLocale("en", false));
}

/** A message in the chosen language. Parameters are checked against the English text by the type checker. */
export const t: Translate<En> = (key, ...parameters) =>
  fillMessage(texts[key], (parameters[0] ?? {}) as Record<string, string | number>, (n) => fmt.number(n, 1));
