import { useState } from "react";
import { Button, unitText } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { equipmentName, equipmentPath, rangeText } from "../master-data/effect-view.tsx";
import { HistoryDialog } from "../master-data/history-dialog.tsx";
import { removeWithUndo } from "../master-data/undo.tsx";
import { allowed } from "../session.ts";
import { fault } from "../toasts.tsx";
import { useNow } from "../use.ts";
import { BookDialog, type Booking } from "./book-dialog.tsx";
import { type RecordedOrder, stateOf } from "./model.ts";
import { useProgress } from "./progress.ts";

/** One order: how far it is, where it runs, and what can be done with it. */
export function OrderInspector(props: { order: RecordedOrder; onClose(): void; onEdit(): void }) {
  const { order } = props;
  const { item } = order;
  const now = useNow();
  const [booking, setBooking] = useState<Booking | null>(null);
  const [history, setHistory] = useState(false);
  const [removing, setRemoving] = useState(false);
  const state = stateOf(item, now);
  const may = allowed("book");
  return (
    <aside className="inspector" aria-label={t("order.named", { id: order.id })}>
      <header className="panel-head">
        <h2>{order.id}</h2>
        <Button kind="quiet" icon="close" aria-label={t("close")} onClick={props.onClose} />
      </header>
      <p>
        <span className={`order-word order-${state}`}>{t(`order.state.${state}`)}</span>
        {item.material !== null && <span className="soft"> {item.material}</span>}
      </p>
      <ProgressBar order={order} />
      {may && (
        <div className="form-buttons">
          {state !== "finished" && (
            <Button icon="play" kind={state === "running" ? "plain" : "main"} onClick={() => setBooking("start")}>
              {t(state === "interrupted" ? "order.do.resume" : "order.do.start")}
            </Button>
          )}
          {state === "running" && (
            <Button icon="pause" onClick={() => setBooking("interrupt")}>
              {t("order.do.interrupt")}
            </Button>
          )}
          {(state === "running" || state === "interrupted") && (
            <Button icon="check" onClick={() => setBooking("finish")}>
              {t("order.do.finish")}
            </Button>
          )}
        </div>
      )}
      <section aria-label={t("order.operations")}>
        {item.operations.length === 0 && <p className="soft">{t("order.noOperations")}</p>}
        {item.operations.map((operation) => (
          <div key={operation.id} className="inspected-operation">
            <h3>
              {operation.id} <span className="soft">{operation.name}</span>
            </h3>
            {operation.executions.length === 0 && (operation.planned ?? []).length === 0 && (
              <p className="soft">{t("order.noMachine")}</p>
            )}
            <ul>
              {operation.executions.map((one) => (
                <li key={`${one.equipmentId} ${one.fromUs}`} className={one.fromUs > now ? "soft" : ""}>
                  <span title={equipmentPath(one.equipmentId)}>{equipmentName(one.equipmentId)}</span>
                  <span className="soft nowrap">{rangeText(one.fromUs, one.toUs)}</span>
                </li>
              ))}
              {(operation.planned ?? []).map((one) => (
                <li key={`planned ${one.equipmentId} ${one.fromUs}`} className="soft">
                  <span title={equipmentPath(one.equipmentId)}>
                    {equipmentName(one.equipmentId)} · {t("order.state.planned")}
                  </span>
                  <span className="nowrap">{rangeText(one.fromUs, one.toUs)}</span>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </section>
      <div className="form-buttons">
        {may && (
          <Button icon="pencil" onClick={props.onEdit}>
            {t("order.editButton")}
          </Button>
        )}
        <Button icon="restart" onClick={() => setHistory(true)}>
          {t("history.button")}
        </Button>
        {may &&
          (removing ? (
            <Button
              kind="danger"
              onClick={() => {
                setRemoving(false);
                void removeWithUndo("order", order.id, order.revision).then(
                  ({ error }) => error !== null && fault(error, t("masterData.removeFailed", { id: order.id })),
                );
              }}
            >
              {t("order.removeSure")}
            </Button>
          ) : (
            <Button kind="quiet" icon="bin" onClick={() => setRemoving(true)}>
              {t("order.remove")}
            </Button>
          ))}
      </div>
      <p className="footnote">
        {t("masterData.changedAt", { time: fmt.dateTime(order.changedUs), revision: order.revision })}
      </p>
      {booking !== null && <BookDialog order={order} booking={booking} onClose={() => setBooking(null)} />}
      {history && <HistoryDialog kind="order" id={order.id} onClose={() => setHistory(false)} />}
    </aside>
  );
}

/** Made of ordered; hatched where nothing counts. */
function ProgressBar({ order: { id, item } }: { order: RecordedOrder }) {
  const now = useNow();
  // Asked again by its own clock, not with every second.
  const [since] = useState(now);
  const progress = useProgress(id, item, Math.max(since, now - (now % 30_000_000)));
  const good = progress.data?.good ?? null;
  const share = good === null || item.quantity <= 0 ? null : Math.max(0, Math.min(1, good / item.quantity));
  const unit = unitText(item.unit);
  return (
    <div className="order-progress">
      <div className={`meter ${share === null ? "unknown" : ""}`} role="img" aria-label={t("order.progress")}>
        {share !== null && <i style={{ width: `${share * 100}%` }} />}
      </div>
      <p>
        {good === null ? (
          <span className="soft">{t(progress.loading ? "order.progressWait" : "order.progressUnknown")}</span>
        ) : (
          <>
            <b>{fmt.number(good)}</b>{" "}
            <span className="soft">{t(progress.data?.partly ? "order.atLeastOf" : "order.of")}</span>
          </>
        )}{" "}
        <b>{fmt.number(item.quantity)}</b> <span className="unit">{unit}</span>
        {good !== null && item.quantity > 0 && <span className="soft"> · {fmt.percent(good / item.quantity)}</span>}
      </p>
    </div>
  );
}
