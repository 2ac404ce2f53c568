import type { Reason, StateMeaning } from "@lineshaft/contract/api";
import { Button, StateMark } from "../../kit/index.ts";
import { getLocale, t } from "../i18n.ts";
import { classOf, type Verdict } from "./meaning.ts";

export type Reasons = ReadonlyMap<number, Reason>;

function meaningText({ itemState, operationMode, cause }: StateMeaning, reasons: Reasons): string {
  const reason = cause === undefined || cause === 0 ? null : (reasons.get(cause)?.name[getLocale()] ?? String(cause));
  const parts = [
    itemState === undefined ? null : t(`mapping.state.${itemState}`),
    operationMode === undefined ? null : t(`mapping.mode.${operationMode}`),
    reason,
  ].filter((part) => part !== null);
  return parts.length === 0 ? t("mapping.state.unknown") : parts.join(" · ");
}

/** A meaning in the console's colour and shape; where none is said, the way to say it. */
export function MeaningMark(props: { verdict: Verdict; reasons: Reasons; value?: string; onSay?(): void }) {
  const { verdict, reasons, onSay } = props;
  if (verdict === "server") return <span className="mapping-mark soft">{t("mapping.byServer")}</span>;
  if (verdict === "unsaid")
    return (
      <span className="mapping-mark mapping-unsaid">
        <StateMark state="unknown" />
        {props.value === undefined || onSay === undefined ? (
          <span>{t("mapping.unsaid")}</span>
        ) : (
          <Button icon="plus" onClick={onSay} aria-label={t("mapping.sayOf", { value: props.value })}>
            {t("mapping.say")}
          </Button>
        )}
      </span>
    );
  return (
    <span className="mapping-mark">
      <StateMark state={classOf(verdict, verdict.cause === undefined ? undefined : reasons.get(verdict.cause))} />
      <span>{meaningText(verdict, reasons)}</span>
    </span>
  );
}
