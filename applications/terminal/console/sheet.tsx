import type { Reason } from "@lineshaft/contract/api";
import { Dialog, type PageContext } from "@lineshaft/ui/kit";
import { type ReactNode, useState } from "react";
import type { ReasonGroup } from "./reasons.ts";
import type { Say } from "./texts.ts";

/** A question over the whole terminal. */
export function Sheet(props: { title: string; t: Say; onClose(): void; children: ReactNode }) {
  return (
    <Dialog title={props.title} closeLabel={props.t("close")} className="terminal-sheet" onClose={props.onClose}>
      {props.children}
    </Dialog>
  );
}

/** Reasons to tap: the usual ones first, then group by group. Everything is on one sheet, so each is one tap away. */
export function ReasonTiles(props: {
  groups: readonly ReasonGroup[];
  usual: readonly Reason[];
  proposed: Reason | null;
  /** Who proposes it, in words. */
  proposedBy?: string;
  context: PageContext;
  t: Say;
  onChoose(reason: number): void;
}) {
  const { groups, usual, proposed, context, t } = props;
  const tile = (reason: Reason, mark: "proposed" | "plain") => (
    <button
      key={`${mark} ${reason.number}`}
      type="button"
      className={`tile tile-${mark}`}
      onClick={() => props.onChoose(reason.number)}
    >
      <strong>{reason.name[context.locale]}</strong>
      {mark === "proposed" && <span>{props.proposedBy ?? t("reason.proposed")}</span>}
    </button>
  );
  const often = usual.filter(({ number }) => number !== proposed?.number);
  return (
    <div className="reason-tiles">
      {(proposed !== null || often.length > 0) && (
        <section>
          <h3>{t("reason.usual")}</h3>
          <div className="tiles">
            {proposed !== null && tile(proposed, "proposed")}
            {often.map((reason) => tile(reason, "plain"))}
          </div>
        </section>
      )}
      {groups.map(({ group, reasons }) => (
        <section key={group.number}>
          <h3>{group.name[context.locale]}</h3>
          <div className="tiles">{reasons.map((reason) => tile(reason, "plain"))}</div>
        </section>
      ))}
    </div>
  );
}

/** A quantity by thumb. `decimal`: "," or "." by language; null: whole pieces only. */
export function Keypad(props: { value: string; decimal: string | null; t: Say; onChange(value: string): void }) {
  const { value, decimal, t } = props;
  const add = (key: string): void => {
    if (value.length >= 9 || (key === decimal && value.includes(key))) return;
    props.onChange(value === "0" && key !== decimal ? key : value + key);
  };
  return (
    <div className="keypad">
      {[..."123456789"].map((key) => (
        <button key={key} type="button" onClick={() => add(key)}>
          {key}
        </button>
      ))}
      {decimal === null ? (
        <span />
      ) : (
        <button type="button" onClick={() => add(decimal)}>
          {decimal}
        </button>
      )}
      <button type="button" onClick={() => add("0")}>
        0
      </button>
      <button type="button" aria-label={t("delete")} onClick={() => props.onChange(value.slice(0, -1))}>
        ⌫
      </button>
    </div>
  );
}

/** What stands on the keypad and what it comes to; null: nothing yet. */
export function useQuantity(): {
  text: string;
  set(text: string): void;
  quantity(decimal: string | null): number | null;
} {
  const [text, set] = useState("");
  return {
    text,
    set,
    quantity: (decimal) => {
      const number = Number(decimal === null ? text : text.replace(decimal, "."));
      return text === "" || !(number > 0) ? null : number;
    },
  };
}
