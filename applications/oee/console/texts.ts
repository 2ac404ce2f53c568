import { parseTimeUs, type Reason } from "@lineshaft/contract/api";
import {
  type Format,
  makeFormat,
  type PageContext,
  type StateClass,
  type TimeRange,
  translator,
} from "@lineshaft/ui/kit";
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

/** A production day, which has no zone, as people write it. */
export function dayText(productionDay: string, format: Format): string {
  const noonUs = parseTimeUs(`${productionDay}T12:00:00Z`);
  return noonUs === null ? productionDay : makeFormat(format.locale, "UTC").part(noonUs, "day");
}

/** Shorter ranges are told to the second. */
const secondsBelowUs = 600e6;

/** A range as short as it can be said, with its zone where that is not the viewer's. */
export function rangeText({ fromUs, toUs }: TimeRange, format: Format): string {
  const unit = toUs - fromUs < secondsBelowUs ? "s" : "min";
  const [from, to] = [format.part(fromUs, "day"), format.part(toUs, "day")];
  const begin = `${from} ${format.part(fromUs, unit)}`;
  const end = from === to ? format.part(toUs, unit) : `${to} ${format.part(toUs, unit)}`;
  return `${begin} – ${end}${zoneSuffix(toUs, format)}`;
}

function zoneSuffix(us: number, format: Format): string {
  const viewer = makeFormat(format.locale);
  const same = viewer.part(us, "min") === format.part(us, "min") && viewer.date(us) === format.date(us);
  return same ? "" : ` ${format.zoneName(us)}`;
}

/** A word within a line of figures: small in English, as it is in German, where nouns are great. */
export const withinLine = (word: string, locale: PageContext["locale"]): string =>
  locale === "de" ? word : word.toLocaleLowerCase(locale);
