import { type Columns, exactText, textBelow, valueAt } from "@lineshaft/contract/api";
import { textKey } from "./mapping.ts";

/**
 * Texts of identifiers and alarms by their keys, so that the state of an automaton is numbers only and the text can still be read. A key is the number itself where the text is one in its
 * shortest form, else the text's hash; the same text has the same key whenever and in whatever order it comes. What is a hash is kept here, and on disk with the facts. No key is 0: that is
 * the code of "unknown".
 */
export class Texts {
  readonly #texts = new Map<number, string>();
  /** Since the last save; null: no longer needed. */
  readonly #unsaved = new Map<number, string | null>();

  /** The key of a text, which is kept from now on. */
  keyOf(text: string): number {
    const number = Number(text);
    if (number !== 0 && number >= textBelow && number < Number.POSITIVE_INFINITY && String(number) === text)
      return number;
    const key = textKey(text);
    if (!this.#texts.has(key)) {
      this.#texts.set(key, text);
      this.#unsaved.set(key, text);
    }
    return key;
  }

  /** null: nothing has this key, or it is no longer kept. */
  textOf(key: number): string | null {
    return key >= textBelow && key !== 0 ? String(key) : (this.#texts.get(key) ?? null);
  }

  /** Forgets texts to which no binding refers. */
  keepOnly(used: ReadonlySet<number>): void {
    for (const key of this.#texts.keys()) {
      if (used.has(key)) continue;
      this.#texts.delete(key);
      this.#unsaved.set(key, null);
    }
  }

  /** What has changed since the last save. */
  get unsaved(): [key: number, text: string | null][] {
    return [...this.#unsaved];
  }

  saved(): void {
    this.#unsaved.clear();
  }

  /** They are not on the disk after all. */
  notSaved(texts: readonly (readonly [key: number, text: string | null])[]): void {
    for (const [key, text] of texts) if (!this.#unsaved.has(key)) this.#unsaved.set(key, text);
  }

  restore(texts: readonly (readonly [key: number, text: string])[]): void {
    for (const [key, text] of texts) this.#texts.set(key, text);
  }
}

/** The value of a row that is not bad, as text. */
export const textAt = (columns: Columns, row: number): string =>
  exactText(valueAt(columns, row) as number | bigint | boolean | string);
