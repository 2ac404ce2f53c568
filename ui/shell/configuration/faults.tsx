import { ProblemError } from "@lineshaft/contract/api";
import type { ReactNode } from "react";
import { ProblemNotice } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { copyLabels, describeCode, describeError, ProblemView } from "../problem.tsx";

export interface Fault {
  path: string;
  message: string;
  code?: string;
  action?: string;
  line?: number;
  column?: number;
}

export const faultsOf = (error: unknown): readonly Fault[] =>
  error instanceof ProblemError ? (error.errors ?? []) : [];

/** A refused configuration: what is wrong with it, place by place, each with what to do. */
export function Faults(props: { error: unknown; onPlace?(fault: Fault): void; children?: ReactNode }) {
  const faults = faultsOf(props.error);
  const { onPlace } = props;
  return (
    <div className="faults">
      {faults.length === 0 ? (
        <ProblemView error={props.error}>{props.children}</ProblemView>
      ) : (
        <ProblemNotice {...describeError(props.error)} action={t("faults.action")} labels={copyLabels()}>
          {props.children}
        </ProblemNotice>
      )}
      {faults.length > 0 && (
        <table className="plain">
          <caption className="unseen">{t("faults.title")}</caption>
          <thead>
            <tr>
              <th>{t("faults.place")}</th>
              <th>{t("faults.what")}</th>
            </tr>
          </thead>
          <tbody>
            {faults.map((fault) => (
              <tr key={`${fault.path} ${fault.line} ${fault.message}`}>
                <td className="mono nowrap">
                  {onPlace !== undefined && fault.line !== undefined ? (
                    <button type="button" className="link" onClick={() => onPlace(fault)}>
                      {placeOf(fault)}
                    </button>
                  ) : (
                    placeOf(fault)
                  )}
                </td>
                <td>
                  <span lang="en">{fault.message}</span>
                  <span className="soft block">{actionOf(fault)}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function placeOf(fault: Fault): string {
  if (fault.line !== undefined) return t("faults.line", { line: fault.line, column: fault.column ?? 1 });
  return fault.path === "" ? t("faults.whole") : fault.path;
}

/** What to do, where it says more than that the place is to be corrected. */
function actionOf(fault: Fault): string | undefined {
  const action = fault.code === undefined ? fault.action : describeCode(fault.code).action;
  return action?.includes("`errors`") ? undefined : action;
}
