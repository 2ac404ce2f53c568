import type { ReactNode } from "react";
import { Button, Dialog } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { link } from "../router.ts";
import { Faults } from "./faults.tsx";
import { changesOf, PlanView } from "./plan-view.tsx";
import { type Change, type Edit, useChange } from "./use-change.ts";

/** Any change of the plant's configuration, seen before it is done. */
export function ChangeDialog(props: { title: string; edit: Edit; children?: ReactNode; onClose(done: boolean): void }) {
  // One dialog, one wish: what is behind it may be renamed by the very change that it shows.
  const change = useChange(props.edit, "");
  if (change.state === "done") return <Done change={change} onClose={() => props.onClose(true)} />;
  return (
    <Dialog title={props.title} closeLabel={t("close")} onClose={() => props.onClose(false)} wide>
      {props.children}
      <ChangeBody change={change} onAgain={change.again} />
      <div className="form-buttons">
        <ApplyButton change={change} onApply={() => void change.apply()} />
        <Button kind="quiet" onClick={() => props.onClose(false)}>
          {t("cancel")}
        </Button>
      </div>
    </Dialog>
  );
}

function Done(props: { change: Change & { state: "done" }; onClose(): void }) {
  return (
    <Dialog title={t("change.done")} closeLabel={t("close")} onClose={props.onClose}>
      <p>{t("change.doneAs", { n: changesOf(props.change.plan), revision: props.change.revision })}</p>
      <div className="form-buttons">
        <Button kind="main" onClick={props.onClose}>
          {t("close")}
        </Button>
        <a className="button" {...link("configuration", { revision: props.change.revision })}>
          {t("change.seeRevision")}
        </a>
      </div>
    </Dialog>
  );
}

/** The plan with what has to be said beside it; also where there is no plan yet, or none could be made. */
export function ChangeBody(props: { change: Change; onAgain(): void }) {
  const { change } = props;
  if (change.state === "planning") return <p className="quiet-wait">{t("wait.plan")}</p>;
  if (change.state === "failed")
    return (
      <Faults error={change.error}>
        <Button onClick={props.onAgain}>{t("tryAgain")}</Button>
      </Faults>
    );
  if (change.state === "done")
    return <p role="status">{t("change.doneAs", { n: changesOf(change.plan), revision: change.revision })}</p>;
  const { overtaken, plan } = change;
  return (
    <>
      {overtaken !== null && (
        <p className="follow-note warn" role="alert">
          {t("change.overtaken", {
            who: overtaken.actor,
            time: fmt.time(overtaken.changedUs),
            revision: overtaken.revision,
            n: overtaken.changes,
          })}
        </p>
      )}
      <PlanView plan={plan} />
    </>
  );
}

export function ApplyButton(props: { change: Change; onApply(): void; label?: string }) {
  const { change } = props;
  const ready = change.state === "planned" && changesOf(change.plan) > 0;
  return (
    <Button kind="main" disabled={!ready} onClick={props.onApply}>
      {change.state === "applying"
        ? t("change.applying")
        : ready
          ? (props.label ?? t("change.apply", { n: changesOf(change.plan) }))
          : t("change.applyNone")}
    </Button>
  );
}
