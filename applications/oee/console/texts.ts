import type { Reason } from "@lineshaft/contract/api";
import { type PageContext, type StateClass, translator } from "@lineshaft/ui/kit";
import { de } from "./messages-de.ts";
import { en, type Texts } from "./messages-en.ts";
import { reasonText, type StatePiece } from "./timeline.ts";

/** The texts of these pages in the reader's language. */
export const textsOf = (context: Pick<PageContext, "locale" | "format">) =>
  translator<Texts>({ de, en }, context.locale, (n) => context.format.number(n, 1));
export type Say = ReturnType<typeof textsOf>;

export const stateWord = (t: Say, state: StateClass): string => t(`state.${state}`);

/** What a piece of a state lane is called: by its reason, else by its state. */
export function pieceText(
  { state, reason }: Pick<StatePiece, "state" | "reason">,
  reasons: ReadonlyMap<number, Reason>,
  t: Say,
  locale: PageContext["locale"],
): string {
  return reasonText(reasons.get(reason), locale) || stateWord(t, state);
}
