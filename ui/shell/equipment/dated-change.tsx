import type { Equipment, EquipmentChange, Plan } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button, Dialog } from "../../kit/index.ts";
import { PlanView } from "../configuration/plan-view.tsx";
import { reloadDirectory } from "../directory.ts";
import { fmt, t } from "../i18n.ts";
import { call } from "../platform.ts";
import { isCode, ProblemView } from "../problem.tsx";
import { note } from "../toasts.tsx";

/** What is to be another, in the words of the plan. */
export interface Wish {
  body: EquipmentChange;
  changes: Plan["items"][number]["changes"];
}

/** A change that has been so on the floor for a while: shown, then told with its date. */
export function DatedChange(props: { item: Equipment; wish: Wish; validFrom: string; onClose(done: boolean): void }) {
  const { item, wish, validFrom, onClose } = props;
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const plan: Plan = {
    items: [{ action: "change", entity: "equipment", name: item.path, changes: wish.changes }],
    counts: { create: 0, change: 1, rename: 0, remove: 0 },
    revision: item.revision,
  };
  const apply = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const params = { id: item.id };
      await call("changeEquipment", { params, body: { ...wish.body, validFrom }, revision: item.revision });
      note(t("equipment.dated", { name: item.name }));
      onClose(true);
      await reloadDirectory();
    } catch (problem) {
      setError(problem);
      setBusy(false);
      // The newer one is read, so that what is shown and tried next rests on it.
      if (isCode(problem, "revision_conflict")) await reloadDirectory();
    }
  };
  return (
    <Dialog
      title={t("equipment.changing", { name: item.name })}
      closeLabel={t("close")}
      onClose={() => onClose(false)}
      wide
    >
      <p>{t("equipment.since", { time: fmt.exact(new Date(validFrom).getTime() * 1000) })}</p>
      <PlanView plan={plan} />
      {error !== null && <ProblemView error={error} />}
      <div className="form-buttons">
        <Button kind="main" disabled={busy} onClick={() => void apply()}>
          {busy ? t("change.applying") : t("change.apply", { n: 1 })}
        </Button>
        <Button kind="quiet" onClick={() => onClose(false)}>
          {t("cancel")}
        </Button>
      </div>
    </Dialog>
  );
}
