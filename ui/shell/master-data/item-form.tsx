import type { MasterDataItem, Recorded } from "@lineshaft/contract/api";
import { type ReactNode, useState } from "react";
import { Button, Dialog } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { isCode, ProblemView } from "../problem.tsx";
import { note } from "../toasts.tsx";
import type { Touched } from "./effect.ts";
import { EffectView } from "./effect-view.tsx";
import { HistoryDialog } from "./history-dialog.tsx";
import { type PlanKind, saveItem } from "./store.ts";
import { removeWithUndo } from "./undo.tsx";

/** The frame of every form of one item: what it touches, saving by its revision, a conflict explained, removing. */
export function ItemForm<K extends PlanKind>(props: {
  kind: K;
  title: string;
  /** What it was filled from; null: it is new. */
  base: Recorded<MasterDataItem<K>> | null;
  /** The item as it is now; the form may be older. */
  current: Recorded<MasterDataItem<K>> | undefined;
  id: string;
  /** null: something is missing or wrong, which the fields tell. */
  item: MasterDataItem<K> | null;
  /** null: nothing that is computed rests on it. */
  touched: readonly Touched[] | null;
  broad?: boolean;
  /** Keeps it in another way than by one change of it. */
  save?(item: MasterDataItem<K>): Promise<{ error: unknown }>;
  /** Somebody wants to save what is not whole yet. */
  onIncomplete?(): void;
  onRefused?(error: unknown): void;
  children: ReactNode;
  onClose(id: string | null): void;
  /** Fills the form from the newer item. */
  onTake?(): void;
}) {
  const { kind, id, item, base, current } = props;
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [removing, setRemoving] = useState(false);
  const [history, setHistory] = useState(false);
  const finish = (refused: unknown, done: string): void => {
    setBusy(false);
    setError(refused);
    if (refused === null) {
      note(done);
      props.onClose(id);
    } else props.onRefused?.(refused);
  };
  const save = async (): Promise<void> => {
    if (item === null) return props.onIncomplete?.();
    setBusy(true);
    const kept = props.save?.(item) ?? saveItem(kind, id, item, base?.revision ?? null);
    const { error: refused } = await kept;
    finish(refused, t("masterData.saved", { id }));
  };
  const remove = async (): Promise<void> => {
    if (base === null) return;
    setBusy(true);
    const { error: refused } = await removeWithUndo(kind, base.id, base.revision);
    setBusy(false);
    setError(refused);
    if (refused === null) props.onClose(base.id);
  };
  if (history && base !== null)
    return (
      <HistoryDialog kind={kind} id={base.id} onClose={(done) => (done ? props.onClose(id) : setHistory(false))} />
    );
  const newer = base !== null && current !== undefined && current.revision > base.revision;
  return (
    <Dialog
      title={props.title}
      closeLabel={t("close")}
      onClose={() => props.onClose(null)}
      className={props.broad ? "dialog-broad" : ""}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {props.children}
        {props.touched !== null && item !== null && <EffectView touched={props.touched} />}
        {error !== null && (
          <ProblemView error={error}>
            {isCode(error, "revision_conflict") && newer && props.onTake !== undefined ? (
              <Button
                onClick={() => {
                  setError(null);
                  props.onTake?.();
                }}
              >
                {t("masterData.takeTheirs")}
              </Button>
            ) : undefined}
          </ProblemView>
        )}
        <div className="form-buttons">
          <Button kind="main" type="submit" disabled={busy || (item === null && props.onIncomplete === undefined)}>
            {busy ? t("change.applying") : t("save")}
          </Button>
          <Button kind="quiet" onClick={() => props.onClose(null)}>
            {t("cancel")}
          </Button>
          <span className="spring" />
          {base !== null && (
            <Button kind="quiet" icon="restart" onClick={() => setHistory(true)}>
              {t("history.button")}
            </Button>
          )}
          {base !== null &&
            (removing ? (
              <Button kind="danger" icon="bin" disabled={busy} onClick={() => void remove()}>
                {t("masterData.removeSure")}
              </Button>
            ) : (
              <Button kind="quiet" icon="bin" onClick={() => setRemoving(true)}>
                {t("masterData.remove")}
              </Button>
            ))}
        </div>
      </form>
    </Dialog>
  );
}
