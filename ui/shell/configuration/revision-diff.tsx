import { useMemo } from "react";
import { lineDiff, withContext } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { ProblemView } from "../problem.tsx";
import { useLoaded } from "../use.ts";
import { readYaml } from "./service.ts";

const linesMax = 3_000;
const marks = { same: " ", removed: "−", added: "+" } as const;

/** What a revision changed, as lines of the YAML that `export` writes. */
export function RevisionDiff({ revision, before }: { revision: number; before: number }) {
  const texts = useLoaded(`diff ${before} ${revision}`, async (signal) => ({
    older: before < 1 ? "" : await readYaml(before, signal),
    newer: await readYaml(revision, signal),
  }));
  const lines = useMemo(
    () => (texts.data === null ? [] : withContext(lineDiff(texts.data.older, texts.data.newer))),
    [texts.data],
  );
  if (texts.error !== null) return <ProblemView error={texts.error} />;
  if (texts.data === null) return <p className="quiet-wait">{t("wait.revision")}</p>;
  if (lines.length <= 1) return <p className="soft">{t("revisions.same")}</p>;
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a region of text, no fieldset */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and must by keyboard too */}
      <div className="diff" role="group" aria-label={t("revisions.difference")} tabIndex={0}>
        <table>
          <caption className="unseen">{t("revisions.difference")}</caption>
          <tbody>
            {lines.slice(0, linesMax).map((line, i) =>
              line === null ? (
                // biome-ignore lint/suspicious/noArrayIndexKey: a fixed text
                <tr key={i} className="diff-left-out">
                  <td colSpan={3}>⋯</td>
                </tr>
              ) : (
                <tr key={`${line.before} ${line.after}`} className={`diff-${line.kind}`}>
                  <td className="diff-number">{line.after ?? line.before}</td>
                  <td className="diff-mark">
                    <span aria-hidden="true">{marks[line.kind]}</span>
                    {line.kind !== "same" && <span className="unseen">{t(`diff.${line.kind}`)}</span>}
                  </td>
                  <td className="diff-text">{line.text}</td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      </div>
      {lines.length > linesMax && <p className="footnote">{t("revisions.cut", { n: lines.length - linesMax })}</p>}
    </>
  );
}
