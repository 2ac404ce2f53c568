import { getLocale } from "../i18n.ts";
import { failuresDe } from "../messages/failures-de.ts";

/** What connections say, in the reader's language: a sentence is known by its words, what it fills in is kept. */

interface Sentence {
  pattern: RegExp;
  german: string;
}

/** Of what is filled in nothing is known but that there is some of it. */
const filled = /\{\d\}/;
const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
const sentences: readonly Sentence[] = Object.entries(failuresDe)
  .filter(([english]) => filled.test(english))
  // The one with the most words of its own first: "{0}:{1} …" would else be taken for "{0} …".
  .sort(([a], [b]) => b.length - a.length)
  .map(([english, german]) => ({
    pattern: new RegExp(`^${english.split(filled).map(escaped).join("(.+?)")}$`, "s"),
    german,
  }));
/** Longer texts are no sentences of ours. */
const lengthMax = 1000;

/** The German of a connector's sentence, also with a technical part behind it in parentheses; null: there is none. */
export function germanOf(text: string): string | null {
  const whole = failuresDe[text];
  if (whole !== undefined) return whole;
  if (text.length > lengthMax) return null;
  for (const { pattern, german } of sentences) {
    const [, ...parts] = pattern.exec(text) ?? [];
    if (parts.length > 0) return german.replaceAll(/\{(\d)\}/g, (_, n: string) => parts[Number(n)] ?? "");
  }
  const [, sentence, technical] = /^(.+[.”"]) (\(.+\))$/s.exec(text) ?? [];
  const told = sentence === undefined ? null : germanOf(sentence);
  return told === null ? null : `${told} ${technical}`;
}

/** What has no German words yet stays as the connector says it. */
export const connectorText = (text: string): string => (getLocale() === "de" ? (germanOf(text) ?? text) : text);
