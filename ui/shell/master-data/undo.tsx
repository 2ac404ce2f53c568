import { Button } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { fault, note } from "../toasts.tsx";
import { type PlanKind, removeItem, restoreItem } from "./store.ts";

/** Removes an item, says so, and offers to take that back. The error is null when it was removed. */
export async function removeWithUndo(kind: PlanKind, id: string, revision: number): Promise<{ error: unknown }> {
  const { error, kept } = await removeItem(kind, id, revision);
  if (error === null && kept !== null)
    note(
      <>
        {t("masterData.removed", { id })}{" "}
        <Button kind="quiet" icon="restart" onClick={() => void restore(kind, id, revision, kept.revision)}>
          {t("masterData.undo")}
        </Button>
      </>,
    );
  return { error };
}

async function restore(kind: PlanKind, id: string, to: number, from: number): Promise<void> {
  try {
    await restoreItem(kind, id, to, from);
    note(t("history.done", { id }));
  } catch (error) {
    fault(error, t("masterData.undoFailed", { id }));
  }
}
