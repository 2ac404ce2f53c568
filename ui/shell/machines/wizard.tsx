import { useEffect, useRef, useState } from "react";
import { Button, Icon } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { call } from "../platform.ts";
import { ProblemView } from "../problem.tsx";
import { go, link, usePlace } from "../router.ts";
import { useLoaded } from "../use.ts";
import { ApplyStep } from "./apply-step.tsx";
import { CheckStep } from "./check-step.tsx";
import type { Kind } from "./connectivity.ts";
import { attachWorkbook, clearDraft, type Draft, type Step, steps, useDraft } from "./draft.ts";
import { KindStep } from "./kind-step.tsx";
import { PlaceStep } from "./place-step.tsx";
import { isSound } from "./schema.ts";
import { nameFaultOf, SettingsStep } from "./settings-step.tsx";
import { TagsStep } from "./tags-step.tsx";

export interface StepProps {
  draft: Draft;
  kind: Kind;
  /** Somebody wanted to go on: what is missing is shown. */
  strict: boolean;
  /** Goes on to the next step. */
  onNext(): void;
}

const bodies: Record<Exclude<Step, "kind">, React.ComponentType<StepProps>> = {
  settings: SettingsStep,
  check: CheckStep,
  tags: TagsStep,
  place: PlaceStep,
  apply: ApplyStep,
};

/** May somebody stand at this step with what was entered so far? */
function reachable(step: Step, draft: Draft, kind: Kind | undefined): boolean {
  if (step === "kind") return true;
  if (kind === undefined) return false;
  if (step === "settings") return true;
  return nameFaultOf(draft) === null && isSound(kind.config, draft.config);
}

const goTo = (next: Step, how: "push" | "replace" = "push"): void => go("connections", { add: next }, how);

/** From nothing to a running connection, without a file. Each step is a place in the browser's history, and what was entered outlives going back. */
export function Wizard({ step }: { step: Step }) {
  const draft = useDraft();
  const kinds = useLoaded("kinds", (signal) => call("listConnectionKinds", { signal }));
  const [strict, setStrict] = useState(false);
  const head = useRef<HTMLHeadingElement>(null);
  const { query } = usePlace();
  const kind = (kinds.data?.items as Kind[] | undefined)?.find((one) => one.kind === draft.kind);
  const allowed = kinds.data === null || reachable(step, draft, kind);

  useEffect(() => {
    if (!allowed) goTo(draft.editing === null ? "kind" : "settings", "replace");
  }, [allowed, draft.editing]);
  // Who begins anew has left what was being edited.
  useEffect(() => {
    if (step === "kind" && draft.editing !== null) clearDraft();
  }, [step, draft.editing]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: at each new step the reader begins at its head
  useEffect(() => {
    setStrict(false);
    head.current?.focus();
  }, [step]);

  const shown = draft.editing === null ? steps : steps.slice(1);
  const at = shown.indexOf(step);
  const next = (): void => {
    const following = shown[at + 1];
    if (following === undefined) return;
    if (reachable(following, draft, kind)) goTo(following);
    else setStrict(true);
  };
  const leave = (): void => {
    clearDraft();
    attachWorkbook(null);
    go("connections", draft.editing === null ? {} : { name: draft.editing });
  };

  if (kinds.error !== null) return <ProblemView error={kinds.error} />;
  if (kinds.data === null) return <p className="quiet-wait">{t("wait.kinds")}</p>;
  const Body = step === "kind" ? null : bodies[step];
  return (
    <div className="wizard">
      <nav className="wizard-steps" aria-label={t("wizard.steps")}>
        <ol>
          {shown.map((name, i) => (
            <li key={name} aria-current={name === step ? "step" : undefined} className={i < at ? "passed" : ""}>
              {reachable(name, draft, kind) ? (
                <a {...link("connections", { add: name })}>
                  <StepMark passed={i < at} number={i + 1} />
                  {t(`wizard.${name}`)}
                </a>
              ) : (
                <span>
                  <StepMark passed={false} number={i + 1} />
                  {t(`wizard.${name}`)}
                </span>
              )}
            </li>
          ))}
        </ol>
      </nav>
      <section className="wizard-body" aria-label={t(`wizard.${step}`)}>
        <header className="wizard-head">
          <h2 ref={head} tabIndex={-1}>
            {draft.editing === null ? t(`wizardTitle.${step}`) : t("wizard.editing", { name: draft.editing })}
          </h2>
          <p className="soft">{t(`wizardHint.${step}`)}</p>
        </header>
        <div className="wizard-content">
          {Body === null ? (
            <KindStep kinds={kinds.data.items as unknown as Kind[]} onChosen={() => goTo("settings")} />
          ) : (
            kind !== undefined && (
              <Body key={query.get("add")} draft={draft} kind={kind} strict={strict} onNext={next} />
            )
          )}
        </div>
        <footer className="wizard-foot">
          <Button kind="quiet" onClick={leave}>
            {t("wizard.leave")}
          </Button>
          <span className="spring" />
          {at > 0 && (
            <Button icon="left" onClick={() => goTo(shown[at - 1])}>
              {t("wizard.back")}
            </Button>
          )}
          {step !== "kind" && step !== "apply" && (
            <Button kind="main" onClick={next}>
              {t("wizard.next")}
            </Button>
          )}
        </footer>
      </section>
    </div>
  );
}

function StepMark({ passed, number }: { passed: boolean; number: number }) {
  return <span className="step-mark">{passed ? <Icon name="check" size={14} /> : number}</span>;
}
