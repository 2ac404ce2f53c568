import { t } from "../i18n.ts";

/** What is wrong in a condition, at its place: the text up to there, and what the server says of it. */
export function ConditionFaultView({ text, at, message }: { text: string; at: number; message: string }) {
  const from = Math.max(0, at - 24);
  return (
    <span className="condition-fault" role="alert">
      {text.trim() !== "" && (
        <code>
          {from > 0 && "…"}
          {text.slice(from, at)}
          <mark>{text.slice(at, at + 1) || "▮"}</mark>
          {text.slice(at + 1, at + 12)}
        </code>
      )}
      <span>
        {t("conditions.faultAt", { n: at + 1 })} <span lang="en">{message}</span>
      </span>
    </span>
  );
}
