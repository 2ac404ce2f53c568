/** Names of the `{parameters}` in a message, read from its text by the type checker. */
export type ParametersOf<S extends string> = S extends `${string}{${infer P}}${infer Rest}`
  ? (P extends `${infer Name}|${string}` ? Name : P) | ParametersOf<Rest>
  : never;

type Arguments<S extends string> = [ParametersOf<S>] extends [never]
  ? []
  : [parameters: Record<ParametersOf<S>, string | number>];

export type Catalogue = Readonly<Record<string, string>>;
export type Translate<C extends Catalogue> = <K extends keyof C & string>(
  key: K,
  ...parameters: Arguments<C[K]>
) => string;

/** Keys whose text has no parameters. */
export type PlainKeyOf<C extends Catalogue> = {
  [K in keyof C & string]: [ParametersOf<C[K]>] extends [never] ? K : never;
}[keyof C & string];

/**
 * Fills a message: `{n}` by its value (numbers by locale), `{n|tag|tags}` by the first word where n is one, else the second.
 */
export function fillMessage(
  text: string,
  parameters: Readonly<Record<string, string | number>>,
  formatNumber: (n: number) => string,
): string {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, name: string, one?: string, other?: string) => {
    const value = parameters[name];
    if (one !== undefined) return Number(value) === 1 ? one : (other ?? "");
    return typeof value === "number" ? formatNumber(value) : String(value ?? "");
  });
}

/** Messages of a page: `texts` by language, every language with every key. */
export function translator<C extends Catalogue>(
  texts: Readonly<Record<"de" | "en", Readonly<Record<keyof C, string>>>>,
  locale: "de" | "en",
  formatNumber: (n: number) => string,
): Translate<C> {
  return (key, ...parameters) =>
    fillMessage(texts[locale][key], (parameters[0] ?? {}) as Record<string, string | number>, formatNumber);
}
