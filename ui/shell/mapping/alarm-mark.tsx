import { Button } from "../../kit/index.ts";
import { fmt, getLocale, t } from "../i18n.ts";
import type { AlarmVerdict } from "./alarm-draft.ts";
import type { Reasons } from "./meaning-mark.tsx";

/** What a value of an alarm tag becomes: no alarm, or the alarm as people will read it. */
export function AlarmMark(props: { verdict: AlarmVerdict; reasons: Reasons; value: string; onSay(): void }) {
  const { verdict, reasons } = props;
  if (verdict === null) return <span className="soft">{t("alarm.is.none")}</span>;
  const { code, text, severity, cause } = verdict;
  const language = getLocale();
  const told = text?.[language] ?? text?.de ?? text?.en;
  const reason = cause === 0 ? null : (reasons.get(cause)?.name[language] ?? String(cause));
  return (
    <span className="alarm-mark">
      {told === undefined ? (
        <Button icon="plus" onClick={props.onSay} aria-label={t("mapping.sayOf", { value: props.value })}>
          {t("mapping.say")}
        </Button>
      ) : (
        <b>{told}</b>
      )}
      <span className="soft">
        {[t("alarm.codeIs", { code }), t("alarm.severityIs", { n: fmt.integer(severity) }), reason]
          .filter((part) => part !== null)
          .join(" · ")}
      </span>
    </span>
  );
}
