import type { BookingIntent, Reason } from "@lineshaft/contract/api";
import { type PageContext, translator } from "@lineshaft/ui/kit";
import type { Entry } from "./entries.ts";
import { de } from "./messages-de.ts";
import { en, type Texts } from "./messages-en.ts";

export const textsOf = (context: Pick<PageContext, "locale" | "format">) =>
  translator<Texts>({ de, en }, context.locale, (n) => context.format.number(n, 3));
export type Say = ReturnType<typeof textsOf>;

/** What an entry says, in words. */
export function wordsOf(intent: BookingIntent, t: Say, reasonName: (number: number) => string): string {
  switch (intent.kind) {
    case "startOrder":
    case "interruptOrder":
    case "finishOrder":
      return t(`did.${intent.kind}`, { order: intent.order });
    case "reason":
    case "split":
      return t(`did.${intent.kind}`, { reason: reasonName(intent.reason) });
    case "scrap":
    case "rework": {
      const { serials = [], lot, reason } = intent;
      const named = serials.length > 3 ? [...serials.slice(0, 3), "…"] : serials;
      return [
        t(`did.${intent.kind}`, { quantity: intent.quantity }),
        ...(named.length === 0 ? [] : [named.join(", ")]),
        ...(lot === undefined ? [] : [t("scrap.lot", { lot })]),
        ...(reason == null ? [] : [reasonName(reason)]),
      ].join(" · ");
    }
    default:
      return t(`did.${intent.kind}`);
  }
}

export const nameIn = (reasons: ReadonlyMap<number, Reason>, locale: PageContext["locale"]) => (number: number) =>
  reasons.get(number)?.name[locale] ?? String(number);

const told = [
  "order_unknown",
  "order_finished",
  "operation_ambiguous",
  "reference_unknown",
  "booking_time_invalid",
  "not_found",
  "forbidden",
] as const;

/** Why it was not taken, in the reader's language where it is one of the usual causes. */
export function problemText({ code, detail }: NonNullable<Entry["problem"]>, t: Say): string {
  const known = told.find((each) => each === code);
  return known === undefined ? detail : t(`problem.${known}`);
}
