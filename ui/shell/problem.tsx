import { type ProblemCode, ProblemError, problemCatalogue } from "@lineshaft/contract/api";
import type { ReactNode } from "react";
import { ProblemNotice } from "../kit/index.ts";
import { getLocale, t } from "./i18n.ts";
import { problemsDe } from "./messages/problems-de.ts";
import { UnreachableError } from "./platform.ts";

export interface Description {
  title: string;
  action: string;
  technical: string;
}

/** A code of the catalogue in the reader's language; a code that this console does not know yet stands for itself. */
export function describeCode(code: string): { title: string; action: string } {
  if (!(code in problemCatalogue))
    return { title: t("problem.unknownCode", { code }), action: t("problem.unknownAction") };
  const known = code as ProblemCode;
  return getLocale() === "de" ? problemsDe[known] : problemCatalogue[known];
}

/** Any error in two layers: a plain sentence with its next step, and the technical line. */
export function describeError(error: unknown): Description {
  if (error instanceof ProblemError) {
    const { code, status, detail, errors } = error.toProblem();
    const places = (errors ?? []).map(({ path, message }) => ` ${path}: ${message}`).join(";");
    return {
      ...describeCode(code),
      technical: `${code} (${status}): ${detail}${places}`,
    };
  }
  if (error instanceof UnreachableError)
    return {
      title: t("problem.unreachable"),
      action: t("problem.unreachableAction"),
      technical: `unreachable: ${error.message}`,
    };
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { title: t("problem.console"), action: t("problem.consoleAction"), technical: text };
}

export const isCode = (error: unknown, code: ProblemCode): boolean =>
  error instanceof ProblemError && error.code === code;

export const copyLabels = () => ({ details: t("problem.details"), copy: t("copy"), copied: t("copied") });

export function ProblemView({ error, children }: { error: unknown; children?: ReactNode }) {
  return (
    <ProblemNotice {...describeError(error)} labels={copyLabels()}>
      {children}
    </ProblemNotice>
  );
}
