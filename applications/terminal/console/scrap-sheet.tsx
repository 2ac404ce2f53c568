import type { BookingIntent, Reason, Work } from "@lineshaft/contract/api";
import { type PageContext, Segments } from "@lineshaft/ui/kit";
import { useState } from "react";
import { scrapReasons } from "./reasons.ts";
import { Keypad, ReasonTiles, Sheet, useQuantity } from "./sheet.tsx";
import type { Say } from "./texts.ts";

/** How many, and what is wrong with them: the tap on the reason books it. */
export function ScrapSheet(props: {
  work: Work;
  context: PageContext;
  t: Say;
  reasons: ReadonlyMap<number, Reason>;
  onClose(): void;
  book(intent: BookingIntent): void;
}) {
  const { work, context, t } = props;
  const [kind, setKind] = useState<"scrap" | "rework">("scrap");
  const orders = work.running.length > 0 ? work.running : work.next.slice(0, 3);
  const [chosen, setChosen] = useState(0);
  const order = orders[chosen];
  const { text, set, quantity } = useQuantity();
  if (order === undefined)
    return (
      <Sheet title={t("scrap.title")} t={t} onClose={props.onClose}>
        <p className="terminal-hint">{t("scrap.noOrder")}</p>
      </Sheet>
    );
  const decimal = order.unit === "1" ? null : context.format.number(1.5, 1).charAt(1);
  const many = quantity(decimal);
  const choose = (reason: number | null): void => {
    if (many === null) return;
    const operation = order.operation === "" ? {} : { operation: order.operation };
    props.book({ kind, order: order.order, ...operation, quantity: many, reason });
  };
  return (
    <Sheet title={t("scrap.title")} t={t} onClose={props.onClose}>
      <div className="scrap">
        <div className="scrap-many">
          <Segments<"scrap" | "rework">
            label={t("scrap.title")}
            value={kind}
            choices={[
              { value: "scrap", label: t("scrap") },
              { value: "rework", label: t("rework") },
            ]}
            onChange={setKind}
          />
          {orders.length > 1 && (
            <Segments
              label={t("order.number")}
              value={String(chosen)}
              choices={orders.map((each, i) => ({ value: String(i), label: each.order }))}
              onChange={(value) => setChosen(Number(value))}
            />
          )}
          <output className="scrap-quantity">{text === "" ? t("scrap.quantity") : text}</output>
          <Keypad value={text} decimal={decimal} t={t} onChange={set} />
        </div>
        <fieldset className="scrap-reasons" disabled={many === null}>
          <legend>{t("reason.titleScrap")}</legend>
          <ReasonTiles
            groups={scrapReasons(props.reasons)}
            usual={[]}
            proposed={null}
            context={context}
            t={t}
            onChoose={choose}
          />
          <button type="button" className="touch" onClick={() => choose(null)}>
            {t("scrap.without")}
          </button>
        </fieldset>
      </div>
    </Sheet>
  );
}
