import { useState } from "react";
import { Button, Dialog } from "../../kit/index.ts";
import { differences } from "../configuration/editing.ts";
import { fmt, t } from "../i18n.ts";
import { ProblemView } from "../problem.tsx";
import { note } from "../toasts.tsx";
import { useLoaded } from "../use.ts";
import { type PlanKind, restoreItem, revisionsOf } from "./store.ts";

/** What an item was, change by change, and back to any of it: going back is a change like any other. */
export function HistoryDialog(props: {
  kind: PlanKind;
  id: string;
  /** `done`: it was made again what it was. */
  onClose(done: boolean): void;
}) {
  const { kind, id, onClose } = props;
  const revisions = useLoaded(`revisions ${kind} ${id}`, (signal) => revisionsOf(kind, id, signal));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const list = revisions.data ?? [];
  const back = async (to: number): Promise<void> => {
    setBusy(true);
    try {
      await restoreItem(kind, id, to, list[0].revision);
      note(t("history.done", { id }));
      onClose(true);
    } catch (refused) {
      setError(refused);
      setBusy(false);
      revisions.reload();
    }
  };
  return (
    <Dialog title={t("history.title", { id })} closeLabel={t("close")} onClose={() => onClose(false)} wide>
      <p className="soft">{t("history.hint")}</p>
      {revisions.loading && <p className="quiet-wait">{t("wait.history")}</p>}
      {(error ?? revisions.error) !== null && <ProblemView error={error ?? revisions.error} />}
      <ol className="history">
        {list.map((one, i) => {
          const before = list[i + 1];
          const parts = before === undefined || one.removed ? [] : differences(before.item, one.item, "");
          return (
            <li key={one.revision}>
              <div className="history-head">
                <b className="nowrap">{fmt.dateTime(one.changedUs)}</b>
                <span className="soft">{t("history.by", { actor: one.actor, revision: one.revision })}</span>
                <span className="spring" />
                {i === 0 ? (
                  <span className="soft">{t("history.now")}</span>
                ) : (
                  !one.removed && (
                    <Button disabled={busy} onClick={() => void back(one.revision)}>
                      {t("history.back")}
                    </Button>
                  )
                )}
              </div>
              <div className="history-changes">
                {one.removed ? (
                  <span className="bad">{t("history.removed")}</span>
                ) : before === undefined && list.length < 100 ? (
                  <span className="soft">{t("history.created")}</span>
                ) : before?.removed ? (
                  <span className="soft">{t("history.restored")}</span>
                ) : (
                  <dl>
                    {parts.slice(0, 12).map(({ path, from, to }) => (
                      <div key={path}>
                        <dt>{path.replace(/^\./, "")}</dt>
                        <dd>
                          <del>{valueText(path, from)}</del> <span aria-hidden="true">→</span>{" "}
                          <ins>{valueText(path, to)}</ins>
                        </dd>
                      </div>
                    ))}
                  </dl>
                )}
              </div>
            </li>
          );
        })}
      </ol>
    </Dialog>
  );
}

/** Times as people read them; lists and objects as they are. */
export function valueText(path: string, value: unknown): string {
  if (value === null || value === undefined) return t("plan.none");
  if (typeof value === "number" && /Us$/.test(path))
    return path.endsWith("cycleUs") || path.endsWith("StopUs") ? fmt.duration(value) : fmt.exact(value);
  if (typeof value !== "object") return String(value);
  return JSON.stringify(value, (key, inner: unknown) =>
    typeof inner === "number" && /(from|to|booked|anchor|completed)Us$/.test(key) ? fmt.dateTime(inner) : inner,
  );
}
