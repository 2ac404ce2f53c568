import type { CheckStep as Checked } from "@lineshaft/contract/api";
import { useEffect, useRef, useState } from "react";
import { Button, Icon } from "../../kit/index.ts";
import { connectorText } from "../connections/connector-text.ts";
import { type PlainKey, t } from "../i18n.ts";
import { ProblemView } from "../problem.tsx";
import { checkSteps } from "./connectivity.ts";
import { TrustDialog } from "./trust-dialog.tsx";
import type { StepProps } from "./wizard.tsx";

const named: Partial<Record<string, PlainKey>> = {
  dial: "checkStep.dial",
  endpoints: "checkStep.endpoints",
  policy: "checkStep.policy",
  certificate: "checkStep.certificate",
  session: "checkStep.session",
  read: "checkStep.read",
  validity: "checkStep.validity",
};
/** Steps that connectors name by one word get a sentence; others bring their own. */
const nameOf = (step: string): string => {
  const key = named[step];
  return key === undefined ? connectorText(step) : t(key);
};

type State = { state: "running" | "ended"; steps: Checked[] } | { state: "failed"; error: unknown };

/** Goes the whole way to the machine and tells each step as it happens. Nothing is saved. */
export function CheckStep({ draft, kind }: StepProps) {
  const [check, setCheck] = useState<State>({ state: "running", steps: [] });
  const [turn, setTurn] = useState(0);
  const [trusting, setTrusting] = useState<string | null>(null);
  const config = useRef(draft.config);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` is the wish to check again
  useEffect(() => {
    const abort = new AbortController();
    const steps: Checked[] = [];
    setCheck({ state: "running", steps });
    const run = async (): Promise<void> => {
      for await (const step of checkSteps(kind.kind, config.current, abort.signal)) {
        steps.push(step);
        if (!abort.signal.aborted) setCheck({ state: "running", steps: [...steps] });
      }
      if (!abort.signal.aborted) setCheck({ state: "ended", steps });
    };
    run().catch((error: unknown) => {
      if (!abort.signal.aborted) setCheck({ state: "failed", error });
    });
    return () => abort.abort();
  }, [kind.kind, turn]);

  const again = (): void => setTurn(turn + 1);
  if (check.state === "failed")
    return (
      <ProblemView error={check.error}>
        <Button onClick={again}>{t("tryAgain")}</Button>
      </ProblemView>
    );
  const good = check.state === "ended" && check.steps.every(({ ok }) => ok);
  const untrusted = check.steps.find(({ ok, detail }) => !ok && /thumbprint/i.test(detail));
  return (
    <div className="check">
      <ol className="check-steps" aria-live="polite">
        {check.steps.map((step, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps only come, in their order
          <li key={i} className={step.ok ? "check-ok" : "check-failed"}>
            <span className="check-mark">
              <Icon name={step.ok ? "check" : "close"} size={14} />
              <span className="unseen">{step.ok ? t("check.ok") : t("check.failed")}</span>
            </span>
            <div>
              <p className="check-name">{nameOf(step.step)}</p>
              <p className="soft">{connectorText(step.detail)}</p>
              {step.hint !== undefined && <p className="check-hint">{connectorText(step.hint)}</p>}
            </div>
          </li>
        ))}
        {check.state === "running" && (
          <li className="check-running">
            <span className="check-mark">
              <span className="live-dot" />
            </span>
            <p className="soft">{t("check.running")}</p>
          </li>
        )}
      </ol>
      {check.state === "ended" && (
        <p className={good ? "check-verdict" : "check-verdict attention"} role="status">
          {good ? t("check.good") : t("check.bad")}
        </p>
      )}
      <div className="form-buttons">
        {untrusted !== undefined && (
          <Button kind="main" onClick={() => setTrusting(untrusted.detail)}>
            {t("trust.look")}
          </Button>
        )}
        <Button icon="restart" disabled={check.state === "running"} onClick={again}>
          {t("check.again")}
        </Button>
      </div>
      {trusting !== null && (
        <TrustDialog
          store={{ kind: kind.kind }}
          named={trusting}
          onClose={(trusted) => {
            setTrusting(null);
            if (trusted) again();
          }}
        />
      )}
    </div>
  );
}
