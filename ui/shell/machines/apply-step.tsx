import type { Configuration } from "@lineshaft/contract/api";
import { Button } from "../../kit/index.ts";
import { ApplyButton, ChangeBody } from "../configuration/change-dialog.tsx";
import { changedEquipment, withConnection, withEquipment, withModel } from "../configuration/editing.ts";
import { useChange } from "../configuration/use-change.ts";
import { t } from "../i18n.ts";
import { go } from "../router.ts";
import { note } from "../toasts.tsx";
import { clearDraft, type Draft, entryOf } from "./draft.ts";
import type { StepProps } from "./wizard.tsx";

/** What the draft makes of a configuration. */
export function withDraft(current: Configuration, draft: Draft): Configuration {
  const modelled = draft.models.reduce(withModel, current);
  const placed = withEquipment(modelled, draft.equipment);
  const typed = Object.entries(draft.modelOf).reduce(
    (configuration, [path, model]) => changedEquipment(configuration, path, (one) => ({ ...one, model })),
    placed,
  );
  const tags = draft.tags.filter(({ address }) => address !== "");
  return withConnection(typed, entryOf({ ...draft, tags }));
}

/** The plan of all that was entered; with its application the machine begins to speak. */
export function ApplyStep({ draft }: StepProps) {
  const change = useChange((current) => ({ value: withDraft(current, draft) }), JSON.stringify(draft));
  const run = async (): Promise<void> => {
    const { name } = draft;
    if (!(await change.apply())) return;
    clearDraft();
    note(t("apply.done", { name }));
    go("connections", { name }, "replace");
  };
  return (
    <div className="apply">
      <ChangeBody change={change} onAgain={change.again} />
      <div className="form-buttons">
        <ApplyButton change={change} onApply={() => void run()} />
        {change.state === "failed" && (
          <Button onClick={() => go("connections", { add: "settings" })}>{t("apply.backToSettings")}</Button>
        )}
      </div>
    </div>
  );
}
