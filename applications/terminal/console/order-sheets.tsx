import type { BookingIntent, Work } from "@lineshaft/contract/api";
import { type FormEvent, useState } from "react";
import { readScan } from "./scanner.ts";
import { Sheet } from "./sheet.tsx";
import type { Say } from "./texts.ts";

/** An order that somebody wants to start. */
export interface Wanted {
  order: string;
  operation?: string;
}

/** An order runs already: what becomes of it, or, if it is the same, of this one? */
export function StartSheet(props: {
  work: Work;
  wanted: Wanted;
  t: Say;
  onClose(): void;
  book(...intents: BookingIntent[]): void;
}) {
  const { work, wanted, t, book } = props;
  const same = work.running.find(
    ({ order, operation }) => order === wanted.order && (wanted.operation ?? operation) === operation,
  );
  if (same !== undefined) {
    const { order, operation } = same;
    return (
      <Sheet title={t("order.isRunning", { order })} t={t} onClose={props.onClose}>
        <div className="choices">
          <button type="button" className="tile" onClick={() => book({ kind: "interruptOrder", order, operation })}>
            <strong>{t("interrupt")}</strong>
          </button>
          <button type="button" className="tile" onClick={() => book({ kind: "finishOrder", order, operation })}>
            <strong>{t("finish")}</strong>
          </button>
        </div>
      </Sheet>
    );
  }
  const order = work.running.map((each) => each.order).join(", ");
  const then = t("order.thenStart", { order: wanted.order });
  const finish = work.running.map(
    (each): BookingIntent => ({ kind: "finishOrder", order: each.order, operation: each.operation }),
  );
  return (
    <Sheet title={t("order.which", { order })} t={t} onClose={props.onClose}>
      <div className="choices">
        <button type="button" className="tile" onClick={() => book({ kind: "startOrder", ...wanted })}>
          <strong>{t("order.interruptFirst", { order })}</strong>
          <span>{then}</span>
        </button>
        <button type="button" className="tile" onClick={() => book(...finish, { kind: "startOrder", ...wanted })}>
          <strong>{t("order.finishFirst", { order })}</strong>
          <span>{then}</span>
        </button>
        <button type="button" className="tile" onClick={() => book({ kind: "startOrder", ...wanted, others: "keep" })}>
          <strong>{t("order.both")}</strong>
          <span>
            {order} + {wanted.order}
          </span>
        </button>
      </div>
    </Sheet>
  );
}

export function FinishSheet(props: { order: string; t: Say; onClose(): void; onFinish(): void }) {
  const { order, t } = props;
  return (
    <Sheet title={t("finish.sure", { order })} t={t} onClose={props.onClose}>
      <p className="terminal-hint">{t("finish.hint")}</p>
      <div className="choices">
        <button type="button" className="tile tile-main" onClick={props.onFinish}>
          <strong>{t("finish.yes")}</strong>
        </button>
        <button type="button" className="tile" onClick={props.onClose}>
          <strong>{t("back")}</strong>
        </button>
      </div>
    </Sheet>
  );
}

/** For a number that no scanner reads. A scanner types into the field as well. */
export function OtherOrderSheet(props: { t: Say; onClose(): void; onOrder(wanted: Wanted): void }) {
  const { t } = props;
  const [text, setText] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const scan = readScan(text);
    if (scan.what === "order" && scan.order !== "")
      props.onOrder({ order: scan.order, ...(scan.operation === null ? {} : { operation: scan.operation }) });
  };
  return (
    <Sheet title={t("order.other")} t={t} onClose={props.onClose}>
      <form className="other-order" onSubmit={submit}>
        <label>
          {t("order.number")}
          <input
            className="input"
            value={text}
            maxLength={128}
            autoComplete="off"
            autoCapitalize="characters"
            spellCheck={false}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <button type="submit" className="touch main" disabled={text.trim() === ""}>
          {t("start")}
        </button>
      </form>
    </Sheet>
  );
}
