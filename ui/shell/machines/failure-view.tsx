import type { ReactNode } from "react";
import { ProblemNotice } from "../../kit/index.ts";
import { connectorText } from "../connections/connector-text.ts";
import { t } from "../i18n.ts";
import { copyLabels, ProblemView } from "../problem.tsx";
import { ConnectionFailure, type Failure } from "./connectivity.ts";

/** A machine's failure in two layers; any other error as everywhere. */
export function FailureView({ error, children }: { error: unknown; children?: ReactNode }) {
  if (!(error instanceof ConnectionFailure)) return <ProblemView error={error}>{children}</ProblemView>;
  return <FailureNotice failure={error.failure}>{children}</FailureNotice>;
}

export function FailureNotice({ failure, children }: { failure: Failure; children?: ReactNode }) {
  const { fault, message, hint, technical } = failure;
  return (
    <ProblemNotice
      title={connectorText(message)}
      action={connectorText(hint)}
      technical={`${fault}: ${technical === "" ? t("failure.noTechnical") : technical}`}
      labels={copyLabels()}
    >
      {children}
    </ProblemNotice>
  );
}
